"""How much of a place each time has data for: seen on the coarsest overview, which is small."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.steps import StepReader
from datacube.engine.wanted import wanted_field
from datacube.model.bbox import BoundingBox
from datacube.model.grid import RectifiedGrid
from datacube.slicing.cells import SeparableMap

IndexArray = NDArray[np.intp]


def shares_of_data(
    context: Context, cube: Cube, places: Sequence[int], box: BoundingBox | None = None
) -> tuple[float, ...]:
    """Share of the cells with data at each time, of the first field and places of other axes.

    Parameters
    ----------
    places : indexes along time
    box : BoundingBox, optional; the whole cube where None, and where cells have positions

    Returns
    -------
    shares : float, 0 … 1, one for each place; 0 beside the cube

    Raises
    ------
    StorageError
        A chunk cannot be read.
    """
    domain, level = cube.description.domain, cube.description.levels[-1]
    height, width = level.grid.shape
    rows, columns = np.arange(height), np.arange(width)
    if box is not None and isinstance(level.grid, RectifiedGrid):
        rows, columns = _cells_in(level.grid, box)
    if not (rows.size and columns.size):
        return (0.0,) * len(places)
    wanted = wanted_field(cube.description.range_type.fields[0])
    reader = StepReader(context, cube, wanted, level.number, SeparableMap(rows, columns))
    first = (0,) * (len(domain.axes) - 1)
    return tuple(float(reader.read((place, *first))[1].mean()) for place in places)


def _cells_in(grid: RectifiedGrid, box: BoundingBox) -> tuple[IndexArray, IndexArray]:
    """Rows and columns of the cells that a box touches."""
    placed = box.to_crs(grid.crs).unwrapped()
    y, x = grid.y_centres(), grid.x_centres()
    half_x, half_y = abs(grid.dx) / 2, abs(grid.dy) / 2
    rows = np.flatnonzero((y + half_y > placed.bottom) & (y - half_y < placed.top))
    turns = (-360.0, 0.0, 360.0) if grid.crs.geographic else (0.0,)
    touched = [
        (x + turn + half_x > placed.left) & (x + turn - half_x < placed.right) for turn in turns
    ]
    return rows, np.flatnonzero(np.any(touched, axis=0))
