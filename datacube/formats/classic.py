"""NetCDF classic files written forward: the header, then one variable after the other.

A file has 64-bit offsets (CDF-2); it is CDF-5 where a variable has 2 GiB or more or integers of 64
bits (the NetCDF classic format specification). Numbers are big-endian.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

_DIMENSIONS, _VARIABLES, _ATTRIBUTES = 10, 11, 12
_CHARACTERS = 2
_TYPES = {"S1": 2, "i1": 1, "i2": 3, "i4": 4, "f4": 5, "f8": 6, "i8": 10, "u8": 11}
_LARGE = 1 << 31  # bytes of a variable
_MOST = (1 << 32) - 1

type Attributes = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Variable:
    """A variable of a file.

    Parameters
    ----------
    name : str
    dims : names of its dimensions
    dtype : of the numbers; S1 for characters
    attributes : mapping of texts, numbers and arrays of numbers
    """

    name: str
    dims: tuple[str, ...]
    dtype: np.dtype[Any]
    attributes: Attributes


@dataclass(frozen=True, eq=False)
class Header:
    """What stands before the values.

    Parameters
    ----------
    content : bytes
    sizes : bytes of each variable in the file, with what fills up its last four bytes
    """

    content: bytes
    sizes: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Size of the whole file."""
        return len(self.content) + sum(self.sizes)


def make_header(
    dims: Mapping[str, int], attributes: Attributes, variables: Sequence[Variable]
) -> Header:
    r"""The header of a file whose values follow in the order of the variables.

    Parameters
    ----------
    dims : mapping of name to length
    attributes : of the file
    variables : Variable

    Examples
    --------
    >>> t = Variable("t", ("x",), np.dtype("i2"), {"units": "K"})
    >>> made = make_header({"x": 3}, {}, [t])
    >>> made.content[:4], made.sizes
    (b'CDF\x02', (8,))
    """
    exact = [one.dtype.itemsize * prod(dims[name] for name in one.dims) for one in variables]
    wide = any(size >= _LARGE for size in exact) or any(
        one.dtype.kind in "iu" and one.dtype.itemsize == 8 for one in variables
    )
    sizes = tuple(map(padded, exact))
    empty = _header(dims, attributes, variables, (0,) * len(sizes), sizes, wide=wide)
    begins = tuple(len(empty) + sum(sizes[:number]) for number in range(len(sizes)))
    return Header(_header(dims, attributes, variables, begins, sizes, wide=wide), sizes)


def padded(size: int) -> int:
    """A size up to a multiple of four bytes."""
    return -(-size // 4) * 4


def stored(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """A dtype as it stands in the file."""
    return dtype.newbyteorder(">")


def _header(
    dims: Mapping[str, int],
    attributes: Attributes,
    variables: Sequence[Variable],
    begins: Sequence[int],
    sizes: Sequence[int],
    *,
    wide: bool,
) -> bytes:
    words = _Words(wide)
    places = {name: number for number, name in enumerate(dims)}
    sides = (words.text(name) + words.count(size) for name, size in dims.items())
    listed = (
        words.variable(one, [places[name] for name in one.dims], size, begin)
        for one, size, begin in zip(variables, sizes, begins, strict=True)
    )
    return b"".join(
        [
            b"CDF\x05" if wide else b"CDF\x02",
            words.count(0),  # records
            words.listed(_DIMENSIONS, sides),
            words.attributes(attributes),
            words.listed(_VARIABLES, listed),
        ]
    )


@dataclass(frozen=True, slots=True)
class _Words:
    """The parts of a header; counts have 64 bits in CDF-5."""

    wide: bool

    def count(self, number: int) -> bytes:
        return struct.pack(">q" if self.wide else ">I", number)

    def text(self, text: str) -> bytes:
        encoded = text.encode()
        return self.count(len(encoded)) + _filled(encoded)

    def listed(self, tag: int, parts: Iterable[bytes]) -> bytes:
        items = list(parts)
        return struct.pack(">I", tag if items else 0) + self.count(len(items)) + b"".join(items)

    def attributes(self, attributes: Attributes) -> bytes:
        parts = (self.text(name) + self.values(value) for name, value in attributes.items())
        return self.listed(_ATTRIBUTES, parts)

    def values(self, value: Any) -> bytes:
        if isinstance(value, str):
            return struct.pack(">I", _CHARACTERS) + self.text(value)
        array = np.atleast_1d(value)
        head = struct.pack(">I", _TYPES[array.dtype.str[1:]]) + self.count(array.size)
        return head + _filled(array.astype(stored(array.dtype)).tobytes())

    def variable(self, one: Variable, dims: Sequence[int], size: int, begin: int) -> bytes:
        return b"".join(
            [
                self.text(one.name),
                self.count(len(dims)),
                *map(self.count, dims),
                self.attributes(one.attributes),
                struct.pack(">I", _TYPES[one.dtype.str[1:]]),
                self.count(size if self.wide else min(size, _MOST)),
                struct.pack(">q", begin),
            ]
        )


def _filled(content: bytes) -> bytes:
    return content.ljust(padded(len(content)), b"\0")
