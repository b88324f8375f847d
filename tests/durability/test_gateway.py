"""A real S3 server process (versitygw, by ``make durability``): its conditions, and size."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from datacube.ingest import pipeline
from datacube.ingest.pipeline import ingest
from datacube.ingest.report import BytesRead, Retrying
from datacube.store.cube import open_cube
from datacube.store.maintain import verify
from datacube.store.url import open_store
from tests.contracts.conftest import s3_environment
from tests.cubes import read_level, time_of
from tests.servers import start_server

MEGABYTES = int(os.environ.get("DATACUBE_GATEWAY_MB", "32"))
HEIGHT, WIDTH = 2000, 2000
pytestmark = [pytest.mark.s3, pytest.mark.slow]


class Gateway:
    """The server over a folder; it can be killed and started again."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        (folder / "objects" / "bucket").mkdir(parents=True)
        (folder / "metadata").mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                *(self._program, "--port", f"127.0.0.1:{self._port}", "--quiet"),
                *("--access", "test", "--secret", "test", "--region", "us-east-1"),
                *("posix", "--sidecar", self._folder / "metadata", self._folder / "objects"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(300):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
                return
            time.sleep(0.1)
        raise AssertionError("versitygw does not answer")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    program = shutil.which("versitygw", path=Path(sys.executable).parent)
    if program is None:
        pytest.skip("NOT TESTED against a real S3 server: no versitygw (Go and `make durability`)")
    found = Gateway(program, tmp_path_factory.mktemp("gateway"))
    yield found
    found.kill()


@pytest.fixture
def url(gateway, monkeypatch):
    for name, value in s3_environment(gateway.url).items():
        monkeypatch.setenv(name, value)
    return f"s3://bucket/{uuid.uuid4().hex}"


def values_of(day: int) -> np.ndarray:
    """Smooth, with noise and a gap; the same for the same day."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    noise = np.random.default_rng(day).integers(0, 40, (HEIGHT, WIDTH))
    values = (1500 + 1000 * np.sin(y / 300 + day) * np.cos(x / 200) + noise).astype("i2")
    values[:300, : 100 + day] = -1
    return values


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """So many megabytes of samples in one file."""
    path = tmp_path_factory.mktemp("in") / "sst.nc"
    days = max(2, MEGABYTES * 10**6 // (HEIGHT * WIDTH * 2))
    with netCDF4.Dataset(path, "w") as file:
        for name, values, units in (
            ("time", np.arange(days), "days since 2020-01-01"),
            ("lat", 60 - np.arange(HEIGHT) * 0.01, "degrees_north"),
            ("lon", np.arange(WIDTH) * 0.01, "degrees_east"),
        ):
            file.createDimension(name, len(values))
            one = file.createVariable(name, "f8", (name,))
            one.units = units
            one[:] = values
        v = file.createVariable(
            "v", "i2", ("time", "lat", "lon"), zlib=True, complevel=1, fill_value=-1
        )
        for day in range(days):
            v[day] = values_of(day)
    return str(path), days


def is_right(url: str, days: int) -> None:
    cube = open_cube(open_store(url), "sst")
    assert time_of(cube).size == days
    for day in {0, days // 2, days - 1}:
        np.testing.assert_array_equal(read_level(cube, "v", day), values_of(day))
    assert verify(cube) == []


def test_of_many_conditional_puts_one_is_done(url):
    store = open_store(url)
    claim = store.claim("sst/manifest/claims/1")  # the probe of a writer
    assert claim is not None
    claim.release()
    for number in range(10):
        key = f"race/{number}"
        with ThreadPoolExecutor(16) as threads:
            first = [threads.submit(store.put_if, key, b"%d" % one, None) for one in range(16)]
        won = [one for one, done in enumerate(first) if done.result()]
        data, tag = store.get_tagged(key)
        assert [b"%d" % one for one in won] == [data]
        with ThreadPoolExecutor(16) as threads:
            second = [threads.submit(store.put_if, key, b"2-%d" % one, tag) for one in range(16)]
        assert Counter(one.result() for one in second)[True] == 1


def test_much_goes_in_and_comes_out(url, source, tmp_path, capsys):
    path, days = source
    began = time.perf_counter()
    report = ingest([path], store=url)
    seconds = time.perf_counter() - began
    assert report.exit_code == 0, report
    is_right(url, days)
    assert ingest([path], store=str(tmp_path / "local")).exit_code == 0
    query = (
        "/wms?service=WMS&version=1.3.0&request=GetMap&layers=sst.v&styles=&crs=CRS:84"
        "&bbox=0,40,20,60&width=512&height=512&format=image/png&time=2020-01-02"
    )
    pictures = []
    for number, store in enumerate((url, str(tmp_path / "local"))):
        server = start_server(store, tmp_path / str(number))
        try:
            with urllib.request.urlopen(f"{server.url}{query}") as answer:  # noqa: S310
                assert answer.headers["content-type"] == "image/png"
                pictures.append(answer.read())
        finally:
            server.stop()
    assert pictures[0] == pictures[1]
    amount = days * HEIGHT * WIDTH * 2 / 1e6
    with capsys.disabled():
        sys.stderr.write(f"\n{amount:.0f} MB of samples to versitygw in {seconds:.1f} s\n")


def test_a_server_that_dies_and_comes_back_gets_everything(gateway, url, source, monkeypatch):
    path, days = source
    monkeypatch.setattr(pipeline, "PAUSE", 0.2)
    events = []

    def tell(event):
        events.append(event)
        if sum(isinstance(one, BytesRead) for one in events) == 1 and isinstance(event, BytesRead):
            gateway.kill()
            threading.Timer(1.0, gateway.start).start()

    report = ingest([path], store=url, report=tell, retries=5)
    assert report.exit_code == 0, (report, [one for one in events if isinstance(one, Retrying)])
    is_right(url, days)
