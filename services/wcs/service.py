"""The Web Coverage Service: one function from a request to a response."""

from datacube.engine.context import Context
from datacube.errors import DatacubeError
from services.ows.jobs import with_way
from services.ows.kvp import Kvp
from services.ows.reports import internal_error
from services.ows.transport import Request, Response
from services.ows.urls import check_parameters
from services.wcs import v201
from services.wcs.bindings import Bound, bound, opened
from services.wcs.operations import GET_COVERAGE, VERSIONS, answer
from services.wcs.process import PROCESS, inputs_of
from services.wcs.soap import in_envelope
from services.wcs.version import Version, negotiated, stated

_PLAIN = frozenset(
    {"service", "version", "request", "coverageid", "subset", "rangesubset", "format"}
)


def handle(context: Context, request: Request) -> Response:
    """Answer a WCS request; what the domain refuses becomes an exception report."""
    offered = context.settings.wcs_versions
    newest = VERSIONS[offered[-1]]
    asked = Bound(request, Kvp(request.query))
    try:
        asked = opened(asked)
        asked = bound(asked)
        check_parameters(request, asked.kvp.names, "WCS")
        response = answer(context, asked.request, asked.kvp)
    except DatacubeError as error:
        version = _told(asked.kvp, offered) or newest
        told = _with_way(error, context, request, asked.kvp)
        response = version.report(told, context.settings.strict_http)
    return in_envelope(response, asked.envelope) if asked.envelope else response


def is_plain(request: Request) -> bool:
    """Whether a request asks for stored values as they are, of which there may be few: no box."""
    trims = sum("," in text for name, text in request.query if name.lower() == "subset")
    return (
        request.method == "GET"
        and request.operation.lower() == GET_COVERAGE
        and trims < 2
        and all(name.lower() in _PLAIN for name, _ in request.query)
    )


def failure(request: Request, error_id: str) -> Response:
    """The report of an unexpected exception, which the log has under a name."""
    version = _told(Kvp(request.query), tuple(VERSIONS)) or v201.VERSION
    return version.report(internal_error(error_id), True)


def _with_way(error: DatacubeError, context: Context, request: Request, kvp: Kvp) -> DatacubeError:
    """A refusal, with how a coverage that is too large can be had all the same."""
    if not any(one.strip().lower() == GET_COVERAGE for one in kvp.values("request")):
        return error
    return with_way(error, context, request, PROCESS, inputs_of(kvp))


def _told(kvp: Kvp, offered: tuple[str, ...]) -> Version | None:
    """The version that a request tells, as far as it can be read."""
    try:
        if "AcceptVersions" in kvp:
            return VERSIONS[negotiated(kvp, offered)]
        return VERSIONS[stated(kvp, offered)] if "VERSION" in kvp else None
    except DatacubeError:
        return None
