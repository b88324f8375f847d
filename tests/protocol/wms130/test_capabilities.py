"""The capabilities document: valid, complete, and read by OWSLib."""

import gzip
import time
from dataclasses import replace

import numpy as np
import pytest
from lxml import etree
from owslib.wms import WebMapService

from datacube.config.settings import Config
from datacube.engine.context import open_context
from datacube.engine.memo import Memo
from services.wms import service
from tests.cubes import make_cube
from tests.protocol.pictures import BASE, Maps, root_of

NS = {"w": "http://www.opengis.net/wms", "sld": "http://www.opengis.net/sld"}
XLINK = "{http://www.w3.org/1999/xlink}"


@pytest.fixture(scope="module")
def root(wms):
    return root_of(wms.raw("SERVICE=WMS&REQUEST=GetCapabilities"))


def layer(root, name):
    (found,) = (
        one for one in root.iter(f"{{{NS['w']}}}Layer") if one.findtext("w:Name", None, NS) == name
    )
    return found


def test_is_schema_valid(wms, xsd_validator):
    response = wms.raw("SERVICE=WMS&REQUEST=GetCapabilities")
    assert (response.status, response.media_type) == (200, "text/xml")
    assert response.header("Cache-Control") == "public, max-age=30"
    assert xsd_validator(response.body) == []


@pytest.mark.parametrize(
    ("version", "answered"),
    [
        ("", "1.3.0"),
        ("&version=1.3.0", "1.3.0"),
        ("&version=100.0.0", "1.3.0"),
        pytest.param(f"&version={'1' * 5000}", "1.3.0", id="digits"),
        ("&version=1.3.1", "1.3.0"),
        ("&version=1.2.0", "1.1.1"),
        ("&version=1.1.1", "1.1.1"),
        ("&VERSION=1.1.0", "1.1.1"),
        ("&version=0.0.0", "1.1.1"),
        ("&version=nonsense", "1.1.1"),
        ("&wmtver=1.0.0", "1.1.1"),
        ("&wmtver=1.0.0&version=1.3.0", "1.3.0"),
        ("&version=1.1.1&wmtver=1.3.0", "1.1.1"),
    ],
)
def test_every_version_is_answered(wms, version, answered):
    found = root_of(wms.raw("service=wms&request=GetCapabilities" + version))
    assert found.get("version") == answered


@pytest.mark.parametrize("name", ["CUBE=globe", "LAYERS=globe.v", "layer=globe"])
def test_one_cube_alone(wms, name):
    root = root_of(wms.raw(f"SERVICE=WMS&REQUEST=GetCapabilities&{name}"))
    names = [one.findtext("w:Name", None, NS) for one in root.iter(f"{{{NS['w']}}}Layer")]
    assert names == [None, None, "globe", "globe.v"]


def test_prefixes_that_clients_match(wms):
    body = wms.raw("SERVICE=WMS&REQUEST=GetCapabilities").body
    assert b"<WMS_Capabilities" in body
    assert b"<Layer queryable" in body
    assert b"xlink:href=" in body
    assert b"xsi:schemaLocation=" in body


def test_service(root):
    service_element = root.find("w:Service", NS)
    assert service_element.findtext("w:Name", None, NS) == "WMS"
    assert service_element.findtext("w:MaxWidth", None, NS) == "4096"
    assert service_element.findtext("w:LayerLimit", None, NS) == "16"
    assert service_element.findtext(".//w:ContactOrganization", None, NS) == "Nobody & Sons"
    hrefs = {
        one.get(f"{XLINK}href")
        for one in root.findall("w:Capability/w:Request//w:OnlineResource", NS)
    }
    assert hrefs == {f"{BASE}/wms?"}


def test_every_named_layer_is_complete(root):
    named = [one for one in root.iter(f"{{{NS['w']}}}Layer") if one.find("w:Name", NS) is not None]
    assert len(named) == 12
    for one in named:
        assert one.get("queryable") == "1"
        assert one[0].tag == f"{{{NS['w']}}}Name"
        codes = [crs.text for crs in one.findall("w:CRS", NS)]
        boxes = [box.get("CRS") for box in one.findall("w:BoundingBox", NS)]
        assert codes == boxes
        assert {"CRS:84", "EPSG:4326", "EPSG:3857"} <= set(codes)
        assert one.findtext("w:Attribution/w:Title", None, NS) == "© Nobody"
        assert len(one.findall("w:Style/w:LegendURL", NS)) >= 2


def test_common_crs_stand_on_the_root(root):
    assert [crs.text for crs in root.findall("w:Capability/w:Layer/w:CRS", NS)] == [
        "EPSG:4326",
        "CRS:84",
        "EPSG:3857",
    ]


def test_boxes(root):
    utm = layer(root, "utm")
    assert utm.find("w:CRS", NS).text == "EPSG:32632"
    own = utm.find("w:BoundingBox[@CRS='EPSG:32632']", NS).attrib
    assert (own["minx"], own["miny"]) == ("500000", "5000000")
    world = utm.find("w:EX_GeographicBoundingBox", NS)
    west, east, south, north = (float(edge.text) for edge in world)
    epsg = {
        k: v if k == "CRS" else float(v)
        for k, v in utm.find("w:BoundingBox[@CRS='EPSG:4326']", NS).attrib.items()
    }
    assert (epsg["minx"], epsg["miny"], epsg["maxx"], epsg["maxy"]) == (south, west, north, east)
    crs84 = utm.find("w:BoundingBox[@CRS='CRS:84']", NS).attrib
    assert (float(crs84["minx"]), float(crs84["miny"])) == (west, south)
    around = layer(root, "around").find("w:EX_GeographicBoundingBox", NS)
    assert [edge.text for edge in around] == ["-180", "180", "-90", "90"]


def dimension(root, name, which):
    return layer(root, name).find(f"w:Dimension[@name='{which}']", NS)


def test_time(root):
    time_element = dimension(root, "globe.v", "time")
    assert time_element.text == "2020-01-01T00:00:00Z/2020-01-03T00:00:00Z/P1D"
    assert dict(time_element.attrib) == {
        "name": "time",
        "units": "ISO8601",
        "default": "2020-01-03T00:00:00Z",
        "multipleValues": "1",
        "nearestValue": "1",
        "current": "1",
    }
    assert dimension(root, "utm.v", "time") is None


def test_a_date_that_parsers_refuse_is_not_listed(root):
    text = dimension(root, "model.v", "time").text
    assert "02-29" not in text
    assert "02-30" not in text
    assert text == "1999-02-28T00:00:00Z/1999-03-01T00:00:00Z/P1D"


def test_elevation_and_others(root):
    depth = dimension(root, "deep", "elevation")
    assert depth.text == "0.5,10,100"
    assert (depth.get("units"), depth.get("default")) == ("m", "0.5")
    assert dimension(root, "deep", "scenario").text == "a1b,e1"


def test_etag(wms):
    first = wms.raw("SERVICE=WMS&REQUEST=GetCapabilities")
    again = wms.raw("SERVICE=WMS&REQUEST=GetCapabilities", if_none_match=first.header("ETag"))
    assert again.status == 304


def test_owslib_reads_it(wms):
    body = wms.raw("SERVICE=WMS&REQUEST=GetCapabilities").body
    found = WebMapService(f"{BASE}/wms", xml=body, version="1.3.0")
    assert "globe.v" in found.contents
    one = found["globe.v"]
    assert one.timepositions == ["2020-01-01T00:00:00Z/2020-01-03T00:00:00Z/P1D"]
    assert one.defaulttimeposition == "2020-01-03T00:00:00Z"
    assert one.boundingBoxWGS84 == (-180, -90, 180, 90)
    assert "exact" in one.styles
    assert found.getOperationByName("GetMap").formatOptions[0] == "image/png"


def test_a_long_irregular_axis_is_compact(tmp_path):
    rng = np.random.default_rng(7)
    hours = np.unique(rng.integers(0, 300_000, 3_000))
    texts = (np.datetime64("2000-01-01T00") + hours).astype("datetime64[s]").astype(str)
    make_cube(tmp_path, "long", times=tuple(texts), width=2, height=2)
    context = open_context(str(tmp_path), Config())
    maps = Maps(context, service, "/wms")
    maps.raw("SERVICE=WMS&REQUEST=GetCapabilities")
    start = time.perf_counter()
    body = maps.raw("SERVICE=WMS&REQUEST=GetCapabilities").body
    assert time.perf_counter() - start < 1
    assert len(gzip.compress(body)) < 100_000
    text = dimension(
        root_of(maps.raw("SERVICE=WMS&REQUEST=GetCapabilities")), "long.v", "time"
    ).text
    ranges = [part.split("/") for part in text.split(",")]
    assert all(len(one) == 3 for one in ranges)
    assert ranges[0][0] == f"{texts[0]}Z"
    assert ranges[-1][1] == f"{texts[-1]}Z"


@pytest.fixture(scope="module")
def charted(context):
    """Lists what only the server's own schema knows."""
    settings = replace(context.settings, wms_charts=True)
    return Maps(replace(context, settings=settings), service, "/wms")


def test_charts_are_operations_of_a_namespace_with_a_schema(charted, wms, xsd_validator):
    root = root_of(charted.raw("SERVICE=WMS&VERSION=1.3.0&REQUEST=GetCapabilities"))
    request = root.find("w:Capability/w:Request", NS)
    own = [one for one in request if etree.QName(one).namespace == "urn:datacube:wms"]
    names = [etree.QName(one).localname for one in own]
    assert names[:2] == ["GetTimeseries", "GetVerticalProfile"]
    assert "text/csv" in [one.text for one in own[0].findall("w:Format", NS)]
    pairs = root.get("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation").split()
    url = dict(zip(pairs[::2], pairs[1::2], strict=True))["urn:datacube:wms"]
    schema = root_of(charted.raw(url.partition("?")[2]))
    assert schema.get("targetNamespace") == "urn:datacube:wms"
    assert schema.nsmap["wms"] == NS["w"]
    declared = {one.get("name"): one.get("substitutionGroup") for one in schema[1:]}
    assert declared == dict.fromkeys(names, "wms:_ExtendedOperation")
    for one in own:
        request.remove(one)
    assert xsd_validator(etree.tostring(root)) == []


def test_the_older_version_has_no_place_for_charts(charted, xsd_validator):
    body = charted.raw("SERVICE=WMS&VERSION=1.1.1&REQUEST=GetCapabilities").body
    assert xsd_validator(body) == []
    assert b"GetTimeseries" not in body
    assert b"<DescribeLayer>" in body
    assert b"<GetStyles>" in body


def test_styles_may_be_sent(root):
    said = root.find("w:Capability/sld:UserDefinedSymbolization", NS)
    assert (said.get("SupportSLD"), said.get("UserStyle")) == ("1", "1")


@pytest.mark.parametrize("version", ["1.3.0", "1.1.1"])
def test_only_the_pictures_of_cubes(context, version, xsd_validator):
    config = Config(replace(context.settings, wms_layers="cubes"))
    maps = Maps(replace(context, settings=config.server, bodies=Memo(4)), service, "/wms")
    body = maps.raw(f"SERVICE=WMS&VERSION={version}&REQUEST=GetCapabilities").body
    assert xsd_validator(body) == []
    top = etree.fromstring(body).find("{*}Capability/{*}Layer")
    layers = top.findall("{*}Layer")
    assert [one.findtext("{*}Name") for one in layers] == [
        "around",
        "deep",
        "globe",
        "holes",
        "model",
        "utm",
    ]
    assert [one for layer in layers for one in layer.findall("{*}Layer")] == []
