"""The Web Coverage Service: one function from a request to a response."""

from collections.abc import Mapping

from datacube.engine.context import Context
from datacube.errors import DatacubeError, OperationNotSupported
from services.ows.kvp import Kvp
from services.ows.reports import internal_error
from services.ows.transport import Request, Response
from services.ows.urls import check_parameters
from services.wcs import v100, v110, v201
from services.wcs.bindings import Bound, bound
from services.wcs.request import request_name
from services.wcs.soap import in_envelope
from services.wcs.version import Version, negotiated, stated

VERSIONS: Mapping[str, Version] = {
    one.number: one for one in (v100.VERSION, *v110.VERSIONS, v201.VERSION)
}
_CAPABILITIES = "getcapabilities"


def handle(context: Context, request: Request) -> Response:
    """Answer a WCS request; what the domain refuses becomes an exception report."""
    offered = context.settings.wcs_versions
    newest = VERSIONS[offered[-1]]
    asked = Bound(request, Kvp(request.query))
    try:
        asked = bound(request)
        check_parameters(request, asked.kvp.names, "WCS")
        response = _answer(context, asked.request, asked.kvp, offered)
    except DatacubeError as error:
        version = _told(asked.kvp, offered) or newest
        response = version.report(error, context.settings.strict_http)
    return in_envelope(response, asked.envelope) if asked.envelope else response


def failure(request: Request, error_id: str) -> Response:
    """The report of an unexpected exception, which the log has under a name."""
    version = _told(Kvp(request.query), tuple(VERSIONS)) or v201.VERSION
    return version.report(internal_error(error_id), True)


def _answer(context: Context, request: Request, kvp: Kvp, offered: tuple[str, ...]) -> Response:
    asked = request_name(kvp)
    name = asked.lower()
    number = negotiated(kvp, offered) if name == _CAPABILITIES else stated(kvp, offered)
    operations = VERSIONS[number].operations
    named = next((one for one in operations if one.lower() == name), None)
    if named is None:
        raise OperationNotSupported(
            f"there is no operation '{asked[:100]}'; there are {', '.join(operations)}",
            subject=asked[:100],
        )
    return operations[named](context, request, kvp)


def _told(kvp: Kvp, offered: tuple[str, ...]) -> Version | None:
    """The version that a request tells, as far as it can be read."""
    try:
        if "AcceptVersions" in kvp:
            return VERSIONS[negotiated(kvp, offered)]
        return VERSIONS[stated(kvp, offered)] if "VERSION" in kvp else None
    except DatacubeError:
        return None
