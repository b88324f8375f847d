"""Tiles by path: the pictures of the WMTS, the parameters of the WMS, errors in words."""

import json
from io import BytesIO

import numpy as np
import pytest

from tests.protocol.pictures import hundreds, rgba, warnings_of

KVP = "SERVICE=WMTS&REQUEST=GetTile&LAYER=globe.v&STYLE=exact&TILEROW=1&TILECOL=2&TILEMATRIX=2"


@pytest.mark.parametrize("tms", ["WebMercatorQuad", "WGS1984Quad", "globe__native"])
def test_a_tile_is_that_of_the_wmts(tiles, wmts, tms):
    zoom, row, column = (0, 0, 0) if tms.endswith("native") else (2, 1, 2)
    kvp = KVP.replace("TILEROW=1", f"TILEROW={row}").replace("TILECOL=2", f"TILECOL={column}")
    kvp = kvp.replace("TILEMATRIX=2", f"TILEMATRIX={zoom}")
    theirs = wmts.raw(f"{kvp}&TILEMATRIXSET={tms}&FORMAT=image/png&TIME=2020-01-02")
    ours = tiles.get(f"globe.v/exact/{tms}/{zoom}/{row}/{column}.png?time=2020-01-02")
    assert ours.body == theirs.body
    assert ours.header("ETag") == theirs.header("ETag")


def test_twice_the_pixels_are_the_larger_set(tiles):
    twice = tiles.get("globe.v/exact/WebMercatorQuad/2/1/2@2x.png?time=2020-01-02")
    larger = tiles.get("globe.v/exact/WebMercatorQuadx2/2/1/2.png?time=2020-01-02")
    assert rgba(twice).shape == (512, 512, 4)
    assert twice.body == larger.body


@pytest.mark.parametrize(
    ("ending", "media_type"),
    [("png", "image/png"), ("jpg", "image/jpeg"), ("jpeg", "image/jpeg"), ("webp", "image/webp")],
)
def test_formats(tiles, ending, media_type):
    assert tiles.get(f"globe/exact/WebMercatorQuad/0/0/0.{ending}").media_type == media_type


@pytest.mark.parametrize(
    ("query", "step"),
    [
        ("", 2),
        ("?time=default", 2),
        ("?time=2020-01-01", 0),
        ("?TIME=2020-01-01/2020-01-02", 1),
        ("?time=2020-01-01/2020-01-03&agg=min", 0),
        ("?time=2020-01-01/2020-01-03&agg=mean", 1),
    ],
)
def test_times_and_reducers(tiles, query, step):
    response = tiles.get(f"globe.v/coarse/WebMercatorQuad/1/0/0.png{query}")
    assert (hundreds(response) == step).all()


def test_further_dimensions_and_expressions(tiles):
    deep = tiles.get("deep.v/coarse/WebMercatorQuad/1/0/0.png?elevation=100&scenario=e1")
    assert (hundreds(deep) == 15).all()
    more = tiles.get("globe.v/values/WebMercatorQuad/1/0/0.npy?time=2020-01-02&expr=v%2B1000")
    plain = tiles.get("globe.v/values/WebMercatorQuad/1/0/0.npy?time=2020-01-02")
    np.testing.assert_array_equal(
        *(np.load(BytesIO(one.body)) - extra for one, extra in ((more, 1000), (plain, 0)))
    )
    shallow = tiles.get("deep.v/coarse/WebMercatorQuad/1/0/0.png")
    assert "99 Default value used: depth=0.5 m" in warnings_of(shallow)


def test_a_token_makes_it_last(tiles, context):
    url = "globe.v/exact/WebMercatorQuad/1/0/0.png?time=2020-01-02"
    token = context.catalog.cube("globe").token
    assert tiles.get(url).header("Cache-Control") == "public, max-age=86400"
    assert "immutable" in tiles.get(f"{url}&v={token}").header("Cache-Control")
    assert tiles.get(f"{url}&v=old").header("Cache-Control") == "public, max-age=86400"
    moving = tiles.get("globe.v/exact/WebMercatorQuad/1/0/0.png")
    assert moving.header("Cache-Control") == "public, max-age=60"
    again = tiles.get(url, if_none_match=tiles.get(url).header("ETag"))
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("globe.v/exact/WebMercatorQuad/1/2/0.png", 404, "TileRow 2 is outside 0 to 1"),
        ("globe.v/exact/WebMercatorQuad/1/0/-1.png", 404, "TileCol"),
        ("globe.v/exact/WebMercatorQuad/99/0/0.png", 404, "has no tile matrix '99'"),
        ("globe.v/exact/Bogus/1/0/0.png", 404, "WebMercatorQuad"),
        ("globe.v/bogus/WebMercatorQuad/1/0/0.png", 404, "exact"),
        ("bogus/exact/WebMercatorQuad/1/0/0.png", 404, "globe"),
        ("globe.v/exact/WebMercatorQuad/1/0/0.bmp", 400, "image/png"),
        ("globe.v/exact/WebMercatorQuad/1/0/x.png", 404, "row and column"),
        ("globe.v/exact/WebMercatorQuad/1/0/inf.png", 404, "row and column"),
        ("globe.v/exact/WebMercatorQuad/1/0.png", 404, "LAYER/STYLE/SET/Z/Y/X.png"),
        ("globe.v/values/WebMercatorQuad/1/0/0.webp", 400, "npy"),
        ("globe.v/exact/WebMercatorQuad/1/0/0.png?time=x", 400, "x"),
        ("globe.v/exact/Bogus/tilejson.json", 404, "WebMercatorQuad"),
    ],
)
def test_refusals(tiles, path, status, words):
    response = tiles.get(path)
    assert (response.status, response.media_type) == (status, "application/problem+json")
    assert words in json.loads(response.body)["detail"]
    assert response.header("Cache-Control") == "no-store"


def test_beside_the_cube_is_transparent(tiles):
    assert not np.any(rgba(tiles.get("utm.v/exact/WebMercatorQuad/8/0/0.png"))[..., 3])
