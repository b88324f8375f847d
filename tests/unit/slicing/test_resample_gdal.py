"""Resampled values against GDAL's, on random data with and without missing cells."""

import numpy as np
import pytest
from affine import Affine
from rasterio.warp import Resampling, reproject

from datacube.model.crs import Crs
from datacube.model.grid import RectifiedGrid
from datacube.slicing.resample import resample
from datacube.slicing.warp import positions

pytestmark = pytest.mark.gdal

MERCATOR = Crs.parse("EPSG:3857")
SOURCE = RectifiedGrid(MERCATOR, Affine(10, 0, 500, 0, -10, 9000), 70, 60)
TARGETS = {
    "finer": Affine(3.7, 0, 521.3, 0, -4.1, 8990.7),
    "beyond": Affine(7.3, 0, 402.0, 0, -6.9, 9081.0),
    "coarser": Affine(17.3, 0, 493.1, 0, -23.9, 9011.3),
    "south-up": Affine(6.1, 0, 507.0, 0, 5.3, 8411.0),
}
MISSING = -999


def data_of(dtype, holes, seed=3):
    rng = np.random.default_rng(seed)
    high = 12 if np.dtype(dtype).kind in "ui" else 1000
    data = rng.integers(0, high, SOURCE.shape).astype(dtype)
    if np.dtype(dtype).kind == "f":
        data += rng.random(SOURCE.shape).astype(dtype)
    valid = np.ones(SOURCE.shape, bool)
    if holes:
        valid = rng.random(SOURCE.shape) > 0.2
        valid[10:25, 20:40] = False
    return np.where(valid, data, np.asarray(MISSING, dtype)), valid


def by_gdal(method, data, target, *, scale=True):
    out = np.full(target.shape, MISSING, data.dtype)
    options = {"XSCALE": 1, "YSCALE": 1} if scale else {}
    reproject(
        data,
        out,
        src_transform=SOURCE.transform,
        src_crs=SOURCE.crs.wkt,
        src_nodata=MISSING,
        dst_transform=target.transform,
        dst_crs=target.crs.wkt,
        dst_nodata=MISSING,
        resampling=Resampling[method],
        tolerance=0,
        **options,
    )
    return out, out != MISSING


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("place", ["finer", "beyond", "south-up"])
@pytest.mark.parametrize("method", ["nearest", "bilinear", "cubic"])
def test_point_methods_equal_gdal(method, place, holes):
    data, valid = data_of("f8", holes)
    target = RectifiedGrid(MERCATOR, TARGETS[place], 83, 71)
    values, good = resample(method, data, valid, positions(SOURCE, target, method))
    expected, expected_good = by_gdal(method, data, target)
    assert (good == expected_good).all()
    np.testing.assert_allclose(values[good], expected[good], rtol=2e-6, atol=2e-3)


def across_the_edge(found):
    """Pixels partly beyond the source, whose outer part GDAL counts as the edge's cell."""
    extent, (height, width) = found.extent, SOURCE.shape
    rows = (extent.v_low < -1e-6) | (extent.v_high > height + 1e-6)
    columns = (extent.u_low < -1e-6) | (extent.u_high > width + 1e-6)
    return rows[:, None] | columns[None, :]


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("place", list(TARGETS))
@pytest.mark.parametrize("dtype", ["f8", "i2"])
@pytest.mark.parametrize("method", ["average", "min", "max", "med", "q1", "q3"])
def test_area_methods_equal_gdal(method, dtype, place, holes):
    data, valid = data_of(dtype, holes)
    target = RectifiedGrid(MERCATOR, TARGETS[place], 40, 25)
    found = positions(SOURCE, target, method)
    values, good = resample(method, data, valid, found)
    expected, expected_good = by_gdal(method, data, target, scale=False)
    assert (good == expected_good).all()
    if method == "average":
        rounding = 0.5 if dtype == "i2" else 0
        clear = good & ~across_the_edge(found)
        np.testing.assert_allclose(values[clear], expected[clear], rtol=2e-6, atol=rounding + 2e-3)
    else:
        assert (values[good] == expected[good]).all()


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("place", list(TARGETS))
@pytest.mark.parametrize("dtype", ["u1", "i2"])
def test_mode_has_the_weight_that_gdal_finds_largest(dtype, place, holes):
    """Of equal weights either value will do: GDAL adds them up in single precision."""
    data, valid = data_of("i2", holes)
    data = np.where(valid, data, 255 if dtype == "u1" else MISSING).astype(dtype)
    target = RectifiedGrid(MERCATOR, TARGETS[place], 40, 25)
    found = positions(SOURCE, target, "mode")
    values, good = resample("mode", data, valid, found)
    out = np.zeros(target.shape, dtype)
    reproject(
        data,
        out,
        src_transform=SOURCE.transform,
        src_crs=SOURCE.crs.wkt,
        src_nodata=255 if dtype == "u1" else MISSING,
        dst_transform=target.transform,
        dst_crs=target.crs.wkt,
        resampling=Resampling.mode,
        tolerance=0,
    )
    clear = good & ~across_the_edge(found)
    assert (values[clear] == out[clear]).mean() > 0.99
