"""Positions of pixels over many pairs of CRS: against PROJ pixel by pixel, and against GDAL."""

from dataclasses import dataclass
from functools import cache
from zlib import crc32

import numpy as np
import pyproj
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rasterio.warp import Resampling, reproject

from datacube.errors import DatacubeError
from datacube.model.bbox import BoundingBox
from datacube.model.crs import Crs
from datacube.model.grid import RectifiedGrid
from datacube.slicing.warp import SeparablePositions, positions, to_cells


@dataclass(frozen=True)
class Plane:
    """A CRS and the box in which it is used."""

    text: str
    box: tuple[float, float, float, float]
    whole: bool = False

    @property
    def crs(self):
        return crs_of(self.text)


@cache
def crs_of(text):
    return Crs.from_wkt(text) if text.startswith("+") else Crs.parse(text)


PLANES = {
    "lonlat": Plane("EPSG:4326", (-180, -90, 180, 90), whole=True),
    "mercator": Plane("EPSG:3857", (-2e7, -1.6e7, 2e7, 1.6e7), whole=True),
    "pacific": Plane("EPSG:3832", (-1.9e7, -1.2e7, 1.9e7, 1.2e7), whole=True),
    "ellipsoidal": Plane("EPSG:3395", (-2e7, -1.5e7, 2e7, 1.5e7), whole=True),
    "mollweide": Plane("+proj=moll", (-1.81e7, -9.03e6, 1.81e7, 9.03e6), whole=True),
    "sinusoidal": Plane("+proj=sinu +R=6371007.181", (-2e7, -1e7, 2e7, 1e7), whole=True),
    "robinson": Plane("+proj=robin", (-1.71e7, -8.7e6, 1.71e7, 8.7e6), whole=True),
    "ease": Plane("EPSG:6933", (-1.7e7, -7.3e6, 1.7e7, 7.3e6), whole=True),
    "geostationary": Plane("+proj=geos +h=35785831 +lon_0=0", (-5.5e6, -5.5e6, 5.5e6, 5.5e6)),
    "himawari": Plane(
        "+proj=geos +h=35785863 +lon_0=140.7 +sweep=y", (-5.5e6, -5.5e6, 5.5e6, 5.5e6)
    ),
    "orthographic": Plane("+proj=ortho +lat_0=60 +lon_0=100", (-6.4e6, -6.4e6, 6.4e6, 6.4e6)),
    "europe": Plane("EPSG:3035", (2.5e6, 1.3e6, 7e6, 5.5e6)),
    "utm32": Plane("EPSG:32632", (2e5, 3e6, 8e5, 8e6)),
    "utm55s": Plane("EPSG:32755", (2e5, 5e6, 8e5, 9.5e6)),
    "arctic": Plane("EPSG:3413", (-4e6, -4e6, 4e6, 4e6)),
    "arctic0": Plane("EPSG:3995", (-4e6, -4e6, 4e6, 4e6)),
    "antarctic": Plane("EPSG:3031", (-4e6, -4e6, 4e6, 4e6)),
    "north": Plane("EPSG:6931", (-8e6, -8e6, 8e6, 8e6)),
    "britain": Plane("EPSG:27700", (0, 0, 7e5, 1.2e6)),
    "newzealand": Plane("EPSG:2193", (1e6, 4.7e6, 2.1e6, 6.3e6)),
    "gauss": Plane("EPSG:31467", (3.2e6, 5.2e6, 3.9e6, 6.1e6)),
    "france": Plane("EPSG:2154", (1e5, 6e6, 1.2e6, 7.1e6)),
    "america": Plane("EPSG:5070", (-2.3e6, 3e5, 2.2e6, 3.1e6)),
    "australia": Plane("EPSG:3577", (-1.9e6, -4.8e6, 2.1e6, -1e6)),
    "conformal": Plane("+proj=lcc +lat_1=39 +lat_2=50 +lon_0=-96", (-3e6, 2e6, 3e6, 7e6)),
    "rotated": Plane(
        "+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=39.25 +lon_0=18", (-28, -23, 18, 21)
    ),
}
PAIRS = (
    [("lonlat", name) for name in PLANES if name != "lonlat"]
    + [(name, "lonlat") for name in PLANES if not PLANES[name].whole]
    + [(name, "mercator") for name in ("utm32", "europe", "arctic", "geostationary", "rotated")]
    + [
        ("mercator", "europe"),
        ("mercator", "antarctic"),
        ("mollweide", "sinusoidal"),
        ("sinusoidal", "mercator"),
        ("sinusoidal", "europe"),
        ("arctic", "arctic0"),
        ("geostationary", "europe"),
        ("utm32", "gauss"),
        ("rotated", "europe"),
        ("ease", "north"),
    ]
)


def test_there_are_enough_pairs():
    assert len(set(PAIRS)) >= 40


def part_of(box, fractions):
    left, bottom, right, top = box
    x0, y0, wide, high = fractions
    width, height = (right - left) * wide, (top - bottom) * high
    x, y = left + x0 * (right - left - width), bottom + y0 * (top - bottom - height)
    return x, y, x + width, y + height


def grids(source, target, fractions, size, cells):
    """A source grid over its whole box, and a map of a random part of the narrower of the two."""
    one, other = PLANES[source], PLANES[target]
    grid = RectifiedGrid.from_bbox(BoundingBox(*one.box, one.crs), cells, cells // 2)
    if other.whole and not one.whole:
        box = BoundingBox(*part_of(one.box, fractions), one.crs)
        try:
            box = box.to_crs(other.crs).unwrapped()
        except DatacubeError:
            assume(condition=False)
    else:
        box = BoundingBox(*part_of(other.box, fractions), other.crs)
    return grid, RectifiedGrid.from_bbox(box, *size)


def exact(grid, target, rows, columns):
    """PROJ's positions of pixels, in cells; columns of longitudes from the grid's first on."""
    x = target.transform.c + (columns + 0.5) * target.dx
    y = target.transform.f + (rows + 0.5) * target.dy
    move = pyproj.Transformer.from_crs(target.crs.pyproj(), grid.crs.pyproj(), always_xy=True)
    if not target.crs.same_plane(grid.crs):
        x, y = move.transform(x, y)
    u, v = (x - grid.transform.c) / grid.dx, (y - grid.transform.f) / grid.dy
    lost = ~(np.isfinite(u) & np.isfinite(v))
    u, v = np.where(lost, np.nan, u), np.where(lost, np.nan, v)
    if grid.crs.geographic:
        turn = 360 / grid.dx
        u = u - turn * np.floor((u + 1e-6) / turn)
    return u, v


def found_at(found, rows, columns):
    if isinstance(found, SeparablePositions):
        return found.u[columns], found.v[rows]
    return found.u[rows, columns], found.v[rows, columns]


fraction = st.floats(0, 1)
length = st.floats(0.02, 1)
size = st.integers(64, 1024)


@pytest.mark.parametrize(("source", "target"), PAIRS)
@given(
    st.tuples(fraction, fraction, length, length),
    st.tuples(size, size),
    st.integers(500, 8000),
    st.integers(0, 1000),
)
@settings(max_examples=5, deadline=None)
def test_no_pixel_is_off_by_more_than_an_eighth(source, target, fractions, shape, cells, seed):
    grid, pixels = grids(source, target, fractions, shape, cells)
    found = positions(grid, pixels)
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(0, pixels.height, 3000), rng.integers(0, pixels.width, 3000)
    u, v = found_at(found, rows, columns)
    true_u, true_v = exact(grid, pixels, rows, columns)
    inside = (true_u >= 0) & (true_u <= grid.width) & (true_v >= 0) & (true_v <= grid.height)
    off = u - true_u
    if grid.crs.geographic:
        off -= (360 / grid.dx) * np.rint(off / (360 / grid.dx))
    polar = np.zeros_like(inside)
    if grid.crs.geographic:
        polar = np.abs(np.abs(grid.transform.f + true_v * grid.dy) - 90) < 1e-9
    assert np.isfinite(u[inside]).all()
    assert np.isfinite(v[inside]).all()
    assert np.abs(off[inside & ~polar]).max(initial=0) <= 0.125
    assert np.abs(v - true_v)[inside].max(initial=0) <= 0.125
    nowhere = np.isnan(true_u)
    here = (u >= 0) & (u <= grid.width) & (v >= 0) & (v <= grid.height)
    assert not (here & nowhere).any()


GDAL_PAIRS = [
    ("lonlat", "mercator"),
    ("lonlat", "europe"),
    ("lonlat", "arctic"),
    ("lonlat", "antarctic"),
    ("lonlat", "utm32"),
    ("lonlat", "mollweide"),
    ("lonlat", "geostationary"),
    ("lonlat", "conformal"),
    ("mercator", "europe"),
    ("utm32", "mercator"),
    ("utm32", "lonlat"),
    ("europe", "mercator"),
    ("arctic", "arctic0"),
    ("arctic", "lonlat"),
    ("geostationary", "europe"),
    ("sinusoidal", "europe"),
]


@pytest.mark.gdal
@pytest.mark.parametrize(("source", "target"), GDAL_PAIRS)
def test_nearest_gives_the_cells_of_gdal(source, target):
    """GDAL with its exact transformer; cells may differ where a pixel lies on an edge."""
    rng = np.random.default_rng(crc32(f"{source} {target}".encode()))
    fractions = tuple(rng.uniform([0, 0, 0.4, 0.4], [1, 1, 0.9, 0.9]))
    grid, pixels = grids(source, target, fractions, (320, 240), 900)
    cells = to_cells(positions(grid, pixels), grid)
    rows, columns = cells.rows, cells.columns
    if rows.ndim == 1:
        rows, columns = np.meshgrid(rows, columns, indexing="ij")
    ours = np.where((rows < 0) | (columns < 0), -1, rows * grid.width + columns)
    theirs = np.full(pixels.shape, -1, np.int32)
    reproject(
        np.arange(grid.width * grid.height, dtype=np.int32).reshape(grid.shape),
        theirs,
        src_transform=grid.transform,
        src_crs=grid.crs.wkt,
        dst_transform=pixels.transform,
        dst_crs=pixels.crs.wkt,
        dst_nodata=-1,
        resampling=Resampling.nearest,
        tolerance=0,
    )
    u, v = exact(grid, pixels, *np.indices(pixels.shape))
    edge = 2e-3
    clear = (np.abs(u - np.rint(u)) > edge) & (np.abs(v - np.rint(v)) > edge)
    known = (ours >= 0) & (theirs >= 0)
    assert known.mean() > 0.2
    assert ((ours >= 0) ^ (theirs >= 0))[clear].mean() < 0.01
    assert (ours == theirs)[known & clear].all()
    assert clear[known].mean() > 0.95
