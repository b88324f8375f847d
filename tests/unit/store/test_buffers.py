"""Memory of chunks that is used again, and the cache's accounting of it."""

import threading
from itertools import pairwise

import numpy as np
import pytest

from datacube.store import buffers as buffers_module
from datacube.store.buffers import SMALLEST, Buffers, taken_bytes
from datacube.store.cache import ChunkCache

CHUNK = 128 << 10


def test_memory_comes_back_when_nobody_looks_at_it():
    buffers = Buffers()
    chunk = buffers.room(CHUNK)
    place = chunk.ctypes.data
    part = chunk.view("int16").reshape(256, 256)[3:5, 7:9]
    del chunk
    assert buffers.spare == 0
    del part
    assert buffers.spare == CHUNK
    again = buffers.room(CHUNK)
    assert again.ctypes.data == place
    assert buffers.spare == 0


def test_memory_in_use_is_never_given_twice():
    buffers = Buffers()
    held = [buffers.room(CHUNK) for _ in range(20)]
    for number, one in enumerate(held):
        one[:] = number
    assert [int(one.min()) for one in held] == [int(one.max()) for one in held] == list(range(20))


def test_what_is_spare_is_bounded_and_the_size_asked_for_least_goes_first():
    buffers = Buffers(spare_bytes=4 * CHUNK)
    old, new = [buffers.room(CHUNK) for _ in range(4)], [buffers.room(2 * CHUNK) for _ in range(2)]
    old.clear()
    assert buffers.spare == 4 * CHUNK
    del new[0]
    assert buffers.spare == 4 * CHUNK
    del new[0]
    assert buffers.spare == 4 * CHUNK
    first, second = buffers.room(2 * CHUNK), buffers.room(2 * CHUNK)
    assert buffers.spare == 0
    del first, second


def test_memory_that_was_given_back_can_be_had_again():
    buffers = Buffers(spare_bytes=0)
    first = buffers.room(CHUNK)
    place = first.ctypes.data
    first[:] = 7
    del first
    assert buffers.spare == 0
    held = [buffers.room(CHUNK) for _ in range(300)]  # more than is asked for at once
    places = sorted(one.ctypes.data for one in held)
    assert all(other - one >= CHUNK for one, other in pairwise(places))
    assert place in places or not buffers_module._has_huge_pages()
    for number, one in enumerate(held):
        one[:] = number % 251
    assert [int(one[0]) for one in held] == [number % 251 for number in range(300)]


def test_without_huge_pages_each_chunk_has_pages_of_its_own(monkeypatch):
    monkeypatch.setattr(buffers_module, "_has_huge_pages", lambda: False)
    test_memory_comes_back_when_nobody_looks_at_it()
    test_memory_in_use_is_never_given_twice()
    test_what_is_spare_is_bounded_and_the_size_asked_for_least_goes_first()


def test_large_memory_goes_back_as_a_whole():
    buffers = Buffers(spare_bytes=0)
    chunk = buffers.room(32 << 20)
    chunk[::4096] = 1
    del chunk
    assert buffers.spare == 0


@pytest.mark.parametrize("size", [0, 1, SMALLEST - 1, SMALLEST, SMALLEST + 1])
def test_any_size(size):
    buffers = Buffers()
    chunk = buffers.room(size)
    assert chunk.nbytes == size
    chunk[:] = 1
    del chunk
    assert buffers.spare == (taken_bytes(size) if size >= SMALLEST else 0)


def test_many_threads_share_it():
    buffers = Buffers(spare_bytes=8 * CHUNK)
    wrong = []

    def work(mark: int) -> None:
        rng = np.random.default_rng(mark)
        for _ in range(200):
            chunk = buffers.room(CHUNK * int(rng.integers(1, 4)))
            chunk[:] = mark
            wrong.extend([mark] * bool((chunk[::4096] != mark).any()))

    threads = [threading.Thread(target=work, args=(mark,)) for mark in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not wrong
    assert buffers.spare <= 8 * CHUNK


def test_the_cache_counts_exactly_while_many_threads_insert():
    cache = ChunkCache(10 * CHUNK)
    beyond = []

    def load() -> np.ndarray:
        return cache.room(CHUNK).view("int16")

    def work(seed: int) -> None:
        for number in np.random.default_rng(seed).integers(0, 40, 300).tolist():
            cache.chunk(number, load)
            beyond.extend([number] * (cache.held_bytes > cache.max_bytes))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not beyond
    assert cache.held_bytes == 10 * CHUNK
    assert cache.hits + cache.misses <= 6 * 300


def test_the_cache_counts_what_a_view_keeps_alive():
    cache = ChunkCache(10 * CHUNK)
    cache.chunk("part", lambda: cache.room(CHUNK).view("int16").reshape(256, 256)[:1])
    assert cache.held_bytes == CHUNK
    cache.chunk("fill", lambda: np.broadcast_to(np.int16(3), (256, 256)))
    assert cache.held_bytes == CHUNK
