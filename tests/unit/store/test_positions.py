"""Curvilinear grids in the store: written as CF has them, read back to the bit, and checked."""

import json
from datetime import timedelta

import numpy as np
import pytest
import xarray as xr

from datacube.errors import StorageError
from datacube.model.fields import Field
from datacube.model.grid import ReferenceableGrid
from datacube.store.cache import ChunkCache
from datacube.store.collect import collect
from datacube.store.committed import committed_object
from datacube.store.compact import compact
from datacube.store.cube import open_cube
from datacube.store.url import open_store
from tests.cubes import add_slices, make_cube, make_description, read_level, slice_values
from tests.positions import tripolar
from tests.stores import CountingStore

DAYS = ("2020-01-01", "2020-01-02")


@pytest.fixture
def cube(tmp_path):
    return make_cube(tmp_path, "ocean", grid=tripolar(), times=DAYS, chunks={"x": 32, "y": 32})


def test_positions_come_back_to_the_bit(cube):
    grid, made = cube.description.domain.grid, tripolar()
    assert grid == made
    assert hash(grid) == hash(made)
    np.testing.assert_array_equal(grid.x, made.x)
    np.testing.assert_array_equal(grid.y, made.y)
    np.testing.assert_array_equal(
        read_level(cube, "v", 1)[:, :], slice_values(cube.description, 1)["v"]
    )


def test_other_positions_are_another_grid():
    one, other = tripolar(), tripolar()
    other.x[3, 4] += 1e-9
    assert one != other
    assert one != "a grid"
    lost = ReferenceableGrid(one.crs, np.where(one.x > 0, one.x, np.nan), one.y)
    again = ReferenceableGrid(one.crs, np.where(one.x > 0, one.x, -np.nan), one.y)
    assert lost == again


@pytest.mark.parametrize("group", ["", "overviews/1"])
def test_xarray_finds_longitudes_and_latitudes(cube, tmp_path, group):
    level = cube.description.levels[1 if group else 0]
    with xr.open_zarr(tmp_path / "ocean", group=group or None, consolidated=not group) as found:
        assert found["v"].dims == ("time", "y", "x")
        assert {"lon", "lat"} <= set(found["v"].coords)
        np.testing.assert_array_equal(found["lon"], level.grid.x)
        np.testing.assert_array_equal(found["lat"], level.grid.y)
        assert found["lat"].attrs["standard_name"] == "latitude"


def test_a_commit_leaves_the_positions_alone(tmp_path):
    store = CountingStore(open_store(str(tmp_path)))
    cube = make_cube(store, "ocean", grid=tripolar(), times=DAYS[:1])
    before = (tmp_path / "ocean/lon/c/0/0").stat().st_mtime_ns
    add_slices(store, make_description("ocean", grid=tripolar()), DAYS[1:], first=1)
    assert (tmp_path / "ocean/lon/c/0/0").stat().st_mtime_ns == before
    cache = ChunkCache()
    one = open_cube(store, "ocean", cache)
    assert one.description.domain.grid == cube.description.domain.grid
    assert open_cube(store, "ocean", cache).description.domain.grid is one.description.domain.grid


def test_positions_that_were_changed_are_not_believed(cube, tmp_path):
    chunk = tmp_path / "ocean/lat/c/0/0"
    good = chunk.read_bytes()
    chunk.write_bytes((tmp_path / "ocean/lon/c/0/0").read_bytes())
    with pytest.raises(StorageError, match="not those it was made with"):
        open_cube(open_store(str(tmp_path)), "ocean")
    chunk.unlink()
    with pytest.raises(StorageError, match="incomplete"):
        open_cube(open_store(str(tmp_path)), "ocean")
    chunk.write_bytes(good)
    again = open_cube(open_store(str(tmp_path)), "ocean")
    assert again.description.domain.grid == tripolar()


def test_many_rows_are_several_chunks(tmp_path):
    lon, lat = np.meshgrid(np.linspace(0, 1, 300), np.linspace(0, 2, 2500))
    grid = ReferenceableGrid(tripolar().crs, lon, lat + lon / 10)
    made = make_cube(tmp_path, "long", grid=grid, times=None)
    assert len(list((tmp_path / "long/lon/c").iterdir())) > 1
    assert made.description.domain.grid == grid


def test_a_field_may_not_be_called_as_the_positions(tmp_path):
    with pytest.raises(ValueError, match="'lat' is reserved"):
        make_cube(tmp_path, "ocean", grid=tripolar(), fields=(Field("lat", "int16"),))


def test_every_version_has_the_positions(cube):
    data = committed_object(cube, "overviews/1/lat/c/0/0")
    assert data == cube.store.get("ocean/overviews/1/lat/c/0/0")
    assert committed_object(cube, "lon/c/9/0") is None
    document = json.loads(committed_object(cube, "lat/zarr.json") or b"{}")
    assert document["dimension_names"] == ["y", "x"]


def test_collecting_garbage_keeps_the_positions(cube):
    compact(cube.store, "ocean")
    collect(cube.store, "ocean", grace=timedelta(0))
    again = open_cube(cube.store, "ocean")
    assert again.description.domain.grid == tripolar()
    np.testing.assert_array_equal(read_level(again, "v", 1), read_level(cube, "v", 1))
