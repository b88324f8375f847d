"""CF NetCDF: packing, missing values, grids, times and parts, by value."""

import netCDF4
import numpy as np
import pytest

from datacube.errors import SourceError
from datacube.ingest.readers.netcdf import NetcdfReader
from datacube.ingest.source import ReadOptions
from datacube.model.crs import CRS84, transform
from datacube.model.grid import ReferenceableGrid
from tests.unit.ingest.products import plane, write_netcdf


def granules(path, **options):
    return NetcdfReader().open(path, ReadOptions(**options))


def field_of(path):
    with granules(path) as found:
        return found[0].description.range_type.fields[0]


def test_packed_numbers_come_through_as_they_lie(tmp_path):
    path = write_netcdf(tmp_path / "packed.nc")
    with granules(path) as (one,):
        field = one.description.range_type.field("v")
        assert (field.dtype, field.nil, field.scale, field.offset) == ("int16", -1, 0.5, 100.0)
        values = one.slices[1].bands["v"].read((), 1, 4, 2, 7)
        assert values.dtype == np.int16
        np.testing.assert_array_equal(values, plane(5, 8, 1)[1:4, 2:7])


def test_a_float32_scale_is_the_double_of_its_value(tmp_path):
    path = write_netcdf(tmp_path / "f4.nc", scale=np.float32(0.01))
    assert field_of(path).scale == float(np.float32(0.01))


@pytest.mark.parametrize(
    "names", [("_FillValue",), ("missing_value",), ("_FillValue", "missing_value")]
)
def test_float_fills_become_nan(tmp_path, names):
    path = write_netcdf(tmp_path / "f.nc", dtype="f4", fill=None, scale=None)
    fill = np.float32(11)
    path = _rewritten(path, tmp_path / "g.nc", dict.fromkeys(names, fill))
    with granules(path) as (one,):
        values = one.slices[0].bands["v"].read((), 0, 5, 0, 8)
        expected = plane(5, 8).astype("f4")
        expected[expected == 11] = np.nan
        np.testing.assert_array_equal(values, expected)
        assert one.description.range_type.field("v").nil is None


def _rewritten(source, target, attributes):
    """A copy of the file whose field has other attributes."""
    with netCDF4.Dataset(source) as old, netCDF4.Dataset(target, "w") as new:
        for file in (old, new):
            file.set_auto_maskandscale(False)
        for name, dimension in old.dimensions.items():
            new.createDimension(name, len(dimension))
        for name, variable in old.variables.items():
            own = {key: variable.getncattr(key) for key in variable.ncattrs()}
            own |= attributes if name == "v" else {}
            fill = own.pop("_FillValue", None)
            one = new.createVariable(name, variable.dtype, variable.dimensions, fill_value=fill)
            one.set_auto_maskandscale(False)
            one.setncatts(own)
            one[...] = variable[...]
    return target


def test_integer_missing_value_beside_a_fill_becomes_nil(tmp_path):
    path = write_netcdf(tmp_path / "a.nc", scale=None)
    path = _rewritten(path, tmp_path / "b.nc", {"missing_value": np.int16(12)})
    with granules(path) as (one,):
        values = one.slices[0].bands["v"].read((), 0, 5, 0, 8)
        expected = plane(5, 8)
        expected[expected == 12] = -1
        np.testing.assert_array_equal(values, expected)


def test_unsigned_says_how_signed_bytes_are_meant(tmp_path):
    path = write_netcdf(tmp_path / "a.nc", dtype="i1", fill=-1, scale=None, times=(0.0,))
    path = _rewritten(path, tmp_path / "b.nc", {"_Unsigned": "true"})
    with granules(path) as (one,):
        field = one.description.range_type.field("v")
        assert (field.dtype, field.nil) == ("uint8", 255)


def test_a_fill_that_the_type_cannot_hold_is_none(tmp_path):
    path = write_netcdf(tmp_path / "a.nc", fill=None)
    path = _rewritten(path, tmp_path / "b.nc", {"missing_value": np.nan})
    assert field_of(path).nil is None


def test_rounded_longitudes_from_0_to_360_stay_and_the_box_is_exact(tmp_path):
    lon = (0.125 + np.arange(1440) * 0.25).astype("f4")
    lat = (-89.875 + np.arange(6) * 0.25).astype("f4")
    with granules(write_netcdf(tmp_path / "a.nc", lon=lon, lat=lat)) as (one,):
        grid = one.description.domain.rectified
        assert grid.bbox.edges == (0.0, -90.0, 360.0, -88.5)
        assert grid.dy == 0.25
        assert grid.crs.key == "EPSG:4326"


@pytest.mark.parametrize(
    ("calendar", "units", "value", "expected"),
    [
        ("360_day", "days since 2000-01-01", 59, "2000-02-30T00:00:00Z"),
        ("noleap", "days since 2000-01-01", 59, "2000-03-01T00:00:00Z"),
        ("Gregorian", "seconds since 1981-01-01 00:00:00", 1.0, "1981-01-01T00:00:01Z"),
        ("standard", "hours since 1950-01-01 0:0:0", 613752.5, "2020-01-07T00:30:00Z"),
    ],
)
def test_times_keep_their_calendar(tmp_path, calendar, units, value, expected):
    path = write_netcdf(tmp_path / "a.nc", times=(value,), units=units, calendar=calendar)
    with granules(path) as (one,):
        assert one.description.domain.time.iso == (expected,)


def test_a_given_time_stands_above_the_files(tmp_path):
    path = write_netcdf(tmp_path / "a.nc", times=(0.0,), units="hours")
    with granules(path, time="2021-05-01") as (one,):
        assert one.description.domain.time.iso == ("2021-05-01T00:00:00Z",)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"units": "hours"}, "name no reference time"),
        ({"units": "fortnights since 2000-01-01"}, "fortnights since"),
        ({"calendar": "mayan"}, "no calendar"),
        ({"times": (1.0, 1.0)}, "repeats an instant"),
        ({"lon": np.array([3.0])}, "one cell"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(tmp_path, options, words):
    path = write_netcdf(tmp_path / "a.nc", **options)
    with pytest.raises(SourceError, match=words), granules(path):
        pass


def test_several_times_and_one_given_time(tmp_path):
    path = write_netcdf(tmp_path / "a.nc")
    with pytest.raises(SourceError, match="holds 2 times"), granules(path, time="2020"):
        pass


def test_slices_ascend_whatever_the_order_in_the_file(tmp_path):
    path = write_netcdf(tmp_path / "a.nc", times=(2.0, 0.0, 1.0))
    with granules(path) as (one,):
        assert [str(day) for day in one.description.domain.time.iso] == [
            f"2020-01-0{day}T00:00:00Z" for day in (1, 2, 3)
        ]
        assert [int(s.bands["v"].read((), 0, 1, 0, 1)[0, 0]) for s in one.slices] == [
            1000,
            2000,
            0,
        ]


@pytest.fixture
def levels(tmp_path):
    """A file with a field on levels, one at the surface, a static one and helpers of all kinds."""
    path = tmp_path / "model.nc"
    with netCDF4.Dataset(path, "w") as file:
        sizes = {"time": 2, "lev": 3, "lat": 4, "lon": 6, "one": 1, "bnds": 2}
        for name, size in sizes.items():
            file.createDimension(name, size)

        def add(name, dimensions, values, **attributes):
            one = file.createVariable(name, "f4", dimensions)
            one.setncatts(attributes)
            one[...] = values

        add("time", ("time",), [0, 6], units="hours since 2020-01-01", bounds="time_bnds")
        add("time_bnds", ("time", "bnds"), [[0, 6], [6, 12]])
        add("lev", ("lev",), [1000, 850, 500], units="hPa", positive="down")
        add("lat", ("lat",), np.arange(4), units="degrees_north")
        add("lon", ("lon",), np.arange(6), units="degrees_east")
        add("one", ("one",), [2.0], units="m", positive="up", standard_name="height")
        ramp = np.arange(2 * 3 * 4 * 6).reshape(2, 3, 6, 4)
        add("t", ("time", "lev", "lon", "lat"), ramp, units="K", ancillary_variables="t_quality")
        add("t_quality", ("time", "lev", "lon", "lat"), 0)
        add("t2m", ("time", "one", "lat", "lon"), np.arange(48).reshape(2, 1, 4, 6), units="K")
        add("sp", ("time", "lat", "lon"), 1.0, units="Pa")
        add("orog", ("lat", "lon"), np.arange(24).reshape(4, 6), units="m")
        add("series", ("time",), 1.0)
    return path


def test_parts_are_named_by_the_rule(levels):
    with granules(levels, cube="gfs") as found:
        parts = {one.cube_id: one.description for one in found}
        assert {name: one.range_type.names for name, one in parts.items()} == {
            "gfs": ("t",),
            "gfs-one": ("t2m",),
            "gfs-2d": ("sp",),
            "gfs-static": ("orog",),
        }
        assert [axis.name for axis in parts["gfs"].domain.axes] == ["time", "lev"]
        assert parts["gfs"].domain.vertical.coordinates.tolist() == [1000, 850, 500]
        assert parts["gfs-static"].domain.time is None
        hours = parts["gfs"].domain.time.bounds - parts["gfs"].domain.time.bounds[0, 0]
        assert (hours // 3_600_000).tolist() == [[0, 6], [6, 12]]


def test_dimensions_of_any_order_are_read_as_axes_then_rows_then_columns(levels):
    with granules(levels) as found:
        values = found[0].slices[1].bands["t"].read((2,), 1, 3, 0, 6)
        expected = np.arange(144).reshape(2, 3, 6, 4)[1, 2].T[1:3]
        np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"standard_name": "grid_longitude", "units": "degrees"}, "rotated-pole"),
        ({}, "no variable has both a longitude"),
    ],
)
def test_other_grids_are_named(tmp_path, attributes, words):
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("a", 2)
        file.createDimension("b", 3)
        one = file.createVariable("b", "f4", ("b",))
        one.setncatts(attributes)
        file.createVariable("v", "f4", ("a", "b"))
    with pytest.raises(SourceError, match=words), granules(path):
        pass


def test_positions_of_cells_that_no_field_lies_on_are_named(tmp_path):
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("y", 2), ("x", 3), ("a", 4)):
            file.createDimension(name, size)
        for name, unit in (("nav_lon", "longitude"), ("nav_lat", "latitude")):
            file.createVariable(name, "f4", ("y", "x")).standard_name = unit
        file.createVariable("v", "f4", ("a", "x"))
    with pytest.raises(SourceError, match=r"no variable lies.*nav_lat, nav_lon"), granules(path):
        pass


def curvilinear_file(path, lon, lat, **attributes):
    """A file of one field over positions; value 10 * row + column."""
    with netCDF4.Dataset(path, "w") as file:
        for name, size in zip(("y", "x"), lon.shape, strict=True):
            file.createDimension(name, size)
        for name, unit, values in (
            ("nav_lon", "degrees_east", lon),
            ("nav_lat", "degrees_north", lat),
        ):
            one = file.createVariable(name, "f8", ("y", "x"), fill_value=1e20)
            one.units = unit
            one[:] = values
        field = file.createVariable("v", "i4", ("y", "x"))
        field.setncatts(attributes)
        field[:] = np.add.outer(10 * np.arange(lon.shape[0]), np.arange(lon.shape[1]))


def test_a_curvilinear_grid_keeps_its_positions(tmp_path):
    lon, lat = np.meshgrid([170.0, 180.0, -170.0, -160.0], [0.0, 10.0, 20.0])
    lon, lat = lon + lat / 10, lat + 0.5
    lon[0, 0], lat[0, 0] = 1e20, 1e20
    curvilinear_file(tmp_path / "a.nc", lon, lat, coordinates="nav_lat nav_lon")
    with granules(tmp_path / "a.nc") as found:
        grid = found[0].description.domain.grid
        assert isinstance(grid, ReferenceableGrid)
        assert np.isnan(grid.x[0, 0])
        np.testing.assert_array_equal(grid.x.ravel()[1:], lon.ravel()[1:])
        np.testing.assert_array_equal(grid.y.ravel()[1:], lat.ravel()[1:])
        assert found[0].slices[0].bands["v"].read((), 1, 3, 0, 2).tolist() == [[10, 11], [20, 21]]
        assert grid.bbox.crosses_antimeridian


def test_points_left_out_of_a_model_have_no_position(tmp_path):
    lon, lat = np.meshgrid(np.arange(4.0) + 1, np.arange(3.0) + 1)
    lon[:, 3] = lat[:, 3] = 0.0
    curvilinear_file(tmp_path / "a.nc", lon, lat)
    with granules(tmp_path / "a.nc") as found:
        grid = found[0].description.domain.grid
        assert isinstance(grid, ReferenceableGrid)
        assert np.isnan(grid.x[:, 3]).all()
        assert np.isfinite(grid.x[:, :3]).all()


def test_a_rotated_pole_is_a_grid_of_equal_cells(tmp_path):
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as file:
        for name, standard, values in (
            ("rlat", "grid_latitude", [-1.0, 0.0, 1.0]),
            ("rlon", "grid_longitude", [-2.0, -1.0, 0.0, 1.0]),
        ):
            file.createDimension(name, len(values))
            one = file.createVariable(name, "f8", (name,))
            one.setncatts({"standard_name": standard, "units": "degrees"})
            one[:] = values
        pole = file.createVariable("pole", "i4", ())
        pole.grid_mapping_name = "rotated_latitude_longitude"
        pole.setncatts({"grid_north_pole_latitude": 39.25, "grid_north_pole_longitude": -162.0})
        field = file.createVariable("v", "i4", ("rlat", "rlon"))
        field.grid_mapping = "pole"
        field[:] = np.arange(12).reshape(3, 4)
    with granules(path) as found:
        grid = found[0].description.domain.rectified
        assert grid.shape == (3, 4)
        assert grid.bbox.edges == (-2.5, -1.5, 1.5, 1.5)
        # the rotated origin lies opposite to the meridian of the pole, its colatitude away
        lon, lat = transform(np.zeros(1), np.zeros(1), grid.crs, CRS84)
        assert (lon[0], lat[0]) == pytest.approx((18.0, 50.75))


def test_a_projection_in_kilometres_is_in_metres(tmp_path):
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as file:
        for name, size, values in (("y", 3, [3, 2, 1]), ("x", 4, [10, 11, 12, 13])):
            file.createDimension(name, size)
            one = file.createVariable(name, "f4", (name,))
            one.units, one.standard_name = "km", f"projection_{name}_coordinate"
            one[:] = values
        file.createVariable("utm", "i4", ()).setncatts(
            {
                "grid_mapping_name": "transverse_mercator",
                "crs_wkt": rasterio_wkt("EPSG:32631"),
            }
        )
        file.createVariable("v", "f4", ("y", "x")).grid_mapping = "utm"
    with granules(path) as (one,):
        grid = one.description.domain.rectified
        assert grid.crs.key == "EPSG:32631"
        assert grid.bbox.edges == (9500, 500, 13500, 3500)


def rasterio_wkt(code):
    import pyproj

    return pyproj.CRS.from_user_input(code).to_wkt()


def test_classes_are_categories_and_masks_are_not(tmp_path):
    path = write_netcdf(tmp_path / "a.nc", dtype="u1", fill=255, scale=None, times=(0.0,))
    flags = {"flag_values": np.array([0, 1], "u1"), "flag_meanings": "open_sea sea_ice"}
    classes = field_of(_rewritten(path, tmp_path / "b.nc", flags))
    assert [(one.value, one.label) for one in classes.categories] == [
        (0, "open sea"),
        (1, "sea ice"),
    ]
    assert classes.overview == "mode"
    masks = field_of(
        _rewritten(path, tmp_path / "c.nc", {**flags, "flag_masks": np.array([1, 2], "u1")})
    )
    assert (masks.categories, masks.overview) == ((), "nearest")


def test_a_reference_time_in_the_long_name_is_one(tmp_path):
    path = write_netcdf(tmp_path / "a.nc", times=(36.0,), units="hours")
    with netCDF4.Dataset(path, "a") as file:
        file.variables["time"].long_name = "ANALYSIS time from 20200101"
    with NetcdfReader().open(path, ReadOptions()) as (one,):
        assert one.description.domain.time.iso == ("2020-01-02T12:00:00Z",)


def test_flags_among_packed_numbers_are_no_data_unless_they_are_in_range(tmp_path):
    path = write_netcdf(tmp_path / "a.nc", times=(0.0,), dtype="u1", fill=255, offset=0.0)
    with netCDF4.Dataset(path, "a") as file:
        v = file.variables["v"]
        v.valid_range = np.uint8([0, 40])
        v.flag_values = np.uint8([40, 41, 42, 43, 44, 45, 46, 47])
        v.flag_meanings = "full a b c d e f g"
    with NetcdfReader().open(path, ReadOptions()) as (one,):
        values = one.slices[0].bands["v"].read((), 0, 5, 0, 8)
        expected = np.where(plane(5, 8) > 40, 255, plane(5, 8))
        np.testing.assert_array_equal(values, expected)


def test_floats_that_were_never_written_are_no_data(tmp_path):
    path = write_netcdf(tmp_path / "a.nc", times=(0.0,), dtype="f4", fill=None, scale=None)
    with netCDF4.Dataset(path, "a") as file:
        file.variables["v"][0, 1, 2] = netCDF4.default_fillvals["f4"]
    with NetcdfReader().open(path, ReadOptions()) as (one,):
        values = one.slices[0].bands["v"].read((), 0, 5, 0, 8)
        assert np.argwhere(np.isnan(values)).tolist() == [[1, 2]]


@pytest.mark.parametrize("kind", ["strings", "characters"])
def test_an_axis_of_names_has_labels(tmp_path, kind):
    path = write_netcdf(tmp_path / "a.nc", times=(0.0,))
    names = ("historical", "ssp126", "ssp585")
    with netCDF4.Dataset(path, "a") as file:
        file.createDimension("scenario", 3)
        if kind == "strings":
            file.createVariable("scenario", str, ("scenario",))[:] = np.array(names, object)
        else:
            file.createDimension("letters", 10)
            one = file.createVariable("scenario_name", "S1", ("scenario", "letters"))
            one[:] = netCDF4.stringtochar(np.array(names, "S10"))
        v = file.createVariable("w", "f4", ("scenario", "lat", "lon"))
        for place in range(3):
            v[place] = plane(5, 8) + 100 * place
    with NetcdfReader().open(path, ReadOptions()) as parts:
        (one,) = (part for part in parts if "w" in part.description.range_type.names)
        axis = next(axis for axis in one.description.domain.axes if axis.name == "scenario")
        assert axis.labels == names
        np.testing.assert_array_equal(
            one.slices[0].bands["w"].read((2,), 0, 5, 0, 8), plane(5, 8) + 200
        )


@pytest.mark.parametrize(
    ("units", "calendar", "values", "expected"),
    [
        ("months since 1960-01-01", "360_day", (0.5, 1.5), ("1960-01-16", "1960-02-16")),
        ("months since 2020-01-31", "standard", (0, 1), ("2020-01-31", "2020-02-29")),
        ("years since 2000-01-01", "noleap", (0, 25), ("2000-01-01", "2025-01-01")),
    ],
)
def test_months_and_years_are_those_of_the_calendar(tmp_path, units, calendar, values, expected):
    path = write_netcdf(tmp_path / "a.nc", times=values, units=units, calendar=calendar)
    with NetcdfReader().open(path, ReadOptions()) as (one,):
        assert one.description.domain.time.iso == tuple(f"{day}T00:00:00Z" for day in expected)
