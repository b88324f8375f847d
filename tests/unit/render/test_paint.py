"""Painting: the colour of every value is matplotlib's."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import LogNorm, Normalize

from datacube.errors import InvalidParameter
from datacube.model.block import IndexedImage, RgbaImage, RgbImage
from datacube.model.fields import Category, Field
from datacube.render.colormap import names, table
from datacube.render.paint import paint
from datacube.render.scale import channel_lookup, palette_of, ramp_lookup
from datacube.render.style import Categories, Channel, ColorRamp, Composite, color

SST = Field("sst", "int16", uom="K", nil=-32768, scale=0.01, offset=273.15)
RAMP = ColorRamp("d", "", "sst", "thermal", 271.15, 305.0)


def painted(style, field, data, valid=None):
    data = np.atleast_2d(data)
    valid = field.valid(data) if valid is None else np.atleast_2d(valid)
    return paint(style, {field.name: field}, {field.name: data}, {field.name: valid})


def expected(values, name, norm):
    return mpl.colormaps[name](norm(values), bytes=True)


def most_steps(name):
    """The largest step between neighbours among the smallest ones that are given up."""
    steps = np.abs(np.diff(table(name).astype(int), axis=0)).max(axis=1)
    return np.sort(steps)[0]


@pytest.mark.parametrize("name", names())
def test_every_colour_map_is_matplotlibs_but_for_one_shared_pair(name):
    colors = table(name)
    palette = palette_of(ColorRamp("d", "", "v", name, 0, 1))
    assert len(palette.colors) <= 256
    given = palette.colors[palette.slots]
    wrong = np.flatnonzero((given != colors).any(axis=1))
    assert len(wrong) <= 1  # of up to 256 colours
    for place in wrong:  # and that is its neighbour's
        assert np.array_equal(given[place], colors[place - 1])
        assert np.abs(given[place].astype(int) - colors[place]).max() == most_steps(name)


def test_packed_values_have_matplotlibs_colours():
    stored = np.arange(-500, 3500, dtype="int16")
    picture = painted(RAMP, SST, stored)
    assert isinstance(picture, IndexedImage)
    values = SST.decode(stored, np.ones(stored.shape, bool))
    want = expected(values, "viridis", Normalize(271.15, 305.0))
    ramp = ColorRamp("d", "", "sst", "viridis", 271.15, 305.0)
    got = painted(ramp, SST, stored).rgba().pixels[0]
    different = (got != want).any(axis=1)
    # one pair of 256 shares its colour
    assert different.mean() < 1 / 128
    assert np.abs(got.astype(int) - want).max() <= 2


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_wide_types_agree_with_the_table(dtype):
    narrow = Field("v", "int16")
    wide = Field("v", dtype)
    style = ColorRamp(
        "d", "", "v", "plasma", -100, 3000, below=(1, 2, 3, 255), above=color("#fff000")
    )
    stored = np.arange(-200, 3200, dtype="int16")
    a = painted(style, narrow, stored).rgba().pixels
    b = painted(style, wide, stored.astype(dtype)).rgba().pixels
    # float32 may fall on the other side of a border between two bins
    assert (a != b).any(axis=-1).mean() < (0.002 if dtype == "float32" else 1e-9)


def test_ends_belong_to_the_range_and_beyond_has_its_own_colours():
    field = Field("v", "float64")
    style = ColorRamp("d", "", "v", "gray", 0, 10, below=(255, 0, 0, 255), above=(0, 0, 255, 128))
    data = np.array([-0.001, 0.0, 10.0, 10.001, np.inf, -np.inf])
    assert painted(style, field, data).rgba().pixels[0].tolist() == [
        [255, 0, 0, 255], [0, 0, 0, 255], [255, 255, 255, 255],
        [0, 0, 255, 128], [0, 0, 255, 128], [255, 0, 0, 255],
    ]  # fmt: skip
    clamped = ColorRamp("d", "", "v", "gray", 0, 10)
    assert painted(clamped, field, data).rgba().pixels[0, :, 0].tolist() == [0, 0, 255, 255, 255, 0]


@pytest.mark.parametrize("dtype", ["float32", "uint16"])
def test_logarithmic(dtype):
    field = Field("chl", dtype)
    style = ColorRamp("d", "", "chl", "viridis", 1, 1000, log=True)
    data = np.array([1, 3, 10, 57, 999, 1000, 2000], dtype)
    got = painted(style, field, data).rgba().pixels[0]
    want = expected(data.astype("f8"), "viridis", LogNorm(1, 1000))
    assert np.abs(got.astype(int) - want).max() <= 2
    zero = painted(style, field, np.zeros(1, dtype)).rgba().pixels[0, 0]
    assert zero.tolist() == table("viridis")[0].tolist()  # zero lies below, it is not missing


def test_no_data_is_transparent_and_zero_is_not():
    field = Field("v", "uint8", nil=255)
    picture = painted(ColorRamp("d", "", "v", "gray", 0, 10), field, np.array([0, 255], "uint8"))
    assert picture.rgba().pixels[0].tolist() == [[0, 0, 0, 255], [0, 0, 0, 0]]


def test_cells_that_are_not_valid_are_missing_whatever_they_hold():
    for dtype in ("int16", "float32"):
        field = Field("v", dtype)
        style = ColorRamp("d", "", "v", "gray", 0, 10, missing=(9, 9, 9, 255))
        picture = painted(style, field, np.array([5, 5], dtype), np.array([True, False]))
        assert picture.index[0, 1] == 0
        assert picture.rgba().pixels[0, 1].tolist() == [9, 9, 9, 255]


def test_nan_raises_no_warning_and_is_missing():
    field = Field("v", "float32")
    data = np.array([[np.nan, 1.0]], "float32")
    assert painted(ColorRamp("d", "", "v", "gray", 0, 1), field, data).index[0, 0] == 0
    channel = Channel("v", 0, 1)
    picture = painted(Composite("c", "", channel, channel, channel), field, data)
    assert picture.pixels.tolist() == [[[0, 0, 0, 0], [255, 255, 255, 255]]]


def test_few_colours_are_cut_as_matplotlib_cuts_them():
    field = Field("v", "float64")
    data = np.linspace(0, 10, 101)
    got = painted(ColorRamp("d", "", "v", "tab10", 0, 10), field, data).rgba().pixels[0]
    assert np.array_equal(got, expected(data, "tab10", Normalize(0, 10)))


def test_negative_scale():
    field = Field("z", "int16", scale=-0.5, offset=10)
    data = np.array([20, -20], "int16")  # physical 0 and 20
    got = painted(ColorRamp("d", "", "z", "gray", 0, 20), field, data).rgba().pixels[0, :, 0]
    assert got.tolist() == [0, 255]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32"])
def test_categories(dtype):
    field = Field("scl", dtype)
    style = Categories(
        "c",
        "",
        "scl",
        (Category(4, "four", "#00a000"), Category(2, "two", "#2f2f2f"), Category(9, "")),
    )
    picture = painted(style, field, np.array([2, 4, 5, 9], dtype), np.array([True] * 4))
    pixels = picture.rgba().pixels[0]
    assert pixels[:3].tolist() == [[47, 47, 47, 255], [0, 160, 0, 255], [0, 0, 0, 0]]
    assert pixels[3].tolist() == table("tab20")[2].tolist()


def test_composite_by_value():
    fields = {name: Field(name, "uint16", scale=1e-4, nil=0) for name in ("r", "g", "b")}
    style = Composite("t", "", *(Channel(name, 0, 0.3) for name in fields))
    data = {
        name: np.array([[1500, 3000 - 10 * k, 65535, 1]], "uint16") for k, name in enumerate(fields)
    }
    valid = {name: np.ones((1, 4), bool) for name in fields}
    picture = paint(style, fields, data, valid)
    assert isinstance(picture, RgbImage)
    assert picture.pixels[0].tolist() == [
        [128, 128, 128], [255, 254, 253], [255, 255, 255], [0, 0, 0]
    ]  # fmt: skip
    valid["g"][0, 0] = False
    holed = paint(style, fields, data, valid)
    assert isinstance(holed, RgbaImage)
    assert holed.pixels[0, :2].tolist() == [[0, 0, 0, 0], [255, 254, 253, 255]]


@pytest.mark.parametrize("dtype", ["uint16", "float32", "int32", "float64"])
def test_gamma_brightens_alike_for_every_type(dtype):
    field = Field("v", dtype)
    channel = Channel("v", 0, 100, gamma=2.0)
    style = Composite("t", "", channel, channel, channel)
    got = painted(style, field, np.array([0, 25, 100, 200], dtype)).pixels[0, :, 0]
    assert got.tolist() == [0, 128, 255, 255]


def test_tables_are_bounded_and_shared():
    assert ramp_lookup.cache_info().maxsize == 128
    assert channel_lookup.cache_info().maxsize == 128
    assert ramp_lookup(RAMP, SST)[0] is ramp_lookup(RAMP, SST)[0]


def test_styles_that_cannot_be_meant():
    with pytest.raises(InvalidParameter, match="range 5 … 5 is empty"):
        ColorRamp("d", "", "v", "gray", 5, 5)
    with pytest.raises(InvalidParameter, match="begins above zero"):
        ColorRamp("d", "", "v", "gray", 0, 5, log=True)
    with pytest.raises(InvalidParameter, match="gamma is above zero"):
        Channel("v", gamma=0)
    with pytest.raises(InvalidParameter, match="a palette holds 255"):
        Categories("c", "", "v", tuple(Category(k, "") for k in range(256)))
    with pytest.raises(InvalidParameter, match="is no colour"):
        color("reddish")
