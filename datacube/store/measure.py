"""What is exact of the values of a chunk, in as few passes over it as can be.

Cells are picked out of a chunk only where nothing else will do: it takes longer than all the rest.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.model.fields import Field


@dataclass(frozen=True, eq=False, slots=True)
class Seen:
    """What a look at a chunk has shown; infinite numbers count for nothing, like no data.

    Parameters
    ----------
    count : int, cells that count
    low, high : int or float, the smallest and the largest of them; 0 where there are none
    good : bool, (y, x), which cells count; None for all
    total : float, their sum, where it is known already
    """

    count: int
    low: float
    high: float
    good: NDArray[np.bool_] | None = None
    total: float | None = None

    @property
    def whole(self) -> tuple[int, int] | None:
        """The ends of whole numbers."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return self.low, self.high
        return None


def look(field: Field, packed: NDArray[Any]) -> Seen:
    """Look at a chunk.

    Parameters
    ----------
    field : Field
    packed : stored dtype, (y, x)

    Examples
    --------
    >>> look(Field("v", "int16", nil=-9), np.array([[4, 7, -9]], "int16"))
    Seen(count=2, low=4, high=7, good=array([[ True,  True, False]]), total=None)
    """
    if packed.dtype.kind == "f":
        return _floats(packed)
    low, high = int(packed.min()), int(packed.max())
    if field.nil is None or not low <= field.nil <= high:
        return Seen(packed.size, low, high)
    nil = int(field.nil)
    good = field.valid(packed)
    count = int(np.count_nonzero(good))
    if not count:
        return Seen(0, 0, 0, good)
    bits = packed.view(np.dtype(f"u{packed.itemsize}"))
    # from the cell beside nil on; nil itself comes out as the largest number
    if nil == low:
        low += 1 + int((bits - _modulo(nil + 1, bits.dtype)).min())
    elif nil == high:
        high -= 1 + int((_modulo(nil - 1, bits.dtype) - bits).min())
    return Seen(count, low, high, None if count == packed.size else good)


def total_of(packed: NDArray[Any], seen: Seen) -> float:
    """The sum of the cells of a chunk that count."""
    if seen.total is not None:
        return seen.total
    if seen.good is not None and packed.itemsize == 8:
        return float(packed[seen.good].sum(dtype=np.int64))
    counted = packed if seen.good is None else packed * seen.good
    # in the narrowest type that it fits in
    short = packed.size * max(-seen.low, seen.high) < 1 << 31
    return float(counted.sum(dtype=np.int32 if short else np.int64))


def _modulo(number: int, dtype: np.dtype[Any]) -> np.generic:
    found: np.generic = dtype.type(number % (1 << 8 * dtype.itemsize))
    return found


def _floats(packed: NDArray[Any]) -> Seen:
    with np.errstate(over="ignore", invalid="ignore"):
        total = packed.sum(dtype=np.float64)
    if np.isfinite(total):  # so is every cell
        return Seen(packed.size, float(packed.min()), float(packed.max()), None, float(total))
    good = np.isfinite(packed)
    every = bool(good.all())
    values = packed if every else packed[good]
    if not values.size:
        return Seen(0, 0, 0, good, 0.0)
    with np.errstate(over="ignore"):
        total = values.sum(dtype=np.float64)
    ends = float(values.min()), float(values.max())
    return Seen(values.size, *ends, None if every else good, float(total))
