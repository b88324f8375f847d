"""PNG: the chunks of ISO/IEC 15948 around deflate.

Palettes are written unfiltered (neighbouring indexes say nothing about one another's size),
colours as the difference to the row above (filter 2).
"""

import struct
from binascii import crc32
from typing import assert_never

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from datacube.model.block import Image, IndexedImage, RgbaImage, RgbImage

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOR, _PALETTE, _COLOR_ALPHA = 2, 3, 6  # colour types of IHDR
_UP = 2  # filter type
_SPEED = 1  # isal's levels are 0 … 3


def png(image: Image) -> bytes:
    """The picture as PNG; transparency is kept.

    Examples
    --------
    >>> picture = IndexedImage(np.zeros((1, 2), "uint8"), np.array([[1, 2, 3, 0]], "uint8"))
    >>> png(picture)[12:16], b"tRNS" in png(picture)
    (b'IHDR', True)
    """
    match image:
        case IndexedImage(index=index, palette=palette):
            return _file(image.shape, _PALETTE, _unfiltered(index), _palette_chunks(palette))
        case RgbImage(pixels=pixels):
            return _file(image.shape, _COLOR, _difference_up(pixels))
        case RgbaImage(pixels=pixels):
            return _file(image.shape, _COLOR_ALPHA, _difference_up(pixels))
        case _:
            assert_never(image)


def _file(
    shape: tuple[int, int], color_type: int, rows: NDArray[np.uint8], before: bytes = b""
) -> bytes:
    height, width = shape
    header = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    data = isal_zlib.compress(rows, _SPEED)
    return b"".join(
        (SIGNATURE, _chunk(b"IHDR", header), before, _chunk(b"IDAT", data), _chunk(b"IEND", b""))
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = crc32(data, crc32(kind))
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", checksum)))


def _palette_chunks(palette: NDArray[np.uint8]) -> bytes:
    """PLTE, and tRNS up to the last entry that is not opaque."""
    chunks = _chunk(b"PLTE", palette[:, :3].tobytes())
    clear = np.flatnonzero(palette[:, 3] != 255)
    if clear.size:
        chunks += _chunk(b"tRNS", palette[: clear[-1] + 1, 3].tobytes())
    return chunks


def _unfiltered(index: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = index.shape
    rows = np.empty((height, width + 1), np.uint8)
    rows[:, 0] = 0
    rows[:, 1:] = index
    return rows


def _difference_up(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width, channels = pixels.shape
    flat = pixels.reshape(height, width * channels)
    rows = np.empty((height, width * channels + 1), np.uint8)
    rows[:, 0] = _UP  # the row above the first is all zero
    rows[0, 1:] = flat[0]
    np.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])
    return rows
