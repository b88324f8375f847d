"""Many steps made one: read region by region, reduced as stored, shown as pixels at the end.

A region is the part of a chunk that the map needs. Its steps are cut into blocks that threads
work on; each block has accumulators of its own, and they are joined in order. So memory holds
a few blocks' chunks and sums, whatever the number of steps. Percentiles keep every value: their
regions are cut into bands of rows that fit. A mosaic's region is one block, left as soon as no
cell is open. Several reducers are fed with what is read once.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import batched, chain, groupby
from math import prod

import numpy as np

from datacube.engine.again import Again
from datacube.engine.ahead import AHEAD, ahead
from datacube.engine.blockwork import Block, Job, Outcome, Place, Way, Worked
from datacube.engine.regional import RegionReader
from datacube.engine.steps import StepReader
from datacube.engine.wanted import Found, reduced_field
from datacube.slicing.packed import on_packed
from datacube.slicing.reduce import Reducer
from datacube.slicing.regions import Region, regions_of
from datacube.store.cube import CubeStore

_BLOCK_CELLS = 48 << 20  # cells over all steps of a block
_ALONE = 64 << 20  # cells over all steps that are not worth several threads
_BLOCK_STEPS = 16  # a block has as many at least
_STACK_BYTES = 48 << 20  # what the stacked steps of a band may take


def reduce_steps(
    steps: StepReader, places: Sequence[Place], reducers: Sequence[Reducer]
) -> tuple[Found, ...]:
    """All steps made one by each of some reducers; what they have in common is read once.

    Parameters
    ----------
    steps : StepReader
    places : the steps, the most recent first
    reducers : at least one

    Raises
    ------
    StorageError
        A chunk cannot be read.
    """
    found: dict[Reducer, Found] = {}
    for job in _jobs(steps, tuple(dict.fromkeys(reducers))):
        found |= zip((way.reducer for way in job.ways), _reduced(job, places), strict=True)
    return tuple(found[one] for one in reducers)


def _reduced(job: Job, places: Sequence[Place]) -> list[Found]:
    """What a job finds at every pixel."""
    steps = job.reader.steps
    order = places if job.descending else places[::-1]
    into = [_empty(steps.cells.shape, job.dtype(way), way.reducer) for way in job.ways]
    for region, outcomes in _found(job, order) if order else ():
        for (values, good), (data, valid) in zip(outcomes, into, strict=True):
            region.show(values, data)
            if good is not None and valid is not None:
                region.show(good, valid)
    field = steps.wanted.field
    return [
        Found(
            reduced_field(field, way.reducer, data.dtype),
            data,
            ~np.isnan(data) if valid is None else valid,
        )
        for way, (data, valid) in zip(job.ways, into, strict=True)
    ]


def _found(job: Job, order: Sequence[Place]) -> Iterator[tuple[Region, Sequence[Outcome]]]:
    """Every region with what comes of it: as it is kept, else made now."""
    plan = job.reader.plan
    if plan is None:
        return
    again = Again(job, order, _steps_fed(job, order), partial(_whole, job, order))
    together = AHEAD if job.reader.steps.cube.store.remote else 1
    alone: list[Region] = []
    for regions in batched(regions_of(plan), together):
        for region, known in zip(regions, again.found(regions), strict=True):
            if known is None:
                alone.append(region)
            else:
                yield region, known
    yield from _joined(job, _worked(job, _blocks(job, alone, order)))


def _whole(
    job: Job, order: Sequence[Place], regions: Sequence[Region]
) -> Iterator[Sequence[Outcome]]:
    """What comes of regions."""
    for _, outcomes in _joined(job, _worked(job, _blocks(job, regions, order))):
        yield outcomes


def _empty(shape: tuple[int, int], dtype: np.dtype[np.generic], reducer: Reducer) -> Outcome:
    """What stands where no step is: nothing, but for a count."""
    if dtype.kind == "f":
        return np.full(shape, np.nan, dtype), None
    return np.zeros(shape, dtype), np.full(shape, reducer.name == "count")


def _jobs(steps: StepReader, reducers: tuple[Reducer, ...]) -> Iterator[Job]:
    """Reducers together that read the same in the same order.

    One that ranks reads other fields too and stays alone; the first valid value and the last one
    want opposite orders. Both look at few steps mostly, and are kept apart from what the series
    copy may answer; else all others go with them.
    """
    ways = [_way(steps, one) for one in reducers]
    ranked = [way for way in ways if way.reducer.ranked]
    mosaics = [way for way in ways if way.inner.mosaic and way not in ranked]
    others = [way for way in ways if not way.inner.mosaic]
    orders = [
        [way for way in mosaics if way.reducer.order == order]
        for order in ("ascending", "descending")
    ]
    groups = [*orders, others] if all(orders) or _has_series(steps) else [[*mosaics, *others]]
    for group in (*([one] for one in ranked), *filter(None, groups)):
        stored = any(way.packed for way in group)
        yield Job(RegionReader(steps, stored=stored), tuple(group))


def _has_series(steps: StepReader) -> bool:
    """Whether there is a copy of what is read whose chunks are long in time."""
    store = steps.cube.store
    if steps.level or not steps.wanted.as_stored or not isinstance(store, CubeStore):
        return False
    return store.series(steps.wanted.field.name) is not None


def _way(steps: StepReader, reducer: Reducer) -> Way:
    wanted = steps.wanted
    inner = on_packed(reducer, wanted.field) if wanted.as_stored else None
    return Way(reducer, inner or reducer, inner is not None)


def _blocks(job: Job, regions: Iterable[Region], order: Sequence[Place]) -> Iterator[Block]:
    """The work, region by region and band by band; steps in order."""
    for whole in regions:
        height, width = whole.shape
        rows, size = height, _steps_fed(job, order)
        series = job.mixed
        if row_bytes := job.row_bytes(len(order), width):
            rows = max(min(_STACK_BYTES // row_bytes, height), 1)
        elif series := job.in_series(whole, order):
            size = max(_BLOCK_CELLS // whole.cells, _BLOCK_STEPS)
        for top in range(0, height, rows):
            band = whole.band(slice(top, top + rows))
            for start in range(0, len(order), size):
                some = order[start : start + size]
                yield Block(whole, top, band, some, len(some) == len(order), series)


def _steps_fed(job: Job, order: Sequence[Place]) -> int:
    """How many steps of map chunks a block has: the same whatever part of a chunk is wanted."""
    if job.mosaic or job.stacked or job.reader.plan is None:
        return len(order)
    return max(_BLOCK_CELLS // prod(job.reader.plan.chunk_shape), _BLOCK_STEPS)


def _worked(job: Job, blocks: Iterator[Block]) -> Iterator[Worked]:
    """What came of blocks; little work is done by the thread that asks."""
    steps = job.reader.steps
    begun, effort, most = list[Block](), 0, 0 if steps.cube.store.remote else _ALONE
    for block in blocks:
        begun.append(block)
        effort += block.region.cells * len(block.places)
        if effort > most and len(begun) > 1:
            yield from ahead(steps.context.steps, job.work, chain(begun, blocks))
            return
    yield from map(job.work, begun)


def _joined(job: Job, worked: Iterator[Worked]) -> Iterator[tuple[Region, Sequence[Outcome]]]:
    """Regions with their outcomes: blocks of a band joined, bands put below one another."""
    for whole, of_region in groupby(worked, lambda one: one.block.whole):
        bands = [
            _outcomes(job, of_band) for _, of_band in groupby(of_region, lambda one: one.block.top)
        ]
        yield whole, bands[0] if len(bands) == 1 else list(map(_below, zip(*bands, strict=True)))


def _below(bands: Sequence[Outcome]) -> Outcome:
    valid = [good for _, good in bands if good is not None]
    return np.concatenate([values for values, _ in bands]), np.concatenate(valid) if valid else None


def _outcomes(job: Job, parts: Iterator[Worked]) -> Sequence[Outcome]:
    """What came of the blocks of one band, in order."""
    first = next(parts)
    if first.outcomes:
        return first.outcomes
    for part in parts:
        for one, more in zip(first.accumulators, part.accumulators, strict=True):
            one.merge(more)
    return job.finish(first.accumulators)
