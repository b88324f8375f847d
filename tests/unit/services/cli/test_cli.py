"""The command line in this process: what it prints, what it returns, how it refuses."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from datacube import __version__
from datacube.model.fields import Field
from datacube.store.cube import open_cube
from datacube.store.url import open_store
from services.cli.root import run
from tests.cubes import make_cube, slice_values, ticks_of

ROOT = Path(__file__).parents[4]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    make_cube(tmp_path / "store", times=("2020-01-01", "2020-01-02"), title="Closed form")
    make_cube(tmp_path / "store", "plain", times=None)
    return tmp_path / "store"


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on standard error; no traceback anywhere."""
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    (line,) = err.splitlines()
    return line


def test_version(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"datacube, version {__version__}\n"


def test_help_names_every_command(capsys):
    assert run(["--help"]) == 0
    out = capsys.readouterr().out
    for command in ("ingest", "serve", "ls", "show", "verify", "config", "demo"):
        assert f"  {command}" in out


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        ("ingest", ["--store", "--cube", "--recipe", "--time"]),
        ("serve", ["--store", "--config", "--host", "--port"]),
        ("ls", ["--store", "--json"]),
        ("show", ["--store", "--json"]),
        ("verify", ["--store", "--json"]),
        ("demo", ["--store"]),
    ],
)
def test_help_names_every_flag(capsys, command, flags):
    assert run([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert all(flag in out for flag in flags)


def test_ls(store, capsys):
    assert run(["ls", "--store", str(store)]) == 0
    header, closed, plain = capsys.readouterr().out.splitlines()
    assert header.split() == ["CUBE", "FIELDS", "CELLS", "TIMES", "TITLE"]
    assert closed.startswith("closed")
    assert "2 (2020-01-01T00:00:00Z .. 2020-01-02T00:00:00Z)" in closed
    assert plain.startswith("plain")


def test_ls_as_json(store, capsys):
    assert run(["ls", "--store", str(store), "--json"]) == 0
    closed, plain = json.loads(capsys.readouterr().out)
    assert (closed["id"], plain["id"]) == ("closed", "plain")
    assert closed["axes"][0] | {"calendar": ""} == {
        "name": "time",
        "kind": "TimeAxis",
        "size": 2,
        "uom": "",
        "first": "2020-01-01T00:00:00Z",
        "last": "2020-01-02T00:00:00Z",
        "calendar": "",
        "labels": [],
    }
    assert closed["fields"][0]["dtype"] == "int32"
    assert closed["snapshot"].startswith("closed@")


def test_ls_of_an_empty_store(tmp_path, capsys):
    assert run(["ls", "--store", str(tmp_path)]) == 0
    assert refused(capsys) == f"{tmp_path} holds no cube"


def test_store_from_the_environment(store, capsys, monkeypatch):
    monkeypatch.setenv("DATACUBE_STORE", str(store))
    assert run(["ls"]) == 0
    assert "closed" in capsys.readouterr().out


def test_show(store, capsys):
    assert run(["show", "closed", "--store", str(store)]) == 0
    out = capsys.readouterr().out
    assert "closed: Closed form" in out
    assert "EPSG:4326" in out
    assert "int32" in out
    assert "series copy  none" in out
    assert "2 % .. 98 %" in out
    assert "  grid         20 x 10 cells, regular" in out


def test_show_copies_and_values(tmp_path, capsys):
    make_cube(tmp_path, times=("2020-01-01", "2020-01-02", "2020-01-03"), series=2)
    assert run(["show", "closed", "--store", str(tmp_path)]) == 0
    assert "series copy  2 times in 1 segments of up to 2" in capsys.readouterr().out
    assert run(["show", "closed", "--store", str(tmp_path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["series"] == {"steps": 2, "segments": 1, "times": 2}
    statistics = document["fields"][0]["statistics"]
    assert (statistics["count"], statistics["minimum"], statistics["maximum"]) == (600, 0, 2109)


def test_show_as_json(store, capsys):
    assert run(["show", "closed", "--store", str(store), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bbox"] == [-180.0, -90.0, 180.0, 90.0]


def test_show_says_since_when_a_cube_is_being_written(store, capsys):
    cube = open_cube(open_store(str(store)), "closed")
    show = ["show", "closed", "--store", str(store)]
    with cube.transaction("one more") as tx:
        tx.write_slice(ticks_of("2020-01-03"), slice_values(cube.description, 1))
        assert run([*show, "--json"]) == 0
        since = json.loads(capsys.readouterr().out)["updating_since"]
        assert datetime.now(UTC) - datetime.fromisoformat(since) < timedelta(minutes=2)
        assert run(show) == 0
        assert f"  being written  since {since}\n" in capsys.readouterr().out
    assert run(show) == 0
    assert "being written" not in capsys.readouterr().out
    assert run([*show, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["updating_since"] is None


def test_show_what_is_not_there(store, capsys):
    assert run(["show", "sst", "--store", str(store)]) == 2
    assert refused(capsys).endswith("there are closed, plain")
    assert run(["show", "close", "--store", str(store)]) == 2
    assert refused(capsys).endswith("did you mean closed?")


def test_long_lists_are_cut(tmp_path, capsys):
    names = [f"reflectance_of_band_{number}" for number in range(4)]
    make_cube(tmp_path, fields=[Field(name, "int32") for name in names], times=("2020-01-01",))
    assert run(["ls", "--store", str(tmp_path)]) == 0
    (_, line) = capsys.readouterr().out.splitlines()
    assert "reflectance_of_band_0,…" in line
    assert "1 (2020-01-01T00:00:00Z)" in line


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "nosuch"],
        ["verify", "nosuch"],
        ["versions", "nosuch"],
        ["deleted", "nosuch"],
        ["compact", "nosuch"],
        ["gc", "nosuch"],
        ["rollback", "plain", "99"],
        ["rollback", "plain", "x"],
        ["retention", "nosuch.yaml"],
        ["retention", "nosuch.yaml", "--now", "today"],
        ["register", "nosuch"],
        ["extend", "plain"],
        ["plan", "/nowhere"],
        ["ingest", "nosuch.nc"],
        ["ingest", "nosuch.nc", "--cube", "a b"],
        ["ingest", "nosuch.nc", "--time", "today"],
        ["ingest", "nosuch.nc", "--recipe", "nosuch.yaml"],
        ["ingest", "nosuch.nc", "--scheduler", "nowhere"],
        ["ingest", "nosuch.nc", "--retries", "-1"],
        ["watch", "nosuch", "--once"],
        ["seed", "--cube", "nosuch"],
        ["ls", "--nosuch"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_has_one_exit_code(store, arguments, capsys):
    assert run([*arguments, "--store", str(store)]) == 2
    said = capsys.readouterr()
    assert (said.out, "unexpected" in said.err) == ("", False)
    assert said.err


def test_a_storage_that_fails_is_no_damage(store, capsys):
    head = store / "plain" / "manifest" / "head.json"
    head.write_text("{")
    assert run(["verify", "plain", "--store", str(store)]) == 2


def test_verify(store, capsys):
    assert run(["verify", "--store", str(store)]) == 0
    assert capsys.readouterr().out == "closed: sound\nplain: sound\n"


def test_verify_finds_a_changed_byte(store, capsys):
    chunk = next(path for path in (store / "closed" / "v" / "c").rglob("*") if path.is_file())
    data = bytearray(chunk.read_bytes())
    data[-1] ^= 1
    chunk.write_bytes(data)
    assert run(["verify", "closed", "--store", str(store), "--json"]) == 1
    (report,) = json.loads(capsys.readouterr().out)
    assert not report["sound"]
    assert report["damages"][0]["field"] == "v"


def test_ingest_of_nothing_good(tmp_path, capsys):
    bad = tmp_path / "notes.txt"
    bad.write_text("no data")
    assert run(["ingest", str(bad), "--store", str(tmp_path / "store")]) == 2
    assert refused(capsys).startswith(f"{bad}: ")


def test_ingest_refuses_a_cube_id(tmp_path, capsys):
    source = tmp_path / "a.nc"
    source.write_bytes(b"")
    assert run(["ingest", str(source), "--store", str(tmp_path), "--cube", "a/b"]) == 2
    assert "a/b" in refused(capsys)


@pytest.mark.parametrize(
    "arguments",
    [
        ["ls", "--store", "ftp://somewhere/x"],
        ["show", "x", "--store", "ftp://somewhere/x"],
        ["verify", "--store", "ftp://somewhere/x"],
        ["serve", "--port", "0", "--store", "ftp://somewhere/x"],
        ["config", "check", "/nowhere/server.yaml"],
        ["serve", "--port", "0", "--store", "store", "--config", "/nowhere/server.yaml"],
        ["ingest", "a.nc", "--store", "store", "--recipe", "/nowhere/recipe.yaml"],
    ],
)
def test_refusals_are_one_sentence(capsys, arguments):
    assert run(arguments) == 2
    assert refused(capsys).startswith(("datacube: ", "/nowhere/"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["ls"],
        ["bogus"],
        ["ingest", "--store", "x"],
        ["serve", "--store", "x", "--port", "70000"],
        ["show", "--store", "x"],
        ["config", "bogus"],
    ],
)
def test_wrong_command_lines(capsys, arguments):
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Error: " in err
    assert "Traceback" not in err


def test_config_check(tmp_path, capsys):
    good = tmp_path / "server.yaml"
    good.write_text("title: My server\n")
    assert run(["config", "check", str(good)]) == 0
    assert "sound" in capsys.readouterr().out


def test_config_check_finds_every_problem(tmp_path, capsys):
    bad = tmp_path / "server.yaml"
    bad.write_text("titel: My server\nlimits: {max_width: many}\n")
    assert run(["config", "check", str(bad)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "server.yaml:1" in err
    assert "server.yaml:2" in err


def test_debug_lets_the_exception_through(tmp_path):
    with pytest.raises(Exception, match="nowhere"):
        run(["--debug", "config", "check", str(tmp_path / "nowhere.yaml")])


def test_icechunk_does_not_outlive_the_interpreter():
    """Its threads may hold objects of Python until after the end."""
    script = """
import atexit, sys, types
sys.modules["icechunk"] = types.ModuleType("icechunk")
atexit.register(print, "ended")
class Held:
    def __del__(self, write=sys.__stderr__.write):
        write("taken down")
held = Held()
from services.cli.root import main
main(["ls", "--store", sys.argv[1]])
"""
    for store, code in (("/nowhere/at/all", 0), ("ftp://host/x", 2)):
        command = [sys.executable, "-c", script, store]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (code, "ended\n")
        assert "taken down" not in done.stderr
        assert done.stderr.endswith("\n")
