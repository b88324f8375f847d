"""The EO profile: cubes as series, each time of them as a dataset of its own."""

import numpy as np
import pytest
from lxml import etree
from shapely.geometry import Polygon, box

from services.ows.transport import Request
from services.wcs.service import handle
from tests.protocol.wcs201.service import NS, body_of, closed, report, same, texts

EO = NS | {
    "wcseo": "http://www.opengis.net/wcs/wcseo/1.0",
    "eop": "http://www.opengis.net/eop/2.0",
    "om": "http://www.opengis.net/om/2.0",
}
TIMES = ("20200101T000000Z", "20200102T000000Z", "20200105T120000Z", "20200201T000000Z")
AIR = [f"air__{one}" for one in TIMES]
OCEAN = [f"ocean__{one}" for one in TIMES[:2]]
SECOND = f"air__{TIMES[1]}"
ROUND = ("175,-175", "170,190", "185,188", "535,545", "-190,-170", "-195,-185")
"""Ends of longitudes that go over the antimeridian, or round the globe."""


def found(service, query):
    root = service.document("DescribeEOCoverageSet", query)
    assert etree.QName(root).localname == "EOCoverageSetDescription"
    coverages = texts(root, "wcs:CoverageDescriptions/wcs:CoverageDescription/wcs:CoverageId")
    path = "wcseo:DatasetSeriesDescriptions/wcseo:DatasetSeriesDescription/wcseo:DatasetSeriesId"
    series = [one.text for one in root.findall(path, EO)]
    assert int(root.get("numberReturned")) == len(coverages) + len(series)
    return coverages, series, int(root.get("numberMatched"))


def footprints(root):
    """Polygons in x, y order."""
    for text in root.iterfind(".//eop:Footprint//gml:posList", EO):
        numbers = np.array([float(one) for one in text.text.split()])
        yield Polygon(numbers.reshape(-1, 2)[:, ::-1])


@pytest.mark.xsd
def test_capabilities_list_the_series(strict_service, xsd_validator):
    root = strict_service.document("GetCapabilities")
    assert xsd_validator(etree.tostring(root)) == []
    path = "wcs:Contents/wcs:Extension/wcseo:DatasetSeriesSummary"
    # neither the cube without times nor that of 360 days a year
    listed = {one.find("wcseo:DatasetSeriesId", EO).text: one for one in root.findall(path, EO)}
    assert sorted(listed) == ["air", "ocean"]
    period = listed["air"].find("gml:TimePeriod", EO)
    assert [one.text for one in period] == ["2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z"]
    count = root.find("ows:OperationsMetadata/ows:Constraint[@name='CountDefault']", EO)
    assert count.findtext("ows:DefaultValue", namespaces=EO) == "100"
    profiles = texts(root, "ows:ServiceIdentification/ows:Profile")
    assert sum("application-profile_earth-observation" in one for one in profiles) == 3


@pytest.mark.parametrize(
    ("sections", "coverages", "series"),
    [
        ("Contents", 4, 2),
        ("All", 4, 2),
        ("CoverageSummary", 4, 0),
        ("DatasetSeriesSummary", 0, 2),
        ("CoverageSummary,DatasetSeriesSummary", 4, 2),
        ("ServiceIdentification", 0, 0),
    ],
)
def test_lists_of_the_contents(service, sections, coverages, series):
    root = service.document("GetCapabilities", f"SECTIONS={sections}")
    assert len(root.findall(".//wcs:CoverageSummary", EO)) == coverages
    assert len(root.findall(".//wcseo:DatasetSeriesSummary", EO)) == series
    assert (root.find("wcs:Contents", EO) is None) == (coverages + series == 0)


@pytest.mark.xsd
def test_a_dataset_is_described_as_a_plane_with_its_metadata(strict_service, xsd_validator):
    root = strict_service.describe(SECOND)
    assert xsd_validator(etree.tostring(root)) == []
    assert texts(root, ".//wcs:CoverageSubtype") == ["RectifiedDataset"]
    assert texts(root, ".//wcs:nativeFormat") == ["image/tiff"]
    assert root.find(".//gml:RectifiedGrid", EO).get("dimension") == "2"
    path = "wcs:CoverageDescription/gmlcov:metadata/gmlcov:Extension/wcseo:EOMetadata"
    observation = root.find(f"{path}/eop:EarthObservation", EO)
    period = observation.find("om:phenomenonTime/gml:TimePeriod", EO)
    assert [one.text for one in period] == ["2020-01-02T00:00:00Z"] * 2
    about = observation.find("eop:metaDataProperty/eop:EarthObservationMetaData", EO)
    assert about.findtext("eop:identifier", namespaces=EO) == SECOND
    assert about.findtext("eop:parentIdentifier", namespaces=EO) == "air"
    (shape,) = footprints(root)
    assert shape.equals(box(-20, 30, 20, 50))


def test_a_dataset_is_of_the_type_of_its_grid_where_gdal_looks(service):
    assert texts(service.describe(SECOND), ".//wcs:CoverageSubtype") == ["RectifiedGridCoverage"]
    described = service.document("DescribeEOCoverageSet", f"eoId={SECOND}")
    assert texts(described, ".//wcs:CoverageSubtype") == ["RectifiedDataset"]


def test_a_dataset_with_depths_is_referenceable(strict_service):
    root = strict_service.describe(OCEAN[0])
    assert texts(root, ".//wcs:CoverageSubtype") == ["ReferenceableDataset"]
    assert root.find(".//gml:boundedBy/gml:Envelope", NS).get("axisLabels") == "Long Lat depth"
    first, second = sorted(footprints(root), key=lambda one: one.bounds)
    assert first.equals(box(-180, -5, -170, 5))
    assert second.equals(box(170, -5, 180, 5))


def test_the_values_of_a_dataset_are_those_of_its_time(service):
    values, _, _ = service.tiff(f"CoverageId={SECOND}&SUBSET=Lat(40,50)")
    row, column = np.meshgrid(range(5), range(20), indexing="ij")
    np.testing.assert_array_equal(values[0], closed(1, row, column))
    response = service.get(f"CoverageId={SECOND}&SUBSET=Lat(40,50)&SCALEFACTOR=0.5")
    assert f'filename="{SECOND}_Lat-40-50.tif"' in response.header("Content-Disposition")


@pytest.mark.xsd
def test_gml_of_a_dataset_has_its_type_metadata_and_lineage(strict_service, xsd_validator):
    response = strict_service.get(f"CoverageId={SECOND}&FORMAT=application/gml%2Bxml")
    root = etree.fromstring(body_of(response))
    assert root.tag == f"{{{EO['wcseo']}}}RectifiedDataset"
    assert xsd_validator(etree.tostring(root)) == []
    reference = root.find(".//wcseo:lineage/wcseo:referenceGetCoverage/ows:Reference", EO)
    assert f"coverageid={SECOND}" in reference.get(f"{{{NS['xlink']}}}href")
    tuples = root.findtext(".//gml:tupleList", namespaces=NS).split()
    assert tuples[:3] == ["1000", "1001", "1002"]


def test_a_request_that_is_too_long_for_a_url_is_no_lineage(service):
    corners = ",".join("-20 30,20 30,20 50" for _ in range(500))
    clip = f"&CLIP=POLYGON(({corners},-20 30))"
    response = service.get(f"CoverageId={SECOND}&FORMAT=gml{clip}")
    root = etree.fromstring(body_of(response))
    assert root.find(".//wcseo:EOMetadata", EO) is not None
    assert root.find(".//wcseo:lineage", EO) is None


@pytest.mark.xsd
def test_the_document_before_the_file_of_a_dataset_is_one_of_a_dataset(
    strict_service, xsd_validator
):
    query = f"CoverageId={SECOND}&FORMAT=image/tiff&MEDIATYPE=multipart/related"
    message = body_of(strict_service.get(query))
    document = message.partition(b"\r\n\r\n")[2].partition(b"\r\n--wcs-")[0]
    root = etree.fromstring(document)
    assert root.tag == f"{{{EO['wcseo']}}}RectifiedDataset"
    assert root.find(".//eop:identifier", EO).text == SECOND
    assert xsd_validator(document) == []


@pytest.mark.parametrize(
    ("identifier", "status"),
    [
        ("air__20200103T000000Z", 404),
        ("air__20200101", 404),
        ("air__", 404),
        ("__20200101T000000Z", 404),
        ("air__20209999T000000Z", 404),
        ("bands__20200101T000000Z", 404),
        ("model__19990301T000000Z", 404),
        (f"nothing__{TIMES[0]}", 404),
    ],
)
def test_no_such_dataset(service, identifier, status):
    found = service.refused(f"CoverageId={identifier}", "DescribeCoverage")
    assert found[:3] == (status, "NoSuchCoverage", identifier)
    set_of = service.refused(f"eoId={identifier}", "DescribeEOCoverageSet")
    assert set_of[:3] == (status, "NoSuchDatasetSeriesOrCoverage", "eoId")


def test_a_dataset_has_no_time_to_be_trimmed(service):
    found = service.refused(f"CoverageId={SECOND}&SUBSET=ansi(2020-01-02)")
    assert found[:2] == (404, "InvalidAxisLabel")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("eoId=air", (AIR, ["air"], 5)),
        ("EOID=air,ocean", (AIR + OCEAN, ["air", "ocean"], 8)),
        (f"eoid={SECOND}", ([SECOND], [], 1)),
        (f"eoid={SECOND},air", ([SECOND, AIR[0], *AIR[2:]], ["air"], 5)),
        ("eoId=air&sections=CoverageDescriptions", (AIR, [], 4)),
        ("eoId=air&section=DatasetSeriesDescriptions", ([], ["air"], 1)),
        ("eoId=air&count=2", (AIR[:2], [], 5)),
        ("eoId=air&count=2&startIndex=3", (AIR[3:], ["air"], 5)),
        ("eoId=air&count=0", ([], [], 5)),
        ('eoId=air&subset=phenomenonTime("2020-01-02","2020-01-05")', (AIR[1:3], ["air"], 3)),
        ('eoId=air&subset=phenomenonTime("2020-01-02",*)&containment=CONTAINS', (AIR[1:], [], 3)),
        ("eoId=air&subset=Lat(60,70)", ([], [], 0)),
        ("eoId=air&subset=Lat(50,70)", (AIR, ["air"], 5)),
        ("eoId=air&subset=Lat(45,70)&containment=contains", ([], [], 0)),
        ("eoId=air&subset=Lat(30,70)&subset=Long(-20,20)&containment=contains", (AIR, ["air"], 5)),
        ("eoId=air&subset=long,http://www.opengis.net/def/crs/EPSG/0/4326(-99,-21)", ([], [], 0)),
        ("eoId=air&subset=phenomenonTime(2020-01-05T00:00Z,2020-01-06)", ([AIR[2]], ["air"], 2)),
        ("eoId=air&subset=x,http://www.opengis.net/def/crs/EPSG/0/4326(0,9)", (AIR, ["air"], 5)),
        ("eoId=ocean&subset=Long(-180,-175)", (OCEAN, ["ocean"], 3)),
        ("eoId=ocean&subset=Long(0,100)", ([], [], 0)),
        *((f"eoId=ocean&subset=Long({ends})", (OCEAN, ["ocean"], 3)) for ends in ROUND),
        *((f"eoId=air&subset=Long({ends})", ([], [], 0)) for ends in ROUND),
        ("eoId=ocean,air&subset=Long(*,-185)", (OCEAN + AIR, ["ocean", "air"], 8)),
        ("eoId=ocean,air&subset=Long(185,*)", (OCEAN + AIR, ["ocean", "air"], 8)),
        ("eoId=ocean&subset=Long(20,10)", (OCEAN, ["ocean"], 3)),
        ("eoId=air&subset=Long(-370,-350)", (AIR, ["air"], 5)),
        ("eoId=air&subset=Long(15,-50)&subset=Lat(0,90)", (AIR, ["air"], 5)),
        ("eoId=air&subset=Long(-1000,1000)&containment=contains", (AIR, ["air"], 5)),
        ("eoId=ocean&subset=Long(165,-165)&containment=contains", (OCEAN, ["ocean"], 3)),
        ("eoId=ocean&subset=Long(172,-165)&containment=contains", ([], [], 0)),
    ],
)
def test_sets(service, query, expected):
    assert found(service, query) == expected


@pytest.mark.xsd
def test_a_set_is_valid(strict_service, xsd_validator):
    root = strict_service.document("DescribeEOCoverageSet", "eoId=air,ocean")
    assert xsd_validator(etree.tostring(root)) == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "MissingParameterValue"),
        ("eoId=air&containment=touches", "InvalidParameterValue"),
        ("eoId=air&sections=Everything", "InvalidParameterValue"),
        ("eoId=air&count=-1", "InvalidParameterValue"),
        ("eoId=air&subset=depth(1,2)", "InvalidAxisLabel"),
        ("eoId=air&subset=Lat(50,40)", "InvalidSubsetting"),
        ("eoId=air&subset=Lat(1,2)&subset=lat(3,4)", "InvalidSubsetting"),
        ("eoId=air&subset=Lat(1,2,3)", "InvalidSubsetting"),
        ("eoId=air&subset=Lat(north,2)", "InvalidSubsetting"),
        ("eoId=air&subset=Lat(NaN,2)", "InvalidSubsetting"),
        ("eoId=air&subset=Long(1e308,-1e308)", "InvalidSubsetting"),
        ('eoId=air&subset=phenomenonTime("2020-02","2020-01")', "InvalidSubsetting"),
        ('eoId=air&subset=phenomenonTime("soon")', "InvalidSubsetting"),
        ('eoId=air&subset=phenomenonTime("2020-02-30")', "InvalidSubsetting"),
        ("eoId=air&subset=Long,EPSG:3857(1,2)", "SubsettingCrs-NotSupported"),
        ("eoId=bands", "NoSuchDatasetSeriesOrCoverage"),
        ("eoId=air,nothing", "NoSuchDatasetSeriesOrCoverage"),
    ],
)
def test_sets_that_are_refused(service, query, code):
    assert service.refused(query, "DescribeEOCoverageSet")[1] == code


POSTED = """<wcseo:DescribeEOCoverageSet xmlns:wcseo="{namespace}"
  xmlns:wcs="http://www.opengis.net/wcs/2.0" service="WCS" version="2.0.1" count="3">
  <wcseo:eoId>air</wcseo:eoId><wcseo:eoId>ocean</wcseo:eoId>
  <wcseo:containment>CONTAINS</wcseo:containment>
  <wcseo:Sections><wcseo:Section>CoverageDescriptions</wcseo:Section></wcseo:Sections>
  <wcs:DimensionTrim><wcs:Dimension>phenomenonTime</wcs:Dimension>
    <wcs:TrimLow>"2020-01-02"</wcs:TrimLow></wcs:DimensionTrim>
</wcseo:DescribeEOCoverageSet>"""
GET_COVERAGE = f"""<wcs:GetCoverage xmlns:wcs="http://www.opengis.net/wcs/2.0" service="WCS"
  version="2.0.1"><wcs:CoverageId>{SECOND}</wcs:CoverageId>
  <wcs:format>application/gml+xml</wcs:format></wcs:GetCoverage>"""
SOAP = "http://www.w3.org/2003/05/soap-envelope"


def posted(service, document):
    body = document.encode()
    return handle(service.context, Request("POST", "/wcs", (), {}, body, service.base_url))


def enveloped(service, document):
    """The only element in the body of the answer's envelope."""
    envelope = f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{document}</s:Body></s:Envelope>'
    response = posted(service, envelope)
    assert response.status == 200
    return response


@pytest.mark.parametrize(
    "namespace", ["http://www.opengis.net/wcs/wcseo/1.0", "http://www.opengis.net/wcs/wcseo/1.1"]
)
def test_sets_posted_and_in_soap_are_those_of_the_url(service, namespace):
    document = POSTED.format(namespace=namespace)
    query = (
        "eoId=air,ocean&containment=contains&sections=CoverageDescriptions&count=3"
        '&subset=phenomenonTime("2020-01-02",*)'
    )
    expected = service.ask("DescribeEOCoverageSet", query).body
    assert posted(service, document).body == expected
    (inner,) = etree.fromstring(enveloped(service, document).body).find(f"{{{SOAP}}}Body")
    assert same(inner, etree.fromstring(expected))
    assert texts(inner, ".//wcs:CoverageId") == [*AIR[1:], OCEAN[1]][:3]


def test_gml_posted_and_in_soap_is_that_of_the_url(service):
    query = f"CoverageId={SECOND}&format=application/gml%2Bxml"
    expected = body_of(service.get(query))
    assert body_of(posted(service, GET_COVERAGE)) == expected
    envelope = etree.fromstring(body_of(enveloped(service, GET_COVERAGE)))
    (inner,) = envelope.find(f"{{{SOAP}}}Body")
    assert same(inner, etree.fromstring(expected))


def test_the_report_of_an_unknown_operation_lists_the_four(service):
    status, code, _, text = report(service.ask("DescribeSet"))
    assert (status, code) == (501, "OperationNotSupported")
    assert "DescribeEOCoverageSet" in text
