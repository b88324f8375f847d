"""Exception reports of WMTS: every error a 400 with its code and locator."""

import pytest

from datacube.errors import LimitExceededError, StorageError
from services.ows.reports import wmts100_report
from services.ows.transport import Request
from services.wmts.service import failure
from tests.protocol.pictures import BASE, root_of

OWS = "{http://www.opengis.net/ows/1.1}"
TILE = {
    "service": "WMTS",
    "request": "GetTile",
    "version": "1.0.0",
    "layer": "globe.v",
    "style": "exact",
    "format": "image/png",
    "TileMatrixSet": "WebMercatorQuad",
    "TileMatrix": "2",
    "TileRow": "1",
    "TileCol": "1",
}
INFO = TILE | {
    "request": "GetFeatureInfo",
    "InfoFormat": "application/json",
    "I": "1",
    "J": "1",
}


def query_of(start, **changes):
    pairs = {**start, **changes}
    return "&".join(f"{name}={value}" for name, value in pairs.items() if value is not None)


def report(response):
    """(code, locator)."""
    root = root_of(response)
    assert root.tag == f"{OWS}ExceptionReport"
    found = root.find(f"{OWS}Exception")
    return found.get("exceptionCode"), found.get("locator")


MISSING = "MissingParameterValue"
INVALID = "InvalidParameterValue"


@pytest.mark.parametrize(
    ("changes", "code", "locator"),
    [
        *(({name: None}, MISSING, name) for name in TILE if name != "version"),
        ({"service": "BOGUS"}, INVALID, "service"),
        ({"request": "GetBOGUS"}, INVALID, "request"),
        ({"version": "9.9.9"}, INVALID, "version"),
        ({"layer": "Bogus"}, INVALID, "layer"),
        ({"style": "Bogus"}, INVALID, "Style"),
        ({"format": "image/bogus"}, INVALID, "format"),
        ({"TileMatrixSet": "Bogus"}, INVALID, "TileMatrixSet"),
        ({"TileMatrix": "Bogus"}, INVALID, "TileMatrix"),
        ({"TileRow": "Bogus"}, INVALID, "TileRow"),
        ({"TileCol": "1.5"}, INVALID, "TileCol"),
        ({"time": "BogusForTest"}, INVALID, "time"),
        ({"layer": "deep.v", "elevation": "BogusForTest"}, INVALID, "elevation"),
        ({"TileRow": "4"}, "TileOutOfRange", "TileRow"),
        ({"TileRow": "-1"}, "TileOutOfRange", "TileRow"),
        ({"TileCol": "4"}, "TileOutOfRange", "TileCol"),
        (
            {"request": "GetCapabilities", "AcceptVersions": "9.9.9"},
            "VersionNegotiationFailed",
            None,
        ),
        ({"request": "GetCapabilities", "Sections": "Bogus"}, INVALID, "Sections"),
    ],
)
def test_refusals(wmts, xsd_validator, changes, code, locator):
    response = wmts.raw(query_of(TILE, **changes))
    assert (response.status, response.media_type) == (400, "application/xml")
    assert response.header("Cache-Control") == "no-store"
    assert xsd_validator(response.body) == []
    assert report(response) == (code, locator)


@pytest.mark.parametrize(
    ("changes", "code", "locator"),
    [
        ({"I": "256"}, "PointIJOutOfRange", "I"),
        ({"J": "-1"}, "PointIJOutOfRange", "J"),
        ({"J": None}, MISSING, "J"),
        ({"InfoFormat": None}, MISSING, "InfoFormat"),
        ({"InfoFormat": "text/bogus"}, INVALID, "InfoFormat"),
    ],
)
def test_refusals_of_get_feature_info(wmts, xsd_validator, changes, code, locator):
    response = wmts.raw(query_of(INFO, **changes))
    assert response.status == 400
    assert xsd_validator(response.body) == []
    assert report(response) == (code, locator)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("1.0.0/nothing/exact/WebMercatorQuad/0/0/0.png", 400),
        ("1.0.0/globe.v/nothing/WebMercatorQuad/0/0/0.png", 400),
        ("1.0.0/globe.v/exact/Nothing/0/0/0.png", 400),
        ("1.0.0/globe.v/exact/WebMercatorQuad/0/0/1.png", 400),
        ("1.0.0/globe.v/exact/WebMercatorQuad/0/0/0.exe", 400),
        ("1.0.0/globe.v/exact/yesterday/WebMercatorQuad/0/0/0.png", 400),
        ("1.0.0/globe.v/exact/a/b/WebMercatorQuad/0/0/0.png", 404),
        ("1.0.0/globe.v/exact/WebMercatorQuad/0/0/0", 404),
        ("1.0.0/WMTSCapabilities.xml/Bogus", 404),
        ("2.0.0/globe.v/exact/WebMercatorQuad/0/0/0.png", 404),
        ("", 404),
        ("/", 404),
    ],
)
def test_refusals_of_paths(wmts, xsd_validator, path, status):
    response = wmts.rest(f"{BASE}/wmts/{path}")
    assert response.status == status
    assert xsd_validator(response.body) == []


def test_costs_and_failures(xsd_validator):
    assert wmts100_report(LimitExceededError("too much")).status == 413
    assert wmts100_report(StorageError("no answer")).status == 503
    response = failure(Request("GET", "/wmts"), "4711")
    assert response.status == 500
    assert report(response) == ("NoApplicableCode", None)
    assert xsd_validator(response.body) == []
