"""The data sets of the benchmark: our cubes and the peers' files hold the values that were made."""

import numpy as np
import pytest
import rasterio
import zarr
from netCDF4 import Dataset

from bench import cubes, peer_data, scenes
from bench.scale import Scale
from datacube.store.cube import open_cube
from datacube.store.url import open_store

pytestmark = pytest.mark.filterwarnings("ignore:Consolidated metadata:UserWarning")

SST, S2, OCEAN = (2, 600, 1100), (1, 700), (2, 3, 530, 560)  # chunks at the edges are cut


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bench.scale.HOME", tmp_path_factory.mktemp("bench"))
        scale = Scale("tiny", SST, S2, OCEAN, 1.0, 2)
        for _ in range(2):  # the second finds all of it there
            cubes.make_all(scale)
            peer_data.make_all(scale)
        yield scale.home


@pytest.fixture(scope="module")
def sst():
    mask = scenes.land(*SST[1:])
    return [scenes.sst_day(day, *SST[1:], mask) for day in range(SST[0])]


def test_our_cube_has_them_and_its_overviews(home, sst):
    cube = open_cube(open_store(str(home / "store")), "sst")
    for day, values in enumerate(sst):
        assert np.array_equal(cubes.read_level(cube, "sst", day, 0), values)
    assert cubes.read_level(cube, "sst", 0, 1).shape == (300, 550)


def test_the_peers_have_the_same(home, sst):
    group = zarr.open_group(home / "peers" / "sst.zarr", mode="r")
    for day, values in enumerate(sst):
        assert np.array_equal(group["0/sst"][day], values)
        with rasterio.open(home / "peers" / "sst" / f"{day:02d}.tif") as file:
            assert np.array_equal(file.read(1), values)


def test_bands_of_a_scene_keep_their_order(home):
    made = scenes.s2_date(0, S2[1])
    group = zarr.open_group(home / "peers" / "s2.zarr", mode="r")
    with rasterio.open(home / "peers" / "s2" / "00.tif") as file:
        for place, band in enumerate(scenes.BANDS):
            assert np.array_equal(file.read(place + 1), made[band])
            assert np.array_equal(group["0/s2"][0, place], made[band])


def test_the_ocean_has_all_its_depths(home):
    mask = scenes.land(*OCEAN[2:])
    with Dataset(home / "peers" / "ocean.nc") as file:
        found = file["temperature"][:].filled(np.nan)
    for step in range(OCEAN[0]):
        made = scenes.ocean_step(step, 0, *OCEAN[1:], mask)
        assert np.array_equal(found[step], made, equal_nan=True)
