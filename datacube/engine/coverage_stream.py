"""A part of a coverage of any size: read band by band while it is written."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from datacube.config.settings import Limits
from datacube.engine.ahead import ahead
from datacube.engine.bands import positions_of, row_bands
from datacube.engine.context import Context
from datacube.engine.coverage import check_aggregate, find_group
from datacube.engine.coverage_plan import CoveragePlan, make_plan
from datacube.engine.cube import Cube
from datacube.engine.limits import check_stream
from datacube.engine.read import Values, plan_field, read_field
from datacube.engine.steps import rows_of
from datacube.model.block import Block
from datacube.model.fields import Field
from datacube.model.query import CoverageQuery
from datacube.model.stream import CoverageStream, Part, part_domain
from datacube.slicing.cells import IndexMap, ReadPlan, SeparableMap
from datacube.slicing.warp import SeparablePositions

_STREAM_FROM = 16 << 20
_AHEAD = 32 << 20  # bytes of values that are read ahead
_COMPUTED = 16  # bytes that a cell is reckoned as where steps are reduced or cells resampled


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
    check_stream(context.settings.limits, plan.stream_size)
    check_aggregate(context.settings.limits, plan)
    shapes = [cube.store.chunk_shape(one.name, plan.level) for one in plan.sources]
    chunk_rows = max(shape[-2] for shape in shapes)
    bands = tuple(row_bands(plan.cells, chunk_rows, _cell_bytes(plan)))
    reader = _Reader(context, cube, plan, bands)
    gaps = plan.within is not None or not _by_steps(plan) or _has_outside(plan.cells)
    return CoverageStream(plan.description, reader.read, bands, gaps, plan.notes)


def is_streamable(plan: CoveragePlan) -> bool:
    """Whether a coverage can be read row by row: no position is kept for each of its cells."""
    return isinstance(plan.cells, SeparableMap) and (
        plan.sampling is None or isinstance(plan.sampling.found, SeparablePositions)
    )


def is_large(limits: Limits, plan: CoveragePlan) -> bool:
    """Whether a coverage is better streamed than held.

    One that is read from the copy for long times is held as long as it may be: a stream reads the
    chunks of maps.
    """
    from_series = any(window is not None for window in plan.series)
    held = limits.max_coverage_bytes if from_series else _STREAM_FROM
    return plan.nbytes > min(held, limits.max_coverage_bytes)


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
        """Blocks in order, some of them ahead; reduced steps are read ahead each for itself."""
        if not _by_steps(self.plan):
            return map(self._block, parts)
        height = max(band.stop - band.start for band in self.bands)
        size = height * self.plan.cells.shape[1] * _cell_bytes(self.plan)
        return ahead(self.context.steps, self._block, parts, min(max(_AHEAD // size, 1), 6))

    def _block(self, part: Part) -> Block:
        description = self.plan.description
        number = description.range_type.names.index(part.field)
        one = description.range_type.fields[number]
        domain = part_domain(description.domain, part)
        data, valid = self._values(number, part)
        if self.plan.within is not None:
            valid = valid & self.plan.within.inside(part.rows)
        data = data.astype(one.dtype, copy=False)
        return Block(one, domain, data.reshape(domain.shape), valid.reshape(domain.shape))

    def _values(self, number: int, part: Part) -> Values:
        groups = self._groups(part.place)
        if not _by_steps(self.plan):
            some = _some_rows(self.plan, part.rows)
            return find_group(self.context, self.cube, number, some, groups)
        place, source = tuple(group.start for group in groups), self.plan.sources[number]
        chunks = self._read_plan(source, part.rows)
        return read_field(
            self.context.pool, self.cube.store, source, self.plan.level, chunks, place
        )

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
            cells = rows_of(self.plan.cells, rows)
            found = plan_field(self.cube.store, source, self.plan.level, cells)
            self._read_plans[key] = found
        return found


def _by_steps(plan: CoveragePlan) -> bool:
    """Whether stored values of single steps are what is wanted."""
    return plan.reducer is None and plan.sampling is None


def _cell_bytes(plan: CoveragePlan) -> int:
    """What a cell is reckoned as."""
    if not _by_steps(plan):
        return _COMPUTED
    return max(np.dtype(one.dtype).itemsize for one in plan.sources)


def _some_rows(plan: CoveragePlan, rows: slice) -> CoveragePlan:
    how = plan.sampling
    if how is not None:
        how = replace(how, found=positions_of(how.found, rows))
    return replace(plan, cells=rows_of(plan.cells, rows), sampling=how)


def _has_outside(cells: IndexMap) -> bool:
    return bool((cells.rows < 0).any() or (cells.columns < 0).any())
