"""``--after COMMAND``: what it is told, and what follows when it fails."""

import json
import sys
from pathlib import Path

import pytest

from services.cli import after
from services.cli.root import run
from tests.unit.ingest.products import write_netcdf

_NOTE = """
import json, os, sys
said = json.load(sys.stdin)
names = ("STATUS", "SOURCE", "CUBES", "STORE")
print("heard")
with open(sys.argv[1], "a") as file:
    print(json.dumps([said, *(os.environ["DATACUBE_" + one] for one in names)]), file=file)
sys.exit(int(sys.argv[2]))
"""


@pytest.fixture
def hook(tmp_path):
    """A command that notes what it is told and ends with a code, and what it has noted."""
    program, notes = tmp_path / "a hook.py", tmp_path / "notes"
    program.write_text(_NOTE)

    def command(code=0):
        return f"{sys.executable} '{program}' {notes} {code}"

    def heard():
        return [json.loads(line) for line in notes.read_text().splitlines()]

    return command, heard


def test_a_command_is_told_what_became_of_each_source(tmp_path, hook, capfd):
    command, heard = hook
    good, bad = str(write_netcdf(tmp_path / "sst.nc")), str(tmp_path / "bad.nc")
    Path(bad).write_text("none")
    store = str(tmp_path / "store")
    assert run(["ingest", good, bad, "--store", store, "--after", command(), "--json"]) == 3
    out, err = capfd.readouterr()
    reported = json.loads(out)["sources"]
    assert err.count("heard") == 2
    for told, one, status in zip(heard(), reported, ("ingested", "refused"), strict=True):
        assert told[0] == one | {"store": store}
        assert told[1:] == [status, one["source"], " ".join(one["cubes"]), store]


@pytest.mark.parametrize("arguments", [[], ["--dry-run"]])
def test_it_is_not_run_where_nothing_goes_in(tmp_path, hook, arguments):
    command, heard = hook
    path, store = str(write_netcdf(tmp_path / "sst.nc")), str(tmp_path / "store")
    if not arguments:
        assert run(["ingest", path, "--store", store]) == 0
    assert run(["ingest", path, "--store", store, "--after", command(), *arguments]) == 0
    with pytest.raises(FileNotFoundError):
        heard()


def test_a_command_that_fails_is_said_and_the_source_stays(tmp_path, hook, capfd):
    command, _ = hook
    path, store = str(write_netcdf(tmp_path / "sst.nc")), str(tmp_path / "store")
    assert run(["ingest", path, "--store", store, "--after", command(4)]) == 3
    assert f"{path}: --after {sys.executable}: ended with 4" in capfd.readouterr().err
    assert run(["show", "sst", "--store", store]) == 0


def test_a_command_that_does_not_end_is_stopped(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(after, "SECONDS", 0.2)
    path, store = str(write_netcdf(tmp_path / "sst.nc")), str(tmp_path / "store")
    assert run(["ingest", path, "--store", store, "--after", "sleep 60"]) == 3
    assert "--after sleep: stopped after 0.2 seconds" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("command", "why"),
    [("", "there is no program ''"), ("no-such-one x", "'no-such-one'"), ("'a", "No closing")],
)
def test_a_command_that_is_none_is_refused_before_anything_goes_in(tmp_path, capfd, command, why):
    path, store = str(write_netcdf(tmp_path / "sst.nc")), tmp_path / "store"
    assert run(["ingest", path, "--store", str(store), "--after", command]) == 2
    assert why in capfd.readouterr().err
    assert not store.exists()


def test_watch_runs_it_too(tmp_path, hook):
    command, heard = hook
    folder = tmp_path / "in"
    folder.mkdir()
    path = write_netcdf(folder / "sst.nc")
    store = str(tmp_path / "store")
    asked = ["watch", str(folder), "--store", store, "--once", "--settle", "0"]
    assert run([*asked, "--after", command()]) == 0
    assert [one[1:3] for one in heard()] == [["ingested", str(path)]]
