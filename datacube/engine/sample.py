"""Values at one place: the function behind GetFeatureInfo and positions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyproj

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.drawing import masked, wanted_where
from datacube.engine.elsewhere import Elsewhere
from datacube.engine.map import plan_layer
from datacube.engine.places import Places, find_places
from datacube.engine.read import plan_field, read_field
from datacube.engine.reducers import reducer_of
from datacube.engine.values import find_each, find_values
from datacube.engine.wanted import Wanted, wanted_expression, wanted_field
from datacube.model.axis import TimeAxis, axis_value
from datacube.model.crs import CRS84, transform
from datacube.model.fields import Field
from datacube.model.grid import Grid, RectifiedGrid, ReferenceableGrid
from datacube.model.query import LayerRequest, SampleQuery
from datacube.slicing.cells import IndexMap
from datacube.slicing.reduce import Reducer
from datacube.slicing.warp import PixelPositions, positions, to_cells

_ELLIPSOID = pyproj.Geod(ellps="WGS84")
_COUNT = Reducer("count")


@dataclass(frozen=True, eq=False)
class Sample:
    """The value of one field in the cell that holds a place.

    Parameters
    ----------
    layer : str, layer name as asked
    field : Field
    value : float, in field.uom, None where there is no data
    raw : int or float, as stored, None where there is no data
    label : str, of the class, for a categorical field
    time : str, ISO 8601, of the slice used, None for a cube without time
    places : axis name -> number in the axis' unit, or label
        Of a forecast also the start of the run and the time since then.
    lon, lat : float, degrees, of the cell's centre; None outside the cube
    distance : float, metres from the place asked to that centre; None outside the cube
    count : int, how many steps have a value, where an aggregate makes them one
    """

    layer: str
    field: Field
    value: float | None
    raw: float | int | None
    label: str | None
    time: str | None
    places: Mapping[str, float | str]
    lon: float | None
    lat: float | None
    distance: float | None
    count: int | None = None


@dataclass(frozen=True, eq=False)
class Samples:
    """The values found, with notes, snapshots and moving as of a map."""

    samples: tuple[Sample, ...]
    notes: tuple[str, ...]
    snapshots: tuple[str, ...]
    moving: bool


def get_samples(context: Context, query: SampleQuery) -> Samples:
    """Values of all fields of the layers at a place, or of the expression in their place.

    Raises
    ------
    CoverageNotFound, AxisNotFound, InvalidTime
        The query names what is not there.
    StorageError
        A chunk cannot be read.
    """
    samples: list[Sample] = []
    notes: dict[str, None] = {}
    snapshots: list[str] = []
    moving = False
    for request in query.layers:
        layer = context.catalog.layer(request.layer)
        cube, places = find_places(layer.cube, request)
        samples += _sample_layer(context, layer.fields, cube, request, places, query)
        notes |= dict.fromkeys(places.notes)
        snapshots.append(cube.snapshot)
        moving |= places.moving
    return Samples(tuple(samples), tuple(notes), tuple(snapshots), moving)


def samples_state(context: Context, query: SampleQuery) -> tuple[str, ...]:
    """Names the values at a place: what the layers hold at the times that are looked at.

    A commit changes it for those that look at what it has written, and for no others. Raises as
    :func:`get_samples`.
    """
    found: list[str] = []
    for request in query.layers:
        planned = plan_layer(context, request)
        found += [planned.state, *planned.places.notes]
    return tuple(found)


def _sample_layer(
    context: Context,
    fields: tuple[str, ...],
    cube: Cube,
    request: LayerRequest,
    places: Places,
    query: SampleQuery,
) -> list[Sample]:
    grid = cube.description.domain.grid
    cells = cell_at(cube, query)
    centre = _centre(grid, cells)
    asked = transform(np.array([query.x]), np.array([query.y]), query.crs, CRS84)
    distance = _metres(asked, centre)
    lon, lat = centre or (None, None)
    found = []
    for wanted in _shown(context, fields, cube, request, places):
        field = wanted.field
        if request.aggregate:
            made, value, count = _reduced(context, cube, wanted, cells, places, request)
            found.append(
                Sample(request.layer, made, value, value, None, None, {}, lon, lat, distance, count)
            )
            continue
        raw, place = (
            _read(context, cube, field, cells, places)
            if wanted.tree is None
            else _computed(context, cube, wanted, cells, places)
        )
        time, others = _describe(cube, place)
        value, label = _meaning(field, raw)
        found.append(
            Sample(request.layer, field, value, raw, label, time, others, lon, lat, distance)
        )
    return found


def _shown(
    context: Context,
    fields: tuple[str, ...],
    cube: Cube,
    request: LayerRequest,
    places: Places,
) -> Iterator[Wanted]:
    """What the picture shows: the fields of a layer, or an expression in their place."""
    description = cube.description
    elsewhere = Elsewhere(context.catalog, cube, request, places)
    if request.expression:
        text = masked(request.expression, request.mask)
        yield wanted_expression(description, text, elsewhere=elsewhere)
        return
    for name in fields:
        field = description.range_type.field(name)
        if request.mask:
            yield wanted_where(description, field, request.mask, elsewhere)
        else:
            yield wanted_field(field)


def _reduced(
    context: Context,
    cube: Cube,
    wanted: Wanted,
    cells: IndexMap,
    places: Places,
    request: LayerRequest,
) -> tuple[Field, float | None, int]:
    """What the steps come to, and how many of them have a value."""
    by = reducer_of(cube, request.aggregate, request.by)
    found, counted = find_each(context, cube, wanted, 0, cells, places, (by, _COUNT))
    value = float(found.data[0, 0]) if found.valid[0, 0] else None
    return found.field, value, int(counted.data[0, 0])


def _computed(
    context: Context, cube: Cube, wanted: Wanted, cells: IndexMap, places: Places
) -> tuple[float | None, tuple[int, ...] | None]:
    """As :func:`_read`, of an expression."""
    for place in places.candidates[: context.settings.limits.max_steps]:
        found = find_values(context, cube, wanted, 0, cells, Places((place,)))
        if found.valid[0, 0]:
            return float(found.data[0, 0]), place
    return None, places.candidates[0] if places.candidates else None


def cell_at(cube: Cube, query: SampleQuery) -> IndexMap:
    """The cell that holds the place, as the map of one pixel."""
    grid = cube.description.domain.grid
    x, y = transform(np.array([query.x]), np.array([query.y]), query.crs, grid.crs)
    match grid:
        case RectifiedGrid():
            at = float(x[0]), float(y[0])
            pixel = RectifiedGrid.from_centres(grid.crs, at[0], grid.dx, 1, at[1], grid.dy, 1)
            return to_cells(positions(grid, pixel), grid)
        case ReferenceableGrid():
            u, v = cube.inverses.of(grid).locate(x, y, nearest=True)
            return to_cells(PixelPositions(u[None], v[None]), grid)


def _centre(grid: Grid, cells: IndexMap) -> tuple[float, float] | None:
    row, column = int(cells.rows.flat[0]), int(cells.columns.flat[0])
    if row < 0 or column < 0:
        return None
    lon, lat = transform(*_position(grid, row, column), grid.crs, CRS84)
    return float(lon[0]), float(lat[0])


def _position(grid: Grid, row: int, column: int) -> tuple[np.ndarray, np.ndarray]:
    match grid:
        case RectifiedGrid():
            return grid.x_centres()[column : column + 1], grid.y_centres()[row : row + 1]
        case ReferenceableGrid():
            return grid.x[row, column : column + 1], grid.y[row, column : column + 1]


def _metres(
    asked: tuple[np.ndarray, np.ndarray], centre: tuple[float, float] | None
) -> float | None:
    if centre is None or not np.isfinite(asked).all():
        return None
    _, _, metres = _ELLIPSOID.inv(float(asked[0][0]), float(asked[1][0]), *centre)
    return float(metres)


def _read(
    context: Context, cube: Cube, field: Field, cells: IndexMap, places: Places
) -> tuple[float | int | None, tuple[int, ...] | None]:
    """The most recent valid value and its place; the first place where none is valid."""
    plan = plan_field(cube.store, field, 0, cells)
    if plan.chunks:
        for place in places.candidates[: context.settings.limits.max_steps]:
            data, valid = read_field(context.pool, cube.store, field, 0, plan, place)
            if valid[0, 0]:
                return data[0, 0].item(), place
    return None, places.candidates[0] if places.candidates else None


def _describe(
    cube: Cube, place: tuple[int, ...] | None
) -> tuple[str | None, Mapping[str, float | str]]:
    time: str | None = None
    others: dict[str, float | str] = {}
    for axis, index in zip(cube.description.domain.axes, place or (), strict=place is not None):
        value = axis_value(axis, index)
        if isinstance(axis, TimeAxis):
            time = str(value)
        else:
            others[axis.name] = value
    if cube.view is not None and place is not None:
        others |= cube.view.origin(place[0])
    return time, others


def _meaning(field: Field, raw: float | None) -> tuple[float | None, str | None]:
    if raw is None:
        return None, None
    packed = np.array([raw], field.dtype)
    value = float(field.decode(packed, np.array([True]))[0])
    label = next((one.label for one in field.categories if one.value == raw), None)
    return value, label
