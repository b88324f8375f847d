"""The work of a reduction: some steps of some rows, fed to the accumulators of all its reducers."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from datacube.engine.regional import RegionReader
from datacube.engine.wanted import wanted_expression
from datacube.slicing.accumulators import Accumulator
from datacube.slicing.mosaic import Best
from datacube.slicing.packed import physical
from datacube.slicing.reduce import Reducer
from datacube.slicing.regions import Region

type Place = tuple[int, ...]
type Outcome = tuple[NDArray[np.generic], NDArray[np.bool_] | None]
"""Values and where they are valid, both (y, x); None of floats, which are NaN elsewhere."""


@dataclass(frozen=True, eq=False)
class Block:
    """Some steps of a band of rows of a region.

    Parameters
    ----------
    whole : Region
    top : int, first row of the band
    region : Region, the band
    places : the steps, in order of feeding
    alone : bool, whether these are all steps
    series : bool, whether they may come from the series copy
    """

    whole: Region
    top: int
    region: Region
    places: Sequence[Place]
    alone: bool
    series: bool


@dataclass(frozen=True, eq=False)
class Worked:
    """What came of a block, for each reducer: its result where there is no other to join it with.

    Parameters
    ----------
    block : Block
    accumulators : empty where there are outcomes
    outcomes : of a block alone
    """

    block: Block
    accumulators: Sequence[Accumulator]
    outcomes: Sequence[Outcome] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """One reducer, and how it is fed.

    Parameters
    ----------
    reducer : Reducer of physical values
    inner : Reducer of the values that it is fed with
    packed : bool, whether these are as stored
    """

    reducer: Reducer
    inner: Reducer
    packed: bool


@dataclass(frozen=True, eq=False)
class Job:
    """Reductions of the same steps: what is read, how it is reduced, and what comes out.

    Parameters
    ----------
    reader : RegionReader
    ways : each reducer once
    """

    reader: RegionReader
    ways: tuple[Way, ...]
    _series: dict[Region, bool] = field(default_factory=dict, init=False)

    @property
    def descending(self) -> bool:
        """Whether a reducer wants the newest step first."""
        return any(way.reducer.order == "descending" for way in self.ways)

    @property
    def mosaic(self) -> bool:
        """Whether all may be left before the last step."""
        return all(way.inner.mosaic for way in self.ways)

    @property
    def stacked(self) -> bool:
        """Whether a reducer needs all steps of a cell at once."""
        return any(way.inner.stacked for way in self.ways)

    @property
    def mixed(self) -> bool:
        """Whether steps may come in any order."""
        return self.reader.stored and not any(way.inner.mosaic for way in self.ways)

    def in_series(self, region: Region, order: Sequence[Place]) -> bool:
        """Whether the steps, all of them, of a region are cheaper to have from the series copy."""
        if (known := self._series.get(region)) is None:
            known = self.mixed and self.reader.in_series(region, order) is not None
            self._series[region] = known
        return known

    def dtype(self, way: Way) -> np.dtype[np.generic]:
        """The dtype of a result."""
        return way.reducer.dtype_of(self.reader.physical_dtype)

    def row_bytes(self, steps: int, width: int) -> int:
        """What the stacked steps of a row take; 0 where none are stacked."""
        return sum(
            way.inner.stack_bytes(steps, (1, width), self._fed(way))
            for way in self.ways
            if way.inner.stacked
        )

    def work(self, block: Block) -> Worked:
        """Reduce a block."""
        accumulators = [self._started(way, block) for way in self.ways]
        first = accumulators[0]
        if isinstance(first, Best):
            self._rank(first, block)
        else:
            self._feed(accumulators, block)
        if not block.alone:
            return Worked(block, accumulators)
        return Worked(block, (), self.finish(accumulators))

    def _started(self, way: Way, block: Block) -> Accumulator:
        nil = self.reader.steps.wanted.field.nil if way.packed else None
        return way.inner.start(block.region.shape, self._fed(way), nil)

    def _fed(self, way: Way) -> np.dtype[np.generic]:
        return self.reader.dtype if way.packed else self.reader.physical_dtype

    def _feed(self, accumulators: Sequence[Accumulator], block: Block) -> None:
        """Read the steps and give them to all, each as it wants them."""
        apart = self.reader.stored and not all(way.packed for way in self.ways)
        field = self.reader.steps.wanted.field
        for values, valid in self.reader.read(block.region, block.places, series=block.series):
            physical_values, good = values, valid
            if apart:
                good = field.valid(values)
                physical_values = field.decode(values, good)
            for way, accumulator in zip(self.ways, accumulators, strict=True):
                if way.packed:
                    accumulator.extend(values, valid)
                else:
                    accumulator.extend(physical_values, good)
            if all(one.done for one in accumulators):
                break

    def _rank(self, best: Best, block: Block) -> None:
        """Feed the steps with their ranks."""
        steps = self.reader.cut(block.region)
        description = steps.cube.description
        by = self.ways[0].reducer.by
        ranks = replace(steps, wanted=wanted_expression(description, by, "rank"))
        for place in block.places:
            rank, known = ranks.physical(place)
            best.add_ranked(*steps.physical(place), np.where(known, rank, np.nan))

    def finish(self, accumulators: Sequence[Accumulator]) -> tuple[Outcome, ...]:
        """Physical values and valid of each."""
        return tuple(map(self._finished, self.ways, accumulators))

    def _finished(self, way: Way, accumulator: Accumulator) -> Outcome:
        values, valid = accumulator.result()
        if way.packed:
            wanted = self.reader.steps.wanted.field
            values = physical(way.reducer, wanted, values, valid, accumulator.count)
        values = values.astype(self.dtype(way), copy=False)
        return values, None if values.dtype.kind == "f" else valid
