"""CF NetCDF-3 (64-bit offsets) for older programs: the same variables in the types that it knows.

There are bytes, 16 and 32-bit integers with a sign, floats and characters; others become the next
wider one. Labels are arrays of characters.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
from numpy.typing import NDArray

from datacube.errors import InvalidFormat
from datacube.formats import cf
from datacube.formats.netcdf import LIBRARY, global_attributes
from datacube.formats.nodata import filled, nil_for
from datacube.formats.pieces import Streamed, together, whole_file
from datacube.model.coverage import Coverage
from datacube.model.grid import ReferenceableGrid

_TYPES = {
    "bool": "int8",
    "uint8": "int16",
    "uint16": "int32",
    "uint32": "float64",
    "float16": "float32",
}
_WHOLE = 1 << 53  # numbers up to which a double is exact
_MOST = (1 << 31) - 1  # bytes of a variable


def encode(coverage: Coverage, options: Mapping[str, str]) -> bytes | Streamed:
    """A NetCDF-3 file that follows CF-1.11.

    Parameters
    ----------
    coverage : Coverage
    options : mapping
        ``history`` is written as that global attribute.

    Raises
    ------
    InvalidFormat
        Numbers of 64 bits do not fit, or a field is larger than 2 GiB.
    """
    with tempfile.TemporaryDirectory(prefix="coverage-") as folder:
        path = Path(folder, "coverage.nc")
        with LIBRARY:
            file = netCDF4.Dataset(path, mode="w", format="NETCDF3_64BIT_OFFSET")
            try:
                _write(file, coverage, options)
            finally:
                file.close()
        return together(whole_file(path))


def _write(file: Any, coverage: Coverage, options: Mapping[str, str]) -> None:
    domain = coverage.description.domain
    file.set_fill_off()  # every value is written
    file.setncatts(global_attributes(coverage.description, options))
    for name, size in zip(cf.dimension_names(domain), domain.shape, strict=True):
        file.createDimension(name, size)
    for one in cf.coordinates(domain):
        _write_coordinate(file, one)
    for name in coverage.blocks:
        _write_field(file, coverage, name)


def _write_coordinate(file: Any, one: cf.Variable) -> None:
    if "bnds" in one.dims and "bnds" not in file.dimensions:
        file.createDimension("bnds", 2)
    values, dims = one.values, one.dims
    if values.dtype == object:
        texts = np.array([str(text).encode() for text in values.tolist()])
        values = texts.view("S1").reshape(len(texts), -1)
        dims = (*dims, f"{one.name}_length")
        file.createDimension(dims[-1], values.shape[1])
    else:
        values = _storable(one.name, values)
    variable = file.createVariable(one.name, values.dtype, dims)
    variable.setncatts({name: _attribute(value) for name, value in one.attributes.items()})
    variable[...] = values


def _write_field(file: Any, coverage: Coverage, name: str) -> None:
    block, domain = coverage.blocks[name], coverage.description.domain
    dtype = _dtype(name, block.data)
    if block.data.size * dtype.itemsize > _MOST:
        raise InvalidFormat(
            f"the field {name} is larger than a variable of NetCDF-3 can be (2 GiB); ask for "
            "application/netcdf, or for fewer steps",
            subject="format",
        )
    nil = nil_for([block], dtype)
    fill = False if nil is None else dtype.type(nil)
    variable = file.createVariable(name, dtype, cf.dimension_names(domain), fill_value=fill)
    variable.set_auto_maskandscale(False)
    positions = isinstance(domain.grid, ReferenceableGrid)
    attributes = cf.field_attributes(block.field, positions=positions)
    variable.setncatts({key: _attribute(value) for key, value in attributes.items()})
    variable[...] = filled(block, dtype, nil)


def _dtype(name: str, values: NDArray[np.generic]) -> np.dtype[np.generic]:
    kind = values.dtype.name
    if kind in {"int64", "uint64"}:
        raise InvalidFormat(
            f"{name} has integers of 64 bits, which NetCDF-3 does not know; ask for "
            "application/netcdf",
            subject="format",
        )
    return np.dtype(_TYPES.get(kind, kind))


def _storable(name: str, values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Coordinates of 64-bit integers as doubles, as long as these are exact."""
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8:
        if values.size and int(np.abs(values).max()) > _WHOLE:
            _dtype(name, values)
        return values.astype("float64")
    return values.astype(_dtype(name, values))


def _attribute(value: cf.Value) -> cf.Value:
    if isinstance(value, np.ndarray | np.generic):
        return _storable("an attribute", np.asarray(value))
    return float(value) if isinstance(value, int) and abs(value) > _MOST else value
