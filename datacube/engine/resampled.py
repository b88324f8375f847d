"""Values between cells, or over the cells under a pixel: read a window, then resample it.

The window of cells around the pixels is read as it is (and its steps made one), then one of the
methods of :mod:`datacube.slicing.resample` gives the pixels' values. Nearest needs no window.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.places import Places
from datacube.engine.values import Found, Wanted, find_values
from datacube.model.coverage import Level
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.model.query import Interpolation
from datacube.slicing.footprint import Footprint
from datacube.slicing.reduce import Reducer
from datacube.slicing.resample import resample
from datacube.slicing.warp import (
    PixelPositions,
    Positions,
    SeparableMap,
    SeparablePositions,
    positions,
)

type FloatArray = NDArray[np.float64]
type Change = Callable[[FloatArray], FloatArray]

_MARGIN = 2
_KEEP = frozenset({"nearest", "mode", "min", "max"})


@dataclass(frozen=True, slots=True)
class Sampling:
    """How and from where values are resampled.

    Parameters
    ----------
    method : Interpolation
    level : Level, the one that is read
    found : Positions of the pixels, in cells of that level
    """

    method: Interpolation
    level: Level
    found: Positions


def sampling(cube: Cube, target: RectifiedGrid, method: Interpolation, level: Level) -> Sampling:
    """Where the pixels of a target lie on a level."""
    finest = cube.description.levels[0].grid
    return Sampling(method, level, _scaled(positions(finest, target, method), level.factor))


def find_resampled(
    context: Context,
    cube: Cube,
    wanted: Wanted,
    how: Sampling,
    places: Places,
    reducer: Reducer | None = None,
) -> Found:
    """Values of the pixels, the steps made one before.

    Returns
    -------
    Found
        As stored where the method gives values that occur, else physical: float32, or float64
        where the stored type needs it.
    """
    grid = how.level.grid
    wraps = cube.description.levels[0].grid.wraps and grid.wraps
    found = _over_the_seam(how.found, grid.width) if wraps else how.found
    window = SeparableMap(
        _reach(found, grid.height, "v"), _reach(found, grid.width, "u", wraps=wraps)
    )
    if not (window.rows.size and window.columns.size):
        empty = np.zeros(found.shape, wanted.field.dtype)
        return Found(wanted.field, empty, np.zeros(found.shape, bool))
    read = find_values(context, cube, wanted, how.level.number, window, places, reducer)
    whole = wraps and window.columns.size == grid.width
    moved = _moved(found, _first(found, "u", window.columns, wraps=wraps), int(window.rows[0]))
    if how.method in _KEEP:
        data, valid = resample(how.method, read.data, read.valid, moved, wraps=whole)
        return Found(read.field, data, valid)
    physical = read.field.decode(read.data, read.valid)
    data, valid = resample(how.method, physical, read.valid, moved, wraps=whole)
    return Found(resampled_field(read.field), data.astype(physical.dtype, copy=False), valid)


def resampled_field(one: Field, method: Interpolation = "bilinear") -> Field:
    """What resampled values are: as stored where they occur, else physical numbers."""
    if method in _KEEP:
        return one
    return replace(
        one, dtype=one.physical_dtype.name, nil=None, scale=1.0, offset=0.0, categories=()
    )


def _reach(found: Positions, size: int, which: str, *, wraps: bool = False) -> NDArray[np.intp]:
    """The cells along one axis from the first to the last that a pixel looks at, and two more."""
    low, high = _ends(found, which)
    if not low <= high:
        return np.zeros(0, np.intp)
    first, last = int(np.floor(low)) - _MARGIN, int(np.floor(high)) + _MARGIN
    if wraps:
        return np.arange(size) if last - first >= size else np.arange(first, last + 1) % size
    return np.arange(max(first, 0), min(last, size - 1) + 1)


def _first(found: Positions, which: str, cells: NDArray[np.intp], *, wraps: bool) -> int:
    """Where the window begins, not brought back into the grid where it goes over a seam."""
    if not wraps or (np.diff(cells) > 0).all():
        return int(cells[0])
    return int(np.floor(_ends(found, which)[0])) - _MARGIN


def _over_the_seam(found: Positions, size: int) -> Positions:
    """Columns on both sides of the seam as one run, where that is narrower."""
    u = found.u
    known = u[np.isfinite(u)]
    if not known.size:
        return found
    turned = np.where(u < size / 2, u + size, u)
    moved = turned[np.isfinite(turned)]
    if moved.max() - moved.min() >= known.max() - known.min():
        return found
    by = turned - u
    extent = found.extent
    if extent is not None:
        extent = replace(extent, u_low=extent.u_low + by, u_high=extent.u_high + by)
    return replace(found, u=turned, extent=extent)


def _ends(found: Positions, which: str) -> tuple[float, float]:
    arrays = [getattr(found, which)]
    if found.extent is not None:
        arrays += [getattr(found.extent, f"{which}_low"), getattr(found.extent, f"{which}_high")]
    known = [one[np.isfinite(one)] for one in arrays]
    if not any(one.size for one in known):
        return np.inf, -np.inf
    return (
        min(float(one.min()) for one in known if one.size),
        max(float(one.max()) for one in known if one.size),
    )


def _scaled(found: Positions, factor: int) -> Positions:
    return found if factor == 1 else _each(found, lambda u: u / factor, lambda v: v / factor)


def _moved(found: Positions, column: int, row: int) -> Positions:
    return _each(found, lambda u: u - column, lambda v: v - row)


def _each(found: Positions, of_u: Change, of_v: Change) -> Positions:
    extent = found.extent
    if extent is not None:
        extent = Footprint(
            of_u(extent.u_low), of_u(extent.u_high), of_v(extent.v_low), of_v(extent.v_high)
        )
    match found:
        case SeparablePositions(u, v):
            return SeparablePositions(of_u(u), of_v(v), extent)
        case PixelPositions(u, v):
            return PixelPositions(of_u(u), of_v(v), extent)
