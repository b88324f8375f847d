"""Lines of equal value through a grid: marching squares over all cells and levels at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

type FloatArray = NDArray[np.float64]
type IndexArray = NDArray[np.int64]

# For each case (bit 0 upper left, 1 upper right, 2 lower right, 3 lower left: at or above the
# level) the edges (0 top, 1 right, 2 bottom, 3 left) that a line joins, so that the corners above
# come clockwise after the first. Cases 5 and 10 have two lines.
_FIRST = np.array(
    [
        (-1, -1), (3, 0), (0, 1), (3, 1), (1, 2), (3, 0), (0, 2), (3, 2),
        (2, 3), (2, 0), (0, 1), (2, 1), (1, 3), (1, 0), (0, 3), (-1, -1),
    ]
)  # fmt: skip
_SECOND = {5: (1, 2), 10: (2, 3)}
_JOINED = {5: ((1, 0), (3, 2)), 10: ((0, 3), (2, 1))}  # where the middle is above the level
_MOST_CROSSINGS = 1_500_000


@dataclass(frozen=True, slots=True)
class Isoline:
    """A line of one value.

    Parameters
    ----------
    number : int
        Of the level: the value is ``number * interval``, or ``levels[number - 1]``.
    points : float64, (n ≥ 2, 2)
        Column and row, in cells: 0 is the middle of the first.
    closed : bool
        Whether the last point is joined to the first.
    """

    number: int
    points: FloatArray
    closed: bool


@dataclass(frozen=True, slots=True)
class Levels:
    """Which values have lines: listed ones, or the multiples of an interval."""

    interval: float
    listed: tuple[float, ...] = ()

    def below(self, values: FloatArray) -> IndexArray:
        """Number of the highest level that is not above each value."""
        if self.listed:
            return np.searchsorted(np.array(self.listed), values, side="right").astype(np.int64)
        return np.floor(values / self.interval).astype(np.int64)

    def value(self, number: IndexArray) -> FloatArray:
        """Values of levels."""
        if self.listed:
            return np.array(self.listed)[number - 1]
        return np.asarray(number * self.interval, np.float64)


def isolines(
    values: NDArray[np.floating], valid: NDArray[np.bool_], levels: Levels
) -> tuple[Isoline, ...]:
    """Lines of equal value; none runs through a cell that has a corner without value.

    Parameters
    ----------
    values : float, (y, x)
    valid : bool, (y, x)
    levels : Levels
        Where the multiples of the interval would be more than can be drawn, only those of ten,
        a hundred … times the interval are.

    Examples
    --------
    >>> rows, columns = np.indices((3, 4), dtype=float)
    >>> line, = isolines(columns, np.ones((3, 4), bool), Levels(10.0, (1.5,)))
    >>> sorted(line.points.tolist())
    [[1.5, 0.0], [1.5, 1.0], [1.5, 2.0]]
    """
    cells, number, numbered = _crossings(values, valid, levels)
    if not len(cells):
        return ()
    first, second = _segments(values, cells, number, numbered, levels)
    return tuple(_joined(values, first, second, levels))


def _crossings(
    values: NDArray[np.floating], valid: NDArray[np.bool_], levels: Levels
) -> tuple[IndexArray, IndexArray, IndexArray]:
    """Cells (by their upper left corner) and the levels that pass through; the corners' levels."""
    number = levels.below(np.where(valid, values, 0.0).astype(np.float64, copy=False))
    low, high = (_of_corners(number, one) for one in (np.minimum, np.maximum))
    crossed = np.not_equal(low, high)
    crossed &= _of_corners(valid, np.logical_and)
    row, column = np.nonzero(crossed)
    below, above = low[row, column], high[row, column]
    step, times = 1, above - below
    while times.sum() > _MOST_CROSSINGS:
        step *= 10
        times = above // step - below // step
    cells = np.repeat(row * values.shape[1] + column, times)
    start = np.repeat(np.cumsum(times) - times, times)
    base = np.repeat(below // step + 1, times)
    return cells, (base + np.arange(len(cells)) - start) * step, number.ravel()


def _of_corners[D: np.generic](values: NDArray[D], joined: np.ufunc) -> NDArray[D]:
    """What the four corners of each cell come to."""
    beside = joined(values[:, :-1], values[:, 1:])
    return np.asarray(joined(beside[:-1], beside[1:]))


def _segments(
    values: NDArray[np.floating],
    cells: IndexArray,
    number: IndexArray,
    numbered: IndexArray,
    levels: Levels,
) -> tuple[IndexArray, IndexArray]:
    """Pieces of lines from edge to edge; an edge's number holds the level too."""
    width = values.shape[1]
    corners = np.stack([cells, cells + 1, cells + width + 1, cells + width])
    above = numbered[corners] >= number
    case = (above * np.array([[1], [2], [4], [8]])).sum(axis=0)
    edges = _FIRST[case]
    saddle = np.flatnonzero((case == 5) | (case == 10))
    extra = np.array([_SECOND[int(one)] for one in case[saddle]], np.int64).reshape(-1, 2)
    if saddle.size:
        middle = values.ravel()[corners[:, saddle]].mean(axis=0, dtype=np.float64)
        for place, where in enumerate(saddle):
            if middle[place] >= levels.value(number[where]):
                edges[where], extra[place] = _JOINED[int(case[where])]
    keys = _edge_keys(cells, number, edges, values.shape)
    more = _edge_keys(cells[saddle], number[saddle], extra, values.shape)
    both = np.concatenate([keys, more])
    return both[:, 0], both[:, 1]


def _edge_keys(
    cells: IndexArray, number: IndexArray, edges: IndexArray, shape: tuple[int, int]
) -> IndexArray:
    """A number for each edge and level: int64, (n, 2).

    Even ones run to the right from a corner, odd ones down from it.
    """
    width = shape[1]
    offset = np.array([0, 2, 2 * width, 0]) + np.array([0, 1, 0, 1])
    room = 2 * shape[0] * shape[1]
    return np.asarray(2 * cells[:, np.newaxis] + offset[edges] + number[:, np.newaxis] * room)


def _joined(
    values: NDArray[np.floating], first: IndexArray, second: IndexArray, levels: Levels
) -> list[Isoline]:
    """Pieces that share an edge become one line."""
    keys, places = np.unique(np.concatenate([first, second]), return_inverse=True)
    points = _points(values, keys, levels)
    numbers = np.floor_divide(keys, 2 * values.size)
    after = np.full(len(keys), -1)
    after[places[: len(first)]] = places[len(first) :]
    begins = np.ones(len(keys), bool)
    begins[places[len(first) :]] = False
    return [
        Isoline(int(numbers[chain[0]]), points[chain], closed)
        for chain, closed in _chains(after.tolist(), np.flatnonzero(begins).tolist())
    ]


def _chains(after: list[int], begins: list[int]) -> list[tuple[list[int], bool]]:
    """Runs of points from those that nothing comes before; then the rings."""
    done = bytearray(len(after))
    chains: list[tuple[list[int], bool]] = []
    for start in (*begins, *range(len(after))):
        if done[start]:
            continue
        chain: list[int] = []
        here = start
        while here >= 0 and not done[here]:
            done[here] = 1
            chain.append(here)
            here = after[here]
        if len(chain) > 1:
            chains.append((chain, here >= 0))
    return chains


def _points(values: NDArray[np.floating], keys: IndexArray, levels: Levels) -> FloatArray:
    """Where levels cross edges: column and row."""
    width = values.shape[1]
    number, edge = np.divmod(keys, 2 * values.size)
    corner, down = edge >> 1, edge & 1
    flat = values.ravel()
    low = flat[corner].astype(np.float64)
    high = flat[corner + np.where(down, width, 1)].astype(np.float64)
    share = (levels.value(number) - low) / (high - low)
    row, column = np.divmod(corner, width)
    return np.stack([column + share * (1 - down), row + share * down], axis=-1)
