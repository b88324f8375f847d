"""A part of a coverage: the one function behind WCS GetCoverage and OGC API Coverages."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from math import prod

import numpy as np

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.horizontal import select_grid
from datacube.engine.limits import check_coverage
from datacube.engine.read import plan_field, read_field
from datacube.errors import AxisNotFound, InvalidScaling
from datacube.model.axis import Axis, TimeAxis, axis_part, axis_value
from datacube.model.block import Block
from datacube.model.coverage import Coverage, CoverageDescription
from datacube.model.domain import DomainSet
from datacube.model.fields import Field, RangeType
from datacube.model.grid import RectifiedGrid
from datacube.model.query import CoverageQuery, ScaleFactor, ScaleSize, Scaling, Subset
from datacube.slicing.level import map_on_best_level
from datacube.slicing.select import Span, select_places
from datacube.slicing.warp import IndexMap


@dataclass(frozen=True, eq=False)
class CoveragePlan:
    """What a coverage query will read and give.

    Parameters
    ----------
    description : of exactly the answer
    level : int, the level that is read
    cells : IndexMap, cells of the answer -> cells of that level
    spans : one for each axis of the cube other than x and y
    notes : what was clamped
    count : int, number of values over all fields
    nbytes : int, size of the values
    chunks : int, number of chunks to read
    """

    description: CoverageDescription
    level: int
    cells: IndexMap
    spans: tuple[Span, ...]
    notes: tuple[str, ...]
    count: int
    nbytes: int
    chunks: int


def get_coverage(context: Context, query: CoverageQuery) -> Coverage:
    """Read a part of a coverage: trims, slices, fields, scaling.

    Sliced axes are gone in the answer, but for the horizontal ones, which keep one cell.

    Raises
    ------
    CoverageNotFound, FieldNotFound, AxisNotFound, InvalidSubset, InvalidScaling, InvalidCrs
        The query cannot be meant; the message says what would be valid.
    RequestTooLarge
        The values would be larger than the limit.
    StorageError
        A chunk cannot be read.
    """
    cube = context.catalog.cube(query.coverage)
    plan = plan_coverage(context, query)
    check_coverage(
        context.settings.limits, plan.nbytes, plan.count, prod(span.size for span in plan.spans)
    )
    fields = plan.description.range_type.fields
    blocks = {field.name: _read_block(context, cube, field, plan) for field in fields}
    return Coverage(plan.description, blocks, plan.notes)


def plan_coverage(context: Context, query: CoverageQuery) -> CoveragePlan:
    """Plan a coverage query without reading a chunk; raises as :func:`get_coverage`."""
    cube = context.catalog.cube(query.coverage)
    domain = cube.description.domain
    horizontal, others = _by_axis(domain, query.subsets)
    window, level, cells, clamped = _window(cube, horizontal, query)
    tolerance = cube.settings.time.tolerance_ms
    spans = tuple(_span(axis, others.get(axis.name), tolerance) for axis in domain.axes)
    description = _describe(cube, query, window, spans)
    fields = description.range_type.fields
    places = prod(span.size for span in spans)
    count = places * prod(window.shape)
    return CoveragePlan(
        description,
        level,
        cells,
        spans,
        (*clamped, *_clamped_axes(domain.axes, spans)),
        count * len(fields),
        count * sum(np.dtype(field.dtype).itemsize + 1 for field in fields),
        places * sum(len(plan_field(cube.store, field, level, cells).chunks) for field in fields),
    )


def _window(
    cube: Cube, horizontal: Mapping[str, Subset], query: CoverageQuery
) -> tuple[RectifiedGrid, int, IndexMap, tuple[str, ...]]:
    """Grid of the answer, the level to read, its cells, and what was clamped."""
    window, cells, notes = select_grid(cube.description.domain.rectified, horizontal, query.rule)
    if query.scaling is None:
        return window, 0, cells, notes
    scaled = _scaled(window, query.scaling)
    level, coarse = map_on_best_level(cube.description.levels, scaled)
    return scaled, level.number, coarse, notes


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


def _span(axis: Axis, subset: Subset | None, tolerance: int | None) -> Span:
    return Span(0, axis.size) if subset is None else select_places(axis, subset, tolerance)


def _scaled(grid: RectifiedGrid, scaling: Scaling) -> RectifiedGrid:
    match scaling:
        case ScaleFactor(factor):
            if not (factor > 0 and np.isfinite(factor)):
                raise InvalidScaling(
                    f"the scale factor {factor} is not a positive number", subject="SCALEFACTOR"
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


def _describe(
    cube: Cube, query: CoverageQuery, window: RectifiedGrid, spans: tuple[Span, ...]
) -> CoverageDescription:
    whole = cube.description
    names = query.fields or whole.range_type.names
    fields = tuple(dict.fromkeys(whole.range_type.field(name) for name in names))
    axes = tuple(
        axis_part(axis, span.start, span.stop)
        for axis, span in zip(whole.domain.axes, spans, strict=True)
        if not span.dropped
    )
    return replace(whole, domain=DomainSet(window, axes), range_type=RangeType(fields), levels=())


def _clamped_axes(axes: tuple[Axis, ...], spans: tuple[Span, ...]) -> Iterator[str]:
    for axis, span in zip(axes, spans, strict=True):
        if span.clamped and isinstance(axis, TimeAxis):
            first, last = axis_value(axis, 0), axis_value(axis, -1)
            yield f"Subset clamped: {axis.name} runs from {first} to {last}"


def _read_block(context: Context, cube: Cube, field: Field, plan: CoveragePlan) -> Block:
    sizes = tuple(span.size for span in plan.spans)
    shape = plan.cells.shape
    data = np.empty((*sizes, *shape), field.dtype)
    valid = np.empty((*sizes, *shape), bool)
    chunks = plan_field(cube.store, field, plan.level, plan.cells)
    for target in product(*(range(size) for size in sizes)):
        place = tuple(span.start + at for span, at in zip(plan.spans, target, strict=True))
        read = read_field(context.pool, cube.store, field, plan.level, chunks, place)
        data[target], valid[target] = read
    domain = plan.description.domain
    return Block(field, domain, data.reshape(domain.shape), valid.reshape(domain.shape))
