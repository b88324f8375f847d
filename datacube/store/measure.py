"""What is exact of the values of a chunk, in as few passes over it as can be.

Cells are picked out of a chunk only where nothing else will do: it takes longer than all the rest.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.model.fields import Field

type Measures = tuple[int, float, float, float]
"""Number of valid cells, smallest, largest, sum."""


def measured(
    field: Field, packed: NDArray[Any]
) -> tuple[Measures | None, NDArray[np.bool_] | None]:
    """Measure a chunk.

    Infinite numbers count for nothing, like no data.

    Parameters
    ----------
    field : Field
    packed : stored dtype, (y, x)

    Returns
    -------
    measures : None where no cell counts
    good : bool, (y, x), which cells count; None for all

    Examples
    --------
    >>> measured(Field("v", "int16", nil=-9), np.array([[4, 7, -9]], "int16"))
    ((2, 4.0, 7.0, 11.0), array([[ True,  True, False]]))
    """
    if packed.dtype.kind == "f":
        return _of_floats(packed)
    low, high = packed.min(), packed.max()
    nil = None if field.nil is None else packed.dtype.type(field.nil)
    if nil is None or not low <= nil <= high:
        return (packed.size, float(low), float(high), float(_sum(packed, low, high))), None
    good = field.valid(packed)
    count = int(np.count_nonzero(good))
    if not count:
        return None, good
    if packed.itemsize == 8:  # their sum may not fit
        return _plain(packed[good]), good
    # from an end that is valid, so that no cell has to be picked out for the other one
    start, sign, away = (low, 1, packed - low) if nil == high else (high, -1, high - packed)
    distances = away.view(np.dtype(f"u{packed.itemsize}"))  # they may run over the signed type
    distances *= good
    reach = int(distances.max())
    total = int(start) * count + sign * _sum(distances, 0, reach)
    ends = sorted((float(start), float(int(start) + sign * reach)))
    return (count, ends[0], ends[1], float(total)), good


def _of_floats(packed: NDArray[Any]) -> tuple[Measures | None, NDArray[np.bool_] | None]:
    with np.errstate(over="ignore", invalid="ignore"):
        total = packed.sum(dtype=np.float64)
    if np.isfinite(total):  # so is every cell
        return (packed.size, float(packed.min()), float(packed.max()), float(total)), None
    good = np.isfinite(packed)
    if good.all():
        return _plain(packed), None
    values = packed[good]
    return (_plain(values) if values.size else None), good


def _plain(values: NDArray[Any]) -> Measures:
    with np.errstate(over="ignore"):
        total = values.sum(dtype=np.float64 if values.dtype.kind == "f" else np.int64)
    return values.size, float(values.min()), float(values.max()), float(total)


def _sum(packed: NDArray[Any], low: Any, high: Any) -> int:
    """Sum of whole numbers between two ends, in the narrowest type that it fits in."""
    short = packed.size * max(-int(low), int(high)) < 1 << 31
    return int(packed.sum(dtype=np.int32 if short else np.int64))
