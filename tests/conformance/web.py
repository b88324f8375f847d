"""What the engine takes for the web: schemas from the folder of schemas, nothing else."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import override
from urllib.parse import urlsplit

FOLDER = "DATACUBE_XSD"
DEFINITIONS = "www.opengis.net/def/"
"""Identifiers that a suite resolves only to see whether they can be."""


@contextmanager
def stand_in() -> Iterator[tuple[int, set[str]]]:
    """An HTTP proxy on a free port of this machine.

    Yields
    ------
    port : int
    missed : set of str
        URLs that were asked for and are not in the folder of schemas.
    """
    mirror = Path(os.environ.get(FOLDER) or "../shared/xsd").resolve() / "mirror"
    missed: set[str] = set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(mirror, missed))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], missed
    finally:
        server.shutdown()
        server.server_close()


def _handler(mirror: Path, missed: set[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            name = (url.netloc + url.path).lstrip("/")
            path = (mirror / name).resolve()
            if path.is_relative_to(mirror) and path.is_file():
                self._answer(200, path.read_bytes())
            elif name.startswith(DEFINITIONS):
                self._answer(200, b"<definition/>")
            else:
                missed.add(self.path)
                self._answer(404, b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, *args: object) -> None:
            """Say nothing: what was missed is reported at the end."""

    return Handler
