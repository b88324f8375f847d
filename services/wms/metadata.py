"""GetMetadata, as clients of ncWMS ask it: what a layer is, its time steps, the range of a step.

``ITEM=menu``, ``layerDetails``, ``timesteps`` (of a ``DAY``), ``minmax``;
all answers are JSON.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from datacube.engine.context import Context
from datacube.engine.cube import Layer
from datacube.engine.legend import shown_style
from datacube.errors import InvalidParameter, InvalidTime
from datacube.model.axis import TimeAxis, axis_values, points_down
from datacube.model.restyle import Restyle
from datacube.render.colormap import names
from datacube.render.style import Arrows, ColorRamp, ramp_of
from services.ows.boxes import geographic_box
from services.ows.caching import DOCUMENT
from services.ows.dimensions import layer_requests
from services.ows.kvp import Kvp
from services.ows.transport import Request, Response
from services.wms.version import Version

type Json = dict[str, Any]

_MOST_STEPS = 2000


def get_metadata(context: Context, _request: Request, kvp: Kvp, _version: Version) -> Response:
    """One of the items."""
    item = kvp.one("ITEM").strip()
    known = {name.lower(): name for name in ITEMS}
    if item.lower() == "menu":
        return _json(_menu(context))
    if item.lower() not in known:
        raise InvalidParameter(
            f"there is no ITEM '{item[:50]}'; there are menu, {', '.join(ITEMS)}", subject="ITEM"
        )
    name = next((one for one in ("LAYERNAME", "LAYERS", "LAYER") if one in kvp), "LAYERNAME")
    layer = context.catalog.layer(kvp.one(name))
    return _json(ITEMS[known[item.lower()]](context, kvp, layer))


def _json(found: Json) -> Response:
    body = json.dumps(found, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    return Response(200, "application/json", body, (DOCUMENT,))


def _menu(context: Context) -> Json:
    cubes = [
        {
            "id": cube.id,
            "label": cube.title,
            "children": [
                {"id": layer.name, "label": layer.title, "plottable": True} for layer in cube.layers
            ],
        }
        for cube in context.catalog.pictured()
    ]
    return {"label": context.settings.title, "children": cubes}


def _details(_context: Context, _kvp: Kvp, layer: Layer) -> Json:
    domain, style = layer.cube.description.domain, layer.styles[0]
    world = geographic_box(domain.bbox)
    ramp = ramp_of(style)
    field = layer.cube.description.range_type.field(layer.fields[0])
    found: Json = {
        "title": layer.title,
        "abstract": layer.cube.abstract,
        "units": field.uom,
        "bbox": [world.left, world.bottom, world.right, world.top],
        "supportedStyles": [*_kinds(layer), *(one.name for one in layer.styles)],
        "defaultStyle": style.name,
        "palettes": list(names()),
        "numColorBands": 254 if ramp is None or ramp.bands is None else ramp.bands,
        "logScaling": ramp is not None and ramp.log,
        "copyright": layer.cube.attribution,
    }
    if ramp is not None:
        found |= {"defaultPalette": ramp.colormap, "scaleRange": [ramp.low, ramp.high]}
    if domain.vertical is not None:
        levels = axis_values(domain.vertical)
        unit = getattr(domain.vertical, "uom", "")
        found["zaxis"] = {
            "units": unit,
            "positive": not points_down(domain.vertical),
            "values": list(levels) if isinstance(levels, tuple) else levels.tolist(),
        }
    if (axis := domain.time) is not None:
        days: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for iso in axis.iso[-_MOST_STEPS:]:
            year, month, day = iso.partition("T")[0].rsplit("-", 2)
            if int(day) not in (listed := days[year][str(int(month) - 1)]):  # months from 0
                listed.append(int(day))
        newest = axis.iso[-1]
        found |= {"datesWithData": days, "nearestTimeIso": newest, "timeAxisUnits": "ISO8601"}
    return found


def _kinds(layer: Layer) -> Iterator[str]:
    """Styles of the dialect that the layer can be drawn in."""
    if ramp_of(layer.styles[0]) is not None:
        yield from ("boxfill", "contour")
    if any(isinstance(one, Arrows) for one in layer.styles):
        yield from ("vector", "barb")


def _time_axis(layer: Layer) -> TimeAxis:
    axis = layer.cube.description.domain.time
    if axis is None:
        raise InvalidParameter(f"the layer {layer.name} has no time", subject="LAYERNAME")
    return axis


def _timesteps(_context: Context, kvp: Kvp, layer: Layer) -> Json:
    """Clock times of the steps of a day."""
    day = kvp.one("DAY").strip().partition("T")[0]
    found = [iso for iso in _time_axis(layer).iso if iso.startswith(f"{day}T")]
    if not found:
        raise InvalidTime(
            f"the layer {layer.name} has no step on the day {day[:20]}", subject="DAY"
        )
    return {"timesteps": [iso.partition("T")[2] for iso in found]}


def _minmax(context: Context, kvp: Kvp, layer: Layer) -> Json:
    """Range of the values of a step: its second and 98th percentile, as COLORSCALERANGE=auto."""
    requests, _ = layer_requests(kvp.but("colorscalerange"), (layer,), ("",))
    measured = Restyle(kind="ramp", measured=True)
    style, _ = shown_style(context, replace(requests[-1], restyle=measured))
    if not isinstance(style, ColorRamp) or style.low is None:
        raise InvalidParameter(f"the layer {layer.name} has no one range", subject="LAYERNAME")
    return {"min": style.low, "max": style.high}


ITEMS: Mapping[str, Callable[[Context, Kvp, Layer], Json]] = {
    "layerDetails": _details,
    "timesteps": _timesteps,
    "minmax": _minmax,
}
