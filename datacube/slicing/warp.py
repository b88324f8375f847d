"""Target pixels -> source cells: where each pixel of a map lies on a cube's grid.

An index map answers, for every pixel's centre, which row and column of the source grid holds it.
It is *separable* where rows depend on y alone and columns on x alone (the same plane, or longitude
and latitude against Mercator): two short arrays. Otherwise PROJ is asked on a coarse net of
pixels, positions between are interpolated, and the net is refined until no checked position is
more than :data:`TOLERANCE` of a source cell off.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datacube.model.crs import Crs, transform
from datacube.model.grid import RectifiedGrid

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]

TOLERANCE = 0.125
"""Largest error of an interpolated position, in source cells."""

_NET = 32
_MERCATOR = "EPSG:3857"
_EDGE = 1e-6


@dataclass(frozen=True, eq=False)
class SeparableMap:
    """Rows by target row, columns by target column.

    Parameters
    ----------
    rows : intp, (y,), source row of each target row, -1 outside
    columns : intp, (x,), source column of each target column, -1 outside
    """

    rows: IndexArray
    columns: IndexArray

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the target."""
        return len(self.rows), len(self.columns)


@dataclass(frozen=True, eq=False)
class PixelMap:
    """A row and a column for every target pixel.

    Parameters
    ----------
    rows, columns : intp, (y, x), source row and column, both -1 outside
    """

    rows: IndexArray
    columns: IndexArray

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the target."""
        height, width = self.rows.shape
        return height, width


type IndexMap = SeparableMap | PixelMap


@dataclass(frozen=True, eq=False)
class SeparablePositions:
    """Continuous positions where rows and columns are independent.

    Parameters
    ----------
    u : float64, (x,), in cells from the source's corner (cell i covers i … i + 1), NaN where none
    v : float64, (y,), likewise along rows
    """

    u: FloatArray
    v: FloatArray


@dataclass(frozen=True, eq=False)
class PixelPositions:
    """Continuous positions of every target pixel: u and v, float64, (y, x), as above."""

    u: FloatArray
    v: FloatArray


type Positions = SeparablePositions | PixelPositions


def positions(source: RectifiedGrid, target: RectifiedGrid) -> Positions:
    """Where on the source grid the centre of each target pixel lies.

    Longitudes are moved by whole turns to where the source has its columns.
    """
    if separable(source.crs, target.crs):
        x, y = target.x_centres(), target.y_centres()
        lon, _ = transform(x, np.full_like(x, _middle(y)), target.crs, source.crs)
        _, lat = transform(np.full_like(y, _middle(x)), y, target.crs, source.crs)
        return SeparablePositions(*_cells_from_corner(source, lon, lat))
    step = _NET
    while step > 1:
        found = _interpolated(source, target, step)
        if found is not None:
            return found
        step //= 4
    rows, columns = np.indices(target.shape, dtype=float)
    return PixelPositions(*_exact(source, target, columns, rows))


def to_cells(found: Positions, source: RectifiedGrid, factor: int = 1) -> IndexMap:
    """Which cell of an overview holds each position.

    Parameters
    ----------
    found : Positions on source
    source : the finest grid; it decides what is outside
    factor : how many of its cells make one of the overview's, along rows and columns

    Examples
    --------
    >>> from datacube.model.bbox import BoundingBox
    >>> from datacube.model.crs import CRS84
    >>> world = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 36, 18)
    >>> part = RectifiedGrid.from_bbox(BoundingBox(170, 70, 190, 90, CRS84), 2, 2)
    >>> cells = to_cells(positions(world, part), world)
    >>> cells.rows.tolist(), cells.columns.tolist()
    ([0, 1], [35, 0])
    """
    rows = _inside(found.v, source.height) // factor
    columns = _inside(found.u, source.width) // factor
    match found:
        case SeparablePositions():
            return SeparableMap(rows, columns)
        case PixelPositions():
            outside = (rows < 0) | (columns < 0)
            rows[outside] = -1
            columns[outside] = -1
            return PixelMap(rows, columns)


def cells_per_pixel(found: Positions, source: RectifiedGrid) -> float:
    """Source cells that a target pixel spans along its worse axis; 0 for a target outside.

    The mean over the pixels that lie on the source.
    """
    match found:
        case SeparablePositions(u, v):
            return (
                max(_pace(u, source.width), _pace(v, source.height))
                if (_any_inside(u, source.width) and _any_inside(v, source.height))
                else 0.0
            )
        case PixelPositions(u, v):
            return _steepness(u, v, source)


def separable(one: Crs, other: Crs) -> bool:
    """Whether x of one gives x of the other, and y gives y."""
    if one.same_plane(other):
        return True
    geographic = {"EPSG:4326", "OGC:CRS84"}
    return (one.key in geographic and other.key == _MERCATOR) or (
        other.key in geographic and one.key == _MERCATOR
    )


def _interpolated(source: RectifiedGrid, target: RectifiedGrid, step: int) -> PixelPositions | None:
    """Positions from a net of PROJ answers, None where a check at the net's middles fails."""
    across, down = _nodes(target.width, step), _nodes(target.height, step)
    u, v = _exact(source, target, *np.meshgrid(across, down))
    if not (np.isfinite(u).all() and np.isfinite(v).all()):
        return None
    middle_x, middle_y = (across[:-1] + across[1:]) / 2, (down[:-1] + down[1:]) / 2
    true_u, true_v = _exact(source, target, *np.meshgrid(middle_x, middle_y))
    error = max(
        float(np.abs(_middles(net) - true).max()) for net, true in ((u, true_u), (v, true_v))
    )
    if not error <= TOLERANCE / 2:
        return None
    wx, wy = _weights(across, target.width), _weights(down, target.height)
    return PixelPositions(wy @ u @ wx.T, wy @ v @ wx.T)


def _exact(
    source: RectifiedGrid, target: RectifiedGrid, columns: FloatArray, rows: FloatArray
) -> tuple[FloatArray, FloatArray]:
    x = target.transform.c + (columns + 0.5) * target.dx
    y = target.transform.f + (rows + 0.5) * target.dy
    return _cells_from_corner(source, *transform(x, y, target.crs, source.crs))


def _cells_from_corner(
    source: RectifiedGrid, x: FloatArray, y: FloatArray
) -> tuple[FloatArray, FloatArray]:
    if source.crs.geographic:
        west = min(source.transform.c, source.transform.c + source.dx * source.width)
        slack = _EDGE * abs(source.dx)
        x = x - 360.0 * np.floor((x - west + slack) / 360.0)
    return (x - source.transform.c) / source.dx, (y - source.transform.f) / source.dy


def _nodes(size: int, step: int) -> FloatArray:
    count = max(2, -(-(size - 1) // step) + 1)
    return np.linspace(0.0, max(size - 1, 1), count)


def _middles(net: FloatArray) -> FloatArray:
    return np.asarray((net[:-1, :-1] + net[1:, :-1] + net[:-1, 1:] + net[1:, 1:]) / 4)


def _weights(nodes: FloatArray, size: int) -> FloatArray:
    """Matrix of linear interpolation from nodes to 0 … size - 1; float64, (size, nodes)."""
    at = np.arange(size, dtype=float)
    left = np.clip(np.searchsorted(nodes, at, side="right") - 1, 0, len(nodes) - 2)
    share = (at - nodes[left]) / (nodes[left + 1] - nodes[left])
    weights = np.zeros((size, len(nodes)))
    weights[np.arange(size), left] = 1 - share
    weights[np.arange(size), left + 1] = share
    return weights


def _inside(position: FloatArray, size: int) -> IndexArray:
    """Cell of each position; a hair beyond the outer edges counts as inside; -1 outside."""
    inside = _within(position, size)
    cells = np.floor(np.where(inside, position, 0.0)).astype(np.intp)
    np.clip(cells, 0, size - 1, out=cells)
    cells[~inside] = -1
    return cells


def _within(position: FloatArray, size: int) -> NDArray[np.bool_]:
    return (position > -_EDGE) & (position < size + _EDGE)


def _any_inside(position: FloatArray, size: int) -> bool:
    return bool(_within(position, size).any())


def _pace(position: FloatArray, size: int) -> float:
    """Mean step of neighbours of which one is inside; a seam's jump does not count."""
    if len(position) < 2:
        return float(size)
    inside = _within(position, size)
    steps = np.abs(np.diff(position))[inside[1:] | inside[:-1]]
    steps = steps[np.isfinite(steps)]
    if not steps.size:
        return 0.0
    return float(steps[steps <= 2 * np.median(steps) + 1e-9].mean())


def _steepness(u: FloatArray, v: FloatArray, source: RectifiedGrid) -> float:
    """Mean length, in cells, of a step of one pixel to the right or down, whichever is longer."""
    inside = _within(u, source.width) & _within(v, source.height)
    if not inside.any():
        return 0.0
    down = np.hypot(np.diff(u, axis=0), np.diff(v, axis=0))[inside[1:] | inside[:-1]]
    right = np.hypot(np.diff(u, axis=1), np.diff(v, axis=1))[inside[:, 1:] | inside[:, :-1]]
    paces = [float(np.median(steps[np.isfinite(steps)])) for steps in (down, right) if steps.size]
    return max(paces, default=float(max(source.shape)))


def _middle(values: FloatArray) -> float:
    return float(values[len(values) // 2])
