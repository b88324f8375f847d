"""Blocks of chunks are stored as the chunks are one by one, to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datacube.model.fields import Field
from datacube.store.layout import ChunkGrid
from datacube.store.slicechunks import SliceChunks, SlicePlace

FIELDS = (
    Field("v", "int16", nil=-32768),
    Field("v", "uint16"),
    Field("v", "uint8", nil=7),
    Field("v", "int64", nil=0),
    Field("v", "float32"),
    Field("v", "float64", nil=-9.0),
    Field("v", "uint8", nil=255, overview="mode"),
    Field("v", "int32", overview="nearest"),
)


def place_of(field, height, width, chunk):
    """Levels down to one chunk, three of them at least."""
    grids = []
    while len(grids) < 3 or max(grids[-1].height, grids[-1].width) > chunk:
        grids.append(ChunkGrid(height, width, min(chunk, height), min(chunk, width)))
        height, width = -(-height // 2), -(-width // 2)
    arrays = tuple(
        {
            "data_type": field.dtype,
            "fill_value": field.nil or 0,
            "chunk_grid": {
                "name": "regular",
                "configuration": {"chunk_shape": [1, one.chunk_height, one.chunk_width]},
            },
            "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        }
        for one in grids
    )
    return SlicePlace("cube", {"v": (field, arrays)}, (2,), tuple(grids), 4)


def values_of(field, rng, shape):
    values = rng.integers(0, 255, shape).astype(field.dtype)
    gaps = rng.random(shape) < rng.choice([0, 0.2, 1])
    if values.dtype.kind == "f":
        values += rng.random(shape).astype(field.dtype)
        values[gaps] = rng.choice([np.nan, np.inf, field.nil or np.nan])
    elif field.nil is not None:
        values[gaps] = int(field.nil)
    return values


def written(place, planes, *, tall=None, wide=None):
    """Every object, the tables and the summary; by windows of so many chunks, or of all."""
    field, _ = place.fields["v"]
    objects = {}
    chunks = SliceChunks(objects.__setitem__, place)
    height, width = planes[0].shape
    tall = height if tall is None else tall * place.grids[0].chunk_height
    wide = width if wide is None else wide * place.grids[0].chunk_width
    for index, plane in enumerate(planes):
        for top in range(0, height, tall):
            for left in range(0, width, wide):
                window = plane[top : top + tall, left : left + wide]
                for block in chunks.blocks(top, left, window):
                    chunks.write(field, (index,), block)
    chunks.rest()
    tables, statistics = chunks.found()
    found = [(one.sizes.tolist(), one.checksums.tolist()) for one in tables["v"]]
    summary = statistics.get("v")
    return objects, found, None if summary is None else summary.dump()


@pytest.mark.parametrize("field", FIELDS, ids=lambda one: f"{one.dtype}-{one.overview}-{one.nil}")
@settings(max_examples=30)
@given(st.data())
def test_blocks_are_stored_as_their_chunks_are(field, data):
    height, width = data.draw(st.integers(3, 40)), data.draw(st.integers(3, 40))
    chunk = data.draw(st.sampled_from([2, 4, 6, 16, 64]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    place = place_of(field, height, width, chunk)
    planes = [values_of(field, rng, (height, width)) for _ in range(2)]
    one_by_one = written(place, planes, tall=1, wide=1)
    assert written(place, planes) == one_by_one
    tall, wide = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    assert written(place, planes, tall=tall, wide=wide) == one_by_one


def blocks_of(place, height, width, row0=0, col0=0):
    chunks = SliceChunks({}.__setitem__, place)
    values = np.broadcast_to(np.int16(0), (height, width))
    found = chunks.blocks(row0, col0, values)
    return [(one.row, one.column, one.values.shape, one.reach) for one in found]


def test_a_block_is_one_whole_chunk_of_a_coarser_level():
    field = Field("v", "int16")
    small = place_of(field, 20, 30, 8)
    assert blocks_of(small, 20, 30) == [(0, 0, (20, 30), 2)]
    assert blocks_of(small, 16, 16) == [(0, 0, (16, 16), 1)]
    assert blocks_of(small, 4, 14, 16, 16) == [(2, 2, (4, 14), 1)]
    assert blocks_of(small, 8, 16, 8, 0) == [(1, 0, (8, 8), 0), (1, 1, (8, 8), 0)]


def test_blocks_are_not_large_and_of_even_chunks():
    field = Field("v", "int16")
    large = place_of(field, 4000, 4000, 512)
    found = blocks_of(large, 4000, 4000)
    assert {one[3] for one in found} == {1}
    assert (6, 6, (928, 928), 1) in found
    odd = place_of(field, 20, 30, 5)  # a chunk whose neighbour has the other half of a pair
    assert {one[3] for one in blocks_of(odd, 20, 30)} == {0}
