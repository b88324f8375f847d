"""Styles that draw, through the engine: no seam between tiles, values between cells, no data."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from datacube.config.settings import Config, CubeSettings
from datacube.engine.context import make_context
from datacube.engine.map import render_map
from datacube.model.bbox import BoundingBox
from datacube.model.block import RgbaImage
from datacube.model.crs import Crs
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.model.query import LayerRequest, MapQuery
from datacube.render.encode import encode
from datacube.render.style import Arrows, ColorRamp, Contours, Hillshade
from datacube.store.url import open_store
from tests.cubes import make_cube

IMAGES = Path(__file__).resolve().parents[2] / "images"
RAMP = ColorRamp("", "", "", "viridis", -40, 40)
STYLES = (
    ColorRamp("stretched", "", "t", "gray", percentiles=(0, 100)),
    Hillshade("relief", "", "t", exaggeration=20_000.0),
    Hillshade("draped", "", "t", exaggeration=20_000.0, ramp=RAMP),
    Contours("lines", "", "t", interval=4, labels=False),
    Contours("labelled", "", "t", interval=2, ramp=RAMP),
    Arrows("arrows", "", "u", "v", ramp=ColorRamp("", "", "", "viridis", 0, 40)),
    Arrows("barbs", "", "u", "v", "barbs", size=30, coloring="glyphs"),
)
FIELDS = (
    Field("t", "float32", uom="degC"),
    Field("u", "float32", uom="m s-1", standard_name="eastward_wind"),
    Field("v", "float32", uom="m s-1", standard_name="northward_wind"),
)
MERCATOR = 20037508.342789244


def waves(t, k, f, y, x):
    """Smooth over the globe, seam included; a hole without values in the first field."""
    lon, lat = np.radians(2 * x - 179), np.radians(89 - 2 * y)
    values = [
        30 * np.sin(3 * lon) * np.cos(2 * lat) + 8 * np.sin(9 * lon + 5 * lat),
        25 * np.cos(2 * lon + lat) * np.cos(lat),
        20 * np.sin(3 * lon) * np.cos(lat),
    ][f]
    hole = (np.hypot(x - 100, y - 30) < 6) & (f == 0)
    return np.where(hole, np.nan, values)


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    store = open_store(str(tmp_path_factory.mktemp("drawn")))
    make_world(store, "world", FIELDS)
    return make_context(store, Config(cubes={"world": CubeSettings(styles=STYLES)}))


def draw(context, style, grid, layer="world"):
    query = MapQuery((LayerRequest(layer, style),), grid, transparent=True)
    return render_map(context, query).image.rgba().pixels


def make_world(store, cube, fields):
    box = (-180, -90, 180, 90)
    make_cube(store, cube, fields=fields, formula=waves, times=None, width=180, height=90, bbox=box)


def tile(z, x, y, across=1):
    side = 2 * MERCATOR / 2**z
    left, top = x * side - MERCATOR, MERCATOR - y * side
    crs = Crs.parse("EPSG:3857")
    bbox = BoundingBox(left, top - across * side, left + across * side, top, crs)
    return RectifiedGrid.from_bbox(bbox, 256 * across, 256 * across)


@pytest.mark.parametrize("style", [style.name for style in STYLES])
@pytest.mark.parametrize("corner", [(3, 5), (1, 2)])
def test_tiles_fit_together(context, style, corner):
    whole = draw(context, style, tile(4, corner[0], corner[1], across=3))
    for row in range(3):
        for column in range(3):
            part = draw(context, style, tile(4, corner[0] + column, corner[1] + row))
            place = slice(256 * row, 256 * row + 256), slice(256 * column, 256 * column + 256)
            differs = np.abs(part.astype(int) - whole[place]).max(axis=-1) > 2
            assert differs.sum() <= 3, (row, column)


@pytest.mark.parametrize("style", ["relief", "labelled", "barbs"])
def test_a_large_picture_is_drawn_in_bands_that_do_not_show(context, style, monkeypatch):
    grid = tile(4, 3, 5, across=2)
    whole = draw(context, style, grid)
    monkeypatch.setattr("datacube.engine.banding._BAND", 100 * 512)
    assert (np.abs(draw(context, style, grid).astype(int) - whole).max(axis=-1) > 2).sum() <= 3


@pytest.mark.parametrize("style", [style.name for style in STYLES])
def test_maps_of_the_pole_and_of_a_seam_are_drawn(context, style):
    polar = BoundingBox(-4e6, -4e6, 4e6, 4e6, Crs.parse("EPSG:3413"))
    pixels = draw(context, style, RectifiedGrid.from_bbox(polar, 200, 200))
    assert (pixels[..., 3] > 0).any()
    box = BoundingBox(150, -30, 210, 30, Crs.parse("EPSG:4326"))
    grid = RectifiedGrid.from_bbox(box, 200, 200)
    assert (draw(context, style, grid)[..., 3] > 0).any(axis=0).all()  # across the seam
    # outside the world there is nothing
    beyond = BoundingBox(0, 95, 10, 105, Crs.parse("EPSG:4326"))
    assert draw(context, style, RectifiedGrid.from_bbox(beyond, 50, 50)).max() == 0


@pytest.mark.parametrize("style", ["relief", "draped", "lines", "labelled"])
def test_nothing_is_drawn_where_there_is_no_value(context, style):
    box = BoundingBox(10, 10, 40, 40, Crs.parse("EPSG:4326"))
    pixels = draw(context, style, RectifiedGrid.from_bbox(box, 300, 300))
    columns, rows = np.meshgrid(np.arange(300) / 10 + 10.05, 39.95 - np.arange(300) / 10)
    x, y = (columns + 180) // 2, (90 - rows) // 2
    hole = np.hypot(x - 100, y - 30) < 6
    deep = np.hypot(x - 100, y - 30) < 5  # a line at the edge has a width
    assert pixels[deep, 3].max() == 0
    if style in {"relief", "draped"}:
        assert pixels[~hole, 3].min() == 255


def test_a_cube_of_two_components_is_drawn_as_arrows(tmp_path):
    store = open_store(str(tmp_path))
    make_world(store, "wind", FIELDS[1:])
    context = make_context(store, Config())
    layer = context.catalog.layer("wind")
    assert [style.name for style in layer.styles] == ["wind", "wind-barbs", "u", "v"]
    assert isinstance(layer.styles[0], Arrows)
    assert draw(context, "", tile(2, 1, 1), "wind")[..., 3].min() == 255
    assert context.catalog.layer("wind.u").styles[0].name == "default"


def test_percentiles_are_the_cubes(context):
    style = context.catalog.layer("world").style("stretched")
    known = context.catalog.cube("world").store.statistics("t")
    assert (style.low, style.high) == (known.minimum, known.maximum)


@pytest.mark.parametrize("style", ["draped", "labelled", "arrows", "barbs"])
def test_pictures_look_as_they_were_approved(context, style):
    """A missing picture is written, to be looked at; colours may differ by what a font does."""
    path = IMAGES / f"{style}.png"
    box = BoundingBox(-2e6, 3e6, 6e6, 9e6, Crs.parse("EPSG:3857"))
    pixels = draw(context, style, RectifiedGrid.from_bbox(box, 240, 180))
    if not path.exists():
        path.write_bytes(encode(RgbaImage(pixels), "image/png"))
        pytest.fail(f"there was no {path.name}: look at the one that is there now")
    with Pillow.open(path) as picture:
        approved = np.array(picture.convert("RGBA"))
    assert np.abs(pixels.astype(int) - approved).mean() < 1.5
