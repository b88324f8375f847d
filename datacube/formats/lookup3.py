"""The checksum of HDF5's metadata: lookup3 of B. Jenkins, "hashlittle" (2006).

Its state after what comes first is kept where only the rest of some bytes changes.
"""

import struct

type State = tuple[int, int, int]

ROUND = 12
"""Bytes that are taken together."""

_MASK = 0xFFFFFFFF
_BEGIN = 0xDEADBEEF


def lookup3(data: bytes | bytearray) -> int:
    """The checksum of some bytes, at least one.

    Examples
    --------
    >>> hex(lookup3(b"Four score and seven years ago"))
    '0x17770551'
    """
    return finished(begun(len(data)), data)


def begun(length: int) -> State:
    """The state before so many bytes."""
    value = (_BEGIN + length) & _MASK
    return value, value, value


def folded(state: State, data: bytes | bytearray) -> State:
    """The state after further whole rounds, behind which come more bytes."""
    a, b, c = state
    for x, y, z in struct.iter_unpack("<3I", data):
        a, b, c = a + x, b + y, c + z
        a = ((a - c) & _MASK) ^ _turned(c, 4)
        c += b
        b = ((b - a) & _MASK) ^ _turned(a, 6)
        a += c
        c = ((c - b) & _MASK) ^ _turned(b, 8)
        b += a
        a = ((a - c) & _MASK) ^ _turned(c, 16)
        c += b
        b = ((b - a) & _MASK) ^ _turned(a, 19)
        a += c
        c = ((c - b) & _MASK) ^ _turned(b, 4)
        b += a
    return a & _MASK, b & _MASK, c & _MASK


def finished(state: State, rest: bytes | bytearray) -> int:
    """The checksum where these are the last bytes, at least one."""
    whole = (len(rest) - 1) // ROUND * ROUND
    a, b, c = folded(state, rest[:whole])
    x, y, z = map(int, struct.unpack("<3I", bytes(rest[whole:]).ljust(ROUND, b"\0")))
    a, b, c = a + x, b + y, c + z
    c = (c ^ b) - _turned(b, 14)
    a = (a ^ c) - _turned(c, 11)
    b = (b ^ a) - _turned(a, 25)
    c = (c ^ b) - _turned(b, 16)
    a = (a ^ c) - _turned(c, 4)
    b = (b ^ a) - _turned(a, 14)
    c = (c ^ b) - _turned(b, 24)
    return c & _MASK


def _turned(value: int, by: int) -> int:
    """The lower 32 bits, turned left."""
    value &= _MASK
    return (value << by | value >> (32 - by)) & _MASK
