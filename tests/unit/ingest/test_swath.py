"""Swaths of Sentinel-3 and Sentinel-5P with values that can be computed by hand."""

from pathlib import Path

import netCDF4
import numpy as np
import pytest

from datacube.config.products import MaskSettings, RecipeSettings, TargetSettings
from datacube.ingest.pipeline import ingest
from datacube.model.grid import ReferenceableGrid
from tests.unit.ingest.products import opened, plane, whole

LON, LAT = np.meshgrid(10.2 + np.arange(6) * 0.5, 50.2 - np.arange(4) * 0.5)


def sentinel5p(path: Path, *, empty: bool = False) -> Path:
    with netCDF4.Dataset(path, "w") as file:
        file.time_coverage_start, file.processor_version = "2019-09-13T12:34:34Z", "1.3.2"
        file.id = "S5P_OFFL_L2__CO____1"
        group = file.createGroup("PRODUCT")
        for name, size in (("time", 1), ("scanline", 4), ("ground_pixel", 6)):
            group.createDimension(name, size)
        if empty:
            return path
        group.set_auto_maskandscale(False)
        where = ("time", "scanline", "ground_pixel")
        for name, values in (("longitude", LON), ("latitude", LAT)):
            group.createVariable(name, "f4", where)[0] = values
        qa = group.createVariable("qa_value", "u1", where, fill_value=255)
        qa.set_auto_maskandscale(False)
        qa.scale_factor = 0.01
        qa[0] = np.where(plane(4, 6) % 2, 40, 80)
        co = group.createVariable("co", "f4", where)
        co.units = "mol m-2"
        values = plane(4, 6).astype("f4")
        values[0, 0] = 9.969209968386869e36  # not written, and no fill value is declared
        co[0] = values
    return path


def test_sentinel_5p_lies_on_a_map_grid_as_fine_as_its_pixels(tmp_path):
    report = ingest([str(sentinel5p(tmp_path / "a.nc"))], store=str(tmp_path / "store"), cube="co")
    assert report.exit_code == 0, report.results
    cube = opened(tmp_path / "store", "co")
    grid = cube.description.domain.rectified
    assert cube.description.domain.time.iso == ("2019-09-13T12:34:34Z",)
    assert cube.description.range_type.names == ("qa_value", "co")
    ((record, _),) = cube.record.sources.values()
    assert record.id == "S5P_OFFL_L2__CO____1"
    assert record.attributes == {"processor": "1.3.2", "bbox": "9.95,48.45,12.95,50.45"}
    values = whole(cube, "co")
    assert (grid.dx, grid.dy) == pytest.approx((0.77, -0.5))
    written = plane(4, 6).astype("f4")
    written[0, 0] = np.nan
    for row, lat in enumerate(grid.y_centres()):
        for column, lon in enumerate(grid.x_centres()):
            if not (10.2 < lon < 12.7 and 48.7 < lat < 50.2):
                continue
            away = np.hypot((LON - lon) * np.cos(np.radians(lat)), LAT - lat)
            nearest = np.unravel_index(np.argmin(away), away.shape)
            np.testing.assert_equal(values[row, column], written[nearest])


def test_only_good_pixels_by_the_recipe(tmp_path):
    recipe = RecipeSettings(
        cube="co",
        grid=TargetSettings((0.5, 0.5), "EPSG:4326", (9.95, 48.45, 12.95, 50.45)),
        masks=(MaskSettings("qa_value", low=0.5),),
    )
    path = sentinel5p(tmp_path / "a.nc")
    assert ingest([str(path)], store=str(tmp_path / "store"), recipe=recipe).exit_code == 0
    expected = np.where(plane(4, 6) % 2, np.nan, plane(4, 6))
    expected[0, 0] = np.nan
    np.testing.assert_array_equal(whole(opened(tmp_path / "store", "co"), "co"), expected)


def test_metadata_alone_are_refused_in_words(tmp_path):
    path = sentinel5p(tmp_path / "a.nc", empty=True)
    result = ingest([str(path)], store=str(tmp_path / "store")).results[0]
    assert (result.status, "metadata only" in result.reason) == ("refused", True)


@pytest.mark.parametrize("named", ["start_time", "start_date"])
def test_a_sentinel_3_folder_is_the_variables_beside_its_coordinates(tmp_path, named):
    folder = tmp_path / "S3A_OL_2_WFR____20170414T102729_x.SEN3"
    folder.mkdir()
    contents = {
        "geo_coordinates.nc": {"longitude": LON, "latitude": LAT},
        "chl_nn.nc": {"CHL_NN": plane(4, 6)},
        "tie_geometries.nc": {"SZA": plane(4, 2)},
    }
    start = {"start_time": "2017-04-14T10:27:29Z", "start_date": "14-APR-2017 10:27:29.000000"}
    for name, variables in contents.items():
        with netCDF4.Dataset(folder / name, "w") as file:
            file.setncattr(named, start[named])
            for variable, values in variables.items():
                dims = ("rows", "columns") if values.shape == (4, 6) else ("rows", "tie_columns")
                for dim, size in zip(dims, values.shape, strict=True):
                    if dim not in file.dimensions:
                        file.createDimension(dim, size)
                file.createVariable(variable, "f8", dims)[:] = values
    target = TargetSettings((0.5, 0.5), "EPSG:4326", (9.95, 48.45, 12.95, 50.45))
    recipe = RecipeSettings(cube="chl", grid=target)
    report = ingest([str(folder)], store=str(tmp_path / "store"), recipe=recipe)
    assert report.exit_code == 0, report.results
    cube = opened(tmp_path / "store", "chl")
    assert cube.description.range_type.names == ("CHL_NN",)
    assert cube.description.domain.time.iso == ("2017-04-14T10:27:29Z",)
    np.testing.assert_array_equal(whole(cube, "CHL_NN"), plane(4, 6))


def test_a_swath_can_keep_a_position_for_each_pixel(tmp_path):
    path = sentinel5p(tmp_path / "a.nc")
    recipe = RecipeSettings(cube="co", swath="own")
    assert ingest([str(path)], store=str(tmp_path / "store"), recipe=recipe).exit_code == 0
    cube = opened(tmp_path / "store", "co")
    grid = cube.description.domain.grid
    assert isinstance(grid, ReferenceableGrid)
    np.testing.assert_allclose(grid.x, LON, atol=1e-6)
    np.testing.assert_array_equal(whole(cube, "qa_value"), np.where(plane(4, 6) % 2, 40, 80))
