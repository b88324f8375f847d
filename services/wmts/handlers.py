"""GetTile and GetFeatureInfo: decode, ask the engine, encode. The pixels are those of the WMS."""

from datacube.engine.context import Context
from datacube.engine.sample import get_samples
from services.ows.caching import (
    cache_control,
    etag,
    layer_states,
    matches,
    not_modified,
    warnings,
)
from services.ows.featureinfo import encode_samples
from services.ows.kvp import Kvp
from services.ows.maps import answer_map
from services.ows.transport import Request, Response
from services.wmts.decode import decode_info, decode_tile


def get_tile(context: Context, request: Request, kvp: Kvp) -> Response:
    """The picture of a tile (07-057r7, 7.2); transparent where the cube has no data."""
    asked = decode_tile(context, kvp)
    return answer_map(context, request, asked.query, asked.media_type, pinned=asked.pinned)


def get_feature_info(context: Context, request: Request, kvp: Kvp) -> Response:
    """Values under a pixel of a tile (07-057r7, 7.3)."""
    asked = decode_info(context, kvp)
    control = cache_control(moving=not asked.pinned)
    tag = etag(layer_states(context, asked.query.layers), asked.query, asked.media_type)
    if matches(request, tag):
        return not_modified(tag, control)
    found = get_samples(context, asked.query)
    body = encode_samples(found.samples, asked.media_type)
    return Response(200, asked.media_type, body, (("ETag", tag), control, *warnings(found.notes)))
