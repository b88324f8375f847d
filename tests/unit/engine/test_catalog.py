"""The catalogue while its store changes, suffers and goes."""

import shutil

import pytest

from datacube.config.settings import Config
from datacube.engine.catalog import REFRESH_SECONDS, Catalog
from datacube.errors import CoverageNotFound, StorageError
from datacube.store.cache import ChunkCache
from datacube.store.url import open_store
from tests.clock import Clock
from tests.cubes import closed_form, make_cube, read_level, slice_values, ticks_of
from tests.stores import FarStore


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "store"
    for name in ("air", "sea"):
        make_cube(folder, name)
    return folder


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def catalog(folder, clock):
    return Catalog(open_store(str(folder)), Config(), ChunkCache(1 << 20), clock)


def ids(catalog, clock):
    clock.now += REFRESH_SECONDS
    return [cube.id for cube in catalog.cubes()]


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"null",
        b"{}",
        b"\xff",
        b'{"format": 99, "version": 2, "manifest": "manifest/versions/x"}',
        b'{"format": 1, "version": 2, "manifest": "../../../etc/passwd"}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_head_harms_no_other_cube(catalog, clock, folder, head):
    path = folder / "sea" / "manifest" / "head.json"
    sound = path.read_bytes()
    path.write_bytes(head)
    assert ids(catalog, clock) == ["air"]
    path.write_bytes(sound)
    assert ids(catalog, clock) == ["air", "sea"]
    path.write_bytes(head)
    assert ids(catalog, clock) == ["air", "sea"]


def test_a_store_that_is_gone_is_no_empty_store(catalog, clock, folder):
    assert ids(catalog, clock) == ["air", "sea"]
    away = folder.rename(folder.with_name("away"))
    assert ids(catalog, clock) == ["air", "sea"]
    with pytest.raises(StorageError, match=r"is missing|lacks its"):
        catalog.cube("sea").store.chunk("v", 0, (0, 0, 0))
    away.rename(folder)
    assert int(catalog.cube("sea").store.chunk("v", 0, (0, 0, 0))[0, 3, 7]) == 37


def test_a_store_that_is_not_there_yet_is_empty(tmp_path, clock):
    catalog = Catalog(open_store(str(tmp_path / "new")), Config(), ChunkCache(1 << 20), clock)
    assert ids(catalog, clock) == []
    with pytest.raises(CoverageNotFound, match="the store is empty"):
        catalog.cube("air")
    make_cube(tmp_path / "new", "air")
    assert ids(catalog, clock) == ["air"]


def test_an_earlier_version_is_that_of_the_cube_that_is_there_now(catalog, clock, folder):
    old = catalog.cube("sea").store
    again = old.version
    with old.transaction("once more") as tx:
        tx.write_slice(ticks_of("2020-01-02"), slice_values(old.description, 1))
    clock.now += REFRESH_SECONDS
    assert read_level(catalog.earlier(catalog.cube("sea").store, again), "v")[0, 0] == 0
    shutil.rmtree(folder / "sea")
    new = make_cube(folder, "sea", formula=lambda *at: closed_form(*at) + 5)
    with new.transaction("once more") as tx:
        tx.write_slice(ticks_of("2020-01-02"), slice_values(new.description, 1))
    clock.now += REFRESH_SECONDS
    assert read_level(catalog.earlier(catalog.cube("sea").store, again), "v")[0, 0] == 5


def test_what_is_opened_beforehand_is_what_the_first_look_finds(catalog, clock, folder):
    make_cube(folder, "broken")
    (folder / "broken" / "manifest" / "head.json").write_bytes(b"{}")
    make_cube(folder, "late")
    catalog.open_own()
    assert catalog.version_at_hand == ""
    opened = dict(catalog._seen.cubes)
    assert list(opened) == ["air", "late", "sea"]
    shutil.rmtree(folder / "late")
    shutil.rmtree(folder / "sea")
    make_cube(folder, "sea", times=("2020-01-09",))
    found = {cube.id: cube for cube in catalog.cubes()}
    assert list(found) == ["air", "sea"]
    assert found["air"] is opened["air"]
    assert found["sea"] is not opened["sea"]


def test_nothing_is_opened_beforehand_of_a_store_that_is_not_there(tmp_path, clock):
    catalog = Catalog(open_store(str(tmp_path / "absent")), Config(), ChunkCache(1 << 20), clock)
    catalog.open_own()
    assert catalog.cubes() == ()


class Word:
    """What several catalogues tell one another."""

    count = 0

    def tell(self):
        self.count += 1


def test_what_one_process_has_seen_the_others_look_at(folder, clock):
    word = Word()
    store = open_store(str(folder))
    first, second, third = (
        Catalog(store, Config(), ChunkCache(1 << 20), clock, word) for _ in range(3)
    )
    versions = {one.version for one in (first, second, third)}
    assert (len(versions), word.count) == (1, 0)
    clock.now += REFRESH_SECONDS / 2
    assert third.version_at_hand
    clock.now += REFRESH_SECONDS / 2
    make_cube(folder, "land")
    assert first.version not in versions
    assert word.count == 1
    assert second.version_at_hand == ""
    assert {second.version, third.version} == {first.version}
    assert word.count == 1  # who has been told tells nobody
    assert second.version_at_hand == first.version


def test_who_holds_the_catalogue_sees_one_version_until_it_is_let_go(catalog, clock, folder):
    version = catalog.hold()
    make_cube(folder, "land")
    clock.now += REFRESH_SECONDS
    assert catalog.version == version
    assert [cube.id for cube in catalog.cubes()] == ["air", "sea"]
    catalog.let_go()
    assert [cube.id for cube in catalog.cubes()] == ["air", "land", "sea"]
    assert catalog.hold() != version
    catalog.let_go()


def test_a_look_behind_a_network_lists_once_and_reads_all_heads_at_the_same_time(folder, clock):
    store = FarStore(open_store(str(folder)))
    catalog = Catalog(store, Config(), ChunkCache(1 << 20), clock)
    assert ids(catalog, clock) == ["air", "sea"]
    store.reset()
    store.listings = 0
    store.expect("head.json$", 2)
    assert ids(catalog, clock) == ["air", "sea"]
    assert (store.requests, store.listings) == (2, 1)


def test_a_cube_behind_a_network_that_is_deleted_goes(folder, clock):
    catalog = Catalog(FarStore(open_store(str(folder))), Config(), ChunkCache(1 << 20), clock)
    assert ids(catalog, clock) == ["air", "sea"]
    (folder / "sea" / "manifest" / "head.json").unlink()
    assert ids(catalog, clock) == ["air"]
