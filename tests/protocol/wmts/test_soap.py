"""Envelopes: the operations of KVP, their answers and faults."""

from base64 import b64decode

import pytest
from lxml import etree

from services.ows.transport import Request
from services.wmts import service
from tests.protocol.pictures import BASE

OLDER = ("http://schemas.xmlsoap.org/soap/envelope/", "text/xml")
NEWER = ("http://www.w3.org/2003/05/soap-envelope", "application/soap+xml")
NS = {"t": "http://www.opengis.net/wmts/1.0", "ows": "http://www.opengis.net/ows/1.1"}
TILE = """
<GetTile xmlns="http://www.opengis.net/wmts/1.0" service="WMTS" version="1.0.0">
  <Layer>globe.v</Layer><Style>exact</Style><Format>image/png</Format>
  <DimensionNameValue name="time">2020-01-02</DimensionNameValue>
  <TileMatrixSet>WebMercatorQuad</TileMatrixSet><TileMatrix>1</TileMatrix>
  <TileRow>{row}</TileRow><TileCol>1</TileCol>
</GetTile>"""
INFO = f"""
<GetFeatureInfo xmlns="http://www.opengis.net/wmts/1.0" service="WMTS" version="1.0.0">
  {TILE.format(row=0)}<J>10</J><I>20</I><InfoFormat>application/json</InfoFormat>
</GetFeatureInfo>"""
CAPABILITIES = """
<GetCapabilities xmlns="http://www.opengis.net/wmts/1.0" service="WMTS"
    xmlns:ows="http://www.opengis.net/ows/1.1">
  <ows:AcceptVersions><ows:Version>1.0.0</ows:Version></ows:AcceptVersions>
  <ows:Sections><ows:Section>Contents</ows:Section>
    <ows:Section>ServiceProvider</ows:Section></ows:Sections>
</GetCapabilities>"""
KVP = (
    "SERVICE=WMTS&VERSION=1.0.0&LAYER=globe.v&STYLE=exact&FORMAT=image/png&TIME=2020-01-02"
    "&TILEMATRIXSET=WebMercatorQuad&TILEMATRIX=1&TILEROW=0&TILECOL=1"
)


def said(context, soap, body):
    namespace, media_type = soap
    document = f'<s:Envelope xmlns:s="{namespace}"><s:Body>{body}</s:Body></s:Envelope>'
    request = Request(
        "POST", "/wmts", (), {"content-type": f"{media_type}; x=1"}, document.encode(), BASE
    )
    response = service.handle(context, request)
    assert response.media_type == media_type
    root = etree.fromstring(response.body)
    assert root.tag == f"{{{namespace}}}Envelope"
    return response.status, root.find(f"{{{namespace}}}Body")[0]


@pytest.mark.parametrize("soap", [OLDER, NEWER])
def test_a_tile(context, wmts, soap):
    status, payload = said(context, soap, TILE.format(row=0))
    assert (status, payload.findtext("t:Format", None, NS)) == (200, "image/png")
    plain = wmts.raw(f"{KVP}&REQUEST=GetTile")
    assert b64decode(payload.findtext("t:BinaryContent", None, NS)) == plain.body


def test_values(context, wmts):
    _, found = said(context, NEWER, INFO)
    assert found.findtext("t:TextPayload/t:Format", None, NS) == "application/json"
    plain = wmts.raw(f"{KVP}&REQUEST=GetFeatureInfo&J=10&I=20&INFOFORMAT=application/json")
    assert found.findtext("t:TextPayload/t:TextContent", None, NS) == plain.body.decode()


def test_capabilities(context):
    _, found = said(context, NEWER, CAPABILITIES)
    assert found.tag == f"{{{NS['t']}}}Capabilities"
    assert found.find("t:Contents/t:Layer", NS) is not None
    assert found.find("ows:ServiceProvider", NS) is not None
    assert found.find("ows:OperationsMetadata", NS) is None


@pytest.mark.parametrize(("soap", "status"), [(OLDER, 500), (NEWER, 400)])
def test_faults_hold_the_report(context, soap, status):
    answered, fault = said(context, soap, TILE.format(row=9))
    assert answered == status
    (exception,) = fault.iter(f"{{{NS['ows']}}}Exception")
    assert (exception.get("exceptionCode"), exception.get("locator")) == (
        "TileOutOfRange",
        "TileRow",
    )


@pytest.mark.parametrize(
    "body", ["<a/><b/>", "", "<GetTile service='WMTS'/>", "<Bogus service='WMTS'/>", "<GetTile/>"]
)
@pytest.mark.parametrize(("soap", "status"), [(OLDER, 500), (NEWER, 400)])
def test_what_is_no_operation_is_a_fault(context, body, soap, status):
    """Of the same kind as the envelope, however little is in it."""
    assert said(context, soap, body)[0] == status


def test_what_is_no_envelope_is_a_fault(context):
    headers = {"content-type": "text/xml"}
    for document in (b"<a/>", b"<a", b'<!DOCTYPE a><a xmlns="x"/>'):
        request = Request("POST", "/wmts", (), headers, document, BASE)
        assert service.handle(context, request).status == 400
