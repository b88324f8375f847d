"""Large answers of a real server: at the client's pace, ended with it, never cut short unseen."""

import json
import socket
import time

import httpx
import numpy as np
import pytest

from datacube.model.fields import Field
from datacube.store.layout import chunk_key
from datacube.store.url import open_store
from services.app.outflow import ON_ITS_WAY, acknowledged, connection
from tests.cubes import make_cube
from tests.servers import start_server

QUERY = "service=WCS&version=2.0.1&request=GetCoverage&coverageId"
SIZE, DAMAGED_SIZE, NOISY_SIZE = 5000, 3000, 2300


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outflow")
    store = open_store(str(folder / "store"))
    fields = (Field("v", "int16", nil=-1),)
    options = {"times": None, "fields": fields, "levels": 1, "formula": _values}
    make_cube(store, "whole", width=SIZE, height=SIZE, **options)
    make_cube(store, "damaged", width=DAMAGED_SIZE, height=DAMAGED_SIZE, **options)
    noise = np.random.default_rng(2).integers(-(2**31), 2**31, (NOISY_SIZE, NOISY_SIZE), "int32")
    noisy = {"fields": (Field("v", "int32"),), "formula": lambda *_: noise}
    make_cube(store, "noisy", width=NOISY_SIZE, height=NOISY_SIZE, **(options | noisy))
    store.put(chunk_key("damaged", 0, "v", (2, 3)), b"damaged")
    server = start_server(folder / "store", folder / "logs")
    yield server
    server.stop()


def _values(t, k, f, y, x):
    del t, k, f
    return (5 * y + x) % 32_000


def access_lines(server, name):
    """What was logged of the requests for a coverage."""
    lines = [json.loads(one) for one in server.access_log.read_text().splitlines()]
    return [one for one in lines if one["name"] == name]


def next_access_line(server, name, before):
    """What is logged of the request after so many others; it may take a moment."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if len(found := access_lines(server, name)) > before:
            return found[-1]
        time.sleep(0.1)
    raise AssertionError("no access line")


def body_of(url):
    """What arrives of a body until the connection breaks, and whether it broke."""
    received = 0
    with httpx.stream("GET", url, headers={"Accept-Encoding": "identity"}, timeout=60) as response:
        assert response.status_code == 200
        try:
            for piece in response.iter_raw():
                received += len(piece)
        except httpx.RemoteProtocolError:
            return received, True
    return received, False


@pytest.mark.parametrize("media_type", ["image/tiff", "application/x-npy", "text/csv"])
def test_a_failure_within_the_values_breaks_the_connection(server, media_type):
    received, broken = body_of(f"{server.url}/wcs?{QUERY}=damaged&format={media_type}")
    assert broken
    assert received > 1_000_000


def test_a_failure_within_few_values_is_reported(server):
    some = "damaged&format=image/tiff&subset=x(0,2559)&subset=y(0,2559)"
    response = httpx.get(f"{server.url}/wcs?{QUERY}={some}", timeout=60)
    assert response.status_code == 503
    assert "chunk 2/3" in response.text


def test_a_client_that_waits_holds_the_server_back_and_one_that_leaves_stops_it(server):
    host, port = server.url.removeprefix("http://").split(":")
    before = len(access_lines(server, "whole"))
    with socket.create_connection((host, int(port))) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        request = f"GET /wcs?{QUERY}=whole&format=image/tiff HTTP/1.1\r\nHost: a\r\n\r\n"
        client.sendall(request.encode())
        assert client.recv(4).startswith(b"HTTP")
        time.sleep(2)
    line = next_access_line(server, "whole", before)
    assert line["status"] == 200
    assert line["bytes"] < 30 << 20 < 2 * SIZE * SIZE


def test_the_whole_arrives(server):
    url = f"{server.url}/wcs?{QUERY}=whole&format=application/x-npy"
    content = httpx.get(url, timeout=120).content
    values = np.frombuffer(content[-4 * SIZE * SIZE :], "<f4").reshape(SIZE, SIZE)
    y, x = np.arange(SIZE)[:, None], np.arange(SIZE)
    assert np.array_equal(values, _values(0, 0, 0, y, x))


def test_a_piece_larger_than_what_may_be_on_its_way_is_sent(server):
    url = f"{server.url}/wcs?{QUERY}=noisy&format=application/netcdf&mediaType=multipart/related"
    received, broken = body_of(url)
    assert not broken
    assert ON_ITS_WAY < 4 * NOISY_SIZE**2 < received


def test_what_a_client_has_acknowledged():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()) as client:
            served, (host, port) = listener.accept()
            found = connection(host, port)
            assert found is not None
            before = acknowledged(found)
            served.sendall(bytes(1000))
            assert len(client.recv(1000, socket.MSG_WAITALL)) == 1000
            deadline = time.monotonic() + 5
            while acknowledged(found) < before + 1000 and time.monotonic() < deadline:
                time.sleep(0.01)
            assert acknowledged(found) == before + 1000
            found.close()
            served.close()
        assert connection("192.0.2.1", 9) is None
