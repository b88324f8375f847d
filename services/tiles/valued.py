"""Tiles of values: planned and compared as pictures are, read, and packed as asked."""

from dataclasses import replace

from datacube.engine.context import Context
from datacube.engine.map import MapPlan, PlannedLayer, layer_values, plan_map
from datacube.engine.statistics import extremes
from datacube.engine.wanted import Found
from datacube.errors import InvalidParameter
from datacube.model.fields import Field
from services.ows.kvp import Kvp, comma_list, number
from services.ows.maps import answer_plan
from services.ows.pictures import PNG
from services.ows.transport import Request, Response
from services.tiles.address import COLORS, GREY
from services.tiles.decode import TileRequest
from services.tiles.values import LARGEST, Packing, encode_values, packing_of

RANGE = "range"
_WITHIN = frozenset({"mean", "min", "max", "median", "first", "last", "leastcloudy"})
_COUNTS = frozenset({"count", "any", "all"})


def answer_values(
    context: Context, request: Request, asked: TileRequest, media_type: str, kvp: Kvp
) -> Response:
    """The values of a tile, or 304 where the client has them.

    ``RANGE=low,high`` says which values the first and the last number of a PNG stand for.

    Raises
    ------
    InvalidParameter
        The layer has several fields, or nothing bounds the values of a PNG.
    DatacubeError
        What planning and reading raise.
    """
    plan = plan_map(context, asked.query)
    field = only_field(plan)
    packing = packing_for(plan, kvp) if is_packed(media_type) else None

    def make() -> bytes:
        found = _most_recent(context, plan, field)
        return encode_values(found, asked.grid, media_type, packing)

    sent = media_type if packing is None else PNG
    form = "values", media_type, packing
    return answer_plan(context, request, plan, sent, make, pinned=asked.pinned, form=form)


def is_packed(media_type: str) -> bool:
    """Whether it holds whole numbers, which a packing gives a meaning."""
    return media_type in {GREY, COLORS}


def only_field(plan: MapPlan) -> Field:
    """What the values are of.

    Raises
    ------
    InvalidParameter
        The layer draws several fields.
    """
    planned = plan.layers[-1]
    if len(planned.drawn) != 1:
        names = ", ".join(one.name for one in planned.cube.layers[1:])
        raise InvalidParameter(
            f"the layer {planned.layer.name} draws several fields, and values are of one; "
            f"ask one of {names or 'its fields'}",
            subject="layer",
        )
    return planned.wanted[0].field


def packing_for(plan: MapPlan, kvp: Kvp) -> Packing:
    """Which values the numbers of a PNG stand for.

    Raises
    ------
    InvalidParameter
        Nothing bounds them, and RANGE does not say it.
    """
    planned = plan.layers[-1]
    asked = kvp.optional(RANGE, _ends, None)
    found = _stated(*asked) if asked else _usual(planned)
    if found is None:
        raise InvalidParameter(
            "nothing says between which ends the values lie: add RANGE=low,high, or ask for "
            "npy or tif",
            subject="RANGE",
        )
    return found


def _usual(planned: PlannedLayer) -> Packing | None:
    (wanted,) = planned.wanted
    if planned.reducer is not None and planned.reducer.name in _COUNTS:
        return Packing(1.0, 0.0)
    bounded = planned.reducer is None or planned.reducer.name in _WITHIN
    if wanted.tree is not None or not bounded:
        return None
    return packing_of(wanted.field, extremes(planned.cube.store, wanted.field.name))


def _ends(text: str) -> tuple[float, float]:
    parts = comma_list(text.replace("/", ","))
    low, high = (number(part) for part in parts) if len(parts) == 2 else (0.0, 0.0)
    if not low < high:
        raise ValueError("two numbers are needed, the lower one first: 270,310")
    return low, high


def _stated(low: float, high: float) -> Packing:
    return Packing((high - low) / LARGEST, low)


def _most_recent(context: Context, plan: MapPlan, field: Field) -> Found:
    """The values of the last layer with one, as its picture shows: there is one for each time."""
    (found,) = layer_values(context, plan.layers[-1], plan.query.grid).values()
    for planned in reversed(plan.layers[:-1]):
        if found.valid.all():
            break
        (older,) = layer_values(context, planned, plan.query.grid).values()
        missing = older.valid & ~found.valid
        data, valid = found.data.copy(), found.valid | missing
        data[missing] = older.data[missing]
        found = replace(found, data=data, valid=valid)
    return replace(found, field=replace(found.field, name=field.name))
