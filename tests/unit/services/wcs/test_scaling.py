import pytest

from datacube.errors import InvalidParameter, InvalidScaling, InvalidSubset, MissingParameter
from datacube.model.query import ScaleFactor, ScaleSize
from services.ows.kvp import Kvp
from services.wcs.errors import InvalidExtent, ScaleAxisUndefined
from services.wcs.scaling import AxisScaling, decode_scaling, resolve_scaling
from tests.unit.formats.coverages import days, make_coverage

DOMAIN = make_coverage(axes=(days(1, 2),)).description.domain  # 6 x 4 cells of 2 degrees


def scaled(*pairs):
    return resolve_scaling(decode_scaling(Kvp(pairs)), DOMAIN, lambda: DOMAIN.rectified)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SCALEFACTOR", "0.5", ScaleFactor(0.5)),
        ("scalefactor", "2", ScaleFactor(2)),
        ("SCALESIZE", "Long(3),Lat(2)", ScaleSize(3, 2)),
        ("SCALESIZE", "Lat(2.0),Long(3.0)", ScaleSize(3, 2)),
        ("SCALESIZE", "x(12)", ScaleSize(12, 4)),
        ("SCALEAXES", "Lat(0.5)", ScaleSize(6, 2)),
        ("SCALEAXES", "Lat(0.001)", ScaleSize(6, 1)),
        ("SCALEEXTENT", "Long(10:20),Lat(0,3)", ScaleSize(11, 4)),
        ("SCALEEXTENT", "Long(-3:3)", ScaleSize(7, 4)),
        ("RESOLUTION", "x(0.5)", ScaleSize(24, 4)),
        ("SIZE", "http://www.opengis.net/def/axis/OGC/1/i(9)", ScaleSize(9, 4)),
    ],
)
def test_every_form(name, value, expected):
    assert scaled((name, value)) == expected


def test_a_repeated_parameter_and_a_pair():
    assert scaled(("size", "Long(3)"), ("size", "Lat(2)")) == ScaleSize(3, 2)
    assert scaled(("WIDTH", "7"), ("HEIGHT", "8")) == ScaleSize(7, 8)
    assert scaled() is None


def test_both_sizes_need_no_plan():
    asked = decode_scaling(Kvp([("SCALESIZE", "Long(3),Lat(2)")]))
    assert isinstance(asked, AxisScaling)
    assert resolve_scaling(asked, DOMAIN, lambda: pytest.fail("planned")) == ScaleSize(3, 2)


@pytest.mark.parametrize(
    ("pairs", "error"),
    [
        ([("SCALEFACTOR", "0")], InvalidScaling),
        ([("SCALEFACTOR", "inf")], InvalidParameter),
        ([("SCALEAXES", "Lat(-1)")], InvalidScaling),
        ([("SCALESIZE", "Lat(1.5)")], InvalidExtent),
        ([("SCALESIZE", "Lat(1,2)")], InvalidExtent),
        ([("SCALESIZE", "Lat(many)")], InvalidExtent),
        ([("SCALESIZE", "Lat")], InvalidSubset),
        ([("SCALEEXTENT", "Lat(5:2)")], InvalidExtent),
        ([("SCALEEXTENT", "Lat(5)")], InvalidExtent),
        ([("SCALESIZE", "member(3)")], ScaleAxisUndefined),
        ([("SCALESIZE", "Lat(3),y(4)")], ScaleAxisUndefined),
        ([("SCALESIZE", "time(1)")], InvalidScaling),
        ([("SCALEFACTOR", "1"), ("SCALESIZE", "Lat(3)")], InvalidParameter),
        ([("WIDTH", "3")], MissingParameter),
    ],
)
def test_what_cannot_be_meant(pairs, error):
    with pytest.raises(error):
        scaled(*pairs)
