"""How many source cells a target pixel spans: what chooses an overview."""

import numpy as np
from numpy.typing import NDArray

from datacube.model.grid import Grid
from datacube.slicing.sheets import EDGE, within
from datacube.slicing.warp import PixelPositions, Positions, SeparablePositions

FloatArray = NDArray[np.float64]

_SEEN = 64


def cells_per_pixel(found: Positions, source: Grid) -> float:
    """Source cells that a target pixel spans along its worse axis; 0 for a target outside.

    The mean over the pixels that lie on the source; of a large pixel map a sample decides.
    """
    height, width = source.shape
    match found:
        case SeparablePositions(u, v):
            across, down = pace_along(u, width), pace_along(v, height)
            return max(across, down) if across and down else 0.0
        case PixelPositions(u, v):
            return _steepness(u, v, (height, width))


def pace_along(position: FloatArray, size: int) -> float:
    """Mean step of neighbours of which one is inside; 0 where none is; a seam's jump is no step.

    Parameters
    ----------
    position : float64, (n,), in cells along one axis
    size : int, how many there are
    """
    low, high = float(position.min()), float(position.max())
    if low > -EDGE and high < size + EDGE and {position[0], position[-1]} == {low, high} != {low}:
        return (high - low) / (len(position) - 1)
    inside = within(position, size)
    if not inside.any():
        return 0.0
    steps = np.abs(np.diff(position))[inside[1:] | inside[:-1]]
    steps = steps[steps <= size / 2]
    return float(steps.mean()) if steps.size else float(size)


def _steepness(u: FloatArray, v: FloatArray, shape: tuple[int, int]) -> float:
    """Middle length, in cells, of a step of one pixel to the right or down, the longer of both."""
    inside = within(u, shape[1]) & within(v, shape[0])
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if not rows.size:
        return 0.0
    part = slice(rows[0], rows[-1] + 2), slice(columns[0], columns[-1] + 2)
    u, v, inside = u[part], v[part], inside[part]
    down = _paces(u, v, inside)
    right = _paces(u.T, v.T, inside.T)
    paces = [float(np.median(steps)) for steps in (down, right) if steps.size]
    return max(paces, default=float(max(shape)))


def _paces(u: FloatArray, v: FloatArray, inside: NDArray[np.bool_]) -> FloatArray:
    """Lengths of steps between rows, a sample of them; every one where the sample has none."""
    every = max(1, min(u.shape) // _SEEN)
    above, below, across = slice(0, -1, every), slice(1, None, every), slice(None, None, every)
    steps = np.hypot(u[below, across] - u[above, across], v[below, across] - v[above, across])
    steps = steps[inside[below, across] | inside[above, across]]
    steps = steps[np.isfinite(steps)]
    if every > 1 and not steps.size:
        steps = np.hypot(np.diff(u, axis=0), np.diff(v, axis=0))[inside[1:] | inside[:-1]]
        steps = steps[np.isfinite(steps)]
    return steps
