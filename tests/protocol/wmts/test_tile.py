"""GetTile and GetFeatureInfo by value, over KVP and REST."""

import json

import numpy as np
import pytest

from datacube.engine.context import open_context
from datacube.store.url import open_store
from services.wmts import service
from tests.cubes import add_slices
from tests.protocol.pictures import (
    BASE,
    Maps,
    cells,
    hundreds,
    open_cubes,
    rgba,
    settings,
    small,
    warnings_of,
)

CELLS = 10 * np.arange(5)[:, None] + np.arange(10)[None, :]
TILE = (
    "SERVICE=WMTS&VERSION=1.0.0&REQUEST=GetTile&LAYER={layer}&STYLE={style}&FORMAT=image/png"
    "&TILEMATRIXSET={tms}&TILEMATRIX={z}&TILEROW={row}&TILECOL={col}"
)
PATH = f"{BASE}/wmts/1.0.0"


def tile(wmts, z, row, col, *, query="", layer="globe.v", style="exact", tms="WorldCRS84Quad"):
    kvp = TILE.format(layer=layer, style=style, tms=tms, z=z, row=row, col=col)
    return wmts.raw(f"{kvp}&{query}")


def under(bounds):
    """10 * y + x of the globe's cell under each pixel of a tile in degrees."""
    left, bottom, right, top = bounds
    step = (right - left) / 256
    x = left + (np.arange(256) + 0.5) * step
    y = top - (np.arange(256) + 0.5) * (top - bottom) / 256
    rows, columns = ((90 - y) // 36).astype(int), ((x + 180) // 36).astype(int)
    return CELLS[np.ix_(rows, columns)]


@pytest.mark.parametrize(("z", "row", "col"), [(0, 0, 0), (0, 0, 1), (2, 1, 3), (5, 10, 40)])
def test_pixels_of_the_geographic_set(wmts, z, row, col):
    size = 180 / 2**z
    bounds = (-180 + col * size, 90 - (row + 1) * size, -180 + (col + 1) * size, 90 - row * size)
    found = cells(tile(wmts, z, row, col, query="TIME=2020-01-01"))
    np.testing.assert_array_equal(found, under(bounds))


def test_rest_and_kvp_give_the_same_bytes_and_tags(wmts):
    kvp = tile(wmts, 1, 0, 2, query="TIME=2020-01-02")
    rest = wmts.rest(f"{PATH}/globe.v/exact/2020-01-02/WorldCRS84Quad/1/0/2.png")
    assert rest.body == kvp.body
    assert rest.header("ETag") == kvp.header("ETag")


@pytest.mark.parametrize(
    "unusual",
    ["globe.v/exact/WorldCRS84Quad/1/0.0/2.png", "globe.v/exact/WorldCRS84Quad/1/+0/2e0.PNG"],
)
def test_numbers_in_paths_are_those_of_kvp_however_they_are_written(wmts, unusual):
    usual = wmts.rest(f"{PATH}/globe.v/exact/WorldCRS84Quad/1/0/2.png?TIME=2020-01-02")
    found = wmts.rest(f"{PATH}/{unusual}?TIME=2020-01-02")
    assert (found.status, found.body) == (200, usual.body)


def test_what_a_path_means_is_remembered_with_its_parameters(wmts):
    path = f"{PATH}/globe.v/exact/WorldCRS84Quad/1/0/2.png"
    asked = [f"{path}?time=2020-01-0{day}&version={'1.0.0'}" for day in (1, 2, 1, 2)]
    first, second, *again = (wmts.rest(url) for url in asked)
    assert [one.body for one in again] == [first.body, second.body]
    assert first.body != second.body
    refused = wmts.rest(f"{path}?time=2020-01-01&version=2.0.0")
    assert refused.status == 400
    assert b"version=2.0.0 is not offered" in refused.body
    for row, code in (("2", b"TileOutOfRange"), ("9" * 5000, b"InvalidParameterValue")):
        assert code in wmts.rest(path.replace("/0/2.png", f"/{row}/2.png")).body


@pytest.mark.parametrize(
    ("url", "step"),
    [
        ("globe.v/coarse/2020-01-02/WebMercatorQuad/1/0/0.png", 1),
        ("globe.v/coarse/2020-01-02T00:00:00Z/WebMercatorQuad/1/0/0.png", 1),
        ("globe.v/coarse/default/WebMercatorQuad/1/0/0.png", 2),
        ("globe.v/coarse/current/WebMercatorQuad/1/0/0.png", 2),
        ("globe.v/coarse/{time}/WebMercatorQuad/1/0/0.png", 2),
        ("globe.v/coarse/WebMercatorQuad/1/0/0.png", 2),
        ("globe.v/coarse/WebMercatorQuad/1/0/0.png?time=2020-01-01", 0),
        ("globe.v/coarse/2020-01-03/WebMercatorQuad/1/0/0.png?time=2020-01-01", 0),
        ("globe.v/coarse/2020-01-03/WebMercatorQuad/1/0/0.png&time=2020-01-01", 0),
        ("globe.v/coarse/2020-01-02/WebMercatorQuad/1/0/0.webp", 1),
        ("deep.v/coarse/2020-01-01/10/e1/WebMercatorQuad/1/0/0.png", 9),
        ("deep.v/coarse/2020-01-01/100/WebMercatorQuad/1/0/0.png", 12),
        ("deep.v/coarse/WebMercatorQuad/1/0/0.png?Time=2020-01-01&Elevation=10", 6),
    ],
)
def test_dimensions_in_paths(wmts, url, step):
    response = wmts.rest(f"{PATH}/{url}")
    if url.endswith(".webp"):
        assert response.media_type == "image/webp"
    assert (hundreds(response) == step).all()


@pytest.mark.parametrize(
    ("time", "step"),
    [
        ("", 2),
        ("default", 2),
        ("current", 2),
        ("2020-01-01", 0),
        ("2020-01-02T06:00:00Z", 1),
        ("2020-01-01/2020-01-02", 1),
        ("2020-01-01T00:00:00Z/2020-01-03T00:00:00Z/P1D", 2),
    ],
)
def test_times_in_kvp(wmts, time, step):
    response = tile(wmts, 1, 0, 0, style="coarse", query=f"time={time}")
    assert (hundreds(response) == step).all()


def test_outside_the_cube_and_outside_its_times_is_transparent(wmts):
    assert (rgba(tile(wmts, 8, 0, 0, layer="utm.v"))[..., 3] == 0).all()
    late = tile(wmts, 1, 0, 0, query="time=2031-05-01")
    assert (rgba(late)[..., 3] == 0).all()
    assert warnings_of(late) == ["99 No data at time=2031-05-01T00:00:00Z ISO8601"]


def test_caching(wmts):
    pinned = tile(wmts, 1, 0, 0, query="TIME=2020-01-02")
    assert pinned.header("Cache-Control") == "public, max-age=86400"
    for query in ("", "TIME=current", "TIME=2020-01", "TIME=2020-01-02T05:00:00Z", "TIME=2031"):
        assert tile(wmts, 1, 0, 0, query=query).header("Cache-Control") == "public, max-age=60"
    url = f"{PATH}/globe.v/exact/2020-01-02/WorldCRS84Quad/1/0/0.png"
    again = wmts.rest(url, if_none_match=f'W/"other", {pinned.header("ETag")}')
    assert (again.status, again.body) == (304, b"")
    assert again.header("ETag") == pinned.header("ETag")


def test_a_commit_changes_the_tag(tmp_path):
    url = f"{PATH}/globe.v/coarse/WebMercatorQuad/1/0/0.png"
    context = open_cubes(tmp_path)
    before = Maps(context, service, "/wmts").rest(url)
    written = context.catalog.cube("globe").store.description
    add_slices(open_store(str(tmp_path)), written, ["2020-01-04"], first=3, formula=small)
    context = open_context(str(tmp_path), settings())
    after = Maps(context, service, "/wmts").rest(url, if_none_match=before.header("ETag"))
    assert after.status == 200
    assert (hundreds(after) == 3).all()


def test_feature_info(wmts):
    kvp = TILE.format(layer="globe.v", style="", tms="WorldCRS84Quad", z=0, row=0, col=1)
    kvp = kvp.replace("GetTile", "GetFeatureInfo")
    response = wmts.raw(f"{kvp}&I=10&J=200&INFOFORMAT=application/json&TIME=2020-01-02")
    assert response.media_type == "application/json"
    (found,) = json.loads(response.body)["features"]
    # longitude 10.5 / 256 * 180, latitude 90 - 200.5 / 256 * 180
    assert found["properties"]["value"] == 100 + 10 * 3 + 5
    rest = wmts.rest(f"{PATH}/globe.v/default/2020-01-02/WorldCRS84Quad/0/0/1/200/10.json")
    assert rest.body == response.body
    assert wmts.rest(f"{PATH}/globe/default/WorldCRS84Quad/0/0/1/200/10.txt").status == 200
