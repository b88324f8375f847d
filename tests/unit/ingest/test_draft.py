"""Drafted recipes: valid as they are, and the cube is what it would be without one."""

import json
from pathlib import Path

import netCDF4
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


def test_the_cubes_of_a_source_keep_their_own_titles(tmp_path):
    source = tmp_path / "two.nc"
    with netCDF4.Dataset(write_netcdf(source), "a") as file:
        file.institution = "Somebody"
        for name, size in (("x2", 4), ("y2", 3)):
            file.createDimension(name, size)
        for name, role in (("x2", "longitude"), ("y2", "latitude")):
            one = file.createVariable(name, "f8", (name,))
            one.standard_name, one.units = role, f"degrees_{'east' if name == 'x2' else 'north'}"
            one[:] = np.arange(len(one)) / 3
        coarse = file.createVariable("coarse", "f4", ("time", "y2", "x2"))
        coarse.long_name, coarse[:] = "Coarse values", 1
    draft = tmp_path / "r.yaml"
    draft.write_text(draft_recipe(str(source)))
    assert "\ntitle:" not in draft.read_text()
    plain, made = (str(tmp_path / kind) for kind in ("plain", "made"))
    first = ingest([str(source)], store=plain).results[0]
    assert len(first.cubes) == 2
    ingest([str(source)], store=made, recipe=load_recipe(draft))
    one, other = ([opened(store, cube) for cube in first.cubes] for store in (plain, made))
    assert [cube.description.title for cube in one] == [cube.description.title for cube in other]


def test_its_numbers_are_those_of_the_source_to_the_last_bit(tmp_path):
    lon, lat = 0.1 + np.arange(24) / 12, 50 - np.arange(21) / 13
    source = write_netcdf(tmp_path / "sst.nc", scale=np.float32(0.01), lon=lon, lat=lat)
    with netCDF4.Dataset(source, "a") as file:
        file["v"].valid_range = np.array([-5000, 5000], "i2")
    text = draft_recipe(str(source))
    draft, grid = tmp_path / "r.yaml", tmp_path / "grid.yaml"
    draft.write_text(text)
    head, _, tail = text.partition("# grid:")
    lines = tail.splitlines()
    grid.write_text("\n".join([f"{head}grid:", *(one.removeprefix("# ") for one in lines[1:4])]))
    made = []
    for number, recipe in enumerate((None, load_recipe(draft), load_recipe(grid))):
        store = str(tmp_path / str(number))
        ingest([str(source)], store=store, recipe=recipe)
        made.append(opened(store, "sst").description)
    plain, drafted, on_grid = made
    assert plain.range_type == drafted.range_type
    assert plain.domain.grid == drafted.domain.grid == on_grid.domain.grid


def test_a_grid_whose_crs_has_no_code_is_that_of_the_source(test_data, tmp_path):
    source = str(test_data / "grids/tmean_1910_1910.nc")
    text = draft_recipe(source)
    recipe = tmp_path / "r.yaml"
    head, _, tail = text.partition("# grid:")
    lines = tail.splitlines()
    recipe.write_text("\n".join([f"{head}grid:", *(one.removeprefix("# ") for one in lines[1:4])]))
    (result,) = ingest([source], store=str(tmp_path / "a"), recipe=load_recipe(recipe)).results
    ingest([source], store=str(tmp_path / "b"))
    one, other = (opened(tmp_path / name, result.cubes[0]) for name in "ab")
    assert one.description.domain.grid == other.description.domain.grid
    np.testing.assert_array_equal(whole(one, "tmean"), whole(other, "tmean"))


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
