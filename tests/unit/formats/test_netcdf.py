import io
import threading
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import rasterio
import xarray as xr

from datacube.formats.netcdf import encode, spool
from datacube.model.axis import IndexAxis, IrregularAxis, RegularAxis, TimeAxis
from datacube.model.fields import Category, Field
from datacube.model.stream import stream_of
from datacube.model.time import Timestamp
from tests.unit.formats.coverages import DAY, closed_form, days, make_coverage


def whole(content):
    return content if isinstance(content, bytes) else b"".join(content)


def opened(coverage, **options):
    return xr.open_dataset(io.BytesIO(encode(coverage, {})), engine="h5netcdf", **options)


def raw(coverage, options=None):
    return netCDF4.Dataset("x.nc", memory=whole(encode(coverage, options or {})))


def test_xarray_decodes_packed_numbers_times_and_places():
    field = Field(
        "sst", "int16", "K", -32768, 0.01, 273.15, "Sea surface", "sea_surface_temperature"
    )
    depth = RegularAxis("depth", 5, 10, 2, "m", "depth")
    coverage = make_coverage(field, axes=(days(18262, 18264), depth), invalid=[(1, 0, 2, 3)])
    with opened(coverage) as dataset:
        sst = dataset["sst"]
        assert sst.dims == ("time", "depth", "lat", "lon")
        np.testing.assert_array_equal(sst.values, coverage.blocks["sst"].physical())
        assert np.isnan(sst.values[1, 0, 2, 3])
        assert sst.encoding["dtype"] == np.int16
        assert sst.encoding["_FillValue"] == -32768
        assert sst.attrs["units"] == "K"
        assert str(dataset["time"].values[1])[:10] == "2020-01-03"
        assert dataset["depth"].values.tolist() == [5, 15]
        assert dataset["depth"].attrs["positive"] == "down"
        assert dataset["depth"].attrs["standard_name"] == "depth"
        assert dataset["lat"].values.tolist() == [59, 57, 55, 53]
        assert dataset["lon"].values[0] == -19
        assert dataset["lat_bnds"].values[0].tolist() == [60, 58]
        assert dataset.attrs["Conventions"] == "CF-1.11"
        assert dataset.attrs["attribution"] == "© Somebody"


def test_the_packed_numbers_lie_in_the_file_as_they_are():
    field = Field("v", "int16", nil=-32768, scale=0.01)
    with raw(make_coverage(field, invalid=[(0, 0)])) as file:
        file.set_auto_maskandscale(False)
        expected = closed_form((4, 6))
        expected[0, 0] = -32768
        np.testing.assert_array_equal(file["v"][:], expected)


@pytest.mark.parametrize(
    ("calendar", "last"), [("360_day", "2019-02-30"), ("noleap", "2019-02-28"), ("standard", None)]
)
def test_times_keep_their_calendar(calendar, last):
    axis = days(17699, 17699 + 1, calendar=calendar)
    with raw(make_coverage(axes=(axis,))) as file:
        time = file["time"]
        assert time.calendar == calendar
        assert time.units == "days since 1970-01-01 00:00:00"
        found = [netCDF4.num2date(one, time.units, time.calendar) for one in time[:]]
        assert [str(one)[:10] for one in found] == [iso[:10] for iso in axis.iso]
    assert last is None or axis.iso[0][:4] in {"2018", "2019"}


def test_the_year_zero_of_a_climatology_keeps_its_dates():
    ticks = [Timestamp.parse(text).ticks("standard") for text in ("0000-01-16", "0000-02-29")]
    with raw(make_coverage(axes=(TimeAxis("time", np.array(ticks)),))) as file:
        time = file["time"]
        assert time.calendar == "proleptic_gregorian"
        found = [netCDF4.num2date(one, time.units, time.calendar) for one in time[:]]
        assert [str(one)[:10] for one in found] == ["0000-01-16", "0000-02-29"]


def test_a_small_file_is_small():
    assert len(encode(make_coverage(), {})) < 30_000


def test_times_of_hours_and_milliseconds_are_whole_in_their_unit():
    for ticks, unit in (([0, 6 * 3_600_000], "hours"), ([0, 1], "milliseconds")):
        with raw(make_coverage(axes=(TimeAxis("time", np.array(ticks)),))) as file:
            assert file["time"].units.startswith(unit)
            assert file["time"].dtype.kind == "i"


def test_bounds_of_time_and_of_levels():
    ticks = np.array([0, 2]) * DAY
    time = TimeAxis("time", ticks, bounds=np.stack([ticks - DAY // 2, ticks + DAY // 2], -1))
    level = IrregularAxis("level", np.array([1.0, 4.0]), "m", bounds=np.array([[0, 2], [2, 6.0]]))
    with raw(make_coverage(axes=(time, level))) as file:
        assert file["time"].bounds == "time_bnds"
        assert file["time_bnds"][:].tolist() == [[-12, 12], [36, 60]]
        assert file["level_bnds"][1].tolist() == [2, 6]


def test_labels_of_an_index_axis():
    with opened(make_coverage(axes=(IndexAxis("scenario", 2, labels=("a1b", "e1")),))) as dataset:
        assert dataset["v"].sel(scenario="e1").values[0, 1] == 1001


def test_the_grid_mapping_carries_the_crs():
    coverage = make_coverage(crs="EPSG:32632", origin=(500_000, 5_000_000), step=(10, -10))
    with raw(coverage) as file:
        mapping = file[file["v"].grid_mapping]
        assert mapping.grid_mapping_name == "transverse_mercator"
        assert "WGS 84 / UTM zone 32N" in mapping.crs_wkt
        assert mapping.GeoTransform.split()[0] == "500000.0"
        assert file["x"].standard_name == "projection_x_coordinate"
        assert file["x"].units == "m"
        assert file["y"][0] == 4_999_995


def test_classes_become_flags():
    classes = (Category(1, "open water", "#0000ff"), Category(2, "land", "#00ff00"))
    with raw(make_coverage(Field("scl", "uint8", nil=0, categories=classes))) as file:
        assert file["scl"].flag_values.tolist() == [1, 2]
        assert file["scl"].flag_values.dtype == np.uint8
        assert file["scl"].flag_meanings == "open_water land"


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "float32", "float64"])
def test_dtypes_and_missing_cells(dtype):
    with raw(make_coverage(Field("v", dtype), invalid=[(0, 0)])) as file:
        assert file["v"].dtype == np.dtype(dtype)
        assert file["v"][:].mask[0, 0]
        assert file["v"][:].mask.sum() == 1


def test_no_fill_value_where_nothing_is_missing():
    with raw(make_coverage(Field("v", "uint8"))) as file:
        assert "_FillValue" not in file["v"].ncattrs()


def test_history_says_what_was_asked():
    with raw(make_coverage(), {"history": "GetCoverage closed"}) as file:
        assert file.history == "GetCoverage closed"
        assert file.snapshot == "closed@1-abc"


@pytest.mark.parametrize("compression", ["none", "deflate"])
def test_large_ones_are_compressed_on_demand(compression):
    coverage = make_coverage(Field("v", "int32"), size=(700, 600), step=(0.1, -0.1))
    with raw(coverage, {"compression": compression}) as file:
        np.testing.assert_array_equal(file["v"][:], closed_form((600, 700)))
        assert file["v"].filters()["zlib"] == (compression == "deflate")
        assert (file["v"].chunking() == "contiguous") == (compression == "none")


@pytest.mark.parametrize("compression", ["none", "deflate"])
def test_a_file_written_while_it_is_read_says_the_same(compression):
    field = Field("sst", "int16", "K", -32768, 0.01, 273.15)
    coverage = make_coverage(
        field, axes=(days(1, 2, 3),), size=(300, 200), step=(0.1, -0.1), invalid=[(1, 3, 4)]
    )
    options = {"compression": compression}
    made = spool(stream_of(coverage), options)
    content = whole(made)
    assert len(content) == made.length
    with netCDF4.Dataset("x.nc", memory=content) as own, raw(coverage, options) as at_once:
        assert own.__dict__ == at_once.__dict__
        assert own.variables.keys() == at_once.variables.keys()
        for name, variable in own.variables.items():
            variable.set_auto_mask(False)
            at_once[name].set_auto_mask(False)
            np.testing.assert_array_equal(variable[...], at_once[name][...])
            assert variable.__dict__.keys() == at_once[name].__dict__.keys()
            assert variable.filters() == at_once[name].filters()


def test_a_file_that_nobody_takes_leaves_nothing_open():
    made = spool(stream_of(make_coverage(size=(300, 200))), {})
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    del made
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors - 1


def test_threads_do_not_disturb_each_other():
    coverage = make_coverage(axes=(days(1, 2, 3),))

    def contents() -> set[bytes]:
        made: list[bytes] = []
        threads = [
            threading.Thread(target=lambda: made.append(encode(coverage, {}))) for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 6
        return set(made)

    # HDF5 writes the second at which its root group was made
    assert any(len(contents()) == 1 for _ in range(5))


@pytest.mark.gdal
def test_gdal_reads_it(tmp_path):
    field = Field("sst", "int16", "K", -32768, 0.01, 273.15)
    path = tmp_path / "sst.nc"
    path.write_bytes(encode(make_coverage(field, invalid=[(0, 0)]), {}))
    with rasterio.open(f"netcdf:{path}:sst") as file:
        assert file.crs.to_epsg() == 4326
        assert tuple(file.transform)[:6] == (2, 0, -20, 0, -2, 60)
        assert (file.nodata, file.scales, file.offsets) == (-32768, (0.01,), (273.15,))
        assert file.read(1)[3, 5] == 35
