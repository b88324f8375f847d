"""Planning a part of a coverage: what the answer is, and what has to be read for it. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby, pairwise
from math import prod, sqrt

import numpy as np

from datacube.engine.bandmap import BandMap
from datacube.engine.bands import positions_of
from datacube.engine.coverage_cells import cells_for
from datacube.engine.coverage_fields import describe, outputs, reducers_of
from datacube.engine.cube import Cube
from datacube.engine.horizontal import select_grid
from datacube.engine.limits import Size, is_brief
from datacube.engine.picks import Pick, by_axis, clamped_axes, fields_of, pick_axes, times_of
from datacube.engine.positioned import select_positions
from datacube.engine.read import plan_field
from datacube.engine.resampled import Sampling, resampled_field, sampling
from datacube.engine.series import SeriesWindow, series_window
from datacube.engine.steps import rows_of
from datacube.engine.wanted import Wanted, wanted_expression
from datacube.errors import InvalidScaling, RequestTooLarge
from datacube.model.axis import TimeAxis
from datacube.model.bbox import BoundingBox
from datacube.model.coverage import CoverageDescription, Level
from datacube.model.crs import Crs
from datacube.model.domain import DomainSet
from datacube.model.fields import Field
from datacube.model.grid import Grid, RectifiedGrid, ReferenceableGrid
from datacube.model.query import (
    CoverageQuery,
    Interpolation,
    ScaleFactor,
    ScaleSize,
    Scaling,
    Subset,
)
from datacube.slicing.cells import IndexMap, SeparableMap
from datacube.slicing.once import Once, once
from datacube.slicing.polygon import Outline, outline
from datacube.slicing.reduce import Reducer

_LONGEST = 1_000_000  # cells of a side that is scaled
_COMPUTED = 16  # bytes that a cell is reckoned as where steps are reduced or cells resampled
_MAPPED = 48  # where its position is found


@dataclass(frozen=True, eq=False)
class CoveragePlan:
    """What a coverage query will read and give.

    Parameters
    ----------
    description : of exactly the answer
    sources : the stored fields that are read, in the answer's order
    level : int, the level that is read
    cells : IndexMap, cells of the answer -> cells of that level; BandMap where they are too many
    sampling : how values between cells are found; None is the nearest, by cells
    method : what the query asks for between cells, also where there is nothing between
    within : what is outside of it is not valid, on the answer's grid
    series : for each source the window of the series copy that is read, None for map chunks
    picks : one for each axis of the cube other than x and y
    reducers : how grouped steps become one for each source; empty where there are no groups
    mask : the expression that is true where stored values are kept, None for everywhere
    notes : what was clamped
    count : int, number of values over all fields
    chunks : int, number of chunks to read
    """

    description: CoverageDescription
    sources: tuple[Field, ...]
    level: int
    cells: IndexMap | BandMap
    sampling: Sampling | None
    method: Interpolation
    within: Outline | Once | None
    series: tuple[SeriesWindow | None, ...]
    picks: tuple[Pick, ...]
    reducers: tuple[Reducer, ...]
    mask: Wanted | None
    notes: tuple[str, ...]
    count: int
    chunks: int

    @property
    def cell_bytes(self) -> int:
        """What a cell is reckoned as while it is read."""
        if isinstance(self.cells, BandMap):
            return _MAPPED
        if self.computed:
            return _COMPUTED
        return max(np.dtype(one.dtype).itemsize for one in self.sources)

    @property
    def around(self) -> IndexMap:
        """The cells, or the rectangle around them where they are found while they are read."""
        return self.cells.around if isinstance(self.cells, BandMap) else self.cells

    @property
    def resampled(self) -> bool:
        """Whether values between cells are wanted."""
        return self.sampling is not None or _between(self.cells)

    @property
    def computed(self) -> bool:
        """Whether more is wanted than stored values of single steps."""
        return bool(self.reducers) or self.mask is not None or self.resampled

    @property
    def plain(self) -> bool:
        """Whether stored values of single steps are read from map chunks."""
        return not self.computed and not any(self.series)

    @property
    def brief(self) -> bool:
        """Whether it is read in a moment: few stored values, of few chunks."""
        return is_brief(self.count, self.chunks) and not self.computed

    def of_rows(self, rows: slice) -> "CoveragePlan":
        """The plan of some rows of the answer: their cells, and how values between are found."""
        if isinstance(self.cells, BandMap):
            cells, how = self.cells.of_rows(rows)
            return replace(self, cells=cells, sampling=how)
        how = self.sampling
        if how is not None:
            how = replace(how, found=positions_of(how.found, rows))
        return replace(self, cells=rows_of(self.cells, rows), sampling=how)

    def cells_of(self, rows: slice) -> IndexMap:
        """The cells of some rows of the answer."""
        if isinstance(self.cells, BandMap):
            return self.of_rows(rows).around
        return rows_of(self.cells, rows)

    @property
    def reducer(self) -> Reducer | None:
        """The first of the reducers."""
        return self.reducers[0] if self.reducers else None

    @property
    def alike(self) -> tuple[tuple[int, ...], ...]:
        """Fields of the answer that come of one stored field, by their numbers: read together."""
        numbers = groupby(range(len(self.sources)), lambda one: self.sources[one].name)
        return tuple(tuple(some) for _, some in numbers)

    @property
    def steps(self) -> int:
        """Number of places of the answer beside x and y."""
        return prod(len(pick.groups) for pick in self.picks)

    @property
    def nbytes(self) -> int:
        """Size of the values in memory, with their masks."""
        return self.size().nbytes

    def size(self, fields: Sequence[Field] = ()) -> Size:
        """How large the answer is in memory: values and masks.

        Parameters
        ----------
        fields : what the values are made, where they are made others
        """
        return self._size(fields, 1)

    def stream_size(self, fields: Sequence[Field] = ()) -> Size:
        """How large it is where it is sent while it is read: the values alone."""
        return self._size(fields, 0)

    def _size(self, others: Sequence[Field], mask: int) -> Size:
        fields = others or self.description.range_type.fields
        scaled = (resampled_field(one, self.method) for one in fields)
        each, grown = (
            sum(np.dtype(one.dtype).itemsize + mask for one in some) for some in (fields, scaled)
        )
        shape = self.cells.shape
        return Size(self.steps * prod(shape) * each, shape, self.steps, grown)


@lru_cache(maxsize=2)
def make_plan(cube: Cube, query: CoverageQuery) -> CoveragePlan:
    """Plan a query, once for all who ask about it while it is answered.

    It raises what :func:`~datacube.engine.coverage.get_coverage` does.
    """
    domain = cube.description.domain
    horizontal, others = by_axis(domain, query.subsets)
    window, level, cells, clamped = _window(cube, horizontal, query)
    how = None if isinstance(cells, BandMap) else _sampling(cube, window, level, query)
    between = how is not None or _between(cells)
    around = cells.around if isinstance(cells, BandMap) else cells
    chosen = reducers_of(cube, query.aggregate)
    picks = pick_axes(cube, others, query.aggregate)
    sources, reducers = outputs(fields_of(cube, query.fields), chosen)
    description = describe(cube, sources, window, picks, reducers, query.interpolation, between)
    fields = description.range_type.fields
    count = prod(len(pick.groups) for pick in picks) * prod(window.shape)
    reads = prod(sum(map(len, pick.groups)) for pick in picks)
    times = times_of(domain, picks)
    mask = wanted_expression(cube.description, query.mask, subject="MASK") if query.mask else None
    apart = between or around is not cells or mask is not None
    regional = apart or not _by_series(domain, picks, reducers)
    series = tuple(
        None if regional else series_window(cube.store, one, level.number, around, times)
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
        _within(cube, query, description.domain),
        series,
        picks,
        reducers,
        mask,
        (*clamped, *clamped_axes(domain.axes, picks)),
        count * len(fields),
        sum(
            reads * len(plan_field(cube.store, one, level.number, around).chunks)
            if window_of is None
            else elsewhere * window_of.chunks
            for one, window_of in _read_for(sources, series, mask).items()
        ),
    )


def _within(cube: Cube, query: CoverageQuery, domain: DomainSet) -> Outline | Once | None:
    """The region that is asked for, and one turn of a grid that goes round more than once."""
    region = None if query.clip is None else outline(query.clip, domain.rectified)
    if query.grid is None:
        return region
    return once(query.grid, cube.description.domain.bbox, region) or region


def _read_for(
    sources: tuple[Field, ...], series: tuple[SeriesWindow | None, ...], mask: Wanted | None
) -> dict[Field, SeriesWindow | None]:
    """The stored fields that are read, those of a mask too, and which part of a series copy."""
    beside = () if mask is None else mask.needs
    return dict.fromkeys(beside) | dict(zip(sources, series, strict=True))


def _window(
    cube: Cube, horizontal: Mapping[str, Subset], query: CoverageQuery
) -> tuple[Grid, Level, IndexMap | BandMap, tuple[str, ...]]:
    """Grid of the answer, the level to read, its cells, and what was clamped."""
    levels = cube.description.levels
    if query.grid is not None:
        return *_placed(cube, query.grid, query.interpolation), ()
    window, cells, target, notes = _selected(cube, horizontal, query)
    if query.scaling is not None and target is not None:
        target = _scaled(target, query.scaling)
    if target is None or target is window:
        return window, levels[0], cells, notes
    return target, *cells_for(cube, target, cells, query.interpolation), notes


def _placed(
    cube: Cube, target: RectifiedGrid, method: Interpolation
) -> tuple[Grid, Level, IndexMap | BandMap]:
    """Exactly the cells of a grid, be they on the cube or not."""
    _check_sides(target.width, target.height, max(_LONGEST, *cube.description.domain.grid.shape))
    height, width = cube.description.domain.grid.shape
    whole = SeparableMap(np.arange(height), np.arange(width))
    return target, *cells_for(cube, target, whole, method)


def _between(cells: IndexMap | BandMap) -> bool:
    """Whether values between cells are found band by band."""
    return isinstance(cells, BandMap) and cells.method != "nearest"


def _selected(
    cube: Cube, horizontal: Mapping[str, Subset], query: CoverageQuery
) -> tuple[Grid, IndexMap, RectifiedGrid | None, tuple[str, ...]]:
    """Window of the cube's grid, its cells, and the equal cells of the answer before scaling.

    A grid whose cells have positions of their own is made one of equal cells only where a CRS or
    a size is asked for.
    """
    crs = query.output_crs
    match cube.description.domain.grid:
        case RectifiedGrid() as grid:
            window, cells, notes = select_grid(grid, horizontal)
            if crs is None or crs.same_plane(window.crs):
                return window, cells, window, notes
            return window, cells, reprojected(window.bbox, prod(window.shape), crs), notes
        case ReferenceableGrid() as grid:
            found = select_positions(grid, horizontal, cube.inverses)
            if crs is None and query.scaling is None:
                return found.grid, found.cells, None, found.notes
            target = reprojected(found.box, found.count, crs or grid.crs)
            return found.grid, found.cells, target, found.notes


def reprojected(window: BoundingBox, cells: int, crs: Crs) -> RectifiedGrid:
    """A grid in a CRS around a box, with about as many square cells."""
    box = window.to_crs(crs).unwrapped()
    side = sqrt(box.width * box.height / cells) or 1.0
    width, height = max(round(box.width / side), 1), max(round(box.height / side), 1)
    return RectifiedGrid.from_bbox(box, width, height)


def _sampling(cube: Cube, target: Grid, level: Level, query: CoverageQuery) -> Sampling | None:
    if query.interpolation == "nearest" or isinstance(target, ReferenceableGrid):
        return None
    own = cube.description.domain.grid
    same = query.scaling is None and query.grid is None and target.crs.same_plane(own.crs)
    if same and isinstance(own, RectifiedGrid):
        return None
    return sampling(cube, target, query.interpolation, level)


def _by_series(domain: DomainSet, picks: tuple[Pick, ...], reducers: tuple[Reducer, ...]) -> bool:
    """Whether steps can be taken as series: times without gaps, all else single, unranked."""
    alone = (
        isinstance(axis, TimeAxis) or all(len(group) == 1 for group in pick.groups)
        for axis, pick in zip(domain.axes, picks, strict=True)
    )
    gaps = any(
        after.start > before.stop for pick in picks for before, after in pairwise(pick.groups)
    )
    return all(alone) and not gaps and not any(one.ranked for one in reducers)


def _check_sides(width: int, height: int, most: int) -> None:
    if max(width, height) > most:
        raise RequestTooLarge(
            f"a coverage of {width:.10g} x {height:.10g} cells is too large; a side has at most "
            f"{most:,} cells",
            subject="SCALESIZE",
        )


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
    _check_sides(width, height, max(_LONGEST, *grid.shape))
    transform = grid.transform @ grid.transform.scale(grid.width / width, grid.height / height)
    return RectifiedGrid(grid.crs, transform, width, height)
