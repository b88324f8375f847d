"""The Web Map Service: from a request to an answer, errors included."""

import re
from collections.abc import Callable, Mapping

from datacube.engine.context import Context
from datacube.errors import DatacubeError, InvalidParameter, OperationNotSupported
from services.ows.aggregate import MAP_REDUCTION
from services.ows.kvp import Kvp, comma_list
from services.ows.negotiate import wms_version
from services.ows.pictures import PNG
from services.ows.reports import internal_error
from services.ows.sequence import refuse_current
from services.ows.transport import Request, Response
from services.ows.urls import check_parameters
from services.wms import v111, v130
from services.wms.describe import describe_layer, get_styles
from services.wms.handlers import get_feature_info, get_map
from services.wms.inspire import chosen_language
from services.wms.legend import get_legend
from services.wms.lines import KINDS, line_request
from services.wms.metadata import get_metadata
from services.wms.refusals import first, refusal
from services.wms.schema import get_schema
from services.wms.version import Listing, Version

type Handler = Callable[[Context, Request, Kvp, Version], Response]

VERSIONS: Mapping[str, Version] = {one.number: one for one in (v111.VERSION, v130.VERSION)}
NUMBERS = tuple(VERSIONS)
HANDLERS: Mapping[str, Handler] = {
    "getmap": get_map,
    "map": get_map,
    "getfeatureinfo": get_feature_info,
    "getlegendgraphic": get_legend,
    "getschemaextension": get_schema,
    "describelayer": describe_layer,
    "getstyles": get_styles,
    "getmetadata": get_metadata,
    **{name.lower(): line_request(kind) for name, kind in KINDS.items()},
}
_NEWEST = v130.VERSION
_SIDES = frozenset({"width", "height"})
_SMALL = 512 * 512  # pixels
_QUICK = re.compile(r"image/(png|jpeg)", re.IGNORECASE)
_SMALL_QUICK = 1 << 20  # of formats that are written as fast as pixels are found


def handle(context: Context, request: Request) -> Response:
    """Answer a WMS request; domain errors become exception reports.

    Parameters
    ----------
    request : Request
        GET, or POST with a form.
    """
    kvp = Kvp(request.query)
    try:
        kvp = Kvp.of(request)
        check_parameters(request, kvp.names, "WMS")
        return _answer(context, request, kvp)
    except DatacubeError as error:
        version = VERSIONS[wms_version(first(kvp, "VERSION") or None, NUMBERS)]
        return refusal(kvp, version, error, strict=context.settings.strict_http)


def is_small_map(request: Request) -> bool:
    """Whether a request asks for a picture that may be drawn in a moment: none of many pixels."""
    if request.operation.lower() != "getmap":
        return False
    sides = [value for name, value in request.query if name.lower() in _SIDES]
    if len(sides) != 2 or not all(one.isdecimal() and len(one) < 5 for one in sides):
        return False
    quick = any(name.lower() == "format" and _QUICK.match(value) for name, value in request.query)
    return int(sides[0]) * int(sides[1]) <= (_SMALL_QUICK if quick else _SMALL)


def is_brief(request: Request) -> bool:
    """Whether the answer to a request may take a moment: a small map, or the values of a point."""
    if request.operation.lower() != "gettimeseries":
        return is_small_map(request)
    return request.method == "GET" and not any(
        name.lower() in MAP_REDUCTION or value.lower() == PNG for name, value in request.query
    )


def failure(request: Request, error_id: str) -> Response:
    """Answer to an unexpected exception, which the log describes under error_id."""
    asked = first(Kvp(request.query), "VERSION") or None
    return VERSIONS[wms_version(asked, NUMBERS)].report(internal_error(error_id), True)


def _answer(context: Context, request: Request, kvp: Kvp) -> Response:
    if "SERVICE" in kvp and kvp.one("SERVICE").strip().upper() != "WMS":
        raise InvalidParameter(
            f"this is a WMS; SERVICE={kvp.one('SERVICE')[:50]} is not served here",
            subject="SERVICE",
        )
    operation = kvp.one("REQUEST").strip().lower()
    if operation in {"getcapabilities", "capabilities"}:
        version = _negotiated(kvp)
        refuse_current(kvp, context.catalog.sequence)
        listing = Listing(_cubes(kvp), chosen_language(kvp, context.settings))
        return version.capabilities(context, request, listing)
    if (handler := HANDLERS.get(operation)) is None:
        raise OperationNotSupported(
            f"the operation '{operation[:50]}' is not offered; offered: GetCapabilities, GetMap, "
            f"GetFeatureInfo, GetLegendGraphic, DescribeLayer, GetStyles, GetMetadata, "
            f"{', '.join(KINDS)}",
            subject="REQUEST",
        )
    loose = handler in {get_legend, get_metadata, get_schema, get_styles} and "VERSION" not in kvp
    version = _NEWEST if loose or handler is get_legend else _stated(kvp)
    return handler(context, request, kvp, version)


def _negotiated(kvp: Kvp) -> Version:
    asked = kvp.one("VERSION") if "VERSION" in kvp else kvp.optional("WMTVER", str, None)
    return VERSIONS[wms_version(asked, NUMBERS)]


def _cubes(kvp: Kvp) -> tuple[str, ...]:
    """Cubes whose layers alone are listed: ``CUBE``, ``LAYER`` or ``LAYERS``."""
    name = next((one for one in ("CUBE", "LAYER", "LAYERS") if one in kvp), "CUBE")
    return kvp.optional(name, comma_list, ())


def _stated(kvp: Kvp) -> Version:
    name = "WMTVER" if "WMTVER" in kvp and "VERSION" not in kvp else "VERSION"
    asked = kvp.one(name).strip()
    if asked not in VERSIONS:
        raise InvalidParameter(
            f"{name}={asked[:20]} is not offered; offered: {', '.join(VERSIONS)}",
            subject=name,
        )
    return VERSIONS[asked]
