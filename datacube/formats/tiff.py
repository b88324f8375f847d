"""TIFF and BigTIFF files whose size is known before a value is: the directory, then the strips.

The values are not compressed, little-endian and band after band, so that every strip's place
follows from the size of the picture (TIFF 6.0; the BigTIFF design of libtiff 4).
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from datacube.formats.pieces import Piece, cut

CLASSIC_BYTES = 1 << 32
"""From here on offsets need 64 bits."""

_STRIP_BYTES = 1 << 18
_ALIGNED = 16
_SHORT, _LONG, _LONG8 = 3, 4, 16
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
_WIDTH, _LENGTH, _COMPRESSION, _OFFSETS, _ROWS, _COUNTS = 256, 257, 259, 273, 278, 279
_LAID_OUT = frozenset(
    {_WIDTH, _LENGTH, _COMPRESSION, _OFFSETS, _ROWS, _COUNTS, 317, *range(322, 326)}
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a directory.

    Parameters
    ----------
    tag, type, count : int
    data : bytes, the values, little-endian
    """

    tag: int
    type: int
    count: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Strips:
    """How the values lie in the file.

    Parameters
    ----------
    width, height, bands : int
    itemsize : int, bytes of a value

    Examples
    --------
    >>> strips = Strips(1000, 400, 2, 2)
    >>> strips.rows, strips.in_band, strips.nbytes
    (131, 4, 1600000)
    """

    width: int
    height: int
    bands: int
    itemsize: int

    @property
    def row_bytes(self) -> int:
        """Size of a row of one band."""
        return self.width * self.itemsize

    @property
    def rows(self) -> int:
        """Rows of a strip."""
        return max(min(_STRIP_BYTES // self.row_bytes, self.height), 1)

    @property
    def in_band(self) -> int:
        """Strips of a band."""
        return ceil(self.height / self.rows)

    @property
    def nbytes(self) -> int:
        """Size of all values."""
        return self.row_bytes * self.height * self.bands

    def entries(self, start: int, *, big: bool) -> tuple[Entry, ...]:
        """The entries that say this, where the values begin at byte ``start``."""
        counts = np.full((self.bands, self.in_band), self.rows * self.row_bytes, np.uint64)
        counts[:, -1] = (self.height - (self.in_band - 1) * self.rows) * self.row_bytes
        flat = counts.ravel()
        offsets = np.uint64(start) + np.cumsum(flat) - flat
        return (
            _entry(_WIDTH, _LONG, [self.width]),
            _entry(_LENGTH, _LONG, [self.height]),
            _entry(_COMPRESSION, _SHORT, [1]),
            _entry(_ROWS, _LONG, [self.rows]),
            _entry(_OFFSETS, _LONG8 if big else _LONG, offsets),
            _entry(_COUNTS, _LONG, flat),
        )

    def entry_bytes(self, *, big: bool) -> tuple[int, ...]:
        """Size of the values of each of these entries."""
        number = self.bands * self.in_band
        return 4, 4, 2, 4, number * (8 if big else 4), number * 4


def file_head(kept: Iterable[Entry], strips: Strips) -> bytes:
    """Everything before the values: header and directory, padded to 16 bytes.

    Parameters
    ----------
    kept : entries that do not say how the values lie
    strips : Strips
    """
    others = tuple(kept)
    big = _head_bytes(others, strips, big=False) + strips.nbytes >= CLASSIC_BYTES
    return _laid_out(others, strips, _head_bytes(others, strips, big=big), big=big)


def read_entries(file: bytes) -> tuple[Entry, ...]:
    """Entries of the first directory of a little-endian classic file that say what values mean.

    Raises
    ------
    ValueError
        It is no such file.
    """
    magic, first = struct.unpack_from("<4sI", file)
    if magic != b"II*\0":
        raise ValueError("no little-endian TIFF")
    (count,) = struct.unpack_from("<H", file, first)
    found = []
    for place in range(first + 2, first + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from("<HHI", file, place)
        size = _SIZES[kind] * number
        at = place + 8 if size <= 4 else struct.unpack_from("<I", file, place + 8)[0]
        found.append(Entry(tag, kind, number, file[at : at + size]))
    return tuple(entry for entry in found if entry.tag not in _LAID_OUT)


def values_of(rows: np.ndarray) -> Iterator[Piece]:
    """Rows of a band as they stand in the file."""
    return cut(rows.astype(rows.dtype.newbyteorder("<"), copy=False))


def _head_bytes(kept: Sequence[Entry], strips: Strips, *, big: bool) -> int:
    """Size of header and directory."""
    room = 8 if big else 4
    sizes = [len(one.data) for one in kept]
    sizes += strips.entry_bytes(big=big)
    further = sum(_padded(size) for size in sizes if size > room)
    return _padded(_directory_end(len(sizes), big=big) + further)


def _directory_end(count: int, *, big: bool) -> int:
    """Where a directory of so many entries ends, behind the header."""
    return 16 + 8 + 20 * count + 8 if big else 8 + 2 + 12 * count + 4


def _laid_out(kept: Sequence[Entry], strips: Strips, start: int, *, big: bool) -> bytes:
    """Header and directory for values that begin at ``start``."""
    entries = sorted((*kept, *strips.entries(start, big=big)), key=lambda one: one.tag)
    header = struct.pack("<2sHHHQ", b"II", 43, 8, 0, 16) if big else b"II*\0\x08\0\0\0"
    count, line, room = ("<Q", "<HHQ", 8) if big else ("<H", "<HHI", 4)
    last = bytes(room)  # no further directory
    place = _directory_end(len(entries), big=big)
    directory, further = [struct.pack(count, len(entries))], []
    for one in entries:
        directory.append(struct.pack(line, one.tag, one.type, one.count))
        if len(one.data) <= room:
            directory.append(one.data.ljust(room, b"\0"))
            continue
        directory.append(place.to_bytes(room, "little"))
        further.append(one.data.ljust(_padded(len(one.data)), b"\0"))
        place += len(further[-1])
    return b"".join([header, *directory, last, *further]).ljust(start, b"\0")


def _padded(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED


def _entry(tag: int, kind: int, values: Iterable[int] | np.ndarray) -> Entry:
    array = np.asarray(values, {_SHORT: "<u2", _LONG: "<u4", _LONG8: "<u8"}[kind])
    return Entry(tag, kind, array.size, array.tobytes())
