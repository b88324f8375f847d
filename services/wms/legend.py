"""GetLegendGraphic (SLD profile, 05-078r4, 12): what the colours of a request mean.

The legend is that of a map with the same parameters: style and its changes, AGG, EXPR, the times
that a range is measured at. ``LEGEND_OPTIONS`` is GeoServer's, ``COLORBARONLY`` ncWMS'.
"""

import json
from collections.abc import Callable, Mapping

from datacube.engine.context import Context
from datacube.engine.legend import shown_style
from datacube.errors import InvalidFormat, InvalidParameter
from datacube.render.encode import encode
from datacube.render.legend import INK, WHITE, Look, legend
from datacube.render.legend_text import legend_json, legend_svg
from datacube.render.ramp import Rgba
from services.ows.caching import DOCUMENT
from services.ows.described import redrawn, styled_layers
from services.ows.dimensions import layer_requests
from services.ows.kvp import Kvp, bare_type, boolean, positive, word
from services.ows.pictures import MAP_FORMATS, PNG, map_format, opaque
from services.ows.transport import Request, Response
from services.wms.decode import color, transparent
from services.wms.version import Version

LARGEST_LEGEND = 2048
SVG = "image/svg+xml"
JSON = "application/json"
LEGEND_FORMATS = (*MAP_FORMATS, SVG, JSON)
_DOTS = 96.0  # an inch, where nothing else is said
_LETTERS = 12.0  # pixels


def get_legend(context: Context, _request: Request, kvp: Kvp, _version: Version) -> Response:
    """Legend of a layer's style."""
    layer = context.catalog.layer(kvp.one("LAYER"))
    media_type = kvp.optional("FORMAT", _legend_format, PNG)
    requests, _ = layer_requests(kvp, (layer,), (kvp.optional("STYLE", str.strip, ""),))
    described = styled_layers(context.settings, kvp)
    asked = redrawn(requests, described)[-1] if described else requests[-1]
    look = decode_look(kvp, opaque=media_type in MAP_FORMATS and opaque(media_type))
    style, fields = shown_style(context, asked)
    match media_type:
        case "application/json":
            found = {"layer": layer.name, "style": style.name} | legend_json(style, fields)
            body = json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")
        case "image/svg+xml":
            body = legend_svg(style, fields, look).encode("utf-8", "replace")
        case _:
            body = encode(legend(style, fields, look), media_type)
    return Response(200, media_type, body, (DOCUMENT,))


def decode_look(kvp: Kvp, *, opaque: bool = False) -> Look:
    """Size, direction, letters and colours of a legend.

    ``WIDTH``, ``HEIGHT``, ``ORIENTATION=horizontal``, ``TRANSPARENT``, ``BGCOLOR``, ``DPI``,
    ``COLORBARONLY`` (with ``VERTICAL``) and
    ``LEGEND_OPTIONS=layout:horizontal;fontSize:14;fontColor:0x000000;bgColor:0xFFFFFF;dpi:180``.

    Raises
    ------
    InvalidParameter
        One of them cannot be read.
    """
    options = kvp.optional("LEGEND_OPTIONS", _options, {})
    bare = kvp.optional("COLORBARONLY", boolean, False)
    upright = kvp.optional("VERTICAL", boolean, True) and options.get("layout") != "horizontal"
    across = kvp.optional("ORIENTATION", word("horizontal", "vertical"), "vertical")
    dots = kvp.optional("DPI", positive, None) or _of(options, "dpi", positive) or _DOTS
    letters = _of(options, "fontsize", positive) or _LETTERS
    ground: Rgba = (*kvp.optional("BGCOLOR", color, WHITE[:3]), 255)
    if paper := _of(options, "bgcolor", color):
        ground = (*paper, 255)
    if transparent(kvp) and not opaque:
        ground = (*ground[:3], 0)
    ink = _of(options, "fontcolor", color)
    return Look(
        width=kvp.optional("WIDTH", legend_side, None),
        height=kvp.optional("HEIGHT", legend_side, None),
        orientation="vertical" if upright and across == "vertical" else "horizontal",
        zoom=min(max(letters / _LETTERS * dots / _DOTS, 0.25), 8.0),
        background=ground,
        ink=INK if ink is None else (*ink, 255),
        bare=bare,
    )


def legend_side(text: str) -> int:
    """Width or height of a legend or of an exception's picture, in pixels."""
    side = positive(text)
    if side > LARGEST_LEGEND:
        raise ValueError(f"at most {LARGEST_LEGEND} pixels are drawn")
    return side


def _legend_format(text: str) -> str:
    wanted = bare_type(text)
    if wanted in {SVG, "svg"}:
        return SVG
    if wanted in {JSON, "json"}:
        return JSON
    try:
        return map_format(text)
    except InvalidFormat as error:
        raise InvalidFormat(
            f"'{text[:100]}' is no format of legends; offered: {', '.join(LEGEND_FORMATS)}"
        ) from error


def _options(text: str) -> Mapping[str, str]:
    """``name:value;name:value``, names in lower case."""
    pairs = (one.partition(":") for one in text.split(";") if one.strip())
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _of[T](options: Mapping[str, str], name: str, parse: Callable[[str], T]) -> T | None:
    if name not in options:
        return None
    try:
        return parse(options[name])
    except ValueError as error:
        raise InvalidParameter(
            f"the value '{options[name][:50]}' of {name} in LEGEND_OPTIONS cannot be read: {error}",
            subject="LEGEND_OPTIONS",
        ) from error
