"""GetTile and GetFeatureInfo: decode, ask the engine, encode. The pixels are those of the WMS."""

from datacube.engine.context import Context
from services.ows.kvp import Kvp
from services.ows.maps import answer_map
from services.ows.samples import answer_samples
from services.ows.transport import Request, Response
from services.wmts.decode import TileRequest, decode_info, decode_tile


def get_tile(context: Context, request: Request, kvp: Kvp) -> Response:
    """The picture of a tile (07-057r7, 7.2); transparent where the cube has no data."""
    return answer_tile(context, request, decode_tile(context, kvp))


def answer_tile(context: Context, request: Request, asked: TileRequest) -> Response:
    """The picture of a tile that has been understood."""
    return answer_map(context, request, asked.query, asked.media_type, pinned=asked.pinned)


def get_feature_info(context: Context, request: Request, kvp: Kvp) -> Response:
    """Values under a pixel of a tile (07-057r7, 7.3)."""
    asked = decode_info(context, kvp)
    return answer_samples(context, request, asked.query, asked.media_type, pinned=asked.pinned)
