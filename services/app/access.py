"""The access line: one JSON object for each request, without parameters that could be secret."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from json import dumps
from typing import TextIO, override

from services.ows.transport import Request

LOGGER = logging.getLogger("datacube.access")
_NAMED = frozenset({"layers", "layer", "coverage", "coverageid", "identifier", "identifiers"})
_WIDEST = 200
_GATHERED = 0.05  # seconds between a line and its being written


@dataclass(frozen=True, slots=True)
class Subject:
    """What a request is about; the same for every request for the same URL.

    Parameters
    ----------
    service : str
    text : str
        Its part of the access line: path, service, operation (``GetMap``), name (the layers or
        coverage as asked).
    """

    service: str
    text: str


def subject_of(request: Request, service: str) -> Subject:
    """What a request is about."""
    found: Mapping[str, str] = {
        "path": request.path[:_WIDEST],
        "service": service,
        "operation": _operation(request),
        "name": _name(request),
    }
    return Subject(service, dumps(found)[1:-1])


def write_line(
    identifier: str,
    client: str,
    method: str,
    subject: Subject,
    status: int,
    seconds: float,
    nbytes: int,
    chunks: int,
) -> None:
    """Log one request.

    Parameters
    ----------
    identifier : str
        Sent as X-Request-Id; names the traceback of an unexpected exception.
    seconds : float
        Until the last byte was handed over.
    nbytes : int
        Of the body as sent.
    chunks : int
        Chunks that the server read from the store meanwhile.
    """
    if not LOGGER.isEnabledFor(logging.INFO):
        return
    line = (
        f'{{"time": "{_now()}", "id": "{identifier}", "client": {_quoted(client)}, '
        f'"method": {_quoted(method)}, {subject.text}, "status": {status}, '
        f'"ms": {seconds * 1000:.3f}, "bytes": {nbytes}, "chunks": {chunks}}}'
    )
    # without a search for the caller, who is always the same
    LOGGER.handle(logging.LogRecord(LOGGER.name, logging.INFO, __file__, 0, line, (), None))


class GatheringHandler(logging.Handler):
    """Writes lines some at a time, a moment after they come; all of them when logging ends.

    Parameters
    ----------
    stream : text file
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: list[str] = []
        self._read = True
        self._waiting = threading.Event()
        threading.Thread(target=self._write_on, name="access-lines", daemon=True).start()

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Take a line."""
        if not self._read:
            return
        self._lines.append(record.getMessage())
        if not self._waiting.is_set():
            self._waiting.set()

    @override
    def flush(self) -> None:
        """Write what has come."""
        with self.lock or threading.RLock():
            lines, self._lines = self._lines, []
            if lines:
                self._stream.write("\n".join(lines) + "\n")
                self._stream.flush()

    def _write_on(self) -> None:
        while True:
            self._waiting.wait()
            time.sleep(_GATHERED)
            self._waiting.clear()
            try:
                self.flush()
            except (OSError, ValueError):
                self._read = False
                return


def _now() -> str:
    """ISO 8601 with milliseconds, UTC."""
    now = time.time()
    return f"{_second(int(now))}.{int(now % 1 * 1000):03d}+00:00"


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    return dumps(text)


def _operation(request: Request) -> str:
    """REQUEST parameter of a KVP service, empty elsewhere."""
    found = (value for name, value in request.query if name.lower() == "request")
    return next(found, "")[:_WIDEST]


def _name(request: Request) -> str:
    """Layer, coverage or collection that a request names."""
    found = (value for name, value in request.query if name.lower() in _NAMED and value)
    named = next(found, "")
    if not named and request.path.startswith(("/ogcapi/collections/", "/viewer/cubes/")):
        named = request.path.split("/")[3]
    return named[:_WIDEST]
