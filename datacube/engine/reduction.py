"""Many steps made one: read region by region, reduced as stored, shown as pixels at the end.

A region is the part of a chunk that the map needs. Its steps are cut into blocks that threads
work on; each block has an accumulator of its own, and they are joined in order. So memory holds
a few blocks' chunks and sums, whatever the number of steps. Percentiles keep every value: their
regions are cut into bands of rows that fit. A mosaic's region is one block, left as soon as no
cell is open.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby

import numpy as np
from numpy.typing import NDArray

from datacube.engine.ahead import ahead
from datacube.engine.regional import RegionReader
from datacube.engine.steps import StepReader
from datacube.engine.wanted import Found, reduced_field, wanted_expression
from datacube.slicing.accumulators import Accumulator
from datacube.slicing.mosaic import Best
from datacube.slicing.packed import on_packed, physical
from datacube.slicing.reduce import Reducer
from datacube.slicing.regions import Region, regions_of

type Place = tuple[int, ...]
type Outcome = tuple[NDArray[np.generic], NDArray[np.bool_]]

_BLOCK_CELLS = 48 << 20  # cells over all steps of a block
_ALONE = 64 << 20  # cells over all steps that are not worth several threads
_BLOCK_STEPS = 16  # a block has as many at least
_STACK_BYTES = 48 << 20  # what the stacked steps of a band may take


@dataclass(frozen=True, eq=False)
class _Block:
    """Some steps of a band of rows of a region.

    Parameters
    ----------
    whole : Region
    top : int, first row of the band
    region : Region, the band
    places : the steps, in order of feeding
    alone : bool, whether these are all steps
    """

    whole: Region
    top: int
    region: Region
    places: Sequence[Place]
    alone: bool


@dataclass(frozen=True, eq=False)
class _Job:
    """A reduction: what is read, how it is reduced, and what comes out.

    Parameters
    ----------
    reader : RegionReader
    reducer : Reducer of physical values
    inner : Reducer of the values that are read
    """

    reader: RegionReader
    reducer: Reducer
    inner: Reducer

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The dtype of the result."""
        return self.reducer.dtype_of(self.reader.physical_dtype)

    def work(self, block: _Block) -> Accumulator | Outcome:
        """Reduce a block; its result where there is no other to join it with."""
        one, wanted = self.reader, self.reader.steps.wanted.field
        nil = wanted.nil if self.reader.stored else None
        accumulator = self.inner.start(block.region.shape, one.dtype, nil)
        if isinstance(accumulator, Best):
            self._rank(accumulator, block)
        else:
            for values, valid in one.read(block.region, block.places, mixed=not self.inner.mosaic):
                accumulator.extend(values, valid)
                if accumulator.done:
                    break
        return self.finish(accumulator) if block.alone else accumulator

    def _rank(self, best: Best, block: _Block) -> None:
        """Feed the steps with their ranks."""
        steps = self.reader.cut(block.region)
        description = steps.cube.description
        ranks = replace(steps, wanted=wanted_expression(description, self.reducer.by, "rank"))
        for place in block.places:
            rank, known = ranks.physical(place)
            best.add_ranked(*steps.physical(place), np.where(known, rank, np.nan))

    def finish(self, accumulator: Accumulator) -> Outcome:
        """Physical values and valid."""
        values, valid = accumulator.result()
        if self.reader.stored:
            wanted = self.reader.steps.wanted.field
            values = physical(self.reducer, wanted, values, valid, accumulator.count)
        return values.astype(self.dtype, copy=False), valid


def reduce_steps(steps: StepReader, places: Sequence[Place], reducer: Reducer) -> Found:
    """All steps made one by a reducer.

    Parameters
    ----------
    steps : StepReader
    places : the steps, the most recent first
    reducer : Reducer

    Raises
    ------
    StorageError
        A chunk cannot be read.
    """
    order = places if reducer.order == "descending" else places[::-1]
    job = _job(steps, reducer)
    shape = steps.cells.shape
    data = np.zeros(shape, job.dtype)
    if job.dtype.kind == "f":
        data.fill(np.nan)
    valid = np.full(shape, reducer.name == "count")
    blocks = _blocks(job, order) if order else iter(())
    for region, (values, good) in _joined(job, _worked(job, blocks)):
        region.show(values, data)
        region.show(good, valid)
    return Found(reduced_field(steps.wanted.field, reducer, data.dtype), data, valid)


def _job(steps: StepReader, reducer: Reducer) -> _Job:
    inner = None if steps.wanted.tree is not None else on_packed(reducer, steps.wanted.field)
    return _Job(RegionReader(steps, stored=inner is not None), reducer, inner or reducer)


def _blocks(job: _Job, order: Sequence[Place]) -> Iterator[_Block]:
    """The work, region by region and band by band; steps in order."""
    for whole in () if job.reader.plan is None else regions_of(job.reader.plan):
        height, width = whole.shape
        rows, size = height, len(order)
        if job.inner.stacked:
            row_bytes = job.inner.stack_bytes(len(order), (1, width), job.reader.dtype)
            rows = max(min(_STACK_BYTES // max(row_bytes, 1), height), 1)
        elif not job.inner.mosaic:
            size = max(_BLOCK_CELLS // whole.cells, _BLOCK_STEPS)
        for top in range(0, height, rows):
            band = whole.band(slice(top, top + rows))
            for start in range(0, len(order), size):
                some = order[start : start + size]
                yield _Block(whole, top, band, some, len(some) == len(order))


def _worked(job: _Job, blocks: Iterator[_Block]) -> Iterator[tuple[_Block, Accumulator | Outcome]]:
    """Blocks and what came of them; little work is done by the thread that asks."""

    def work(block: _Block) -> tuple[_Block, Accumulator | Outcome]:
        return block, job.work(block)

    steps = job.reader.steps
    begun, effort, most = list[_Block](), 0, 0 if steps.cube.store.remote else _ALONE
    for block in blocks:
        begun.append(block)
        effort += block.region.cells * len(block.places)
        if effort > most and len(begun) > 1:
            yield from ahead(steps.context.steps, work, chain(begun, blocks))
            return
    yield from map(work, begun)


def _joined(
    job: _Job, worked: Iterator[tuple[_Block, Accumulator | Outcome]]
) -> Iterator[tuple[Region, Outcome]]:
    """Regions with their outcomes: blocks of a band joined, bands put below one another."""
    for whole, of_region in groupby(worked, lambda pair: pair[0].whole):
        bands = [
            _outcome(job, (found for _, found in of_band))
            for _, of_band in groupby(of_region, lambda pair: pair[0].top)
        ]
        if len(bands) == 1:
            yield whole, bands[0]
        else:
            values, valid = zip(*bands, strict=True)
            yield whole, (np.concatenate(values), np.concatenate(valid))


def _outcome(job: _Job, parts: Iterator[Accumulator | Outcome]) -> Outcome:
    """What came of the blocks of one band, in order."""
    first = next(parts)
    if not isinstance(first, Accumulator):
        return first
    for part in parts:
        assert isinstance(part, Accumulator)  # noqa: S101  only a block alone is an outcome
        first.merge(part)
    return job.finish(first)
