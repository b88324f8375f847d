"""Drafted recipes: valid as they are, and the cube is what it would be without one."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from datacube.config.load import load_recipe
from datacube.errors import SourceError
from datacube.ingest.draft import draft_recipe
from datacube.ingest.pipeline import ingest
from services.cli.ingest import ingest_command
from services.cli.recipe import recipe_command
from tests.unit.ingest.products import opened, whole, write_netcdf, write_safe, write_tiff


def sources(folder: Path) -> list[Path]:
    bands = {"B04": (10, np.full((4, 4), 7, "u2")), "SCL": (20, np.full((2, 2), 4, "u1"))}
    return [
        write_netcdf(folder / "sst_2020.nc"),
        write_tiff(folder / "a_20200101.tif", np.ones((2, 3, 4), "u1"), nodata=0),
        write_safe(folder, bands),
    ]


def test_a_draft_makes_the_cube_that_no_recipe_makes(tmp_path):
    for number, source in enumerate(sources(tmp_path)):
        draft = tmp_path / f"r{number}.yaml"
        draft.write_text(draft_recipe(str(source)))
        plain, made = (str(tmp_path / f"{kind}{number}") for kind in ("plain", "made"))
        first = ingest([str(source)], store=plain).results[0]
        second = ingest([str(source)], store=made, recipe=load_recipe(draft)).results[0]
        assert first.cubes == second.cubes != ()
        one, other = opened(plain, first.cubes[0]), opened(made, first.cubes[0])
        assert one.description.range_type == other.description.range_type
        for name in one.description.range_type.names:
            np.testing.assert_array_equal(whole(one, name), whole(other, name))


def test_its_commented_lines_are_valid_too(tmp_path):
    text = draft_recipe(str(write_netcdf(tmp_path / "sst.nc")))
    full = tmp_path / "full.yaml"
    lines = (line.removeprefix("# ") for line in text.splitlines()[2:])
    full.write_text("\n".join(line if "cells of" not in line else "" for line in lines))
    recipe = load_recipe(full)
    assert recipe.grid is not None
    assert recipe.grid.resolution == (0.25, 0.25)
    assert recipe.mosaic is not None
    assert yaml.safe_load(text)["fields"][0]["source"] == "v"


def test_a_mask_of_classes_lists_them_and_a_box_is_exact(tmp_path):
    bands = {"B04": (10, np.full((4, 4), 7, "u2")), "SCL": (20, np.full((2, 2), 4, "u1"))}
    source = write_safe(tmp_path, bands)
    text = draft_recipe(str(source))
    assert "{field: SCL, values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}" in text
    made = ingest([str(source)], store=str(tmp_path / "store")).results[0]
    edges = opened(str(tmp_path / "store"), made.cubes[0]).description.domain.bbox.edges
    (box,) = (line for line in text.splitlines() if "box:" in line)
    assert yaml.safe_load(box.removeprefix("#"))["box"] == list(edges)


def test_what_is_no_product_has_no_recipe(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"hello")
    with pytest.raises(SourceError, match="no known format"):
        draft_recipe(str(tmp_path / "a.bin"))


def test_the_command_lines(tmp_path):
    source = str(write_netcdf(tmp_path / "sst.nc"))
    drafted = CliRunner().invoke(recipe_command, [source], standalone_mode=False)
    assert "source: v" in drafted.output
    asked = [source, "--store", str(tmp_path / "store"), "--dry-run", "--json"]
    planned = CliRunner().invoke(ingest_command, asked, standalone_mode=False)
    document = json.loads(planned.output)
    assert planned.return_value == document["exit_code"] == 0
    assert (document["sources"][0]["status"], document["sources"][0]["slices_added"]) == (
        "planned",
        2,
    )
    assert not (tmp_path / "store").exists()
