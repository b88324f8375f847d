"""Numbers in the header of a TIFF file that GDAL acts upon and does not tell."""

import os
import struct
from dataclasses import dataclass

_BIG = 43
_FORMATS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_FILL_ORDER = 266
_PHOTOMETRIC = 262
_TILE_WIDTH = 322
_FIRST_OF_COLOURS = 5
"""Of photometric interpretations: of CMYK, YCbCr, CIELAB … GDAL makes red, green and blue."""


@dataclass(frozen=True, slots=True)
class TiffHeader:
    """Part of what the directory of an image says, of a file with the lowest byte first.

    Parameters
    ----------
    fill_order : int
        1 where the first bit of a byte is its highest; with 2 every byte is turned round.
    photometric : int
        What the numbers mean, in TIFF 6.0 section 3 and later ones.
    tiled : bool
        Whether it lies in tiles, not in strips.
    """

    fill_order: int
    photometric: int
    tiled: bool

    @property
    def plain(self) -> bool:
        """Whether unpacked bytes are the values."""
        return self.fill_order == 1 and self.photometric < _FIRST_OF_COLOURS


def header_at(descriptor: int, offset: int) -> TiffHeader | None:
    """The directory at a place of an open file; None where it has the highest byte first.

    Parameters
    ----------
    descriptor : int, of the file
    offset : int, in bytes from its beginning
    """
    start = os.pread(descriptor, 4, 0)
    if start[:2] != b"II":
        return None
    big = start[2] == _BIG
    count_format, entry_format = ("<Q", "<HHQ8s") if big else ("<H", "<HHI4s")
    count_size, entry_size = struct.calcsize(count_format), struct.calcsize(entry_format)
    (count,) = struct.unpack(count_format, os.pread(descriptor, count_size, offset))
    listed = os.pread(descriptor, min(count, 1 << 16) * entry_size, offset + count_size)
    found = {}
    for tag, kind, number, value in struct.iter_unpack(
        entry_format, listed[: len(listed) // entry_size * entry_size]
    ):
        if number == 1 and kind in _FORMATS:
            (found[tag],) = struct.unpack_from("<" + _FORMATS[kind], value)
    return TiffHeader(found.get(_FILL_ORDER, 1), found.get(_PHOTOMETRIC, 1), _TILE_WIDTH in found)
