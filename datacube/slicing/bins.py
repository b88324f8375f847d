"""A list of blocks for each bin of a plane or of longitude and latitude."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]

_FINE = 1e-12
_MOST = 1 << 20


@dataclass(frozen=True, eq=False)
class Bins:
    """Which blocks may hold a place.

    Parameters
    ----------
    x0, y0 : float, corner of the first bin
    dx, dy : float, size of a bin
    shape : (rows, columns)
    turn : float or None, 360 where x are degrees of longitude
    first : intp, (bins + 1,), where each bin's list begins
    blocks : intp, the lists one after the other, the block nearest to the bin's middle first
    """

    x0: float
    y0: float
    dx: float
    dy: float
    shape: tuple[int, int]
    turn: float | None
    first: IndexArray
    blocks: IndexArray

    @property
    def nbytes(self) -> int:
        """Memory that it holds."""
        return self.first.nbytes + self.blocks.nbytes

    def listed(self, x: FloatArray, y: FloatArray) -> tuple[IndexArray, IndexArray]:
        """Where the list of each place's bin begins in blocks, and how long it is."""
        right, down = (x - self.x0) / self.dx, (y - self.y0) / self.dy
        if self.turn is not None:
            turn = self.turn / self.dx
            right -= turn * np.floor(right / turn)
        rows, columns = self.shape
        inside = (right >= 0) & (right <= columns) & (down >= 0) & (down <= rows)
        right, down = np.where(inside, right, 0), np.where(inside, down, 0)
        at = np.minimum(down.astype(np.intp), rows - 1) * columns
        at += np.minimum(right.astype(np.intp), columns - 1)
        begin = self.first[at]
        return begin, np.where(inside, self.first[at + 1] - begin, 0)


def bins_of_circles(middle: tuple[FloatArray, ...], reach: FloatArray, *, geographic: bool) -> Bins:
    """Bins that list every circle that may touch them.

    Parameters
    ----------
    middle : x, y in a plane, or the three components of unit vectors; float64, (blocks,)
    reach : float64, (blocks,), radius in the same unit
    """
    if geographic:
        x, y, half_x, half_y = _degrees(middle, reach)
    else:
        (x, y), half_x, half_y = middle, reach * 1.01, reach * 1.01
    step = max(float(np.median(half_y)), _FINE) if len(half_y) else 1.0
    x0, width = _span(x, half_x, turn=360.0 if geographic else None)
    y0, y1 = float((y - half_y).min(initial=0)), float((y + half_y).max(initial=0))
    if len(y):
        y0, y1 = float((y - half_y).min()), float((y + half_y).max())
    step = max(step, np.sqrt(width * (y1 - y0) / _MOST))
    columns, rows = max(1, int(width / step)), max(1, int((y1 - y0) / step))
    dx, dy = max(width / columns, _FINE), max((y1 - y0) / rows, _FINE)
    across = _range(x - half_x - x0, 2 * half_x, dx, columns, around=geographic)
    down = _range(y - half_y - y0, 2 * half_y, dy, rows, around=False)
    block, row, column = _spread(across, down)
    column %= columns
    middle_x, middle_y = x0 + (column + 0.5) * dx, y0 + (row + 0.5) * dy
    off = middle_x - x[block]
    if geographic:
        off -= 360 * np.rint(off / 360)
        off *= np.cos(np.radians(y[block]))
    away = off**2 + (middle_y - y[block]) ** 2
    at = row * columns + column
    order = np.lexsort((away, at))
    first = np.searchsorted(at[order], np.arange(rows * columns + 1))
    turn = 360.0 if geographic else None
    return Bins(x0, y0, dx, dy, (rows, columns), turn, first, block[order])


def _degrees(
    middle: tuple[FloatArray, ...], reach: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Longitude, latitude and half sizes of the boxes around caps of the globe, in degrees."""
    x, y, z = middle
    lon, lat = np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))
    radius = np.minimum(2 * np.arcsin(np.minimum(reach * 1.01 / 2, 1)), np.pi)
    sideways = np.full_like(lat, np.pi)
    clear = np.abs(lat) + radius < np.pi / 2 - 1e-9
    sideways[clear] = np.arcsin(np.sin(radius[clear]) / np.cos(lat[clear]))
    return np.degrees(lon), np.degrees(lat), np.degrees(sideways), np.degrees(radius)


def _span(x: FloatArray, half: FloatArray, turn: float | None) -> tuple[float, float]:
    """Where the columns of bins begin and how far they go."""
    if not len(x):
        return 0.0, 1.0
    if turn is None:
        return float((x - half).min()), max(float((x + half).max() - (x - half).min()), _FINE)
    angle = np.radians(x)
    about = float(np.degrees(np.arctan2(np.sin(angle).mean(), np.cos(angle).mean())))
    off = x - about
    off -= turn * np.rint(off / turn)
    low, high = float((off - half).min()), float((off + half).max())
    return (about + low, high - low) if high - low < turn / 2 else (-180.0, turn)


def _range(
    start: FloatArray, size: FloatArray, step: float, count: int, *, around: bool
) -> tuple[IndexArray, IndexArray]:
    """First bin and number of bins of intervals; round the globe at most all of them."""
    if around:
        start = start - 360 * np.floor((start + 1e-6) / 360)
    begin = np.floor(start / step).astype(np.intp)
    end = np.floor((start + size) / step).astype(np.intp) + 1
    if around and count * step > 360 - 1e-6:
        return begin, np.minimum(end - begin, count)
    begin, end = np.clip(begin, 0, count - 1), np.clip(end, 1, count)
    return begin, np.maximum(end - begin, 1)


def _spread(
    across: tuple[IndexArray, IndexArray], down: tuple[IndexArray, IndexArray]
) -> tuple[IndexArray, IndexArray, IndexArray]:
    """Every bin of every block: block, row, column."""
    counts = across[1] * down[1]
    block = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(block)) - np.repeat(np.cumsum(counts) - counts, counts)
    row, column = np.divmod(place, across[1][block])
    return block, row + down[0][block], column + across[0][block]
