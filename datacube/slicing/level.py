"""Which overview answers a resolution."""

from math import floor, log2

from datacube.model.coverage import Level
from datacube.model.grid import RectifiedGrid
from datacube.slicing.cells import IndexMap, PixelMap
from datacube.slicing.pace import cells_per_pixel
from datacube.slicing.warp import net_of, positions, separable, to_cells

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
    if separable(finest.crs, target.crs):
        found = positions(finest, target)
        level = _level(levels, cells_per_pixel(found, finest))
        return level, to_cells(found, finest, level.factor)
    net = net_of(finest, target)
    level = _level(levels, net.pace())
    return level, PixelMap(*net.cells(level.factor))


def best_level(levels: tuple[Level, ...], target: RectifiedGrid) -> Level:
    """The level that :func:`map_on_best_level` chooses, without its index map."""
    finest = levels[0].grid
    if separable(finest.crs, target.crs):
        return _level(levels, cells_per_pixel(positions(finest, target), finest))
    return _level(levels, net_of(finest, target).pace())


def map_on_level(levels: tuple[Level, ...], level: Level, target: RectifiedGrid) -> IndexMap:
    """Which of a level's cells holds the centre of each pixel.

    Parameters
    ----------
    levels : finest first
    level : one of them
    target : RectifiedGrid, in any CRS
    """
    finest = levels[0].grid
    if separable(finest.crs, target.crs):
        return to_cells(positions(finest, target), finest, level.factor)
    return PixelMap(*net_of(finest, target).cells(level.factor))


def _level(levels: tuple[Level, ...], pace: float) -> Level:
    wanted = floor(log2(pace) + _TINY) if pace > 0 else len(levels) - 1
    return levels[min(max(wanted, 0), len(levels) - 1)]
