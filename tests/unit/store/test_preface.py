"""Walking through versions reads what stands before their slices."""

import gzip
from dataclasses import replace
from datetime import timedelta

import pytest

from datacube.errors import StorageError
from datacube.store.collect import collect
from datacube.store.cube import open_cube
from datacube.store.history import history, read_head
from datacube.store.manifest import Version
from datacube.store.preface import read_preface
from datacube.store.url import open_store
from tests.cubes import add_slices, make_cube
from tests.stores import CountingStore

DAYS = tuple(f"2020-01-{day:02d}" for day in range(1, 7))


@pytest.mark.parametrize("times", [None, (), DAYS[:1], DAYS])
def test_it_says_what_the_whole_document_says(tmp_path, times):
    store = open_store(str(tmp_path))
    version = replace(
        make_cube(store, times=times).record, message='of ,"slices":{"ticks":[ and more'
    )
    name, packed = version.dump()
    preface = read_preface(packed, name, "closed")
    assert preface.slices == len(version.slices)
    assert preface.fields == version.arrays.keys()
    said = preface.number, preface.parent, preface.committed, preface.message
    assert said == (version.number, version.parent, version.committed, version.message)


def read_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Has an entry for each document that is."""
    whole: list[int] = []
    load = Version.load

    def noted(packed, name, cube_id, grids=None):
        whole.append(1)
        return load(packed, name, cube_id, grids)

    monkeypatch.setattr(Version, "load", noted)
    return whole


def test_a_walk_reads_each_version_once_and_none_as_a_whole(tmp_path, monkeypatch):
    store = CountingStore(open_store(str(tmp_path)))
    cube = make_cube(store, times=())
    for day in DAYS:
        add_slices(store, cube.description, [day])
    whole = read_as_a_whole(monkeypatch)
    head = read_head(store, "closed")
    store.reset()
    assert len(list(history(store, "closed", head))) == len(DAYS) + 1
    assert store.requests == len(DAYS) + 1
    assert whole == []
    assert open_cube(store, "closed", version=3).version == 3
    assert whole == [1]
    done = collect(store, "closed", keep=2, grace=timedelta(seconds=-1), dry_run=True)
    assert len(done.expired) == len(DAYS) - 1
    assert len(whole) == 1 + len(done.kept)


@pytest.mark.parametrize("cut", [20, 200, -1])
def test_a_damaged_document_is_an_error_in_words(tmp_path, cut):
    version = make_cube(str(tmp_path), times=DAYS).record
    name, packed = version.dump()
    broken = bytearray(packed)
    broken[cut] ^= 0xFF
    for data in (bytes(broken), packed[:cut], b"", gzip.compress(b"{}")):
        with pytest.raises(StorageError, match="damaged"):
            Version.load(data, name, "closed")
    for data in (packed[:30], b"", b"no gzip at all", gzip.compress(b"{}")):
        with pytest.raises(StorageError, match="damaged"):
            read_preface(data, name, "closed")
