"""Ingest: from sources to committed cubes, one source at a time, each wholly or not at all."""

import logging
import re
import time as clock
from collections.abc import Callable, Sequence
from dataclasses import replace

from datacube.config.settings import RecipeSettings
from datacube.errors import ConflictError, DatacubeError, InvalidParameter, SourceError
from datacube.ingest.fetch import local
from datacube.ingest.readers import Readers, default_readers, find_reader
from datacube.ingest.recipe import apply_recipe
from datacube.ingest.report import Event, IngestReport, SourceResult, SourceStarted, Status
from datacube.ingest.source import Granule, ReadOptions
from datacube.ingest.write import Written, write_source
from datacube.model.crs import Crs
from datacube.model.time import Timestamp
from datacube.store.objects import ObjectStore
from datacube.store.url import open_store

_ATTEMPTS = 3
_CUBE_ID = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]*$")
_log = logging.getLogger(__name__)


def ingest(
    sources: Sequence[str],
    *,
    store: str,
    cube: str | None = None,
    recipe: RecipeSettings | None = None,
    time: str | None = None,
    report: Callable[[Event], None] | None = None,
    readers: Readers | None = None,
) -> IngestReport:
    """Bring sources into the cubes of a store.

    A source that cannot be read, or does not fit its cube, leaves no trace and gets one line; the
    others are committed, each by itself. A source that is in its cube already is left alone.

    Parameters
    ----------
    sources : sequence of str
        Files, SAFE folders, or URLs of files.
    store : str
        URL of the store: a path, ``s3://`` ….
    cube : str, optional
        Base of the cube ids; stands above the recipe's.
    recipe : RecipeSettings, optional
    time : str, optional
        ISO 8601 instant of sources that hold one; stands above the recipe's.
    report : callable of Event, optional
        Told of progress as it happens.
    readers : mapping of name to SourceReader, optional
        Default: the built-in ones and those of installed packages.

    Raises
    ------
    InvalidParameter
        The cube id is none.
    InvalidTime
        The time is no ISO 8601 time.
    StorageError
        The store's URL cannot be used.
    """
    recipe = recipe or RecipeSettings()
    options = _options(recipe, cube, time)
    target = open_store(store)
    known = default_readers() if readers is None else readers
    tell = report or _silent
    results = []
    for position, source in enumerate(sources, 1):
        tell(SourceStarted(source, position, len(sources)))
        result = _one(target, source, options, recipe, known, tell)
        tell(result)
        results.append(result)
    return IngestReport(tuple(results))


def _options(recipe: RecipeSettings, cube: str | None, time: str | None) -> ReadOptions:
    base = cube or recipe.cube
    if base is not None and not _CUBE_ID.match(base):
        raise InvalidParameter(
            f"'{base}' is no cube id; letters, digits, - and _ can be used, a letter or _ first",
            subject="cube",
        )
    instant = time or recipe.time
    if instant is not None:
        Timestamp.parse(instant)
    crs = None if recipe.crs is None else Crs.parse(recipe.crs)
    return ReadOptions(base, instant, crs)


def _one(
    store: ObjectStore,
    source: str,
    options: ReadOptions,
    recipe: RecipeSettings,
    readers: Readers,
    tell: Callable[[Event], None],
) -> SourceResult:
    """Ingest one source; whatever is wrong with it becomes its result."""
    started = clock.perf_counter()
    try:
        written = _with_retries(store, source, options, recipe, readers, tell)
    except DatacubeError as error:
        reason = error.message
    except Exception as error:  # noqa: BLE001  a foreign file must not end the run
        _log.exception("ingest of %s", source)
        reason = f"unexpected {type(error).__name__}: {error}"
    else:
        seconds = clock.perf_counter() - started
        status: Status = "ingested" if written.slices else "already"
        return SourceResult(source, written.cubes, status, written.slices, written.bytes, seconds)
    line = " ".join(reason.split())
    return SourceResult(source, (), "refused", seconds=clock.perf_counter() - started, reason=line)


def _with_retries(
    store: ObjectStore,
    source: str,
    options: ReadOptions,
    recipe: RecipeSettings,
    readers: Readers,
    tell: Callable[[Event], None],
) -> Written:
    """Read and write; again where another writer was faster."""
    with local(source) as path:
        reader = find_reader(readers, path)
        with reader.open(path.absolute(), options) as granules:
            chosen = tuple(_named(one, options) for one in apply_recipe(recipe, granules))
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    return write_source(store, source, chosen, recipe, tell)
                except ConflictError:
                    if attempt == _ATTEMPTS or not _timed(chosen):
                        raise
                    _log.info("another writer was faster; %s is written again", source)
    raise SourceError("another writer was always faster", subject=source)


def _timed(granules: Sequence[Granule]) -> bool:
    return any(one.description.domain.time is not None for one in granules)


def _named(granule: Granule, options: ReadOptions) -> Granule:
    """The granule; under an own name where the user has set its time."""
    if options.time is None:
        return granule
    return replace(granule, id=f"{granule.id}@{options.time}")


def _silent(event: Event) -> None:
    del event
