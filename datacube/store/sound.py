"""Chunks that were found whole a while ago: of those no more is read than what is wanted.

A checksum is that of a whole chunk, which has to be read to be checked. Where a map wants a few of
its rows again and again, half of the bytes are read for nothing else. So what was right is taken to
be right for some minutes, as long as the file is the same one.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.store.buffers import Room
from datacube.store.codecs import ArrayCodec
from datacube.store.local import FileState, LocalObjects
from datacube.store.reader import chunk_damage

_MOST = 32_768
_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class _Sound:
    """A chunk whose checksum was right."""

    head: bytes
    state: FileState
    until: float


class SoundChunks:
    """What was found whole, up to a number of chunks, about 300 bytes each.

    Parameters
    ----------
    most : int, chunks
    seconds : float, after which a chunk is checked again
    clock : seconds that never go back
    """

    def __init__(
        self,
        most: int = _MOST,
        seconds: float = _SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, int], _Sound] = OrderedDict()

    def read_rows(
        self,
        store: LocalObjects,
        key: str,
        codec: ArrayCodec,
        size: int,
        checksum: int,
        rows: tuple[int, int],
        room: Room,
    ) -> tuple[NDArray[Any], int]:
        """Some rows of a chunk; the whole is read where it has not been checked lately.

        Parameters
        ----------
        store : LocalObjects
        key, size, checksum : of the chunk, as committed
        codec : ArrayCodec that has parts
        rows : (int, int)
            The first that has to be decoded, and the one after the last; others may be anything.
        room : where memory for the values comes from

        Returns
        -------
        values : stored dtype, chunk_shape, read-only
        read : int, bytes

        Raises
        ------
        StorageError
            The chunk is missing, truncated or damaged, or the storage failed.
        """
        found = self._part(store, (key, checksum), codec, size, rows, room)
        if found is not None:
            return found
        borrowed = store.borrow(key, size)
        damage = chunk_damage(None if borrowed is None else borrowed[0], size, checksum)
        if borrowed is None or damage is not None:
            raise StorageError(damage or "", subject=key)
        data, state = borrowed
        self._note((key, checksum), codec.head(data), state)
        return codec.decode(data, room, rows), size

    def clear(self) -> None:
        """Take nothing to be right any more."""
        with self._lock:
            self._known.clear()

    def _part(
        self,
        store: LocalObjects,
        name: tuple[str, int],
        codec: ArrayCodec,
        size: int,
        rows: tuple[int, int],
        room: Room,
    ) -> tuple[NDArray[Any], int] | None:
        """The rows of a chunk that is known; None where it has to be looked at as a whole."""
        known = self._known.get(name)
        if known is None or known.until < self._clock():
            return None
        needed = codec.needed(known.head, rows)
        if needed is None:
            return None
        data = store.borrow_part(name[0], size, known.head, *needed, known.state)
        if data is not None:
            with suppress(StorageError):
                return codec.decode(data, room, rows), needed[1] - needed[0]
        return None

    def _note(self, name: tuple[str, int], head: bytes, state: FileState) -> None:
        with self._lock:
            self._known.pop(name, None)
            self._known[name] = _Sound(head, state, self._clock() + self._seconds)
            if len(self._known) > self._most:
                self._known.popitem(last=False)
