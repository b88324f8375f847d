"""``datacube ingest``: what it prints and returns, what it leaves when it is killed."""

import gzip
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from datacube.errors import CoverageNotFound
from datacube.store.maintain import verify
from services.cli.root import run
from tests.unit.ingest.products import opened, plane, whole, write_netcdf

COMMAND = [sys.executable, "-m", "services", "ingest"]
ROOT = Path(__file__).parents[4]


@pytest.fixture
def sources(tmp_path):
    """A good file, and one that is none."""
    good = write_netcdf(tmp_path / "sst_2020.nc", times=(0.0, 1.0))
    bad = tmp_path / "notes.nc"
    bad.write_text("no data")
    return str(good), str(bad)


@pytest.mark.parametrize(("which", "code"), [((0,), 0), ((0, 1), 3), ((1,), 2)])
def test_the_exit_code_says_whether_all_some_or_none_went_in(
    tmp_path, sources, capsys, which, code
):
    chosen = [sources[number] for number in which]
    assert run(["ingest", *chosen, "--store", str(tmp_path / "store")]) == code
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == (0 in which)
    assert len(err.splitlines()) == (1 in which)


def test_the_report_as_json(tmp_path, sources, capsys):
    arguments = ["ingest", *sources, "--store", str(tmp_path / "store"), "--json"]
    assert run([*arguments, "--dry-run"]) == 3
    planned = json.loads(capsys.readouterr().out)["sources"]
    assert [one["status"] for one in planned] == ["planned", "refused"]
    assert planned[0]["bytes"] == 2 * 5 * 8 * 2
    assert not (tmp_path / "store").exists()
    assert run(arguments) == 3
    document = json.loads(capsys.readouterr().out)
    good, bad = document["sources"]
    assert document["exit_code"] == 3
    assert (good["status"], good["cubes"], good["slices_added"]) == ("ingested", ["sst"], 2)
    assert good["bytes"] > 0
    assert bad["reason"] == "its content is of no known format; " + bad["reason"].split("; ", 1)[1]


@pytest.mark.parametrize(("storage", "waits"), [("plain", True), ("icechunk", False)])
def test_what_plain_readers_do_not_see_yet_is_said(tmp_path, capsys, storage, waits):
    first, later = (write_netcdf(tmp_path / f"{t}.nc", times=(t,)) for t in (0.0, 24.0))
    options = ("--store", str(tmp_path / "store"), "--cube", "sst", "--storage", storage)
    hint, said = "plain Zarr readers see it after datacube compact sst", []
    for source in (later, first):
        assert run(["ingest", str(source), *options]) == 0
        said.append(hint in capsys.readouterr().out)
    assert said == [False, waits]


def test_a_second_run_and_the_same_values_say_so(tmp_path, sources, capsys):
    arguments = ["ingest", sources[0], "--store", str(tmp_path / "store"), "--cube", "sst"]
    run(arguments)
    capsys.readouterr()
    assert run(arguments) == 0
    assert "cube sst, already there, 0 slices added" in capsys.readouterr().out
    other = write_netcdf(tmp_path / "other.nc", times=(0.0,))
    assert run(["ingest", str(other), *arguments[2:]]) == 0
    assert "every value is there already, 0 slices added" in capsys.readouterr().out


def test_a_folder_without_a_file_is_named(tmp_path, capsys):
    (tmp_path / "in" / "deeper").mkdir(parents=True)
    place = str(tmp_path / "in")
    assert run(["ingest", place, "--store", str(tmp_path / "store")]) == 2
    assert capsys.readouterr().err == f"there is no file in {place}\n"


def test_a_label_is_the_place_along_an_axis(tmp_path, sources, capsys):
    store = str(tmp_path / "store")
    e1 = str(write_netcdf(tmp_path / "e1.nc", times=(0.0, 1.0), units="days since 2020-01-02"))
    for source, label in ((sources[0], "A1B"), (e1, "E1")):
        given = ["--cube", "air", "--label", f"scenario={label}"]
        assert run(["ingest", source, "--store", store, *given]) == 0
    cube = opened(store, "air")
    np.testing.assert_array_equal(whole(cube, "v", 1), [plane(5, 8, 1), plane(5, 8, 0)])
    assert run(["ingest", e1, "--store", store, "--label", "scenario"]) == 2
    assert "'scenario' is not AXIS=TEXT" in capsys.readouterr().err


def test_where_slices_came_from(tmp_path, sources, capsys):
    store = str(tmp_path / "store")
    run(["ingest", sources[0], "--store", store])
    capsys.readouterr()
    assert run(["show", "sst", "--store", store, "--sources"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["PRODUCT", "TIMES", "INGESTED", "PROCESSOR", "CHECKSUM"]
    assert row.startswith("sst_2020.nc  2 (2020-01-01T00:00:00Z .. 2020-01-02T00:00:00Z)  20")
    assert run(["show", "sst", "--store", store, "--sources", "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["uri"] == sources[0]
    assert record["checksum"].startswith("sha256:")
    assert record["times"] == ["2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"]


def test_a_bar_where_standard_error_is_a_terminal(tmp_path, sources):
    main, side = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, sources[0], "--store", str(tmp_path / "store")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=side,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
    ) as process:
        out, _ = process.communicate(timeout=60)
    os.close(side)
    drawn = os.read(main, 100_000).decode()
    os.close(main)
    assert process.returncode == 0
    assert b"2 slices added" in out
    assert "sst_2020.nc (1/1)" in drawn


@pytest.mark.slow
def test_a_killed_run_leaves_no_trace_and_the_next_completes_it(tmp_path):
    side = np.arange(96) * 0.25
    source = write_netcdf(
        tmp_path / "sst.nc", times=tuple(map(float, range(250))), lon=side, lat=-side, dtype="i4"
    )
    store = tmp_path / "store"
    command = [*COMMAND, str(source), "--store", str(store)]
    for chunks in (1, 60, 200):
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        while sum(1 for _ in store.glob("sst/v/c/*/0/0")) < chunks and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        try:
            assert opened(store, "sst").empty
        except CoverageNotFound:
            continue
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "250 slices added" in done.stdout
    cube = opened(store, "sst")
    assert verify(cube) == []
    for t in (0, 124, 249):
        np.testing.assert_array_equal(whole(cube, "v", t), plane(96, 96, t))


@pytest.mark.parametrize("name", ["new\nline.nc", "\x1b[31mred.nc"], ids=("line", "colour"))
def test_a_name_makes_one_line(tmp_path, capsys, name):
    path = write_netcdf(tmp_path / "sst.nc")
    path = path.rename(path.with_name(name))
    options = ["--store", str(tmp_path / "store"), "--cube", "sst"]
    assert run(["ingest", str(path), *options]) == 0
    line, *more = capsys.readouterr().out.splitlines()
    assert (line.isprintable(), more) == (True, [])
    assert run(["ingest", str(path), *options, "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["sources"]
    assert (one["source"], one["status"]) == (str(path), "already")


def test_a_name_that_is_no_text_is_refused(tmp_path, capsys):
    path = write_netcdf(tmp_path / "sst.nc")
    path = path.rename(path.with_name(os.fsdecode(b"\xff.nc")))
    options = ["--store", str(tmp_path / "store")]
    assert run(["ingest", str(path), *options]) == 2
    assert capsys.readouterr().err.endswith("\ufffd.nc: its name is not in UTF-8; rename it\n")
    assert run(["ingest", str(path), *options, "--json"]) == 2
    (one,) = json.loads(capsys.readouterr().out)["sources"]
    assert (one["source"] == str(path), one["status"]) == (True, "refused")
    assert run(["ingest", str(path), *options, "--bad", str(tmp_path / "bad")]) == 2
    assert (len(list((tmp_path / "bad").iterdir())), path.exists()) == (2, False)


def test_an_ingest_whose_reader_has_gone_goes_on(tmp_path):
    sources = [write_netcdf(tmp_path / f"{t}.nc", times=(float(t),)) for t in range(3)]
    end, begin = os.pipe()
    os.close(end)
    options = ["--store", str(tmp_path / "store"), "--cube", "sst"]
    command = [*COMMAND, *map(str, sources), *options]
    done = subprocess.run(command, cwd=ROOT, stdout=begin, stderr=begin, timeout=120, check=False)
    assert done.returncode == 0
    assert len(opened(tmp_path / "store", "sst").record.slices) == 3
    command = [*COMMAND[:-1], "show", "sst", *options[:2]]
    done = subprocess.run(command, cwd=ROOT, stdout=begin, stderr=begin, timeout=120, check=False)
    assert done.returncode == 0
    os.close(begin)


@pytest.mark.parametrize("inside", [False, True])
def test_a_store_that_is_a_file_is_refused(tmp_path, sources, capsys, inside):
    store = tmp_path / "file"
    store.touch()
    store = store / "cubes" if inside else store
    assert run(["ingest", sources[0], "--store", str(store)]) == 2
    assert capsys.readouterr().err.endswith("is or lies in a file; a store is a folder\n")
    assert run(["ls", "--store", str(store)]) == 2


def test_what_is_nothing_by_itself_is_named(tmp_path, capsys):
    packed = tmp_path / "sst.nc.gz"
    packed.write_bytes(gzip.compress(write_netcdf(tmp_path / "sst.nc").read_bytes()))
    pipe = tmp_path / "pipe.nc"
    os.mkfifo(pipe)
    for path, words in ((packed, "a file packed by gzip; unpack it first"), (pipe, "a pipe or")):
        assert run(["ingest", str(path), "--store", str(tmp_path / "store")]) == 2
        assert words in capsys.readouterr().err


def test_what_was_set_aside_is_not_looked_at_again(tmp_path, sources, capsys, monkeypatch):
    folder, store = tmp_path / "in" / "deep", str(tmp_path / "store")
    folder.mkdir(parents=True)
    for one in sources:
        Path(one).rename(folder / Path(one).name)
    monkeypatch.chdir(tmp_path)
    aside = Path("in/deep/bad")
    for code in (3, 0, 0):
        assert run(["ingest", "in", "--store", store, "--bad", str(aside)]) == code
        assert sorted(path.name for path in aside.iterdir()) == ["notes.nc", "notes.nc.reason.txt"]
    options = ["--once", "--settle", "0", "--bad", str(aside.absolute())]
    capsys.readouterr()
    assert run(["watch", "in", "--store", store, *options]) == 0
    assert capsys.readouterr() == ("", "")
    assert run(["ingest", str(aside), "--store", store, "--bad", str(aside), "--dry-run"]) == 2
    assert "notes.nc: its content is of no known format" in capsys.readouterr().err


@pytest.mark.parametrize("below", [False, True])
def test_no_part_of_a_store_is_a_source(tmp_path, capsys, below):
    """Where sources and cubes lie in one folder no cube is moved away as a bad file."""
    place = tmp_path / "in"
    place.mkdir()
    store = place / "cubes" if below else place
    source = write_netcdf(place / "sst.nc")
    for more in ([], ["--cube", "ice", "--storage", "icechunk"]):
        assert run(["ingest", str(source), "--store", str(store), *more]) == 0
    (store / "linked").mkdir()
    pointer = {"format": 1, "url": str(tmp_path / "other/air")}
    (store / "linked/pointer.json").write_text(json.dumps(pointer))
    before = {path for path in store.rglob("*") if path.is_file()}
    aside = tmp_path / "bad"
    options = ["--store", str(store), "--bad", str(aside)]
    capsys.readouterr()
    assert run(["ingest", str(place), *options]) == 0
    assert run(["watch", str(place), *options, "--once", "--settle", "0"]) == 0
    out, err = capsys.readouterr()
    assert (len(out.splitlines()), err) == (1, "")
    assert run(["ingest", str(store / "sst"), *options]) == 2
    assert {path for path in store.rglob("*") if path.is_file()} == before
    assert not aside.exists()


def test_a_folder_for_bad_files_that_is_none_stops_nothing(tmp_path, sources, capsys):
    (tmp_path / "file").touch()
    aside = tmp_path / "file" / "bad"
    good, bad = sources
    options = ["--store", str(tmp_path / "store"), "--bad", str(aside)]
    assert run(["ingest", bad, good, *options]) == 3
    out, err = capsys.readouterr()
    assert "2 slices added" in out
    assert err.endswith(f"; not moved to {aside}: Not a directory\n")
    assert Path(bad).exists()
