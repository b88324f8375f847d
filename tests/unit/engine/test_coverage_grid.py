"""Coverages on exactly the cells of a grid, and single places of an axis."""

import numpy as np
import pytest

from datacube.config.settings import Config
from datacube.engine.context import open_context
from datacube.engine.coverage import get_coverage
from datacube.errors import InvalidParameter, InvalidSubset, RequestTooLarge, SubsetOutOfDomain
from datacube.model.bbox import BoundingBox
from datacube.model.crs import Crs
from datacube.model.grid import RectifiedGrid
from datacube.model.query import Aggregate, CoverageQuery, Several, Slice, Trim
from datacube.model.time import Timestamp
from tests.cubes import make_cube

DAYS = tuple(f"2020-01-{day:02d}" for day in range(1, 6))
LONLAT = Crs.parse("EPSG:4326")


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    """``part``: 1000 t + 10 row + column on cells of one degree from 0, 10 to 10, 0."""
    folder = tmp_path_factory.mktemp("grid")
    make_cube(folder, "part", times=DAYS, bbox=(0, 0, 10, 10), width=10, height=10)
    return open_context(str(folder), Config())


def ask(context, grid, *subsets, **query):
    return get_coverage(context, CoverageQuery("part", subsets, grid=grid, **query))


def degrees(left, bottom, right, top, width, height):
    return RectifiedGrid.from_bbox(BoundingBox(left, bottom, right, top, LONLAT), width, height)


def day(text):
    return Slice("time", Timestamp.parse(text))


FIRST = day("2020-01-01")


def test_cells_beside_the_cube_have_no_data(context):
    found = ask(context, degrees(-2, 8, 3, 12, 5, 4), FIRST)
    block = found.blocks["v"]
    assert found.description.domain.grid == degrees(-2, 8, 3, 12, 5, 4)
    expected = np.zeros((4, 5), bool)
    expected[2:, 2:] = True
    np.testing.assert_array_equal(block.valid, expected)
    np.testing.assert_array_equal(block.data[2:, 2:], [[0, 1, 2], [10, 11, 12]])


def test_a_grid_wholly_beside_the_cube_is_empty(context):
    assert not ask(context, degrees(50, 50, 60, 60, 7, 3), FIRST).blocks["v"].valid.any()


def test_a_grid_in_another_crs(context):
    box = BoundingBox(0, 0, 10, 10, LONLAT).to_crs(Crs.parse("EPSG:3857"))
    found = ask(context, RectifiedGrid.from_bbox(box, 10, 10), FIRST)
    assert found.blocks["v"].valid.all()
    assert found.blocks["v"].data[0].tolist() == list(range(10))


def test_noise_in_the_last_digits_moves_nothing(context):
    left, top = 2.0000000000000004, 7.999999999999999
    block = ask(context, degrees(left, 5, 5, top, 3, 3), FIRST).blocks["v"]
    np.testing.assert_array_equal(block.data, [[22, 23, 24], [32, 33, 34], [42, 43, 44]])


def test_several_times(context):
    several = Several("time", tuple(map(day, (DAYS[4], DAYS[0], DAYS[2]))))
    found = ask(context, degrees(0, 9, 1, 10, 1, 1), several)
    assert found.blocks["v"].data.ravel().tolist() == [0, 2000, 4000]
    (time,) = found.description.domain.axes
    assert [text[:10] for text in time.iso] == ["2020-01-01", "2020-01-03", "2020-01-05"]


def test_intervals_among_them_and_instants_that_are_left_out(context):
    parts = (Trim("time", None, Timestamp.parse(DAYS[1])), day(DAYS[3]), day("2030-01-01"))
    found = ask(context, degrees(0, 9, 1, 10, 1, 1), Several("time", parts, lenient=True))
    assert found.blocks["v"].data.ravel().tolist() == [0, 1000, 3000]


def test_what_is_refused(context):
    grid = degrees(0, 0, 10, 10, 1, 1)
    with pytest.raises(SubsetOutOfDomain, match="2020-01-05"):
        ask(context, grid, Several("time", (day("2021-01-01"),)))
    with pytest.raises(InvalidSubset):
        ask(context, grid, Several("Long", (Slice("Long", 1.0),)))
    with pytest.raises(InvalidParameter, match="single places"):
        ask(context, grid, Several("time", (FIRST,)), aggregate=Aggregate())
    with pytest.raises(RequestTooLarge):
        ask(context, degrees(0, 0, 10, 10, 5_000_000, 1), FIRST)
