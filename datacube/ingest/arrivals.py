"""What has arrived in a folder or bucket, and whether it is complete."""

import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datacube.ingest.own import is_own
from datacube.ingest.pipeline import expanded
from datacube.ingest.readers import Readers
from datacube.store.url import open_store

MARK = ".done"
"""Ending of the empty file beside a source (``NAME.done``) that says that it is complete."""


@dataclass(frozen=True, slots=True)
class State:
    """What tells whether a file or folder has changed.

    Parameters
    ----------
    files : int
    bytes : int
    written : float
        When the newest of it was written, in seconds since 1970.
    """

    files: int
    bytes: int
    written: float


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that lies in the watched place: a file, a folder or an object.

    Parameters
    ----------
    source : str, path or URL
    state : State
    marked : bool
        Whether its mark lies beside it.
    whole : bool
        Whether it is complete by its nature, as an object of a bucket.
    """

    source: str
    state: State
    marked: bool
    whole: bool = False


def arrivals(place: str, passed: Collection[Path] = ()) -> list[Arrival]:
    """What lies directly in a folder, or anywhere below the URL of a bucket, by name.

    Names that begin with a dot, marks and linked folders are no arrivals.

    Parameters
    ----------
    place : str
    passed : collection of Path
        Absolute paths of folders that are none, though they lie there.

    Raises
    ------
    StorageError
        The bucket cannot be listed.
    OSError
        The folder cannot be listed.
    """
    if "://" in place:
        return list(_objects(place))
    children = sorted(Path(place).iterdir())
    names = {child.name for child in children}
    return [
        Arrival(str(child), state_of(child), child.name + MARK in names)
        for child in children
        if not (_passed(child) or child.absolute() in passed or is_own(child))
    ]


def sources_in(
    arrival: Arrival, readers: Readers, passed: Collection[Path] = ()
) -> Mapping[str, State]:
    """The sources of an arrival: itself, or those in a folder that is no product.

    What lies in folders that are passed over is none, and no part of a store is.
    """
    if arrival.whole:
        return {arrival.source: arrival.state}
    found = expanded(arrival.source, readers, passed)
    return {one: state_of(Path(one)) for one in found if not one.endswith(MARK)}


def state_of(path: Path) -> State:
    """The state of a file, or of everything in a folder; what vanishes meanwhile is not there."""
    files = [path] if not path.is_dir() else [one for one in path.rglob("*") if not one.is_dir()]
    sizes, times = [], []
    for one in files:
        try:
            found = one.stat()
        except FileNotFoundError:
            continue
        sizes.append(found.st_size)
        times.append(found.st_mtime)
    return State(len(sizes), sum(sizes), max(times, default=0.0))


@dataclass(frozen=True, slots=True)
class _Seen:
    """The state of an arrival, since when it is known, and when another size was seen to become it.

    The times are those of a clock that only runs on.
    """

    state: State
    since: float
    grown: float


class Settling:
    """Decides when an arrival is complete: marked, or unchanged for so many seconds.

    Parameters
    ----------
    seconds : float
    marks_only : bool
        Whether only the mark counts.
    clock : seconds that never go back, between looks

    Examples
    --------
    >>> old, new = State(1, 10, 0.0), State(1, 10, time.time())
    >>> settling = Settling(60)
    >>> [settling.complete(Arrival("a.nc", state, False)) for state in (old, new)]
    [True, False]
    >>> settling.complete(Arrival("a.nc", new, marked=True))
    True
    """

    def __init__(
        self,
        seconds: float,
        *,
        marks_only: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._marks_only = marks_only
        self._clock = clock
        self._seen: dict[str, _Seen] = {}

    def complete(self, arrival: Arrival) -> bool:
        """Whether it can be taken now."""
        if arrival.marked or self._marks_only:
            return arrival.marked
        if arrival.whole:
            return True
        now, state = self._clock(), arrival.state
        seen = self._seen.get(arrival.source)
        if seen is None:
            seen = _Seen(state, now, -math.inf)
        elif (seen.state.files, seen.state.bytes) != (state.files, state.bytes):
            seen = _Seen(state, now, now)
        elif seen.state != state:
            seen = _Seen(state, now, seen.grown)
        self._seen[arrival.source] = seen
        # the clock of a file server may be ahead: what has been seen to rest counts too; it may
        # be behind, or a copy keep the time of its original: what was seen to grow is not at rest
        rest = max(time.time() - state.written, now - seen.since)
        return min(rest, now - seen.grown) >= self._seconds

    def forget(self, present: Sequence[Arrival]) -> None:
        """Keep only what is still there."""
        names = {one.source for one in present}
        self._seen = {name: one for name, one in self._seen.items() if name in names}


def _objects(place: str) -> Iterator[Arrival]:
    found = open_store(place).listing("")
    keys = {one.key for one in found}
    for one in found:
        parts = one.key.split("/")
        if one.key.endswith(MARK) or any(part.startswith(".") for part in parts):
            continue
        url = f"{place.rstrip('/')}/{one.key}"
        state = State(1, one.bytes, one.written)
        yield Arrival(url, state, one.key + MARK in keys, whole=True)


def _passed(child: Path) -> bool:
    linked = child.is_symlink() and child.is_dir()
    return linked or child.name.startswith(".") or child.name.endswith(MARK)
