"""An S3 end point that goes wrong where a test says so, in front of a real one."""

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import override
from urllib.parse import urlsplit

_CONDITIONS = {"if-match", "if-none-match"}
_HOP = {"host", "connection", "transfer-encoding", "content-length", "date", "server"}


@dataclass
class Faults:
    """What goes wrong, and how often still.

    Attributes
    ----------
    careless : bool
        Conditions of a put are not looked at.
    unavailable : int
        So many requests are answered by 503.
    cut : int
        So many answers to a GET of a chunk end in the middle.
    lost : int
        So many puts are done, and their answers are lost.
    slow : int
        So many answers come a second late.
    """

    url: str = ""
    careless: bool = False
    unavailable: int = 0
    cut: int = 0
    lost: int = 0
    slow: int = 0
    met: list[str] = field(default_factory=list)

    def take(self, name: str) -> bool:
        """Whether this fault happens now."""
        left = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
            self.met.append(name)
        return bool(left > 0)


@contextmanager
def fault_proxy(target: str) -> Iterator[Faults]:
    """A proxy in front of an HTTP server."""
    faults, lock = Faults(), threading.Lock()
    host = urlsplit(target).netloc

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        @override
        def log_message(self, format: str, *args: object) -> None:
            del format, args

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            with lock:
                unavailable = faults.take("unavailable")
                chunk = "/c/" in self.path
                cut = self.command == "GET" and chunk and faults.take("cut")
                lost = self.command == "PUT" and chunk and faults.take("lost")
                slow = not unavailable and faults.take("slow")
            if unavailable:
                self.answer(503, {}, b"")
                return
            if slow:
                time.sleep(1)
            headers = {
                key: value
                for key, value in self.headers.items()
                if key.lower() not in _HOP
                and not (faults.careless and self.command == "PUT" and key.lower() in _CONDITIONS)
            }
            connection = http.client.HTTPConnection(host, timeout=30)
            connection.request(self.command, self.path, body, headers)
            found = connection.getresponse()
            data = found.read()
            known = {key: value for key, value in found.getheaders() if key.lower() not in _HOP}
            connection.close()
            if lost:
                self.close_connection = True
                return
            length = found.getheader("content-length") if self.command == "HEAD" else None
            self.answer(found.status, known, data, length, cut=cut)

        def answer(
            self,
            status: int,
            headers: dict[str, str],
            data: bytes,
            length: str | None = None,
            *,
            cut: bool = False,
        ) -> None:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", length or str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if cut else data)
            self.close_connection = cut

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = pass_on  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    faults.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield faults
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
