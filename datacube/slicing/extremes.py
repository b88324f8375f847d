"""Accumulators of the smallest and largest value, and of the range between them."""

from typing import Any, Self, override

import numpy as np

from datacube.slicing.accumulators import BAND, Accumulator
from datacube.slicing.tally import BoolArray, Values, fill_of


class Extreme(Accumulator):
    """The smallest or largest value, in the dtype of the steps.

    Where what is missing can lose by itself it need not be blanked out: a NaN loses against every
    number; a nil value at one end of an integer type loses there, and at the other end after all
    values were moved on by one, when it wraps round.
    """

    top: bool

    @override
    def _begin(self, dtype: np.dtype[Any]) -> None:
        self._fill = fill_of(dtype, top=not self.top)
        self._best: Values = np.full(self.cells, self._fill, dtype)
        self._better: np.ufunc = np.fmax if self.top else np.fmin
        self._shift: np.generic | None = None
        if self._mark is None or dtype.kind == "f":
            return
        if self._mark == self._fill:
            self._shift = dtype.type(0)
        elif self._mark == fill_of(dtype, top=self.top):
            self._shift = np.subtract(self._fill, self._mark, dtype=dtype)

    @override
    def _take(self, values: Values, good: BoolArray | None) -> None:
        if self._shift is not None:
            self._take_shifted(values, self._shift)
        elif good is None:
            self._better(self._best, values, out=self._best)
        else:
            for part, one in self._bands(values, good, self._fill):
                self._better(self._best[part], one, out=self._best[part])

    def _take_shifted(self, values: Values, shift: np.generic) -> None:
        if not shift:
            self._better(self._best, values, out=self._best)
            return
        for start in range(0, self.cells, BAND):
            part = slice(start, min(start + BAND, self.cells))
            moved = self._scratch[: part.stop - start]
            np.add(values[part], shift, out=moved)
            self._better(self._best[part], moved, out=self._best[part])

    @override
    def _take_steps(self, values: Values, good: BoolArray) -> None:
        steps = np.where(good, values, self._fill)
        if self._shift is not None:
            steps = values + self._shift
        self._best = self._better.reduce(steps, axis=0)

    @override
    def _merge(self, other: Self) -> None:
        self._better(self._best, other._best, out=self._best)

    @override
    def _finish(self) -> Values:
        if self._dtype is None:
            return np.zeros(self.cells)
        return self._best.copy() if self._shift is None else self._best - self._shift


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
        self._low, self._high = Min(self.shape, self.nil), Max(self.shape, self.nil)
        for one in (self._low, self._high):
            one._agree(dtype)  # noqa: SLF001  both are parts of this one

    @override
    def _take(self, values: Values, good: BoolArray | None) -> None:
        self._low._take(values, good)  # noqa: SLF001
        self._high._take(values, good)  # noqa: SLF001

    @override
    def _take_steps(self, values: Values, good: BoolArray) -> None:
        self._low._take_steps(values, good)  # noqa: SLF001
        self._high._take_steps(values, good)  # noqa: SLF001

    @override
    def _merge(self, other: Self) -> None:
        self._low._merge(other._low)  # noqa: SLF001
        self._high._merge(other._high)  # noqa: SLF001

    @override
    def _finish(self) -> Values:
        if self._dtype is None:
            return np.zeros(self.cells)
        low, high = self._low._finish(), self._high._finish()  # noqa: SLF001
        with np.errstate(invalid="ignore", over="ignore"):
            return np.subtract(high, low, dtype=np.float64)
