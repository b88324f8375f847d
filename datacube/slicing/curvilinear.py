"""Curvilinear grids and swaths backwards: which cell holds a place.

The centres of four neighbouring cells make a quad. A place is in the quad whose sides go round it,
and its column and row come from the quad's bilinear patch. In a geographic CRS all this happens
with unit vectors: sides are great circles, and neither the poles nor the antimeridian are special.
Cells at the rim get their outer half by extrapolation.

Blocks of quads are listed by bins of longitude and latitude (x and y in a plane). A place starts
at the block nearest to it and walks, a Newton step at a time, to its quad.
"""

import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from datacube.model.bbox import BoundingBox
from datacube.model.crs import Crs
from datacube.model.grid import ReferenceableGrid
from datacube.slicing.bins import Bins, bins_of_circles
from datacube.slicing.quads import (
    Seen,
    bilinear_inverse,
    block_middles,
    block_reach,
    holds,
    leaning,
    on_own_side,
    quad_sum,
    ringed,
    slopes,
    spacing,
    vectors,
    walked,
)

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]

_BLOCKS = 16384
_BATCH = 16384
_STEPS = 8
_RIM = 1 / 64  # of a cell, beyond the outermost: sides that meet on the globe are not straight
_GRAIN = 2.0**-20


def locate(
    grid: ReferenceableGrid, x: FloatArray, y: FloatArray, *, nearest: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Columns and rows of places on a referenceable grid, in cells from its corner.

    Parameters
    ----------
    x, y : float64, any equal shape, in the grid's CRS; longitudes in any turn
    nearest : bool
        Put each place into the cell whose centre is nearest.

    Returns
    -------
    u, v : float64, same shape; the centre of cell (row, column) is (column + 0.5, row + 0.5);
        NaN where no cell is

    Examples
    --------
    >>> from datacube.model.crs import CRS84
    >>> lon, lat = np.meshgrid([179.0, -179.0, -177.0], [0.0, 1.0])
    >>> u, v = locate(ReferenceableGrid(CRS84, lon, lat), np.array([180.0, 5.0]), np.zeros(2))
    >>> u.round(9).tolist(), v.round(9).tolist()
    ([1.0, nan], [0.5, nan])
    """
    return Inverse(grid).locate(x, y, nearest=nearest)


class Inverses:
    """The inverses that were used last, by the positions they invert; safe for threads.

    Parameters
    ----------
    max_bytes : int, how much memory they may hold together; one is kept however large
    """

    def __init__(self, max_bytes: int = 256 << 20) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[ReferenceableGrid, Inverse] = OrderedDict()
        self._lock = threading.Lock()
        self._making = threading.Lock()

    def of(self, grid: ReferenceableGrid) -> "Inverse":
        """The inverse of a grid, made once where several want it at the same time."""
        return self._known(grid) or self._made(grid)

    @property
    def nbytes(self) -> int:
        """Memory that is held."""
        return sum(one.nbytes for one in self._kept.values())

    def _known(self, grid: ReferenceableGrid) -> "Inverse | None":
        with self._lock:
            if grid not in self._kept:
                return None
            self._kept.move_to_end(grid)
            return self._kept[grid]

    def _made(self, grid: ReferenceableGrid) -> "Inverse":
        with self._making:
            if (known := self._known(grid)) is not None:
                return known
            made = Inverse(grid)
            with self._lock:
                self._kept[grid] = made
                while len(self._kept) > 1 and self.nbytes > self._max_bytes:
                    self._kept.popitem(last=False)
            return made


class Inverse:
    """What locating places on a referenceable grid needs, made once.

    Parameters
    ----------
    grid : ReferenceableGrid of at least 2 x 2 cells

    Raises
    ------
    ValueError
        The grid has a single row or column.
    """

    def __init__(self, grid: ReferenceableGrid) -> None:
        if min(grid.shape) < 2:
            raise ValueError(f"a grid of {grid.shape} cells has no quads to locate places in")
        self.crs: Crs = grid.crs
        self.shape = grid.shape
        self._nodes = ringed(vectors(grid), geographic=grid.crs.geographic)
        self.spacing = spacing(self._nodes, geographic=grid.crs.geographic)
        self._good = np.isfinite(quad_sum(self._nodes[0]))
        self._bins, self._starts = self._binned()
        self._slopes = slopes(self._nodes, self._starts)

    @property
    def box(self) -> BoundingBox:
        """Box around the cells; of use in a plane."""
        x, y = self._nodes[:2]
        return BoundingBox(
            float(np.nanmin(x)),
            float(np.nanmin(y)),
            float(np.nanmax(x)),
            float(np.nanmax(y)),
            self.crs,
        )

    @property
    def nbytes(self) -> int:
        """Memory that it holds."""
        return sum(one.nbytes for one in self._nodes) + self._starts.nbytes + self._bins.nbytes

    def locate(
        self, x: FloatArray, y: FloatArray, *, nearest: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """As :func:`locate`."""
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        flat_x, flat_y = x.ravel(), y.ravel()
        first, count = self._bins.listed(flat_x, flat_y)
        inner, rim = (np.full((2, x.size), np.nan) for _ in range(2))
        closest = np.full(x.size, np.inf)
        todo = np.flatnonzero(count)
        attempt = 0
        while todo.size:
            for start in range(0, todo.size, _BATCH):
                part = todo[start : start + _BATCH]
                block = self._bins.blocks[first[part] + attempt]
                frame = self._frame(flat_x[part], flat_y[part])
                places = _Places(frame, *self._guessed(frame, block))
                self._walk(places, nearest=nearest)
                outer = self._is_rim(places.found)
                inner[:, part] = np.where(outer, np.nan, places.found)
                away = self._away(places, outer)
                nearer = away < closest[part[outer]]
                here = np.flatnonzero(outer)[nearer]
                rim[:, part[here]] = places.found[:, here]
                closest[part[here]] = away[nearer]
            attempt += 1
            todo = todo[np.isnan(inner[0, todo]) & (count[todo] > attempt)]
        u, v = np.where(np.isnan(inner), rim, inner)
        return u.reshape(x.shape), v.reshape(x.shape)

    def _guessed(
        self, frame: tuple[FloatArray, ...], block: IndexArray
    ) -> tuple[IndexArray, IndexArray]:
        """Column and row of the quad where the slopes of a block's middle put each place."""
        at = frame
        if self.crs.geographic:
            cos_lon, sin_lon, cos_lat, sin_lat = frame
            at = cos_lat * cos_lon, cos_lat * sin_lon, sin_lat
        height, width = self.shape
        i, j = (
            np.clip(
                plane[0].take(block)
                + sum(slope.take(block) * one for slope, one in zip(plane[1:], at, strict=True)),
                0,
                last,
            ).astype(np.intp)
            for plane, last in zip(self._slopes, (width, height), strict=True)
        )
        hole = ~self._good.take(j * (width + 1) + i)
        if hole.any():
            j[hole], i[hole] = np.divmod(self._starts[block[hole]], width + 2)
        return i, j

    def _is_rim(self, found: FloatArray) -> BoolArray:
        """Whether a place was found beyond the outermost centres."""
        height, width = self.shape
        beyond = (found[0] < 0.5) | (found[0] > width - 0.5)
        return np.asarray(beyond | (found[1] < 0.5) | (found[1] > height - 0.5))

    def _away(self, places: "_Places", some: BoolArray) -> FloatArray:
        """Squared distance of some places from the centre of the cell they were found in."""
        height, width = self.shape
        u, v = places.found[:, some]
        column, row = (
            np.minimum(one, size - 1).astype(np.intp) for one, size in ((u, width), (v, height))
        )
        return self._off(tuple(one[some] for one in places.frame), column, row)

    def _frame(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, ...]:
        """What projects a node on the plane that touches the globe at the place."""
        if not self.crs.geographic:
            return x, y
        lon, lat = np.radians(x), np.radians(y)
        return np.cos(lon), np.sin(lon), np.cos(lat), np.sin(lat)

    def _walk(self, places: "_Places", *, nearest: bool) -> None:
        """Go from the quads where the places start to those that hold them."""
        height, width = self.shape
        todo = np.arange(len(places.i))
        i, j, frame = places.i, places.j, places.frame
        for _ in range(_STEPS):
            corners = [self._seen(frame, i + right, j + low) for low in (0, 1) for right in (0, 1)]
            s, t = bilinear_inverse(corners)
            here = holds(s) & holds(t) & on_own_side(corners)
            if here.any():
                found = np.array([i - 0.5 + s, j - 0.5 + t])
                if nearest:
                    self._pull(found, (i, j), (s, t), corners)
                    self._climb(found, frame, np.flatnonzero(here & leaning(corners)))
                places.found[:, todo[here]] = self._on_cells(found[:, here])
            next_i, next_j = walked(i, s, width), walked(j, t, height)
            on = ~here & np.isfinite(s + t) & ((next_i != i) | (next_j != j))
            if not on.any():
                return
            i, j, todo = next_i[on], next_j[on], todo[on]
            frame = tuple(one[on] for one in frame)

    def _on_cells(self, found: FloatArray) -> FloatArray:
        """NaN for places of the rim that are beyond its half cells; (2, places)."""
        size = np.array([[self.shape[1]], [self.shape[0]]])
        beyond = ((found < -_RIM) | (found > size + _RIM)).any(0)
        return np.where(beyond, np.nan, np.clip(found, 0, size))

    def _seen(self, frame: tuple[FloatArray, ...], i: IndexArray, j: IndexArray) -> Seen:
        """East and north of nodes as seen from the places, and whether they are before them."""
        at = j * (self.shape[1] + 2) + i
        if not self.crs.geographic:
            x, y = frame
            east = self._nodes[0].take(at) - x
            return east, self._nodes[1].take(at) - y, np.ones_like(east)
        cos_lon, sin_lon, cos_lat, sin_lat = frame
        x, y, z = (one.take(at) for one in self._nodes)
        out = cos_lon * x + sin_lon * y
        return cos_lon * y - sin_lon * x, cos_lat * z - sin_lat * out, cos_lat * out + sin_lat * z

    def _pull(
        self,
        found: FloatArray,
        quads: tuple[IndexArray, IndexArray],
        shares: tuple[FloatArray, FloatArray],
        corners: list[Seen],
    ) -> None:
        """Move places that are nearer to another corner's centre into that corner's cell."""
        height, width = self.shape
        away = [east * east + north * north for east, north, _ in corners]
        named = np.where(
            shares[1] < 0.5,
            np.where(shares[0] < 0.5, away[0], away[1]),
            np.where(shares[0] < 0.5, away[2], away[3]),
        )
        closest = np.minimum(np.minimum(away[0], away[1]), np.minimum(away[2], away[3]))
        i, j = quads
        edge = (i == 0) | (i == width) | (j == 0) | (j == height)
        doubtful = np.flatnonzero((closest < named) | edge)
        i, j = i[doubtful], j[doubtful]
        best = np.full(len(doubtful), np.inf)
        column, row = np.zeros_like(i), np.zeros_like(j)
        for corner, distance in enumerate(away):
            right, low = i + corner % 2, j + corner // 2
            real = (right >= 1) & (right <= width) & (low >= 1) & (low <= height)
            nearer = real & (distance[doubtful] < best)
            best = np.where(nearer, distance[doubtful], best)
            column, row = np.where(nearer, right - 1, column), np.where(nearer, low - 1, row)
        cell = np.array([column, row], float)
        inside = (found[:, doubtful] >= -_RIM) & (
            found[:, doubtful] <= [[width + _RIM], [height + _RIM]]
        )
        pulled = np.clip(found[:, doubtful], cell, cell + 1 - _GRAIN)
        found[:, doubtful] = np.where(inside.all(0), pulled, np.nan)

    def _climb(self, found: FloatArray, frame: tuple[FloatArray, ...], some: IndexArray) -> None:
        """Move some places on from cell to neighbouring cell while its centre is nearer."""
        height, width = self.shape
        inside = np.isfinite(found[:, some]).all(0)
        some = some[inside]
        column, row = (
            np.clip(found[axis, some], 0, size - 1).astype(np.intp)
            for axis, size in ((0, width), (1, height))
        )
        before = column.copy(), row.copy()
        for _ in range(_STEPS):
            if not some.size:
                return
            beside = [
                (np.clip(column + right, 0, width - 1), np.clip(row + low, 0, height - 1))
                for low in (0, -1, 1)
                for right in (0, -1, 1)
            ]
            seen = tuple(one[some] for one in frame)
            away = np.stack([self._off(seen, *one) for one in beside])
            best = np.nanargmin(np.where(np.isnan(away), np.inf, away), axis=0)
            columns, rows = (np.stack(one) for one in zip(*beside, strict=True))
            column, row = (np.take_along_axis(one, best[None], 0)[0] for one in (columns, rows))
            if not best.any():
                break
        moved = (column != before[0]) | (row != before[1])
        found[:, some[moved]] = np.stack([column[moved], row[moved]]) + 0.5

    def _off(
        self, frame: tuple[FloatArray, ...], column: IndexArray, row: IndexArray
    ) -> FloatArray:
        """Squared distance of places from the centres of cells, on their own side of the globe."""
        east, north, before = self._seen(frame, column + 1, row + 1)
        return np.where(before > 0, east * east + north * north, np.inf)

    def _binned(self) -> tuple[Bins, IndexArray]:
        """Blocks of quads in bins, and the quad (as j (width + 2) + i) that stands for each."""
        height, width = self.shape
        side = max(1, int(np.ceil(np.sqrt((height + 1) * (width + 1) / _BLOCKS))))
        rows, columns = (np.arange(0, size + 1, side) for size in (height, width))
        middle, start = block_middles(self._nodes, self._good, rows, columns, side)
        used = start >= 0
        reach = block_reach(self._nodes, middle, rows, columns, side)
        bins = bins_of_circles(
            tuple(one[used] for one in middle), reach[used], geographic=self.crs.geographic
        )
        return bins, start[used]


class _Places:
    """Places that look for their quad: where they are seen from and start, and what was found."""

    def __init__(self, frame: tuple[FloatArray, ...], i: IndexArray, j: IndexArray) -> None:
        self.frame = frame
        self.i = i
        self.j = j
        self.found = np.full((2, len(i)), np.nan)
