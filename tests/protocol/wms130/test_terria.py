"""What TerriaJS reads in the capabilities, and the requests that it makes of it.

Its WebMapServiceCatalogItem goes by local names; with a GetTimeseries among the operations a click
becomes that request, with the parameters of its GetFeatureInfo and an empty time.
"""

import csv
import io
from dataclasses import replace
from urllib.parse import urlencode

import numpy as np
import pytest

from services.wms import service
from tests.protocol.pictures import Maps, rgba, root_of

EDGE = 20037508.342789244
BOX = {"bbox": f"{-EDGE},{-EDGE},{EDGE},{EDGE}", "width": 256, "height": 256}
MAP = {
    "transparent": "true",
    "format": "image/png",
    "exceptions": "XML",
    "styles": "",
    "version": "1.3.0",
    "crs": "EPSG:3857",
    "service": "WMS",
    "request": "GetMap",
}
OLD = {
    "transparent": "true",
    "format": "image/png",
    "exceptions": "application/vnd.ogc.se_xml",
    "styles": "",
    "tiled": "true",
    "version": "1.1.1",
    "srs": "EPSG:3857",
    "service": "WMS",
    "request": "GetMap",
}
PICK = {
    "exceptions": "XML",
    "version": "1.3.0",
    "feature_count": 101,
    "styles": "",
    "service": "WMS",
    "crs": "EPSG:3857",
    "i": 128,
    "j": 128,
    "x": 128,
    "y": 128,
}


def ask(wms, *parts, **more):
    merged = {name: value for part in (*parts, more) for name, value in part.items()}
    return wms.raw(urlencode(merged))


@pytest.fixture(scope="module")
def capability(context):
    settings = replace(context.settings, wms_charts=True)  # as a server has it by default
    listing = Maps(replace(context, settings=settings), service, "/wms")
    document = listing.raw("service=WMS&version=1.3.0&request=GetCapabilities")
    return root_of(document).find("{*}Capability")


def test_operations_that_it_looks_for(capability):
    listed = {child.tag.rpartition("}")[2] for child in capability.find("{*}Request")}
    assert {"GetMap", "GetFeatureInfo", "GetTimeseries", "GetLegendGraphic"} <= listed
    formats = capability.findall("{*}Request/{*}GetFeatureInfo/{*}Format")
    assert {"application/json", "text/csv", "text/xml"} & {one.text for one in formats}


def test_times_styles_and_dimensions_of_a_layer(capability):
    layers = {layer.findtext("{*}Name"): layer for layer in capability.iter("{*}Layer")}
    time = next(
        one for one in layers["globe.v"].findall("{*}Dimension") if one.get("name") == "time"
    )
    assert time.text.split("/")[0][:10] == "2020-01-01"
    others = {one.get("name"): one for one in layers["deep.v"].findall("{*}Dimension")}
    assert others["scenario"].text.split(",") == ["a1b", "e1"]
    assert others["elevation"].get("default")
    for style in layers["globe.v"].findall("{*}Style"):
        assert style.findtext("{*}LegendURL/{*}Format") == "image/png"


@pytest.mark.parametrize("start", [MAP, OLD], ids=["1.3.0", "1.1.1"])
def test_a_tile_at_a_time_with_a_range_of_colours(wms, start):
    asked = {"layers": "globe.v", "time": "2020-01-02T00:00:00.000Z"}
    plain = ask(wms, start, BOX, asked)
    assert plain.media_type == "image/png"
    ranged = ask(wms, start, BOX, asked, COLORSCALERANGE="100,150")
    assert not np.array_equal(rgba(plain), rgba(ranged))


def test_its_names_of_dimensions(wms):
    asked = {"layers": "deep.v", "elevation": "10", "dim_scenario": "e1", "styles": "coarse"}
    found = ask(wms, MAP, BOX, asked)
    other = ask(wms, MAP, BOX, asked | {"dim_scenario": "a1b"})
    assert not np.array_equal(rgba(found), rgba(other))


def test_a_click_is_a_series(wms):
    layers = {"layers": "globe.v", "query_layers": "globe.v"}
    series = {"request": "GetTimeseries", "time": "", "info_format": "text/csv"}
    response = ask(wms, PICK, BOX, layers, series)
    rows = list(csv.DictReader(io.StringIO(response.body.decode())))
    assert [row["time"][:10] for row in rows] == ["2020-01-01", "2020-01-02", "2020-01-03"]
    assert len({row["Value (K)"] for row in rows}) == 3


def test_a_click_without_a_series(wms):
    asked = {"layers": "utm.v", "query_layers": "utm.v", "request": "GetFeatureInfo"}
    place = {"crs": "EPSG:32632", "bbox": "500000,5000000,500100,5000050", "width": 10, "height": 5}
    pixel = {"i": 3, "j": 2, "info_format": "application/json"}
    response = ask(wms, PICK, asked, place, pixel)
    assert b'"value": 23' in response.body


def test_its_legend(wms):
    legend = {
        "service": "WMS",
        "version": "1.3.0",
        "request": "GetLegendGraphic",
        "format": "image/png",
        "sld_version": "1.1.0",
        "layer": "globe.v",
    }
    plain = ask(wms, legend)
    ranged = ask(wms, legend, style="exact", colorscalerange="0,10")
    assert plain.media_type == ranged.media_type == "image/png"
    assert plain.body != ranged.body
