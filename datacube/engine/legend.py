"""The legend of a layer's style."""

from datacube.engine.context import Context
from datacube.model.block import RgbaImage
from datacube.render.legend import Look, legend
from datacube.render.style import fields_of


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
    known = found.cube.description.range_type
    fields = {name: known.field(name) for name in fields_of(chosen)}
    return legend(chosen, fields, Look(width=width, height=height))
