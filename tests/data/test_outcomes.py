"""Every entry of the test data folder: what becomes of it, in which words, and with which values.

``outcomes.yaml`` is the table of what is expected.
"""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
import rasterio
import yaml
from pyproj import Transformer
from rasterio.transform import GCPTransformer

from datacube.config.load import load_recipe
from datacube.config.products import RecipeSettings
from datacube.ingest.draft import draft_recipe
from datacube.ingest.pipeline import ingest
from datacube.ingest.report import SourceResult
from datacube.model.crs import CRS84
from datacube.store.cube import CubeStore
from datacube.store.index import list_cubes
from datacube.store.url import open_store
from tests.data.lookup import find, probes_of
from tests.unit.ingest.products import opened, whole

pytestmark = [pytest.mark.data, pytest.mark.slow]

HERE = Path(__file__).parent
TABLE: list[dict[str, Any]] = yaml.safe_load((HERE / "outcomes.yaml").read_text())
RECIPES = HERE.parents[1] / "config" / "recipes"
SMALL = 1 << 20  # bytes
STATES = {
    "ingested": {"ingested"},
    "mapped": {"ingested"},
    "part": {"partial"},
    "side": {"side"},
    "refused": {"refused"},
}


@dataclass(frozen=True)
class Outcome:
    """What became of an entry: the results of its sources, and its cubes."""

    results: tuple[SourceResult, ...]
    cubes: tuple[CubeStore, ...]


@pytest.fixture(scope="module")
def facts(test_data: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((test_data / "facts.json").read_text())
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def outcomes(test_data: Path, store: str) -> dict[str, Outcome]:
    """All entries in one store, one after another."""
    found = {}
    for entry in TABLE:
        recipe = entry.get("recipe")
        chosen = None if recipe is None else load_recipe(RECIPES / f"{recipe}.yaml")
        report = ingest([str(test_data / entry["source"])], store=store, recipe=chosen)
        ids = sorted({cube for result in report.results for cube in result.cubes})
        found[entry["source"]] = Outcome(report.results, tuple(opened(store, one) for one in ids))
    return found


def entries(*outcomes: str) -> Any:
    chosen = [one for one in TABLE if one["outcome"] in outcomes]
    return pytest.mark.parametrize("entry", chosen, ids=[one["source"] for one in chosen])


def test_the_table_has_every_entry_of_the_folder(test_data):
    listed = []
    section = ""
    for line in (test_data / "README.md").read_text().splitlines():
        if line.startswith("### "):
            section = line[4:].strip()
        if found := re.match(r"\| `([^`]+)` \|", line):
            listed.append(f"{section}/{found[1]}".rstrip("/"))
    assert sorted(listed) == sorted(one["source"] for one in TABLE)
    assert len(listed) == 59


@entries("ingested", "mapped", "part", "side", "refused")
def test_outcome_words_and_cubes(outcomes, entry):
    outcome = outcomes[entry["source"]]
    assert {one.status for one in outcome.results} == STATES[entry["outcome"]], outcome.results
    assert {one.id for one in outcome.cubes} == set(entry.get("cubes", ()))
    for result in outcome.results:
        assert entry.get("words", "") in result.reason
        assert bool(result.reason) == ("words" in entry), result
        assert "\n" not in result.line
        assert "unexpected" not in result.line


def test_the_store_holds_the_cubes_of_the_table_and_no_others(outcomes, store):
    expected = {cube for one in TABLE for cube in one.get("cubes", ())}
    assert outcomes
    assert set(list_cubes(open_store(store))) == expected


@entries("ingested", "part")
def test_probes_come_back_exactly(outcomes, facts, entry):
    compared, helpers = 0, set()
    for probe in probes_of(facts.get(entry["source"], {})):
        value = find(outcomes[entry["source"]].cubes, probe, entry.get("slice", 0))
        if value is None:
            helpers.add(probe.variable)
            continue
        assert math.isclose(value, probe.value, rel_tol=2e-7, abs_tol=1e-30), probe
        compared += 1
    assert compared == entry.get("probes", 0)
    assert sorted(helpers) == entry.get("helpers", [])


@entries("ingested", "mapped", "part")
def test_a_drafted_recipe_makes_the_same_cubes(outcomes, test_data, tmp_path, entry):
    source = test_data / entry["source"]
    if source.is_dir() or source.stat().st_size > SMALL or "recipe" in entry:
        return
    (tmp_path / "draft.yaml").write_text(draft_recipe(str(source)), encoding="utf-8")
    recipe = load_recipe(tmp_path / "draft.yaml")
    report = ingest([str(source)], store=str(tmp_path / "store"), recipe=recipe)
    assert {one.status for one in report.results} == STATES[entry["outcome"]], report
    expected = {one.id: one for one in outcomes[entry["source"]].cubes}
    for name in (cube for one in report.results for cube in one.cubes):
        made, known = opened(tmp_path / "store", name), expected.pop(name)
        assert made.description.range_type.names == known.description.range_type.names
        slices = {one.ticks: place for place, one in enumerate(known.record.slices)}
        for place, one in enumerate(made.record.slices):
            mine, its = made.slice_document(place), known.slice_document(slices[one.ticks])
            assert mine.same_chunks(its)
    assert not expected


def images() -> Any:
    every = [one for one in TABLE if one["outcome"] == "ingested"]
    chosen = [one for one in every if one["source"].endswith((".tif", ".jp2"))]
    return pytest.mark.parametrize("entry", chosen, ids=[one["source"] for one in chosen])


@images()
def test_the_middle_of_every_image(outcomes, facts, entry):
    (cube,) = outcomes[entry["source"]].cubes
    fact = facts[entry["source"]]
    grid = cube.description.domain.rectified
    assert (grid.width, grid.height) == (fact["width"], fact["height"])
    assert tuple(grid.transform[:6]) == pytest.approx(fact["transform"][:6])
    first = cube.description.range_type.names[0]
    height, width = cube.chunk_shape(first)[-2:]
    row, column = grid.height // 2, grid.width // 2
    place = (0,) if cube.timed else ()
    chunk = cube.chunk(first, 0, (*place, row // height, column // width))
    assert chunk.reshape(chunk.shape[-2:])[row % height, column % width] == fact["centre_value"]


def test_flags_among_concentrations_are_no_data(outcomes):
    (cube,) = outcomes["grids/seaice_conc_daily_nh_20211231_f17_v04r00.nc"].cubes
    for name in ("cdr_seaice_conc", "nsidc_bt_seaice_conc", "nsidc_nt_seaice_conc"):
        values = whole(cube, name)
        assert set(np.unique(values)) <= {*range(101), 255}
        assert (values == 255).sum() > 60_000


def mapped(outcomes, source):
    (cube,) = outcomes[source].cubes
    return cube, cube.description.domain.rectified


def test_sentinel_1_lies_where_its_ground_control_points_say(outcomes, test_data):
    source = "sentinel1/S1A_IW_GRDH_1SDV_20180716T004042_FD5B/iw-vv.tiff"
    cube, grid = mapped(outcomes, source)
    with rasterio.open(test_data / source) as file:
        pixels, points = file.read(1), file.gcps[0]
    values = whole(cube, "VV")
    near = 0
    with GCPTransformer(points) as to_pixels:  # a polynomial: within some pixels of the tie points
        for row in range(100, grid.height - 100, 97):
            for column in range(100, grid.width - 100, 97):
                x, y = grid.transform @ (column + 0.5, row + 0.5)
                at = to_pixels.rowcol(x, y)
                if 8 < at[0] < 828 and 8 < at[1] < 1271:
                    around = pixels[at[0] - 3 : at[0] + 4, at[1] - 3 : at[1] + 4]
                    assert values[row, column] in around
                    near += 1
    assert near > 50


@pytest.mark.parametrize(
    ("source", "group", "fields"),
    [
        ("O_L2_0001_SNS_2017104102450_v1.0.nc", "", ("conc_chl", "rtoa_1", "quality_flags")),
        ("S5P_L2_CO_trimmed.nc", "PRODUCT", ("carbonmonoxide_total_column", "qa_value")),
    ],
)
def test_swaths_are_nearest_on_the_map_grid(outcomes, test_data, source, group, fields):
    cube, grid = mapped(outcomes, f"sentinel3_5p/{source}")
    with netCDF4.Dataset(test_data / "sentinel3_5p" / source) as file:
        file.set_auto_maskandscale(False)
        held = file[group] if group else file
        names = ("longitude", "latitude") if group else ("lon", "lat")
        lon, lat = (np.asarray(held[name][...], float).squeeze() for name in names)
        raw = {name: np.asarray(held[name][...]).squeeze() for name in fields}
    stored = {name: whole(cube, name) for name in fields}
    there = stored[fields[-1]] != cube.description.range_type.field(fields[-1]).nil
    rows, columns = np.nonzero(there)
    assert len(rows) > 100
    for row, column in list(zip(rows, columns, strict=True))[:: max(1, len(rows) // 200)]:
        x, y = grid.transform @ (column + 0.5, row + 0.5)
        away = np.hypot((lon - x) * np.cos(np.radians(y)), lat - y)
        nearest = away < 1.001 * away.min()  # pixels as near as another are as good
        for name in fields:
            expected = raw[name][nearest].astype(stored[name].dtype)
            if stored[name].dtype.kind == "f":
                expected = np.where(expected > 1e36, np.nan, expected)
            found = stored[name][row, column]
            assert any(np.array_equal(found, one, equal_nan=True) for one in expected)


@pytest.mark.parametrize("source", ["O_L2_0001_SNS_2017104102450_v1.0.nc", "S5P_L2_CO_trimmed.nc"])
def test_swaths_are_exact_on_their_own_grid(facts, test_data, tmp_path, source):
    path = test_data / "sentinel3_5p" / source
    recipe = RecipeSettings(cube="swath", swath="own")
    assert ingest([str(path)], store=str(tmp_path), recipe=recipe).exit_code == 0
    cube = opened(tmp_path, "swath")
    fact = facts[f"sentinel3_5p/{source}"]
    compared = 0
    for probe in probes_of(fact.get("PRODUCT", fact)):
        place = list(probe.index.values())[-2:]
        field = cube.description.range_type.field(probe.variable)
        packed = whole(cube, field.name)[tuple(place)].reshape(1)
        value = field.decode(packed, field.valid(packed))[0]
        assert (
            np.isnan(value)
            if probe.value > 1e36
            else math.isclose(value, probe.value, rel_tol=2e-7)
        )
        compared += 1
    assert compared >= 6


def test_landsat_scenes_of_a_day_are_one_slice(outcomes):
    outcome = outcomes["timeseries/L8NY18"]
    assert len(outcome.results) == 19
    (cube,) = outcome.cubes
    time = cube.description.domain.time
    assert (time.iso[0], time.iso[-1], time.size) == (
        "2018-01-06T00:00:00Z",
        "2018-12-17T00:00:00Z",
        17,
    )
    assert len(cube.sources) == 19


def test_the_cog_of_a_band_is_its_jp2(outcomes):
    scene = "sentinel2/S2A_MSIL2A_20200219T112111_N0214_R037_T29RKH_20200219T123947.SAFE"
    item = "sentinel2/cog_S2A_29RKH_20200219_0_L2A/S2A_29RKH_20200219_0_L2A.json"
    for name in ("B11", "SCL"):
        fine = whole(outcomes[scene].cubes[0], name)
        np.testing.assert_array_equal(whole(outcomes[item].cubes[0], name), fine[::2, ::2])


def test_projected_grib_lies_where_its_positions_are(outcomes, facts):
    source = "atmosphere/nam.t00z.awp21100.tm00.grib2"
    main = next(one for one in outcomes[source].cubes if one.id.endswith("tm00"))
    grid = main.description.domain.rectified
    to_degrees = Transformer.from_crs(grid.crs.pyproj(), CRS84.pyproj(), always_xy=True)
    rows = next(iter(facts[source]["cubes"][0]["variables"].values()))["probes"]
    for probe in rows:
        row, column = probe["index"][-2:]
        x, y = to_degrees.transform(*(grid.transform @ (column + 0.5, row + 0.5)))
        said = probe["coords"]
        assert (x % 360, y) == pytest.approx((said["longitude"], said["latitude"]), abs=2e-3)
