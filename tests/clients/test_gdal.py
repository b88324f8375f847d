"""GDAL's WMS and WMTS drivers, as rasterio's wheel brings them, without any quirk option.

Its WCS driver is driven in ``test_wcs_clients``.
"""

import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError
from rasterio.warp import transform_bounds
from rasterio.windows import Window, from_bounds

from tests.clients.pictures import CELLS

pytestmark = pytest.mark.gdal

EDGE = 20037508.342789244


def cells(bands):
    """10 * row + column of the cell under each pixel of three or four bands; int, (y, x)."""
    assert (bands[:3] == bands[:1]).all()
    assert (bands[3:] == 255).all()
    return (bands[0].astype(int) + 1) // 2


def middles(file, width, height):
    """A pixel in the middle of each cell, of the whole file read at a smaller size."""
    bands = file.read(out_shape=(file.count, 10 * height, 10 * width))
    return cells(bands)[5::10, 5::10]


class TestWms:
    def parts(self, live_server):
        """Names of GDAL's subdatasets by layer: it reads the capabilities."""
        with (
            pytest.warns(NotGeoreferencedWarning),
            rasterio.open(f"WMS:{live_server.url}/wms?VERSION=1.3.0") as file,
        ):
            names = file.subdatasets
        return {name.partition("LAYERS=")[2].partition("&")[0]: name for name in names}

    def test_every_layer_is_found(self, live_server):
        parts = self.parts(live_server)
        assert {"closed", "closed.v", "events.v", "levels.u", "plain.v", "utm.v"} <= set(parts)
        # latitude first where EPSG:4326 is the layer's own
        assert parts["closed.v"].endswith("CRS=EPSG:4326&BBOX=-90,-180,90,180")
        assert parts["plain.v"].endswith("CRS=CRS:84&BBOX=-180,-90,180,90")

    @pytest.mark.parametrize(("day", "expected"), [(3, CELLS), (2, np.zeros((10, 20)))])
    def test_a_layer_of_the_capabilities(self, live_server, day, expected):
        """TIME rides along; STYLES does not, and in the default style day 2 is below the range."""
        query = f"&TIME=2020-01-0{day}&FORMAT=image/png"
        with rasterio.open(self.parts(live_server)["closed.v"] + query) as file:
            assert file.driver == "WMS"
            assert file.crs.to_epsg() == 4326
            assert file.bounds == (-180, -90, 180, 90)
            np.testing.assert_array_equal(middles(file, 20, 10), expected)

    def test_a_window_in_full_resolution(self, live_server):
        with rasterio.open(self.parts(live_server)["events.v"] + "&FORMAT=image/png") as file:
            assert file.width == 1 << 30  # GDAL's own choice of pixels
            row, column = file.index(9, 27)
            found = cells(file.read(window=Window(column, row, 2, 2)))
            assert found.tolist() == [[40, 40], [40, 40]]

    @pytest.mark.parametrize(
        ("crs", "box", "order"),
        [
            ("CRS:84", (-180, -90, 180, 90), "xyXY"),
            ("EPSG:4326", (-180, -90, 180, 90), "yxYX"),
            ("EPSG:3857", (-EDGE, -EDGE, EDGE, EDGE), "xyXY"),
        ],
    )
    def test_a_service_description(self, live_server, tmp_path, crs, box, order):
        """GDAL's own XML; it is told there which axis the CRS names first."""
        left, bottom, right, top = box
        description = tmp_path / "wms.xml"
        description.write_text(
            f"""<GDAL_WMS>
              <Service name="WMS">
                <Version>1.3.0</Version>
                <ServerUrl>{live_server.url}/wms?TIME=2020-01-02&amp;</ServerUrl>
                <CRS>{crs}</CRS>
                <BBoxOrder>{order}</BBoxOrder>
                <Layers>closed.v</Layers>
                <Styles>day1</Styles>
                <ImageFormat>image/png</ImageFormat>
              </Service>
              <DataWindow>
                <UpperLeftX>{left}</UpperLeftX><UpperLeftY>{top}</UpperLeftY>
                <LowerRightX>{right}</LowerRightX><LowerRightY>{bottom}</LowerRightY>
                <SizeX>400</SizeX><SizeY>200</SizeY>
              </DataWindow>
              <BlockSizeX>256</BlockSizeX><BlockSizeY>256</BlockSizeY>
              <BandsCount>3</BandsCount>
            </GDAL_WMS>"""
        )
        with rasterio.open(description) as file:
            found = cells(file.read())[10::20, 10::20]
        if crs == "EPSG:3857":
            np.testing.assert_array_equal(found[[0, 4, 9]], CELLS[[0, 4, 9]])
        else:
            np.testing.assert_array_equal(found, CELLS)

    def test_an_unknown_layer_gives_the_server_s_words(self, live_server):
        name = self.parts(live_server)["closed.v"].replace("closed.v", "nosuch")
        with rasterio.open(name) as file, pytest.raises(RasterioIOError) as error:
            file.read(out_shape=(file.count, 10, 20))
        assert "nosuch" in f"{error.value} {error.value.__cause__}"


class TestWmts:
    @pytest.fixture
    def opened(self, live_server):
        """Through its RESTful templates, which GDAL prefers."""

        def open_layer(layer, **options):
            url = f"{live_server.url}/wmts/1.0.0/WMTSCapabilities.xml"
            return rasterio.open(f"WMTS:{url},layer={layer}", **options)

        return open_layer

    @pytest.mark.parametrize("style", ["day2", "day1"])
    def test_the_globe_in_degrees(self, opened, style):
        with opened(
            "closed.v", TILEMATRIXSET="WorldCRS84Quad", STYLE=style, TILEMATRIX="2"
        ) as file:
            assert file.driver == "WMTS"
            assert (file.width, file.height) == (2048, 1024)
            assert file.bounds == pytest.approx((-180, -90, 180, 90))
            found = file.read(window=from_bounds(-90, 0, 90, 90, file.transform))
        # GDAL always asks for the default time, the newest, of value 2000 and more
        expected = CELLS if style == "day2" else np.full((10, 20), 128)
        rows = (np.arange(5) + 0.5) * 102.4
        columns = (np.arange(10) + 0.5) * 102.4
        picked = cells(found)[np.ix_(rows.astype(int), columns.astype(int))]
        np.testing.assert_array_equal(picked, expected[:5, 5:15])

    def test_web_mercator(self, opened):
        with opened("events", TILEMATRIXSET="WebMercatorQuad", TILEMATRIX="1") as file:
            assert file.crs.to_epsg() == 3857
            assert file.bounds == pytest.approx((-EDGE, -EDGE, EDGE, EDGE))
            found = cells(file.read())
        assert found.shape == (512, 512)
        columns = ((np.arange(20) + 0.5) * 25.6).astype(int)
        assert found[0, columns].tolist() == CELLS[0].tolist()
        assert found[250, columns].tolist() == CELLS[4].tolist()
        assert found[261, columns].tolist() == CELLS[5].tolist()

    def test_only_the_cube_has_tiles(self, opened):
        with opened("utm.v", TILEMATRIXSET="WebMercatorQuad", TILEMATRIX="12") as file:
            left, bottom, right, top = transform_bounds(
                "EPSG:32632", "EPSG:3857", 500_000, 5_000_000, 540_000, 5_030_000
            )
            size = file.res[0] * 256
            assert file.bounds == pytest.approx((left, bottom, right, top), abs=size)

    def test_by_parameters(self, live_server):
        url = f"{live_server.url}/wmts?SERVICE=WMTS&REQUEST=GetCapabilities&VERSION=1.0.0"
        name = f"WMTS:{url},layer=closed,tilematrixset=WorldCRS84Quad,style=day2,tilematrix=0"
        with rasterio.open(name) as file:
            np.testing.assert_array_equal(middles(file, 20, 10), CELLS)
