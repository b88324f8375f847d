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
from functools import lru_cache, partial
from itertools import pairwise, product

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from datacube.slicing.cells import ROOM, PixelBlock, PixelMap, pixel_blocks
from datacube.slicing.globe import Globe
from datacube.slicing.patch import patch, patch_at_edge
from datacube.slicing.sheets import CellSheet, PositionSheet, Room, Sheet, certain, within

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.intp]
type Exact = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]

BLOCK = 64
"""Pixels along a side of the largest block."""

_STEP = BLOCK // 4
_SMALLEST = 8
_PART = 6
_MISS = 1 / 32
_PARABOLA = np.array(
    [[1, 0, 0], [0.375, 0.75, -0.125], [0, 1, 0], [-0.125, 0.75, 0.375], [0, 0, 1]], float
)


@dataclass(frozen=True, eq=False)
class Net:
    """Exact positions of every 16th row and column of a window, and how to ask for more.

    Parameters
    ----------
    exact : (columns, rows) -> (u, v)
        Positions of places of the window, any equal shape; NaN where there is none. Whole numbers
        are the places wanted.
    shape : (height, width) of the window
    before : (rows, columns) between the first block's corner and the window's
    room : Room, the cells; blocks wholly beside them may be left out
    u, v : float64, (rows, columns), the nodes

    Examples
    --------
    >>> net = cast(lambda c, r: (c / 2, r * r), (3, 4), (0, 0), Room(10, 10))
    >>> u, v = net.positions()
    >>> u[0].tolist(), v[:, 0].tolist()
    ([0.0, 0.5, 1.0, 1.5], [0.0, 1.0, 4.0])
    >>> cells = net.cells(2)
    >>> cells.columns[0].tolist(), cells.rows[:, 0].tolist()
    ([0, 0, 0, 0], [0, 0, 2])
    """

    exact: Exact
    shape: tuple[int, int]
    before: tuple[int, int]
    room: Room
    u: FloatArray
    v: FloatArray

    def positions(self) -> tuple[FloatArray, FloatArray]:
        """Positions of the window's pixels.

        Returns
        -------
        u, v : float64, shape, rounded by :func:`~datacube.slicing.sheets.snapped`
        """
        sheet = PositionSheet(*self._size, self.room)
        self._put_blocks(sheet)
        part = self._window
        return sheet.u[part], sheet.v[part]

    def cells(self, factor: int) -> PixelMap:
        """Cells that hold the window's pixels.

        Parameters
        ----------
        factor : int, how many of the room's cells make one, along rows and along columns
        """
        smooth = factor & (factor - 1) == 0 and bool(_passed(self._nodes()).all())
        return PixelMap.of_blocks(
            self.shape,
            (
                block
                for corner, part in self._parts()
                for block in part.pixel_blocks(factor, corner, smooth=smooth)
            ),
        )

    def pixel_blocks(
        self, factor: int, corner: tuple[int, int], *, smooth: bool
    ) -> Iterator[PixelBlock]:
        """The same of a small net, whose first pixel is at that row and column of the target.

        Parameters
        ----------
        smooth : whether no block has to be split
        """
        if smooth:
            nodes = self._nodes()
            across, down = nodes.max((0, 2, 3)) - nodes.min((0, 2, 3))
            blocks = nodes.reshape(self.u.shape[0] // 4, -1, 2, 5, 5)
            if not certain(nodes, self.room).all():
                if self.room.turn is None:
                    return patch_at_edge(blocks, self._window, factor, corner, self.room)
            elif across * down < ROOM * factor**2 / 2:
                return iter((patch(blocks, self._window, factor, corner),))
        sheet = CellSheet(*self._size, self.room, factor)
        self._put_blocks(sheet)
        part = self._window
        return pixel_blocks(sheet.rows[part], sheet.columns[part], corner)

    def _parts(self) -> Iterator[tuple[tuple[int, int], "Net"]]:
        """The net in parts of at most 6 x 6 blocks, and where in the window each begins."""
        cuts = [_even(size // BLOCK, _PART) for size in self._size]
        for (low, high), (left, right) in product(*cuts):
            nodes = slice(4 * low, 4 * high + 1), slice(4 * left, 4 * right + 1)
            first, last = (
                tuple(
                    min(max(BLOCK * number - lead, 0), size)
                    for number, lead, size in zip(numbers, self.before, self.shape, strict=True)
                )
                for numbers in ((low, left), (high, right))
            )
            top, side = first
            yield (
                (top, side),
                Net(
                    partial(_moved, self.exact, top, side),
                    (last[0] - top, last[1] - side),
                    (self.before[0] if not low else 0, self.before[1] if not left else 0),
                    self.room,
                    self.u[nodes],
                    self.v[nodes],
                ),
            )

    def pace(self) -> float:
        """Cells that a pixel spans: the middle of the longer of its two steps; 0 beside them.

        The steps between nodes count of which one is on the cells; where none is, those that are
        as long as their distance from the cells.
        """
        part = tuple(
            slice(lead // _STEP, -(-(lead + size) // _STEP) + 1)
            for lead, size in zip(self.before, self.shape, strict=True)
        )
        u, v = self.u[part], self.v[part]
        if self.room.turn is not None:
            u = u - self.room.turn * np.floor(u / self.room.turn)
        return max(_pace(u, v, self.room), _pace(u.T, v.T, self.room))

    @property
    def _size(self) -> tuple[int, int]:
        """(height, width) of the blocks together."""
        rows, columns = self.u.shape
        return (rows - 1) * _STEP, (columns - 1) * _STEP

    @property
    def _window(self) -> tuple[slice, slice]:
        (upper, left), (height, width) = self.before, self.shape
        return slice(upper, upper + height), slice(left, left + width)

    def _ask(self, right: FloatArray, low: FloatArray) -> FloatArray:
        """Exact positions of places counted from the first block's corner; (blocks, 2, n, n)."""
        u, v = self.exact(right - self.before[1], low - self.before[0])
        return np.stack([_unwrapped(u, self.room.turn), v], 1)

    def _nodes(self) -> FloatArray:
        """Nodes of the largest blocks; (blocks, 2, 5, 5)."""
        places = _of_blocks(*self.u.shape)
        nodes = np.empty((len(places), 2, 5, 5))
        nodes[:, 0] = _unwrapped(self.u.take(places), self.room.turn)
        nodes[:, 1] = self.v.take(places)
        return nodes

    def _put_blocks(self, sheet: Sheet) -> None:
        """Put every block on a sheet, split where it has to be."""
        size = BLOCK
        rows, columns = (one.ravel() for one in np.indices([one // size for one in sheet.shape]))
        nodes = self._nodes()
        while True:
            left = self._put_passed(sheet, rows, columns, size, nodes)
            rows, columns = rows[left], columns[left]
            if not rows.size or size == _SMALLEST:
                break
            size //= 2
            rows = (2 * rows[:, None] + np.array([0, 0, 1, 1])).ravel()
            columns = (2 * columns[:, None] + np.array([0, 1, 0, 1])).ravel()
            nodes = self._ask(*_places(rows, columns, size, np.arange(5) * (size // 4)))
        if rows.size:
            exact = self._ask(*_places(rows, columns, size, np.arange(size)))
            sheet.put(rows, columns, size, exact)

    def _put_passed(
        self, sheet: Sheet, rows: IndexArray, columns: IndexArray, size: int, nodes: FloatArray
    ) -> BoolArray:
        """Put the blocks that pass, omit those beside the cells; which are left."""
        passed = _passed(nodes)
        if passed.all():
            sheet.fill(rows, columns, size, nodes)
            return ~passed
        sheet.fill(rows[passed], columns[passed], size, nodes[passed])
        finite = np.isfinite(nodes).all((1, 2, 3))
        omitted = np.zeros_like(passed)
        omitted[finite] = _beside(nodes[finite], self.room)
        omitted &= ~passed
        left = ~(passed | omitted)
        if self.room.turn is not None and self.room.poles is not None:
            globe = Globe(self.room.turn, self.room.poles)
            near = left & finite
            near[near] = _polar(nodes[near], globe)
            sheet.fill_polar(rows[near], columns[near], size, nodes[near], globe)
            left &= ~near
        void = left.copy()
        void[left] = self._void(rows[left], columns[left], size, nodes[left])
        omitted |= void
        sheet.omit(rows[omitted], columns[omitted], size)
        return left & ~void

    def _void(
        self, rows: IndexArray, columns: IndexArray, size: int, nodes: FloatArray
    ) -> BoolArray:
        """Which blocks have no position at all, seen with half a block around them."""
        void = np.isnan(nodes[:, 0]).all((1, 2))
        if void.any():
            around = np.arange(-2, 7) * (size // 4)
            wide = self._ask(*_places(rows[void], columns[void], size, around))
            void[void] = np.isnan(wide[:, 0]).all((1, 2))
        return void


def cast(exact: Exact, shape: tuple[int, int], origin: tuple[int, int], room: Room) -> Net:
    """A net over a window.

    Parameters
    ----------
    exact, shape, room : of the :class:`Net`
    origin : (row, column) of the window's first pixel in the plane's own count
    """
    before = (origin[0] % BLOCK, origin[1] % BLOCK)
    rows, columns = (
        np.arange(-(-(size + lead) // BLOCK) * 4 + 1) * float(_STEP) - lead
        for size, lead in zip(shape, before, strict=True)
    )
    return Net(exact, shape, before, room, *exact(*np.meshgrid(columns, rows)))


@lru_cache(maxsize=64)
def _of_blocks(rows: int, columns: int) -> IndexArray:
    """Which of the nodes are those of each of the largest blocks; intp, (blocks, 5, 5)."""
    places = np.arange(rows * columns).reshape(rows, columns)
    return sliding_window_view(places, (5, 5))[::4, ::4].reshape(-1, 5, 5)


def _moved(
    exact: Exact, row: int, column: int, right: FloatArray, low: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Exact positions of places counted from another pixel."""
    return exact(right + column, low + row)


def _even(count: int, most: int) -> list[tuple[int, int]]:
    """A range cut into parts of about one size."""
    parts = -(-count // most)
    return list(pairwise(count * part // parts for part in range(parts + 1)))


def _pace(u: FloatArray, v: FloatArray, room: Room) -> float:
    """Middle length of the steps between rows of nodes, for a pixel."""
    across = u[1:] - u[:-1]
    if room.turn is not None:
        across -= room.turn * np.rint(across / room.turn)
    steps = np.hypot(across, v[1:] - v[:-1])
    inside = within(u, room.width) & within(v, room.height)
    chosen = steps[inside[1:] | inside[:-1]]
    if not chosen.size:
        away = np.maximum(_away(u, room.width), _away(v, room.height))
        chosen = steps[np.minimum(away[1:], away[:-1]) <= steps]
    chosen = np.sort(chosen[np.isfinite(chosen)])
    return float(chosen[len(chosen) // 2]) / _STEP if chosen.size else 0.0


def _away(position: FloatArray, size: int) -> FloatArray:
    """How far positions are from an axis of so many cells."""
    return np.maximum(np.maximum(-position, position - size), 0)


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


def _passed(nodes: FloatArray) -> BoolArray:
    """Which blocks may be interpolated: a parabola foretells the other nodes."""
    foretold = _PARABOLA @ nodes[:, :, ::2, ::2] @ _PARABOLA.T
    foretold -= nodes
    np.abs(foretold, out=foretold)
    return np.asarray(foretold.reshape(len(nodes), -1).max(1, initial=0) <= _MISS)


def _beside(nodes: FloatArray, room: Room) -> BoolArray:
    """Which blocks are further from the cells than they are wide."""
    u, v = nodes[:, 0], nodes[:, 1]
    return _off(u, room.width, room.turn) | _off(v, room.height, None)


def _off(position: FloatArray, size: int, turn: float | None) -> BoolArray:
    """The same along one axis; position (blocks, 5, 5)."""
    low, high = position.min((1, 2), initial=np.inf), position.max((1, 2), initial=-np.inf)
    spread = high - low
    low, high = low - spread, high + spread
    if turn is None:
        return np.asarray((high < 0) | (low > size))
    shift = turn * np.floor(low / turn)
    return np.asarray((low - shift > size) & (high - shift < turn))


def _polar(nodes: FloatArray, globe: Globe) -> BoolArray:
    """Which blocks may be interpolated by unit vectors."""
    u, v = nodes[:, 0], nodes[:, 1]
    foretold = globe.positions(
        *(_PARABOLA @ one[:, ::2, ::2] @ _PARABOLA.T for one in globe.vectors(u, v))
    )
    off = np.abs(foretold[0] - u)
    off = np.minimum(off, np.abs(off - globe.turn * np.rint(off / globe.turn)))
    off = np.maximum(off, np.abs(foretold[1] - v))
    return np.asarray(off.max((1, 2), initial=0) <= _MISS)
