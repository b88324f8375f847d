"""Some blocks of a blosc frame, decoded without the others.

A frame is a header of 16 bytes, the places of its blocks, and the blocks, each compressed for
itself (c-blosc, README_CHUNK_FORMAT). Blocks that follow one another make a frame of their own
when a header and their places are put before them; what lay there is written over.
"""

from struct import Struct, pack_into, unpack_from

import numpy as np
from numcodecs import blosc
from numpy.typing import NDArray

from datacube.store.buffers import Stored

_HEADER = Struct("<4B3I")  # versions, flags, size of an element; bytes decoded, of a block, stored
_COPIED = 2
_PLACE = 4  # bytes that say where a block begins

type _Blocks = tuple[int, tuple[int, ...]]


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


def head_of(data: Stored) -> bytes:
    """What stands before a frame's blocks: all that :func:`stored_between` looks at."""
    length, size = _HEADER.unpack_from(data)[4:6]
    blocks = -(-length // size) if size else 0
    return bytes(data[: _HEADER.size + blocks * _PLACE])


def stored_between(head: Stored, start: int, stop: int) -> tuple[int, int] | None:
    """The bytes of a frame that some of its decoded bytes come from, the head left out.

    Parameters
    ----------
    head : the frame or its head
    start, stop : int, the first decoded byte that is wanted, and the one after the last

    Returns
    -------
    begin, end : int, the first byte, and the one after the last; None where it takes the whole

    Examples
    --------
    >>> frame = blosc.compress(np.arange(1 << 16, dtype="u2"), b"lz4", 5, 1, 1 << 14)
    >>> begin, end = stored_between(head_of(frame), 100_000, 100_004)
    >>> 16 < begin < end <= len(frame)
    True
    """
    blocks = _blocks_between(head, start, stop)
    return None if blocks is None else (blocks[1][0], blocks[1][-1])


def _blocks_between(head: Stored, start: int, stop: int) -> _Blocks | None:
    """The first block that holds some bytes; where each of them begins, and where the last ends.

    None where it would be the whole frame, or its blocks do not lie in turn.
    """
    *kind, length, size, stored = _HEADER.unpack_from(head)
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
    places = unpack_from(f"<{count}I", head, table)
    end = stored if last == blocks else unpack_from("<I", head, table + count * _PLACE)[0]
    found = (*places, end)
    if [*found] != sorted(set(found)):
        return None
    return (first, found) if places[0] >= _HEADER.size + count * _PLACE else None


def _frame_between(
    data: NDArray[np.uint8], start: int, stop: int
) -> tuple[NDArray[np.uint8], int] | None:
    """A frame of the blocks that hold some bytes, and the first byte of them."""
    blocks = _blocks_between(data, start, stop)
    if blocks is None or blocks[1][-1] > len(data):
        return None
    first, (*places, end) = blocks
    *kind, length, size, _ = _HEADER.unpack_from(data)
    count = len(places)
    begin = places[0] - _HEADER.size - count * _PLACE
    part = data[begin:end]
    decoded = min((first + count) * size, length) - first * size
    _HEADER.pack_into(part, 0, *kind, decoded, size, end - begin)
    pack_into(f"<{count}I", part, _HEADER.size, *(place - begin for place in places))
    return part, first * size
