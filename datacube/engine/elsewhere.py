"""Fields of other cubes in an expression: which values stand beside a cell of the asked cube.

Each cube is asked for the time of the request by its own rule of the nearest; where several steps
of the asked cube are looked at (a range, an aggregate), for the time of each step. On the same
grid cell stands beside cell. On another grid the value is that of the cell that holds the pixel of
the map (of a resampled or aggregated layer: the centre of the asked cube's cell), from the overview
that is about as coarse.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import floor, log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.algebra.needs import references
from datacube.algebra.nodes import FieldRef, Node
from datacube.engine.catalog import Catalog
from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.places import Places, locate
from datacube.errors import AxisNotFound, CoverageNotFound
from datacube.model.axis import TimeAxis, axis_value
from datacube.model.coverage import Level
from datacube.model.crs import Crs
from datacube.model.fields import Field, RangeType
from datacube.model.grid import Grid, RectifiedGrid
from datacube.model.query import LayerRequest, Slice, TimeChoice
from datacube.model.time import TimeRange, Timestamp
from datacube.slicing.cells import IndexMap, SeparableMap
from datacube.slicing.level import map_on_best_level
from datacube.slicing.path import positions_at
from datacube.slicing.warp import PixelPositions, SeparablePositions, separable, to_cells

type Place = tuple[int, ...]
FloatArray = NDArray[np.float64]

_NAMED = 10  # cubes that a message lists
_PROBES = 16
_TINY = 1e-6


@dataclass(frozen=True, eq=False)
class OtherField:
    """A field of another cube, and where in it each step of the asked cube looks.

    Parameters
    ----------
    ref : FieldRef, as the expression names it
    cube : Cube, at the version that is read; of a forecast its best view
    field : Field
    fixed : place on every axis, for all steps; None where nothing matches
    steps : for some time indexes of the asked cube the place instead
    moving : bool, whether newer data would change where it looks
    """

    ref: FieldRef
    cube: Cube
    field: Field
    fixed: Place | None
    steps: Mapping[int, Place | None] | None = None
    moving: bool = False

    def place(self, asked: Place) -> Place | None:
        """Where to look beside a place of the asked cube; None where nothing matches."""
        return self.fixed if self.steps is None else self.steps.get(asked[0])

    @property
    def places(self) -> tuple[Place, ...]:
        """Where it is looked at, each step in turn."""
        found = (self.fixed,) if self.steps is None else tuple(self.steps.values())
        return tuple(one for one in found if one is not None)

    @property
    def state(self) -> str:
        """What decides its values, as of a map's layer."""
        store = self.cube.store
        held = (f"{store.state_of(one[0] if store.timed else 0)} {one}" for one in self.places)
        return f"{self.cube.fingerprint} {self.field.name} {' '.join(held)}"


@dataclass(frozen=True, eq=False)
class Elsewhere:
    """The other cubes that an expression may name, at the time of a request.

    Parameters
    ----------
    catalog : Catalog
    cube : Cube, the asked one
    request : LayerRequest
    places : Places of the asked cube
    """

    catalog: Catalog
    cube: Cube
    request: LayerRequest
    places: Places

    def range_types(self, tree: Node) -> Mapping[str, RangeType]:
        """Fields of the cubes that a tree names, and of some others for messages."""
        named = {one.cube for one in references(tree) if one.cube is not None}
        if not named:
            return {}
        found = {one.id: one.description.range_type for one in self.catalog.cubes()[:_NAMED]}
        for name in named:
            try:
                found[name] = self.catalog.cube(name).description.range_type
            except CoverageNotFound:
                found.pop(name, None)
        return found

    def fields(self, tree: Node) -> tuple[OtherField, ...]:
        """The fields of other cubes that a checked tree reads, each once."""
        refs = sorted((str(one.cube), one.name) for one in references(tree) if one.cube is not None)
        return tuple(self._field(FieldRef(name, cube)) for cube, name in dict.fromkeys(refs))

    def _field(self, ref: FieldRef) -> OtherField:
        other = self.catalog.cube(str(ref.cube)).shown
        field = other.description.range_type.field(ref.name)
        request = _plain(other, self.request)
        time = self.cube.description.domain.time
        several = len(self.places.candidates) > 1 or self.request.aggregate
        ranged = request.time is not None and isinstance(request.time.when, TimeRange)
        if time is None or not (several or ranged) or other.description.domain.time is None:
            if ranged:
                request = replace(request, time=None)
            found = locate(other, request)
            return OtherField(ref, other, field, _first(found), None, found.moving)
        steps = {
            index: locate(other, replace(request, time=_instant(time, index)))
            for index in dict.fromkeys(place[0] for place in self.places.candidates)
        }
        moving = any(one.moving for one in steps.values())
        places = {index: _first(one) for index, one in steps.items()}
        return OtherField(ref, other, field, None, places, moving)


def cells_elsewhere(
    context: Context, asked: tuple[Cube, int, IndexMap], other: Cube, target: RectifiedGrid | None
) -> tuple[Level, IndexMap]:
    """The level and cells of another cube that stand beside cells of the asked one.

    Parameters
    ----------
    asked : the asked cube, its level and its cells
    target : RectifiedGrid, optional
        The pixels that the cells are for; then they are those of a map of the other cube.
    """
    cube, number, cells = asked
    own, levels = cube.description.levels, other.description.levels
    if own[0].grid == levels[0].grid and number < len(levels):
        return levels[number], cells
    if target is not None:
        key = levels[0].grid, len(levels), target
        return context.maps.get(key, lambda: map_on_best_level(levels, target, other.inverses))
    return _beside(own[number].grid, cells, other)


def _beside(grid: Grid, cells: IndexMap, other: Cube) -> tuple[Level, IndexMap]:
    """Cells of another cube that hold the centres of some cells of a grid."""
    levels = other.description.levels
    finest = levels[0].grid
    pace = _pace(grid, other)
    wanted = floor(log2(pace) + _TINY) if pace > 0 else 0
    level = levels[min(max(wanted, 0), len(levels) - 1)]
    plain = isinstance(grid, RectifiedGrid) and isinstance(finest, RectifiedGrid)
    if plain and isinstance(cells, SeparableMap) and separable(finest.crs, grid.crs):
        x, y = _axes(grid, cells)
        u, _ = _positions(other, x, np.full_like(x, _any(y)), grid.crs)
        _, v = _positions(other, np.full_like(y, _any(x)), y, grid.crs)
        return level, to_cells(SeparablePositions(u, v), finest, level.factor)
    x, y = _centres(grid, cells)
    u, v = _positions(other, x.ravel(), y.ravel(), grid.crs)
    found = PixelPositions(u.reshape(x.shape), v.reshape(x.shape))
    return level, to_cells(found, finest, level.factor)


def _positions(
    other: Cube, x: FloatArray, y: FloatArray, crs: Crs
) -> tuple[FloatArray, FloatArray]:
    return positions_at(other.description.levels[0].grid, x, y, crs, other.inverses)


def _pace(grid: Grid, other: Cube) -> float:
    """How many cells of another cube's finest level a step of one cell takes, the usual one."""
    rows, columns = (
        np.unique(np.linspace(0, max(size - 2, 0), _PROBES).astype(np.intp)) for size in grid.shape
    )
    low, right = (
        np.minimum(one + 1, size - 1) for one, size in zip((rows, columns), grid.shape, strict=True)
    )
    found = []
    for at in ((rows, columns), (rows, right), (low, columns)):
        x, y = _centres(grid, SeparableMap(*at))
        found.append(_positions(other, x.ravel(), y.ravel(), grid.crs))
    (u, v), *ends = found
    steps = np.maximum(*(np.hypot(across - u, down - v) for across, down in ends))
    steps = steps[np.isfinite(steps)]
    return float(np.median(steps)) if steps.size else 0.0


def _axes(grid: Grid, cells: SeparableMap) -> tuple[FloatArray, FloatArray]:
    """Centres of columns and of rows, NaN outside; of a grid of equal cells."""
    assert isinstance(grid, RectifiedGrid)  # noqa: S101  others have no axes
    x = np.where(cells.columns < 0, np.nan, grid.x_centres()[cells.columns])
    return x, np.where(cells.rows < 0, np.nan, grid.y_centres()[cells.rows])


def _centres(grid: Grid, cells: IndexMap) -> tuple[FloatArray, FloatArray]:
    """Positions of the centres of cells, (y, x), NaN outside."""
    rows, columns = cells.rows, cells.columns
    if isinstance(cells, SeparableMap):
        rows, columns = np.broadcast_arrays(rows[:, None], columns[None, :])
    if isinstance(grid, RectifiedGrid):
        x, y = grid.x_centres()[columns], grid.y_centres()[rows]
    else:
        x, y = grid.x[rows, columns], grid.y[rows, columns]
    outside = (rows < 0) | (columns < 0)
    return np.where(outside, np.nan, x), np.where(outside, np.nan, y)


def _any(values: FloatArray) -> Any:
    """One of some coordinates that is a number."""
    known = values[np.isfinite(values)]
    return known[len(known) // 2] if known.size else np.nan


def _first(places: Places) -> Place | None:
    return next(iter(places.candidates), None)


def _instant(axis: TimeAxis, index: int) -> TimeChoice:
    return TimeChoice(Timestamp.parse(str(axis_value(axis, index))))


def _plain(cube: Cube, request: LayerRequest) -> LayerRequest:
    """A request for one place of a cube: on the axes that it has, without an aggregate."""
    places = tuple(one for one in request.places if isinstance(one, Slice) and _has(cube, one.axis))
    return LayerRequest(cube.id, time=request.time, places=places)


def _has(cube: Cube, axis: str) -> bool:
    try:
        cube.description.domain.axis(axis)
    except AxisNotFound:
        return False
    return True
