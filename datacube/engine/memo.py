"""A small memory for what is costly to find: bounded, safe between threads."""

import threading
from collections.abc import Callable, Hashable

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
    >>> memo.get("a", lambda: 1), memo.get("a", lambda: 2)
    (1, 1)
    """

    def __init__(self, size: int, weigh: Callable[[T], int] | None = None) -> None:
        self._weigh = weigh
        self._held: LRUCache[Hashable, T] = LRUCache(size, weigh)
        self._lock = threading.Lock()

    def get(self, key: Hashable, find: Callable[[], T]) -> T:
        """The value of a key; found outside the lock, so perhaps twice at the same time."""
        with self._lock:
            if key in self._held:
                return self._held[key]
        value = find()
        if self._weigh is None or self._weigh(value) <= self._held.maxsize:
            with self._lock:
                self._held[key] = value
        return value
