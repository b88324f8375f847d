"""A refusal as the client wants it: a report, JSON, or in place of a map a picture (EXCEPTIONS)."""

from datacube.errors import DatacubeError
from datacube.render.encode import encode
from services.ows.caching import NO_STORE
from services.ows.kvp import Kvp
from services.ows.pictures import map_format, opaque, plain_picture, text_picture
from services.ows.reports import json_report
from services.ows.transport import Response
from services.wms.decode import background, transparent
from services.wms.legend import legend_side
from services.wms.version import Version


def refusal(kvp: Kvp, version: Version, error: DatacubeError, *, strict: bool) -> Response:
    """The report; of a map a picture, where EXCEPTIONS asks for one and the request says which.

    Both versions' spellings are read: ``INIMAGE`` and ``application/vnd.ogc.se_inimage``.
    """
    report = version.report(error, strict)
    wish = first(kvp, "EXCEPTIONS").rpartition("_")[2].lower()
    if wish in {"json", "application/json"}:
        return json_report(error, version.number, report)
    of_map = first(kvp, "REQUEST").lower() in {"getmap", "map"}
    if not of_map or wish not in {"inimage", "blank"} or report.status != 200:
        return report
    try:
        return _picture(kvp, None if wish == "blank" else error)
    except DatacubeError:
        return report


def first(kvp: Kvp, name: str) -> str:
    """First value of a parameter, even of one given twice; empty where absent."""
    return next(iter(kvp.values(name)), "").strip()


def _picture(kvp: Kvp, error: DatacubeError | None) -> Response:
    """Its text, or nothing at all (error None), in the format and size that are asked for.

    A film or a GeoTIFF has none: it gets the report.
    """
    media_type = kvp.one("FORMAT", map_format)
    width, height = kvp.one("WIDTH", legend_side), kvp.one("HEIGHT", legend_side)
    color, clear = background(kvp), transparent(kvp) and not opaque(media_type)
    if error is None:
        image = plain_picture(width, height, color, transparent=clear)
    else:
        image = text_picture(error.message, width, height, color, transparent=clear)
    return Response(200, media_type, encode(image, media_type), (NO_STORE,))
