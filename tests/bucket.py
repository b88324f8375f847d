"""A process that speaks S3: prints its address once it has a bucket, ends with its input."""

import sys
import threading
import urllib.request
from contextlib import closing
from typing import Any

from moto.server import ThreadedMotoServer


def main() -> None:
    """Serve until the other end of standard input is closed."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _one_write_at_a_time(server._server)
    url = f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    bucket = urllib.request.Request(f"{url}/bucket", method="PUT")  # noqa: S310
    with closing(urllib.request.urlopen(bucket)) as answer:  # noqa: S310
        answer.read()
    print(url, flush=True)  # noqa: T201
    sys.stdin.read()
    server.stop()


def _one_write_at_a_time(server: Any) -> None:
    """Make conditional puts atomic, as a bucket's are: moto looks first and writes later."""
    answer, lock = server.app, threading.Lock()

    def guarded(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["REQUEST_METHOD"] == "GET":
            return list(answer(environ, start_response))
        with lock:
            return list(answer(environ, start_response))

    server.app = guarded


if __name__ == "__main__":
    main()
