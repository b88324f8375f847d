"""Which cells of a grid have their centre in a region.

Every edge of a region is crossed with the rows of centres; a cell is inside where an odd number of
crossings lies to its left. Regions that touch share no cell.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datacube.errors import InvalidSubset
from datacube.model.crs import transform
from datacube.model.geometry import Region
from datacube.model.grid import RectifiedGrid
from datacube.slicing.warp import turn_of

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_PIECES = 64  # of an edge that is straight in another CRS
_SMALL = 1e-9


@dataclass(frozen=True, eq=False)
class Outline:
    """The edges of a region in cells from a grid's corner.

    Parameters
    ----------
    u, v : float64, (edges, 2), columns and rows of both ends
    width, height : int, of the grid
    turn : float, optional; columns of 360 degrees, a region may lie whole turns off
    """

    u: FloatArray
    v: FloatArray
    width: int
    height: int
    turn: float | None = None

    @property
    def rows(self) -> slice:
        """Rows of the grid that have centres between its lowest and highest edge."""
        if not self.v.size:
            return slice(0, 0)
        start = max(int(np.ceil(self.v.min() - 0.5)), 0)
        return slice(start, max(min(int(np.ceil(self.v.max() - 0.5)), self.height), start))

    def inside(self, rows: slice) -> BoolArray:
        """Whether the centre of each cell of some rows is inside; (y, x)."""
        low, high = (self.u.min(initial=0), self.u.max(initial=0))
        found = np.zeros((rows.stop - rows.start, self.width), bool)
        for shift in self._shifts(float(low), float(high)):
            found |= self._odd(rows, shift)
        return found

    def _shifts(self, low: float, high: float) -> list[float]:
        """Whole turns after which some of the region may lie on the grid."""
        if self.turn is None:
            return [0.0]
        first, last = np.floor(-high / self.turn), np.ceil((self.width - low) / self.turn)
        return [
            turns * self.turn
            for turns in np.arange(first, last + 1)
            if high + turns * self.turn > 0 and low + turns * self.turn < self.width
        ]

    def _odd(self, rows: slice, shift: float) -> BoolArray:
        height = rows.stop - rows.start
        start = np.clip(np.ceil(self.v.min(axis=1) - 0.5 - _SMALL), rows.start, rows.stop)
        stop = np.clip(np.ceil(self.v.max(axis=1) - 0.5 - _SMALL), rows.start, rows.stop)
        count = np.maximum(stop - start, 0).astype(np.intp)
        edge = np.repeat(np.arange(len(count)), count)
        first = np.cumsum(count) - count
        row = start.astype(np.intp)[edge] + np.arange(len(edge)) - first[edge]
        (u, other_u), (v, other_v) = self.u[edge].T, self.v[edge].T
        crossing = u + (row + 0.5 - v) * ((other_u - u) / (other_v - v)) + shift
        column = np.clip(np.ceil(crossing - 0.5 - _SMALL), 0, self.width).astype(np.intp)
        place = (row - rows.start) * (self.width + 1) + column
        crossed = np.bincount(place, minlength=height * (self.width + 1)) & 1
        parity = crossed.astype(np.uint8).reshape(height, self.width + 1)[:, :-1]
        return np.bitwise_xor.accumulate(parity, axis=1).astype(bool)


def outline(region: Region, grid: RectifiedGrid) -> Outline:
    """The edges of a region on a grid; those that are straight in another CRS in many pieces.

    Raises
    ------
    InvalidSubset
        A part of the region has no place in the grid's CRS.

    Examples
    --------
    >>> from datacube.model.bbox import BoundingBox
    >>> from datacube.model.crs import CRS84
    >>> world = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 36, 18)
    >>> found = outline(Region((((-180, 60), (-150, 90), (-180, 90)),), CRS84), world)
    >>> found.rows, found.inside(found.rows)[:, :4].astype(int).tolist()
    (slice(0, 3, None), [[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
    """
    same = region.crs.same_plane(grid.crs)
    edges = [_edges(np.array(ring, np.float64), 1 if same else _PIECES) for ring in region.rings]
    ends = np.concatenate(edges) if edges else np.empty((0, 2, 2))
    x, y = transform(ends[..., 0].ravel(), ends[..., 1].ravel(), region.crs, grid.crs)
    u, v = (x - grid.transform.c) / grid.dx, (y - grid.transform.f) / grid.dy
    if not (np.isfinite(u).all() and np.isfinite(v).all()):
        raise InvalidSubset(
            f"a part of the region has no place in {grid.crs.short}, in which the cube lies"
        )
    return Outline(u.reshape(-1, 2), v.reshape(-1, 2), grid.width, grid.height, turn_of(grid))


def mask(region: Region, grid: RectifiedGrid) -> BoolArray:
    """Whether the centre of each cell of a grid is inside a region; (y, x)."""
    return outline(region, grid).inside(slice(0, grid.height))


def _edges(ring: FloatArray, pieces: int) -> FloatArray:
    """Both ends of every edge of a closed ring; (edges, 2 ends, 2 coordinates)."""
    if len(ring) and (ring[0] != ring[-1]).any():
        ring = np.concatenate([ring, ring[:1]])
    if pieces > 1:
        places = np.linspace(0, len(ring) - 1, (len(ring) - 1) * pieces + 1)
        known = np.arange(len(ring))
        ring = np.stack([np.interp(places, known, ring[:, axis]) for axis in (0, 1)], axis=1)
    return np.stack([ring[:-1], ring[1:]], axis=1)
