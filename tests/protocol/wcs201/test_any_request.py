"""Whatever is sent, the answer is a file, a document or a report; nothing is raised."""

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from services.ows.transport import Request
from services.wcs.service import handle
from tests.protocol.wcs201.service import body_of

FRAGMENTS = (
    "Lat(40,46)", "Lat(", "ansi(2020-01-02)", 'ansi("*","*")', "Long(1e308,-1e308)", "unix(1e18)",
    "ansi(-1e300)", "time(9999-12-31T23:59:59.999999999Z)", "x,EPSG:3857(1,2)", "Lat(0,0),Lat(0,0)",
    "depth(1)", "time(0000)", "time(-99999)", "ansi(2020-02-30)", "Lat(90)", "Long(179,-179)",
    "t2m", "t2m:t2m", "air", "ocean", "model", "bands", "image/tiff", "netcdf", "covjson", "0.5",
    "1e-300", "Long(3)", "Long(0:3)", "EPSG:4326", "EPSG:32632", "EPSG:1", "2.0.1", "1.0.0",
    "contains", "phenomenonTime(2020,*)", "air__20200102T000000Z", "application/gml+xml",
    "multipart/related", "Contents", "All", "nearest", "P1D/2020", "2020/P1D", "*", "\x00", "é",
)  # fmt: skip
NAMES = (
    "SUBSET", "SUBSET3", "RANGESUBSET", "FORMAT", "MEDIATYPE", "SCALEFACTOR", "SCALESIZE",
    "SCALEAXES", "SCALEEXTENT", "RESOLUTION", "WIDTH", "HEIGHT", "SUBSETTINGCRS", "OUTPUTCRS",
    "INTERPOLATION", "SECTIONS", "ACCEPTVERSIONS", "UPDATESEQUENCE", "COVERAGEID",
    "EOID", "CONTAINMENT", "COUNT", "STARTINDEX",
)  # fmt: skip
VALUES = st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=30))
PAIRS = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=6)


@given(
    operation=st.sampled_from(
        ("GetCapabilities", "DescribeCoverage", "GetCoverage", "DescribeEOCoverageSet", "Other")
    ),
    coverage=st.sampled_from(
        ("air", "ocean", "model", "bands", "none", "air__20200101T000000Z", "air__2020")
    ),
    pairs=PAIRS,
)
def test_every_request_is_answered(service, operation, coverage, pairs):
    subject = "EOID" if "Set" in operation else "COVERAGEID"
    start = [("SERVICE", "WCS"), ("REQUEST", operation), (subject, coverage)]
    response = handle(
        service.context, Request("GET", "/wcs", (*start, *pairs), {}, b"", "http://h")
    )
    assert response.status in {200, 400, 404, 413, 501}
    body = body_of(response)
    assert body
    if response.status != 200:
        etree.fromstring(body)
    for name, value in response.headers:
        assert f"{name}: {value}".isascii()
        assert "\n" not in value
