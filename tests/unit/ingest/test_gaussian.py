"""Grids whose rows or columns are not equidistant keep every cell at its own place."""

import subprocess
import sys

import netCDF4
import numpy as np
import pytest

from datacube.config.products import RecipeSettings, TargetSettings
from datacube.ingest.pipeline import ingest
from datacube.model.grid import RectifiedGrid, ReferenceableGrid
from datacube.store.cfgrid import lines_grid
from datacube.store.maintain import verify
from tests.unit.ingest.products import opened, plane, whole, write_netcdf

ROWS = np.degrees(np.arcsin(np.polynomial.legendre.leggauss(64)[0]))[::-1]
COLUMNS = np.arange(128) * 2.8125
GAUSSIAN = """
import sys, eccodes, numpy as np
handle = eccodes.codes_grib_new_from_samples("regular_gg_pl_grib2")
eccodes.codes_set(handle, "bitsPerValue", 24)
eccodes.codes_set_values(handle, np.add.outer(10.0 * np.arange(64), np.arange(128.0)).ravel())
with open(sys.argv[1], "wb") as file:
    eccodes.codes_write(handle, file)
"""


def check(cube, values, place=()):
    grid = cube.description.domain.grid
    assert isinstance(grid, ReferenceableGrid)
    np.testing.assert_allclose(grid.y, np.repeat(ROWS[:, None], 128, axis=1), atol=1e-6)
    np.testing.assert_allclose(grid.x % 360, np.tile(COLUMNS, (64, 1)), atol=1e-6)
    np.testing.assert_array_equal(whole(cube, cube.description.range_type.names[0])[place], values)
    assert verify(cube) == []


def test_netcdf_on_gaussian_latitudes(tmp_path):
    path = write_netcdf(tmp_path / "gauss.nc", times=(0.0,), lon=COLUMNS, lat=ROWS)
    report = ingest([str(path)], store=str(tmp_path / "store"))
    assert report.exit_code == 0, report
    check(opened(tmp_path / "store", "gauss"), plane(64, 128))


def test_grib_on_a_gaussian_grid(tmp_path):
    path = tmp_path / "gauss.grib"
    subprocess.run([sys.executable, "-c", GAUSSIAN, str(path)], check=True)
    report = ingest([str(path)], store=str(tmp_path / "store"))
    assert report.exit_code == 0, report
    values = np.add.outer(10.0 * np.arange(64), np.arange(128.0))
    check(opened(tmp_path / "store", "gauss"), values, (0,))


def test_a_recipe_brings_it_to_equal_cells(tmp_path):
    path = write_netcdf(tmp_path / "gauss.nc", times=(0.0,), lon=COLUMNS, lat=ROWS)
    target = TargetSettings((2.0, 2.0), "EPSG:4326", (0, -80, 360, 80))
    recipe = RecipeSettings(grid=target)
    report = ingest([str(path)], store=str(tmp_path / "store"), recipe=recipe)
    assert report.exit_code == 0, report
    cube = opened(tmp_path / "store", "gauss")
    grid = cube.description.domain.grid
    assert isinstance(grid, RectifiedGrid)
    x, y = np.arange(180) * 2 + 1.0, 79 - np.arange(80) * 2.0
    row = np.abs(y[:, None] - ROWS).argmin(axis=1)
    off = np.abs((x[:, None] - COLUMNS + 180) % 360 - 180)
    clear = np.sort(off, axis=1)[:, 1] - off.min(axis=1) > 0.05  # not between two columns
    expected = plane(64, 128)[row][:, off.argmin(axis=1)]
    np.testing.assert_array_equal(whole(cube, "v")[:, clear], expected[:, clear])


@pytest.mark.parametrize(
    ("lat", "words"),
    [
        (np.array([0.0, 2.0, 1.0, 5.0]), "'lat' is not strictly ascending or descending"),
        (np.array([0.0, 1.0, 1.0, 5.0]), "'lat' is not strictly ascending or descending"),
    ],
)
def test_places_that_come_back_are_refused(tmp_path, lat, words):
    path = write_netcdf(tmp_path / "odd.nc", times=(0.0,), lat=lat)
    assert words in ingest([str(path)], store=str(tmp_path / "store")).results[0].reason


def test_a_grid_that_is_too_large_for_positions_is_refused_with_a_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{lines_grid.__module__}._POSITIONS", 1000)
    path = write_netcdf(tmp_path / "gauss.nc", times=(0.0,), lon=COLUMNS, lat=ROWS)
    reason = ingest([str(path)], store=str(tmp_path / "store")).results[0].reason
    assert "128 x 64 cells are too many" in reason
    assert "gdalwarp" in reason


def test_a_later_file_of_the_same_places_goes_into_the_cube(tmp_path):
    paths = []
    for day in (1, 2):
        path = write_netcdf(
            tmp_path / f"gauss_2020010{day}.nc",
            times=(float(day - 1),),
            lon=COLUMNS.astype("f4"),
            lat=ROWS.astype("f4"),
        )
        with netCDF4.Dataset(path, "a") as file:
            file.title = "a day"
        paths.append(str(path))
    assert ingest(paths, store=str(tmp_path / "store")).exit_code == 0
    assert len(opened(tmp_path / "store", "gauss").record.slices) == 2
