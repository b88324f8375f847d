"""What a tile costs does not grow with the number of times, nor with the size of the cube."""

import numpy as np
import pytest

from datacube.config.settings import Config
from datacube.engine.context import make_context
from datacube.model.fields import Field
from datacube.store.url import open_store
from services.app.asgi import Application
from tests.asgi import Client
from tests.cubes import make_cube, repeat_slices
from tests.stores import CountingStore

HOUR = 3_600_000
DAYS = tuple(np.arange("2020-01-01", "2020-02-02", dtype="datetime64[D]").astype(str).tolist())
TILE = "/wmts/1.0.0/{}/default/{}/WebMercatorQuad/{}/{}/{}.png"
WAYS = {
    "a tile": TILE,
    "a map": (
        "/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&LAYERS={0}&STYLES=&CRS=EPSG:3857&"
        "BBOX=0,0,1e6,1e6&WIDTH=256&HEIGHT=256&FORMAT=image/png&TIME={1}"
    ),
    "a value": (
        "/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetFeatureInfo&LAYERS={0}&QUERY_LAYERS={0}&"
        "STYLES=&CRS=EPSG:3857&BBOX=0,0,1e6,1e6&WIDTH=3&HEIGHT=3&I=1&J=1&FORMAT=image/png&"
        "INFO_FORMAT=application/json&TIME={1}"
    ),
    "a coverage": (
        "/wcs?SERVICE=WCS&VERSION=2.0.1&REQUEST=GetCoverage&COVERAGEID={0}&FORMAT=image/tiff&"
        'SUBSET=Lat(0,9)&SUBSET=Long(0,9)&SUBSET=ansi("{1}")'
    ),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Cubes of 32 and of 100,000 times, and a small and a large one."""
    url = str(tmp_path_factory.mktemp("growth"))
    fields = (Field("v", "uint8", nil=255, valid_range=(0.0, 250.0)),)

    def formula(t, k, f, y, x):
        return (t + 7 * y + 3 * x) % 251

    for name, width, times in (
        ("few", 1024, DAYS),
        ("many", 1024, DAYS),
        ("small", 720, DAYS[:1]),
        ("large", 7200, DAYS[:1]),
    ):
        make_cube(
            url, name, width=width, height=width // 2, times=times, fields=fields, formula=formula
        )
    hours = range(18_262 * 24 * HOUR, (18_262 * 24 + 100_000) * HOUR, HOUR)
    repeat_slices(open_store(url), "many", hours)
    return CountingStore(open_store(url))


def read(store, way, *place):
    """Chunks and documents that a server reads for a request, after another of the same kind."""
    client = Client(Application(make_context(store, Config()), store))
    name, time, z, y, x = place
    client.get(WAYS[way].format(name, "2020-01-30T00:00:00Z", z, y, x ^ 1))
    store.reset()
    response = client.get(WAYS[way].format(name, time, z, y, x))
    assert response.status_code == 200
    assert not response.content.startswith(b"<")
    return store.chunks_read, store.documents_read, response.content


@pytest.mark.parametrize("way", WAYS)
def test_not_with_the_number_of_times(store, way):
    few = read(store, way, "few", "2020-01-02T00:00:00Z", 2, 1, 2)
    many = read(store, way, "many", "2020-01-01T01:00:00Z", 2, 1, 2)
    assert few[:2] == many[:2]
    assert few[0] >= 1
    if way in {"a tile", "a map"}:
        assert few[2] == many[2]


@pytest.mark.parametrize("zoom", range(7))
def test_not_with_the_size_of_the_cube(store, zoom):
    side = 2**zoom
    small = read(store, "a tile", "small", "2020-01-01T00:00:00Z", zoom, side // 3, side // 2)
    large = read(store, "a tile", "large", "2020-01-01T00:00:00Z", zoom, side // 3, side // 2)
    assert max(small[0], large[0]) <= 4
    assert large[1] == small[1]


def test_the_plan_of_a_mean_grows_with_its_steps_only(store):
    mean = WAYS["a map"] + "&AGG=mean"
    counts = []
    for name, span in (("few", "2020-01-01/2020-01-08"), ("many", "2020-01-01T00/2020-01-01T07")):
        client = Client(Application(make_context(store, Config()), store))
        store.reset()
        assert client.get(mean.format(name, span)).status_code == 200
        counts.append(store.chunks_read)
    assert counts[0] == counts[1] >= 8
