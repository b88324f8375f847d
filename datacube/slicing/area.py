"""Resampling by all cells under a pixel: average, mode, min, max, median and quartiles.

Where columns and rows are independent, average, min and max go along one after the other. Every
other pixel, and every pixel of an average that covers a missing cell, gets its own list of cells;
pixels with equally long lists are worked on together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Literal, assert_never

import numpy as np
from numpy.typing import NDArray

from datacube.slicing.footprint import Footprint, from_centres
from datacube.slicing.net import EDGE
from datacube.slicing.warp import Positions, SeparablePositions

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.intp]
AnyArray = NDArray[np.generic]
type Values = tuple[AnyArray, BoolArray]
type AreaMethod = Literal["average", "mode", "min", "max", "med", "q1", "q3"]

_AT_ONCE = 1 << 20
_LENGTHS = tuple(sorted({1, *(2**k for k in range(1, 32)), *(3 * 2**k for k in range(31))}))
_SHARES = {"q1": 0.25, "med": 0.5, "q3": 0.75}


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
                rows, columns = _every_pixel(rows, columns)
                values, good = _listed(method, data, mask, rows, columns)
                return values.reshape(found.shape), good.reshape(found.shape)
    flat = Footprint(*(one.ravel() for one in (columns.low, columns.high, rows.low, rows.high)))
    values, good = _listed(
        method,
        data,
        mask,
        Span(flat.v_low, flat.v_high, rows.start.ravel(), rows.count.ravel(), height),
        Span(flat.u_low, flat.u_high, columns.start.ravel(), columns.count.ravel(), width),
    )
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
        data = np.where(mask, data, _beyond(data.dtype, above=method == "min"))
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


def _beyond(dtype: np.dtype[np.generic], *, above: bool) -> AnyArray:
    """A value that no cell exceeds (above) or falls below."""
    if dtype == np.bool_:
        return np.array(above, dtype)
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)  # type: ignore[type-var]
        return np.array(limits.max if above else limits.min, dtype)
    return np.array(np.inf if above else -np.inf, dtype)


def _every_pixel(rows: Span, columns: Span) -> tuple[Span, Span]:
    down, across = np.indices((len(rows.low), len(columns.low)))
    return rows.some(down.ravel()), columns.some(across.ravel())


def _listed(
    method: AreaMethod, data: AnyArray, mask: BoolArray | None, rows: Span, columns: Span
) -> Values:
    """Pixels one by one, rows and columns (pixels,): equal numbers of cells together."""
    count = len(rows.low)
    kind = data.dtype if method in {"mode", "min", "max"} or data.dtype == np.float32 else float
    values, good = np.zeros(count, kind), np.zeros(count, bool)
    for pixels, tall, wide in _groups(rows.count, columns.count):
        one, other = rows.some(pixels), columns.some(pixels)
        at = np.stack([one.cell(place) for place in range(tall)], 1)[:, :, None] * data.shape[1]
        at = at + np.stack([other.cell(place) for place in range(wide)], 1)[:, None, :]
        at = at.reshape(len(pixels), -1)
        weights = np.stack([one.weight(place) for place in range(tall)], 1)[:, :, None]
        weights = weights * np.stack([other.weight(place) for place in range(wide)], 1)[:, None, :]
        weights = weights.reshape(len(pixels), -1)
        live = weights > 0 if mask is None else (weights > 0) & mask.ravel().take(at)
        good[pixels] = live.any(1)
        values[pixels] = _of_list(method, data.ravel().take(at), live, weights)
    return values, good


def _groups(rows: IndexArray, columns: IndexArray) -> Iterator[tuple[IndexArray, int, int]]:
    """Pixels with about equal numbers of rows and columns, not too many at once."""
    sizes = np.array(_LENGTHS)
    tall, wide = np.searchsorted(sizes, rows), np.searchsorted(sizes, columns)
    code = np.where((rows > 0) & (columns > 0), tall * len(sizes) + wide, -1)
    for one in np.unique(code):
        if one < 0:
            continue
        down, across = (int(sizes[place]) for place in divmod(int(one), len(sizes)))
        pixels = np.flatnonzero(code == one)
        step = max(1, _AT_ONCE // (down * across))
        for start in range(0, len(pixels), step):
            yield pixels[start : start + step], down, across


def _of_list(method: AreaMethod, cells: AnyArray, live: BoolArray, weights: FloatArray) -> AnyArray:
    """One value of each list; cells, live, weights (pixels, cells)."""
    match method:
        case "average":
            shares = weights * live
            with np.errstate(invalid="ignore", divide="ignore"):
                return np.asarray(np.multiply(shares, cells).sum(1) / shares.sum(1))
        case "min":
            return np.where(live, cells, _beyond(cells.dtype, above=True)).min(1)
        case "max":
            return np.where(live, cells, _beyond(cells.dtype, above=False)).max(1)
        case "mode":
            return _mode(cells, np.where(live, weights, 0.0))
        case "med" | "q1" | "q3":
            return _ranked(_SHARES[method], cells, live)
        case _:
            assert_never(method)


def _ranked(share: float, cells: AnyArray, live: BoolArray) -> AnyArray:
    """The value at rank ceil(share n) of the n live cells."""
    cells = np.sort(np.where(live, cells, _beyond(cells.dtype, above=True)), axis=1)
    ranks = np.array([max(ceil(share * n), 1) - 1 for n in range(cells.shape[1] + 1)])
    return np.asarray(cells[np.arange(len(cells)), ranks[live.sum(1)]])


def _mode(cells: AnyArray, weights: FloatArray) -> AnyArray:
    """The value whose weight is largest; of equal ones that which gets there first."""
    count, length = cells.shape
    order = np.argsort(cells, axis=1, kind="stable")
    lines = np.arange(count)[:, None]
    ordered, share = cells[lines, order], weights[lines, order]
    running = np.cumsum(share, axis=1)
    fresh = np.ones((count, length), bool)
    fresh[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    before = np.maximum.accumulate(np.where(fresh, running - share, -1.0), axis=1)
    reached = np.zeros((count, length))
    reached[lines, order] = running - before
    best = (reached >= reached.max(1, keepdims=True) * (1 - 1e-9)).argmax(1)
    return cells[np.arange(count), best]
