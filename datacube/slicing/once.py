"""Grids that go more than once round the globe: each longitude is shown once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datacube.model.bbox import BoundingBox
from datacube.model.grid import RectifiedGrid
from datacube.slicing.polygon import Outline
from datacube.slicing.warp import turn_of

BoolArray = NDArray[np.bool_]

_TINY = 1e-6  # of a column


@dataclass(frozen=True, eq=False)
class Once:
    """The columns that show something, and the region within which they do.

    Parameters
    ----------
    columns : bool, (x,)
    outline : Outline, optional
    """

    columns: BoolArray
    outline: Outline | None = None

    def inside(self, rows: slice) -> BoolArray:
        """Whether each cell of some rows shows something; (y, x)."""
        if self.outline is not None:
            return self.outline.inside(rows) & self.columns
        return np.broadcast_to(self.columns, (rows.stop - rows.start, len(self.columns)))


def once(grid: RectifiedGrid, own: BoundingBox, outline: Outline | None = None) -> Once | None:
    """One turn of a grid that has more: that of a coverage's own box, as far as it is on the grid.

    Returns
    -------
    once : None where the grid goes no more than once round

    Examples
    --------
    >>> from datacube.model.crs import CRS84
    >>> world = BoundingBox(-180, -90, 180, 90, CRS84)
    >>> wide = RectifiedGrid.from_bbox(BoundingBox(-270, -90, 270, 90, CRS84), 6, 2)
    >>> once(wide, world).columns.astype(int).tolist()
    [0, 1, 1, 1, 1, 0]
    """
    turn = turn_of(grid)
    if turn is None or grid.width <= turn + _TINY:
        return None
    first = (own.to_crs(grid.crs).left - grid.transform.c) / grid.dx
    begin = min(max(first, 0.0), grid.width - turn)
    centres = np.arange(grid.width) + 0.5
    return Once((centres > begin - _TINY) & (centres < begin + turn - _TINY), outline)
