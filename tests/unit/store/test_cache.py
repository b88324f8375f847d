"""Which decoded chunks stay in memory."""

import threading

import numpy as np
import pytest

from datacube.errors import StorageError
from datacube.store.cache import ChunkCache

MIB = 1 << 20


def chunk() -> np.ndarray:
    return np.zeros(MIB, np.uint8)


def asked(cache: ChunkCache, *keys: object) -> int:
    """How many of the keys had to be loaded."""
    before = cache.misses
    for key in keys:
        cache.chunk(key, chunk)
    return cache.misses - before


def test_what_is_read_once_takes_an_eighth():
    cache = ChunkCache(320 * MIB)
    assert asked(cache, *range(100)) == 100
    assert cache.held_bytes == 40 * MIB
    assert asked(cache, *range(60, 100)) == 0


def test_what_is_had_again_in_a_moment_takes_little():
    cache = ChunkCache(320 * MIB)
    near = [cache.chunk(key, chunk, near=True) for key in range(100)]
    assert len(near) == 100
    assert cache.held_bytes == 8 * MIB
    assert asked(cache, *range(92, 100)) == 0
    assert asked(cache, *range(200, 300)) == 100
    assert cache.held_bytes == (8 + 40) * MIB
    cache.chunk(0, chunk, near=True)
    cache.chunks(range(500, 540), lambda places: [chunk() for _ in places], near=True)
    assert asked(cache, 0) == 0


def test_little_memory_is_shared_by_all_that_pass():
    cache = ChunkCache(10 * MIB)
    for key in range(50):
        cache.chunk(key, chunk, near=key % 2 == 0)
    assert cache.held_bytes == 10 * MIB


def test_what_is_wanted_again_stays_while_others_pass():
    cache = ChunkCache(320 * MIB)
    asked(cache, *range(20), *range(20))
    asked(cache, *range(100, 1000))
    assert cache.held_bytes == 60 * MIB
    assert asked(cache, *range(20)) == 0


def test_what_comes_back_soon_after_it_was_dropped_stays():
    cache = ChunkCache(320 * MIB)
    asked(cache, *range(100))
    assert asked(cache, *range(10)) == 10
    asked(cache, *range(100, 300))
    assert asked(cache, *range(10)) == 0


def test_what_comes_back_late_has_to_be_wanted_again():
    cache = ChunkCache(320 * MIB)
    asked(cache, 0, *range(100, 300))
    assert asked(cache, 0) == 1
    asked(cache, *range(300, 500))
    assert asked(cache, 0) == 1


def test_memory_is_full_with_what_was_wanted_twice():
    cache = ChunkCache(320 * MIB)
    for first in range(0, 400, 20):
        asked(cache, *range(first, first + 20), *range(first, first + 20))
    assert cache.held_bytes == 320 * MIB
    assert asked(cache, *range(380, 400)) == 0
    assert asked(cache, *range(20)) == 20


def test_several_are_loaded_together_and_none_is_not_kept():
    cache, loads = ChunkCache(64 * MIB), []

    def load(positions):
        loads.append(list(positions))
        return [None if at == 1 else chunk() for at in positions]

    cache.chunk("b", chunk)
    found = cache.chunks(["a", "n", "b"], load)
    assert loads == [[0, 1]]
    assert [one is None for one in found] == [False, True, False]
    assert cache.held_bytes == 2 * MIB
    cache.chunks(["a", "n"], lambda positions: [None] * len(positions))
    assert cache.hits == 2


def test_all_that_wait_get_the_failure():
    cache, begun, go, failures = ChunkCache(), threading.Event(), threading.Event(), []

    def load(positions):
        begun.set()
        go.wait(5)
        raise StorageError("the disk is gone")

    def ask():
        try:
            cache.chunks(["a"], load)
        except StorageError as error:
            failures.append(error.message)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for one in threads:
        one.start()
    begun.wait(5)
    go.set()
    for one in threads:
        one.join()
    assert failures == ["the disk is gone"] * 3
    with pytest.raises(ZeroDivisionError):
        cache.chunk("a", lambda: 1 / 0)
    assert asked(cache, "a") == 1


def rare(cache: ChunkCache, *keys: object) -> list[bool]:
    """Whether the keys were hardly asked for, each in turn."""
    return [cache.sought(key, MIB)[1] for key in keys]


def test_what_neighbours_want_is_worth_its_place():
    cache = ChunkCache(320 * MIB)
    assert rare(cache, "a", "b", "a") == [True, True, False]
    assert asked(cache, "a") == 1
    assert rare(cache, "a") == [False]  # held
    assert cache.held_bytes == MIB
    assert asked(cache, "a") == 0


def test_what_is_asked_for_the_third_time_is_worth_its_place():
    cache = ChunkCache(320 * MIB)
    assert rare(cache, "a", *range(70), "a", *range(100, 170), "a") == [True] * 142 + [False]
    misses = cache.misses
    assert asked(cache, "a") == 1
    assert misses == 142


def test_what_was_asked_for_long_ago_is_rare():
    cache = ChunkCache(320 * MIB)
    assert all(rare(cache, *("a", *range(170)) * 4))
    assert cache.held_bytes == 0


def test_chunks_that_take_no_memory_are_not_held():
    cache = ChunkCache(10 * MIB)
    fill = np.broadcast_to(np.zeros((), np.int16), (64, 64))
    for key in range(3000):
        assert cache.chunk(key, lambda: fill) is fill
        cache.chunks([(key, 1), (key, 2)], lambda places: [fill for _ in places])
    held = cache._chunks
    assert not any((held._items, held._trial.items, held._passing.items, held._asked._names))
    assert asked(cache, 0) == 1


class Made:
    """Of chunks, two MiB."""

    held_bytes = 2 * MIB


def test_what_is_made_of_chunks_lies_among_them_within_the_same_bytes():
    cache, made = ChunkCache(64 * MIB), []
    asked(cache, *range(20), *range(20))
    for number in range(0, 90, 3):
        keys = [("made", number + at) for at in range(3)]

        def make(places, keys=keys):
            made.extend(keys[place] for place in places)
            return [Made() for _ in places]

        first = cache.made(keys, make)
        assert cache.held_bytes <= 64 * MIB
        assert cache.made(keys, make) == first
    assert len(made) == 90
    assert cache.held_bytes == 64 * MIB
    assert cache.holds(("made", 89))
    assert asked(cache, *range(20)) == 20
    assert cache.made([("made", 89), ("made", 0)], lambda at: [Made() for _ in at])[0] is first[-1]
