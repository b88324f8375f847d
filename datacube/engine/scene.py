"""Layers whose style draws: relief, contour lines, arrows.

They are given values of a larger grid than the picture's, by the margin that the style needs, and
between cells smooth values, so that slopes and lines do not show the cells.
"""

import numpy as np

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.drawing import wanted_of
from datacube.engine.places import Places
from datacube.engine.resampled import find_resampled, sampling
from datacube.model.block import Image, IndexedImage, RgbaImage
from datacube.model.coverage import Level
from datacube.model.grid import RectifiedGrid
from datacube.render.paint import margin_of, paint
from datacube.render.scene import Scene
from datacube.render.style import Style, interpolation_of
from datacube.slicing.level import map_on_best_level
from datacube.slicing.reduce import Reducer

_BAND = 1 << 20  # pixels that are drawn at a time


def draw_scene(
    context: Context,
    cube: Cube,
    style: Style,
    grid: RectifiedGrid,
    places: Places,
    reducer: Reducer | None,
) -> Image:
    """One layer in a style that draws.

    A large picture is drawn in bands, which fit together as tiles do, so that its values need not
    be in memory all at once.

    Parameters
    ----------
    grid : RectifiedGrid, of the picture
    """
    level, _ = map_on_best_level(cube.description.levels, grid)
    rows = max(_BAND // grid.width, 64)
    bands = [
        _draw(
            context,
            cube,
            style,
            grid.window(top, 0, min(rows, grid.height - top), grid.width),
            level,
            places,
            reducer,
        )
        for top in range(0, grid.height, rows)
    ]
    return bands[0] if len(bands) == 1 else _below_one_another(bands)


def _draw(
    context: Context,
    cube: Cube,
    style: Style,
    grid: RectifiedGrid,
    level: Level,
    places: Places,
    reducer: Reducer | None,
) -> Image:
    margin = margin_of(style)
    wide = grid.window(-margin, -margin, grid.height + 2 * margin, grid.width + 2 * margin)
    how = sampling(cube, wide, interpolation_of(style), level)
    found = {
        name: find_resampled(context, cube, one, how, places, reducer)
        for name, one in wanted_of(style, cube.description).items()
    }
    return paint(
        style,
        {name: one.field for name, one in found.items()},
        {name: one.data for name, one in found.items()},
        {name: one.valid for name, one in found.items()},
        Scene(wide, margin, cube.description.domain.grid.crs),
    )


def _below_one_another(bands: list[Image]) -> Image:
    """Pictures of one style, from the top: of one palette, or with colours."""
    indexed = [band for band in bands if isinstance(band, IndexedImage)]
    if len(indexed) == len(bands):
        return IndexedImage(np.concatenate([band.index for band in indexed]), indexed[0].palette)
    return RgbaImage(np.concatenate([band.rgba().pixels for band in bands]))
