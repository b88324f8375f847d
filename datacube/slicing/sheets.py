"""Sheets of pixels that blocks are put on: their positions, or the cells that hold them.

Positions are rounded to 2^-20 of a cell, so that ties fall the same way in every window. Cells are
found from them with whole numbers: what a position has in those units is shifted right.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import override

import numpy as np
from numpy.typing import NDArray

from datacube.slicing.globe import Globe

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.intp]

EDGE = 1e-6
"""How far, in cells, a position may lie before the first cell and still count as in it."""

_BATCH = 6 << 12  # pixels; a product of matrices that is larger is spread over threads
PLACES = 20
ROUNDER = 1.5 * 2.0 ** (52 - PLACES)  # what is added to it keeps 20 binary places
ROUNDER_BITS = int(np.array([ROUNDER]).view(np.int64)[0])


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
    grained = position + ROUNDER
    grained -= ROUNDER
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


def within(position: FloatArray, size: int) -> BoolArray:
    """Whether positions lie on an axis of that many cells, its outer edges included."""
    return (position > -EDGE) & (position < size + EDGE)


def cells_within(position: FloatArray, size: int, factor: int = 1) -> IndexArray:
    """Cell of each position; a hair beyond the outer edges counts as inside; -1 outside.

    Parameters
    ----------
    position : float64, any shape
    size : int, how many cells there are
    factor : int, how many of them make one that is counted

    Examples
    --------
    >>> cells_within(np.array([-0.5, -1e-7, 3.5, 4.0, np.nan]), 4, 2).tolist()
    [-1, 0, 1, 1, -1]
    """
    low, high = position.min(initial=0), position.max(initial=0)
    if low > -EDGE and high < size + EDGE:
        cells = position.astype(np.intp)
        if high >= size:
            np.minimum(cells, size - 1, out=cells)
        return _coarse(cells, factor)
    inside = within(position, size)
    cells = np.where(inside, position, 0.0).astype(np.intp)
    np.minimum(cells, size - 1, out=cells)
    cells = _coarse(cells, factor)
    cells[~inside] = -1
    return cells


def _coarse(cells: IndexArray, factor: int) -> IndexArray:
    if factor & (factor - 1):
        np.floor_divide(cells, factor, out=cells)
    elif factor > 1:
        np.right_shift(cells, factor.bit_length() - 1, out=cells)
    return cells


class Sheet(ABC):
    """Pixels of whole blocks, each of which is either put there or left out.

    Positions and nodes come as one array of two layers: columns u, then rows v.

    Parameters
    ----------
    height, width : int, pixels
    room : Room, the cells that positions are on
    """

    def __init__(self, height: int, width: int, room: Room) -> None:
        self.shape = height, width
        self.room = room

    @abstractmethod
    def put(self, rows: IndexArray, columns: IndexArray, size: int, position: FloatArray) -> None:
        """Keep blocks.

        Parameters
        ----------
        rows, columns : intp, (blocks,), in blocks of that size
        size : int, pixels along a side of a block
        position : float64, (blocks, 2, size, size), written over
        """

    @abstractmethod
    def omit(self, rows: IndexArray, columns: IndexArray, size: int) -> None:
        """Leave blocks out."""

    def fill(self, rows: IndexArray, columns: IndexArray, size: int, nodes: FloatArray) -> None:
        """Interpolate blocks from their nodes; float64, (blocks, 2, 5, 5)."""
        for part in _batches(len(rows), size):
            self.put(rows[part], columns[part], size, _spread(nodes[part], size))

    def fill_polar(
        self, rows: IndexArray, columns: IndexArray, size: int, nodes: FloatArray, globe: Globe
    ) -> None:
        """The same by unit vectors."""
        for part in _batches(len(rows), size):
            vectors = np.stack(globe.vectors(nodes[part, 0], nodes[part, 1]), 1)
            x, y, z = np.moveaxis(_spread(vectors, size), 1, 0)
            self.put(rows[part], columns[part], size, np.stack(globe.positions(x, y, z), 1))


class PositionSheet(Sheet):
    """Positions u and v, float64, (height, width), NaN where blocks are left out."""

    def __init__(self, height: int, width: int, room: Room) -> None:
        super().__init__(height, width, room)
        self._layers = np.empty((2, height, width))
        self.u, self.v = self._layers

    @override
    def put(self, rows: IndexArray, columns: IndexArray, size: int, position: FloatArray) -> None:
        """Keep rounded positions."""
        blocks = _blocks(self._layers, size)
        blocks[0, rows, :, columns] = snapped(position[:, 0], self.room.turn)
        blocks[1, rows, :, columns] = snapped(position[:, 1])

    @override
    def omit(self, rows: IndexArray, columns: IndexArray, size: int) -> None:
        """NaN."""
        _blocks(self._layers, size)[:, rows, :, columns] = np.nan


class CellSheet(Sheet):
    """Cells that hold the positions: rows and columns, intp, (height, width), both -1 outside.

    Parameters
    ----------
    factor : int, how many of the room's cells make one that is counted
    """

    def __init__(self, height: int, width: int, room: Room, factor: int) -> None:
        super().__init__(height, width, room)
        self._layers = np.empty((2, height, width), np.intp)
        self.columns, self.rows = self._layers
        self._factor = factor

    @override
    def put(self, rows: IndexArray, columns: IndexArray, size: int, position: FloatArray) -> None:
        """Keep cells of positions anywhere."""
        room, factor = self.room, self._factor
        right = cells_within(snapped(position[:, 0], room.turn), room.width, factor)
        low = cells_within(snapped(position[:, 1]), room.height, factor)
        if min(right.min(initial=0), low.min(initial=0)) < 0:
            outside = (right < 0) | (low < 0)
            right[outside] = -1
            low[outside] = -1
        blocks = _blocks(self._layers, size)
        blocks[0, rows, :, columns] = right
        blocks[1, rows, :, columns] = low

    @override
    def omit(self, rows: IndexArray, columns: IndexArray, size: int) -> None:
        """No cells."""
        _blocks(self._layers, size)[:, rows, :, columns] = -1

    @override
    def fill(self, rows: IndexArray, columns: IndexArray, size: int, nodes: FloatArray) -> None:
        """Interpolate blocks; those that lie on the cells for certain without a second look."""
        sure = certain(nodes, self.room)
        rest = ~sure
        if self.room.turn is not None and rest.any():
            super().fill(rows[rest], columns[rest], size, nodes[rest])
            rest[:] = False
        blocks = _blocks(self._layers, size)
        for some, edge in ((sure, False), (rest, True)):
            down, right, chosen = (
                (rows, columns, nodes) if some.all() else (rows[some], columns[some], nodes[some])
            )
            for part in _batches(len(down), size):
                found = self._cells(_spread(chosen[part], size), edge=edge)
                blocks[:, down[part], :, right[part]] = found

    def _cells(self, position: FloatArray, *, edge: bool) -> IndexArray:
        """Cells of positions, which are written over; on the edge they may lie outside."""
        position += ROUNDER
        grains: IndexArray = position.view(np.int64)
        grains -= ROUNDER_BITS
        if not edge:
            grains >>= PLACES
            return _coarse(grains, self._factor)
        ends = np.array([self.room.width, self.room.height])[:, None, None] << PLACES
        outside = ((grains < -1) | (grains > ends + 1)).any(1, keepdims=True)
        np.clip(grains, 0, ends - 1, out=grains)
        grains >>= PLACES
        cells = _coarse(grains, self._factor)
        np.copyto(cells, -1, where=outside)
        return cells


def _blocks[D: np.generic](layers: NDArray[D], size: int) -> NDArray[D]:
    """Layers seen in blocks: (layer, rows of blocks, size, columns of blocks, size)."""
    count, height, width = layers.shape
    return layers.reshape(count, height // size, size, width // size, size)


def certain(nodes: FloatArray, room: Room) -> BoolArray:
    """Which blocks lie on the cells, whatever is between their nodes; (blocks, 2, 5, 5)."""
    flat = nodes.reshape(len(nodes), 2, 25)
    low, high = flat.min(2), flat.max(2)
    slack = (high - low) / 4 + 1
    inside = (low - slack >= 0) & (high + slack <= np.array([room.width, room.height]))
    return np.asarray(inside.all(1))


def _batches(blocks: int, size: int) -> Iterator[slice]:
    batch = _BATCH // size**2
    return (slice(start, start + batch) for start in range(0, blocks, batch))


def _spread(nodes: FloatArray, size: int) -> FloatArray:
    """Values of the pixels of blocks; nodes (blocks, layers, 5, 5)."""
    weights, across = quartic(size)
    rows = (weights @ nodes).reshape(-1, 5)
    return (rows @ across).reshape(*nodes.shape[:2], size, size)


@lru_cache(maxsize=8)
def quartic(size: int) -> tuple[FloatArray, FloatArray]:
    """Lagrange weights of 5 equal nodes over size pixels; float64, (size, 5) and (5, size)."""
    weights = quartic_at(np.arange(size) / (size // 4))
    return weights, np.ascontiguousarray(weights.T)


def quartic_at(at: FloatArray) -> FloatArray:
    """Lagrange weights of 5 nodes, at 0 to 4, for places between; float64, (places, 5)."""
    weights = np.ones((len(at), 5))
    for node in range(5):
        for other in range(5):
            if other != node:
                weights[:, node] *= (at - other) / (node - other)
    return weights
