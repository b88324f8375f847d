"""Ingest while storage and network fail: tried again, said in words, nothing lost or blamed."""

import os
import resource
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import numpy as np
import pytest

from datacube.ingest import pipeline
from datacube.ingest.pipeline import ingest
from datacube.ingest.report import Retrying
from datacube.store.cube import open_cube
from datacube.store.index import list_cubes
from datacube.store.maintain import verify
from datacube.store.transaction import Transaction
from datacube.store.url import open_store
from tests.contracts.conftest import s3_environment
from tests.cubes import time_of
from tests.faults import fault_proxy
from tests.stores import CountingStore, CrashingStore
from tests.unit.ingest.products import plane, whole, write_netcdf

REPOSITORY = Path(__file__).resolve().parents[2]


def make_days(folder: Path, count: int, side: int = 8) -> list[str]:
    folder.mkdir()
    longitudes = np.arange(side) * 0.25
    return [
        str(
            write_netcdf(
                folder / f"sst_202001{day + 1:02d}.nc", times=(float(day),), lon=longitudes
            )
        )
        for day in range(count)
    ]


def is_right(store, days: int, width: int = 8) -> None:
    cube = open_cube(store, "sst")
    assert time_of(cube).size == days
    for day in range(days):
        np.testing.assert_array_equal(whole(cube, "v", day), plane(5, width))
    assert verify(cube) == []


@pytest.fixture
def faults(s3_server, monkeypatch):
    with fault_proxy(s3_server) as found:
        for name, value in s3_environment(found.url).items():
            monkeypatch.setenv(name, value)
        yield found


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(pipeline, "PAUSE", 0.05)


def test_nothing_can_fail_between_the_commit_and_the_report(tmp_path, monkeypatch):
    first, second = make_days(tmp_path / "in", 2)
    store = CountingStore(open_store(str(tmp_path / "store")))
    commit, requests = Transaction._commit, []

    def noted(self: Transaction) -> None:
        commit(self)
        requests.append(store.requests)

    monkeypatch.setattr(Transaction, "_commit", noted)
    monkeypatch.setattr(pipeline, "open_store", lambda _: store)
    for source, behind in ((second, ()), (first, ("sst",))):
        (result,) = ingest([source], store=store.url).results
        assert (result.status, result.behind) == ("ingested", behind)
        assert store.requests == requests[-1]


@pytest.mark.s3
def test_a_bucket_with_faults_gets_everything(faults, tmp_path):
    url = f"s3://bucket/{uuid.uuid4().hex}"
    first, second, third = make_days(tmp_path / "in", 3)
    assert ingest([first], store=url).exit_code == 0
    faults.unavailable, faults.lost, faults.slow = 3, 2, 2
    report = ingest([second, third], store=url)
    assert report.exit_code == 0, report
    assert set(faults.met) == {"unavailable", "lost", "slow"}
    is_right(open_store(url), 3)


@pytest.mark.s3
def test_sources_come_from_a_bucket(faults, tmp_path):
    url = f"s3://bucket/{uuid.uuid4().hex}"
    (path,) = make_days(tmp_path / "in", 1)
    open_store(url).put("in/sst.nc", Path(path).read_bytes())
    faults.unavailable, faults.slow = 2, 1
    report = ingest([f"{url}/in/sst.nc", f"{url}/in/none.nc"], store=str(tmp_path / "store"))
    assert [one.status for one in report.results] == ["ingested", "refused"]
    assert report.results[1].reason == "there is no such object"
    is_right(open_store(str(tmp_path / "store")), 1)


class Recovering(CrashingStore):
    """Fails for a while: what has been written since is undone by nobody but the writer."""

    def recover(self) -> None:
        self.survives = 10**6


@pytest.mark.parametrize("survives", [0, 1, 4, 7, 9])
def test_a_failed_store_is_tried_again(tmp_path, monkeypatch, survives):
    (path,) = make_days(tmp_path / "in", 1)
    store = Recovering(open_store(str(tmp_path / "store")), survives)
    monkeypatch.setattr(pipeline, "open_store", lambda _: store)
    events = []

    def tell(event):
        events.append(event)
        if isinstance(event, Retrying):
            store.recover()

    report = ingest([path], store="any", report=tell)
    assert report.exit_code == 0, report
    assert [event.seconds for event in events if isinstance(event, Retrying)] in ([0.05], [])
    is_right(store, 1)


def test_a_source_is_not_blamed_for_the_store(tmp_path, monkeypatch):
    (path,) = make_days(tmp_path / "in", 1)
    store = Recovering(open_store(str(tmp_path / "store")), 2)
    monkeypatch.setattr(pipeline, "open_store", lambda _: store)
    events = []
    report = ingest([path], store="any", bad_folder=tmp_path / "bad", report=events.append)
    assert [one.status for one in report.results] == ["failed"]
    assert report.exit_code == 2
    waits = [event.seconds for event in events if isinstance(event, Retrying)]
    assert waits == [0.05, 0.1]
    assert Path(path).exists()
    assert not (tmp_path / "bad").exists()
    store.recover()
    assert ingest([path], store="any").exit_code == 0
    is_right(store, 1)


def command(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "services", "ingest", *arguments],
        cwd=REPOSITORY,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


@pytest.mark.slow
def test_a_full_disk_is_said_and_leaves_no_trace(tmp_path):
    large = make_days(tmp_path / "in", 1, side=20_000)
    store = str(tmp_path / "store")

    def full():  # no file may grow any more
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    with command(*large, "--store", store, "--retries", "0", preexec_fn=full) as process:
        _, errors = process.communicate()
    assert process.returncode == 2
    assert errors.count("\n") == 1
    assert "cannot write 'sst/" in errors
    assert "File too large" in errors
    assert list_cubes(open_store(store)) == []
    assert not list((tmp_path / "store").rglob("*.tmp"))
    assert ingest(large, store=store).exit_code == 0
    is_right(open_store(store), 1, 20_000)


@pytest.mark.slow
@pytest.mark.parametrize("lines", [0, 1, 4])
def test_a_run_that_was_killed_is_completed_by_the_next(tmp_path, lines):
    days = make_days(tmp_path / "in", 8)
    store = str(tmp_path / "store")
    with command(*days, "--store", store) as process:
        for _ in range(lines):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    report = ingest(days, store=store)
    assert report.exit_code == 0
    states = [one.status for one in report.results]
    assert states[:lines] == ["already"] * lines
    is_right(open_store(store), 8)
