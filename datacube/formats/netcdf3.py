"""CF NetCDF-3 for older programs, written forward: the same variables in the types that it knows.

There are bytes, 16 and 32-bit integers with a sign, floats and characters; others become the next
wider one. Labels are arrays of characters. A file that the classic format cannot hold, for its
integers of 64 bits or a variable of 2 GiB, is CDF-5, which newer programs read.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.formats import cf
from datacube.formats.classic import Variable, make_header, padded, stored
from datacube.formats.netcdf import global_attributes
from datacube.formats.nodata import filled, nil_ahead, nil_for
from datacube.formats.pieces import Piece, Streamed, cut, gathered, together
from datacube.model.coverage import Coverage
from datacube.model.fields import Field
from datacube.model.grid import ReferenceableGrid
from datacube.model.stream import CoverageStream, stream_of

_TYPES = {
    "bool": "int8",
    "uint8": "int16",
    "uint16": "int32",
    "uint32": "float64",
    "float16": "float32",
}
_WIDER = ("int8", "int16", "int32", "float64")
_INTEGER = 1 << 31
_WHOLE = 1 << 53  # numbers up to which a double is exact

type Stored = tuple[np.dtype[Any], float | None]


def encode(coverage: Coverage, options: Mapping[str, str]) -> bytes | Streamed:
    """A NetCDF-3 file that follows CF-1.11; a large one in pieces.

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
    dtypes = {name: _dtype(one.data.dtype) for name, one in coverage.blocks.items()}
    kinds = {
        name: (dtypes[name], nil_for([one], dtypes[name])) for name, one in coverage.blocks.items()
    }
    return together(_forward(stream_of(coverage), kinds, options))


def stream(coverage: CoverageStream, options: Mapping[str, str]) -> Streamed:
    """The same while the coverage is read; its length is exact.

    A number that stands for no data must be known before the values are: where a field has none,
    the file may take a wider dtype than :func:`encode`.

    Parameters
    ----------
    coverage : CoverageStream
    options : as of :func:`encode`

    Raises
    ------
    InvalidFormat
        No dtype leaves a number for no data.
    """
    kinds = {one.name: _ahead(one, gaps=coverage.gaps) for one in _fields(coverage)}
    return _forward(coverage, kinds, options)


def _ahead(field: Field, *, gaps: bool) -> Stored:
    dtype = _dtype(np.dtype(field.dtype))
    wider = _WIDER[_WIDER.index(dtype.name) + 1 :] if dtype.name in _WIDER else ()
    return nil_ahead([field], [dtype, *map(np.dtype, wider)], gaps=gaps)


def _forward(
    coverage: CoverageStream, kinds: Mapping[str, Stored], options: Mapping[str, str]
) -> Streamed:
    description = coverage.description
    domain = description.domain
    dims = dict(zip(cf.dimension_names(domain), domain.shape, strict=True))
    placed = [_coordinate(one, dims) for one in cf.coordinates(domain)]
    positions = isinstance(domain.grid, ReferenceableGrid)
    fields = [
        Variable(one.name, cf.dimension_names(domain), kinds[one.name][0], attributes)
        for one in description.range_type.fields
        for attributes in [_described(one, *kinds[one.name], positions=positions)]
    ]
    variables = [*(one for one, _ in placed), *fields]
    header = make_header(dims, global_attributes(description, options), variables)
    first = b"".join(_coordinate_bytes(values) for _, values in placed)
    pieces = gathered(header.content + first, _values(coverage, kinds))
    return Streamed(pieces, header.nbytes)


def _values(coverage: CoverageStream, kinds: Mapping[str, Stored]) -> Iterator[Piece]:
    """Values of every field in order, each filled up to four bytes."""
    name, size = "", 0
    for block in coverage.by_field():
        if block.field.name != name:
            yield bytes(padded(size) - size)
            name, size = block.field.name, 0
        dtype, nil = kinds[name]
        for piece in cut(filled(block, dtype, nil).astype(stored(dtype), copy=False)):
            size += len(piece)
            yield piece
    yield bytes(padded(size) - size)


def _described(
    field: Field, dtype: np.dtype[Any], nil: float | None, *, positions: bool
) -> dict[str, Any]:
    attributes: dict[str, Any] = {} if nil is None else {"_FillValue": dtype.type(nil)}
    for name, value in cf.field_attributes(field, positions=positions).items():
        attributes[name] = _attribute(value)
    if "flag_values" in attributes:  # which have the type of the variable
        attributes["flag_values"] = np.asarray(attributes["flag_values"]).astype(dtype)
    return attributes


def _coordinate(one: cf.Variable, dims: dict[str, int]) -> tuple[Variable, NDArray[Any]]:
    """A variable of an axis with its values; the dimensions that it brings along are added."""
    values, names = one.values, one.dims
    if "bnds" in names:
        dims["bnds"] = 2
    if values.dtype == object:
        texts = np.array([str(text).encode() for text in values.tolist()])
        values = texts.view("S1").reshape(len(texts), -1)
        names = (*names, f"{one.name}_length")
        dims[names[-1]] = values.shape[1]
    else:
        values = _storable(values)
    attributes = {name: _attribute(value) for name, value in one.attributes.items()}
    return Variable(one.name, names, values.dtype, attributes), values


def _coordinate_bytes(values: NDArray[Any]) -> bytes:
    content = values.astype(stored(values.dtype)).tobytes()
    return content.ljust(padded(len(content)), b"\0")


def _fields(coverage: CoverageStream) -> tuple[Field, ...]:
    return coverage.description.range_type.fields


def _dtype(dtype: np.dtype[np.generic]) -> np.dtype[np.generic]:
    return np.dtype(_TYPES.get(dtype.name, dtype.name))


def _storable(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Integers of 64 bits as doubles, where these are exact."""
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8:
        exact = not values.size or int(np.abs(values).max()) <= _WHOLE
        return values.astype("float64") if exact else values
    return values.astype(_dtype(values.dtype))


def _attribute(value: cf.Value) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and abs(value) < _INTEGER:
        return np.int32(value)
    return _storable(np.asarray(value))
