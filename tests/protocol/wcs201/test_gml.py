"""GML coverages: values in the order that the document says, valid against the schemas."""

from dataclasses import replace

import numpy as np
import pytest
from lxml import etree

from datacube.config.settings import Config, Limits, ServerSettings
from datacube.engine.context import open_context
from datacube.formats import gml
from services.ows.transport import Request
from services.wcs.service import handle
from tests.cubes import make_cube
from tests.protocol.wcs201.service import NS, SETTINGS, Service, body_of, closed, report, texts

FUNCTION = "gml:coverageFunction/gml:GridFunction"


def document(service, query):
    response = service.get(f"FORMAT=application/gml%2Bxml&{query}")
    assert response.media_type == "application/gml+xml"
    return etree.fromstring(body_of(response))


def values(root):
    """Tuples laid out by the document's own limits and order: (…axes as listed, y, x, fields)."""
    high = np.array([int(one) for one in root.findtext(".//gml:high", namespaces=NS).split()])
    rule = root.find(f"{FUNCTION}/gml:sequenceRule", NS)
    assert rule.text == "Linear"
    order = [int(one) - 1 for one in rule.get("axisOrder").replace("+", "").split()]
    assert texts(root, f"{FUNCTION}/gml:startPoint") == [" ".join("0" * len(high))]
    tuples = root.findtext("gml:rangeSet/gml:DataBlock/gml:tupleList", namespaces=NS).split(" ")
    cells = np.array([[float(one) for one in cell.split(",")] for cell in tuples])
    shaped = cells.reshape(*(high + 1)[order[::-1]], -1)  # the slowest axis first
    places = [order[::-1].index(axis) for axis in range(len(high))]
    return shaped.transpose(*places[::-1], -1)


def test_a_picture_of_several_fields(service):
    root = document(service, "CoverageId=bands")
    assert etree.QName(root).localname == "RectifiedGridCoverage"
    row, column = np.meshgrid(range(20), range(30), indexing="ij")
    expected = np.stack([closed(0, row, column) + field for field in range(3)], -1)
    np.testing.assert_array_equal(values(root), expected)


def test_times_and_depths_of_a_grid_that_is_stored_upwards(service):
    root = document(service, "CoverageId=ocean&RANGESUBSET=v")
    assert texts(root, ".//gml:axisLabels") == ["Long Lat ansi depth"]
    stored = service.netcdf("CoverageId=ocean&RANGESUBSET=v")["v"]
    found = values(root)[..., 0]  # depth, time, north first
    np.testing.assert_array_equal(found, stored.values.transpose(1, 0, 2, 3)[:, :, ::-1])
    assert found[2, 1, 9, 4] == 1000 + 200_000 + 4 + 1


def test_the_document_is_the_description_with_values(strict_service):
    described = strict_service.describe("air")
    root = document(strict_service, "CoverageId=air")
    for path in ("gml:boundedBy", "gml:domainSet", "gmlcov:rangeType"):
        part = described.find(f"wcs:CoverageDescription/{path}", NS)
        one, other = (etree.tostring(one, with_tail=False) for one in (root.find(path, NS), part))
        assert one.partition(b">")[2] == other.partition(b">")[2]  # to the last blank


@pytest.mark.xsd
@pytest.mark.parametrize("coverage", ["air", "bands", "ocean", "model"])
def test_valid_against_the_schemas(strict_service, xsd_validator, coverage):
    root = document(strict_service, f"CoverageId={coverage}")
    assert xsd_validator(etree.tostring(root)) == []


def test_no_data_is_the_nil_value_of_the_range_type(service):
    root = document(
        service,
        "CoverageId=air&SUBSET=ansi(2020-01-02)&CLIP=POLYGON((-20%2030,0%2030,-20%2050,-20%2030))",
    )
    assert texts(root, ".//swe:nilValue") == ["-9999"]
    found = values(root)[..., 0]
    assert found[0, -1] == -9999
    assert found[9, 0] == closed(1, 9, 0)


def test_a_field_without_a_number_for_no_data_gets_one(service):
    clip = "CLIP=POLYGON((-20%2030,0%2030,-20%2050,-20%2030))"
    root = document(service, f"CoverageId=model&SUBSET=scenario(e1)&SUBSET=time(1999-03-01)&{clip}")
    assert texts(root, ".//swe:nilValue") == [str(-(2**31) - 1)]
    assert values(root)[..., 0].min() == -(2**31) - 1


def test_physical_values(service):
    root = document(service, "CoverageId=air&SUBSET=ansi(2020-01-02)&VALUES=physical&SCALEFACTOR=1")
    row, column = np.meshgrid(range(10), range(20), indexing="ij")
    np.testing.assert_allclose(
        values(root)[..., 0], closed(1, row, column) * 0.01 + 273.15, rtol=1e-12
    )
    assert texts(root, ".//swe:description") == ["Temperature"]


def test_of_several_parts_it_needs_none(service):
    query = "CoverageId=air&FORMAT=gml&SUBSET=ansi(2020-01-02)"
    alone, related = (
        service.get(f"{query}{more}") for more in ("", "&MEDIATYPE=multipart/related")
    )
    assert related.media_type == "application/gml+xml"
    assert body_of(alone) == body_of(related)


def test_it_can_be_what_a_coverage_comes_as(store_url):
    settings = replace(SETTINGS, wcs_native_format="gml")
    service = Service(open_context(store_url, Config(settings)))
    assert texts(service.describe("bands"), ".//wcs:nativeFormat") == ["application/gml+xml"]
    assert service.get("CoverageId=bands").media_type == "application/gml+xml"
    assert service.get("CoverageId=bands&FORMAT=image/tiff").media_type == "image/tiff"


def test_a_large_one_is_streamed_and_one_too_large_refused(tmp_path, monkeypatch):
    make_cube(tmp_path, "large", width=300, height=200, times=None)
    limits = Limits(max_coverage_bytes=10_000, max_stream_bytes=10_000_000)
    context = open_context(str(tmp_path), Config(ServerSettings(limits=limits)))

    def ask(**parameters):
        pairs = {"SERVICE": "WCS", "VERSION": "2.0.1", "REQUEST": "GetCoverage"} | parameters
        return handle(context, Request("GET", "/wcs", tuple(pairs.items())))

    asked = {"COVERAGEID": "large", "FORMAT": "application/gml+xml"}
    root = etree.fromstring(body_of(ask(**asked)))
    tuples = root.findtext(".//gml:tupleList", namespaces=NS).split(" ")
    assert len(tuples) == 60_000
    monkeypatch.setattr(gml, "MOST_VALUES", 1000)
    status, _, _, text = report(ask(**asked))
    assert status == 413
    assert "60,000 values" in text
    assert "application/netcdf" in text
    factor = text.partition("SCALEFACTOR=")[2].partition(",")[0]
    smaller = etree.fromstring(body_of(ask(**asked, SCALEFACTOR=factor)))
    assert len(smaller.findtext(".//gml:tupleList", namespaces=NS).split(" ")) <= 1000
