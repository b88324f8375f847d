"""Positions of many pixels from few: a net of exact answers, checked block by block.

The target is cut into blocks of 256 x 256 pixels that lie on multiples of 256 of the *plane* the
target is a window of, not of the target. Each block has 5 x 5 exact positions. Where the parabola
through every other of them foretells the rest, the quartic through all 25 gives the pixels. Of the
other blocks the 16 of 64 x 64 pixels have exact positions of their own, and are split where these
are not foretold either.

A block is judged by its own positions alone, and the results are rounded to 2^-20 of a cell.
Therefore a tile gets the positions that the same pixels have in a larger map.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise, product

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from datacube.slicing.cells import PixelBlock, PixelMap
from datacube.slicing.sheets import Room, quartic_at, within
from datacube.slicing.smooth import Smooth
from datacube.slicing.split import BLOCK, Exact, Split, foretold, unwrapped

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.intp]
type Window = tuple[slice, slice]

_WIDE = 256
_RATIO = _WIDE // BLOCK
_PART = (6, 6)
_LONG_PART = (4, 20)
_UPRIGHT = 8


@dataclass(frozen=True, eq=False)
class Net:
    """Exact positions of some rows and columns of a window, and how to ask for more.

    Parameters
    ----------
    exact : (columns, rows) -> (u, v)
        Positions of places of the window, any equal shape; NaN where there is none. Whole numbers
        are the places wanted.
    shape : (height, width) of the window
    before : (rows, columns) between the first block's corner and the window's
    room : Room, the cells; blocks wholly beside them may be left out

    Examples
    --------
    >>> net = Net(lambda c, r: (c / 2, r * r), (3, 4), (0, 0), Room(10, 10))
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

    def positions(self) -> tuple[FloatArray, FloatArray]:
        """Positions of the window's pixels.

        Returns
        -------
        u, v : float64, shape, rounded by :func:`~datacube.slicing.sheets.snapped`
        """
        whole = slice(0, self.shape[0]), slice(0, self.shape[1])
        if self._smooth is None:
            return self._split.positions(_moved(whole, self._narrow))
        return self._smooth.positions(_moved(whole, self._lead))

    def cells(self, factor: int) -> PixelMap:
        """Cells that hold the window's pixels.

        Parameters
        ----------
        factor : int, how many of the room's cells make one, along rows and along columns
        """
        return PixelMap.of_blocks(
            self.shape, (block for part in self._parts() for block in self._blocks(part, factor))
        )

    def pace(self) -> float:
        """Cells that a pixel spans: the middle of the longer of its two steps; 0 beside them.

        The steps between nodes count of which one is on the cells; where none is, those that are
        as long as their distance from the cells.
        """
        if self._wide.passed.all():
            (u, v), step, before = self._wide.at, _WIDE // 4, self.before
        else:
            (u, v), step, before = self._narrow_nodes, BLOCK // 4, self._narrow
        part = tuple(
            slice(lead // step, -(-(lead + size) // step) + 1)
            for lead, size in zip(before, self.shape, strict=True)
        )
        u, v = u[part], v[part]
        if self.room.turn is not None:
            u = u - self.room.turn * np.floor(u / self.room.turn)
        inside = within(u, self.room.width) & within(v, self.room.height)
        down, right = _pace(u, v, inside, self.room), _pace(u.T, v.T, inside.T, self.room)
        return max(down, right) / step

    def _parts(self) -> Iterator[Window]:
        """The window in parts of some blocks of 64 pixels, whose cells lie in small windows."""
        cuts = []
        for size, lead, most in zip(self.shape, self._narrow, self._most, strict=True):
            ends = _even(-(-(size + lead) // BLOCK), most)
            cuts.append([min(max(BLOCK * end - lead, 0), size) for end in ends])
        for (top, bottom), (left, right) in product(*(pairwise(cut) for cut in cuts)):
            yield slice(top, bottom), slice(left, right)

    def _blocks(self, part: Window, factor: int) -> Iterator[PixelBlock]:
        """The cells of a part of the window."""
        corner, smooth = (part[0].start, part[1].start), self._smooth
        if smooth is not None and factor & (factor - 1) == 0:
            found = smooth.pixel_blocks(_moved(part, self._lead), factor, corner)
            if found is not None:
                return found
        return self._split.pixel_blocks(_moved(part, self._narrow), factor, corner)

    @property
    def _most(self) -> tuple[int, int]:
        """How many blocks a part has at most: whole rows of them where rows of cells lie along.

        Their pixels lie together in memory then.
        """
        u, v = (abs(float(one[0, -1] - one[0, 0])) for one in self._wide.at)
        return _LONG_PART if _UPRIGHT * v < u else _PART

    @property
    def _narrow(self) -> tuple[int, int]:
        """(rows, columns) between the first block of 64 pixels and the window."""
        return self.before[0] % BLOCK, self.before[1] % BLOCK

    @cached_property
    def _wide(self) -> "_Wide":
        """The large blocks."""
        u, v = self._asked(self.before, _WIDE)
        nodes = _of_blocks(u, v, self.room.turn)
        passed = foretold(nodes.reshape(-1, 2, 5, 5)).reshape(nodes.shape[:2])
        return _Wide((u, v), nodes, passed)

    @cached_property
    def _narrow_nodes(self) -> tuple[FloatArray, FloatArray]:
        """Exact positions of every 16th row and column."""
        return self._asked(self._narrow, BLOCK)

    @cached_property
    def _split(self) -> Split:
        """The blocks of 64 pixels; where a large one has passed, its polynomial foretells them."""
        rows, columns = (
            lead // BLOCK + np.arange(-(-(size + lead % BLOCK) // BLOCK))
            for size, lead in zip(self.shape, self.before, strict=True)
        )
        wide, above = self._wide, np.ix_(rows // _RATIO, columns // _RATIO)
        nodes = _finer(wide.nodes)[np.ix_(rows, columns)]
        passed = wide.passed[above]
        if not passed.all():
            exact = _of_blocks(*self._narrow_nodes, self.room.turn)
            nodes[~passed] = exact[~passed]
        return Split(_shifted(self.exact, self._narrow), nodes, self.room)

    @cached_property
    def _smooth(self) -> Smooth | None:
        """The blocks, where none has to be split."""
        if self._wide.passed.all():
            return Smooth(self._wide.nodes, _WIDE, self.room)
        nodes = self._split.nodes
        if foretold(nodes.reshape(-1, 2, 5, 5)).all():
            return Smooth(nodes, BLOCK, self.room)
        return None

    @property
    def _lead(self) -> tuple[int, int]:
        """(rows, columns) between the first smooth block and the window."""
        return self.before if self._wide.passed.all() else self._narrow

    def _asked(self, before: tuple[int, int], size: int) -> tuple[FloatArray, FloatArray]:
        """Exact positions of the nodes of blocks of a size, each once; (rows, columns)."""
        rows, columns = (
            np.arange(-(-(pixels + lead) // size) * 4 + 1) * float(size // 4) - lead
            for pixels, lead in zip(self.shape, before, strict=True)
        )
        places = np.empty((2, len(rows), len(columns)))
        places[0], places[1] = columns, rows[:, None]
        return self.exact(*places)


@dataclass(frozen=True, eq=False, slots=True)
class _Wide:
    """Large blocks.

    Parameters
    ----------
    at : exact positions u and v of every 64th row and column
    nodes : float64, (rows, columns, 2, 5, 5), those of each block
    passed : bool, (rows, columns), whether a parabola foretells them
    """

    at: tuple[FloatArray, FloatArray]
    nodes: FloatArray
    passed: BoolArray


def cast(exact: Exact, shape: tuple[int, int], origin: tuple[int, int], room: Room) -> Net:
    """A net over a window.

    Parameters
    ----------
    exact, shape, room : of the :class:`Net`
    origin : (row, column) of the window's first pixel in the plane's own count
    """
    return Net(exact, shape, (origin[0] % _WIDE, origin[1] % _WIDE), room)


def _of_blocks(u: FloatArray, v: FloatArray, turn: float | None) -> FloatArray:
    """The nodes of each block; (rows, columns, 2, 5, 5)."""
    places = _places_of_blocks(*u.shape)
    nodes = np.empty((*places.shape[:2], 2, 5, 5))
    nodes[:, :, 0] = unwrapped(u.take(places).reshape(-1, 5, 5), turn).reshape(places.shape)
    nodes[:, :, 1] = v.take(places)
    return nodes


@lru_cache(maxsize=64)
def _places_of_blocks(rows: int, columns: int) -> IndexArray:
    """Which of the nodes are those of each block; intp, (rows, columns, 5, 5)."""
    places = np.arange(rows * columns).reshape(rows, columns)
    return sliding_window_view(places, (5, 5))[::4, ::4]


def _finer(nodes: FloatArray) -> FloatArray:
    """Nodes of blocks of a quarter of the size, by the polynomials of the large ones."""
    rows, columns = nodes.shape[:2]
    weights = quartic_at(np.arange(17) / 4)
    fine = weights @ nodes @ weights.T
    parts = sliding_window_view(fine, (5, 5), (3, 4))[:, :, :, ::4, ::4]
    return parts.transpose(0, 3, 1, 4, 2, 5, 6).reshape(4 * rows, 4 * columns, 2, 5, 5)


def _shifted(exact: Exact, before: tuple[int, int]) -> Exact:
    """Exact positions of places counted from a block's corner, not from the window's."""
    return lambda right, low: exact(right - before[1], low - before[0])


def _moved(window: Window, by: tuple[int, int]) -> Window:
    """Rows and columns counted from a corner that lies before."""
    down, right = window
    return (
        slice(down.start + by[0], down.stop + by[0]),
        slice(right.start + by[1], right.stop + by[1]),
    )


def _even(count: int, most: int) -> list[int]:
    """Ends of the parts of about one size that a range is cut into."""
    parts = -(-count // most)
    return [count * part // parts for part in range(parts + 1)]


def _pace(u: FloatArray, v: FloatArray, inside: BoolArray, room: Room) -> float:
    """Middle length of the steps between rows of nodes; inside are those on the cells."""
    across = u[1:] - u[:-1]
    if room.turn is not None:
        across -= room.turn * np.rint(across / room.turn)
    steps = np.hypot(across, v[1:] - v[:-1])
    if inside.all():
        chosen = np.sort(steps, None)
    else:
        chosen = steps[inside[1:] | inside[:-1]]
        if not chosen.size:
            away = np.maximum(_away(u, room.width), _away(v, room.height))
            chosen = steps[np.minimum(away[1:], away[:-1]) <= steps]
        chosen = np.sort(chosen[np.isfinite(chosen)])
    return float(chosen[len(chosen) // 2]) if chosen.size else 0.0


def _away(position: FloatArray, size: int) -> FloatArray:
    """How far positions are from an axis of so many cells."""
    return np.maximum(np.maximum(-position, position - size), 0)
