"""Scaled and reprojected coverages against numpy and GDAL; smooth maps without seams."""

import numpy as np
import pytest
import rasterio.crs
from rasterio.enums import Resampling
from rasterio.warp import reproject

from datacube.config.settings import Config
from datacube.engine.context import make_context
from datacube.engine.coverage import get_coverage
from datacube.engine.map import render_map
from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84, Crs
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.model.query import CoverageQuery, LayerRequest, MapQuery, ScaleFactor, ScaleSize, Trim
from datacube.model.tilesets import web_mercator_quad
from datacube.store.url import open_store
from tests.cubes import make_cube


def hills(t, k, f, y, x):
    return np.round(500 + 300 * np.sin(x / 9.0) * np.cos(y / 7.0) + t).astype(int)


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    store = open_store(str(tmp_path_factory.mktemp("store")))
    fields = (Field("v", "int16", nil=-1, scale=0.1, offset=2.0),)
    make_cube(store, "globe", width=360, height=180, fields=fields, formula=hills)
    make_cube(
        store, "utm", width=200, height=150, crs="EPSG:32632", fields=fields, formula=hills,
        bbox=(600_000, 5_300_000, 620_000, 5_315_000), chunks={"x": 64, "y": 64},
    )  # fmt: skip
    return make_context(store, Config())


def raw(context, cube):
    return get_coverage(context, CoverageQuery(cube)).blocks["v"].data[0]


def test_an_average_of_two_by_two_cells_is_numpys(context):
    query = CoverageQuery("globe", scaling=ScaleFactor(0.5), interpolation="average")
    found = get_coverage(context, query).blocks["v"]
    physical = raw(context, "globe") * 0.1 + 2.0
    expected = physical.reshape(90, 2, 180, 2).mean(axis=(1, 3))
    assert found.field.scale == 1.0
    np.testing.assert_allclose(found.data[0], expected, rtol=1e-12)


def test_minimum_and_mode_keep_stored_values(context):
    query = CoverageQuery("globe", scaling=ScaleSize(120, 60), interpolation="min")
    found = get_coverage(context, query).blocks["v"]
    assert found.data.dtype == np.int16
    expected = raw(context, "globe").reshape(60, 3, 120, 3).min(axis=(1, 3))
    assert (found.data[0] == expected).all()


@pytest.mark.parametrize("method", ["nearest", "bilinear", "cubic"])
def test_another_crs_is_gdals_picture(context, method):
    query = CoverageQuery("utm", interpolation=method, output_crs=Crs.parse("EPSG:3857"))
    block = get_coverage(context, query).blocks["v"]
    grid, source = block.domain.rectified, context.catalog.cube("utm").description.domain.rectified
    expected = np.full(grid.shape, np.nan)
    reproject(
        raw(context, "utm") * 0.1 + 2.0, expected,
        src_transform=source.transform, src_crs=rasterio.crs.CRS.from_epsg(32632),
        dst_transform=grid.transform, dst_crs=rasterio.crs.CRS.from_epsg(3857), dst_nodata=np.nan,
        resampling=Resampling[method], tolerance=0.0,
    )  # fmt: skip
    both = block.valid[0] & np.isfinite(expected)
    assert both.mean() > 0.8
    difference = np.abs(block.physical()[0] - expected)[both]
    if method == "nearest":
        assert (difference < 1e-6).mean() > 0.98
    else:
        assert difference.max() < 0.5
        assert np.median(difference) < 0.02


def test_a_cut_over_the_seam_is_resampled_as_one(context):
    trims = (Trim("Long", 170.0, -170.0), Trim("Lat", 0.0, 20.0))
    query = CoverageQuery("globe", trims, scaling=ScaleFactor(4.0), interpolation="bilinear")
    found = get_coverage(context, query).blocks["v"]
    assert found.valid.all()
    whole = raw(context, "globe") * 0.1 + 2.0
    columns = np.concatenate([whole[70:90, 349:], whole[70:90, :11]], axis=1)
    at = (np.arange(80) + 0.5) / 4 + 1 - 0.5
    left = np.floor(at).astype(int)
    share = at - left
    across = columns[:, left] * (1 - share) + columns[:, left + 1] * share
    np.testing.assert_allclose(found.data[0, 2::4][:18], 0.875 * across[:18] + 0.125 * across[1:19])


@pytest.mark.parametrize("method", ["bilinear", "cubic", "average"])
def test_tiles_of_smooth_maps_join_without_a_seam(context, method):
    quad = web_mercator_quad()
    corner = quad.grid_of_tile("3", 2, 3)
    whole = RectifiedGrid(quad.crs, corner.transform, 512, 512)

    def drawn(grid):
        query = MapQuery((LayerRequest("globe", interpolation=method),), grid)
        return render_map(context, query).image.rgba().pixels

    big = drawn(whole)
    for row in range(2):
        for column in range(2):
            tile = drawn(quad.grid_of_tile("3", 2 + row, 3 + column))
            part = big[row * 256 : row * 256 + 256, column * 256 : column * 256 + 256]
            assert (tile == part).all()


def test_a_smooth_map_outside_the_cube_is_empty(context):
    target = RectifiedGrid.from_bbox(BoundingBox(100, 0, 110, 10, CRS84), 20, 20)
    query = MapQuery((LayerRequest("utm", interpolation="bilinear"),), target, transparent=True)
    assert (render_map(context, query).image.rgba().pixels[..., 3] == 0).all()
