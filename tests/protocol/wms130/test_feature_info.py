"""GetFeatureInfo by value, and legends."""

import json

import numpy as np
import pytest

from services.ows.featureinfo import INFO_FORMATS
from tests.protocol.pictures import rgba, root_of, warnings_of
from tests.protocol.wms130.test_errors import INFO, code_of, query_of


def features(response):
    assert response.media_type == "application/json"
    document = json.loads(response.body)
    assert document["type"] == "FeatureCollection"
    return document["features"]


def test_every_pixel_is_the_value_under_the_map(wms):
    for row, column in ((0, 0), (4, 9), (2, 3)):
        (found,) = features(wms.raw(query_of(INFO, HEIGHT="5", I=column, J=row, TIME="2020-01-02")))
        properties = found["properties"]
        assert properties["value"] == 100 + 10 * row + column
        assert properties["unit"] == "K"
        assert properties["time"] == "2020-01-02T00:00:00Z"
        assert found["geometry"]["coordinates"] == [-162 + 36 * column, 72 - 36 * row]
        assert properties["distance_m"] == 0


def test_latitude_first(wms):
    changes = {"CRS": "EPSG:4326", "BBOX": "18,0,54,72", "WIDTH": 2, "HEIGHT": 1, "I": 1, "J": 0}
    (found,) = features(wms.raw(query_of(INFO, **changes, TIME="2020-01-01")))
    assert found["properties"]["value"] == 16


def test_x_and_y_stand_for_i_and_j(wms):
    (found,) = features(wms.raw(query_of(INFO, I=None, J=None, X="3", Y="5", TIME="2020-01-01")))
    assert found["properties"]["value"] == 23


def test_no_data_is_null(wms):
    (found,) = features(
        wms.raw(query_of(INFO, LAYERS="holes", QUERY_LAYERS="holes", I=0, TIME="2020-01-01"))
    )
    assert found["properties"]["value"] is None
    outside = {"CRS": "EPSG:32632", "BBOX": "0,0,10,10", "LAYERS": "utm", "QUERY_LAYERS": "utm"}
    (found,) = features(wms.raw(query_of(INFO, **outside)))
    assert (found["properties"]["value"], found["geometry"]) == (None, None)


def test_a_list_of_times_gives_the_value_that_the_picture_shows(wms):
    changes = {"LAYERS": "holes", "QUERY_LAYERS": "holes", "HEIGHT": "5", "I": 2, "J": 0}
    (found,) = features(wms.raw(query_of(INFO, **changes, TIME="2020-01-02,2020-01-03")))
    assert found["properties"]["value"] == 102
    assert found["properties"]["time"] == "2020-01-02T00:00:00Z"


def test_several_layers_and_dimensions(wms):
    changes = {"LAYERS": "deep,globe.v", "QUERY_LAYERS": "globe.v,deep", "I": 4, "J": 0}
    response = wms.raw(query_of(INFO, **changes, ELEVATION="10", DIM_SCENARIO="e1", HEIGHT="5"))
    first, second = features(response)
    assert first["properties"]["layer"] == "globe.v"
    assert second["properties"]["value"] == 4 + 300 * 3
    assert (second["properties"]["depth"], second["properties"]["scenario"]) == (10, "e1")
    assert warnings_of(response)[0].startswith("99 Default value used: time=2020-01-03")


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "text/html"])
def test_formats(wms, media_type):
    response = wms.raw(query_of(INFO, INFO_FORMAT=media_type, TIME="2020-01-01", HEIGHT="5"))
    assert (response.status, response.media_type) == (200, media_type)
    assert b"11" in response.body
    assert b"air_temperature" not in response.body


def test_text_and_html_hold_the_value(wms):
    text = wms.raw(query_of(INFO, INFO_FORMAT="text/plain", TIME="2020-01-01", HEIGHT="5")).body
    assert b"value: 11\n" in text
    html = wms.raw(query_of(INFO, INFO_FORMAT="text/html", TIME="2020-01-01", HEIGHT="5")).body
    assert b"<th>value</th><td>11</td>" in html


def test_legends_have_the_size_that_the_document_states(wms):
    root = root_of(wms.raw("SERVICE=WMS&REQUEST=GetCapabilities"))
    ns = {"w": "http://www.opengis.net/wms"}
    legends = root.findall(".//w:Layer[w:Name='globe.v']/w:Style/w:LegendURL", ns)
    assert len(legends) > 1
    for legend in legends:
        href = legend.find("w:OnlineResource", ns).get("{http://www.w3.org/1999/xlink}href")
        pixels = rgba(wms.raw(href.partition("?")[2]))
        assert pixels.shape[:2] == (int(legend.get("height")), int(legend.get("width")))


def test_legend_of_a_style_and_size(wms):
    start = "SERVICE=WMS&REQUEST=GetLegendGraphic&LAYER=globe.v&FORMAT=image/png"
    pixels = rgba(wms.raw(f"{start}&STYLE=exact&WIDTH=90&HEIGHT=200"))
    assert pixels.shape == (200, 90, 4)
    assert len(np.unique(pixels[..., 0])) > 50
    assert b"StyleNotDefined" in wms.raw(f"{start}&STYLE=nothing").body
    assert b"LayerNotDefined" in wms.raw(f"{start.replace('globe', 'nothing')}").body
    assert b"at most 2048" in wms.raw(f"{start}&WIDTH=100000&HEIGHT=5").body


def test_an_aggregate_gives_the_value_under_the_picture(wms):
    """Values differ by 100 from day to day."""
    asked = {"HEIGHT": "5", "TIME": "2020-01-01/2020-01-03"}
    (first,) = features(wms.raw(query_of(INFO, HEIGHT="5", TIME="2020-01-01")))
    (mean,) = features(wms.raw(query_of(INFO, **asked, AGG="mean")))
    (spread,) = features(wms.raw(query_of(INFO, **asked, AGG="range")))
    assert mean["properties"]["value"] == first["properties"]["value"] + 100
    assert mean["properties"]["count"] == 3
    assert "time" not in mean["properties"]
    assert spread["properties"]["value"] == 200


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({"EXPR": "v*2-1"}, 2 * 123 - 1),
        ({"EXPR": "v-globe.v"}, 0),
        ({"EXPR": "v*2", "AGG": "max", "TIME": "2020-01-01/2020-01-02"}, 2 * 123),
        ({"EXPR": "v*2", "TIME": "2020-01-01/2020-01-02"}, 2 * 123),
    ],
)
def test_an_expression_has_the_value_under_its_picture(wms, changes, value):
    asked = query_of(INFO, **({"HEIGHT": "5", "I": 3, "J": 2, "TIME": "2020-01-02"} | changes))
    (found,) = features(wms.raw(asked))
    assert found["properties"]["value"] == value
    assert found["properties"]["title"] == changes["EXPR"]


def series(wms, query, layers="globe.v", kind="application/json"):
    return wms.raw(
        f"SERVICE=WMS&VERSION=1.3.0&REQUEST=GetFeatureInfo&LAYERS={layers}&QUERY_LAYERS={layers}"
        "&STYLES=&CRS=CRS:84&BBOX=-180,-90,180,90&WIDTH=10&HEIGHT=5&I=3&J=2&SERIES=true"
        f"&INFO_FORMAT={kind}{query}"
    )


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", [("2020-01-01", 23), ("2020-01-02", 123), ("2020-01-03", 223)]),
        ("&TIME=2020-01-02/..", [("2020-01-02", 123), ("2020-01-03", 223)]),
        ("&TIME=2020-01-02", [("2020-01-02", 123)]),
        ("&AGG=mean&PERIOD=month", [("2020-01-01", 123)]),
    ],
)
def test_a_series(wms, query, wanted):
    features = json.loads(series(wms, query).body)["features"]
    found = [one["properties"] for one in features]
    assert [(one["time"][:10], one["value"]) for one in found] == wanted
    assert {one["unit"] for one in found} == {"K"}
    assert {one["distance_m"] for one in found} == {0.0}
    assert len({one["id"] for one in features}) == len(features)


def test_a_series_of_several_layers(wms):
    found = json.loads(series(wms, "&ELEVATION=10", "holes.v,deep.v,utm.v").body)["features"]
    said = [(one["properties"]["layer"], one["properties"]["value"]) for one in found]
    assert said == [
        *(("holes.v", value) for value in (23, 123, 223)),
        ("deep.v", 623),
        ("utm.v", None),
    ]
    assert found[3]["properties"]["depth"] == 10.0


@pytest.mark.parametrize("kind", INFO_FORMATS)
def test_a_series_in_every_format(wms, kind):
    response = series(wms, "", "holes.v", kind)
    assert (response.status, response.media_type) == (200, kind)
    assert all(value in response.body for value in (b"23", b"123", b"223"))


@pytest.mark.parametrize("query", ["&EXPR=v*2", "&MASK=v>1", "&AGG=mean", "&SERIES=maybe"])
def test_a_series_of_what_has_none(wms, query):
    code_of(series(wms, query))
