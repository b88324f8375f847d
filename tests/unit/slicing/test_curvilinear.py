"""Inverse maps of curvilinear grids against closed forms and against all cells, one by one."""

import numpy as np
import pytest
from netCDF4 import Dataset

from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84, Crs, transform
from datacube.model.grid import RectifiedGrid, ReferenceableGrid
from datacube.slicing.curvilinear import Inverse, Inverses, locate
from datacube.slicing.pace import cells_per_pixel
from datacube.slicing.resample import resample
from datacube.slicing.warp import positions, to_cells

ROTATED = Crs.from_wkt("+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=39.25 +lon_0=18")
STEP = 0.5


def rotated(height=100, width=120, left=-30.0, bottom=-25.0):
    """Cells of STEP degrees in rotated coordinates, first row in the south."""
    x, y = np.meshgrid(
        left + STEP * (np.arange(width) + 0.5), bottom + STEP * (np.arange(height) + 0.5)
    )
    return ReferenceableGrid(CRS84, *transform(x, y, ROTATED, CRS84))


def in_rotated(lon, lat, left=-30.0, bottom=-25.0):
    x, y = transform(lon, lat, CRS84, ROTATED)
    return (x - left) / STEP, (y - bottom) / STEP


def polar(size=121):
    """A stereographic grid whose middle cell is the North Pole."""
    crs = Crs.parse("EPSG:3413")
    axis = (np.arange(size) - size // 2) * 50_000.0
    return ReferenceableGrid(CRS84, *transform(*np.meshgrid(axis, axis[::-1]), crs, CRS84))


def vectors(lon, lat):
    lon, lat = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], -1)


def nearest_distance(grid, lon, lat):
    """Distance in radians to the nearest centre of all."""
    centres = vectors(grid.x, grid.y).reshape(-1, 3)
    centres = centres[np.isfinite(centres).all(1)]
    places = vectors(lon, lat)
    cosine = np.concatenate([(part @ centres.T).max(1) for part in np.array_split(places, 20)])
    return np.arccos(np.clip(cosine, -1, 1))


def distance(grid, u, v, lon, lat):
    row, column = np.floor(v).astype(int), np.floor(u).astype(int)
    one, other = vectors(grid.x[row, column], grid.y[row, column]), vectors(lon, lat)
    return 2 * np.arcsin(np.linalg.norm(one - other, axis=-1) / 2)


def check_nearest(grid, lon, lat, at_least):
    u, v = locate(grid, lon, lat, nearest=True)
    inside = np.isfinite(u)
    assert inside.mean() >= at_least
    found = distance(grid, u[inside], v[inside], lon[inside], lat[inside])
    best = nearest_distance(grid, lon[inside], lat[inside])
    assert (found <= best + 1e-7).all()
    return inside


def everywhere(count=2000, seed=1):
    rng = np.random.default_rng(seed)
    return rng.uniform(-180, 180, count), np.degrees(np.arcsin(rng.uniform(-1, 1, count)))


def test_a_rotated_pole_grid_is_inverted_to_its_own_coordinates():
    u, v = locate(rotated(), *everywhere(20_000))
    true_u, true_v = in_rotated(*everywhere(20_000))
    inside = (true_u > 0) & (true_u < 120) & (true_v > 0) & (true_v < 100)
    rim = 0.01
    clear = (true_u > rim) & (true_u < 120 - rim) & (true_v > rim) & (true_v < 100 - rim)
    assert inside.sum() > 500
    assert np.isfinite(u[clear]).all()
    assert np.isnan(u[(true_u < -rim) | (true_u > 120 + rim)]).all()
    assert np.isnan(u[(true_v < -rim) | (true_v > 100 + rim)]).all()
    assert np.abs(u - true_u)[clear].max() < 0.005
    assert np.abs(v - true_v)[clear].max() < 0.005


def test_nearest_is_that_of_all_cells_on_a_rotated_pole_grid():
    rng = np.random.default_rng(5)
    lon, lat = transform(rng.uniform(-30, 30, 3000), rng.uniform(-25, 25, 3000), ROTATED, CRS84)
    check_nearest(rotated(), lon, lat, 0.999)


def test_the_pole_and_the_antimeridian_are_like_other_places():
    grid = polar()
    rng = np.random.default_rng(6)
    lon, lat = rng.uniform(-180, 540, 3000), rng.uniform(70, 90, 3000)
    lon[:4], lat[:4] = [0, 180, -180, 179.9999], [90, 75, 75, 75]
    inside = check_nearest(grid, lon, lat, 1.0)
    assert inside.all()
    u, v = locate(grid, lon[:3], lat[:3])
    np.testing.assert_allclose([u[0], v[0]], 60.5, atol=1e-6)
    assert (u[1], v[1]) == pytest.approx((u[2], v[2]))


def test_whole_turns_do_not_matter():
    lon, lat = everywhere()
    one, other = locate(rotated(), lon, lat), locate(rotated(), lon + 720, lat)
    np.testing.assert_allclose(one[0], other[0], atol=1e-9)
    np.testing.assert_allclose(one[1], other[1], atol=1e-9)


def test_a_plane_needs_no_globe():
    crs = Crs.parse("EPSG:3035")
    rows, columns = np.indices((30, 40)) + 0.5
    x, y = 4e6 + 900 * columns + 250 * rows, 3e6 - 800 * rows + 300 * columns
    grid = ReferenceableGrid(crs, x, y)
    rng = np.random.default_rng(2)
    true_u, true_v = rng.uniform(-5, 45, 500), rng.uniform(-5, 35, 500)
    u, v = locate(
        grid,
        4e6 + 900 * true_u + 250 * true_v,
        3e6 - 800 * true_v + 300 * true_u,
    )
    inside = (true_u > 0) & (true_u < 40) & (true_v > 0) & (true_v < 30)
    assert (np.isfinite(u) == inside).all()
    np.testing.assert_allclose(u[inside], true_u[inside], atol=1e-7)
    np.testing.assert_allclose(v[inside], true_v[inside], atol=1e-7)


def test_cells_without_a_position_are_holes():
    grid = rotated()
    x, y = grid.x.copy(), grid.y.copy()
    x[40:60, 50:80] = np.nan
    holed = ReferenceableGrid(CRS84, x, y)
    true_u, true_v = in_rotated(*everywhere(20_000))
    u, _ = locate(holed, *everywhere(20_000))
    deep = (true_u > 50) & (true_u < 80) & (true_v > 40) & (true_v < 60)
    around = (true_u > 1) & (true_u < 119) & (true_v > 1) & (true_v < 99)
    around &= (true_u < 49) | (true_u > 81) | (true_v < 39) | (true_v > 61)
    assert np.isnan(u[deep]).all()
    assert np.isfinite(u[around]).all()


def test_one_row_has_no_quads():
    with pytest.raises(ValueError, match="no quads"):
        Inverse(ReferenceableGrid(CRS84, np.zeros((1, 5)), np.zeros((1, 5))))


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:3035", "OGC:CRS84"])
def test_positions_of_a_map_are_those_of_its_pixels(crs):
    grid = rotated()
    box = BoundingBox(-20, 35, 40, 70, CRS84).to_crs(Crs.parse(crs))
    target = RectifiedGrid.from_bbox(box, 150, 130)
    inverses = Inverses()
    found = positions(grid, target, "bilinear", inverses)
    lon, lat = transform(*np.meshgrid(target.x_centres(), target.y_centres()), target.crs, CRS84)
    u, v = locate(grid, lon, lat)
    both = np.isfinite(u) & np.isfinite(found.u)
    assert both.mean() > 0.5
    assert (np.isfinite(u) ^ np.isfinite(found.u)).mean() < 1e-3
    assert np.abs(found.u - u)[both].max() < 0.01
    assert np.abs(found.v - v)[both].max() < 0.01
    nearest = to_cells(positions(grid, target, "nearest", inverses), grid)
    assert (nearest.rows[both] >= 0).all()
    assert 0.1 < cells_per_pixel(found, grid) < 2
    data = np.sin(grid.x / 20) + np.cos(grid.y / 15)
    values, valid = resample("bilinear", data, np.ones(data.shape, bool), found)
    assert np.abs(values - np.sin(lon / 20) - np.cos(lat / 15))[valid & both].max() < 0.01
    extended = positions(grid, target, "average", inverses)
    values, valid = resample("average", data, np.ones(data.shape, bool), extended)
    assert np.abs(values - np.sin(lon / 20) - np.cos(lat / 15))[valid & both].max() < 0.05


def test_tiles_on_a_curvilinear_grid_join():
    target = RectifiedGrid.from_bbox(
        BoundingBox(-1e6, 5e6, 3e6, 9e6, Crs.parse("EPSG:3857")), 96, 96
    )
    inverses = Inverses()
    grid = rotated()
    whole = to_cells(positions(grid, target, inverses=inverses), grid)
    for row in (0, 48):
        for column in (0, 48):
            part = positions(grid, target.window(row, column, 48, 48), inverses=inverses)
            cells = to_cells(part, grid)
            assert (cells.rows == whole.rows[row : row + 48, column : column + 48]).all()
            assert (cells.columns == whole.columns[row : row + 48, column : column + 48]).all()


def test_inverses_are_kept_within_bounds():
    one, other = rotated(), polar()
    kept = Inverses()
    assert kept.of(one) is kept.of(one)
    assert kept.nbytes == kept.of(one).nbytes
    small = Inverses(max_bytes=kept.nbytes)
    first = small.of(one)
    small.of(other)
    assert small.of(one) is not first


@pytest.mark.data
@pytest.mark.parametrize("month", ["20150101-20150201", "20150201-20150301"])
def test_nemo(test_data, month):
    """A tripolar global grid: every pixel of the sea has the nearest cell of all."""
    with Dataset(test_data / "ocean" / f"nemo_1m_{month}_grid-T.nc") as file:
        grid = ReferenceableGrid(
            CRS84, np.asarray(file["nav_lon"][:], float), np.asarray(file["nav_lat"][:], float)
        )
    lon, lat = everywhere(1000, seed=9)
    north = lat > -80
    check_nearest(grid, lon[north], lat[north], 0.999)
    rng = np.random.default_rng(3)
    check_nearest(grid, rng.uniform(-180, 180, 800), rng.uniform(80, 90, 800), 1.0)


@pytest.mark.data
def test_olci_swath(test_data):
    with Dataset(test_data / "sentinel3_5p" / "O_L2_0001_SNS_2017104102450_v1.0.nc") as file:
        grid = ReferenceableGrid(
            CRS84,
            np.ma.filled(file["lon"][:].astype(float), np.nan),
            np.ma.filled(file["lat"][:].astype(float), np.nan),
        )
    rng = np.random.default_rng(4)
    box = grid.bbox
    lon, lat = rng.uniform(box.left, box.right, 3000), rng.uniform(box.bottom, box.top, 3000)
    inside = check_nearest(grid, lon, lat, 0.5)
    far = nearest_distance(grid, lon, lat) > np.radians(Inverse(grid).spacing) * 2
    assert not inside[far].any()
    columns, rows = np.meshgrid(np.arange(100) + 0.5, np.arange(100) + 0.5)
    u, v = locate(grid, grid.x, grid.y)
    np.testing.assert_allclose(u, columns, atol=1e-5)
    np.testing.assert_allclose(v, rows, atol=1e-5)
