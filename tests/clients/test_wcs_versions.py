"""OWSLib, GDAL and QGIS with WCS 1.0.0, 1.1.x and 2.0.1 against a live server, no quirk option."""

import email
import email.policy
import io
import json
import os
import subprocess
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
import rasterio
import xarray as xr
from owslib.wcs import WebCoverageService
from rasterio.io import MemoryFile
from rasterio.windows import Window

from tests.clients.pictures import rgba

DAY2 = "2020-01-02T00:00:00Z"
DAYS = [f"2020-01-0{day}T00:00:00Z" for day in (1, 2, 3)]
SCRIPT = Path(__file__).with_name("qgis_coverage.py")


def closed(t, rows, columns, k=0, f=0):
    """Values of the cubes: rows and columns counted from north-west."""
    y, x = np.meshgrid(np.asarray(rows), np.asarray(columns), indexing="ij")
    return 1000 * t + 10 * y + x + 100_000 * k + 10_000_000 * f


def tiff(content):
    with MemoryFile(content) as memory, memory.open() as file:
        return file.read(), file.profile


@pytest.fixture(scope="module")
def wcs10(live_server):
    return WebCoverageService(f"{live_server.url}/wcs", version="1.0.0")


@pytest.fixture(params=["1.1.0", "1.1.1"], scope="module")
def wcs11(request, live_server):
    return WebCoverageService(f"{live_server.url}/wcs", version=request.param)


class TestOwslib:
    def test_contents_of_1_0(self, wcs10):
        assert {"closed", "events", "levels", "plain", "utm"} <= set(wcs10.contents)
        closed_cube = wcs10["closed"]
        assert closed_cube.timepositions == DAYS
        assert closed_cube.timelimits == [DAYS[0], DAYS[2]]
        assert closed_cube.grid.origin == ["-171", "81"]
        assert closed_cube.grid.highlimits == ["19", "9"]
        assert closed_cube.grid.offsetvectors == [["18", "0"], ["0", "-18"]]
        assert closed_cube.boundingBoxWGS84 == (-180, -90, 180, 90)
        assert [one.name for one in wcs10["levels"].axisDescriptions] == ["depth", "Band"]

    def test_three_formats_of_1_0(self, wcs10):
        def ask(form):
            return wcs10.getCoverage(
                identifier="closed",
                time=[DAY2],
                bbox=(-36, 0, 36, 36),
                format=form,
                crs="EPSG:4326",
                width=4,
                height=2,
            ).read()

        expected = closed(1, (3, 4), range(8, 12))
        first, second, third, *_ = wcs10["closed"].supportedFormats
        values, profile = tiff(ask(first))
        np.testing.assert_array_equal(values[0], expected)
        assert tuple(profile["transform"])[:6] == (18, 0, -36, 0, -18, 36)
        with xr.open_dataset(io.BytesIO(ask(second)), engine="h5netcdf") as found:
            np.testing.assert_array_equal(found["v"].values.reshape(2, 4), expected)
        assert json.loads(ask(third))["ranges"]["v"]["values"] == expected.ravel().tolist()

    def test_a_level_and_a_band_of_1_0(self, wcs10):
        answer = wcs10.getCoverage(
            identifier="levels",
            time=[DAY2],
            bbox=(-180, -90, 180, 90),
            format="GeoTIFF",
            crs="EPSG:4326",
            resx=18,
            resy=18,
            depth=50,
            Band="v",
        )
        values, _ = tiff(answer.read())
        np.testing.assert_array_equal(values[0], closed(1, range(10), range(20), k=2, f=1))

    @pytest.mark.filterwarnings("ignore:Truth-testing of elements:FutureWarning")  # of OWSLib
    def test_1_1(self, wcs11):
        assert {"closed", "plain", "utm"} <= set(wcs11.contents)
        assert wcs11.identification.title == "Closed forms"
        closed_cube = wcs11["closed"]
        assert closed_cube.supportedFormats[:2] == ["image/tiff", "application/netcdf"]
        assert closed_cube.boundingBoxWGS84 == (-180, -90, 180, 90)
        for form in closed_cube.supportedFormats[:3]:
            answer = wcs11.getCoverage(
                identifier="closed",
                time=[DAY2],
                bbox=(-81, -171, 81, 171, "urn:ogc:def:crs:EPSG::4326"),
                format=form,
            )
            head = f"Content-Type: {answer.info()['Content-Type']}\r\n\r\n".encode()
            message = email.message_from_bytes(head + answer.read(), policy=email.policy.HTTP)
            description, file = message.iter_parts()
            assert b"Coverages" in description.get_payload(decode=True)
            assert file.get_content_type() == form
            if form == "image/tiff":
                values, _ = tiff(file.get_payload(decode=True))
                np.testing.assert_array_equal(values[0], closed(1, range(10), range(20)))


def source(live_server, version, coverage):
    return f"WCS:{live_server.url}/wcs?version={version}&coverage={coverage}"


@pytest.mark.gdal
@pytest.mark.parametrize("version", ["1.0.0", "1.1.1", "2.0.1"])
class TestGdal:
    def test_a_picture(self, live_server, tmp_path, version):
        name = source(live_server, version, "plain")
        with rasterio.open(name, CACHE=str(tmp_path / "cache")) as file:
            assert (file.width, file.height, file.dtypes) == (36, 18, ("int32",))
            assert tuple(file.transform)[:6] == (10, 0, -180, 0, -10, 90)
            assert file.crs.to_epsg() == 4326
            np.testing.assert_array_equal(file.read(1), closed(0, range(18), range(36)))
            part = file.read(1, window=Window(4, 2, 3, 5))
            np.testing.assert_array_equal(part, closed(0, range(2, 7), range(4, 7)))
            assert file.read(1, out_shape=(9, 18)).shape == (9, 18)

    def test_the_command_line_of_the_system(self, live_server, tmp_path, version):
        written, utm = tmp_path / "out.tif", version != "2.0.1"
        coverage, options = ("utm", []) if utm else ("plain", [])
        command = ["gdal_translate", "-q", "-oo", f"CACHE={tmp_path / 'cache'}", *options]
        subprocess.run(
            [*command, source(live_server, version, coverage), str(written)],
            check=True,
            capture_output=True,
            timeout=120,
        )
        with rasterio.open(written) as file:
            if utm:
                assert file.crs.to_epsg() == 32632
                assert file.bounds == (500_000, 5_000_000, 540_000, 5_030_000)
                np.testing.assert_array_equal(file.read(1), closed(1, range(30), range(40)))
            else:
                np.testing.assert_array_equal(file.read(1), closed(0, range(18), range(36)))


@pytest.mark.gdal
def test_times_are_subdatasets_of_1_0(live_server, tmp_path):
    name = source(live_server, "1.0.0", "closed")
    with rasterio.open(name, CACHE=str(tmp_path / "cache")) as file:
        assert file.tags()["TIME_POSITION"] == DAYS[2]
        np.testing.assert_array_equal(file.read(1), closed(2, range(10), range(20)))
        assert len(file.subdatasets) == 3
        first = file.subdatasets[0]
    with rasterio.open(first, CACHE=str(tmp_path / "cache")) as file:
        np.testing.assert_array_equal(file.read(1), closed(0, range(10), range(20)))


@pytest.mark.gdal
@pytest.mark.parametrize("version", ["1.0.0", "1.1.1"])
def test_bands(live_server, tmp_path, version):
    name = source(live_server, version, "levels")
    with rasterio.open(name, CACHE=str(tmp_path / "cache")) as file:
        assert file.count == 2
        for band in (1, 2):
            expected = closed(2, range(10), range(20), f=band - 1)
            np.testing.assert_array_equal(file.read(band), expected)


@pytest.mark.qgis
class TestQgis:
    @pytest.fixture
    def read(self, live_server, tmp_path):
        """``read(version, coverage, crs, extent, size, points)`` in a home of its own."""
        home, runtime = tmp_path / "home", tmp_path / "runtime"
        home.mkdir()
        runtime.mkdir(mode=0o700)
        places = {"HOME": str(home), "XDG_RUNTIME_DIR": str(runtime)}
        inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        environment = inherited | places | {"QT_QPA_PLATFORM": "offscreen"}

        def run(version, coverage, crs, time=DAY2, **job):
            form = "GeoTIFF" if version == "1.0.0" else "image/tiff"
            uri = {"identifier": coverage, "url": f"{live_server.url}/wcs", "version": version}
            uri |= {"format": form, "crs": crs, "time": time, "cache": "AlwaysNetwork"}
            done = subprocess.run(
                ["/usr/bin/python3", str(SCRIPT)],
                input=json.dumps({"uri": urlencode(uri, safe=":")} | job),
                capture_output=True,
                text=True,
                env=environment,
                timeout=120,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            outcome = json.loads(done.stdout)
            assert outcome["valid"], outcome
            assert outcome["messages"] == []
            return outcome

        return run

    @pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "1.1.1"])
    def test_degrees(self, read, version, tmp_path):
        picture = tmp_path / "picture.png"
        found = read(
            version,
            "closed",
            "EPSG:4326",
            extent=[-180, -90, 180, 90],
            size=[20, 10],
            points=[[-171, 81], [9, -9], [179, -89]],
            picture=str(picture),
        )
        assert (found["crs"], found["extent"]) == ("EPSG:4326", [-180, -90, 180, 90])
        assert (found["size"], found["bands"]) == ([20, 10], 1)
        assert (found["minimum"], found["maximum"]) == (1000, 1109)
        np.testing.assert_array_equal(found["values"], closed(1, range(10), range(20)))
        assert found["identified"] == [[1000], [1060], [1109]]
        drawn = rgba(picture.read_bytes())
        assert drawn.shape == (100, 200, 4)
        assert drawn[5, 5, 0] < drawn[95, 195, 0]

    @pytest.mark.parametrize("version", ["1.0.0", "1.1.1"])
    def test_metres_a_window_and_what_lies_beside(self, read, version):
        found = read(
            version,
            "utm",
            "EPSG:32632",
            extent=[498_000, 5_027_000, 503_000, 5_032_000],
            size=[5, 5],
            points=[[500_500, 5_029_500]],
        )
        assert found["extent"] == [500_000, 5_000_000, 540_000, 5_030_000]
        assert found["identified"] == [[1000]]
        inside = np.array(found["values"], float)[2:, 2:]
        np.testing.assert_array_equal(inside, closed(1, range(3), range(3)))

    def test_another_time(self, read):
        found = read(
            "1.0.0", "closed", "EPSG:4326", DAYS[0], extent=[-180, 72, -162, 90], size=[1, 1]
        )
        assert found["values"] == [[0]]
