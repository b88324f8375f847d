"""NetCDF as it comes that keeps to no convention, or to another one."""

import netCDF4
import numpy as np
import pytest

from datacube.ingest.pipeline import ingest
from tests.unit.ingest.products import opened, plane, whole, write_netcdf


def iso(tmp_path, **options):
    """Times of a cube that is made of a file with such times."""
    path = write_netcdf(tmp_path / "a.nc", **options)
    report = ingest([str(path)], store=str(tmp_path / "store"))
    assert report.exit_code == 0, report.results[0].reason
    return opened(tmp_path / "store", "a").description.domain.time.iso


@pytest.mark.parametrize(
    ("units", "times", "expected"),
    [
        ("day as %Y%m%d.%f", (20200131.0, 20200201.75), ("2020-01-31T00", "2020-02-01T18")),
        ("day as %Y%m%d", (19991231.0, 20000101.0), ("1999-12-31T00", "2000-01-01T00")),
        ("month as %Y%m.%f", (202001.0, 202002.5), ("2020-01-01T00", "2020-02-15T12")),
        ("year as %Y.%f", (2019.0, 2020.0), ("2019-01-01T00", "2020-01-01T00")),
        ("microseconds since 2020-01-01", (0.0, 3.6e9), ("2020-01-01T00", "2020-01-01T01")),
        ("nanoseconds since 2020-01-01", (0.0, 7.2e12), ("2020-01-01T00", "2020-01-01T02")),
    ],
)
def test_times_in_other_units(tmp_path, units, times, expected):
    assert iso(tmp_path, times=times, units=units) == tuple(f"{one}:00:00Z" for one in expected)


def test_days_of_a_calendar_of_models(tmp_path):
    found = iso(tmp_path, times=(20200230.0,), units="day as %Y%m%d.%f", calendar="360_day")
    assert found == ("2020-02-30T00:00:00Z",)


def test_digits_that_are_no_date_are_refused(tmp_path):
    path = write_netcdf(tmp_path / "a.nc", times=(20201301.0,), units="day as %Y%m%d.%f")
    (refused,) = ingest([str(path)], store=str(tmp_path / "store")).results
    assert "2020-13-01" in refused.reason


def test_a_file_without_times_yet(tmp_path):
    path = write_netcdf(tmp_path / "a.nc", times=())
    (refused,) = ingest([str(path)], store=str(tmp_path / "store")).results
    assert refused.reason == "the dimension time has no length, so that there is no value"


def model_output(path, *, moves=False):
    """Positions of each cell at each of two times, as WRF writes them."""
    lon, lat = np.meshgrid(np.linspace(10, 12, 8), np.linspace(45, 46, 5))
    lon = lon + 0.02 * np.arange(5)[:, None]
    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("Time", 2), ("south_north", 5), ("west_east", 8)):
            file.createDimension(name, size)
        cells = ("Time", "south_north", "west_east")
        for name, values, units in (
            ("XLONG", lon, "degree_east"),
            ("XLAT", lat, "degree_north"),
        ):
            one = file.createVariable(name, "f4", cells)
            one.units = units
            one[:] = np.stack([values, values + moves])
        time = file.createVariable("XTIME", "f4", ("Time",))
        time.units = "minutes since 2020-01-01 00:00:00"
        time[:] = [0, 360]
        made = file.createVariable("T2", "f4", cells)
        made.units, made.coordinates = "K", "XLONG XLAT XTIME"
        made[:] = [plane(5, 8, t) for t in range(2)]
    return str(path)


def test_positions_that_are_repeated_at_each_time(tmp_path):
    path = model_output(tmp_path / "wrfout.nc")
    report = ingest([path], store=str(tmp_path / "store"))
    assert report.exit_code == 0, report.results[0].reason
    cube = opened(tmp_path / "store", "wrfout")
    assert cube.description.domain.time.iso == ("2020-01-01T00:00:00Z", "2020-01-01T06:00:00Z")
    assert cube.description.range_type.names == ("T2",)
    assert cube.description.domain.grid.x[4, 0] == pytest.approx(10.08)
    np.testing.assert_array_equal(whole(cube, "T2", 1), plane(5, 8, 1))


def test_cells_that_move_are_refused(tmp_path):
    path = model_output(tmp_path / "wrfout.nc", moves=True)
    (refused,) = ingest([path], store=str(tmp_path / "store")).results
    assert "its cells move: 'XLONG' is another one at each time" in refused.reason


def changed(path, **attributes):
    """The file with further attributes of its variables."""
    with netCDF4.Dataset(path, "a") as file:
        for name, said in attributes.items():
            file[name].setncatts(said)
    return str(path)


def test_packed_times_are_unpacked(tmp_path):
    path = write_netcdf(tmp_path / "a.nc", times=(1.0, 2.0), units="hours since 2020-01-01")
    changed(path, time={"scale_factor": 6.0, "add_offset": 12.0})
    assert ingest([str(path)], store=str(tmp_path / "store")).exit_code == 0
    found = opened(tmp_path / "store", "a").description.domain.time.iso
    assert found == ("2020-01-01T18:00:00Z", "2020-01-02T00:00:00Z")


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("2020-01-01 00:00:00 -6:00", "2020-01-01T06:00:00Z"),
        ("2020-01-01 00:00 +0530", "2019-12-31T18:30:00Z"),
        ("2020-01-01 00:00 +530", "2019-12-31T18:30:00Z"),
        ("2020-01-01 00:00:00 -6", "2020-01-01T06:00:00Z"),
    ],
)
def test_the_zone_of_a_reference_time(tmp_path, reference, expected):
    assert iso(tmp_path, times=(0.0,), units=f"days since {reference}") == (expected,)


@pytest.mark.parametrize(
    ("units", "times", "words"),
    [
        ("days since 2020-1-1 -6:00", (0.0,), "'2020-1-1 -6:00' cannot be read"),
        ("days since 2020-13-01", (0.0,), "'2020-13-01' cannot be read"),
        ("days since 2020-01-01", (1.0, 1e12), "beyond 400,000 years"),
        ("seconds since 2020-01-01", (1.0, 1e300), "beyond 400,000 years"),
    ],
)
def test_times_that_would_be_guessed_are_refused(tmp_path, units, times, words):
    path = write_netcdf(tmp_path / "a.nc", times=times, units=units)
    (refused,) = ingest([str(path)], store=str(tmp_path / "store")).results
    assert refused.status == "refused"
    assert words in refused.reason


def test_a_signed_number_in_unsigned_bits_has_its_fill(tmp_path):
    path = write_netcdf(tmp_path / "a.nc", dtype="u1", fill=255, scale=None, times=(0.0,))
    with netCDF4.Dataset(path, "a") as file:
        file["v"].set_auto_maskandscale(False)
        file["v"]._Unsigned = "false"
        file["v"][0, 0, :3] = 255, 128, 127
    assert ingest([str(path)], store=str(tmp_path / "store")).exit_code == 0
    cube = opened(tmp_path / "store", "a")
    field = cube.description.range_type.field("v")
    assert (field.dtype, field.nil) == ("int8", -1)
    assert whole(cube, "v")[0, :3].tolist() == [-1, -128, 127]


def with_runs(path, numbers, dtype):
    """A file with an axis of numbers that are names."""
    with netCDF4.Dataset(write_netcdf(path), "a") as file:
        file.createDimension("run", len(numbers))
        file.createVariable("run", dtype, ("run",))[:] = np.array(numbers, dtype)
        made = file.createVariable("w", "i2", ("run", "lat", "lon"))
        made[:] = [plane(5, 8, k) for k in range(len(numbers))]
    return str(path)


@pytest.mark.parametrize(
    ("dtype", "numbers", "expected"),
    [
        ("i4", (2020010100, 2020010112), ("2020010100", "2020010112")),
        ("u8", (2**60, 2**60 + 1), (str(2**60), str(2**60 + 1))),
        ("f8", (0.1, 0.10000001), ("0.1", "0.10000001")),
        ("f4", (0.1, 0.7), ("0.1", "0.7")),
    ],
)
def test_labels_have_all_digits_of_their_numbers(tmp_path, dtype, numbers, expected):
    path = with_runs(tmp_path / "a.nc", numbers, dtype)
    assert ingest([path], store=str(tmp_path / "store")).exit_code == 0
    assert opened(tmp_path / "store", "a-static").description.domain.axes[0].labels == expected


def test_names_that_differ_in_the_case_of_letters_alone(tmp_path):
    path = write_netcdf(tmp_path / "a.nc", field="T", times=(0.0,))
    with netCDF4.Dataset(path, "a") as file:
        file.createVariable("t", "i4", ("time", "lat", "lon"))[0] = 7 + plane(5, 8)
    report = ingest([str(path)], store=str(tmp_path / "store"))
    assert report.exit_code == 0, report.results[0].reason
    cube = opened(tmp_path / "store", "a")
    assert cube.description.range_type.names == ("T", "t_")
    np.testing.assert_array_equal(whole(cube, "t_"), 7 + plane(5, 8))


def test_a_field_without_time_beside_positions_at_each_time(tmp_path):
    path = model_output(tmp_path / "wrfout.nc")
    with netCDF4.Dataset(path, "a") as file:
        made = file.createVariable("HGT", "f4", ("south_north", "west_east"))
        made[:] = plane(5, 8, 3)
    report = ingest([path], store=str(tmp_path / "store"))
    assert report.exit_code == 0, report.results[0].reason
    np.testing.assert_array_equal(
        whole(opened(tmp_path / "store", "wrfout-static"), "HGT"), plane(5, 8, 3)
    )
