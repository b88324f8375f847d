"""Median and percentiles: all steps are kept, sorted once along time, and ranked by cell.

Cells that are not valid are given the largest value of the type, so that they sort to the end
and the rank follows from each cell's count of observations. Steps are turned cell by cell into
contiguous series, in bands that fit the processor's cache, which is what numpy sorts fastest.
"""

from math import prod
from typing import Any, Self, override

import numpy as np
from numpy.typing import NDArray

from datacube.slicing.accumulators import BAND, Accumulator
from datacube.slicing.tally import BoolArray, CountArray, Values, blank, fill_of, mask_of

type FloatArray = NDArray[np.float64]

_BAND_BYTES = 2**19
_BAND_CELLS = 4096
_SLAB_BYTES = 2**23
_SLAB_STEPS = 32


class Quantile(Accumulator):
    """A quantile of the observations, interpolated as numpy's ``linear`` does, float64.

    Parameters
    ----------
    shape : of every step, such as (y, x)
    share : float, 0 … 1
    nil : number, optional
        Value of the steps that is no observation.

    Examples
    --------
    >>> median = Quantile((2,), 0.5)
    >>> for step in ([1.0, 5.0], [2.0, np.nan], [9.0, 7.0]):
    ...     median.add(np.array(step), np.ones(2, bool))
    >>> median.result()[0].tolist(), median.count.tolist()
    ([2.0, 6.0], [3, 2])
    """

    @override
    def __init__(self, shape: tuple[int, ...], share: float, nil: float | None = None) -> None:
        super().__init__(shape, nil)
        self.share = share
        self._kept: list[Values] = []

    @override
    def _fresh(self) -> Self:
        return type(self)(self.shape, self.share, self.nil)

    @override
    def _begin(self, dtype: np.dtype[Any]) -> None:
        self._top = fill_of(dtype, top=True)
        self._free: Values = np.empty((0, self.cells), dtype)

    @override
    def _take(self, values: Values, good: BoolArray | None) -> None:
        kept = self._room(values.dtype)
        self._kept.append(kept)
        if good is None:
            kept[:] = values
            return
        for start in range(0, self.cells, BAND):
            part = slice(start, start + BAND)
            blank(values[part], mask_of(good[part], self._mask), self._top, kept[part])

    def _room(self, dtype: np.dtype[Any]) -> Values:
        """A place for one step: a row of a large array, which the system maps in large pages."""
        if not len(self._free):
            self._free = np.empty((_slab_steps(self.cells * dtype.itemsize), self.cells), dtype)
        room: Values = self._free[0]
        self._free = self._free[1:]
        return room

    @override
    def _take_steps(self, values: Values, good: BoolArray) -> None:
        self._kept.extend(np.where(good, values, self._top))

    @override
    def _merge(self, other: Self) -> None:
        self._kept.extend(other._kept)

    @override
    def _finish(self) -> Values:
        out = np.zeros(self.cells)
        size = len(self._kept)
        if not size:
            return out
        width = _band_cells(size, self._kept[0].dtype, self.cells)
        maps = np.empty((size, width), self._kept[0].dtype)
        series = np.empty((width, size), self._kept[0].dtype)
        for start in range(0, self.cells, width):
            part = slice(start, min(start + width, self.cells))
            band = series[: part.stop - start]
            for step, kept in enumerate(self._kept):
                maps[step, : len(band)] = kept[part]
            band[...] = maps[:, : len(band)].T
            band.sort(axis=1)
            out[part] = _ranked(band, self._tally.count(part), self.share)
        return out


def stack_bytes(steps: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    """The most bytes that a quantile needs: every step, a band to sort, counts and the result.

    Examples
    --------
    >>> round(stack_bytes(32, (512, 512), np.dtype(np.float32)) / 2**20)
    45
    """
    cells = prod(shape)
    band = _band_cells(steps, dtype, cells) * (2 * steps * dtype.itemsize + 64)
    spare = (_slab_steps(cells * dtype.itemsize) - 1) * cells * dtype.itemsize
    return cells * (steps * dtype.itemsize + 20) + band + spare


def _slab_steps(step_bytes: int) -> int:
    return max(1, min(_SLAB_BYTES // max(step_bytes, 1), _SLAB_STEPS))


def _band_cells(steps: int, dtype: np.dtype[Any], cells: int) -> int:
    fitting = _BAND_BYTES // max(steps * dtype.itemsize, 1)
    return max(1, min(fitting, _BAND_CELLS, cells))


def _ranked(series: Values, counts: CountArray, share: float) -> FloatArray:
    """The quantile of sorted series; (cells, steps) with counts (cells,) -> float64, (cells,)."""
    place = np.maximum(counts - 1, 0) * share
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, np.maximum(counts - 1, 0))
    first = np.arange(len(series)) * series.shape[1]
    flat = series.reshape(-1)
    low = flat.take(first + below).astype(np.float64)
    high = flat.take(first + above).astype(np.float64)
    weight = place - below
    with np.errstate(invalid="ignore", over="ignore"):
        apart = high - low
        found = np.where(weight < 0.5, low + apart * weight, high - apart * (1 - weight))
    return np.asarray(np.where((low == high) | (weight == 0), low, found), np.float64)
