"""The folder of jobs, which several processes have in common.

Each job has a folder of its own: ``job.json`` (replaced whole), the file, and a lock that whoever
works at the job holds; the system lets go of it when that process ends, however it does. A job is
there as long as its folder is. As many locks stand beside the jobs as may run at once.
"""

import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import disk_usage, rmtree

from datacube.config.settings import JobSettings
from datacube.errors import JobNotFound, StorageError, TooManyJobs
from datacube.jobs.locks import locked, try_lock
from datacube.jobs.record import Job, Wish, read, written

_ID = re.compile(r"[0-9a-f]{32}")
_HALF = re.compile(r"\.[0-9a-f]{32}(-[0-9a-f]{8})?")
_HALF_SECONDS = 60.0  # to begin a job or take one away, which takes a moment
_JOB, _LOCK, _RESULT, _PART = "job.json", "lock", "result", "part"
_DIED = "the process that worked at it has ended; begin it anew"


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that this process alone works at, until it lets go.

    Parameters
    ----------
    job : Job
    locks : file descriptors
    """

    job: Job
    locks: tuple[int, ...]

    def release(self) -> None:
        """Let others run another job."""
        for one in self.locks:
            os.close(one)


class JobFolder:
    """The jobs of a server.

    Parameters
    ----------
    path : Path, made when the first job comes
    settings : JobSettings
    """

    def __init__(self, path: Path, settings: JobSettings) -> None:
        self._path = path
        self._settings = settings

    def add(self, wish: Wish, values: int, nbytes: int) -> Job:
        """A new job, which waits for its turn.

        Parameters
        ----------
        values : int, that will be read
        nbytes : int, of them

        Raises
        ------
        TooManyJobs
            As many wait as may, or the files of others leave no room.
        StorageError
            The folder cannot be written.
        """
        now = time.time()
        job = Job(secrets.token_hex(16), wish, values, nbytes, now, now)
        try:
            self._make()
            with locked(self._path / ".admission"):
                self._admit(nbytes)
                self._begin(job)
        except OSError as error:
            raise StorageError(f"no job can be kept: {error.strerror}", subject="jobs") from error
        return job

    def find(self, identifier: str) -> Job:
        """A job as it stands; one whose process has died has failed.

        Raises
        ------
        JobNotFound
        """
        job = self._read(identifier) if _ID.fullmatch(identifier) else None
        if job is None or self._is_over(job):
            raise JobNotFound(
                f"no job '{identifier[:40]}': there was none, or it was dismissed or has expired",
                subject=identifier[:40],
            )
        return self._seen_dead(job) if job.state == "running" else job

    def all(self) -> tuple[Job, ...]:
        """Every job, the oldest first."""
        found = []
        for path in self._folders():
            with suppress(JobNotFound):
                found.append(self.find(path.name))
        return tuple(sorted(found, key=lambda job: job.created))

    def remove(self, identifier: str) -> Job:
        """Take a job away, with its file; who works at it finds it gone.

        Returns
        -------
        Job
            As it was.

        Raises
        ------
        JobNotFound
        """
        job = self.find(identifier)
        away = self._path / f".{identifier}-{secrets.token_hex(4)}"
        try:
            (self._path / identifier).rename(away)
        except OSError as error:
            raise JobNotFound(f"no job '{identifier}'", subject=identifier) from error
        rmtree(away, ignore_errors=True)
        return job

    def sweep(self) -> float | None:
        """Take away what has been kept long enough, and what processes that died have left.

        Returns
        -------
        float or None
            Seconds until something is due; None where there is no job at all.
        """
        keep, now = self._settings.keep_ms / 1000, time.time()
        ends = []
        for path in self._folders(_HALF):
            if (end := _changed(path) + _HALF_SECONDS) <= now:
                rmtree(path, ignore_errors=True)
            else:
                ends.append(end)
        for path in self._folders():
            job = self._read(path.name)
            if job is not None and job.state == "running":
                job = self._seen_dead(job)
            gone = _changed(path) + keep <= now if job is None else self._is_over(job)
            if gone:  # one that cannot be read is of another version
                rmtree(path, ignore_errors=True)
            elif job is not None:
                ends.append(self.expires(job) or now + keep)
        return max(min(ends) - now, 0.0) if ends else None

    def claim(self) -> Claim | None:
        """The job that has waited longest, if it may run now.

        Raises
        ------
        OSError
            It cannot be noted that it runs.
        """
        waiting = sorted(self._states("accepted"), key=lambda job: job.created)
        if not waiting or (turn := self._turn()) is None:
            return None
        for job in waiting:
            lock = try_lock(self._path / job.id / _LOCK)
            if lock is None:
                continue
            claim = Claim(job, (lock, turn))
            try:
                begun = self._began(job)
            except BaseException:
                claim.release()
                raise
            if begun is not None:
                return replace(claim, job=begun)
            os.close(lock)
        os.close(turn)
        return None

    def _began(self, job: Job) -> Job | None:
        """The job, running; None where it has begun, or gone, meanwhile."""
        found = self._read(job.id)
        if found is None or found.state != "accepted":
            return None
        self._remove_parts(job)
        now = time.time()
        begun = replace(found, state="running", started=now, updated=now)
        return begun if self.write(begun) else None

    def write(self, job: Job) -> bool:
        """Replace what is known of a job; False where it is no longer there.

        Raises
        ------
        OSError
            The disk takes no more.
        """
        folder = self._path / job.id
        beside = folder / f".{_JOB}-{secrets.token_hex(4)}"
        try:
            with beside.open("xb") as file:
                file.write(written(job))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(folder / _JOB)
        except FileNotFoundError:
            return False
        except OSError:
            beside.unlink(missing_ok=True)
            raise
        return True

    def file_of(self, job: Job) -> Path:
        """Where the file of a job lies once it is whole."""
        return self._path / job.id / _RESULT

    def new_part(self, job: Job) -> Path:
        """An empty folder for what is needed to make it.

        Raises
        ------
        OSError
            There is no room for it, or the job is gone.
        """
        part = self._path / job.id / f"{_PART}-{secrets.token_hex(4)}"
        part.mkdir(mode=0o700)
        return part

    def is_there(self, job: Job) -> bool:
        """Whether nobody has dismissed it."""
        return (self._path / job.id).exists()

    def room(self, job: Job, size: int) -> int:
        """Bytes that the file of a job may have, as things are.

        Parameters
        ----------
        size : int, bytes that it has so far
        """
        others = [one for one in self._jobs() if one.id != job.id]
        made = size + sum(one.size for one in others if one.file is not None)
        left = self._most(made) - sum(one.size for one in others)
        return min(self._settings.max_bytes, left)

    def expires(self, job: Job) -> float | None:
        """When it will be taken away, in seconds since 1970; None before it has ended."""
        return None if job.finished is None else job.finished + self._settings.keep_ms / 1000

    def waits(self) -> bool:
        """Whether a job waits for its turn."""
        return any(True for _ in self._states("accepted"))

    def _make(self) -> None:
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._is_ours():
            raise PermissionError(1, f"the folder '{self._path}' is somebody else's")

    def _is_ours(self) -> bool:
        """Whether nobody else can have put something here.

        A folder that is configured is the operator's; one among the temporary files may be made
        by anybody.
        """
        if self._settings.folder:
            return True
        try:
            found = self._path.lstat()
        except OSError:
            return False
        mine = found.st_uid == os.getuid() and not found.st_mode & 0o077
        return mine and stat.S_ISDIR(found.st_mode)

    def _admit(self, nbytes: int) -> None:
        jobs = tuple(self._jobs())
        waiting = sum(job.state == "accepted" for job in jobs)
        if waiting >= self._settings.waiting:
            raise TooManyJobs(f"{waiting} jobs wait already, which is the limit; ask again later")
        if len(jobs) >= self._settings.kept:
            raise TooManyJobs(
                f"{len(jobs)} jobs are kept already, which is the limit; ask again later, or "
                "dismiss jobs that you have fetched"
            )
        made = sum(job.size for job in jobs if job.file is not None)
        left = self._most(made) - sum(job.size for job in jobs)
        if nbytes > left:
            raise TooManyJobs(
                f"the file would have about {nbytes / 1e6:,.1f} MB, and other jobs leave "
                f"{max(left, 0) / 1e6:,.1f} MB; ask again later, or dismiss jobs that you have "
                "fetched"
            )

    def _most(self, made: int) -> int:
        """Bytes of all files together, so many of them made; half of the disk is for others."""
        return min(self._settings.total_bytes, (disk_usage(self._path).free + made) // 2)

    def _begin(self, job: Job) -> None:
        """Make a job's folder whole before it is seen."""
        beside = self._path / f".{job.id}"
        beside.mkdir(mode=0o700)
        (beside / _LOCK).touch()
        (beside / _JOB).write_bytes(written(job))
        beside.rename(self._path / job.id)

    def _is_over(self, job: Job) -> bool:
        end = self.expires(job)
        return end is not None and end <= time.time()

    def _seen_dead(self, job: Job) -> Job:
        """The job, failed where nobody holds its lock any more."""
        lock = try_lock(self._path / job.id / _LOCK)
        if lock is None:
            return job
        try:
            now = self._read(job.id) or job
            if now.state != "running":  # it has ended meanwhile
                return now
            when = time.time()
            failed = replace(now, state="failed", updated=when, finished=when, message=_DIED)
            self._remove_parts(job)
            with suppress(OSError):  # whoever looks next notes it
                self.write(failed)
            return failed
        finally:
            os.close(lock)

    def _remove_parts(self, job: Job) -> None:
        """Take away what a process that died was making; whoever does so holds the lock."""
        for part in (self._path / job.id).glob(f"{_PART}-*"):
            rmtree(part, ignore_errors=True)

    def _turn(self) -> int | None:
        """The lock of one of the places to run; None where all are taken."""
        for number in range(self._settings.running):
            lock = try_lock(self._path / f".turn-{number}")
            if lock is not None:
                return lock
        return None

    def _folders(self, name: re.Pattern[str] = _ID) -> Iterator[Path]:
        if not self._is_ours():
            return
        with suppress(OSError):  # there is none yet, or none that can be read
            yield from (one for one in self._path.iterdir() if name.fullmatch(one.name))

    def _jobs(self) -> Iterator[Job]:
        for path in self._folders():
            if (job := self._read(path.name)) is not None and not self._is_over(job):
                yield job

    def _states(self, state: str) -> Iterator[Job]:
        return (job for job in self._jobs() if job.state == state)

    def _read(self, identifier: str) -> Job | None:
        if not self._is_ours():
            return None
        try:
            return read((self._path / identifier / _JOB).read_bytes())
        except OSError:  # it has gone
            return None
        except (ValueError, TypeError, KeyError, AttributeError):  # of another version
            return None


def _changed(path: Path) -> float:
    """When a folder was changed, in seconds since 1970; now where it has gone."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()
