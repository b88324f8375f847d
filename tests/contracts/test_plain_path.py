"""The plain path of a cube through xarray, rioxarray and GDAL, before and after compaction."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rioxarray
import xarray as xr

from datacube.store.collect import collect
from datacube.store.compact import compact
from datacube.store.url import open_store
from tests.cubes import make_cube, read_level, slice_values, ticks_of

EXPECTED = [(1, 0), (2, 6), (4, 1)]
"""(day, t of the closed form)"""


@pytest.fixture(params=[1, 2, 3, 4], ids="compacted {} times".format)
def cube(request, tmp_path: Path):
    """A cube with an insertion and a correction, compacted so often: each layout once."""
    cube = make_cube(
        tmp_path,
        times=("2020-01-01", "2020-01-04"),
        width=40,
        height=20,
        bbox=(0, 40, 40, 60),
        chunks={"x": 16, "y": 16},
    )
    for number in range(request.param):
        with cube.transaction("late or corrected") as tx:
            values = slice_values(cube.description, 6 if number == request.param - 1 else 9)
            tx.write_slice(ticks_of("2020-01-02"), values)
        if number < 3:
            compact(cube.store, "closed")
    if request.param == 4:
        collect(cube.store, "closed", keep=1, grace=timedelta(0))
        compact(cube.store, "closed")
    return cube.refreshed()


def expected(cube, t: int) -> np.ndarray:
    return slice_values(cube.description, t)["v"]


def path_of(cube) -> str:
    return f"{open_store(cube.store.url).url}/closed"


def test_xarray(cube):
    with xr.open_zarr(path_of(cube), chunks=None) as dataset:
        for day, t in EXPECTED:
            values = dataset["v"].sel(time=f"2020-01-{day:02d}").values
            assert np.array_equal(values.squeeze(), expected(cube, t))
        assert dataset.sizes["time"] == 3


# of rioxarray's own use of affine
@pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")
def test_rioxarray(cube):
    with rioxarray.open_rasterio(f'ZARR:"{path_of(cube)}":/v') as opened:
        assert opened.shape == (3, 20, 40)
        for band, (_, t) in enumerate(EXPECTED):
            assert np.array_equal(opened.values[band], expected(cube, t))
        assert opened.rio.crs.to_epsg() == 4326
        assert opened.rio.bounds() == (0, 40, 40, 60)


@pytest.mark.gdal
def test_gdal(cube):
    assert tuple(map(int, rasterio.__gdal_version__.split(".")[:2])) >= (3, 12)
    with rasterio.open(f'ZARR:"{path_of(cube)}":/v') as opened:
        assert (opened.count, opened.height, opened.width) == (3, 20, 40)
        for band, (_, t) in enumerate(EXPECTED, start=1):
            assert np.array_equal(opened.read(band), expected(cube, t))
        assert opened.bounds == (0, 40, 40, 60)
    with rasterio.open(f'ZARR:"{path_of(cube)}":/overviews/1/v') as coarse:
        assert np.array_equal(coarse.read(2), read_level(cube, "v", 1, 1))
