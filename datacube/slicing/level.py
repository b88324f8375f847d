"""Which overview answers a resolution."""

from math import floor, log2
from typing import assert_never

from affine import Affine

from datacube.model.coverage import Level
from datacube.model.grid import Grid, RectifiedGrid, ReferenceableGrid
from datacube.slicing.cells import IndexMap
from datacube.slicing.curvilinear import Inverses
from datacube.slicing.lines import Lines, lines_of
from datacube.slicing.net import Net
from datacube.slicing.pace import cells_per_pixel
from datacube.slicing.warp import Positions, net_of, positions, separable, to_cells

type Place = Positions | Net | Lines

_TINY = 1e-6
_SEEN = 512
_LARGEST = 4096


def map_on_best_level(
    levels: tuple[Level, ...], target: RectifiedGrid, inverses: Inverses | None = None
) -> tuple[Level, IndexMap]:
    """The coarsest level whose cells are not larger than the target's pixels, and its index map.

    The worse of the two directions decides, so that 256 pixels never span more than 512 cells of
    the chosen level as long as there is a coarser one. A target wholly outside gets the coarsest.

    Parameters
    ----------
    levels : finest first; factors are powers of 2, all grids share the first corner
    target : RectifiedGrid, in any CRS
    inverses : Inverses, optional
        Where the inverse of a referenceable grid is kept for the next time.

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
    found = _found(finest, target, inverses)
    level = _level(levels, _pace(found, finest, target, inverses))
    return level, _cells(found, finest, level)


def best_level(
    levels: tuple[Level, ...], target: RectifiedGrid, inverses: Inverses | None = None
) -> Level:
    """The level that :func:`map_on_best_level` chooses, without its index map.

    Of a target that is larger than pictures are, a sample decides; on a referenceable grid, whose
    positions cost much, of a smaller one too.
    """
    finest = levels[0].grid
    match finest:
        case RectifiedGrid():
            step = max(max(target.shape) // _LARGEST, 1)
        case ReferenceableGrid():
            step = max(min(target.shape) // _SEEN, 1)
        case _:
            assert_never(finest)
    height, width = (-(-size // step) for size in target.shape)
    some = RectifiedGrid(target.crs, target.transform @ Affine.scale(step), width, height)
    found = _found(finest, some, inverses)
    return _level(levels, _pace(found, finest, some, inverses) / step)


def map_on_level(
    levels: tuple[Level, ...],
    level: Level,
    target: RectifiedGrid,
    inverses: Inverses | None = None,
) -> IndexMap:
    """Which of a level's cells holds the centre of each pixel.

    Parameters
    ----------
    levels : finest first
    level : one of them
    target : RectifiedGrid, in any CRS
    inverses : Inverses, optional
    """
    finest = levels[0].grid
    return _cells(_found(finest, target, inverses), finest, level)


def _found(finest: Grid, target: RectifiedGrid, inverses: Inverses | None) -> Place:
    """Where the pixels are: a net of positions where PROJ is needed for each of them."""
    if not isinstance(finest, RectifiedGrid):
        return positions(finest, target, inverses=inverses)
    if not separable(finest.crs, target.crs):
        return net_of(finest, target)
    return lines_of(finest, target) or positions(finest, target)


def _pace(found: Place, finest: Grid, target: RectifiedGrid, inverses: Inverses | None) -> float:
    """Cells that a pixel spans; where there is one in a row or column, with a neighbour of it."""
    if 1 in target.shape:
        height, width = (max(size, 2) for size in target.shape)
        wider = RectifiedGrid(target.crs, target.transform, width, height)
        found = _found(finest, wider, inverses)
    return found.pace() if isinstance(found, Net | Lines) else cells_per_pixel(found, finest)


def _level(levels: tuple[Level, ...], pace: float) -> Level:
    wanted = floor(log2(pace) + _TINY) if pace > 0 else len(levels) - 1
    return levels[min(max(wanted, 0), len(levels) - 1)]


def _cells(found: Place, finest: Grid, level: Level) -> IndexMap:
    if isinstance(found, Net | Lines):
        return found.cells(level.factor)
    return to_cells(found, finest, level.factor)
