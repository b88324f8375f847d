"""A small memory for what is costly to find: bounded, safe between threads, found once."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future

from cachetools import LRUCache


class Memo[T]:
    """Values by key, the least recently used dropped first.

    Parameters
    ----------
    size : int, how many values are kept, or how much of what ``weigh`` tells
    weigh : callable, optional; a value's weight

    Examples
    --------
    >>> memo = Memo[int](2)
    >>> memo.get("a", lambda: 1), memo.get("a", lambda: 2), memo.held("a"), memo.held("b")
    (1, 1, 1, None)
    """

    def __init__(self, size: int, weigh: Callable[[T], int] | None = None) -> None:
        self._weigh = weigh
        self._held: LRUCache[Hashable, T] = LRUCache(size, weigh)
        self._flights: dict[Hashable, Future[T]] = {}
        self._lock = threading.Lock()
        self.hits = 0
        self.misses = 0

    @property
    def weight(self) -> int:
        """Of all that is held now."""
        return int(self._held.currsize)

    def held(self, key: Hashable) -> T | None:
        """The value of a key where it is held; never waits for one that is being found."""
        with self._lock:
            value = self._held.get(key)
            self.hits += value is not None
            return value

    def get(self, key: Hashable, find: Callable[[], T]) -> T:
        """The value of a key.

        It is found outside the lock, by one thread for all that want it; what that raises is
        raised for each of them, and nothing is kept.
        """
        with self._lock:
            if key in self._held:
                self.hits += 1
                return self._held[key]
            flight = self._flights.get(key)
            mine = flight is None
            if flight is None:
                self.misses += 1
                flight = self._flights[key] = Future()
        if not mine:
            return flight.result()
        try:
            value = find()
        except BaseException as error:
            self._end(key)
            flight.set_exception(error)
            raise
        self._end(key, value)
        flight.set_result(value)
        return value

    def _end(self, key: Hashable, *found: T) -> None:
        """No longer under way; what was found is kept unless it is larger than the memory."""
        with self._lock:
            del self._flights[key]
            for value in found:
                if self._weigh is None or self._weigh(value) <= self._held.maxsize:
                    self._held[key] = value
