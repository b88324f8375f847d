"""CF NetCDF-4: packed numbers with scale, offset and fill value, every axis with its coordinates.

The file is made in memory. The netCDF and HDF5 libraries are not thread-safe, so one file is
written at a time.
"""

import threading
from collections.abc import Mapping
from typing import Any

import netCDF4
import numpy as np

from datacube.formats import cf
from datacube.formats.nodata import filled, nil_for
from datacube.model.block import Block
from datacube.model.coverage import Coverage, CoverageDescription
from datacube.model.grid import ReferenceableGrid

_LIBRARY = threading.Lock()
_COMPRESSED_FROM = 65_536
_CHUNK_SIDE = 512


def encode(coverage: Coverage, options: Mapping[str, str]) -> bytes:
    """A NetCDF-4 file that follows CF-1.11.

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
    with _LIBRARY:
        file = netCDF4.Dataset("coverage.nc", mode="w", format="NETCDF4", memory=_guess(coverage))
        try:
            file.setncatts(_global_attributes(coverage.description, options))
            _write_coordinates(file, coverage.description)
            for block in coverage.blocks.values():
                _write_field(file, block)
        except BaseException:
            file.close()
            raise
        return _trimmed(file.close())


def _trimmed(buffer: memoryview) -> bytes:
    """The file without the room that the library made for more.

    The superblock of HDF5 (format specification, II.A) says where the file ends.
    """
    place = {0: 40, 1: 44, 2: 28, 3: 28}.get(buffer[8])
    end = len(buffer) if place is None else int.from_bytes(buffer[place : place + 8], "little")
    return bytes(buffer[:end])


def _guess(coverage: Coverage) -> int:
    return 1 << 16 | sum(block.data.nbytes for block in coverage.blocks.values()) // 4


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


def _write_field(file: Any, block: Block) -> None:
    field = block.field
    dtype = _storable(np.dtype(field.dtype))
    nil = nil_for([block], dtype)
    dims = cf.dimension_names(block.domain)
    large = block.data.size >= _COMPRESSED_FROM
    variable = file.createVariable(
        field.name,
        dtype,
        dims,
        fill_value=False if nil is None else dtype.type(nil),
        chunksizes=_chunks(block.data.shape) if large else None,
        compression="zlib" if large else None,
        complevel=1,
        shuffle=True,
    )
    variable.set_auto_maskandscale(False)
    positions = isinstance(block.domain.grid, ReferenceableGrid)
    variable.setncatts(cf.field_attributes(field, positions=positions))
    variable[...] = filled(block, dtype, nil)


def _storable(dtype: np.dtype[np.generic]) -> np.dtype[np.generic]:
    if dtype.kind == "b":
        return np.dtype("uint8")
    return np.dtype("float32") if dtype == np.float16 else dtype.newbyteorder("=")


def _chunks(shape: tuple[int, ...]) -> tuple[int, ...]:
    """One place of each further axis, squares in x and y."""
    sides = tuple(min(side, _CHUNK_SIDE) for side in shape[-2:])
    return (*(1 for _ in shape[:-2]), *sides)
