"""What the values within a region sum up to, step by step: zonal statistics as a series."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.limits import check_reduction, check_stacked
from datacube.engine.picks import Pick, by_axis, clamped_axes, fields_of, pick_axes
from datacube.engine.progress import have_read
from datacube.engine.scattered import CellsPlan, Cost, at_once, cheaper, costs, read_cells
from datacube.engine.wanted import reduced_field
from datacube.errors import InvalidSubset, SubsetOutOfDomain
from datacube.model.axis import Axis
from datacube.model.fields import Field
from datacube.model.query import AreaQuery
from datacube.model.sampled import Sampled
from datacube.slicing.accumulators import Accumulator
from datacube.slicing.cells import PixelMap
from datacube.slicing.polygon import Outline, outline
from datacube.slicing.reduce import Reducer, reducer
from datacube.store.series import SeriesCopy

_CELLS = 1 << 20  # cells whose places are listed at a time


@dataclass(frozen=True, eq=False)
class AreaPlan:
    """What an area query will read and give.

    Parameters
    ----------
    cube : Cube
    outline : Outline of the region on the cube's grid
    sources : the fields that are read
    reducer : Reducer
    picks : one for each axis other than x and y
    copies : for each source the series copy, None for map chunks
    costs : Cost of each source
    cells : int, how many have their centre inside
    axes : those that the answer has, in array order
    notes : tuple of str
    """

    cube: Cube
    outline: Outline
    sources: tuple[Field, ...]
    reducer: Reducer
    picks: tuple[Pick, ...]
    copies: tuple[SeriesCopy | None, ...]
    costs: tuple[Cost, ...]
    cells: int
    axes: tuple[Axis, ...]
    notes: tuple[str, ...]

    @property
    def steps(self) -> int:
        """Places of the other axes."""
        return prod(len(pick.groups) for pick in self.picks)

    def reads(self) -> Iterator[tuple[int, CellsPlan]]:
        """What is read, band by band of the region and field by field of those."""
        for cells in bands(self.cube, self.outline, self.sources):
            for number, field in enumerate(self.sources):
                at_a_time = at_once(field, min(self.cells, _CELLS), self.picks)
                yield (
                    number,
                    CellsPlan(field, cells, self.picks, self.copies[number], Cost(), at_a_time),
                )


def bands(cube: Cube, edges: Outline, sources: tuple[Field, ...]) -> Iterator[PixelMap]:
    """The cells inside, listed for some rows at a time, by whole chunks where few."""
    height = max(cube.store.chunk_shape(one.name)[-2] for one in sources)
    rows = max(_CELLS // edges.width, 1)
    step = rows - rows % height or rows
    within = edges.rows
    for start in range(within.start // step * step, within.stop, step):
        some = slice(max(start, within.start), min(start + step, within.stop))
        row, column = np.nonzero(edges.inside(some))
        if len(row):
            yield PixelMap((row + some.start)[np.newaxis], column[np.newaxis])


def get_area(context: Context, query: AreaQuery) -> Sampled:
    """The values within a region made one, for each place of the other axes.

    Raises
    ------
    CoverageNotFound, FieldNotFound, AxisNotFound, InvalidSubset, InvalidParameter
        The query cannot be meant.
    SubsetOutOfDomain
        No cell has its centre in the region.
    RequestTooLarge
        Too many cells would be read, or held at the same time.
    StorageError
        A chunk cannot be read.
    """
    plan = plan_area(context, query)
    shape = tuple(axis.size for axis in plan.axes)
    states: list[dict[tuple[int, int], Accumulator]] = [{} for _ in plan.sources]
    for number, part in plan.reads():
        field = plan.sources[number]
        for steps, (data, valid) in read_cells(context, plan.cube, part):
            have_read(data.size)
            _feed(states[number], plan.reducer, steps, field.decode(data, valid).T, valid.T)
    fields, values, known = [], {}, {}
    for field, state in zip(plan.sources, states, strict=True):
        data, valid = _result(state)
        made = reduced_field(field, plan.reducer, data.dtype)
        fields.append(made)
        values[made.name], known[made.name] = data.reshape(shape), valid.reshape(shape)
    description = plan.cube.description
    return Sampled(description, plan.axes, query.region, tuple(fields), values, known, plan.notes)


def plan_area(context: Context, query: AreaQuery) -> AreaPlan:
    """Plan an area query without reading a chunk; raises as :func:`get_area`."""
    cube = context.catalog.cube(query.coverage)
    domain = cube.description.domain
    horizontal, others = by_axis(domain, query.subsets)
    if horizontal:
        raise InvalidSubset("a region is not trimmed by x or y as well")
    picks, sources = pick_axes(cube, others), fields_of(cube, query.fields)
    chosen, limits = reducer(query.method), context.settings.limits
    edges = outline(query.region, domain.rectified)
    steps = prod(len(pick.groups) for pick in picks)
    cells, found = 0, [(Cost(), Cost()) for _ in sources]
    for band in bands(cube, edges, sources):
        cells += band.rows.size
        check_reduction(limits, cells, steps * len(sources), "coords", steps, chosen.effort)
        for number, field in enumerate(sources):
            by_map, by_series = costs(cube, field, band, picks)
            before = found[number]
            found[number] = before[0] + by_map, before[1] + (by_series or by_map)
    if not cells:
        raise SubsetOutOfDomain("no cell has its centre in the region", subject="coords")
    if chosen.stacked:
        check_stacked(limits, cells, steps, len(sources))
    copies = tuple(cheaper(cube, field, *cost) for field, cost in zip(sources, found, strict=True))
    return AreaPlan(
        cube,
        edges,
        sources,
        chosen,
        picks,
        copies,
        tuple(cost[copy is not None] for cost, copy in zip(found, copies, strict=True)),
        cells,
        tuple(pick.axis for pick in picks if pick.axis is not None),
        tuple(clamped_axes(domain.axes, picks)),
    )


def _feed(
    states: dict[tuple[int, int], Accumulator],
    how: Reducer,
    steps: slice,
    values: np.ndarray,
    valid: np.ndarray,
) -> None:
    """Cells as steps of a reduction whose result has the steps as cells; (cells, steps)."""
    key = steps.start, steps.stop
    if key not in states:
        states[key] = how.start((steps.stop - steps.start,))
    states[key].extend(np.ascontiguousarray(values), np.ascontiguousarray(valid))


def _result(states: dict[tuple[int, int], Accumulator]) -> tuple[np.ndarray, ...]:
    found = [state.result() for _, state in sorted(states.items(), key=lambda one: one[0])]
    return np.concatenate([one for one, _ in found]), np.concatenate([one for _, one in found])
