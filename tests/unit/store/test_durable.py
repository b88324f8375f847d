"""Files that survive a power cut."""

from pathlib import Path

import pytest

from datacube.errors import StorageError
from datacube.store import durable
from datacube.store.durable import Disk
from datacube.store.local import LocalObjects


@pytest.fixture
def synced(monkeypatch):
    """Names of the files and folders that were synced one by one."""
    names = []
    one = durable.sync_file

    def sync(path):
        names.append(path)
        one(path)

    monkeypatch.setattr(durable, "sync_file", sync)
    return names


def whole(disk):
    """Whether the file system of the tests can be synced as a whole."""
    disk.watch()
    return disk._whole


def test_few_files_are_synced_one_by_one(tmp_path, synced):
    store = LocalObjects(tmp_path)
    store.put("a/b", b"1")
    store.put("a/c", b"2")
    store.sync(["a/b", "a/c"])
    assert sorted(synced) == [f"{tmp_path}/{one}" for one in ("", "a", "a/b", "a/c")]


def test_many_files_are_synced_at_once(tmp_path, synced):
    store = LocalObjects(tmp_path)
    keys = [f"a/{number}" for number in range(200)]
    for key in keys:
        store.put(key, b"1")
    store.sync(keys)
    assert len(synced) == (0 if whole(store._disk) else 202)


def test_what_lies_on_another_file_system_is_synced_by_itself(tmp_path, synced):
    disk = Disk(str(tmp_path))
    if not whole(disk):
        disk._whole = True
    disk._device += 1  # none of the files lies where the folder does
    paths = []
    for number in range(100):
        path = tmp_path / str(number)
        path.write_bytes(b"1")
        paths.append(str(path))
    disk.sync(paths)
    assert sorted(synced) == sorted(paths)


def test_after_a_failure_every_file_is_asked(tmp_path, synced):
    disk = Disk(str(tmp_path))
    disk.watch()
    disk._whole = True
    disk._descriptor = -1  # syncing it fails
    paths = [str(tmp_path / str(number)) for number in range(100)]
    for path in paths[1:]:
        Path(path).write_bytes(b"1")
    with pytest.raises(FileNotFoundError):
        disk.sync(paths)
    assert len(synced) > 0
    disk.sync(paths[1:])
    assert set(paths[1:]) <= set(synced)


def test_much_is_brought_to_the_disk_before_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(durable, "_MUCH", 1000)
    disk = Disk(str(tmp_path))
    disk.watch()
    disk._whole = True
    calls = []
    monkeypatch.setattr(disk, "_sync_whole", lambda: calls.append(1) or True)
    for _ in range(25):
        disk.wrote(100)
    assert len(calls) == 2


def test_what_cannot_be_synced_is_said(tmp_path):
    store = LocalObjects(tmp_path)
    store.put("a", b"1")
    with pytest.raises(StorageError, match="cannot make durable"):
        store.sync(["a", "absent"])
