"""Planning a part of a coverage: what the answer is, and what has to be read for it. No I/O."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod, sqrt

import numpy as np

from datacube.engine.cube import Cube
from datacube.engine.horizontal import select_grid
from datacube.engine.limits import Size
from datacube.engine.read import plan_field
from datacube.engine.resampled import Sampling, resampled_field, sampling
from datacube.engine.series import SeriesWindow, series_window
from datacube.engine.wanted import reduced_field
from datacube.errors import AxisNotFound, InvalidScaling, InvalidSubset
from datacube.model.axis import Axis, TimeAxis, axis_part, axis_value
from datacube.model.coverage import CoverageDescription, Level
from datacube.model.crs import Crs
from datacube.model.domain import DomainSet
from datacube.model.fields import Field, RangeType
from datacube.model.grid import RectifiedGrid
from datacube.model.query import (
    Aggregate,
    CoverageQuery,
    Interpolation,
    ScaleFactor,
    ScaleSize,
    Scaling,
    Subset,
)
from datacube.slicing.cells import IndexMap
from datacube.slicing.footprint import AREA_METHODS
from datacube.slicing.level import map_on_best_level
from datacube.slicing.periods import bins, parse_every
from datacube.slicing.reduce import Reducer, reducer
from datacube.slicing.select import Span
from datacube.slicing.select_axis import select_places
from datacube.slicing.warp import positions, to_cells

_MOST_CELLS = 64 << 20


@dataclass(frozen=True, eq=False)
class Pick:
    """The places of one axis that the answer is made of.

    Parameters
    ----------
    groups : one range of the cube's indexes for each place of the answer; of length 1 but where
        steps are aggregated
    axis : the axis of the answer, None where it is gone
    clamped : bool
    """

    groups: tuple[range, ...]
    axis: Axis | None
    clamped: bool = False


@dataclass(frozen=True, eq=False)
class CoveragePlan:
    """What a coverage query will read and give.

    Parameters
    ----------
    description : of exactly the answer
    sources : the stored fields that are read, in the answer's order
    level : int, the level that is read
    cells : IndexMap, cells of the answer -> cells of that level
    sampling : how values between cells are found; None is the nearest, by cells
    method : what the query asks for between cells, also where there is nothing between
    series : for each source the window of the series copy that is read, None for map chunks
    picks : one for each axis of the cube other than x and y
    reducer : how grouped steps become one, None where there are no groups
    notes : what was clamped
    count : int, number of values over all fields
    nbytes : int, size of the values
    chunks : int, number of chunks to read
    """

    description: CoverageDescription
    sources: tuple[Field, ...]
    level: int
    cells: IndexMap
    sampling: Sampling | None
    method: Interpolation
    series: tuple[SeriesWindow | None, ...]
    picks: tuple[Pick, ...]
    reducer: Reducer | None
    notes: tuple[str, ...]
    count: int
    nbytes: int
    chunks: int

    @property
    def steps(self) -> int:
        """Number of places of the answer beside x and y."""
        return prod(len(pick.groups) for pick in self.picks)

    @property
    def size(self) -> Size:
        """How large the answer is in memory: values and masks."""
        return self._size(self.nbytes, 1)

    @property
    def stream_size(self) -> Size:
        """How large it is where it is sent while it is read: the values alone."""
        return self._size(self.nbytes - self.count, 0)

    def _size(self, nbytes: int, mask: int) -> Size:
        scaled = (resampled_field(one, self.method) for one in self.description.range_type.fields)
        each = sum(np.dtype(one.dtype).itemsize + mask for one in scaled)
        return Size(nbytes, self.cells.shape, self.steps, each)


def make_plan(cube: Cube, query: CoverageQuery) -> CoveragePlan:
    """Plan a query; raises what :func:`~datacube.engine.coverage.get_coverage` does."""
    domain = cube.description.domain
    horizontal, others = _by_axis(domain, query.subsets)
    window, level, cells, clamped = _window(cube, horizontal, query)
    how = _sampling(cube, window, level, query)
    chosen = _reducer(domain, query.aggregate)
    tolerance = cube.settings.time.tolerance_ms
    picks = tuple(
        _pick(axis, others.get(axis.name), tolerance, query.aggregate) for axis in domain.axes
    )
    sources = _fields(cube, query.fields)
    description = _describe(cube, sources, window, picks, chosen, query.interpolation, how)
    fields = description.range_type.fields
    count = prod(len(pick.groups) for pick in picks) * prod(window.shape)
    reads = prod(sum(map(len, pick.groups)) for pick in picks)
    times = _times(domain, picks)
    series = tuple(
        None if how else series_window(cube.store, one, level.number, cells, times)
        for one in sources
    )
    elsewhere = reads // len(times) if times else reads
    return CoveragePlan(
        description,
        sources,
        level.number,
        cells,
        how,
        query.interpolation,
        series,
        picks,
        chosen,
        (*clamped, *_clamped_axes(domain.axes, picks)),
        count * len(fields),
        count * sum(np.dtype(field.dtype).itemsize + 1 for field in fields),
        sum(
            reads * len(plan_field(cube.store, one, level.number, cells).chunks)
            if window_of is None
            else elsewhere * window_of.chunks
            for one, window_of in zip(sources, series, strict=True)
        ),
    )


def _times(domain: DomainSet, picks: tuple[Pick, ...]) -> range:
    """The indexes along time from the first to the last that is picked; empty without time."""
    for axis, pick in zip(domain.axes, picks, strict=True):
        if isinstance(axis, TimeAxis):
            return range(pick.groups[0].start, pick.groups[-1].stop)
    return range(0)


def _window(
    cube: Cube, horizontal: Mapping[str, Subset], query: CoverageQuery
) -> tuple[RectifiedGrid, Level, IndexMap, tuple[str, ...]]:
    """Grid of the answer, the level to read, its cells, and what was clamped."""
    levels = cube.description.levels
    window, cells, notes = select_grid(cube.description.domain.rectified, horizontal)
    crs = query.output_crs
    target = window if crs is None or crs.same_plane(window.crs) else reprojected(window, crs)
    if query.scaling is not None:
        target = _scaled(target, query.scaling)
    if target is window:
        return window, levels[0], cells, notes
    level, coarse = map_on_best_level(levels, target)
    if query.interpolation in AREA_METHODS:
        level = _finest_affordable(levels, level, target)
        coarse = to_cells(positions(levels[0].grid, target), levels[0].grid, level.factor)
    return target, level, coarse, notes


def reprojected(window: RectifiedGrid, crs: Crs) -> RectifiedGrid:
    """A grid in another CRS around a window, with about as many square cells."""
    box = window.bbox.to_crs(crs).unwrapped()
    side = sqrt(box.width * box.height / (window.width * window.height))
    width, height = max(round(box.width / side), 1), max(round(box.height / side), 1)
    return RectifiedGrid.from_bbox(box, width, height)


def _finest_affordable(levels: tuple[Level, ...], coarse: Level, target: RectifiedGrid) -> Level:
    """The level whose cells an area method looks at: the finest that is not too many of them."""
    for level in levels[: coarse.number + 1]:
        share = (2**coarse.number / level.factor) ** 2
        if 4 * share * target.width * target.height <= _MOST_CELLS:
            return level
    return coarse


def _sampling(
    cube: Cube, target: RectifiedGrid, level: Level, query: CoverageQuery
) -> Sampling | None:
    own = cube.description.domain.rectified
    same = query.scaling is None and target.crs.same_plane(own.crs)
    if query.interpolation == "nearest" or same:
        return None
    return sampling(cube, target, query.interpolation, level)


def _by_axis(
    domain: DomainSet, subsets: Iterable[Subset]
) -> tuple[dict[str, Subset], dict[str, Subset]]:
    """Subsets of x and y, and those of the other axes by the axis' own name."""
    horizontal: dict[str, Subset] = {}
    others: dict[str, Subset] = {}
    for subset in subsets:
        axis = domain.axis(subset.axis)
        name, where = (axis, horizontal) if isinstance(axis, str) else (axis.name, others)
        if name in where:
            raise AxisNotFound(f"the axis {subset.axis} is given twice", subject=subset.axis)
        where[name] = subset
    return horizontal, others


def _reducer(domain: DomainSet, aggregate: Aggregate | None) -> Reducer | None:
    if aggregate is None:
        return None
    if not isinstance(domain.axis(aggregate.axis), TimeAxis):
        raise InvalidSubset(
            f"only the time axis can be aggregated, not {aggregate.axis}", subject=aggregate.axis
        )
    return reducer(aggregate.method)


def _pick(
    axis: Axis, subset: Subset | None, tolerance: int | None, aggregate: Aggregate | None
) -> Pick:
    span = Span(0, axis.size) if subset is None else select_places(axis, subset, tolerance)
    if aggregate is not None and isinstance(axis, TimeAxis) and not span.dropped:
        return _grouped(axis, span, aggregate.every)
    part = None if span.dropped else axis_part(axis, span.start, span.stop)
    groups = tuple(range(index, index + 1) for index in range(span.start, span.stop))
    return Pick(groups, part, span.clamped)


def _grouped(axis: TimeAxis, span: Span, every: str) -> Pick:
    """Steps by period, labelled with its begin and bounded by it; without a period all in one."""
    if not every:
        return Pick((range(span.start, span.stop),), None, span.clamped)
    part = axis_part(axis, span.start, span.stop)
    if not isinstance(part, TimeAxis):
        raise TypeError(axis.name)
    made = bins(part, parse_every(every))
    groups = tuple(range(span.start + one.start, span.start + one.stop) for one in made)
    labels = np.array([one.label for one in made])
    bounds = np.array([(one.first, one.last) for one in made])
    return Pick(groups, replace(part, ticks=labels, bounds=bounds), span.clamped)


def _fields(cube: Cube, names: tuple[str, ...]) -> tuple[Field, ...]:
    known = cube.description.range_type
    return tuple(dict.fromkeys(known.field(name) for name in names or known.names))


def _describe(
    cube: Cube,
    sources: tuple[Field, ...],
    window: RectifiedGrid,
    picks: tuple[Pick, ...],
    chosen: Reducer | None,
    method: Interpolation,
    how: Sampling | None,
) -> CoverageDescription:
    axes = tuple(pick.axis for pick in picks if pick.axis is not None)
    fields = sources
    if chosen is not None:
        fields = tuple(
            reduced_field(one, chosen, chosen.dtype_of(one.physical_dtype)) for one in sources
        )
    if how is not None:
        fields = tuple(resampled_field(one, method) for one in fields)
    domain = DomainSet(window, axes)
    return replace(cube.description, domain=domain, range_type=RangeType(fields), levels=())


def _clamped_axes(axes: tuple[Axis, ...], picks: tuple[Pick, ...]) -> Iterator[str]:
    for axis, pick in zip(axes, picks, strict=True):
        if pick.clamped and isinstance(axis, TimeAxis):
            first, last = axis_value(axis, 0), axis_value(axis, -1)
            yield f"Subset clamped: {axis.name} runs from {first} to {last}"


def _scaled(grid: RectifiedGrid, scaling: Scaling) -> RectifiedGrid:
    match scaling:
        case ScaleFactor(factor):
            if not (factor > 0 and np.isfinite(factor * max(grid.shape))):
                raise InvalidScaling(
                    f"the scale factor {factor:g} is not possible; 0.5 halves the size",
                    subject="SCALEFACTOR",
                )
            width, height = round(grid.width * factor), round(grid.height * factor)
        case ScaleSize(width, height):
            if width < 1 or height < 1:
                raise InvalidScaling(
                    f"a size of {width} x {height} cells is not possible", subject="SCALESIZE"
                )
    width, height = max(width, 1), max(height, 1)
    transform = grid.transform @ grid.transform.scale(grid.width / width, grid.height / height)
    return RectifiedGrid(grid.crs, transform, width, height)
