"""Ramps in steps: the colours are those of matplotlib's BoundaryNorm."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import BoundaryNorm

from datacube.errors import InvalidParameter
from datacube.model.fields import Field
from datacube.render.colormap import table
from datacube.render.paint import paint
from datacube.render.scale import boundaries, palette_of
from datacube.render.stretch import Distribution, stretched
from datacube.render.style import Channel, ColorRamp, Composite, Contours

FIELD = Field("v", "float64")


def painted(style, values, dtype="float64"):
    field = Field("v", dtype)
    data = np.atleast_2d(np.asarray(values, dtype))
    return paint(style, {"v": field}, {"v": data}, {"v": field.valid(data)}).rgba().pixels[0]


@pytest.mark.parametrize("name", ["viridis", "thermal", "RdBu_r"])
@pytest.mark.parametrize("bands", [1, 2, 5, 10, 20, 100, 200])
def test_bands_are_those_of_a_boundary_norm(name, bands):
    low, high = -3.0, 41.0
    edges = np.linspace(low, high, bands + 1)
    # the edges themselves, and places between them
    values = np.unique(np.concatenate([edges[:-1], edges[:-1] + (high - low) / bands / 3]))
    norm = BoundaryNorm(edges, 256)
    colors = table(name)
    want = colors[np.asarray(norm(values))]
    got = painted(ColorRamp("d", "", "v", name, low, high, bands=bands), values)
    assert np.array_equal(got, want)


def test_bands_of_a_logarithmic_ramp_have_equal_ratios():
    style = ColorRamp("d", "", "v", "viridis", 0.01, 100, log=True, bands=4)
    assert np.allclose(boundaries(style), [0.01, 0.1, 1, 10, 100])
    norm = BoundaryNorm(boundaries(style), 256)
    values = np.array([0.011, 0.09, 0.11, 0.9, 1.1, 9, 11, 99])
    want = mpl.colormaps["viridis"](norm(values), bytes=True)
    assert np.array_equal(painted(style, values), want)


def test_packed_and_wide_types_agree():
    style = ColorRamp("d", "", "v", "plasma", -100, 3000, bands=31, below=(1, 2, 3, 255))
    stored = np.arange(-200, 3200)
    assert np.array_equal(painted(style, stored, "int16"), painted(style, stored, "int32"))


def test_ends_and_beyond():
    style = ColorRamp(
        "d", "", "v", "gray", 0, 10, below=(255, 0, 0, 255), above=(0, 0, 255, 255), bands=2
    )
    got = painted(style, [-0.001, 0, 4.999, 5, 10, 10.001])
    assert got[:, 0].tolist() == [255, 0, 0, 255, 255, 0]
    assert got[:, 2].tolist() == [0, 0, 0, 255, 255, 255]
    clamped = ColorRamp("d", "", "v", "gray", 0, 10, bands=2)
    assert painted(clamped, [-5, 15])[:, 0].tolist() == [0, 255]


def test_opacity_is_of_the_whole_picture():
    style = ColorRamp(
        "d", "", "v", "gray", 0, 10, missing=(9, 9, 9, 100), above=(0, 0, 255, 200), opacity=0.5
    )
    got = painted(style, [np.nan, 5, 11])
    assert got[:, 3].tolist() == [50, 128, 100]
    assert palette_of(ColorRamp("d", "", "v", "gray", 0, 1)).colors[1:, 3].min() == 255


@pytest.mark.parametrize(
    "wrong", [{"bands": 0}, {"bands": 254}, {"opacity": 1.5}, {"percentiles": (98, 2)}]
)
def test_out_of_bounds(wrong):
    with pytest.raises(InvalidParameter):
        ColorRamp("d", "", "v", **wrong)


def test_percentiles_become_the_open_ends():
    known = {"v": Distribution((0, 2, 98, 100), (-50.0, 0.0, 96.0, 1000.0))}
    style = ColorRamp("d", "", "v", percentiles=(2, 98))
    full = stretched(style, known.get)
    assert isinstance(full, ColorRamp)
    assert (full.low, full.high) == (0.0, 96.0)
    half = stretched(ColorRamp("d", "", "v", low=-10, percentiles=(2, 50)), known.get)
    assert isinstance(half, ColorRamp)
    assert (half.low, half.high) == (-10.0, 48.0)
    assert stretched(style, lambda _: None) == style
    assert stretched(ColorRamp("d", "", "v"), known.get) == ColorRamp("d", "", "v")


def test_percentiles_of_channels_and_of_what_is_drawn_over():
    known = {"v": Distribution((0, 100), (0.0, 50.0))}
    channel = Channel("v", percentiles=(10, 90))
    composite = stretched(Composite("c", "", channel, channel, Channel("v")), known.get)
    assert isinstance(composite, Composite)
    assert (composite.red.low, composite.green.high, composite.blue.high) == (5.0, 45.0, 1.0)
    lines = Contours("c", "", "v", ramp=ColorRamp("", "", "", percentiles=(0, 100)))
    over = stretched(lines, known.get)
    assert isinstance(over, Contours)
    assert over.ramp is not None
    assert over.ramp.high == 50.0


def test_a_field_of_one_value_has_a_range():
    style = ColorRamp("d", "", "v", percentiles=(2, 98))
    one = stretched(style, lambda _: Distribution((0, 100), (7.0, 7.0)))
    assert isinstance(one, ColorRamp)
    assert (one.low, one.high) == (6.5, 7.5)
