"""Compressed pieces of files, unpacked into memory that is there; other threads work meanwhile."""

import zlib
from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from datacube.store.buffers import Stored

type Unpack = Callable[[Stored, NDArray[np.uint8]], None]
"""What was compressed, and where it goes, exactly as many bytes; ValueError where it is damaged."""

_LONGER, _MORE = 4, 1 << 20
"""How much longer than its place, in parts of that and in bytes, what was packed may be."""


def inflate(data: Stored, into: NDArray[np.uint8]) -> None:
    """Deflate (RFC 1950).

    Raises
    ------
    ValueError
        It is damaged, or has another length.

    Examples
    --------
    >>> into = np.empty(5, "uint8")
    >>> inflate(zlib.compress(b"abcde"), into)
    >>> into.tobytes()
    b'abcde'
    """
    _unpack(imagecodecs.deflate_decode, data, into)


def inflate_beginning(data: Stored, into: NDArray[np.uint8]) -> None:
    """Deflate of which no more is wanted than has place; some programs pack more into a tile.

    Raises
    ------
    ValueError
        It is damaged, or shorter.

    Examples
    --------
    >>> into = np.empty(3, "uint8")
    >>> inflate_beginning(zlib.compress(b"abcde"), into)
    >>> into.tobytes()
    b'abc'
    """
    try:
        inflate(data, into)
    except ValueError:
        whole = zlib.decompressobj()
        try:
            found = whole.decompress(data, _LONGER * len(into) + _MORE)
        except zlib.error as error:
            raise ValueError(f"compressed data is damaged: {error}") from error
        if not whole.eof or len(found) < len(into):  # its checksum comes at the end
            raise
        into[:] = np.frombuffer(found, np.uint8, len(into))


def expand(data: Stored, into: NDArray[np.uint8]) -> None:
    """LZW, as in TIFF 6.0 section 13, or its beginning.

    Raises
    ------
    ValueError
        It is damaged, or shorter.
    """
    _unpack(imagecodecs.lzw_decode, data, into)


def restore(data: Stored, into: NDArray[np.uint8]) -> None:
    """Zstandard (RFC 8878).

    Raises
    ------
    ValueError
        It is damaged, or has another length.
    """
    _unpack(imagecodecs.zstd_decode, data, into)


def _unpack(decode: Callable[..., Any], data: Stored, into: NDArray[np.uint8]) -> None:
    try:
        found = decode(data, out=into)
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"compressed data is damaged: {error}") from error
    if len(found) != len(into):
        raise ValueError("compressed data is cut short, or longer than its place")


def sum_along_rows(steps: NDArray[Any], into: NDArray[Any]) -> None:
    """Sums of each number and all before it in its row, modulo the range of the type.

    That is what undoes predictor 2 of TIFF 6.0 section 14.

    Parameters
    ----------
    steps, into : (y, x) or (y, x, band) of one type

    Examples
    --------
    >>> into = np.empty((1, 6), "uint8")
    >>> sum_along_rows(np.array([[250, 1, 1, 10, 0, 255]], "uint8"), into)
    >>> into.tolist()
    [[250, 251, 252, 6, 6, 5]]
    """
    imagecodecs.delta_decode(steps, axis=1, out=into)


def gather_floats(steps: NDArray[Any], into: NDArray[Any]) -> None:
    """Floats whose bytes of one rank lie together in each row, as steps from byte to byte.

    That is what undoes predictor 3 of TIFF (Adobe Photoshop TIFF Technical Note 3).

    Parameters
    ----------
    steps, into : (y, x) or (y, x, band) of one type
    """
    imagecodecs.floatpred_decode(steps, axis=1, out=into)
