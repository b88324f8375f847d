"""Values of few places are found on the event loop, at every door; what takes longer is not."""

from dataclasses import replace
from urllib.parse import parse_qsl

import numpy as np
import pytest

from datacube.config.settings import Config
from datacube.engine.context import make_context
from datacube.store.url import open_store
from services.app.counts import make_board
from services.app.metrics import Metrics
from services.app.routes import Routes
from services.ows.transport import Request, TakesLonger
from tests.cubes import make_cube
from tests.stores import CountingStore, WrappedStore

DAYS = tuple(np.arange("2020-01-01", "2020-02-02", dtype="datetime64[D]").astype(str).tolist())
LONG = tuple(np.arange("2020-01-01", "2022-10-01", dtype="datetime64[D]").astype(str).tolist())
WCS = "/wcs?service=WCS&version=2.0.1&request=GetCoverage&coverageid={}&format={}&subset="
POINT = "Lat(10)&subset=Long(20)"
EDR = "/ogcapi/collections/{}/position?coords=POINT(20 10)&f=csv"
SERIES = (
    "/wms?service=WMS&version=1.3.0&request=GetTimeseries&query_layers={}&layers={}&styles=&"
    "crs=CRS:84&bbox=15,5,25,15&width=2&height=2&i=1&j=1&info_format={}"
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """``series`` has 32 days and a series copy, ``maps`` has none, ``long`` has 1,004 days."""
    counting = CountingStore(open_store(str(tmp_path_factory.mktemp("store"))))
    for name, times, every in (("series", DAYS, 16), ("maps", DAYS, None), ("long", LONG, None)):
        make_cube(counting, name, times=times, width=36, height=18, series=every)
    return counting


@pytest.fixture(scope="module")
def ask(store):
    return asking(store)


def asking(store):
    """URL -> the answer of its route, or None where a brief request for it is not answered."""
    context = make_context(store, Config())
    routes = Routes(context, store, Metrics(context, make_board()))

    def ask(url, *, brief=True, weighed=False):
        path, _, query = url.partition("?")
        pairs = tuple(parse_qsl(query, keep_blank_values=True))
        request = Request("GET", path, pairs, {}, b"", "http://h")
        route = routes.find(path)
        if brief and not route.brief(request):
            return None
        try:
            return route.handle(replace(request, brief=brief, weighed=weighed))
        except TakesLonger:
            return None

    return ask


@pytest.mark.parametrize(
    "url",
    [
        *(WCS.format("series", name) + POINT for name in ("text/csv", "json", "covjson", "npy")),
        WCS.format("maps", "text/csv") + POINT + '&subset=ansi("2020-01-05")',
        WCS.format("long", "text/csv") + POINT + '&subset=ansi("2020-01-05")',
        EDR.format("series"),
        EDR.format("long") + "&datetime=2020-03-01",
        "/ogcapi/collections/series/coverage?subset=Lat(10),Long(20)&f=json",
        SERIES.format("series", "series", "text/csv"),
    ],
)
def test_few_values_are_told_at_once_and_as_ever(ask, url):
    brief, patient = ask(url), ask(url, brief=False)
    assert brief is not None
    assert patient.status == 200
    assert isinstance(brief.body, bytes)
    assert brief == patient


@pytest.mark.parametrize(
    "url",
    [
        WCS.format("maps", "text/csv") + POINT,  # a chunk for each day
        WCS.format("long", "text/csv") + POINT,
        WCS.format("series", "netcdf") + POINT,
        WCS.format("series", "text/csv") + "Lat(-80,80)",
        WCS.format("series", "npy") + 'Lat(1,9)&subset=Long(1,9)&subset=ansi("2020-01-05")',
        WCS.format("series", "text/csv") + POINT + "&agg=mean",
        WCS.format("series", "text/csv") + POINT + "&clip=POLYGON((0 0,9 0,9 9,0 0))",
        WCS.format("series", "image/png") + POINT + '&subset=ansi("2020-01-05")',
        WCS.format("series", "text/csv").replace("GetCoverage", "DescribeCoverage"),
        EDR.format("maps"),
        EDR.format("long"),
        EDR.format("series").replace("POINT(20 10)", f"MULTIPOINT({'20 10,' * 99}1 1)"),
        "/ogcapi/collections/series/area?coords=POLYGON((0 0,9 0,9 9,0 0))&method=mean",
        SERIES.format("series", "series", "image/png"),
        SERIES.format("series", "series", "text/csv") + "&agg=mean",
    ],
)
def test_what_takes_longer_is_left_alone(ask, store, url):
    store.reset()
    assert ask(url) is None
    assert store.chunks_read == 0
    assert ask(url, brief=False).status == 200


def test_nothing_is_asked_of_a_network(store):
    class Far(WrappedStore):
        is_local = False

    far = asking(Far(store))
    for url in (WCS.format("series", "text/csv") + POINT, EDR.format("series")):
        assert far(url) is None
        assert far(url, brief=False).status == 200


def test_what_is_weighed_is_not_made_however_little_it_is(ask, store):
    store.reset()
    assert ask(WCS.format("series", "text/csv") + POINT, brief=False, weighed=True) is None
    assert store.chunks_read == 0
