"""Several processes at one port act as one server, whatever becomes of one of them."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from tests.cubes import make_cube
from tests.servers import run_datacube, start_server
from tests.unit.services.app.test_freshness import FIELDS, MAP, TILE, commit

MANY = 16  # connections: that all go to the same of two workers happens once in 32,768 times


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workers")
    make_cube(folder / "store", times=("2020-01-01", "2020-01-02"), fields=FIELDS)
    server = start_server(folder / "store", folder / "logs", "--workers", "2")
    yield server
    server.stop()


def children(server):
    """Processes that the server has begun."""
    pid = server.process.pid
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def spread(server, path, times=1):
    """Ask by many connections at once, each some times."""
    clients = [httpx.Client(base_url=server.url, timeout=60) for _ in range(MANY)]
    answers = []
    try:
        for _ in range(times):
            answers += [client.get(path) for client in clients]
    finally:
        for client in clients:
            client.close()
    return answers


def counted(server, what):
    found = re.search(
        rf"^{re.escape(what)} (\S+)$", httpx.get(f"{server.url}/metrics").text, re.MULTILINE
    )
    return float(found[1]) if found else 0.0


def test_all_count_together(server):
    tiles = 'datacube_requests_total{service="wmts",status="200"}'
    commit(Path(server.store), 3, "2019-12-31")  # that no one has read
    before = counted(server, tiles), counted(server, "datacube_chunk_bytes_read_total")
    spread(server, TILE.format(time="2019-12-31"))
    deadline = time.monotonic() + 20  # an answer is counted when it has been sent
    while counted(server, tiles) < before[0] + MANY and time.monotonic() < deadline:
        time.sleep(0.1)
    assert counted(server, tiles) == before[0] + MANY
    assert counted(server, "datacube_chunk_bytes_read_total") > before[1]
    assert counted(server, "datacube_workers") == 2


@pytest.mark.parametrize(
    ("loaded", "absent"),
    [
        ("services.cli.serve", {"numpy", "pyproj", "asyncio", "granian"}),  # the parent
        ("services.app.process, services.cli.serve", {"zarr", "xarray", "eccodes"}),  # a worker
    ],
)
def test_a_process_loads_no_more_than_it_needs(loaded, absent):
    code = f"import sys, {loaded}; print(*({absent!r} & sys.modules.keys()))"
    root = Path(__file__).resolve().parents[4]
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert not found.stdout.split()


def test_lines_of_all_are_whole(server):
    spread(server, "/wms?REQUEST=GetMap&LAYERS=" + "x" * 500, 10)
    deadline = time.monotonic() + 20
    lines = []
    while len(lines) < 10 * MANY and time.monotonic() < deadline:
        time.sleep(0.1)
        lines = [json.loads(one) for one in server.access_log.read_text().splitlines()]
        lines = [one for one in lines if one["name"].startswith("xxx")]
    assert len({one["id"] for one in lines}) == 10 * MANY


def test_what_one_has_seen_all_have_seen(server):
    clients = [httpx.Client(base_url=server.url, timeout=60) for _ in range(MANY)]
    try:
        before = {client.get(MAP).headers["etag"] for client in clients}
        assert len(before) == 1
        commit(Path(server.store), 5, "2020-01-03")
        deadline = time.monotonic() + 20
        while clients[0].get(MAP).headers["etag"] in before:
            assert time.monotonic() < deadline
        after = [client.get(MAP) for client in clients]
        assert not before & {one.headers["etag"] for one in after}
        assert all("2020-01-03" in one.headers["warning"] for one in after)
    finally:
        for client in clients:
            client.close()


def test_another_takes_the_place_of_one_that_ends(server):
    tiles = 'datacube_requests_total{service="wmts",status="200"}'
    spread(server, TILE.format(time="2020-01-01"))
    before, first = counted(server, tiles), children(server)
    os.kill(first[0], signal.SIGKILL)
    deadline = time.monotonic() + 60
    while len(set(children(server)) - set(first)) < 1 or len(children(server)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    while counted(server, "datacube_worker_restarts_total") < 1:
        assert time.monotonic() < deadline
    answers = spread(server, TILE.format(time="2020-01-01"))
    assert {one.status_code for one in answers} == {200}
    assert counted(server, tiles) == before + MANY
    assert f"process {first[0]}) ended with signal 9; another takes its" in server.log.read_text()


def test_ctrl_c_reaches_all_and_finishes_what_is_under_way(server, tmp_path):
    other = start_server(server.store, tmp_path, "--workers", "2")
    answers = []

    def ask():
        url = f"{other.url}/ogcapi/collections/closed/coverage?scale-size=Lon(2500),Lat(1250)"
        answers.append(httpx.get(url, timeout=60))

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.3)
    os.killpg(other.process.pid, signal.SIGINT)
    assert other.process.wait(60) == 0
    asking.join()
    assert answers[0].status_code == 200
    assert "Traceback" not in other.log.read_text()


def test_nobody_is_left_behind(server, tmp_path):
    other = start_server(server.store, tmp_path, "--workers", "2")
    left = children(other)
    other.process.kill()
    other.process.wait()
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in left):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_why_they_cannot_begin_is_said_once():
    ended = run_datacube(["serve", "--store", "ftp://host/x", "--port", "0", "--workers", "2"])
    assert ended.returncode == 2
    assert ended.stderr.count("is no path and none of") == 1
    assert "Traceback" not in ended.stderr


def test_all_push_what_one_commits(server):
    """Listeners of both processes hear of a commit of a third."""
    url = f"{server.url}/times/closed/events"
    with ExitStack() as stack:
        streams = [stack.enter_context(httpx.stream("GET", url, timeout=60)) for _ in range(MANY)]
        lines = [one.iter_lines() for one in streams]
        first = {_data(one) for one in lines}
        commit(server.store, 9, "2020-01-02")
        second = {_data(one) for one in lines}
    assert (len(first), len(second)) == (1, 1)
    assert first != second


def _data(lines):
    """The next data line of a stream."""
    return next(one for one in lines if one.startswith("data: "))


def test_a_cache_on_disk_is_bounded_over_all(server, tmp_path):
    most = 8_000_000
    config = tmp_path / "server.yaml"
    config.write_text(f"tile_cache:\n  url: {tmp_path / 'tiles'}\n  size: {most}\n")
    two = start_server(server.store, tmp_path / "log", "--workers", "2", "--config", str(config))
    clients = [httpx.Client(base_url=two.url, timeout=60) for _ in range(4)]
    held = []

    def ask(client, row):
        for column in range(16):
            tile = f"/tiles/closed/values/WebMercatorQuad/4/{row}/{column}.npy?time=2020-01-01"
            assert client.get(tile).status_code == 200  # 256 kB
            held.append(_bytes(tmp_path / "tiles"))

    try:
        with ThreadPoolExecutor(len(clients)) as pool:
            list(pool.map(ask, clients, range(len(clients))))
    finally:
        for client in clients:
            client.close()
        two.stop()
    assert most / 2 < max(held) <= most


def _bytes(folder):
    """What the files of a folder hold, while others delete some."""
    total = 0
    for one in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += one.stat().st_size if one.is_file() else 0
    return total


def test_the_configuration_says_how_many(server, tmp_path):
    config = tmp_path / "server.yaml"
    config.write_text("workers: 3\n")
    other = start_server(server.store, tmp_path / "run", "--config", str(config))
    try:
        assert len(children(other)) == 3
    finally:
        assert other.stop() == 0
