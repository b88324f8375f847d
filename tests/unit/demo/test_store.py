"""The demo store is filled once, and a second time costs nothing."""

import re
import shutil

import numpy as np
import pytest
import rasterio
import xarray as xr

from datacube.errors import SourceError
from datacube.store.cube import open_cube
from datacube.store.url import open_store
from services.demo.scene import PASSES
from services.demo.sentinel2 import make_series
from services.demo.store import fill

SIZE = 60


@pytest.fixture
def series(tmp_path):
    return make_series(tmp_path / "safe", size=SIZE, passes=PASSES[:2])


def test_series_becomes_a_cube_and_the_second_time_nothing(tmp_path, series):
    store = str(tmp_path / "store")
    lines: list[str] = []
    fill(store, {"s2-simulated": series}, lines.append)
    first = open_cube(open_store(store), "s2-simulated")
    fill(store, {"s2-simulated": series}, lines.append)
    assert re.fullmatch(r"s2-simulated: 2 slices added, \d+\.\d MB in \d+\.\d s", lines[0])
    assert lines[1:] == ["s2-simulated: already there"]
    assert open_cube(open_store(store), "s2-simulated").snapshot == first.snapshot


def test_cube_says_that_it_is_simulated(tmp_path, series):
    store = str(tmp_path / "store")
    fill(store, {"s2-simulated": series}, print)
    description = open_cube(open_store(store), "s2-simulated").description
    assert description.title == "Simulated Sentinel-2 L2A, not an observation"
    assert "not an observation" in description.abstract
    assert "no Copernicus Sentinel data" in description.attribution
    with xr.open_zarr(tmp_path / "store" / "s2-simulated") as opened:
        assert opened.attrs["title"] == description.title
        assert "Contains modified Copernicus" not in str(opened.attrs)


def test_cube_holds_the_pixels_of_the_product(tmp_path, series):
    store = str(tmp_path / "store")
    fill(store, {"s2-simulated": series}, print)
    (image,) = series[1].rglob("*_B08_10m.jp2")
    with rasterio.open(image) as file:
        expected = file.read(1)
    with xr.open_zarr(tmp_path / "store" / "s2-simulated", mask_and_scale=False) as opened:
        np.testing.assert_array_equal(opened["B08"][1].to_numpy(), expected)
        assert opened["B08"].attrs["scale_factor"] == pytest.approx(1e-4)
        assert opened["B08"].attrs["add_offset"] == pytest.approx(-0.1)
        assert np.datetime_as_string(opened["time"].to_numpy()[1], "s") == "2024-05-10T10:10:19"


def test_refused_source_is_named(tmp_path, series):
    (image,) = series[1].rglob("*_B04_10m.jp2")
    image.write_bytes(b"no image")
    with pytest.raises(SourceError, match="was refused") as caught:
        fill(str(tmp_path / "store"), {"s2-simulated": series}, print)
    assert caught.value.subject == str(series[1])


def test_new_pass_is_added_to_the_others(tmp_path, series):
    store = str(tmp_path / "store")
    fill(store, {"s2-simulated": series}, print)
    more = make_series(series[0].parent, size=SIZE, passes=PASSES[:3])
    shutil.rmtree(series[0])
    lines: list[str] = []
    fill(store, {"s2-simulated": more[1:]}, lines.append)
    assert lines[0].startswith("s2-simulated: 1 slices added")
