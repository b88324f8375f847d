"""The legend of a layer's style."""

from datacube.engine.context import Context
from datacube.engine.drawing import wanted_of
from datacube.model.block import RgbaImage
from datacube.render.legend import Look, legend


def draw_legend(
    context: Context,
    layer: str,
    style: str = "",
    width: int | None = None,
    height: int | None = None,
) -> RgbaImage:
    """What the colours of a style mean, with the unit of the field.

    Parameters
    ----------
    layer : str, layer name
    style : str, empty for the default
    width, height : int, pixels; as large as it needs where None

    Raises
    ------
    CoverageNotFound, StyleNotFound
        There is no such layer or style.
    """
    found = context.catalog.layer(layer)
    chosen = found.style(style)
    wanted = wanted_of(chosen, found.cube.description)
    fields = {name: one.field for name, one in wanted.items()}
    return legend(chosen, fields, Look(width=width, height=height))
