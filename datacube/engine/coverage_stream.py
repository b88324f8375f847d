"""A part of a coverage of any size: read band by band while it is written."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from math import prod

import numpy as np
from numpy.typing import NDArray

from datacube.config.settings import Limits
from datacube.engine.ahead import WAITING, ahead
from datacube.engine.bandmap import BandMap
from datacube.engine.context import Context
from datacube.engine.coverage import bands_of, check_aggregate, find_group
from datacube.engine.coverage_plan import CoveragePlan, make_plan
from datacube.engine.cube import Cube
from datacube.engine.limits import check_stream
from datacube.engine.progress import have_read
from datacube.engine.read import Plane, mask_of, plan_field, read_stored
from datacube.model.block import Block
from datacube.model.fields import Field
from datacube.model.query import CoverageQuery
from datacube.model.stream import CoverageStream, Part, part_domain
from datacube.slicing.cells import ReadPlan, SeparableMap
from datacube.store.buffers import unset_bytes

type BoolArray = NDArray[np.bool_]

_STREAM_FROM = 16 << 20
_AHEAD = 32 << 20  # bytes of values that are read ahead


def stream_coverage(context: Context, query: CoverageQuery) -> CoverageStream:
    """Plan a part of a coverage; its chunks are read when its blocks are taken.

    The answer is that of :func:`~datacube.engine.coverage.get_coverage`, in parts.

    Raises
    ------
    CoverageNotFound, FieldNotFound, AxisNotFound, InvalidSubset, InvalidScaling, InvalidCrs
    InvalidParameter
        The query cannot be meant; the message says what would be valid.
    RequestTooLarge
        The values would be larger than the limit of streams.
    StorageError
        While blocks are taken: a chunk cannot be read.
    """
    cube = context.catalog.cube(query.coverage)
    plan = make_plan(cube, query)
    check_stream(context.settings.limits, plan.stream_size())
    check_aggregate(context.settings.limits, plan)
    bands = bands_of(cube, plan)
    reader = _Reader(context, cube, plan, bands)
    gaps = plan.within is not None or plan.computed or _has_outside(plan)
    return CoverageStream(plan.description, reader.read, bands, gaps, plan.notes)


def is_large(limits: Limits, plan: CoveragePlan, fields: Sequence[Field] = ()) -> bool:
    """Whether a coverage is better streamed than held.

    One that is read from the copy for long times is held as long as it may be: a stream reads the
    chunks of maps. So is one of several reducers: a stream of one field after the other would read
    the steps for each of them.

    Parameters
    ----------
    fields : what the values are made, where they are made others
    """
    at_once = len(set(plan.reducers)) > 1 or any(window is not None for window in plan.series)
    held = limits.max_coverage_bytes if at_once else _STREAM_FROM
    return plan.size(fields).nbytes > min(held, limits.max_coverage_bytes)


@dataclass(frozen=True, eq=False)
class _Reader:
    """Reads parts of a planned coverage.

    Parameters
    ----------
    context : Context
    cube : Cube
    plan : CoveragePlan
    bands : rows of the answer, cut where rows of chunks begin
    """

    context: Context
    cube: Cube
    plan: CoveragePlan
    bands: tuple[slice, ...]
    _read_plans: dict[tuple[str, int], ReadPlan] = field(default_factory=dict, init=False)

    def read(self, parts: Iterable[Part]) -> Iterator[Block]:
        """Blocks in order; whoever wants to know is told of each."""
        for block in self._blocks(parts):
            have_read(block.data.size)
            yield block

    def _blocks(self, parts: Iterable[Part]) -> Iterator[Block]:
        """Blocks, some of them ahead; reduced steps are read ahead each for itself."""
        if self.plan.computed:
            return self._computed(parts)
        if self._small:
            if self.cube.store.remote:
                return ahead(self.context.steps, self._stored, parts, WAITING)
            return map(self._stored, parts)
        height = max(band.stop - band.start for band in self.bands)
        size = height * self.plan.cells.shape[1] * self.plan.cell_bytes
        return ahead(self.context.steps, self._stored, parts, min(max(_AHEAD // size, 1), 6))

    def _stored(self, part: Part) -> Block:
        """Values of a single step as they are stored."""
        number = self._number(part)
        place = tuple(group.start for group in self._groups(part.place))
        source, store = self.plan.sources[number], self.cube.store
        chunks = self._read_plan(source, part.rows)
        data = self._room(chunks.map.shape, np.dtype(source.dtype))
        read_stored(self.context.pool, store, source, self.plan.level, chunks, place, data)
        return self._block(number, part, data, mask_of(source, chunks.map))

    @cached_property
    def _small(self) -> bool:
        """Whether all of it may be held, and is read by the thread that asks."""
        return self.plan.nbytes <= _STREAM_FROM

    def _room(self, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Plane:
        """Memory for a block: of a small answer such as a file can have it for its own."""
        if not self._small:
            return np.empty(shape, dtype)
        return np.ndarray(shape, dtype, unset_bytes(prod(shape) * dtype.itemsize))

    def _computed(self, parts: Iterable[Part]) -> Iterator[Block]:
        """Values of steps made one, or between cells; neighbours of one source are read once."""
        for (place, top, stop, _), some in groupby(parts, self._origin):
            asked = tuple(some)
            numbers = [self._number(part) for part in asked]
            plan = self.plan.of_rows(slice(top, stop))
            found = find_group(self.context, self.cube, numbers, plan, self._groups(place))
            for number, part, values in zip(numbers, asked, found, strict=True):
                yield self._block(number, part, *values)

    def _origin(self, part: Part) -> tuple[tuple[int, ...], int, int, str]:
        """Where a part comes from: place, first and last row, stored field."""
        source = self.plan.sources[self._number(part)]
        return part.place, part.rows.start, part.rows.stop, source.name

    def _number(self, part: Part) -> int:
        return self.plan.description.range_type.names.index(part.field)

    def _block(self, number: int, part: Part, data: Plane, mask: BoolArray | None) -> Block:
        description = self.plan.description
        one = description.range_type.fields[number]
        domain = part_domain(description.domain, part)
        data = data.astype(one.dtype, copy=False)
        if self.plan.within is not None:
            mask = one.valid(data) if mask is None else mask
            mask = mask & self.plan.within.inside(part.rows)
        there = None if mask is None else mask.reshape(domain.shape)
        return Block(one, domain, data.reshape(domain.shape), there)

    def _groups(self, place: tuple[int, ...]) -> tuple[range, ...]:
        """Indexes on every axis of the cube for a place on those that the answer still has."""
        left = iter(place)
        return tuple(
            pick.groups[0 if pick.axis is None else next(left)] for pick in self.plan.picks
        )

    def _read_plan(self, source: Field, rows: slice) -> ReadPlan:
        key = source.name, rows.start
        found = self._read_plans.get(key)
        if found is None:
            cells = self.plan.cells_of(rows)
            found = plan_field(self.cube.store, source, self.plan.level, cells)
            if isinstance(self.plan.cells, SeparableMap):  # others are as large as the values
                self._read_plans[key] = found
        return found


def _has_outside(plan: CoveragePlan) -> bool:
    """Whether cells of the answer may lie beside the cube."""
    return isinstance(plan.cells, BandMap) or plan.cells.gaps
