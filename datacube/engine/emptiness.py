"""Maps that show nothing, known before anything is read."""

from datacube.engine.banding import is_large
from datacube.engine.context import Context
from datacube.engine.map import MapPlan, PlannedLayer, map_of
from datacube.engine.read import plan_field, split_place
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.render.paint import margin_of
from datacube.render.style import Categories, ColorRamp, Composite
from datacube.slicing.cells import ReadPlan
from datacube.store.cube import CubeStore


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
    if not planned.places.candidates:
        return True
    level, cells = map_of(context, planned.cube, grid)
    store = planned.cube.store
    needed = [one for wanted in planned.wanted for one in wanted.needs]
    plans = ((one, plan_field(store, one, level.number, cells)) for one in needed)
    return all(
        not plan.chunks or _unwritten(planned, field, level.number, plan) for field, plan in plans
    )


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
