"""Tiles of values, exact: NumPy, GeoTIFF, and PNG by the scale and offset of its TileJSON."""

import json
from io import BytesIO

import numpy as np
import pytest
import rasterio
from PIL import Image

from datacube.config.settings import Config
from datacube.engine.context import open_context
from datacube.model.fields import Field
from tests.cubes import make_cube
from tests.protocol.tiles.conftest import Tiles

PLACE = "WorldCRS84Quad/1/0/2"
NIL = -32768


def packed_cells(t, k, f, y, x):
    """10 * y + x, no data in column 7."""
    return np.where(x + 0 * y == 7, NIL, 100 * t + 10 * y + x)


def eighths(t, k, f, y, x):
    return y + x / 8


@pytest.fixture(scope="module")
def valued(tmp_path_factory):
    store = tmp_path_factory.mktemp("values")
    kelvin = Field("t", "int16", uom="K", nil=NIL, scale=0.01, offset=273.15)
    size = {"width": 10, "height": 5, "times": ("2020-01-01", "2020-01-02")}
    make_cube(store, "packed", fields=(kelvin,), formula=packed_cells, **size)
    floats = Field("f", "float32", uom="m")
    make_cube(store, "floats", fields=(floats,), formula=eighths, **size)
    colors = tuple(Field(name, "uint8") for name in ("B02", "B03", "B04"))
    make_cube(store, "colors", fields=colors, **size)
    return Tiles(open_context(str(store), Config()))


def under(t):
    """Stored value under each pixel of the tile: longitudes 0 to 90, latitudes 0 to 90."""
    step = 90 / 256
    x = ((180 + (np.arange(256) + 0.5) * step) // 36).astype(int)
    y = (((np.arange(256) + 0.5) * step) // 36).astype(int)
    return packed_cells(t, 0, 0, y[:, None], x[None, :])


def physical(t):
    stored = under(t)
    return np.where(stored == NIL, np.nan, stored * 0.01 + 273.15)


def of_png(response, said):
    """Values of a PNG: of grey, or of colours, as a browser finds them."""
    picture = Image.open(BytesIO(response.body))
    if picture.mode == "RGBA":
        pixels = np.asarray(picture).astype(float)
        number, valid = 256 * pixels[..., 0] + pixels[..., 1], pixels[..., 3] > 0
    else:
        assert picture.mode == "I;16"
        number = np.asarray(picture).astype(float)
        valid = number != said["nodata"]
        assert picture.info["transparency"] == said["nodata"]
    return np.where(valid, said["offset"] + said["scale"] * number, np.nan)


@pytest.mark.parametrize("t", [0, 1])
def test_numpy(valued, t):
    response = valued.get(f"packed/values/{PLACE}.npy?time=2020-01-0{t + 1}")
    assert response.media_type == "application/x-npy"
    found = np.load(BytesIO(response.body))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, physical(t).astype(np.float32))


def test_geotiff_is_placed_and_its_no_data_is_nan(valued):
    response = valued.get(f"packed.t/values/{PLACE}.tif?time=2020-01-02")
    assert response.media_type == "image/tiff; application=geotiff; profile=cloud-optimized"
    with rasterio.MemoryFile(response.body) as memory, memory.open() as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.block_shapes == [(256, 256)]
        assert (file.count, file.dtypes[0], file.shape) == (1, "float32", (256, 256))
        assert file.bounds == pytest.approx((0, 0, 90, 90))
        assert np.isnan(file.nodata)
        assert file.profile["compress"] == "deflate"
        np.testing.assert_array_equal(file.read(1), physical(1).astype(np.float32))


@pytest.mark.parametrize("ending", ["png", "pngraw"])
def test_png_of_integers_is_exact(valued, ending):
    address = f"packed/values/WorldCRS84Quad/tilejson.json?f={ending}"
    said = json.loads(valued.get(address).body)
    url = said["template"].replace("{time}", "2020-01-02")
    url = url.replace("{z}/{y}/{x}", "1/0/2")
    response = valued.get(url)
    assert response.media_type == "image/png"
    found = of_png(response, said["values"])
    np.testing.assert_allclose(found, physical(1), rtol=0, atol=1e-9)
    stored = np.rint((found - 273.15) / 0.01)
    np.testing.assert_array_equal(stored[~np.isnan(found)], under(1)[~np.isnan(found)])
    assert (said["values"]["unit"], said["values"]["dtype"]) == ("K", "uint16")
    assert ("redFactor" in said) == (ending == "pngraw")


def test_gdal_reads_the_grey_png_and_its_no_data(valued):
    response = valued.get(f"packed/values/{PLACE}.png?time=2020-01-02")
    with rasterio.MemoryFile(response.body) as memory:
        with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
            file = memory.open()
        with file:
            assert (file.count, file.dtypes[0], file.nodata) == (1, "uint16", 0)
            read = file.read(1)
    np.testing.assert_array_equal(read, np.where(under(1) == NIL, 0, under(1) + 32768))


def test_the_factors_of_maplibre(valued):
    said = json.loads(valued.get("packed/values/WorldCRS84Quad/tilejson.json?f=pngraw").body)
    found = 5 * said["redFactor"] + 7 * said["greenFactor"] - said["baseShift"]
    assert found == pytest.approx(said["values"]["offset"] + 1287 * said["values"]["scale"])


@pytest.mark.parametrize("ending", ["npy", "tif"])
def test_files_of_values_say_that_they_are_values(valued, ending):
    said = json.loads(valued.get(f"packed/values/WorldCRS84Quad/tilejson.json?f={ending}").body)
    assert said["values"] == {
        "number": "value",
        "dtype": "float32",
        "scale": 1.0,
        "offset": 0.0,
        "nodata": "NaN",
        "unit": "K",
        "field": "t",
    }


def test_png_of_floats_is_off_by_half_a_step_at_most(valued):
    said = json.loads(valued.get("floats.f/values/WorldCRS84Quad/tilejson.json").body)
    response = valued.get(said["tiles"][0].replace("{z}/{y}/{x}", "1/0/2"))
    exact = np.load(BytesIO(valued.get(f"floats.f/values/{PLACE}.npy").body))
    found = of_png(response, said["values"])
    assert said["values"]["scale"] == pytest.approx((4 + 9 / 8) / 65534)
    assert np.abs(found - exact).max() <= said["values"]["scale"] * 0.5001
    assert "immutable" in response.header("Cache-Control")


def test_stated_ends_clip(valued):
    response = valued.get(f"floats.f/values/{PLACE}.png?range=1,2")
    found = of_png(response, {"offset": 1.0, "scale": 1 / 65534, "nodata": 65535})
    exact = np.load(BytesIO(valued.get(f"floats.f/values/{PLACE}.npy").body))
    np.testing.assert_allclose(found, np.clip(exact, 1, 2), atol=1 / 65535)


def test_reduced_and_computed_values(valued):
    count = valued.get(f"packed/values/{PLACE}.png?time=2020-01-01/2020-01-02&agg=count")
    found = of_png(count, {"offset": 0.0, "scale": 1.0, "nodata": 65535})
    np.testing.assert_array_equal(found, np.where(under(0) == NIL, 0, 2))
    mean = np.load(
        BytesIO(valued.get(f"packed/values/{PLACE}.npy?time=2020-01-01/..&agg=mean").body)
    )
    np.testing.assert_allclose(mean, (physical(0) + physical(1)) / 2, rtol=1e-6)
    doubled = np.load(
        BytesIO(valued.get(f"packed/values/{PLACE}.npy?time=2020-01-01&expr=t*2").body)
    )
    np.testing.assert_allclose(doubled, physical(0) * 2, rtol=1e-6)


def test_a_list_of_times_is_filled_by_the_older(valued):
    both = valued.get(f"packed/values/{PLACE}.npy?time=2020-01-01,2020-01-02")
    np.testing.assert_array_equal(np.load(BytesIO(both.body)), physical(1).astype(np.float32))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (f"colors/values/{PLACE}.npy", "ask one of colors.B02, colors.B03"),
        ("colors/values/WorldCRS84Quad/tilejson.json", "ask one of colors.B02, colors.B03"),
        (f"packed/values/{PLACE}.png?expr=t*2", "RANGE=low,high"),
        (f"packed/values/{PLACE}.png?time=2020-01-01/..&agg=std", "RANGE=low,high"),
        (f"packed/values/{PLACE}.png?range=2,1", "270,310"),
    ],
)
def test_refusals(valued, path, words):
    response = valued.get(path)
    assert response.status == 400
    assert words in json.loads(response.body)["detail"]


def test_a_value_tile_that_the_client_has_is_not_sent_again(valued):
    url = f"packed/values/{PLACE}.npy?time=2020-01-01"
    first = valued.get(url)
    assert valued.get(url, if_none_match=first.header("ETag")).status == 304
    assert first.header("ETag") != valued.get(f"packed/values/{PLACE}.png").header("ETag")
