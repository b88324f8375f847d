"""What a legend of a layer is drawn of: its style as a map shows it, and its fields."""

from collections.abc import Mapping
from dataclasses import replace

from datacube.engine.context import Context
from datacube.engine.cube import Layer
from datacube.engine.drawing import with_range
from datacube.engine.map import plan_layer
from datacube.engine.wanted import reduced_field
from datacube.model.fields import Field
from datacube.model.query import LayerRequest
from datacube.render.style import ColorRamp, Style, fields_of


def shown_style(context: Context, request: LayerRequest) -> tuple[Style, Mapping[str, Field]]:
    """The style as a map of the request is drawn, and the fields it draws, by its names for them.

    Parameters
    ----------
    request : LayerRequest
        As for a map: its style with its changes, and the times that a range is measured at.

    Raises
    ------
    CoverageNotFound, StyleNotFound
    """
    planned = plan_layer(context, request)
    style, reducer = planned.style, planned.reducer
    fields = {name: one.field for name, one in planned.drawn.items()}
    if reducer is not None:
        fields = {
            name: reduced_field(one, reducer, one.physical_dtype) for name, one in fields.items()
        }
    if isinstance(style, ColorRamp) and style.expression:
        title = request.expression or style.title or style.expression
        fields = {style.field: replace(fields[style.field], title=title)}
    if not planned.ranged:
        cube, places = planned.cube, planned.places
        style = with_range(context, cube, style, planned.drawn, places, reducer)
    return style, fields


def drawn_fields(layer: Layer, style: Style) -> Mapping[str, Field]:
    """What a style draws of a layer, by the names it calls them; an expression is a field too."""
    if isinstance(style, ColorRamp) and style.expression:
        return {style.field: Field(style.field, "float32", title=style.title or style.expression)}
    known = layer.cube.description.range_type
    return {name: known.field(name) for name in fields_of(style)}
