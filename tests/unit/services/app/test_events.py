"""Changes that are pushed: on connecting, after a commit elsewhere, until the server stops."""

import json
import time

import httpx
import pytest

from datacube.config.settings import Config
from datacube.engine.context import make_context
from datacube.store.cube import open_cube
from datacube.store.url import open_store
from services.app import events
from services.app.asgi import Application
from tests.asgi import Client
from tests.cubes import add_slices, make_cube
from tests.servers import start_server

PATIENCE = 20.0  # seconds; the machine may be busy


@pytest.fixture
def server(tmp_path):
    store = tmp_path / "store"
    make_cube(store, "sst", times=("2020-01-01",))
    make_cube(store, "wind", times=None)
    found = start_server(store, tmp_path / "log")
    yield found
    if found.process.poll() is None:
        found.stop()


def told(lines):
    """The next event of a stream: its kind and data."""
    kind = ""
    for line in lines:
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            return kind, json.loads(line.removeprefix("data: "))
    raise AssertionError("the stream has ended")


def listening(server, path, **headers):
    return httpx.stream("GET", f"{server.url}{path}", headers=headers, timeout=PATIENCE)


def test_a_commit_is_told_and_the_server_stops_in_spite_of_listeners(server):
    with listening(server, "/times/sst/events", **{"accept-encoding": "gzip"}) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-store"
        assert "content-encoding" not in answer.headers
        lines = answer.iter_lines()
        kind, first = told(lines)
        assert (kind, first["cube"], first["count"]) == ("cube", "sst", 1)
        store = open_store(server.store)
        add_slices(store, open_cube(store, "sst").description, ["2020-01-02"], first=1)
        kind, second = told(lines)
        assert (kind, second["count"], second["last"]) == ("cube", 2, "2020-01-02T00:00:00Z")
        assert second["token"] != first["token"]
        times = httpx.get(f"{server.url}/times/sst.json", timeout=PATIENCE).json()
        assert (times["token"], times["count"]) == (second["token"], 2)
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 8
        assert [line for line in lines if line.startswith("data")] == []


def test_who_knows_the_state_is_not_told_it_again(server):
    with listening(server, "/events") as answer:
        lines = answer.iter_lines()
        found = [told(lines) for _ in range(2)]
    assert [one["cube"] for _, one in found] == ["sst", "wind"]
    token = found[0][1]["token"]
    with listening(server, "/times/sst/events", **{"last-event-id": token}) as answer:
        assert next(answer.iter_lines()) == ":"


@pytest.fixture
def app(tmp_path):
    make_cube(tmp_path, "sst", times=("2020-01-01",))
    store = open_store(str(tmp_path))
    made = Application(make_context(store, Config()), store)
    yield made
    made.close()


def test_refusals(app, monkeypatch):
    client = Client(app)
    assert client.get("/times/nosuch/events").status_code == 404
    head = client.request("HEAD", "/times/sst/events")
    assert (head.status_code, head.content) == (200, b"")
    monkeypatch.setattr(events, "MOST", 0)
    full = client.get("/times/sst/events")
    assert (full.status_code, full.headers["retry-after"]) == (503, "30")
