"""Streaming accumulators: one time step after the other, in memory that does not grow.

What is missing: a value that is not valid, the nil value where there is one, and a NaN whatever
its ``valid`` says, is no observation. A cell without any observation is not valid in the result
and holds NaN (integers: 0); only the count is valid everywhere.

Every step is worked through in bands that stay in the processor's cache, so that an accumulator
needs its state and a few hundred kilobytes, never another array of the block's size.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from math import prod
from typing import Any, Self, final, override

import numpy as np
from numpy.typing import NDArray

from datacube.slicing.tally import (
    STEPS_TO_FOLD,
    BoolArray,
    CountArray,
    Tally,
    Values,
    blank,
    mask_of,
    missing_of,
)

type Result = tuple[Values, BoolArray]

BAND = 32768
_FEW_CELLS = 4096


class Accumulator(ABC):
    """The state of a reduction over steps of one shape.

    Parameters
    ----------
    shape : of every step, such as (y, x)
    nil : number, optional
        Value of the steps that is no observation.
    """

    def __init__(self, shape: tuple[int, ...], nil: float | None = None) -> None:
        self.shape = shape
        self.nil = None if nil is None or np.isnan(nil) else nil
        self.cells = prod(shape)
        self._tally = Tally(self.cells)
        self._fed = 0  # steps that were added, whether or not a cell of them is valid
        self._dtype: np.dtype[Any] | None = None
        width = min(BAND, self.cells)
        self._mask = np.empty(width, np.int8)
        self._scratch: Values = np.empty(0)
        self._mark: np.generic | None = None  # the nil value in the dtype of the steps

    @final
    def add(self, values: Values, valid: BoolArray | None = None) -> None:
        """Take one step.

        Parameters
        ----------
        values : integers or floats, shape; of the same dtype in every step
        valid : bool, shape; None where nil and NaN say it all

        Raises
        ------
        ValueError
            Another shape or dtype than that of the steps before.
        """
        if self.done:
            return
        flat, good = self._observed(values, valid, self.shape)
        if good is not None and good.all():
            good = None
        self._tally.add(good)
        if good is None or good.any():
            self._take(flat, good)
        self._fed += 1

    @final
    def extend(self, values: Values, valid: BoolArray | None = None) -> None:
        """Take many steps; fast for few cells and many steps too.

        Parameters
        ----------
        values : integers or floats, (steps, *shape)
        valid : bool, (steps, *shape); None where nil and NaN say it all
        """
        if self.cells >= _FEW_CELLS or len(values) < 2:
            for number, one in enumerate(values):
                self.add(one, None if valid is None else valid[number])
            return
        for start in range(0, len(values), STEPS_TO_FOLD):
            steps = slice(start, start + STEPS_TO_FOLD)
            self._extend(values[steps], None if valid is None else valid[steps])

    def _extend(self, values: Values, valid: BoolArray | None) -> None:
        part = self._fresh()
        flat, good = part._observed(values, valid, (len(values), *self.shape))  # noqa: SLF001
        by_step = (np.ones(flat.shape, bool) if good is None else good).reshape(len(values), -1)
        part._tally.add_counts(np.count_nonzero(by_step, axis=0).astype(np.int32))  # noqa: SLF001
        part._take_steps(flat.reshape(by_step.shape), by_step)  # noqa: SLF001
        self.merge(part)

    @final
    def merge(self, other: Self) -> None:
        """Take over what another accumulator of the same reducer and shape has seen.

        Where order matters its steps are the later ones in order of feeding.
        """
        if other.shape != self.shape or other.nil != self.nil:
            raise ValueError(
                f"accumulators of shapes {self.shape} and {other.shape}, "
                f"nil {self.nil} and {other.nil}"
            )
        if other._dtype is not None:
            self._agree(other._dtype)
            self._merge(other)
            self._tally.merge(other._tally)

    @property
    def count(self) -> CountArray:
        """Valid observations so far; int32, shape.

        A reduction that is done counts no further.
        """
        return self._tally.count().reshape(self.shape)

    @property
    def done(self) -> bool:
        """Whether further steps cannot change the result."""
        return False

    def result(self) -> Result:
        """The reduced values and where they are valid, both of shape."""
        values, valid = self._finish(), self._tally.seen()
        if values.dtype.kind == "f":
            valid &= ~np.isnan(values)
        values[~valid] = missing_of(values.dtype)
        return values.reshape(self.shape), valid.reshape(self.shape)

    @abstractmethod
    def _take(self, values: Values, good: BoolArray | None) -> None:
        """One step, flat, already counted; good is None where every cell is.

        Of integers with a nil value, those that are not good hold it.
        """

    @abstractmethod
    def _take_steps(self, values: Values, good: BoolArray) -> None:
        """The first and only steps, (steps, cells), of few cells, already counted."""

    @abstractmethod
    def _merge(self, other: Self) -> None:
        """The other's state into this one, before its counts are."""

    @abstractmethod
    def _finish(self) -> Values:
        """The values; a new array, (cells,)."""

    def _begin(self, dtype: np.dtype[Any]) -> None:  # noqa: B027  not all have a state
        """Make the state for values of a dtype."""

    def _fresh(self) -> Self:
        return type(self)(self.shape, self.nil)

    def _agree(self, dtype: np.dtype[Any]) -> None:
        if self._dtype is None:
            if dtype.kind not in "iuf" or dtype.itemsize > 8:
                raise ValueError(f"values of {dtype} cannot be reduced")
            self._dtype = dtype
            self._scratch = np.empty(len(self._mask), dtype)
            if self.nil is not None:
                self._mark = np.full(1, self.nil).astype(dtype)[0]
            self._begin(dtype)
        elif dtype != self._dtype:
            raise ValueError(f"a step of {dtype} after steps of {self._dtype}")

    def _observed(
        self, values: Values, valid: BoolArray | None, shape: tuple[int, ...]
    ) -> tuple[Values, BoolArray | None]:
        """Flat native values and where they are observations; None is everywhere."""
        if values.shape != shape or (valid is not None and valid.shape != shape):
            raise ValueError(
                f"values {values.shape}, valid {None if valid is None else valid.shape}, "
                f"expected {shape}"
            )
        dtype = np.dtype(np.uint8) if values.dtype.kind == "b" else values.dtype.newbyteorder("=")
        self._agree(dtype)
        flat = np.ascontiguousarray(values, dtype).reshape(-1)
        if valid is None:
            return flat, self._known(flat)
        good = np.ascontiguousarray(valid, np.bool_).reshape(-1)
        if self._mark is not None and dtype.kind != "f":
            flat = np.where(good, flat, self._mark)
        known = self._known(flat)
        return flat, good if known is None else np.logical_and(known, good, out=known)

    def _known(self, flat: Values) -> BoolArray | None:
        """Where values are neither nil nor NaN; None is everywhere."""
        known: BoolArray | None = None
        if flat.dtype.kind == "f":
            known = np.equal(flat, flat)
        if self._mark is not None:
            named = np.not_equal(flat, self._mark)
            known = named if known is None else np.logical_and(known, named, out=named)
        return known

    def _bands(
        self, values: Values, good: BoolArray | None, fill: np.generic
    ) -> Iterator[tuple[slice, Values]]:
        """Band after band, with fill where there is no observation; valid until the next one."""
        for start in range(0, self.cells, BAND):
            part = slice(start, min(start + BAND, self.cells))
            if good is None:
                yield part, values[part]
            else:
                mask = mask_of(good[part], self._mask)
                yield part, blank(values[part], mask, fill, self._scratch)


def zeroed(values: Values, good: BoolArray) -> NDArray[np.float64]:
    """Values as float64 with 0 where there is no observation, same shape."""
    return np.where(good, values, 0).astype(np.float64, copy=False)


class Count(Accumulator):
    """The number of valid observations: int32, valid everywhere."""

    @override
    def result(self) -> Result:
        return self.count, np.ones(self.shape, bool)

    @override
    def _take(self, values: Values, good: BoolArray | None) -> None:
        pass

    @override
    def _take_steps(self, values: Values, good: BoolArray) -> None:
        pass

    @override
    def _merge(self, other: Self) -> None:
        pass

    @override
    def _finish(self) -> Values:
        return self._tally.count()
