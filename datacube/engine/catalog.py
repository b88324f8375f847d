"""The catalogue: identifiers -> cubes and layers at their newest committed version.

Every cube under the store is published. The catalogue looks at the store again when it was last
seen more than a second ago: new cubes appear, and a cube whose head has moved is replaced by its
newer version. A request keeps the handles that it got, and so one version, to its end.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from datacube.config.settings import Config
from datacube.engine.cube import Cube, Layer, publish
from datacube.errors import CoverageNotFound, DatacubeError
from datacube.store.cache import ChunkCache
from datacube.store.cube import list_cubes, open_cube
from datacube.store.objects import ObjectStore
from datacube.store.source import CubeSource

log = logging.getLogger(__name__)

REFRESH_SECONDS = 1.0


@dataclass(frozen=True, eq=False)
class _Seen:
    """What was in the store when it was looked at."""

    cubes: Mapping[str, Cube]
    layers: Mapping[str, Layer]
    version: str
    at: float


class Catalog:
    """The cubes of a store; safe to use from many threads.

    Parameters
    ----------
    store : ObjectStore
    config : Config
    cache : ChunkCache, handed to every cube
    clock : callable, seconds; for tests
    """

    def __init__(
        self,
        store: ObjectStore,
        config: Config,
        cache: ChunkCache,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._config = config
        self._cache = cache
        self._clock = clock
        self._lock = threading.Lock()
        self._complaints: dict[str, str] = {}
        self._seen = _Seen({}, {}, "", -REFRESH_SECONDS - 1 + clock())

    @property
    def version(self) -> str:
        """Changes whenever a cube appears, changes or goes."""
        return self._look().version

    def cubes(self) -> tuple[Cube, ...]:
        """All published cubes by id."""
        return tuple(self._look().cubes.values())

    def cube(self, identifier: str) -> Cube:
        """The cube of that id.

        Raises
        ------
        CoverageNotFound
            There is none; the message names some that are there.
        """
        cubes = self._look().cubes
        if (found := cubes.get(identifier)) is None:
            raise _not_found("cube", identifier, cubes)
        return found

    def layer(self, name: str) -> Layer:
        """The layer ``cube`` or ``cube.field``.

        Raises
        ------
        CoverageNotFound
            There is none; the message names some that are there.
        """
        layers = self._look().layers
        if (found := layers.get(name)) is None:
            raise _not_found("layer", name, layers)
        return found

    def _look(self) -> _Seen:
        if self._clock() - self._seen.at < REFRESH_SECONDS:
            return self._seen
        first_time = not self._seen.version
        if not self._lock.acquire(blocking=first_time):
            return self._seen  # another thread is looking already
        try:
            if self._clock() - self._seen.at >= REFRESH_SECONDS:
                self._seen = self._look_again()
        finally:
            self._lock.release()
        return self._seen

    def _look_again(self) -> _Seen:
        before = self._seen.cubes
        cubes: dict[str, Cube] = {}
        try:
            names = list_cubes(self._store)
        except DatacubeError as error:
            self._complain("the store", error)
            return _Seen(before, self._seen.layers, self._seen.version or "none", self._clock())
        for name in names:
            cube = before.get(name)
            try:
                cube = self._newest(name, cube)
            except DatacubeError as error:
                self._complain(name, error)
            if cube is not None and not cube.store.empty and not cube.settings.hidden:
                cubes[name] = cube
        layers = {layer.name: layer for cube in cubes.values() for layer in cube.layers}
        listed = "\n".join(f"{cube.id} {cube.snapshot}" for cube in cubes.values())
        version = sha256(listed.encode()).hexdigest()[:16]
        return _Seen(cubes, layers, version, self._clock())

    def _newest(self, name: str, known: Cube | None) -> Cube:
        if known is None:
            store: CubeSource = open_cube(self._store, name, self._cache)
        elif (store := known.store.refreshed()) is known.store:
            return known
        self._complaints.pop(name, None)
        return publish(store, self._config.cube(name))

    def _complain(self, what: str, error: DatacubeError) -> None:
        """Once for each problem, not at every look."""
        if self._complaints.get(what) != error.message:
            self._complaints[what] = error.message
            log.warning("%s cannot be served: %s", what, error.message)


def _not_found(kind: str, name: str, known: Mapping[str, object]) -> CoverageNotFound:
    some = ", ".join(list(known)[:10]) + (" …" if len(known) > 10 else "")
    return CoverageNotFound(
        f"no {kind} '{name[:100]}'; " + (f"there are {some}" if known else "the store is empty"),
        subject=name[:100],
    )
