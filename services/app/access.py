"""The access line: one JSON object for each request, without parameters that could be secret."""

import json
import logging
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from services.ows.transport import Request

LOGGER = logging.getLogger("datacube.access")
_NAMED = frozenset({"layers", "layer", "coverage", "coverageid", "identifier", "identifiers"})
_WIDEST = 200


@dataclass(frozen=True, slots=True)
class AccessLine:
    """What is written of one request.

    Parameters
    ----------
    id : str
        Sent as X-Request-Id; names the traceback of an unexpected exception.
    service, operation, name : str
        ``wms``, ``GetMap``, the layers or coverage as asked.
    ms : float
        Milliseconds until the last byte was handed over.
    bytes : int
        Of the body as sent.
    chunks : int
        Chunks that the server read from the store meanwhile.
    """

    id: str
    client: str
    method: str
    path: str
    service: str
    operation: str
    name: str
    status: int
    ms: float
    bytes: int
    chunks: int

    def write(self) -> None:
        """Log the line."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        LOGGER.info("%s", json.dumps({"time": now, **asdict(self)}, ensure_ascii=True))


def operation_of(request: Request) -> str:
    """REQUEST parameter of a KVP service, empty elsewhere."""
    found = (value for name, value in request.query if name.lower() == "request")
    return next(found, "")[:_WIDEST]


def name_of(request: Request) -> str:
    """Layer, coverage or collection that a request names."""
    found = (value for name, value in request.query if name.lower() in _NAMED and value)
    named = next(found, "")
    if not named and request.path.startswith(("/ogcapi/collections/", "/viewer/cubes/")):
        named = request.path.split("/")[3]
    return named[:_WIDEST]


def path_of(path: str) -> str:
    """The path, not too long."""
    return path[:_WIDEST]
