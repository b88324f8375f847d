"""Zarr of others whose cells have longitudes and latitudes of their own."""

import numpy as np
import pytest

from datacube.engine.coverage import get_coverage
from datacube.engine.sample import get_samples
from datacube.model.crs import CRS84
from datacube.model.grid import ReferenceableGrid
from datacube.model.query import CoverageQuery, LayerRequest, SampleQuery, Trim
from datacube.store.url import open_store
from tests.positions import distances, tripolar
from tests.unit.store.zarrs import LON, Group, serve

GRID = tripolar()
VALUES = np.add.outer(np.arange(GRID.height), np.arange(GRID.width)).astype("int16")


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("named", [True, False])
def test_cells_with_positions_are_served(tmp_path, version, named):
    group = Group(tmp_path / "ocean", version)
    for name, unit, values in (("nav_lon", "east", GRID.x), ("nav_lat", "north", GRID.y)):
        group.array(name, ["j", "i"], values, {"units": f"degrees_{unit}"})
    said = {"coordinates": "nav_lat nav_lon"} if named else {}
    group.array("v", ["j", "i"], VALUES, said, chunks=(20, 30))
    context = serve(open_store(str(tmp_path)), "ocean")
    cube = context.catalog.cube("ocean")
    assert isinstance(cube.description.domain.grid, ReferenceableGrid)
    assert cube.description.range_type.names == ("v",)
    np.testing.assert_array_equal(cube.description.domain.grid.x, GRID.x)
    trims = Trim("Long", -30.0, 20.0), Trim("Lat", -20.0, 10.0)
    coverage = get_coverage(context, CoverageQuery("ocean", trims))
    inside = (GRID.x >= -30) & (GRID.x <= 20) & (GRID.y >= -20) & (GRID.y <= 10)
    assert set(VALUES[inside]) <= set(coverage.blocks["v"].data.ravel())
    query = SampleQuery((LayerRequest("ocean.v"),), 12.3, 45.6, CRS84)
    best = distances(GRID, np.array([12.3]), np.array([45.6])).argmin()
    assert get_samples(context, query).samples[0].value == VALUES.ravel()[best]


def test_axes_that_are_not_equidistant_are_positions(tmp_path):
    lat = np.degrees(np.arcsin(np.polynomial.legendre.leggauss(9)[0]))
    group = Group(tmp_path / "gauss").lonlat(LON**2, lat)
    values = np.add.outer(10 * np.arange(9), np.arange(14)).astype("uint8")
    group.array("v", ["lat", "lon"], values)
    context = serve(open_store(str(tmp_path)), "gauss")
    grid = context.catalog.cube("gauss").description.domain.grid
    assert isinstance(grid, ReferenceableGrid)
    np.testing.assert_allclose(grid.y[:, 3], lat)
    query = SampleQuery((LayerRequest("gauss.v"),), 30.0, float(lat[6]), CRS84)
    assert get_samples(context, query).samples[0].value == 65  # 30.25 is nearer than 20.25


def test_positions_beside_a_projection_are_no_field(tmp_path):
    group = Group(tmp_path / "plain").lonlat()
    lon, lat = np.meshgrid(np.arange(14.0), np.arange(9.0))
    group.array("lon2", ["lat", "lon"], lon, {"units": "degrees_east"})
    group.array("lat2", ["lat", "lon"], lat, {"units": "degrees_north"})
    group.array("v", ["lat", "lon"], np.zeros((9, 14), "uint8"))
    cube = serve(open_store(str(tmp_path)), "plain").catalog.cube("plain")
    assert cube.description.range_type.names == ("v",)
    assert not isinstance(cube.description.domain.grid, ReferenceableGrid)
