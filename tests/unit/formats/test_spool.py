"""What is left of files that were never sent: gone at the next start, and nothing else."""

import os
import signal
import subprocess
import sys
import tempfile
import time

import pytest

from datacube.formats.spool import spool_folder, sweep

HOLDING = """
import time
from datacube.formats.spool import spool_folder
with spool_folder() as folder:
    (folder / "large").write_bytes(bytes(1000))
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def aged(folder):
    os.utime(folder, (time.time() - 3600,) * 2)


def test_the_folder_of_a_process_that_was_killed_goes_and_those_in_use_stay(temporary):
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDING],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(temporary)},
    )
    left = child.stdout.readline().strip()
    with spool_folder() as mine:
        for folder in (left, mine):
            aged(folder)
        assert sweep() == 0
        os.kill(child.pid, signal.SIGKILL)
        child.wait(10)
        child.stdout.close()
        assert sweep() == 1
        assert not os.path.lexists(left)
        assert mine.is_dir()
    assert list(temporary.iterdir()) == []


def test_what_is_new_or_no_folder_of_these_stays(temporary):
    new = temporary / "datacube-coverage-new"
    new.mkdir()
    other = temporary / "coverage-of-another"
    other.mkdir()
    file = temporary / "datacube-coverage-file"
    file.touch()
    link = temporary / "datacube-coverage-link"
    link.symlink_to(other)
    for one in (other, file):
        aged(one)
    assert sweep() == 0
    assert len(list(temporary.iterdir())) == 4
