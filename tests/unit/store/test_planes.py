"""A plane that is written at once is stored as its chunks are one by one, to the last bit."""

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


def written(place, planes, *, at_once):
    """Every object, the tables and the summary."""
    field, _ = place.fields["v"]
    objects = {}
    chunks = SliceChunks(objects.__setitem__, place)
    for index, plane in enumerate(planes):
        if at_once:
            assert chunks.at_once(plane)
            chunks.write_plane(field, (index,), plane)
        else:
            for row, column, part in chunks.split(0, 0, plane):
                chunks.write(field, (index,), row, column, part)
    chunks.rest()
    tables, statistics = chunks.found()
    found = [(one.sizes.tolist(), one.checksums.tolist()) for one in tables["v"]]
    summary = statistics.get("v")
    return objects, found, None if summary is None else summary.dump()


@pytest.mark.parametrize("field", FIELDS, ids=lambda one: f"{one.dtype}-{one.overview}-{one.nil}")
@settings(max_examples=30)
@given(st.data())
def test_a_plane_is_stored_as_its_chunks_are(field, data):
    height, width = data.draw(st.integers(3, 40)), data.draw(st.integers(3, 40))
    chunk = data.draw(st.sampled_from([2, 4, 6, 16, 64]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    place = place_of(field, height, width, chunk)
    planes = [values_of(field, rng, (height, width)) for _ in range(2)]
    one_by_one = written(place, planes, at_once=False)
    assert written(place, planes, at_once=True) == one_by_one


def test_only_whole_planes_of_even_chunks_that_are_not_large_are_written_at_once():
    field = Field("v", "int16")
    plane = np.zeros((20, 30), "int16")
    assert SliceChunks({}.__setitem__, place_of(field, 20, 30, 8)).at_once(plane)
    for place in (
        place_of(field, 20, 31, 8),  # another grid
        place_of(field, 20, 30, 5),  # a chunk whose neighbour has the other half of a pair
    ):
        assert not SliceChunks({}.__setitem__, place).at_once(plane)
    large = np.broadcast_to(np.int16(0), (4000, 4000))
    assert not SliceChunks({}.__setitem__, place_of(field, 4000, 4000, 512)).at_once(large)
