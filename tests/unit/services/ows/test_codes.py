"""Every error has a code in every protocol, and every report is valid."""

import inspect
import json

import pytest

from datacube import errors
from datacube.errors import ConfigError, DatacubeError
from services.ows import errors as protocol_errors
from services.ows.codes import TABLES, code_of
from services.ows.reports import (
    ows11_report,
    ows20_report,
    problem_json,
    wcs100_report,
    wms130_report,
    wmts100_report,
)

CLASSES = [
    kind
    for module in (errors, protocol_errors)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, DatacubeError)
]
REPORTS = [wms130_report, wcs100_report, ows11_report, ows20_report, wmts100_report]


def made(kind):
    if kind is ConfigError:
        return ConfigError(("a.yaml:1: <wrong> & worse",), subject="a.yaml")
    return kind("<wrong> & \x00 worse", subject="LAYER\x0b")


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("name", TABLES)
def test_every_error_has_a_code(name, kind):
    code = code_of(made(kind), TABLES[name])
    assert code.status >= 400


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("report", REPORTS)
def test_every_report_is_valid(xsd_validator, report, kind):
    response = report(made(kind))
    assert response.header("Cache-Control") == "no-store"
    assert xsd_validator(response.body) == []


@pytest.mark.parametrize(
    ("protocol", "kind", "code", "status"),
    [
        ("WMS 1.3.0", errors.CoverageNotFound, "LayerNotDefined", 404),
        ("WMS 1.3.0", errors.InvalidCrs, "InvalidCRS", 400),
        ("WMS 1.1.1", errors.InvalidCrs, "InvalidSRS", 400),
        ("WMS 1.3.0", errors.InvalidTime, "InvalidDimensionValue", 400),
        ("WMS 1.3.0", errors.MissingTime, "MissingDimensionValue", 400),
        ("WMS 1.3.0", errors.MissingParameter, "", 400),
        ("WCS 1.0.0", errors.CoverageNotFound, "CoverageNotDefined", 404),
        ("WCS 2.0.1", errors.CoverageNotFound, "NoSuchCoverage", 404),
        ("WCS 2.0.1", errors.SubsetOutOfDomain, "InvalidSubsetting", 404),
        ("WCS 2.0.1", errors.AxisNotFound, "InvalidAxisLabel", 404),
        ("WCS 2.0.1", errors.FieldNotFound, "NoSuchField", 404),
        ("WCS 2.0.1", errors.OperationNotSupported, "OperationNotSupported", 501),
        ("WMTS 1.0.0", errors.TileOutOfRange, "TileOutOfRange", 400),
        ("WMTS 1.0.0", errors.CoverageNotFound, "InvalidParameterValue", 400),
        ("OGC API", errors.CoverageNotFound, "NotFound", 404),
        ("OGC API", errors.SubsetOutOfDomain, "InvalidParameterValue", 400),
        ("OGC API", errors.RequestTooLarge, "TooLarge", 413),
    ],
)
def test_codes_of_the_standards(protocol, kind, code, status):
    found = code_of(kind("x"), TABLES[protocol])
    assert (found.code, found.status) == (code, status)


def test_statuses_of_wms():
    assert wms130_report(errors.CoverageNotFound("x")).status == 200
    assert wms130_report(errors.CoverageNotFound("x"), strict=True).status == 404
    assert wms130_report(errors.RequestTooLarge("x")).status == 413
    assert wms130_report(errors.StorageError("x")).header("Retry-After") == "5"


def test_problem_details():
    response = problem_json(errors.CoverageNotFound("no 'é'", subject="é"))
    assert (response.status, response.media_type) == (404, "application/problem+json")
    assert isinstance(response.body, bytes)
    assert json.loads(response.body)["detail"] == "no 'é'"
