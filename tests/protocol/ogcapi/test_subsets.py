"""The subset grammar and the other parameters, decoded to queries."""

import numpy as np
import pytest

from datacube.errors import (
    AxisNotFound,
    InvalidParameter,
    InvalidScaling,
    InvalidSubset,
    InvalidTime,
)
from datacube.model.axis import IndexAxis, IrregularAxis, TimeAxis
from datacube.model.bbox import BoundingBox
from datacube.model.coverage import CoverageDescription
from datacube.model.crs import CRS84, Crs
from datacube.model.domain import DomainSet
from datacube.model.fields import Field, RangeType
from datacube.model.grid import RectifiedGrid
from datacube.model.query import ScaleFactor, ScaleSize, Slice, Trim
from datacube.model.time import Timestamp
from services.ogcapi.parameters import COVERAGE_PARAMETERS, decode_coverage, known
from services.ows.transport import Request

DAY = 86_400_000
TIME = TimeAxis("time", np.arange(4) * DAY)
LEVEL = IrregularAxis("depth", np.array([0.0, 10.0, 50.0]), "m", "depth")
MEMBER = IndexAxis("member", 2, labels=("a1b", "e1"))
WORLD = DomainSet(
    RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 36, 18), (TIME, LEVEL, MEMBER)
)
UTM = DomainSet(
    RectifiedGrid.from_bbox(
        BoundingBox(600_000, 0, 700_000, 100_000, Crs.parse("EPSG:32632")), 10, 10
    )
)


def decoded(domain, *pairs):
    parameters = known(Request("GET", "/", tuple(pairs)), COVERAGE_PARAMETERS)
    fields = RangeType((Field("v", "int16"),))
    return decode_coverage(CoverageDescription("cube", "", "", domain, fields), parameters)


def subsets(domain, *texts):
    return decoded(domain, *(("subset", text) for text in texts)).subsets


def when(text):
    return Timestamp.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Lat(40:50)", (Trim("Lat", 40.0, 50.0),)),
        ("Lat(40:50),Lon(-10:10)", (Trim("Lat", 40.0, 50.0), Trim("Lon", -10.0, 10.0))),
        (" Lat ( 40 : 50 ) ", (Trim("Lat", 40.0, 50.0),)),
        ("Lat(*:50)", (Trim("Lat", None, 50.0),)),
        ("Lat(40:..)", (Trim("Lat", 40.0, None),)),
        ("Long(1e1)", (Slice("Long", 10.0),)),
        ("depth(10)", (Slice("depth", 10.0),)),
        ("elevation(0:10)", (Trim("elevation", 0.0, 10.0),)),
        ('member("a1b")', (Slice("member", "a1b"),)),
        ("member(e1)", (Slice("member", "e1"),)),
        ('time("1970-01-02")', (Slice("time", when("1970-01-02")),)),
        ("time(1970-01-02T00:00:00Z)", (Slice("time", when("1970-01-02T00:00:00Z")),)),
        ("time(1970-01-02T06:00Z)", (Slice("time", when("1970-01-02T06:00Z")),)),
        ("time(1970-01:1970-02)", (Trim("time", when("1970-01"), when("1970-02")),)),
        (
            "ansi(1970-01-02T00:00:00Z:1970-01-03T00:00:00Z)",
            (Trim("ansi", when("1970-01-02T00:00:00Z"), when("1970-01-03T00:00:00Z")),),
        ),
        (
            't("1970-01-02T00:00:00Z":"1970-01-03")',
            (Trim("t", when("1970-01-02T00:00:00Z"), when("1970-01-03")),),
        ),
        ('time("1970-01-02":*)', (Trim("time", when("1970-01-02"), None),)),
        ("time(*:1970-01-02T00:00:00Z)", (Trim("time", None, when("1970-01-02T00:00:00Z")),)),
    ],
)
def test_grammar(text, expected):
    assert subsets(WORLD, text) == expected


def test_repeated_parameters_add_up():
    assert subsets(WORLD, "Lat(1:2)", "Lon(3:4)") == (Trim("Lat", 1.0, 2.0), Trim("Lon", 3.0, 4.0))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Lat", InvalidSubset),
        ("Lat()", InvalidSubset),
        ("Lat(", InvalidSubset),
        ("Lat(a:b)", InvalidSubset),
        ("Lat(1:2:3)", InvalidSubset),
        ("Lat(nan:1)", InvalidSubset),
        ("Lat(1_0:20)", InvalidSubset),
        ("Lat(1:2),Lat(3:4)", InvalidSubset),
        ("Lat(1:2),latitude(3:4)", InvalidSubset),
        (",", InvalidSubset),
        ("Sun(1:2)", AxisNotFound),
        ("time(yesterday)", InvalidTime),
        ('time("1970-01-01":"soon")', InvalidTime),
        ('time("1970-01-01)', InvalidSubset),
        ("time(1:2:3:4)", InvalidTime),
    ],
)
def test_refused(text, error):
    with pytest.raises(error):
        subsets(WORLD, text)


def test_bbox_is_two_trims():
    assert decoded(WORLD, ("bbox", "-10,40,10,50")).subsets == (
        Trim("Long", -10.0, 10.0),
        Trim("Lat", 40.0, 50.0),
    )


def test_bbox_in_latitude_first():
    query = decoded(WORLD, ("bbox", "40,-10,50,10"), ("bbox-crs", "EPSG:4326"))
    assert query.subsets == (Trim("Long", -10.0, 10.0), Trim("Lat", 40.0, 50.0))


def test_bbox_with_heights():
    assert decoded(WORLD, ("bbox", "-10,40,0,10,50,99")).subsets[0] == Trim("Long", -10.0, 10.0)


def test_bbox_over_the_antimeridian_runs_on():
    assert decoded(WORLD, ("bbox", "170,-10,-170,10")).subsets[0] == Trim("Long", 170.0, 190.0)


@pytest.mark.parametrize("text", ["1,2,3", "a,b,c,d", "1,2,3,4,5", "0,10,10,0", "nan,0,1,1", ","])
def test_bbox_refused(text):
    with pytest.raises(InvalidSubset):
        decoded(WORLD, ("bbox", text))


def test_latitude_and_longitude_of_a_projected_coverage():
    x, y = subsets(UTM, "Lat(0.1:0.2),Lon(10:10.1)")
    assert (x.axis, y.axis) == ("E", "N")
    assert 11_000 < y.low < 11_200
    assert 22_000 < y.high < 22_200
    assert 611_000 < x.low < 611_500


def test_one_geographic_axis_of_a_projected_coverage():
    with pytest.raises(InvalidSubset, match="both axes"):
        subsets(UTM, "Lat(0.1:0.2)")


def test_own_axes_of_a_projected_coverage():
    assert subsets(UTM, "E(600000:610000)") == (Trim("E", 600_000.0, 610_000.0),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-02", Slice("time", when("1970-01-02"))),
        ("1970-01-02T00:00:00Z/..", Trim("time", when("1970-01-02T00:00:00Z"), None)),
        ("/1970-01-02", Trim("time", None, when("1970-01-02"))),
        ("1970-01-01/1970-01-02", Trim("time", when("1970-01-01"), when("1970-01-02"))),
    ],
)
def test_datetime(text, expected):
    assert decoded(WORLD, ("datetime", text)).subsets == (expected,)


@pytest.mark.parametrize("text", ["../..", "/", "soon", "1970-01-02/1970-01-01", "a/b/c", "1970/x"])
def test_datetime_refused(text):
    with pytest.raises(InvalidTime):
        decoded(WORLD, ("datetime", text))


def test_datetime_without_time_axis():
    with pytest.raises(InvalidTime, match="no time axis"):
        decoded(UTM, ("datetime", "1970-01-01"))


def test_one_axis_by_two_parameters():
    with pytest.raises(InvalidSubset, match="two parameters"):
        decoded(WORLD, ("bbox", "-10,40,10,50"), ("subset", "Lat(1:2)"))


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        (("scale-factor", "2"), ScaleFactor(0.5)),
        (("scale-size", "Lon(40),Lat(20)"), ScaleSize(40, 20)),
        (("scaleSize", "Lat(20),Long(40)"), ScaleSize(40, 20)),
        (("scale-axes", "Lon(4),Lat(4)"), ScaleFactor(0.25)),
    ],
)
def test_scaling(pair, expected):
    assert decoded(WORLD, pair).scaling == expected


def test_width_and_height():
    assert decoded(WORLD, ("width", "40"), ("height", "20")).scaling == ScaleSize(40, 20)


@pytest.mark.parametrize(
    "pairs",
    [
        [("scale-factor", "0")],
        [("scale-factor", "-1")],
        [("scale-factor", "x")],
        [("scale-factor", "1e99")],
        [("scale-size", "Lon(40)")],
        [("scale-size", "Lon(1.5),Lat(2)")],
        [("scale-size", "Lon(0),Lat(2)")],
        [("scale-size", "depth(2),Lat(2)")],
        [("scale-size", "Lon40")],
        [("scale-axes", "Lon(1),Lat(2)")],
        [("scale-factor", "2"), ("scale-size", "Lon(40),Lat(20)")],
        [("width", "40")],
    ],
)
def test_scaling_refused(pairs):
    with pytest.raises(InvalidScaling):
        decoded(WORLD, *pairs)


def test_properties():
    query = decoded(WORLD, ("properties", "u, v"), ("properties", "w"))
    assert query.fields == ("u", "v", "w")
    assert decoded(WORLD, ("properties", "*")).fields == ()


def test_unknown_parameter_is_named():
    with pytest.raises(InvalidParameter, match="no parameter 'subest'"):
        decoded(WORLD, ("subest", "Lat(1:2)"))
