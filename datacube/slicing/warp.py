"""Target pixels -> source cells: where each pixel of a map lies on a cube's grid.

An index map answers, for every pixel's centre, which row and column of the source grid holds it.
It is *separable* where rows depend on y alone and columns on x alone (the same plane, or longitude
and latitude against Mercator): two short arrays. Otherwise PROJ is asked on a coarse net of
pixels and positions between are interpolated, with a finer net where a coarse one would be more
than 1/32 of a source cell off. A referenceable grid is asked for the cells around
each place by its :class:`~datacube.slicing.curvilinear.Inverse`.

The position of a pixel does not depend on the window it is asked in: tiles join without a seam,
and a large map can be worked on in bands of rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from datacube.model.crs import Crs, transform
from datacube.model.grid import Grid, RectifiedGrid, ReferenceableGrid
from datacube.model.query import Interpolation
from datacube.slicing.cells import IndexMap, PixelMap, SeparableMap
from datacube.slicing.curvilinear import Inverse, Inverses
from datacube.slicing.footprint import AREA_METHODS, Footprint, around_corners, interval
from datacube.slicing.net import Net, cast
from datacube.slicing.sheets import EDGE, Room, cells_within, snapped

FloatArray = NDArray[np.float64]

_MERCATOR = "EPSG:3857"
_LONLAT = frozenset({"EPSG:4326", "OGC:CRS84"})
_RADIUS = 6_378_137.0
_ANCHOR = 0.381966
_ROWS = 64


@dataclass(frozen=True, eq=False)
class SeparablePositions:
    """Continuous positions where rows and columns are independent.

    Parameters
    ----------
    u : float64, (x,), in cells from the source's corner (cell i covers i … i + 1), NaN where none
    v : float64, (y,), likewise along rows
    extent : Footprint, optional
        What the pixels cover, for methods that look at areas.
    """

    u: FloatArray
    v: FloatArray
    extent: Footprint | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the target."""
        return len(self.v), len(self.u)


@dataclass(frozen=True, eq=False)
class PixelPositions:
    """Continuous positions of every target pixel: u and v, float64, (y, x), and extent as above."""

    u: FloatArray
    v: FloatArray
    extent: Footprint | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the target."""
        height, width = self.u.shape
        return height, width


type Positions = SeparablePositions | PixelPositions


def positions(
    source: Grid,
    target: RectifiedGrid,
    method: Interpolation = "nearest",
    inverses: Inverses | None = None,
) -> Positions:
    """Where on the source grid the centre of each target pixel lies.

    Longitudes are moved by whole turns to where the source has its columns.

    Parameters
    ----------
    source, target : the cells and the pixels, each in its own CRS
    method : Interpolation
        The methods that look at areas get an extent too. Nearest on a referenceable grid names
        the cell whose centre is nearest on the globe, not the one that bilinear coordinates name.
    inverses : Inverses, optional
        Where the inverse of a referenceable grid is kept for the next time.

    Examples
    --------
    >>> from datacube.model.bbox import BoundingBox
    >>> from datacube.model.crs import CRS84
    >>> world = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 36, 18)
    >>> found = positions(world, RectifiedGrid.from_bbox(world.bbox, 3, 2), "average")
    >>> found.u.tolist(), found.extent.u_high.tolist()
    ([6.0, 18.0, 30.0], [12.0, 24.0, 36.0])
    """
    extended = method in AREA_METHODS
    match source:
        case RectifiedGrid():
            if separable(source.crs, target.crs):
                return _on_axes(source, target, extended=extended)
            return _on_pixels(source, target, extended=extended)
        case ReferenceableGrid():
            inverse = Inverse(source) if inverses is None else inverses.of(source)
            return _on_cells(inverse, target, method, extended=extended)


def bands(target: RectifiedGrid, pixels: int = 1 << 20) -> Iterator[tuple[slice, RectifiedGrid]]:
    """A target in bands of whole rows, for maps whose positions would take much memory.

    Positions take 16 bytes a pixel, with an extent 48 and about 130 while they are made. Those
    of a band are those of the same rows of the whole target.

    Parameters
    ----------
    pixels : int, about how many a band has, at least

    Examples
    --------
    >>> from datacube.model.bbox import BoundingBox
    >>> from datacube.model.crs import CRS84
    >>> target = RectifiedGrid.from_bbox(BoundingBox(0, 0, 40, 30, CRS84), 400, 300)
    >>> [(rows.start, rows.stop, part.height) for rows, part in bands(target, 40_000)]
    [(0, 128, 128), (128, 256, 128), (256, 300, 44)]
    """
    step = max(1, -(-pixels // (target.width * _ROWS))) * _ROWS
    for start in range(0, target.height, step):
        stop = min(start + step, target.height)
        yield slice(start, stop), target.window(start, 0, stop - start, target.width)


def to_cells(found: Positions, source: Grid, factor: int = 1) -> IndexMap:
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
    height, width = source.shape
    rows, columns = cells_within(found.v, height, factor), cells_within(found.u, width, factor)
    match found:
        case SeparablePositions():
            return SeparableMap(rows, columns)
        case PixelPositions():
            if min(rows.min(initial=0), columns.min(initial=0)) < 0:
                outside = (rows < 0) | (columns < 0)
                rows[outside] = -1
                columns[outside] = -1
            return PixelMap(rows, columns)


def separable(one: Crs, other: Crs) -> bool:
    """Whether x of one gives x of the other, and y gives y."""
    if one.same_plane(other):
        return True
    return (one.key in _LONLAT and other.key == _MERCATOR) or (
        other.key in _LONLAT and one.key == _MERCATOR
    )


def _on_axes(source: RectifiedGrid, target: RectifiedGrid, *, extended: bool) -> SeparablePositions:
    """Two short arrays: columns asked along the middle row, rows along the middle column."""
    u, v = columns_of(source, target), rows_of(source, target)
    if not extended:
        return SeparablePositions(u, v)
    x, y = target.x_centres(), target.y_centres()
    turn, middle = turn_of(source), (_middle(x), _middle(y))
    x_edges, y_edges = _edges(x, target.dx), _edges(y, target.dy)
    extent = Footprint(
        *interval(snapped(_columns(source, target, x_edges, middle[1])), u, turn),
        *interval(snapped(_rows(source, target, y_edges, middle[0])), v),
    )
    return SeparablePositions(u, v, extent)


def columns_of(source: RectifiedGrid, target: RectifiedGrid) -> FloatArray:
    """Position of each column of a separable target: float64, (x,), in the source's cells."""
    x, y = target.x_centres(), _middle(target.y_centres())
    return snapped(_columns(source, target, x, y), turn_of(source))


def rows_of(source: RectifiedGrid, target: RectifiedGrid) -> FloatArray:
    """Position of each row of a separable target: float64, (y,), in the source's cells."""
    x, y = _middle(target.x_centres()), target.y_centres()
    return snapped(_rows(source, target, y, x))


def _columns(source: RectifiedGrid, target: RectifiedGrid, x: FloatArray, y: float) -> FloatArray:
    if _from_mercator(source.crs, target.crs):
        x = x * (180 / (np.pi * _RADIUS))
    else:
        x, _ = transform(x, np.full_like(x, y), target.crs, source.crs)
    return (x - source.transform.c) / source.dx


def _rows(source: RectifiedGrid, target: RectifiedGrid, y: FloatArray, x: float) -> FloatArray:
    if _from_mercator(source.crs, target.crs):
        with np.errstate(over="ignore"):
            y = np.degrees(np.arctan(np.sinh(y / _RADIUS)))
    else:
        _, y = transform(np.full_like(y, x), y, target.crs, source.crs)
    return (y - source.transform.f) / source.dy


def _from_mercator(source: Crs, target: Crs) -> bool:
    """Whether Mercator's pixels look for longitudes and latitudes: two formulas, without PROJ."""
    return target.key == _MERCATOR and source.key in _LONLAT


def independent(source: Crs, target: Crs) -> bool:
    """Whether columns are found without a look at y, and rows without one at x."""
    return _from_mercator(source, target) or source.same_plane(target)


def net_of(source: RectifiedGrid, target: RectifiedGrid) -> Net:
    """A net over a target of another plane than the source's."""

    def centres(columns: FloatArray, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        return _exact(source, target, columns + 0.5, rows + 0.5)

    return cast(centres, target.shape, _origin(target), _room(source))


def _on_pixels(source: RectifiedGrid, target: RectifiedGrid, *, extended: bool) -> PixelPositions:
    u, v = net_of(source, target).positions()
    if not extended:
        return PixelPositions(u, v)

    def corners(columns: FloatArray, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        return _exact(source, target, columns, rows)

    room, shape = _room(source), (target.height + 1, target.width + 1)
    at = cast(corners, shape, _origin(target), room).positions()
    return PixelPositions(u, v, around_corners(*at, (u, v), room.turn, room.poles))


def _room(source: RectifiedGrid) -> Room:
    poles = None
    if source.crs.geographic:
        poles = ((90 - source.transform.f) / source.dy, (-90 - source.transform.f) / source.dy)
    return Room(source.height, source.width, turn_of(source), poles)


def _origin(target: RectifiedGrid) -> tuple[int, int]:
    """Row and column of a target's first pixel in its plane's own count."""
    return (
        floor(target.transform.f / target.dy + _ANCHOR),
        floor(target.transform.c / target.dx + _ANCHOR),
    )


def _on_cells(
    inverse: Inverse, target: RectifiedGrid, method: Interpolation, *, extended: bool
) -> PixelPositions:
    """Positions on a referenceable grid, through coordinates in its CRS."""

    def at(grid: RectifiedGrid) -> tuple[FloatArray, FloatArray]:
        return inverse.locate(*_coordinates(inverse, grid), nearest=method == "nearest")

    u, v = at(target)
    if not extended:
        return PixelPositions(u, v)
    shifted = target.transform @ Affine.translation(-0.5, -0.5)
    corners = RectifiedGrid(target.crs, shifted, target.width + 1, target.height + 1)
    return PixelPositions(u, v, around_corners(*at(corners), (u, v)))


def _coordinates(inverse: Inverse, target: RectifiedGrid) -> tuple[FloatArray, FloatArray]:
    """Coordinates of the pixels' centres in the CRS of a referenceable grid; float64, (y, x)."""
    fine = inverse.spacing / 4
    if inverse.crs.geographic:
        width, height = max(round(360 / fine), 4), max(round(180 / fine), 2)
        plane = RectifiedGrid(
            inverse.crs, Affine(360 / width, 0, -180, 0, -180 / height, 90), width, height
        )
    else:
        box = inverse.box
        width, height = (max(round(side / fine), 1) for side in (box.width, box.height))
        plane = RectifiedGrid.from_bbox(box, width, height)
    found = positions(plane, target)
    x = plane.transform.c + found.u * plane.dx
    y = plane.transform.f + found.v * plane.dy
    if isinstance(found, SeparablePositions):
        x, y = np.broadcast_arrays(x[None, :], y[:, None])
    return x, y


def _exact(
    source: RectifiedGrid, target: RectifiedGrid, columns: FloatArray, rows: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Positions of places of the target, counted in its cells from its corner."""
    x = target.transform.c + columns * target.dx
    y = target.transform.f + rows * target.dy
    x, y = transform(x, y, target.crs, source.crs)
    return (x - source.transform.c) / source.dx, (y - source.transform.f) / source.dy


def turn_of(source: RectifiedGrid) -> float | None:
    """Columns that make 360 degrees; None in a plane.

    Rounded where it is a whole number but for rounding, so that no turn leaves a trace.
    """
    if not source.crs.geographic:
        return None
    turn = 360.0 / abs(source.dx)
    return float(round(turn)) if abs(turn - round(turn)) < EDGE else turn


def _edges(centres: FloatArray, step: float) -> FloatArray:
    return np.append(centres - step / 2, centres[-1] + step / 2)


def _middle(values: FloatArray) -> float:
    return float(values[len(values) // 2])
