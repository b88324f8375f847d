"""Dry runs: each source is judged as if those before it had gone in."""

import numpy as np
import pytest

from datacube.config.products import AxisSettings, RecipeSettings
from datacube.ingest.pipeline import ingest
from tests.unit.ingest.products import write_netcdf, write_tiff
from tests.unit.ingest.test_part import extended, file_of


def both_ways(sources, store, **options):
    """A dry run's results; what it says of slices is what the run then does."""
    planned = ingest(sources, store=store, dry_run=True, **options).results
    made = ingest(sources, store=store, **options).results
    assert [(one.cubes, one.slices_added, one.fields) for one in planned] == [
        (one.cubes, one.slices_added, one.fields) for one in made
    ]
    assert [one.reason for one in planned] == [one.reason for one in made]
    return planned


@pytest.mark.parametrize("there", [False, True])
def test_two_files_of_one_instant(tmp_path, there):
    store = str(tmp_path / "store")
    if there:
        ingest([file_of(tmp_path, "old", (0,), v=1)], store=store, cube="w")
    named = ("a", (1,), 2), ("b", (1, 2), 3), ("c", (2,), 9)
    sources = [file_of(tmp_path, name, days, v=add) for name, days, add in named]
    first, second, third = both_ways(sources, store, cube="w")
    assert [one.slices_replaced for one in (first, second, third)] == [0, 1, 1]
    assert (first.instead, third.instead) == ("", ", in place of what is there")
    assert second.instead == ", 1 of them in place of what is there"


def test_a_draft_after_the_final_product(tmp_path):
    sources = [file_of(tmp_path, name, (1,), v=add) for name, add in (("w_final", 1), ("w_nrt", 2))]
    _, draft = both_ways(sources, str(tmp_path / "store"), cube="w")
    assert (draft.status, draft.reason) == ("already", "a later stage is there already")


def test_a_cube_that_the_first_source_would_make(tmp_path):
    """What does not fit it is refused, as it would be."""
    sources = [
        file_of(tmp_path, "a", (1,), v=1, u=2),
        str(write_netcdf(tmp_path / "b.nc", field="v", dtype="i4", scale=None, offset=0.0)),
        file_of(tmp_path, "c", (1, 2), u=3),
        file_of(tmp_path, "d", (3,), x=3),
    ]
    first, other, part, strange = both_ways(sources, str(tmp_path / "store"), cube="w")
    assert (first.status, other.status, strange.status) == ("planned", "refused", "refused")
    assert "8 x 5 cells instead of 40 x 30" in other.reason
    assert "it has none of the cube's fields (v, u) but x" in strange.reason
    assert (part.fields, part.slices_replaced) == (("u",), 1)


def test_fields_that_come_one_by_one_replace_nothing(tmp_path):
    store = str(tmp_path / "store")
    ingest([file_of(tmp_path, "first", (0,), v=1)], store=store, cube="w")
    extended(store, file_of(tmp_path, "u", (1,), u=1))
    sources = [file_of(tmp_path, name, (1,), **{name: 5}) for name in ("v", "u")]
    found = both_ways(sources, store, cube="w")
    assert [(one.slices, one.slices_replaced) for one in found] == [
        ("1 slice of v", 0),
        ("1 slice of u", 0),
    ]


def test_labels_that_come_one_by_one(tmp_path):
    recipe = RecipeSettings(cube="w", axes=(AxisSettings("scenario", file=r"^(A1B|E1|B2)"),))
    names = ("A1B", "E1", "B2")
    sources = [file_of(tmp_path, name, (1,), v=place) for place, name in enumerate(names)]
    found = both_ways(sources, str(tmp_path / "store"), recipe=recipe)
    assert [one.status for one in found] == ["planned"] * 3


def test_images_without_a_time(tmp_path):
    paths = [write_tiff(tmp_path / f"{n}.tif", np.full((3, 4), n, "u1")[None]) for n in (1, 2)]
    first, second = ingest(
        [str(one) for one in paths], store=str(tmp_path / "store"), cube="dem", dry_run=True
    ).results
    assert (first.status, second.status) == ("planned", "already")
    assert "would only be compared" in second.reason


def test_bytes_are_those_of_the_values(tmp_path):
    source = file_of(tmp_path, "a", (1, 2), v=1)
    report = ingest([source], store=str(tmp_path / "store"), cube="w", dry_run=True)
    assert report.results[0].bytes == 2 * 30 * 40 * 4
    assert "9600 bytes uncompressed" in report.results[0].line
    assert report.dump()["sources"][0]["bytes_of"] == "values"
