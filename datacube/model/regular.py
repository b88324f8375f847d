"""Regular axes out of rounded coordinates.

Coordinates are often stored as float32, rounded to some decimals, or summed up step by step. An
axis is regular when its centres lie on a line within that rounding; origin and step are then the
simplest fractions that the coordinates allow (1/12, 0.25, -51), so that boxes are exact.
"""

from fractions import Fraction
from math import floor

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_BEND = 2e-3  # of a step; Gaussian latitudes deviate by 9e-3


def regular(
    centres: FloatArray, stored: np.dtype[np.generic] | str = "float64"
) -> tuple[float, float] | None:
    """First centre and step of equidistant coordinates, or None where they are not.

    Parameters
    ----------
    centres : float64, (n ≥ 2,), any unit
    stored : dtype
        The type in which the coordinates were stored, which says how they were rounded.

    Examples
    --------
    >>> regular(np.linspace(-51, -31, 241, dtype="float32").astype(float), "float32")
    (-51.0, 0.08333333333333333)
    >>> regular(np.array([0.0, 1.0, 3.0])) is None
    True
    """
    count = len(centres)
    if count < 2 or not np.isfinite(centres).all():
        return None
    step = float(centres[-1] - centres[0]) / (count - 1)
    rounding = _rounding(centres, np.dtype(stored))
    if step == 0 or rounding > abs(step) / 4:
        return None
    ramp = np.arange(count)
    bend = float(np.abs(centres - (centres[0] + ramp * step)).max())
    if bend > max(2 * rounding, _BEND * abs(step)):
        return None
    slack = max(rounding, 1.05 * bend)
    step = float(simplest(step - 2 * slack / (count - 1), step + 2 * slack / (count - 1)))
    starts = centres - ramp * step
    low, high = float(starts.max()) - slack, float(starts.min()) + slack
    origin = float(simplest(low, high)) if low <= high else float(np.mean(starts))
    return origin, step


def simplest(low: float, high: float) -> Fraction:
    """The fraction with the smallest denominator in a closed interval.

    Examples
    --------
    >>> simplest(0.0833, 0.0834), simplest(-0.26, -0.24)
    (Fraction(1, 12), Fraction(-1, 4))
    """
    return _simplest(Fraction(low), Fraction(high))


def unwrapped(longitudes: FloatArray) -> FloatArray:
    """Longitudes without the jump of 360 degrees where they pass a seam.

    Examples
    --------
    >>> unwrapped(np.array([358.0, 359.0, 0.0, 1.0])).tolist()
    [358.0, 359.0, 360.0, 361.0]
    """
    return np.asarray(np.unwrap(longitudes, period=360.0), np.float64)


def _rounding(centres: FloatArray, stored: np.dtype[np.generic]) -> float:
    largest = float(np.abs(centres).max())
    if stored.kind == "f" and stored.itemsize == 4:
        return float(np.spacing(np.float32(largest)))
    return max(largest, 1.0) * 1e-12


def _simplest(low: Fraction, high: Fraction) -> Fraction:
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        return -_simplest(-high, -low)
    whole = floor(low)
    if whole == low:
        return Fraction(whole)
    if whole < floor(high):
        return Fraction(whole + 1)
    return whole + 1 / _simplest(1 / (high - whole), 1 / (low - whole))
