"""Maps that show nothing, known before anything is read."""

from functools import lru_cache
from math import atan, degrees, sinh

from datacube.engine.banding import is_large
from datacube.engine.context import Context
from datacube.engine.map import MapPlan, PlannedLayer, map_of
from datacube.engine.read import plan_field, split_place
from datacube.errors import InvalidCrs
from datacube.model.bbox import BoundingBox
from datacube.model.fields import Field
from datacube.model.grid import Grid, RectifiedGrid
from datacube.render.paint import margin_of
from datacube.render.style import Categories, ColorRamp, Composite
from datacube.slicing.cells import ReadPlan
from datacube.store.cube import CubeStore

_GLOBE = frozenset({"OGC:CRS84", "EPSG:4326"})
_WEB_MAP, _RADIUS = "EPSG:3857", 6378137.0
_MARGIN = 0.02  # of a cube's width and height in degrees, and so many degrees more

type _Edges = tuple[float, float, float, float]


def shows_nothing(context: Context, plan: MapPlan) -> bool:
    """Whether no layer has a value at any pixel: beside the cubes, or where nothing was written.

    Said only where it is known without reading, and not of maps larger than usual; that takes
    microseconds where the index map of the pixels is remembered.
    """
    grid = plan.query.grid
    return not is_large(grid) and all(_is_empty(context, one, grid) for one in plan.layers)


def _is_empty(context: Context, planned: PlannedLayer, grid: RectifiedGrid) -> bool:
    if not _clear_without_values(planned):
        return False
    if not planned.places.candidates or _is_beside(planned.cube.description.domain.grid, grid):
        return True
    level, cells = map_of(context, planned.cube, grid)
    store = planned.cube.store
    needed = [one for wanted in planned.wanted for one in wanted.needs]
    plans = ((one, plan_field(store, one, level.number, cells)) for one in needed)
    return all(
        not plan.chunks or _unwritten(planned, field, level.number, plan) for field, plan in plans
    )


def _is_beside(own: Grid, grid: RectifiedGrid) -> bool:
    """Whether a map of the web's planes lies far enough from a cube to know it by their boxes."""
    seen = _degrees(grid.bbox)
    if seen is None or not isinstance(own, RectifiedGrid):
        return False
    west, south, east, north = seen
    return all(
        east < left or right < west or north < bottom or top < south
        for left, bottom, right, top in _around(own.bbox)
    )


def _degrees(box: BoundingBox) -> _Edges | None:
    """West, south, east and north; None in other planes and beyond the antimeridian."""
    west, south, east, north = box.edges
    if box.crs.key == _WEB_MAP:
        west, east = degrees(west / _RADIUS), degrees(east / _RADIUS)
        south, north = (degrees(atan(sinh(y / _RADIUS))) for y in (south, north))
    elif box.crs.key not in _GLOBE:
        return None
    return (west, south, east, north) if -180.001 < west < east < 180.001 else None


@lru_cache(maxsize=1024)
def _around(box: BoundingBox) -> tuple[_Edges, ...]:
    """Boxes in degrees that hold one of a cube and more, its copies a turn away among them."""
    try:
        parts = box.geographic().split()
    except InvalidCrs:
        return ((-180.0, -90.0, 180.0, 90.0),)
    found = []
    for west, south, east, north in (one.edges for one in parts):
        wide, high = _MARGIN * (1 + east - west), _MARGIN * (1 + north - south)
        found += [
            (west - wide + turn, south - high, east + wide + turn, north + high)
            for turn in (-360.0, 0.0, 360.0)
        ]
    return tuple(found)


def _clear_without_values(planned: PlannedLayer) -> bool:
    """Whether its pixels are clear where there are no values, and made of their own cells alone."""
    own = planned.request.interpolation == "nearest" and not planned.others
    plain = planned.reducer is None and all(one.tree is None for one in planned.wanted)
    match planned.style:
        case ColorRamp(missing=missing):
            clear = missing[3] == 0
        case Categories() | Composite():
            clear = True
        case _:
            clear = False
    return own and plain and clear and not margin_of(planned.style)


def _unwritten(planned: PlannedLayer, field: Field, level: int, plan: ReadPlan) -> bool:
    """Whether the chunks hold nothing but fill, which is no value, at all times looked at."""
    store = planned.cube.store
    if not isinstance(store, CubeStore) or (field.nil is None and field.dtype[0] != "f"):
        return False
    lead = store.chunk_shape(field.name, level)[:-2]
    for place in planned.places.candidates:
        chunk, _ = split_place(place, lead)
        time, axes = (chunk[0], chunk[1:]) if store.timed else (0, chunk)
        sizes = store.chunk_sizes(field.name, level, time)
        if any(sizes[(*axes, *at)] for at in plan.chunks):
            return False
    return True
