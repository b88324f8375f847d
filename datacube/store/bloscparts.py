"""Some blocks of a blosc frame, decoded without the others.

A frame is a header of 16 bytes, the places of its blocks, and the blocks, each compressed for
itself (c-blosc, README_CHUNK_FORMAT). Blocks that follow one another make a frame of their own
when a header and their places are put before them; what lay there is written over.
"""

from itertools import pairwise
from struct import Struct, pack_into, unpack_from

import numpy as np
from numcodecs import blosc
from numpy.typing import NDArray

from datacube.store.buffers import Stored

_HEADER = Struct("<4B3I")  # versions, flags, size of an element; bytes decoded, of a block, stored
_COPIED = 2
_PLACE = 4  # bytes that say where a block begins


def decode_between(data: Stored, memory: NDArray[np.uint8], start: int, stop: int) -> None:
    """Decode the blocks that hold some bytes to where these belong.

    Parameters
    ----------
    data : a whole frame; an array may be written over
    memory : uint8, as many as the frame decodes to; bytes of other blocks are anything then
    start, stop : int, the first byte that is wanted, and the one after the last

    Raises
    ------
    ValueError, RuntimeError
        The data is no such frame.

    Examples
    --------
    >>> values = np.arange(1 << 16, dtype="u2")
    >>> frame = blosc.compress(values, b"lz4", 5, 1, 1 << 14)
    >>> memory = np.zeros(values.nbytes, "u1")
    >>> decode_between(np.frombuffer(frame, "u1").copy(), memory, 100_000, 100_004)
    >>> memory.view("u2")[[0, 50_000, 50_001]].tolist()
    [0, 50000, 50001]
    """
    frame = None if isinstance(data, bytes) else _frame_between(data, start, stop)
    if frame is None:
        blosc.decompress(data, memory)
        return
    part, first = frame
    blosc.decompress(part, memory[first : first + _HEADER.unpack_from(part)[4]])


def _frame_between(
    data: NDArray[np.uint8], start: int, stop: int
) -> tuple[NDArray[np.uint8], int] | None:
    """A frame of the blocks that hold some bytes, and the first byte of them.

    None where it would be the whole frame, or its blocks do not lie in turn.
    """
    *kind, length, size, stored = _HEADER.unpack_from(data)
    if kind[2] & _COPIED or not 0 < size < length:
        return None
    blocks = -(-length // size)
    first, last = start // size, -(-min(stop, length) // size)
    if last == blocks and length % size:
        first = min(first, last - 2)  # a short block alone is taken for damage
    count = last - first
    if not 0 < count < blocks:
        return None
    table = _HEADER.size + first * _PLACE
    places = unpack_from(f"<{count}I", data, table)
    end = stored if last == blocks else unpack_from("<I", data, table + count * _PLACE)[0]
    if any(one >= other for one, other in pairwise((*places, end))) or end > len(data):
        return None
    begin = places[0] - _HEADER.size - count * _PLACE
    if begin < 0:
        return None
    part = data[begin:end]
    decoded = min(last * size, length) - first * size
    _HEADER.pack_into(part, 0, *kind, decoded, size, end - begin)
    pack_into(f"<{count}I", part, _HEADER.size, *(place - begin for place in places))
    return part, first * size
