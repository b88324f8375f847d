"""The part of a source grid that a target pixel covers, as an interval of columns and of rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

AREA_METHODS = frozenset({"average", "mode", "min", "max", "med", "q1", "q3"})
"""Interpolations that look at all cells under a pixel."""


@dataclass(frozen=True, eq=False)
class Footprint:
    """Intervals in cells from the source's corner; low ≤ high, NaN where a pixel has no place.

    Parameters
    ----------
    u_low, u_high : float64, (x,) where rows and columns are independent, else (y, x)
        Columns; they may reach before 0 and beyond the width where a pixel lies on a seam.
    v_low, v_high : float64, (y,) or (y, x), rows
    """

    u_low: FloatArray
    u_high: FloatArray
    v_low: FloatArray
    v_high: FloatArray


def interval(
    edges: FloatArray, centres: FloatArray, turn: float | None = None
) -> tuple[FloatArray, FloatArray]:
    """What lies between neighbouring edges, moved by whole turns to around the centre.

    Parameters
    ----------
    edges : float64, (n + 1,) · centres : float64, (n,)

    Examples
    --------
    >>> [one.tolist() for one in interval(np.array([358.0, 0.0, 2.0]), np.array([359.0, 1.0]), 360)]
    [[358.0, 0.0], [360.0, 2.0]]
    """
    first, second = _near(edges[:-1], centres, turn), _near(edges[1:], centres, turn)
    return np.minimum(first, second), np.maximum(first, second)


def around_corners(
    u: FloatArray,
    v: FloatArray,
    centre: tuple[FloatArray, FloatArray],
    turn: float | None = None,
    poles: tuple[float, float] | None = None,
) -> Footprint:
    """The box around the four corners of each pixel.

    A pixel that holds a pole covers all columns and the rows up to the pole.

    Parameters
    ----------
    u, v : float64, (y + 1, x + 1), positions of the corners
    centre : u and v of the pixels' centres, float64, (y, x)
    turn : float, optional, columns of 360 degrees
    poles : float, float, optional, rows of the two poles
    """
    quads = [
        _near(u[down, right], centre[0], turn)
        for down, right in (
            (slice(None, -1), slice(None, -1)),
            (slice(None, -1), slice(1, None)),
            (slice(1, None), slice(1, None)),
            (slice(1, None), slice(None, -1)),
        )
    ]
    rows = (v[:-1, :-1], v[:-1, 1:], v[1:, 1:], v[1:, :-1])
    u_low, u_high = _lowest(quads), _highest(quads)
    v_low, v_high = _lowest(rows), _highest(rows)
    if turn is not None and poles is not None:
        polar = _winds(quads, turn)
        nearest = np.where(
            np.abs(centre[1] - poles[0]) < np.abs(centre[1] - poles[1]), poles[0], poles[1]
        )[polar]
        u_low[polar], u_high[polar] = 0.0, turn
        v_low[polar] = np.minimum(v_low[polar], nearest)
        v_high[polar] = np.maximum(v_high[polar], nearest)
    return Footprint(u_low, u_high, v_low, v_high)


def _near(position: FloatArray, centre: FloatArray, turn: float | None) -> FloatArray:
    if turn is None:
        return position
    return np.asarray(position - turn * np.rint((position - centre) / turn))


def _lowest(corners: "list[FloatArray] | tuple[FloatArray, ...]") -> FloatArray:
    return np.minimum(np.minimum(corners[0], corners[1]), np.minimum(corners[2], corners[3]))


def _highest(corners: "list[FloatArray] | tuple[FloatArray, ...]") -> FloatArray:
    return np.maximum(np.maximum(corners[0], corners[1]), np.maximum(corners[2], corners[3]))


def _winds(corners: list[FloatArray], turn: float) -> NDArray[np.bool_]:
    """Whether the corners go once round, so that the pixel holds a pole."""
    total = np.zeros_like(corners[0])
    for one, following in zip(corners, corners[1:] + corners[:1], strict=True):
        step = following - one
        total += step - turn * np.rint(step / turn)
    return np.asarray(np.abs(total) > turn / 2)


def from_centres(u: FloatArray, v: FloatArray, turn: float | None = None) -> Footprint:
    """Footprints as wide as the spaces between neighbouring centres.

    Parameters
    ----------
    u, v : float64, (x,) and (y,), or both (y, x)

    Examples
    --------
    >>> from_centres(np.array([1.0, 3.0, 5.0]), np.array([0.5])).u_low.tolist()
    [0.0, 2.0, 4.0]
    """
    if u.ndim == 1:
        half_u, half_v = _half(u, 0, turn), _half(v, 0, None)
    else:
        half_u = _half(u, 0, turn) + _half(u, 1, turn)
        half_v = _half(v, 0, None) + _half(v, 1, None)
    return Footprint(u - half_u, u + half_u, v - half_v, v + half_v)


def _half(position: FloatArray, axis: int, turn: float | None) -> FloatArray:
    """Half the mean distance to the neighbours along an axis; half a cell without neighbours."""
    if position.shape[axis] < 2:
        return np.full(position.shape, 0.5 if position.ndim == 1 else 0.25)
    steps = np.diff(position, axis=axis)
    if turn is not None:
        steps -= turn * np.rint(steps / turn)
    steps = np.abs(steps)
    first, last = np.take(steps, [0], axis), np.take(steps, [-1], axis)
    before = np.concatenate([first, steps], axis)
    after = np.concatenate([steps, last], axis)
    return np.asarray((before + after) / 4)
