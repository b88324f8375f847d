"""Cubes whose cells have positions of their own: maps, clicks and coverages, all by brute force."""

import numpy as np
import pytest

from datacube.config.settings import Config
from datacube.engine.context import make_context
from datacube.engine.coverage import get_coverage
from datacube.engine.map import map_of, render_map
from datacube.engine.sample import get_samples
from datacube.errors import InvalidSubset, SubsetOutOfDomain
from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84, Crs, transform
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid, ReferenceableGrid
from datacube.model.query import (
    CoverageQuery,
    LayerRequest,
    MapQuery,
    SampleQuery,
    ScaleFactor,
    Slice,
    Trim,
)
from datacube.slicing.warp import positions, to_cells
from datacube.store.url import open_store
from tests.cubes import closed_form, make_cube
from tests.positions import distances, tripolar
from tests.stores import CountingStore

ROWS, COLUMNS = tripolar().shape
VALUES = closed_form(0, 0, 0, np.arange(ROWS)[:, None], np.arange(COLUMNS)[None, :])


def swath():
    """Lines that lean over the antimeridian, the middle of them lost."""
    row, column = np.indices((30, 24))
    lon, lat = 172.0 + 0.6 * column + 0.1 * row, 50.0 + 0.4 * row - 0.05 * column
    lon = (lon + 180.0) % 360.0 - 180.0
    lon[14:16], lat[14:16] = np.nan, np.nan
    return ReferenceableGrid(CRS84, lon, lat)


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    store = CountingStore(open_store(str(tmp_path_factory.mktemp("positions"))))
    fields = (Field("v", "int32", nil=-1, overview="nearest"),)
    times = ("2020-01-01", "2020-01-02")
    chunks = {"x": 32, "y": 32}
    make_cube(store, "ocean", grid=tripolar(), fields=fields, times=times, chunks=chunks)
    make_cube(store, "swath", grid=swath(), fields=fields, times=None)
    return make_context(store, Config())


def nearest_cells(grid, target):
    """Flat index of the cell nearest to each pixel's centre, and its distance."""
    x, y = np.meshgrid(target.x_centres(), target.y_centres())
    lon, lat = transform(x, y, target.crs, CRS84)
    away = distances(grid, lon, lat)
    away[np.isnan(away)] = np.inf
    best = away.argmin(axis=1)
    return best, away[np.arange(len(best)), best], away


def scaled_map(context, cube, crs, box, **options):
    """Values of a whole map, through a coverage that is made of equal cells."""
    crs = Crs.parse(crs)
    left, bottom, right, top = box
    query = CoverageQuery(
        cube,
        (Trim("x", left, right, crs), Trim("y", bottom, top, crs)),
        scaling=ScaleFactor(1.0),
        output_crs=crs,
        **options,
    )
    coverage = get_coverage(context, query)
    return coverage.description.domain.rectified, coverage.blocks["v"]


@pytest.mark.parametrize(
    ("crs", "box"),
    [
        ("CRS:84", (-180, -78, 180, 89.9)),
        ("CRS:84", (100, 50, 260, 90)),
        ("EPSG:3857", (-20037508, -1e7, 20037508, 2e7)),
        ("EPSG:3413", (-3e6, -3e6, 3e6, 3e6)),
    ],
)
def test_every_pixel_is_the_nearest_cell(context, crs, box):
    target = RectifiedGrid.from_bbox(BoundingBox(*box, Crs.parse(crs)), 150, 120)
    cube = context.catalog.cube("ocean")
    grid = cube.description.domain.grid
    cells = to_cells(positions(grid, target, inverses=cube.inverses), grid)
    assert (cells.rows >= 0).all()
    best, near, away = nearest_cells(grid, target)
    chosen = (cells.rows * grid.width + cells.columns).ravel()
    # exact where the map's coordinates are; else off by what a net of PROJ's positions may be
    slack = 1e-7 if crs != "EPSG:3413" else np.radians(cube.inverses.of(grid).spacing) / 32
    assert (away[np.arange(len(best)), chosen] - near).max() <= slack


def test_a_map_shows_the_nearest_values(context):
    target = RectifiedGrid.from_bbox(BoundingBox(-179.3, -77.7, 179.9, 89.9, CRS84), 120, 56)
    image = render_map(context, MapQuery((LayerRequest("ocean.v"),), target, transparent=True))
    pixels = image.image.rgba().pixels
    best, _, _ = nearest_cells(tripolar(), target)
    rows, columns = np.divmod(best, COLUMNS)
    shown = (VALUES + 1000)[rows, columns].reshape(target.shape)
    assert (pixels[..., 3] == 255).all()
    # places that are in the grid once have one colour each
    once = ((rows < ROWS - 2) & (columns >= 2) & (columns < COLUMNS - 2)).reshape(target.shape)
    for value in np.unique(shown[once])[::37]:
        assert len(np.unique(pixels[once & (shown == value)], axis=0)) == 1


def test_the_whole_map_is_found_at_once_and_kept(context):
    cube = context.catalog.cube("ocean")
    assert cube.inverses.of(tripolar()) is cube.inverses.of(cube.description.domain.grid)


def test_a_swath_over_the_antimeridian_with_lost_lines(context):
    cube = context.catalog.cube("swath")
    box = cube.description.domain.bbox
    assert box.crosses_antimeridian
    assert box.geographic().edges == pytest.approx(box.edges)
    found, block = scaled_map(context, "swath", "CRS:84", box.unwrapped().edges)
    best, near, _ = nearest_cells(swath(), found)
    rows, columns = np.divmod(best, swath().width)
    expected = closed_form(0, 0, 0, rows, columns).reshape(found.shape)
    assert 0.4 < block.valid.mean() < 0.9
    deep = (near < np.radians(0.1)).reshape(found.shape)
    # cells beside the lost lines have no half on that side
    assert set(rows.reshape(found.shape)[deep & ~block.valid]) <= {13, 16}
    assert (block.data[block.valid] == expected[block.valid]).mean() == 1.0


def at(context, lon, lat, layer="ocean"):
    query = SampleQuery((LayerRequest(layer),), lon, lat, CRS84)
    return get_samples(context, query).samples[0]


@pytest.mark.parametrize("place", [(0.3, 0.2), (73.0, 89.9), (-179.99, 10.0), (180.0, 70.0)])
def test_a_click_gives_the_nearest_cell(context, place):
    grid = tripolar()
    away = distances(grid, *(np.array([one]) for one in place))[0]
    best = int(away.argmin())
    found = at(context, *place)
    assert found.value in 1000 + VALUES.ravel()[np.isclose(away, away[best], atol=1e-12)]
    assert found.lat == pytest.approx(grid.y.ravel()[best])
    assert found.distance == pytest.approx(6.37e6 * away[best], rel=0.01)


def test_a_click_beside_a_swath_gives_nothing(context):
    found = at(context, 0.0, 0.0, "swath")
    assert (found.value, found.lon, found.distance) == (None, None, None)


def test_a_trim_is_the_smallest_rectangle_around_its_cells(context):
    box = Trim("Long", -30.0, 20.0), Trim("Lat", 62.0, 75.0)
    coverage = get_coverage(context, CoverageQuery("ocean", box))
    grid, whole = coverage.description.domain.grid, tripolar()
    inside = (whole.x >= -30) & (whole.x <= 20) & (whole.y >= 62) & (whole.y <= 75)
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    assert isinstance(grid, ReferenceableGrid)
    np.testing.assert_array_equal(grid.x, whole.x[part])
    np.testing.assert_array_equal(grid.y, whole.y[part])
    for t in (0, 1):
        np.testing.assert_array_equal(coverage.blocks["v"].data[t], VALUES[part] + 1000 * t)


def test_a_trim_over_the_antimeridian_and_one_in_metres(context):
    whole = swath()
    over = CoverageQuery("swath", (Trim("Long", 178.0, -178.0), Trim("Lat", 52.0, 54.0)))
    found = get_coverage(context, over).description.domain.grid
    inside = (np.abs(whole.x) >= 178) & (whole.y >= 52) & (whole.y <= 54)
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    assert found.shape == (np.ptp(rows) + 1, np.ptp(columns) + 1)
    polar = Crs.parse("EPSG:3413")
    trims = Trim("x", -3e5, 3e5, polar), Trim("y", -3e5, 3e5, polar)
    grid = get_coverage(context, CoverageQuery("ocean", trims)).description.domain.grid
    x, y = transform(tripolar().x, tripolar().y, CRS84, polar)
    cap = (np.abs(x) <= 3e5) & (np.abs(y) <= 3e5)
    assert grid.shape == tuple(np.ptp(np.flatnonzero(cap.any(axis))) + 1 for axis in (1, 0))


def test_a_point_is_the_nearest_cell_and_a_tiny_box_the_cell_it_lies_in(context):
    for subsets in (
        (Slice("Long", 12.3), Slice("Lat", 45.6)),
        (Trim("Long", 12.29, 12.31), Trim("Lat", 45.59, 45.61)),
    ):
        block = get_coverage(context, CoverageQuery("ocean", subsets)).blocks["v"]
        best = int(distances(tripolar(), np.array([12.3]), np.array([45.6])).argmin())
        assert block.data.ravel().tolist() == [VALUES.ravel()[best] + t for t in (0, 1000)]


def test_what_no_rectangle_can_mean_is_refused(context):
    with pytest.raises(InvalidSubset, match="points of both Lat and Long"):
        get_coverage(context, CoverageQuery("ocean", (Slice("Lat", 40.0),)))
    with pytest.raises(SubsetOutOfDomain, match="no cell lies there"):
        get_coverage(context, CoverageQuery("swath", (Trim("Lat", -20.0, -10.0),)))


def test_a_size_or_a_crs_makes_equal_cells(context):
    box = (-40.0, 20.0, 10.0, 60.0)
    grid, block = scaled_map(context, "ocean", "EPSG:4326", box)
    assert grid.bbox.edges == pytest.approx(box, abs=5)
    best, _, _ = nearest_cells(tripolar(), grid)
    np.testing.assert_array_equal(block.data[0].ravel(), VALUES.ravel()[best])
    smooth = scaled_map(context, "ocean", "EPSG:4326", box, interpolation="bilinear")[1]
    assert smooth.field.dtype == "float64"
    assert smooth.valid.all()


def test_a_map_zoomed_out_reads_an_overview(context):
    cube = context.catalog.cube("ocean")
    assert [level.grid.shape for level in cube.description.levels] == [(61, 74), (31, 37), (16, 19)]
    small = RectifiedGrid.from_bbox(BoundingBox(-180, -60, 180, 60, CRS84), 18, 6)
    level, cells = map_of(context, cube, small)
    assert level.number == 2
    assert (cells.rows >= 0).all()
    middle = level.grid
    x, y = np.meshgrid(small.x_centres(), small.y_centres())
    off = (middle.x[cells.rows, cells.columns] - x + 180) % 360 - 180
    assert np.abs(off).max() < 15
    assert np.abs(middle.y[cells.rows, cells.columns] - y).max() < 10
