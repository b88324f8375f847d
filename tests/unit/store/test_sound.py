"""Rows of chunks that were found whole before: the same values from fewer bytes."""

import os

import numpy as np
import pytest
from numcodecs import blosc

from datacube.errors import StorageError
from datacube.store.codecs import ArrayCodec, crc32c
from datacube.store.local import LocalObjects
from datacube.store.sound import SoundChunks
from tests.clock import Clock

KEY = "c/0"
CODEC = ArrayCodec.parse(
    {
        "data_type": "uint16",
        "fill_value": 0,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [512, 256]}},
        "codecs": [
            {"name": "bytes", "configuration": {"endian": "little"}},
            {
                "name": "blosc",
                "configuration": {"typesize": 2, "cname": "lz4", "blocksize": 1 << 15},
            },
        ],
    }
)
VALUES = np.random.default_rng(1).integers(0, 2000, (512, 256)).astype(np.uint16)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """Blocks lie in turn then."""
    monkeypatch.setattr(blosc, "use_threads", False)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sound(clock):
    return SoundChunks(most=2, seconds=600, clock=clock)


@pytest.fixture
def objects(tmp_path):
    return LocalObjects(tmp_path)


def put(objects, values=VALUES, key=KEY):
    """Write a chunk; what a reader knows of it."""
    data = CODEC.encode(values)
    objects.put(key, data)
    return key, CODEC, len(data), crc32c(data)


@pytest.mark.parametrize("rows", [(0, 10), (100, 101), (130, 400), (500, 512)])
def test_the_second_time_fewer_bytes_give_the_same_rows(sound, objects, rows):
    chunk = put(objects)
    for turn in range(3):
        values, read = sound.read_rows(objects, *chunk, rows)
        assert np.array_equal(values[slice(*rows)], VALUES[slice(*rows)])
        assert (read == chunk[2]) is (turn == 0)


def test_all_rows_take_all_bytes(sound, objects):
    chunk = put(objects)
    for _ in range(2):
        values, read = sound.read_rows(objects, *chunk, (0, 512))
        assert np.array_equal(values, VALUES)
        assert read == chunk[2]


@pytest.mark.parametrize("rows", [(0, 10), (0, 512)])
def test_a_file_that_was_replaced_is_checked(sound, objects, rows):
    chunk = put(objects)
    sound.read_rows(objects, *chunk, rows)
    put(objects, VALUES[::-1].copy())
    with pytest.raises(StorageError, match=r"checksum does not match|bytes instead of"):
        sound.read_rows(objects, *chunk, rows)


def test_a_whole_chunk_is_not_checked_twice(sound, objects, monkeypatch):
    chunk = put(objects)
    checked = []
    monkeypatch.setattr(
        "datacube.store.sound.chunk_damage", lambda *asked: checked.append(asked[1:])
    )
    for _ in range(3):
        values, _ = sound.read_rows(objects, *chunk, (0, 512))
        assert np.array_equal(values, VALUES)
    assert checked == [chunk[2:]]


def test_a_chunk_of_that_name_with_another_checksum_is_another(sound, objects):
    sound.read_rows(objects, *put(objects), (0, 10))
    again = put(objects, VALUES[::-1].copy())
    values, read = sound.read_rows(objects, *again, (0, 10))
    assert np.array_equal(values[:10], VALUES[::-1][:10])
    assert read == again[2]


def test_a_file_that_is_gone_is_missed(sound, objects):
    chunk = put(objects)
    sound.read_rows(objects, *chunk, (0, 10))
    objects.delete([KEY])
    with pytest.raises(StorageError, match="missing"):
        sound.read_rows(objects, *chunk, (0, 10))


def test_damage_that_leaves_no_trace_of_its_time_is_found_after_some_minutes(
    sound, objects, clock, tmp_path
):
    chunk = put(objects)
    sound.read_rows(objects, *chunk, (0, 10))
    path = tmp_path / KEY
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    values, _ = sound.read_rows(objects, *chunk, (0, 10))
    assert np.array_equal(values[:10], VALUES[:10])
    clock.now = 601
    with pytest.raises(StorageError, match="checksum does not match"):
        sound.read_rows(objects, *chunk, (0, 10))


def test_blocks_that_cannot_be_decoded_are_looked_at_with_the_whole(sound, objects, tmp_path):
    chunk = put(objects)
    sound.read_rows(objects, *chunk, (0, 10))
    path = tmp_path / KEY
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[32:4096] = bytes([255]) * 4064
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(StorageError, match="checksum does not match"):
        sound.read_rows(objects, *chunk, (0, 10))


def test_no_more_is_remembered_than_there_are_places_for_the_newest_always(sound, objects):
    chunks = [put(objects, key=f"c/{number}") for number in range(3)]
    for chunk in chunks:
        sound.read_rows(objects, *chunk, (0, 10))
    again = [sound.read_rows(objects, *one, (0, 10))[1] < one[2] for one in chunks[::-1]]
    assert again[0]
    assert sum(again) <= 2


def test_what_one_process_has_checked_the_others_need_not(sound, objects):
    chunk = put(objects)
    child = os.fork()
    if not child:
        sound.read_rows(objects, *chunk, (0, 10))
        os._exit(0)
    os.waitpid(child, 0)
    values, read = sound.read_rows(objects, *chunk, (0, 10))
    assert read < chunk[2]
    assert np.array_equal(values[:10], VALUES[:10])


def test_a_note_that_is_half_written_counts_as_none(objects, clock):
    chunk = put(objects)
    whole = SoundChunks(most=1, clock=clock)
    whole.read_rows(objects, *chunk, (0, 10))
    assert whole.read_rows(objects, *chunk, (0, 10))[1] < chunk[2]
    for place in range(0, 70, 7):
        sound = SoundChunks(most=1, clock=clock)
        sound.read_rows(objects, *chunk, (0, 10))
        sound._notes[place] ^= 0x41
        values, read = sound.read_rows(objects, *chunk, (0, 10))
        assert read == chunk[2]
        assert np.array_equal(values[:10], VALUES[:10])


def test_all_is_checked_anew_after_it_was_cleared(sound, objects):
    chunk = put(objects)
    sound.read_rows(objects, *chunk, (0, 10))
    sound.clear()
    assert sound.read_rows(objects, *chunk, (0, 10))[1] == chunk[2]


def test_a_chunk_that_was_never_right_is_refused_each_time(sound, objects):
    key, codec, size, checksum = put(objects)
    for _ in range(2):
        with pytest.raises(StorageError, match="checksum does not match"):
            sound.read_rows(objects, key, codec, size, checksum + 1, (0, 10))
