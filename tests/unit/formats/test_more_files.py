"""COG, NetCDF-3, Zarr in a zip, layouts of GeoTIFF, raw and physical values: read back."""

import io
import zipfile

import netCDF4
import numpy as np
import pytest
import rasterio
import xarray as xr
import zarr

from datacube.errors import InvalidFormat
from datacube.formats import cog, csv, geotiff, netcdf3, zarrzip
from datacube.formats.values import stated, stated_stream
from datacube.model.axis import IndexAxis, RegularAxis
from datacube.model.fields import Category, Field
from datacube.model.stream import stream_of
from tests.unit.formats.coverages import closed_form, days, make_coverage, opened_tiff, whole

PACKED = Field("sst", "int16", "K", -32768, 0.01, 273.15, "Sea surface", "sea_surface_temperature")


class TestCog:
    def test_tiles_overviews_and_tags(self):
        coverage = make_coverage(PACKED, size=(1300, 700), invalid=[(0, 0)])
        with opened_tiff(cog.encode(coverage, {})) as file:
            assert file.block_shapes == [(512, 512)]
            assert file.overviews(1) == [2, 4]
            assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert file.compression.value == "DEFLATE"
            assert (file.nodata, file.scales, file.offsets) == (-32768, (0.01,), (273.15,))
            assert file.descriptions == ("sst",)
            expected = coverage.blocks["sst"].data.copy()
            expected[0, 0] = -32768
            np.testing.assert_array_equal(file.read(1), expected)
            assert file.tags()["LICENCE"] == "CC-BY-4.0"
            coarse = file.read(1, out_shape=(350, 650))
            assert set(np.unique(coarse)) <= set(np.unique(expected))

    def test_without_compression_and_with_several_bands(self):
        coverage = make_coverage(Field("a", "uint8"), Field("b", "float32"))
        with opened_tiff(cog.encode(coverage, {"compression": "none"})) as file:
            assert file.count == 2
            assert file.compression is None
            np.testing.assert_array_equal(file.read(2), closed_form((4, 6)) + 1)

    def test_further_axes_are_refused(self):
        with pytest.raises(InvalidFormat, match="application/netcdf"):
            cog.encode(make_coverage(axes=(days(1, 2),)), {})


class TestLayout:
    @pytest.mark.parametrize("compression", ["deflate", "lzw", "packbits", "zstd"])
    def test_compressions(self, compression):
        coverage = make_coverage(size=(40, 30))
        with opened_tiff(geotiff.encode(coverage, {"compression": compression})) as file:
            assert file.compression.value.lower() == compression
            np.testing.assert_array_equal(file.read(1), closed_form((30, 40)))

    def test_tiles_and_interleaving(self):
        coverage = make_coverage(Field("a", "int16"), Field("b", "int16"), size=(40, 30))
        options = {"tile": "16x32", "interleave": "pixel"}
        with opened_tiff(geotiff.encode(coverage, options)) as file:
            assert file.block_shapes == [(32, 16)] * 2
            assert file.interleaving.value == "PIXEL"
            assert file.compression is None
            np.testing.assert_array_equal(file.read(2), closed_form((30, 40)) + 1)

    def test_the_predictor_of_floats_is_for_floats(self):
        options = {"compression": "deflate", "predictor": "3"}
        with pytest.raises(InvalidFormat):
            geotiff.encode(make_coverage(), options)
        geotiff.encode(make_coverage(Field("v", "float32")), options)


@pytest.fixture
def classic(tmp_path):
    """``classic(coverage, options)``: the file of NetCDF-3, open."""

    def make(coverage, options=None):
        path = tmp_path / "coverage.nc"
        path.write_bytes(whole(netcdf3.encode(coverage, options or {})))
        return netCDF4.Dataset(path)

    return make


class TestNetcdf3:
    def test_packed_numbers_times_and_levels(self, classic):
        depth = RegularAxis("depth", 5, 10, 2, "m", "depth")
        axes = (days(18262, 18264), depth)
        coverage = make_coverage(PACKED, axes=axes, invalid=[(1, 0, 2, 3)])
        with classic(coverage, {"history": "asked"}) as file:
            assert file.data_model == "NETCDF3_64BIT_OFFSET"
            assert file.history == "asked"
            store = xr.backends.NetCDF4DataStore(file)
            dataset = xr.open_dataset(store)
            assert dataset["sst"].dims == ("time", "depth", "lat", "lon")
            np.testing.assert_array_equal(dataset["sst"].values, coverage.blocks["sst"].physical())
            assert str(dataset["time"].values[1])[:10] == "2020-01-03"

    @pytest.mark.parametrize(
        ("dtype", "stored"), [("uint8", "i2"), ("uint16", "i4"), ("uint32", "f8"), ("bool", "i1")]
    )
    def test_types_that_it_does_not_know_become_wider(self, classic, dtype, stored):
        coverage = make_coverage(Field("v", dtype))
        with classic(coverage) as file:
            assert file["v"].dtype == np.dtype(stored)
            expected = closed_form((4, 6)).astype(dtype).astype(stored)
            np.testing.assert_array_equal(file["v"][:], expected)

    def test_labels_and_classes(self, classic):
        scenario = IndexAxis("scenario", 2, labels=("a1b", "e1"))
        field = Field(
            "k", "uint8", categories=(Category(0, "sea", "#0000ff"), Category(1, "land", ""))
        )
        coverage = make_coverage(field, axes=(scenario,))
        with classic(coverage) as file:
            assert netCDF4.chartostring(file["scenario"][:]).tolist() == ["a1b", "e1"]
            assert file["k"].flag_values.dtype == np.int16

    @pytest.mark.parametrize("dtype", ["int64", "uint64"])
    def test_numbers_of_64_bits_make_it_cdf_5(self, classic, dtype):
        coverage = make_coverage(Field("v", dtype, nil=0), invalid=[(1, 1)])
        with classic(coverage) as file:
            assert file.data_model == "NETCDF3_64BIT_DATA"
            expected = np.ma.masked_array(closed_form((4, 6)), ~coverage.blocks["v"].valid)
            np.testing.assert_array_equal(file["v"][:], expected)


class TestZarr:
    def test_xarray_and_zarr_open_it(self, tmp_path):
        coverage = make_coverage(PACKED, axes=(days(18262, 18264),), invalid=[(1, 2, 3)])
        path = tmp_path / "coverage.zarr.zip"
        path.write_bytes(zarrzip.encode(coverage, {"history": "asked"}))
        with zarr.storage.ZipStore(path, mode="r") as store:
            dataset = xr.open_zarr(store, consolidated=True).load()
        np.testing.assert_array_equal(dataset["sst"].values, coverage.blocks["sst"].physical())
        assert dataset.attrs["history"] == "asked"
        assert dataset["sst"].attrs["units"] == "K"
        assert str(dataset["time"].values[0])[:10] == "2020-01-01"

    def test_gdal_opens_it(self, tmp_path):
        path = tmp_path / "coverage.zarr.zip"
        path.write_bytes(zarrzip.encode(make_coverage(PACKED), {}))
        with rasterio.open(f'ZARR:"/vsizip/{path}":/sst') as file:
            np.testing.assert_array_equal(file.read(1), closed_form((4, 6)))
            assert file.nodata == -32768

    def test_labels_and_no_name_twice(self):
        scenario = IndexAxis("scenario", 2, labels=("a1b", "e1"))
        content = zarrzip.encode(make_coverage(axes=(scenario,)), {})
        names = zipfile.ZipFile(io.BytesIO(content)).namelist()
        assert len(names) == len(set(names))
        assert ".zmetadata" in names


class TestValues:
    def test_physical(self):
        coverage = make_coverage(PACKED, invalid=[(0, 0)])
        made = stated(coverage, "physical")
        (field,) = made.description.range_type.fields
        assert (field.dtype, field.scale, field.offset, field.nil) == ("float64", 1.0, 0.0, None)
        assert field.uom == "K"
        with opened_tiff(geotiff.encode(made, {})) as file:
            values = file.read(1)
            assert np.isnan(file.nodata)
            np.testing.assert_array_equal(values, coverage.blocks["sst"].physical())

    def test_raw(self):
        made = stated(make_coverage(PACKED), "raw")
        assert made.description.range_type.fields[0].uom == "1"
        rows = whole(csv.encode(made, {})).decode().splitlines()
        assert [float(row.rsplit(",", 1)[1]) for row in rows[1:4]] == [0, 1, 2]

    @pytest.mark.parametrize("how", ["raw", "physical"])
    def test_streams_are_the_same(self, how):
        coverage = make_coverage(PACKED, axes=(days(1, 2),), invalid=[(0, 1, 1)])
        one = whole(csv.stream(stated_stream(stream_of(coverage), how), {}).pieces)
        assert one == whole(csv.encode(stated(coverage, how), {}))
