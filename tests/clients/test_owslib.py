"""OWSLib's WMS 1.3.0 and WMTS, and its WCS 2.0.1 on irregular times, against a live server."""

import datetime as dt
import json
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import requests
import xarray as xr
from owslib.util import ServiceException
from owslib.wcs import WebCoverageService
from owslib.wms import WebMapService
from owslib.wmts import WebMapTileService

from tests.clients.conftest import EVENTS
from tests.clients.pictures import CELLS, cells, rgba

CUBES = ("closed", "events", "levels", "plain", "utm")
GLOBE = {"srs": "EPSG:4326", "bbox": (-180, -90, 180, 90), "size": (20, 10)}


@pytest.fixture(scope="module")
def wms(live_server):
    return WebMapService(f"{live_server.url}/wms", version="1.3.0")


@pytest.fixture(scope="module")
def wmts(live_server):
    return WebMapTileService(f"{live_server.url}/wmts")


@pytest.fixture(scope="module")
def wcs(live_server):
    return WebCoverageService(f"{live_server.url}/wcs", version="2.0.1")


class TestWms:
    def picture(self, wms, layer, style, **query):
        asked = {"format": "image/png", "transparent": True} | GLOBE | query
        answer = wms.getmap(layers=[layer], styles=[style], **asked)
        assert answer.info()["Content-Type"] == asked["format"]
        return answer.read()

    def info(self, wms, layer, xy, **query):
        answer = wms.getfeatureinfo(
            layers=[layer],
            query_layers=[layer],
            info_format="application/json",
            xy=xy,
            **(GLOBE | query),
        )
        return [one["properties"] for one in json.loads(answer.read())["features"]]

    def test_the_service(self, wms):
        assert wms.identification.version == "1.3.0"
        assert wms.identification.title == "Closed forms"
        names = {operation.name for operation in wms.operations}
        assert {"GetCapabilities", "GetMap", "GetFeatureInfo"} <= names
        assert wms.getOperationByName("GetMap").formatOptions[0] == "image/png"

    def test_layers(self, wms):
        for cube in CUBES:
            assert wms[cube].queryable == 1
            assert wms[f"{cube}.v"].queryable == 1
        assert wms["closed"].title == "Closed form"
        assert wms["closed"].boundingBoxWGS84 == (-180, -90, 180, 90)
        assert {"EPSG:4326", "CRS:84", "EPSG:3857"} <= set(wms["closed"].crsOptions)
        assert "EPSG:32632" in wms["utm"].crsOptions

    def test_times(self, wms):
        assert wms["closed"].timepositions == ["2020-01-01T00:00:00Z/2020-01-03T00:00:00Z/P1D"]
        assert wms["closed"].defaulttimeposition == "2020-01-03T00:00:00Z"
        assert wms["closed.v"].timepositions == wms["closed"].timepositions
        assert wms["plain"].timepositions is None

    def test_irregular_times(self, wms):
        found = wms["events"].timepositions
        singles = [text if "/" not in text else text.split("/")[0] for text in found]
        assert tuple(singles) == EVENTS
        assert wms["events"].defaulttimeposition == EVENTS[-1]

    def test_dimensions(self, wms):
        dimensions = wms["levels"].dimensions
        assert set(dimensions) == {"time", "elevation"}
        assert dimensions["time"]["units"] == "ISO8601"
        assert wms["levels"].elevations == ["0", "10", "50"]

    def test_styles_and_their_legends(self, wms):
        styles = wms["closed.v"].styles
        assert list(styles)[:3] == ["day2", "day0", "day1"]
        assert styles["day1"]["title"] == "Grey of day 1"
        for style in styles.values():
            legend = requests.get(style["legend"], timeout=30)
            assert legend.headers["Content-Type"] == style["legend_format"] == "image/png"
            height, width = rgba(legend.content).shape[:2]
            size = int(style["legend_width"]), int(style["legend_height"])
            assert (width, height) == size

    @pytest.mark.parametrize("day", [0, 1, 2])
    def test_a_map_by_value(self, wms, day):
        picture = self.picture(wms, "closed.v", f"day{day}", time=f"2020-01-0{day + 1}")
        np.testing.assert_array_equal(cells(picture), CELLS)

    def test_without_time_the_newest(self, wms):
        np.testing.assert_array_equal(cells(self.picture(wms, "closed", "")), CELLS)

    def test_the_same_map_in_either_order_of_axes(self, wms):
        part = {"bbox": (-36, 18, 36, 54), "size": (4, 2), "time": "2020-01-02"}
        lat_first = self.picture(wms, "closed.v", "day1", **part)
        lon_first = self.picture(wms, "closed.v", "day1", **part | {"srs": "CRS:84"})
        np.testing.assert_array_equal(cells(lat_first), CELLS[2:4, 8:12])
        np.testing.assert_array_equal(cells(lon_first), CELLS[2:4, 8:12])

    def test_web_mercator(self, wms):
        edge = 20037508.342789244
        box = {"srs": "EPSG:3857", "bbox": (-edge, -edge, edge, edge), "size": (20, 20)}
        found = cells(self.picture(wms, "closed.v", "day0", time="2020-01-01", **box))
        assert found[0].tolist() == CELLS[0].tolist()  # 81 to 85 degrees north
        assert found[9].tolist() == CELLS[4].tolist()  # 0 to 18 degrees north

    @pytest.mark.parametrize("index", range(4))
    def test_every_irregular_time(self, wms, index):
        picture = self.picture(wms, "events.v", f"day{index}", time=EVENTS[index])
        np.testing.assert_array_equal(cells(picture), CELLS)

    @pytest.mark.parametrize("media_type", ["image/jpeg", "image/webp"])
    def test_other_formats(self, wms, media_type):
        picture = self.picture(wms, "closed", "day2", format=media_type, size=(200, 100))
        assert np.abs(rgba(picture)[5::10, 5::10, 0] / 2 - CELLS).max() <= 5

    def test_value_at_a_pixel(self, wms):
        (found,) = self.info(wms, "closed.v", (7, 3), time="2020-01-02")
        assert found["value"] == 1037
        assert found["time"] == "2020-01-02T00:00:00Z"
        assert (found["longitude"], found["latitude"]) == (-45, 27)

    def test_values_at_a_depth(self, wms):
        first, second = self.info(wms, "levels", (7, 3), time="2020-01-02", elevation="10")
        assert (first["field"], first["value"], first["unit"]) == ("u", 101_037, "m s-1")
        assert (second["field"], second["value"]) == ("v", 10_101_037)

    def test_an_unknown_layer_is_named_in_the_error(self, wms):
        with pytest.raises(ServiceException, match="'nosuch'"):
            self.picture(wms, "nosuch", "")

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ({"style": "purple"}, "day2"),  # the styles there are
            ({"time": "yesterday"}, "yesterday"),
            ({"srs": "EPSG:999999"}, "EPSG:999999"),
            ({"size": (100_000, 10)}, "4096"),
            ({"format": "image/bmp"}, "image/png"),
        ],
    )
    def test_errors_say_what_would_be_right(self, wms, query, words):
        style = query.pop("style", "day2") if "style" in query else "day2"
        with pytest.raises(ServiceException, match=words):
            self.picture(wms, "closed.v", style, **query)


class TestWmts:
    def test_layers_and_matrix_sets(self, wmts):
        assert wmts.identification.type == "OGC WMTS"
        assert {*CUBES, *(f"{cube}.v" for cube in CUBES)} <= set(wmts.contents)
        known = {"WebMercatorQuad", "WorldCRS84Quad", "EuropeanETRS89_LAEAQuad", "closed__native"}
        assert known <= set(wmts["closed"].tilematrixsetlinks) <= set(wmts.tilematrixsets)
        assert "events__native" not in wmts["closed"].tilematrixsetlinks
        mercator = wmts.tilematrixsets["WebMercatorQuad"].tilematrix["0"]
        assert mercator.scaledenominator == pytest.approx(559082264.0287178)
        assert mercator.topleftcorner == pytest.approx((-20037508.3427892, 20037508.3427892))

    def test_dimensions(self, wmts):
        time = wmts["closed"].dimensions["time"]
        assert time["default"] == "2020-01-03"
        assert time["values"] == ["2020-01-01", "2020-01-02", "2020-01-03"]
        assert wmts["events"].dimensions["time"]["default"] == EVENTS[-1]
        assert wmts["levels"].dimensions["elevation"]["values"] == ["0", "10", "50"]
        assert not wmts["plain"].dimensions

    def test_default_style_and_legend(self, wmts):
        styles = wmts["closed"].styles
        assert [name for name, style in styles.items() if style["isDefault"]] == ["day2"]
        assert rgba(requests.get(styles["day2"]["legend"], timeout=30).content).ndim == 3

    @pytest.mark.parametrize(("column", "expected"), [(0, CELLS[:, :10]), (1, CELLS[:, 10:])])
    @pytest.mark.parametrize("day", [0, 1, 2])
    def test_tiles_by_value(self, wmts, day, column, expected):
        tile = wmts.gettile(
            layer="closed.v",
            style=f"day{day}",
            tilematrixset="WorldCRS84Quad",
            tilematrix="0",
            row=0,
            column=column,
            format="image/png",
            time=f"2020-01-0{day + 1}",
        )
        np.testing.assert_array_equal(middles(tile.read()), expected)

    def test_defaults_for_all_that_is_not_said(self, live_server):
        wmts = WebMapTileService(f"{live_server.url}/wmts")  # it keeps parameters of earlier tiles
        grid = {"tilematrixset": "WebMercatorQuad", "tilematrix": "0", "row": 0, "column": 0}
        tile = wmts.gettile(layer="closed", **grid)
        found = cells(tile.read())
        assert found[0, 0] == 0
        assert found[255, 255] == 99 + 10
        assert found[127, 128] == 50  # north of the equator, east of Greenwich

    def test_rest_gives_the_same_tile(self, live_server):
        url = f"{live_server.url}/wmts/1.0.0/WMTSCapabilities.xml"
        wmts = WebMapTileService(url)
        address: Any = {"layer": "closed.v", "style": "day1", "tilematrixset": "WorldCRS84Quad"}
        address |= {"tilematrix": "1", "row": 1, "column": 2, "time": "2020-01-02"}
        resource = wmts.buildTileResource(**address)
        assert resource.startswith(f"{live_server.url}/wmts/1.0.0/closed.v/day1/2020-01-02/")
        by_path = requests.get(resource, timeout=30)
        by_parameters = wmts.gettile(format=by_path.headers["Content-Type"], **address).read()
        assert by_path.content == by_parameters

    def test_a_server_of_paths_alone(self, live_server):
        url = f"{live_server.url}/wmts/1.0.0/WMTSCapabilities.xml"
        wmts = WebMapTileService(url)
        wmts.operations.clear()
        assert wmts.restonly
        address: Any = {"tilematrixset": "WorldCRS84Quad", "tilematrix": "0"}
        address |= {"row": 0, "column": 1}
        tile = wmts.gettile(layer="events.v", style="day2", time=EVENTS[2], **address)
        np.testing.assert_array_equal(middles(tile.read()), CELLS[:, 10:])

    @pytest.mark.parametrize(
        ("address", "words"),
        [
            ({"layer": "nosuch"}, "nosuch"),
            ({"row": 1}, "TileOutOfRange"),
            ({"tilematrix": "77"}, "TileMatrix"),
            ({"time": "yesterday"}, "yesterday"),
        ],
    )
    def test_errors_say_what_is_wrong(self, live_server, address, words):
        wmts = WebMapTileService(f"{live_server.url}/wmts")
        tile: Any = {"layer": "closed", "style": "day2", "tilematrixset": "WebMercatorQuad"}
        tile |= {"tilematrix": "0", "row": 0, "column": 0, "format": "image/png"}
        with pytest.raises(ServiceException, match=words):
            wmts.gettile(**(tile | address))


class TestWcsIrregularTimes:
    def test_times(self, wcs):
        naive = [dt.datetime.fromisoformat(time).replace(tzinfo=None) for time in EVENTS]
        assert wcs["events"].timepositions == naive
        assert wcs["events"].timelimits == [naive[0], naive[-1]]

    def test_every_time_by_its_position(self, wcs):
        for t, time in enumerate(wcs["events"].timepositions):
            answer = wcs.getCoverage(
                identifier=["events"],
                format="application/netcdf",
                subsets=[("ansi", f"{time.isoformat()}Z"), ("Lat", 0, 36), ("Long", 0, 54)],
            )
            with xr.open_dataset(BytesIO(answer.read()), engine="h5netcdf") as found:
                values = found["v"].squeeze().values
            np.testing.assert_array_equal(values, 1000 * t + CELLS[3:5, 10:13])

    def test_a_range_of_times(self, wcs):
        answer = wcs.getCoverage(
            identifier=["events"],
            format="application/netcdf",
            subsets=[("ansi", "2020-01-01T03:00:00Z", "2020-12-31"), ("Lat", 81), ("Long", -171)],
        )
        with xr.open_dataset(BytesIO(answer.read()), engine="h5netcdf") as found:
            assert found["v"].values.ravel().tolist() == [1000, 2000]
            assert [str(time)[:19] for time in found["time"].values] == [
                time.removesuffix("Z") for time in EVENTS[1:3]
            ]

    def test_errors(self, wcs):
        with pytest.raises(requests.HTTPError) as unknown:
            wcs.getCoverage(identifier=["nosuch"], format="image/tiff")
        assert unknown.value.response is not None
        assert unknown.value.response.status_code == 404
        assert "NoSuchCoverage" in unknown.value.response.text
        assert "nosuch" in unknown.value.response.text
        with pytest.raises(requests.HTTPError) as outside:
            wcs.getCoverage(identifier=["events"], subsets=[("ansi", "1999-01-01")])
        assert outside.value.response is not None
        assert "InvalidSubsetting" in outside.value.response.text
        with pytest.raises(ServiceException, match="image/bmp"):
            wcs.getCoverage(identifier=["events"], format="image/bmp")


def middles(content):
    """A pixel in each cell of the tile of half a globe, 10 x 10 cells in 256 x 256 pixels."""
    places = ((np.arange(10) + 0.5) * 25.6).astype(int)
    return cells(content)[np.ix_(places, places)]
