"""Capabilities and descriptions of WCS 1.0.0 and 1.1, against the schemas and by value."""

import gzip
from itertools import product

import numpy as np
import pytest
from lxml import etree

from datacube.config.settings import Config
from datacube.engine.context import make_context
from datacube.store.url import open_store
from tests.cubes import make_cube, repeat_slices
from tests.protocol.wcs1.service import NS, Service, texts

COVERAGES = ["air", "bands", "model", "ocean"]
IDS = {"1.0.0": "COVERAGE", "1.1.0": "IDENTIFIERS", "1.1.1": "IDENTIFIERS", "1.1.2": "IDENTIFIERS"}


@pytest.mark.xsd
@pytest.mark.parametrize(
    ("version", "query"),
    [
        *product(("1.0.0", "1.1.1", "1.1.2"), ("",)),
        *product(
            ("1.1.1", "1.1.2"),
            ("SECTIONS=Contents", "SECTIONS=OperationsMetadata,ServiceProvider"),
        ),
        *product(("1.0.0",), ("SECTION=/", "SECTION=/WCS_Capabilities/Service")),
        *product(
            ("1.0.0",),
            ("SECTION=/WCS_Capabilities/Capability", "SECTION=/WCS_Capabilities/ContentMetadata"),
        ),
    ],
)
def test_capabilities_are_valid(context, xsd_validator, version, query):
    response = Service(context, version).ask("GetCapabilities", query)
    assert response.status == 200
    assert xsd_validator(response.body) == []


@pytest.mark.xsd
@pytest.mark.parametrize("version", ["1.0.0", "1.1.1", "1.1.2"])
def test_descriptions_are_valid(context, xsd_validator, version):
    query = f"{IDS[version]}={','.join(COVERAGES)}"
    assert xsd_validator(Service(context, version).ask("DescribeCoverage", query).body) == []


@pytest.mark.parametrize("operation", ["GetCapabilities", "DescribeCoverage"])
def test_1_1_0_differs_in_its_namespaces_alone(context, operation):
    """Its published schemas cannot be compiled; it is 1.1.1 with OWS Common 1.0."""
    query = f"IDENTIFIERS={','.join(COVERAGES)}"
    old, new = (Service(context, one).ask(operation, query).body for one in ("1.1.0", "1.1.1"))
    plain = old.replace(b"wcs/1.1.0", b"wcs/1.1.1").replace(b"/wcs/1.1 ", b"/wcs/1.1.1 ")
    plain = plain.replace(b'wcs/1.1"', b'wcs/1.1.1"').replace(b"1.1.0", b"1.1.1")
    plain = plain.replace(b'net/ows"', b'net/ows/1.1"')
    tags = [[etree.QName(one).text for one in etree.fromstring(doc).iter()] for doc in (plain, new)]
    assert [tag for tag in tags[0] if "Value" not in tag] == [
        tag for tag in tags[1] if "Value" not in tag and "Meaning" not in tag
    ]


@pytest.mark.parametrize(
    ("query", "version"),
    [
        ("VERSION=1.0.0", "1.0.0"),
        ("VERSION=1.0.2", "1.0.0"),
        ("VERSION=0.8.0", "1.0.0"),
        ("VERSION=1.1", "1.1.2"),
        ("VERSION=1.1.0", "1.1.0"),
        ("VERSION=1.1.1", "1.1.1"),
        ("AcceptVersions=1.1.0,1.0.0", "1.1.0"),
        ("AcceptVersions=1.1.1", "1.1.1"),
        ("AcceptVersions=0.0.0,1.1.1", "1.1.1"),
        ("", "2.0.1"),
    ],
)
def test_negotiation(wcs10, query, version):
    root = etree.fromstring(wcs10.raw(f"SERVICE=WCS&REQUEST=GetCapabilities&{query}").body)
    assert root.get("version") == version


def test_another_version_is_refused_by_the_other_operations(wcs10):
    response = wcs10.raw("SERVICE=WCS&VERSION=1.7.0&REQUEST=DescribeCoverage&COVERAGE=air")
    assert b"VersionNegotiationFailed" in response.body
    assert b"1.0.0, 1.1.0, 1.1.1, 1.1.2, 2.0.1" in response.body


def test_brief_descriptions_of_1_0(wcs10):
    root = wcs10.document("GetCapabilities")
    briefs = root.findall("wcs:ContentMetadata/wcs:CoverageOfferingBrief", NS)
    assert [one.findtext("wcs:name", namespaces=NS) for one in briefs] == COVERAGES
    envelope = briefs[0].find("wcs:lonLatEnvelope", NS)
    assert texts(envelope, "gml:pos") == ["-20 30", "20 50"]
    assert texts(envelope, "gml:timePosition") == ["2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z"]
    urls = {one.get(f"{{{NS['xlink']}}}href") for one in root.findall(".//wcs:OnlineResource", NS)}
    assert "https://data.example.org/cubes/wcs?" in urls


def test_the_domain_of_1_0(wcs10):
    root = wcs10.document("DescribeCoverage", "COVERAGE=air,bands")
    air, bands = root.findall("wcs:CoverageOffering", NS)
    assert texts(air, ".//gml:Envelope/gml:pos") == ["-20 30", "20 50"]
    assert texts(air, ".//gml:origin/gml:pos") == ["-19 49"]
    assert texts(air, ".//gml:offsetVector") == ["2 0", "0 -2"]
    assert texts(air, ".//gml:high") == ["19 9"]
    assert texts(air, ".//wcs:temporalDomain/gml:timePosition") == [
        "2020-01-01T00:00:00Z",
        "2020-01-02T00:00:00Z",
        "2020-01-05T12:00:00Z",
        "2020-02-01T00:00:00Z",
    ]
    assert texts(bands, ".//wcs:nativeCRSs") == ["EPSG:32632"]
    assert texts(bands, ".//wcs:AxisDescription/wcs:name") == ["Band"]
    assert texts(bands, ".//wcs:singleValue")[:3] == ["1", "2", "3"]
    assert texts(bands, ".//wcs:nullValues/wcs:singleValue") == ["65535"]


def test_further_axes_are_in_the_range_of_1_0(wcs10):
    root = wcs10.document("DescribeCoverage", "COVERAGE=ocean,model")
    ocean, model = root.findall("wcs:CoverageOffering", NS)
    assert texts(ocean, ".//wcs:AxisDescription/wcs:name") == ["depth", "Band"]
    assert texts(ocean, ".//wcs:AxisDescription/wcs:values/wcs:default") == ["0.5", "1"]
    assert texts(model, ".//wcs:singleValue") == ["a1b", "e1"]
    assert texts(ocean, ".//wcs:nativeCRSs") == ["EPSG:4326"]


def test_no_name_describes_them_all(wcs10):
    root = wcs10.document("DescribeCoverage")
    assert texts(root, "wcs:CoverageOffering/wcs:name") == COVERAGES


def test_the_domain_of_1_1(wcs11):
    root = wcs11.document("DescribeCoverage", "IDENTIFIERS=air")
    boxes = root.findall(".//w11:SpatialDomain/ows:BoundingBox", NS)
    corners = [(one.get("crs"), one[0].text, one[1].text) for one in boxes]
    assert corners == [
        ("urn:ogc:def:crs:OGC::imageCRS", "1 1", "20 10"),
        ("urn:ogc:def:crs:EPSG::4326", "31 -19", "49 19"),
        ("EPSG:4326", "30 -20", "50 20"),
    ]
    assert texts(root, ".//w11:GridOrigin") == ["49 -19"]
    assert texts(root, ".//w11:GridOffsets") == ["-2 2"]
    assert texts(root, ".//w11:Field/w11:Identifier") == ["contents"]
    assert texts(root, ".//w11:Key") == ["t2m"]
    assert len(root.findall(".//w11:TemporalDomain/gml:timePosition", NS)) == 4


def test_update_sequences(wcs10, wcs11):
    sequence = wcs10.document("GetCapabilities").get("updateSequence")
    query = f"UPDATESEQUENCE={sequence}"
    assert wcs10.refused(query, "GetCapabilities")[:2] == (200, "CurrentUpdateSequence")
    assert len(wcs11.document("GetCapabilities", query)) == 0
    assert len(wcs10.document("GetCapabilities", "UPDATESEQUENCE=other")) == 3


def test_a_refusal_has_the_form_of_the_accepted_version(wcs11):
    response = wcs11.raw("SERVICE=WCS&REQUEST=GetCapabilities&AcceptVersions=1.1.1&Sections=Bogus")
    assert etree.fromstring(response.body).tag == f"{{{NS['ows']}}}ExceptionReport"


@pytest.mark.xsd
def test_refusals(context, wcs10, wcs11, xsd_validator):
    assert wcs10.refused("COVERAGE=none", "DescribeCoverage")[:2] == (200, "CoverageNotDefined")
    assert wcs10.refused("SECTION=none", "GetCapabilities")[1] == "InvalidParameterValue"
    found = wcs11.refused("IDENTIFIERS=none", "DescribeCoverage")
    assert found[:3] == (400, "InvalidParameterValue", "Identifier")
    assert wcs11.refused("", "DescribeCoverage")[1] == "MissingParameterValue"
    assert wcs11.refused("SECTIONS=none", "GetCapabilities")[1] == "InvalidParameterValue"
    for service in (wcs10, wcs11):
        assert xsd_validator(service.ask("GetCoverage").body) == []


@pytest.mark.parametrize("version", ["1.0.0", "1.1.2"])
def test_a_hundred_thousand_times_are_short_or_full(tmp_path, version):
    """Sent in less than 1 MB, and all of them where that is asked for."""
    store = open_store(str(tmp_path))
    make_cube(store, "long", width=8, height=4, times=("2020-01-01", "2020-01-02"))
    steps = np.random.default_rng(1).integers(1, 9, 100_000) * 600_000
    repeat_slices(store, "long", steps.cumsum().tolist())
    service = Service(make_context(store, Config()), version)
    short, full = (
        service.ask("DescribeCoverage", f"{IDS[version]}=long{times}").body
        for times in ("", "&TIMES=full")
    )
    assert len(short) < 100_000
    assert full.count(b"timePosition>") // 2 - short.count(b"lonLatEnvelope>") >= 100_000
    assert len(gzip.compress(full, 6)) < 1_000_000
