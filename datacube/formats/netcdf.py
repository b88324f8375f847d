"""CF NetCDF-4: packed numbers with scale, offset and fill value, every axis with its coordinates.

Values lie one after the other as in memory; compressing them takes ten times as long as all else
and is done where it is asked for. The netCDF and HDF5 libraries are not thread-safe: one call into
them is made at a time. A file that is written while the coverage is read lies on disk, and has no
name there.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from datacube.formats import cf
from datacube.formats.nodata import filled, nil_ahead, nil_for
from datacube.formats.pieces import Streamed, cut, together
from datacube.formats.spool import spool_folder, spooled
from datacube.model.block import Block
from datacube.model.coverage import Coverage, CoverageDescription
from datacube.model.domain import DomainSet
from datacube.model.fields import Field
from datacube.model.grid import ReferenceableGrid
from datacube.model.stream import CoverageStream

type Stored = tuple[np.dtype[Any], float | None]

LIBRARY = threading.Lock()
"""Held during every call into the libraries."""
_COMPRESSED_FROM = 65_536
_CHUNK_SIDE = 512
_WIDER = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "int64")
_OPEN_CHUNKS = 16 << 20


def encode(coverage: Coverage, options: Mapping[str, str]) -> bytes | Streamed:
    """A NetCDF-4 file that follows CF-1.11; a large one in pieces, so that it is held once.

    Parameters
    ----------
    coverage : Coverage
    options : mapping
        ``history`` is written as that global attribute; ``compression=deflate`` compresses.

    Raises
    ------
    InvalidFormat
        A field without a no-data value has invalid cells and every number of its dtype is taken.
    """
    kinds = {name: _kind(block) for name, block in coverage.blocks.items()}
    coordinates = cf.coordinates(coverage.description.domain)
    room = guess(coverage.description)
    with LIBRARY:
        file = netCDF4.Dataset("coverage.nc", mode="w", format="NETCDF4", memory=room)
        try:
            define(file, coverage.description, kinds, options, coordinates)
            for name, block in coverage.blocks.items():
                file[name][...] = filled(block, *kinds[name])
        except BaseException:
            file.close()
            raise
        image = written_part(file.close())
    return together(Streamed(cut(np.frombuffer(image, np.uint8)), len(image)))


def _kind(block: Block) -> Stored:
    dtype = storable(np.dtype(block.field.dtype))
    return dtype, nil_for([block], dtype)


def spool(coverage: CoverageStream, options: Mapping[str, str]) -> Streamed:
    """The same while the coverage is read: by way of a file on disk, of which nothing is held.

    A number that stands for no data must be known before the values are: where a field has none,
    its variable may take a wider dtype than that of :func:`encode`.
    """
    kinds = kinds_ahead(coverage)
    with spool_folder() as folder:
        path = folder / "coverage.nc"
        _write(path, coverage, kinds, options)
        return spooled(path)


def kinds_ahead(coverage: CoverageStream) -> dict[str, Stored]:
    """The dtype of each field in the file, and its fill value, before any value is known."""
    fields = coverage.description.range_type.fields
    return {one.name: _ahead(one, gaps=coverage.gaps) for one in fields}


def _ahead(field: Field, *, gaps: bool) -> Stored:
    dtype = storable(np.dtype(field.dtype))
    wider = _WIDER[_WIDER.index(dtype.name) + 1 :] if dtype.name in _WIDER else ()
    held = (one for one in map(np.dtype, wider) if np.can_cast(dtype, one))
    return nil_ahead([field], [dtype, *held], gaps=gaps)


def _write(
    path: Path,
    coverage: CoverageStream,
    kinds: Mapping[str, Stored],
    options: Mapping[str, str],
) -> None:
    """Write a file; other files are written between its parts."""
    coordinates = cf.coordinates(coverage.description.domain)
    with LIBRARY:
        file = netCDF4.Dataset(path, mode="w", format="NETCDF4")
    try:
        with LIBRARY:
            define(file, coverage.description, kinds, options, coordinates)
        for part, block in zip(coverage.parts(), coverage.by_field(), strict=True):
            with LIBRARY:
                variable = file[part.field]
                values = filled(block, *kinds[part.field])
                variable[(*part.place, part.rows)] = values.reshape(values.shape[-2:])
    finally:
        with LIBRARY:
            file.close()


def define(
    file: Any,
    description: CoverageDescription,
    kinds: Mapping[str, Stored],
    options: Mapping[str, str],
    coordinates: Sequence[cf.Variable],
) -> None:
    """Everything but the values of the fields.

    The first value that is written lays out all that is defined, and so would each that is
    written between definitions: those of the axes come last.
    """
    file.set_fill_off()  # every value is written
    file.setncatts(global_attributes(description, options))
    _define_coordinates(file, description.domain, coordinates)
    deflate = options.get("compression") == "deflate"
    for field in description.range_type.fields:
        _define_field(file, field, description.domain, kinds[field.name], deflate=deflate)
    for one in coordinates:
        file[one.name][...] = one.values


def written_part(buffer: memoryview) -> memoryview:
    """The file without the room that the library made for more.

    The superblock of HDF5 (format specification, II.A) says where the file ends.
    """
    place = {0: 40, 1: 44, 2: 28, 3: 28}.get(buffer[8])
    end = len(buffer) if place is None else int.from_bytes(buffer[place : place + 8], "little")
    return buffer[:end]


def guess(description: CoverageDescription) -> int:
    """Room for the whole file: what is not used is never touched, and growing would copy it."""
    cells = prod(description.domain.shape)
    values = sum(np.dtype(one.dtype).itemsize for one in description.range_type.fields) * cells
    return (1 << 20) + values + values // 16


def global_attributes(
    description: CoverageDescription, options: Mapping[str, str]
) -> dict[str, str]:
    """What a file says of itself."""
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


def _define_coordinates(file: Any, domain: DomainSet, coordinates: Iterable[cf.Variable]) -> None:
    for name, size in zip(cf.dimension_names(domain), domain.shape, strict=True):
        file.createDimension(name, size)
    for one in coordinates:
        if "bnds" in one.dims and "bnds" not in file.dimensions:
            file.createDimension("bnds", 2)
        kind = str if one.values.dtype == object else one.values.dtype
        file.createVariable(one.name, kind, one.dims).setncatts(one.attributes)


def _define_field(
    file: Any, field: Field, domain: DomainSet, kind: Stored, *, deflate: bool
) -> None:
    (dtype, nil), shape = kind, domain.shape
    large = deflate and prod(shape) >= _COMPRESSED_FROM
    variable = file.createVariable(
        field.name,
        dtype,
        cf.dimension_names(domain),
        fill_value=False if nil is None else dtype.type(nil),
        contiguous=not large,
        chunksizes=_chunks(shape) if large else None,
        compression="zlib" if large else None,
        complevel=1,
        shuffle=True,
    )
    if large:  # rows that are written in two parts stay open until they are whole
        row = shape[-1] * _CHUNK_SIDE * dtype.itemsize
        variable.set_var_chunk_cache(size=min(max(2 * row, _OPEN_CHUNKS), 4 * _OPEN_CHUNKS))
    variable.set_auto_maskandscale(False)
    positions = isinstance(domain.grid, ReferenceableGrid)
    attributes = dict(cf.field_attributes(field, positions=positions))
    if "flag_values" in attributes:  # which have the type of the variable
        attributes["flag_values"] = np.asarray(attributes["flag_values"]).astype(dtype)
    variable.setncatts(attributes)


def storable(dtype: np.dtype[np.generic]) -> np.dtype[np.generic]:
    """What numbers of a dtype are in a file."""
    if dtype.kind == "b":
        return np.dtype("uint8")
    return np.dtype("float32") if dtype == np.float16 else dtype.newbyteorder("=")


def _chunks(shape: tuple[int, ...]) -> tuple[int, ...]:
    """One place of each further axis, squares in x and y."""
    sides = tuple(min(side, _CHUNK_SIDE) for side in shape[-2:])
    return (*(1 for _ in shape[:-2]), *sides)
