"""What stands between the engine and everything else: schemas from a folder, the server itself.

The suites compare names of header fields letter by letter, as ``Content-Type``, though they have
no case (RFC 9110, 5.1): what the server sends passes through here and is written that way.
"""

import http.client
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import override
from urllib.parse import urlsplit

from tests.conformance.processes import SCHEMAS
from tests.conformance.suites import checkouts

FOLDER = "DATACUBE_XSD"
EMPTY = ("www.opengis.net/def/", "cite.opengeospatial.org/OGCTestData/")
"""What a suite asks for only to see that there is an answer."""

OPENAPI = "schemas.opengis.net/ogcapi/processes/part1/1.0/openapi/"
"""What is there in a checkout of the standard's sources."""

HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "proxy-connection"})


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
    server = _StandIn(mirror)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], server.missed
    finally:
        server.shutdown()
        server.server_close()


class _StandIn(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, mirror: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mirror = mirror
        self.missed: set[str] = set()


class _Handler(BaseHTTPRequestHandler):
    server: "_StandIn"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        name = (url.netloc + url.path).lstrip("/")
        root = self.server.mirror
        if name.startswith(OPENAPI):
            root, name = (checkouts() / SCHEMAS).resolve(), name.removeprefix(OPENAPI)
        path = (root / name).resolve()
        if url.hostname == "127.0.0.1":
            self._pass_on(url.netloc)
        elif path.is_relative_to(root) and path.is_file():
            self._answer(200, path.read_bytes(), {"Content-Type": "application/xml"})
        elif name.startswith(EMPTY):
            self._answer(200, b"<empty/>", {"Content-Type": "application/xml"})
        else:
            self.server.missed.add(self.path)
            self._answer(404, b"", {})

    def do_POST(self) -> None:
        self._pass_on(urlsplit(self.path).netloc)

    def _pass_on(self, server: str) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        sent = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
        connection = http.client.HTTPConnection(server, timeout=120)
        try:
            target = url._replace(scheme="", netloc="").geturl()
            connection.request(self.command, target, body or None, sent)
            answer = connection.getresponse()
            kept = {k: v for k, v in answer.getheaders() if k.lower() not in HOP_BY_HOP}
            self._answer(answer.status, answer.read(), kept)
        finally:
            connection.close()

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() != "content-length":
                self.send_header(name.title(), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, *args: object) -> None:
        """Say nothing: what was missed is reported at the end."""
