"""GetMap and GetFeatureInfo: decode, ask the engine, encode."""

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
from services.ows.featureinfo import encode_samples, info_format
from services.ows.kvp import Kvp
from services.ows.maps import answer_map
from services.ows.transport import Request, Response
from services.wms.decode import decode_info, decode_map
from services.wms.version import Version


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
