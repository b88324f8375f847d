"""Values between cells, for styles that draw slopes and lines.

The window of cells around the picture is read as it is and interpolated: linearly, or by cubic
convolution (Keys 1981, a = -1/2). A pixel is valid where the cell that holds its centre is; cells
without value have no weight, and cubic weights fall back to linear ones beside them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.places import Places
from datacube.engine.values import Found, Wanted, find_values
from datacube.model.coverage import Level
from datacube.model.fields import Field
from datacube.model.query import Interpolation
from datacube.slicing.reduce import Reducer
from datacube.slicing.warp import Positions, SeparableMap, SeparablePositions

type FloatArray = NDArray[np.float64]
type IndexArray = NDArray[np.intp]
type Values = tuple[NDArray[np.floating], NDArray[np.bool_]]

_REACH = 2  # cells that the cubic kernel needs on each side


@dataclass(frozen=True, eq=False)
class _Row:
    """Cells along one axis and positions among them.

    Parameters
    ----------
    cells : intp, (n,), cells of the level that are read
    at : float64, positions in them: 0 is the centre of the first; NaN where outside
    """

    cells: IndexArray
    at: FloatArray


def find_smooth(
    context: Context,
    cube: Cube,
    wanted: Wanted,
    level: Level,
    found: Positions,
    places: Places,
    reducer: Reducer | None,
    method: Interpolation,
) -> Found:
    """Physical values at positions between cells.

    Parameters
    ----------
    level : Level, the one that is read
    found : Positions, in cells of the finest level
    method : ``bilinear`` or ``cubic``

    Returns
    -------
    Found
        Of a field without packing: float32, or float64 where the stored type needs it.
    """
    finest, grid = cube.description.levels[0].grid, level.grid
    rows = _row(found.v, finest.height, grid.height, level.factor, wraps=False)
    columns = _row(found.u, finest.width, grid.width, level.factor, wraps=finest.wraps)
    window = SeparableMap(rows.cells, columns.cells)
    read = find_values(context, cube, wanted, level.number, window, places, reducer)
    values = read.field.decode(read.data, read.valid)
    if isinstance(found, SeparablePositions):
        data, valid = interpolated(
            method, values, read.valid, rows.at[:, np.newaxis], columns.at[np.newaxis]
        )
    else:
        data, valid = interpolated(method, values, read.valid, rows.at, columns.at)
    return Found(_physical_field(read.field, data.dtype), data, valid)


def _physical_field(field: Field, dtype: np.dtype[np.floating]) -> Field:
    return Field(
        field.name,
        dtype.name,
        field.uom,
        title=field.title,
        standard_name=field.standard_name,
        valid_range=field.valid_range,
    )


def _row(position: FloatArray, size: int, count: int, factor: int, *, wraps: bool) -> _Row:
    """The cells of a level from the first to the last position and a few more on each side."""
    at = np.where((position >= 0) & (position <= size), position / factor - 0.5, np.nan)
    known = at[np.isfinite(at)]
    if not known.size:
        return _Row(np.array([-1]), at)
    low, high = float(known.min()), float(known.max())
    if wraps and high - low > count / 2:
        shifted = np.where(at < count / 2, at + size / factor, at)
        moved = shifted[np.isfinite(shifted)]
        if moved.max() - moved.min() < high - low:
            at, low, high = shifted, float(moved.min()), float(moved.max())
    first, last = int(np.floor(low)) - _REACH + 1, int(np.floor(high)) + _REACH
    if wraps and size == count * factor:
        cells = np.arange(first, last + 1) % count
    else:
        first, last = max(first, 0), min(last, count - 1)
        cells = np.arange(first, last + 1)
    return _Row(cells.astype(np.intp), at - first)


def interpolated(
    method: Interpolation,
    values: NDArray[np.floating],
    valid: NDArray[np.bool_],
    down: FloatArray,
    right: FloatArray,
) -> Values:
    """Values at positions.

    Parameters
    ----------
    values : float, (y, x) · valid : bool, (y, x)
    down, right : float64, (y, x), or (y, 1) and (1, x) where rows and columns are independent
        Positions along y and x: 0 is the centre of the first cell, NaN is outside.

    Examples
    --------
    >>> values = np.array([[0.0, 10.0], [20.0, 30.0]])
    >>> middle = np.array([[0.5]])
    >>> data, good = interpolated("bilinear", values, np.ones((2, 2), bool), middle, middle)
    >>> data.tolist(), good.tolist()
    ([[15.0]], [[True]])
    """
    outside = np.isnan(down) | np.isnan(right)
    down, right = np.nan_to_num(down), np.nan_to_num(right)
    filled = np.where(valid, values, 0)
    taps = 4 if method == "cubic" else 2
    if valid.all():
        return _sum(filled, down, right, taps), ~outside
    held = _nearest(valid, down, right) & ~outside
    share = _sum(valid.astype(values.dtype), down, right, 2)
    data = _sum(filled, down, right, 2) / np.where(share > 0, share, 1)
    if taps == 4:
        whole = _sum(valid.astype(values.dtype), down, right, 4, count=True) > 15.5
        data = np.where(whole, _sum(filled, down, right, 4), data)
    return data, held


def _nearest(valid: NDArray[np.bool_], down: FloatArray, right: FloatArray) -> NDArray[np.bool_]:
    height, width = valid.shape
    rows = np.clip(np.floor(down + 0.5), 0, height - 1).astype(np.intp)
    columns = np.clip(np.floor(right + 0.5), 0, width - 1).astype(np.intp)
    held: NDArray[np.bool_] = valid[rows, columns]
    return held


def _sum(
    values: NDArray[np.floating],
    down: FloatArray,
    right: FloatArray,
    taps: int,
    *,
    count: bool = False,
) -> NDArray[np.floating]:
    """Weighted sum over a square of cells around each position, or their plain sum."""
    rows = _taps(down, values.shape[0], taps, values.dtype, count=count)
    columns = _taps(right, values.shape[1], taps, values.dtype, count=count)
    if down.shape[1] == 1:  # rows and columns are independent: first one, then the other
        high = sum(weight * values.take(row[:, 0], axis=0) for row, weight in rows)
        return np.asarray(
            sum(weight * np.take(high, column[0], axis=1) for column, weight in columns)
        )
    flat, width = values.ravel(), values.shape[1]
    total = np.zeros(down.shape, values.dtype)
    for row, high in rows:
        start = row * width
        total += high * sum(weight * flat.take(start + column) for column, weight in columns)
    return total


def _taps(
    position: FloatArray, size: int, taps: int, dtype: np.dtype[np.floating], *, count: bool
) -> list[tuple[IndexArray, NDArray[np.floating]]]:
    """Cells around positions along one axis, the edge repeated, and their weights."""
    first = np.floor(position)
    t = (position - first).astype(dtype)
    if count:
        weights = [np.ones_like(t)] * taps
    elif taps == 2:
        weights = [1 - t, t]
    else:
        weights = [
            ((-0.5 * t + 1) * t - 0.5) * t,
            (1.5 * t - 2.5) * t * t + 1,
            ((-1.5 * t + 2) * t + 0.5) * t,
            (0.5 * t - 0.5) * t * t,
        ]
    start = first.astype(np.intp) - (taps // 2 - 1)
    return [(np.clip(start + k, 0, size - 1), weight) for k, weight in enumerate(weights)]
