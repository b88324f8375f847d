"""Legends: their colours are the pixels' colours, their marks lie where the values lie."""

import numpy as np
import pytest

from datacube.model.fields import Field
from datacube.model.symbolizer import Stop
from datacube.render.canvas import fitted, text_width, wrapped
from datacube.render.defaults import SCENE_CLASSES
from datacube.render.legend import INK, Look, legend
from datacube.render.paint import paint
from datacube.render.style import Categories, Channel, ColorRamp, ColorStops, Composite
from datacube.render.ticks import ticks

FIELD = Field("sst", "float32", uom="K", title="Sea surface temperature")
RAMP = ColorRamp("d", "", "sst", "thermal", 271, 305)
WHOLE = {"sst": FIELD}


def column_of(pixels, colors):
    """Rows of the bar in its middle column, by its known end colours."""
    return [np.flatnonzero((pixels[:, 15] == color).all(axis=-1)) for color in colors]


def test_the_bar_has_the_colours_of_the_values():
    pixels = legend(RAMP, WHOLE).pixels
    values = np.array([[271.01, 304.99]], "float32")
    ends = paint(RAMP, WHOLE, {"sst": values}, {"sst": np.ones((1, 2), bool)}).rgba().pixels[0]
    low, high = column_of(pixels, ends)
    assert high.size
    assert low.size
    assert high.max() < low.min()  # high is up


def test_horizontal_bar_runs_to_the_right():
    pixels = legend(RAMP, WHOLE, Look(orientation="horizontal")).pixels
    values = np.array([[271.01, 304.99]], "float32")
    ends = paint(RAMP, WHOLE, {"sst": values}, {"sst": np.ones((1, 2), bool)}).rgba().pixels[0]
    low, high = (np.flatnonzero((pixels == color).all(axis=-1).any(axis=0)) for color in ends)
    assert low.max() < high.min()


@pytest.mark.parametrize("orientation", ["vertical", "horizontal"])
@pytest.mark.parametrize("size", [(1, 1), (20, 20), (60, 400), (400, 60), (1000, 1000)])
def test_any_size_that_is_asked_for(orientation, size):
    width, height = size
    scl = Categories("d", "", "scl", SCENE_CLASSES)
    channel = Channel("sst", 271, 305)
    composite = Composite("c", "Composite", channel, channel, channel)
    look = Look(width, height, orientation)
    for style in (RAMP, scl, composite):
        picture = legend(style, {**WHOLE, "scl": Field("scl", "uint8")}, look)
        assert picture.shape == (height, width)


def test_transparent_background_and_halo():
    clear = legend(RAMP, WHOLE, Look(background=(0, 0, 0, 0))).pixels
    assert clear[0, 0].tolist() == [0, 0, 0, 0]
    assert ((clear[..., 3] > 0) & (clear[..., 3] < 255)).any()
    solid = legend(RAMP, WHOLE).pixels
    assert (solid[..., 3] == 255).all()
    assert (solid == np.array(INK, "uint8")).all(axis=-1).any()


def test_points_beyond_the_ends():
    style = ColorRamp("d", "", "sst", "gray", 0, 1, below=(255, 0, 0, 255), above=(0, 255, 0, 255))
    for orientation in ("vertical", "horizontal"):
        pixels = legend(style, WHOLE, Look(orientation=orientation)).pixels
        assert (pixels == np.array((255, 0, 0, 255))).all(axis=-1).any()
        assert (pixels == np.array((0, 255, 0, 255))).all(axis=-1).any()


def test_every_class_has_its_swatch():
    pixels = legend(
        Categories("d", "", "scl", SCENE_CLASSES), {"scl": Field("scl", "uint8")}
    ).pixels
    seen = {tuple(color) for color in pixels[:, 15, :3].tolist()}
    for entry in SCENE_CLASSES:
        assert tuple(bytes.fromhex(entry.color[1:])) in seen


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (271, 305, ["275", "280", "285", "290", "295", "300", "305"]),
        (-30, 30, ["~30", "~20", "~10", "0", "10", "20", "30"]),
        (0, 0.3, ["0.00", "0.05", "0.10", "0.15", "0.20", "0.25", "0.30"]),
        (97000, 104000, ["98000", "100000", "102000", "104000"]),
        (0, 5.8e-4, ["0", "1e~4", "2e~4", "3e~4", "4e~4", "5e~4"]),
    ],
)
def test_ticks_are_round(low, high, labels):
    marks = ticks(low, high)
    written = [label.replace("~", "\N{MINUS SIGN}") for label in labels]
    assert [mark.label for mark in marks] == written

    for mark in marks:
        assert mark.place == pytest.approx((mark.value - low) / (high - low))


def test_logarithmic_ticks():
    marks = ticks(0.01, 100, log=True)
    assert [mark.label for mark in marks] == ["0.01", "0.1", "1", "10", "100"]
    assert [mark.place for mark in marks] == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert [mark.label for mark in ticks(2, 3, log=True, most=4)] == ["2", "2.5", "3"]
    assert len(ticks(1e-12, 1e12, log=True)) <= 7


def test_text_is_cut_to_its_room():
    assert fitted("short", 12, 500) == "short"
    assert text_width(fitted("much longer than that", 12, 60), 12) <= 60
    assert fitted("x", 12, 0) == ""
    lines = wrapped("10 metre U wind component", 12, 80)
    assert len(lines) > 1
    assert " ".join(lines) == "10 metre U wind component"


@pytest.mark.parametrize("zoom", [1.0, 8.0])
def test_a_legend_has_an_end(zoom):
    stops = tuple(Stop(number, (255, 0, 0, 255), "long " * 1000) for number in range(1000))
    style = ColorStops("s", "", "sst", "intervals", stops)
    height, width = legend(style, WHOLE, Look(zoom=zoom)).shape
    assert height < 10_000
    assert width < 1000
