import pytest
from lxml import etree

from services.wcs.extras import PARAMETERS
from tests.protocol.wcs201.service import NS, report, texts


@pytest.fixture(scope="module")
def document(service):
    return service.document("GetCapabilities")


def test_the_root_names_version_and_sequence(document, service):
    assert document.tag == f"{{{NS['wcs']}}}Capabilities"
    assert document.get("version") == "2.0.1"
    assert document.get("updateSequence") == service.context.catalog.sequence


@pytest.mark.xsd
@pytest.mark.parametrize("query", ["", "SECTIONS=Contents", "SECTIONS=ServiceProvider"])
def test_schema(service, xsd_validator, query):
    assert xsd_validator(service.ask("GetCapabilities", query).body) == []


@pytest.mark.parametrize(
    "query",
    [
        "SERVICE=WCS&REQUEST=GetCapabilities",
        "service=wcs&request=getcapabilities",
        "SERVICE=WCS&REQUEST=GetCapabilities&VERSION=2.0.1",
        "SERVICE=WCS&REQUEST=GetCapabilities&VERSION=2.0.0",
        "SERVICE=WCS&REQUEST=GetCapabilities&VERSION=9.9.9",
        "SERVICE=WCS&REQUEST=GetCapabilities&AcceptVersions=2.0.1",
        "SERVICE=WCS&REQUEST=GetCapabilities&AcceptVersions=9.9.9,2.0.1,1.0.0",
        "SERVICE=WCS&REQUEST=GetCapabilities&AcceptFormats=text/plain",
        "SERVICE=WCS&REQUEST=GetCapabilities&SECTIONS=All",
        "SERVICE=WCS&REQUEST=GetCapabilities&FORMAT=text/xml",
    ],
)
def test_every_way_of_asking(service, query):
    response = service.raw(query)
    assert response.status == 200
    assert etree.fromstring(response.body).get("version") == "2.0.1"
    assert response.header("Cache-Control") == "public, max-age=30"


def test_no_common_version(service):
    answer = service.raw("SERVICE=WCS&REQUEST=GetCapabilities&AcceptVersions=3.1.0,1.0.7")
    assert report(answer)[:2] == (400, "VersionNegotiationFailed")


def test_service_metadata_and_provider(document):
    identification = document.find("ows:ServiceIdentification", NS)
    assert identification.findtext("ows:Title", namespaces=NS) == "Closed forms"
    assert texts(identification, "ows:Keywords/ows:Keyword") == ["test", "cube"]
    assert texts(identification, "ows:ServiceTypeVersion") == ["2.0.1"]
    assert texts(identification, "ows:Fees") == ["none"]
    assert texts(identification, "ows:AccessConstraints") == ["none"]
    assert "http://www.opengis.net/spec/WCS/2.0/conf/core" in texts(identification, "ows:Profile")
    provider = document.find("ows:ServiceProvider", NS)
    assert texts(provider, "ows:ProviderName") == ["Nobody & Sons"]
    assert texts(provider, ".//ows:ElectronicMailAddress") == ["n@example.org"]


def test_operations_have_the_public_url(document):
    operations = document.findall("ows:OperationsMetadata/ows:Operation", NS)
    assert [one.get("name") for one in operations] == [
        "GetCapabilities",
        "DescribeCoverage",
        "GetCoverage",
        "DescribeEOCoverageSet",
    ]
    links = document.findall(".//ows:Get", NS)
    urls = {link.get(f"{{{NS['xlink']}}}href") for link in links}
    assert urls == {"https://data.example.org/cubes/wcs?"}


def test_formats(document):
    assert texts(document, "wcs:ServiceMetadata/wcs:formatSupported") == [
        "image/tiff",
        "application/netcdf",
        "application/prs.coverage+json",
        "text/csv",
        "application/x-npy",
        "application/json",
        "image/vnd.cog",
        "application/x-netcdf3",
        "application/vnd.zarr+zip",
        "application/gml+xml",
        "image/png",
        "image/jpeg",
    ]


def test_parameters_of_this_server(document):
    (operation,) = document.findall("ows:OperationsMetadata/ows:Operation[@name='GetCoverage']", NS)
    told = {
        one.get("name"): one.findtext("ows:Meaning", namespaces=NS)
        for one in operation.findall("ows:Parameter", NS)
    }
    assert set(told) == {one.name for one in PARAMETERS} | {"SELECTION"}
    assert all(told.values())
    values = operation.findall("ows:Parameter[@name='VALUES']/ows:AllowedValues/ows:Value", NS)
    assert [one.text for one in values] == ["raw", "physical"]


def test_coverages(document):
    summaries = document.findall("wcs:Contents/wcs:CoverageSummary", NS)
    found = {one.findtext("wcs:CoverageId", namespaces=NS): one for one in summaries}
    assert list(found) == ["air", "bands", "model", "ocean"]
    subtypes = {name: texts(one, "wcs:CoverageSubtype") for name, one in found.items()}
    assert subtypes["air"] == ["ReferenceableGridCoverage"]
    assert subtypes["bands"] == ["RectifiedGridCoverage"]
    world = found["air"].find("ows:WGS84BoundingBox", NS)
    assert texts(world, "ows:LowerCorner") == ["-20 30"]
    assert texts(world, "ows:UpperCorner") == ["20 50"]
    (own,) = found["air"].findall("ows:BoundingBox", NS)
    assert own.get("crs") == "http://www.opengis.net/def/crs/EPSG/0/4326"
    assert texts(own, "ows:LowerCorner") == ["30 -20"]
    assert texts(found["air"], "ows:Title") == ["Closed form air"]


def test_sections_are_given_alone(service):
    root = service.document("GetCapabilities", "SECTIONS=contents,ServiceMetadata")
    assert [etree.QName(child).localname for child in root] == ["ServiceMetadata", "Contents"]


def test_an_unknown_section_is_refused(service):
    assert service.refused("SECTIONS=Nonsense", "GetCapabilities")[:3] == (
        400,
        "InvalidParameterValue",
        "sections",
    )


def test_update_sequence(service, document):
    current = document.get("updateSequence")
    assert len(service.document("GetCapabilities", f"updateSequence={current}")) == 0
    assert len(service.document("GetCapabilities", "updateSequence=other")) == 5


def test_not_modified(service):
    tag = service.ask("GetCapabilities").header("ETag")
    assert service.ask("GetCapabilities", if_none_match=tag).status == 304
