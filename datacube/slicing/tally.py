"""How many observations each cell has, and values with the others blanked out.

Both work on bits and bytes: a masked ufunc (``where=``) takes five times as long.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

type Values = NDArray[Any]
type BoolArray = NDArray[np.bool_]
type CountArray = NDArray[np.int32]

STEPS_TO_FOLD = 255  # a uint8 counts so far
_BITS: dict[int, type[np.signedinteger[Any]]] = {1: np.int8, 2: np.int16, 4: np.int32, 8: np.int64}


class Tally:
    """Counts of valid observations of each cell, for any number of steps.

    Steps in which every cell is valid cost nothing but an integer, ``everywhere``.

    Parameters
    ----------
    cells : int

    Examples
    --------
    >>> tally = Tally(2)
    >>> tally.add(np.array([True, False]))
    >>> tally.add(None)
    >>> tally.count().tolist(), tally.whole
    ([2, 1], False)
    """

    __slots__ = ("_cells", "_few", "_many", "_steps", "everywhere")

    def __init__(self, cells: int) -> None:
        self._cells = cells
        self.everywhere = 0
        self._steps = 0
        self._few: NDArray[np.uint8] | None = None
        self._many: CountArray | None = None

    @property
    def whole(self) -> bool:
        """Whether every cell has the same count."""
        return self._few is None and self._many is None

    def add(self, good: BoolArray | None) -> None:
        """Count one step; None where all cells are valid.

        Parameters
        ----------
        good : bool, (cells,), or None
        """
        if good is None:
            self.everywhere += 1
            return
        if self._few is None:
            self._few = np.zeros(self._cells, np.uint8)
        np.add(self._few, good.view(np.uint8), out=self._few)
        self._steps += 1
        if self._steps == STEPS_TO_FOLD:
            self.add_counts(self._few.astype(np.int32))
            self._few, self._steps = None, 0

    def add_counts(self, counts: CountArray) -> None:
        """Add counts made elsewhere; int32, (cells,), kept."""
        self._many = counts if self._many is None else self._many + counts

    def merge(self, other: "Tally") -> None:
        """Add the counts of other steps."""
        if other.whole:
            self.everywhere += other.everywhere
        else:
            self.add_counts(other.count())

    def count(self, part: slice = slice(None)) -> CountArray:
        """Counts; int32, (cells,) or those of a part."""
        total = np.full(len(range(*part.indices(self._cells))), self.everywhere, np.int32)
        for counts in (self._few, self._many):
            if counts is not None:
                total += counts[part]
        return total

    def seen(self) -> BoolArray:
        """Where there is an observation; bool, (cells,)."""
        return self.count() > 0


def mask_of(good: BoolArray, out: NDArray[np.int8]) -> NDArray[np.int8]:
    """All bits set where good; sign extension makes it a mask of any width.

    Parameters
    ----------
    good : bool, (n,)
    out : int8, at least (n,)
    """
    return np.negative(good.view(np.int8), out=out[: len(good)])


def bits(values: Values) -> NDArray[np.signedinteger[Any]]:
    """The same memory as signed integers of the same width."""
    return values.view(_BITS[values.dtype.itemsize])


def blank(
    values: Values, mask: NDArray[np.int8], fill: NDArray[Any] | np.generic, out: Values
) -> Values:
    """Values where the mask is set, elsewhere fill.

    Parameters
    ----------
    values : any native dtype, (n,)
    mask : int8, (n,), 0 or -1
    fill : scalar of the same dtype
    out : same dtype, at least (n,)

    Examples
    --------
    >>> values, mask = np.array([1.0, np.nan]), np.array([-1, 0], np.int8)
    >>> blank(values, mask, np.float64(7), np.empty(2)).tolist()
    [1.0, 7.0]
    """
    out = out[: len(values)]
    filler = bits(np.asarray(fill, values.dtype).reshape(1))[0]
    stored, held = bits(values), bits(out)
    if filler == 0:
        np.bitwise_and(stored, mask, out=held)
        return out
    np.bitwise_xor(stored, filler, out=held)
    np.bitwise_and(held, mask, out=held)
    np.bitwise_xor(held, filler, out=held)
    return out


def fill_of(dtype: np.dtype[Any], *, top: bool) -> np.generic:
    """The largest value of a dtype (infinity of a float), or the smallest."""
    if dtype.kind == "f":
        return _scalar(np.inf if top else -np.inf, dtype)
    limits = np.iinfo(dtype)
    return _scalar(limits.max if top else limits.min, dtype)


def missing_of(dtype: np.dtype[Any]) -> np.generic:
    """What stands where nothing is valid: NaN of a float, 0 of an integer."""
    return _scalar(np.nan if dtype.kind == "f" else 0, dtype)


def _scalar(value: float, dtype: np.dtype[Any]) -> np.generic:
    one: np.generic = dtype.type(value)
    return one
