"""Whatever is asked, the answer is a picture, values, a document or a report: never a failure."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.protocol.wms130.test_errors import INFO, MAP

NASTY = [
    "",
    " ",
    "0",
    "-1",
    "1e308",
    "-1e308,-1e308,1e308,1e308",
    "0,0,1e-300,1e-300",
    "NaN",
    "inf,inf,inf,inf",
    "1_0",
    "\x00",
    "'\"<>&%",
    "../../etc/passwd",
    "\N{ARABIC-INDIC DIGIT FIVE}",
    "\N{SUPERSCRIPT TWO}",
    "2020-01-01/2020-01-02/PT0S",
    "9999-12-31T23:59:59Z",
    "999999-12-31",
    "-99999-01-01",
    "0000-01-01T00:00:00Z/9999-12-31T23:59:59Z",
    "P999999Y/2020",
    "2020/P99999999999D",
    "current/current",
    ",".join(["globe"] * 40),
    "a" * 5000,
    "EPSG:4978",
    "EPSG:5773",
    "EPSG:0",
    "AUTO2:42001,1,0,0",
    "urn:ogc:def:crs:EPSG::3413",
    "0xFFFFFF",
    "\ud800",
]
CRS = [
    "EPSG:4326", "EPSG:3857", "EPSG:900913", "EPSG:32632", "EPSG:32661", "EPSG:3031", "EPSG:3035",
    "EPSG:27700", "EPSG:31467", "EPSG:2193", "EPSG:4258", "EPSG:4979", "EPSG:4978", "EPSG:3995",
    "EPSG:54009", "ESRI:54009", "EPSG:2180", "EPSG:6933", "EPSG:4087", "CRS:83", "OGC:CRS84",
]  # fmt: skip
FIXTURES = (HealthCheck.function_scoped_fixture,)
VALUES = st.one_of(st.sampled_from(NASTY), st.text(max_size=20))


@pytest.mark.parametrize("start", [MAP, INFO], ids=["GetMap", "GetFeatureInfo"])
@settings(suppress_health_check=FIXTURES)
@given(data=st.data())
def test_any_values(wms, start, data):
    extra = ["TIME", "ELEVATION", "DIM_SCENARIO", "BGCOLOR", "TRANSPARENT", "EXCEPTIONS", "SERVICE"]
    names = data.draw(st.lists(st.sampled_from([*start, *extra]), min_size=1, max_size=3))
    layer = data.draw(st.sampled_from(["globe.v", "deep", "model.v", "utm", "around"]))
    pairs = start | {"LAYERS": layer, "QUERY_LAYERS": layer} | {
        name: data.draw(VALUES) for name in names
    }  # fmt: skip
    response = wms.pairs(pairs.items())
    assert response.status in {200, 413}
    assert response.body


@pytest.mark.parametrize("crs", CRS)
@pytest.mark.parametrize("bbox", ["-180,-90,180,90", "-1e7,-1e7,1e7,1e7", "1e9,1e9,2e9,2e9"])
def test_any_crs(wms, crs, bbox):
    for start in (MAP, INFO):
        response = wms.pairs((start | {"CRS": crs, "BBOX": bbox}).items())
        assert response.status == 200


STYLING = [
    "boxfill/rainbow", "contour/jet", "vector/x", "barb/", "cmap:jet,range:0/1", "cmap:jet,range:1",
    "cmap:,", "range:nan/inf", "cmap:jet,noClamp,inverse,logScale", "boxfill/" + "a" * 300,
    "/", ":",
    "auto", "0,1", "-1e308,1e308", "1e-320,1", "5,5", "0xFF0000", "transparent", "extend", "50",
    "0.5", "254", "true", "kind:1", "v>10", "!v:bit3", "v:bit99", "((((", "v:", "300", "dpi:300",
    "dpi:-1", "resolution:0", "layout:horizontal;fontSize:400", "image/apng", "image/tiff",
    "image/png; mode=32bit", "image/gif", "<a/>", "<StyledLayerDescriptor/>", "http://127.0.0.1/x",
    "file:///etc/passwd", "0 0, 10 10", "LINESTRING(0 0, 1 1)", "1e308 1e308,-1e308 -1e308",
    "layerDetails", "minmax", "timesteps", "text/csv", "application/json", "image/svg+xml",
    "0000-01-01/9999-12-31/PT1S", "2020/..", "850hPa", "-10", "\r\nSet-Cookie: a=b", "../../x",
]  # fmt: skip
NAMES = [
    "STYLES", "STYLE", "PALETTE", "COLORSCALERANGE", "NUMCOLORBANDS", "LOGSCALE", "ABOVEMAXCOLOR",
    "BELOWMINCOLOR", "OPACITY", "MASK", "EXPR", "DPI", "MAP_RESOLUTION", "FORMAT_OPTIONS", "SLD",
    "SLD_BODY", "LEGEND_OPTIONS", "COLORBARONLY", "ORIENTATION", "ANIMATION", "FPS", "CAPTION",
    "HOLD", "LEGEND", "FORMAT", "INFO_FORMAT", "LINESTRING", "ITEM", "DAY", "CHART_WIDTH", "TIME",
    "ELEVATION", "AGG", "LAYERS", "EXCEPTIONS", "VERSION", "CUBE",
]  # fmt: skip
OPERATIONS = [
    "GetMap", "GetFeatureInfo", "GetLegendGraphic", "GetTimeseries", "GetVerticalProfile",
    "GetTransect", "GetVerticalSection", "GetHovmoller", "GetMetadata", "DescribeLayer",
    "GetStyles",
    "GetCapabilities", "GetSchemaExtension",
]  # fmt: skip


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(suppress_health_check=FIXTURES, max_examples=40)
@given(data=st.data())
def test_any_styling(wms, operation, data):
    names = data.draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    layer = data.draw(st.sampled_from(["globe.v", "deep.v", "globe", "utm.v"]))
    pairs = INFO | {"REQUEST": operation, "LAYERS": layer, "QUERY_LAYERS": layer, "LAYER": layer}
    pairs |= {"LINESTRING": "0 0,50 20", "ITEM": "layerDetails", "WIDTH": "12", "HEIGHT": "8"}
    values = st.one_of(st.sampled_from(STYLING), VALUES)
    response = wms.pairs((pairs | {name: data.draw(values) for name in names}).items())
    assert response.status in {200, 413}
    assert response.body
    for _, value in response.headers:
        assert "\n" not in value
