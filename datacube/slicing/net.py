"""Positions of many pixels from few: a net of exact answers, checked block by block.

The target is cut into blocks of 64 x 64 pixels that lie on multiples of 64 of the *plane* the
target is a window of, not of the target. Each block has 5 x 5 exact positions. The parabola
through every other of them is compared with the rest; where it misses, or a position is missing,
the block is split into four, down to 8 x 8 pixels, and what still misses is asked pixel by pixel.
The quartic through all 25 then gives the pixels of a block that has passed. Around a pole, where
longitudes fail, the same is tried with the components of unit vectors before a block is split.

A block is judged by its own positions alone, and the results are rounded to 2^-20 of a cell.
Therefore a tile gets the positions that the same pixels have in a larger map.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from datacube.slicing.globe import Globe

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.intp]
type Exact = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]

BLOCK = 64
"""Pixels along a side of the largest block."""

EDGE = 1e-6
"""How far, in cells, a position may lie before the first cell and still count as in it."""

_SMALLEST = 8
_MISS = 1 / 32
_BATCH = 16
_ROUNDER = 1.5 * 2.0**32  # what is added to it keeps 20 binary places
_PARABOLA = np.array(
    [[1, 0, 0], [0.375, 0.75, -0.125], [0, 1, 0], [-0.125, 0.75, 0.375], [0, 0, 1]], float
)


@dataclass(frozen=True, slots=True)
class Room:
    """The cells that positions are wanted on.

    Parameters
    ----------
    height, width : int, number of rows and columns
    turn : float or None
        Columns that make 360 degrees, where the columns are longitudes.
    poles : (float, float) or None
        Rows where the latitude is +90 and -90 degrees, where the rows are latitudes.
    """

    height: int
    width: int
    turn: float | None = None
    poles: tuple[float, float] | None = None


def snapped(position: FloatArray, turn: float | None = None) -> FloatArray:
    """Positions rounded to 2^-20 of a cell, so that ties fall the same way in every window.

    Parameters
    ----------
    position : float64, any shape, in cells
    turn : float, optional
        Whole turns that are taken off, so that the result starts at 0.

    Examples
    --------
    >>> snapped(np.array([2.9999999999, 361.5]), 360.0).tolist()
    [3.0, 1.5]
    """
    grained = position + _ROUNDER
    grained -= _ROUNDER
    if turn is None:
        return grained
    if grained.min(initial=0) <= -EDGE or grained.max(initial=0) >= turn - EDGE:
        turns = grained + EDGE
        turns /= turn
        np.floor(turns, out=turns)
        turns *= turn
        grained -= turns
    np.copyto(grained, 0.0, where=(grained < 0) & (grained > -EDGE))  # a hair before the seam
    return grained


def interpolated(
    exact: Exact, shape: tuple[int, int], origin: tuple[int, int], room: Room
) -> tuple[FloatArray, FloatArray]:
    """Positions of the pixels of a window.

    Parameters
    ----------
    exact : (columns, rows) -> (u, v)
        Positions of places of the window, any equal shape; NaN where there is none. Whole numbers
        are the places wanted.
    shape : (height, width) of the window
    origin : (row, column) of the window's first pixel in the plane's own count
    room : Room, the cells; blocks wholly beside them may come back as NaN

    Returns
    -------
    u, v : float64, shape, rounded by :func:`snapped`

    Examples
    --------
    >>> u, v = interpolated(lambda c, r: (c / 2, r * r), (3, 4), (0, 0), Room(10, 10))
    >>> u[0].tolist(), v[:, 0].tolist()
    ([0.0, 0.5, 1.0, 1.5], [0.0, 1.0, 4.0])
    """
    before = (origin[0] % BLOCK, origin[1] % BLOCK)
    down, across = (-(-(size + lead) // BLOCK) for size, lead in zip(shape, before, strict=True))
    canvas = _Canvas(down * BLOCK, across * BLOCK, room)
    rows, columns = (one.ravel() for one in np.indices((down, across)))

    def ask(right: FloatArray, low: FloatArray) -> tuple[FloatArray, FloatArray]:
        u, v = exact(right - before[1], low - before[0])
        return _unwrapped(u, room.turn) if u.ndim == 3 else u, v

    nodes = _shared_nodes(exact, before, (down, across), room)
    size = BLOCK
    while True:
        passed, dropped = _judged(nodes, room)
        canvas.fill(rows[passed], columns[passed], size, nodes[0][passed], nodes[1][passed])
        left = ~(passed | dropped)
        if room.turn is not None and room.poles is not None:
            globe = Globe(room.turn, room.poles)
            near = left & np.isfinite(nodes[0] + nodes[1]).all((1, 2))
            near[near] = _polar(nodes[0][near], nodes[1][near], globe)
            canvas.fill_polar(rows[near], columns[near], size, nodes, near, globe)
            left &= ~near
        left[left] = ~_void(ask, rows[left], columns[left], size, nodes[0][left])
        rows, columns = rows[left], columns[left]
        if not rows.size or size == _SMALLEST:
            break
        size //= 2
        rows = (2 * rows[:, None] + np.array([0, 0, 1, 1])).ravel()
        columns = (2 * columns[:, None] + np.array([0, 1, 0, 1])).ravel()
        nodes = ask(*_places(rows, columns, size, np.arange(5) * (size // 4)))
    if rows.size:
        canvas.put(rows, columns, size, *ask(*_places(rows, columns, size, np.arange(size))))
    return canvas.window(before, shape)


class _Canvas:
    """Whole blocks of u and v, NaN where nothing was put."""

    def __init__(self, height: int, width: int, room: Room) -> None:
        self.u = np.full((height, width), np.nan)
        self.v = np.full((height, width), np.nan)
        self._turn = room.turn

    def put(
        self, rows: IndexArray, columns: IndexArray, size: int, u: FloatArray, v: FloatArray
    ) -> None:
        """Round and keep blocks; rows, columns count blocks of size; u, v (blocks, size, size)."""
        height, width = self.u.shape
        cut = (height // size, size, width // size, size)
        self.u.reshape(cut)[rows, :, columns] = snapped(u, self._turn)
        self.v.reshape(cut)[rows, :, columns] = snapped(v)

    def fill(
        self, rows: IndexArray, columns: IndexArray, size: int, u: FloatArray, v: FloatArray
    ) -> None:
        """Interpolate blocks from their nodes; u, v float64, (blocks, 5, 5)."""
        for part in _batches(len(rows), size):
            pixels = (_spread(one[part], size) for one in (u, v))
            self.put(rows[part], columns[part], size, *pixels)

    def fill_polar(
        self,
        rows: IndexArray,
        columns: IndexArray,
        size: int,
        nodes: tuple[FloatArray, FloatArray],
        some: BoolArray,
        globe: Globe,
    ) -> None:
        """The same by unit vectors, for some of the blocks that nodes has."""
        for part in _batches(len(rows), size):
            vectors = globe.vectors(*(one[some][part] for one in nodes))
            pixels = globe.positions(*(_spread(one, size) for one in vectors))
            self.put(rows[part], columns[part], size, *pixels)

    def window(
        self, before: tuple[int, int], shape: tuple[int, int]
    ) -> tuple[FloatArray, FloatArray]:
        """The wanted part of the blocks."""
        part = tuple(slice(lead, lead + size) for lead, size in zip(before, shape, strict=True))
        return self.u[part], self.v[part]


def _shared_nodes(
    exact: Exact, before: tuple[int, int], blocks: tuple[int, int], room: Room
) -> tuple[FloatArray, FloatArray]:
    """Nodes of the first blocks, asked once where neighbours share them; (blocks, 5, 5)."""
    rows, columns = (
        np.arange(4 * count + 1) * (BLOCK / 4) - lead
        for count, lead in zip(blocks, before, strict=True)
    )
    u, v = (
        sliding_window_view(one, (5, 5))[::4, ::4].reshape(-1, 5, 5)
        for one in exact(*np.meshgrid(columns, rows))
    )
    return _unwrapped(u, room.turn), v


def _places(
    rows: IndexArray, columns: IndexArray, size: int, offsets: NDArray[np.int_]
) -> tuple[FloatArray, FloatArray]:
    """Columns and rows of places inside blocks; float64, (blocks, offsets, offsets) each."""
    right = (columns * size)[:, None, None] + offsets[None, None, :].astype(float)
    low = (rows * size)[:, None, None] + offsets[None, :, None].astype(float)
    wide, tall = np.broadcast_arrays(right, low)
    return wide, tall


def _unwrapped(u: FloatArray, turn: float | None) -> FloatArray:
    """Columns of each block moved by whole turns to where its middle is; (blocks, n, n).

    Where the middle has none, the first that there is stands for it.
    """
    if turn is None:
        return u
    middle = u[:, u.shape[1] // 2, u.shape[2] // 2]
    if np.isnan(middle).any():
        flat = u.reshape(len(u), -1)
        first = flat[np.arange(len(u)), np.isfinite(flat).argmax(1)]
        middle = np.where(np.isnan(middle), first, middle)
    return u - turn * np.rint((u - middle[:, None, None]) / turn)


def _judged(nodes: tuple[FloatArray, FloatArray], room: Room) -> tuple[BoolArray, BoolArray]:
    """Which blocks may be interpolated, and which lie beside the cells with all their nodes."""
    u, v = nodes
    finite = np.isfinite(u).all((1, 2)) & np.isfinite(v).all((1, 2))
    passed = finite.copy()
    beside = _beside(u[finite], room.width, room.turn) | _beside(v[finite], room.height, None)
    dropped = np.zeros_like(finite)
    dropped[finite] = beside
    for one in (u[finite], v[finite]):
        foretold = _PARABOLA @ one[:, ::2, ::2] @ _PARABOLA.T
        passed[finite] &= np.abs(foretold - one).max((1, 2), initial=0) <= _MISS
    return passed, dropped & ~passed


def _beside(position: FloatArray, size: int, turn: float | None) -> BoolArray:
    """Whether blocks are further from the cells than they are wide; position (blocks, 5, 5)."""
    low, high = position.min((1, 2), initial=np.inf), position.max((1, 2), initial=-np.inf)
    spread = high - low
    low, high = low - spread, high + spread
    if turn is None:
        return np.asarray((high < 0) | (low > size))
    shift = turn * np.floor(low / turn)
    return np.asarray((low - shift > size) & (high - shift < turn))


def _void(ask: Exact, rows: IndexArray, columns: IndexArray, size: int, u: FloatArray) -> BoolArray:
    """Which blocks have no position at all, seen with half a block around them."""
    void = np.isnan(u).all((1, 2))
    if void.any():
        around = np.arange(-2, 7) * (size // 4)
        wide, _ = ask(*_places(rows[void], columns[void], size, around))
        void[void] = np.isnan(wide).all((1, 2))
    return void


def _polar(u: FloatArray, v: FloatArray, globe: Globe) -> BoolArray:
    """Which blocks may be interpolated by unit vectors; u, v (blocks, 5, 5)."""
    foretold = globe.positions(
        *(_PARABOLA @ one[:, ::2, ::2] @ _PARABOLA.T for one in globe.vectors(u, v))
    )
    off = np.abs(foretold[0] - u)
    off = np.minimum(off, np.abs(off - globe.turn * np.rint(off / globe.turn)))
    off = np.maximum(off, np.abs(foretold[1] - v))
    return np.asarray(off.max((1, 2), initial=0) <= _MISS)


def _batches(blocks: int, size: int) -> Iterator[slice]:
    batch = _BATCH * (BLOCK // size) ** 2
    return (slice(start, start + batch) for start in range(0, blocks, batch))


def _spread(nodes: FloatArray, size: int) -> FloatArray:
    """Values of the pixels of blocks; nodes (blocks, 5, 5)."""
    weights = _quartic(size)
    return ((weights @ nodes).reshape(-1, 5) @ weights.T).reshape(-1, size, size)


@lru_cache(maxsize=8)
def _quartic(size: int) -> FloatArray:
    """Lagrange weights of 5 equal nodes over size pixels; float64, (size, 5)."""
    at = np.arange(size) / (size // 4)
    weights = np.ones((size, 5))
    for node in range(5):
        for other in range(5):
            if other != node:
                weights[:, node] *= (at - other) / (node - other)
    return weights
