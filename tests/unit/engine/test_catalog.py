"""The catalogue while its store changes, suffers and goes."""

import pytest

from datacube.config.settings import Config
from datacube.engine.catalog import REFRESH_SECONDS, Catalog
from datacube.errors import CoverageNotFound, StorageError
from datacube.store.cache import ChunkCache
from datacube.store.url import open_store
from tests.cubes import make_cube


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


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
