"""Storages that do not do what they should, or fail: found out, refused in words, outlived."""

import errno
import os
import uuid
from datetime import timedelta

import pytest

from datacube.errors import ConflictError, StorageError
from datacube.store.collect import collect
from datacube.store.cube import open_cube
from datacube.store.maintain import verify
from datacube.store.url import open_store
from tests.contracts.conftest import s3_environment
from tests.cubes import add_slices, make_cube, read_level, slice_values, time_of
from tests.faults import fault_proxy

OPTIONS = {"width": 24, "height": 16, "chunks": {"x": 8, "y": 8}}
pytestmark = pytest.mark.s3


@pytest.fixture
def faults(s3_server, monkeypatch):
    with fault_proxy(s3_server) as found:
        for name, value in s3_environment(found.url).items():
            monkeypatch.setenv(name, value)
        yield found


@pytest.fixture
def store(faults):
    return open_store(f"s3://bucket/{uuid.uuid4().hex}")


def is_right(store, days: int) -> None:
    cube = open_cube(store, "closed")
    assert time_of(cube).size == days
    for t in range(days):
        assert (read_level(cube, "v", t) == slice_values(cube.description, t)["v"]).all()
    assert verify(cube) == []


def test_a_storage_that_ignores_conditions_is_refused(store, faults):
    faults.careless = True
    with pytest.raises(StorageError, match="does not honour conditional puts"):
        make_cube(store, **OPTIONS)
    assert store.list("") == []


def test_one_writer_alone_may_use_it(store, faults, monkeypatch):
    faults.careless = True
    monkeypatch.setenv("DATACUBE_SINGLE_WRITER", "1")
    alone = open_store(store.url)
    cube = make_cube(alone, times=("2020-01-01",), **OPTIONS)
    add_slices(alone, cube.description, ["2020-01-02"], first=1)
    is_right(alone, 2)
    first, again = alone.claim("closed/manifest/claims/1"), alone.claim("closed/manifest/claims/1")
    assert first is not None
    assert again is None  # the same program's threads do not get in each other's way
    with pytest.raises(StorageError, match="DATACUBE_SINGLE_WRITER"):
        store.claim("closed/manifest/claims/2")


def test_short_failures_are_outlived(store, faults):
    cube = make_cube(store, times=("2020-01-01",), **OPTIONS)
    faults.unavailable, faults.lost, faults.cut = 3, 2, 1
    add_slices(store, cube.description, ["2020-01-02"], first=1)
    is_right(store, 2)
    assert set(faults.met) == {"unavailable", "lost", "cut"}


def test_a_full_disk_can_be_collected(tmp_path, monkeypatch):
    store = open_store(str(tmp_path))
    cube = make_cube(store, times=("2020-01-01",), **OPTIONS)
    for t in (3, 1):
        add_slices(store, cube.description, ["2020-01-01"], first=t)
    before = store.list("closed")
    key = "closed/manifest/claims/history"

    def full(descriptor, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.write", full)
    claim = store.claim(key)
    other = open_store(str(tmp_path))
    assert other.claim(key) is None
    with pytest.raises(ConflictError, match="being collected"):
        collect(other, "closed", keep=1)
    assert other.claimed_since(key) is not None
    claim.release()
    done = collect(other, "closed", keep=1, grace=timedelta(seconds=-1))
    assert done.objects > 2
    assert len(store.list("closed")) == len(before) - done.objects
    assert not list(tmp_path.glob("closed/manifest/claims/*"))
    monkeypatch.undo()
    assert verify(open_cube(store, "closed")) == []


def test_a_full_disk_leaves_the_cube_as_it_was(tmp_path, monkeypatch):
    store = open_store(str(tmp_path))
    cube = make_cube(store, times=("2020-01-01",), **OPTIONS)
    before = store.list("")
    write, room = os.write, [6]

    def full(descriptor, data):
        room[0] -= 1
        if room[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data)

    monkeypatch.setattr("os.write", full)
    with pytest.raises(StorageError, match="No space left on device"):
        add_slices(store, cube.description, ["2020-01-02"], first=1)
    monkeypatch.undo()
    assert store.list("") == before
    assert not list(tmp_path.rglob("*.tmp"))
    add_slices(store, cube.description, ["2020-01-02"], first=1)
    is_right(store, 2)
