"""The same request by GET, as a document by POST and in a SOAP envelope: the same answer."""

import email
import email.policy

import pytest
from lxml import etree

from services.ows.transport import Request
from services.wcs.service import handle
from tests.protocol.wcs1.service import NS, Service, body_of, file_of

WCS20 = "http://www.opengis.net/wcs/2.0"
SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
EXTENSIONS = """<wcs:Extension
    xmlns:rsub="http://www.opengis.net/wcs/range-subsetting/1.0"
    xmlns:scal="http://www.opengis.net/WCS_service-extension_scaling/1.0"
    xmlns:int="http://www.opengis.net/WCS_service-extension_interpolation/1.0"
    xmlns:crs="http://www.opengis.net/wcs/crs/1.0">{}</wcs:Extension>"""


def get20(inside, extensions=""):
    extension = EXTENSIONS.format(extensions) if extensions else ""
    return (
        f'<wcs:GetCoverage xmlns:wcs="{WCS20}" service="WCS" version="2.0.1">'
        f"{extension}{inside}</wcs:GetCoverage>"
    )


AIR = """<wcs:CoverageId>
      air </wcs:CoverageId>
    <wcs:DimensionTrim><wcs:Dimension>Lat</wcs:Dimension><wcs:TrimLow>34</wcs:TrimLow>
      <wcs:TrimHigh>44</wcs:TrimHigh></wcs:DimensionTrim>
    <wcs:DimensionSlice><wcs:Dimension>ansi</wcs:Dimension>
      <wcs:SlicePoint>"2020-01-02"</wcs:SlicePoint></wcs:DimensionSlice>
    <wcs:format>image/tiff</wcs:format>"""
BANDS = "<wcs:CoverageId>bands</wcs:CoverageId><wcs:format>image/tiff</wcs:format>"
GET20 = "SERVICE=WCS&VERSION=2.0.1&REQUEST=GetCoverage"
KVP_AIR = f'{GET20}&COVERAGEID=air&SUBSET=Lat(34,44)&SUBSET=ansi("2020-01-02")&FORMAT=image/tiff'
KVP_BANDS = f"{GET20}&COVERAGEID=bands&FORMAT=image/tiff"
SIZE = "<scal:axis>{}</scal:axis><scal:targetSize>{}</scal:targetSize>"
GET10 = """<GetCoverage xmlns="http://www.opengis.net/wcs" xmlns:gml="http://www.opengis.net/gml"
    service="WCS" version="1.0.0"><sourceCoverage>bands</sourceCoverage>
  <domainSubset><spatialSubset>
    <gml:Envelope srsName="EPSG:32632"><gml:pos>500000 4999800</gml:pos>
      <gml:pos>500300 5000000</gml:pos></gml:Envelope>
    <gml:Grid dimension="2"><gml:limits><gml:GridEnvelope><gml:low>0 0</gml:low>
      <gml:high>14 9</gml:high></gml:GridEnvelope></gml:limits>
      <gml:axisName>x</gml:axisName><gml:axisName>y</gml:axisName></gml:Grid>
  </spatialSubset></domainSubset>
  <rangeSubset><axisSubset name="Band"><singleValue>2</singleValue></axisSubset></rangeSubset>
  <interpolationMethod>nearest neighbor</interpolationMethod>
  <output><crs>EPSG:32632</crs><format>GeoTIFF</format></output></GetCoverage>"""
KVP10 = (
    "SERVICE=WCS&VERSION=1.0.0&REQUEST=GetCoverage&COVERAGE=bands&CRS=EPSG:32632&Band=2&"
    "BBOX=500000,4999800,500300,5000000&WIDTH=15&HEIGHT=10&FORMAT=GeoTIFF"
)
DEEP10 = """<GetCoverage xmlns="http://www.opengis.net/wcs" xmlns:gml="http://www.opengis.net/gml"
    service="WCS" version="1.0.0"><sourceCoverage>ocean</sourceCoverage>
  <domainSubset><spatialSubset>
    <gml:Envelope srsName="EPSG:4326"><gml:pos>170 -5 5</gml:pos>
      <gml:pos>190 5 50</gml:pos></gml:Envelope>
    <gml:RectifiedGrid dimension="2"><gml:offsetVector>1 0</gml:offsetVector>
      <gml:offsetVector>0 -1</gml:offsetVector></gml:RectifiedGrid></spatialSubset>
    <temporalSubset><gml:timePosition>2020-01-02</gml:timePosition></temporalSubset></domainSubset>
  <output><crs>EPSG:4326</crs><format>CSV</format></output></GetCoverage>"""
DEEP_KVP10 = (
    "SERVICE=WCS&VERSION=1.0.0&REQUEST=GetCoverage&COVERAGE=ocean&CRS=EPSG:4326&TIME=2020-01-02&"
    "BBOX=170,-5,190,5,5,50&RESX=1&RESY=1&FORMAT=CSV"
)
GET11 = """<GetCoverage xmlns="http://www.opengis.net/wcs/1.1.1" service="WCS" version="1.1.1"
    xmlns:ows="http://www.opengis.net/ows/1.1" xmlns:gml="http://www.opengis.net/gml">
  <ows:Identifier>ocean</ows:Identifier>
  <DomainSubset><ows:BoundingBox crs="urn:ogc:def:crs:OGC:1.3:CRS84">
    <ows:LowerCorner>170.5 -4.5</ows:LowerCorner><ows:UpperCorner>189.5 4.5</ows:UpperCorner>
    </ows:BoundingBox>
    <TemporalSubset><gml:timePosition>2020-01-02</gml:timePosition></TemporalSubset></DomainSubset>
  <RangeSubset><FieldSubset><ows:Identifier>contents</ows:Identifier>
    <InterpolationType>linear</InterpolationType>
    <AxisSubset><Identifier>bands</Identifier><Key>v</Key></AxisSubset>
    <AxisSubset><Identifier>depth</Identifier><Key>10</Key></AxisSubset>
    </FieldSubset></RangeSubset>
  <Output format="image/tiff" store="false"><GridCRS>
    <GridBaseCRS>urn:ogc:def:crs:OGC:1.3:CRS84</GridBaseCRS>
    <GridOffsets>2 -2</GridOffsets></GridCRS></Output></GetCoverage>"""
KVP11 = (
    "SERVICE=WCS&VERSION=1.1.1&REQUEST=GetCoverage&IDENTIFIER=ocean&TimeSequence=2020-01-02&"
    "BoundingBox=170.5,-4.5,189.5,4.5,urn:ogc:def:crs:OGC:1.3:CRS84&"
    "RangeSubset=contents:linear[bands[v],depth[10]]&FORMAT=image/tiff&"
    "GridBaseCRS=urn:ogc:def:crs:OGC:1.3:CRS84&GridOffsets=2,-2"
)


def post(context, document, query=(), media_type="text/xml"):
    body = document if isinstance(document, bytes) else document.encode()
    headers = {"content-type": media_type}
    return handle(context, Request("POST", "/wcs", query, headers, body, Service.base_url))


def enveloped(document, namespace=SOAP12):
    return f'<s:Envelope xmlns:s="{namespace}"><s:Header/><s:Body>{document}</s:Body></s:Envelope>'


@pytest.mark.parametrize(
    ("kvp", "document"),
    [
        (KVP_AIR, get20(AIR)),
        (KVP_BANDS, get20(BANDS)),
        (
            f"{KVP_BANDS}&RANGESUBSET=B04,B02:B03",
            get20(
                BANDS,
                "<rsub:RangeSubset><rsub:RangeItem><rsub:RangeComponent>B04</rsub:RangeComponent>"
                "</rsub:RangeItem><rsub:RangeItem><rsub:RangeInterval>"
                "<rsub:startComponent>B02</rsub:startComponent>"
                "<rsub:endComponent>B03</rsub:endComponent>"
                "</rsub:RangeInterval></rsub:RangeItem></rsub:RangeSubset>",
            ),
        ),
        (
            f"{KVP_AIR}&SCALEFACTOR=0.5",
            get20(
                AIR,
                "<scal:Scaling><scal:ScaleByFactor><scal:scaleFactor>0.5</scal:scaleFactor>"
                "</scal:ScaleByFactor></scal:Scaling>",
            ),
        ),
        (
            f"{KVP_AIR}&SCALEAXES=Long(0.5)",
            get20(
                AIR,
                "<scal:Scaling><scal:ScaleAxesByFactor><scal:ScaleAxis><scal:axis>Long</scal:axis>"
                "<scal:scaleFactor>0.5</scal:scaleFactor></scal:ScaleAxis>"
                "</scal:ScaleAxesByFactor></scal:Scaling>",
            ),
        ),
        (
            f"{KVP_AIR}&SCALESIZE=Long(7),Lat(3)",
            get20(
                AIR,
                "<scal:Scaling><scal:ScaleToSize>"
                f"<scal:TargetAxisSize>{SIZE.format('Long', 7)}</scal:TargetAxisSize>"
                f"<scal:TargetAxisSize>{SIZE.format('Lat', 3)}</scal:TargetAxisSize>"
                "</scal:ScaleToSize></scal:Scaling>",
            ),
        ),
        (
            f"{KVP_AIR}&SCALEEXTENT=Long(0:3),Lat(0:2)",
            get20(
                AIR,
                "<scal:Scaling><scal:ScaleToExtent><scal:TargetAxisExtent><scal:axis>Long"
                "</scal:axis><scal:low>0</scal:low><scal:high>3</scal:high>"
                "</scal:TargetAxisExtent><scal:TargetAxisExtent><scal:axis>Lat</scal:axis>"
                "<scal:low>0</scal:low><scal:high>2</scal:high></scal:TargetAxisExtent>"
                "</scal:ScaleToExtent></scal:Scaling>",
            ),
        ),
        (
            f"{KVP_BANDS}&OUTPUTCRS=EPSG:4326&INTERPOLATION=linear",
            get20(
                BANDS,
                "<crs:outputCrs>http://www.opengis.net/def/crs/EPSG/0/4326</crs:outputCrs>"
                "<int:Interpolation><int:globalInterpolation>"
                "http://www.opengis.net/def/interpolation/OGC/1/linear"
                "</int:globalInterpolation></int:Interpolation>",
            ),
        ),
        (KVP10, GET10),
        (DEEP_KVP10, DEEP10),
        (KVP11, GET11),
    ],
)
@pytest.mark.parametrize("namespace", ["", SOAP11, SOAP12])
def test_coverages(context, wcs10, kvp, document, namespace):
    expected = wcs10.raw(kvp)
    assert expected.status == 200, expected.body
    if not namespace:
        assert body_of(post(context, document)) == body_of(expected)
        return
    answer = post(context, enveloped(document, namespace), media_type="application/soap+xml")
    assert answer.status == 200
    head = f"Content-Type: {answer.media_type}\r\n\r\n".encode()
    message = email.message_from_bytes(head + body_of(answer), policy=email.policy.HTTP)
    envelope, file = (part.get_payload(decode=True) for part in message.iter_parts())
    assert etree.fromstring(envelope).tag == f"{{{namespace}}}Envelope"
    assert file == file_of(expected)


@pytest.mark.parametrize(
    ("kvp", "document"),
    [
        (
            "VERSION=2.0.1&REQUEST=DescribeCoverage&COVERAGEID=air,bands",
            (
                f'<DescribeCoverage xmlns="{WCS20}" service="WCS" version="2.0.1">'
                "<CoverageId>air</CoverageId><CoverageId> bands\n</CoverageId></DescribeCoverage>"
            ),
        ),
        (
            "REQUEST=GetCapabilities&AcceptVersions=2.0.1&Sections=Contents",
            (
                f'<GetCapabilities xmlns="{WCS20}" xmlns:o="http://www.opengis.net/ows/2.0" '
                'service="WCS"><o:AcceptVersions><o:Version>2.0.1</o:Version></o:AcceptVersions>'
                "<o:Sections><o:Section>Contents</o:Section></o:Sections></GetCapabilities>"
            ),
        ),
        (
            "VERSION=1.0.0&REQUEST=DescribeCoverage&COVERAGE=air,bands",
            (
                '<DescribeCoverage xmlns="http://www.opengis.net/wcs" service="WCS" '
                'version="1.0.0">'
                "<Coverage>air</Coverage><Coverage>bands</Coverage></DescribeCoverage>"
            ),
        ),
        (
            "VERSION=1.0.0&REQUEST=GetCapabilities&SECTION=/WCS_Capabilities/Service",
            (
                '<GetCapabilities xmlns="http://www.opengis.net/wcs" service="WCS" version="1.0.0">'
                "<section>/WCS_Capabilities/Service</section></GetCapabilities>"
            ),
        ),
        (
            "VERSION=1.1.1&REQUEST=DescribeCoverage&IDENTIFIERS=air,bands",
            (
                '<DescribeCoverage xmlns="http://www.opengis.net/wcs/1.1.1" service="WCS" '
                'version="1.1.1"><Identifier>air</Identifier><Identifier>bands</Identifier>'
                "</DescribeCoverage>"
            ),
        ),
        (
            "VERSION=1.1.2&REQUEST=GetCapabilities",
            '<GetCapabilities xmlns="http://www.opengis.net/wcs/1.1" service="WCS"/>',
        ),
    ],
)
def test_documents(context, wcs10, kvp, document):
    expected = wcs10.raw(f"SERVICE=WCS&{kvp}")
    assert expected.status == 200
    assert post(context, document).body == expected.body
    answer = post(context, enveloped(document))
    assert answer.media_type == "application/soap+xml"
    inner = etree.fromstring(answer.body)[0][0]
    assert etree.tostring(inner, method="c14n2", strip_text=True, exclusive=True) == etree.tostring(
        etree.fromstring(expected.body), method="c14n2", strip_text=True, exclusive=True
    )


def test_parameters_of_the_url_beside_a_document(context, wcs10):
    query = (("COVERAGEID", "other"), ("compression", "deflate"))
    assert body_of(post(context, get20(AIR), query)) == body_of(
        wcs10.raw(f"{KVP_AIR}&compression=deflate")
    )


def test_parameters_of_this_server_in_an_extension(context, wcs10):
    document = get20(
        AIR.partition("<wcs:DimensionSlice>")[0], "<AGG>mean</AGG><PERIOD>month</PERIOD>"
    )
    kvp = f"{GET20}&COVERAGEID=air&SUBSET=Lat(34,44)&AGG=mean&PERIOD=month"
    first, second = post(context, document), wcs10.raw(kvp)
    assert first.status == second.status == 200
    assert first.header("ETag") == second.header("ETag")


@pytest.mark.parametrize(
    "document",
    [
        "<",
        "<a/>",
        "<wcs:GetMap xmlns:wcs='http://www.opengis.net/wcs/2.0' service='WCS'/>",
        enveloped(""),
        enveloped("<x/>"),
        get20(AIR, "<scal:Scaling><scal:Other/></scal:Scaling>"),
        get20("<wcs:CoverageId/>"),
        get20(AIR).replace('version="2.0.1"', ""),
        GET10.replace("14 9", "a b"),
        GET10.replace("14 9", "-3 -4"),
        GET11.replace("2 -2", "2 2 2"),
        "<!DOCTYPE x [<!ENTITY a 'air'>]>" + get20(AIR.replace("air", "&a;")),
        "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" + get20(AIR.replace("air", "&a;")),
        "<!DOCTYPE x SYSTEM 'http://127.0.0.1:9/x.dtd'>" + get20(AIR),
        get20(AIR.replace("air", "&undeclared;")),
        get20("<a>" * 100_000),
        get20("<a>" * 5000 + "</a>" * 5000),
        b"\xff\xfe<\x00",
        get20(AIR).encode().replace(b"air", b"\xe9"),
        get20("<wcs:CoverageId>" + "x" * 2_000_000 + "</wcs:CoverageId>"),
    ],
)
def test_refusals(context, document):
    answer = post(context, document)
    assert answer.status in {200, 400, 404}
    root = etree.fromstring(answer.body)
    assert b"Exception" in answer.body
    assert b"root:" not in answer.body
    assert root is not None


def test_a_bomb_of_entities(context):
    levels = "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "lol">' for n in range(10)
    )
    answer = post(context, f"<!DOCTYPE l [{levels}]>" + get20(AIR.replace("air", "&l9;")))
    assert answer.status == 400


def test_a_refusal_in_an_envelope_is_a_fault(context):
    document = get20("<wcs:CoverageId>none</wcs:CoverageId>")
    answer = post(context, enveloped(document))
    assert answer.status == 404
    root = etree.fromstring(answer.body)
    assert root.find(f".//{{{SOAP12}}}Value").text == "soap:Sender"
    assert root.find(".//{http://www.opengis.net/ows/2.0}Exception").get("exceptionCode") == (
        "NoSuchCoverage"
    )
    reason = root.find(f".//{{{SOAP12}}}Text").text
    assert reason == root.find(".//{http://www.opengis.net/ows/2.0}ExceptionText").text
    older = post(context, enveloped(document, SOAP11))
    assert older.status == 500  # SOAP 1.1, 6.2
    old = etree.fromstring(older.body)
    assert (old.find(".//faultcode").text, old.find(".//faultstring").text) == (
        "soap:Client",
        reason,
    )


@pytest.mark.parametrize("inside", ["", "<a/>", "<a/><b/>", "text"])
@pytest.mark.parametrize(("namespace", "status"), [(SOAP11, 500), (SOAP12, 400)])
def test_an_envelope_without_a_request_of_ours_is_answered_in_one(
    context, inside, namespace, status
):
    answer = post(context, enveloped(inside, namespace))
    assert answer.status == status
    root = etree.fromstring(answer.body)
    assert root.find(f"{{{namespace}}}Body/{{{namespace}}}Fault") is not None


def test_what_stands_beside_the_request_in_an_envelope(context):
    document = get20(AIR)
    expected = body_of(post(context, enveloped(document)))
    assert body_of(post(context, enveloped(f"<!-- a remark -->{document}"))) == expected
    assert post(context, enveloped(document * 2)).status == 400


def test_forms(context, wcs10):
    body = f"{KVP10}".encode()
    media_type = "application/x-www-form-urlencoded"
    assert body_of(post(context, body, media_type=media_type)) == body_of(wcs10.raw(KVP10))


def test_the_bindings_are_told(context):
    root = etree.fromstring(Service(context, "2.0.1").ask("GetCapabilities").body)
    ows = {"ows": "http://www.opengis.net/ows/2.0", "x": NS["xlink"]}
    urls = {one.get(f"{{{NS['xlink']}}}href") for one in root.findall(".//ows:Post", ows)}
    assert urls == {"https://data.example.org/cubes/wcs"}
    path = "ows:OperationsMetadata/ows:Constraint/ows:AllowedValues/ows:Value"
    assert [one.text for one in root.findall(path, ows)] == ["XML", "SOAP"]
