"""Which overview answers a resolution."""

from math import floor, log2

from datacube.model.coverage import Level
from datacube.model.grid import RectifiedGrid
from datacube.slicing.cells import IndexMap
from datacube.slicing.pace import cells_per_pixel
from datacube.slicing.warp import positions, to_cells

_TINY = 1e-6


def map_on_best_level(levels: tuple[Level, ...], target: RectifiedGrid) -> tuple[Level, IndexMap]:
    """The coarsest level whose cells are not larger than the target's pixels, and its index map.

    The worse of the two directions decides, so that 256 pixels never span more than 512 cells of
    the chosen level as long as there is a coarser one. A target wholly outside gets the coarsest.

    Parameters
    ----------
    levels : finest first; factors are powers of 2, all grids share the first corner
    target : RectifiedGrid, in any CRS

    Returns
    -------
    level, map : the level, and which of its cells holds each pixel's centre

    Examples
    --------
    >>> from datacube.model.bbox import BoundingBox
    >>> from datacube.model.crs import CRS84
    >>> world = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 720, 360)
    >>> levels = (Level(0, 1, world), Level(1, 2, world.coarsened(2)))
    >>> small = RectifiedGrid.from_bbox(world.bbox, 256, 128)
    >>> map_on_best_level(levels, small)[0].number
    1
    """
    finest = levels[0].grid
    found = positions(finest, target)
    ratio = cells_per_pixel(found, finest)
    wanted = floor(log2(ratio) + _TINY) if ratio > 0 else len(levels) - 1
    level = levels[min(max(wanted, 0), len(levels) - 1)]
    return level, to_cells(found, finest, level.factor)
