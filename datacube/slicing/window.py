"""The contiguous part of a source grid that a resampling reads."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datacube.model.query import Interpolation
from datacube.slicing.cells import SeparableMap
from datacube.slicing.footprint import AREA_METHODS, Footprint, from_centres
from datacube.slicing.sheets import EDGE
from datacube.slicing.warp import PixelPositions, Positions, SeparablePositions

FloatArray = NDArray[np.float64]

type _Change = Callable[[FloatArray], FloatArray]

_MARGIN = {"nearest": 0, "bilinear": 1, "cubic": 2}


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of cells.

    Parameters
    ----------
    row, column, height, width : int
        On a grid whose columns go round the globe the last columns may lie beyond its width.
    closed : bool
        Whether it holds all columns of such a grid: the last touches the first.
    """

    row: int
    column: int
    height: int
    width: int
    closed: bool = False

    def cells(self, columns: int) -> SeparableMap:
        """The cells to read, of a grid of so many columns."""
        return SeparableMap(
            self.row + np.arange(self.height), (self.column + np.arange(self.width)) % columns
        )


def on_level(found: Positions, factor: int) -> Positions:
    """Positions on the finest grid, in the cells of an overview."""
    return found if factor == 1 else _changed(found, lambda u: u / factor, lambda v: v / factor)


def window_of(
    found: Positions, shape: tuple[int, int], method: Interpolation, *, wraps: bool = False
) -> Window | None:
    """The cells that a method looks at; None where no pixel lies on the grid.

    Parameters
    ----------
    found : Positions on the grid, of a level that is read
    shape : (height, width) of the grid
    wraps : bool, whether the grid's last column touches the first

    Examples
    --------
    >>> found = SeparablePositions(np.array([35.5, 0.5, 1.5]), np.array([3.2]))
    >>> window_of(found, (18, 36), "bilinear", wraps=True)
    Window(row=2, column=34, height=3, width=5, closed=False)
    """
    height, width = shape
    turn = float(width) if wraps else None
    u_low, u_high, v_low, v_high = _looked_at(found, method, turn)
    rows = _cut(v_low, v_high, height)
    if rows is None:
        return None
    if not wraps:
        columns = _cut(u_low, u_high, width)
        return None if columns is None else _window(rows, columns)
    arc = _arc(u_low, u_high, width)
    if arc is None:
        return None
    start, size = arc
    if size >= width:
        return Window(rows[0], 0, rows[1] - rows[0], width, closed=True)
    return _window(rows, (start, start + size))


def on_window(found: Positions, window: Window, columns: int, *, wraps: bool = False) -> Positions:
    """Positions counted from the window's corner.

    Parameters
    ----------
    columns : int, number of columns of the grid
    """

    def across(u: FloatArray) -> FloatArray:
        u = u - window.column
        if wraps and not window.closed:
            slack = (columns - window.width) / 2
            u = u - columns * np.floor((u + slack) / columns)
        return u

    moved = _changed(found, across, lambda v: v - window.row)
    if found.extent is None or not wraps or window.closed:
        return moved
    shift = moved.u - found.u
    extent = found.extent
    kept = moved.extent or extent
    beside = Footprint(extent.u_low + shift, extent.u_high + shift, kept.v_low, kept.v_high)
    match moved:
        case SeparablePositions(u, v):
            return SeparablePositions(u, v, beside)
        case PixelPositions(u, v):
            return PixelPositions(u, v, beside)


def _changed(found: Positions, across: "_Change", down: "_Change") -> Positions:
    extent = found.extent
    if extent is not None:
        extent = Footprint(
            across(extent.u_low), across(extent.u_high), down(extent.v_low), down(extent.v_high)
        )
    match found:
        case SeparablePositions(u, v):
            return SeparablePositions(across(u), down(v), extent)
        case PixelPositions(u, v):
            return PixelPositions(across(u), down(v), extent)


def _looked_at(
    found: Positions, method: Interpolation, turn: float | None
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Lowest and highest place along columns and rows that each pixel looks at."""
    if method in AREA_METHODS:
        extent = found.extent or from_centres(found.u, found.v, turn)
        return extent.u_low, extent.u_high, extent.v_low, extent.v_high
    margin = _MARGIN[method]
    return found.u - margin, found.u + margin, found.v - margin, found.v + margin


def _window(rows: tuple[int, int], columns: tuple[int, int]) -> Window:
    return Window(rows[0], columns[0], rows[1] - rows[0], columns[1] - columns[0])


def _cut(low: FloatArray, high: FloatArray, size: int) -> tuple[int, int] | None:
    """First cell and one past the last that intervals touch."""
    touched = (high > -EDGE) & (low < size + EDGE)
    if not touched.any():
        return None
    first = int(np.floor(low[touched].min() + EDGE))
    last = int(np.floor(high[touched].max() + EDGE)) + 1
    return min(max(first, 0), size - 1), max(min(last, size), 1)


def _arc(low: FloatArray, high: FloatArray, size: int) -> tuple[int, int] | None:
    """First column and number of columns of the shortest arc that holds all intervals."""
    known = np.isfinite(low) & np.isfinite(high)
    if not known.any():
        return None
    first = np.floor(low[known] + EDGE).astype(np.intp)
    count = np.floor(high[known] + EDGE).astype(np.intp) - first + 1
    if int(count.max()) >= size:
        return 0, size
    begins = np.bincount(first % size, minlength=2 * size)
    ends = np.bincount(first % size + count, minlength=2 * size)
    depth = np.cumsum(begins - ends)
    used = (depth[:size] + depth[size:]) > 0
    if used.all():
        return 0, size
    places = np.flatnonzero(used)
    gaps = np.diff(np.append(places, places[0] + size))
    widest = int(gaps.argmax())
    start = int(places[(widest + 1) % len(places)])
    return start, size - int(gaps[widest]) + 1
