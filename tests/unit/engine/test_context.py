"""What a server keeps in memory counts for one limit, however many processes share it."""

from types import SimpleNamespace

import numpy as np
import pytest

from datacube.config.settings import Config, Limits, ServerSettings
from datacube.engine.context import make_context
from datacube.store.url import open_store

MIB = 1 << 20


@pytest.mark.parametrize(
    ("limit", "processes", "chunks"),
    [
        (512 * MIB, 1, (512 - 8) * MIB),
        (512 * MIB, 2, (256 - 8) * MIB),
        (64 * MIB, 1, (64 - 4) * MIB),
        (0, 2, 0),
    ],
)
def test_chunks_have_what_free_memory_leaves(tmp_path, limit, processes, chunks):
    config = Config(ServerSettings(limits=Limits(cache_bytes=limit)))
    context = make_context(open_store(str(tmp_path)), config, processes=processes)
    assert context.cache.max_bytes == chunks


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_what_is_kept_by_default(tmp_path, processes):
    context = make_context(open_store(str(tmp_path)), Config(), processes=processes)
    cache, spare = context.cache, min(8 * MIB, 512_000_000 // processes // 16)
    assert processes * (cache.max_bytes + spare) == 512_000_000
    for number in range(40):
        context.bodies.get(number, lambda: bytes(MIB - 500))  # with what its place takes
    assert processes * context.bodies.weight == 32 * MIB


def test_what_index_maps_hold_is_no_room_for_chunks(tmp_path):
    config = Config(ServerSettings(limits=Limits(cache_bytes=16 * MIB)))
    context = make_context(open_store(str(tmp_path)), config)
    level, held = SimpleNamespace(), []
    for number in (*range(40), *range(40)):  # found once, a map has little room
        context.cache.chunk(number, lambda: np.ones(MIB, np.uint8))
        context.cache.chunk(number, lambda: np.ones(MIB, np.uint8))  # wanted twice
        context.maps.get(number, lambda: (level, SimpleNamespace(nbytes=MIB // 4)))
        held.append(context.cache.held_bytes + context.maps.weight)
    assert context.maps.weight > MIB
    assert 13 * MIB < held[-1] <= max(held) <= 15 * MIB + MIB // 2  # until the next chunk
