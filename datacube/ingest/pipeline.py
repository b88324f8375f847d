"""Ingest: from sources to committed cubes, one source at a time, each wholly or not at all."""

import logging
import random
import re
import time as clock
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from datacube.config.products import RecipeSettings
from datacube.errors import (
    ConflictError,
    DatacubeError,
    InvalidParameter,
    SourceError,
    StorageError,
)
from datacube.ingest.amount import Written
from datacube.ingest.aside import set_aside
from datacube.ingest.fetch import local
from datacube.ingest.filling import Hands, Job, Local
from datacube.ingest.opened import opened
from datacube.ingest.own import is_own, passed_over
from datacube.ingest.plan import Plan
from datacube.ingest.readers import Readers, default_readers, find_reader, unknown
from datacube.ingest.report import (
    Event,
    IngestReport,
    Retrying,
    SourceResult,
    SourceStarted,
    Status,
)
from datacube.ingest.side import side_of
from datacube.ingest.source import Granule, ReadOptions
from datacube.ingest.write import write_source
from datacube.model.crs import Crs
from datacube.model.time import Timestamp
from datacube.store.objects import ObjectStore
from datacube.store.url import open_store

_ATTEMPTS = 8
_APART = 0.1
PAUSE = 1.0
"""Seconds before a source is tried again after a failure; each further pause is twice as long."""

_LONGEST = 200  # letters; storages take 255, and the parts of a source have more than its base
_CUBE_ID = re.compile(rf"^[A-Za-z_][A-Za-z0-9_-]{{0,{_LONGEST - 1}}}\Z")
_log = logging.getLogger(__name__)


def ingest(
    sources: Sequence[str],
    *,
    store: str,
    cube: str | None = None,
    recipe: RecipeSettings | None = None,
    time: str | None = None,
    run: str | None = None,
    again: bool = False,
    dry_run: bool = False,
    bad_folder: Path | None = None,
    retries: int = 2,
    scheduler: str | None = None,
    report: Callable[[Event], None] | None = None,
    readers: Readers | None = None,
) -> IngestReport:
    """Bring sources into the cubes of a store.

    A source that cannot be read, or does not fit its cube, leaves no trace and gets one line; the
    others are committed, each by itself. A source that is in its cube already is left alone, and so
    is one that was deleted from it. Where the storage or the network fails a source is tried again,
    and no blame falls on it.

    Parameters
    ----------
    sources : sequence of str
        Files, product folders, folders of those, or URLs of files.
    store : str
        URL of the store: a path, ``s3://`` ….
    cube : str, optional
        Base of the cube ids; stands above the recipe's.
    recipe : RecipeSettings, optional
    time : str, optional
        ISO 8601 instant of sources that hold one; stands above the recipe's.
    run : str, optional
        ISO 8601 start of the model run of NetCDF files, which become forecasts of run and step.
    again : bool
        Bring back what was deleted of the sources.
    dry_run : bool
        Say what would be written, and write nothing.
    bad_folder : Path, optional
        Where files that are refused are moved to, each with its reason beside it.
    retries : int
        How often a source is tried again after a failure, each time after a longer pause.
    scheduler : str, optional
        Address of a dask.distributed scheduler, ``tcp://host:8786``, whose workers read and write;
        they must reach the sources and the store by the same names.
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
        The store's URL cannot be used, or the scheduler does not answer.
    """
    recipe = recipe or RecipeSettings()
    options = replace(options_of(recipe, cube, time, run), again=again)
    known = default_readers() if readers is None else readers
    tell = report or _silent
    passed = passed_over(store, bad_folder)
    every = [one for source in sources for one in expanded(source, known, passed)]
    results = []
    with _hands(scheduler) as hands:
        place = open_store(store)
        plan = Plan(place, recipe) if dry_run else None
        work = _Run(place, options, recipe, known, tell, retries, hands, plan)
        for position, source in enumerate(every, 1):
            tell(SourceStarted(source, position, len(every)))
            result = work.one(source)
            refused = result.status == "refused" and not (dry_run or is_own(Path(source)))
            if bad_folder is not None and refused:
                result = _put_aside(result, bad_folder)
            tell(result)
            results.append(result)
    return IngestReport(tuple(results))


def _put_aside(result: SourceResult, folder: Path) -> SourceResult:
    """Move a refused source out of the way; what hinders that is said, and the run goes on."""
    try:
        set_aside(result.source, folder, result.reason)
    except OSError as error:
        words = error.strerror or str(error)
        return replace(result, reason=f"{result.reason}; not moved to {folder}: {words}")
    return result


@contextmanager
def _hands(scheduler: str | None) -> Iterator[Hands]:
    """Who fills the slices: this process, or the workers of a scheduler."""
    if scheduler is None:
        yield Local()
        return
    try:
        from datacube.ingest.cluster import Cluster  # noqa: PLC0415  an optional package
    except ModuleNotFoundError as error:
        raise InvalidParameter(
            f"a scheduler needs the package '{error.name}': "
            "pip install 'datacube-server[distributed]'",
            subject="scheduler",
        ) from error
    with Cluster(scheduler) as cluster:
        yield cluster


def expanded(source: str, readers: Readers, passed: Collection[Path] = ()) -> Iterator[str]:
    """The sources in a folder that is no product itself, by name; else the source itself.

    What lies below it in folders that are passed over is none, and no part of a store is.
    """
    path = Path(source)
    if "://" in source or not path.is_dir() or _is_product(path, readers):
        yield source
        return
    for child in sorted(path.iterdir()):
        linked = child.is_symlink() and child.is_dir()  # may lead back here
        aside = child.absolute() in passed or is_own(child)
        if not linked and not aside and not child.name.startswith("."):
            yield from expanded(str(child), readers, passed)


def _is_product(folder: Path, readers: Readers) -> bool:
    marks = ("manifest.safe", "zarr.json", ".zgroup")
    return find_reader(readers, folder) is not None or any((folder / one).exists() for one in marks)


def options_of(
    recipe: RecipeSettings, cube: str | None, time: str | None, run: str | None = None
) -> ReadOptions:
    """What readers are told.

    Raises
    ------
    InvalidParameter, InvalidTime, InvalidCrs
        The cube id, the time or the recipe's CRS is none.
    """
    base = recipe.cube if cube is None else cube
    if base is not None and not _CUBE_ID.match(base):
        raise InvalidParameter(
            f"'{base}' is no cube id; letters, digits, - and _ can be used, a letter or _ first, "
            f"{_LONGEST} of them at most",
            subject="cube",
        )
    instant = recipe.time if time is None else time
    for one in (instant, run):
        if one is not None:
            Timestamp.parse(one)
    crs = None if recipe.crs is None else Crs.parse(recipe.crs)
    return ReadOptions(base, instant, crs, recipe.forecast, run, recipe.calibration)


@dataclass(frozen=True, eq=False)
class _Run:
    store: ObjectStore
    options: ReadOptions
    recipe: RecipeSettings
    readers: Readers
    tell: Callable[[Event], None]
    retries: int
    hands: Hands
    plan: Plan | None

    def one(self, source: str) -> SourceResult:
        """Ingest one source; whatever is wrong with it becomes its result."""
        started = clock.perf_counter()
        try:
            status, written = self._patiently(source)
        except (StorageError, ConflictError) as error:
            status, written = "failed", Written((), 0, 0, error.message)
        except DatacubeError as error:
            status, written = "refused", Written((), 0, 0, error.message)
        except Exception as error:  # noqa: BLE001  a foreign file must not end the run
            _log.exception("ingest of %s", source)
            reason = f"unexpected {type(error).__name__}: {error}"
            status, written = "refused", Written((), 0, 0, reason)
        seconds = clock.perf_counter() - started
        line = " ".join(written.remark.split())
        return SourceResult(
            source,
            written.cubes,
            status,
            written.slices,
            written.bytes,
            seconds,
            line,
            written.behind,
            written.replaced,
            written.gone.slices,
            written.gone.words,
            written.notes,
            written.fields,
        )

    def _patiently(self, source: str) -> tuple[Status, Written]:
        """Read and write; again after a failure of the storage or the network."""
        for attempt in range(self.retries):
            try:
                return self._read(source)
            except StorageError as error:
                seconds = PAUSE * 2**attempt
                self.tell(Retrying(source, seconds, error.message))
                clock.sleep(seconds)
        return self._read(source)

    def _read(self, source: str) -> tuple[Status, Written]:
        with local(source) as path:
            reader = find_reader(self.readers, path)
            if reader is None:
                if (said := side_of(path)) is None:
                    raise unknown(path)
                return "side", Written((), 0, 0, said)
            with opened(reader, path, self.options, self.recipe) as chosen:
                if self.plan is not None:
                    planned = self.plan.add(chosen)
                    return ("planned" if planned.slices else _nothing(planned)), planned
                written = self._write(source, chosen)
        if not written.slices:
            return _nothing(written), written
        return ("partial" if written.remark else "ingested"), written

    def _write(self, source: str, chosen: Sequence[Granule]) -> Written:
        """Write; again where another writer was faster."""
        job = Job(source, self.options, self.recipe, self.tell, self.hands)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return write_source(self.store, chosen, job)
            except ConflictError:
                if attempt == _ATTEMPTS or not _timed(chosen):
                    raise
                _log.info("another writer was faster; %s is written again", source)
                # apart from each other, so that one of several writers is through
                clock.sleep(random.uniform(0.5, 1) * min(PAUSE, _APART * 2**attempt))  # noqa: S311
        raise SourceError("another writer was always faster", subject=source)


def _nothing(written: Written) -> Status:
    """Why nothing of a source goes in."""
    return "deleted" if written.gone.whole else "already"


def _timed(granules: Sequence[Granule]) -> bool:
    return any(one.description.domain.time is not None for one in granules)


def _silent(event: Event) -> None:
    del event
