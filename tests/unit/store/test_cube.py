"""Reading: exact, cheap, counted, and loud where something is damaged."""

import threading
import time
from functools import partial
from typing import Any, override

import numpy as np
import pytest

from datacube.errors import CoverageNotFound, StorageError
from datacube.model.axis import IndexAxis, IrregularAxis
from datacube.model.fields import Field
from datacube.store.cache import ChunkCache
from datacube.store.cube import open_cube
from datacube.store.index import list_cubes
from datacube.store.maintain import verify
from datacube.store.transaction import transaction
from datacube.store.url import open_store
from tests.cubes import closed_form, make_cube, read_level, slice_values, ticks_of, time_of
from tests.stores import CountingStore

OPTIONS: dict[str, Any] = {"width": 20, "height": 10, "chunks": {"x": 8, "y": 8}, "levels": 1}


@pytest.fixture
def store(tmp_path):
    return CountingStore(open_store(str(tmp_path)))


def test_a_chunk_is_what_lies_on_the_grid_and_read_only(store):
    cube = make_cube(store, times=("2020-01-01", "2020-01-02"), **OPTIONS)
    assert cube.chunk_shape("v", 0) == (1, 8, 8)
    assert cube.chunk_counts("v", 0) == (2, 2, 3)
    chunk = cube.chunk("v", 0, (1, 1, 2))
    assert chunk.dtype == np.int32
    assert chunk.tolist() == [[[1096, 1097, 1098, 1099], [1106, 1107, 1108, 1109]]]
    assert cube.cache.held_bytes == chunk.nbytes == 32
    assert cube.chunk("v", 0, (1, 0, 0)).shape == (1, 8, 8)
    with pytest.raises(ValueError, match="read-only"):
        chunk[0, 0, 0] = 1


def test_reads_are_counted_exactly(store):
    make_cube(store, times=("2020-01-01", "2020-01-02"), **OPTIONS)
    store.reset()
    cube = open_cube(store, "closed")
    assert (store.requests, store.chunks_read) == (2, 0)  # head and version
    cube.chunk("v", 0, (0, 0, 0))
    assert (store.requests, store.chunks_read) == (4, 1)  # slice document and chunk
    cube.chunk("v", 0, (0, 0, 0))
    cube.chunk("v", 0, (0, 0, 1))
    assert (store.requests, store.chunks_read) == (5, 2)
    sizes = cube.chunk_sizes("v", 0, 0)
    assert sizes.shape == (2, 3)
    assert store.bytes_read == sizes[0, 0] + sizes[0, 1] == cube.cache.bytes_read
    assert store.keys == ["closed/v/c/0/0/0", "closed/v/c/0/0/1"]
    cube.refreshed()
    assert store.requests == 6


def test_rows_of_a_chunk_are_right_and_held_when_they_are_wanted_often(tmp_path):
    cube = make_cube(tmp_path, width=300, height=512, chunks={"x": 300, "y": 512}, levels=1)
    assert cube.cache.held_bytes == 0
    whole = 10 * np.arange(512)[:, None] + np.arange(300)
    part = cube.row_reader("v", 0, (0,))((0, 0), (200, 210))
    assert part.shape == (1, 512, 300)
    assert (part[0, 200:210] == whole[200:210]).all()
    assert not (part[0] == whole).all()  # no more was decoded than was wanted
    assert cube.cache.held_bytes == 0
    again = cube.row_reader("v", 0, (0,))((0, 0), (0, 100))
    assert (again[0] == whole).all()
    assert cube.cache.held_bytes == again.nbytes
    assert cube.row_reader("v", 0, (0,))((0, 0), (3, 4)) is cube.chunk("v", 0, (0, 0, 0))
    assert cube.cache.chunks_read == 2
    with pytest.raises(ValueError, match="read-only"):
        part[0, 200, 0] = 1


def test_chunks_of_which_nothing_is_stored_are_not_counted(tmp_path):
    cube = make_cube(tmp_path, width=300, height=512, chunks={"x": 300, "y": 256}, levels=1)
    with cube.transaction("nothing but fill") as tx:
        tx.write_slice(ticks_of("2020-01-02"), {})
    cube = cube.refreshed()
    misses = cube.cache.misses
    for _ in range(3):
        assert (cube.row_reader("v", 0, (1,))((0, 0), (0, 9)) == fill_of(cube)).all()
    assert (cube.cache.chunks_read, cube.cache.misses) == (0, misses)
    cube.row_reader("v", 0, (0,))((0, 0), (0, 9))
    assert (cube.cache.chunks_read, cube.cache.misses) == (1, misses + 1)


def fill_of(cube):
    return cube.record.arrays["v"][0]["fill_value"]


def test_many_that_want_rows_of_a_chunk_at_once_read_it_twice_at_most(tmp_path):
    cube = make_cube(tmp_path, width=300, height=512, chunks={"x": 300, "y": 512}, levels=1)
    start, found = threading.Barrier(10), []

    def ask(row):
        start.wait(10)
        found.append((row, cube.row_reader("v", 0, (0,))((0, 0), (row, row + 1))[0, row, 7]))

    threads = [threading.Thread(target=ask, args=(50 * number,)) for number in range(10)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(found) == [(row, 10 * row + 7) for row in range(0, 500, 50)]
    assert cube.cache.chunks_read <= 2


def test_the_cache_survives_a_commit(store):
    cube = make_cube(store, **OPTIONS)
    cube.chunk("v", 0, (0, 0, 0))
    with transaction(store, "closed", "next") as tx:
        tx.write_slice(ticks_of("2019-01-01"), slice_values(cube.description, 3))
    store.reset()
    new = cube.refreshed()
    assert int(new.chunk("v", 0, (1, 0, 0))[0, 1, 1]) == 11  # moved to index 1, still held
    assert store.chunks_read == 0
    assert int(new.chunk("v", 0, (0, 0, 0))[0, 1, 1]) == 3011
    assert store.chunks_read == 1


def test_a_chunk_of_fill_is_not_stored(store):
    field = Field("v", "int16", nil=-1)
    cube = make_cube(
        store, fields=(field,), formula=lambda *a: np.where(a[4] < 8, 5, -1), **OPTIONS
    )
    assert cube.chunk_sizes("v", 0, 0).astype(bool).tolist() == [[True, False, False]] * 2
    store.reset()
    assert (cube.chunk("v", 0, (0, 0, 1)) == -1).all()
    assert store.chunks_read == 0
    assert cube.cache.held_bytes == 0


def test_a_field_that_a_slice_lacks_is_fill(store):
    fields = (Field("a", "int16", nil=-7), Field("b", "float32"))
    cube = make_cube(store, times=(), fields=fields, **OPTIONS)
    with transaction(store, "closed", "only a") as tx:
        tx.write_slice(0, {"a": np.ones((10, 20), "int16")})
    cube = cube.refreshed()
    assert np.isnan(read_level(cube, "b")).all()
    assert cube.chunk_sizes("b", 0, 0).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_further_axes_and_their_values(store):
    axes = (IrregularAxis("depth", np.array([0.0, 10.0, 50.0]), "m"), IndexAxis("member", 2))
    cube = make_cube(store, times=("2020-01-01", "2020-01-02"), axes=axes, **OPTIONS)
    assert cube.description.domain.shape == (2, 3, 2, 10, 20)
    assert cube.chunk_shape("v") == (1, 1, 1, 8, 8)
    chunk = cube.chunk("v", 0, (1, 2, 1, 0, 1))
    assert int(chunk[0, 0, 0, 3, 4]) == closed_form(1, 5, 0, 3, 12)
    assert cube.chunk_sizes("v", 0, 1).shape == (3, 2, 2, 3)
    values = read_level(cube, "v", 1)
    assert np.array_equal(values, slice_values(cube.description, 1)["v"])


def test_an_empty_cube(store):
    cube = make_cube(store, times=(), **OPTIONS)
    assert time_of(cube).size == 0
    assert time_of(cube).iso == ()
    assert verify(cube) == []
    assert list_cubes(store) == ["closed"]


@pytest.mark.parametrize("cube_id", ["", "..", "../store", "a/b", "none", "a.b", "closed\n"])
def test_no_such_cube(store, cube_id):
    make_cube(store, **OPTIONS)
    with pytest.raises(CoverageNotFound, match="there is no cube"):
        open_cube(store, cube_id)


def damaged(tmp_path, how):
    path = tmp_path / "closed/v/c/1/1/2"
    data = bytearray(path.read_bytes())
    match how:
        case "flipped":
            data[len(data) // 2] ^= 4
            path.write_bytes(data)
        case "truncated":
            path.write_bytes(data[:-3])
        case "missing":
            path.unlink()
        case "longer":
            path.write_bytes(data + b"\0")


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("flipped", "is damaged: its checksum"),
        ("truncated", "bytes instead of"),
        ("missing", "is missing"),
        ("longer", "bytes instead of"),
    ],
)
@pytest.mark.parametrize("dtype", ["int32", "uint8"])
def test_damage_is_named_and_found(store, tmp_path, how, says, dtype):
    cube = make_cube(
        store,
        times=("2020-01-01", "2020-01-02"),
        dtype=dtype,
        formula=lambda t, _k, _f, y, x: (t + y + x) % 250,
        **OPTIONS,
    )
    damaged(tmp_path, how)
    with pytest.raises(StorageError, match=says) as caught:
        cube.chunk("v", 0, (1, 1, 2))
    for part in ("cube 'closed'", "field 'v'", "2020-01-02T00:00:00Z", "chunk 1/2"):
        assert part in str(caught.value)
    assert caught.value.subject == "closed"
    cube.chunk("v", 0, (0, 1, 2))
    (found,) = verify(cube)
    assert (found.field, found.level, found.time) == ("v", 0, "2020-01-02T00:00:00Z")
    assert found.chunk == "closed/v/c/1/1/2"
    assert says in str(found)


def test_verify_finds_every_damage(store, tmp_path):
    cube = make_cube(
        store,
        times=("2020-01-01", "2020-01-02"),
        width=20,
        height=10,
        chunks={"x": 8, "y": 8},
        fields=(Field("v", "int32"), Field("w", "float32")),
    )
    for key in ("closed/v/c/0/0/0", "closed/w/c/1/1/1", "closed/overviews/1/v/c/1/0/1"):
        path = tmp_path / key
        path.write_bytes(path.read_bytes()[:-1] + b"\x55")
    (tmp_path / "closed/w/c/0/0/2").unlink()
    found = {(one.chunk, one.level) for one in verify(cube)}
    assert found == {
        ("closed/v/c/0/0/0", 0),
        ("closed/w/c/1/1/1", 0),
        ("closed/overviews/1/v/c/1/0/1", 1),
        ("closed/w/c/0/0/2", 0),
    }


def test_a_damaged_slice_document_is_named(store, tmp_path):
    make_cube(store, **OPTIONS)
    (path,) = (tmp_path / "closed/manifest/slices").iterdir()
    path.write_bytes(path.read_bytes().replace(b"v", b"w"))
    cube = open_cube(store, "closed")
    with pytest.raises(StorageError, match=r"slice document .* is damaged"):
        cube.chunk("v", 0, (0, 0, 0))
    assert "slice document" in verify(cube)[0].what
    path.unlink()
    with pytest.raises(StorageError, match="lacks its slice document"):
        cube.chunk("v", 0, (0, 0, 0))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 1}', b'{"format": "x"}'])
def test_a_damaged_head_is_named(store, tmp_path, content):
    make_cube(store, **OPTIONS)
    (tmp_path / "closed/manifest/head.json").write_bytes(content)
    with pytest.raises(StorageError, match="head of cube 'closed' is damaged"):
        open_cube(store, "closed")


def test_a_damaged_version_document_is_named(store, tmp_path):
    cube = make_cube(store, **OPTIONS)
    path = tmp_path / "closed" / cube.head.manifest
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(StorageError, match=r"version document .* is damaged"):
        open_cube(store, "closed")
    path.unlink()
    with pytest.raises(StorageError, match="lacks its version document"):
        open_cube(store, "closed")


def test_threads_share_one_read(store):
    make_cube(store, **OPTIONS)

    class Slow(CountingStore):
        @override
        def get(self, key):
            time.sleep(0.05)
            return super().get(key)

    slow = Slow(store)
    cube = open_cube(slow, "closed", ChunkCache(1 << 20))
    got = []
    threads = [
        threading.Thread(target=lambda: got.append(cube.chunk("v", 0, (0, 0, 0)))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert slow.chunks_read == 1
    assert len({id(chunk) for chunk in got}) == 1
    assert cube.cache.hits + cube.cache.misses >= 1


def test_every_waiting_thread_gets_the_error(store, tmp_path):
    cube = make_cube(store, times=("2020-01-01", "2020-01-02"), **OPTIONS)
    damaged(tmp_path, "missing")
    errors = []

    def read():
        try:
            cube.chunk("v", 0, (1, 1, 2))
        except StorageError as error:
            errors.append(error)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 6


def test_the_cache_is_bounded(store):
    make_cube(store, **(OPTIONS | {"width": 24, "height": 16}))
    cube = open_cube(store, "closed", ChunkCache(3 * 8 * 8 * 4))
    for place in np.ndindex(2, 3):
        cube.chunk("v", 0, (0, *place))
    assert cube.cache.held_bytes == cube.cache.max_bytes
    store.reset()
    cube.chunk("v", 0, (0, 1, 2))
    assert store.chunks_read == 0  # among the newest
    cube.chunk("v", 0, (0, 0, 0))
    assert store.chunks_read == 1  # was dropped
    cube.cache.clear()
    assert cube.cache.held_bytes == 0


def test_a_held_chunk_is_cheap(store):
    cube = make_cube(store, **OPTIONS)
    cube.chunk("v", 0, (0, 0, 0))
    start = time.perf_counter()
    for _ in range(2000):
        cube.chunk("v", 0, (0, 0, 0))
    assert (time.perf_counter() - start) / 2000 < 100e-6  # a few µs on an idle machine


def shifted(step, *place):
    return closed_form(*place) + step


def test_two_stores_in_one_cache_do_not_mix(tmp_path):
    cache = ChunkCache()
    values = []
    for name, step in (("a", 0), ("b", 7)):
        store = open_store(str(tmp_path / name))
        make_cube(store, formula=partial(shifted, step))
        values.append(int(open_cube(store, "closed", cache).chunk("v", 0, (0, 0, 0))[0, 0, 0]))
    assert values == [0, 7]
