"""The server's process: it starts, says so, refuses a taken port, and ends gracefully."""

import json
import socket
import threading
import time

import httpx
import pytest

from tests.cubes import make_cube
from tests.servers import run_datacube, start_server


@pytest.fixture
def store(tmp_path):
    make_cube(tmp_path / "store")
    return tmp_path / "store"


def test_it_serves_and_ends_with_zero(store, tmp_path):
    config = tmp_path / "server.yaml"
    config.write_text("title: Configured\n")
    server = start_server(store, tmp_path / "run", "--config", str(config))
    try:
        assert "Configured" in httpx.get(f"{server.url}/").text
        collections = httpx.get(f"{server.url}/ogcapi/collections").json()
        assert [one["id"] for one in collections["collections"]] == ["closed"]
    finally:
        code = server.stop()
    assert code == 0
    assert "Traceback" not in server.log.read_text()
    lines = [json.loads(line) for line in server.access_log.read_text().splitlines()]
    # each process writes its own lines, a moment later
    assert {line["path"] for line in lines} >= {"/", "/ogcapi/collections"}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_no_line_is_lost_that_waits_to_be_written(store, tmp_path, workers):
    server = start_server(
        store, tmp_path / "run", "--workers", workers, module="tests.patient_lines"
    )
    try:
        for _ in range(9):
            assert httpx.get(f"{server.url}/").status_code == 200
        assert "landing" not in server.access_log.read_text()
    finally:
        code = server.stop()
    assert code == 0
    assert server.access_log.read_text().count('"service": "landing"') == 9


def test_a_request_under_way_is_finished(store, tmp_path):
    server = start_server(store, tmp_path / "run")
    answers = []

    def ask():
        url = f"{server.url}/ogcapi/collections/closed/coverage?scale-size=Lon(2500),Lat(1250)"
        answers.append(httpx.get(url, timeout=60))

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.3)
    assert server.stop() == 0
    asking.join()
    assert answers[0].status_code == 200
    assert answers[0].json()["ranges"]["v"]["shape"][-2:] == [1250, 2500]


def test_a_request_without_end_does_not_keep_the_server(store, tmp_path):
    server = start_server(store, tmp_path / "run", "--grace", "0.3")
    url = f"{server.url}/ogcapi/collections/closed/coverage?scale-size=Lon(8900),Lat(5900)"
    failures = []

    def ask():
        try:
            httpx.get(url, timeout=60)
        except httpx.TransportError as error:
            failures.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(1.0)
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 10
    asking.join()
    assert failures
    assert "without the answers to 1 requests" in server.log.read_text()


def test_a_taken_port_is_refused(store):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run_datacube(["serve", "--store", store, "--port", str(port)])
    assert ended.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert "Traceback" not in ended.stderr
