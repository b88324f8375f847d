"""Chunks that were found whole a while ago: of those no more is read than what is wanted.

A checksum is that of a whole chunk, which has to be read to be checked. Where a map wants a few of
its rows again and again, half of the bytes are read for nothing else. So what was right is taken to
be right for some minutes, as long as the file is the same one; where all of it is wanted it is not
checked again either.
"""

import mmap
import time
from collections.abc import Callable
from struct import Struct
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.store.buffers import Stored
from datacube.store.codecs import ArrayCodec
from datacube.store.local import FileState, LocalObjects
from datacube.store.reader import chunk_damage

_MOST = 1 << 16
_SECONDS = 600.0
_NOTE = Struct(
    "<4qdH"
)  # hash of the name; device, number and time of the file; until; bytes of head
_CHECK = Struct("<I")
_PLACE = 144
_LONGEST = _PLACE - _NOTE.size - _CHECK.size

type _Known = tuple[bytes, tuple[int, int, int]]


class SoundChunks:
    """What was found whole, each at a place of its own, where the next may follow.

    They lie in memory that processes have in common which were forked after it was made: what one
    has checked the others need not. None waits for another: a note that is read while it is written
    does not have its own checksum, and counts as none.

    Parameters
    ----------
    most : int, places; 144 bytes each
    seconds : float, after which a chunk is checked again
    clock : seconds that never go back, the same in all processes
    """

    def __init__(
        self,
        most: int = _MOST,
        seconds: float = _SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._notes = mmap.mmap(-1, most * _PLACE)
        self._era = 0

    def read_rows(
        self,
        store: LocalObjects,
        key: str,
        codec: ArrayCodec,
        size: int,
        checksum: int,
        rows: tuple[int, int],
    ) -> tuple[NDArray[Any], int]:
        """Some rows of a chunk; the whole is read where it has not been checked lately.

        Parameters
        ----------
        store : LocalObjects
        key, size, checksum : of the chunk, as committed
        codec : ArrayCodec that has parts
        rows : (int, int)
            The first that has to be decoded, and the one after the last; others may be anything.

        Returns
        -------
        values : stored dtype, chunk_shape, read-only
        read : int, bytes

        Raises
        ------
        StorageError
            The chunk is missing, truncated or damaged, or the storage failed.
        """
        name = hash((self._era, key, size, checksum))
        known = self._known(name)
        found = None if known is None else _again(store, key, known, size, codec, rows)
        if found is not None:
            return found
        borrowed = store.borrow(key, size)
        damage = chunk_damage(None if borrowed is None else borrowed[0], size, checksum)
        if borrowed is None or damage is not None:
            raise StorageError(damage or "", subject=key)
        data, state = borrowed
        self._note(name, codec.head(data), state)
        return _rows_of(data, codec, rows), size

    def clear(self) -> None:
        """Take nothing to be right any more."""
        self._era += 1

    def _known(self, name: int) -> _Known | None:
        """Of a chunk its head, and device, number and time of the last change of its file."""
        begin = name % self._most * _PLACE
        named, device, number, changed, until, length = _NOTE.unpack_from(self._notes, begin)
        if named != name or until < self._clock() or length > _LONGEST:
            return None
        note = self._notes[begin : begin + _NOTE.size + length]
        (check,) = _CHECK.unpack_from(self._notes, begin + len(note))
        return (note[_NOTE.size :], (device, number, changed)) if crc32(note) == check else None

    def _note(self, name: int, head: bytes, state: FileState) -> None:
        if len(head) > _LONGEST:
            return
        device, number, _, changed = state
        until = self._clock() + self._seconds
        note = _NOTE.pack(name, device, number, changed, until, len(head)) + head
        begin = name % self._most * _PLACE
        self._notes[begin : begin + len(note) + _CHECK.size] = note + _CHECK.pack(crc32(note))


def _again(
    store: LocalObjects,
    key: str,
    known: _Known,
    size: int,
    codec: ArrayCodec,
    rows: tuple[int, int],
) -> tuple[NDArray[Any], int] | None:
    """Rows of a chunk that is known; None where its file is another one or cannot be decoded."""
    head, (device, number, changed) = known
    state = device, number, size, changed
    piece = codec.piece(head, rows)
    try:
        if piece is None:
            borrowed = store.borrow(key, size)
            if borrowed is None or borrowed[1] != state:
                return None
            return codec.decode(borrowed[0]), size
        frame = store.borrow_part(key, piece.front, piece.begin, piece.end, state)
        if frame is None:
            return None
        return codec.decode_piece(frame, piece), piece.end - piece.begin
    except StorageError:
        return None


def _rows_of(data: Stored, codec: ArrayCodec, rows: tuple[int, int]) -> NDArray[Any]:
    """Some rows of a whole chunk, whose bytes are written over where they are an array's."""
    piece = codec.piece(data, rows)
    if isinstance(data, bytes) or piece is None or piece.end > len(data):
        return codec.decode(data)
    frame = data[piece.begin - len(piece.front) : piece.end]
    frame[: len(piece.front)] = np.frombuffer(piece.front, np.uint8)
    return codec.decode_piece(frame, piece)
