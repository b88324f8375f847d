"""Chunks whose steps are made one again and again: reduced as a whole, once, and kept.

Neighbouring tiles, maps that are moved and values under them reduce the same cells of the same
steps. The first request works on the cells that it shows. A chunk that is wanted again is reduced
as a whole by one thread for all that want it, and what comes of it is held among the decoded
chunks, within their budget. It is named by what the steps hold, so that a commit of other times
leaves it and one of these gives it another name.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from datacube.engine.blockwork import Job, Outcome, Place
from datacube.engine.waiting import Abandoned, check_wanted
from datacube.slicing.reduce import Reducer
from datacube.slicing.regions import Region
from datacube.store.buffers import Room
from datacube.store.cache import array_bytes

type At = tuple[int, int]

_FEW = 4  # steps from which on it pays
_LIGHT = 64 << 20  # cells over all steps of a chunk that is always worth reducing as a whole
_PART = 8  # else the chunk has at most so many times the cells that are wanted of it
_SMALL = 2  # bytes of integers whose sums and squares are exact
_SHARE = 16  # what comes of a chunk takes at most such a part of the cache


@dataclass(frozen=True, eq=False, slots=True)
class Reduced:
    """What the steps of a chunk have come to; its cells that are on the grid, read-only.

    Parameters
    ----------
    values, valid : as of an outcome
    """

    values: NDArray[np.generic]
    valid: NDArray[np.bool_] | None

    @staticmethod
    def of(outcome: Outcome, room: Room) -> "Reduced":
        """An outcome moved to memory of the cache."""
        values, valid = outcome
        return Reduced(_moved(values, room), None if valid is None else _moved(valid, room))

    @property
    def held_bytes(self) -> int:
        """What it takes in memory."""
        return array_bytes(self.values) + (0 if self.valid is None else array_bytes(self.valid))

    def cut(self, region: Region) -> Outcome:
        """The cells of a region."""
        return region.cut(self.values), None if self.valid is None else region.cut(self.valid)


@dataclass(frozen=True, eq=False)
class Again:
    """Where a job finds what was made of a chunk before.

    Parameters
    ----------
    job : Job
    order : the steps, in order of feeding
    size : int, how many steps are fed to one accumulator
    make : what the job's ways make of regions, in order
    """

    job: Job
    order: Sequence[Place]
    size: int
    make: Callable[[Sequence[Region]], Iterable[Sequence[Outcome]]]
    _begun: list[int] = field(default_factory=list, init=False)

    def found(self, regions: Sequence[Region]) -> list[Sequence[Outcome] | None]:
        """What comes of regions for each way; None where one is to be reduced alone.

        Those that are absent are read together.

        Raises
        ------
        StorageError
            A chunk cannot be read.
        """
        kept = [self._keeps and self._is_kept(one) for one in regions]
        whole = {one.chunk: self._whole(one) for one in compress(regions, kept)}
        reduced = self._reduced(whole) if whole else {}
        return [
            [one.cut(region) for one in reduced[region.chunk]] if known else None
            for region, known in zip(regions, kept, strict=True)
        ]

    def _reduced(self, whole: Mapping[At, Region]) -> dict[At, Sequence[Reduced]]:
        """What is kept of chunks for each way, or made now."""
        cache = self.job.reader.steps.context.cache
        keys = [key for chunk in whole for key in self._keys(chunk)]
        ways = len(self.job.ways)

        def make(positions: Sequence[int]) -> list[Reduced]:
            absent = dict.fromkeys(keys[position][1] for position in positions)
            made = zip(absent, self.make([whole[chunk] for chunk in absent]), strict=True)
            kept = {
                (chunk, way): Reduced.of(outcome, cache.room)
                for chunk, outcomes in made
                for way, outcome in enumerate(outcomes)
            }
            return [kept[keys[position][1], position % ways] for position in positions]

        found = _as_long_as_wanted(lambda: cache.made(keys, make))
        return {chunk: found[ways * at : ways * (at + 1)] for at, chunk in enumerate(whole)}

    def _keys(self, chunk: At) -> list[tuple[str, At, Reducer]]:
        return [(self._name, chunk, way.reducer) for way in self.job.ways]

    def _is_kept(self, region: Region) -> bool:
        """Whether a region is cut from its whole chunk, be it held or worth making."""
        worth = self._worth(region)
        if not (worth and self._exact) and self.job.in_series(region, self.order):
            return False
        cache, keys = self.job.reader.steps.context.cache, self._keys(region.chunk)
        if all(map(cache.holds, keys)):
            return True
        worth = worth and not self._in_series(region)
        return worth and self._noted(keys, self._bytes(region)) and self._affords(region)

    def _in_series(self, region: Region) -> bool:
        """Whether a region is cheaper to have from the series copy, or its chunk would be.

        A chunk may be where a region is not, which has gaps: then they would differ by rounding.
        """
        if self.job.in_series(region, self.order):
            return True
        return not self._exact and self.job.in_series(self._whole(region), self.order)

    @cached_property
    def _keeps(self) -> bool:
        """Whether what comes of a chunk depends on nothing but its name."""
        ways, steps = self.job.ways, self.job.reader.steps
        alike = not self.job.stacked or all(way.inner.stacked for way in ways)
        return len(self.order) >= _FEW and not steps.wanted.others and alike

    @property
    def _exact(self) -> bool:
        """Whether the order of the steps makes no difference, not even in the last digit."""
        dtype = self.job.reader.dtype
        return self.job.reader.stored and dtype.kind in "iu" and dtype.itemsize <= _SMALL

    def _worth(self, region: Region) -> bool:
        """Whether the whole chunk is not too much for a region of it.

        Of a reduction that is left as soon as all is known nobody knows how little a region takes.
        """
        work, cells = self._work(region), self._whole(region).cells
        nbytes = self._bytes(region) * len(self.job.ways)
        if nbytes > self.job.reader.steps.context.cache.max_bytes // _SHARE or work > self._most:
            return False
        early = all(way.inner.early for way in self.job.ways)
        return work <= _LIGHT or (not early and cells <= _PART * region.cells)

    def _work(self, region: Region) -> int:
        """What reducing the whole chunk takes, as it counts for the limits."""
        work = self._whole(region).cells * len(self.order) * self.job.reader.steps.wanted.work
        return work * max(way.reducer.effort for way in self.job.ways)

    @property
    def _most(self) -> int:
        """What a request may take."""
        steps = self.job.reader.steps
        limits = steps.context.settings.limits
        return limits.max_reduced_cells if steps.wanted.tree is None else limits.max_cells

    def _affords(self, region: Region) -> bool:
        """Whether the chunks that are begun for this request are not too much together."""
        work = self._work(region)
        if sum(self._begun) + work > self._most:
            return False
        self._begun.append(work)
        return True

    def _bytes(self, region: Region) -> int:
        """What is kept of a region's chunk, for the largest way."""
        each = max(self.job.dtype(way).itemsize for way in self.job.ways) + 1
        return each * self._whole(region).cells

    def _noted(self, keys: Sequence[Hashable], size: int) -> bool:
        """Whether all were wanted before, each of so many bytes; now they were.

        That is known as long as what comes of the chunks that were wanted since then would fit the
        cache: what is kept is found when it is wanted next.
        """
        context = self.job.reader.steps.context
        noted = context.reduced
        again = [context.cache.holds(key) or noted.held(key) is not None for key in keys]
        for key in keys:
            noted.get(key, lambda: size)
        return all(again)

    def _whole(self, region: Region) -> Region:
        reader = self.job.reader
        assert reader.plan is not None  # noqa: S101  regions come from it
        levels = reader.steps.cube.description.levels
        shape = levels[reader.steps.level].grid.shape
        return Region.whole(region.chunk, reader.plan.chunk_shape, shape)

    @cached_property
    def _name(self) -> str:
        """Names what is reduced, where and in which order, as far as it decides the values."""
        steps = self.job.reader.steps
        store = steps.cube.store
        text = [f"{store.id} {steps.level} {self.size} {self.job.reader.stored}"]
        text.append(repr(steps.wanted))
        for place in self.order:
            time, others = (place[0], place[1:]) if store.timed else (0, place)
            text.append(f"{store.state_of(time)} {others}")
        return sha256("\n".join(text).encode("utf-8", "surrogatepass")).hexdigest()


def _as_long_as_wanted[T](find: Callable[[], T]) -> T:
    """What is found, also where whoever has begun to make it is gone."""
    while True:
        try:
            return find()
        except Abandoned:
            check_wanted()


def _moved[T: np.generic](values: NDArray[T], room: Room) -> NDArray[T]:
    moved = room(values.nbytes).view(values.dtype).reshape(values.shape)
    moved[...] = values
    moved.flags.writeable = False
    return moved
