"""Ingest what arrives in a folder or bucket, for as long as nobody stops it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Stop

from datacube.config.products import RecipeSettings
from datacube.errors import StorageError
from datacube.ingest.arrivals import Settling, State, arrivals, sources_in
from datacube.ingest.own import passed_over
from datacube.ingest.pipeline import ingest
from datacube.ingest.readers import Readers, default_readers
from datacube.ingest.report import Event, IngestReport, SourceResult
from datacube.store.url import open_store


@dataclass(eq=False)
class Watcher:
    """Looks at a place again and again, and ingests what is new and complete.

    A source is opened once in each state: one that went in, or was refused, is left alone until
    its size or time changes. Where the storage or the network failed it is tried again at the
    next look. What is in its cube already is found out by its content, so that a second watcher,
    or the same one after a restart, does no harm.

    Parameters
    ----------
    place : str
        A folder, or the URL of a bucket's folder.
    store : str
        URL of the store.
    settling : Settling
        What is complete.
    cube : str, optional
        Base of the cube ids.
    recipe : RecipeSettings, optional
    bad_folder : Path, optional
        Where files that are refused are moved to; it may lie in the watched folder.
    retries : int
        As of :func:`~datacube.ingest.pipeline.ingest`.
    report : callable of Event
        Told of what happens.
    stop : threading.Event
        When it is set, the source under way is the last.
    """

    place: str
    store: str
    settling: Settling
    cube: str | None = None
    recipe: RecipeSettings | None = None
    bad_folder: Path | None = None
    retries: int = 2
    report: Callable[[Event], None] = lambda _: None
    stop: Stop = field(default_factory=Stop)
    _readers: Readers = field(default_factory=default_readers)
    _handled: dict[str, State] = field(default_factory=dict)

    def run(self, every: float) -> None:
        """Look every so many seconds until stopped; a place that is away for a while is waited for.

        Raises
        ------
        StorageError
            The store's URL cannot be used.
        """
        open_store(self.store)
        while not self.stop.is_set():
            try:
                self.look()
            except (OSError, StorageError) as error:
                reason = error.message if isinstance(error, StorageError) else str(error)
                self.report(SourceResult(self.place, (), "failed", reason=reason))
            self.stop.wait(every)

    def look(self) -> IngestReport:
        """Ingest everything that is new and complete now.

        Raises
        ------
        StorageError, OSError
            The place cannot be listed.
        """
        passed = passed_over(self.store, self.bad_folder)
        present = arrivals(self.place, passed)
        self.settling.forget(present)
        results: list[SourceResult] = []
        there: set[str] = set()
        waiting: list[str] = []
        for one in present:
            if not self.settling.complete(one):
                waiting.append(one.source)
                continue
            sources = sources_in(one, self._readers, passed)
            there.update(sources)
            for source, state in sources.items():
                if self.stop.is_set():
                    return IngestReport(tuple(results))
                if self._handled.get(source) != state:
                    results += self._take(source, state)
        self._handled = {
            name: one
            for name, one in self._handled.items()
            if name in there or name.startswith(tuple(waiting))
        }
        return IngestReport(tuple(results))

    def _take(self, source: str, state: State) -> tuple[SourceResult, ...]:
        found = ingest(
            [source],
            store=self.store,
            cube=self.cube,
            recipe=self.recipe,
            bad_folder=self.bad_folder,
            retries=self.retries,
            report=self.report,
            readers=self._readers,
        ).results
        if all(one.status != "failed" for one in found):
            self._handled[source] = state
        return found
