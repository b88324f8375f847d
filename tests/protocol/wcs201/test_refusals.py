import pytest

from datacube.config.settings import Config
from datacube.engine.context import open_context
from services.ows.transport import Request
from services.wcs.service import failure
from tests.cubes import make_cube
from tests.protocol.wcs201.service import Service, report, texts

AIR = "CoverageId=air&SUBSET=ansi(2020-01-02)"


@pytest.mark.parametrize(
    ("query", "status", "code", "locator"),
    [
        ("CoverageId=none", 404, "NoSuchCoverage", "none"),
        ("", 400, "MissingParameterValue", "coverageId"),
        ("CoverageId=air&CoverageId=bands", 400, "InvalidParameterValue", "coverageId"),
        ("CoverageId=air&SUBSET=height(1)", 404, "InvalidAxisLabel", "height"),
        ("CoverageId=air&SUBSET=Lat(30,40)&SUBSET=Lat(40,50)", 404, "InvalidAxisLabel", "Lat"),
        ("CoverageId=air&SUBSET=Lat(30,40)&SUBSET=y(40,50)", 404, "InvalidAxisLabel", "y"),
        ("CoverageId=air&SUBSET=Lat(40,30)", 404, "InvalidSubsetting", "Lat"),
        ("CoverageId=air&SUBSET=Lat(80,90)", 404, "InvalidSubsetting", "Lat"),
        ("CoverageId=air&SUBSET=Lat(80)", 404, "InvalidSubsetting", "Lat"),
        ("CoverageId=air&SUBSET=Lat(a,b)", 404, "InvalidSubsetting", "Lat"),
        ("CoverageId=air&SUBSET=Lat", 404, "InvalidSubsetting", "subset"),
        ("CoverageId=air&SUBSET=ansi(2030-01-01)", 404, "InvalidSubsetting", None),
        ("CoverageId=air&SUBSET=ansi(soon)", 404, "InvalidSubsetting", "ansi"),
        (f"{AIR}&FORMAT=image/nonsense", 400, "InvalidParameterValue", "format"),
        (f"{AIR}&MEDIATYPE=text/plain", 400, "InvalidParameterValue", "mediaType"),
        ("CoverageId=air&FORMAT=image/tiff", 400, "InvalidParameterValue", "format"),
        (f"{AIR}&RANGESUBSET=wind", 404, "NoSuchField", "wind"),
        ("CoverageId=bands&RANGESUBSET=B04:B02", 404, "IllegalFieldSequence", "B04:B02"),
        (f"{AIR}&SCALEFACTOR=0", 404, "InvalidScaleFactor", "SCALEFACTOR"),
        (f"{AIR}&SCALEFACTOR=-1", 404, "InvalidScaleFactor", "SCALEFACTOR"),
        (f"{AIR}&SCALEFACTOR=x", 400, "InvalidParameterValue", "SCALEFACTOR"),
        (f"{AIR}&SCALESIZE=height(3)", 404, "ScaleAxisUndefined", "height"),
        (f"{AIR}&SCALESIZE=Lat(3),Lat(4)", 404, "ScaleAxisUndefined", "Lat"),
        (f"{AIR}&SCALESIZE=Lat(0)", 404, "InvalidExtent", "Lat"),
        (f"{AIR}&SCALEEXTENT=Lat(9:2)", 404, "InvalidExtent", "Lat"),
        (f"{AIR}&SCALEFACTOR=1&SCALESIZE=Lat(3)", 400, "InvalidParameterValue", "SCALESIZE"),
        (f"{AIR}&SCALESIZE=ansi(3)", 404, "InvalidScaleFactor", "ansi"),
        (f"{AIR}&SUBSETTINGCRS=nonsense", 404, "SubsettingCrs-NotSupported", "nonsense"),
        (f"{AIR}&OUTPUTCRS=EPSG:999999", 404, "OutputCrs-NotSupported", "EPSG:999999"),
        (f"{AIR}&OUTPUTCRS=EPSG:4978", 404, "OutputCrs-NotSupported", "EPSG:4978"),
        (f"{AIR}&INTERPOLATION=lanczos", 404, "InterpolationMethodNotSupported", "interpolation"),
        (f"{AIR}&SCALESIZE=Lat(90000),Long(90000)", 413, "NoApplicableCode", None),
        (f"{AIR}&SCALEAXES=Lat(1e308)", 413, "NoApplicableCode", None),
        (f"{AIR}&SCALEEXTENT=Lat(-1e308:1e308)", 413, "NoApplicableCode", None),
        (f"{AIR}&RESOLUTION=Lat(1e-310)", 413, "NoApplicableCode", None),
        ("CoverageId=air&SUBSET=ansi(1e999)", 404, "InvalidSubsetting", "ansi"),
        ("CoverageId=air&SUBSET=unix(1e999)", 404, "InvalidSubsetting", "unix"),
    ],
)
def test_codes_and_statuses(service, query, status, code, locator):
    found = service.refused(query)
    assert found[:2] == (status, code)
    if locator is not None:
        assert found[2] == locator


def test_the_valid_range_is_told(service):
    assert "30 to 50" in service.refused("CoverageId=air&SUBSET=Lat(80,90)")[3]
    text = service.refused("CoverageId=air&SUBSET=ansi(2030-01-01)")[3]
    assert "2020-01-01T00:00:00Z to 2020-02-01T00:00:00Z" in text


def test_what_works_is_told(service):
    text = service.refused("CoverageId=air&FORMAT=image/tiff")[3]
    assert 'SUBSET=time("2020-01-01T00:00:00Z")' in text
    assert "application/netcdf" in text
    assert "t2m" in service.refused(f"{AIR}&RANGESUBSET=wind")[3]
    assert "air, bands, model, ocean" in service.refused("CoverageId=none")[3]


@pytest.mark.parametrize(
    ("query", "status", "code", "locator"),
    [
        ("REQUEST=GetCapabilities", 400, "MissingParameterValue", "service"),
        ("SERVICE=WMS&REQUEST=GetCapabilities", 400, "InvalidParameterValue", "service"),
        ("SERVICE=WCS", 400, "MissingParameterValue", "request"),
        ("SERVICE=WCS&REQUEST=GetMap", 501, "OperationNotSupported", "GetMap"),
        ("SERVICE=WCS&VERSION=1.7.0&REQUEST=GetCoverage", 400, "VersionNegotiationFailed", None),
    ],
)
def test_requests_that_are_none(service, query, status, code, locator):
    assert report(service.raw(query))[:3] == (status, code, locator)


@pytest.mark.xsd
def test_reports_are_schema_valid_and_never_kept(service, xsd_validator):
    for query in ("CoverageId=none", "", "CoverageId=air&SUBSET=Lat(80,90)"):
        response = service.ask("GetCoverage", query)
        assert xsd_validator(response.body) == []
        assert response.header("Cache-Control") == "no-store"


def test_a_cube_without_a_time_step_is_not_offered(tmp_path):
    make_cube(tmp_path, "waiting", times=())
    service = Service(open_context(str(tmp_path), Config()))
    assert texts(service.document("GetCapabilities"), ".//wcs:CoverageId") == []
    for operation in ("DescribeCoverage", "GetCoverage"):
        found = service.refused("CoverageId=waiting", operation)
        assert found[:3] == (404, "NoSuchCoverage", "waiting")


def test_an_unexpected_failure_says_nothing_of_itself():
    status, code, _, text = report(failure(Request("GET", "/wcs"), "abc123"))
    assert (status, code) == (500, "NoApplicableCode")
    assert "abc123" in text


@pytest.mark.parametrize("name", ["SCALEFACTOR", "SCALEAXES", "SCALESIZE", "SCALEEXTENT"])
def test_a_scaling_without_a_value(service, name):
    assert service.refused(f"CoverageId=bands&{name}=")[1:3] == ("InvalidParameterValue", name)


@pytest.mark.parametrize("name", ["subsettingCrs", "outputCrs"])
def test_a_crs_is_said_once(service, name):
    found = service.refused(f"CoverageId=bands&{name}=EPSG:4326&{name}=EPSG:4326")
    assert found[1:3] == ("InvalidParameterValue", name)
