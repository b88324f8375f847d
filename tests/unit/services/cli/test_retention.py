"""Retention on the command line: the CODE-DE table, drafts, holds; what goes is freed."""

import json
from pathlib import Path

import numpy as np
import pytest

from datacube.config.products import RecipeSettings, TargetSettings
from datacube.ingest.pipeline import ingest
from datacube.store.cube import open_cube
from datacube.store.manifest import SourceRecord
from datacube.store.url import open_store
from services.cli.root import run
from tests.cubes import make_cube, read_level, slice_values, ticks_of, time_of
from tests.unit.ingest.products import write_netcdf

POLICY = str(Path(__file__).resolve().parents[4] / "config/retention/code-de.yaml")
NOW = ["--now", "2026-06-01"]
BOXES = {"ce": (10, 48, 12, 50), "eu": (-6, 39, -4, 41), "gl": (100, 10, 102, 12)}
DAYS = (
    "2023-05-01",
    "2023-07-01",
    "2025-05-01",
    "2025-07-01",
    "2026-05-10",
    "2026-05-20",
    "2026-05-27",
)
"""Older than 36, 12 months, 14 and 8 days, and younger."""


def add(store: Path, cube_id: str, time: str, record: SourceRecord, t: int) -> None:
    cube = open_cube(open_store(str(store)), cube_id)
    with cube.transaction("add") as tx:
        tx.write_slice(ticks_of(time), slice_values(cube.description, t), record)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for name, box in BOXES.items():
        make_cube(tmp_path, name, times=(), bbox=box, width=4, height=4)
        for t, day in enumerate(DAYS):
            add(
                tmp_path,
                name,
                day,
                SourceRecord(f"{name}-{day}", "S2A_MSIL2A_2023"),
                t,
            )
    return tmp_path


def days(store: Path, name: str) -> list[str]:
    return [iso[:10] for iso in time_of(open_cube(open_store(str(store)), name)).iso]


def planned(capsys, store: Path, policy: str = POLICY, *more: str) -> list[dict]:
    arguments = ["retention", policy, "--dry-run", "--json", *NOW, *more, "--store", str(store)]
    assert run(arguments) == 0
    return json.loads(capsys.readouterr().out)["slices"]


def test_the_table_by_region_and_age(store, capsys):
    found = planned(capsys, store)
    gone = {name: [one["time"][:10] for one in found if one["cube"] == name] for name in BOXES}
    assert gone == {"ce": list(DAYS[:1]), "eu": list(DAYS[:5]), "gl": list(DAYS[:6])}
    assert found[0]["cause"] == "older than 36 months (product S2?_MSIL2A*, region central-europe)"
    assert found[-1]["cause"] == "older than 8 days (product S2?_MSIL2A*)"
    assert all(one["bytes"] > 0 for one in found)
    assert days(store, "gl") == list(DAYS)  # a dry run changes nothing


def test_what_goes_is_freed_and_stays_in_the_list(store, capsys):
    size = sum(one["bytes"] for one in planned(capsys, store))
    before = sum(path.stat().st_size for path in store.rglob("c/*/*/*"))
    arguments = ["retention", POLICY, *NOW, "--grace", "0s", "--store", str(store)]
    assert run(arguments) == 0
    out = capsys.readouterr().out
    assert "12 slices deleted" in out
    assert before - sum(path.stat().st_size for path in store.rglob("c/*/*/*")) == size
    assert days(store, "ce") == list(DAYS[1:])
    kept = open_cube(open_store(str(store)), "gl")
    assert (read_level(kept, "v", 0) == slice_values(kept.description, 6)["v"]).all()
    assert run(["deleted", "gl", "--json", "--store", str(store)]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [one["sources"] for one in listed] == [[f"gl-{day}"] for day in DAYS[:6]]
    assert run(["verify", "--store", str(store)]) == 0
    capsys.readouterr()
    assert run(arguments) == 0  # again: nothing is left to do
    assert "0 slices deleted" in capsys.readouterr().out


def test_drafts_go_after_the_final_product_has_come(tmp_path, capsys):
    make_cube(tmp_path, "olci", times=(), bbox=BOXES["ce"], width=4, height=4)
    for second, kind, ingested in ((0, "NR", "2026-05-01"), (20, "NT", "2026-05-22")):
        time = f"2026-05-01T10:00:{second:02d}Z"
        name = f"S3A_OL_2_LFR____20260501T1000{second:02d}_O_{kind}_002.SEN3"
        record = SourceRecord(name, "S3A_OL_2_LFR", ingested=f"{ingested}T12:00:00Z")
        add(tmp_path, "olci", time, record, second)
    (one,) = planned(capsys, tmp_path)
    assert one["time"] == "2026-05-01T10:00:00Z"
    assert one["cause"].startswith("superseded by S3A_OL_2_LFR____20260501T100020_O_NT_002")
    early = ["retention", POLICY, "--dry-run", "--json", "--now", "2026-05-29", "--store"]
    assert run([*early, str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["slices"] == []


def test_a_hold_keeps_what_the_rules_end(store, tmp_path, capsys):
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "rules: [{keep: 8 days, timeliness: '*'}]\n"
        "holds: [{cube: c*, first: '2023-06', last: '2023', reason: case 12}]\n"
    )
    found = [one for one in planned(capsys, store, str(policy), "ce") if one["held"]]
    assert [(one["time"][:10], one["held"]) for one in found] == [("2023-07-01", "case 12")]
    command = ["retention", str(policy), "ce", *NOW, "--store", str(store)]
    assert run(command) == 0
    assert "held: case 12" in capsys.readouterr().out
    assert days(store, "ce") == [DAYS[1], DAYS[6]]


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ("first: yesterday", "'yesterday' is no time"),
        ("first: '2023-13-01'", "'2023-13-01' is no time"),
        ("last: '2023-05-01T00:00:00+02:00'", "is not written as 2020"),
        ("first: '2024', last: '2023-05'", "it holds nothing: 2024 is after 2023-05"),
    ],
)
def test_a_hold_whose_time_is_none_is_refused(store, tmp_path, capsys, times, words):
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"rules: [{{keep: 8 days}}]\nholds: [{{reason: case 12, {times}}}]\n")
    assert run(["retention", str(policy), *NOW, "--store", str(store)]) == 2
    assert words in capsys.readouterr().err
    assert days(store, "ce") == list(DAYS)


@pytest.mark.parametrize("end", ["first", "last"])
@pytest.mark.parametrize("time", ["2023-07-01", "2023-07-01T00:00Z", "2023-07-01T00:00:00Z"])
def test_a_hold_holds_the_time_that_it_names(store, tmp_path, capsys, end, time):
    policy = tmp_path / "policy.yaml"
    hold = f"{{reason: case 12, {end}: {time}}}"
    policy.write_text(f"rules: [{{keep: 8 days}}]\nholds: [{hold}]\n")
    held = {one["time"][:10] for one in planned(capsys, store, str(policy)) if one["held"]}
    assert ("2023-07-01" in held, DAYS[0] in held) == (True, end == "last")
    assert days(store, "eu") == list(DAYS)


def test_a_policy_that_cannot_be_meant(tmp_path, capsys):
    policy = tmp_path / "policy.yaml"
    policy.write_text("rules:\n- {keep: soon}\n- {keep: 1 days, region: mars}\n")
    assert run(["retention", str(policy), "--store", str(tmp_path)]) == 2
    assert "policy.yaml:2: 'soon' is no length of time" in capsys.readouterr().err


def test_what_was_ingested_is_known_by_its_name_and_place(tmp_path, capsys):
    """Scenes of one cube in two regions: each is kept as long as its own region says."""
    store = tmp_path / "store"
    target = TargetSettings((0.5, 0.5), "EPSG:4326", (-15, 20, 15, 50))
    recipe = RecipeSettings(cube="scenes", grid=target)
    for day, west, south in (("20260301", 10.0, 47.0), ("20260302", -10.0, 22.0)):
        for stage, hour in (("_NRT", 0.0), ("", 12.0)):
            path = write_netcdf(
                tmp_path / f"S3A_OL_{day}{stage}.nc",
                times=(hour,),
                units=f"hours since {day[:4]}-{day[4:6]}-{day[6:]}",
                lon=west + np.arange(8) * 0.25,
                lat=south + np.arange(5) * 0.25,
            )
            assert ingest([str(path)], store=str(store), recipe=recipe).exit_code == 0
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "regions: {middle: [2, 45, 20, 56]}\n"
        "rules:\n"
        "- {product: S3*, timeliness: draft, keep: 8 days}\n"
        "- {product: S3*, region: middle, keep: 36 months}\n"
        "- {product: S3*, keep: 1 months}\n"
    )
    found = planned(capsys, store, str(policy))
    assert [(one["time"][:13], one["cause"]) for one in found] == [
        ("2026-03-01T00", "older than 8 days (product S3*, timeliness draft)"),
        ("2026-03-02T00", "older than 8 days (product S3*, timeliness draft)"),
        ("2026-03-02T12", "older than 1 months (product S3*)"),
    ]
