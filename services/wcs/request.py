"""What a request of any version says first: the service and the operation."""

from datacube.errors import InvalidParameter, MissingParameter
from services.ows.kvp import Kvp


def request_name(kvp: Kvp) -> str:
    """The operation, after SERVICE has been checked (OWS Common, 7.2.1).

    Raises
    ------
    MissingParameter
        SERVICE or REQUEST is absent.
    InvalidParameter
        SERVICE is another.
    """
    if "service" not in kvp:
        raise MissingParameter("the parameter SERVICE is missing; it is WCS", subject="service")
    if kvp.one("service").strip().upper() != "WCS":
        raise InvalidParameter(
            f"the service '{kvp.one('service')[:50]}' is not here; SERVICE is WCS",
            subject="service",
        )
    return kvp.one("request").strip()
