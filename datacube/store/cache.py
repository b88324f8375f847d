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


class Document(Protocol):
    """What can be held beside the chunks."""

    @property
    def held_bytes(self) -> int:
        """About what it takes in memory."""


class _Flight:
    """A read under way, for the other threads that want the same chunk."""

    __slots__ = ("done", "error", "value")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.value: Any = None
        self.error: BaseException | None = None


class _Lru[T]:
    """Least recently used values up to a sum of sizes; single flight for what is absent."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.held_bytes = 0
        self.hits = 0
        self.misses = 0
        self._items: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._flights: dict[Hashable, _Flight] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, load: Callable[[], T], size: Callable[[T], int]) -> T:
        """The value under a key, loaded by one thread where it is absent."""
        with self._lock:
            found = self._items.get(key)
            if found is not None:
                self._items.move_to_end(key)
                self.hits += 1
                return found[0]
            flight = self._flights.get(key)
            mine = flight is None
            if flight is None:
                self.misses += 1
                flight = self._flights[key] = _Flight()
        if mine:
            self._fly(key, flight, load, size)
        else:
            flight.done.wait()
        if flight.error is not None:
            raise flight.error
        value: T = flight.value
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
        found: dict[int, T | None] = {}
        flights: dict[int, _Flight] = {}
        mine: list[int] = []
        with self._lock:
            for position, key in enumerate(keys):
                held = self._items.get(key)
                if held is not None:
                    self._items.move_to_end(key)
                    self.hits += 1
                    found[position] = held[0]
                elif (flight := self._flights.get(key)) is not None:
                    flights[position] = flight
                else:
                    self.misses += 1
                    self._flights[key] = _Flight()
                    mine.append(position)
        if mine:
            found |= self._fly_together(keys, mine, load, size)
        for position, flight in flights.items():
            flight.done.wait()
            if flight.error is not None:
                raise flight.error
            found[position] = flight.value
        return [found[position] for position in range(len(keys))]

    def _fly_together(
        self,
        keys: Sequence[Hashable],
        mine: Sequence[int],
        load: Callable[[Sequence[int]], Sequence[T | None]],
        size: Callable[[T], int],
    ) -> dict[int, T | None]:
        failure: BaseException | None = None
        values: Sequence[T | None] = [None] * len(mine)
        try:
            values = load(mine)
            for position, value in zip(mine, values, strict=True):
                if value is not None:
                    self._keep(keys[position], value, size(value))
        except BaseException as error:
            failure = error
            raise
        finally:
            with self._lock:
                ended = [self._flights.pop(keys[position]) for position in mine]
            for flight, value in zip(ended, values, strict=True):
                flight.value, flight.error = value, failure
                flight.done.set()
        return dict(zip(mine, values, strict=True))

    def _fly(
        self, key: Hashable, flight: _Flight, load: Callable[[], T], size: Callable[[T], int]
    ) -> None:
        try:
            flight.value = load()
            self._keep(key, flight.value, size(flight.value))
        except BaseException as error:  # noqa: BLE001  whatever it is, the waiting threads get it
            flight.error = error
        finally:
            with self._lock:
                self._flights.pop(key, None)
            flight.done.set()

    def _keep(self, key: Hashable, value: T, size: int) -> None:
        with self._lock:
            if size > self.max_bytes:
                return
            self._items[key] = (value, size)
            self.held_bytes += size
            while self.held_bytes > self.max_bytes:
                _, (_, dropped) = self._items.popitem(last=False)
                self.held_bytes -= dropped

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._items.clear()
            self.held_bytes = 0


class ChunkCache:
    """Decoded chunks (and, beside their budget, documents) of any number of cubes.

    Parameters
    ----------
    max_bytes : int
        Budget of the decoded chunks. Keys hold the digest of what was committed, so nothing is
        ever invalidated.

    Attributes
    ----------
    chunks_read, bytes_read : int
        Chunk objects and their stored bytes that were read from storage.
    """

    def __init__(self, max_bytes: int = DEFAULT_BYTES) -> None:
        self._chunks: _Lru[NDArray[Any]] = _Lru(max_bytes)
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
