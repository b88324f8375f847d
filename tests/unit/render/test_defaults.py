"""The styles that a cube has before anyone has configured one, and their ranges."""

import pytest
from affine import Affine

from datacube.errors import FieldNotFound
from datacube.model.coverage import CoverageDescription
from datacube.model.crs import Crs
from datacube.model.domain import DomainSet
from datacube.model.fields import Category, Field, RangeType
from datacube.model.grid import RectifiedGrid
from datacube.render.colormap import canonical
from datacube.render.defaults import default_styles, field_styles
from datacube.render.presets import PRESETS
from datacube.render.ranges import resolved, round_range
from datacube.render.style import Categories, ColorRamp, Composite, fields_of, for_field
from datacube.render.units import same_unit, show_unit, unit_of


def cube(*fields):
    grid = RectifiedGrid(Crs.parse("EPSG:4326"), Affine(1, 0, 0, 0, -1, 0), 2, 2)
    return CoverageDescription("c", "", "", DomainSet(grid), RangeType(fields))


def ramp(field, statistics=None):
    first = default_styles(cube(field), [field.name], statistics)[0]
    assert isinstance(first, ColorRamp)
    return first.colormap, first.low, first.high


S2 = [Field(name, "uint16", scale=1e-4, nil=0) for name in
      ("B02", "B03", "B04", "B08", "B8A", "B11", "B12")]  # fmt: skip
SCL = Field("SCL", "uint8", nil=0)


def test_every_sentinel2_cube_has_the_usual_composites():
    styles = default_styles(cube(*S2, SCL))
    assert [(style.name, fields_of(style)) for style in styles[:4]] == [
        ("true-color", ("B04", "B03", "B02")),
        ("false-color", ("B08", "B04", "B03")),
        ("urban", ("B12", "B11", "B04")),
        ("swir", ("B12", "B8A", "B04")),
    ]
    assert isinstance(styles[0], Composite)
    assert {(channel.low, channel.high) for channel in styles[0].channels} == {(0, 0.3)}
    assert [style.name for style in styles[4:6]] == ["ndvi", "moisture"]
    assert fields_of(styles[4]) == ("B04", "B08")
    assert [style.name for style in styles[6:]] == [*(field.name for field in S2), "SCL"]


def test_composites_need_their_bands_and_know_plain_numbers():
    plain = [Field(name, "uint16") for name in ("b4", "b3", "b2")]
    styles = default_styles(cube(*plain))
    assert [style.name for style in styles] == ["true-color", "b4", "b3", "b2"]
    assert isinstance(styles[0], Composite)
    assert styles[0].red.high == 3000


def test_scene_classification_has_esas_colours():
    (style,) = default_styles(cube(*S2, SCL), ["SCL"])
    assert isinstance(style, Categories)
    assert style.name == "default"
    by_value = {entry.value: entry.color for entry in style.entries}
    assert by_value[4] == "#00a000"
    assert by_value[11] == "#ff96ff"
    assert sorted(by_value) == list(range(1, 12))
    own = Field("SCL", "uint8", nil=0, categories=(Category(0, "none"), Category(6, "Wasser")))
    (style,) = field_styles(own)
    assert isinstance(style, Categories)
    assert style.entries == (Category(6, "Wasser", "#0000ff"),)


@pytest.mark.parametrize(
    ("field", "want"),
    [
        (Field("analysed_sst", "int16", uom="kelvin", standard_name="sea_surface_temperature"),
         ("thermal", 271.15, 305.15)),
        (Field("tos", "float32", uom="degree_C"), ("thermal", -2, 32)),
        (Field("sst_anomaly", "int16", uom="kelvin"), ("balance", -1, 1)),
        (Field("t2m", "float32", uom="K"), ("RdYlBu_r", 233.15, 313.15)),
        (Field("u10", "float32", uom="m s**-1"), ("RdBu_r", -30, 30)),
        (Field("vo", "float32", uom="ms-1", standard_name="northward_sea_water_velocity"),
         ("balance", -1.5, 1.5)),
        (Field("pr", "float32", uom="kg m-2 s-1"), ("YlGnBu", 0, 50 / 86400)),
        (Field("tcc", "float32", uom="%"), ("gray", 0, 100)),
        (Field("chl", "float32", uom="mg m-3"), ("algae", 0.03, 30)),
        (Field("msl", "float32", uom="Pa"), ("Spectral_r", 97000, 104000)),
        (Field("r", "float32", uom="%"), ("YlGnBu", 0, 100)),
        (Field("cdr_seaice_conc", "uint8", uom="1", scale=0.01), ("ice", 0, 1)),
        (Field("v", "int32"), ("viridis", 0, 1)),
    ],
)  # fmt: skip
def test_usual_ranges(field, want):
    name, low, high = ramp(field)
    assert (name, pytest.approx(low), pytest.approx(high)) == want


def test_where_an_open_range_comes_from():
    height = Field("gh", "float32", uom="gpm")
    assert ramp(height, {"gh": (4912.0, 5894.0)}) == ("viridis", 4800, 6000)
    stated = Field("gh", "float32", uom="gpm", valid_range=(1.0, 2.0))
    assert ramp(stated, {"gh": (4912.0, 5894.0)}) == ("viridis", 1, 2)
    plausible = Field("sst_anomaly", "int16", uom="K", valid_range=(-50.0, 50.0))
    assert ramp(plausible, {"sst_anomaly": (-2.1, 2.9)}) == ("balance", -3, 3)
    assert ramp(plausible, {"sst_anomaly": (-9.0, 8.0)}) == ("balance", -50, 50)
    assert ramp(plausible) == ("balance", -50, 50)
    unknown = Field("q7", "float32")
    assert ramp(unknown, {"q7": (3.1, 8.9)}) == ("viridis", 3, 9)
    wind = Field("u", "float32", uom="m s-1", valid_range=(-10.0, 25.0))
    assert ramp(wind)[1:] == (-25, 25)
    assert ramp(Field("byte", "uint8"))[1:] == (0, 255)
    absurd = Field("tos", "float32", uom="K", valid_range=(-1e20, 1e20))
    assert ramp(absurd)[1:] == pytest.approx((271.15, 305.15))


def test_half_open_ranges_are_never_empty():
    field = Field("v", "float32")
    style = resolved(ColorRamp("d", "", "v", low=400.0), field)
    assert (style.low, style.high) == (400, 800)
    style = resolved(ColorRamp("d", "", "v", high=-3.0), field)
    assert style.high == -3
    assert style.low is not None
    assert style.low < -3
    style = resolved(ColorRamp("d", "", "v", log=True), field)
    assert (style.low, style.high) == (0.001, 1)
    assert resolved(ColorRamp("d", "", "v"), field, (5.0, 5.0)).low == 4.5


def test_a_field_has_alternatives_and_a_cube_one_style_for_each_field():
    t, u = Field("t", "float32", uom="K"), Field("u", "float32", uom="m s-1", title="U wind")
    assert [style.name for style in default_styles(cube(t, u), ["t"])] == [
        "default",
        "viridis",
        "gray",
    ]
    styles = default_styles(cube(t, u))
    assert [(style.name, style.title) for style in styles] == [("default", "t"), ("u", "U wind")]


def test_bytes_of_a_picture_are_its_colours():
    styles = default_styles(cube(*(Field(name, "uint8") for name in ("red", "green", "blue"))))
    assert isinstance(styles[0], Composite)
    assert [(one.low, one.high) for one in styles[0].channels] == [(0, 255)] * 3


def test_the_default_of_a_cube_is_a_measure_not_its_quality():
    quality = Field("qa_value", "uint8", scale=0.01)
    flags = Field("water", "uint16", standard_name="quality_flag")
    classes = Field("cover", "uint8", categories=(Category(1, "sand"),))
    column = Field("column", "float32")
    assert [style.name for style in default_styles(cube(quality, flags, classes, column))] == [
        "default",
        "qa_value",
        "water",
        "cover",
    ]
    first = default_styles(cube(quality, flags, classes, column))[0]
    assert isinstance(first, ColorRamp)
    assert first.field == "column"
    assert fields_of(default_styles(cube(quality, flags))[0]) == ("qa_value",)


def test_unknown_field():
    with pytest.raises(FieldNotFound):
        default_styles(cube(SCL), ["B99"])


def test_every_preset_has_a_colour_map():
    assert all(canonical(preset.colormap) == preset.colormap for preset in PRESETS)


def test_named_style_for_any_field():
    style = ColorRamp("warm", "", "")
    assert fields_of(for_field(style, "sst")) == ("sst",)
    assert fields_of(for_field(ColorRamp("warm", "", "t"), "sst")) == ("t",)


@pytest.mark.parametrize(
    "uom", ["m s-1", "m/s", "m s**-1", "meters s-1", "ms-1", "m.s-1", "m s^-1", "metres/second"]
)
def test_units_have_many_spellings(uom):
    unit = unit_of(uom)
    assert unit is not None
    assert unit.quantity == "speed"
    assert unit.own(3.0) == 3.0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("mol/m3/s", "mol s-1 m-3"),
        ("W/(m2 sr um)", "W m-2 sr-1 µm⁻¹"),
        ("m-1", "1/m"),
        ("kg m-2", "mm"),
        ("hectopascals", "mb"),
        ("{count}", "1"),
    ],
)
def test_one_unit_in_two_spellings(one, other):
    assert same_unit(one, other)
    assert same_unit(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("m", "km"), ("m-1", "m"), ("mW", "MW"), ("K", "1"), ("m2 s-2", "m s-2"), ("", "K")],
)
def test_two_units(one, other):
    assert not same_unit(one, other)
    assert not same_unit(other, one)


@pytest.mark.parametrize(
    ("uom", "shown"),
    [
        ("degK", "K"),
        ("Celsius", "°C"),
        ("kg m-3", "kg m⁻³"),
        ("m2 s-2", "m² s⁻²"),
        ("%", "%"),
        ("", ""),
    ],
)
def test_units_are_shown(uom, shown):
    assert show_unit(uom) == shown


def test_round_range():
    assert round_range(0.00123, 0.00987) == (0.0, 0.01)
    assert round_range(float("nan"), 1.0) == (0.0, 0.0)


@pytest.mark.parametrize("pair", [("VV", "VH"), ("hh", "hv")])
def test_both_polarisations_of_a_radar(pair):
    decibels = tuple(Field(name, "float32", uom="dB") for name in pair)
    composite, ratio, *_ = default_styles(cube(*decibels), pair)
    assert (composite.name, ratio.name) == ("dual-pol", "cross-ratio")
    assert [one.field for one in composite.channels] == [pair[0], pair[1], pair[0]]
    assert [(one.low, one.high) for one in composite.channels[:2]] == [(-20, 0), (-26, -6)]
    assert ratio.expression == f"{pair[0]} - {pair[1]}"
    powers = tuple(Field(name, "float32", uom="1") for name in pair)
    composite, ratio, *_ = default_styles(cube(*powers), pair)
    assert composite.red.percentiles == (2, 98)
    assert ratio.expression == f"10 * log10({pair[0]} / {pair[1]})"
    alone = default_styles(cube(decibels[0]), pair[:1])
    assert (alone[0].name, alone[0].colormap) == ("default", "gray")


def test_suspended_matter_by_its_unit_and_quality_by_what_occurs():
    matter = Field("SPM", "float32", "g m-3")
    ramp = field_styles(matter)[0]
    assert (ramp.colormap, ramp.low, ramp.high, ramp.log) == ("turbid", 0.1, 100, True)
    quality = Field(
        "SPM_QI", "float32", "Percentage", title="Quality of suspended matter",
        valid_range=(-1000, 1000),
    )  # fmt: skip
    ramp = field_styles(quality, {"SPM_QI": (-179.3, 22.3)})[0]
    assert (ramp.colormap, ramp.low, ramp.high, ramp.log) == ("viridis", -200, 50, False)
