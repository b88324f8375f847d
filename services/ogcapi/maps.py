"""``/collections/{id}/map``: the cube's picture, drawn by the core as for WMS."""

import re
from dataclasses import replace
from itertools import chain

from datacube.config.settings import Limits
from datacube.engine.context import Context
from datacube.engine.cube import Layer
from datacube.errors import InvalidParameter, InvalidScaling, RequestTooLarge
from datacube.model.bbox import BoundingBox
from datacube.model.crs import Crs
from datacube.model.grid import RectifiedGrid
from datacube.model.query import MapQuery, TimeChoice
from services.ogcapi.media import NotAcceptable, accepted
from services.ogcapi.parameters import MAP_PARAMETERS, decode_bbox, decode_datetime, known
from services.ows.aggregate import decode_reduction
from services.ows.dimensions import forecast_names, layer_places, parameter_names, run_and_lead
from services.ows.kvp import Kvp, boolean, positive
from services.ows.maps import answer_map
from services.ows.transport import Request, Response

_LONG_SIDE = 1024
_NAMES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "webp": "image/webp",
}
_COLOUR = re.compile(r"^(?:0x|#)?([0-9a-f]{6})$", re.IGNORECASE)


def map_of(context: Context, request: Request, name: str) -> Response:
    """A picture of a collection.

    Raises
    ------
    DatacubeError
        The request cannot be meant.
    """
    query, media_type = decode_picture(context, request, name)
    answer = answer_map(context, request, query, media_type)
    return replace(answer.with_headers(("Vary", "Accept")), lasting=False)


def decode_picture(context: Context, request: Request, name: str) -> tuple[MapQuery, str]:
    """The query and the media type of a request for a map.

    Raises
    ------
    DatacubeError
        The request cannot be meant.
    """
    cube = context.catalog.cube(name)
    picture = cube.layers[0]
    parameters = known(request, MAP_PARAMETERS | _axis_names(picture))
    media_type = _picture_type(parameters.optional("f", str, None), request.header("accept"))
    box = decode_bbox(parameters) or cube.description.domain.bbox.geographic()
    crs = parameters.optional("crs", Crs.parse, box.crs)
    when = decode_datetime(parameters)
    run, lead = run_and_lead(parameters, picture)
    layer = replace(
        decode_reduction(parameters),
        layer=cube.id,
        style=parameters.optional("style", str, ""),
        time=None if when is None else TimeChoice(when),
        places=layer_places(parameters, picture),
        run=run,
        lead=lead,
    )
    grid = _grid(box.to_crs(crs), parameters, context.settings.limits)
    background = parameters.optional("bgcolor", _colour, (255, 255, 255))
    transparent = parameters.optional("transparent", boolean, True) and media_type != "image/jpeg"
    return MapQuery((layer,), grid, background, transparent), media_type


def _axis_names(picture: Layer) -> frozenset[str]:
    """Names under which a place on an axis other than time, or a run, is sent."""
    domain = picture.cube.description.domain
    others = (axis for axis in domain.axes if axis is not domain.time)
    names = (parameter_names(axis, vertical=axis is domain.vertical) for axis in others)
    return frozenset(name.lower() for name in chain(*names, *forecast_names(picture)))


def _picture_type(f: str | None, accept: str) -> str:
    if f is not None:
        if f.lower() in _NAMES.values():
            return f.lower()
        if f.lower() in _NAMES:
            return _NAMES[f.lower()]
        raise InvalidParameter(f"f is '{f[:60]}'; there are {', '.join(_NAMES)}", subject="f")
    names = accepted(accept)
    for name in names:
        if name in _NAMES.values():
            return name
    if names and not {"*/*", "image/*", "text/html"} & set(names):
        raise NotAcceptable(f"a map is {', '.join(sorted(set(_NAMES.values())))}", subject="Accept")
    return "image/png"


def _grid(box: BoundingBox, parameters: Kvp, limits: Limits) -> RectifiedGrid:
    """One cell a pixel; a side that is not given keeps the pixels square."""
    if not (box.width > 0 and box.height > 0):
        raise InvalidScaling("the box of the map has no area", subject="bbox")
    ratio = box.width / box.height
    width = parameters.optional("width", positive, None)
    height = parameters.optional("height", positive, None)
    if width is None and height is None:
        width = _LONG_SIDE if ratio >= 1 else max(1, round(_LONG_SIDE * ratio))
    if width is None:
        width = max(1, round((height or 1) * ratio))
    if height is None:
        height = max(1, round(width / ratio))
    if width > limits.max_width or height > limits.max_height:
        raise RequestTooLarge(
            f"a map of {width} x {height} pixels is above the limit of "
            f"{limits.max_width} x {limits.max_height}",
            subject="width",
        )
    return RectifiedGrid.from_bbox(box, width, height)


def _colour(text: str) -> tuple[int, int, int]:
    found = _COLOUR.match(text.strip())
    if found is None:
        raise ValueError(f"'{text[:40]}' is no colour such as 0xRRGGBB")
    red, green, blue = bytes.fromhex(found[1])
    return red, green, blue
