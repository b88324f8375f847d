"""What typical requests read: chunks and bytes, cold, counted at the store.

Each row of :data:`COSTS` is a request to a fresh server and the number of chunks that it reads. The
bytes must be exactly those of the chunks in the store, and the plan must foretell both.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datacube.config.settings import Config
from datacube.engine.context import make_context
from datacube.errors import InvalidParameter
from datacube.model.fields import Field
from datacube.store.objects import ObjectStore
from datacube.store.url import open_store
from services.app.asgi import Application
from services.cli.plan import explain
from tests.asgi import Client
from tests.cubes import make_cube
from tests.stores import CountingStore

DAYS = tuple(np.arange("2020-01-01", "2020-02-02", dtype="datetime64[D]").astype(str).tolist())
BANDS = tuple(
    Field(name, "uint16", nil=65535, scale=0.0001) for name in ("B02", "B03", "B04", "B08")
)

TILE = "/wmts/1.0.0/{}/{}/2020-01-01/WebMercatorQuad/{}/{}/{}.png"
SCENE = "/wmts/1.0.0/{}/{}/WebMercatorQuad/{}/{}/{}.png"
MAP = (
    "/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&LAYERS={}&STYLES={}&CRS={}&BBOX={}"
    "&WIDTH={}&HEIGHT={}&FORMAT=image/png"
)
INFO = MAP.replace("GetMap", "GetFeatureInfo") + "&QUERY_LAYERS={}&I=1&J=1&INFO_FORMAT=text/plain"
WCS = "/wcs?SERVICE=WCS&VERSION=2.0.1&REQUEST=GetCoverage&COVERAGEID={}&FORMAT={}"
POINT = "&SUBSET=Lat(20.05)&SUBSET=Long(30.05)"
BOX = "&SUBSET=Lat(20,24)&SUBSET=Long(30,34)"
EDR = "/ogcapi/collections/{}/{}?f=csv&coords={}"

_TRIM = WCS.format("days", "image/tiff") + '&SUBSET=ansi("2020-01-03")'
_LINE = EDR.format("days", "trajectory", "LINESTRING(-40 20,40 25)")
_RING = EDR.format("days", "area", "POLYGON((30 20,34 20,34 24,30 20))")
_SEAM = MAP.format("pacific", "", "CRS:84", "-20,-10,20,10", 400, 200)
_RATIO = MAP.format("scene", "ndvi", "EPSG:3857", "1158000,5772000,1160000,5774000", 256, 256)
_LARGE = MAP.format("globe", "", "CRS:84", "-20,0,20,30", 1024, 768)
_WARPED = MAP.format(
    "scene", "true-color", "EPSG:3857", "1148000,5762000,1172000,5780000", 1024, 768
)
_DAYS = "&TIME=2020-01-01/2020-02-01&AGG=mean"
_MEAN = MAP.format("days", "", "CRS:84", "-20,0,20,30", 512, 384)

COSTS = (  # what is asked, chunks, request
    ("a tile of zoom 0", 1, TILE.format("globe", "default", 0, 0, 0)),
    ("a tile of zoom 1", 2, TILE.format("globe", "default", 1, 0, 1)),
    ("a tile of zoom 2", 2, TILE.format("globe", "default", 2, 1, 1)),
    ("a tile of zoom 3", 4, TILE.format("globe", "default", 3, 3, 4)),
    ("a tile of zoom 4", 2, TILE.format("globe", "default", 4, 6, 8)),
    ("a tile of zoom 5", 1, TILE.format("globe", "default", 5, 13, 17)),
    ("a tile of zoom 6", 1, TILE.format("globe", "default", 6, 27, 35)),
    ("a bilinear tile", 2, TILE.format("globe", "default", 4, 6, 8) + "?INTERPOLATION=bilinear"),
    ("a tile where a grid begins", 1, TILE.format("pacific", "default", 0, 0, 0)),
    ("a map over that seam", 4, _SEAM),
    ("three bands where four chunks meet", 12, SCENE.format("scene", "true-color", 14, 5831, 8666)),
    ("band maths of two bands there", 4, _RATIO),
    ("a map of 1024 x 768", 4, _LARGE),
    ("a reprojected map of 1024 x 768, three bands", 36, _WARPED),
    ("values at a pixel", 1, INFO.format("days", "", "CRS:84", "30,20,31,21", 3, 3, "days")),
    ("a map of the mean of 32 days", 64, _MEAN + _DAYS),
    ("32 days at a point by map chunks", 32, WCS.format("maps", "text/csv") + POINT),
    ("32 days at a point by the series copy", 1, WCS.format("days", "text/csv") + POINT),
    ("32 days of a box by the series copy", 6, WCS.format("days", "text/csv") + BOX),
    ("one day of a box", 6, _TRIM + BOX),
    ("one day at a quarter of its size", 1, _TRIM + "&SCALEFACTOR=0.25"),
    ("a position", 1, EDR.format("days", "position", "POINT(30 20)")),
    ("a transect of one day", 31, _LINE + "&datetime=2020-01-05"),
    ("a transect of 32 days", 31, _LINE),
    ("32 means of a region", 5, _RING + "&method=mean"),
)

NOTHING = (
    "/wms?SERVICE=WMS&REQUEST=GetCapabilities",
    "/wmts?SERVICE=WMTS&REQUEST=GetCapabilities",
    "/wcs?SERVICE=WCS&REQUEST=GetCapabilities",
    "/wcs?SERVICE=WCS&VERSION=2.0.1&REQUEST=DescribeCoverage&COVERAGEID=days",
    "/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetLegendGraphic&LAYER=globe&FORMAT=image/png",
    "/ogcapi/collections",
    MAP.format("globe", "", "CRS:84", "-20,0,20,30", 256, 256) + "&TIME=1990-01-01",
    TILE.format("scene.B02", "default", 14, 0, 0).replace("/2020-01-01", ""),
)


def pattern(t, k, f, y, x):
    return (t + 7 * y + 3 * x + 1000 * f) % 251


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> CountingStore:
    """Cubes in the default layout, chunks of 512 x 512."""
    url: Path = tmp_path_factory.mktemp("costs")
    wide: dict[str, Any] = {"formula": pattern, "fields": (Field("v", "uint8", nil=255),)}
    make_cube(url, "globe", width=7200, height=3600, times=DAYS[:1], **wide)
    make_cube(
        url, "pacific", width=2048, height=1024, bbox=(0, -90, 360, 90), times=DAYS[:1], **wide
    )
    make_cube(url, "days", width=2048, height=1024, times=DAYS, series=32, **wide)
    make_cube(url, "maps", width=1024, height=512, times=DAYS, **wide)
    box = (600_000, 5_080_000, 620_480, 5_100_480)
    make_cube(
        url, "scene", width=2048, height=2048, crs="EPSG:32632", bbox=box, times=None,
        fields=BANDS, formula=pattern,
    )  # fmt: skip
    return CountingStore(open_store(str(url)))


def asked(store: ObjectStore, url: str) -> Client:
    """A fresh server, asked once."""
    app = Application(make_context(store, Config()), store)
    client = Client(app)
    client.get("/healthz")
    return client


@pytest.mark.parametrize(
    ("chunks", "url"), [row[1:] for row in COSTS], ids=[row[0] for row in COSTS]
)
def test_chunks_and_bytes(store, chunks, url):
    client = asked(store, url)
    store.reset()
    response = client.get(url)
    assert response.status_code == 200, response.text
    assert store.chunks_read == chunks
    plan = explain(make_context(store, Config()), url)
    assert sum(one.reads.chunks for one in plan) == chunks
    assert sum(one.reads.stored for one in plan) == store.bytes_read


@pytest.mark.parametrize("url", [row[2] for row in COSTS[:3]])
def test_what_was_asked_before_reads_nothing(store, url):
    client = asked(store, url)
    client.get(url)
    store.reset()
    assert client.get(url).status_code == 200
    assert store.chunks_read == 0


def test_a_neighbour_of_what_was_reduced_twice_reads_nothing(store):
    """A mean of the same days, moved, enlarged and reprojected."""
    boxes = ("-20,0,20,30", "-15,2,25,32", "5,5,30,24", "-40,10,60,60")
    maps = [MAP.format("days", "", "CRS:84", box, 512, 384) for box in boxes]
    client = asked(store, maps[0] + _DAYS)
    for url in maps[:2]:
        assert client.get(url + _DAYS).status_code == 200
    store.reset()
    for url in maps[2:]:
        assert client.get(url + _DAYS).status_code == 200
    mercator = MAP.format("days", "", "EPSG:3857", "0,0,2500000,2500000", 256, 256)
    assert client.get(mercator + _DAYS).status_code == 200
    assert store.chunks_read == 0


@pytest.mark.parametrize("url", NOTHING)
def test_what_needs_no_values_reads_none(store, url):
    client = asked(store, url)
    store.reset()
    assert client.get(url).status_code == 200
    assert store.chunks_read == 0


def test_the_documentation_has_this_table():
    text = (Path(__file__).parents[2] / "docs" / "performance.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| (\d+) \|$", text, re.MULTILINE)
    assert rows == [(name, str(chunks)) for name, chunks, _ in COSTS]


_KVP = (
    "/wmts?SERVICE=WMTS&VERSION=1.0.0&REQUEST=GetTile&LAYER=days&STYLE=&FORMAT=image/png"
    "&TILEMATRIXSET=WebMercatorQuad&TILEMATRIX=3&TILEROW=3&TILECOL=4&TIME=2020-01-05"
)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (_KVP, "): map chunks, full resolution, field v, 1 step\n  1 chunk in 1 request, "),
        (_KVP.replace("GetTile", "GetFeatureInfo") + "&I=5&J=5&INFOFORMAT=text/plain", "decode"),
        ("/wmts/1.0.0/days/default/2020-01-05/WebMercatorQuad/3/3/4/5/5.txt", "decode"),
        ("/ogcapi/collections/days/map?width=600", "map chunks, overview 1 of 3"),
        ("/ogcapi/collections/days/coverage?datetime=2020-01-05", "  8 chunks in 8 requests"),
        ("/ogcapi/collections/days/cube?bbox=0,0,9,9&datetime=2020-01-05", "read, encode"),
        (_RING + "&method=p90", "find cells inside, read, reduce by p90, encode"),
        (_RING, "clip, encode"),
    ],
)
def test_the_plan_in_words_of_every_door(store, url, words):
    store.reset()
    text = "\n".join(one.text for one in explain(make_context(store, Config()), url))
    assert words in text, text
    assert store.chunks_read == 0


@pytest.mark.parametrize(
    "url", ["/wms?REQUEST=GetCapabilities", "/zarr/days", "/ogcapi/collections/days/schema"]
)
def test_what_has_no_plan_says_what_has(store, url):
    with pytest.raises(InvalidParameter, match="a plan have GetMap and GetFeatureInfo at /wms"):
        explain(make_context(store, Config()), url)
