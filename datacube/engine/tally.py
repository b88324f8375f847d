"""What reads take: chunks, bytes and requests, looked up in the documents that list the chunks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.read import plan_field, split_place
from datacube.engine.regional import RegionReader
from datacube.engine.steps import StepReader
from datacube.engine.wanted import wanted_field
from datacube.model.fields import Field
from datacube.slicing.cells import IndexMap
from datacube.slicing.packed import on_packed
from datacube.slicing.plan import plan_read
from datacube.slicing.reduce import Reducer
from datacube.slicing.regions import regions_of
from datacube.store.series import SeriesCopy
from datacube.store.source import CubeSource

type Place = tuple[int, ...]
type At = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Tally:
    """What is read: chunks that hold something, their stored and decoded bytes, requests for them.

    Examples
    --------
    >>> Tally(2, 100, 400, 1) + Tally(1, 50, 200, 1)
    Tally(chunks=3, stored=150, decoded=600, requests=2)
    """

    chunks: int = 0
    stored: int = 0
    decoded: int = 0
    requests: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.chunks + other.chunks,
            self.stored + other.stored,
            self.decoded + other.decoded,
            self.requests + other.requests,
        )


def of_maps(
    store: CubeSource, field: Field, level: int, cells: IndexMap, places: Iterable[Place]
) -> Tally:
    """Map chunks that hold cells of a level at places of the other axes, each chunk once."""
    wanted = plan_field(store, field, level, cells).chunks
    shape = store.chunk_shape(field.name, level)
    leads = dict.fromkeys(split_place(place, shape[:-2])[0] for place in places)
    return sum((_of_step(store, field, level, lead, wanted) for lead in leads), Tally())


def _of_step(
    store: CubeSource, field: Field, level: int, lead: Place, wanted: Sequence[At]
) -> Tally:
    time, others = (lead[0], lead[1:]) if store.timed else (0, lead)
    sizes = store.chunk_sizes(field.name, level, time)[others]
    held = [at for at in wanted if sizes[at]]
    each = prod(store.chunk_shape(field.name, level)) * np.dtype(field.dtype).itemsize
    return Tally(
        len(held),
        int(sum(int(sizes[at]) for at in held)),
        len(held) * each,
        len(store.groups(field.name, level, [(*lead, *at) for at in held])),
    )


def of_series(
    store: CubeSource,
    field: Field,
    copy: SeriesCopy,
    times: range,
    places: Sequence[Place],
    wanted: Sequence[At],
    cells: IndexMap,
) -> Tally:
    """Chunks of the series copy, and map chunks for the times that it does not hold yet.

    Parameters
    ----------
    places : on the axes other than time
    wanted : rows and columns of chunks of the copy
    cells : IndexMap of level 0, for the map chunks
    """
    tally = Tally()
    each = prod(copy.chunk_shape) * np.dtype(field.dtype).itemsize
    for segment, first, last in copy.parts(times.start, times.stop):
        if segment is None:
            steps = [(time, *place) for time in range(first, last) for place in places]
            tally += of_maps(store, field, 0, cells, steps)
            continue
        sizes = copy.chunk_sizes(segment)
        held = [int(sizes[(*place, *at)]) for place in places for at in wanted]
        count = sum(size > 0 for size in held)
        tally += Tally(count, sum(held), count * each, count)
    return tally


def of_reduction(
    context: Context,
    cube: Cube,
    field: Field,
    level: int,
    cells: IndexMap,
    places: Sequence[Place],
    how: Reducer,
) -> tuple[Tally, bool]:
    """A field whose steps are made one, region by region.

    Returns
    -------
    tally : Tally
    series : bool, whether some regions come from the series copy
    """
    store, copy = cube.store, cube.store.series(field.name)
    if copy is None or how.mosaic or on_packed(how, field) is None:
        return of_maps(store, field, level, cells, places), False
    steps = StepReader(context, cube, wanted_field(field), level, cells)
    reader = RegionReader(steps, stored=True)
    tally, series = Tally(), False
    shape = store.chunk_shape(field.name, level)
    for region in regions_of(steps.plans[field.name]):
        some = region.index_map((shape[-2], shape[-1]))
        spans = reader.in_series(region, places)
        if spans is None:
            tally += of_maps(store, field, level, some, places)
            continue
        series = True
        wanted = plan_read(some, (copy.chunk_shape[-2], copy.chunk_shape[-1])).chunks
        for others, (start, stop) in spans.items():
            tally += of_series(store, field, copy, range(start, stop), [others], wanted, some)
    return tally, series
