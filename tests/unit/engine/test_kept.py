"""Pictures beyond the memory of a process: kept whole, shared, bounded, and never needed."""

import os
from pathlib import Path
from typing import override

import pytest

from datacube.config.settings import Config, ServerSettings, TileCacheSettings
from datacube.engine.context import make_context
from datacube.engine.kept import LARGEST, KeptTiles
from datacube.errors import StorageError
from datacube.store.url import open_store
from services.app.asgi import Application
from tests.asgi import Client
from tests.cubes import make_cube
from tests.stores import CountingStore, WrappedStore

TILE = "/tiles/closed/default/WebMercatorQuad/1/0/{column}.png?time=2020-01-01"


def never():
    raise AssertionError("it is kept")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "tiles"


def kept_in(folder, most=1_000_000):
    return KeptTiles(open_store(str(folder)), most)


def files(folder):
    return sorted(one for one in Path(folder).rglob("*") if one.is_file())


def test_another_process_finds_it(folder):
    assert kept_in(folder).get('"ab01"', lambda: b"body") == b"body"
    assert kept_in(folder).get('"ab01"', never) == b"body"
    assert not kept_in(folder).remote


def test_what_is_damaged_is_made_again(folder):
    kept_in(folder).get('"ab01"', lambda: b"body")
    (one,) = files(folder)
    for data in (b"", b"abc", one.read_bytes()[:-1], b"\0" + one.read_bytes()[1:]):
        one.write_bytes(data)
        assert kept_in(folder).get('"ab01"', lambda: b"body") == b"body"
        assert kept_in(folder).get('"ab01"', never) == b"body"


def test_the_oldest_go(folder):
    kept = kept_in(folder, most=10_000)
    for number in range(40):
        kept.get(f'"{number:04d}"', lambda: b"x" * 996)
        for age, one in enumerate(reversed(files(folder))):
            os.utime(one, (1_000_000_000 - age, 1_000_000_000 - age))
        assert sum(one.stat().st_size for one in files(folder)) <= 10_000
    left = files(folder)
    assert left[-1].name == "0039"
    assert "0000" not in [one.name for one in left]


def test_what_several_write_is_bounded_together(folder):
    """Each counts only what it writes itself, and begins with a look."""
    four = [kept_in(folder, most=100_000) for _ in range(4)]
    for number in range(400):
        four[number % 4].get(f'"{number:04d}"', lambda: b"x" * 996)
        assert sum(one.stat().st_size for one in files(folder)) <= 100_000
    assert len(files(folder)) >= 70


def test_large_pictures_are_not_kept(folder):
    kept_in(folder).get('"ab01"', lambda: b"x" * (LARGEST + 1))
    assert files(folder) == []


class Broken(WrappedStore):
    @override
    def get(self, key):
        raise StorageError(key)

    @override
    def put(self, key, data):
        raise StorageError(f"{key}: {len(data)} bytes")


def test_a_cache_that_is_gone_hinders_nothing(folder):
    kept = KeptTiles(Broken(open_store(str(folder))), 1000)
    assert kept.get('"ab01"', lambda: b"body") == b"body"


def test_a_server_that_starts_again_reads_no_chunk(tmp_path, folder):
    make_cube(tmp_path / "store")
    config = Config(ServerSettings(tile_cache=TileCacheSettings(str(folder))))

    def served():
        store = CountingStore(open_store(str(tmp_path / "store")))
        return Application(make_context(store, config), store), store

    bodies, reads = [], []
    for _ in range(2):
        app, store = served()
        answers = [Client(app).get(TILE.format(column=column)) for column in (0, 1)]
        bodies.append([one.content for one in answers])
        reads.append(store.chunks_read)
        app.close()
    assert bodies[0] == bodies[1]
    assert reads[0] > 0
    assert reads[1] == 0
    assert len(files(folder)) == 2
