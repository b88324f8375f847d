"""The same folder for programs that know only Zarr, CF and GDAL."""

import warnings
from typing import Any

import numpy as np
import pytest
import rasterio
import rioxarray  # noqa: F401  registers the accessor
import xarray as xr
import zarr

from datacube.model.axis import IndexAxis, IrregularAxis, RegularAxis
from datacube.model.fields import Category, Field
from datacube.store.plain import TIME_CHUNK
from datacube.store.transaction import transaction
from datacube.store.url import open_store
from tests.cubes import add_slices, closed_form, make_cube, slice_values, ticks_of

SST = Field(
    "sst",
    "int16",
    uom="K",
    nil=-32768,
    scale=0.01,
    offset=273.15,
    title="Sea surface temperature",
    standard_name="sea_surface_temperature",
)
CLASSES = Field(
    "scl",
    "uint8",
    categories=(Category(0, "no data", "#000000"), Category(6, "water")),
    overview="mode",
)
GRIDS: dict[str, dict[str, Any]] = {
    "globe": {"crs": "EPSG:4326", "bbox": (-180, -90, 180, 90)},
    "crs84": {"crs": "OGC:CRS84", "bbox": (-10, 40, 10, 50)},
    "globe from 0": {"crs": "EPSG:4326", "bbox": (0, -90, 360, 90)},
    "ascending": {"crs": "EPSG:4326", "bbox": (-180, -90, 180, 90), "flip_y": True},
    "utm": {"crs": "EPSG:32629", "bbox": (600000, 3090240, 600400, 3090440)},
    "polar": {"crs": "EPSG:3413", "transform": (-3e6, 5e4, 2e6, -2.5e4)},
}


def opened(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return xr.open_zarr(str(path), chunks=None, **options)


def column(values):
    return np.asarray(values)[:, np.newaxis]


def test_xarray_decodes_values_and_times(tmp_path):
    make_cube(
        tmp_path,
        times=("2020-01-01", "2020-01-02T06:00:00.250Z"),
        fields=(SST, Field("f", "float32"), CLASSES),
        formula=lambda t, _k, f, y, x: (
            (y + x + t) % 7 if f == 2 else np.where(x > 0, t + y, -32768)
        ),
        attributes={"institution": "Nobody"},
        title="A title",
        licence="CC-BY",
    )
    with opened(tmp_path / "closed") as dataset:
        assert dataset["sst"].dims == ("time", "lat", "lon")
        assert [str(one) for one in dataset["time"].values] == [
            "2020-01-01T00:00:00.000000000",
            "2020-01-02T06:00:00.250000000",
        ]
        sst = dataset["sst"].values
        assert np.isnan(sst[:, :, 0]).all()
        assert sst[1, 3, 5] == 4 * 0.01 + 273.15
        assert dataset["sst"].attrs["units"] == "K"
        assert dataset["sst"].attrs["standard_name"] == "sea_surface_temperature"
        assert dataset["scl"].dtype == np.uint8
        assert dataset["scl"].attrs["flag_values"] == [0, 6]
        assert dataset["scl"].attrs["flag_meanings"] == "no_data water"
        assert dataset["f"].dtype == np.float32
        assert dataset.attrs["title"] == "A title"
        assert dataset.attrs["license"] == "CC-BY"
        assert dataset.attrs["institution"] == "Nobody"
        assert dataset["lat"].attrs["units"] == "degrees_north"


@pytest.mark.parametrize("name", GRIDS)
def test_xarray_and_rioxarray_see_the_grid(tmp_path, name):
    cube = make_cube(tmp_path, width=40, height=20, chunks={"x": 16, "y": 16}, **GRIDS[name])
    grid = cube.description.domain.rectified
    with opened(tmp_path / "closed") as dataset:
        y, x = dataset["v"].dims[-2:]
        assert np.array_equal(dataset[x].values, grid.x_centres())
        assert np.array_equal(dataset[y].values, grid.y_centres())
        assert dataset.rio.crs == rasterio.CRS.from_wkt(grid.crs.wkt)
        assert dataset["v"].rio.nodata is None
        numbers = dataset["spatial_ref"].attrs["GeoTransform"].split()
        assert [float(one) for one in numbers] == list(grid.transform.to_gdal())
        assert np.array_equal(dataset["v"].values[0], slice_values(cube.description, 0)["v"])
    coarse = cube.description.levels[1].grid
    with opened(tmp_path / "closed", group="overviews/1") as dataset:
        assert np.array_equal(dataset[x].values, coarse.x_centres())
        assert dataset["v"].shape == (1, 10, 20)
        assert dataset.sizes["time"] == 1


@pytest.mark.gdal
@pytest.mark.parametrize("name", GRIDS)
def test_gdal_sees_the_grid_and_no_false_no_data(tmp_path, name):
    cube = make_cube(
        tmp_path,
        times=("2020-01-01", "2020-01-02"),
        width=40,
        height=20,
        fields=(SST, Field("n", "int16"), Field("f", "float64"), Field("b", "uint8")),
        formula=lambda t, _k, _f, y, x: (t + y + x) % 60,
        chunks={"x": 16, "y": 16},
        **GRIDS[name],
    )
    grid = cube.description.domain.rectified
    expected = {"sst": -32768, "n": np.iinfo("int16").min, "f": np.nan, "b": 255}
    for field, nodata in expected.items():
        with rasterio.open(f'ZARR:"{tmp_path / "closed"}":/{field}') as dataset:
            assert dataset.shape == (20, 40)
            assert dataset.count == 2
            assert dataset.crs == rasterio.CRS.from_wkt(grid.crs.wkt)
            assert np.allclose(dataset.transform.to_gdal(), grid.transform.to_gdal(), rtol=1e-12)
            assert np.array_equal(dataset.nodata, nodata, equal_nan=True)
            values = slice_values(cube.description, 1, lambda t, _k, _f, y, x: (t + y + x) % 60)
            assert np.array_equal(dataset.read(2), values[field])
            assert (dataset.read_masks(2) == 255).all()
            if field == "sst":
                assert (dataset.scales[0], dataset.offsets[0]) == (0.01, 273.15)
                assert dataset.units[0] == "K"


@pytest.mark.gdal
def test_gdal_opens_a_cube_without_time(tmp_path):
    make_cube(tmp_path, times=None, width=40, height=20)
    with rasterio.open(f'ZARR:"{tmp_path / "closed"}":/v') as dataset:
        assert dataset.count == 1
        assert dataset.read(1)[3, 7] == closed_form(0, 0, 0, 3, 7)


def test_other_calendars_and_axes(tmp_path):
    axes = (
        IrregularAxis("depth", np.array([0.0, 10.0]), "m"),
        RegularAxis("pressure", 1000.0, -50.0, 3, "hPa"),
        IndexAxis("scenario", 2, labels=("a1b", "e1")),
    )
    make_cube(tmp_path, times=("2095-02-30", "2095-03-01"), calendar="360_day", axes=axes)
    with opened(tmp_path / "closed") as dataset:
        assert [one.isoformat() for one in dataset["time"].values] == [
            "2095-02-30T00:00:00",
            "2095-03-01T00:00:00",
        ]
        assert dataset["depth"].attrs["positive"] == "down"
        assert dataset["pressure"].values.tolist() == [1000, 950, 900]
        assert dataset["scenario"].attrs["labels"] == ["a1b", "e1"]
        value = dataset["v"].sel(depth=10, pressure=950, scenario=1).values[1, 2, 3]
        assert value == closed_form(1, 9, 0, 2, 3)


def test_zarr_agrees_with_and_without_the_consolidated_metadata(tmp_path):
    make_cube(tmp_path, width=40, height=20, chunks={"x": 16, "y": 16})
    path = str(tmp_path / "closed")
    one: Any = zarr.open_group(path, mode="r", use_consolidated=True)
    other: Any = zarr.open_group(path, mode="r", use_consolidated=False)
    assert sorted(one.array_keys()) == sorted(other.array_keys())
    for name in ("v", "time", "overviews/1/v", "overviews/2/lat"):
        assert one[name].metadata.to_dict() == other[name].metadata.to_dict()
        assert np.array_equal(one[name][...], other[name][...])
    assert dict(one["overviews/1"].attrs) == dict(other["overviews/1"].attrs)


def test_the_conventions_are_declared(tmp_path):
    cube = make_cube(tmp_path, width=40, height=20, chunks={"x": 16, "y": 16})
    attributes: dict[str, Any] = dict(zarr.open_group(str(tmp_path / "closed"), mode="r").attrs)
    names = [one["name"] for one in attributes["zarr_conventions"]]
    assert names == ["multiscales", "proj:", "spatial:"]
    layout = attributes["multiscales"]["layout"]
    assert [one["asset"] for one in layout] == [".", "overviews/1", "overviews/2"]
    assert layout[2]["derived_from"] == "overviews/1"
    assert layout[1]["spatial:transform"] == list(cube.description.levels[1].grid.transform)[:6]
    assert attributes["proj:code"] == "EPSG:4326"
    assert attributes["spatial:bbox"] == [-180, -90, 180, 90]


def test_appends_show_at_once_and_a_replacement_does_not(tmp_path):
    store = open_store(str(tmp_path))
    cube = make_cube(store, times=("2020-01-01",))
    for day in (2, 3):
        add_slices(store, cube.description, [f"2020-01-0{day}"], first=day - 1)
    with opened(tmp_path / "closed") as dataset:
        assert dataset["v"].values[:, 0, 0].tolist() == [0, 1000, 2000]
    with transaction(store, "closed", "corrected") as tx:
        tx.write_slice(ticks_of("2020-01-02"), slice_values(cube.description, 9))
    with transaction(store, "closed", "later") as tx:
        tx.write_slice(ticks_of("2020-01-09"), slice_values(cube.description, 4))
    with opened(tmp_path / "closed") as dataset:
        assert dataset["v"].values[:, 0, 0].tolist() == [0, 1000, 2000]
        assert [str(one)[:10] for one in dataset["time"].values] == [
            "2020-01-01",
            "2020-01-02",
            "2020-01-03",
        ]


def test_more_times_than_one_chunk_of_the_time_axis(tmp_path):
    store = open_store(str(tmp_path))
    cube = make_cube(store, times=(), width=2, height=1)
    count = TIME_CHUNK + 3
    for first, last in ((0, TIME_CHUNK - 1), (TIME_CHUNK - 1, count)):
        with transaction(store, "closed", "many") as tx:
            for t in range(first, last):
                tx.write_slice(t * 3_600_000, slice_values(cube.description, t))
    with opened(tmp_path / "closed") as dataset:
        hours = (dataset["time"].values - np.datetime64("1970-01-01")) // np.timedelta64(1, "h")
        assert hours.tolist() == list(range(count))
