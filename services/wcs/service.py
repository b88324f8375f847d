"""The Web Coverage Service: one function from a request to a response."""

from collections.abc import Callable

from datacube.engine.context import Context
from datacube.errors import DatacubeError, OperationNotSupported, VersionNotSupported
from services.ows.kvp import Kvp
from services.ows.reports import internal_error, ows20_report
from services.ows.transport import Request, Response
from services.ows.urls import check_parameters
from services.wcs import handlers
from services.wcs.v201.decode import request_name
from services.wcs.v201.errors import CODES

type Handler = Callable[[Context, Request, Kvp], Response]

_VERSIONS = ("2.0.1", "2.0.0")
_OPERATIONS: dict[str, Handler] = {
    "getcapabilities": handlers.answer_capabilities,
    "describecoverage": handlers.answer_description,
    "getcoverage": handlers.answer_coverage,
}


def handle(context: Context, request: Request) -> Response:
    """Answer a WCS request; what the domain refuses becomes an exception report."""
    try:
        kvp = Kvp.of(request)
        check_parameters(request, kvp.names, "WCS")
        operation = _operation(kvp)
        return operation(context, request, kvp)
    except DatacubeError as error:
        return ows20_report(error, table=CODES)


def failure(request: Request, error_id: str) -> Response:  # noqa: ARG001
    """The report of an unexpected exception, which the log has under a name."""
    return ows20_report(internal_error(error_id), table=CODES)


def _operation(kvp: Kvp) -> Handler:
    name = request_name(kvp)
    found = _OPERATIONS.get(name.lower())
    if found is None:
        raise OperationNotSupported(
            f"there is no operation '{name[:100]}'; there are "
            "GetCapabilities, DescribeCoverage and GetCoverage",
            subject=name[:100],
        )
    version = kvp.optional("version", str.strip, _VERSIONS[0])
    if found is not handlers.answer_capabilities and version not in _VERSIONS:
        raise VersionNotSupported(
            f"the version {version[:20]} is not offered; offered is {_VERSIONS[0]}",
            subject="version",
        )
    return found
