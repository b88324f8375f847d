"""Horizontal grids: rectified (CRS and transform) and referenceable (arrays of positions)."""

from dataclasses import dataclass
from math import isclose

import numpy as np
from affine import Affine
from numpy.typing import NDArray

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
        """North-up grid whose outer cell edges are the box (unwrapped over the antimeridian)."""
        box = bbox.unwrapped()
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
        moved = self.transform @ Affine.translation(column, row)
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

    Parameters
    ----------
    crs : Crs
    x, y : float64, (y, x), positions of the cells' centres in crs, NaN where there is none
    """

    crs: Crs
    x: FloatArray
    y: FloatArray

    def __post_init__(self) -> None:
        if self.x.ndim != 2 or self.x.shape != self.y.shape:
            raise ValueError(f"positions of shapes {self.x.shape} and {self.y.shape}")

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        height, width = self.x.shape
        return height, width

    @property
    def bbox(self) -> BoundingBox:
        """Smallest box around the positions."""
        return BoundingBox(
            float(np.nanmin(self.x)),
            float(np.nanmin(self.y)),
            float(np.nanmax(self.x)),
            float(np.nanmax(self.y)),
            self.crs,
        )


type Grid = RectifiedGrid | ReferenceableGrid
