import re
import time

import numpy as np
import pytest
from lxml import etree

from datacube.config.settings import Config, ServerSettings
from datacube.engine.context import make_context
from datacube.model.axis import TimeAxis
from datacube.model.coverage import Coverage, CoverageDescription
from datacube.model.domain import DomainSet
from datacube.model.fields import Field, RangeType
from datacube.store.url import open_store
from services.app.edge import compressed
from services.ows.transport import Response
from services.wcs.v201.gmlcov import coverage_descriptions
from tests.cubes import add_slices, make_cube
from tests.protocol.wcs201.service import AIR_TIMES, NS, Service, texts
from tests.unit.formats.coverages import make_coverage

GRID = "wcs:CoverageDescription/gml:domainSet/gmlrgrid:ReferenceableGridByVectors"
AXIS = f"{GRID}/gmlrgrid:generalGridAxis/gmlrgrid:GeneralGridAxis"
ENVELOPE = "wcs:CoverageDescription/gml:boundedBy/gml:Envelope"
ISO = [f"{text}T00:00:00Z" if len(text) == 10 else text for text in AIR_TIMES]


def test_geographic_with_time(service):
    root = service.describe("air")
    envelope = root.find(ENVELOPE, NS)
    assert envelope.get("srsName") == (
        "http://www.opengis.net/def/crs-compound?"
        "1=http://www.opengis.net/def/crs/EPSG/0/4326&2=http://www.opengis.net/def/crs/OGC/0/AnsiDate"
    )
    assert envelope.get("axisLabels") == "Lat Long ansi"
    assert envelope.get("uomLabels") == "deg deg d"
    assert envelope.get("srsDimension") == "3"
    assert texts(envelope, "gml:lowerCorner") == [f'30 -20 "{ISO[0]}"']
    assert texts(envelope, "gml:upperCorner") == [f'50 20 "{ISO[-1]}"']
    grid = root.find(GRID, NS)
    assert grid.get("dimension") == "3"
    assert grid.get("srsName") == envelope.get("srsName")
    assert texts(grid, "gml:limits/gml:GridEnvelope/gml:low") == ["0 0 0"]
    assert texts(grid, "gml:limits/gml:GridEnvelope/gml:high") == ["19 9 3"]
    assert texts(grid, "gml:axisLabels") == ["Long Lat ansi"]
    assert texts(grid, "gmlrgrid:origin/gml:Point/gml:pos") == ["49 -19 153036"]
    assert texts(root, f"{AXIS}/gmlrgrid:gridAxesSpanned") == ["Long", "Lat", "ansi"]
    assert texts(root, f"{AXIS}/gmlrgrid:offsetVector") == ["0 2 0", "-2 0 0", "0 0 1"]
    quoted = " ".join(f'"{text}"' for text in ISO)
    assert texts(root, f"{AXIS}/gmlrgrid:coefficients") == [None, None, quoted]
    rules = root.findall(f"{AXIS}/gmlrgrid:sequenceRule", NS)
    assert {(rule.text, rule.get("axisOrder")) for rule in rules} == {("Linear", "+1")}


def test_a_picture_is_a_rectified_grid(service):
    root = service.describe("bands")
    grid = root.find("wcs:CoverageDescription/gml:domainSet/gml:RectifiedGrid", NS)
    assert grid.get("srsName") == "http://www.opengis.net/def/crs/EPSG/0/32632"
    assert texts(grid, "gml:axisLabels") == ["E N"]
    assert texts(grid, "gml:origin/gml:Point/gml:pos") == ["500005 4999995"]
    assert texts(grid, "gml:offsetVector") == ["10 0", "0 -10"]
    assert texts(root, f"{ENVELOPE}/gml:upperCorner") == ["500300 5000000"]
    assert root.find(".//gml:coverageFunction", NS) is None
    parameters = root.find("wcs:CoverageDescription/wcs:ServiceParameters", NS)
    assert texts(parameters, "wcs:CoverageSubtype") == ["RectifiedGridCoverage"]
    assert texts(parameters, "wcs:nativeFormat") == ["image/tiff"]


def test_a_vertical_axis_and_an_ascending_grid(service):
    root = service.describe("ocean")
    envelope = root.find(ENVELOPE, NS)
    assert envelope.get("axisLabels") == "Long Lat ansi depth"
    assert envelope.get("uomLabels") == "deg deg d m"
    assert texts(envelope, "gml:lowerCorner") == ['170 -5 "2020-01-01T00:00:00Z" 0.5']
    assert texts(root, f"{AXIS}/gmlrgrid:offsetVector") == [
        "1 0 0 0",
        "0 -1 0 0",
        "0 0 1 0",
        "0 0 0 1",
    ]
    assert texts(root, f"{AXIS}/gmlrgrid:coefficients")[3] == "0 9.5 99.5"
    assert texts(root, f"{GRID}/gmlrgrid:origin/gml:Point/gml:pos") == ["170.5 4.5 153036 0.5"]
    assert texts(root, ".//wcs:nativeFormat") == ["application/netcdf"]


def test_a_calendar_with_other_days_is_published_as_its_own_numbers(service):
    root = service.describe("model")
    assert root.find(ENVELOPE, NS).get("axisLabels") == "Lat Long time scenario"
    spanned = texts(root, f"{AXIS}/gmlrgrid:gridAxesSpanned")
    assert spanned == ["Long", "Lat", "time", "scenario"]
    coefficients = texts(root, f"{AXIS}/gmlrgrid:coefficients")
    assert coefficients[2] == "0 1 2"
    assert coefficients[3] == '"a1b" "e1"'
    assert "1999-02-30" not in etree.tostring(root, encoding="unicode")


def test_fields(service):
    (field,) = service.describe("air").findall(".//swe:field", NS)
    quantity = field.find("swe:Quantity", NS)
    assert field.get("name") == "t2m"
    assert quantity.get("definition").endswith("/air_temperature/")
    assert quantity.find("swe:uom", NS).get("code") == "K"
    assert texts(quantity, "swe:nilValues/swe:NilValues/swe:nilValue") == ["-9999"]
    assert texts(quantity, "swe:description") == ["Temperature; value = stored * 0.01 + 273.15 K"]
    assert texts(service.describe("ocean"), ".//swe:nilValue") == ["NaN", "NaN"]
    names = [one.get("name") for one in service.describe("bands").findall(".//swe:field", NS)]
    assert names == ["B02", "B03", "B04"]


def test_several_coverages(service):
    root = service.describe("bands,air")
    assert texts(root, ".//wcs:CoverageId") == ["bands", "air"]


def test_an_identifier_as_scripts_send_it(service):
    assert texts(service.describe("['air']"), ".//wcs:CoverageId") == ["air"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("CoverageId=nothing", (404, "NoSuchCoverage", "nothing")),
        ("CoverageId=air,nothing", (404, "NoSuchCoverage", "nothing")),
        ("", (400, "MissingParameterValue", "coverageId")),
        ("CoverageId=", (400, "MissingParameterValue", "coverageId")),
        ("Coverage=air", (400, "MissingParameterValue", "coverageId")),
    ],
)
def test_refusals(service, query, expected):
    assert service.refused(query, "DescribeCoverage")[:3] == expected


def test_strict_time_is_numbers(strict_service):
    root = strict_service.describe("air")
    assert texts(root, f"{ENVELOPE}/gml:lowerCorner") == ["30 -20 153036"]
    assert texts(root, f"{AXIS}/gmlrgrid:coefficients")[2] == "0 1 4.5 31"
    model = strict_service.describe("model")
    assert texts(model, f"{AXIS}/gmlrgrid:coefficients")[3] is None


@pytest.mark.xsd
@pytest.mark.parametrize("coverage", ["air", "bands", "ocean", "model", "air,bands,ocean,model"])
def test_strict_documents_are_schema_valid(strict_service, xsd_validator, coverage):
    response = strict_service.ask("DescribeCoverage", f"CoverageId={coverage}")
    assert xsd_validator(response.body) == []


@pytest.mark.xsd
@pytest.mark.parametrize("coverage", ["air", "bands", "ocean", "model"])
def test_the_default_is_schema_valid_but_for_quoted_positions(service, xsd_validator, coverage):
    root = service.describe(coverage)
    lists = [*root.iter(f"{{{NS['gmlrgrid']}}}coefficients")]
    lists += [*root.iter(f"{{{NS['gml']}}}lowerCorner"), *root.iter(f"{{{NS['gml']}}}upperCorner")]
    for element in lists:
        element.text = re.sub(r'"[^"]*"', "0", element.text or "") or None
    assert xsd_validator(etree.tostring(root)) == []


def test_a_long_axis_is_quick_and_small():
    steps = np.random.default_rng(1).integers(1, 10_000, 100_000) * 1000
    domain = DomainSet(make_coverage().description.domain.grid, (TimeAxis("time", steps.cumsum()),))
    long = CoverageDescription("long", "", "", domain, RangeType((Field("v", "int16"),)))
    start = time.thread_time()
    document = coverage_descriptions((Coverage(long, {}),), ServerSettings())
    sent = compressed(Response(200, "text/xml", document), "gzip").body
    assert time.thread_time() - start < 0.5
    assert len(sent) < 1_000_000
    assert document.count(b'Z"') == 100_002


def test_a_description_is_kept_until_something_is_committed(tmp_path):
    def looks():
        return Service(make_context(open_store(str(tmp_path)), Config()))

    cube = make_cube(tmp_path, "air")
    service = looks()
    first = service.ask("DescribeCoverage", "CoverageId=air")
    tag = first.header("etag")
    assert service.ask("DescribeCoverage", "CoverageId=air").body is first.body
    assert service.ask("DescribeCoverage", "CoverageId=air", if_none_match=tag).status == 304
    assert service.ask("DescribeCoverage", "CoverageId=none", if_none_match="*").status == 404
    add_slices(open_store(str(tmp_path)), cube.description, ["2020-01-02"])
    later = looks().ask("DescribeCoverage", "CoverageId=air", if_none_match=tag)
    assert later.status == 200
    assert b'"2020-01-02T00:00:00Z"' in later.body
