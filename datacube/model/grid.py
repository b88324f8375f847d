"""Horizontal grids: rectified (CRS and transform) and referenceable (arrays of positions)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from math import isclose, isfinite
from typing import override

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from datacube.errors import InvalidSubset
from datacube.model.bbox import BoundingBox
from datacube.model.crs import Crs

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RectifiedGrid:
    """Equal cells in the plane of a CRS, without rotation.

    Parameters
    ----------
    crs : Crs
    transform : Affine
        (column, row) of a cell's corner -> (x, y); ``a`` is the signed cell width, ``e`` the
        signed cell height (negative for north-up), ``b`` and ``d`` are zero.
    width, height : int
        Number of columns and rows, at least 1.

    Examples
    --------
    >>> from datacube.model.crs import CRS84
    >>> grid = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 360, 180)
    >>> grid.x_centres()[0], grid.y_centres()[0]
    (np.float64(-179.5), np.float64(89.5))
    """

    crs: Crs
    transform: Affine
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"grid of {self.width} x {self.height} cells")
        if self.transform.b or self.transform.d or not (self.transform.a and self.transform.e):
            raise ValueError(f"rotated or degenerate transform {tuple(self.transform)}")

    @staticmethod
    def from_bbox(bbox: BoundingBox, width: int, height: int) -> "RectifiedGrid":
        """North-up grid whose outer cell edges are the box (unwrapped over the antimeridian).

        Raises
        ------
        InvalidSubset
            The sides of the box are longer than numbers are.
        """
        box = bbox.unwrapped()
        if not (isfinite(box.right - box.left) and isfinite(box.top - box.bottom)):
            raise InvalidSubset("the box is too large: its sides are no numbers", subject="BBOX")
        transform = Affine(
            (box.right - box.left) / width,
            0.0,
            box.left,
            0.0,
            (box.bottom - box.top) / height,
            box.top,
        )
        return RectifiedGrid(box.crs, transform, width, height)

    @staticmethod
    def from_centres(
        crs: Crs, x0: float, dx: float, width: int, y0: float, dy: float, height: int
    ) -> "RectifiedGrid":
        """Grid whose first cell has its centre at (x0, y0), with signed steps dx, dy."""
        transform = Affine(dx, 0.0, x0 - dx / 2, 0.0, dy, y0 - dy / 2)
        return RectifiedGrid(crs, transform, width, height)

    @property
    def dx(self) -> float:
        """Signed cell width in units of crs."""
        return float(self.transform.a)

    @property
    def dy(self) -> float:
        """Signed cell height in units of crs; negative for north-up."""
        return float(self.transform.e)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        return self.height, self.width

    @property
    def bbox(self) -> BoundingBox:
        """Outer edges; over the antimeridian unwrapped (right may exceed 180)."""
        x0, x1 = self.transform.c, self.transform.c + self.dx * self.width
        y0, y1 = self.transform.f, self.transform.f + self.dy * self.height
        return BoundingBox(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1), self.crs)

    def x_centres(self) -> FloatArray:
        """X of the columns' centres; float64, (width,), in crs."""
        x0 = self.transform.c + self.dx / 2
        return np.asarray(x0 + np.arange(self.width) * self.dx, np.float64)

    def y_centres(self) -> FloatArray:
        """Y of the rows' centres; float64, (height,), in crs."""
        y0 = self.transform.f + self.dy / 2
        return np.asarray(y0 + np.arange(self.height) * self.dy, np.float64)

    def window(self, row: int, column: int, height: int, width: int) -> "RectifiedGrid":
        """The grid of a rectangle of cells; row and column may be negative."""
        old = self.transform
        moved = Affine(old.a, 0.0, old.a * column + old.c, 0.0, old.e, old.e * row + old.f)
        return RectifiedGrid(self.crs, moved, width, height)

    def coarsened(self, factor: int) -> "RectifiedGrid":
        """Grid with cells factor times as large from the same corner; the last may stick out."""
        scaled = self.transform @ Affine.scale(factor)
        return RectifiedGrid(self.crs, scaled, -(-self.width // factor), -(-self.height // factor))

    @property
    def wraps(self) -> bool:
        """Whether the columns go once round the globe, so that the last touches the first."""
        return self.crs.geographic and isclose(abs(self.dx) * self.width, 360.0, rel_tol=1e-6)


@dataclass(frozen=True, eq=False)
class ReferenceableGrid:
    """Cells whose positions are given one by one (curvilinear grids, swaths).

    Two grids are equal where all their positions are.

    Parameters
    ----------
    crs : Crs
    x, y : float64, (y, x), positions of the cells' centres in crs, NaN where there is none

    Examples
    --------
    >>> from datacube.model.crs import CRS84
    >>> lon, lat = np.meshgrid([170.0, 180.0, -170.0], [0.0, 10.0])
    >>> grid = ReferenceableGrid(CRS84, lon, lat)
    >>> grid.shape, grid.bbox.edges, grid.coarsened(2).x.tolist()
    ((2, 3), (165.0, -5.0, -165.0, 15.0), [[175.0, -170.0]])
    """

    crs: Crs
    x: FloatArray
    y: FloatArray

    def __post_init__(self) -> None:
        if self.x.ndim != 2 or self.x.shape != self.y.shape:
            raise ValueError(f"positions of shapes {self.x.shape} and {self.y.shape}")

    @override
    def __eq__(self, other: object) -> bool:
        """Whether CRS and positions are the same."""
        return self is other or (
            isinstance(other, ReferenceableGrid)
            and self.crs == other.crs
            and self.digest == other.digest
        )

    @override
    def __hash__(self) -> int:
        """By the positions' digest."""
        return hash(self.digest)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of shape and positions, hexadecimal."""
        found = sha256(repr(self.shape).encode())
        for values in (self.x, self.y):
            found.update(np.ascontiguousarray(np.where(np.isnan(values), np.nan, values), "<f8"))
        return found.hexdigest()

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        return self.height, self.width

    @property
    def height(self) -> int:
        """Number of rows."""
        return int(self.x.shape[0])

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.x.shape[1])

    @property
    def wraps(self) -> bool:
        """Never: whether the last column lies beside the first is for the positions to say."""
        return False

    @cached_property
    def bbox(self) -> BoundingBox:
        """Box around the cells, half a usual cell wider than their centres.

        Where they lie on both sides of the antimeridian its left is greater than its right.
        """
        return around(self.crs, self.x, self.y)

    def window(self, row: int, column: int, height: int, width: int) -> "ReferenceableGrid":
        """The grid of a rectangle of cells, which must lie on it."""
        part = slice(row, row + height), slice(column, column + width)
        return ReferenceableGrid(self.crs, self.x[part], self.y[part])

    def coarsened(self, factor: int) -> "ReferenceableGrid":
        """Grid of blocks of factor by factor cells, each at the middle of their positions."""
        if factor == 1:
            return self
        if not self.crs.geographic:
            x, y = (_block_means(one, factor) for one in (self.x, self.y))
            return ReferenceableGrid(self.crs, x, y)
        east, north, up = (_block_means(one, factor) for one in on_sphere(self.x, self.y))
        x = np.degrees(np.arctan2(north, east))
        y = np.degrees(np.arctan2(up, np.hypot(east, north)))
        return ReferenceableGrid(self.crs, x, y)


def halved_grids(grid: ReferenceableGrid, count: int) -> Iterator[ReferenceableGrid]:
    """A curvilinear grid and its overviews, each made of the one before."""
    for level in range(count):
        yield grid
        if level + 1 < count:
            grid = grid.coarsened(2)


def on_sphere(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Unit vectors of places in degrees: towards (0°, 0°), (90° E, 0°) and the north pole."""
    lon, lat = np.radians(lon), np.radians(lat)
    return np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)


def around(crs: Crs, x: FloatArray, y: FloatArray) -> BoundingBox:
    """Smallest box around places, on either side of the antimeridian.

    Parameters
    ----------
    x, y : float64, (y, x), in crs; the box is widened by half the usual step between neighbours

    Raises
    ------
    ValueError
        There is no place at all.
    """
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        raise ValueError("no cell has a position")
    turn = crs.geographic
    half = _usual_step(x, turn=turn) / 2, _usual_step(y, turn=False) / 2
    bottom, top = float(y[known].min()) - half[1], float(y[known].max()) + half[1]
    if not turn:
        left, right = float(x[known].min()) - half[0], float(x[known].max()) + half[0]
        return BoundingBox(left, bottom, right, top, crs)
    bottom, top = max(bottom, -90.0), min(top, 90.0)
    lon = np.sort((x[known] + 180.0) % 360.0 - 180.0)
    gaps = np.diff(np.append(lon, lon[0] + 360.0))
    widest = int(gaps.argmax())
    if gaps[widest] <= max(4 * half[0], 1e-9):
        return BoundingBox(-180.0, bottom, 180.0, top, crs)
    left = float(lon[(widest + 1) % len(lon)]) - half[0]
    right = float(lon[widest]) + half[0]
    left, right = _near_zero(left), _near_zero(right)
    return BoundingBox(left, bottom, right, top, crs)


def _near_zero(longitude: float) -> float:
    """The longitude within -180 … 180, as it is where it already is there."""
    return longitude if -180.0 <= longitude <= 180.0 else (longitude + 180.0) % 360.0 - 180.0


def _usual_step(values: FloatArray, *, turn: bool) -> float:
    """Middle distance of neighbours in the direction in which they are farther; 0 without any."""
    found = [0.0]
    for axis in (0, 1):
        steps = np.diff(values, axis=axis)
        if turn:
            steps = steps - 360.0 * np.rint(steps / 360.0)
        steps = np.abs(steps[np.isfinite(steps)])
        if steps.size:
            found.append(float(np.median(steps)))
    return max(found)


def _block_means(values: FloatArray, factor: int) -> FloatArray:
    """Means of the known values of blocks, those at the far edges smaller."""
    rows, columns = (np.arange(0, size, factor) for size in values.shape)
    known = np.isfinite(values)
    total, count = (
        np.add.reduceat(np.add.reduceat(one, rows, axis=0), columns, axis=1)
        for one in (np.where(known, values, 0.0), known.astype(np.float64))
    )
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


type Grid = RectifiedGrid | ReferenceableGrid
