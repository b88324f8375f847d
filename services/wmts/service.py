"""The Web Map Tile Service: from a request to an answer, errors included."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from datacube.engine.context import Context
from datacube.errors import DatacubeError, InvalidParameter
from services.ows.caching import DOCUMENT, etag, kept_document
from services.ows.kvp import Kvp
from services.ows.negotiate import ows_version
from services.ows.pictures import map_format
from services.ows.reports import internal_error, wmts100_report
from services.ows.sequence import is_current
from services.ows.transport import Request, Response
from services.ows.urls import check_parameters
from services.ows.xml import serialise
from services.wmts import soap
from services.wmts.capabilities import capabilities_document, unchanged
from services.wmts.decode import check_version, decode_path
from services.wmts.handlers import answer_tile, get_feature_info, get_tile
from services.wmts.rest import CAPABILITIES, TILE_ENDINGS, NoSuchPath, parameters

type Handler = Callable[[Context, Request, Kvp], Response]

_XML = "application/xml"


def handle(context: Context, request: Request) -> Response:
    """Answer a KVP request, or one in a SOAP envelope; domain errors become exception reports."""
    if soap.is_soap(request):
        return soap.handle(context, request, _answer)
    try:
        kvp = Kvp.of(request)
        check_parameters(request, kvp.names, "WMTS")
        return _answer(context, request, kvp)
    except DatacubeError as error:
        return wmts100_report(error)


def _answer(context: Context, request: Request, kvp: Kvp) -> Response:
    _check_service(kvp)
    operation = _operation(kvp)
    if context.settings.wmts_strict and operation is get_feature_info:
        kvp.one("format", map_format)
    return operation(context, request, kvp)


def handle_rest(context: Context, request: Request, tail: str) -> Response:
    """Answer a RESTful request.

    Parameters
    ----------
    tail : str
        Percent-decoded path below ``/wmts/``.
    """
    try:
        if tail.strip("/").partition("&")[0] == CAPABILITIES:
            own = [pair for pair in request.query if pair[0].lower() in {"time", "cube"}]
            return get_capabilities(context, request, Kvp(own))
        if (tile := decode_path(context, request, tail)) is not None:
            return answer_tile(context, request, tile)
        kvp = parameters(context, request, tail)
        return _operation(kvp)(context, request, kvp)
    except NoSuchPath as error:
        return replace(wmts100_report(error), status=404)
    except DatacubeError as error:
        return wmts100_report(error)


def is_tile(request: Request) -> bool:
    """Whether a request asks for a picture, by its path or its parameters.

    Not so where a style comes from elsewhere, for which one would have to wait.
    """
    ending = request.path.rpartition(".")[2]
    asked = ending in TILE_ENDINGS or request.operation.lower() == "gettile"
    return asked and not any(name.lower() == "sld" for name, _ in request.query)


def failure(_request: Request, error_id: str) -> Response:
    """Answer to an unexpected exception, which the log describes under error_id."""
    return wmts100_report(internal_error(error_id))


def get_capabilities(context: Context, request: Request, kvp: Kvp) -> Response:
    """The capabilities document (07-057r7, 7.1)."""
    ows_version(kvp, ("1.0.0",))
    sequence = context.catalog.sequence
    if is_current(kvp, sequence):
        return Response(200, _XML, serialise(unchanged(sequence)), (DOCUMENT,))
    asked = (request.path, *(kvp.values(name) for name in ("Sections", "time", "cube")))
    return kept_document(
        context,
        request,
        _XML,
        etag([sequence], "wmts", request.base_url, asked),
        lambda: serialise(capabilities_document(context, request, kvp)),
    )


_OPERATIONS: Mapping[str, Handler] = {
    "GetCapabilities": get_capabilities,
    "GetTile": get_tile,
    "GetFeatureInfo": get_feature_info,
}


def _check_service(kvp: Kvp) -> None:
    """SERVICE and VERSION, as tables 19 and 22 ask for them."""
    service = kvp.one("service").strip()
    if service.upper() != "WMTS":
        raise InvalidParameter(
            f"this is a WMTS; service={service[:50]} is not served here", subject="service"
        )


def _operation(kvp: Kvp) -> Handler:
    asked = kvp.one("request").strip()
    for name, handler in _OPERATIONS.items():
        if name.lower() == asked.lower():
            if handler is not get_capabilities:
                check_version(kvp)
            return handler
    raise InvalidParameter(
        f"there is no operation '{asked[:50]}'; operations are {', '.join(_OPERATIONS)}",
        subject="request",
    )
