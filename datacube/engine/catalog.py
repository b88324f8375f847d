"""The catalogue: identifiers -> cubes and layers at their newest committed version.

Every cube under the store is published, and every other Zarr group there as it lies. The catalogue
looks at the store again when it was last seen more than a second ago, and at once where the store
tells that something was committed, as a local folder does, or another process that serves it has
seen something new: new cubes appear, and a cube whose head has moved is replaced by its newer
version. A request keeps the handles that it got, and so one
version, to its end.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import cast

from datacube import __version__
from datacube.config.settings import Config
from datacube.engine.cube import Cube, Layer, publish
from datacube.engine.memo import Memo
from datacube.engine.news import News, Unheard
from datacube.engine.sequence import sequence_of
from datacube.errors import CoverageNotFound, DatacubeError
from datacube.slicing.curvilinear import Inverses
from datacube.store.cache import ChunkCache
from datacube.store.cube import CubeStore, open_cube
from datacube.store.foreign import ForeignCubes
from datacube.store.history import read_head
from datacube.store.index import is_cube_id, list_cubes, list_folders
from datacube.store.manifest import head_key
from datacube.store.objects import ObjectStore
from datacube.store.source import CubeSource
from datacube.store.together import asked_together

log = logging.getLogger(__name__)

REFRESH_SECONDS = 1.0
_UNREADABLE = (
    DatacubeError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    RecursionError,  # JSON nested without end
)
"""What documents that are not what they should be bring about; the other cubes are served."""


@dataclass(frozen=True, eq=False)
class _Seen:
    """What was in the store when it was looked at."""

    cubes: Mapping[str, Cube]
    layers: Mapping[str, Layer]
    version: str
    sequence: str
    at: float
    pulse: int = 0
    heard: int = 0
    foreign: frozenset[str] = frozenset()
    aliases: Mapping[str, str] = field(default_factory=dict)


def _named(config: Config) -> str:
    """Names what is configured, whenever it was: documents say it beside what the cubes hold."""
    said = repr(replace(config, server=replace(config.server, changed="")))
    return sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Catalog:
    """The cubes of a store; safe to use from many threads.

    Parameters
    ----------
    store : ObjectStore
    config : Config
    cache : ChunkCache, handed to every cube
    clock : callable, seconds; for tests
    news : News, optional; of the processes that serve the same store
    """

    def __init__(
        self,
        store: ObjectStore,
        config: Config,
        cache: ChunkCache,
        clock: Callable[[], float] = time.monotonic,
        news: News | None = None,
    ) -> None:
        self._store = store
        self._config = config
        self._configured = _named(config)
        self._cache = cache
        self._news = Unheard() if news is None else news
        self._clock = clock
        self._lock = threading.Lock()
        self._held = threading.local()
        self._inverses = Inverses()
        self._complaints: dict[str, str] = {}
        self._foreign = ForeignCubes(store, cache, clock)
        self._earlier = Memo[CubeStore](32)
        self._seen = _Seen({}, {}, "", "", -REFRESH_SECONDS - 1 + clock())

    def open_own(self) -> None:
        """Open the cubes that lie in the store itself, before it is looked at.

        What a process holds then, those that are forked from it have in common. Not so the other
        cubes: the libraries that read them have threads, and a forked process is without them.
        """
        opened: dict[str, Cube] = {}
        with suppress(DatacubeError):
            for name in list_cubes(self._store):
                with suppress(*_UNREADABLE):  # the first look will say so
                    if not read_head(self._store, name).storage:
                        opened[name] = self._newest(name, None)
        self._seen = replace(self._seen, cubes=opened)

    @property
    def version(self) -> str:
        """Changes whenever a cube appears, changes or goes."""
        return self._look().version

    @property
    def sequence(self) -> str:
        """Orders the versions in time, for documents: see :mod:`datacube.engine.sequence`."""
        return self._look().sequence

    @property
    def version_at_hand(self) -> str:
        """The version where the store need not be looked at first, else empty; never waits."""
        seen = self._seen
        if self._told(seen):
            return ""
        fresh = self._clock() - seen.at < REFRESH_SECONDS or self._lock.locked()
        return seen.version if fresh else ""

    def hold(self) -> str:
        """Let this thread see the store as it is now until it lets go; the version.

        What belongs together is so of one version, and the store is looked at once for it.
        """
        self._held.seen = None
        self._held.seen = seen = self._look()
        return seen.version

    def let_go(self) -> None:
        """Let this thread see what is new again."""
        self._held.seen = None

    def cubes(self) -> tuple[Cube, ...]:
        """All published cubes by id; the best view of a forecast follows it."""
        return tuple(self._look().cubes.values())

    def pictured(self) -> tuple[Cube, ...]:
        """The cubes whose layers are listed: all but the views, which their forecasts show."""
        return tuple(cube for cube in self.cubes() if cube.view is None)

    def cube(self, identifier: str) -> Cube:
        """The cube of that id.

        Raises
        ------
        CoverageNotFound
            There is none; the message names some that are there.
        """
        seen = self._look()
        found = seen.cubes.get(identifier) or seen.cubes.get(seen.aliases.get(identifier, ""))
        if found is None:
            raise _not_found("cube", identifier, seen.cubes)
        return found

    def earlier(self, cube: CubeStore, version: int) -> CubeStore:
        """A cube at another version than its newest; some are kept at hand.

        Raises
        ------
        SnapshotNotFound
            It does not have that version (any more).
        """
        return self._earlier.get(
            (cube.snapshot, version),  # a cube of the same id may have been made anew
            lambda: open_cube(self._store, cube.id, self._cache, version=version),
        )

    def layer(self, name: str) -> Layer:
        """The layer ``cube`` or ``cube.field``.

        Raises
        ------
        CoverageNotFound
            There is none; the message names some that are there.
        """
        seen = self._look()
        found = seen.layers.get(name)
        for alias, identifier in seen.aliases.items() if found is None else ():
            if name == alias or name.startswith(f"{alias}."):
                found = found or seen.layers.get(identifier + name.removeprefix(alias))
        if found is None:
            raise _not_found("layer", name, seen.layers)
        return found

    def _look(self) -> _Seen:
        if (held := getattr(self._held, "seen", None)) is not None:
            return cast("_Seen", held)
        seen = self._seen
        told = self._told(seen)
        if not told and self._clock() - seen.at < REFRESH_SECONDS:
            return seen
        if not self._lock.acquire(blocking=told or not seen.version):
            return seen  # another thread is looking already
        try:
            return self._looked()
        finally:
            self._lock.release()

    def _told(self, seen: _Seen) -> bool:
        """Whether the store or another process tells of something newer."""
        return self._store.pulse() != seen.pulse or self._news.count != seen.heard

    def _looked(self) -> _Seen:
        """The store as it is now, unless another thread has just looked; others are told."""
        before, heard = self._seen, self._news.count
        if self._told(before) or self._clock() - before.at >= REFRESH_SECONDS:
            found = self._look_again()
            changed = bool(before.version) and found.version != before.version
            found_first = changed and heard == before.heard
            self._seen = replace(found, heard=heard + found_first)
            if found_first:
                self._news.tell()
        return self._seen

    def _look_again(self) -> _Seen:
        before, pulse = self._seen, self._store.pulse()
        try:
            folders = list_folders(self._store)
        except DatacubeError as error:
            self._complain("the store", error.message)
            version = before.version or "none"
            sequence = before.sequence or sequence_of((), self._config)
            at = self._clock()
            return replace(before, version=version, sequence=sequence, at=at, pulse=pulse)
        names = [name for name in folders if is_cube_id(name)]
        looked = asked_together(self._store, lambda name: self._own(name, before), names)
        taken = [name for name, found in zip(names, looked, strict=True) if found is not None]
        own = {cube.id: cube for found in looked for cube in found or () if _shown(cube)}
        others = self._others(taken, folders, before)
        foreign = {cube.id: cube for cube in others if _shown(cube)}
        cubes = _with_views(own | foreign)
        layers = {layer.name: layer for cube in cubes.values() for layer in cube.layers}
        listed = "\n".join(f"{cube.id} {cube.snapshot}" for cube in cubes.values())
        version = sha256(f"{self._configured}\n{listed}".encode()).hexdigest()[:16]
        sequence = before.sequence
        if version != before.version:
            stores = (cube.store for cube in own.values())
            times = [store.committed for store in stores if isinstance(store, CubeStore)]
            changed = self._config.server.changed
            state = __version__, version, self._config
            sequence = sequence_of([*times, *([changed] if changed else [])], state, sequence)
        at, aliases = self._clock(), self._foreign.aliases()
        return _Seen(cubes, layers, version, sequence, at, pulse, 0, frozenset(foreign), aliases)

    def _own(self, name: str, before: _Seen) -> tuple[Cube, ...] | None:
        """The cube of a folder; none where it cannot be read, None where there is no manifest.

        One that cannot be read now stays as it was.
        """
        cube = None if name in before.foreign else before.cubes.get(name)
        if cube is not None and cube.view is not None:
            cube = None  # the id was that of a view until now
        source = None if cube is None else cube.store
        plain = isinstance(source, CubeStore) and source.store is self._store
        try:
            if not plain and self._store.get(head_key(name)) is None:
                return None
            cube = self._newest(name, cube)
        except _UNREADABLE as error:
            if plain and isinstance(error, CoverageNotFound):
                return None
            self._complain(name, str(error))
        return () if cube is None else (cube,)

    def _newest(self, name: str, known: Cube | None) -> Cube:
        if known is None:
            store: CubeSource = open_cube(self._store, name, self._cache)
        elif (store := known.store.refreshed()) is known.store:
            return known
        self._complaints.pop(name, None)
        return publish(store, self._config.cube(name), self._inverses)

    def _others(
        self, taken: Collection[str], folders: Sequence[str], before: _Seen
    ) -> Iterator[Cube]:
        """Cubes that others wrote, whatever odd things they say of themselves."""
        try:
            sources = self._foreign.look(taken, folders)
        except _UNREADABLE as error:
            self._complain("the Zarr groups of others", str(error))
            return
        for name, source in sources.items():
            known = before.cubes.get(name)
            if known is not None and known.store is source:
                yield known
                continue
            try:
                yield publish(source, self._config.cube(name), self._inverses)
            except _UNREADABLE as error:
                self._complain(name, str(error))

    def _complain(self, what: str, reason: str) -> None:
        """Once for each problem, not at every look."""
        if self._complaints.get(what) != reason:
            self._complaints[what] = reason
            log.warning("%s cannot be served: %s", what, reason)


def _with_views(cubes: Mapping[str, Cube]) -> Mapping[str, Cube]:
    """Cubes with the best views of forecasts after them, where no cube has that id."""
    found: dict[str, Cube] = {}
    for name, cube in cubes.items():
        found[name] = cube
        if cube.best is not None and cube.best.id not in cubes:
            found[cube.best.id] = cube.best
    return found


def _shown(cube: Cube) -> bool:
    return not cube.store.empty and not cube.settings.hidden


def _not_found(kind: str, name: str, known: Mapping[str, object]) -> CoverageNotFound:
    some = ", ".join(list(known)[:10]) + (" …" if len(known) > 10 else "")
    return CoverageNotFound(
        f"no {kind} '{name[:100]}'; " + (f"there are {some}" if known else "the store is empty"),
        subject=name[:100],
    )
