"""Fields stored otherwise than in their source: every value computed by hand."""

import json

import netCDF4
import numpy as np
import pytest
import xarray as xr

from datacube.config.load import load_recipe
from datacube.config.products import FieldRecipe, RecipeSettings, StoredAs, TargetSettings
from datacube.errors import ConfigError
from datacube.ingest.pipeline import ingest
from tests.unit.ingest.products import opened, plane, whole, write_netcdf


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "store")


def storing(dtype=None, **options):
    stored = StoredAs(dtype, **options)
    return RecipeSettings(cube="c", fields=(FieldRecipe("v", stored=stored),))


def write_floats(path, values, *, day=0, dtype="f4"):
    """A file of one day."""
    write_netcdf(path, times=(float(day),), dtype=dtype, fill=None, scale=None)
    with netCDF4.Dataset(path, "a") as file:
        file["v"][0] = values
    return str(path)


def test_files_of_different_packing_go_into_one_cube_as_floats(tmp_path, store):
    paths = [
        str(write_netcdf(tmp_path / "0.nc", times=(0.0,), scale=0.5, offset=100.0)),
        str(write_netcdf(tmp_path / "1.nc", times=(1.0,), scale=0.125, offset=-3.0)),
    ]
    apart = ingest(paths, store=str(tmp_path / "apart"), cube="c").results[1]
    assert apart.status == "refused"
    assert apart.reason.endswith("; a recipe's dtype stores all files in one way")
    assert ingest(paths, store=store, recipe=storing("float32")).exit_code == 0
    cube = opened(store, "c")
    field = cube.description.range_type.field("v")
    assert (field.dtype, field.scale, field.offset, field.nil) == ("float32", 1.0, 0.0, None)
    raw = plane(5, 8).astype(float)
    for time, physical in enumerate((raw * 0.5 + 100, raw * 0.125 - 3)):
        np.testing.assert_array_equal(whole(cube, "v", time), physical.astype("f4"))
    assert {
        one.status for one in ingest(paths, store=store, recipe=storing("float32")).results
    } == {"already"}


def test_no_data_of_whole_numbers_is_nan(tmp_path, store):
    path = str(write_netcdf(tmp_path / "a.nc", times=(0.0,), fill=11))
    assert ingest([path], store=store, recipe=storing("float64")).exit_code == 0
    known = plane(5, 8) * 0.5 + 100
    known[1, 1] = np.nan
    np.testing.assert_array_equal(whole(opened(store, "c"), "v"), known)


def test_floats_are_packed_in_whole_steps(tmp_path, store):
    values = 273.15 + np.arange(40).reshape(5, 8) * 0.01
    values[0, 0], values[0, 1], values[0, 2] = np.nan, np.inf, 273.15 + 0.0149
    path = write_floats(tmp_path / "a.nc", values, dtype="f8")
    recipe = storing("int16", scale=0.01, offset=273.15)
    assert ingest([path], store=store, recipe=recipe).exit_code == 0
    known = np.arange(40).reshape(5, 8)
    known[0, :3] = -32768, -32768, 1
    np.testing.assert_array_equal(whole(opened(store, "c"), "v"), known)
    with xr.open_zarr(f"{store}/c", consolidated=False) as plain:
        assert plain["v"].encoding["dtype"] == np.int16
        read = plain["v"][0].values
    assert np.isnan(read[0, :2]).all()
    np.testing.assert_allclose(read[1:], values[1:], atol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "value", "reach"),
    [("int16", 328.0, "-327.67 to 327.67"), ("uint8", -0.5, "0 to 2.54")],
)
def test_what_no_step_stands_for_is_refused_and_nothing_stays(tmp_path, store, dtype, value, reach):
    values = np.full((5, 8), 1.0)
    values[3, 3] = value
    path = write_floats(tmp_path / "a.nc", values)
    (bad,) = ingest([path], store=store, recipe=storing(dtype, scale=0.01)).results
    assert bad.status == "refused"
    assert bad.reason == (
        f"v has the value {value:g}; {dtype} with scale 0.01 and offset 0 holds {reach}"
    )
    good = write_floats(tmp_path / "b.nc", np.full((5, 8), 1.0))
    assert ingest([good], store=store, recipe=storing(dtype, scale=0.01)).exit_code == 0
    assert len(opened(store, "c").record.slices) == 1


def test_a_value_does_not_become_no_data(tmp_path, store):
    values = np.array([[0.0, 7.0, 255.0, np.nan] * 2] * 5)
    path = write_floats(tmp_path / "a.nc", values)
    assert ingest([path], store=store, recipe=storing("uint8", nil=7)).exit_code == 0
    assert whole(opened(store, "c"), "v")[0, :4].tolist() == [0, 8, 255, 7]
    (bad,) = ingest([path], store=f"{store}2", recipe=storing("uint8", nil=0)).results
    assert bad.reason.endswith("has the value 0; uint8 with scale 1 and offset 0 holds 1 to 255")


@pytest.mark.parametrize(("dtype", "bits"), [("f4", 3), ("f4", 10), ("f8", 7)])
def test_bits_of_floats_are_rounded(tmp_path, store, dtype, bits):
    rng = np.random.default_rng(4)
    values = (rng.random((5, 8)) * 10.0 ** rng.integers(-3, 4, (5, 8))).astype(dtype)
    values[0, :2] = np.nan, 0
    path = write_floats(tmp_path / "a.nc", values, dtype=dtype)
    assert ingest([path], store=store, recipe=storing(keep_bits=bits)).exit_code == 0
    found = whole(opened(store, "c"), "v")
    mantissa, exponent = np.frexp(values.astype("f8"))
    step = 2.0 ** (bits + 1)
    known = np.ldexp(np.rint(mantissa * step) / step, exponent).astype(dtype)
    np.testing.assert_array_equal(found, known)
    assert (found[1:] != values[1:]).any()


def test_averages_are_made_of_physical_values(tmp_path, store):
    path = str(write_netcdf(tmp_path / "a.nc", times=(0.0,), scale=2.0, offset=0.0))
    coarse = TargetSettings((0.5, 0.5), None, (-0.125, 49.125, 1.875, 50.125))
    fields = (FieldRecipe("v", resampling="average", stored=StoredAs("float32")),)
    recipe = RecipeSettings(cube="c", fields=fields, grid=coarse)
    assert ingest([path], store=store, recipe=recipe).exit_code == 0
    four = plane(5, 8)[:4].reshape(2, 2, 4, 2).mean(axis=(1, 3)) * 2
    np.testing.assert_allclose(whole(opened(store, "c"), "v"), four, rtol=1e-6)
    assert (four % 2 != 0).all()  # which the steps of the source do not hold


def test_classes_and_bits_of_whole_numbers_are_refused(tmp_path, store):
    path = str(write_netcdf(tmp_path / "a.nc", scale=None))
    (bad,) = ingest([path], store=store, recipe=storing(keep_bits=7)).results
    assert (bad.status, bad.reason) == ("refused", "v is int16; keep_bits is of floats")
    with netCDF4.Dataset(path, "a") as file:
        file["v"].flag_values = np.array([1, 2], "i2")
        file["v"].flag_meanings = "land sea"
    (bad,) = ingest([path], store=store, recipe=storing("float32")).results
    assert (bad.status, bad.reason) == ("refused", "v holds classes, which cannot be packed")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("scale: 0.1", "scale is said beside a dtype of whole numbers"),
        ("dtype: float32, no_data: 3", "no_data is said beside a dtype of whole numbers"),
        ("dtype: int16, keep_bits: 7", "keep_bits is of floats"),
        ("dtype: uint8, no_data: 256", "no_data is none of uint8, 0 to 255"),
        ("dtype: int16, scale: 0", "greater than 0"),
        ("dtype: complex64", "dtype"),
    ],
)
def test_what_does_not_go_together_is_said(tmp_path, said, why):
    path = tmp_path / "r.yaml"
    path.write_text(f"fields:\n- {{source: v, {said}}}\n")
    with pytest.raises(ConfigError, match=why):
        load_recipe(path)


def test_a_recipe_says_how_fields_are_stored(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text(
        "fields:\n- {source: v, dtype: int16, scale: 0.01, offset: 5, no_data: -1}\n"
        "- {source: u, keep_bits: 7}\n- {source: w}\n"
    )
    stored = [one.stored for one in load_recipe(path).fields]
    assert stored == [StoredAs("int16", 0.01, 5.0, -1), StoredAs(keep_bits=7), None]


def test_further_attributes_of_a_new_cube(tmp_path, store):
    path = tmp_path / "r.yaml"
    path.write_text("cube: c\nattributes: {institution: Met Office, version: 3}\n")
    source = str(write_netcdf(tmp_path / "a.nc"))
    assert ingest([source], store=store, recipe=load_recipe(path)).exit_code == 0
    found = json.loads((tmp_path / "store" / "c" / "zarr.json").read_text())["attributes"]
    assert (found["institution"], found["version"]) == ("Met Office", 3)
    assert "datacube ingest" in found["history"]
    path.write_text("attributes: {history: mine}\n")
    with pytest.raises(ConfigError, match="history is said by the cube itself"):
        load_recipe(path)


@pytest.mark.parametrize(
    "calendars", [("standard", "proleptic_gregorian"), ("proleptic_gregorian", "standard")]
)
def test_gregorian_calendars_are_one_since_there_is_a_gregorian_one(tmp_path, store, calendars):
    for day, calendar in enumerate(calendars):
        path = write_netcdf(tmp_path / f"{day}.nc", times=(float(day),), calendar=calendar)
        assert ingest([str(path)], store=store, cube="c").exit_code == 0
    times = opened(store, "c").description.domain.time
    assert times.calendar == calendars[0]
    assert (times.ticks // 86_400_000).tolist() == [18262, 18263]
    early = write_netcdf(tmp_path / "e.nc", times=(-200_000.0,), calendar=calendars[1])
    (bad,) = ingest([str(early)], store=store, cube="c").results
    assert bad.reason.endswith(f"its calendar is {calendars[1]} instead of {calendars[0]}")
