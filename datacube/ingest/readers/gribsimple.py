"""Fields of GRIB 2 in simple packing, whole bytes a number and no bitmap: read where they lie.

They are scaled whole numbers (WMO Manual on Codes, FM 92, template 5.0). ecCodes makes the same
numbers of them, but in another process, whose start and whose pipe cost several times as much.
Everything else is left to it.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.store.buffers import Buffers

_START = 1 << 14
_AT_ONCE = 1 << 14
_LARGEST = float(np.finfo(np.float32).max)
_TYPES: Mapping[int, np.dtype[Any]] = {8: np.dtype(">u1"), 16: np.dtype(">u2")}
_PACKING = Struct(">IHfHHB")  # points, template, reference, binary and decimal scale, bits


@dataclass(frozen=True, slots=True)
class SimplePacking:
    """The numbers of a field.

    Parameters
    ----------
    start : int
        Their first byte in the file.
    count : int
    dtype : numpy dtype
        As they lie.
    reference : float
    unit, factor : float
        A value is ``(number * unit + reference) * factor``, reckoned in doubles.
    """

    start: int
    count: int
    dtype: np.dtype[Any]
    reference: float
    unit: float
    factor: float

    def values(self, descriptor: int, buffers: Buffers) -> NDArray[np.float32]:
        """The field in the order in which it was scanned.

        Parameters
        ----------
        descriptor : int, of the file
        buffers : Buffers
            Where the values lie.

        Raises
        ------
        ValueError
            The file ends before.
        """
        data = os.pread(descriptor, self.count * self.dtype.itemsize, self.start)
        numbers = np.frombuffer(data, self.dtype)
        if len(numbers) != self.count:
            raise ValueError("the file ends within a message")
        values = buffers.room(4 * self.count).view(np.float32)
        for first in range(0, self.count, _AT_ONCE):  # what stays in the processor's cache
            part = numbers[first : first + _AT_ONCE].astype(np.float64)
            part *= self.unit
            part += self.reference
            if self.factor != 1:
                part *= self.factor
            values[first : first + _AT_ONCE] = part
        return values


def simple_packing(descriptor: int, place: tuple[int, int]) -> SimplePacking | None:
    """How a field of a file is packed; None where it must be left to ecCodes.

    Parameters
    ----------
    descriptor : int, of the file
    place : offset of the message, and number of the field in it
    """
    offset, number = place
    start = os.pread(descriptor, _START, offset)
    if number or start[:4] != b"GRIB" or start[7:8] != b"\2":
        return None
    found = {kind: (at, section) for kind, at, section in _sections(start)}
    if not found.keys() >= {3, 5, 6, 7}:
        return None
    (_, grid), (_, packing), (_, bitmap), (at, data) = (found[kind] for kind in (3, 5, 6, 7))
    if len(packing) < 21 or bitmap[5:6] != b"\xff":
        return None
    count, template, reference, binary, decimal, bits = _PACKING.unpack_from(packing, 5)
    known = template == 0 and bits in _TYPES and count == int.from_bytes(grid[6:10], "big")
    length, room = int.from_bytes(data[:4], "big"), int.from_bytes(start[8:16], "big") - at
    if not known or length - 5 != count * bits // 8 or length > room:
        return None
    factor = _power(10, -_signed(decimal))
    unit = _power(2, _signed(binary))
    if not (abs(reference) + unit * (1 << bits)) * factor < _LARGEST:  # some may be no numbers
        return None
    return SimplePacking(offset + at + 5, count, _TYPES[bits], reference, unit, factor)


def _sections(start: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Number, first byte and content of the sections of a message, up to the first data."""
    at, kind = 16, 0
    while kind != 7 and len(start) >= at + 5:
        size, kind = int.from_bytes(start[at : at + 4], "big"), start[at + 4]
        yield kind, at, start[at : at + size]
        at += max(size, 5)


def _signed(number: int) -> int:
    """Sixteen bits of which the first is the sign."""
    return -(number & 0x7FFF) if number & 0x8000 else number


def _power(base: int, exponent: int) -> float:
    """As ecCodes reckons it: step by step, each of which is rounded."""
    found = 1.0
    for _ in range(abs(exponent)):
        found = found / base if exponent < 0 else found * base
    return found
