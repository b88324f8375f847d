"""Index maps against exact PROJ transforms of every pixel, plans and gathers against numpy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datacube.model.bbox import BoundingBox
from datacube.model.coverage import Level
from datacube.model.crs import CRS84, Crs, transform
from datacube.model.grid import RectifiedGrid
from datacube.model.tilesets import web_mercator_quad, world_crs84_quad
from datacube.slicing.cells import PixelMap, SeparableMap
from datacube.slicing.gather import gather
from datacube.slicing.level import map_on_best_level
from datacube.slicing.plan import plan_read
from datacube.slicing.warp import positions, to_cells

WORLD = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 720, 360)
PACIFIC = RectifiedGrid.from_centres(CRS84, 0.25, 0.5, 720, -89.75, 0.5, 360)
UTM = RectifiedGrid.from_bbox(
    BoundingBox(600000, 5300000, 709800, 5409800, Crs.parse("EPSG:32632")), 1098, 1098
)
MERCATOR = web_mercator_quad()


def true_cells(source, target):
    x, y = np.meshgrid(target.x_centres(), target.y_centres())
    x, y = transform(x, y, target.crs, source.crs)
    if source.crs.geographic:
        west = source.bbox.left
        x = (x - west) % 360 + west
    return (x - source.transform.c) / source.dx, (y - source.transform.f) / source.dy


def values_of(source, cells):
    rows, columns = cells.rows, cells.columns
    if isinstance(cells, SeparableMap):
        rows, columns = np.meshgrid(rows, columns, indexing="ij")
    outside = (rows < 0) | (columns < 0)
    return np.where(outside, -1, rows * source.width + columns)


@pytest.mark.parametrize("source", [WORLD, PACIFIC])
@pytest.mark.parametrize(("zoom", "row", "column"), [(0, 0, 0), (2, 1, 0), (2, 1, 3), (5, 11, 17)])
def test_mercator_tiles_of_a_globe_are_exact(source, zoom, row, column):
    target = MERCATOR.grid_of_tile(str(zoom), row, column)
    u, v = true_cells(source, target)
    cells = to_cells(positions(source, target), source)
    assert isinstance(cells, SeparableMap)
    expected = np.floor(v).astype(int) * source.width + np.floor(u).astype(int) % source.width
    assert (values_of(source, cells) == expected).mean() > 0.9999


@pytest.mark.parametrize(
    "crs", ["EPSG:3857", "EPSG:3035", "EPSG:32633", "EPSG:4326", "EPSG:3413", "EPSG:31467"]
)
def test_interpolated_positions_stay_within_tolerance(crs):
    box = UTM.bbox.to_crs(Crs.parse(crs))
    target = RectifiedGrid.from_bbox(box, 300, 280)
    found = positions(UTM, target)
    u, v = true_cells(UTM, target)
    inside = (u > 0) & (u < 1098) & (v > 0) & (v < 1098)
    assert np.abs(found.u - u)[inside].max() <= 0.125
    assert np.abs(found.v - v)[inside].max() <= 0.125


def test_a_polar_map_of_a_globe_has_its_exact_cells_up_to_ties():
    crs = Crs.parse("EPSG:3413")
    target = RectifiedGrid.from_bbox(BoundingBox(-4e6, -4e6, 4e6, 4e6, crs), 64, 64)
    cells = to_cells(positions(WORLD, target), WORLD)
    u, v = true_cells(WORLD, target)
    assert isinstance(cells, PixelMap)
    clear = np.abs(u - np.rint(u)) > 1e-3
    assert (cells.rows == np.clip(np.floor(v), 0, 359)).all()
    assert (cells.columns == np.floor(u) % 720)[clear].all()
    assert clear.mean() > 0.95


@given(
    st.integers(0, 6).flatmap(
        lambda z: st.tuples(st.just(z), st.integers(0, 2**z - 1), st.integers(0, 2**z - 1))
    )
)
@settings(max_examples=60)
def test_no_tile_touches_more_than_four_chunks_or_six_on_the_seam(address):
    zoom, row, column = address
    grid = RectifiedGrid.from_centres(CRS84, 0.025, 0.05, 7200, 89.975, -0.05, 3600)
    levels = tuple(Level(k, 2**k, grid.coarsened(2**k)) for k in range(5))
    target = MERCATOR.grid_of_tile(str(zoom), row, column)
    level, cells = map_on_best_level(levels, target)
    plan = plan_read(cells, (min(512, level.grid.height), min(512, level.grid.width)))
    seam = target.bbox.to_crs(CRS84)
    assert len(plan.chunks) <= (6 if seam.left < 0.5 <= seam.right + 0.5 else 4)


@given(st.data())
@settings(max_examples=40)
def test_gather_equals_numpy_indexing(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    values = rng.integers(0, 10_000, (50, 70))
    chunk = (data.draw(st.integers(1, 60)), data.draw(st.integers(1, 80)))
    rows = rng.integers(-1, 50, 9) if data.draw(st.booleans()) else np.arange(20, 33)
    columns = np.sort(rng.integers(-1, 70, 11))
    if data.draw(st.booleans()):
        cells = SeparableMap(rows.astype(np.intp), columns.astype(np.intp))
        expected = values[np.ix_(rows, columns)]
        expected[rows < 0] = -5
        expected[:, columns < 0] = -5
    else:
        full_rows = rng.integers(0, 50, (8, 9))
        full_columns = rng.integers(0, 70, (8, 9))
        outside = rng.random((8, 9)) < 0.2
        full_rows[outside] = full_columns[outside] = -1
        cells = PixelMap(full_rows.astype(np.intp), full_columns.astype(np.intp))
        expected = np.where(outside, -5, values[full_rows, full_columns])
    plan = plan_read(cells, chunk)
    chunks = {
        (r, c): values[r * chunk[0] : (r + 1) * chunk[0], c * chunk[1] : (c + 1) * chunk[1]]
        for r, c in plan.chunks
    }
    out = np.full(cells.shape, -5)
    gather(plan.parts, chunks, out)
    assert (out == expected).all()


def test_sixteen_tiles_equal_one_map():
    quad = world_crs84_quad()
    whole = RectifiedGrid.from_bbox(BoundingBox(-180, 0, 0, 90, CRS84), 1024, 512)
    big = values_of(WORLD, to_cells(positions(WORLD, whole), WORLD))
    for row in range(2):
        for column in range(4):
            target = quad.grid_of_tile("2", row, column)
            tile = values_of(WORLD, to_cells(positions(WORLD, target), WORLD))
            part = big[row * 256 : row * 256 + 256, column * 256 : column * 256 + 256]
            assert (tile == part).all()
