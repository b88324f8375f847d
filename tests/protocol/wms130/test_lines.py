"""Series, profiles and sections by value, in every format."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from services.wms import service
from tests.protocol.pictures import Maps, root_of
from tests.protocol.wms130.test_errors import code_of

PIXEL = "CRS=CRS:84&BBOX=-180,-90,180,90&WIDTH=10&HEIGHT=5&I=3&J=2"  # 23, in column 3 of row 2
DAYS = ["2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z", "2020-01-03T00:00:00Z"]


def ask(wms, request, query, layer="globe.v", version="1.3.0"):
    return wms.raw(f"SERVICE=WMS&VERSION={version}&REQUEST={request}&LAYERS={layer}&{query}")


def rows(response):
    assert response.media_type == "text/csv", response.body
    return list(csv.reader(io.StringIO(response.body.decode())))


@pytest.mark.parametrize(
    ("time", "steps"),
    [
        ("", [0, 1, 2]),
        ("&TIME=2020-01-02/2020-01-03", [1, 2]),
        ("&TIME=2020-01-02/..", [1, 2]),
        ("&TIME=2020-01-01T00:00:00.000Z/2020-01-02T00:00:00.000Z", [0, 1]),
        ("&TIME=2020-01-02", [1]),
    ],
)
def test_a_series(wms, time, steps):
    query = f"QUERY_LAYERS=globe.v&INFO_FORMAT=text/csv&{PIXEL}{time}"
    wanted = [[DAYS[step], str(23 + 100 * step)] for step in steps]
    assert rows(ask(wms, "GetTimeseries", query)) == [["time", "Value (K)"], *wanted]


def test_a_series_as_terria_asks_for_it(wms):
    query = (
        "service=WMS&version=1.3.0&request=GetTimeseries&layers=globe.v&query_layers=globe.v"
        "&crs=EPSG:3857&bbox=-20037508.34,-20037508.34,20037508.34,20037508.34&width=256&height=256"
        "&i=95&j=128&time=&info_format=text/csv&styles="
    )
    assert [row[1] for row in rows(wms.raw(query))[1:]] == ["23", "123", "223"]


def test_a_series_of_1_1_1(wms):
    query = PIXEL.replace("CRS=CRS:84", "SRS=EPSG:4326").replace("I=", "X=").replace("J=", "Y=")
    assert len(rows(ask(wms, "GetTimeseries", query, version="1.1.1"))) == 4


def test_no_data_is_empty(wms):
    query = PIXEL.replace("I=3", "I=1")
    assert [row[1] for row in rows(ask(wms, "GetTimeseries", query, "holes.v"))[1:]] == [
        "21",
        "",
        "221",
    ]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("AGG=mean&PERIOD=month", [("2020-01-01T00:00:00Z", 123)]),
        ("AGG=max&PERIOD=P2D", [(DAYS[0], 123), (DAYS[2], 223)]),
        ("agg=COUNT&period=year", [("2020-01-01T00:00:00Z", 3)]),
        ("AGG=sum&PERIOD=day&TIME=2020-01-02/..", [(DAYS[1], 123), (DAYS[2], 223)]),
        ("AGG=mean&WINDOW=2", [(DAYS[1], 73), (DAYS[2], 173)]),
    ],
)
def test_a_series_of_periods(wms, query, wanted):
    found = rows(ask(wms, "GetTimeseries", f"INFO_FORMAT=text/csv&{PIXEL}&{query}"))[1:]
    assert [(time, float(value)) for time, value in found] == wanted


def test_a_period_without_data_is_empty(wms):
    query = f"{PIXEL.replace('I=3', 'I=1')}&INFO_FORMAT=text/csv&AGG=mean&PERIOD=day"
    values = [row[1] for row in rows(ask(wms, "GetTimeseries", query, "holes.v"))[1:]]
    assert values == ["21", "", "221"]


def test_a_hovmoller_of_periods(wms):
    query = "LINESTRING=-162 0,-18 0&INFO_FORMAT=application/json&AGG=max&PERIOD=month"
    document = json.loads(ask(wms, "GetHovmoller", query).body)
    values = document["ranges"]["v"]["values"]
    assert values[0] == 220
    assert set(values) <= set(range(220, 230))


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("AGG=mean", "PERIOD"),
        ("PERIOD=month", "agg"),
        ("AGG=mean&PERIOD=month&WINDOW=2", "PERIOD"),
        ("AGG=mean,max&PERIOD=month", "one AGG"),
        ("AGG=nonsense&PERIOD=month", "nonsense"),
        ("AGG=leastcloudy&BY=v&PERIOD=month", "ranks"),
        ("AGG=mean&PERIOD=never", "never"),
    ],
)
def test_periods_that_mean_nothing(wms, query, word):
    response = ask(wms, "GetTimeseries", f"{PIXEL}&{query}")
    code_of(response)
    assert word in response.body.decode()


@pytest.mark.parametrize("request_", ["GetTimeseries", "GetFeatureInfo&SERIES=true"])
def test_windows_are_reckoned_before_they_are_reduced(context, request_):
    limits = replace(context.settings.limits, max_reduced_cells=200)
    narrow = replace(context, settings=replace(context.settings, limits=limits))
    query = f"QUERY_LAYERS=globe.v&INFO_FORMAT=application/json&{PIXEL}&AGG=mean&WINDOW="
    wms = Maps(narrow, service, "/wms")
    assert ask(wms, request_, f"{query}3").media_type == "application/json"
    assert "the limit is 200" in ask(wms, request_, f"{query}2").body.decode()


def test_a_series_as_coveragejson(wms):
    response = ask(wms, "GetTimeseries", f"{PIXEL}&INFO_FORMAT=application/json")
    document = json.loads(response.body)
    assert document["ranges"]["v"]["values"] == [23, 123, 223]
    assert document["domain"]["axes"]["t"]["values"] == DAYS


def test_a_profile(wms):
    found = rows(ask(wms, "GetVerticalProfile", f"{PIXEL}&DIM_SCENARIO=e1", "deep.v"))
    assert found[0] == ["depth (m)", "Value (K)"]
    assert [float(row[0]) for row in found[1:]] == [0.5, 10, 100]
    assert [float(row[1]) for row in found[1:]] == [23 + 300, 23 + 900, 23 + 1500]


def test_a_transect(wms):
    query = "LINESTRING=-162 0,-18 0&TIME=2020-01-02&CRS=CRS:84"
    found = rows(ask(wms, "GetTransect", query))
    values = [float(row[-1]) for row in found[1:]]
    assert sorted(set(values)) == [120, 121, 122, 123, 124]
    assert values == sorted(values)


def test_sections(wms):
    line = "LINESTRING=LINESTRING(-162 0, 162 0)&INFO_FORMAT=application/json"
    over_time = json.loads(ask(wms, "GetHovmoller", line).body)["ranges"]["v"]
    assert over_time["axisNames"] == ["t", "composite"]
    assert over_time["shape"][0] == 3
    values = np.array(over_time["values"]).reshape(over_time["shape"])
    np.testing.assert_array_equal(values[1] - values[0], 100)
    down = json.loads(ask(wms, "GetVerticalSection", line, "deep.v").body)["ranges"]["v"]
    values = np.array(down["values"]).reshape(down["shape"])
    np.testing.assert_array_equal(np.diff(values, axis=0), 600)


@pytest.mark.parametrize(
    ("request_", "query", "layer"),
    [
        ("GetTimeseries", PIXEL, "globe.v"),
        ("GetVerticalProfile", PIXEL, "deep.v"),
        ("GetTransect", "LINESTRING=-162 0,162 0", "globe.v"),
        ("GetVerticalSection", "LINESTRING=-162 0,162 0", "deep.v"),
        ("GetHovmoller", "LINESTRING=-162 0,162 0", "globe.v"),
    ],
)
def test_charts(wms, request_, query, layer):
    response = ask(
        wms, request_, f"{query}&FORMAT=image/png&CHART_WIDTH=500&CHART_HEIGHT=300", layer
    )
    assert response.media_type == "image/png", response.body
    with Image.open(io.BytesIO(response.body)) as picture:
        assert picture.size == (500, 300)
        assert len(picture.convert("RGB").getcolors(200_000)) > 10


def test_the_same_is_not_sent_twice(wms):
    response = ask(wms, "GetTimeseries", PIXEL)
    tag = response.header("ETag")
    again = wms.raw(
        f"SERVICE=WMS&VERSION=1.3.0&REQUEST=GetTimeseries&LAYERS=globe.v&{PIXEL}",
        if_none_match=tag,
    )
    assert again.status == 304


@pytest.mark.parametrize(
    ("request_", "query", "layer", "code"),
    [
        ("GetTimeseries", PIXEL, "utm.v", None),
        ("GetTimeseries", PIXEL, "globe.v,holes.v", None),
        ("GetTimeseries", f"{PIXEL}&TIME=x", "globe.v", "InvalidDimensionValue"),
        (
            "GetTimeseries",
            f"{PIXEL}&TIME=2020-01-02/2020-01-01",
            "globe.v",
            "InvalidDimensionValue",
        ),
        ("GetTimeseries", f"{PIXEL}&INFO_FORMAT=text/html", "globe.v", "InvalidFormat"),
        ("GetTimeseries", PIXEL.replace("I=3", "I=33"), "globe.v", "InvalidPoint"),
        ("GetTimeseries", PIXEL, "nothing", "LayerNotDefined"),
        ("GetVerticalProfile", PIXEL, "globe.v", None),
        ("GetVerticalProfile", f"{PIXEL}&TIME=2020/2021", "deep.v", "InvalidDimensionValue"),
        ("GetTransect", "", "globe.v", None),
        ("GetTransect", "LINESTRING=1 2", "globe.v", None),
        ("GetTransect", "LINESTRING=1 2,3", "globe.v", None),
        ("GetTransect", "LINESTRING=1 2,nan 4", "globe.v", None),
    ],
)
def test_refusals(wms, request_, query, layer, code):
    response = ask(wms, request_, query, layer)
    assert response.status == 200
    assert code_of(response) == code
    assert "".join(root_of(response).itertext()).strip()
