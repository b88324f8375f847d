"""A grid as tripolar ocean models have it, by closed form, and the nearest of its cells.

South of 60° N rows are parallels. North of it they close in on a line between two poles of the
grid, across the North Pole, where the last row folds onto itself. The first and the last two
columns are the same places, and the two last rows mirror one another.
"""

import numpy as np
from numpy.typing import NDArray

from datacube.model.crs import Crs
from datacube.model.grid import ReferenceableGrid, on_sphere

FloatArray = NDArray[np.float64]

_JOINT = 60.0


def tripolar(columns: int = 72, rows: int = 40, cap: int = 20) -> ReferenceableGrid:
    """The grid: rows of parallels, then cap rows and one that repeats; two columns repeat.

    Parameters
    ----------
    columns : int, places once round, even
    rows : int, from 80° S to 60° N
    cap : int, rows north of it
    """
    along = (np.arange(columns + 2) % columns + 0.5) * 360.0 / columns
    south = -80.0 + (np.arange(rows) + 0.5) * (_JOINT + 80.0) / rows
    lon, lat = np.meshgrid((along + 73.0 + 180.0) % 360.0 - 180.0, south)
    share = (np.arange(cap + 1)[:, None] + 0.5) / cap
    share = np.where(share > 1, 2 - share, share)
    rim = np.tan(np.radians(90.0 - _JOINT) / 2)
    turn = np.radians(along)[None, :]
    turn = np.where(np.arange(cap + 1)[:, None] == cap, -turn, turn)
    across = rim * ((1 - share) * np.cos(turn) + share * 0.6 * np.cos(turn))
    beside = rim * (1 - share) * np.sin(turn)
    cap_lon = np.degrees(np.arctan2(beside, across)) + 73.0
    cap_lat = 90.0 - 2 * np.degrees(np.arctan(np.hypot(across, beside)))
    x = np.vstack([lon, (cap_lon + 180.0) % 360.0 - 180.0])
    return ReferenceableGrid(Crs.parse("EPSG:4326"), x, np.vstack([lat, cap_lat]))


def distances(grid: ReferenceableGrid, lon: FloatArray, lat: FloatArray) -> FloatArray:
    """Chords from places to the centres of all cells: float64, (places, cells), NaN for none."""
    cells = np.stack([one.ravel() for one in on_sphere(grid.x, grid.y)])
    places = np.stack([one.ravel() for one in on_sphere(lon, lat)], axis=-1)
    return np.sqrt(np.maximum(2 - 2 * places @ cells, 0))
