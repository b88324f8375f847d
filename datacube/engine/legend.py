"""The legend of a layer's style."""

from collections.abc import Mapping

from datacube.engine.context import Context
from datacube.engine.cube import Layer
from datacube.model.block import RgbaImage
from datacube.model.fields import Field
from datacube.render.legend import Look, legend
from datacube.render.style import ColorRamp, Style, fields_of


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
    return legend(chosen, drawn_fields(found, chosen), Look(width=width, height=height))


def drawn_fields(layer: Layer, style: Style) -> Mapping[str, Field]:
    """What a style draws of a layer, by the names it calls them; an expression is a field too."""
    if isinstance(style, ColorRamp) and style.expression:
        return {style.field: Field(style.field, "float32", title=style.title or style.expression)}
    known = layer.cube.description.range_type
    return {name: known.field(name) for name in fields_of(style)}
