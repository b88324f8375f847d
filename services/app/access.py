"""The access line: one JSON object for each request, without parameters that could be secret."""

import logging
import os
import select
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from json import dumps
from typing import NamedTuple, TextIO, override

LOGGER = logging.getLogger("datacube.access")
_NAMED = frozenset(
    {"layers", "layer", "coverage", "coverageid", "identifier", "identifiers", "eoid"}
)
_WIDEST = 200
_AT_ONCE = select.PIPE_BUF
_GATHERED = 0.2  # seconds between a line and its being written


@dataclass(slots=True)
class Subject:
    """What a request is about; the same for every request for the same URL.

    Parameters
    ----------
    service : str
    path : str
    query : tuple of (name, value)
    """

    service: str
    path: str
    query: tuple[tuple[str, str], ...]
    _text: str = ""

    @property
    def text(self) -> str:
        """Its part of the access line: path, service, operation, the layers or coverage as asked.

        Made when the line is written, which nobody waits for.
        """
        if not self._text:
            path, operation = self.path[:_WIDEST], _operation(self.query)[:_WIDEST]
            name = _name(self.path, self.query)[:_WIDEST]
            self._text = (
                f'"path": {_json(path)}, "service": {_json(self.service)}, '
                f'"operation": {_json(operation)}, "name": {_json(name)}'
            )
        return self._text


class _Line(NamedTuple):
    """What a line says; it becomes text where it is written."""

    at: float
    identifier: str
    client: str
    method: str
    subject: Subject
    status: int
    seconds: float
    nbytes: int
    chunks: int

    @override
    def __str__(self) -> str:
        return (
            f'{{"time": "{_moment(self.at)}", "id": "{self.identifier}", '
            f'"client": {_quoted(self.client)}, "method": {_quoted(self.method)}, '
            f'{self.subject.text}, "status": {self.status}, "ms": {self.seconds * 1000:.3f}, '
            f'"bytes": {self.nbytes}, "chunks": {self.chunks}}}'
        )


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
    now = time.time()
    line = _Line(now, identifier, client, method, subject, status, seconds, nbytes, chunks)
    handlers = LOGGER.handlers
    if len(handlers) == 1 and isinstance(handlers[0], GatheringHandler):
        handlers[0].take(line)  # a record takes longer than all else that is done for the line
        return
    # without a search for the caller, who is always the same
    LOGGER.handle(logging.LogRecord(LOGGER.name, logging.INFO, __file__, 0, line, (), None))


def write_out() -> None:
    """Write every line that has come, before a process ends.

    Logging would do so at its end, had the HTTP server not taken all handlers off its list.
    """
    for handler in LOGGER.handlers:
        with suppress(OSError, ValueError):  # nobody reads them any more
            handler.flush()


class GatheringHandler(logging.Handler):
    """Writes lines some at a time, a moment after they come; all of them when logging ends.

    What is written at a time is whole lines, no more of them than a pipe takes in one piece: the
    lines of several processes do not mix.

    Parameters
    ----------
    stream : text file
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: deque[object] = deque()
        self._read = True
        self._waiting = threading.Event()
        self._writer = 0

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Take the line of a record."""
        self.take(record.getMessage())

    def take(self, line: object) -> None:
        """Take a line, which becomes text when it is written; from any thread."""
        if not self._read:
            return
        self._lines.append(line)
        if not self._waiting.is_set():
            self._waiting.set()
            self._begin()

    @override
    def flush(self) -> None:
        """Write what has come."""
        with self.lock or threading.RLock():
            for piece in _pieces(f"{line}\n" for line in self._taken()):
                self._stream.write(piece)
                self._stream.flush()

    def _taken(self) -> Iterator[object]:
        """What has come, each once."""
        while self._lines:
            yield self._lines.popleft()

    def _begin(self) -> None:
        """Begin the thread that writes, in the process that has something to write."""
        if self._writer != os.getpid():
            self._writer = os.getpid()
            threading.Thread(target=self._write_on, name="access-lines", daemon=True).start()

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


def _pieces(lines: Iterable[str]) -> Iterator[str]:
    """Lines together, as many as fit."""
    held: list[str] = []
    size = 0
    for line in lines:
        nbytes = len(line) if line.isascii() else len(line.encode("utf-8", "replace"))
        if held and size + nbytes > _AT_ONCE:
            yield "".join(held)
            held, size = [], 0
        held.append(line)
        size += nbytes
    if held:
        yield "".join(held)


def _operation(query: Iterable[tuple[str, str]]) -> str:
    """The first parameter REQUEST; empty where there is none."""
    return next((value for name, value in query if name.lower() == "request"), "")


def _moment(at: float) -> str:
    """ISO 8601 with milliseconds, UTC."""
    return f"{_second(int(at))}.{int(at % 1 * 1000):03d}+00:00"


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    """The same of what stands in many lines."""
    return _json(text)


def _json(text: str) -> str:
    """A text in JSON; most need no more than their quotes."""
    plain = text.isascii() and text.isprintable() and '"' not in text and "\\" not in text
    return f'"{text}"' if plain else dumps(text)


def _name(path: str, query: Iterable[tuple[str, str]]) -> str:
    """Layer, coverage or collection that a request names."""
    found = (value for name, value in query if name.lower() in _NAMED and value)
    named = next(found, "")
    if not named and path.startswith(("/ogcapi/collections/", "/viewer/cubes/")):
        named = path.split("/")[3]
    return named
