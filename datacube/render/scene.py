"""Where a picture lies on the ground, for styles that draw slopes, lines and directions.

A scene is the grid of the pixels with a margin around the picture: values are given for all of it,
the picture is what is inside. With the margin, and with everything placed on lattices that count
from the origin of the CRS, neighbouring pictures fit together.
"""

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from datacube.model.crs import CRS84, Crs, transform
from datacube.model.grid import RectifiedGrid

type FloatArray = NDArray[np.float64]

_RADIUS, _FLATTENING = 6378137.0, 1 / 298.257223563
_STEP_DEGREES, _STEP_METRES = 1e-4, 10.0
_NET = 16
_CYLINDRICAL = frozenset({"EPSG:4326", "OGC:CRS84", "EPSG:3857", "EPSG:3395"})


@dataclass(frozen=True, eq=False)
class Scene:
    """The pixels that values are given for, and how many of them are margin.

    Parameters
    ----------
    grid : RectifiedGrid
        All pixels, the margin included.
    margin : int
        Pixels on each side that are not in the picture.
    source : Crs
        Of the cube, whose axes components of vectors may follow.
    """

    grid: RectifiedGrid
    margin: int = 0
    source: Crs = CRS84

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the picture."""
        height, width = self.grid.shape
        return height - 2 * self.margin, width - 2 * self.margin

    @property
    def inside(self) -> tuple[slice, slice]:
        """Rows and columns of the picture."""
        height, width = self.shape
        return slice(self.margin, self.margin + height), slice(self.margin, self.margin + width)

    @property
    def corner(self) -> tuple[float, float]:
        """Column and row of the first pixel's corner, in pixels from the origin of the CRS."""
        transform = self.grid.transform
        return transform.c / self.grid.dx, transform.f / self.grid.dy


@dataclass(frozen=True, eq=False)
class Axes:
    """What one metre on the ground along two axes is on the picture, at some places.

    Parameters
    ----------
    first, second : float64, (n, 2)
        Pixels to the right and down for a metre along the first (east) and second (north) axis.
    latitude : float64, (n,), degrees
    """

    first: FloatArray
    second: FloatArray
    latitude: FloatArray


def lattice(scene: Scene, spacing: float) -> tuple[FloatArray, FloatArray]:
    """Places every so many pixels, staggered, at which neighbouring pictures agree.

    Parameters
    ----------
    spacing : float, pixels

    Returns
    -------
    columns, rows : float64, (n,)
        In pixels from the corner of the scene; all lie in it.

    Examples
    --------
    >>> from datacube.model.bbox import BoundingBox
    >>> grid = RectifiedGrid.from_bbox(BoundingBox(0, -4, 4, 0, CRS84), 4, 4)
    >>> columns, rows = lattice(Scene(grid), 2)
    >>> sorted(zip(columns.tolist(), rows.tolist()))
    [(0.5, 1.0), (1.5, 3.0), (2.5, 1.0), (3.5, 3.0)]
    """
    height, width = scene.grid.shape
    column0, row0 = scene.corner
    lines = np.arange(floor(row0 / spacing) - 1, ceil((row0 + height) / spacing) + 1)
    places = np.arange(floor(column0 / spacing) - 1, ceil((column0 + width) / spacing) + 1)
    columns = (places[np.newaxis] + 0.25 + 0.5 * (lines[:, np.newaxis] % 2)) * spacing - column0
    rows = np.broadcast_to((lines[:, np.newaxis] + 0.5) * spacing - row0, columns.shape)
    seen = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    return columns[seen], rows[seen]


def axes_at(grid: RectifiedGrid, along: Crs, columns: FloatArray, rows: FloatArray) -> Axes:
    """Directions of the axes of a CRS at places of a picture.

    Parameters
    ----------
    grid : RectifiedGrid, of the picture
    along : Crs, whose axes; of longitude and latitude they are east and north
    columns, rows : float64, (n,), in pixels from the corner

    Returns
    -------
    Axes
        NaN where a place is not on the globe.
    """
    x, y = grid.transform.c + columns * grid.dx, grid.transform.f + rows * grid.dy
    here = transform(x, y, grid.crs, along)
    places = transform(*here, along, CRS84)
    away = _STEP_DEGREES if along.geographic else _STEP_METRES
    stretch = np.cos(np.radians(here[1])) if along.geographic else np.ones(len(x))
    across = away / np.maximum(stretch, 1e-3)
    zero = np.zeros(len(x))
    first = _metre(grid, along, (x, y), here, places, (across, zero))
    second = _metre(grid, along, (x, y), here, places, (zero, np.full(len(x), away)))
    return Axes(first, second, places[1])


def _metre(
    grid: RectifiedGrid,
    along: Crs,
    at: tuple[FloatArray, FloatArray],
    here: tuple[FloatArray, FloatArray],
    places: tuple[FloatArray, FloatArray],
    step: tuple[FloatArray, FloatArray],
) -> FloatArray:
    """Pixels for a metre along a step, forward or back, whichever stays clear of seams."""
    both = []
    for sign in (1.0, -1.0):
        there = here[0] + sign * step[0], here[1] + sign * step[1]
        x, y = transform(*there, along, grid.crs)
        moved = np.stack([(x - at[0]) / grid.dx, (y - at[1]) / grid.dy], axis=-1)
        if grid.crs.geographic:
            turn = 360.0 / grid.dx
            moved[:, 0] -= turn * np.round(moved[:, 0] / turn)
        length = distance(*places, *transform(*there, along, CRS84))
        both.append(sign * moved / length[:, np.newaxis])
    forward, back = both
    nearer = np.linalg.norm(forward, axis=1) <= np.linalg.norm(back, axis=1)
    nearer |= np.isnan(back[:, 0])
    return np.where(nearer[:, np.newaxis], forward, back)


def distance(lon0: FloatArray, lat0: FloatArray, lon1: FloatArray, lat1: FloatArray) -> FloatArray:
    """Metres between places that are near one another, along the chord; WGS 84.

    Examples
    --------
    >>> one = np.array([0.0])
    >>> float(distance(one, one, one + 1, one).round(-1)[0])
    111320.0
    """
    apart = _geocentric(lon1, lat1) - _geocentric(lon0, lat0)
    return np.asarray(np.linalg.norm(apart, axis=-1), np.float64)


def _geocentric(lon: FloatArray, lat: FloatArray) -> FloatArray:
    """Metres from the centre of the Earth: float64, (…, 3)."""
    eccentricity = _FLATTENING * (2 - _FLATTENING)
    sine, cosine = np.sin(np.radians(lat)), np.cos(np.radians(lat))
    curvature = _RADIUS / np.sqrt(1 - eccentricity * sine**2)
    x = curvature * cosine * np.cos(np.radians(lon))
    y = curvature * cosine * np.sin(np.radians(lon))
    return np.stack([x, y, curvature * (1 - eccentricity) * sine], axis=-1)


def metres_of(grid: RectifiedGrid) -> tuple[FloatArray, FloatArray]:
    """Ground size of every pixel.

    Returns
    -------
    across, down : float64, metres
        (y, 1) where only the latitude counts, else (y, x); NaN off the globe.
    """
    height, width = grid.shape
    if grid.crs.key in _CYLINDRICAL:
        rows = np.arange(height, dtype=np.float64) + 0.5
        across, down = _sizes(grid, np.full(height, 0.5), rows)
        return across[:, np.newaxis], down[:, np.newaxis]
    column0, row0 = Scene(grid).corner
    net_rows, net_columns = _net(row0, height), _net(column0, width)
    columns, rows = np.meshgrid(net_columns, net_rows)
    sizes = _sizes(grid, columns.ravel(), rows.ravel())
    across, down = (
        _spread(one.reshape(columns.shape), net_rows, net_columns, grid.shape) for one in sizes
    )
    return across, down


def _sizes(
    grid: RectifiedGrid, columns: FloatArray, rows: FloatArray
) -> tuple[FloatArray, FloatArray]:
    def ground(right: float, lower: float) -> tuple[FloatArray, FloatArray]:
        x = grid.transform.c + (columns + right) * grid.dx
        y = grid.transform.f + (rows + lower) * grid.dy
        return transform(x, y, grid.crs, CRS84)

    return (
        distance(*ground(-0.5, 0), *ground(0.5, 0)),
        distance(*ground(0, -0.5), *ground(0, 0.5)),
    )


def _net(first: float, size: int) -> FloatArray:
    """Places every 16 pixels of the plane around so many pixels, counted from the first."""
    nodes = np.arange(floor(first / _NET), ceil((first + size) / _NET) + 1)
    return np.asarray(nodes * _NET - first, np.float64)


def _spread(
    net: FloatArray, rows: FloatArray, columns: FloatArray, shape: tuple[int, int]
) -> FloatArray:
    """Values of a net, linear between its nodes."""
    height, width = shape
    wide = np.stack([np.interp(np.arange(width) + 0.5, columns, line) for line in net])
    return np.stack([np.interp(np.arange(height) + 0.5, rows, line) for line in wide.T], axis=-1)
