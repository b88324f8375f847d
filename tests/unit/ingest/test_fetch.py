"""Sources at web servers: downloaded whole, or refused or tried again for what the server says."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import override

import pytest

from datacube.ingest import pipeline
from datacube.ingest.pipeline import ingest
from tests.unit.ingest.products import opened, write_netcdf


class Handler(BaseHTTPRequestHandler):
    """Sends the server's file, or what the path asks for instead."""

    def do_GET(self):
        said = self.path.partition("?")[0].strip("/").partition("/")[0]
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        if said == "moved":
            self.send_response(302)
            self.send_header("Location", "/file/sst.nc")
            self.end_headers()
        elif said.isdigit():
            self.send_error(int(said))
        else:
            data = self.server.data
            self.send_response(200)
            if said != "unsaid":
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if said == "cut" else data)

    @override
    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "PAUSE", 0.01)
    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.data = write_netcdf(tmp_path / "source.nc").read_bytes()
    found.asked = []
    thread = threading.Thread(target=found.serve_forever, args=(0.02,))
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


def went(server, tmp_path, path, account=""):
    url = f"http://{account}127.0.0.1:{server.server_port}/{path}"
    (result,) = ingest([url], store=str(tmp_path / "store"), retries=1).results
    return result


@pytest.mark.parametrize("path", ["file/sst.nc", "moved/sst.nc", "unsaid/sst.nc?token=a%2Fb"])
def test_a_file_at_a_web_server(server, tmp_path, path):
    result = went(server, tmp_path, path)
    assert (result.status, result.cubes) == ("ingested", ("sst",)), result
    assert len(opened(tmp_path / "store", "sst").record.slices) == 2
    assert server.asked[0][0] == f"/{path}"


def test_an_account_is_said_to_the_server(server, tmp_path):
    assert went(server, tmp_path, "file/sst.nc", "me:a%40b@").status == "ingested"
    assert server.asked[0][1] == "Basic bWU6YUBi"
    ((record, _),) = opened(tmp_path / "store", "sst").record.sources.values()
    assert record.uri == f"http://127.0.0.1:{server.server_port}/file/sst.nc"


@pytest.mark.parametrize(
    ("path", "status", "words", "times"),
    [
        ("404/sst.nc", "refused", "there is no such object", 1),
        ("403/sst.nc", "refused", "cannot be downloaded: the server says 403 Forbidden", 1),
        ("503/sst.nc", "failed", "the server says 503 Service Unavailable", 2),
        ("429/sst.nc", "failed", "the server says 429 Too Many Requests", 2),
        ("cut/sst.nc", "failed", "bytes came", 2),
    ],
)
def test_what_does_not_come(server, tmp_path, path, status, words, times):
    result = went(server, tmp_path, path)
    assert (result.status, len(server.asked)) == (status, times), result
    assert words in result.reason


def test_a_server_that_is_not_there(tmp_path, server):
    port = server.server_port
    server.server_port = 1
    result = went(server, tmp_path, "sst.nc")
    server.server_port = port
    assert (result.status, "refused" in result.reason) == ("failed", True)
