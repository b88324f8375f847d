"""Cells along paths and within regions, against the geometry library."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from datacube.errors import InvalidSubset
from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84, Crs
from datacube.model.geometry import Path, Region
from datacube.model.grid import RectifiedGrid
from datacube.slicing.path import cells_at, count_along, places_along
from datacube.slicing.polygon import mask, outline

WORLD = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 360, 180)
UTM = RectifiedGrid.from_bbox(
    BoundingBox(500_000, 5_500_000, 540_000, 5_530_000, Crs.parse("EPSG:32632")), 200, 150
)
PLACES = st.tuples(st.floats(-170, 170), st.floats(-80, 80))


def centres(grid):
    return np.meshgrid(grid.x_centres(), grid.y_centres())


@given(
    st.lists(
        st.tuples(st.floats(-170, 170), st.floats(-80, 80)), min_size=3, max_size=12, unique=True
    )
)
def test_cells_inside_any_ring_are_those_of_the_library(places):
    polygon = shapely.Polygon(places)
    if not polygon.is_valid or polygon.area < 1e-3:
        return
    x, y = centres(WORLD)
    wanted = shapely.contains_xy(polygon, x, y)
    found = mask(Region((tuple(places),), CRS84), WORLD)
    near = shapely.distance(polygon.boundary, shapely.points(x, y)) < 1e-7
    assert (found == wanted)[~near].all()


def test_a_hole_and_a_second_polygon():
    outer, inner = ((0, 0), (30, 0), (30, 30), (0, 30)), ((10, 10), (20, 10), (20, 20), (10, 20))
    other = ((50, 50), (60, 50), (60, 60), (50, 60))
    assert mask(Region((outer, inner, other), CRS84), WORLD).sum() == 900 - 100 + 100


def test_regions_that_touch_share_no_cell_and_leave_none_out():
    left = mask(Region((((0, 0), (10.5, 0), (4.5, 20), (0, 20)),), CRS84), WORLD)
    right = mask(Region((((10.5, 0), (20, 0), (20, 20), (4.5, 20)),), CRS84), WORLD)
    assert not (left & right).any()
    assert (left | right).sum() == 400


@pytest.mark.parametrize("shift", [-360, 0, 360])
def test_a_region_over_the_antimeridian(shift):
    ring = tuple((x + shift, y) for x, y in ((170, 0), (190, 0), (190, 10), (170, 10)))
    found = mask(Region((ring,), CRS84), WORLD)
    assert found.sum() == 200
    assert found[80:90, :10].all()
    assert found[80:90, -10:].all()


def test_a_region_in_another_crs_follows_its_straight_edges():
    ring = ((9.1, 49.7), (9.5, 49.75), (9.3, 49.9))
    x, y = centres(UTM)
    from datacube.model.crs import transform

    lon, lat = transform(x.ravel(), y.ravel(), UTM.crs, CRS84)
    wanted = shapely.contains_xy(shapely.Polygon(ring), lon, lat).reshape(UTM.shape)
    found = mask(Region((ring,), CRS84), UTM)
    assert found.sum() > 1000
    assert (found != wanted).sum() <= 2


def test_the_rows_of_an_outline_are_those_with_cells():
    region = Region((((0, 0), (5, 0), (2, 7)),), CRS84)
    edges = outline(region, WORLD)
    inside = mask(region, WORLD)
    assert (edges.rows.start, edges.rows.stop) == (83, 90)
    assert (edges.inside(slice(84, 86)) == inside[84:86]).all()
    north = outline(Region((((0, 95), (5, 95), (2, 99)),), CRS84), WORLD)
    assert north.rows.start == north.rows.stop


def test_a_region_without_a_place_in_the_grid_s_crs_is_refused():
    polar = RectifiedGrid.from_bbox(
        BoundingBox(-1e6, -1e6, 1e6, 1e6, Crs.parse("EPSG:3857")), 10, 10
    )
    with pytest.raises(InvalidSubset, match="no place in EPSG:3857"):
        outline(Region((((0, 0), (10, 0), (0, 90.5)),), CRS84), polar)


@given(
    st.lists(
        st.tuples(st.floats(-170, 170), st.floats(-80, 80)), min_size=2, max_size=6, unique=True
    )
)
def test_a_line_misses_no_cell_by_more_than_a_step(vertices):
    path = Path(tuple(vertices), CRS84, joined=True)
    places = places_along(WORLD, path)
    assert len(places) == count_along(WORLD, path)
    assert set(range(len(vertices))) <= set(places.tolist())
    x, y = (np.interp(places, range(len(vertices)), one) for one in np.array(vertices).T)
    assert (np.hypot(np.diff(x), np.diff(y)) <= np.sqrt(2) + 1e-6).all()
    cells = cells_at(WORLD, x, y, CRS84)
    assert (np.abs(cells.columns[0] + 0.5 - 180 - x) <= 0.5 + 1e-5).all()
    assert (np.abs(89.5 - cells.rows[0] - y) <= 0.5 + 1e-5).all()


def test_a_path_has_as_many_times_as_vertices():
    with pytest.raises(ValueError, match="1 times for 2 vertices"):
        Path(((0, 0), (1, 1)), CRS84, times=(0,))
