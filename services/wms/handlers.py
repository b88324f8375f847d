"""GetMap and GetFeatureInfo: decode, ask the engine, encode."""

from datacube.engine.context import Context
from datacube.engine.map import draw_map, plan_map
from services.ows.featureinfo import info_format
from services.ows.kvp import Kvp, boolean
from services.ows.maps import answer_map, answer_plan
from services.ows.pictures import MAP_FORMATS
from services.ows.samples import answer_samples
from services.ows.transport import Request, Response, TakesLonger
from services.wms.animation import get_animation, wants_animation
from services.wms.decode import decode_info, decode_map
from services.wms.formats import encoded, sent_as
from services.wms.series import get_series
from services.wms.version import Version


def get_map(context: Context, request: Request, kvp: Kvp, version: Version) -> Response:
    """The picture of layers in a box (06-042, 7.3), or one after the other.

    Raises
    ------
    TakesLonger
        The request is a brief one, and its answer is not.
    """
    if wants_animation(kvp):
        if request.brief:
            raise TakesLonger
        return get_animation(context, request, kvp, version)
    asked = decode_map(context, kvp, version)
    kind = asked.media_type
    if kind in MAP_FORMATS:
        return answer_map(context, request, asked.query, kind, pinned=asked.pinned)
    plan, grid = plan_map(context, asked.query), asked.query.grid
    return answer_plan(
        context,
        request,
        plan,
        sent_as(kind),
        lambda: encoded(draw_map(context, plan), kind, grid),
        pinned=asked.pinned,
        form=kind,
    )


def get_feature_info(context: Context, request: Request, kvp: Kvp, version: Version) -> Response:
    """Values under a pixel of a map (06-042, 7.4), or with ``SERIES=true`` those of each time."""
    usual = version.info_format
    media_type = (
        usual if usual and "INFO_FORMAT" not in kvp else kvp.one("INFO_FORMAT", info_format)
    )
    if kvp.optional("SERIES", boolean, False):
        return get_series(context, request, kvp, version, media_type)
    asked = decode_info(context, kvp, version)
    return answer_samples(context, request, asked.query, media_type, pinned=asked.pinned)
