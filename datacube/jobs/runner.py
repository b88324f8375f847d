"""Works at the jobs of a folder, in threads of one process.

One thread looks after them: it takes the next job when there is a place, notes how far each has
come, ends what was dismissed, takes away what has been kept long enough, and goes when no job is
left. The work itself is done by a thread for each job.
"""

import logging
import os
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import rmtree
from threading import Event, Lock, Thread, current_thread

from datacube.engine.progress import telling
from datacube.engine.waiting import Abandoned, as_long_as_wanted, check_wanted
from datacube.errors import DatacubeError, RequestTooLarge, StorageError
from datacube.formats.pieces import FilePieces, Piece
from datacube.formats.spool import spooled_in
from datacube.jobs.folder import Claim, JobFolder
from datacube.jobs.record import Job, ResultFile, State

LOGGER = logging.getLogger("datacube.jobs")
_LOOK = 0.5  # seconds between two looks at what runs or waits
_REST = 60.0  # at what has ended
_FAREWELL = 5.0  # seconds that a thread gets to end
_PIECES = 16 << 20  # bytes between two looks at the room that is left


@dataclass(frozen=True, slots=True)
class Made:
    """What a job makes.

    Parameters
    ----------
    pieces : iterator of bytes
    media_type : str
    disposition : str, the header Content-Disposition, empty where there is none
    notes : tuple of str, for whoever fetches it
    """

    pieces: Iterator[Piece]
    media_type: str
    disposition: str = ""
    notes: tuple[str, ...] = ()


type Perform = Callable[[Job], Made]


@dataclass(slots=True, eq=False)
class _Task:
    """A job that is worked at."""

    claim: Claim
    gone: Event = field(default_factory=Event)
    read: int = 0
    thread: Thread | None = None
    end: Job | None = None

    def tell(self, values: int) -> None:
        self.read += values

    @property
    def progress(self) -> int:
        """Per cent of the values that have been read; the last one is for the file itself."""
        return min(100 * self.read // max(self.claim.job.values, 1), 99)


class Runner:
    """The threads of one process.

    Parameters
    ----------
    folder : JobFolder
    perform : callable
        Makes the file of a job, or begins to; raises DatacubeError where it cannot be made.
    """

    def __init__(self, folder: JobFolder, perform: Perform) -> None:
        self._folder = folder
        self._perform = perform
        self._tasks: list[_Task] = []
        self._news, self._stopping = Event(), Event()
        self._lock = Lock()
        self._keeper: Thread | None = None
        self._refused = ""

    def wake(self) -> None:
        """Look for jobs, at once and as long as there are some."""
        with self._lock:
            self._news.set()
            if self._keeper is None and not self._stopping.is_set():
                self._keeper = Thread(target=self._keep, name="jobs", daemon=True)
                self._keeper.start()

    def stop(self) -> None:
        """Give up what is worked at: it waits for its turn again, in whatever process."""
        self._stopping.set()
        self._news.set()

    def close(self) -> None:
        """Stop, and wait until all is put down."""
        self.stop()
        with self._lock:
            keeper = self._keeper
        if keeper is not None:
            keeper.join(2 * _FAREWELL)

    def _keep(self) -> None:
        try:
            while self._step():
                pass
        except Exception:
            LOGGER.exception("jobs are looked after no more until the next one comes")
        finally:
            with self._lock:
                mine = self._keeper is current_thread()
            if mine:  # else all has ended, and another may be at work already
                self._put_down()

    def _put_down(self) -> None:
        """Let all that is worked at wait again; then another thread may look after jobs."""
        for task in self._tasks:
            self._leave(task)
        self._tasks.clear()
        with self._lock:
            self._keeper = None

    def _step(self) -> bool:
        """Do what is due, and wait; False where nothing is left to do."""
        self._news.clear()
        if self._stopping.is_set():
            return False
        due = self._folder.sweep()
        with self._noting():
            for task in tuple(self._tasks):
                self._look_at(task)
            while (claim := self._folder.claim()) is not None:
                self._begin(claim)
            self._refused = ""
        if due is None and not self._tasks and self._goes():
            return False
        busy = self._tasks or self._folder.waits()
        self._news.wait(_LOOK if busy else min(max(due or 0.0, 0.01), _REST))
        return True

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """What the disk refuses to note is tried again at the next look, and told once."""
        try:
            yield
        except OSError as error:
            if str(error) != self._refused:
                self._refused = str(error)
                LOGGER.warning("what becomes of jobs cannot be noted: %s", error)

    def _goes(self) -> bool:
        """Whether this thread ends now: the next one who has news needs another."""
        with self._lock:
            if self._news.is_set():
                return False
            self._keeper = None
            return True

    def _begin(self, claim: Claim) -> None:
        task = _Task(claim)
        self._tasks.append(task)
        task.thread = Thread(target=self._work, args=(task,), name="job", daemon=True)
        task.thread.start()

    def _look_at(self, task: _Task) -> None:
        """Note how far it has come, or that it has ended."""
        job = task.claim.job
        if not self._folder.is_there(job):
            task.gone.set()
        if task.thread is not None and task.thread.is_alive():
            if task.progress > job.progress:
                told = replace(job, progress=task.progress, updated=time.time())
                task.claim = replace(task.claim, job=told)
                self._folder.write(told)
            return
        if task.end is not None:
            self._folder.write(task.end)
        task.claim.release()
        self._tasks.remove(task)

    def _leave(self, task: _Task) -> None:
        """Let a job wait again: this process ends."""
        task.gone.set()
        if task.thread is not None:
            task.thread.join(_FAREWELL)
        again = replace(
            task.claim.job,
            state="accepted",
            started=None,
            progress=0,
            message="the server was stopped; it begins anew",
            updated=time.time(),
        )
        try:
            self._folder.write(task.end or again)
        except OSError:  # whoever looks at it next finds nobody at work
            LOGGER.exception("job %s cannot be put down", again.id)
        finally:
            task.claim.release()

    def _work(self, task: _Task) -> None:
        """Make the file of a job, in a thread of its own; what becomes of it is for the keeper."""
        job, part = task.claim.job, None
        try:
            part = self._folder.new_part(job)
            with as_long_as_wanted(task.gone), telling(task.tell), spooled_in(part):
                made = self._perform(job)
                whole, size = self._spooled(job, made, part)
            whole.replace(self._folder.file_of(job))
            done = _ended(job, "successful", "; ".join(made.notes))
            file = ResultFile(made.media_type, made.disposition, size)
            task.end = replace(done, file=file, progress=100)
        except Abandoned:
            LOGGER.info("job %s was given up", job.id)
        except DatacubeError as error:
            task.end = _failed(job, error)
        except Exception as error:
            if self._folder.is_there(job):
                LOGGER.exception("job %s failed", job.id)
            task.end = _failed(job, _reason(job, error))
        finally:
            if part is not None:
                rmtree(part, ignore_errors=True)
            self._news.set()

    def _spooled(self, job: Job, made: Made, part: Path) -> tuple[Path, int]:
        """Where the file lies and its size in bytes; written there unless it lies on disk already.

        Raises
        ------
        RequestTooLarge
            It is, or grows, larger than it may be.
        OSError
            The disk is full, or fails, or the job was dismissed.
        """
        if isinstance(made.pieces, FilePieces) and made.pieces.kept is not None:
            whole = made.pieces.kept
            size = whole.stat().st_size
            _check(size, self._folder.room(job, size))
            with whole.open("rb") as file:
                os.fsync(file.fileno())
            return whole, size
        return (whole := part / "file"), self._written(job, made, whole)

    def _written(self, job: Job, made: Made, whole: Path) -> int:
        """Write the file; its size in bytes."""
        size, looked, room = 0, 0, self._folder.room(job, 0)
        with _ending(made.pieces) as pieces, whole.open("xb") as file:
            for piece in pieces:
                check_wanted()
                size += len(piece)
                if size - looked > _PIECES:
                    looked, room = size, self._folder.room(job, size)
                _check(size, room)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        return size


@contextmanager
def _ending(pieces: Iterator[Piece]) -> Iterator[Iterator[Piece]]:
    """The pieces; what makes them ends with them."""
    try:
        yield pieces
    finally:
        if isinstance(pieces, Generator):
            pieces.close()


def _check(size: int, room: int) -> None:
    if size > room:
        raise RequestTooLarge(
            f"the file is larger than the {max(room, 0) / 1e6:,.1f} MB that are left for it; ask "
            "for a part, or for another format",
            subject="jobs",
        )


def _reason(job: Job, error: Exception) -> DatacubeError:
    """What a user learns of what nobody has foreseen."""
    if isinstance(error, OSError) and error.strerror:
        return StorageError(f"the file cannot be written: {error.strerror}")
    return DatacubeError(f"the server failed unexpectedly; its log has the details under {job.id}")


def _failed(job: Job, error: DatacubeError) -> Job:
    return replace(_ended(job, "failed", error.message), failure=type(error).__name__)


def _ended(job: Job, state: State, message: str) -> Job:
    now = time.time()
    return replace(job, state=state, message=message, updated=now, finished=now)
