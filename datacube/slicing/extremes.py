"""Accumulators of the smallest and largest value, and of the range between them."""

from collections.abc import Callable, Iterator
from typing import Any, Self, override

import numpy as np

from datacube.slicing.accumulators import BAND, Accumulator
from datacube.slicing.tally import BoolArray, Values, fill_of

type Bands = Callable[[Values, BoolArray | None, np.generic], Iterator[tuple[slice, Values]]]
"""Values and where they are observations -> bands of them, filled where they are none."""


class End:
    """The smallest or largest value of each cell so far.

    Where what is missing can lose by itself it need not be blanked out: a NaN loses against every
    number; a nil value at one end of an integer type loses there, and at the other end after all
    values were moved on by one, when it wraps round.

    Parameters
    ----------
    cells : int
    dtype : of the steps
    mark : number of that dtype that is no observation, None without one
    top : bool, whether the largest is looked for
    """

    def __init__(
        self, cells: int, dtype: np.dtype[Any], mark: np.generic | None, *, top: bool
    ) -> None:
        self._fill = fill_of(dtype, top=not top)
        self._best: Values = np.full(cells, self._fill, dtype)
        self._better: np.ufunc = np.fmax if top else np.fmin
        self._shift: np.generic | None = None
        if mark is None or dtype.kind == "f":
            return
        if mark == self._fill:
            self._shift = dtype.type(0)
        elif mark == fill_of(dtype, top=top):
            self._shift = np.subtract(self._fill, mark, dtype=dtype)

    def take(self, values: Values, good: BoolArray | None, bands: Bands) -> None:
        """One step, flat; good is None where every cell is."""
        if self._shift is not None:
            self._take_shifted(values, self._shift)
        elif good is None:
            self._better(self._best, values, out=self._best)
        else:
            for part, one in bands(values, good, self._fill):
                self._better(self._best[part], one, out=self._best[part])

    def _take_shifted(self, values: Values, shift: np.generic) -> None:
        if not shift:
            self._better(self._best, values, out=self._best)
            return
        room = np.empty(min(BAND, len(values)), values.dtype)
        for start in range(0, len(values), BAND):
            part = slice(start, min(start + BAND, len(values)))
            moved = room[: part.stop - start]
            np.add(values[part], shift, out=moved)
            self._better(self._best[part], moved, out=self._best[part])

    def take_steps(self, values: Values, good: BoolArray) -> None:
        """The first and only steps, (steps, cells)."""
        steps = np.where(good, values, self._fill) if self._shift is None else values + self._shift
        self._best = self._better.reduce(steps, axis=0)

    def merge(self, other: Self) -> None:
        """The other's values into these."""
        self._better(self._best, other._best, out=self._best)

    def values(self) -> Values:
        """The values; a new array, (cells,)."""
        return self._best.copy() if self._shift is None else self._best - self._shift


class Extreme(Accumulator):
    """The smallest or largest value, in the dtype of the steps."""

    top: bool

    @override
    def _begin(self, dtype: np.dtype[Any]) -> None:
        self._end = End(self.cells, dtype, self._mark, top=self.top)

    @override
    def _take(self, values: Values, good: BoolArray | None) -> None:
        self._end.take(values, good, self._bands)

    @override
    def _take_steps(self, values: Values, good: BoolArray) -> None:
        self._end.take_steps(values, good)

    @override
    def _merge(self, other: Self) -> None:
        self._end.merge(other._end)

    @override
    def _finish(self) -> Values:
        return np.zeros(self.cells) if self._dtype is None else self._end.values()


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
        self._low, self._high = (
            End(self.cells, dtype, self._mark, top=top) for top in (False, True)
        )

    @override
    def _take(self, values: Values, good: BoolArray | None) -> None:
        self._low.take(values, good, self._bands)
        self._high.take(values, good, self._bands)

    @override
    def _take_steps(self, values: Values, good: BoolArray) -> None:
        self._low.take_steps(values, good)
        self._high.take_steps(values, good)

    @override
    def _merge(self, other: Self) -> None:
        self._low.merge(other._low)
        self._high.merge(other._high)

    @override
    def _finish(self) -> Values:
        if self._dtype is None:
            return np.zeros(self.cells)
        with np.errstate(invalid="ignore", over="ignore"):
            return np.subtract(self._high.values(), self._low.values(), dtype=np.float64)
