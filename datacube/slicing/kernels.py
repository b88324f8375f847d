"""Resampling by the cells around a pixel's centre: nearest, bilinear, cubic.

Every kernel first works as if all cells were valid, along columns and rows one after the other
where they are independent. Then the pixels that look at a missing cell are worked out once more
by themselves. ``mask`` is None where all cells are valid; missing floats must be finite.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datacube.slicing.sheets import EDGE
from datacube.slicing.warp import Positions, SeparablePositions

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.intp]
AnyArray = NDArray[np.generic]
type Values = tuple[AnyArray, BoolArray]


@dataclass(frozen=True, eq=False)
class Taps:
    """Cells around positions along one axis.

    Parameters
    ----------
    position : float64, in cells from the first one's edge; 0 where it is not inside
    inside : bool, whether a position lies on the axis
    base : intp, the cell whose centre lies before it; may be -1
    share : float64, 0 … 1, how far it lies towards the next centre
    range : smallest and largest base
    size : int, number of cells
    wraps : bool, whether the last cell touches the first
    """

    position: FloatArray
    inside: BoolArray
    base: IndexArray
    share: FloatArray
    range: tuple[int, int]
    size: int
    wraps: bool

    @property
    def home(self) -> IndexArray:
        """The cell that holds each position."""
        home = np.floor(self.position).astype(np.intp)
        return np.clip(home, 0, self.size - 1, out=home)

    def free(self, first: int, last: int) -> bool:
        """Whether the cells at base + first … base + last are there for every position."""
        return self.range[0] + first >= 0 and self.range[1] + last < self.size

    def cell(self, offset: int) -> IndexArray:
        """Index of the cell at base + offset; beyond the ends the last one, or round the globe."""
        at = self.base + offset
        if self.free(offset, offset):
            return at
        if self.wraps:
            return at % self.size
        return np.clip(at, 0, self.size - 1, out=at)

    def within(self, before: int, after: int) -> BoolArray:
        """Whether the cells from base - before to base + after are all there."""
        if self.wraps or self.free(-before, after):
            return np.ones(self.base.shape, bool)
        return (self.base >= before) & (self.base < self.size - after)

    def some(self, at: "IndexArray | tuple[IndexArray, ...]") -> "Taps":
        """The positions at places."""
        parts = self.position[at], self.inside[at], self.base[at], self.share[at]
        return Taps(*parts, self.range, self.size, self.wraps)


def taps(position: FloatArray, size: int, *, wraps: bool = False) -> Taps:
    """The cells around positions.

    Examples
    --------
    >>> around = taps(np.array([0.25, 1.75, 9.0]), 4)
    >>> around.home.tolist(), around.base.tolist(), around.share.tolist()
    ([0, 1, 0], [-1, 1, -1], [0.75, 0.25, 0.5])
    >>> around.inside.tolist()
    [True, True, False]
    """
    if wraps:
        position = position - size * np.floor((position + EDGE) / size)
    low, high = float(position.min(initial=np.inf)), float(position.max(initial=-np.inf))
    if low > -EDGE and high < size + EDGE:
        inside = np.ones(position.shape, bool)
    else:
        inside = (position > -EDGE) & (position < size + EDGE)
        position = np.where(inside, position, 0.0)
        low, high = 0.0, float(position.max(initial=0.0))
    share = position + 0.5
    base = share.astype(np.intp)
    share -= base
    base -= 1
    reach = (int(low + 0.5) - 1, int(high + 0.5) - 1) if position.size else (0, 0)
    return Taps(position, inside, base, share, reach, size, wraps)


def nearest(data: AnyArray, mask: BoolArray | None, found: Positions, wraps: bool) -> Values:
    """The cell that holds each centre."""
    rows, columns = _both(data, found, wraps)
    if isinstance(found, SeparablePositions):
        inside = rows.inside[:, None] & columns.inside[None, :]
        values = data.take(rows.home, axis=0).take(columns.home, axis=1)
    else:
        inside = rows.inside & columns.inside
        values = data.ravel().take(rows.home * data.shape[1] + columns.home)
    return values, _homes_valid(mask, rows, columns, inside)


def bilinear(data: AnyArray, mask: BoolArray | None, found: Positions, wraps: bool) -> Values:
    """Four cells around each centre."""
    rows, columns = _both(data, found, wraps)
    return _point(data, mask, rows, columns, separable=isinstance(found, SeparablePositions))


def cubic(data: AnyArray, mask: BoolArray | None, found: Positions, wraps: bool) -> Values:
    """Sixteen cells around each centre, four where one of them is missing."""
    rows, columns = _both(data, found, wraps)
    separable = isinstance(found, SeparablePositions)
    kind = _kind(data)
    if separable:
        values = _cubic_axes(data, rows, columns, kind)
        whole = rows.within(1, 2)[:, None] & columns.within(1, 2)[None, :]
    else:
        values = _cubic_pixels(data, rows, columns, kind)
        whole = rows.within(1, 2) & columns.within(1, 2)
    if mask is not None:
        whole &= ~_any_missing(mask, rows, columns, range(-1, 3), separable=separable)
    if whole.all():
        inside = _crossed(rows.inside, columns.inside, separable=separable)
        return values, _homes_valid(mask, rows, columns, inside)
    simple, good = _point(data, mask, rows, columns, separable=separable)
    np.copyto(simple, values, where=whole)
    return simple, good


def _point(
    data: AnyArray, mask: BoolArray | None, rows: Taps, columns: Taps, *, separable: bool
) -> Values:
    """Bilinear values and where they are valid."""
    kind = _kind(data)
    values = (_linear_axes if separable else _linear_pixels)(data, rows, columns, kind)
    inside = _crossed(rows.inside, columns.inside, separable=separable)
    if mask is None:
        return values, inside
    good = _homes_valid(mask, rows, columns, inside)
    again = good & _any_missing(mask, rows, columns, range(2), separable=separable)
    at = np.nonzero(again)
    if at[0].size:
        one, other = (at[0], at[1]) if separable else (at, at)
        values[at] = _renormalised(data, mask, rows.some(one), columns.some(other), kind)
    return values, good


def _both(data: AnyArray, found: Positions, wraps: bool) -> tuple[Taps, Taps]:
    height, width = data.shape
    return taps(found.v, height), taps(found.u, width, wraps=wraps)


def _kind(data: AnyArray) -> np.dtype[np.generic]:
    return np.dtype(np.float32 if data.dtype == np.float32 else np.float64)


def _crossed(rows: BoolArray, columns: BoolArray, *, separable: bool) -> BoolArray:
    return rows[:, None] & columns[None, :] if separable else rows & columns


def _homes_valid(mask: BoolArray | None, rows: Taps, columns: Taps, inside: BoolArray) -> BoolArray:
    if mask is None:
        return inside
    if inside.shape == rows.home.shape:
        known = mask.ravel().take(rows.home * mask.shape[1] + columns.home)
    else:
        known = mask.take(rows.home, axis=0).take(columns.home, axis=1)
    return np.asarray(inside & known)


def _any_missing(
    mask: BoolArray, rows: Taps, columns: Taps, offsets: range, *, separable: bool
) -> BoolArray:
    """Whether one of the cells that a pixel looks at is not valid."""
    down = [rows.cell(offset) for offset in offsets]
    across = [columns.cell(offset) for offset in offsets]
    if separable:
        part = _all(mask.take(row, axis=0) for row in down)
        return ~_all(part.take(column, axis=1) for column in across)
    flat, width = mask.ravel(), mask.shape[1]
    return ~_all(flat.take(row * width + column) for row in down for column in across)


def _all(parts: Iterable[BoolArray]) -> BoolArray:
    total: BoolArray | None = None
    for part in parts:
        total = part if total is None else np.logical_and(total, part, out=total)
    return np.zeros(0, bool) if total is None else total


def _linear_axes(data: AnyArray, rows: Taps, columns: Taps, kind: np.dtype[np.generic]) -> AnyArray:
    """Rows first, then columns: first + (second - first) share."""
    first, last = _used(columns)
    part = data[:, first:last]
    upper = part.take(rows.cell(0), axis=0).astype(kind, copy=False)
    lower = part.take(rows.cell(1), axis=0).astype(kind, copy=False)
    _towards(upper, lower, rows.share.astype(kind)[:, None])
    left = upper.take(columns.cell(0) - first, axis=1)
    right = upper.take(columns.cell(1) - first, axis=1)
    return _towards(left, right, columns.share.astype(kind)[None, :])


def _linear_pixels(
    data: AnyArray, rows: Taps, columns: Taps, kind: np.dtype[np.generic]
) -> AnyArray:
    """Four takes."""
    share = columns.share.astype(kind, copy=False)
    (one, other), (third, fourth) = _around(data, rows, columns, range(2), kind)
    upper, lower = _towards(one, other, share), _towards(third, fourth, share)
    return _towards(upper, lower, rows.share.astype(kind, copy=False))


def _around(
    data: AnyArray, rows: Taps, columns: Taps, offsets: range, kind: np.dtype[np.generic]
) -> list[list[AnyArray]]:
    """The cells at offsets from each pixel's base, line by line."""
    flat, width = data.ravel(), data.shape[1]
    first, last = offsets[0], offsets[-1]
    if rows.free(first, last) and columns.free(first, last):
        at = (rows.base + first) * width
        at += columns.base
        at += first
        steps = range(len(offsets))
        return [
            [flat[low * width + right :].take(at).astype(kind, copy=False) for right in steps]
            for low in steps
        ]
    across = [columns.cell(offset) for offset in offsets]
    down = [rows.cell(offset) * width for offset in offsets]
    return [
        [flat.take(line + column).astype(kind, copy=False) for column in across] for line in down
    ]


def _towards(first: AnyArray, second: AnyArray, share: AnyArray) -> AnyArray:
    """First + (second - first) share; both arrays are used up."""
    np.subtract(second, first, out=second)
    np.multiply(second, share, out=second)
    return np.add(first, second, out=first)


def _used(columns: Taps) -> tuple[int, int]:
    """The columns that any pixel looks at, with bilinear weights."""
    if columns.wraps or not columns.base.size:
        return 0, columns.size
    return int(columns.cell(0).min()), int(columns.cell(1).max()) + 1


def _renormalised(
    data: AnyArray, mask: BoolArray, rows: Taps, columns: Taps, kind: np.dtype[np.generic]
) -> AnyArray:
    """Bilinear over the valid of four cells, for a list of pixels; rows, columns (pixels,)."""
    flat, known, width = data.ravel(), mask.ravel(), data.shape[1]
    total, weight = np.zeros(rows.base.shape), np.zeros(rows.base.shape)
    for low, down in ((0, 1 - rows.share), (1, rows.share)):
        for right, across in ((0, 1 - columns.share), (1, columns.share)):
            at = rows.cell(low) * width + columns.cell(right)
            share = down * across * known.take(at)
            total += share * flat.take(at)
            weight += share
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((total / weight).astype(kind))


def _catmull_rom(share: FloatArray) -> tuple[FloatArray, ...]:
    """Weights of the four cells around a place; they sum to 1."""
    t, t2 = share, share * share
    t3 = t2 * t
    before, after = -0.5 * t3 + t2 - 0.5 * t, 0.5 * (t3 - t2)
    here = 1.5 * t3 - 2.5 * t2 + 1
    return before, here, -1.5 * t3 + 2 * t2 + 0.5 * t, after


def _cubic_axes(data: AnyArray, rows: Taps, columns: Taps, kind: np.dtype[np.generic]) -> AnyArray:
    lines = _weighted(
        [data.take(rows.cell(offset), axis=0).astype(kind, copy=False) for offset in range(-1, 3)],
        [weight.astype(kind)[:, None] for weight in _catmull_rom(rows.share)],
    )
    return _weighted(
        [lines.take(columns.cell(offset), axis=1) for offset in range(-1, 3)],
        [weight.astype(kind)[None, :] for weight in _catmull_rom(columns.share)],
    )


def _cubic_pixels(
    data: AnyArray, rows: Taps, columns: Taps, kind: np.dtype[np.generic]
) -> AnyArray:
    weights = [weight.astype(kind, copy=False) for weight in _catmull_rom(columns.share)]
    cells = _around(data, rows, columns, range(-1, 3), kind)
    down = [weight.astype(kind, copy=False) for weight in _catmull_rom(rows.share)]
    return _weighted([_weighted(line, weights) for line in cells], down)


def _weighted(cells: list[AnyArray], weights: list[AnyArray]) -> AnyArray:
    """Sum of cells by weights, in order; the cells are used up."""
    total: AnyArray | None = None
    for cell, weight in zip(cells, weights, strict=True):
        np.multiply(cell, weight, out=cell)
        total = cell if total is None else np.add(total, cell, out=total)
    if total is None:
        raise ValueError("no cells to weigh")
    return total
