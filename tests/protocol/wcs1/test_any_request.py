"""Whatever is sent in the older versions or as a document, the answer is a file or a report."""

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from services.ows.transport import Request
from services.wcs.service import handle

FRAGMENTS = (
    "EPSG:4326", "EPSG:3857", "EPSG:4978", "urn:ogc:def:crs:EPSG::4326", "NaN", "inf", "-1e400",
    "-20,30,20,50", "0,0,0,0", "20,30,-20,50", "1e308,1,1e308,2", "NaN,1,2,3", "-20,30,0,20,50,9",
    "-20,30,20,50,urn:ogc:def:crs:EPSG::4326", "1,1,2,2,urn:ogc:def:crs:OGC::imageCRS",
    "2020-01-02", "2020-01-01/2020-02-01", "2020-01-01/2020-02-01/PT1S", "../..", "P1D/P1D", ",,,",
    "2020-01-01,2020-02-01", "0000", "9999-12-31T23:59:59.999999Z/..", "GeoTIFF", "netcdf", "csv",
    "contents", "contents[bands[u]]", "contents:linear[depth[10]]", "contents[[", "1", "0", "-1",
    "3", "99999999", "1e9", "2,2", "-2,2", "0,2,2,0", "0,0", "true", "none", "bilinear", "\x00",
    "1/3", "u", "0.5/100", "/WCS_Capabilities/Service", "All", "é", "1.0.0,1.1.1",
)  # fmt: skip
NAMES = (
    "CRS", "BBOX", "TIME", "WIDTH", "HEIGHT", "RESX", "RESY", "FORMAT", "INTERPOLATION", "Band",
    "RESPONSE_CRS", "depth", "ELEVATION", "scenario", "SECTION", "UPDATESEQUENCE", "BoundingBox",
    "TimeSequence", "RangeSubset", "GridBaseCRS", "GridOffsets", "GridOrigin", "store", "plain",
    "sections", "AcceptVersions",
)  # fmt: skip
VALUES = st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=20))
PAIRS = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=9)
OPERATIONS = st.sampled_from(("GetCapabilities", "DescribeCoverage", "GetCoverage", "Other"))
COVERAGES = st.sampled_from(("air", "ocean", "model", "bands", "none"))


def check(response):
    assert response.status in {200, 400, 404, 413, 501}
    body = response.body if isinstance(response.body, bytes) else b"".join(response.body)
    assert body
    if response.media_type.endswith("xml"):
        etree.fromstring(body)
    for name, value in response.headers:
        assert f"{name}: {value}".isascii()
        assert "\n" not in value


@given(
    version=st.sampled_from(("1.0.0", "1.1.0", "1.1.2")),
    operation=OPERATIONS,
    coverage=COVERAGES,
    pairs=PAIRS,
)
def test_every_request_is_answered(context, version, operation, coverage, pairs):
    name = {"1.0.0": "COVERAGE"}.get(version, "IDENTIFIER")
    start = [("SERVICE", "WCS"), ("VERSION", version), ("REQUEST", operation), (name, coverage)]
    check(handle(context, Request("GET", "/wcs", (*start, *pairs), {}, b"", "http://h")))


ELEMENTS = st.sampled_from(
    (
        "CoverageId", "sourceCoverage", "Identifier", "DimensionTrim", "Dimension", "TrimLow",
        "SlicePoint", "Extension", "Scaling", "ScaleByFactor", "scaleFactor", "RangeSubset",
        "RangeItem", "domainSubset", "spatialSubset", "Envelope", "pos", "Grid", "limits",
        "GridEnvelope", "low", "high", "temporalSubset", "timePosition", "output", "format",
        "DomainSubset", "BoundingBox", "LowerCorner", "Output", "GridCRS", "GridOffsets",
    )
)  # fmt: skip
XML_TEXT = st.sampled_from(("air", "Lat", "30", "a b", "1 2", "", "GeoTIFF", "2020-01-02", "&lt;"))
TREES = st.recursive(
    st.tuples(ELEMENTS, XML_TEXT).map(lambda one: f"<{one[0]}>{one[1]}</{one[0]}>"),
    lambda inner: st.tuples(ELEMENTS, st.lists(inner, max_size=4)).map(
        lambda one: f"<{one[0]}>{''.join(one[1])}</{one[0]}>"
    ),
    max_leaves=12,
)


@given(
    namespace=st.sampled_from(
        (
            "http://www.opengis.net/wcs/2.0",
            "http://www.opengis.net/wcs/1.1.1",
            "http://www.opengis.net/wcs",
            "",
        )
    ),
    operation=OPERATIONS,
    version=st.sampled_from(("1.0.0", "1.1.1", "2.0.1", "")),
    inside=st.lists(TREES, max_size=5),
)
def test_every_document_is_answered(context, namespace, operation, version, inside):
    attribute = f' version="{version}"' if version else ""
    document = (
        f'<{operation} xmlns="{namespace}" service="WCS"{attribute}>{"".join(inside)}</{operation}>'
    )
    request = Request(
        "POST", "/wcs", (), {"content-type": "text/xml"}, document.encode(), "http://h"
    )
    check(handle(context, request))
