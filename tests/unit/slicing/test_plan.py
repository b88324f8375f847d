"""Index maps, and how they are cut by chunks."""

import gc
import weakref
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datacube.model.bbox import BoundingBox
from datacube.model.coverage import Level
from datacube.model.crs import CRS84, Crs
from datacube.model.grid import RectifiedGrid
from datacube.slicing.cells import PixelBlock, PixelMap, SeparableMap
from datacube.slicing.gather import gather
from datacube.slicing.level import map_on_level
from datacube.slicing.net import cast
from datacube.slicing.plan import plan_read, stages
from datacube.slicing.sheets import Room
from datacube.slicing.warp import net_of, positions, to_cells

UTM = RectifiedGrid.from_bbox(
    BoundingBox(6e5, 5.2e6, 7e5, 5.3e6, Crs.parse("EPSG:32632")), 1000, 1000
)
WORLD = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 720, 360)
TARGETS = {
    "inside": (UTM, "EPSG:3857", (1.18e6, 6.0e6, 1.2e6, 6.02e6)),
    "edge": (UTM, "EPSG:3857", (1.1e6, 5.9e6, 1.2e6, 6.05e6)),
    "outside": (UTM, "EPSG:3857", (-2e6, 1e6, -1.9e6, 1.1e6)),
    "small": (UTM, "EPSG:3857", (-1e7, -5e6, 1e7, 1.5e7)),
    "pole": (WORLD, "EPSG:3413", (-4e6, -4e6, 4e6, 4e6)),
    "disc": (WORLD, "ESRI:54030", (-1.8e7, -9e6, 1.8e7, 9e6)),
}


def target_of(name, size=(600, 450)):
    source, crs, box = TARGETS[name]
    return source, RectifiedGrid.from_bbox(BoundingBox(*box, Crs.parse(crs)), *size)


@pytest.mark.parametrize("factor", [1, 3, 4])
@pytest.mark.parametrize("name", TARGETS)
def test_cells_of_a_net_are_those_that_hold_its_positions(name, factor):
    source, target = target_of(name)
    cells = net_of(source, target).cells(factor)
    expected = to_cells(positions(source, target), source, factor)
    assert np.array_equal(cells.rows, expected.rows)
    assert np.array_equal(cells.columns, expected.columns)
    assert np.array_equal(cells.outside, expected.rows < 0)
    assert cells.gaps == cells.outside.any()


@given(
    st.lists(st.floats(-0.02, 0.02), min_size=6, max_size=6),
    st.tuples(st.floats(-2, 2), st.floats(-2, 2), st.floats(-2, 2), st.floats(-2, 2)),
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
    st.tuples(st.integers(0, 600), st.integers(0, 600)),
    st.sampled_from([1, 2, 8]),
)
@settings(max_examples=80)
def test_cells_of_bent_blocks_are_those_of_their_positions(bends, steps, shape, origin, factor):
    """A parabola turns back within a window, where no pixel of a sample need lie."""

    def exact(right, low):
        square = right * right, right * low, low * low
        u, v = (
            400 + one * right + other * low + sum(b * s for b, s in zip(some, square, strict=True))
            for one, other, some in ((*steps[:2], bends[:3]), (*steps[2:], bends[3:]))
        )
        return u, v

    net = cast(exact, shape, origin, Room(800, 900))
    cells = net.cells(factor)
    u, v = net.positions()
    inside = (u > -1e-6) & (u < 900 + 1e-6) & (v > -1e-6) & (v < 800 + 1e-6)
    columns = np.where(inside, np.clip(np.floor(u), 0, 899) // factor, -1)
    rows = np.where(inside, np.clip(np.floor(v), 0, 799) // factor, -1)
    assert np.array_equal(cells.columns, columns)
    assert np.array_equal(cells.rows, rows)
    for block in cells.blocks:
        some = block.places if block.inside is None else block.places[block.inside]
        assert 0 <= some.min() <= some.max() < block.height * block.width


def test_a_window_may_be_larger_than_what_its_pixels_need():
    places = np.array([[0, 1], [5, 6]])
    block = PixelBlock(slice(0, 2), slice(0, 2), 2, 2, 2, 5, places, None)
    cells = PixelMap.of_blocks((2, 2), (block,))
    plan = plan_read(cells, (4, 4))
    values = np.arange(64).reshape(8, 8)
    assert plan.chunks == ((0, 0),)
    out = np.zeros((2, 2), int)
    gather(plan.parts, {(0, 0): values[:4, :4]}, out)
    assert out.tolist() == values[2:4, 2:4].tolist()


@pytest.mark.parametrize(
    ("name", "pace"), [("inside", 0.93), ("outside", 0.0), ("pole", 1.5), ("disc", 3.7)]
)
def test_a_net_knows_how_many_cells_a_pixel_spans(name, pace):
    assert net_of(*target_of(name, (200, 150))).pace() == pytest.approx(pace, rel=0.2)


def test_a_grid_between_the_nodes_of_a_net_has_a_pace():
    """Ten pixels of a map of half the world."""
    source, target = target_of("small", (1000, 1000))
    assert net_of(source, target).pace() == pytest.approx(20_000 * 0.68 / 100, rel=0.2)


@given(st.integers(0, 10**6))
@settings(max_examples=60)
def test_stages_gather_what_the_whole_plan_gathers(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 80, 2))
    values = rng.integers(0, 1000, shape)
    size = tuple(rng.integers(1, 40, 2))
    if rng.random() < 0.5:
        cells = SeparableMap(*(np.sort(rng.integers(-1, n, 9)) for n in shape))
    else:
        rows, columns = (rng.integers(0, n, (17, 23)) for n in shape)
        outside = rng.random(rows.shape) < rng.random()
        cells = PixelMap(np.where(outside, -1, rows), np.where(outside, -1, columns))
    chunk = tuple(int(one) for one in size)
    plan = plan_read(cells, chunk)
    held = {
        (r, c): values[r * size[0] : (r + 1) * size[0], c * size[1] : (c + 1) * size[1]]
        for r, c in product(*(range(-(-n // s)) for n, s in zip(shape, size, strict=True)))
    }
    assert set(plan.chunks) == touched(cells, chunk)
    whole, staged = np.full(cells.shape, -1), np.full(cells.shape, -1)
    gather(plan.parts, {at: held[at] for at in plan.chunks}, whole)
    for parts, needed in stages(plan, int(rng.integers(1, 5))):
        gather(parts, {at: held[at] for at in needed}, staged)
    assert np.array_equal(whole, staged)
    rows, columns = every(cells)
    assert np.array_equal(whole, np.where((rows < 0) | (columns < 0), -1, values[rows, columns]))


def every(cells):
    if isinstance(cells, SeparableMap):
        return np.meshgrid(cells.rows, cells.columns, indexing="ij")
    return cells.rows, cells.columns


def touched(cells, chunk):
    rows, columns = every(cells)
    inside = (rows >= 0) & (columns >= 0)
    pairs = zip(rows[inside] // chunk[0], columns[inside] // chunk[1], strict=True)
    return {(int(r), int(c)) for r, c in pairs}


def test_a_map_over_the_seam_has_small_windows():
    """Columns at both ends of the grid, one pixel apart."""
    columns = np.tile(np.r_[7190:7200, 0:10], (256, 1))
    rows = np.tile(np.arange(256)[:, None], (1, 20))
    blocks = PixelMap(rows, columns).blocks
    assert all(block.width * block.height <= 1 << 20 for block in blocks)
    assert sum(block.places.size for block in blocks) == rows.size


def test_an_index_map_goes_with_its_last_user():
    """No reference leads back to it from what was planned for it."""
    gc.disable()
    try:
        cells = PixelMap(np.zeros((4, 4), np.intp), np.zeros((4, 4), np.intp))
        plan_read(cells, (2, 2))
        gone = weakref.ref(cells)
        del cells
        assert gone() is None
    finally:
        gc.enable()


def test_a_map_on_a_level_is_the_one_that_the_best_level_has():
    source, target = target_of("inside")
    levels = tuple(Level(k, 2**k, source.coarsened(2**k)) for k in range(3))
    cells = map_on_level(levels, levels[2], target)
    assert np.array_equal(cells.rows, to_cells(positions(source, target), source, 4).rows)
