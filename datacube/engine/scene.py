"""Layers whose style draws: relief, contour lines, arrows.

They are given values of a larger grid than the picture's, by the margin that the style needs, and
between cells smooth values, so that slopes and lines do not show the cells.
"""

from collections.abc import Mapping

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.places import Places
from datacube.engine.resampled import find_resampled, sampling
from datacube.engine.wanted import Wanted
from datacube.model.block import Image
from datacube.model.coverage import Level
from datacube.model.grid import RectifiedGrid
from datacube.render.paint import margin_of, paint
from datacube.render.scene import Scene
from datacube.render.style import Style, interpolation_of
from datacube.slicing.reduce import Reducer


def draw_scene(
    context: Context,
    cube: Cube,
    style: Style,
    wanted: Mapping[str, Wanted],
    grid: RectifiedGrid,
    level: Level,
    places: Places,
    reducer: Reducer | None,
) -> Image:
    """One layer in a style that draws.

    Parameters
    ----------
    wanted : what the style draws, by the names it calls them
    grid : RectifiedGrid, of the picture
    level : Level, the one that is read
    """
    margin = margin_of(style)
    wide = grid.window(-margin, -margin, grid.height + 2 * margin, grid.width + 2 * margin)
    how = sampling(cube, wide, interpolation_of(style), level)
    found = {
        name: find_resampled(context, cube, one, how, places, reducer)
        for name, one in wanted.items()
    }
    return paint(
        style,
        {name: one.field for name, one in found.items()},
        {name: one.data for name, one in found.items()},
        {name: one.valid for name, one in found.items()},
        Scene(wide, margin, cube.description.domain.grid.crs),
    )
