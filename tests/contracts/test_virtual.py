"""NetCDF-4 files served where they lie: the same values as of a copy, from a path and a bucket."""

import os
import shutil
import time
from pathlib import Path
from urllib.parse import quote

import h5py
import icechunk
import netCDF4
import numpy as np
import obstore
import pytest
import xarray as xr
from obstore.store import from_url

from datacube.config.settings import Config
from datacube.errors import ConflictError, SourceError, StorageError
from datacube.store.cache import ChunkCache
from datacube.store.foreign import ForeignCubes
from datacube.store.icechunk.library import storage_of
from datacube.store.icechunk.sources import ALLOWED, authorised
from datacube.store.register import register
from datacube.store.source import CubeSource
from datacube.store.url import open_store
from services.app.asgi import create_app
from tests.asgi import Client


def values_of(cube: CubeSource, field: str) -> np.ndarray:
    """All stored values of level 0, pasted from the chunks."""
    shape = cube.description.domain.shape
    whole = np.zeros(shape, cube.description.range_type.field(field).dtype)
    sides = cube.chunk_shape(field)
    for index in np.ndindex(*cube.chunk_counts(field)):
        window = tuple(
            slice(at * side, min((at + 1) * side, size))
            for at, side, size in zip(index, sides, shape, strict=True)
        )
        chunk = cube.chunk(field, 0, index)
        whole[window] = chunk[tuple(slice(one.stop - one.start) for one in window)]
    return whole


def written(path: Path, **encoding: object) -> xr.Dataset:
    """A NetCDF-4 file: packed, deflated and shuffled unless it is said otherwise."""
    values = np.random.default_rng(1).integers(-5000, 5000, (3, 20, 30)) / 100
    found = xr.Dataset(
        {"t": (("time", "lat", "lon"), values, {"units": "degC", "standard_name": "sea_ice"})},
        {
            "time": ("time", np.array(["2020-01-01", "2020-01-02", "2020-01-05"], "M8[ns]")),
            "lat": ("lat", np.linspace(60, 41, 20), {"units": "degrees_north"}),
            "lon": ("lon", np.linspace(0, 29, 30), {"units": "degrees_east"}),
        },
    )
    path.parent.mkdir(exist_ok=True)
    found["t"].attrs = {"units": "degC", "long_name": "temperature"}
    usual = {"dtype": "int16", "scale_factor": 0.01, "_FillValue": -32768}
    chunks = {"zlib": True, "shuffle": True, "chunksizes": (1, 8, 16)}
    found.to_netcdf(path, engine="h5netcdf", encoding={"t": usual | chunks | encoding})
    return found


@pytest.fixture
def allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    monkeypatch.setenv(ALLOWED, f"{folder} s3://bucket")
    return folder


@pytest.mark.parametrize(
    "encoding",
    [{}, {"zlib": False, "shuffle": False}, {"zlib": False, "shuffle": False, "chunksizes": None}],
    ids=["deflated", "chunked", "in one piece"],
)
def test_values_are_those_of_the_file(allowed, tmp_path, encoding):
    written(allowed / "a.nc", **encoding)
    store = open_store(str(tmp_path / "store"))
    (cube,) = register(store, str(allowed / "a.nc")).cubes
    with h5py.File(allowed / "a.nc") as file:
        assert np.array_equal(values_of(cube, "t"), file["t"][()])
    (field,) = cube.description.range_type.fields
    assert (field.scale, field.nil, field.uom) == (0.01, -32768, "degC")
    assert cube.description.domain.time.iso[2] == "2020-01-05T00:00:00Z"
    stored = sum(one.bytes for one in store.listing("a"))
    assert stored < 20_000
    found = ForeignCubes(store, ChunkCache()).look(())
    assert np.array_equal(values_of(found["a"], "t"), values_of(cube, "t"))
    client = Client(create_app(Config(), str(tmp_path / "store")))
    url = "/ogcapi/collections/a/position?coords=POINT(7 55)&f=covjson&datetime=2020-01-05"
    with h5py.File(allowed / "a.nc") as file:
        expected = int(file["t"][2, 5, 7]) * 0.01
    (value,) = client.get(url).json()["ranges"]["t"]["values"]
    assert value == pytest.approx(expected)
    with pytest.raises(ConflictError, match="already"):
        register(store, str(allowed / "a.nc"))


CLASSIC = ["NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"]


def classic(path: Path, form: str, *names: str, records: int | None = None) -> None:
    """A classic file of numbers on odd sides, some of them along records."""
    rng = np.random.default_rng(2)
    with netCDF4.Dataset(path, "w", format=form) as file:
        file.title = "classic"
        for name, size in (("time", records), ("lat", 7), ("lon", 9)):
            file.createDimension(name, size)
        for name, units in (("lat", "degrees_north"), ("lon", "degrees_east")):
            file.createVariable(name, "f4", (name,)).units = units
            file[name][:] = 50 - np.arange(len(file.dimensions[name]))
        file["lon"][:] = np.arange(9)
        file.createVariable("time", "f8", ("time",)).units = "days since 2020-01-01"
        file["time"][:] = np.arange(5)
        file.createVariable("crs", "S1", ()).grid_mapping_name = "latitude_longitude"
        for name in names:
            gone = 3 if name[0] == "i" else None
            one = file.createVariable(name, name, ("time", "lat", "lon"), fill_value=gone)
            one.set_auto_maskandscale(False)
            one.units, one.grid_mapping = "1", "crs"
            one[:] = rng.integers(0, 99, (5, 7, 9))


@pytest.mark.parametrize("form", CLASSIC)
@pytest.mark.parametrize("records", [None, 5], ids=["records", "in one piece"])
@pytest.mark.parametrize("names", [("i2",), ("i2", "f4", "i1", "f8")])
def test_classic_files(allowed, tmp_path, form, records, names):
    classic(allowed / "a.nc", form, *names, records=records)
    store = open_store(str(tmp_path / "store"))
    (cube,) = register(store, str(allowed / "a.nc")).cubes
    assert cube.description.domain.time.iso[4] == "2020-01-05T00:00:00Z"
    assert cube.description.domain.rectified.bbox.edges == (-0.5, 43.5, 8.5, 50.5)
    with netCDF4.Dataset(allowed / "a.nc") as file:
        file.set_auto_maskandscale(False)
        for name in names:
            field = cube.description.range_type.field(name)
            assert (field.uom, field.dtype) == ("1", np.dtype(name).name)
            assert name[0] == "f" or field.nil == 3
            assert np.array_equal(values_of(cube, name), file[name][:])


def test_a_classic_file_that_is_cut_is_refused(allowed, tmp_path):
    classic(allowed / "a.nc", CLASSIC[0], "i2")
    data = (allowed / "a.nc").read_bytes()
    for size in (9, 60, 300):
        (allowed / "a.nc").write_bytes(data[:size])
        with pytest.raises(SourceError, match="no whole NetCDF file"):
            register(open_store(str(tmp_path / "store")), str(allowed / "a.nc"))


@pytest.mark.s3
def test_a_file_in_a_bucket(allowed, s3_store, tmp_path):
    written(tmp_path / "b.nc")
    bucket = from_url("s3://bucket")
    obstore.put(bucket, "virtual/b.nc", (tmp_path / "b.nc").read_bytes())
    (cube,) = register(s3_store, "s3://bucket/virtual/b.nc").cubes
    with h5py.File(tmp_path / "b.nc") as file:
        assert np.array_equal(values_of(cube, "t"), file["t"][()])
    (tmp_path / "b.nc").unlink()
    written(tmp_path / "b.nc", scale_factor=0.02)
    obstore.put(bucket, "virtual/b.nc", (tmp_path / "b.nc").read_bytes())
    found = ForeignCubes(s3_store, ChunkCache()).look(())
    with pytest.raises(StorageError, match="changed since it was registered"):
        values_of(found["b"], "t")


@pytest.mark.s3
def test_a_folder_of_a_bucket_may_be_allowed_alone(s3_store, tmp_path, monkeypatch):
    monkeypatch.setenv(ALLOWED, "s3://bucket/archive")
    written(tmp_path / "b.nc")
    for key in ("archive/2020/b.nc", "archive/a b#1?.nc", "archives/b.nc"):
        obstore.put(from_url("s3://bucket"), key, (tmp_path / "b.nc").read_bytes())
    with pytest.raises(SourceError, match="not in any of the folders and buckets"):
        register(s3_store, "s3://bucket/archives/b.nc")
    for number, name in enumerate(("2020/b.nc", "a b#1?.nc")):
        register(s3_store, f"s3://bucket/archive/{name}", f"c{number}")
        found = ForeignCubes(s3_store, ChunkCache()).look(())
        with h5py.File(tmp_path / "b.nc") as file:
            assert np.array_equal(values_of(found[f"c{number}"], "t"), file["t"][()])


@pytest.mark.parametrize("folder", [".", "p q", "é#1?", "y=2020,a+b", "50%20"])
def test_any_name_of_a_file(allowed, tmp_path, folder):
    path = allowed / folder / "a#b?%20 é.nc"
    written(path)
    os.utime(path, (1e9, 1e9))
    store = open_store(str(tmp_path / "store"))
    urls = (str(path), f"file://{quote(str(path))}", f"file://{quote(str(path), '/#?')}")
    for number, url in enumerate(urls):
        register(store, url, f"c{number}")
    found = ForeignCubes(store, ChunkCache()).look(())
    with h5py.File(path) as file:
        for number in range(len(urls)):
            assert np.array_equal(values_of(found[f"c{number}"], "t"), file["t"][()])


def test_a_place_that_no_container_can_name_is_refused(allowed, tmp_path, monkeypatch):
    monkeypatch.setenv(ALLOWED, str(allowed / "pq"))
    written(allowed / "pq" / "a.nc")
    register(open_store(str(tmp_path / "store")), str(allowed / "pq" / "a.nc"))
    (allowed / "pq").rename(allowed / "p#q")
    monkeypatch.setenv(ALLOWED, str(allowed / "p#q"))
    with pytest.raises(SourceError, match="files/ is not in any of the folders and buckets"):
        register(open_store(str(tmp_path / "other")), str(allowed / "p#q" / "a.nc"))
    assert not (tmp_path / "other").exists()


def test_a_file_that_has_changed_is_an_error(allowed, tmp_path):
    written(allowed / "a.nc")
    store = open_store(str(tmp_path / "store"))
    register(store, str(allowed / "a.nc"))
    written(allowed / "a.nc", scale_factor=0.02)
    os.utime(allowed / "a.nc", (time.time() + 2, time.time() + 2))
    found = ForeignCubes(store, ChunkCache()).look(())
    with pytest.raises(StorageError, match="changed since it was registered"):
        values_of(found["a"], "t")


def test_only_what_is_allowed_is_read(allowed, tmp_path, monkeypatch):
    written(allowed / "a.nc")
    shutil.copy(allowed / "a.nc", tmp_path / "elsewhere.nc")
    store = open_store(str(tmp_path / "store"))
    with pytest.raises(SourceError, match=f"not in any of the folders and buckets of {ALLOWED}"):
        register(store, str(tmp_path / "elsewhere.nc"))
    register(store, str(allowed / "a.nc"))
    monkeypatch.delenv(ALLOWED)
    found = ForeignCubes(store, ChunkCache()).look(())
    with pytest.raises(StorageError, match="virtual chunk container"):
        values_of(found["a"], "t")


@pytest.mark.parametrize("within", ["../", "a/../../", "%2e%2e/", "a/%2E%2E/"])
def test_a_place_that_leaves_what_is_allowed_is_not_read(allowed, within):
    inside, outside = f"file://{allowed}/a/", f"file://{allowed}/{within}"
    assert set(authorised([inside, outside])) == {inside}


def test_other_filters_are_refused_in_words(allowed, tmp_path):
    written(allowed / "a.nc", fletcher32=True)
    with pytest.raises(SourceError, match="the filter 'fletcher32' of its variable '/t'"):
        register(open_store(str(tmp_path / "store")), str(allowed / "a.nc"))
    assert not (tmp_path / "store").exists()


def test_a_repository_of_others(tmp_path):
    store = open_store(str(tmp_path))
    made = icechunk.Repository.create(storage_of(f"{store.url}/theirs", local=True))
    lat, lon = np.linspace(60, 41, 20), np.linspace(0, 29, 30)
    foreign, states = ForeignCubes(store, ChunkCache()), set()
    for number in (7, 8):
        session = made.writable_session("main")
        values = np.full((20, 30), number, "int16")
        found = xr.Dataset({"t": (("lat", "lon"), values)}, {"lat": lat, "lon": lon})
        found.to_zarr(session.store, mode="w", consolidated=False)
        session.commit("theirs")
        cube = foreign.look(())["theirs"]
        assert int(values_of(cube, "t")[3, 4]) == number
        states.add((cube.snapshot, cube.state_of(0)))
    assert len({one for one, _ in states}) == len({one for _, one in states}) == 2
    assert foreign.look(())["theirs"] is foreign.look(())["theirs"]


@pytest.mark.data
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("climate_calendars/A1B_north_america.nc", "air_temperature"),
        ("ocean/ocean_atlas_subset_10lev.nc", "TEMP"),
        ("grids/tmmx_20190121.nc", "air_temperature"),
    ],
)
def test_files_of_others(path, field, test_data, tmp_path, monkeypatch):
    monkeypatch.setenv(ALLOWED, str(test_data))
    store = open_store(str(tmp_path))
    cube = register(store, str(test_data / path), "one").cubes[0]
    with h5py.File(test_data / path) as file:
        expected, fill = file[field][()], file[field].attrs.get("_FillValue")
    if expected.dtype.kind == "f":
        expected = np.where(expected == fill, np.nan, expected)
    found = values_of(cube, field)
    assert np.array_equal(found.reshape(expected.shape), expected, equal_nan=True)
