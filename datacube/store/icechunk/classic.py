"""A NetCDF classic file (CDF-1, CDF-2, CDF-5) as Zarr: its header says where everything lies.

The header is that of the NetCDF classic format specification, in big-endian numbers. Variables
along the record dimension lie in turns, record by record, the others in one piece each.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.errors import SourceError
from datacube.store.icechunk.filearrays import (
    MOST_COPIED,
    FileArray,
    Piece,
    array_document,
    attribute,
    cut,
    float_fill,
    planes,
)

MAGIC = (b"CDF\x01", b"CDF\x02", b"CDF\x05")

_TYPES = ("i1", "S1", ">i2", ">i4", ">f4", ">f8", "u1", ">u2", ">u4", ">i8", ">u8")
_FILLS: Mapping[str, float] = {
    "i1": -127,
    "u1": 255,
    "i2": -(2**15) + 1,
    "u2": 2**16 - 1,
    "i4": -(2**31) + 1,
    "u4": 2**32 - 1,
    "i8": -(2**63) + 2,
    "u8": 2**64 - 2,
    "f4": 15 * 2.0**119,
    "f8": 15 * 2.0**119,
}
_MOST = 1 << 20  # names, dimensions, attributes or variables that are believed


@dataclass(frozen=True, eq=False)
class _Variable:
    name: str
    dimensions: tuple[str, ...]
    shape: tuple[int, ...]
    attributes: Mapping[str, Any]
    dtype: np.dtype[Any]
    begin: int
    record: bool

    @property
    def bytes(self) -> int:
        """Of all, or of one record."""
        shape = self.shape[1:] if self.record else self.shape
        return prod(shape) * self.dtype.itemsize


class _Header:
    """Reads the header from its beginning."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._wide = stream.read(4)[3:]

    def number(self, *, wide: bool) -> int:
        """A whole number of four bytes, or eight."""
        return int.from_bytes(self._exactly(8 if wide else 4), "big", signed=True)

    def size(self) -> int:
        """A count or length."""
        return self.number(wide=self._wide == b"\x05")

    def offset(self) -> int:
        """Where a variable begins."""
        return self.number(wide=self._wide != b"\x01")

    def count(self) -> int:
        """Number of members of a list, after its tag."""
        self.number(wide=False)
        count = self.size()
        if not 0 <= count <= _MOST:
            raise ValueError(f"a list of {count}")
        return count

    def name(self) -> str:
        """A name, padded to four bytes."""
        return bytes(self._padded(self.size())).decode()

    def attributes(self) -> dict[str, Any]:
        """A list of attributes."""
        found = {}
        for _ in range(self.count()):
            name, dtype = self.name(), self.dtype()
            data = self._padded(self.size() * dtype.itemsize)
            values = np.frombuffer(data, dtype)
            found[name] = data.rstrip(b"\0") if dtype.kind == "S" else values
        return found

    def dtype(self) -> np.dtype[Any]:
        """A type of values."""
        return np.dtype(_TYPES[self.number(wide=False) - 1])

    def _padded(self, length: int) -> bytes:
        data = self._exactly(length)
        self._exactly(-length % 4)
        return data

    def _exactly(self, length: int) -> bytes:
        if not 0 <= length <= 64 * _MOST:
            raise ValueError(f"a part of {length} bytes")
        data: bytes = self._stream.read(length)
        if len(data) != length:
            raise ValueError("it ends in its header")
        return data


def read_classic(stream: Any, name: str) -> tuple[dict[str, Any], list[FileArray]]:
    """Attributes and variables of numbers of a file.

    Parameters
    ----------
    stream : file, readable anywhere
    name : str
        For messages.

    Raises
    ------
    SourceError
        The file is damaged.
    """
    try:
        header = _Header(stream)
        records = header.size()
        dimensions = [(header.name(), header.size()) for _ in range(header.count())]
        attributes = header.attributes()
        variables = [_variable(header, dimensions, records) for _ in range(header.count())]
        arrays = list(_arrays(stream, variables))
    except (ValueError, IndexError) as error:
        raise SourceError(f"{name} is no whole NetCDF file: {error}", subject=name) from error
    return {key: attribute(value) for key, value in attributes.items()}, arrays


def missing_bytes(stream: Any) -> int:
    """How many bytes a file is too short for the values of which its header tells.

    Of values that are not there the netCDF library makes zeros.

    Raises
    ------
    ValueError
        The header is damaged, or the number of records is not written yet.
    """
    header = _Header(stream)
    records = header.size()
    dimensions = [(header.name(), header.size()) for _ in range(header.count())]
    header.attributes()
    variables = [_variable(header, dimensions, records) for _ in range(header.count())]
    step = _step([one for one in variables if one.record])
    ends = [one.begin + one.bytes for one in variables if not one.record]
    ends += [
        one.begin + (records - 1) * step + one.bytes for one in variables if one.record and records
    ]
    return max(0, max(ends, default=0) - int(stream.seek(0, os.SEEK_END)))


def _variable(header: _Header, dimensions: list[tuple[str, int]], records: int) -> _Variable:
    name = header.name()
    places = [header.size() for _ in range(_few(header.size()))]
    own = [dimensions[one] for one in places]
    attributes, dtype = header.attributes(), header.dtype()
    header.size()  # of its bytes, which does not hold for large ones
    record = bool(own) and own[0][1] == 0
    if record and records < 0:
        raise ValueError("the number of its records is not written yet")
    shape = tuple(size or records for _, size in own)
    names = tuple(one for one, _ in own)
    return _Variable(name, names, shape, attributes, dtype, header.offset(), record)


def _few(count: int) -> int:
    if not 0 <= count <= 64:
        raise ValueError(f"a variable of {count} dimensions")
    return count


def _step(records: list[_Variable]) -> int:
    """Bytes from a record to the next one; those of a single variable are not padded."""
    if len(records) == 1:
        return records[0].bytes
    return sum(-(-one.bytes // 4) * 4 for one in records)


def _arrays(stream: Any, variables: list[_Variable]) -> Iterator[FileArray]:
    step = _step([one for one in variables if one.record])
    for one in variables:
        if one.dtype.kind != "S":
            yield _array(stream, one, step)
        elif not one.shape:  # what carries a grid mapping's attributes
            yield FileArray(one.name, _document(one, np.dtype("i1"), ()), (), np.zeros((), "i1"))


def _array(stream: Any, one: _Variable, step: int) -> FileArray:
    if len(one.shape) < 2 and prod(one.shape) <= MOST_COPIED:
        document = _document(one, one.dtype, one.shape)
        return FileArray(one.name, document, (), _values(stream, one, step))
    if not one.record:
        pieces = tuple(cut(one.shape, one.dtype.itemsize, one.begin))
        return FileArray(one.name, _document(one, one.dtype, planes(one.shape)), pieces)
    inner = one.shape[1:]
    pieces = tuple(
        Piece((number, *piece.index), piece.offset, piece.length)
        for number in range(one.shape[0])
        for piece in cut(inner, one.dtype.itemsize, one.begin + number * step)
    )
    return FileArray(one.name, _document(one, one.dtype, (1, *planes(inner))), pieces)


def _values(stream: Any, one: _Variable, step: int) -> NDArray[Any]:
    places = range(one.shape[0]) if one.record else range(1)
    parts = []
    for number in places:
        stream.seek(one.begin + number * step)
        parts.append(stream.read(one.bytes))
    return np.frombuffer(b"".join(parts), one.dtype).reshape(one.shape)


def _document(one: _Variable, dtype: np.dtype[Any], sides: tuple[int, ...]) -> dict[str, Any]:
    attributes = {key: attribute(value) for key, value in one.attributes.items()}
    said = attributes.pop("_FillValue", None) if dtype == one.dtype else None
    fill = _FILLS[dtype.str[1:]] if said is None else one.attributes["_FillValue"][0]
    if said is not None:
        attributes["_FillValue"] = float_fill(fill) if dtype.kind == "f" else said
    return array_document(dtype, one.shape, sides, fill, (), one.dimensions, attributes)
