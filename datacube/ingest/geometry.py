"""Where the pixels of a source lie: on a grid, at positions of their own, or between tie points."""

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property
from typing import assert_never

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84, Crs, transform
from datacube.model.grid import RectifiedGrid, ReferenceableGrid
from datacube.model.query import Interpolation
from datacube.slicing.curvilinear import Inverses
from datacube.slicing.footprint import Footprint
from datacube.slicing.warp import PixelPositions, SeparablePositions, positions

FloatArray = NDArray[np.float64]

_NET = 16
_RING = 2  # nodes
_THIN = 4
_KEPT_BYTES = 128 << 20


@dataclass(frozen=True, eq=False)
class TiePoints:
    """An image whose position is known at some rows and columns only (Sentinel-1 GRD).

    Parameters
    ----------
    points : ReferenceableGrid
        Positions of the tie points.
    rows, columns : float64
        Where they are in the image, in pixels from its corner, ascending.
    height, width : int, of the image
    """

    points: ReferenceableGrid
    rows: FloatArray
    columns: FloatArray
    height: int
    width: int

    @property
    def crs(self) -> Crs:
        """CRS of the tie points."""
        return self.points.crs

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the image."""
        return self.height, self.width


type Positions = TiePoints | ReferenceableGrid
"""Positions that a source gives one by one."""

type Geometry = RectifiedGrid | Positions


def spacing(positions: Positions) -> float:
    """Median side of a pixel on the ground, the longer one; degrees of latitude."""
    match positions:
        case TiePoints():
            grid, rows, columns = positions.points, positions.rows, positions.columns
        case ReferenceableGrid():
            grid = positions
            rows, columns = (np.arange(size, dtype=float) for size in grid.shape)
        case _:
            assert_never(positions)
    lon, lat = transform(grid.x, grid.y, grid.crs, CRS84)
    sides = []
    for at, steps in ((1, np.diff(columns)), (0, np.diff(rows)[:, None])):
        east = (np.diff(lon, axis=at) + 180) % 360 - 180
        middle = (lat[:, 1:] + lat[:, :-1]) / 2 if at else (lat[1:] + lat[:-1]) / 2
        away = np.hypot(east * np.cos(np.radians(middle)), np.diff(lat, axis=at))
        sides.append(float(np.nanmedian(away / steps)))
    return max(sides)


def footprint(geometry: Geometry, crs: Crs) -> BoundingBox:
    """Smallest box in a CRS around all pixels; over the antimeridian right exceeds 180."""
    match geometry:
        case RectifiedGrid():
            return geometry.bbox.to_crs(crs).unwrapped()
        case TiePoints():
            return _around(geometry.points, crs, 0.0)
        case ReferenceableGrid():
            return _around(geometry, crs, 0.5)
        case _:
            assert_never(geometry)


def _around(grid: ReferenceableGrid, crs: Crs, margin: float) -> BoundingBox:
    """Box around positions, widened by a share of a cell."""
    x, y = transform(grid.x, grid.y, grid.crs, crs)
    if crs.geographic and np.nanmax(x) - np.nanmin(x) > 180.0:
        turned = np.where(x < 0, x + 360.0, x)
        x = turned if np.nanmax(turned) - np.nanmin(turned) < 180.0 else x
    wide, tall = (
        margin * float(np.nanmax([np.nanmedian(np.abs(np.diff(one, axis=at))) for at in (0, 1)]))
        for one in (x, y)
    )
    return BoundingBox(
        float(np.nanmin(x)) - wide,
        float(np.nanmin(y)) - tall,
        float(np.nanmax(x)) + wide,
        float(np.nanmax(y)) + tall,
        crs,
    )


@dataclass(frozen=True, eq=False)
class Locator:
    """Positions of a target's pixels on a source, kept for the fields that follow.

    Parameters
    ----------
    source : Geometry
    target : RectifiedGrid
    """

    source: Geometry
    target: RectifiedGrid
    _inverses: Inverses = field(default_factory=Inverses)
    _kept: OrderedDict[tuple[object, ...], PixelPositions] = field(default_factory=OrderedDict)

    def at(
        self, row0: int, row1: int, column0: int, column1: int, method: Interpolation
    ) -> PixelPositions:
        """Positions of a window of the target, in source pixels from the source's corner."""
        key = row0, row1, column0, column1, method
        if key not in self._kept:
            window = self.target.window(row0, column0, row1 - row0, column1 - column0)
            self._kept[key] = self._found(window, method)
            while len(self._kept) > 1 and sum(map(_nbytes, self._kept.values())) > _KEPT_BYTES:
                self._kept.popitem(last=False)
        return self._kept[key]

    def _found(self, window: RectifiedGrid, method: Interpolation) -> PixelPositions:
        match self.source:
            case TiePoints():
                return self._between(self.source, window)
            case RectifiedGrid() | ReferenceableGrid():
                found = positions(self.source, window, method, self._inverses)
                return _on_pixels(found)
            case _:
                assert_never(self.source)

    def _between(self, source: TiePoints, window: RectifiedGrid) -> PixelPositions:
        """Positions between tie points, found on a net of pixels and interpolated.

        Those at the rim, where a node of the net lies outside, are found one by one.
        """
        if self._thin:
            columns, rows = (np.full(window.shape, np.nan) for _ in range(2))
            rim = np.ones(window.shape, bool)
        else:
            nodes = _on_image(self._on_net(source, window), source)
            columns, rows = (_refined(one, window.shape) for one in nodes)
            rim = np.isnan(columns)
            if rim.any():
                around = self._on_net(source, window, _RING)
                rim &= _near(np.isfinite(around.u), window.shape)
        if rim.any():
            down, across = (one + 0.5 for one in np.nonzero(rim))
            one = window.transform
            x, y = one.a * across + one.b * down + one.c, one.d * across + one.e * down + one.f
            x, y = transform(x, y, window.crs, source.crs)
            found = PixelPositions(*self._inverses.of(source.points).locate(x, y))
            columns[rim], rows[rim] = _on_image(found, source)
        outside = (columns < 0) | (columns > source.width) | (rows < 0) | (rows > source.height)
        columns[outside] = np.nan
        rows[outside] = np.nan
        return PixelPositions(columns, rows)

    def _on_net(self, source: TiePoints, window: RectifiedGrid, ring: int = 0) -> PixelPositions:
        """Positions of every sixteenth pixel, from the first one or so many nodes before it."""
        height, width = (-(-size // _NET) + 1 + 2 * ring for size in window.shape)
        corner = window.transform @ Affine.translation(0.5, 0.5) @ Affine.scale(_NET)
        corner = corner @ Affine.translation(-0.5 - ring, -0.5 - ring)
        nodes = RectifiedGrid(window.crs, corner, width, height)
        return _on_pixels(positions(source.points, nodes, "bilinear", self._inverses))

    @cached_property
    def _thin(self) -> bool:
        """Whether an image between tie points may lie between the nodes of a net."""
        if not isinstance(self.source, TiePoints):
            return False
        points = self.source.points
        x, y = transform(points.x, points.y, points.crs, self.target.crs)
        pixel = abs(self.target.dx), abs(self.target.dy)
        sides = []
        for at in (0, 1):
            steps = [np.diff(one, axis=at) / size for one, size in zip((x, y), pixel, strict=True)]
            sides.append(float(np.nanmedian(np.hypot(*steps))) * (x.shape[at] - 1))
        return bool(min(sides) < _THIN * _NET)


def _near(known: NDArray[np.bool_], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels in cells of a net that have a known node within so many nodes of the ring."""
    height, width = shape
    rows, columns = (size - 2 * _RING - 1 for size in known.shape)
    reach = range(2 * _RING + 2)
    parts = [
        known[down : down + rows, right : right + columns] for down in reach for right in reach
    ]
    near = np.asarray(np.logical_or.reduce(parts), bool)
    return near.repeat(_NET, axis=0).repeat(_NET, axis=1)[:height, :width]


def _on_image(found: PixelPositions, source: TiePoints) -> tuple[FloatArray, FloatArray]:
    """Columns and rows of an image, from those of its tie points."""
    return _along(found.u - 0.5, source.columns), _along(found.v - 0.5, source.rows)


def _along(node: FloatArray, places: FloatArray) -> FloatArray:
    """Pixels of fractional numbers of tie points; a hair beyond the outermost is on the line."""
    number = np.arange(len(places), dtype=float)
    low = places[0] + (node - 0) * (places[1] - places[0])
    high = places[-1] + (node - number[-1]) * (places[-1] - places[-2])
    inside = np.interp(node, number, places)
    return np.where(node < 0, low, np.where(node > number[-1], high, inside))


def _refined(coarse: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Bilinear interpolation between every sixteenth pixel."""
    height, width = shape
    rows, columns = (np.arange(size) / _NET for size in (height, width))
    top, left = rows.astype(np.intp), columns.astype(np.intp)
    down, right = (rows - top)[:, None], columns - left
    across = coarse[:, left] * (1 - right) + coarse[:, left + 1] * right
    return np.asarray(across[top] * (1 - down) + across[top + 1] * down)


def _on_pixels(found: SeparablePositions | PixelPositions) -> PixelPositions:
    """Positions of every pixel, where rows and columns are independent too."""
    if isinstance(found, PixelPositions):
        return found
    u, v = np.broadcast_arrays(found.u[None, :], found.v[:, None])
    extent = found.extent
    if extent is not None:
        low, high = (np.broadcast_to(one, u.shape) for one in (extent.u_low, extent.u_high))
        top, bottom = (
            np.broadcast_to(one[:, None], u.shape) for one in (extent.v_low, extent.v_high)
        )
        extent = Footprint(low, high, top, bottom)
    return PixelPositions(u, v, extent)


def _nbytes(found: PixelPositions) -> int:
    return (2 if found.extent is None else 6) * found.u.nbytes
