"""Values by key, bounded by a sum of sizes, each loaded by one thread for all that want it."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any

_OFTEN = 2  # requests before, after which a value is worth its memory
_MOMENT = 64  # or so many requests since the last one


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


class _Trial[T]:
    """What has been asked for once, oldest first, up to a sum of sizes."""

    __slots__ = ("held_bytes", "items", "max_bytes")

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.held_bytes = 0
        self.items: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()

    def put(self, key: Hashable, value: T, size: int) -> None:
        """Hold one more."""
        self.items[key] = value, size
        self.held_bytes += size

    def taken(self, key: Hashable) -> tuple[T, int] | None:
        """A value with its size, which is held no longer."""
        found = self.items.pop(key, None)
        if found is not None:
            self.held_bytes -= found[1]
        return found

    def oldest(self) -> tuple[Hashable, int]:
        """Key and size of the oldest, which is held no longer."""
        key, (_, size) = self.items.popitem(last=False)
        self.held_bytes -= size
        return key, size

    def clear(self) -> None:
        """Hold nothing."""
        self.items.clear()
        self.held_bytes = 0


class _Asked:
    """Names of what was asked for and is not held, up to a sum of its sizes."""

    __slots__ = ("_names", "_number", "max_bytes", "noted_bytes")

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.noted_bytes = 0
        self._number = 0
        self._names: OrderedDict[Hashable, tuple[int, int, int]] = OrderedDict()

    def note(self, key: Hashable, size: int) -> bool:
        """Note a name as the newest; whether it was noted a moment ago, or several times before."""
        before, times, number = self._names.pop(key, (0, 0, -_MOMENT))
        self.noted_bytes += size - before
        self._number += 1
        self._names[key] = size, times + 1, self._number
        while self.noted_bytes > self.max_bytes:
            self.noted_bytes -= self._names.popitem(last=False)[1][0]
        return times >= _OFTEN or self._number - number < _MOMENT

    def forgotten(self, key: Hashable) -> bool:
        """Whether a name was noted; it is not any more."""
        size, times, _ = self._names.pop(key, (0, 0, 0))
        self.noted_bytes -= size
        return times > 0

    def clear(self) -> None:
        """Know nothing."""
        self._names.clear()
        self.noted_bytes = 0


class Lru[T]:
    """Least recently used values up to a sum of sizes; single flight for what is absent.

    What has been asked for once has a share of the memory only, so that what is read once and not
    again neither drives out what is wanted often nor spreads over memory that the system would
    have to find for it. Another request, also soon after it was dropped, gives a value its place
    among the others. Soon is before half of what fits has been dropped after it (T. Johnson and
    D. Shasha, "2Q", VLDB 1994).

    Parameters
    ----------
    max_bytes : int, of all values
    trial : int, optional; of those that were asked for once
    passing : int, optional; of those among them that are had again in a moment
    beside : callable, optional; how much of it is taken by something else now
    """

    def __init__(
        self,
        max_bytes: int,
        trial: int | None = None,
        passing: int | None = None,
        beside: Callable[[], int] | None = None,
    ) -> None:
        self.max_bytes = max_bytes
        self._beside = beside
        self.held_bytes = 0
        self.hits = 0
        self.misses = 0
        self._trial: _Trial[T] = _Trial(max_bytes if trial is None else trial)
        self._passing: _Trial[T] = _Trial(self._trial.max_bytes if passing is None else passing)
        self._items: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._asked = _Asked(max_bytes // 2)
        self._flights: dict[Hashable, _Flight] = {}
        self._lock = threading.Lock()

    def get(
        self,
        key: Hashable,
        load: Callable[[], T],
        size: Callable[[T], int],
        *,
        passing: bool = False,
    ) -> T:
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
            self._keep([(key, value, size(value))], passing=passing)
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
        *,
        passing: bool = False,
        worth: bool = False,
    ) -> list[T | None]:
        """Values under keys; what is absent is loaded at once, None is not kept.

        Parameters
        ----------
        keys : sequence of Hashable, each once
        load : positions in ``keys`` -> their values
        size : value -> bytes
        passing : bool, whether they are had again in a moment
        worth : bool, whether they are known to be wanted often
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
            values = self._fly(keys, mine, load, size, passing=passing, worth=worth)
            for position, value in zip(mine, values, strict=True):
                found[position] = value
        for position, flight in flights:
            found[position] = flight.wait()
        return found

    def holds(self, key: Hashable) -> bool:
        """Whether a value is held."""
        with self._lock:
            return key in self._items or key in self._trial.items or key in self._passing.items

    def sought(self, key: Hashable, size: int) -> tuple[T | None, bool]:
        """A value that is held, else None; whether one of so many bytes is rare, which is noted.

        Rare is what was not asked for twice before, nor within the last 64 such requests:
        neighbours in a map want the same. What :meth:`get` loads of the others has its place among
        those that are wanted often.
        """
        with self._lock:
            found = self._held(key)
            if found is not None:
                return found[0], False
            if key in self._flights:
                return None, False
            rare = not self._asked.note(key, size)
            self.misses += rare
        return None, rare

    def _fly(
        self,
        keys: Sequence[Hashable],
        mine: Sequence[int],
        load: Callable[[Sequence[int]], Sequence[T | None]],
        size: Callable[[T], int],
        *,
        passing: bool,
        worth: bool,
    ) -> Sequence[T | None]:
        failure: BaseException | None = None
        values: Sequence[T | None] = [None] * len(mine)
        try:
            values = load(mine)
            pairs = zip(mine, values, strict=True)
            loaded = [(keys[at], value, size(value)) for at, value in pairs if value is not None]
            self._keep(loaded, passing=passing, worth=worth)
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
        elif (found := self._trial.taken(key) or self._passing.taken(key)) is not None:
            self._items[key] = found
        else:
            return None
        self.hits += 1
        return found

    def _keep(
        self, loaded: Sequence[tuple[Hashable, T, int]], *, passing: bool, worth: bool = False
    ) -> None:
        trial = self._passing if passing else self._trial
        with self._lock:
            for key, value, size in loaded:
                if not 0 < size <= self.max_bytes:  # what takes no memory is had again at once
                    continue
                if self._asked.forgotten(key) or worth:
                    self._items[key] = (value, size)
                else:
                    trial.put(key, value, size)
                self.held_bytes += size
            self._drop()

    def _drop(self) -> None:
        """Let go what is too much, the least recently used first; the lock is held."""
        for trial in (self._trial, self._passing):
            while trial.held_bytes > trial.max_bytes:
                self._forget(trial)
        most = self.max_bytes - (self._beside() if self._beside is not None else 0)
        while self.held_bytes > max(most, 0):
            trial = max(self._trial, self._passing, key=lambda one: one.held_bytes)
            if self._items and trial.held_bytes <= self.max_bytes // 8:
                _, (_, size) = self._items.popitem(last=False)
                self.held_bytes -= size
            else:
                self._forget(trial)

    def _forget(self, trial: _Trial[T]) -> None:
        """Drop the oldest of those that were asked for once, but for its name."""
        key, size = trial.oldest()
        self.held_bytes -= size
        self._asked.note(key, size)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            for one in (self._items, self._asked, self._trial, self._passing):
                one.clear()
            self.held_bytes = 0
