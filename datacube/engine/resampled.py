"""Values between cells, or over the cells under a pixel: read a window, then resample it.

The window of cells around the pixels is read as it is (and its steps made one), then one of the
methods of :mod:`datacube.slicing.resample` gives the pixels' values. Nearest needs no window.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.places import Places
from datacube.engine.values import find_each
from datacube.engine.wanted import Found, Wanted
from datacube.model.coverage import Level
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.model.query import Interpolation
from datacube.slicing.reduce import Reducer
from datacube.slicing.resample import resample
from datacube.slicing.warp import Positions, positions
from datacube.slicing.window import on_level, on_window, window_of

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
    found = positions(finest, target, method, cube.inverses)
    return Sampling(method, level, on_level(found, level.factor))


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
    reducers = () if reducer is None else (reducer,)
    return resample_each(context, cube, wanted, how, places, reducers)[0]


def resample_each(
    context: Context,
    cube: Cube,
    wanted: Wanted,
    how: Sampling,
    places: Places,
    reducers: Sequence[Reducer],
) -> tuple[Found, ...]:
    """The same by each of some reducers, which read once; by the most recent value without any."""
    grid = how.level.grid
    window = window_of(how.found, grid.shape, how.method, wraps=grid.wraps)
    if window is None:
        empty = np.zeros(how.found.shape, wanted.field.dtype)
        nothing = Found(wanted.field, empty, np.zeros(how.found.shape, bool))
        return (nothing,) * max(len(reducers), 1)
    cells, number = window.cells(grid.width), how.level.number
    moved = on_window(how.found, window, grid.width, wraps=grid.wraps)
    read = find_each(context, cube, wanted, number, cells, places, reducers)
    return tuple(_between(one, how.method, moved, wraps=window.closed) for one in read)


def _between(read: Found, method: Interpolation, found: Positions, *, wraps: bool) -> Found:
    """Values at positions among those that were read."""
    if method in _KEEP:
        data, valid = resample(method, read.data, read.valid, found, wraps=wraps)
        return Found(read.field, data, valid)
    physical = read.field.decode(read.data, read.valid)
    data, valid = resample(method, physical, read.valid, found, wraps=wraps)
    return Found(resampled_field(read.field), data.astype(physical.dtype, copy=False), valid)


def resampled_field(one: Field, method: Interpolation = "bilinear") -> Field:
    """What resampled values are: as stored where they occur, else physical numbers."""
    if method in _KEEP:
        return one
    return replace(
        one, dtype=one.physical_dtype.name, nil=None, scale=1.0, offset=0.0, categories=()
    )
