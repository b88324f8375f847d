"""Cells of a target in another plane that is too large to keep a position for each pixel.

They are found for some rows at a time, when these are read: the net of positions gives a window the
positions that the same pixels have in the whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from datacube.engine.cube import Cube
from datacube.engine.resampled import Sampling, sampling
from datacube.model.coverage import Level
from datacube.model.grid import RectifiedGrid
from datacube.model.query import Interpolation
from datacube.slicing.along import IndexArray
from datacube.slicing.cells import IndexMap, SeparableMap
from datacube.slicing.level import map_on_level

MOST = 1 << 20
"""Pixels whose positions are kept."""

LONGEST_ROW = 1 << 17
"""Pixels of a row: their positions are found for 64 rows at a time."""


@dataclass(frozen=True, eq=False)
class BandMap:
    """How the cells of some rows are found.

    Parameters
    ----------
    cube : Cube
    level : Level, the one that is read
    target : RectifiedGrid
    method : Interpolation
    around : SeparableMap
        The rectangle of that level's cells that all of them lie in, as far as they are asked for.
    """

    cube: Cube
    level: Level
    target: RectifiedGrid
    method: Interpolation
    around: SeparableMap

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the target."""
        return self.target.shape

    @property
    def bands(self) -> Iterator[slice]:
        """The rows in parts of about :data:`MOST` pixels."""
        height, width = self.shape
        rows = max(MOST // width, 1)
        return (slice(top, min(top + rows, height)) for top in range(0, height, rows))

    def of_rows(self, rows: slice) -> tuple[IndexMap, Sampling | None]:
        """Cells of some rows, and how values between them are found; None is the nearest."""
        target = self.target.window(rows.start, 0, rows.stop - rows.start, self.target.width)
        levels = self.cube.description.levels
        cells = map_on_level(levels, self.level, target, self.cube.inverses)
        if self.method == "nearest":
            return cells, None
        return cells, sampling(self.cube, target, self.method, self.level)


def rectangle(cells: IndexMap, factor: int) -> SeparableMap:
    """The cells of a coarser level that hold the given ones and all between them."""
    rows, columns = (_between(one, factor) for one in (cells.rows, cells.columns))
    return SeparableMap(rows, columns)


def _between(places: IndexArray, factor: int) -> IndexArray:
    inside = places[places >= 0] // factor
    return np.arange(inside.min(), inside.max() + 1) if inside.size else np.zeros(0, np.intp)


def is_kept(target: RectifiedGrid) -> bool:
    """Whether a target is small enough for the position of each pixel to be kept."""
    return prod(target.shape) <= MOST
