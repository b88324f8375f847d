"""OWSLib and GDAL's WCS 2.0.1 drivers against a live server, without any quirk option."""

import datetime as dt
import io
import json

import numpy as np
import pytest
import rasterio
import requests
import xarray as xr
from owslib.util import ServiceException
from owslib.wcs import WebCoverageService
from rasterio.io import MemoryFile
from rasterio.windows import Window

from tests.cubes import make_cube

DAY2 = "2020-01-02T00:00:00Z"


def closed(t, rows, columns, k=0, f=0):
    """Values of the cubes: rows and columns counted from north-west."""
    y, x = np.meshgrid(np.asarray(rows), np.asarray(columns), indexing="ij")
    return 1000 * t + 10 * y + x + 100_000 * k + 10_000_000 * f


@pytest.fixture(scope="module")
def wcs(live_server):
    return WebCoverageService(f"{live_server.url}/wcs", version="2.0.1")


def tiff(answer):
    with MemoryFile(answer.read()) as memory, memory.open() as file:
        return file.read(), file.profile


class TestOwslib:
    def test_a_dataset(self, wcs):
        answer = wcs.getCoverage(identifier=["closed__20200102T000000Z"], format="image/tiff")
        np.testing.assert_array_equal(tiff(answer)[0][0], closed(1, range(10), range(20)))

    def test_contents(self, wcs):
        assert {"closed", "levels", "plain", "utm"} <= set(wcs.contents)
        assert wcs.identification.type == "WCS"
        assert wcs.identification.version == "2.0.1"
        assert "GetCoverage" in [one.name for one in wcs.operations]
        assert wcs["closed"].supportedFormats[:2] == ["image/tiff", "application/netcdf"]

    def test_times(self, wcs):
        days = [dt.datetime(2020, 1, day) for day in (1, 2, 3)]  # noqa: DTZ001  OWSLib's are naive
        assert wcs["closed"].timepositions == days
        assert wcs["closed"].timelimits == [days[0], days[-1]]

    def test_grid_with_time(self, wcs):
        grid = wcs["closed"].grid
        assert grid.dimension == 3
        assert grid.axislabels == ["Long", "Lat", "ansi"]
        assert grid.highlimits == ["19", "9", "2"]
        assert grid.origin[:2] == ["81", "-171"]
        assert grid.offsetvectors == [["0", "18", "0"], ["-18", "0", "0"], ["0", "0", "1"]]

    def test_grid_of_a_picture(self, wcs):
        grid = wcs["plain"].grid
        assert grid.axislabels == ["Long", "Lat"]
        assert grid.origin == ["-175", "85"]
        assert grid.offsetvectors == [["10", "0"], ["0", "-10"]]

    def test_bounding_boxes(self, wcs):
        assert wcs["closed"].boundingboxes[0]["bbox"] == (-90, -180, 90, 180)
        assert wcs["plain"].boundingboxes[0]["nativeSrs"].endswith("/OGC/1.3/CRS84")

    def test_netcdf(self, wcs):
        answer = wcs.getCoverage(
            identifier=["closed"],
            format="application/netcdf",
            subsets=[("Long", -36, 36), ("Lat", 0, 36), ("ansi", "2020-01-01", "2020-01-02")],
        )
        with xr.open_dataset(io.BytesIO(answer.read()), engine="h5netcdf") as found:
            rows, columns = (3, 4), (8, 9, 10, 11)
            expected = np.stack([closed(t, rows, columns) for t in (0, 1)])
            np.testing.assert_array_equal(found["v"].values, expected)
            assert found["lat"].values.tolist() == [27, 9]
            assert str(found["time"].values[1])[:10] == "2020-01-02"

    def test_geotiff(self, wcs):
        subsets = [("Long", "*", "-144"), ("Lat", 54, 90), ("ansi", DAY2)]
        values, profile = tiff(
            wcs.getCoverage(identifier="closed", format="image/tiff", subsets=subsets)
        )
        np.testing.assert_array_equal(values[0], closed(1, (0, 1), (0, 1)))
        assert profile["transform"].c == -180
        assert profile["transform"].f == 90

    def test_coveragejson(self, wcs):
        answer = wcs.getCoverage(
            identifier="levels",
            format="application/prs.coverage+json",
            subsets=[("ansi", DAY2), ("depth", 10), ("Lat", 81), ("Long", -171, -135)],
        )
        found = json.loads(answer.read())
        assert found["ranges"]["u"]["values"] == closed(1, [0], [0, 1, 2], k=1).ravel().tolist()
        assert found["ranges"]["v"]["values"][0] == 10_101_000

    def test_no_format_is_the_native_one(self, wcs):
        assert wcs.getCoverage(identifier="plain").info()["Content-Type"] == "image/tiff"
        assert wcs.getCoverage(identifier="closed").info()["Content-Type"] == "application/netcdf"

    def test_sizes_and_resolutions(self, wcs):
        for vendor in (
            {"sizes": [("Long", 10), ("Lat", 5)]},
            {"resolutions": [("Long", 36), ("Lat", 36)]},
        ):
            values, profile = tiff(
                wcs.getCoverage(
                    identifier="closed", format="image/tiff", subsets=[("ansi", DAY2)], **vendor
                )
            )
            assert values.shape == (1, 5, 10)
            assert profile["transform"].a == 36

    def test_errors_carry_the_report(self, wcs):
        with pytest.raises(requests.HTTPError) as outside:
            wcs.getCoverage(identifier="closed", format="image/tiff", subsets=[("depth", 3)])
        assert outside.value.response is not None
        assert "InvalidAxisLabel" in outside.value.response.text
        with pytest.raises(ServiceException, match="InvalidParameterValue"):
            wcs.getCoverage(identifier="closed", format="image/tiff")


@pytest.mark.gdal
class TestGdal:
    @pytest.fixture
    def opened(self, live_server, tmp_path):
        def open_coverage(coverage, **options):
            name = f"WCS:{live_server.url}/wcs?version=2.0.1&coverage={coverage}"
            return rasterio.open(name, CACHE=str(tmp_path / "cache"), **options)

        return open_coverage

    def test_a_picture(self, opened):
        with opened("plain") as file:
            assert file.driver == "WCS"
            assert (file.width, file.height, file.count) == (36, 18, 1)
            assert file.dtypes == ("int32",)
            assert tuple(file.transform)[:6] == (10, 0, -180, 0, -10, 90)
            assert file.crs.to_epsg() == 4326
            np.testing.assert_array_equal(file.read(1), closed(0, range(18), range(36)))
            part = file.read(1, window=Window(4, 2, 3, 5))
            np.testing.assert_array_equal(part, closed(0, range(2, 7), range(4, 7)))

    def test_one_time(self, opened):
        with opened("closed", Subset=f'ansi("{DAY2}")') as file:
            assert (file.width, file.height, file.count) == (20, 10, 1)
            np.testing.assert_array_equal(file.read(1), closed(1, range(10), range(20)))

    def test_a_dataset(self, opened):
        with opened("closed__20200102T000000Z") as file:
            assert (file.width, file.height, file.count) == (20, 10, 1)
            np.testing.assert_array_equal(file.read(1), closed(1, range(10), range(20)))

    def test_projected(self, opened):
        with opened("utm", Subset=f'ansi("{DAY2}")') as file:
            assert file.crs.to_epsg() == 32632
            assert file.bounds == (500_000, 5_000_000, 540_000, 5_030_000)
            np.testing.assert_array_equal(file.read(1), closed(1, range(30), range(40)))

    def test_time_and_depth_and_two_bands(self, opened):
        with opened("levels", Subset=f'ansi("{DAY2}");depth(50)') as file:
            assert file.count == 2
            np.testing.assert_array_equal(file.read(1), closed(1, range(10), range(20), k=2))
            np.testing.assert_array_equal(file.read(2), closed(1, range(10), range(20), k=2, f=1))

    def test_smaller_than_the_cells(self, opened):
        with opened("plain") as file:
            found = file.read(1, out_shape=(9, 18))
            assert found.shape == (9, 18)
            assert (found >= 0).all()
            assert (found <= closed(0, [17], [35])).all()

    def test_overviews_are_asked_for_by_scalesize(self, server_factory, tmp_path):
        make_cube(tmp_path / "store", "wide", times=None, width=2000, height=1000, dtype="int16")
        url = server_factory(tmp_path / "store").url
        name = f"WCS:{url}/wcs?version=2.0.1&coverage=wide"
        with rasterio.open(name, CACHE=str(tmp_path / "cache")) as file:
            assert file.block_shapes == [(512, 1024)]
            assert file.overviews(1)[:2] == [2, 4]
            small = file.read(1, out_shape=(250, 500))
            np.testing.assert_array_equal(
                file.read(1, window=Window(1020, 500, 10, 20)),
                closed(0, range(500, 520), range(1020, 1030)),
            )
        lows = closed(0, range(0, 1000, 4), range(0, 2000, 4))
        assert ((small >= lows) & (small <= lows + 33)).all()
