"""CF NetCDF-4: packed numbers with scale, offset and fill value, every axis with its coordinates.

The file is made in memory. The netCDF and HDF5 libraries are not thread-safe, so one file is
written at a time.
"""

import threading
from collections.abc import Mapping
from math import prod
from typing import Any

import netCDF4
import numpy as np

from datacube.formats import cf
from datacube.formats.nodata import filled, nil_ahead, nil_for
from datacube.formats.pieces import Streamed, cut
from datacube.model.coverage import Coverage, CoverageDescription
from datacube.model.domain import DomainSet
from datacube.model.fields import Field
from datacube.model.grid import ReferenceableGrid
from datacube.model.stream import CoverageStream, stream_of

_LIBRARY = threading.Lock()
_COMPRESSED_FROM = 65_536
_CHUNK_SIDE = 512
_WHOLE = 16 << 20


def encode(coverage: Coverage, options: Mapping[str, str]) -> bytes | Streamed:
    """A NetCDF-4 file that follows CF-1.11; a large one in pieces, so that it is held once.

    Parameters
    ----------
    coverage : Coverage
    options : mapping
        ``history`` is written as that global attribute.

    Raises
    ------
    InvalidFormat
        A field without a no-data value has invalid cells and every number of its dtype is taken.
    """
    nils = {
        block.field.name: nil_for([block], _storable(np.dtype(block.field.dtype)))
        for block in coverage.blocks.values()
    }
    return _write(stream_of(coverage), nils, options)


def spool(coverage: CoverageStream, options: Mapping[str, str]) -> bytes | Streamed | None:
    """The same while the coverage is read: only the file is held.

    Returns
    -------
    file : None where a field without a no-data value may have invalid cells
    """
    nils: dict[str, float | None] = {}
    for field in coverage.description.range_type.fields:
        dtype = _storable(np.dtype(field.dtype))
        if dtype.kind != "f" and field.nil is None and coverage.gaps:
            return None
        nils[field.name] = nil_ahead([field], [dtype], gaps=coverage.gaps)[1]
    return _write(coverage, nils, options)


def _write(
    coverage: CoverageStream, nils: Mapping[str, float | None], options: Mapping[str, str]
) -> bytes | Streamed:
    description = coverage.description
    with _LIBRARY:
        file = netCDF4.Dataset(
            "coverage.nc", mode="w", format="NETCDF4", memory=_guess(description)
        )
        try:
            file.setncatts(_global_attributes(description, options))
            _write_coordinates(file, description)
            for field in description.range_type.fields:
                _define_field(file, field, description.domain, nils[field.name])
            for part, block in zip(coverage.parts(), coverage.by_field(), strict=True):
                variable = file[part.field]
                values = filled(block, variable.dtype, nils[part.field])
                variable[(*part.place, part.rows)] = values.reshape(values.shape[-2:])
        except BaseException:
            file.close()
            raise
        return _trimmed(file.close())


def _trimmed(buffer: memoryview) -> bytes | Streamed:
    """The file without the room that the library made for more.

    The superblock of HDF5 (format specification, II.A) says where the file ends.
    """
    place = {0: 40, 1: 44, 2: 28, 3: 28}.get(buffer[8])
    end = len(buffer) if place is None else int.from_bytes(buffer[place : place + 8], "little")
    if end <= _WHOLE:
        return bytes(buffer[:end])
    return Streamed(cut(np.frombuffer(buffer[:end], np.uint8)), end)


def _guess(description: CoverageDescription) -> int:
    """Room for the whole file: what is not used is never touched, and growing would copy it."""
    cells = prod(description.domain.shape)
    values = sum(np.dtype(one.dtype).itemsize for one in description.range_type.fields) * cells
    return (1 << 20) + values + values // 16


def _global_attributes(
    description: CoverageDescription, options: Mapping[str, str]
) -> dict[str, str]:
    texts = {
        "Conventions": "CF-1.11",
        "title": description.title or description.id,
        "summary": description.abstract,
        "source": f"coverage {description.id}",
        "history": options.get("history", "")
        or f"extracted by datacube-server from {_origin(description)}",
        "attribution": description.attribution,
        "license": description.licence,
        "snapshot": description.snapshot,
    }
    return {name: text for name, text in texts.items() if text}


def _origin(description: CoverageDescription) -> str:
    return description.snapshot or description.id


def _write_coordinates(file: Any, description: CoverageDescription) -> None:
    domain = description.domain
    for name, size in zip(cf.dimension_names(domain), domain.shape, strict=True):
        file.createDimension(name, size)
    for one in cf.coordinates(domain):
        if "bnds" in one.dims and "bnds" not in file.dimensions:
            file.createDimension("bnds", 2)
        kind = str if one.values.dtype == object else one.values.dtype
        variable = file.createVariable(one.name, kind, one.dims)
        variable.setncatts(one.attributes)
        variable[...] = one.values


def _define_field(file: Any, field: Field, domain: DomainSet, nil: float | None) -> None:
    dtype, shape = _storable(np.dtype(field.dtype)), domain.shape
    large = prod(shape) >= _COMPRESSED_FROM
    variable = file.createVariable(
        field.name,
        dtype,
        cf.dimension_names(domain),
        fill_value=False if nil is None else dtype.type(nil),
        chunksizes=_chunks(shape) if large else None,
        compression="zlib" if large else None,
        complevel=1,
        shuffle=True,
    )
    if large:  # rows that are written in two parts stay open until they are whole
        row = shape[-1] * _CHUNK_SIDE * dtype.itemsize
        variable.set_var_chunk_cache(size=min(max(2 * row, _WHOLE), 4 * _WHOLE))
    variable.set_auto_maskandscale(False)
    positions = isinstance(domain.grid, ReferenceableGrid)
    variable.setncatts(cf.field_attributes(field, positions=positions))


def _storable(dtype: np.dtype[np.generic]) -> np.dtype[np.generic]:
    if dtype.kind == "b":
        return np.dtype("uint8")
    return np.dtype("float32") if dtype == np.float16 else dtype.newbyteorder("=")


def _chunks(shape: tuple[int, ...]) -> tuple[int, ...]:
    """One place of each further axis, squares in x and y."""
    sides = tuple(min(side, _CHUNK_SIDE) for side in shape[-2:])
    return (*(1 for _ in shape[:-2]), *sides)
