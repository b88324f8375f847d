"""The length of a file that others append to."""

import subprocess
import sys
from pathlib import Path

import pytest

from datacube.store.growth import GrowingFile
from datacube.store.local import LocalObjects
from tests.clock import Clock

WRITE = """
import sys
from pathlib import Path
from datacube.store.local import LocalObjects
assert LocalObjects(Path(sys.argv[1])).put_if("other", b"2", None)
"""


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "changes"


@pytest.fixture
def growing(path, clock):
    return GrowingFile(str(path), clock)


def test_every_byte_counts_at_once(growing, path):
    found = []
    for _ in range(4):
        with path.open("ab") as file:
            file.write(b".")
        found.append(growing.length())
    assert found == [1, 2, 3, 4]


def test_a_file_that_is_not_there_yet_counts_as_soon_as_it_is(growing, path):
    assert growing.length() == 0
    path.write_bytes(b"abc")
    assert growing.length() == 3


def test_a_file_in_its_place_counts_within_a_second(growing, path, clock):
    path.write_bytes(b"abc")
    assert growing.length() == 3
    other = path.with_name("other")
    other.write_bytes(b"abcdefg")
    other.replace(path)
    clock.now += 1
    assert growing.length() == 7


def test_a_file_that_has_gone_counts_nothing_within_a_second(growing, path, clock):
    path.write_bytes(b"abc")
    assert growing.length() == 3
    path.unlink()
    clock.now += 1
    assert growing.length() == 0


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_no_descriptor_is_left(growing, path, clock):
    before = descriptors()
    for number in range(5):
        other = path.with_name(f"other{number}")
        other.write_bytes(b"a" * number)
        other.replace(path)
        clock.now += 1
        assert growing.length() == number
    assert descriptors() == before + 1
    path.unlink()
    clock.now += 1
    assert growing.length() == 0
    assert descriptors() == before


def test_the_pulse_of_a_folder_is_felt_by_others(tmp_path):
    objects = LocalObjects(tmp_path)
    assert objects.pulse() == 0
    assert objects.put_if("head", b"1", None)
    first = objects.pulse()
    subprocess.run([sys.executable, "-c", WRITE, str(tmp_path)], check=True)
    assert objects.pulse() > first > 0
