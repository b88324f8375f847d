"""Accumulators of what is as it was observed: the first or best valid value; any, all.

All but the best stop early: when every cell has its answer.
"""

from typing import Any, Self, override

import numpy as np
from numpy.typing import NDArray

from datacube.slicing.accumulators import BAND, Accumulator
from datacube.slicing.tally import BoolArray, Values, bits, mask_of


class First(Accumulator):
    """The first valid value in order of feeding, in the dtype of the steps.

    Fed from the newest step to the oldest this is the most recent pixel, fed by rising cloud
    cover the least cloudy one, by rising distance from a date the nearest one. A mosaic of
    several fields takes a pixel's fields from one step when all are given the same ``valid``:
    where all of them are.
    """

    @override
    def _begin(self, dtype: np.dtype[Any]) -> None:
        self._kept: Values = np.zeros(self.cells, dtype)
        self._filled: BoolArray = np.zeros(self.cells, bool)
        self._full = False

    @property
    @override
    def done(self) -> bool:
        """Whether every cell has its value."""
        return self._dtype is not None and self._full

    @override
    def _take(self, values: Values, good: BoolArray | None) -> None:
        wanted = ~self._filled
        if good is not None:
            wanted &= good
        for start in range(0, self.cells, BAND):
            part = slice(start, min(start + BAND, self.cells))
            mask = mask_of(wanted[part], self._mask)
            kept, change = bits(self._kept[part]), bits(self._scratch[: len(mask)])
            np.bitwise_and(bits(values[part]), mask, out=change)
            np.bitwise_or(kept, change, out=kept)
        self._filled |= wanted
        self._full = bool(self._filled.all())

    @override
    def _take_steps(self, values: Values, good: BoolArray) -> None:
        places = np.arange(self.cells)
        step = good.argmax(axis=0)
        self._filled = good[step, places]
        self._kept = np.where(self._filled, values[step, places], self._kept)
        self._full = bool(self._filled.all())

    @override
    def _merge(self, other: Self) -> None:
        self._take(other._kept, other._filled)

    @override
    def _finish(self) -> Values:
        return self._kept.copy() if self._dtype else np.zeros(self.cells)


class Best(Accumulator):
    """The valid value of the step whose rank is lowest; of equal ones that which came first.

    Steps that are added without ranks are all equal.

    Examples
    --------
    >>> best = Best((2,))
    >>> best.add_ranked(np.array([1, 2]), np.array([True, True]), np.array([0.5, 0.1]))
    >>> best.add_ranked(np.array([3, 4]), np.array([True, True]), np.array([0.2, np.nan]))
    >>> best.result()[0].tolist(), best.count.tolist()
    ([3, 2], [2, 1])
    """

    @override
    def __init__(self, shape: tuple[int, ...], nil: float | None = None) -> None:
        super().__init__(shape, nil)
        self._rank: NDArray[np.floating] = np.zeros(1)

    def add_ranked(self, values: Values, valid: BoolArray, rank: NDArray[np.floating]) -> None:
        """Take one step.

        Parameters
        ----------
        values, valid : as of :meth:`add`
        rank : float, shape; NaN is no observation
        """
        self._rank = rank.reshape(-1)
        self.add(values, valid & ~np.isnan(rank))
        self._rank = np.zeros(1)

    @override
    def _begin(self, dtype: np.dtype[Any]) -> None:
        self._kept: Values = np.zeros(self.cells, dtype)
        self._lowest = np.full(self.cells, np.nan)

    @override
    def _take(self, values: Values, good: BoolArray | None) -> None:
        self._replace(values, self._rank, np.ones(self.cells, bool) if good is None else good)

    @override
    def _take_steps(self, values: Values, good: BoolArray) -> None:
        step, places = good.argmax(axis=0), np.arange(self.cells)
        self._replace(values[step, places], self._rank, good[step, places])

    @override
    def _merge(self, other: Self) -> None:
        self._replace(other._kept, other._lowest, ~np.isnan(other._lowest))

    def _replace(self, values: Values, rank: NDArray[np.floating], good: BoolArray) -> None:
        rank = np.broadcast_to(rank, self._lowest.shape)
        better = good & ~(rank >= self._lowest)
        self._kept[better], self._lowest[better] = values[better], rank[better]

    @override
    def _finish(self) -> Values:
        return self._kept.copy() if self._dtype else np.zeros(self.cells)


class AnyTrue(Accumulator):
    """Whether any valid value is not zero: uint8, 0 or 1."""

    sought = True

    @override
    def __init__(self, shape: tuple[int, ...], nil: float | None = None) -> None:
        super().__init__(shape, nil)
        self._found: BoolArray = np.zeros(self.cells, bool)
        self._full = False

    @property
    @override
    def done(self) -> bool:
        """Whether the answer is known everywhere."""
        return self._full

    @override
    def _take(self, values: Values, good: BoolArray | None) -> None:
        hits = (values != 0) if self.sought else (values == 0)
        if good is not None:
            hits &= good
        self._found |= hits
        self._full = bool(self._found.all())

    @override
    def _take_steps(self, values: Values, good: BoolArray) -> None:
        self._found = (((values != 0) == self.sought) & good).any(axis=0)
        self._full = bool(self._found.all())

    @override
    def _merge(self, other: Self) -> None:
        self._found |= other._found
        self._full = bool(self._found.all())

    @override
    def _finish(self) -> Values:
        return np.equal(self._found, self.sought).astype(np.uint8)


class AllTrue(AnyTrue):
    """Whether no valid value is zero: uint8, 0 or 1."""

    sought = False
