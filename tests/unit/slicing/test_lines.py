"""Maps of tiles made of lines that are remembered: the ones that whole positions give."""

from itertools import product

import numpy as np
import pytest

from datacube.model.bbox import BoundingBox
from datacube.model.coverage import Level
from datacube.model.crs import CRS84, Crs
from datacube.model.grid import RectifiedGrid
from datacube.model.tilesets import web_mercator_quad, world_crs84_quad
from datacube.slicing.along import Along
from datacube.slicing.cells import SeparableMap
from datacube.slicing.level import map_on_best_level
from datacube.slicing.lines import lines_of
from datacube.slicing.pace import cells_per_pixel
from datacube.slicing.plan import plan_read
from datacube.slicing.warp import positions, to_cells

WORLD = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 7200, 3600)
UP = RectifiedGrid.from_centres(Crs.parse("EPSG:4326"), 0.125, 0.25, 1440, -85.0, 0.5, 330)
PACIFIC = RectifiedGrid.from_centres(CRS84, 120.5, 1.0, 100, 40.5, -1.0, 81)


@pytest.mark.parametrize("source", [WORLD, UP, PACIFIC], ids=["world", "up", "pacific"])
@pytest.mark.parametrize("tiles", [web_mercator_quad(), world_crs84_quad()], ids=lambda one: one.id)
def test_cells_and_levels_are_those_of_the_positions(source, tiles):
    levels = tuple(Level(k, 2**k, source.coarsened(2**k)) for k in range(4))
    seen = 0
    for matrix in tiles.matrices[:7]:
        some = (range(0, count, max(count // 5, 1)) for count in (matrix.rows, matrix.columns))
        for row, column in product(*some):
            target = tiles.grid_of_tile(matrix.id, row, column)
            lines = lines_of(source, target)
            found = positions(source, target)
            assert lines.pace() == cells_per_pixel(found, source)
            level, cells = map_on_best_level(levels, target)
            expected = to_cells(found, source, level.factor)
            assert np.array_equal(cells.rows, expected.rows)
            assert np.array_equal(cells.columns, expected.columns)
            assert cells.gaps == bool((expected.rows < 0).any() or (expected.columns < 0).any())
            seen += 1
    assert seen > 100


def test_tiles_of_a_column_have_its_cells_in_common():
    above, below = (web_mercator_quad().grid_of_tile("6", row, 11) for row in (20, 21))
    first, second = lines_of(WORLD, above), lines_of(WORLD, below)
    assert first.across is second.across
    assert first.down is not second.down
    cells = first.cells(2)
    assert cells.across is second.cells(2).across
    plan_read(cells, (512, 512))
    assert cells.across.runs.keys() == {512}
    with pytest.raises(ValueError, match="read-only"):
        cells.columns[0] = 1


@pytest.mark.parametrize(
    ("crs", "size"), [("EPSG:3857", (1024, 256)), ("EPSG:32632", (256, 256)), ("CRS:84", (256, 1))]
)
def test_there_are_lines_of_tiles_alone(crs, size):
    box = BoundingBox(10, 10, 20, 20, Crs.parse(crs))
    assert lines_of(WORLD, RectifiedGrid.from_bbox(box, *size)) is None


def test_distinct_cells_stand_for_many_pixels():
    rows, columns = np.array([-1, -1, 3, 3, 3, 4]), np.array([7, 7, 8, 6, 6, 6])
    few = SeparableMap(rows, columns).distinct
    assert few.cells.rows.tolist() == [-1, 3, 4]
    assert few.cells.columns.tolist() == [7, 8, 6]
    assert np.array_equal(few.cells.rows[few.rows], rows)
    assert np.array_equal(few.cells.columns[few.columns], columns)
    assert SeparableMap(np.arange(6), columns).distinct is not None
    assert SeparableMap(np.arange(6), np.arange(9)).distinct is None
    assert SeparableMap(rows, columns).distinct.cells.distinct is None
    short, places = Along(np.empty(0, np.intp)).distinct
    assert len(short.cells) == len(places) == 0
