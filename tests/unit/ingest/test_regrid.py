"""Sources on another grid: swaths, tie points, recipes with a grid, quality masks."""

import numpy as np
import pytest
import rasterio
from rasterio.control import GroundControlPoint

from datacube.config.products import FieldRecipe, MaskSettings, RecipeSettings, TargetSettings
from datacube.ingest.geometry import TiePoints
from datacube.ingest.pipeline import ingest
from datacube.ingest.regrid import RegriddedBand, regridded
from datacube.ingest.source import Granule, SliceSource
from datacube.model.coverage import CoverageDescription
from datacube.model.crs import CRS84, Crs
from datacube.model.domain import DomainSet
from datacube.model.fields import Field, RangeType
from datacube.model.grid import RectifiedGrid, ReferenceableGrid
from tests.unit.ingest.products import opened, whole, write_netcdf, write_tiff


class Array:
    """A band of an array that notes how large its windows were."""

    def __init__(self, values):
        self.values = values
        self.largest = 0

    def read(self, index, row0, row1, column0, column1):
        part = self.values[(*index, slice(row0, row1), slice(column0, column1))]
        self.largest = max(self.largest, part.size)
        return part


def granule(grid, band, field, tie_points=None):
    domain = DomainSet(grid)
    described = CoverageDescription("g", "", "", domain, RangeType((field,)))
    one = SliceSource(None, {field.name: band})
    return Granule("g", "g", "g", described, (one,), positions=tie_points)


def brought(recipe, one):
    """The regridded granule's only field, read whole, and its grid."""
    made = regridded(recipe, one)
    grid = made.description.domain.rectified
    (band,) = made.slices[0].bands.values()
    return band.read((), 0, grid.height, 0, grid.width), grid, band


def swath(height=40, width=60):
    """A swath that is turned by 30 degrees about (10, 50), and its row and column numbers."""
    row, column = np.mgrid[0:height, 0:width].astype(float)
    along, across = (row - height / 2) * 0.1, (column - width / 2) * 0.1
    turn = np.radians(30)
    lon = 10 + (across * np.cos(turn) - along * np.sin(turn)) / np.cos(np.radians(50))
    lat = 50 + across * np.sin(turn) + along * np.cos(turn)
    return ReferenceableGrid(CRS84, lon, lat), (1000 * row + column).astype("i4")


def recipe(resolution, crs="EPSG:4326", box=None, **other):
    sides = (resolution, resolution)
    return RecipeSettings(grid=TargetSettings(sides, crs, box), **other)


def test_a_swath_is_nearest_within_the_footprint():
    grid, values = swath()
    found, target, _ = brought(recipe(0.05), granule(grid, Array(values), Field("v", "int32")))
    x, y = np.meshgrid(target.x_centres(), target.y_centres())
    gone = found == np.iinfo("i4").min
    assert 0.2 < gone.mean() < 0.7
    at = np.array([[11.0, 50.5], [9.3, 49.2], [10.02, 50.01]])
    for lon, lat in at:
        row = int(np.argmin(np.abs(target.y_centres() - lat)))
        column = int(np.argmin(np.abs(target.x_centres() - lon)))
        away = np.hypot((grid.x - x[row, column]) * np.cos(np.radians(50)), grid.y - y[row, column])
        nearest = np.unravel_index(np.argmin(away), away.shape)
        assert found[row, column] == values[nearest]
    assert (gone | (np.isin(found, values))).all()


def test_every_tie_point_lies_where_it_says():
    """Pixels are 10 m, in rows that are turned; positions are given every hundredth of them."""
    rows, columns = np.linspace(0, 300, 4), np.linspace(0, 400, 5)
    column, row = np.meshgrid(columns, rows)
    x, y = 500000 + column * 10 + row * 2, 4000000 - row * 10 + column
    utm = Crs.parse("EPSG:32631")
    points = TiePoints(ReferenceableGrid(utm, x, y), rows, columns, 300, 400)
    values = np.add.outer(np.arange(300) * 1000, np.arange(400)).astype("f8")
    any_grid = RectifiedGrid.from_centres(utm, 0, 1, 2, 0, 1, 2)
    one = granule(any_grid, Array(values), Field("v", "float64"), points)
    found, target, _ = brought(recipe(4.0, "EPSG:32631"), one)
    x, y = np.meshgrid(target.x_centres() - 500000, target.y_centres() - 4000000)
    at_column, at_row = (x * 10 + y * 2) / 102, (x - y * 10) / 102
    inside = (at_row > 0.01) & (at_row < 299.99) & (at_column > 0.01) & (at_column < 399.99)
    good = ~np.isnan(found)
    assert (good == inside).mean() > 0.999
    clear = [np.abs(one - np.rint(one)) > 1e-3 for one in (at_row, at_column)]
    both = good & inside & clear[0] & clear[1]
    expected = np.floor(at_row[both]) * 1000 + np.floor(at_column[both])
    np.testing.assert_array_equal(found[both], expected)


def test_without_a_recipe_tie_points_go_to_a_map_grid_as_fine_as_they_are(tmp_path):
    path = tmp_path / "S1A_IW_GRDH_1SDV_20180716T004042_20180716T004107_022812_02792A_FD5B"
    (path / "measurement").mkdir(parents=True)
    values = np.add.outer(np.arange(60) * 100, np.arange(80) + 1).astype("u2")
    places = [(row, column) for row in (0.0, 30.0, 60.0) for column in (0.0, 40.0, 80.0)]
    points = [
        GroundControlPoint(row, column, 10 + column * 0.001, 1 - row * 0.001, 0.0)
        for row, column in places
    ]
    for name in ("iw-vv.tiff", "iw-vh.tiff"):
        with rasterio.open(
            path / "measurement" / name,
            "w",
            driver="GTiff",
            width=80,
            height=60,
            count=1,
            dtype="uint16",
            gcps=points,
            crs="EPSG:4326",
        ) as file:
            file.write(values, 1)
    report = ingest([str(path)], store=str(tmp_path / "store"))
    assert report.results[0].cubes == ("s1-iw-grd",), report.results
    cube = opened(tmp_path / "store", "s1-iw-grd")
    assert cube.description.domain.time.iso == ("2018-07-16T00:40:42Z",)
    assert cube.description.range_type.names == ("VH", "VV")
    grid = cube.description.domain.rectified
    assert (grid.width, grid.height) == (80, 60)
    assert grid.bbox.edges == pytest.approx((10, 0.94, 10.08, 1))
    np.testing.assert_array_equal(whole(cube, "VV"), values)


def test_a_recipe_brings_scenes_of_other_extents_to_one_grid(tmp_path):
    values = np.arange(1, 37, dtype="u2").reshape(1, 6, 6)
    far = rasterio.transform.from_origin(500020, 4000010, 10, 10)
    paths = [
        write_tiff(tmp_path / "s_20200101.tif", values, nodata=0),
        write_tiff(tmp_path / "s_20200102.tif", values, nodata=0, transform=far),
    ]
    one = recipe(10.0, None, (500000.0, 3999940.0, 500060.0, 4000000.0))
    report = ingest([str(path) for path in paths], store=str(tmp_path / "store"), recipe=one)
    assert report.exit_code == 0, report.results
    cube = opened(tmp_path / "store", "s")
    np.testing.assert_array_equal(whole(cube, "band1", 0), values[0])
    shifted = np.zeros((6, 6), "u2")
    shifted[:5, 2:] = values[0][1:, :4]
    np.testing.assert_array_equal(whole(cube, "band1", 1), shifted)
    files = [str(path) for path in paths]
    _, bad = ingest(files, store=str(tmp_path / "own"), recipe=recipe(10.0, None)).results
    assert bad.reason.startswith("does not fit the cube 's': its box is")
    assert bad.reason.endswith("meet in one cube where the recipe's grid has a box")


def test_linear_methods_work_on_packed_numbers_and_spare_no_data(tmp_path):
    values = np.array([[[10, 20, 0, 40], [30, 40, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1]]], "u2")
    path = write_tiff(tmp_path / "a_20200101.tif", values, nodata=0)
    one = recipe(20.0, None, fields=(FieldRecipe("band1", resampling="average"),))
    assert ingest([str(path)], store=str(tmp_path / "store"), recipe=one).exit_code == 0
    cube = opened(tmp_path / "store", "a")
    assert whole(cube, "band1").tolist() == [[25, 40], [1, 1]]


def test_a_large_source_is_read_in_small_windows():
    side = 9000
    band = Array(np.broadcast_to(np.float32(7), (side, side)))
    grid = RectifiedGrid.from_centres(Crs.parse("EPSG:32631"), 500005, 10, side, 3999995, -10, side)
    field = Field("v", "float32")
    one = recipe(200.0, None, fields=(FieldRecipe("v", resampling="average"),))
    found, target, made = brought(one, granule(grid, band, field))
    assert isinstance(made, RegriddedBand)
    assert target.shape == (450, 450)
    assert band.largest < 2**24
    assert (found == 7).all()


def test_masks_by_class_range_and_bit(tmp_path):
    values = np.array([[[5, 6], [7, 8]], [[0, 1], [2, 3]]], "u1")
    path = write_tiff(tmp_path / "a_20200101.tif", values)
    for number, (mask, kept) in enumerate(
        (
            (MaskSettings("band2", values=(1, 3)), [[255, 6], [255, 8]]),
            (MaskSettings("band2", low=2), [[255, 255], [7, 8]]),
            (MaskSettings("band2", bits=(1,)), [[5, 6], [255, 255]]),
        )
    ):
        one = RecipeSettings(masks=(mask,), fields=(FieldRecipe("band1"),))
        store = str(tmp_path / f"store{number}")
        assert ingest([str(path)], store=store, recipe=one).exit_code == 0
        assert whole(opened(store, "a"), "band1").tolist() == kept


def test_a_mask_or_grid_that_cannot_be_is_refused_in_words(tmp_path):
    path = write_netcdf(tmp_path / "a.nc")
    for one, words in (
        (RecipeSettings(masks=(MaskSettings("qa", low=1),)), "masks want the fields qa"),
        (recipe(1e-9), "cells; its resolution"),
    ):
        result = ingest([str(path)], store=str(tmp_path / "store"), recipe=one).results[0]
        assert result.status == "refused"
        assert words in result.reason


@pytest.mark.parametrize(
    ("crs", "box", "inside"),
    [
        ("EPSG:4326", (0.0, 0.0, 4.0, 4.0), False),  # the source is at 0 .. 2, 48.9 .. 50.1
        ("EPSG:4326", (4.0, 48.0, 8.0, 52.0), False),
        ("EPSG:4326", (-4.0, 48.0, -1.0, 52.0), False),
        ("EPSG:4326", (361.0, 48.0, 365.0, 52.0), True),
        ("EPSG:4326", (-180.0, -90.0, 180.0, 90.0), True),
        ("EPSG:4326", (358.0, 48.0, 360.5, 52.0), True),
        ("EPSG:3035", (3_700_000.0, 2_900_000.0, 3_800_000.0, 3_100_000.0), True),
        ("EPSG:3035", (4_700_000.0, 2_900_000.0, 4_800_000.0, 3_100_000.0), False),
        ("EPSG:3413", (-9e6, -9e6, 9e6, 9e6), True),
    ],
)
def test_a_source_beside_the_grid_is_refused_and_no_slice_without_data(tmp_path, crs, box, inside):
    path = write_netcdf(tmp_path / "sst.nc", times=(0.0,))
    side = 0.5 if crs == "EPSG:4326" else 20_000.0
    chosen = RecipeSettings(grid=TargetSettings((side, side), crs, box))
    (result,) = ingest([str(path)], store=str(tmp_path / "store"), recipe=chosen).results
    assert result.status == ("ingested" if inside else "refused"), result
    assert inside == ("wholly outside the recipe's grid" not in result.reason)
