"""A small memory for what is costly to find: bounded, safe between threads, found once."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from time import thread_time

from datacube.engine.waiting import Abandoned, check_wanted

_ALWAYS = 2  # values found once that are held whatever they weigh: those that are worked with
_NAMES = 2048
_COSTLY = 0.02  # seconds of processor time


class _GivenUp(Exception):
    """Whoever has asked for the value first waits for it no longer."""


class _Flight[T]:
    """A value that is being found: the lock is free when it has been, or could not be."""

    __slots__ = ("error", "lock", "value")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.lock.acquire()
        self.value: T
        self.error: BaseException | None = None

    def result(self) -> T:
        """The value, when it is there."""
        with self.lock:
            if isinstance(self.error, Abandoned):
                raise _GivenUp
            if self.error is not None:
                raise self.error
            return self.value


class Memo[T]:
    """Values by key, the least recently used dropped first.

    Parameters
    ----------
    size : int, how many values are kept, or how much of what ``weigh`` tells
    weigh : callable, optional; a value's weight
    trial : int, optional
        How much of that a value has to share with others until it is found for the second time:
        what passes once then stays in the memory that the processor has at hand. What took long
        to find is kept at once.

    Examples
    --------
    >>> memo = Memo[int](2)
    >>> memo.get("a", lambda: 1), memo.get("a", lambda: 2), memo.held("a"), memo.held("b")
    (1, 1, 1, None)
    """

    def __init__(
        self, size: int, weigh: Callable[[T], int] | None = None, trial: int | None = None
    ) -> None:
        self._size = size
        self._weigh = weigh
        self._most_tried = trial
        self._held: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._tried: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._names: OrderedDict[Hashable, None] = OrderedDict()
        self._flights: dict[Hashable, _Flight[T]] = {}
        self._lock = threading.Lock()
        self._weight_tried = 0
        self.weight = 0
        """Of all that is held now."""
        self.hits = 0
        self.misses = 0

    def held(self, key: Hashable) -> T | None:
        """The value of a key where it is held; never waits for one that is being found."""
        with self._lock:
            found = self._at_hand(key)
            return None if found is None else found[0]

    def _at_hand(self, key: Hashable) -> tuple[T, int] | None:
        """A value that is held, with its weight; the lock is held too."""
        for some in (self._held, self._tried):
            found = some.get(key)
            if found is not None:
                some.move_to_end(key)
                self.hits += 1
                return found
        return None

    def get(self, key: Hashable, find: Callable[[], T]) -> T:
        """The value of a key.

        It is found outside the lock, by one thread for all that want it; what that raises is
        raised for each of them, and nothing is kept. Where nobody waits for that one any more,
        the next goes on.
        """
        while True:
            try:
                return self._found(key, find)
            except _GivenUp:
                check_wanted()

    def _found(self, key: Hashable, find: Callable[[], T]) -> T:
        """The same, unless the thread that finds it gives up."""
        with self._lock:
            found = self._at_hand(key)
            if found is not None:
                return found[0]
            flight = self._flights.get(key)
            mine = flight is None
            if flight is None:
                self.misses += 1
                flight = self._flights[key] = _Flight()
        if not mine:
            return flight.result()
        try:
            begun = thread_time()
            flight.value = find()
            self._keep(key, flight.value, costly=thread_time() - begun > _COSTLY)
        except BaseException as error:
            flight.error = error
            raise
        finally:
            with self._lock:
                del self._flights[key]
            flight.lock.release()
        return flight.value

    def _keep(self, key: Hashable, value: T, *, costly: bool) -> None:
        """Keep what was found, unless it is larger than the memory."""
        weight = 1 if self._weigh is None else self._weigh(value)
        if weight > self._size:
            return
        with self._lock:
            tried = self._most_tried is not None and not costly and self._is_new(key)
            (self._tried if tried else self._held)[key] = value, weight
            self.weight += weight
            self._weight_tried += weight * tried
            while len(self._tried) > _ALWAYS and self._weight_tried > (self._most_tried or 0):
                self._drop_tried()
            while self.weight > self._size:
                if len(self._tried) > tried:
                    self._drop_tried()
                else:
                    self.weight -= self._held.popitem(last=False)[1][1]

    def _is_new(self, key: Hashable) -> bool:
        """Whether a value is found for the first time in a while, which is noted."""
        known = key in self._names
        self._names[key] = None
        self._names.move_to_end(key)
        if len(self._names) > _NAMES:
            self._names.popitem(last=False)
        return not known

    def _drop_tried(self) -> None:
        _, (_, weight) = self._tried.popitem(last=False)
        self._weight_tried -= weight
        self.weight -= weight
