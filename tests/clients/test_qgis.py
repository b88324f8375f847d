"""QGIS of the system draws layers of a live server, by WMS and WMTS, and identifies values."""

import re
from urllib.parse import urlencode

import numpy as np
import pytest
from owslib.wms import WebMapService

from tests.clients.conftest import EVENTS
from tests.clients.desktop import of_the_system
from tests.clients.pictures import CELLS, cells

pytestmark = pytest.mark.qgis

GLOBE = {"extent": [-180, -90, 180, 90], "size": [400, 200]}


@pytest.fixture
def qgis(tmp_path):
    """``qgis(uri, **job) -> (outcome, picture)``, without the uri of what the job chooses."""
    runner = of_the_system(tmp_path)

    def run(uri="", **job):
        source = {"uri": uri} if uri else {}
        outcome, (picture,) = runner.run(**GLOBE | source | job)
        return outcome, picture

    return run


def source(**parts):
    """A data source as QGIS writes it: keys and encoded values."""
    return urlencode({"dpiMode": 7, "format": "image/png"} | parts)


def wms_source(live_server, layer, style="", crs="EPSG:4326", **parts):
    url = f"{live_server.url}/wms"
    return source(crs=crs, layers=layer, styles=style, url=url, **parts)


def temporal_source(live_server, layer, style):
    """With the times of the capabilities, as the dialogue copies them into the source."""
    times = WebMapService(f"{live_server.url}/wms", version="1.3.0")[layer].timepositions
    extent = ",".join(times)
    parts = {"type": "wmst", "temporalSource": "provider", "allowTemporalUpdates": "true"}
    return wms_source(live_server, layer, style, **parts, timeDimensionExtent=extent)


def middles(picture):
    """The value in the middle of each of 20 x 10 cells of a picture of 400 x 200 pixels."""
    return cells(picture)[10::20, 10::20]


def properties(values):
    """Names and values in the only page that QGIS lists for a place."""
    (found,) = values
    (page,) = found.values()
    return dict(re.findall("<th>([^<]*)</th><td>([^<]*)</td>", page))


def test_a_wms_layer_is_drawn_and_its_value_identified(live_server, qgis):
    outcome, picture = qgis(
        wms_source(live_server, "closed.v", "day2"), points=[(9, 27), (-171, 81), (171, -81)]
    )
    assert outcome["crs"] == "EPSG:4326"
    assert outcome["extent"] == [-180, -90, 180, 90]
    np.testing.assert_array_equal(middles(picture), CELLS)
    found = [properties(values) for values in outcome["values"]]
    assert [float(one["value"]) for one in found] == [2040, 2000, 2109]
    assert {one["time"] for one in found} == {"2020-01-03T00:00:00Z"}
    assert outcome["messages"] == []


@pytest.mark.parametrize("day", [1, 2, 3])
def test_the_temporal_controller_chooses_the_time(live_server, qgis, day):
    date = f"2020-01-0{day}T00:00:00Z"
    outcome, picture = qgis(
        temporal_source(live_server, "closed.v", f"day{day - 1}"),
        frames=[[date, date]],
        points=[(9, 27)],
    )
    assert outcome["temporal"]
    assert outcome["range"] == ["2020-01-01T00:00:00Z", "2020-01-03T00:00:00Z"]
    np.testing.assert_array_equal(middles(picture), CELLS)
    found = properties(outcome["values"][0])
    # QGIS 3.22 asks for values without the time that it draws, and gets those of the newest
    assert found["time"] in {date, "2020-01-03T00:00:00Z"}
    assert float(found["value"]) == 1000 * (int(found["time"][8:10]) - 1) + 40


def test_irregular_times(live_server, qgis):
    outcome, picture = qgis(
        temporal_source(live_server, "events.v", "day2"), frames=[[EVENTS[2], EVENTS[2]]]
    )
    assert outcome["range"] == [EVENTS[0], EVENTS[-1]]
    np.testing.assert_array_equal(middles(picture), CELLS)


def test_a_frame_between_two_steps_shows_the_nearer_one(live_server, qgis):
    frame = ["2020-01-02T05:00:00Z", "2020-01-02T05:00:00Z"]
    _, picture = qgis(temporal_source(live_server, "closed.v", "day1"), frames=[frame])
    np.testing.assert_array_equal(middles(picture), CELLS)


def test_a_projected_layer(live_server, qgis):
    outcome, _ = qgis(
        wms_source(live_server, "utm.v", crs="EPSG:32632"),
        extent=[500_000, 5_000_000, 540_000, 5_030_000],
        points=[(512_500, 5_020_500)],
    )
    assert outcome["crs"] == "EPSG:32632"
    assert outcome["extent"] == [500_000, 5_000_000, 540_000, 5_030_000]
    assert float(properties(outcome["values"][0])["value"]) == 1000 + 10 * 9 + 12


CAPABILITIES = ("/wmts?SERVICE=WMTS&REQUEST=GetCapabilities", "/wmts/1.0.0/WMTSCapabilities.xml")


@pytest.mark.parametrize("path", CAPABILITIES)
@pytest.mark.parametrize("matrix_set", ["WorldCRS84Quad", "WebMercatorQuad"])
def test_a_layer_of_the_wmts_at_its_default_time(live_server, qgis, matrix_set, path):
    """Added from a connection: QGIS 3.22 lists a layer for each time."""
    words = ["layers=closed.v&", "styles=day2&", f"tileMatrixSet={matrix_set}&", "image/png"]
    job = {"capabilities": live_server.url + path, "chosen": [*words, "2020-01-03"]}
    if matrix_set == "WebMercatorQuad":
        edge = 20037508.342789244
        job |= {"extent": [-edge, -edge, edge, edge], "size": [400, 400]}
    outcome, picture = qgis(**job)
    assert outcome["messages"] == []
    if matrix_set == "WorldCRS84Quad":
        np.testing.assert_array_equal(middles(picture), CELLS)
    else:
        rows = cells(picture)[[1, 180, 215, 398]]
        np.testing.assert_array_equal(rows[:, 10::20], CELLS[[0, 4, 5, 9]])


def test_a_source_without_a_time_is_that_of_the_newest(live_server, qgis):
    url = live_server.url + CAPABILITIES[1]
    parts = {"crs": "OGC:CRS84", "layers": "closed.v", "styles": "day2", "url": url}
    _, picture = qgis(source(tileMatrixSet="WorldCRS84Quad", **parts))
    np.testing.assert_array_equal(middles(picture), CELLS)
