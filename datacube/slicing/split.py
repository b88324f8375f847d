"""Blocks of pixels whose positions are checked, and split where they are not foretold.

A block of 64 x 64 pixels has 5 x 5 exact positions. Where the parabola through every other of them
foretells the rest, the quartic through all gives the pixels. Around a pole, where longitudes fail,
the same is tried with the components of unit vectors. What is not foretold is split into four, down
to 8 x 8 pixels, and what still is not is asked pixel by pixel.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datacube.slicing.cells import PixelBlock, pixel_blocks
from datacube.slicing.globe import Globe
from datacube.slicing.sheets import CellSheet, PositionSheet, Room, Sheet

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.intp]
type Exact = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
type Window = tuple[slice, slice]

BLOCK = 64
"""Pixels along a side of the largest block."""

_SMALLEST = 8
_MISS = 1 / 32
_PARABOLA = np.array(
    [[1, 0, 0], [0.375, 0.75, -0.125], [0, 1, 0], [-0.125, 0.75, 0.375], [0, 0, 1]], float
)


@dataclass(frozen=True, eq=False)
class Split:
    """Blocks that lie side by side, and how to ask for more positions.

    Parameters
    ----------
    exact : (columns, rows) -> (u, v)
        Positions of places, counted from the first block's corner; NaN where there is none.
    nodes : float64, (rows, columns, 2, 5, 5), those of each block; u, then v
    room : Room, the cells; blocks wholly beside them may be left out
    """

    exact: Exact
    nodes: FloatArray
    room: Room

    def positions(self, window: Window) -> tuple[FloatArray, FloatArray]:
        """Positions of the pixels in some rows and columns of the blocks.

        Returns
        -------
        u, v : float64, (y, x), rounded by :func:`~datacube.slicing.sheets.snapped`
        """
        sheet = PositionSheet(*self._size, self.room)
        self._put_blocks(sheet)
        return sheet.u[window], sheet.v[window]

    def pixel_blocks(
        self, window: Window, factor: int, corner: tuple[int, int]
    ) -> Iterator[PixelBlock]:
        """The cells of the pixels in some rows and columns of the blocks.

        Parameters
        ----------
        window : rows and columns
        factor : int, how many of the room's cells make one, along rows and along columns
        corner : (row, column) of the window's first pixel in the target
        """
        down, right = (slice(one.start // BLOCK, -(-one.stop // BLOCK)) for one in window)
        row, column = down.start * BLOCK, right.start * BLOCK
        part = Split(_moved(self.exact, row, column), self.nodes[down, right], self.room)
        sheet = CellSheet(*part._size, self.room, factor)
        part._put_blocks(sheet)
        there = tuple(
            slice(one.start - first, one.stop - first)
            for one, first in zip(window, (row, column), strict=True)
        )
        return pixel_blocks(sheet.rows[there], sheet.columns[there], corner)

    @property
    def _size(self) -> tuple[int, int]:
        """(height, width) of the blocks together."""
        rows, columns = self.nodes.shape[:2]
        return rows * BLOCK, columns * BLOCK

    def _ask(self, right: FloatArray, low: FloatArray) -> FloatArray:
        """Exact positions of places counted from the first block's corner; (blocks, 2, n, n)."""
        u, v = self.exact(right, low)
        return np.stack([unwrapped(u, self.room.turn), v], 1)

    def _put_blocks(self, sheet: Sheet) -> None:
        """Put every block on a sheet, split where it has to be."""
        size = BLOCK
        rows, columns = (one.ravel() for one in np.indices([one // size for one in sheet.shape]))
        nodes = self.nodes.reshape(-1, 2, 5, 5)
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
        passed = foretold(nodes)
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


def foretold(nodes: FloatArray) -> BoolArray:
    """Which blocks may be interpolated: a parabola foretells the other nodes.

    Parameters
    ----------
    nodes : float64, (blocks, 2, 5, 5)

    Returns
    -------
    foretold : bool, (blocks,)
    """
    expected = _PARABOLA @ nodes[:, :, ::2, ::2] @ _PARABOLA.T
    expected -= nodes
    np.abs(expected, out=expected)
    return np.asarray(expected.reshape(len(nodes), -1).max(1, initial=0) <= _MISS)


def unwrapped(u: FloatArray, turn: float | None) -> FloatArray:
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


def _moved(exact: Exact, row: int, column: int) -> Exact:
    """Exact positions of places counted from another pixel."""
    return lambda right, low: exact(right + column, low + row)


def _places(
    rows: IndexArray, columns: IndexArray, size: int, offsets: NDArray[np.int_]
) -> tuple[FloatArray, FloatArray]:
    """Columns and rows of places inside blocks; float64, (blocks, offsets, offsets) each."""
    right = (columns * size)[:, None, None] + offsets[None, None, :].astype(float)
    low = (rows * size)[:, None, None] + offsets[None, :, None].astype(float)
    wide, tall = np.broadcast_arrays(right, low)
    return wide, tall


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
