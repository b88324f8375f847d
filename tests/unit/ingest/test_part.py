"""Sources with some of the fields of their cube: what comes together and what is refused."""

from itertools import permutations

import netCDF4
import numpy as np
import pytest
import xarray

from datacube.config.products import AxisSettings, FieldRecipe, RecipeSettings
from datacube.errors import SourceError
from datacube.ingest import opened as opening
from datacube.ingest.lacking import lacking_fields
from datacube.ingest.pipeline import ingest
from datacube.ingest.readers.netcdf import NetcdfBand
from datacube.store.compact import compact
from datacube.store.cube import open_cube
from datacube.store.maintain import verify
from datacube.store.url import open_store
from tests.unit.ingest.products import opened, plane, whole, write_netcdf, write_tiff

LON, LAT = np.arange(40) * 0.25, -np.arange(30) * 0.25
STORAGES = pytest.mark.parametrize("storage", ["plain", "icechunk"])


def file_of(folder, name, days, **adds):
    """A file whose field v is plane(position) + adds["v"] at each day, and so on."""
    path = folder / f"{name}.nc"
    first, *others = adds
    times = tuple(float(day) for day in days)
    kind = {"dtype": "i4", "scale": None, "offset": 0.0, "lon": LON, "lat": LAT}
    write_netcdf(path, times=times, field=first, **kind)
    with netCDF4.Dataset(path, "a") as file:
        file.set_auto_maskandscale(False)
        for other in others:
            made = file.createVariable(other, "i4", file[first].dimensions, fill_value=-1)
            made.units = "K"
            made[:] = file[first][:]
        for field, add in adds.items():
            file[field][:] += add
    return str(path)


def extended(store, like, cube_id="w", recipe=None):
    cube = open_cube(open_store(store), cube_id)
    with cube.transaction("further fields") as change:
        for one in lacking_fields(like, cube.description, recipe):
            change.add_field(one)


def state(cube, *fields):
    """The values of each field at each time; None where there is no data at all."""
    found = {}
    for t, iso in enumerate(cube.description.domain.time.iso):
        for field in fields:
            values = whole(cube, field, t)
            found[iso[:10], field] = None if (values == -1).all() else int(values[0, 0])
    return found


@STORAGES
def test_files_of_one_field_each_meet_in_one_cube(tmp_path, storage):
    store = str(tmp_path / "store")
    recipe = RecipeSettings(cube="w", storage=storage, chunk=8, series=2)
    one = file_of(tmp_path, "one", (1, 2), v=0)
    other = file_of(tmp_path, "other", (1, 2, 3), u=500)
    ingest([one], store=store, recipe=recipe)
    (refused,) = ingest([other], store=store, recipe=recipe).results
    assert "it has none of the cube's fields (v) but u" in refused.reason
    assert "`datacube extend w --like SOURCE`" in refused.reason
    extended(store, other)
    (planned,) = ingest([other], store=store, recipe=recipe, dry_run=True).results
    assert (planned.slices_added, planned.slices_replaced, planned.fields) == (3, 0, ("u",))
    (made,) = ingest([other], store=store, recipe=recipe).results
    assert (made.status, made.slices, made.fields) == ("ingested", "3 slices of u", ("u",))
    cube = opened(store, "w")
    for t in range(2):
        np.testing.assert_array_equal(whole(cube, "v", t), plane(30, 40, t))
    for t in range(3):
        np.testing.assert_array_equal(whole(cube, "u", t), plane(30, 40, t) + 500)
    assert (whole(cube, "v", 2) == -1).all()
    assert verify(cube) == []
    (again,) = ingest([other], store=store, recipe=recipe).results
    assert (again.status, again.slices_added) == ("already", 0)
    assert opened(store, "w").version == cube.version
    if storage == "plain":
        compact(open_store(store), "w")
        with xarray.open_zarr(f"{store}/w", mask_and_scale=False) as found:
            np.testing.assert_array_equal(found.v[:2], [plane(30, 40, t) for t in range(2)])
            np.testing.assert_array_equal(found.u[2], plane(30, 40, 2) + 500)
            assert (found.v[2] == -1).all()


@STORAGES
def test_statistics_and_overviews_are_those_of_one_file_with_both(tmp_path, storage):
    recipe = RecipeSettings(cube="w", storage=storage, chunk=8, series=2)
    both = file_of(tmp_path, "both", (1, 2, 3), v=0, u=500)
    parts = [
        file_of(tmp_path, name, (1, 2, 3), **{name: add}) for name, add in (("v", 0), ("u", 500))
    ]
    together, apart = str(tmp_path / "together"), str(tmp_path / "apart")
    ingest([both], store=together, recipe=recipe)
    ingest(parts[:1], store=apart, recipe=recipe)
    extended(apart, parts[1])
    assert ingest(parts[1:], store=apart, recipe=recipe).exit_code == 0
    one, other = opened(together, "w"), opened(apart, "w")
    top = one.description.levels[-1].number
    assert top > 0
    for field in ("v", "u"):
        assert one.statistics(field) == other.statistics(field)
        for t in range(3):
            np.testing.assert_array_equal(
                one.chunk(field, top, (t, 0, 0)), other.chunk(field, top, (t, 0, 0))
            )
        copies = [cube.series(field) for cube in (one, other)]
        for at in range(2):
            np.testing.assert_array_equal(*(copy.chunk(0, (at, 0)) for copy in copies))


def test_any_order_gives_the_same_values(tmp_path):
    """An older stage of one field does not hinder another field, and never stands above a later."""
    sources = [
        file_of(tmp_path, "v_final", (1, 2), v=7),
        file_of(tmp_path, "v_nrt", (1,), v=100),
        file_of(tmp_path, "u_nrt", (2, 3), u=5),
        file_of(tmp_path, "both", (2,), v=20, u=30),
    ]
    for number, order in enumerate(list(permutations(sources))[::5]):
        store = str(tmp_path / f"store{number}")
        ingest([file_of(tmp_path, "first", (0,), v=1, u=2)], store=store, cube="w")
        report = ingest([*order, order[0]], store=store, cube="w")
        assert report.exit_code == 0, report
        assert state(opened(store, "w"), "v", "u") == {
            ("2020-01-01", "v"): 1,
            ("2020-01-01", "u"): 2,
            ("2020-01-02", "v"): 7,
            ("2020-01-02", "u"): None,
            ("2020-01-03", "v"): 1007,
            ("2020-01-03", "u"): 30,
            ("2020-01-04", "v"): None,
            ("2020-01-04", "u"): 1005,
        }


def test_one_field_of_one_scenario_after_another(tmp_path):
    """A final product of one field does not outrank a draft of another at the same place."""
    store = str(tmp_path / "store")
    recipe = RecipeSettings(cube="w", axes=(AxisSettings("scenario", file=r"^(A1B|E1)"),))
    ingest([file_of(tmp_path, "A1B_0", (1,), v=1, u=2)], store=store, recipe=recipe)
    names = (("E1_v_final", {"v": 3}), ("E1_u_nrt", {"u": 4}), ("E1_v_nrt", {"v": 9}))
    sources = [file_of(tmp_path, name, (1,), **adds) for name, adds in names]
    assert ingest(sources, store=store, recipe=recipe).exit_code == 0
    cube = opened(store, "w")
    for field, values in (("v", [1, 3]), ("u", [2, 4])):
        assert whole(cube, field)[:, 0, 0].tolist() == values


def test_a_file_brings_the_field_that_its_recipe_did_not_want_before(tmp_path, monkeypatch):
    store = str(tmp_path / "store")
    both = file_of(tmp_path, "both", (1, 2), v=0, u=500)
    before = RecipeSettings(cube="w", fields=(FieldRecipe("v"),))
    after = RecipeSettings(cube="w", fields=(FieldRecipe("v"), FieldRecipe("u")))
    ingest([both], store=store, recipe=before)
    (early,) = ingest([both], store=store, recipe=after).results
    assert "it has the further fields u" in early.reason  # though the file is known
    extended(store, both, recipe=after)
    (made,) = ingest([both], store=store, recipe=after).results
    assert (made.status, made.slices_added) == ("ingested", 2)
    np.testing.assert_array_equal(whole(opened(store, "w"), "u", 1), plane(30, 40, 1) + 500)
    monkeypatch.setattr(NetcdfBand, "read", None)  # it is known, and not read again
    for recipe in (before, after):
        assert ingest([both], store=store, recipe=recipe).results[0].status == "already"


def test_a_recipe_may_let_sources_lack_fields(tmp_path):
    store = str(tmp_path / "store")
    files = [file_of(tmp_path, name, (1,), **{name: add}) for name, add in (("v", 1), ("u", 2))]
    strict = RecipeSettings(cube="w", fields=(FieldRecipe("v", "air"), FieldRecipe("u", "sea")))
    (refused,) = ingest(files[:1], store=store, recipe=strict).results
    assert refused.reason == "the recipe wants the fields u; the source has v"
    fields = tuple(
        FieldRecipe(name, to, optional=True) for name, to in (("v", "air"), ("u", "sea"))
    )
    loose = RecipeSettings(cube="w", fields=fields)
    ingest(files[:1], store=store, recipe=loose)
    extended(store, files[1], recipe=loose)
    assert ingest(files[1:], store=store, recipe=loose).exit_code == 0
    assert state(opened(store, "w"), "air", "sea") == {
        ("2020-01-02", "air"): 1,
        ("2020-01-02", "sea"): 2,
    }
    (none,) = ingest([file_of(tmp_path, "z", (1,), z=3)], store=store, recipe=loose).results
    assert none.reason == "the recipe wants the fields v, u; the source has z"


@pytest.mark.parametrize(
    ("adds", "words"),
    [
        ({"v": 0, "w": 1}, "it has the further fields w, which `datacube extend w --like SOURCE`"),
        ({"V": 0}, "its field V is v there, a name that a recipe gives it"),
        ({"x": 0, "y": 1}, "it has none of the cube's fields (v, u) but x, y; if they belong"),
    ],
)
@pytest.mark.parametrize("dry", [True, False])
def test_a_name_that_is_wrong_does_not_go_unnoticed(tmp_path, adds, words, dry):
    store = str(tmp_path / "store")
    ingest([file_of(tmp_path, "both", (1,), v=0, u=1)], store=store, cube="w")
    source = file_of(tmp_path, "odd", (2,), **adds)
    (refused,) = ingest([source], store=store, cube="w", dry_run=dry).results
    assert refused.status == "refused"
    assert words in refused.reason


@pytest.mark.parametrize("dry", [True, False])
def test_a_field_without_a_number_for_no_data_must_come(tmp_path, dry):
    """Else a number that means something would stand where nothing came."""
    store = str(tmp_path / "store")
    path = file_of(tmp_path, "both", (1,), v=0)
    with netCDF4.Dataset(path, "a") as file:
        file.createVariable("flags", "u1", file["v"].dimensions)[:] = 3
    ingest([path], store=store, cube="w")
    later = [file_of(tmp_path, f"v{day}", (day,), v=day) for day in (1, 2)]
    same, new = ingest(later, store=store, cube="w", dry_run=dry).results
    assert same.status == ("planned" if dry else "ingested")
    assert "it lacks the fields flags, which have no number for no data" in new.reason


def test_two_writers_who_start_a_cube_with_different_fields(tmp_path, monkeypatch):
    """Who comes second is judged by the cube that the first one made."""
    store = str(tmp_path / "store")
    first, second = (file_of(tmp_path, name, (1,), **{name: 1}) for name in ("v", "u"))
    check, waiting = opening._check_names, [first]

    def overtaken(granule):
        check(granule)
        if waiting:
            assert ingest([waiting.pop()], store=store, cube="w").exit_code == 0

    monkeypatch.setattr(opening, "_check_names", overtaken)
    (late,) = ingest([second], store=store, cube="w").results
    assert "it has none of the cube's fields (v) but u" in late.reason
    assert opened(store, "w").description.range_type.names == ("v",)


def test_a_cube_without_time_gets_no_further_fields(tmp_path):
    """It is written once, so that nothing could come into them."""
    store = str(tmp_path / "store")
    files = [str(write_tiff(tmp_path / f"{n}.tif", np.ones((1, 3, 4), "u1"))) for n in "ab"]
    recipes = [RecipeSettings(cube="dem", fields=(FieldRecipe("band1", name),)) for name in "ab"]
    ingest(files[:1], store=store, recipe=recipes[0])
    with pytest.raises(SourceError, match="no time and is written once"):
        extended(store, files[1], "dem", recipes[1])
    (refused,) = ingest(files[1:], store=store, recipe=recipes[1]).results
    assert refused.reason.endswith("it has none of the cube's fields (a) but b")
