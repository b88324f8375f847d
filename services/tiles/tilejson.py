"""TileJSON 3.0.0 of a layer's tiles, with what web maps of data need beside it.

``template`` is the address with ``{time}`` in it, ``times`` the instants where they are few and
``times_url`` where all of them are. ``token`` is the version in the addresses: with it they stay
true for ever. Of values ``values`` says what the numbers of a pixel mean; where they are colours,
MapLibre's factors say it again.
"""

import json
from collections.abc import Sequence
from html import escape
from typing import Any

from datacube.engine.context import Context
from datacube.engine.cube import Cube, Layer
from datacube.engine.map import MapPlan, plan_map
from datacube.engine.places import default_step
from datacube.errors import DatacubeError
from datacube.model.axis import TimeAxis, axis_value
from datacube.model.bbox import BoundingBox
from datacube.model.fields import Field
from datacube.model.grid import Grid
from datacube.model.query import MapQuery
from datacube.model.tiling import TileMatrixSet, metres_per_unit
from services.ows.boxes import geographic_box
from services.ows.caching import etag, kept_document
from services.ows.kvp import Kvp, word
from services.ows.legends import legend_size, legend_url
from services.ows.tilesets import covered_box
from services.ows.transport import Request, Response
from services.ows.urls import endpoint, segment, with_query
from services.tiles.address import COLORS, Source, template_type
from services.tiles.decode import TWICE, asked_of, tiled_layer
from services.tiles.valued import RANGE, is_packed, only_field, packing_for
from services.tiles.values import LARGEST, Packing, packing_of

LISTED = 2000
_OWN = frozenset({"f", "tilesize", "v", "time", RANGE})


def answer_tilejson(context: Context, request: Request, source: Source, kvp: Kvp) -> Response:
    """The document; ``f`` is the tiles' ending, ``tilesize=512`` asks for those of ``@2x``.

    The other parameters are those of the tiles, and stand in their addresses.
    """
    tag = etag([context.catalog.version], "tilejson", request.base_url, source, request.query)

    def make() -> bytes:
        document = _document(context, request, source, kvp)
        return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")

    return kept_document(context, request, "application/json", tag, make)


def _document(context: Context, request: Request, source: Source, kvp: Kvp) -> dict[str, Any]:
    layer, chosen = tiled_layer(context, source)
    twice = kvp.optional("tilesize", word("256", "512"), "256") == "512"
    ending, media_type = template_type(source, kvp.optional("f", str.lower, ""))
    plan = _plan(context, layer, chosen, source, kvp)
    further = [pair for pair in request.query if pair[0].lower() not in _OWN]
    packing: dict[str, Any] = {}
    if is_packed(media_type):
        packing, stated = _packing(plan, media_type, kvp)
        further += stated
    elif source.valued:
        packing = {"values": _physical(only_field(plan))}
    path = "/".join(map(segment, (source.layer, source.style, source.matrix_set)))
    tile = f"{{z}}/{{y}}/{{x}}{'@2x' if twice else ''}.{ending}"
    return {
        "tilejson": "3.0.0",
        "version": "1.0.0",
        "scheme": "xyz",
        **_addresses(endpoint(request, f"/tiles/{path}/{tile}"), layer, kvp, further),
        **_extent(chosen, layer),
        "tileSize": chosen.matrices[0].tile_width * (TWICE if twice else 1),
        "name": layer.title if layer.name == layer.cube.id else _full_title(layer),
        "description": layer.cube.abstract,
        "attribution": layer.cube.attribution or context.settings.attribution,
        **_times(request, layer),
        **({} if source.valued else _legend(request, layer, plan)),
        **packing,
    }


def _full_title(layer: Layer) -> str:
    return f"{layer.cube.title}: {layer.title}"


def _plan(
    context: Context, layer: Layer, chosen: TileMatrixSet, source: Source, kvp: Kvp
) -> MapPlan:
    """The first tile planned: what cannot be drawn has no TileJSON."""
    requests, _ = asked_of(context, layer, source, kvp)
    first = chosen.grid_of_tile(chosen.matrices[0].id, 0, 0)
    plan = plan_map(context, MapQuery(tuple(requests), first, transparent=True))
    if source.valued:
        only_field(plan)
    return plan


def _addresses(
    bare: str, layer: Layer, kvp: Kvp, further: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Addresses that stay true, of one time and with ``{time}`` in it."""
    token = layer.cube.token
    pairs = [*further, ("v", token)]
    template = with_query(bare, pairs)
    time = layer.cube.description.domain.time
    if time is None:
        return {"tiles": [template], "template": template, "token": token}
    shown = kvp.optional("time", str.strip, _default_time(layer.cube, time))
    return {
        "tiles": [with_query(bare, [("time", shown), *pairs])],
        "template": f"{template}&time={{time}}",
        "token": token,
    }


def _extent(chosen: TileMatrixSet, layer: Layer) -> dict[str, Any]:
    """Where there is something to see: to the zoom whose pixels are not larger than the cells."""
    box = layer.cube.description.domain.bbox
    west, south, east, north = geographic_box(box).edges
    finest = _cell_metres(layer.cube.description.domain.grid)
    sizes = [one.cell_size * metres_per_unit(chosen.crs) for one in chosen.matrices]
    deep = next((zoom for zoom, size in enumerate(sizes) if size <= finest * 1.01), len(sizes) - 1)
    placed = covered_box(chosen, box)
    whole = 0 if placed is None else _whole(chosen, placed, deep)
    return {
        "bounds": [west, south, east, north],
        "center": [(west + east) / 2, (south + north) / 2, whole],
        "minzoom": 0,
        "maxzoom": deep,
    }


def _cell_metres(grid: Grid) -> float:
    """Shorter side of a usual cell, as scales reckon metres."""
    box = grid.bbox
    height, width = grid.shape
    return min(box.width / width, box.height / height) * metres_per_unit(grid.crs)


def _whole(chosen: TileMatrixSet, placed: BoundingBox, deep: int) -> int:
    """The deepest zoom at which four tiles hold all of it."""
    for zoom in range(deep, 0, -1):
        found = chosen.limits(chosen.matrices[zoom], placed)
        if found is not None and found[1] - found[0] < 2 and found[3] - found[2] < 2:
            return zoom
    return 0


def _times(request: Request, layer: Layer) -> dict[str, Any]:
    time = layer.cube.description.domain.time
    if time is None:
        return {}
    listed = {"times": list(time.iso)} if time.size <= LISTED else {}
    return {
        **listed,
        "default_time": _default_time(layer.cube, time),
        "times_url": endpoint(request, f"/times/{segment(layer.cube.id)}.json"),
    }


def _default_time(cube: Cube, time: TimeAxis) -> str:
    """The instant that is shown without one; ``current`` where that moves with the clock."""
    moving = cube.settings.time.default == "now"
    return "current" if moving else str(axis_value(time, default_step(cube, time)))


def _legend(request: Request, layer: Layer, plan: MapPlan) -> dict[str, Any]:
    """Nothing where no legend can be drawn."""
    style = layer.style(plan.layers[-1].request.style)
    try:
        size = legend_size(layer, style)
    except DatacubeError:
        return {}
    url = legend_url(request, layer.name, style.name, size)
    alt = escape(style.title or style.name, quote=True)
    return {"legend": f'<img src="{escape(url, quote=True)}" alt="{alt}">', "legend_url": url}


def _physical(field: Field) -> dict[str, Any]:
    """What the numbers of a file mean that holds the values themselves."""
    return {
        "number": "value",
        "dtype": "float32",
        "scale": 1.0,
        "offset": 0.0,
        "nodata": "NaN",
        "unit": field.uom,
        "field": field.name,
    }


def _packing(
    plan: MapPlan, media_type: str, kvp: Kvp
) -> tuple[dict[str, Any], Sequence[tuple[str, str]]]:
    """What the numbers of a pixel mean, and the parameters that make them mean that for ever."""
    found, field = packing_for(plan, kvp), only_field(plan)
    means = {"dtype": "uint16", "scale": found.scale, "offset": found.offset}
    said = {"values": _physical(field) | means}
    if media_type == COLORS:
        said["values"] |= {"number": "256 * red + green", "nodata": "alpha = 0"}
        said |= _factors(found)
    else:
        said["values"] |= {"number": "grey", "nodata": found.nodata}
    if RANGE not in kvp and found == packing_of(field, None):
        return said, ()
    ends = f"{found.offset!r},{found.offset + LARGEST * found.scale!r}"
    return said, ((RANGE, ends),)


def _factors(packing: Packing) -> dict[str, Any]:
    """The same for the source type ``raster-dem`` of MapLibre."""
    return {
        "encoding": "custom",
        "redFactor": 256 * packing.scale,
        "greenFactor": packing.scale,
        "blueFactor": 0.0,
        "baseShift": -packing.offset,
    }
