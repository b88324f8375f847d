import numpy as np
import pytest

from datacube.model.axis import IndexAxis, RegularAxis, TimeAxis
from datacube.model.domain import DomainSet
from datacube.model.fields import Category, Field, RangeType
from services.ows.frames import frame, time_label, unit_label
from services.ows.gml import coverage_subtype, domain_set
from services.ows.swe import describe_packing, range_type
from services.ows.xml import serialise
from tests.unit.formats.coverages import days, make_coverage


def lines(encoding="iso", **options):
    return frame(make_coverage(**options).description.domain, encoding)


def test_positions_follow_the_crs_and_limits_the_grid():
    north = lines()
    assert [line.label for line in north.grid_order] == ["Long", "Lat"]
    assert [line.label for line in north.crs_order] == ["Lat", "Long"]
    east = lines(crs="OGC:CRS84")
    assert [line.label for line in east.crs_order] == ["Long", "Lat"]
    assert east.srs_name == "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


@pytest.mark.parametrize(
    ("origin", "step"), [((-20, 60), (2, -2)), ((-20, 52), (2, 2)), ((-8, 60), (-2, -2))]
)
def test_the_grid_runs_from_north_west_whatever_the_store(origin, step):
    x, y = lines(origin=origin, step=step).grid_order
    assert (x.origin, x.step, x.low, x.high, x.size) == ("-19", "2", "-20", "-8", 6)
    assert (y.origin, y.step, y.low, y.high, y.size) == ("59", "-2", "52", "60", 4)


def test_a_regular_axis_has_a_step_and_no_coefficients():
    *_, depth = lines(axes=(RegularAxis("depth", 0, -10, 3, "m"),)).grid_order
    assert (depth.origin, depth.step, depth.coefficients) == ("0", "-10", "")
    assert (depth.low, depth.high) == ("-20", "0")
    assert depth.crs.endswith("/EPSG/0/5831")
    *_, level = lines(axes=(RegularAxis("height", 0, 10, 3, "m"),)).grid_order
    assert level.crs.endswith("/OGC/0/Index1D")


def test_members_are_their_numbers():
    *_, member = lines(axes=(IndexAxis("member", 5),)).grid_order
    assert (member.low, member.high, member.uom) == ("0", "4", "unity")


def test_compound_names_count_their_parts():
    name = lines(axes=(days(1), IndexAxis("member", 2))).srs_name
    assert name.startswith("http://www.opengis.net/def/crs-compound?1=")
    assert "&2=http://www.opengis.net/def/crs/OGC/0/AnsiDate&3=" in name


def test_the_label_of_time_tells_its_calendar():
    assert time_label(days(59, calendar="noleap")) == "ansi"
    assert time_label(days(59, calendar="360_day")) == "time"  # 30 February
    assert time_label(days(30, calendar="360_day")) == "ansi"  # 1 February


def test_milliseconds_survive_the_strict_encoding():
    axis = TimeAxis("time", np.array([0, 1, 86_400_000]))
    *_, time = lines("strict", axes=(axis,)).grid_order
    assert [round(float(text) * 86_400_000) for text in time.coefficients.split()] == [
        0,
        1,
        86_400_000,
    ]


def test_the_grid_has_no_attribute_axis_labels():
    document = serialise(domain_set(lines(axes=(days(1, 2),)), "c"))
    assert b"axisLabels=" not in document
    assert b"<gml:axisLabels>Long Lat ansi</gml:axisLabels>" in document


def test_subtypes():
    domain = make_coverage().description.domain
    assert coverage_subtype(domain) == "RectifiedGridCoverage"
    assert coverage_subtype(DomainSet(domain.grid, (days(1),))) == "ReferenceableGridCoverage"


@pytest.mark.parametrize(
    ("uom", "label"), [("", "unity"), ("m s-1", "m_s-1"), ("10 m", "_10_m"), ("°C", "_C")]
)
def test_unit_labels_are_names(uom, label):
    assert unit_label(uom) == label


def test_fields_say_how_they_are_packed_and_what_they_hold():
    field = Field("t", "int16", "K", -1, 0.5, 273.15, "Temperature")
    assert describe_packing(field) == "Temperature; value = stored * 0.5 + 273.15 K"
    classes = Field("scl", "uint8", categories=(Category(1, "water"), Category(2, "land")))
    document = serialise(range_type(RangeType((field, classes, Field("f", "float32")))))
    assert b"<swe:interval>-32768 32767</swe:interval>" in document
    assert b"<swe:value>2</swe:value>" in document
    assert document.count(b"swe:nilValue ") == 2
