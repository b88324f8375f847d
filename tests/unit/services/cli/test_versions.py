"""Versions on the command line: listed, gone back to, collected, laid out anew."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from datacube.store.cube import open_cube
from datacube.store.url import open_store
from services.cli.options import Duration
from services.cli.root import run
from tests.cubes import make_cube, read_level, slice_values, ticks_of


@pytest.fixture
def store(tmp_path: Path) -> str:
    cube = make_cube(tmp_path, "sst", times=("2020-01-01", "2020-01-02"))
    with cube.transaction("corrected") as tx:
        tx.write_slice(ticks_of("2020-01-01"), slice_values(cube.description, 7))
    with cube.transaction("licence") as tx:
        tx.delete(ticks_of("2020-01-02"), "the licence ended")
    return str(tmp_path)


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert run(list(arguments)) == 0
    return capsys.readouterr().out.splitlines()


def first_value(store: str) -> int:
    return int(read_level(open_cube(open_store(store), "sst"), "v")[0, 0])


def test_versions(store, capsys):
    header, newest, *_, first = said(capsys, "versions", "sst", "--store", store)
    assert header.split() == ["VERSION", "COMMITTED", "SLICES", "MESSAGE"]
    assert newest.split()[0::2] == ["4", "1"]
    assert newest.endswith("licence")
    assert first.endswith("create")
    found = json.loads("\n".join(said(capsys, "versions", "sst", "--store", store, "--json")))
    assert [one["version"] for one in found] == [4, 3, 2, 1]


def test_deleted(store, capsys):
    _, line = said(capsys, "deleted", "sst", "--store", store)
    assert line.startswith("2020-01-02T00:00:00Z")
    assert "the licence ended" in line
    (one,) = json.loads("\n".join(said(capsys, "deleted", "sst", "--store", store, "--json")))
    assert one["sources"] == ["2020-01-02"]
    assert one["bytes"] > 0


def test_rollback(store, capsys):
    (line,) = said(capsys, "rollback", "sst", "2", "--store", store)
    assert line == "sst: version 5 holds what version 2 held"
    assert first_value(store) == 0
    assert run(["rollback", "sst", "77", "--store", store]) == 2
    assert "no version 77; there are 1 to 5" in capsys.readouterr().err


def test_gc(store, capsys):
    before = open_store(store).list("")
    (line,) = said(capsys, "gc", "--keep", "1", "--grace", "0s", "--dry-run", "--store", store)
    assert line.startswith("sst: would remove 3 versions, ")
    assert open_store(store).list("") == before
    (line,) = said(capsys, "gc", "sst", "--keep", "1", "--store", store)
    assert line == "sst: removed 0 versions, 0 objects, 0 B; 4 versions kept"
    (line,) = said(capsys, "gc", "sst", "--older-than", "0s", "--grace", "0s", "--store", store)
    assert line.startswith("sst: removed 3 versions, ")
    assert line.endswith("1 version kept")
    assert first_value(store) == 7000
    assert run(["gc", "--older-than", "soon", "--store", store]) == 2
    assert "no duration such as 30d" in capsys.readouterr().err


def test_compact(store, capsys):
    (line,) = said(capsys, "compact", "sst", "--store", store)
    assert line == "sst: the plain Zarr group is version 5 now"
    (line,) = said(capsys, "compact", "sst", "--store", store)
    assert line == "sst: the plain Zarr group was up to date"
    assert said(capsys, "verify", "--store", store) == ["sst: sound"]


def test_durations():
    kind = Duration()
    texts = ("90m", "12h", "30d", "2w", "5s")
    assert [kind.convert(text, None, None) for text in texts] == [
        timedelta(minutes=90),
        timedelta(hours=12),
        timedelta(days=30),
        timedelta(weeks=2),
        timedelta(seconds=5),
    ]
