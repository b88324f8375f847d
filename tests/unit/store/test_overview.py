"""Coarser levels against the plain definition in numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datacube.model.fields import Field
from datacube.store.layout import ChunkGrid
from datacube.store.overview import Pyramid
from tests.cubes import make_cube, read_level


def blocks(values, factor):
    """Cells of level 0 below each coarse cell, as lists of the valid ones."""
    height, width = values.shape
    for y in range(-(-height // factor)):
        for x in range(-(-width // factor)):
            part = values[y * factor : (y + 1) * factor, x * factor : (x + 1) * factor]
            yield (y, x), part


def plain_mean(values, factor, nil):
    height, width = values.shape
    made = np.full((-(-height // factor), -(-width // factor)), nil, values.dtype)
    for place, part in blocks(values, factor):
        good = part[part != nil].astype(float)
        if good.size:
            made[place] = np.rint(good.sum() / good.size)
    return made


def pyramid(field, values, chunk, levels, order=None):
    """Every level from level 0's chunks, given in some order."""
    height, width = values.shape
    grids = []
    for level in range(levels):
        h, w = -(-height // 2**level), -(-width // 2**level)
        grids.append(ChunkGrid(h, w, min(chunk, h), min(chunk, w)))
    made = {level: np.zeros((g.height, g.width), values.dtype) for level, g in enumerate(grids)}
    maker = Pyramid(field, tuple(grids))
    rows, columns = grids[0].counts
    places = [(row, column) for row in range(rows) for column in range(columns)]
    seen = []
    for index in order if order is not None else range(len(places)):
        row, column = places[index]
        part = values[grids[0].cells(row, column)]
        for level, place, chunk_values in maker.add(row, column, part):
            made[level][grids[level].cells(*place)] = chunk_values
            seen.append((level, place))
    for level, place, chunk_values in maker.rest():
        made[level][grids[level].cells(*place)] = chunk_values
        seen.append((level, place))
    assert len(seen) == len(set(seen)) == sum(int(np.prod(g.counts)) for g in grids[1:])
    return made


@given(st.data())
def test_mean_is_that_of_the_valid_cells_of_level_0(data):
    height, width = data.draw(st.integers(1, 23)), data.draw(st.integers(1, 23))
    chunk = data.draw(st.sampled_from([2, 4, 6, 8, 32]))
    seed = data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    values = rng.integers(-5, 200, (height, width)).astype("int16")
    values[rng.random(values.shape) < 0.3] = -99
    field = Field("v", "int16", nil=-99)
    rows, columns = -(-height // min(chunk, height)), -(-width // min(chunk, width))
    order = data.draw(st.permutations(range(rows * columns)))
    made = pyramid(field, values, chunk, 4, order)
    for level in (1, 2, 3):
        assert np.array_equal(made[level], plain_mean(values, 2**level, -99))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32"])
@pytest.mark.parametrize("end", ["min", "max"])
@pytest.mark.parametrize("gaps", [False, True])
def test_sums_of_the_largest_numbers_fit_at_every_level(dtype, end, gaps):
    value = getattr(np.iinfo(dtype), end)
    values = np.full((261, 259), value, dtype)
    if gaps:
        values[::2, 1::3] = 7
    made = pyramid(Field("v", dtype, nil=7), values, 64, 10)
    for level in range(1, 10):
        assert (made[level] == value).all()


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
@pytest.mark.parametrize("part", [0.25, 0.26, 0.5, 0.51, 1.0])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("gaps", [False, True])
def test_means_are_right_however_much_of_their_type_numbers_need(dtype, part, sign, gaps):
    ends = np.iinfo(dtype)
    high = int(part * ends.max) if sign == 1 else 0
    low = int(part * ends.min) if sign == -1 else 0
    nil = ends.max if sign == -1 else ends.min
    rng = np.random.default_rng(4)
    values = rng.integers(low, high, (44, 36), dtype, endpoint=True)
    values[(values == nil) | (values == nil - sign)] = (low + high) // 2
    if gaps:
        values[rng.random(values.shape) < 0.4] = nil
    made = pyramid(Field("v", dtype, nil=nil), values, 8, 4)
    for level in (1, 2, 3):
        assert np.array_equal(made[level], plain_mean(values, 2**level, nil))


@pytest.mark.parametrize("dtype", ["uint64", "int64"])
@pytest.mark.parametrize("end", ["min", "max"])
def test_means_of_eight_bytes_stay_in_their_type(dtype, end):
    """As floats the largest number is one more than it."""
    last = getattr(np.iinfo(dtype), end)
    made = pyramid(Field("v", dtype), np.full((5, 5), last, dtype), 2, 3)
    assert all((made[level] == last).all() for level in (1, 2))


def test_a_mean_that_rounding_brings_to_nil_moves():
    ends = np.iinfo("int64")
    values = np.full((2, 2), ends.min + 1, "int64")
    made = pyramid(Field("v", "int64", nil=ends.min), values, 2, 2)[1]
    assert made.tolist() == [[ends.min + 1]]


def test_mean_of_floats_ignores_nan():
    values = np.array([[1, np.nan, np.nan, np.nan], [2, 3, np.nan, np.nan]], "float32")
    made = pyramid(Field("v", "float32"), values, 4, 2)[1]
    assert made[0, 0] == 2.0
    assert np.isnan(made[0, 1])
    assert made.dtype == np.float32


def test_a_mean_never_becomes_no_data():
    values = np.array([[-1, 1], [-1, 1]], "int16")
    assert pyramid(Field("v", "int16", nil=0), values, 2, 2)[1].tolist() == [[1]]
    values = np.full((2, 2), 254, "uint8")
    values[0, 0] = 255
    assert pyramid(Field("v", "uint8", nil=255), values, 2, 2)[1].tolist() == [[254]]


def test_mode_is_the_commonest_valid_class():
    values = np.array([[0, 3, 5, 6, 0], [3, 4, 6, 5, 0], [7, 8, 0, 0, 9]], "uint8")
    field = Field("v", "uint8", nil=0, overview="mode")
    assert pyramid(field, values, 8, 2)[1].tolist() == [[3, 5, 0], [7, 0, 9]]


def test_mode_without_nil_counts_the_padding_as_nothing():
    values = np.array([[4, 0, 2]], "uint8")
    field = Field("v", "uint8", overview="mode")
    assert pyramid(field, values, 8, 2)[1].tolist() == [[4, 2]]


@pytest.mark.parametrize("size", [5, 8, 13])
def test_nearest_takes_a_cell_beside_the_centre(size):
    values = np.arange(size * size, dtype="int32").reshape(size, size)
    made = pyramid(Field("v", "int32", overview="nearest"), values, 4, 4)
    for level in (1, 2, 3):
        factor = 2**level
        for place, part in blocks(values, factor):
            y, x = divmod(int(made[level][place]), size)
            assert values[y, x] in part
            if part.shape == (factor, factor):
                centre = (place[0] + 0.5) * factor, (place[1] + 0.5) * factor
                assert abs(y + 0.5 - centre[0]) <= factor / 4
                assert abs(x + 0.5 - centre[1]) <= factor / 4


def test_missing_chunks_are_no_data():
    field = Field("v", "int16", nil=-1)
    maker = Pyramid(field, (ChunkGrid(2, 4, 2, 2), ChunkGrid(1, 2, 1, 2)))
    assert list(maker.add(0, 1, np.full((2, 2), 6, "int16"))) == []
    assert [(level, made.tolist()) for level, _, made in maker.rest()] == [(1, [[-1, 6]])]


def test_levels_of_a_cube(tmp_path):
    cube = make_cube(
        tmp_path,
        width=50,
        height=30,
        chunks={"x": 8, "y": 8},
        fields=(Field("v", "int32", nil=-1), Field("n", "int32", overview="nearest")),
    )
    assert [level.factor for level in cube.description.levels] == [1, 2, 4, 8]
    fine = read_level(cube, "v")
    for level in (1, 2, 3):
        assert np.array_equal(read_level(cube, "v", 0, level), plain_mean(fine, 2**level, -1))
    grid = cube.description.levels[2].grid
    assert (grid.width, grid.height, grid.dx) == (13, 8, 360 / 50 * 4)
    assert grid.bbox.left == -180
