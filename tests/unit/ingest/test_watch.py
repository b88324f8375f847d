"""Watching a folder or bucket: complete sources once each, bad ones aside, a clean end."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event as Stop
from threading import Thread

import pytest

from datacube.errors import StorageError
from datacube.ingest.arrivals import Settling, arrivals
from datacube.ingest.watch import Watcher
from datacube.store.index import list_cubes
from datacube.store.url import open_store
from services.cli.root import run
from tests.clock import Clock
from tests.unit.ingest.products import opened, write_netcdf

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


def arrive(folder: Path, day: int, age: float = 100.0) -> Path:
    folder.mkdir(exist_ok=True)
    path = write_netcdf(folder / f"sst_202001{day:02d}.nc", times=(day - 1.0,))
    os.utime(path, (time.time() - age,) * 2)
    return path


def watcher(place, tmp_path, **options):
    settling = options.pop("settling", Settling(10))
    return Watcher(str(place), str(tmp_path / "store"), settling, **options)


@pytest.fixture
def clock():
    return Clock()


def states(report):
    return [(Path(one.source).name[4:12], one.status) for one in report.results]


def days(tmp_path):
    axis = opened(tmp_path / "store", "sst").description.domain.time
    return [iso[8:10] for iso in axis.iso]


def test_what_is_new_goes_in_once(place, tmp_path):
    one = watcher(place, tmp_path)
    assert one.look().results == ()
    arrive(place, 2)
    assert states(one.look()) == [("20200102", "ingested")]
    arrive(place, 1)
    assert states(one.look()) == [("20200101", "ingested")]
    assert one.look().results == ()
    assert states(watcher(place, tmp_path).look()) == [
        ("20200101", "already"),
        ("20200102", "already"),
    ]
    assert days(tmp_path) == ["01", "02"]


def test_what_is_being_written_waits(place, tmp_path, clock):
    path = arrive(place, 1, age=0)
    whole = path.read_bytes()
    path.write_bytes(whole[:3000])
    one = watcher(place, tmp_path, settling=Settling(10, clock=clock))
    assert one.look().results == ()
    path.write_bytes(whole)
    assert one.look().results == ()
    clock.now += 10
    assert states(one.look()) == [("20200101", "ingested")]


def test_a_clock_that_is_ahead_does_not_matter(place, tmp_path, clock):
    arrive(place, 1, age=-5000)
    one = watcher(place, tmp_path, settling=Settling(10, clock=clock))
    assert one.look().results == ()
    clock.now += 10
    assert states(one.look()) == [("20200101", "ingested")]


def test_what_grows_between_two_looks_waits_whatever_its_time_is(place, tmp_path, clock):
    path = arrive(place, 1, age=0)
    whole = path.read_bytes()
    one = watcher(place, tmp_path, settling=Settling(10, clock=clock))
    for size in (3000, 4000, len(whole)):  # the clock of the file server is behind
        path.write_bytes(whole[:size])
        os.utime(path, (time.time() - (5000 if size > 3000 else 0),) * 2)
        assert one.look().results == ()
    clock.now += 10
    assert states(one.look()) == [("20200101", "ingested")]


def test_a_mark_says_that_it_is_complete(place, tmp_path):
    path = arrive(place, 1, age=0)
    arrive(place, 2)
    marked = watcher(place, tmp_path, settling=Settling(10, marks_only=True))
    assert marked.look().results == ()
    (place / f"{path.name}.done").touch()
    assert states(marked.look()) == [("20200101", "ingested")]
    assert len(arrivals(str(place))) == 2


def test_a_folder_is_complete_as_a_whole(place, tmp_path, clock):
    arrive(place / "2020", 1)
    arrive(place / "2020", 2, age=0)
    one = watcher(place, tmp_path, settling=Settling(10, clock=clock))
    assert one.look().results == ()
    os.utime(place / "2020" / "sst_20200102.nc", (0, 0))
    assert [state for _, state in states(one.look())] == ["ingested", "ingested"]
    arrive(place / "2020", 3, age=0)
    assert one.look().results == ()
    clock.now += 10
    assert states(one.look()) == [("20200103", "ingested")]


def test_a_bad_file_is_refused_once_and_set_aside(place, tmp_path):
    path = arrive(place, 1)
    path.write_bytes(path.read_bytes()[:3000])
    os.utime(path, (0, 0))
    one = watcher(place, tmp_path)
    assert states(one.look()) == [("20200101", "refused")]
    assert one.look().results == ()
    bad = place / "bad"
    aside = watcher(place, tmp_path, bad_folder=bad)
    arrive(place, 2)
    assert states(aside.look()) == [("20200101", "refused"), ("20200102", "ingested")]
    assert aside.look().results == ()
    assert sorted(one.name for one in bad.iterdir()) == [path.name, f"{path.name}.reason.txt"]
    arrive(place, 1)  # sent again, whole
    assert states(aside.look()) == [("20200101", "ingested")]


def test_what_failed_is_tried_again_at_the_next_look(place, tmp_path):
    arrive(place, 1)
    (tmp_path / "store").mkdir()
    (tmp_path / "store/sst").write_text("in the way")
    one = watcher(place, tmp_path, retries=0)
    assert states(one.look()) == [("20200101", "failed")]
    (tmp_path / "store/sst").unlink()
    assert states(one.look()) == [("20200101", "ingested")]


def test_a_place_that_is_away_is_waited_for(place, tmp_path):
    arrive(place, 1)
    shutil.move(place, tmp_path / "away")
    events, stop = [], Stop()
    one = watcher(place, tmp_path, report=events.append, stop=stop)
    thread = Thread(target=one.run, args=(0.05,))
    thread.start()
    wait(lambda: events)
    shutil.move(tmp_path / "away", place)
    wait(lambda: [event for event in events if getattr(event, "status", "") == "ingested"])
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert events[0].status == "failed"
    assert events[0].source == str(place)


def wait(happened, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.s3
def test_objects_of_a_bucket(s3_store, tmp_path):
    bucket = s3_store
    one = watcher(bucket.url, tmp_path)
    bucket.put("2020/sst_20200101.nc", arrive(tmp_path, 1).read_bytes())
    bucket.put("2020/.unfinished.nc", b"")
    assert states(one.look()) == [("20200101", "ingested")]
    bucket.put("2020/sst_20200102.nc", arrive(tmp_path, 2).read_bytes())
    assert states(one.look()) == [("20200102", "ingested")]
    assert one.look().results == ()
    assert days(tmp_path) == ["01", "02"]


def test_a_web_server_cannot_be_watched(tmp_path):
    with pytest.raises(StorageError, match="cannot list"):
        watcher("https://example.org/data", tmp_path).look()


def test_the_command_once(place, tmp_path, capsys):
    store = str(tmp_path / "store")
    command = ["watch", str(place), "--store", store, "--once", "--settle", "1"]
    assert run(command) == 0
    arrive(place, 1)
    assert run(command) == 0
    assert "cube sst, 1 slice added" in capsys.readouterr().out
    (place / "x.nc").write_bytes(b"CDF\x01 cut")
    os.utime(place / "x.nc", (0, 0))
    assert run(command) == 3
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert run(["watch", str(place / "none"), "--store", store]) == 2


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(place, tmp_path, ending):
    store = str(tmp_path / "store")
    command = [sys.executable, "-m", "services", "watch", str(place), "--store", store]
    with subprocess.Popen(
        [*command, "--every", "0.2", "--settle", "0.1"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        for day in (2, 1):
            arrive(place, day)
            assert "cube sst, 1 slice added" in process.stdout.readline()
        process.send_signal(ending)
        output = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, ("", ""))
    assert list_cubes(open_store(store)) == ["sst"]
    assert days(tmp_path) == ["01", "02"]
