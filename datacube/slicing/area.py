"""Resampling by all cells under a pixel: average, mode, min, max, median and quartiles.

Where columns and rows are independent, average, min and max go along one after the other. Every
other pixel, and every pixel of an average that covers a missing cell, gets its own list of cells;
pixels with equally long lists are worked on together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from datacube.slicing.footprint import from_centres
from datacube.slicing.sheets import EDGE
from datacube.slicing.stack import AreaMethod, Stack, beyond
from datacube.slicing.warp import Positions, SeparablePositions

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.intp]
AnyArray = NDArray[np.generic]
type Values = tuple[AnyArray, BoolArray]

_AT_ONCE = 1 << 17
_LENGTHS = tuple(sorted({1, *(2**k for k in range(1, 32)), *(3 * 2**k for k in range(31))}))


@dataclass(frozen=True, eq=False)
class Span:
    """The cells that intervals overlap along one axis, by more than a hair.

    Parameters
    ----------
    low, high : float64, the intervals
    start, count : intp, first cell and number of cells; 0 for an interval beyond the ends
    size : int, number of cells; indexes are taken modulo size, which matters on a globe only
    """

    low: FloatArray
    high: FloatArray
    start: IndexArray
    count: IndexArray
    size: int

    @property
    def longest(self) -> int:
        """Largest number of cells."""
        return int(self.count.max(initial=0))

    def cell(self, place: int) -> IndexArray:
        """Index of the place-th cell, of the last one where there are fewer."""
        at = self.start + np.minimum(place, np.maximum(self.count - 1, 0))
        return np.asarray(at % self.size)

    def weight(self, place: int) -> FloatArray:
        """How much of the place-th cell the interval covers."""
        cell = self.start + place
        overlap = np.minimum(self.high, cell + 1) - np.maximum(self.low, cell)
        weight = np.where(place < self.count, np.maximum(overlap, 0.0), 0.0)
        weight[self.count == 1] = float(place == 0)
        return weight

    def flat(self) -> "Span":
        """The intervals in one line."""
        return Span(
            self.low.ravel(),
            self.high.ravel(),
            self.start.ravel(),
            self.count.ravel(),
            self.size,
        )

    def some(self, at: IndexArray) -> "Span":
        """The intervals at places."""
        return Span(self.low[at], self.high[at], self.start[at], self.count[at], self.size)


def span(low: FloatArray, high: FloatArray, size: int, *, wraps: bool = False) -> Span:
    """The cells of intervals.

    Examples
    --------
    >>> under = span(np.array([0.5, -2.0, 7.0]), np.array([2.0, 0.5, 8.0]), 4)
    >>> under.start.tolist(), under.count.tolist()
    ([0, 0, 4], [2, 1, 0])
    >>> under.weight(0).tolist(), under.weight(1).tolist()
    ([0.5, 1.0, 0.0], [1.0, 0.0, 0.0])
    """
    lost = ~(np.isfinite(low) & np.isfinite(high))
    if lost.any():
        low, high = np.where(lost, -1.0, low), np.where(lost, -1.0, high)
    start = np.floor(low + EDGE).astype(np.intp)
    stop = np.maximum(np.ceil(high - EDGE).astype(np.intp), start + 1)
    if wraps:
        stop = np.minimum(stop, start + size)
    else:
        start, stop = np.clip(start, 0, size), np.clip(stop, 0, size)
    return Span(low, high, start, np.where(lost, 0, np.maximum(stop - start, 0)), size)


def area(
    method: AreaMethod,
    data: AnyArray,
    mask: BoolArray | None,
    found: Positions,
    wraps: bool,
) -> Values:
    """Values of pixels from the cells under them; parameters as the point kernels'."""
    height, width = data.shape
    extent = found.extent or from_centres(found.u, found.v, float(width) if wraps else None)
    rows = span(extent.v_low, extent.v_high, height)
    columns = span(extent.u_low, extent.u_high, width, wraps=wraps)
    if isinstance(found, SeparablePositions):
        match method:
            case "average":
                return _average_axes(data, mask, rows, columns)
            case "min" | "max":
                return _extreme_axes(method, data, mask, rows, columns)
            case _:
                return _every_pixel(method, data, mask, rows, columns)
    values, good = _listed(method, data, mask, rows.flat(), columns.flat())
    return values.reshape(found.shape), good.reshape(found.shape)


def _average_axes(data: AnyArray, mask: BoolArray | None, rows: Span, columns: Span) -> Values:
    lines, down = _summed(data, rows, axis=0)
    values, across = _summed(lines, columns, axis=1)
    inside = (rows.count > 0)[:, None] & (columns.count > 0)[None, :]
    weight = down[:, None] * across[None, :]
    np.divide(values, weight, out=values, where=inside)
    if mask is None:
        return values, inside
    good = inside & _folded(np.logical_or, mask, rows, columns)
    again = np.nonzero(good & ~_folded(np.logical_and, mask, rows, columns))
    if again[0].size:
        one, other = rows.some(again[0]), columns.some(again[1])
        values[again], _ = _listed("average", data, mask, one, other)
    return values, good


def _summed(data: AnyArray, along: Span, axis: int) -> tuple[FloatArray, FloatArray]:
    """Weighted sums of the cells of intervals along an axis, and the sums of weights."""
    shape = list(data.shape)
    shape[axis] = len(along.low)
    total, weights = np.zeros(shape), np.zeros(len(along.low))
    for place in range(along.longest):
        weight = along.weight(place)
        cells = data.take(along.cell(place), axis=axis)
        total += np.multiply(cells, weight[:, None] if axis == 0 else weight[None, :])
        weights += weight
    return total, weights


def _extreme_axes(
    method: Literal["min", "max"],
    data: AnyArray,
    mask: BoolArray | None,
    rows: Span,
    columns: Span,
) -> Values:
    good = (rows.count > 0)[:, None] & (columns.count > 0)[None, :]
    fold = np.minimum if method == "min" else np.maximum
    if mask is not None:
        data = np.where(mask, data, beyond(data.dtype, above=method == "min"))
        good &= _folded(np.logical_or, mask, rows, columns)
    return _folded(fold, data, rows, columns), good


def _folded[T: np.generic](
    fold: np.ufunc, data: NDArray[T], rows: Span, columns: Span
) -> NDArray[T]:
    """All cells under each pixel put into one by a function that does not mind repetition."""
    for along, axis in ((rows, 0), (columns, 1)):
        part = data.take(along.cell(0), axis=axis)
        for place in range(1, along.longest):
            fold(part, data.take(along.cell(place), axis=axis), out=part)
        data = part
    return data


def _listed(
    method: AreaMethod, data: AnyArray, mask: BoolArray | None, rows: Span, columns: Span
) -> Values:
    """Pixels one by one, rows and columns (pixels,): equal numbers of cells together."""
    count = len(rows.low)
    values, good = np.zeros(count, _kind(method, data)), np.zeros(count, bool)
    flat, known, width = data.ravel(), None if mask is None else mask.ravel(), data.shape[1]
    for pixels, tall, wide in _groups(rows.count, columns.count):
        one, other = rows.some(pixels), columns.some(pixels)
        stack = Stack(tall * wide, len(pixels), data.dtype)
        across = [(other.cell(place), other.weight(place)) for place in range(wide)]
        for low in range(tall):
            line, down = one.cell(low) * width, one.weight(low)
            for column, share in across:
                at = line + column
                stack.push(flat.take(at), down * share, None if known is None else known.take(at))
        values[pixels], good[pixels] = stack.result(method)
    return values, good


def _every_pixel(
    method: AreaMethod, data: AnyArray, mask: BoolArray | None, rows: Span, columns: Span
) -> Values:
    """All pixels at once, where rows and columns are independent."""
    height, width = len(rows.low), len(columns.low)
    tall, wide = rows.longest, columns.longest
    values, good = np.zeros((height, width), _kind(method, data)), np.zeros((height, width), bool)
    step = max(1, _AT_ONCE // max(tall * wide * width, 1))
    across = [(columns.cell(place), columns.weight(place)) for place in range(wide)]
    for start in range(0, height if tall * wide else 0, step):
        part = rows.some(np.arange(start, min(start + step, height)))
        stack = Stack(tall * wide, len(part.low) * width, data.dtype)
        for low in range(tall):
            line = data.take(part.cell(low), axis=0)
            known = None if mask is None else mask.take(part.cell(low), axis=0)
            down = part.weight(low)[:, None]
            for column, share in across:
                live = None if known is None else known.take(column, axis=1).ravel()
                stack.push(line.take(column, axis=1).ravel(), (down * share).ravel(), live)
        made, fine = stack.result(method)
        values[start : start + step] = made.reshape(-1, width)
        good[start : start + step] = fine.reshape(-1, width)
    return values, good


def _kind(method: AreaMethod, data: AnyArray) -> np.dtype[np.generic]:
    kept = method in {"mode", "min", "max"} or data.dtype == np.float32
    return data.dtype if kept else np.dtype(np.float64)


def _groups(rows: IndexArray, columns: IndexArray) -> Iterator[tuple[IndexArray, int, int]]:
    """Pixels with about equal numbers of rows and columns, not too many at once."""
    sizes = np.array(_LENGTHS)
    tall, wide = np.searchsorted(sizes, rows), np.searchsorted(sizes, columns)
    most = int(wide.max(initial=0)) + 1
    code = tall * most + wide
    inside = (rows > 0) & (columns > 0)
    for one in np.flatnonzero(np.bincount(code[inside])):
        down, across = (int(sizes[place]) for place in divmod(int(one), most))
        pixels = np.flatnonzero((code == one) & inside)
        step = max(1, _AT_ONCE // (down * across))
        for start in range(0, len(pixels), step):
            yield pixels[start : start + step], down, across
