"""What reading a Zarr of others costs: exact numbers of reads, shards joined, one flight."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import obstore
import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import MemoryStore
from zarr.codecs import BytesCodec, Crc32cCodec, ShardingCodec, ZstdCodec

from datacube.errors import StorageError
from datacube.store.cache import ChunkCache
from datacube.store.foreign_group import open_group
from datacube.store.objects import RemoteObjects
from datacube.store.sharding import spans
from datacube.store.url import open_store
from tests.stores import CountingStore
from tests.unit.store.zarrs import Group, check_values, serve, shades

DIMS = ["time", "lat", "lon"]


def sharded(folder, location, chunks=(1, 3, 7), shards=(5, 9, 14)):
    """One shard of 5 x 3 x 2 chunks."""
    group = Group(folder).lonlat().days()
    codec = ShardingCodec(
        chunk_shape=chunks,
        codecs=[BytesCodec(), ZstdCodec()],
        index_codecs=[BytesCodec(), Crc32cCodec()],
        index_location=location,
    )
    values = shades()[:, 0].astype("int16")
    group.array("v", DIMS, values, chunks=shards, serializer=codec, compressors=None, fill_value=-1)
    return group.consolidate()


def opened(tmp_path, **options):
    store = CountingStore(open_store(str(tmp_path)))
    cube = open_group(store, "cube", ChunkCache(**options)).cubes[0]
    store.reset()
    return store, cube


@pytest.mark.parametrize("location", ["start", "end"])
def test_a_chunk_of_a_shard_is_one_range_and_the_index_one_more(tmp_path, location):
    sharded(tmp_path / "cube", location)
    store, cube = opened(tmp_path)
    assert cube.chunk_shape("v") == (1, 3, 7)
    assert cube.chunk_counts("v") == (5, 3, 2)
    expected = shades()[:, 0]
    assert (cube.chunk("v", 0, (2, 1, 1)) == expected[2:3, 3:6, 7:]).all()
    assert store.requests == 2
    cube.chunk("v", 0, (2, 1, 1))
    assert store.requests == 2
    assert (cube.chunk("v", 0, (3, 0, 0)) == expected[3:4, :3, :7]).all()
    assert store.requests == 3
    assert store.bytes_read < (tmp_path / "cube/v/c/0/0/0").stat().st_size


@pytest.mark.parametrize("location", ["start", "end"])
def test_neighbours_in_a_shard_are_read_at_once(tmp_path, location):
    sharded(tmp_path / "cube", location)
    store, cube = opened(tmp_path)
    wanted = [(1, row, column) for row in range(3) for column in range(2)]
    assert cube.groups("v", 0, wanted) == [wanted]
    found = cube.chunks("v", 0, wanted)
    assert store.requests == 2
    whole = np.block([[found[2 * row + column][0] for column in range(2)] for row in range(3)])
    assert (whole == shades()[1, 0]).all()


def test_a_map_of_a_sharded_cube_reads_each_shard_once(tmp_path):
    sharded(tmp_path / "cube", "end", shards=(1, 9, 7))
    store = CountingStore(open_store(str(tmp_path)))
    context = serve(store, "cube")
    check_values(context, "cube", shades()[:, 0])
    read = [key for key in store.keys if key.startswith("cube/v/")]
    assert len(read) == 2 * 10  # index and chunks of 5 x 2 shards, then all from the cache
    assert set(read) == {f"cube/v/c/{t}/0/{x}" for t in range(5) for x in range(2)}


def test_a_shard_that_is_absent_is_asked_for_once_and_is_no_error(tmp_path):
    sharded(tmp_path / "cube", "end")
    (tmp_path / "cube/v/c/0/0/0").unlink()
    store, cube = opened(tmp_path)
    assert (cube.chunk("v", 0, (0, 0, 0)) == -1).all()
    assert store.requests == 1


def test_chunks_that_are_absent_within_a_shard(tmp_path):
    group = Group(tmp_path / "cube").lonlat().days()
    values = shades()[:, 0].astype("int16")
    values[2] = -1
    codec = ShardingCodec(chunk_shape=(1, 9, 14), codecs=[BytesCodec()])
    options = {"chunks": (5, 9, 14), "serializer": codec, "compressors": None}
    group.array("v", DIMS, values, fill_value=-1, **options)
    store, cube = opened(tmp_path)
    assert (cube.chunk("v", 0, (2, 0, 0)) == -1).all()
    assert store.requests == 1
    assert (cube.chunk("v", 0, (4, 0, 0))[0] == values[4]).all()


@pytest.mark.parametrize("location", ["start", "end"])
def test_a_damaged_shard_is_an_error_in_words(tmp_path, location):
    sharded(tmp_path / "cube", location)
    path = tmp_path / "cube/v/c/0/0/0"
    data = path.read_bytes()
    middle = len(data) // 2
    path.write_bytes(data[:20] + b"\xff" * 8 + data[28:-30] + b"\xff" * 8 + data[-22:])
    _, cube = opened(tmp_path)
    with pytest.raises(StorageError, match=r"array 'v', chunk 0/0/0.* cube 'cube'"):
        cube.chunk("v", 0, (0, 0, 0))
    path.write_bytes(data[:middle] if location == "start" else data[middle:])
    _, cube = opened(tmp_path)
    with pytest.raises(StorageError, match="of cube 'cube'"):
        cube.chunk("v", 0, (4, 2, 1) if location == "start" else (0, 0, 0))


def test_one_object_a_chunk_is_one_read(tmp_path):
    group = Group(tmp_path / "cube").lonlat().days()
    group.array("v", DIMS, shades()[:, 0].astype("int16"), chunks=(2, 4, 5))
    store, cube = opened(tmp_path)
    cube.chunk("v", 0, (1, 1, 1))
    cube.chunk("v", 0, (1, 1, 1))
    assert store.keys == ["cube/v/c/1/1/1"]


def test_a_chunk_that_ten_threads_want_is_read_once(tmp_path):
    group = Group(tmp_path / "cube").lonlat().days()
    group.array("v", DIMS, shades()[:, 0].astype("int16"), chunks=(2, 4, 5))
    store, cube = opened(tmp_path)
    barrier = threading.Barrier(10)

    def read(_):
        barrier.wait()
        return cube.chunks("v", 0, [(0, 0, 0), (0, 0, 1)])

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(read, range(10)))
    assert sorted(store.keys) == ["cube/v/c/0/0/0", "cube/v/c/0/0/1"]


def test_what_is_written_later_into_a_missing_chunk_is_seen(tmp_path):
    group = Group(tmp_path / "cube").lonlat().days()
    group.array("v", DIMS, shades()[:, 0].astype("int16"), chunks=(1, 9, 14), fill_value=-1)
    path = tmp_path / "cube/v/c/4/0/0"
    data = path.read_bytes()
    path.unlink()
    _, cube = opened(tmp_path)
    assert (cube.chunk("v", 0, (4, 0, 0)) == -1).all()
    path.write_bytes(data)
    assert (cube.chunk("v", 0, (4, 0, 0))[0] == shades()[4, 0]).all()


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 50)), min_size=1, max_size=20),
    st.integers(0, 100),
)
def test_joined_reads_hold_every_chunk_where_it_lies(chunks, gap):
    entries = np.array(chunks, np.uint64)
    found = list(spans(entries, range(len(entries)), 50, gap))
    assert sorted(at for one in found for at, _, _ in one.members) == list(range(len(entries)))
    for one in found:
        for at, offset, size in one.members:
            assert (one.start + offset, size) == chunks[at]
            assert offset + size <= one.length
    starts = [one.start for one in found]
    assert starts == sorted(starts)
    for before, after in pairwise(found):
        assert after.start > before.start + before.length + gap


@pytest.mark.parametrize("location", ["start", "end"])
def test_a_group_in_object_storage(tmp_path, location):
    sharded(tmp_path / "cube", location)
    memory = MemoryStore()
    for path in (tmp_path / "cube").rglob("*"):
        if path.is_file():
            obstore.put(memory, path.relative_to(tmp_path).as_posix(), path.read_bytes())
    store = RemoteObjects(memory, "memory://test")
    assert store.get_tail("cube/v/c/0/0/0", 4) == (tmp_path / "cube/v/c/0/0/0").read_bytes()[-4:]
    assert store.get_tail("cube/zarr.json", 1 << 30) == (tmp_path / "cube/zarr.json").read_bytes()
    assert store.get_tail("cube/absent", 4) is None
    context = serve(store, "cube")
    check_values(context, "cube", shades()[:, 0])
    assert context.catalog.cube("cube").store.remote
