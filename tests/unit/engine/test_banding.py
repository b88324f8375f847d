"""Large pictures: drawn in bands, they are what they would be in one piece."""

import numpy as np
import pytest

from datacube.config.settings import Config, CubeSettings
from datacube.engine.context import make_context
from datacube.engine.map import render_map
from datacube.model.bbox import BoundingBox
from datacube.model.block import IndexedImage, RgbaImage, RgbImage
from datacube.model.crs import Crs
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.model.query import LayerRequest, MapQuery, TimeChoice
from datacube.model.time import TimeRange
from datacube.render.style import Arrows, Channel, ColorRamp, Composite, Contours, Hillshade
from datacube.store.url import open_store
from tests.cubes import make_cube

RAMP = ColorRamp("ramp", "", "t", "viridis", -40, 40)
STYLES = (
    RAMP,
    Composite("rgb", "", Channel("t", -40, 40), Channel("u", -30, 30), Channel("v", -30, 30)),
    Composite("uvu", "", Channel("u", -30, 30), Channel("v", -30, 30), Channel("u", -30, 30)),
    ColorRamp("speed", "", "speed", "viridis", 0, 40, expression="sqrt(u*u + v*v)"),
    Hillshade("relief", "", "t", exaggeration=20_000.0),
    Hillshade("draped", "", "t", exaggeration=20_000.0, ramp=RAMP),
    Contours("lines", "", "t", interval=4, ramp=RAMP),
    Arrows("arrows", "", "u", "v", ramp=ColorRamp("", "", "", "viridis", 0, 40)),
)
FIELDS = (
    Field("t", "int16", nil=-999, scale=0.01),
    Field("u", "float32", standard_name="eastward_wind"),
    Field("v", "float32", standard_name="northward_wind"),
)
BOXES = {
    "same": ("CRS:84", (-60, -40, 60, 80)),
    "mercator": ("EPSG:3857", (-8e6, -6e6, 9e6, 1.1e7)),
    "polar": ("EPSG:3413", (-4e6, -4e6, 4e6, 4e6)),
}
DAYS = TimeChoice(TimeRange(None, None))


def waves(t, k, f, y, x):
    """Smooth; a hole without values in the first field, well within one band."""
    lon, lat = np.radians(x - 179.5), np.radians(89.5 - y)
    values = [
        100 * (30 * np.sin(3 * lon + t) * np.cos(2 * lat)),
        25 * np.cos(2 * lon + lat + t) * np.cos(lat),
        20 * np.sin(3 * lon) * np.cos(lat),
    ][f]
    return np.where((np.hypot(x - 180, y - 40) < 6) & (f == 0), -999, values)


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    store = open_store(str(tmp_path_factory.mktemp("bands")))
    make_cube(
        store, "world", width=360, height=180, fields=FIELDS, formula=waves,
        times=("2020-01-01", "2020-01-02", "2020-01-03"), chunks={"x": 64, "y": 64},
    )  # fmt: skip
    return make_context(store, Config(cubes={"world": CubeSettings(styles=STYLES)}))


def drawn(context, where, *layers, size=(200, 300)):
    crs, box = BOXES[where]
    grid = RectifiedGrid.from_bbox(BoundingBox(*box, Crs.parse(crs)), *size)
    return render_map(context, MapQuery(layers, grid, (1, 2, 3), transparent=True)).image


def pixels(image):
    return image.index if isinstance(image, IndexedImage) else image.pixels


@pytest.mark.parametrize("where", BOXES)
@pytest.mark.parametrize(
    "layers",
    [
        *((LayerRequest("world", style.name),) for style in STYLES),
        (LayerRequest("world", "ramp", interpolation="bilinear"),),
        (LayerRequest("world", "ramp", interpolation="average"),),
        (LayerRequest("world", "ramp", time=DAYS, aggregate="mean"),),
        (LayerRequest("world", "ramp", time=DAYS, aggregate="median"),),
        (LayerRequest("world", "ramp", time=DAYS, expression="t - 1"),),
        (LayerRequest("world", "rgb"), LayerRequest("world", "lines")),
    ],
    ids=lambda layers: "+".join(f"{o.style} {o.interpolation} {o.aggregate}" for o in layers),
)
def test_bands_are_the_whole_picture(context, monkeypatch, where, layers):
    whole = drawn(context, where, *layers)
    monkeypatch.setattr("datacube.engine.banding._BAND", 200 * 64)
    banded = drawn(context, where, *layers)
    assert type(banded) is type(whole)
    assert np.array_equal(pixels(banded), pixels(whole))
    if isinstance(whole, IndexedImage):
        assert np.array_equal(banded.palette, whole.palette)


@pytest.mark.parametrize(("style", "kind"), [("uvu", RgbImage), ("rgb", RgbaImage)])
def test_one_transparent_pixel_in_one_band_gives_alpha_to_all(context, monkeypatch, style, kind):
    monkeypatch.setattr("datacube.engine.banding._BAND", 200 * 64)
    image = drawn(context, "same", LayerRequest("world", style))
    assert isinstance(image, kind)
    if kind is RgbaImage:
        assert set(np.unique(image.pixels[..., 3])) == {0, 255}


def test_the_level_is_that_of_the_whole_picture(context, monkeypatch):
    """Polar pixels are of different sizes in degrees: bands alone would choose differently."""
    layer = LayerRequest("world", "ramp")
    whole = drawn(context, "polar", layer, size=(50, 256))
    monkeypatch.setattr("datacube.engine.banding._BAND", 50 * 64)
    assert np.array_equal(pixels(drawn(context, "polar", layer, size=(50, 256))), pixels(whole))
