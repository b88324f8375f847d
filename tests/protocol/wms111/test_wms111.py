"""What WMS 1.1.1 has otherwise: documents with a DTD, SRS, x before y, X and Y, its exceptions."""

import json

import numpy as np
import pytest
from lxml import etree
from owslib.wms import WebMapService

from tests.protocol.pictures import BASE, cells, rgba, root_of

CELLS = 10 * np.arange(5)[:, None] + np.arange(10)[None, :]
MAP = {
    "VERSION": "1.1.1",
    "REQUEST": "GetMap",
    "LAYERS": "globe.v",
    "STYLES": "exact",
    "SRS": "EPSG:4326",
    "BBOX": "-180,-90,180,90",
    "WIDTH": "10",
    "HEIGHT": "5",
    "FORMAT": "image/png",
    "TIME": "2020-01-01",
}
INFO = MAP | {
    "REQUEST": "GetFeatureInfo",
    "QUERY_LAYERS": "globe.v",
    "INFO_FORMAT": "application/json",
    "X": "3",
    "Y": "2",
}
SE_XML = "application/vnd.ogc.se_xml"


def ask(wms, start=MAP, **changes):
    pairs = start | changes
    return wms.pairs((name, value) for name, value in pairs.items() if value is not None)


@pytest.fixture(scope="module")
def document(wms):
    return wms.raw("SERVICE=WMS&VERSION=1.1.1&REQUEST=GetCapabilities")


def test_the_document_follows_its_dtd(document, xsd_validator):
    assert document.media_type == "application/vnd.ogc.wms_xml"
    assert document.header("Cache-Control") == "public, max-age=30"
    assert b'SYSTEM "http://schemas.opengis.net/wms/1.1.1/capabilities_1_1_1.dtd">' in document.body
    assert xsd_validator(document.body) == []
    root = root_of(document)
    assert (root.tag, root.get("version")) == ("WMT_MS_Capabilities", "1.1.1")
    assert root.findtext("Service/Name") == "OGC:WMS"


def test_layers_have_srs_boxes_with_x_first_and_extents(document):
    root = root_of(document)
    top = root.find("Capability/Layer")
    assert {"EPSG:4326", "EPSG:3857"} <= {one.text for one in top.findall("SRS")}
    assert not [one for one in root.iter("SRS") if one.text.startswith("CRS:")]
    assert dict(top.find("LatLonBoundingBox").attrib) == {
        "minx": "-180", "miny": "-90", "maxx": "180", "maxy": "90"
    }  # fmt: skip
    layer = next(one for one in root.iter("Layer") if one.findtext("Name") == "deep.v")
    box = next(one for one in layer.findall("BoundingBox") if one.get("SRS") == "EPSG:4326")
    assert (box.get("minx"), box.get("miny")) == ("-180", "-90")
    dimensions = [one.get("name") for one in layer.findall("Dimension")]
    assert dimensions == ["time", "elevation", "scenario"]
    assert [one.get("name") for one in layer.findall("Extent")] == dimensions
    assert layer.findall("Extent")[1].text == "0.5,10,100"
    assert layer.findall("Dimension")[1].get("unitSymbol") == "m"


def test_owslib_reads_it(document):
    wms = WebMapService(f"{BASE}/wms", version="1.1.1", xml=document.body)
    layer = wms.contents["globe.v"]
    assert layer.boundingBoxWGS84 == (-180.0, -90.0, 180.0, 90.0)
    assert "EPSG:3857" in layer.crsOptions
    assert layer.timepositions == ["2020-01-01T00:00:00Z/2020-01-03T00:00:00Z/P1D"]
    assert layer.defaulttimeposition == "2020-01-03T00:00:00Z"
    assert "image/png" in wms.getOperationByName("GetMap").formatOptions


def test_x_stands_before_y(wms):
    np.testing.assert_array_equal(cells(ask(wms, TRANSPARENT="TRUE")), CELLS)
    east = cells(ask(wms, BBOX="0,18,72,54", WIDTH="2", HEIGHT="1"))
    np.testing.assert_array_equal(east, [[15, 16]])


def test_the_same_picture_as_in_130(wms):
    new = {"VERSION": "1.3.0", "CRS": "EPSG:4326", "SRS": None, "BBOX": "-90,-180,90,180"}
    assert ask(wms, **new).body == ask(wms).body


@pytest.mark.parametrize("names", [("X", "Y"), ("I", "J")])
def test_values_at_a_pixel(wms, names):
    pixel = dict.fromkeys(("X", "Y")) | dict(zip(names, ("3", "2"), strict=True))
    (feature,) = json.loads(ask(wms, INFO, **pixel).body)["features"]
    assert feature["properties"]["value"] == 23


def test_a_form_in_a_post(wms):
    form = "&".join(f"{name.lower()}={value}" for name, value in MAP.items())
    assert wms.post(form).body == ask(wms).body


@pytest.mark.parametrize(
    ("start", "changes", "code"),
    [
        (MAP, {"SRS": "EPSG:99999999"}, "InvalidSRS"),
        (MAP, {"SRS": None}, None),
        (MAP, {"FORMAT": "image/unknown"}, "InvalidFormat"),
        (MAP, {"LAYERS": "nothing"}, "LayerNotDefined"),
        (MAP, {"STYLES": "nothing"}, "StyleNotDefined"),
        (MAP, {"TIME": "yesterday"}, "InvalidDimensionValue"),
        (MAP, {"BBOX": "180,-90,-180,90"}, None),
        (MAP, {"VERSION": "1.1.0"}, None),
        (MAP, {"REQUEST": "GetEverything"}, None),
        (INFO, {"X": "10"}, None),
        (INFO, {"QUERY_LAYERS": "nothing"}, "LayerNotDefined"),
    ],
)
def test_refusals_follow_their_dtd(wms, xsd_validator, start, changes, code):
    for spelling in (None, SE_XML, "XML", "BLANK" if start is INFO else "nonsense"):
        response = ask(wms, start, EXCEPTIONS=spelling, **changes)
        assert (response.status, response.media_type) == (200, SE_XML)
        assert response.header("Cache-Control") == "no-store"
        assert xsd_validator(response.body) == []
        root = etree.fromstring(response.body)
        assert (root.tag, root.get("version")) == ("ServiceExceptionReport", "1.1.1")
        assert root.find("ServiceException").get("code") == code


def test_refusals_as_pictures(wms):
    for spelling in ("application/vnd.ogc.se_blank", "BLANK"):
        blank = ask(wms, EXCEPTIONS=spelling, TIME="x", BGCOLOR="0xFF0000")
        assert (rgba(blank) == [255, 0, 0, 255]).all()
    for spelling in ("application/vnd.ogc.se_inimage", "INIMAGE"):
        words = ask(wms, EXCEPTIONS=spelling, TIME="x", WIDTH="200", HEIGHT="40")
        assert (rgba(words)[..., 0] < 128).any()


@pytest.mark.parametrize("version", ["1.1.1", "1.3.0"])
@pytest.mark.parametrize("spelling", ["JSON", "application/json"])
def test_refusals_as_json(wms, version, spelling):
    response = ask(wms, VERSION=version, CRS="EPSG:4326", EXCEPTIONS=spelling, STYLES="nothing")
    assert (response.status, response.media_type) == (200, "application/json")
    assert response.header("Cache-Control") == "no-store"
    (found,) = json.loads(response.body)["exceptions"]
    assert (found["code"], found["locator"]) == ("StyleNotDefined", "nothing")
    assert "its styles are exact" in found["text"]


def test_values_have_a_format_of_their_own_accord(wms):
    response = ask(wms, INFO, INFO_FORMAT=None)
    assert response.media_type == "text/plain"
    assert b"value: 23" in response.body


def test_the_older_name_of_the_version(wms):
    asked = ask(wms, VERSION=None, WMTVER="1.1.1")
    np.testing.assert_array_equal(cells(asked), CELLS)
    assert b"WMTVER=1.0.0 is not offered" in ask(wms, VERSION=None, WMTVER="1.0.0").body
