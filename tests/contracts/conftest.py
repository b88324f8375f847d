"""A real server process that speaks S3."""

import threading
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from datacube.store.objects import ObjectStore
from datacube.store.url import open_store


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """A real server process' address that speaks S3, with a bucket."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _one_write_at_a_time(server._server)
    _, port = server.get_host_and_port()
    url = f"http://127.0.0.1:{port}"
    bucket = urllib.request.Request(f"{url}/bucket", method="PUT")  # noqa: S310
    with closing(urllib.request.urlopen(bucket)) as answer:  # noqa: S310
        answer.read()
    yield url
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


def s3_environment(url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }


@pytest.fixture
def s3_store(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """An empty store in its bucket."""
    for name, value in s3_environment(s3_server).items():
        monkeypatch.setenv(name, value)
    return open_store(f"s3://bucket/{uuid.uuid4().hex}/cubes")
