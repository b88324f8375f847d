"""The jobs of a server, as its services see them."""

from hashlib import sha256
from os import F_OK, access, getuid
from pathlib import Path
from shutil import disk_usage
from tempfile import gettempdir

from datacube.config.settings import JobSettings
from datacube.errors import JobNotFound, ResultNotReady
from datacube.formats.pieces import Streamed, part_of_file
from datacube.jobs.folder import JobFolder
from datacube.jobs.record import Job, ResultFile, Wish
from datacube.jobs.runner import Perform, Runner


class Jobs:
    """Jobs of a store, in whichever process.

    Parameters
    ----------
    settings : JobSettings
    store_url : str
        Servers of other stores have other folders, where none is configured.
    perform : callable
        Makes the file of a job.
    """

    def __init__(self, settings: JobSettings, store_url: str, perform: Perform) -> None:
        self._folder = JobFolder(job_folder(settings, store_url), settings)
        self._runner = Runner(self._folder, perform)

    def resume(self) -> None:
        """Go on with what lies in the folder."""
        if self._folder.sweep() is not None:
            self._runner.wake()

    def stop(self) -> None:
        """Begin none any more."""
        self._runner.stop()

    def close(self) -> None:
        """Work at none any more; what is not done waits for another process."""
        self._runner.close()

    def add(self, wish: Wish, values: int, nbytes: int) -> Job:
        """Begin a job when it is its turn; raises as :meth:`JobFolder.add`."""
        try:
            return self._folder.add(wish, values, nbytes)
        finally:  # what stands in the way of one may be over
            self._runner.wake()

    def find(self, identifier: str) -> Job:
        """A job as it stands.

        Raises
        ------
        JobNotFound
        """
        job = self._folder.find(identifier)
        self._runner.wake()
        return job

    def all(self) -> tuple[Job, ...]:
        """Every job, the oldest first."""
        return self._folder.all()

    def dismiss(self, identifier: str) -> Job:
        """Stop a job and take it away; as it was.

        Raises
        ------
        JobNotFound
        """
        job = self._folder.remove(identifier)
        self._runner.wake()
        return job

    def expires(self, job: Job) -> float | None:
        """When it will be taken away, in seconds since 1970; None before it has ended."""
        return self._folder.expires(job)

    def file(self, job: Job) -> ResultFile:
        """What a job has made.

        Raises
        ------
        ResultNotReady
            It is not yet made.
        DatacubeError
            What the job has failed with.
        """
        if job.state == "failed":
            raise job.error
        if job.file is None:
            raise ResultNotReady(f"the job is {job.state}; ask again later", subject=job.id)
        return job.file

    def content(self, job: Job, start: int, length: int) -> Streamed:
        """Some bytes of that file, all of them even if the job is taken away meanwhile.

        Raises
        ------
        JobNotFound
            It has just been taken away.
        """
        try:
            return part_of_file(self._folder.file_of(job), start, length)
        except FileNotFoundError as error:
            raise JobNotFound(f"no job '{job.id}'", subject=job.id) from error


def most_bytes(settings: JobSettings) -> int:
    """How large the file of a job can be at most, were there no other jobs."""
    free = disk_usage(job_disk(settings)).free
    return min(settings.max_bytes, settings.total_bytes, free // 2)


def job_disk(settings: JobSettings) -> Path:
    """A folder that is there, on the disk where jobs lie."""
    folder = Path(settings.folder or gettempdir()).absolute()
    return next(one for one in (folder, *folder.parents) if access(one, F_OK))


def job_folder(settings: JobSettings, store_url: str) -> Path:
    """Where the jobs of a store lie."""
    if settings.folder:
        return Path(settings.folder)
    name = sha256(store_url.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return Path(gettempdir()) / f"datacube-jobs-{getuid()}-{name}"
