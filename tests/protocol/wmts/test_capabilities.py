"""The capabilities document: valid, complete, and read by OWSLib."""

import pytest
from owslib.wmts import WebMapTileService

from datacube.config.settings import Config, CubeSettings, ServerSettings, TimePolicy
from datacube.engine.context import open_context
from services.wmts import service
from tests.cubes import make_cube
from tests.protocol.pictures import BASE, Maps, rgba, root_of

NS = {
    "t": "http://www.opengis.net/wmts/1.0",
    "ows": "http://www.opengis.net/ows/1.1",
    "xlink": "http://www.w3.org/1999/xlink",
}
HREF = f"{{{NS['xlink']}}}href"
GET = "SERVICE=WMTS&REQUEST=GetCapabilities"


@pytest.fixture(scope="module")
def root(wmts):
    return root_of(wmts.raw(GET))


def layer(root, name):
    layers = root.findall("t:Contents/t:Layer", NS)
    (found,) = (one for one in layers if one.findtext("ows:Identifier", None, NS) == name)
    return found


def texts(element, path):
    return [one.text for one in element.findall(path, NS)]


@pytest.mark.parametrize(
    "query",
    [
        GET,
        f"{GET}&VERSION=1.0.0",
        f"{GET}&AcceptVersions=1.0.0",
        "request=getcapabilities&SeRvIcE=wmts&unknown=1",
        f"{GET}&Sections=All",
        f"{GET}&Sections=Contents,OperationsMetadata",
        f"{GET}&Sections=",
        f"{GET}&time=2020-01-02",
    ],
)
def test_is_schema_valid(wmts, xsd_validator, query):
    response = wmts.raw(query)
    assert (response.status, response.media_type) == (200, "application/xml")
    assert response.header("Cache-Control") == "public, max-age=30"
    assert xsd_validator(response.body) == []
    assert root_of(response).get("version") == "1.0.0"


def test_the_restful_document_ignores_its_query(wmts):
    url = f"{BASE}/wmts/1.0.0/WMTSCapabilities.xml"
    plain = wmts.rest(url)
    assert root_of(plain).get("version") == "1.0.0"
    assert wmts.rest(f"{url}?service=WMTS&request=GetCapabilities&version=1.0.0").body == plain.body
    assert wmts.rest(url, if_none_match=plain.header("ETag")).status == 304


def test_sections(wmts):
    root = root_of(wmts.raw(f"{GET}&Sections=Contents"))
    assert root.find("t:Contents", NS) is not None
    assert root.find("ows:ServiceProvider", NS) is None
    whole = root_of(wmts.raw(f"{GET}&Sections=ServiceProvider,All"))
    assert whole.findtext("ows:ServiceProvider/ows:ProviderName", None, NS) == "Nobody & Sons"


def test_operations(root):
    for operation in root.findall("ows:OperationsMetadata/ows:Operation", NS):
        (kvp,) = operation.findall("ows:DCP/ows:HTTP/ows:Get", NS)
        assert kvp.get(HREF) == f"{BASE}/wmts?"
        assert texts(kvp, "ows:Constraint[@name='GetEncoding']//ows:Value") == ["KVP"]


def test_operations_of_the_restful_document(wmts):
    root = root_of(wmts.rest(f"{BASE}/wmts/1.0.0/WMTSCapabilities.xml"))
    for operation in root.findall("ows:OperationsMetadata/ows:Operation", NS):
        kvp, rest = operation.findall("ows:DCP/ows:HTTP/ows:Get", NS)
        assert kvp.get(HREF) == f"{BASE}/wmts?"
        assert texts(kvp, "ows:Constraint[@name='GetEncoding']//ows:Value") == ["KVP"]
        assert texts(rest, "ows:Constraint[@name='GetEncoding']//ows:Value") == ["RESTful"]


def test_sets(root):
    sets = {
        one.findtext("ows:Identifier", None, NS): one
        for one in root.findall("t:Contents/t:TileMatrixSet", NS)
    }
    assert list(sets)[:7] == [
        "WebMercatorQuad",
        "WorldCRS84Quad",
        "WGS1984Quad",
        "WebMercatorQuadx2",
        "EuropeanETRS89_LAEAQuad",
        "UPSArcticWGS84Quad",
        "UPSAntarcticWGS84Quad",
    ]
    assert "globe__native" in sets
    assert sets["WGS1984Quad"].findtext("t:TileMatrix/t:TopLeftCorner", None, NS) == "90 -180"
    laea = sets["EuropeanETRS89_LAEAQuad"]
    assert laea.findtext("ows:SupportedCRS", None, NS) == "urn:ogc:def:crs:EPSG::3035"
    assert laea.findtext("t:TileMatrix/t:TopLeftCorner", None, NS) == "5500000 2000000"
    web = sets["WebMercatorQuad"]
    assert web.findtext("ows:SupportedCRS", None, NS) == "urn:ogc:def:crs:EPSG::3857"
    scale = float(web.findtext("t:TileMatrix/t:ScaleDenominator", None, NS))
    assert scale == pytest.approx(559082264.0287178, rel=1e-9)
    geographic = sets["WorldCRS84Quad"]
    assert geographic.findtext("ows:SupportedCRS", None, NS) == "urn:ogc:def:crs:OGC:1.3:CRS84"
    assert geographic.findtext("t:TileMatrix/t:TopLeftCorner", None, NS) == "-180 90"
    scale = float(geographic.findtext("t:TileMatrix/t:ScaleDenominator", None, NS))
    assert scale == pytest.approx(279541132.0143589, rel=1e-9)


def test_time(root):
    time = layer(root, "globe.v").find("t:Dimension", NS)
    assert time.findtext("ows:Identifier", None, NS) == "time"
    assert time.findtext("t:Default", None, NS) == "2020-01-03"
    assert texts(time, "t:Value") == ["2020-01-01", "2020-01-02", "2020-01-03"]
    assert layer(root, "utm.v").find("t:Dimension", NS) is None
    assert texts(layer(root, "deep"), "t:Dimension/ows:Identifier") == [
        "time",
        "elevation",
        "scenario",
    ]
    odd = layer(root, "model.v").find("t:Dimension", NS)
    assert texts(odd, "t:Value") == ["1999-02-28T00:00:00Z/1999-03-01T00:00:00Z/P1D"]


def test_pinned_default(wmts):
    root = root_of(wmts.raw(f"{GET}&time=2020-01-02"))
    assert layer(root, "globe.v").findtext("t:Dimension/t:Default", None, NS) == "2020-01-02"
    assert wmts.raw(f"{GET}&time=x").status == 400


@pytest.mark.parametrize(("policy", "default"), [("now", "current"), ("latest", "2020-01-03")])
def test_the_default_is_what_is_shown_without_a_time(tmp_path, policy, default):
    make_cube(tmp_path, "days", times=("2020-01-01", "2020-01-03"), width=2, height=2)
    config = Config(cubes={"days": CubeSettings(time=TimePolicy(default=policy))})
    wmts = Maps(open_context(str(tmp_path), config), service, "/wmts")
    time = layer(root_of(wmts.raw(GET)), "days.v").find("t:Dimension", NS)
    assert time.findtext("t:Default", None, NS) == default


def test_templates_write_the_layer_out(root):
    templates = {
        one.get("format"): one.get("template")
        for one in layer(root, "globe.v").findall("t:ResourceURL", NS)
    }
    assert next(iter(templates)) == "image/png"
    tail = "{TileMatrixSet}/{TileMatrix}/{TileRow}/{TileCol}"
    assert templates["image/png"] == f"{BASE}/wmts/1.0.0/globe.v/{{Style}}/{{time}}/{tail}.png"
    info = f"{BASE}/wmts/1.0.0/globe.v/{{Style}}/{{time}}/{tail}/{{J}}/{{I}}.json"
    assert templates["application/json"] == info


def test_templates_lead_to_tiles(wmts, root):
    for name in ("globe.v", "deep", "utm"):
        one = layer(root, name)
        template = one.find("t:ResourceURL", NS).get("template")
        for dimension in one.findall("t:Dimension", NS):
            key = dimension.findtext("ows:Identifier", None, NS)
            template = template.replace(f"{{{key}}}", dimension.findtext("t:Default", None, NS))
        values = {"Style": "exact", "TileMatrixSet": "WebMercatorQuad", "TileMatrix": "0"}
        for key, value in (values | {"TileRow": "0", "TileCol": "0"}).items():
            template = template.replace(f"{{{key}}}", value)
        assert rgba(wmts.rest(template)).shape == (256, 256, 4)


def test_limits_lie_inside_and_are_above_zero(root):
    for link in layer(root, "utm").findall("t:TileMatrixSetLink", NS):
        limits = link.findall("t:TileMatrixSetLimits/t:TileMatrixLimits", NS)
        if link.findtext("t:TileMatrixSet", None, NS) == "utm__native":
            assert not limits
            continue
        assert limits[0].findtext("t:TileMatrix", None, NS) == "1"
        for one in limits:
            first, last = (int(one.findtext(f"t:{end}TileRow", None, NS)) for end in ("Min", "Max"))
            assert 0 <= first <= last
            assert last >= 1
    free = {
        link.findtext("t:TileMatrixSet", None, NS)
        for link in layer(root, "globe").findall("t:TileMatrixSetLink", NS)
        if link.find("t:TileMatrixSetLimits", NS) is None
    }
    assert free == {
        *("WebMercatorQuad", "WebMercatorQuadx2", "WorldCRS84Quad", "WGS1984Quad"),
        *("EuropeanETRS89_LAEAQuad", "globe__native"),
    }


def test_sets_are_linked_where_the_cube_lies(root):
    links = texts(layer(root, "utm"), "t:TileMatrixSetLink/t:TileMatrixSet")
    assert links == [
        *("WebMercatorQuad", "WorldCRS84Quad", "WGS1984Quad", "WebMercatorQuadx2"),
        *("EuropeanETRS89_LAEAQuad", "utm__native"),
    ]


def test_legends(root):
    legend = layer(root, "globe.v").find("t:Style/t:LegendURL", NS)
    assert legend.get("format") == "image/png"
    assert f"WIDTH={legend.get('width')}" in legend.get(HREF)


def test_owslib_reads_it(wmts):
    found = WebMapTileService(f"{BASE}/wmts", xml=wmts.raw(GET).body)
    one = found["globe.v"]
    assert one.dimensions["time"]["default"] == "2020-01-03"
    assert one.dimensions["time"]["values"] == ["2020-01-01", "2020-01-02", "2020-01-03"]
    assert {"WebMercatorQuad", "WorldCRS84Quad", "globe__native"} <= set(one.tilematrixsetlinks)
    assert one.formats == ["image/png", "image/jpeg", "image/webp"]
    assert "exact" in one.styles
    url = found.buildTileResource(
        layer="globe.v",
        style="exact",
        format="image/png",
        tilematrixset="WebMercatorQuad",
        tilematrix="0",
        row=0,
        column=0,
        time="2020-01-02",
    )
    assert rgba(wmts.rest(url)).shape == (256, 256, 4)


def test_one_cube_alone(wmts):
    found = root_of(wmts.raw(f"{GET}&CUBE=deep"))
    names = texts(found, "t:Contents/t:Layer/ows:Identifier")
    assert names == ["deep", "deep.v"]
    assert "globe__native" not in texts(found, "t:Contents/t:TileMatrixSet/ows:Identifier")
    rest = root_of(wmts.rest(f"{BASE}/wmts/1.0.0/WMTSCapabilities.xml?cube=utm,deep"))
    assert len(texts(rest, "t:Contents/t:Layer/ows:Identifier")) == 4
    assert wmts.raw(f"{GET}&cube=nosuch").status == 400


def test_another_configuration_is_another_document(tmp_path):
    """After a restart with other words the old document is not called unchanged."""
    make_cube(tmp_path, "globe", times=None)
    documents = []
    for title, tag in (("First", ""), ("Second", ""), ("Second", "again")):
        context = open_context(str(tmp_path), Config(ServerSettings(title=title)))
        asked = {"if_none_match": documents[-1].header("ETag")} if documents else {}
        documents.append(Maps(context, service, "/wmts").raw(GET, **asked))
        assert documents[-1].status == (304 if tag else 200)
    assert b"Second" in documents[1].body
