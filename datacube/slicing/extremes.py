"""Accumulators of the smallest and largest value, and of the range between them."""

from typing import Any, Self, override

import numpy as np

from datacube.slicing.accumulators import Accumulator
from datacube.slicing.tally import BoolArray, Values, fill_of


class Extreme(Accumulator):
    """The smallest or largest value, in the dtype of the steps."""

    top: bool

    @override
    def _begin(self, dtype: np.dtype[Any]) -> None:
        self._fill = fill_of(dtype, top=not self.top)
        self._best: Values = np.full(self.cells, self._fill, dtype)
        self._better: np.ufunc = np.maximum if self.top else np.minimum

    @override
    def _take(self, values: Values, good: BoolArray | None) -> None:
        for part, one in self._bands(values, good, self._fill):
            self._better(self._best[part], one, out=self._best[part])

    @override
    def _take_steps(self, values: Values, good: BoolArray) -> None:
        self._best = self._better.reduce(np.where(good, values, self._fill), axis=0)

    @override
    def _merge(self, other: Self) -> None:
        self._better(self._best, other._best, out=self._best)

    @override
    def _finish(self) -> Values:
        return self._best.copy() if self._dtype else np.zeros(self.cells)


class Min(Extreme):
    """The smallest value."""

    top = False


class Max(Extreme):
    """The largest value."""

    top = True


class Range(Accumulator):
    """Largest minus smallest value, float64."""

    @override
    def _begin(self, dtype: np.dtype[Any]) -> None:
        self._top, self._bottom = fill_of(dtype, top=True), fill_of(dtype, top=False)
        self._low: Values = np.full(self.cells, self._top, dtype)
        self._high: Values = np.full(self.cells, self._bottom, dtype)

    @override
    def _take(self, values: Values, good: BoolArray | None) -> None:
        for part, one in self._bands(values, good, self._top):
            np.minimum(self._low[part], one, out=self._low[part])
        for part, one in self._bands(values, good, self._bottom):
            np.maximum(self._high[part], one, out=self._high[part])

    @override
    def _take_steps(self, values: Values, good: BoolArray) -> None:
        self._low = np.where(good, values, self._top).min(axis=0)
        self._high = np.where(good, values, self._bottom).max(axis=0)

    @override
    def _merge(self, other: Self) -> None:
        np.minimum(self._low, other._low, out=self._low)
        np.maximum(self._high, other._high, out=self._high)

    @override
    def _finish(self) -> Values:
        if self._dtype is None:
            return np.zeros(self.cells)
        with np.errstate(invalid="ignore", over="ignore"):
            return np.subtract(self._high, self._low, dtype=np.float64)
