"""Views of a forecast: a source with the valid time as its only time, read from that of the runs.

A view has the chunks of its source, one step each: every valid time is one run and one step of it.
The best view takes the newest run that holds a valid time; a view may also be of one run alone, or
of one lead time. A run holds a step where any of its fields has values there.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, override

import numpy as np
from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.model.axis import Axis, axis_value
from datacube.model.coverage import CoverageDescription
from datacube.model.domain import DomainSet
from datacube.model.forecast import ForecastAxes, ValidTimes
from datacube.store.series import SeriesCopy
from datacube.store.source import ChunkIndex, CubeSource, RowReader, whole_chunks
from datacube.store.statistics import FieldStatistics

_THREADS = 16


class ForecastView:
    """A forecast along its valid times; safe to share between threads.

    Parameters
    ----------
    source : CubeSource, of runs and steps
    axes : ForecastAxes of the source
    held : bool, (runs, steps), what the source holds
    times : ValidTimes
    name : str, id of the view

    Attributes
    ----------
    axes, times : as given
    """

    def __init__(
        self,
        source: CubeSource,
        axes: ForecastAxes,
        held: NDArray[np.bool_],
        times: ValidTimes,
        name: str,
    ) -> None:
        self.id = name
        self.axes = axes
        self.times = times
        self.snapshot = f"{name}@{source.snapshot.rpartition('@')[2]}"
        self.timed = True
        self.remote = source.remote
        self.empty = times.axis.size == 0
        self.description = _described(source.description, self)
        self._source = source
        self._held = held

    @override
    def __repr__(self) -> str:
        """The snapshot."""
        return f"<ForecastView {self.snapshot}>"

    def narrowed(self, run: int | None, step: int | None) -> "ForecastView":
        """The view of one run, of one lead time, or of both; it may be empty.

        Parameters
        ----------
        run, step : int, optional
            Indexes in the source.
        """
        held = self._held.copy()
        if run is not None:
            held[np.arange(len(held)) != run] = False
        if step is not None:
            held[:, np.arange(held.shape[1]) != step] = False
        times = ValidTimes.best(self.axes, held)
        parts = [f"{kind}{at}" for kind, at in (("run", run), ("step", step)) if at is not None]
        return ForecastView(self._source, self.axes, held, times, "-".join([self.id, *parts]))

    def origin(self, slot_index: int) -> Mapping[str, float | str]:
        """Run and lead time of a valid time, by the names of the source's axes.

        The run is ``reference_time`` whatever the source calls it.
        """
        run, step = self._pair(slot_index)
        leads = self.axes.leads
        return {
            "reference_time": axis_value(self.axes.runs, run),
            leads.name: axis_value(leads, step),
        }

    def state_of(self, slot_index: int) -> str:
        """Names what a valid time holds: the state of its run, and its step."""
        run, step = self._pair(slot_index)
        return f"{self._source.state_of(run)}/{step}"

    def chunk_shape(self, field: str, level: int = 0) -> tuple[int, ...]:
        """Shape of a chunk in cells: (1, axes…, y, x)."""
        return (1, *self._others(self._source.chunk_shape(field, level)))

    def chunk_counts(self, field: str, level: int = 0) -> tuple[int, ...]:
        """Number of chunks along each dimension: (time, axes…, y, x)."""
        counts = self._source.chunk_counts(field, level)
        return (self.times.axis.size, *self._others(counts))

    def chunk_sizes(self, field: str, level: int, slot_index: int = 0) -> NDArray[np.integer[Any]]:
        """Bytes of each chunk of a valid time: (axes…, chunk rows, chunk columns)."""
        run, step = self._pair(slot_index)
        sizes = self._source.chunk_sizes(field, level, run)
        side = self._source.chunk_shape(field, level)[self.axes.place]
        found: NDArray[np.integer[Any]] = np.moveaxis(sizes, self.axes.place - 1, 0)[step // side]
        return found

    def chunk(self, field: str, level: int, index: ChunkIndex) -> NDArray[Any]:
        """One decoded chunk, read-only, chunk_shape.

        Raises
        ------
        StorageError
            The chunk cannot be read.
        """
        return self.chunks(field, level, (index,))[0]

    def groups(
        self, field: str, level: int, indexes: Sequence[ChunkIndex]
    ) -> Sequence[Sequence[ChunkIndex]]:
        """The chunks parted as the source parts those that they lie in."""
        wanted: dict[ChunkIndex, list[ChunkIndex]] = {}
        for index in indexes:
            wanted.setdefault(self._lying(field, level, index)[0], []).append(index)
        groups = self._source.groups(field, level, list(wanted))
        return [[index for lying in group for index in wanted[lying]] for group in groups]

    def chunks(
        self, field: str, level: int, indexes: Sequence[ChunkIndex]
    ) -> Sequence[NDArray[Any]]:
        """Several decoded chunks, in order; see :meth:`chunk`."""
        places = [self._lying(field, level, index) for index in indexes]
        wanted = list(dict.fromkeys(lying for lying, _ in places))
        found = dict(zip(wanted, self._source.chunks(field, level, wanted), strict=True))
        return [found[lying][within] for lying, within in places]

    def row_reader(self, field: str, level: int, lead: ChunkIndex) -> RowReader:
        """What reads chunks, all rows of them; see :meth:`chunk`."""
        return whole_chunks(self, field, level, lead)

    def statistics(self, field: str) -> FieldStatistics | None:
        """What the values of all runs are like."""
        return self._source.statistics(field)

    def series(self, field: str) -> SeriesCopy | None:
        """Nothing: the copy of the source is long in runs."""
        del field
        return None

    def refreshed(self) -> CubeSource:
        """Itself while the source has not changed, else the best view of the newest.

        Raises
        ------
        CoverageNotFound
            The cube is gone.
        """
        newest = self._source.refreshed()
        return self if newest is self._source else best_view(newest, self.id) or newest

    def _pair(self, slot_index: int) -> tuple[int, int]:
        return int(self.times.runs[slot_index]), int(self.times.steps[slot_index])

    def _others(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """Of something along the source's dimensions, that along the view's without time."""
        return (*sizes[1 : self.axes.place], *sizes[self.axes.place + 1 :])

    def _lying(
        self, field: str, level: int, index: ChunkIndex
    ) -> tuple[ChunkIndex, tuple[slice | int, ...]]:
        """The source's chunk that holds one of the view, and where in it that lies."""
        run, step = self._pair(index[0])
        place = self.axes.place
        sides = self._source.chunk_shape(field, level)
        lying = (run // sides[0], *index[1:place], step // sides[place], *index[place:])
        within = run % sides[0]
        between: tuple[slice | int, ...] = (slice(None),) * (place - 1)
        return lying, (slice(within, within + 1), *between, step % sides[place])


def best_view(source: CubeSource, name: str) -> ForecastView | None:
    """The best view of a source; None of one that is no forecast, or holds nothing."""
    axes = ForecastAxes.of(source.description.domain)
    if axes is None or source.empty:
        return None
    held = _held(source, axes)
    times = ValidTimes.best(axes, held)
    return ForecastView(source, axes, held, times, name) if times.axis.size else None


def _held(source: CubeSource, axes: ForecastAxes) -> NDArray[np.bool_]:
    """Which steps of which runs have values, in any field; bool, (runs, steps)."""
    runs = range(axes.runs.size)
    if not source.remote:
        return np.array([_steps_of(source, axes, run) for run in runs])
    with ThreadPoolExecutor(_THREADS) as pool:
        return np.array(list(pool.map(lambda run: _steps_of(source, axes, run), runs)))


def _steps_of(source: CubeSource, axes: ForecastAxes, run: int) -> NDArray[np.bool_]:
    """Which steps of a run have values; all of one that tells nothing, as reading it will say."""
    steps = np.arange(axes.leads.size)
    found = np.zeros(steps.size, bool)
    try:
        for field in source.description.range_type.names:
            sizes = np.moveaxis(source.chunk_sizes(field, 0, run), axes.place - 1, 0)
            some = sizes.reshape(len(sizes), -1).any(axis=1)
            found |= some[steps // source.chunk_shape(field)[axes.place]]
    except StorageError:
        found[:] = True
    return found


def _described(description: CoverageDescription, view: ForecastView) -> CoverageDescription:
    domain = description.domain
    axes = (view.times.axis, *_without(domain, view.axes.place))
    domain = DomainSet(domain.grid, axes)
    return replace(description, id=view.id, domain=domain, snapshot=view.snapshot)


def _without(domain: DomainSet, place: int) -> Iterator[Axis]:
    """The further axes but one."""
    return (axis for at, axis in enumerate(domain.axes) if at not in {0, place})
