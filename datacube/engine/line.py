"""Values at places and along lines: EDR positions and trajectories, transects."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.limits import check_samples, is_brief
from datacube.engine.picks import Pick, by_axis, clamped_axes, fields_of, pick_axes
from datacube.engine.scattered import CellsPlan, plan_cells, read_cells
from datacube.errors import InvalidSubset
from datacube.model.axis import Axis, TimeAxis
from datacube.model.domain import DomainSet
from datacube.model.fields import Field
from datacube.model.geometry import Path
from datacube.model.query import LineQuery
from datacube.model.sampled import Places, Sampled
from datacube.slicing.cells import PixelMap
from datacube.slicing.path import cells_at, count_along, interpolated, places_along
from datacube.slicing.select_axis import nearest_place

type Indexes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class LinePlan:
    """What a line query will read and give.

    Parameters
    ----------
    cube : Cube
    fields : tuple of Field
    where : Places
    groups : places that have the same step and level of their own, and so are read together
    parts : for each field its plans, one for each group
    axes : those that the answer has, in array order
    notes : tuple of str
    """

    cube: Cube
    fields: tuple[Field, ...]
    where: Places
    groups: tuple[Indexes, ...]
    parts: tuple[tuple[CellsPlan, ...], ...]
    axes: tuple[Axis, ...]
    notes: tuple[str, ...]

    @property
    def brief(self) -> bool:
        """Whether it is read in a moment: few values, of few chunks."""
        places = prod(axis.size for axis in self.axes) * len(self.where.x)
        chunks = sum(part.cost.chunks for parts in self.parts for part in parts)
        return is_brief(places * len(self.fields), chunks)


def get_line(context: Context, query: LineQuery) -> Sampled:
    """Values of the cells at places or along a line, for each place of the other axes.

    Raises
    ------
    CoverageNotFound, FieldNotFound, AxisNotFound, InvalidSubset
        The query cannot be meant.
    RequestTooLarge
        There would be too many values.
    StorageError
        A chunk cannot be read.
    """
    return read_line(context, plan_line(context, query))


def read_line(context: Context, plan: LinePlan) -> Sampled:
    """Values of the cells that a plan names.

    Raises
    ------
    StorageError
        A chunk cannot be read.
    """
    fields = plan.fields
    shape = (*(axis.size for axis in plan.axes), len(plan.where.x))
    data = {one.name: np.zeros(shape, one.dtype) for one in fields}
    valid = {one.name: np.zeros(shape, bool) for one in fields}
    for field, parts in zip(fields, plan.parts, strict=True):
        values, known = (one[field.name].reshape(-1, shape[-1]) for one in (data, valid))
        for part, places in zip(parts, plan.groups, strict=True):
            for steps, (found, good) in read_cells(context, plan.cube, part):
                values[steps, places], known[steps, places] = found, good
    return Sampled(plan.cube.description, plan.axes, plan.where, fields, data, valid, plan.notes)


def plan_line(context: Context, query: LineQuery) -> LinePlan:
    """Plan a line query without reading a chunk; raises as :func:`get_line`."""
    cube = context.catalog.cube(query.coverage)
    domain = cube.description.domain
    horizontal, others = by_axis(domain, query.subsets)
    if horizontal:
        raise InvalidSubset("a line is not trimmed by x or y: its places say where it is")
    own = _own_axes(domain, query.path)
    picks = pick_axes(cube, {name: one for name, one in others.items() if name not in own})
    left = [one for one, axis in zip(picks, domain.axes, strict=True) if axis.name not in own]
    fields, grid = fields_of(cube, query.fields), domain.grid
    steps = prod(len(one.groups) for one in left)
    check_samples(
        context.settings.limits, count_along(grid, query.path, cube.inverses), steps, fields
    )
    places = places_along(grid, query.path, cube.inverses)
    x, y = (
        interpolated(np.array(one, float), places) for one in zip(*query.path.vertices, strict=True)
    )
    where = Places(x, y, query.path.crs)
    at = np.zeros((len(domain.axes), len(places)), np.intp)
    for number, axis in enumerate(domain.axes):
        if (values := own.get(axis.name)) is not None:
            there = interpolated(values, places)
            at[number] = [_nearest(cube, axis, value) for value in there.tolist()]
            where = _placed(where, axis, there)
    cells = cells_at(grid, x, y, query.path.crs, cube.inverses)
    groups = _groups(at) if own else (np.arange(len(places)),)
    parts = tuple(
        tuple(
            plan_cells(cube, field, _some(cells, some), _at(picks, own, domain, at[:, some[0]]))
            for some in groups
        )
        for field in fields
    )
    axes = tuple(one.axis for one in left if one.axis is not None)
    return LinePlan(
        cube, fields, where, groups, parts, axes, tuple(clamped_axes(domain.axes, picks))
    )


def _own_axes(domain: DomainSet, path: Path) -> dict[str, NDArray[np.float64]]:
    """What the path's vertices say of other axes, by the axis' name."""
    own = {}
    for what, axis, values in (
        ("times", domain.time, path.times),
        ("heights", domain.vertical, path.heights),
    ):
        if values and axis is None:
            raise InvalidSubset(f"the path has {what}, but the coverage has no axis for them")
        if values and axis is not None:
            own[axis.name] = np.array(values, np.float64)
    return own


def _nearest(cube: Cube, axis: Axis, value: float) -> int:
    index = nearest_place(axis, value, cube.settings.time.tolerance_ms)
    return -1 if index is None else index


def _placed(where: Places, axis: Axis, values: NDArray[np.float64]) -> Places:
    if isinstance(axis, TimeAxis):
        return replace(where, ticks=np.round(values).astype(np.int64), calendar=axis.calendar)
    return replace(where, heights=values)


def _groups(indexes: NDArray[np.intp]) -> tuple[Indexes, ...]:
    """Places with equal indexes on every axis; those that are nowhere near are left out."""
    near = np.flatnonzero((indexes >= 0).all(axis=0))
    _, kind = np.unique(indexes[:, near], axis=1, return_inverse=True)
    order = np.argsort(kind, kind="stable")
    cuts = np.flatnonzero(np.diff(kind[order])) + 1
    return tuple(near[some] for some in np.split(order, cuts) if len(some))


def _some(cells: PixelMap, places: Indexes) -> PixelMap:
    return PixelMap(cells.rows[:, places], cells.columns[:, places])


def _at(
    picks: tuple[Pick, ...],
    own: Mapping[str, object],
    domain: DomainSet,
    indexes: NDArray[np.intp],
) -> tuple[Pick, ...]:
    """The picks, those of own axes the one index that a group has."""
    return tuple(
        Pick((range(index, index + 1),), None) if axis.name in own else one
        for one, axis, index in zip(picks, domain.axes, indexes.tolist(), strict=True)
    )
