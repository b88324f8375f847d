"""The Web Map Service: from a request to an answer, errors included."""

from collections.abc import Callable, Mapping

from datacube.engine.context import Context
from datacube.errors import DatacubeError, InvalidParameter, OperationNotSupported
from services.ows.kvp import Kvp
from services.ows.negotiate import wms_version
from services.ows.reports import internal_error
from services.ows.transport import Request, Response
from services.ows.urls import check_parameters
from services.wms import v130
from services.wms.handlers import exception_picture, get_feature_info, get_legend, get_map
from services.wms.version import Version

type Handler = Callable[[Context, Request, Kvp, Version], Response]

VERSIONS: Mapping[str, Version] = {v130.VERSION.number: v130.VERSION}
HANDLERS: Mapping[str, Handler] = {
    "getmap": get_map,
    "getfeatureinfo": get_feature_info,
    "getlegendgraphic": get_legend,
}
_NEWEST = v130.VERSION


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
        return _refusal(context, kvp, error)


def failure(_request: Request, error_id: str) -> Response:
    """Answer to an unexpected exception, which the log describes under error_id."""
    return _NEWEST.report(internal_error(error_id), True)


def _answer(context: Context, request: Request, kvp: Kvp) -> Response:
    if "SERVICE" in kvp and kvp.one("SERVICE").strip().upper() != "WMS":
        raise InvalidParameter(
            f"this is a WMS; SERVICE={kvp.one('SERVICE')[:50]} is not served here",
            subject="SERVICE",
        )
    operation = kvp.one("REQUEST").strip().lower()
    if operation in {"getcapabilities", "capabilities"}:
        return _negotiated(kvp).capabilities(context, request)
    if (handler := HANDLERS.get(operation)) is None:
        raise OperationNotSupported(
            f"the operation '{operation[:50]}' is not offered; offered: GetCapabilities, GetMap, "
            "GetFeatureInfo, GetLegendGraphic",
            subject="REQUEST",
        )
    version = _NEWEST if handler is get_legend else _stated(kvp)
    return handler(context, request, kvp, version)


def _negotiated(kvp: Kvp) -> Version:
    asked = kvp.one("VERSION") if "VERSION" in kvp else kvp.optional("WMTVER", str, None)
    return VERSIONS[wms_version(asked, tuple(sorted(VERSIONS)))]


def _stated(kvp: Kvp) -> Version:
    asked = kvp.one("VERSION").strip()
    if asked not in VERSIONS:
        raise InvalidParameter(
            f"VERSION={asked[:20]} is not offered; offered: {', '.join(VERSIONS)}",
            subject="VERSION",
        )
    return VERSIONS[asked]


def _refusal(context: Context, kvp: Kvp, error: DatacubeError) -> Response:
    """The report; of a map a picture, where EXCEPTIONS asks for one and the request says which."""
    version = VERSIONS.get(_first(kvp, "VERSION"), _NEWEST)
    report = version.report(error, context.settings.strict_http)
    wish = _first(kvp, "EXCEPTIONS").rpartition("_")[2].lower()
    of_map = _first(kvp, "REQUEST").lower() == "getmap"
    if not of_map or wish not in {"inimage", "blank"} or report.status != 200:
        return report
    try:
        return exception_picture(kvp, None if wish == "blank" else error)
    except DatacubeError:
        return report


def _first(kvp: Kvp, name: str) -> str:
    """First value of a parameter, even of one given twice; empty where absent."""
    return next(iter(kvp.values(name)), "").strip()
