"""Index maps of tiles, put together of one line of columns and one of rows that are remembered.

Where columns depend on x alone and rows on y alone, the tiles of a matrix share few of them: 64
lines of columns and 64 of rows make 4096 tiles, at all times.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from datacube.model.crs import Crs
from datacube.model.grid import RectifiedGrid
from datacube.slicing.along import Along
from datacube.slicing.cells import SeparableMap
from datacube.slicing.pace import pace_along
from datacube.slicing.sheets import cells_within
from datacube.slicing.warp import columns_of, independent, rows_of

_LONGEST = 512  # pixels; larger maps lie anywhere
_KEPT = 1024


@dataclass(frozen=True, eq=False)
class Line:
    """Positions of pixels along one axis of a source grid.

    Parameters
    ----------
    position : float64, (n,), in cells
    size : int, number of cells
    pace : float, cells that a pixel spans; 0 for a line outside
    """

    position: NDArray[np.float64]
    size: int
    pace: float
    _found: dict[int, Along] = field(default_factory=dict, init=False)

    def cells(self, factor: int) -> Along:
        """Which cell of an overview holds each pixel; read-only."""
        found = self._found.get(factor)
        if found is None:
            cells = cells_within(self.position, self.size, factor)
            cells.setflags(write=False)
            found = self._found[factor] = Along(cells)
        return found


@dataclass(frozen=True, eq=False, slots=True)
class Lines:
    """Where the pixels of a tile lie.

    Parameters
    ----------
    down, across : Line, of rows and of columns
    """

    down: Line
    across: Line

    def pace(self) -> float:
        """Cells that a pixel spans along its worse axis; 0 for a tile outside."""
        down, across = self.down.pace, self.across.pace
        return max(down, across) if down and across else 0.0

    def cells(self, factor: int) -> SeparableMap:
        """Which cell of an overview holds each pixel."""
        return SeparableMap.of(self.down.cells(factor), self.across.cells(factor))


def lines_of(source: RectifiedGrid, target: RectifiedGrid) -> Lines | None:
    """The lines of a tile; None of what is no tile, or where an axis does not stand alone.

    Examples
    --------
    >>> from datacube.model.bbox import BoundingBox
    >>> from datacube.model.crs import CRS84
    >>> world = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 720, 360)
    >>> east = RectifiedGrid.from_bbox(BoundingBox(0, -90, 180, 90, CRS84), 180, 180)
    >>> found = lines_of(world, east)
    >>> found.pace(), found.cells(2).columns[:2].tolist()
    (2.0, [180, 181])
    """
    small = min(target.shape) > 1 and max(target.shape) <= _LONGEST
    if not (small and independent(source.crs, target.crs)):
        return None
    frame = target.transform
    return Lines(
        _down(source, target.crs, frame.f, frame.e, target.height),
        _across(source, target.crs, frame.c, frame.a, target.width),
    )


@lru_cache(maxsize=_KEPT)
def _down(source: RectifiedGrid, crs: Crs, top: float, step: float, count: int) -> Line:
    column = RectifiedGrid(crs, Affine(1.0, 0.0, 0.0, 0.0, step, top), 1, count)
    rows = rows_of(source, column)
    return Line(rows, source.height, pace_along(rows, source.height))


@lru_cache(maxsize=_KEPT)
def _across(source: RectifiedGrid, crs: Crs, left: float, step: float, count: int) -> Line:
    row = RectifiedGrid(crs, Affine(step, 0.0, left, 0.0, 1.0, 0.0), count, 1)
    columns = columns_of(source, row)
    return Line(columns, source.width, pace_along(columns, source.width))
