"""Places along a line, and the cells that hold them."""

import numpy as np
from numpy.typing import NDArray

from datacube.model.crs import Crs, transform
from datacube.model.geometry import Path
from datacube.model.grid import Grid, RectifiedGrid, ReferenceableGrid
from datacube.slicing.cells import PixelMap
from datacube.slicing.curvilinear import Inverse, Inverses
from datacube.slicing.sheets import snapped
from datacube.slicing.warp import PixelPositions, to_cells, turn_of

FloatArray = NDArray[np.float64]

_FAR = 1e12  # cells of a segment


def positions_at(
    grid: Grid, x: FloatArray, y: FloatArray, crs: Crs, inverses: Inverses | None = None
) -> tuple[FloatArray, FloatArray]:
    """Columns and rows of places, counted in cells from the grid's corner.

    Parameters
    ----------
    x, y : float64, (places,), in crs
    inverses : Inverses, optional
        Where the inverse of a referenceable grid is kept; on one the nearest cell is named.

    Returns
    -------
    u, v : float64, (places,); longitudes lie within a turn from the grid's first column
    """
    x, y = transform(x, y, crs, grid.crs)
    match grid:
        case RectifiedGrid():
            u, v = (x - grid.transform.c) / grid.dx, (y - grid.transform.f) / grid.dy
            return snapped(u, turn_of(grid)), snapped(v)
        case ReferenceableGrid():
            return _inverse(grid, inverses).locate(x, y, nearest=True)


def cells_at(
    grid: Grid, x: FloatArray, y: FloatArray, crs: Crs, inverses: Inverses | None = None
) -> PixelMap:
    """The cells that hold places; (1, places).

    Examples
    --------
    >>> from datacube.model.bbox import BoundingBox
    >>> from datacube.model.crs import CRS84
    >>> world = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 36, 18)
    >>> cells = cells_at(world, np.array([-175.0, 185.0, 0.0]), np.array([85.0, 0.0, 99.0]), CRS84)
    >>> cells.rows.tolist(), cells.columns.tolist()
    ([[0, 9, -1]], [[0, 0, -1]])
    """
    u, v = positions_at(grid, x, y, crs, inverses)
    cells = to_cells(PixelPositions(u[np.newaxis], v[np.newaxis]), grid)
    if not isinstance(cells, PixelMap):
        raise TypeError(type(cells))
    return cells


def places_along(grid: Grid, path: Path, inverses: Inverses | None = None) -> FloatArray:
    """Where a path is sampled, in vertices: 1.5 is half way from the second to the third.

    A joined path is sampled at its vertices, and between them so that no step is longer than a
    cell along columns or rows, of a referenceable grid than a usual cell.

    Examples
    --------
    >>> from datacube.model.bbox import BoundingBox
    >>> from datacube.model.crs import CRS84
    >>> world = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 36, 18)
    >>> places_along(world, Path(((0.0, 0.0), (40.0, 10.0), (41.0, 10.0)), CRS84, True)).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0, 2.0]
    """
    steps = _steps(grid, path, inverses)
    starts = np.cumsum(steps) - steps
    inner = np.arange(int(steps.sum())) - np.repeat(starts, steps)
    between = np.repeat(np.arange(len(steps)), steps) + inner / np.repeat(steps, steps)
    return np.append(between, float(len(steps)))


def count_along(grid: Grid, path: Path, inverses: Inverses | None = None) -> int:
    """How many places :func:`places_along` gives, before they are made."""
    return int(_steps(grid, path, inverses).sum()) + 1


def _steps(grid: Grid, path: Path, inverses: Inverses | None) -> NDArray[np.intp]:
    """Into how many parts each segment is cut."""
    if not path.joined:
        return np.ones(len(path.vertices) - 1, np.intp)
    x, y = np.array(path.vertices, np.float64).T
    x, y = transform(x, y, path.crs, grid.crs)
    dx, dy = _cell(grid, inverses)
    cells = np.maximum(np.abs(np.diff(x) / dx), np.abs(np.diff(y) / dy))
    cells = np.minimum(np.where(np.isfinite(cells), cells, 1.0), _FAR)
    return np.maximum(np.ceil(cells - 1e-9), 1).astype(np.intp)


def _cell(grid: Grid, inverses: Inverses | None) -> tuple[float, float]:
    """Width and height of a cell; of one with a position of its own the usual distance."""
    match grid:
        case RectifiedGrid():
            return grid.dx, grid.dy
        case ReferenceableGrid():
            return (_inverse(grid, inverses).spacing,) * 2


def _inverse(grid: ReferenceableGrid, inverses: Inverses | None) -> Inverse:
    return Inverse(grid) if inverses is None else inverses.of(grid)


def interpolated(values: FloatArray, places: FloatArray) -> FloatArray:
    """What a number of each vertex is at places along the path."""
    return np.interp(places, np.arange(len(values)), values)
