"""What the headers of a request say is found once for all requests that have the same."""

import pytest

from datacube.config.settings import Config
from datacube.engine.context import make_context
from datacube.store.url import open_store
from services.app.counts import make_board
from services.app.inflow import Inflow
from services.app.metrics import Metrics
from services.app.routes import Routes

HOST = (b"host", b"maps.example")


@pytest.fixture
def inflow(tmp_path):
    store, config = open_store(str(tmp_path)), Config()
    context = make_context(store, config)
    return Inflow(Routes(context, store, Metrics(context, make_board())), context.settings)


def asked(inflow, *headers, path="/wms", client="127.0.0.1"):
    return inflow.asked(
        {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "query_string": b"",
            "headers": [HOST, *headers],
            "client": (client, 4711),
        }
    )


def test_they_are_read_once(inflow):
    first = asked(inflow, (b"accept-encoding", b"gzip"))
    again = asked(inflow, (b"accept-encoding", b"gzip"), path="/wmts")
    assert first.told is again.told
    assert (first.key.path, again.key.path) == ("/wms", "/wmts")
    assert first.key.gzip
    assert first.key.public[0] == "http://maps.example"


@pytest.mark.parametrize(
    "other", [(b"if-none-match", b'"1"'), (b"accept-encoding", b"gzip"), (b"cookie", b"a=1")]
)
def test_others_are_read_for_themselves(inflow, other):
    first, second = asked(inflow), asked(inflow, other)
    assert first.told is not second.told
    assert second.told.headers[other[0]] == other[1]
    assert asked(inflow).told is first.told


def test_what_is_not_like_most_stays_so(inflow):
    twice = (b"accept", b"image/png"), (b"accept", b"image/webp")
    for _ in range(2):
        assert asked(inflow, *twice) is None
        assert asked(inflow, (b"if-modified-since", b"Sat, 01 Jan 2022 00:00:00 GMT")) is None


def test_long_ones_are_not_kept(inflow):
    long = (b"cookie", b"x" * 3000)
    assert asked(inflow, long).told is not asked(inflow, long).told


def test_of_many_clients_only_some_are_kept(inflow, monkeypatch):
    monkeypatch.setattr("services.app.inflow._CLIENTS", 3)
    first = asked(inflow, client="10.0.0.1")
    assert asked(inflow, client="10.0.0.1").told is first.told
    for number in range(2, 6):
        asked(inflow, client=f"10.0.0.{number}")
    assert asked(inflow, client="10.0.0.1").told is not first.told
