"""Decoded chunks in memory, and what was made of them: bounded in bytes, each made once."""

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from datacube.store.buffers import DEFAULT_SPARE_BYTES, Buffers, taken_bytes
from datacube.store.lru import Lru
from datacube.store.sound import SoundChunks

DEFAULT_BYTES = 512 << 20
_DOCUMENT_BYTES = 32 << 20
_TRIAL_BYTES = 32 << 20
_PASSING_BYTES = 8 << 20


class Document(Protocol):
    """What can be held beside the chunks, or among them."""

    @property
    def held_bytes(self) -> int:
        """About what it takes in memory."""


class ChunkCache:
    """Decoded chunks (and, beside their budget, documents) of any number of cubes.

    Parameters
    ----------
    max_bytes : int
        Budget of the decoded chunks and of what was made of them. Keys hold the digest of what was
        committed, so nothing is ever invalidated. Chunks that were asked for once get an eighth of
        it, at least 32 MiB; those of them that lie on a disk of this machine get 8 MiB, which the
        processor keeps at hand.
    spare_bytes : int
        Of dropped chunks, beside the budget, that wait for the next ones.
    beside : callable, optional
        How much of the budget something else takes now.

    Attributes
    ----------
    chunks_read, bytes_read : int
        Chunk objects and their stored bytes that were read from storage.
    sound : SoundChunks
        What was checked lately.
    """

    def __init__(
        self,
        max_bytes: int = DEFAULT_BYTES,
        spare_bytes: int = DEFAULT_SPARE_BYTES,
        beside: Callable[[], int] | None = None,
    ) -> None:
        trial = max(max_bytes // 8, _TRIAL_BYTES)
        self._chunks: Lru[Any] = Lru(max_bytes, trial, _PASSING_BYTES, beside)
        self._documents: Lru[Document] = Lru(_DOCUMENT_BYTES)
        self._buffers = Buffers(spare_bytes)
        self.sound = SoundChunks()
        self._lock = threading.Lock()
        self.chunks_read = 0
        self.bytes_read = 0

    @property
    def max_bytes(self) -> int:
        """Budget of the decoded chunks and of what was made of them."""
        return self._chunks.max_bytes

    @property
    def held_bytes(self) -> int:
        """Bytes of both that are held now."""
        return self._chunks.held_bytes

    @property
    def hits(self) -> int:
        """Chunks found."""
        return self._chunks.hits

    @property
    def misses(self) -> int:
        """Chunks that had to be loaded."""
        return self._chunks.misses

    def room(self, size: int) -> NDArray[np.uint8]:
        """Memory for a chunk that is to be decoded: what the cache has dropped, used again."""
        return self._buffers.room(size)

    def chunk(
        self, key: Hashable, load: Callable[[], NDArray[Any]], *, near: bool = False
    ) -> NDArray[Any]:
        """The decoded chunk under a key.

        Parameters
        ----------
        near : bool, whether it is had again in a moment
        """
        return cast("NDArray[Any]", self._chunks.get(key, load, array_bytes, passing=near))

    def chunks(
        self,
        keys: Sequence[Hashable],
        load: Callable[[Sequence[int]], Sequence[NDArray[Any] | None]],
        *,
        near: bool = False,
    ) -> list[NDArray[Any] | None]:
        """Decoded chunks under keys, the absent ones loaded together; None is not kept."""
        return self._chunks.get_many(keys, load, array_bytes, passing=near)

    def made[T: Document](
        self, keys: Sequence[Hashable], make: Callable[[Sequence[int]], Sequence[T]]
    ) -> list[T]:
        """What is made of chunks, under keys; what is absent is made together.

        It has its place among the chunks that are wanted often: only what is asked for again is
        worth making.

        Parameters
        ----------
        keys : sequence of Hashable, each once
        make : positions in ``keys`` -> what belongs there
        """
        found = self._chunks.get_many(keys, make, _document_size, worth=True)
        return cast("list[T]", found)

    def holds(self, key: Hashable) -> bool:
        """Whether a decoded chunk, or what was made of one, is held."""
        return self._chunks.holds(key)

    def sought(self, key: Hashable, size: int) -> tuple[NDArray[Any] | None, bool]:
        """A chunk that is held; else None, and whether it was hardly asked for in a while.

        One of so many bytes may be decoded in part then and let go; that it was asked for is noted.
        """
        return self._chunks.sought(key, size)

    def document[T: Document](self, key: Hashable, load: Callable[[], T]) -> T:
        """The document of a slice or a segment under a key."""
        return cast("T", self._documents.get(key, load, _document_size))

    def count_read(self, size: int) -> None:
        """Note that a chunk object of so many bytes was read."""
        with self._lock:
            self.chunks_read += 1
            self.bytes_read += size

    def clear(self) -> None:
        """Forget everything that is held; the counters stay."""
        self._chunks.clear()
        self._documents.clear()
        self.sound.clear()


def array_bytes(values: NDArray[Any]) -> int:
    """What an array keeps in memory: nothing where one value stands for all."""
    if 0 in values.strides and values.size > 1:
        return 0
    while isinstance(values.base, np.ndarray):
        values = values.base
    return taken_bytes(values.nbytes)


def _document_size(document: Document) -> int:
    return document.held_bytes
