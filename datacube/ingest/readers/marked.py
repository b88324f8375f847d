"""Which floats of an image are no data, where a number marks it.

The number stands in the file as text, and not always with all of its digits: -3.40282e+38 is meant
for -3.4028235e+38. GDAL takes the numbers around it for no data too, and so is it done here.
"""

from math import inf
from typing import Any

import numpy as np

type Span = tuple[float, float]
"""Lowest and highest number, both included."""

_SINGLE = 4  # bytes
_AROUND = 4 * float(np.finfo(np.float32).eps)


def span_of(nodata: float | None, dtype: np.dtype[Any]) -> Span | None:
    """The floats of a type that are no data; None where there are none but NaN, or of other types.

    Parameters
    ----------
    nodata : float, optional
        As the file says it.
    dtype : numpy dtype

    Examples
    --------
    >>> low, high = span_of(-9999.0, np.dtype("float32"))
    >>> low < -9999.001 < -9999.0 < high, low < -9999.01
    (True, False)
    >>> span_of(0.0, np.dtype("float32")), span_of(float("nan"), np.dtype("float32"))
    ((0.0, 0.0), None)
    """
    if nodata is None or np.isnan(nodata) or dtype.kind != "f":
        return None
    with np.errstate(over="ignore"):
        held = float(dtype.type(nodata))
    if abs(held) == inf or not held:
        return (held, held) if held == nodata else None  # none of the type is it
    if dtype.itemsize < _SINGLE:  # neighbours are further away
        return held, held
    size = abs(held)
    last = np.finfo(dtype).max
    most = float(last)
    low, high = size - _AROUND * size, min(size + _AROUND * size, most)
    beyond = most - size + (most - float(np.nextafter(last, dtype.type(0)))) / 2
    if beyond <= most:  # GDAL adds both, and their sum is infinite
        low, high = min(low, beyond), most
    return (low, high) if held > 0 else (-high, -low)
