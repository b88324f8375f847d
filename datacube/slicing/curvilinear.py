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
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datacube.model.bbox import BoundingBox
from datacube.model.crs import Crs
from datacube.model.grid import ReferenceableGrid
from datacube.slicing.bins import Bins, bins_of_circles

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]

_BLOCKS = 16384
_BATCH = 32768
_STEPS = 8
_SLACK = 1e-9
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
    """The inverses that were used last; safe for threads.

    Parameters
    ----------
    max_bytes : int, how much memory they may hold together; one is kept however large
    """

    def __init__(self, max_bytes: int = 256 << 20) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[int, tuple[ReferenceableGrid, Inverse]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, grid: ReferenceableGrid) -> "Inverse":
        """The inverse of this very grid object, made where it is not kept."""
        with self._lock:
            if id(grid) in self._kept:
                self._kept.move_to_end(id(grid))
                return self._kept[id(grid)][1]
        made = Inverse(grid)
        with self._lock:
            self._kept[id(grid)] = (grid, made)
            while len(self._kept) > 1 and self.nbytes > self._max_bytes:
                self._kept.popitem(last=False)
        return made

    @property
    def nbytes(self) -> int:
        """Memory that is held."""
        return sum(one.nbytes for _, one in self._kept.values())


@dataclass(slots=True)
class _Places:
    """Places that look for their quad: where they are seen from, and what was found."""

    frame: tuple[FloatArray, ...]
    i: IndexArray
    j: IndexArray
    u: FloatArray
    v: FloatArray


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
        self._nodes = tuple(_ringed(one) for one in _vectors(grid))
        if grid.crs.geographic:
            length = np.sqrt(sum(one * one for one in self._nodes))
            self._nodes = tuple(one / length for one in self._nodes)
        self.spacing = _spacing(self._nodes, geographic=grid.crs.geographic)
        self._bins, self._starts = self._binned()

    @property
    def box(self) -> BoundingBox:
        """Box around the cells; of use in a plane."""
        x, y = self._nodes[:2]
        return BoundingBox(
            float(np.nanmin(x)), float(np.nanmin(y)), float(np.nanmax(x)), float(np.nanmax(y)),
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
        u, v = np.full(x.size, np.nan), np.full(x.size, np.nan)
        for start in range(0, x.size, _BATCH):
            part = slice(start, start + _BATCH)
            u[part], v[part] = self._located(flat_x[part], flat_y[part], nearest=nearest)
        return u.reshape(x.shape), v.reshape(x.shape)

    def _located(
        self, x: FloatArray, y: FloatArray, *, nearest: bool
    ) -> tuple[FloatArray, FloatArray]:
        first, count = self._bins.listed(x, y)
        u, v = np.full(len(x), np.nan), np.full(len(x), np.nan)
        rim_u, rim_v = u.copy(), v.copy()
        todo = np.flatnonzero(count)
        attempt = 0
        while todo.size:
            block = self._bins.blocks[first[todo] + attempt]
            j, i = np.divmod(self._starts[block], self.shape[1] + 2)
            places = _Places(self._frame(x[todo], y[todo]), i, j, u[:0], v[:0])
            self._walk(places, nearest=nearest)
            rim = self._is_rim(places)
            inner = np.isfinite(places.u) & ~rim
            u[todo[inner]], v[todo[inner]] = places.u[inner], places.v[inner]
            rim &= np.isnan(rim_u[todo])
            rim_u[todo[rim]], rim_v[todo[rim]] = places.u[rim], places.v[rim]
            attempt += 1
            todo = todo[~inner]
            todo = todo[count[todo] > attempt]
        missed = np.isnan(u)
        u[missed], v[missed] = rim_u[missed], rim_v[missed]
        return u, v

    def _is_rim(self, places: _Places) -> BoolArray:
        """Whether a place was found beyond the outermost centres."""
        height, width = self.shape
        beyond = (places.u < 0.5) | (places.u > width - 0.5)
        return np.asarray(beyond | (places.v < 0.5) | (places.v > height - 0.5))

    def _frame(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, ...]:
        """What projects a node on the plane that touches the globe at the place."""
        if not self.crs.geographic:
            return x, y
        lon, lat = np.radians(x), np.radians(y)
        return np.cos(lon), np.sin(lon), np.cos(lat), np.sin(lat)

    def _walk(self, places: _Places, *, nearest: bool) -> None:
        """Go from the quads where the places start to those that hold them."""
        height, width = self.shape
        places.u, places.v = np.full(len(places.i), np.nan), np.full(len(places.i), np.nan)
        todo = np.arange(len(places.i))
        for _ in range(_STEPS):
            i, j = places.i[todo], places.j[todo]
            frame = tuple(one[todo] for one in places.frame)
            corners = [self._seen(frame, i + right, j + low) for low in (0, 1) for right in (0, 1)]
            s, t = _bilinear_inverse(corners)
            here = _held(s) & _held(t) & _before(corners)
            found = todo[here]
            places.u[found] = np.clip(i[here] - 0.5 + s[here], 0, width)
            places.v[found] = np.clip(j[here] - 0.5 + t[here], 0, height)
            beyond = (i - 0.5 + s < -_SLACK) | (i - 0.5 + s > width + _SLACK)
            beyond |= (j - 0.5 + t < -_SLACK) | (j - 0.5 + t > height + _SLACK)
            places.u[found[beyond[here]]] = np.nan
            if nearest:
                self._pull(places, found, [tuple(c[here] for c in one) for one in corners])
            next_i, next_j = _moved(i, s, width), _moved(j, t, height)
            on = ~here & np.isfinite(s + t) & ((next_i != i) | (next_j != j))
            places.i[todo], places.j[todo] = next_i, next_j
            todo = todo[on]
            if not todo.size:
                return

    def _seen(
        self, frame: tuple[FloatArray, ...], i: IndexArray, j: IndexArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
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
        places: _Places,
        found: IndexArray,
        corners: list[tuple[FloatArray, ...]],
    ) -> None:
        """Move places that are nearer to another corner's centre into that corner's cell."""
        height, width = self.shape
        i, j = places.i[found], places.j[found]
        best = np.full(len(found), np.inf)
        column, row = np.zeros_like(i), np.zeros_like(j)
        for corner, (east, north, _) in enumerate(corners):
            right, low = i + corner % 2, j + corner // 2
            away = east * east + north * north
            away[(right < 1) | (right > width) | (low < 1) | (low > height)] = np.inf
            nearer = away < best
            best = np.where(nearer, away, best)
            column, row = np.where(nearer, right - 1, column), np.where(nearer, low - 1, row)
        places.u[found] = np.clip(places.u[found], column, column + 1 - _GRAIN)
        places.v[found] = np.clip(places.v[found], row, row + 1 - _GRAIN)

    def _binned(self) -> tuple[Bins, IndexArray]:
        """Blocks of quads in bins, and the quad that stands for each block, as j (width + 2) + i"""
        height, width = self.shape
        side = max(1, int(np.ceil(np.sqrt((height + 1) * (width + 1) / _BLOCKS))))
        rows, columns = (np.arange(0, size + 1, side) for size in (height, width))
        good = np.isfinite(_quad_sum(self._nodes[0]))
        middle, start = _block_middles(self._nodes, good, rows, columns, side)
        used = start >= 0
        reach = _reach(self._nodes, middle, rows, columns, side)
        bins = bins_of_circles(
            tuple(one[used] for one in middle), reach[used], geographic=self.crs.geographic
        )
        return bins, start[used]


def _vectors(grid: ReferenceableGrid) -> tuple[FloatArray, ...]:
    """Unit vectors of a geographic grid's centres, plane coordinates of others."""
    x, y = np.asarray(grid.x, float), np.asarray(grid.y, float)
    lost = ~(np.isfinite(x) & np.isfinite(y))
    if lost.any():
        x, y = np.where(lost, np.nan, x), np.where(lost, np.nan, y)
    if not grid.crs.geographic:
        return x, y
    lon, lat = np.radians(x), np.radians(y)
    return np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)


def _ringed(values: FloatArray) -> FloatArray:
    """With one more node beyond each side, as far as the one before it."""
    rows = np.vstack([2 * values[:1] - values[1:2], values, 2 * values[-1:] - values[-2:-1]])
    return np.ascontiguousarray(
        np.hstack([2 * rows[:, :1] - rows[:, 1:2], rows, 2 * rows[:, -1:] - rows[:, -2:-1]])
    )


def _spacing(nodes: tuple[FloatArray, ...], *, geographic: bool) -> float:
    """Middle distance of neighbouring centres, the shorter of the two directions."""
    along = []
    for axis in (0, 1):
        steps = np.sqrt(sum(np.diff(one, axis=axis) ** 2 for one in nodes))
        steps = steps[np.isfinite(steps) & (steps > 0)]
        if steps.size:
            along.append(float(np.median(steps)))
    shortest = min(along, default=1.0)
    return float(np.degrees(shortest)) if geographic else shortest


def _quad_sum(nodes: FloatArray) -> FloatArray:
    return np.asarray(nodes[:-1, :-1] + nodes[:-1, 1:] + nodes[1:, :-1] + nodes[1:, 1:])


def _block_middles(
    nodes: tuple[FloatArray, ...],
    good: BoolArray,
    rows: IndexArray,
    columns: IndexArray,
    side: int,
) -> tuple[tuple[FloatArray, ...], IndexArray]:
    """Middle of a whole quad of each block, near the block's own, and which quad that is (or -1)"""
    height, width = good.shape
    start = np.full((len(rows), len(columns)), -1, np.intp)
    order = sorted(
        ((low, right) for low in range(side) for right in range(side)),
        key=lambda at: abs(at[0] - side // 2) + abs(at[1] - side // 2),
    )
    for low, right in order:
        j = np.minimum(rows + low, height - 1)[:, None]
        i = np.minimum(columns + right, width - 1)[None, :]
        start = np.where((start < 0) & good[j, i], j * (width + 1) + i, start)
    at = np.maximum(start, 0)
    offsets = (0, 1, width + 1, width + 2)
    middle = tuple(sum(one.take(at + step) for step in offsets) / 4 for one in nodes)
    return tuple(one.ravel() for one in middle), start.ravel()


def _reach(
    nodes: tuple[FloatArray, ...],
    middle: tuple[FloatArray, ...],
    rows: IndexArray,
    columns: IndexArray,
    side: int,
) -> FloatArray:
    """Largest distance of a block's nodes from its middle; float64, (blocks,)."""
    shape = len(rows), len(columns)
    height, width = nodes[0].shape
    far = np.zeros(shape)
    for low in range(side + 1):
        for right in range(side + 1):
            j = np.minimum(rows + low, height - 1)[:, None]
            i = np.minimum(columns + right, width - 1)[None, :]
            away = sum(
                (one[j, i] - mid.reshape(shape)) ** 2
                for one, mid in zip(nodes, middle, strict=True)
            )
            far = np.fmax(far, away)
    return np.sqrt(far).ravel()


def _bilinear_inverse(
    corners: "list[tuple[FloatArray, FloatArray, FloatArray]]",
) -> tuple[FloatArray, FloatArray]:
    """Where in each quad the origin is: shares to the right and down, by three Newton steps."""
    (x00, y00, _), (x01, y01, _), (x10, y10, _), (x11, y11, _) = corners
    bx, by, cx, cy = x01 - x00, y01 - y00, x10 - x00, y10 - y00
    dx, dy = x11 - x01 - cx, y11 - y01 - cy
    s = t = np.full(len(x00), 0.5)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        for _ in range(3):
            ax, ay = bx + dx * t, by + dy * t
            ex, ey = cx + dx * s, cy + dy * s
            fx, fy = x00 + bx * s + ex * t, y00 + by * s + ey * t
            scale = 1 / (ax * ey - ay * ex)
            s = np.clip(s - (fx * ey - fy * ex) * scale, -_STEPS, _STEPS + 1)
            t = np.clip(t - (ax * fy - ay * fx) * scale, -_STEPS, _STEPS + 1)
    return s, t


def _held(share: FloatArray) -> BoolArray:
    return np.asarray((share >= -_SLACK) & (share <= 1 + _SLACK))


def _before(corners: "list[tuple[FloatArray, FloatArray, FloatArray]]") -> BoolArray:
    """Whether a quad is on the places' own side of the globe."""
    return np.asarray(corners[0][2] + corners[3][2] > 0)


def _moved(place: IndexArray, share: FloatArray, last: int) -> IndexArray:
    steps = np.floor(np.where(np.isfinite(share), share, 0.0)).astype(np.intp)
    return np.clip(place + steps, 0, last)
