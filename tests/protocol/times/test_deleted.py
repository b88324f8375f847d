"""Times that were deleted: every door says when and why, and one lists them."""

import json
from datetime import UTC, datetime

import pytest

from datacube.config.settings import Config, CubeSettings, TimePolicy
from datacube.store.cube import open_cube
from datacube.store.url import open_store
from services.app.asgi import create_app
from tests.asgi import Client
from tests.cubes import make_cube, ticks_of

MAP = (
    "/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&LAYERS=closed.v&STYLES=&CRS=CRS:84"
    "&BBOX=-10,40,10,50&WIDTH=20&HEIGHT=10&FORMAT=image/png&TIME="
)
COVERAGE = "/wcs?SERVICE=WCS&VERSION=2.0.1&REQUEST=GetCoverage&COVERAGEID=closed"
CAUSE = "older than 8 days (product S3*)"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("store"))
    days = ("2020-01-01", "2020-01-02", "2020-01-03")
    cube = make_cube(folder, times=days, bbox=(-10, 40, 10, 50), width=20, height=10)
    with cube.transaction("retention") as tx:
        for day in days[1:]:
            tx.delete(ticks_of(day), CAUSE)
    with open_cube(open_store(folder), "closed").transaction("again") as tx:
        tx.write_slice(ticks_of(days[2]), {})
    return folder


def test_a_map_of_a_deleted_time_says_so(store):
    client = Client(create_app(Config(), store))
    today = datetime.now(UTC).date().isoformat()
    for time in ("2020-01-02", "2020-01-02T00:00:00Z"):
        (warning,) = client.get(MAP + time).headers.get_list("warning")
        assert "No data at time=2020-01-02T00:00:00Z" in warning
        assert f"deleted {today}" in warning
        assert CAUSE in warning
    assert "No data" not in str(client.get(MAP + "2020-01-03").headers)


@pytest.mark.parametrize("time", ["2020-01-02", "2020-01-02T00:00:00Z"])
def test_a_coverage_of_a_deleted_time_says_so(store, time):
    client = Client(create_app(Config(), store))
    answer = client.get(f'{COVERAGE}&SUBSET=ansi("{time}")')
    assert answer.status_code == 404
    assert "InvalidSubsetting" in answer.text
    assert f"2020-01-02T00:00:00Z was deleted {datetime.now(UTC).date().isoformat()}" in answer.text
    assert CAUSE in answer.text
    assert client.get(f'{COVERAGE}&SUBSET=ansi("2020-01-03")').status_code == 200


def test_where_only_steps_are_times(store):
    exact = CubeSettings(time=TimePolicy(nearest=False))
    client = Client(create_app(Config(cubes={"closed": exact}), store))
    text = client.get(MAP + "2020-01-02").text
    assert "InvalidDimensionValue" in text
    assert CAUSE in text


def test_the_list(store):
    client = Client(create_app(Config(), store))
    assert "deleted" not in json.loads(client.get("/times/closed.json").text)
    document = json.loads(client.get("/times/closed.json?deleted=true").text)
    (one,) = document["deleted"]
    assert (one["time"], one["cause"]) == ("2020-01-02T00:00:00Z", CAUSE)
    assert one["deleted"].startswith("20")
