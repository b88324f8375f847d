"""Deflated chunks of HDF5, against the netCDF library's own reading."""

import h5py
import netCDF4
import numpy as np
import pytest

from datacube.errors import SourceError
from datacube.ingest.readers.hdfchunks import ChunkedVariable, HdfChunks
from datacube.ingest.readers.netcdf import NetcdfReader
from datacube.ingest.source import ReadOptions

KEYS = (
    (0, slice(0, 23), slice(0, 31)),
    (4, slice(3, 17), slice(9, 10)),
    (2, slice(8, 16), slice(10, 20)),
    (slice(1, 5), 7, slice(0, 31)),
    (slice(0, 5), slice(0, 23), 30),
)


@pytest.fixture
def opened(tmp_path):
    """A file with one variable that is made by a test."""
    datasets = []

    def make(dtype, *, written=slice(None), endian="native", **options):
        path = tmp_path / "a.nc"
        with netCDF4.Dataset(path, "w") as file:
            for name, size in (("time", 5), ("lat", 23), ("lon", 31)):
                file.createDimension(name, size)
            group = file.createGroup("inner")
            kind = np.dtype(dtype).newbyteorder({"big": ">", "little": "<"}.get(endian, "="))
            one = group.createVariable(
                "v", kind, ("time", "lat", "lon"), endian=endian, fill_value=7, **options
            )
            one.set_auto_maskandscale(False)
            values = np.random.default_rng(1).integers(0, 99, (5, 23, 31)).astype(dtype)
            one[written] = values[written]
        dataset = netCDF4.Dataset(path)
        datasets.append(dataset)
        found = dataset["inner/v"]
        found.set_auto_maskandscale(False)
        return path, found

    yield make
    for one in datasets:
        one.close()


@pytest.mark.parametrize("dtype", ["i1", "u2", "i4", "f4", "f8"])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("endian", ["big", "little"])
@pytest.mark.parametrize("sides", [(1, 8, 10), (2, 23, 31), (5, 5, 5)])
def test_windows_are_those_of_the_library(opened, dtype, shuffle, endian, sides):
    path, known = opened(dtype, endian=endian, zlib=True, shuffle=shuffle, chunksizes=sides)
    with HdfChunks(path) as chunks:
        found = chunks.variable(known)
        assert isinstance(found, ChunkedVariable)
        assert found.dimensions == known.dimensions
        for key in KEYS:
            np.testing.assert_array_equal(found[key], known[key])
            assert found[key].dtype.newbyteorder("=") == known.dtype.newbyteorder("=")


def test_chunks_that_were_never_written_are_fill(opened):
    path, known = opened("i2", written=slice(0, 1), zlib=True, chunksizes=(1, 8, 10))
    with HdfChunks(path) as chunks:
        found = chunks.variable(known)
        for key in KEYS:
            np.testing.assert_array_equal(found[key], known[key])
        assert (found[1, slice(0, 23), slice(0, 31)] == 7).all()


@pytest.mark.parametrize(
    "options", [{}, {"chunksizes": (1, 8, 10)}, {"zlib": True, "fletcher32": True}]
)
def test_other_storage_is_left_to_the_library(opened, options):
    path, known = opened("i2", **options)
    with HdfChunks(path) as chunks:
        assert chunks.variable(known) is known


def test_a_damaged_chunk_is_said(tmp_path):
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("lat", 64), ("lon", 64)):
            file.createDimension(name, size)
            axis = file.createVariable(name, "f8", (name,))
            axis.units = "degrees_north" if name == "lat" else "degrees_east"
            axis[:] = np.arange(size) * 0.5
        one = file.createVariable("v", "i2", ("lat", "lon"), zlib=True, chunksizes=(64, 64))
        one[:] = np.random.default_rng(2).integers(0, 999, (64, 64))
    with HdfChunks(path) as chunks, netCDF4.Dataset(path) as file:
        place = chunks.variable(file["v"])._dataset.id.get_chunk_info_by_coord((0, 0))
    data = bytearray(path.read_bytes())
    data[place.byte_offset + place.size // 2] ^= 1
    path.write_bytes(data)
    with NetcdfReader().open(path, ReadOptions()) as granules:
        band = granules[0].slices[0].bands["v"]
        with pytest.raises(SourceError, match="compressed data is"):
            band.read((), 0, 64, 0, 64)


@pytest.mark.parametrize("size", [2, 6000])
def test_a_chunk_that_was_only_shuffled_has_all_of_its_bytes(tmp_path, size):
    path = tmp_path / "a.nc"
    with h5py.File(path, "w") as file:
        one = file.create_dataset("v", (64, 64), "i2", chunks=(64, 64), shuffle=True, compression=1)
        for number, axis in enumerate("yx"):
            file[axis] = np.arange(64.0)
            file[axis].make_scale(axis)
            one.dims[number].attach_scale(file[axis])
        one.id.write_direct_chunk((0, 0), bytes(size), filter_mask=0b10)
    with netCDF4.Dataset(path) as file, HdfChunks(path) as chunks:
        found = chunks.variable(file["v"])
        assert isinstance(found, ChunkedVariable)
        with pytest.raises(ValueError, match=f"a chunk of '/v' has {size} bytes"):
            found[slice(0, 64), slice(0, 64)]
