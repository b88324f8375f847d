"""Resident memory of a real server with a cache of 64 MiB, while it answers what is large."""

from itertools import count
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.memory.measure import BOUND, CACHE, measured, resident
from tests.memory.worlds import CHUNK, NIL, daily_cube, noise_cube, pattern, sparse_cube
from tests.servers import LiveServer, start_server

pytestmark = pytest.mark.slow

WIDTH, HEIGHT, EVERY = 50_000, 43_000, 37
STEPS, WRITTEN = 13_575, 128  # what is written is more than the cache holds
GET_COVERAGE = {"service": "WCS", "version": "2.0.1", "request": "GetCoverage"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("memory")
    sparse_cube(folder / "store", "sparse", WIDTH, HEIGHT, EVERY)
    daily_cube(folder / "store", "daily", STEPS, WRITTEN)
    noise_cube(folder / "store", "noise", 9200, 9200)
    (folder / "server.yaml").write_text(f"limits: {{cache_bytes: {CACHE} MiB}}\n")
    return folder


@pytest.fixture
def server(store: Path, tmp_path: Path):
    server = start_server(
        store / "store", tmp_path, "--config", str(store / "server.yaml"), "--workers", "1"
    )
    yield server
    server.stop()


def test_a_geotiff_of_4_gb_is_streamed_within_the_bound(server: LiveServer):
    """The file is thrown away, but for the first cells of some rows."""
    found = measured(
        f"{server.url}/wcs", server.process.pid, coverageId="sparse", format="image/tiff",
        **GET_COVERAGE,
    )  # fmt: skip
    print(found)  # noqa: T201  shown by pytest -rP
    assert found.status == 200
    assert found.nbytes == int(found.headers["content-length"]) > 4 << 30
    assert found.growth <= BOUND, str(found)


def test_the_values_of_the_stream_are_those_of_the_chunks(server: LiveServer):
    """The first row of chunks: every 37th holds the pattern, the others nothing."""
    parameters = GET_COVERAGE | {"coverageId": "sparse", "format": "image/tiff"}
    size = 2 * WIDTH * CHUNK
    body = bytearray()
    with httpx.stream("GET", f"{server.url}/wcs", params=parameters, timeout=600) as response:
        total = int(response.headers["content-length"])
        start = total - 2 * WIDTH * HEIGHT
        for piece in response.iter_raw(1 << 20):
            body += piece
            if len(body) >= start + size:
                break
    values = np.frombuffer(body[start : start + size], "<i2").reshape(CHUNK, WIDTH)
    for column, number in zip(range(0, WIDTH, CHUNK), count(), strict=False):
        part = values[:, column : column + CHUNK]
        if number % EVERY:
            assert (part == NIL).all()
        else:
            assert np.array_equal(part, pattern(0, column, *part.shape))


@pytest.mark.parametrize(
    ("media_type", "known"), [("application/x-netcdf3", True), ("application/vnd.zarr+zip", False)]
)
def test_other_files_of_700_mb_are_streamed_within_the_bound(server, media_type, known):
    """A sixth of the rows."""
    found = measured(
        f"{server.url}/wcs", server.process.pid, coverageId="sparse", format=media_type,
        subset="Lat(60,90)", **GET_COVERAGE,
    )  # fmt: skip
    print(media_type, found)  # noqa: T201  shown by pytest -rP
    assert found.status == 200
    assert ("content-length" in found.headers) == known
    assert found.nbytes > (600 << 20 if known else 500 << 10)
    assert found.growth <= BOUND, str(found)


@pytest.mark.parametrize(
    "form", [{"format": "image/vnd.cog"}, {"format": "image/tiff", "compression": "deflate"}]
)
def test_what_is_made_on_disk_is_not_held(server: LiveServer, form):
    """170 MB that hardly compress, which GDAL writes again."""
    found = measured(
        f"{server.url}/wcs", server.process.pid, coverageId="noise", **form, **GET_COVERAGE
    )
    print(form, found)  # noqa: T201  shown by pytest -rP
    assert found.status == 200
    assert found.nbytes == int(found.headers["content-length"]) > 100 << 20
    assert found.growth <= BOUND, str(found)


def test_a_client_that_takes_its_time_costs_no_memory(server: LiveServer):
    parameters = GET_COVERAGE | {"coverageId": "sparse", "format": "application/x-npy"}
    base = resident(server.process.pid)
    with httpx.stream("GET", f"{server.url}/wcs", params=parameters, timeout=600) as response:
        pieces = response.iter_raw(1 << 16)
        highest = max(resident(server.process.pid) for _ in zip(range(2000), pieces, strict=False))
    assert highest - base <= BOUND


@pytest.mark.parametrize("media_type", ["application/netcdf", "application/x-npy"])
def test_what_is_nearly_as_large_as_may_be_held(server: LiveServer, media_type):
    """Values that hardly compress: 84 million cells of 3 bytes each, the limit is 256 MiB."""
    found = measured(
        f"{server.url}/wcs", server.process.pid, coverageId="noise", format=media_type,
        **GET_COVERAGE,
    )  # fmt: skip
    print(found)  # noqa: T201  shown by pytest -rP
    assert found.status == 200
    assert found.nbytes == int(found.headers["content-length"]) > 150 << 20
    assert found.growth <= BOUND, str(found)


def test_a_mean_of_13575_days_as_a_map_stays_within_the_bound(server: LiveServer):
    """By the default limits."""
    found = measured(f"{server.url}/wms", server.process.pid, **_map_of("mean"))
    print(found)  # noqa: T201  shown by pytest -rP
    assert found.status == 200
    assert found.headers["content-type"] == "image/png"
    assert found.growth <= BOUND, str(found)


def test_what_would_take_too_long_is_refused_with_what_would_pass(server: LiveServer):
    answer = httpx.get(f"{server.url}/wms", params=_map_of("median"))
    assert "at most 2525 of the 13575 steps" in answer.text


def _map_of(aggregate: str) -> dict[str, str]:
    """All days of the cube, on its own cells and a little closer."""
    return {
        "service": "WMS", "version": "1.3.0", "request": "GetMap", "layers": "daily",
        "styles": "", "crs": "CRS:84", "bbox": "-10,30,40,60", "width": "1024", "height": "768",
        "format": "image/png", "time": "1970-01-01/2010-01-01", "agg": aggregate,
    }  # fmt: skip
