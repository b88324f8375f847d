"""The versions of the service, and which of their operations a request is for."""

from collections.abc import Mapping

from datacube.engine.context import Context
from datacube.errors import OperationNotSupported
from services.ows.kvp import Kvp
from services.ows.transport import Request, Response
from services.wcs import v100, v110, v201
from services.wcs.request import request_name
from services.wcs.version import Version, negotiated, stated

VERSIONS: Mapping[str, Version] = {
    one.number: one for one in (v100.VERSION, *v110.VERSIONS, v201.VERSION)
}
GET_COVERAGE = "getcoverage"
_CAPABILITIES = "getcapabilities"


def answer(context: Context, request: Request, kvp: Kvp) -> Response:
    """The answer of the operation that a request names.

    Raises
    ------
    DatacubeError
        There is none, or it refuses.
    """
    offered = context.settings.wcs_versions
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
