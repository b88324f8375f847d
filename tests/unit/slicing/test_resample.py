"""Resampling by value: closed forms, missing cells, dtypes, seams, edges, and tiles of a map."""

from typing import get_args

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84, Crs
from datacube.model.grid import RectifiedGrid
from datacube.model.query import Interpolation
from datacube.slicing.footprint import Footprint
from datacube.slicing.resample import resample
from datacube.slicing.warp import PixelPositions, SeparablePositions, bands, positions
from datacube.slicing.window import Window, on_level, on_window, window_of

METHODS = get_args(Interpolation.__value__)
POINT = ("nearest", "bilinear", "cubic")


def axes(u, v):
    return SeparablePositions(np.array(u, float), np.array(v, float))


def pixels(u, v):
    return PixelPositions(*np.meshgrid(np.array(u, float), np.array(v, float)))


def both(u, v):
    return [axes(u, v), pixels(u, v)]


def plane(height=9, width=12):
    rows, columns = np.indices((height, width))
    return 3.0 * (columns + 0.5) - 2.0 * (rows + 0.5) + 100


@pytest.mark.parametrize("found", both([1.5, 2.25, 6.9], [2.0, 3.7]))
@pytest.mark.parametrize("method", ["bilinear", "cubic"])
def test_a_plane_is_met_exactly(method, found):
    values, valid = resample(method, plane(), np.ones((9, 12), bool), found)
    u, v = np.meshgrid([1.5, 2.25, 6.9], [2.0, 3.7])
    assert valid.all()
    np.testing.assert_allclose(values, 3 * u - 2 * v + 100, rtol=1e-13)


@pytest.mark.parametrize("found", both([3.1, 4.75, 6.0], [2.4, 5.9]))
def test_cubic_meets_a_parabola_exactly(found):
    rows, columns = np.indices((9, 12))
    data = (columns + 0.5) ** 2 + (rows + 0.5) ** 2
    values, _ = resample("cubic", data, np.ones(data.shape, bool), found)
    u, v = np.meshgrid([3.1, 4.75, 6.0], [2.4, 5.9])
    np.testing.assert_allclose(values, u**2 + v**2, rtol=1e-13)


@pytest.mark.parametrize("found", both([0.2, 11.7, 12.4, np.nan], [0.1, 8.95]))
@pytest.mark.parametrize("method", POINT)
def test_edges_take_the_last_cells_and_beyond_is_not_valid(method, found):
    data = plane()
    values, valid = resample(method, data, np.ones(data.shape, bool), found)
    assert valid.tolist() == [[True, True, False, False]] * 2
    assert values[0, 0] == data[0, 0]
    assert values[1, 1] == data[8, 11]
    assert (values[:, 2:] == 0).all()


@pytest.mark.parametrize("found", both([1.0, 1.5], [1.0]))
def test_bilinear_renormalises_over_valid_cells_where_the_centre_is_valid(found):
    data = np.array([[1.0, 2.0, 50.0], [np.nan, 8.0, 60.0]])
    values, valid = resample("bilinear", data, ~np.isnan(data), found)
    assert valid.all()
    np.testing.assert_allclose(values, [[(1 + 2 + 8) / 3, (2 + 8) / 2]])
    data = np.array([[1.0, 2.0, 50.0], [7.0, np.nan, 60.0]])
    values, valid = resample("bilinear", data, ~np.isnan(data), found)
    assert valid.tolist() == [[False, False]]


@pytest.mark.parametrize("shape", ["axes", "pixels"])
def test_area_methods_by_hand(shape):
    data = np.array([[1, 2, 9], [4, 2, 9], [7, 8, 9]], np.int16)
    valid = np.ones((3, 3), bool)
    valid[1, 0] = False
    one = (np.array([0.0]), np.array([1.5]), np.array([0.0]), np.array([2.0]))
    if shape == "axes":
        found = SeparablePositions(np.array([0.75]), np.array([1.0]), Footprint(*one))
    else:
        extent = Footprint(*(side[None, :] for side in one))
        found = PixelPositions(np.array([[0.75]]), np.array([[1.0]]), extent)
    answers = {method: resample(method, data, valid, found)[0].item() for method in METHODS[3:]}
    assert answers == {
        "average": (1 + 2 * 0.5 + 2 * 0.5) / 2,
        "mode": 1,
        "min": 1,
        "max": 2,
        "med": 2,
        "q1": 1,
        "q3": 2,
    }


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "float32", "float64"])
def test_dtypes(method, dtype):
    data = (np.arange(64).reshape(8, 8) % 2).astype(dtype)
    found = positions(
        RectifiedGrid.from_bbox(BoundingBox(0, 0, 8, 8, CRS84), 8, 8),
        RectifiedGrid.from_bbox(BoundingBox(0, 0, 8, 8, CRS84), 5, 5),
        method,
    )
    valid = np.ones((8, 8), bool)
    valid[3, 3] = False
    values, _ = resample(method, data, valid, found)
    kept = method in {"nearest", "mode", "min", "max"} or dtype == "float32"
    assert values.dtype == (dtype if kept else "float64")


@pytest.mark.parametrize("method", METHODS)
def test_nothing_valid_gives_nothing(method):
    for found in both([0.5, 2.0], [1.0, 2.0, 3.0]):
        values, valid = resample(method, np.full((4, 4), np.nan), np.zeros((4, 4), bool), found)
        assert not valid.any()
        assert (values == 0).all()


def test_a_value_that_is_not_valid_never_shows():
    data = np.full((20, 20), 5.0)
    valid = np.random.default_rng(1).random((20, 20)) > 0.3
    data[~valid] = 1e30
    grid = RectifiedGrid.from_bbox(BoundingBox(0, 0, 20, 20, CRS84), 20, 20)
    for size in (9, 33):
        target = RectifiedGrid.from_bbox(grid.bbox, size, size)
        for method in METHODS:
            values, good = resample(method, data, valid, positions(grid, target, method))
            np.testing.assert_allclose(values[good], 5.0, rtol=1e-14)
            assert good.any()


def test_average_keeps_the_total():
    data = np.random.default_rng(2).random((60, 60))
    grid = RectifiedGrid.from_bbox(BoundingBox(0, 0, 60, 60, CRS84), 60, 60)
    for size in (7, 13, 60):
        found = positions(grid, RectifiedGrid.from_bbox(grid.bbox, size, size), "average")
        values, valid = resample("average", data, np.ones(data.shape, bool), found)
        assert valid.all()
        assert values.mean() == pytest.approx(data.mean(), rel=1e-6)


WORLD = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 72, 36)


def waves():
    lon, lat = np.meshgrid(np.radians(WORLD.x_centres()), np.radians(WORLD.y_centres()))
    return 100 * np.cos(lon - 0.3) * np.cos(lat) + 20 * np.sin(2 * lon)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:3832", "EPSG:3413"])
def test_the_antimeridian_leaves_no_seam(method, crs):
    """A globe that begins at 0 degrees gives the same picture as one that begins at -180."""
    other = RectifiedGrid.from_bbox(BoundingBox(0, -90, 360, 90, CRS84), 72, 36)
    moved = np.roll(waves(), 36, axis=1)
    box = BoundingBox(170, 50, 190, 70, CRS84).to_crs(Crs.parse("EPSG:3832"))
    if crs == "EPSG:3413":
        box = BoundingBox(-3e6, -3e6, 3e6, 3e6, Crs.parse(crs))
    elif crs == "EPSG:3857":
        box = BoundingBox(1.9e7, 6e6, 2.1e7, 9e6, Crs.parse(crs))
    target = RectifiedGrid.from_bbox(box, 50, 40)
    pictures = []
    for grid, data in ((WORLD, waves()), (other, moved)):
        found = positions(grid, target, method)
        pictures.append(resample(method, data, np.ones(data.shape, bool), found, wraps=True))
    assert pictures[0][1].all()
    np.testing.assert_allclose(pictures[0][0], pictures[1][0], rtol=1e-9, atol=1e-6)


def test_a_pixel_over_the_pole_covers_all_longitudes():
    target = RectifiedGrid.from_bbox(
        BoundingBox(-9e5, -9e5, 9e5, 9e5, Crs.parse("EPSG:3413")), 3, 3
    )
    data = np.arange(36.0)[:, None] + np.zeros(72)
    data[0] = np.arange(72) % 2
    found = positions(WORLD, target, "average")
    values, _ = resample("average", data, np.ones(data.shape, bool), found, wraps=True)
    assert values[1, 1] == pytest.approx(0.5, abs=0.01)


TILED = {
    "finer, same plane": (CRS84, (10.0, 20.0, 41.7, 51.3)),
    "finer, Mercator": (Crs.parse("EPSG:3857"), (-4e6, 2e6, 3.3e6, 8.1e6)),
    "over the seam": (CRS84, (171.0, -40.0, 203.0, -8.0)),
    "polar": (Crs.parse("EPSG:3413"), (-4.1e6, -4e6, 3.9e6, 4e6)),
    "Lambert": (Crs.parse("EPSG:3035"), (2.5e6, 1.4e6, 7.4e6, 5.5e6)),
    "coarse, world": (CRS84, (-180.0, -90.0, 180.0, 90.0)),
    "coarse, Mollweide": (Crs.from_wkt("+proj=moll"), (-1.8e7, -9e6, 1.8e7, 9e6)),
}


@pytest.mark.parametrize("case", list(TILED))
@pytest.mark.parametrize("method", METHODS)
@given(st.integers(5, 40), st.integers(5, 40), st.booleans(), st.integers(0, 99))
@settings(max_examples=3, deadline=None)
def test_sixteen_tiles_equal_the_big_map_to_the_bit(method, case, height, width, holes, seed):
    """Each tile reads the window of cells that it needs, the map its own."""
    rng = np.random.default_rng(seed)
    grid = RectifiedGrid.from_bbox(WORLD.bbox, 360, 180)
    data = rng.normal(size=grid.shape).astype(rng.choice(["f4", "f8"]))
    if method == "mode":
        data = rng.integers(0, 5, grid.shape)
    valid = rng.random(grid.shape) > 0.1 if holes else np.ones(grid.shape, bool)
    crs, box = TILED[case]
    whole = RectifiedGrid.from_bbox(BoundingBox(*box, crs), 4 * width, 4 * height)
    big, big_valid = of_window(method, grid, data, valid, whole)
    for row in range(4):
        for column in range(4):
            part = whole.window(row * height, column * width, height, width)
            tile, tile_valid = of_window(method, grid, data, valid, part)
            place = np.s_[row * height : (row + 1) * height, column * width : (column + 1) * width]
            assert (tile_valid == big_valid[place]).all()
            assert (tile == big[place]).all()


def of_window(method, grid, data, valid, target):
    found = positions(grid, target, method)
    window = window_of(found, grid.shape, method, wraps=grid.wraps)
    if window is None:
        return np.zeros(target.shape, data.dtype), np.zeros(target.shape, bool)
    cells = window.cells(grid.width)
    picked = np.ix_(cells.rows, cells.columns)
    found = on_window(found, window, grid.width, wraps=grid.wraps)
    return resample(method, data[picked], valid[picked], found, wraps=window.closed)


@pytest.mark.parametrize("method", ["nearest", "cubic", "average", "mode"])
@pytest.mark.parametrize("crs", ["EPSG:3413", "EPSG:3857"])
def test_bands_of_rows_equal_the_whole(method, crs):
    target = RectifiedGrid.from_bbox(BoundingBox(-4e6, 1e6, 4e6, 5e6, Crs.parse(crs)), 90, 210)
    data, valid = waves(), np.ones((36, 72), bool)
    whole, _ = of_window(method, WORLD, data, valid, target)
    for rows, part in bands(target, 90 * 64):
        assert (of_window(method, WORLD, data, valid, part)[0] == whole[rows]).all()


def test_windows():
    found = axes([350.2, 359.9, 0.4, 9.0], [10.5, 12.5])
    window = window_of(found, (180, 360), "cubic", wraps=True)
    assert window == Window(8, 348, 7, 24)
    assert window.cells(360).columns[[0, 11, 12, -1]].tolist() == [348, 359, 0, 11]
    moved = on_window(found, window, 360, wraps=True)
    np.testing.assert_allclose(moved.u, [2.2, 11.9, 12.4, 21.0])
    assert window_of(found, (180, 360), "nearest") == Window(10, 0, 3, 360)
    assert window_of(axes([-5.0], [3.0]), (180, 360), "bilinear") is None
    assert window_of(axes([np.nan], [np.nan]), (18, 36), "nearest", wraps=True) is None
    everywhere = axes(np.arange(0.5, 360, 2), [0.5])
    assert window_of(everywhere, (18, 360), "bilinear", wraps=True) == Window(0, 0, 2, 360, True)


def test_positions_on_an_overview():
    fine = RectifiedGrid(CRS84, Affine(1, 0, 0, 0, -1, 50), 64, 48)
    target = RectifiedGrid.from_bbox(BoundingBox(3, 5, 33, 41, CRS84), 10, 9)
    found = on_level(positions(fine, target, "average"), 4)
    expected = positions(fine.coarsened(4), target, "average")
    np.testing.assert_allclose(found.u, expected.u)
    np.testing.assert_allclose(found.extent.v_high, expected.extent.v_high)


def test_a_large_map_is_made_in_bands():
    data = plane(64, 64)
    u = np.linspace(0.5, 63.5, 700)
    values, valid = resample("bilinear", data, np.ones(data.shape, bool), axes(u, u))
    assert valid.all()
    np.testing.assert_allclose(values, 3 * u[None, :] - 2 * u[:, None] + 100)
