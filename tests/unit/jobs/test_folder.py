"""Jobs on disk: admission, order, what other processes see, the end of their time."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest

from datacube.config.settings import JobSettings
from datacube.errors import JobNotFound, StorageError, TooManyJobs
from datacube.jobs.folder import JobFolder
from datacube.jobs.jobs import job_folder, most_bytes
from tests.unit.jobs.conftest import WISH, until


def test_a_job_waits_as_it_was_asked_for(works):
    job = works.folder().add(WISH, 10, 40)
    found = works.folder().find(job.id)
    assert found == job
    assert (found.wish, found.values, found.nbytes, found.state) == (WISH, 10, 40, "accepted")
    assert works.path.stat().st_mode & 0o777 == 0o700


def test_ids_cannot_be_guessed(works):
    folder = works.folder()
    ids = {folder.add(WISH, 1, 1).id for _ in range(8)}
    assert len(ids) == 8
    assert {len(one) for one in ids} == {32}


@pytest.mark.parametrize("name", ["", "..", "../jobs", "." * 32, "/etc/passwd", "0" * 32, "A" * 32])
def test_no_path_comes_of_an_id(works, name):
    works.folder().add(WISH, 1, 1)
    for ask in (works.folder().find, works.folder().remove):
        with pytest.raises(JobNotFound):
            ask(name)


def test_only_so_many_wait(works):
    folder = works.folder(waiting=2)
    folder.add(WISH, 1, 1)
    folder.add(WISH, 1, 1)
    with pytest.raises(TooManyJobs, match="2 jobs wait already"):
        folder.add(WISH, 1, 1)
    folder.claim()
    folder.add(WISH, 1, 1)


def test_files_have_room_for_so_much_together(works):
    folder = works.folder(total_bytes=100_000_000)
    folder.add(WISH, 1, 60_000_000)
    with pytest.raises(TooManyJobs, match=r"50.0 MB, and other jobs leave 40.0 MB"):
        folder.add(WISH, 1, 50_000_000)
    folder.add(WISH, 1, 40_000_000)


def test_only_so_many_are_kept(works):
    folder = works.folder(kept=2)
    done, other = (folder.add(WISH, 1, 1) for _ in range(2))
    for one in (done, other):
        folder.write(replace(one, state="failed", finished=time.time()))
    with pytest.raises(TooManyJobs, match="2 jobs are kept already"):
        folder.add(WISH, 1, 1)
    folder.remove(done.id)
    folder.add(WISH, 1, 1)


def test_half_of_the_disk_is_for_others(works, monkeypatch):
    """Also where a file grows beyond what was thought."""
    folder = works.folder()
    job = folder.add(WISH, 1, 1)
    monkeypatch.setattr("datacube.jobs.folder.disk_usage", lambda _: SimpleNamespace(free=100))
    assert folder.room(job, 0) == 50
    assert folder.room(job, 40) == 70


def test_a_full_disk_lets_a_job_wait(works, monkeypatch):
    folder = works.folder()
    job = folder.add(WISH, 1, 1)
    with monkeypatch.context() as full:
        full.setattr("datacube.jobs.folder.os.fsync", refuse)
        with pytest.raises(OSError, match="No space"):
            folder.claim()
    assert len(works.files()) == 4
    assert folder.claim().job.id == job.id


def refuse(_descriptor):
    raise OSError(28, "No space left on device")


def test_the_oldest_is_next_and_so_many_run(works):
    folder = works.folder(running=2)
    first, second, _ = (folder.add(WISH, 1, 1) for _ in range(3))
    claims = [folder.claim(), works.folder(running=2).claim()]
    assert [claim.job.id for claim in claims] == [first.id, second.id]
    assert folder.claim() is None
    claims[0].release()
    assert folder.claim() is not None


def test_what_is_claimed_is_running_for_all(works):
    job = works.folder().add(WISH, 1, 1)
    claim = works.folder().claim()
    found = works.folder().find(job.id)
    assert found.state == "running"
    assert found.started == claim.job.started >= job.created


CLAIM = """
import sys, time
from pathlib import Path
from datacube.config.settings import JobSettings
from datacube.jobs.folder import JobFolder
folder = JobFolder(Path(sys.argv[1]), JobSettings())
claim = folder.claim()
(folder.new_part(claim.job) / "file").write_bytes(b"half")
print(claim.job.id, flush=True)
time.sleep(100)
"""


@contextmanager
def claimed_elsewhere(works):
    """Another process works at the first job, until it is killed."""
    command = [sys.executable, "-c", CLAIM, str(works.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().strip()
        os.kill(process.pid, signal.SIGKILL)


def test_the_job_of_a_process_that_died_has_failed(works):
    job, other = (works.folder().add(WISH, 1, 1) for _ in range(2))
    with claimed_elsewhere(works) as name:
        assert name == job.id
        assert works.folder().find(job.id).state == "running"
        assert works.folder().claim() is None
    failed = works.folder().find(job.id)
    assert (failed.state, failed.finished is not None) == ("failed", True)
    assert "has ended" in failed.message
    assert "file" not in works.files()
    assert works.folder().claim().job.id == other.id


def test_nobody_has_to_ask_for_the_job_of_a_process_that_died(works):
    """What it was making goes, and the job when it has been kept long enough."""
    folder = works.folder(keep_ms=1)
    job = folder.add(WISH, 1, 1)
    with claimed_elsewhere(works):
        assert "file" in works.files()
    folder.sweep()
    assert "file" not in works.files()
    until(lambda: time.sleep(0.002) or folder.sweep() is None)
    assert not (works.path / job.id).exists()


def test_what_was_made_before_goes_when_a_job_begins_anew(works):
    folder = works.folder()
    job = folder.add(WISH, 1, 1)
    (folder.new_part(job) / "file").write_bytes(b"half")
    folder.claim().release()
    assert "file" not in works.files()


def test_what_is_removed_is_gone_with_its_file(works):
    folder = works.folder()
    job = folder.add(WISH, 1, 1)
    folder.file_of(job).write_bytes(b"file")
    assert folder.remove(job.id) == job
    assert works.files() == [".admission"]
    assert not folder.write(job)
    with pytest.raises(JobNotFound):
        folder.remove(job.id)


def test_what_has_been_kept_long_enough_goes(works):
    folder = works.folder(keep_ms=1000)
    done, waiting = (folder.add(WISH, 1, 1) for _ in range(2))
    folder.write(replace(done, state="successful", finished=time.time() - 2))
    with pytest.raises(JobNotFound, match="expired"):
        folder.find(done.id)
    assert [job.id for job in folder.all()] == [waiting.id]
    assert 0 < folder.sweep() <= 1
    assert not (works.path / done.id).exists()
    assert (works.path / waiting.id).exists()


@pytest.mark.parametrize("name", [f".{'a' * 32}", f".{'b' * 32}-{'c' * 8}"])
@pytest.mark.parametrize("known", [False, True])
def test_what_was_left_half_begun_or_half_removed_goes_soon(works, name, known):
    folder = works.folder()
    job = folder.add(WISH, 1, 1)
    half = works.path / name
    half.mkdir()
    (half / "result").write_bytes(b"a large file")
    if known:
        (half / "job.json").write_bytes((works.path / job.id / "job.json").read_bytes())
    assert 0 < folder.sweep() <= 60
    assert half.exists()
    os.utime(half, (time.time() - 61, time.time() - 61))
    folder.sweep()
    assert not half.exists()
    assert folder.find(job.id) == job


@pytest.mark.parametrize("text", ["", "7", '"text"', "[]", "{}", '{"wish": 1, "file": null}'])
def test_what_cannot_be_read_goes_when_its_time_is_over(works, text):
    folder = works.folder(keep_ms=1000)
    job = folder.add(WISH, 1, 1)
    (works.path / job.id / "job.json").write_text(text)
    (works.path / "notes").mkdir()
    assert folder.all() == ()
    os.utime(works.path / job.id, (1, 1))
    folder.sweep()
    assert [one.name for one in works.path.iterdir() if one.is_dir()] == ["notes"]


def test_a_folder_that_is_none(works):
    works.path.write_text("a file")
    with pytest.raises(StorageError):
        works.folder().add(WISH, 1, 1)
    assert works.folder().sweep() is None
    assert works.folder().all() == ()


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "jobs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match="somebody else's"):
        JobFolder(tmp_path / "jobs", JobSettings()).add(WISH, 1, 1)


def test_what_others_have_put_there_is_not_looked_at(tmp_path):
    """In the folder for temporary files anybody can make a folder of any name."""
    mine = JobFolder(tmp_path / "jobs", JobSettings())
    job = mine.add(WISH, 1, 1)
    (tmp_path / "jobs").chmod(0o777)
    assert mine.all() == ()
    assert mine.claim() is None
    with pytest.raises(JobNotFound):
        mine.find(job.id)
    with pytest.raises(StorageError, match="somebody else's"):
        mine.add(WISH, 1, 1)
    configured = JobFolder(tmp_path / "jobs", JobSettings(folder=str(tmp_path / "jobs")))
    assert configured.find(job.id) == job


def test_each_store_has_a_folder_of_its_own():
    one, other = (job_folder(JobSettings(), url) for url in ("/a", "/b"))
    assert one != other
    assert one == job_folder(JobSettings(), "/a")
    assert job_folder(JobSettings(folder="/c"), "/a").as_posix() == "/c"


def test_no_file_is_larger_than_the_disk(tmp_path):
    settings = JobSettings(folder=str(tmp_path / "not" / "yet"), max_bytes=10, total_bytes=20)
    assert most_bytes(settings) == 10
    huge = replace(settings, max_bytes=1 << 62, total_bytes=1 << 62)
    assert 0 < most_bytes(huge) < 1 << 60


def test_state_changes_are_seen_whole(works):
    """Whoever reads while another writes sees a job as it was or as it is."""
    folder = works.folder()
    job = folder.add(WISH, 1, 1)
    writer = subprocess.Popen([sys.executable, "-c", WRITE, str(works.path), job.id])
    seen = set()
    until(lambda: seen.add(folder.find(job.id).message) or writer.poll() is not None)
    assert writer.returncode == 0
    assert seen <= {"", "a" * 50_000, "b" * 50_000}
    assert len(works.files()) == 3


WRITE = """
import sys
from dataclasses import replace
from pathlib import Path
from datacube.config.settings import JobSettings
from datacube.jobs.folder import JobFolder
folder = JobFolder(Path(sys.argv[1]), JobSettings())
job = folder.find(sys.argv[2])
for _ in range(40):
    for letter in "ab":
        folder.write(replace(job, message=letter * 50_000))
"""
