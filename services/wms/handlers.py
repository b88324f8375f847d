"""GetMap, GetFeatureInfo and GetLegendGraphic: decode, ask the engine, encode."""

from datacube.engine.context import Context
from datacube.engine.legend import draw_legend
from datacube.engine.sample import get_samples
from datacube.render.encode import encode
from services.ows.caching import (
    DOCUMENT,
    cache_control,
    etag,
    layer_states,
    matches,
    not_modified,
    warnings,
)
from services.ows.featureinfo import encode_samples, info_format
from services.ows.kvp import Kvp, positive
from services.ows.maps import answer_map
from services.ows.pictures import PNG, map_format
from services.ows.transport import Request, Response
from services.wms.decode import decode_info, decode_map
from services.wms.version import Version

LARGEST_LEGEND = 2048


def get_map(context: Context, request: Request, kvp: Kvp, version: Version) -> Response:
    """The picture of layers in a box (06-042, 7.3)."""
    asked = decode_map(context, kvp, version)
    return answer_map(context, request, asked.query, asked.media_type, pinned=asked.pinned)


def get_feature_info(context: Context, request: Request, kvp: Kvp, version: Version) -> Response:
    """Values under a pixel of a map (06-042, 7.4)."""
    asked = decode_info(context, kvp, version)
    media_type = kvp.one("INFO_FORMAT", info_format)
    control = cache_control(moving=not asked.pinned)
    tag = etag(layer_states(context, asked.query.layers), asked.query, media_type)
    if matches(request, tag):
        return not_modified(tag, control)
    found = get_samples(context, asked.query)
    body = encode_samples(found.samples, media_type)
    return Response(200, media_type, body, (("ETag", tag), control, *warnings(found.notes)))


def get_legend(context: Context, _request: Request, kvp: Kvp, _version: Version) -> Response:
    """Legend of a layer's style (SLD profile, 05-078r4, 12)."""
    layer = context.catalog.layer(kvp.one("LAYER"))
    style = layer.style(kvp.optional("STYLE", str.strip, ""))
    media_type = kvp.optional("FORMAT", map_format, PNG)
    width = kvp.optional("WIDTH", legend_side, None)
    height = kvp.optional("HEIGHT", legend_side, None)
    image = draw_legend(context, layer.name, style.name, width, height)
    return Response(200, media_type, encode(image, media_type), (DOCUMENT,))


def legend_side(text: str) -> int:
    """Width or height of a legend or of an exception's picture, in pixels."""
    side = positive(text)
    if side > LARGEST_LEGEND:
        raise ValueError(f"at most {LARGEST_LEGEND} pixels are drawn")
    return side
