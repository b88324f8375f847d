"""Some blocks of a blosc frame, decoded without the others.

A frame is a header of 16 bytes, the places of its blocks, and the blocks, each compressed for
itself (c-blosc, README_CHUNK_FORMAT). Blocks that follow one another make a frame of their own
when a header and their places are put before them; what lay there is written over.
"""

from struct import Struct

import numpy as np
from numcodecs import blosc
from numpy.typing import NDArray

from datacube.store.buffers import Stored

_HEADER = Struct("<4B3I")  # versions, flags, size of an element; bytes decoded, of a block, stored
_COPIED = 2
_PLACE = np.dtype("<u4")


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
    first, last = start // size, -(-min(stop, length) // size)
    if last * size > length:
        first = min(first, last - 2)  # a short block alone is taken for damage
    places = np.frombuffer(data, _PLACE, -(-length // size), _HEADER.size)[first:].astype(np.int64)
    count = last - first
    if count == len(places) + first or (places[1:] <= places[:-1]).any():
        return None
    head = _HEADER.size + count * _PLACE.itemsize
    begin = int(places[0]) - head
    end = int(places[count]) if count < len(places) else stored
    if count < 1 or begin < 0 or end > len(data):
        return None
    decoded = min(last * size, length) - first * size
    part = data[begin:end]
    _HEADER.pack_into(part, 0, *kind, decoded, size, end - begin)
    part[_HEADER.size : head] = (places[:count] - begin).astype(_PLACE).view(np.uint8)
    return part, first * size
