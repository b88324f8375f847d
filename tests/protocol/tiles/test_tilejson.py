"""TileJSON 3: addresses that lead to tiles, extent, times, legend, token."""

import json

import pytest

from datacube.config.settings import Config, CubeSettings, TimePolicy
from datacube.engine.context import open_context
from tests.cubes import make_cube
from tests.protocol.pictures import BASE, DAYS, hundreds, rgba
from tests.protocol.tiles.conftest import Tiles


def said_of(tiles, path):
    response = tiles.get(path)
    assert response.status == 200, response.body
    assert response.media_type == "application/json"
    return json.loads(response.body)


def test_of_a_layer(tiles, context, wms):
    said = said_of(tiles, "globe.v/coarse/WebMercatorQuad/tilejson.json")
    token = context.catalog.cube("globe").token
    assert said["tilejson"] == "3.0.0"
    assert (said["bounds"], said["center"]) == ([-180, -90, 180, 90], [0, 0, 0])
    assert said["times"] == [f"{day}T00:00:00Z" for day in DAYS]
    assert said["default_time"] == "2020-01-03T00:00:00Z"
    assert said["times_url"] == f"{BASE}/times/globe.json"
    assert (said["token"], said["tileSize"], said["name"]) == (token, 256, "Cube globe: Value")
    assert said["attribution"] == "© Nobody"
    (template,) = said["tiles"]
    assert f"time=2020-01-03T00:00:00Z&v={token}" in template
    tile = tiles.get(template.replace("{z}/{y}/{x}", "1/0/1"))
    assert (hundreds(tile) == 2).all()
    assert "immutable" in tile.header("Cache-Control")
    other = said["template"].replace("{z}/{y}/{x}", "1/0/1").replace("{time}", "2020-01-01")
    assert (hundreds(tiles.get(other)) == 0).all()
    legend = said["legend_url"]
    assert rgba(wms.raw(legend.partition("?")[2])).shape[2] == 4


def test_parameters_stand_in_the_addresses(tiles):
    said = said_of(
        tiles, "deep.v/coarse/WebMercatorQuad/tilejson.json?elevation=10&f=webp&tilesize=512"
    )
    assert "/{z}/{y}/{x}@2x.webp?" in said["template"]
    assert "elevation=10&v=" in said["template"]
    assert said["tileSize"] == 512
    chosen = said_of(
        tiles, "globe.v/coarse/WebMercatorQuad/tilejson.json?time=2020-01-01/2020-01-02&agg=max"
    )
    tile = tiles.get(chosen["tiles"][0].replace("{z}/{y}/{x}", "1/0/1"))
    assert (hundreds(tile) == 1).all()


def test_without_time(tiles):
    said = said_of(tiles, "utm.v/exact/WebMercatorQuad/tilejson.json")
    assert "times" not in said
    assert said["tiles"] == [said["template"]]
    assert 12 <= said["maxzoom"] <= 14  # cells of 10 m
    assert said["center"][2] >= 10
    west, south, east, north = said["bounds"]
    assert west < said["center"][0] < east
    assert south < said["center"][1] < north


def test_of_the_cells_own_set(tiles):
    said = said_of(tiles, "utm.v/exact/native/tilejson.json")
    assert (said["minzoom"], said["maxzoom"]) == (0, 0)
    assert rgba(tiles.get(said["tiles"][0].replace("{z}/{y}/{x}", "0/0/0"))).shape == (256, 256, 4)


@pytest.mark.parametrize("query", ["f=bmp", "tilesize=300", "time=x", "expr=nosuch"])
def test_what_cannot_be_drawn_has_none(tiles, query):
    response = tiles.get(f"globe.v/coarse/WebMercatorQuad/tilejson.json?{query}")
    assert response.status == 400


def test_it_is_compared(tiles):
    url = "globe.v/coarse/WebMercatorQuad/tilejson.json"
    tag = tiles.get(url).header("ETag")
    assert tiles.get(url, if_none_match=tag).status == 304
    assert tiles.get(f"{url}?f=webp").header("ETag") != tag


def test_tiles_of_now_follow_the_clock(tmp_path):
    make_cube(tmp_path, "soon", times=("2001-01-01", "2999-01-01"), width=2, height=2)
    config = Config(cubes={"soon": CubeSettings(time=TimePolicy(default="now"))})
    tiles = Tiles(open_context(str(tmp_path), config))
    said = said_of(tiles, "soon.v/default/WebMercatorQuad/tilejson.json")
    (template,) = said["tiles"]
    assert said["default_time"] == "current"
    answer = tiles.get(template.replace("{z}/{y}/{x}", "0/0/0"))
    assert answer.header("Content-Datetime") == "2001-01-01T00:00:00Z"
    assert "immutable" not in answer.header("Cache-Control")
