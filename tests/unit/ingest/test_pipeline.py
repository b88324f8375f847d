"""Ingest into a store: whole or not at all, once only, in any order, in the cube's packing."""

import subprocess
import sys
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from datacube.config.products import AxisSettings, FieldRecipe, MosaicSettings, RecipeSettings
from datacube.errors import InvalidParameter, InvalidTime, SourceError
from datacube.ingest.pipeline import ingest
from datacube.ingest.readers.netcdf import NetcdfBand
from datacube.ingest.report import BytesRead, Event, SlicePlanned, SourceResult, SourceStarted
from datacube.store.cube import open_cube
from datacube.store.index import list_cubes
from datacube.store.maintain import verify
from datacube.store.url import open_store
from tests.cubes import ticks_of
from tests.unit.ingest.products import (
    opened,
    plane,
    whole,
    write_netcdf,
    write_safe,
    write_tiff,
)


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "store")


def days(tmp_path, *numbers):
    """Files sst_2020010N.nc; the value of day N is plane(0) with the day in the name only."""
    return [
        str(write_netcdf(tmp_path / f"sst_202001{day:02d}.nc", times=(float(day - 1),)))
        for day in numbers
    ]


def times(cube):
    axis = cube.description.domain.time
    assert axis is not None
    return axis.iso


def status(report):
    return [one.status for one in report.results]


def test_values_in_the_store_are_those_of_the_file(tmp_path, store):
    path = write_netcdf(tmp_path / "sst.nc", times=(0.0, 1.0, 2.5))
    report = ingest([str(path)], store=store)
    assert (report.exit_code, report.results[0].cube, report.results[0].slices_added) == (
        0,
        "sst",
        3,
    )
    assert report.results[0].bytes > 0
    cube = opened(store, "sst")
    assert times(cube)[2] == "2020-01-03T12:00:00Z"
    for t in range(3):
        np.testing.assert_array_equal(whole(cube, "v", t), plane(5, 8, t))
    field = cube.description.range_type.field("v")
    assert (field.scale, field.offset, field.nil, field.uom) == (0.5, 100.0, -1, "K")


def test_a_second_run_does_nothing(tmp_path, store):
    paths = days(tmp_path, 1, 2)
    ingest(paths, store=store)
    before = opened(store, "sst").snapshot
    again = ingest(paths, store=store)
    assert (status(again), again.exit_code) == (["already", "already"], 0)
    assert [one.slices_added for one in again.results] == [0, 0]
    assert opened(store, "sst").snapshot == before


def test_a_file_is_known_by_its_content(tmp_path, store):
    (path,) = days(tmp_path, 1)
    other = tmp_path / "copy" / "sst_20200101.nc"
    other.parent.mkdir()
    other.write_bytes((tmp_path / "sst_20200101.nc").read_bytes())
    ingest([path], store=store)
    assert status(ingest([str(other)], store=store)) == ["already"]


def test_the_same_values_from_another_file_write_nothing(tmp_path, store, monkeypatch):
    (path,) = days(tmp_path, 1)
    ingest([path], store=store)
    before = opened(store, "sst").record
    with netCDF4.Dataset(path, "a") as file:
        file.history = "fetched once more"
    (again,) = ingest([path], store=store).results
    assert (again.status, again.slices_added, again.bytes) == ("already", 0, 0)
    assert again.reason == "every value is there already"
    noted = opened(store, "sst").record
    assert noted.slices == before.slices
    assert len(noted.sources) == 2
    monkeypatch.setattr(NetcdfBand, "read", None)  # it is known now, and not read again
    (known,) = ingest([path], store=store).results
    assert (known.status, known.reason) == ("already", "")
    assert opened(store, "sst").record.number == noted.number
    monkeypatch.undo()
    longer = write_netcdf(tmp_path / "sst_2020.nc", times=(0.0, 1.0))
    (more,) = ingest([str(longer)], store=store).results
    assert (more.status, more.slices_added) == ("ingested", 1)
    assert opened(store, "sst").record.in_order


@pytest.mark.parametrize("storage", ["plain", "icechunk"])
def test_a_cube_that_was_made_for_a_bad_source_stays_for_who_writes_in_it(
    tmp_path, store, storage, monkeypatch
):
    started = []

    def other(*_):
        if not started:
            started.append(open_cube(open_store(store), "sst").transaction("the other's"))
            started[0].write_slice(ticks_of("2020-02-01"), {"v": plane(5, 8, 3).astype("int16")})
        raise SourceError("it is damaged")

    monkeypatch.setattr(NetcdfBand, "read", other)
    (bad,) = ingest(days(tmp_path, 1), store=store, recipe=RecipeSettings(storage=storage)).results
    assert bad.status == "refused"
    with started[0]:
        pass
    np.testing.assert_array_equal(whole(opened(store, "sst"), "v", 0), plane(5, 8, 3))
    assert verify(opened(store, "sst")) == []


@pytest.mark.parametrize("storage", ["plain", "icechunk"])
def test_a_draft_after_the_final_product_is_said_to_be_one(tmp_path, store, storage):
    recipe = RecipeSettings(cube="sst", storage=storage)
    final = write_netcdf(tmp_path / "sst_final.nc", times=(1.0,))
    draft = write_netcdf(tmp_path / "sst_preliminary.nc", times=(1.0,))
    with netCDF4.Dataset(draft, "a") as file:
        file["v"][:] = 0
    ingest([str(final)], store=store, recipe=recipe)
    for dry in (True, False):
        (late,) = ingest([str(draft)], store=store, recipe=recipe, dry_run=dry).results
        assert (late.status, late.reason) == ("already", "a later stage is there already")
    longer = write_netcdf(tmp_path / "sst_nrt.nc", times=(1.0, 2.0))
    (planned,) = ingest([str(longer)], store=store, recipe=recipe, dry_run=True).results
    assert (planned.status, planned.slices_added, planned.slices_replaced) == ("planned", 1, 0)
    (made,) = ingest([str(longer)], store=store, recipe=recipe).results
    assert (made.status, made.slices_added) == ("ingested", 1)


def test_a_dry_run_on_a_cube_without_time_promises_nothing(tmp_path, store):
    paths = [write_tiff(tmp_path / f"{n}.tif", np.full((3, 4), n, "u1")[None]) for n in (1, 2)]
    ingest([str(paths[0])], store=store, cube="dem")
    (planned,) = ingest([str(paths[1])], store=store, cube="dem", dry_run=True).results
    assert (planned.status, planned.slices_added) == ("already", 0)
    assert planned.reason == "it has values and no time, and these would only be compared with them"
    (made,) = ingest([str(paths[1])], store=store, cube="dem").results
    assert "already holds other values" in made.reason


def test_a_dry_run_tells_what_would_take_the_place_of_what_is_there(tmp_path, store):
    ingest(days(tmp_path, 1, 2), store=store)
    longer = write_netcdf(tmp_path / "sst_2020.nc", times=(0.0, 1.0, 2.0))
    (planned,) = ingest([str(longer)], store=store, dry_run=True).results
    assert (planned.slices_added, planned.slices_replaced) == (3, 2)
    assert planned.line.endswith(", to sst, 2 of them in place of what is there")


@pytest.mark.parametrize("dry", [True, False])
@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (RecipeSettings(fields=(FieldRecipe("v", "lat"),)), "the field name 'lat' is reserved"),
        (RecipeSettings(fields=(FieldRecipe("v", "time"),)), "the field name 'time' is reserved"),
        (RecipeSettings(axes=(AxisSettings("lon", label="a"),)), "the axis name 'lon' is reserved"),
    ],
)
def test_a_name_that_is_taken_is_refused_in_words(tmp_path, store, recipe, words, dry):
    (path,) = days(tmp_path, 1)
    (result,) = ingest([path], store=store, recipe=recipe, dry_run=dry).results
    assert result.status == "refused"
    assert result.reason.startswith(words)
    assert list_cubes(open_store(store)) == []


def test_instants_of_several_solar_days_in_one_file(tmp_path, store):
    times = tuple(np.arange(8) / 4)  # every six hours; at 90 W the day begins at six
    path = write_netcdf(
        tmp_path / "sst.nc", times=times, lon=np.arange(8, dtype="f4") * 0.25 - 90.8
    )
    recipe = RecipeSettings(mosaic=MosaicSettings("day", "last"))
    (result,) = ingest([str(path)], store=store, recipe=recipe).results
    assert result.status == "ingested", result
    cube = opened(store, "sst")
    assert [text[:10] for text in cube.description.domain.time.iso] == [
        "2019-12-31",
        "2020-01-01",
        "2020-01-02",
    ]
    for place, t in enumerate((0, 4, 7)):
        np.testing.assert_array_equal(whole(cube, "v", place), plane(5, 8, t))


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1)])
def test_the_order_of_slices_does_not_matter(tmp_path, store, order):
    ingest(days(tmp_path, *order), store=store)
    cube = opened(store, "sst")
    assert [text[8:10] for text in times(cube)] == ["01", "02", "03"]


def test_a_bad_source_in_the_middle_leaves_no_trace(tmp_path, store):
    first, second = days(tmp_path, 1, 2)
    bad = tmp_path / "broken.nc"
    bad.write_bytes((tmp_path / "sst_20200101.nc").read_bytes()[:3000])
    report = ingest([first, str(bad), second], store=store)
    assert status(report) == ["ingested", "refused", "ingested"]
    assert report.exit_code == 3
    assert "\n" not in report.results[1].reason
    assert str(bad) in report.results[1].line
    assert list_cubes(open_store(store)) == ["sst"]


def damaged(path):
    """The file with its last compressed chunk overwritten: it opens, but cannot be read whole."""
    import netCDF4

    with netCDF4.Dataset(path, "w") as file:
        for name, size, unit in (("lat", 64, "degrees_north"), ("lon", 64, "degrees_east")):
            file.createDimension(name, size)
            one = file.createVariable(name, "f8", (name,))
            one.units = unit
            one[:] = np.arange(size) * 0.5
        file.createDimension("time", 2)
        time = file.createVariable("time", "f8", ("time",))
        time.units = "days since 2020-01-10"
        time[:] = [0, 1]
        v = file.createVariable(
            "v", "i2", ("time", "lat", "lon"), zlib=True, chunksizes=(1, 64, 64), fill_value=-1
        )
        v[:] = np.random.default_rng(1).integers(0, 30000, (2, 64, 64))
    content = bytearray(path.read_bytes())
    middle = len(content) - 3000
    content[middle : middle + 600] = bytes(600)
    path.write_bytes(content)
    return str(path)


def test_damage_found_while_writing_undoes_everything(tmp_path, store):
    report = ingest([damaged(tmp_path / "bad.nc")], store=store)
    assert (status(report), report.exit_code) == (["refused"], 2)
    assert list_cubes(open_store(store)) == []
    assert open_store(store).list("bad") == []


def test_damage_found_while_appending_leaves_the_cube_as_it_was(tmp_path, store):
    good = write_netcdf(
        tmp_path / "good.nc",
        times=(0.0,),
        lon=np.arange(64) * 0.5,
        lat=np.arange(64) * 0.5,
        scale=None,
        field_units="",
    )
    ingest([str(good)], store=store, cube="c")
    before = opened(store, "c").snapshot
    report = ingest([damaged(tmp_path / "bad.nc")], store=store, cube="c")
    assert status(report) == ["refused"], report
    assert opened(store, "c").snapshot == before
    np.testing.assert_array_equal(whole(opened(store, "c"), "v"), plane(64, 64))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"lon": np.arange(9) * 0.25}, "9 x 5 cells instead of 8 x 5"),
        ({"lon": 1 + np.arange(8) * 0.25}, "its box is 0.875"),
        ({"lat": 49 + np.arange(5) * 0.25}, "run the other way"),
        ({"dtype": "i4"}, "int32 instead of int16"),
        ({"scale": 0.25}, "packed with scale 0.25"),
        ({"offset": 100.1}, "packed with scale"),
        ({"fill": -2}, "marks no data by -2 instead of -1"),
        ({"field": "w"}, "it has none of the cube's fields (v) but w"),
        ({"field_units": "degC"}, "'degC' instead of 'K'"),
        ({"calendar": "360_day"}, "calendar is 360_day"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, store, other, words):
    ingest(days(tmp_path, 1), store=store)
    odd = write_netcdf(tmp_path / "sst_20200109.nc", **{"times": (8.0,), **other})
    report = ingest([str(odd)], store=store)
    assert status(report) == ["refused"]
    assert words in report.results[0].reason
    assert len(times(opened(store, "sst"))) == 1


def test_a_static_source_does_not_go_into_a_cube_with_time(tmp_path, store):
    ingest(
        [str(write_tiff(tmp_path / "a_20200101.tif", plane(3, 3)[None].astype("u1")))],
        store=store,
        cube="c",
    )
    late = write_tiff(tmp_path / "b.tif", plane(3, 3)[None].astype("u1"))
    assert "no time" in ingest([str(late)], store=store, cube="c").results[0].reason


def test_old_and_new_baselines_give_the_same_reflectance(tmp_path, store):
    fine = np.array([[0, 1, 1001], [2000, 65535, 500], [1000, 1500, 9000]], "u2")
    old = write_safe(tmp_path, {"B04": (10, fine)})
    new = write_safe(
        tmp_path, {"B04": (10, fine)}, day="20230219", baseline="05.09", boa_offset=-1000
    )
    ingest([str(old), str(new)], store=store)
    cube = opened(store, "s2-l2a-29RKH")
    np.testing.assert_array_equal(whole(cube, "B04", 0), fine)
    expected = np.array([[0, 1, 1], [1000, 64535, 1], [1, 500, 8000]], "u2")
    np.testing.assert_array_equal(whole(cube, "B04", 1), expected)
    ingest([str(new), str(old)], store=store, cube="reverse")
    cube = opened(store, "reverse")
    np.testing.assert_array_equal(whole(cube, "B04", 1), fine)
    expected = np.array([[0, 1001, 2001], [3000, 65535, 1500], [2000, 2500, 10000]], "u2")
    np.testing.assert_array_equal(whole(cube, "B04", 0), expected)


def test_a_recipe_chooses_and_names(tmp_path, store):
    values = np.stack([plane(6, 7, band) for band in range(3)]).astype("u2")
    path = write_tiff(tmp_path / "x.tif", values)
    recipe = RecipeSettings(
        cube="mine",
        title="My cube",
        time="2020-05-05",
        chunk=4,
        fields=(FieldRecipe("band3", "nir", "near infrared", "1"), FieldRecipe("band1")),
    )
    report = ingest([str(path)], store=store, recipe=recipe)
    assert report.results[0].cubes == ("mine",)
    cube = opened(store, "mine")
    assert cube.description.title == "My cube"
    assert cube.description.range_type.names == ("nir", "band1")
    assert cube.description.range_type.field("nir").title == "near infrared"
    assert cube.chunk_shape("nir")[-2:] == (4, 4)
    np.testing.assert_array_equal(whole(cube, "nir"), values[2])
    same = RecipeSettings(fields=(FieldRecipe("band1", "B"), FieldRecipe("band2", "b")), cube="c")
    refused = ingest([str(path)], store=store, recipe=same).results[0]
    assert refused.reason == "the recipe gives the name 'b' to several fields of 'c'"
    absent = RecipeSettings(fields=(FieldRecipe("band9"),))
    refused = ingest([str(path)], store=store, recipe=absent).results[0]
    assert "wants the fields band9; the source has band1, band2, band3" in refused.reason


@pytest.mark.parametrize(("series", "steps"), [(True, 256), (2, 2), (False, None)])
def test_a_recipe_can_ask_for_a_series_copy(tmp_path, store, series, steps):
    recipe = RecipeSettings(series=series)
    for path in days(tmp_path, 1, 2, 3):
        ingest([path], store=store, cube="sst", recipe=recipe)
    cube = opened(store, "sst")
    kept = cube.record.series
    assert (None if kept is None else kept.steps) == steps
    copy = cube.series("v")
    if steps != 2:
        assert copy is None
        return
    assert copy is not None
    assert [(one.start, one.stop) for one in copy.segments] == [(0, 2)]
    np.testing.assert_array_equal(copy.chunk(0, (0, 0))[1], plane(5, 8, 0))


def test_large_fields_are_read_by_windows_of_whole_chunks(tmp_path, store, monkeypatch):
    monkeypatch.setattr("datacube.ingest.filling.WINDOW_BYTES", 4 * 4 * 2 * 2)
    values = np.arange(23 * 18, dtype="u2").reshape(1, 23, 18)
    seen: list[Event] = []
    ingest(
        [str(write_tiff(tmp_path / "x.tif", values))],
        store=store,
        recipe=RecipeSettings(chunk=4),
        report=seen.append,
    )
    np.testing.assert_array_equal(whole(opened(store, "x"), "band1"), values[0])
    read = [event.bytes for event in seen if isinstance(event, BytesRead)]
    assert max(read) <= 4 * 4 * 2 * 2
    assert sum(read) == values.nbytes


def test_events_tell_what_happens(tmp_path, store):
    seen: list[Event] = []
    ingest(days(tmp_path, 1), store=store, report=seen.append)
    kinds = [type(event) for event in seen]
    assert kinds == [SourceStarted, SlicePlanned, BytesRead, SourceResult]
    amounts = [event.bytes for event in seen if isinstance(event, SlicePlanned | BytesRead)]
    assert amounts == [5 * 8 * 2] * 2


def test_urls_are_downloaded(tmp_path, store):
    (path,) = days(tmp_path, 1)
    report = ingest([f"file://{path}", f"memory://{'absent'}.nc"], store=store)
    assert status(report) == ["ingested", "refused"]
    import fsspec

    with fsspec.open("memory://sst_20200101.nc", "wb") as file:
        file.write((tmp_path / "sst_20200101.nc").read_bytes())
    assert status(ingest(["memory://sst_20200101.nc"], store=store)) == ["already"]


def test_no_source_at_all_is_no_success(store):
    assert ingest([], store=store).exit_code == 2


def test_arguments_are_checked_before_anything_is_opened(store):
    for cube in ("", "a b", "a\n", "a" * 201):
        with pytest.raises(InvalidParameter, match="is no cube id"):
            ingest([], store=store, cube=cube)
    with pytest.raises(InvalidParameter, match="is no cube id"):
        ingest(["x"], store=store, cube="a.b")
    with pytest.raises(InvalidTime):
        ingest(["x"], store=store, time="yesterday")
    with pytest.raises(InvalidTime):
        ingest(["x"], store=store, time="")


def test_processes_that_start_a_cube_at_once_all_go_in(tmp_path, store):
    code = (
        "import sys; from datacube.ingest.pipeline import ingest;"
        "sys.exit(ingest(sys.argv[2:], store=sys.argv[1]).exit_code)"
    )
    root = Path(__file__).resolve().parents[3]
    running = [
        subprocess.Popen([sys.executable, "-c", code, store, path], cwd=root)
        for path in days(tmp_path, 1, 2, 3, 4)
    ]
    assert [one.wait() for one in running] == [0, 0, 0, 0]
    cube = opened(store, "sst")
    assert [text[8:10] for text in times(cube)] == ["01", "02", "03", "04"]
    assert len(cube.sources) == 4
