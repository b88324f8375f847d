"""What was deleted of a cube stays out when its sources come again, until it is wanted back."""

import json
import os
import time

import netCDF4
import numpy as np
import pytest

from datacube.config.products import AxisSettings, MosaicSettings, RecipeSettings
from datacube.ingest.arrivals import Settling
from datacube.ingest.pipeline import ingest
from datacube.ingest.watch import Watcher
from services.cli.root import run
from tests.cubes import ticks_of
from tests.unit.ingest.products import opened, plane, whole, write_netcdf

POLICY = "rules: [{keep: 8 days}]\nsuperseded: [{after: 8 days, tolerance: 60}]\n"
RULE = "older than 8 days (product *)"


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "store")


@pytest.fixture
def retain(tmp_path, store):
    """Run the retention as of an instant."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)

    def retained(now, text=POLICY):
        policy.write_text(text)
        assert run(["retention", str(policy), "--now", now, "--store", store]) == 0

    return retained


def went(path, store, **options):
    (one,) = ingest([str(path)], store=store, **options).results
    return one


def days(store, cube="sst"):
    axis = opened(store, cube).description.domain.time
    return [iso[8:10] for iso in axis.iso] if axis is not None else []


def fill(path, number):
    """Put one packed number everywhere."""
    with netCDF4.Dataset(path, "a") as file:
        file["v"].set_auto_maskandscale(False)
        file["v"][:] = number


@pytest.fixture
def three(tmp_path):
    """Three days, the first three of January 2020."""
    return write_netcdf(tmp_path / "sst_2020.nc", times=(0.0, 1.0, 2.0))


def test_what_retention_deleted_stays_out(tmp_path, store, three, retain, capsys):
    went(three, store)
    retain("2020-03-01")
    assert days(store) == []
    before = opened(store, "sst").version
    for dry in (True, False):
        capsys.readouterr()
        assert run(["ingest", str(three), "--store", store, *["--dry-run"] * dry]) == 0
        out, err = capsys.readouterr()
        today = opened(store, "sst").record.deletions[0].deleted[:10]
        hint = "datacube ingest --again brings it back"
        said = f"{three}: passed over, deleted {today} from cube sst: {RULE}; {hint}\n"
        assert (out, err) == ("", said)
    assert opened(store, "sst").version == before
    assert run(["ingest", str(three), "--store", store, "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["sources"]
    assert (one["status"], one["slices_deleted"], one["cubes"]) == ("deleted", 3, ["sst"])
    assert one["deleted"] == f"deleted {today} from cube sst: {RULE}"


def test_it_comes_back_on_purpose(store, three, retain, capsys):
    went(three, store)
    retain("2020-03-01")
    planned = went(three, store, again=True, dry_run=True)
    assert (planned.status, planned.slices_added) == ("planned", 3)
    assert run(["ingest", str(three), "--store", store, "--again"]) == 0
    assert "3 slices added" in capsys.readouterr().out
    np.testing.assert_array_equal(whole(opened(store, "sst"), "v", 2), plane(5, 8, 2))
    for again in (False, True):
        known = went(three, store, again=again)
        assert (known.status, known.slices_deleted) == ("already", 0)
    retain("2020-03-01")  # and goes once more, as the policy has it
    assert went(three, store).status == "deleted"


def test_a_source_of_which_some_is_deleted(store, three, retain):
    went(three, store)
    retain("2020-01-10")
    assert days(store) == ["02", "03"]
    known = went(three, store)
    assert (known.status, known.slices_deleted) == ("already", 1)
    assert known.line.endswith(f" from cube sst: {RULE}")
    assert "; 1 slice passed over, deleted " in known.line
    retain("2020-01-11")
    back = went(three, store, again=True)
    assert (back.status, back.slices_added, back.slices_deleted) == ("ingested", 2, 0)
    assert days(store) == ["01", "02", "03"]
    for t in range(3):
        np.testing.assert_array_equal(whole(opened(store, "sst"), "v", t), plane(5, 8, t))
    record = opened(store, "sst").record
    ((_, ticks),) = record.sources.values()
    assert len(ticks) == 3


def test_values_that_another_file_brought_first_stay_out_too(tmp_path, store, three, retain):
    """Of an overlap both files are sources, though only the first was written."""
    went(three, store)
    longer = write_netcdf(tmp_path / "more.nc", times=(0.0, 1.0, 2.0, 3.0))
    assert went(longer, store, cube="sst").slices_added == 1
    retain("2020-03-01")
    assert [went(one, store, cube="sst").status for one in (longer, three)] == ["deleted"] * 2
    assert days(store) == []


def test_other_sources_of_a_deleted_time_go_in(tmp_path, store, retain):
    draft = write_netcdf(tmp_path / "sst_NRT.nc", times=(0.0,))
    final = write_netcdf(tmp_path / "sst_NTC.nc", times=(0.0,))
    went(draft, store, cube="sst")
    retain("2020-03-01", "rules: [{keep: 8 days, timeliness: draft}]\n")
    assert went(draft, store, cube="sst").status == "deleted"
    fill(final, 7)
    assert went(final, store, cube="sst").status == "ingested"
    late = went(draft, store, cube="sst")  # it does not lie over what has come since
    assert late.status == "deleted"
    assert (whole(opened(store, "sst"), "v") == 7).all()
    back = went(draft, store, cube="sst", again=True)
    assert (back.status, back.reason) == ("already", "a later stage is there already")
    assert (whole(opened(store, "sst"), "v") == 7).all()


def test_a_draft_that_made_way_stays_out(tmp_path, store, retain):
    draft = write_netcdf(tmp_path / "sst_NRT.nc", times=(0.0,))
    final = write_netcdf(tmp_path / "sst_NTC.nc", times=(30 / 86400,))
    for one in (draft, final):
        went(one, store, cube="sst")
    now = f"{int(time.strftime('%Y')) + 1}-01-01"
    retain(now, "rules: []\nsuperseded: [{after: 8 days}]\n")
    out = went(draft, store, cube="sst")
    assert (out.status, "superseded by" in out.deleted) == ("deleted", True)
    assert went(final, store, cube="sst").status == "already"


def test_what_others_hold_of_a_forgotten_source_is_compared(tmp_path, store, three):
    """One time of it is out, another is there from a second file."""
    went(three, store)
    first = write_netcdf(tmp_path / "one.nc", times=(0.0,))
    fill(first, 9)
    went(first, store, cube="sst")
    with opened(store, "sst").transaction("wrong") as tx:
        for day in ("2020-01-01", "2020-01-02", "2020-01-03"):
            tx.delete(ticks_of(day), "the sensor was off")
    went(first, store, cube="sst", again=True)
    out = went(three, store)
    assert (out.status, days(store)) == ("deleted", ["01"])
    assert out.deleted.endswith("from cube sst: the sensor was off")
    assert (whole(opened(store, "sst"), "v") == 9).all()


@pytest.mark.parametrize("rule", [None, "first"])
def test_days_and_places_stay_out(tmp_path, store, three, retain, rule):
    mosaic = None if rule is None else MosaicSettings("day", rule)
    recipe = RecipeSettings(mosaic=mosaic, axes=(AxisSettings("model", label="a"),))
    went(three, store, recipe=recipe)
    retain("2020-01-10")
    assert went(three, store, recipe=recipe).slices_deleted == 1
    other = write_netcdf(tmp_path / "b.nc", times=(0.0, 1.0, 2.0))
    second = RecipeSettings(cube="sst", mosaic=mosaic, axes=(AxisSettings("model", label="b"),))
    fill(other, 5)
    assert went(other, store, recipe=second).slices_added == 3
    back = went(three, store, recipe=recipe, again=True)
    assert (back.status, back.slices_added) == ("ingested", 1)
    cube = opened(store, "sst")
    for t in range(3):
        np.testing.assert_array_equal(whole(cube, "v", t)[0], plane(5, 8, t))
        assert (whole(cube, "v", t)[1] == 5).all()


def test_a_watcher_passes_over_what_was_deleted(tmp_path, store, retain):
    place = tmp_path / "in"
    place.mkdir()
    path = write_netcdf(place / "sst_2020.nc", times=(0.0,))
    os.utime(path, (time.time() - 100,) * 2)
    went(path, store)
    retain("2020-03-01")
    report = Watcher(str(place), store, Settling(10)).look()
    assert ([one.status for one in report.results], report.exit_code) == (["deleted"], 0)
    assert days(store) == []
