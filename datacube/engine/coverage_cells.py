"""Which level of a cube, and which of its cells, answer the grid of a coverage."""

from datacube.engine.bandmap import LONGEST_ROW, BandMap, is_kept, rectangle
from datacube.engine.cube import Cube
from datacube.errors import InvalidScaling
from datacube.model.coverage import Level
from datacube.model.grid import RectifiedGrid
from datacube.model.query import Interpolation
from datacube.slicing.cells import IndexMap
from datacube.slicing.footprint import AREA_METHODS
from datacube.slicing.level import best_level, map_on_best_level
from datacube.slicing.warp import positions, separable, to_cells

_MOST_CELLS = 64 << 20


def cells_for(
    cube: Cube, target: RectifiedGrid, window: IndexMap, method: Interpolation
) -> tuple[Level, IndexMap | BandMap]:
    """The level that is read for a target, and its cells.

    Those of a large target of another plane are found band by band, when they are read.

    Parameters
    ----------
    cube : Cube
    target : RectifiedGrid, of the answer
    window : IndexMap, cells of the finest level that the target may show
    method : how values are found between cells

    Raises
    ------
    InvalidScaling
        The rows of a target of another plane are too long.
    """
    if _on_axes(cube, target) or is_kept(target):
        return _found(cube, target, method)
    return _in_bands(cube, target, window, method)


def _found(cube: Cube, target: RectifiedGrid, method: Interpolation) -> tuple[Level, IndexMap]:
    """The level that is read for a target, and its cells."""
    levels = cube.description.levels
    level, cells = map_on_best_level(levels, target, cube.inverses)
    if method in AREA_METHODS:
        level = _finest_affordable(levels, level, target)
        found = positions(levels[0].grid, target, inverses=cube.inverses)
        cells = to_cells(found, levels[0].grid, level.factor)
    return level, cells


def _on_axes(cube: Cube, target: RectifiedGrid) -> bool:
    """Whether rows and columns of a target are found apart, in little memory."""
    own = cube.description.domain.grid
    return isinstance(own, RectifiedGrid) and separable(own.crs, target.crs)


def _in_bands(
    cube: Cube, target: RectifiedGrid, window: IndexMap, method: Interpolation
) -> tuple[Level, BandMap]:
    """The level that is read for a large target of another plane, and how its cells are found."""
    if target.width > LONGEST_ROW:
        raise InvalidScaling(
            f"rows of {target.width} cells in another CRS are too long; up to {LONGEST_ROW} are "
            "found",
            subject="SCALESIZE",
        )
    levels = cube.description.levels
    level = best_level(levels, target, cube.inverses)
    if method in AREA_METHODS:
        level = _finest_affordable(levels, level, target)
    return level, BandMap(cube, level, target, method, rectangle(window, level.factor))


def _finest_affordable(levels: tuple[Level, ...], coarse: Level, target: RectifiedGrid) -> Level:
    """The level whose cells an area method looks at: the finest that is not too many of them."""
    for level in levels[: coarse.number + 1]:
        share = (2**coarse.number / level.factor) ** 2
        if 4 * share * target.width * target.height <= _MOST_CELLS:
            return level
    return coarse
