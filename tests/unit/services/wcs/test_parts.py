"""Requests as written, file names, messages of several parts."""

import email
import email.policy

import pytest

from datacube.errors import FieldNotFound, InvalidParameter
from datacube.model.fields import Field, RangeType
from services.ows.kvp import Kvp
from services.wcs.errors import IllegalFieldSequence
from services.wcs.filenames import file_name
from services.wcs.multipart import Part, related
from services.wcs.subsets import parse_brackets
from services.wcs.v201.decode import LISTS, SECTIONS, field_names, get_coverage, sections

BANDS = RangeType(
    (
        Field("u", "float32", standard_name="eastward_wind"),
        Field("v", "float32"),
        Field("w", "int8"),
    )
)


def test_a_whole_request():
    asked = get_coverage(
        Kvp(
            [
                ("CoverageID", "air"),
                ("subset", "Lat(1,2)"),
                ("SUBSET7", "Long(3,4)"),
                ("RangeSubset", "u,v"),
                ("Format", "image/tiff"),
                ("mediatype", "multipart/related"),
                ("subsettingCrs", "EPSG:4326"),
                (
                    "interpolation",
                    "http://www.opengis.net/def/interpolation/OGC/1/nearest-neighbor",
                ),
            ]
        )
    )
    assert [str(bracket) for bracket in asked.brackets] == ["Lat(1,2)", "Long(3,4)"]
    assert (asked.coverage, asked.range_subset) == ("air", "u,v")
    assert (asked.media_type, asked.multipart) == ("image/tiff", True)
    assert asked.crs is not None
    assert asked.crs.key == "EPSG:4326"


def test_too_many_subsets_are_refused():
    with pytest.raises(InvalidParameter, match="too many"):
        get_coverage(Kvp([("coverageId", "a"), *[("subset", "Lat(1,2)")] * 500]))


def test_sections():
    assert sections(Kvp([])) == {*SECTIONS, *LISTS}
    assert sections(Kvp([("sections", "contents, ServiceProvider")])) == {
        "Contents",
        "ServiceProvider",
        *LISTS,
    }


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        ("w,u", ("w", "u")),
        ("eastward_wind", ("u",)),
        ("u:w", ("u", "v", "w")),
        ("'v'", ("v",)),
    ],
)
def test_fields(text, names):
    assert field_names(text, BANDS) == names


@pytest.mark.parametrize(("text", "error"), [("x", FieldNotFound), ("w:u", IllegalFieldSequence)])
def test_fields_that_are_none(text, error):
    with pytest.raises(error):
        field_names(text, BANDS)


@pytest.mark.parametrize(
    ("subsets", "name"),
    [
        ("Lat(*,50)", "c_Lat-all-50.nc"),
        ("http://www.opengis.net/def/axis/OGC/1/i(3)", "c_i-3.nc"),
        ('name("../../etc/passwd\\n")', "c_name-....etcpasswdn.nc"),
        ("ansi(2020-01-01T00:00:00Z,2020-02)", "c_ansi-20200101T000000Z-202002.nc"),
    ],
)
def test_file_names(subsets, name):
    assert file_name("c", parse_brackets(subsets), (), "nc") == name


def test_file_names_are_never_long_or_empty():
    assert len(file_name("c" * 500, (), (), "tif")) <= 130
    assert file_name("é", (), (), "tif") == "coverage.tif"


@pytest.mark.parametrize("file", [b"\x00\r\n--data", iter([b"\x00\r\n", b"--data"])])
def test_multipart(file):
    part = Part(file, "image/tiff", "a.tif", 9)
    made = related(b"<a/>", "application/gml+xml", part)
    media_type, body = made.media_type, b"".join(made.pieces)
    assert made.length == len(body)
    head = f"Content-Type: {media_type}\r\n\r\n".encode()
    message = email.message_from_bytes(head + body, policy=email.policy.HTTP)
    first, second = message.iter_parts()
    assert first.get_payload(decode=True) == b"<a/>"
    assert second.get_payload(decode=True) == b"\x00\r\n--data"
    assert second["Content-Transfer-Encoding"] == "binary"
    assert second.get_filename() == "a.tif"
    assert media_type.rpartition("; ")[2].startswith("boundary=")
