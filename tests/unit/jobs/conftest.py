"""A folder of jobs whose files are written by hand."""

import time

import pytest

from datacube.config.settings import JobSettings
from datacube.jobs.folder import JobFolder
from datacube.jobs.record import Wish
from datacube.jobs.runner import Made, Runner

WISH = Wish("coverage", {"collection": "air", "bbox": [1, 2.5]}, "http://host")


class Works:
    """Runners over one folder, each as another process has it."""

    def __init__(self, path):
        self.path, self._runners = path, []

    def folder(self, **settings):
        return JobFolder(self.path, JobSettings(**settings))

    def runner(self, perform, **settings):
        made = Runner(self.folder(**settings), perform)
        self._runners.append(made)
        return made

    def files(self):
        return sorted(one.name for one in self.path.rglob("*") if one.is_file())

    def close(self):
        for one in self._runners:
            one.close()


@pytest.fixture
def works(tmp_path):
    made = Works(tmp_path / "jobs")
    yield made
    made.close()


def pieces(*parts):
    return lambda _job: Made(iter(parts), "text/plain", "attachment", ("a note",))


def until(true, seconds=60):
    """Wait for what another thread or process does."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found
