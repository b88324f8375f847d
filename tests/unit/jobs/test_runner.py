"""Work at jobs: the whole file or none, the end of what nobody wants, what a stop leaves."""

from threading import Event, current_thread

import pytest

from datacube.engine.progress import have_read
from datacube.engine.waiting import check_wanted
from datacube.errors import JobNotFound, RequestTooLarge, StorageError
from datacube.formats.spool import spool_folder, spooled
from datacube.jobs.runner import Made, Runner
from tests.unit.jobs.conftest import WISH, pieces, until


def ended(works, job, **settings):
    def over():
        found = works.folder(**settings).find(job.id)
        return found if found.finished is not None else None

    return until(over)


def test_the_file_is_written(works):
    folder = works.folder()
    job = folder.add(WISH, 10, 40)
    works.runner(pieces(b"one", b"two")).wake()
    done = ended(works, job)
    assert (done.state, done.progress, done.message) == ("successful", 100, "a note")
    assert (done.file.media_type, done.file.disposition, done.file.size) == (
        *("text/plain", "attachment"),
        6,
    )
    assert folder.file_of(done).read_bytes() == b"onetwo"
    assert done.created <= done.started <= done.finished


def test_one_after_the_other(works):
    """Two processes, one place: no job runs beside another."""
    under_way, most, order = [], [], []

    def perform(job):
        under_way.append(job.id)
        most.append(len(under_way))
        order.append(job.id)

        def made():
            yield b"x"
            under_way.remove(job.id)

        return Made(made(), "text/plain")

    folder = works.folder()
    jobs = [folder.add(WISH, 1, 1) for _ in range(6)]
    runners = [works.runner(perform) for _ in range(2)]
    for one in runners:
        one.wake()
    for job in jobs:
        assert ended(works, job).state == "successful"
    assert max(most) == 1
    assert order == [job.id for job in jobs]


def test_progress_is_told(works):
    go = Event()

    def perform(_job):
        have_read(25)
        assert go.wait(60)
        have_read(75)
        return Made(iter((b"x",)), "text/plain")

    job = works.folder().add(WISH, 100, 400)
    works.runner(perform).wake()
    until(lambda: works.folder().find(job.id).progress == 25)
    go.set()
    assert ended(works, job).progress == 100


@pytest.mark.parametrize("first", [b"", b"some"])
def test_what_is_dismissed_is_given_up(works, first):
    begun, over = Event(), Event()

    def perform(_job):
        def made():
            try:
                yield first
                begun.set()
                while True:
                    check_wanted()
                    yield b"more"
            finally:
                over.set()

        return Made(made(), "text/plain")

    job = works.folder().add(WISH, 1, 1)
    works.runner(perform).wake()
    assert begun.wait(60)
    assert works.folder().remove(job.id).state == "running"
    assert over.wait(60)
    with pytest.raises(JobNotFound):
        works.folder().find(job.id)
    until(lambda: works.files() == [".admission", ".turn-0"])


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (StorageError("the chunk is damaged"), "the chunk is damaged"),
        (OSError(28, "No space left on device"), "cannot be written: No space left on device"),
        (ZeroDivisionError("secret"), "failed unexpectedly"),
    ],
)
def test_what_fails_leaves_no_file(works, error, text):
    def perform(_job):
        def made():
            yield b"half"
            raise error

        return Made(made(), "text/plain")

    job = works.folder().add(WISH, 1, 1)
    works.runner(perform).wake()
    failed = ended(works, job)
    assert failed.state == "failed"
    assert text in failed.message
    assert "secret" not in failed.message
    assert failed.file is None
    assert works.files() == [".admission", ".turn-0", "job.json", "lock"]
    expected = type(error) if isinstance(error, StorageError) else None
    assert expected is None or isinstance(failed.error, expected)


def test_a_file_that_grows_too_large_is_given_up(works):
    job = works.folder().add(WISH, 1, 1)
    works.runner(pieces(b"x" * 60, b"x" * 60), max_bytes=100).wake()
    failed = ended(works, job)
    assert isinstance(failed.error, RequestTooLarge)
    assert "larger than the 0.0 MB" in failed.message
    assert "result" not in works.files()


def test_a_file_on_disk_is_taken_as_it_is(works):
    nodes = []

    def perform(_job):
        with spool_folder() as folder:
            (folder / "one").write_bytes(b"x" * 70)
            nodes.append((folder / "one").stat().st_ino)
            return Made(spooled(folder / "one").pieces, "text/plain")

    folder = works.folder()
    job = folder.add(WISH, 1, 1)
    works.runner(perform).wake()
    done = ended(works, job)
    assert done.file.size == 70
    assert folder.file_of(done).stat().st_ino == nodes[0]
    assert works.files() == [".admission", ".turn-0", "job.json", "lock", "result"]
    other = works.folder(max_bytes=69).add(WISH, 1, 1)
    works.runner(perform, max_bytes=69).wake()
    assert isinstance(ended(works, other).error, RequestTooLarge)
    assert works.files().count("result") == 1


def test_of_files_whose_bytes_are_read_nothing_else_is_left(works):
    """Of a message of several parts, each made on disk, one is there at a time."""
    left = []

    def perform(_job):
        def made():
            for name in ("one", "two", "three"):
                with spool_folder() as folder:
                    (folder / name).write_text(name)
                    yield from spooled(folder / name).pieces
                left.append([one for one in works.files() if one.startswith("whole")])

        return Made(made(), "text/plain")

    folder = works.folder()
    job = folder.add(WISH, 1, 1)
    works.runner(perform).wake()
    assert folder.file_of(ended(works, job)).read_text() == "onetwothree"
    assert left == [[], [], []]


@pytest.mark.parametrize("when", ["progress", "end"])
def test_a_full_disk_ends_no_runner(works, monkeypatch, when):
    """What cannot be noted is noted when there is room again."""
    reached, go, refused = Event(), Event(), Event()

    def perform(_job):
        have_read(50)
        reached.set()
        assert go.wait(60)
        return Made(iter((b"x",)), "text/plain")

    def fsync(_descriptor):
        if current_thread().name == "jobs":
            refused.set()
            raise OSError(28, "No space left on device")

    jobs = [works.folder().add(WISH, 100, 400) for _ in range(2)]
    works.runner(perform).wake()
    assert reached.wait(60)
    if when == "end":
        until(lambda: works.folder().find(jobs[0].id).progress == 50)
    with monkeypatch.context() as full:
        full.setattr("datacube.jobs.folder.os.fsync", fsync)
        if when == "end":
            go.set()
        assert refused.wait(60)
        assert works.folder().find(jobs[0].id).state == "running"
    go.set()
    for job in jobs:
        assert ended(works, job).state == "successful"
    assert "result" in works.files()
    assert not [name for name in works.files() if name.startswith(".job")]


def test_a_stop_lets_a_job_wait_again(works):
    begun = Event()

    def perform(_job):
        def made():
            yield b"half"
            begun.set()
            while True:
                check_wanted()
                yield b""

        return Made(made(), "text/plain")

    job = works.folder().add(WISH, 1, 1)
    runner = works.runner(perform)
    runner.wake()
    assert begun.wait(60)
    runner.close()
    again = works.folder().find(job.id)
    assert (again.state, again.started) == ("accepted", None)
    assert "begins anew" in again.message
    assert not list(works.path.rglob("part-*"))
    works.runner(pieces(b"whole")).wake()
    assert ended(works, job).file.size == 5


def test_a_thread_that_goes_leaves_alone_what_the_next_one_has_begun(works, monkeypatch):
    begun, finish, first = Event(), Event(), []
    folder, goes = works.folder(), Runner._goes

    def perform(_job):
        begun.set()
        assert finish.wait(60)
        return Made(iter((b"x",)), "text/plain")

    def slowly(self):
        gone = goes(self)
        if gone and not first:
            first.extend((current_thread(), folder.add(WISH, 1, 1)))
            runner.wake()
            assert begun.wait(60)
        return gone

    monkeypatch.setattr(Runner, "_goes", slowly)
    runner = works.runner(perform)
    runner.wake()  # for nothing
    assert begun.wait(60)
    thread, job = first
    thread.join(60)
    assert folder.find(job.id).state == "running"
    finish.set()
    assert ended(works, job).state == "successful"


def test_files_go_when_their_time_is_over(works):
    """Without anybody who asks."""
    settings, made = {"keep_ms": 300}, []

    def perform(job):
        made.append(job.id)
        return pieces(b"whole")(job)

    job = works.folder(**settings).add(WISH, 1, 1)
    works.runner(perform, **settings).wake()
    until(lambda: works.files() == [".admission", ".turn-0"])
    assert made == [job.id]
