"""PNG: the chunks of ISO/IEC 15948 around deflate.

Palettes are written unfiltered (neighbouring indexes say nothing about one another's size),
colours as the difference to the row above (filter 2).
"""

import struct
from functools import lru_cache
from typing import assert_never

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from datacube.model.block import Image, IndexedImage, RgbaImage, RgbImage

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _COLOR, _PALETTE, _COLOR_ALPHA = 0, 2, 3, 6  # colour types of IHDR
_UP = 2  # filter type
_SPEED = 1  # isal's levels are 0 … 3
_BAND = 4 << 20  # bytes that are filtered at a time


def png(image: Image) -> bytes:
    """The picture as PNG; transparency is kept.

    Examples
    --------
    >>> picture = IndexedImage(np.zeros((1, 2), "uint8"), np.array([[1, 2, 3, 0]], "uint8"))
    >>> png(picture)[12:16], b"tRNS" in png(picture)
    (b'IHDR', True)
    """
    data = _framed(b"IDAT", deflated(image))
    return b"".join((SIGNATURE, header(image), palette_chunks(image), *data, END))


def grey_png(numbers: NDArray[np.uint16], clear: int) -> bytes:
    """Numbers as grey of 16 bits; one of them is transparent, and so no data.

    Examples
    --------
    >>> grey_png(np.array([[1, 2]], "uint16"), 2)[24:26].hex()
    '1000'
    """
    height, width = numbers.shape
    pairs = numbers.astype(">u2").view(np.uint8).reshape(height, width, 2)
    data = bytes(isal_zlib.compress(_difference_up(pairs, 0, height), _SPEED))
    chunks = chunk(b"tRNS", struct.pack(">H", clear)), chunk(b"IDAT", data)
    return b"".join((SIGNATURE, _header(width, height, 16, _GREY), *chunks, END))


def header(image: Image) -> bytes:
    """The chunk IHDR."""
    height, width = image.shape
    match image:
        case IndexedImage():
            kind = _PALETTE
        case RgbImage():
            kind = _COLOR
        case RgbaImage():
            kind = _COLOR_ALPHA
        case _:
            assert_never(image)
    return _header(width, height, 8, kind)


def _header(width: int, height: int, depth: int, kind: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))


def filtered(image: Image, top: int, bottom: int) -> NDArray[np.uint8]:
    """Some rows as they are deflated, each behind its filter type: uint8, (y, 1 + bytes)."""
    match image:
        case IndexedImage(index=index):
            return _unfiltered(index[top:bottom])
        case RgbImage(pixels=pixels) | RgbaImage(pixels=pixels):
            return _difference_up(pixels, top, bottom)
        case _:
            assert_never(image)


def deflated(image: Image) -> bytes:
    """The picture as zlib stream, without its chunk; a large one filtered in bands of rows."""
    height, width = image.shape
    channels = 1 if isinstance(image, IndexedImage) else image.pixels.shape[2]
    rows = max(_BAND // (width * channels + 1), 1)
    if height <= rows:
        return bytes(isal_zlib.compress(filtered(image, 0, height), _SPEED))
    stream = isal_zlib.compressobj(_SPEED)
    bands = (filtered(image, top, top + rows) for top in range(0, height, rows))
    return b"".join([*map(stream.compress, bands), stream.flush()])


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk: length, kind, data, checksum."""
    return b"".join(_framed(kind, data))


def _framed(kind: bytes, data: bytes) -> tuple[bytes, bytes, bytes]:
    checksum = isal_zlib.crc32(data, isal_zlib.crc32(kind))
    return struct.pack(">I4s", len(data), kind), data, struct.pack(">I", checksum)


END = chunk(b"IEND", b"")


def palette_chunks(image: Image) -> bytes:
    """PLTE, and tRNS up to the last entry that is not opaque; nothing without a palette."""
    if not isinstance(image, IndexedImage):
        return b""
    return _palette_chunks(image.palette.tobytes())


@lru_cache(maxsize=64)
def _palette_chunks(colors: bytes) -> bytes:
    """Of RGBA entries one after the other."""
    palette = np.frombuffer(colors, np.uint8).reshape(-1, 4)
    chunks = chunk(b"PLTE", palette[:, :3].tobytes())
    clear = np.flatnonzero(palette[:, 3] != 255)
    if clear.size:
        chunks += chunk(b"tRNS", palette[: clear[-1] + 1, 3].tobytes())
    return chunks


def _unfiltered(index: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = index.shape
    rows = np.empty((height, width + 1), np.uint8)
    rows[:, 0] = 0
    rows[:, 1:] = index
    return rows


def _difference_up(pixels: NDArray[np.uint8], top: int, bottom: int) -> NDArray[np.uint8]:
    height, width, channels = pixels.shape
    flat = pixels.reshape(height, width * channels)
    rows = np.empty((min(bottom, height) - top, width * channels + 1), np.uint8)
    rows[:, 0] = _UP  # the row above the first is all zero
    rows[0, 1:] = flat[top]
    if top:
        rows[0, 1:] -= flat[top - 1]
    np.subtract(flat[top + 1 : bottom], flat[top : bottom - 1][: len(rows) - 1], out=rows[1:, 1:])
    return rows
