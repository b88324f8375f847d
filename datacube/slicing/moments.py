"""Variance and standard deviation in one pass (Welford 1962; Chan, Golub & LeVeque 1979).

Small integers are added up instead, themselves and their squares: what comes of it is exact.
"""

from typing import Any, Self, override

import numpy as np
from numpy.typing import NDArray

from datacube.slicing.accumulators import BAND, Accumulator, zeroed
from datacube.slicing.tally import BoolArray, Values, bits, mask_of

type FloatArray = NDArray[np.float64]


class Variance(Accumulator):
    """The variance of the observations themselves (divided by their number), float64.

    Squares are taken of differences from the running mean, so that a spread far below the
    values' size is kept.
    """

    @override
    def _begin(self, dtype: np.dtype[Any]) -> None:
        self._mean: FloatArray = np.zeros(self.cells)
        self._squares: FloatArray = np.zeros(self.cells)
        self._apart = np.empty((2, len(self._mask)))

    @override
    def _take(self, values: Values, good: BoolArray | None) -> None:
        with np.errstate(invalid="ignore", over="ignore"):
            for start in range(0, self.cells, BAND):
                part = slice(start, min(start + BAND, self.cells))
                self._take_band(part, values[part], None if good is None else good[part])

    def _take_band(self, part: slice, values: Values, good: BoolArray | None) -> None:
        mean, squares = self._mean[part], self._squares[part]
        apart, moved = (one[: len(values)] for one in self._apart)
        np.subtract(values, mean, out=apart)
        if good is not None:
            mask = mask_of(good, self._mask)
            np.bitwise_and(bits(apart), mask, out=bits(apart))
        count = self._tally.count(part)
        if self._tally.whole:
            np.multiply(apart, 1.0 / int(count[0]), out=moved)
        else:
            np.divide(1.0, np.maximum(count, 1, out=count), out=moved)
            np.multiply(apart, moved, out=moved)
        np.add(mean, moved, out=mean)
        np.subtract(apart, moved, out=moved)
        np.multiply(apart, moved, out=moved)
        np.add(squares, moved, out=squares)

    @override
    def _take_steps(self, values: Values, good: BoolArray) -> None:
        count = np.maximum(self._tally.count(), 1)
        with np.errstate(invalid="ignore", over="ignore"):
            mean = zeroed(values, good).sum(axis=0) / count
            apart = zeroed(values - mean, good)
            mean += apart.sum(axis=0) / count
            self._mean = mean
            self._squares = (zeroed(values - mean, good) ** 2).sum(axis=0)

    @override
    def _merge(self, other: Self) -> None:
        mine, theirs = self._tally.count(), other._tally.count()
        both = np.maximum(mine + theirs, 1)
        with np.errstate(invalid="ignore", over="ignore"):
            apart = np.where((mine > 0) & (theirs > 0), other._mean - self._mean, 0.0)
            lone = (mine == 0) & (theirs > 0)
            share = theirs / both
            self._squares += other._squares + apart * apart * (mine * share)
            self._mean = np.where(lone, other._mean, self._mean + apart * share)

    @override
    def _finish(self) -> Values:
        if self._dtype is None:
            return np.zeros(self.cells)
        return np.divide(self._squares, np.maximum(self._tally.count(), 1))


class ExactVariance(Accumulator):
    """The variance of integers of 8 or 16 bits, from exact sums; float64.

    With sum S = q n + r and sum of squares Q the squared differences from q add up to
    Q - q (q n + 2 r), an integer of the spread's size, so that nothing cancels.
    """

    @override
    def _begin(self, dtype: np.dtype[Any]) -> None:
        self._sums = np.zeros((2, self.cells), np.int64)

    @override
    def _take(self, values: Values, good: BoolArray | None) -> None:
        zero = values.dtype.type(0)
        for part, one in self._bands(values, good, zero):
            np.add(self._sums[0, part], one, out=self._sums[0, part])
            squares = np.multiply(one, one, dtype=_square(values.dtype))
            np.add(self._sums[1, part], squares, out=self._sums[1, part])

    @override
    def _take_steps(self, values: Values, good: BoolArray) -> None:
        counted = np.where(good, values, 0).astype(np.int64)
        self._sums += np.stack([counted.sum(axis=0), (counted * counted).sum(axis=0)])

    @override
    def _merge(self, other: Self) -> None:
        self._sums += other._sums

    @override
    def _finish(self) -> Values:
        if self._dtype is None:
            return np.zeros(self.cells)
        total, squares = self._sums
        count = np.maximum(self._tally.count(), 1).astype(np.int64)
        whole, rest = np.divmod(total, count)
        apart = squares - whole * (whole * count + 2 * rest)
        return np.asarray(apart / count - (rest / count) ** 2)


class Deviation(Variance):
    """The standard deviation: the root of the variance, float64."""

    @override
    def _finish(self) -> Values:
        return np.sqrt(super()._finish())


class ExactDeviation(ExactVariance):
    """The standard deviation of integers of 8 or 16 bits, float64."""

    @override
    def _finish(self) -> Values:
        return np.sqrt(super()._finish())


def _square(dtype: np.dtype[Any]) -> type[np.integer[Any]]:
    """A type that holds squares of small integers."""
    return np.uint32 if dtype.kind == "u" else np.int32
