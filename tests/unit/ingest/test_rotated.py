"""Rotated poles: regular in their own plane, as long as the grid mapping is true."""

from pathlib import Path

import netCDF4
import numpy as np
import pyproj

from datacube.ingest.pipeline import ingest
from datacube.model.crs import CRS84, transform
from tests.unit.ingest.products import opened, plane, whole

POLE = {
    "grid_mapping_name": "rotated_latitude_longitude",
    "grid_north_pole_latitude": 39.25,
    "grid_north_pole_longitude": -162.0,
}
RLON, RLAT = np.arange(6) * 0.5 - 10.0, np.arange(4) * 0.5 - 5.0


def write(path: Path, *, shift: float = 0.0) -> Path:
    """plane(4, 6) on a rotated grid, with longitudes and latitudes that are shifted."""
    turn = pyproj.Transformer.from_crs(pyproj.CRS.from_cf(POLE), "OGC:CRS84", always_xy=True)
    lon, lat = turn.transform(*np.meshgrid(RLON, RLAT))
    with netCDF4.Dataset(path, "w") as file:
        for name, values, standard in (
            ("rlon", RLON, "grid_longitude"),
            ("rlat", RLAT, "grid_latitude"),
        ):
            file.createDimension(name, len(values))
            one = file.createVariable(name, "f8", (name,))
            one.standard_name, one.units = standard, "degrees"
            one[:] = values
        for name, values, standard in (("lon", lon + shift, "longitude"), ("lat", lat, "latitude")):
            one = file.createVariable(name, "f8", ("rlat", "rlon"))
            one.standard_name = standard
            one[:] = values
        file.createVariable("pole", "S1", ()).setncatts(POLE)
        v = file.createVariable("v", "f4", ("rlat", "rlon"))
        v.grid_mapping, v.coordinates = "pole", "lon lat"
        v[:] = plane(4, 6)
    return path


def test_a_rotated_grid_is_regular_in_its_plane(tmp_path):
    report = ingest([str(write(tmp_path / "a.nc"))], store=str(tmp_path / "store"))
    assert report.exit_code == 0, report.results
    cube = opened(tmp_path / "store", "a")
    grid = cube.description.domain.rectified
    assert grid.bbox.edges == (-10.25, -5.25, -7.25, -3.25)
    assert not grid.crs.geographic
    assert (grid.crs.labels, grid.crs.uom) == (("rlon", "rlat"), "deg")
    turn = pyproj.Transformer.from_crs(pyproj.CRS.from_cf(POLE), "OGC:CRS84", always_xy=True)
    place = transform(np.array([-9.0]), np.array([-4.0]), grid.crs, CRS84)
    np.testing.assert_allclose(np.ravel(place), turn.transform(-9.0, -4.0))
    np.testing.assert_array_equal(whole(cube, "v"), plane(4, 6))


def test_a_grid_mapping_that_contradicts_the_positions_is_not_trusted(tmp_path):
    report = ingest([str(write(tmp_path / "a.nc", shift=5.0))], store=str(tmp_path / "store"))
    for cube_id in report.results[0].cubes:
        assert opened(tmp_path / "store", cube_id).description.domain.grid.crs.geographic
