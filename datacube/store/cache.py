"""Decoded chunks in memory: bounded in bytes, shared by threads, each chunk read once."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from datacube.store.buffers import Buffers, taken_bytes

DEFAULT_BYTES = 512 << 20
_DOCUMENT_BYTES = 32 << 20
_TRIAL_BYTES = 32 << 20
_REMEMBERED = 8192


class Document(Protocol):
    """What can be held beside the chunks."""

    @property
    def held_bytes(self) -> int:
        """About what it takes in memory."""


class _Flight:
    """A read under way, for the other threads that want the same chunk."""

    __slots__ = ("_landed", "error", "value")

    def __init__(self) -> None:
        self._landed = threading.Lock()
        self._landed.acquire()
        self.value: Any = None
        self.error: BaseException | None = None

    def land(self, value: Any, error: BaseException | None) -> None:
        """Tell all that wait."""
        self.value, self.error = value, error
        self._landed.release()

    def wait(self) -> Any:
        """What was read, or the failure raised."""
        with self._landed:
            pass
        if self.error is not None:
            raise self.error
        return self.value


class _Lru[T]:
    """Least recently used values up to a sum of sizes; single flight for what is absent.

    What has been asked for once has a share of the memory only (``trial`` bytes), so that what is
    read once and not again neither drives out what is wanted often nor spreads over memory that
    the system would have to find for it. A second request, also soon after it was dropped, gives a
    value its place among the others.
    """

    def __init__(self, max_bytes: int, trial: int | None = None) -> None:
        self.max_bytes = max_bytes
        self.held_bytes = 0
        self.hits = 0
        self.misses = 0
        self._trial_bytes = max_bytes if trial is None else trial
        self._new_bytes = 0
        self._new: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._items: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._dropped: OrderedDict[Hashable, None] = OrderedDict()
        self._flights: dict[Hashable, _Flight] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, load: Callable[[], T], size: Callable[[T], int]) -> T:
        """The value under a key, loaded by one thread where it is absent."""
        with self._lock:
            found = self._held(key)
            if found is not None:
                return found[0]
            flight = self._flights.get(key)
            mine = flight is None
            if flight is None:
                self.misses += 1
                flight = self._flights[key] = _Flight()
        if not mine:
            waited: T = flight.wait()
            return waited
        value, failure = None, None
        try:
            value = load()
            self._keep([(key, value, size(value))])
        except BaseException as error:
            failure = error
            raise
        finally:
            with self._lock:
                del self._flights[key]
            flight.land(value, failure)
        return value

    def get_many(
        self,
        keys: Sequence[Hashable],
        load: Callable[[Sequence[int]], Sequence[T | None]],
        size: Callable[[T], int],
    ) -> list[T | None]:
        """Values under keys; what is absent is loaded at once, None is not kept.

        Parameters
        ----------
        keys : sequence of Hashable, each once
        load : positions in ``keys`` -> their values
        size : value -> bytes
        """
        found: list[T | None] = [None] * len(keys)
        flights: list[tuple[int, _Flight]] = []
        mine: list[int] = []
        with self._lock:
            for position, key in enumerate(keys):
                held = self._held(key)
                if held is not None:
                    found[position] = held[0]
                elif (flight := self._flights.get(key)) is not None:
                    flights.append((position, flight))
                else:
                    self.misses += 1
                    self._flights[key] = _Flight()
                    mine.append(position)
        if mine:
            values = self._fly(keys, mine, load, size)
            for position, value in zip(mine, values, strict=True):
                found[position] = value
        for position, flight in flights:
            found[position] = flight.wait()
        return found

    def _fly(
        self,
        keys: Sequence[Hashable],
        mine: Sequence[int],
        load: Callable[[Sequence[int]], Sequence[T | None]],
        size: Callable[[T], int],
    ) -> Sequence[T | None]:
        failure: BaseException | None = None
        values: Sequence[T | None] = [None] * len(mine)
        try:
            values = load(mine)
            pairs = zip(mine, values, strict=True)
            self._keep([(keys[at], value, size(value)) for at, value in pairs if value is not None])
        except BaseException as error:
            failure = error
            raise
        finally:
            with self._lock:
                ended = [self._flights.pop(keys[position]) for position in mine]
            for flight, value in zip(ended, values, strict=True):
                flight.land(value, failure)
        return values

    def _held(self, key: Hashable) -> tuple[T, int] | None:
        """A value that is held, with its size, as one that is wanted again; the lock is held."""
        found = self._items.get(key)
        if found is not None:
            self._items.move_to_end(key)
        elif (found := self._new.pop(key, None)) is not None:
            self._items[key] = found
            self._new_bytes -= found[1]
        else:
            return None
        self.hits += 1
        return found

    def _keep(self, loaded: Sequence[tuple[Hashable, T, int]]) -> None:
        with self._lock:
            for key, value, size in loaded:
                if size > self.max_bytes:
                    continue
                if key in self._dropped:
                    del self._dropped[key]
                    self._items[key] = (value, size)
                else:
                    self._new[key] = (value, size)
                    self._new_bytes += size
                self.held_bytes += size
            self._drop()

    def _drop(self) -> None:
        """Let go what is too much, the least recently used first; the lock is held."""
        while self._new_bytes > self._trial_bytes or self.held_bytes > self.max_bytes:
            if self._items and self._new_bytes <= min(self._trial_bytes, self.max_bytes // 8):
                _, (_, size) = self._items.popitem(last=False)
            else:
                key, (_, size) = self._new.popitem(last=False)
                self._new_bytes -= size
                self._dropped[key] = None
                if len(self._dropped) > _REMEMBERED:
                    self._dropped.popitem(last=False)
            self.held_bytes -= size

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            for one in (self._items, self._new, self._dropped):
                one.clear()
            self.held_bytes = self._new_bytes = 0


class ChunkCache:
    """Decoded chunks (and, beside their budget, documents) of any number of cubes.

    Parameters
    ----------
    max_bytes : int
        Budget of the decoded chunks. Keys hold the digest of what was committed, so nothing is
        ever invalidated. Chunks that were asked for once get an eighth of it, at least 32 MiB.

    Attributes
    ----------
    chunks_read, bytes_read : int
        Chunk objects and their stored bytes that were read from storage.
    """

    def __init__(self, max_bytes: int = DEFAULT_BYTES) -> None:
        trial = max(max_bytes // 8, _TRIAL_BYTES)
        self._chunks: _Lru[NDArray[Any]] = _Lru(max_bytes, trial)
        self._documents: _Lru[Document] = _Lru(_DOCUMENT_BYTES)
        self._buffers = Buffers()
        self._lock = threading.Lock()
        self.chunks_read = 0
        self.bytes_read = 0

    @property
    def max_bytes(self) -> int:
        """Budget of the decoded chunks."""
        return self._chunks.max_bytes

    @property
    def held_bytes(self) -> int:
        """Decoded bytes held now."""
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

    def chunk(self, key: Hashable, load: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """The decoded chunk under a key."""
        return self._chunks.get(key, load, _array_size)

    def chunks(
        self,
        keys: Sequence[Hashable],
        load: Callable[[Sequence[int]], Sequence[NDArray[Any] | None]],
    ) -> list[NDArray[Any] | None]:
        """Decoded chunks under keys, the absent ones loaded together; None is not kept."""
        return self._chunks.get_many(keys, load, _array_size)

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


def _array_size(values: NDArray[Any]) -> int:
    """What an array keeps in memory: nothing where one value stands for all."""
    if 0 in values.strides and values.size > 1:
        return 0
    while isinstance(values.base, np.ndarray):
        values = values.base
    return taken_bytes(values.nbytes)


def _document_size(document: Document) -> int:
    return document.held_bytes
