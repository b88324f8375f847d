"""Some blocks of a blosc frame, decoded without the others.

A frame is a header of 16 bytes, the places of its blocks, and the blocks, each compressed for
itself (c-blosc, README_CHUNK_FORMAT). Blocks that follow one another make a frame of their own
when a header and their places are put before them.
"""

from functools import lru_cache
from operator import lt
from struct import Struct
from typing import NamedTuple

import numpy as np
from numcodecs import blosc
from numpy.typing import NDArray

from datacube.store.buffers import Stored

_HEADER = Struct("<4s3I")  # versions, flags, size of an element; bytes decoded, of a block, stored
_COPIED = 2
_PLACE = 4  # bytes that say where a block begins


class Piece(NamedTuple):
    """Blocks of a frame that follow one another.

    Parameters
    ----------
    front : bytes
        What makes a frame of them when it stands before them.
    begin, end : int
        Their first stored byte in the whole frame, and the one after the last.
    first, stop : int
        The same of the bytes that they decode to.
    """

    front: bytes
    begin: int
    end: int
    first: int
    stop: int


def decode_piece(frame: Stored, memory: NDArray[np.uint8], piece: Piece) -> None:
    """Decode blocks to where their bytes belong.

    Parameters
    ----------
    frame : the blocks behind their front
    memory : uint8, as many as the whole frame decodes to; no other bytes are touched

    Raises
    ------
    ValueError, RuntimeError
        The data is no such frame.
    """
    blosc.decompress(frame, memory[piece.first : piece.stop])


def head_of(data: Stored) -> bytes:
    """What stands before a frame's blocks: all that :func:`piece_between` looks at."""
    _, length, size, _ = _HEADER.unpack_from(data)
    blocks = -(-length // size) if size else 0
    return bytes(data[: _HEADER.size + blocks * _PLACE])


def piece_between(head: Stored, decoded: int, start: int, stop: int) -> Piece | None:
    """The blocks of a frame that hold some of its decoded bytes.

    Parameters
    ----------
    head : the frame or its head
    decoded : int, bytes that the whole frame has to decode to
    start, stop : int, the first decoded byte that is wanted, and the one after the last

    Returns
    -------
    Piece
        None where it would be the whole frame, its blocks do not lie in turn, or it decodes to
        something else. In the whole frame there is room for its front before its first byte.

    Examples
    --------
    >>> values = np.arange(1 << 16, dtype="u2")
    >>> frame = blosc.compress(values, b"lz4", 5, 1, 1 << 14)
    >>> piece = piece_between(head_of(frame), values.nbytes, 100_000, 100_004)
    >>> 16 < piece.begin < piece.end <= len(frame)
    True
    >>> memory = np.zeros(values.nbytes, "u1")
    >>> decode_piece(piece.front + frame[piece.begin : piece.end], memory, piece)
    >>> memory.view("u2")[[0, 50_000, 50_001]].tolist()
    [0, 50000, 50001]
    """
    kind, length, size, stored = _HEADER.unpack_from(head)
    if kind[2] & _COPIED or not 0 < size < length or length != decoded:
        return None
    blocks = -(-length // size)
    first, last = start // size, -(-min(stop, length) // size)
    if last == blocks and length % size:
        first = min(first, last - 2)  # a short block alone is taken for damage
    count = last - first
    if not 0 < count < blocks:
        return None
    table = _HEADER.size + first * _PLACE
    if last == blocks:
        places = *_places(count).unpack_from(head, table), stored
    else:
        places = _places(count + 1).unpack_from(head, table)
    ahead = _HEADER.size + count * _PLACE
    if places[0] < ahead or not all(map(lt, places, places[1:])):
        return None
    begin = places[0] - ahead
    at, after = first * size, min(last * size, length)
    front = _HEADER.pack(kind, after - at, size, places[-1] - begin)
    front += _places(count).pack(*[place - begin for place in places[:-1]])
    return Piece(front, places[0], places[-1], at, after)


@lru_cache(maxsize=512)
def _places(count: int) -> Struct:
    """So many places."""
    return Struct(f"<{count}I")
