"""What a layer's style needs, and the ranges of its colours where nothing says them.

An expression, or a statistic such as a standard deviation, has no usual range. It is measured on
the whole of the cube's coarsest overview at the same times, so that neighbouring tiles agree, and
remembered; so is that of a ramp that asks for it.

A mask makes every field that is drawn an expression: the field where the mask is true, else no
data. So the most recent value, and what an aggregate counts, are of the cells that it keeps.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from datacube.algebra.show import shown_name
from datacube.engine.context import Context
from datacube.engine.cube import Cube, Layer
from datacube.engine.elsewhere import Elsewhere
from datacube.engine.places import Places
from datacube.engine.restyled import restyled
from datacube.engine.statistics import distribution
from datacube.engine.values import find_values
from datacube.engine.wanted import SHIFTED, Found, Wanted, wanted_expression, wanted_field
from datacube.errors import InvalidParameter
from datacube.model.coverage import CoverageDescription
from datacube.model.fields import Field
from datacube.model.query import LayerRequest
from datacube.model.restyle import Restyle
from datacube.model.symbolizer import RasterSymbolizer
from datacube.render.ranges import resolved
from datacube.render.stretch import stretched
from datacube.render.style import ColorRamp, Style, fields_of
from datacube.render.symbolized import Described
from datacube.slicing.cells import SeparableMap
from datacube.slicing.reduce import Reducer

SLD_STYLE = "sld"


def drawn_style(layer: Layer, request: LayerRequest) -> Style:
    """The style that a request means, with its changes.

    Raises
    ------
    StyleNotFound
        The layer has no such style, or there is no such colour map.
    InvalidParameter
        An expression with a style that is no colour ramp, or changes that a style cannot have.
    """
    style = layer.style(request.style)
    if request.expression:
        style = _expressed(layer, style, request)
    match request.restyle:
        case None:
            return style
        case Restyle() as change:
            return restyled(layer, style, change)
        case RasterSymbolizer() as symbolizer:
            return described(layer, symbolizer)


def described(layer: Layer, symbolizer: RasterSymbolizer) -> Style:
    """The style that a request's description means for a layer.

    Raises
    ------
    InvalidParameter
        A band is not there, or the channels are neither one nor three.
    """
    known = layer.cube.description.range_type
    style = Described(SLD_STYLE, symbolizer.title, "", symbolizer).style_for(
        [known.field(name) for name in layer.fields]
    )
    return stretched(style, lambda name: distribution(layer.cube.store, name))


def _expressed(layer: Layer, style: Style, request: LayerRequest) -> ColorRamp:
    """The style with the expression in place of its field."""
    ramps = [one for one in layer.styles if isinstance(one, ColorRamp)]
    ramp = (
        style
        if isinstance(style, ColorRamp)
        else (None if request.style else next(iter(ramps), None))
    )
    if ramp is None:
        raise InvalidParameter(
            f"an expression is drawn with a colour ramp; the style '{style.name}' is none",
            subject="STYLES",
        )
    own = bool(request.style and ramp.expression)
    return replace(
        ramp,
        field="expression",
        expression=request.expression,
        low=ramp.low if own else None,
        high=ramp.high if own else None,
    )


def wanted_of(
    style: Style, description: CoverageDescription, elsewhere: Elsewhere, mask: str = ""
) -> Mapping[str, Wanted]:
    """What a style draws, by the names it calls them.

    Parameters
    ----------
    mask : str, expression that is true where values are kept

    Raises
    ------
    InvalidExpression, FieldNotFound, CoverageNotFound
        The style's expression cannot be read, or names what is not there.
    """
    if isinstance(style, ColorRamp) and style.expression:
        text, name = masked(style.expression, mask), style.field
        return {name: wanted_expression(description, text, name, elsewhere)}
    known = description.range_type
    fields = {name: known.field(name) for name in fields_of(style)}
    if not mask:
        return {name: wanted_field(field) for name, field in fields.items()}
    return {
        name: wanted_where(description, field, mask, elsewhere) for name, field in fields.items()
    }


def masked(expression: str, mask: str) -> str:
    """The expression where the mask is true; itself without one."""
    return f"where({mask}, {expression}, nodata)" if mask else expression


def wanted_where(
    description: CoverageDescription, field: Field, mask: str, elsewhere: Elsewhere
) -> Wanted:
    """A field where a mask is true, as physical values; what it is stays known."""
    text = masked(shown_name(field.name), mask)
    found = wanted_expression(description, text, field.name, elsewhere)
    plain = replace(field, dtype=found.field.dtype, nil=None, scale=1.0, offset=0.0)
    return replace(found, field=plain)


def with_range(
    context: Context,
    cube: Cube,
    style: Style,
    wanted: Mapping[str, Wanted],
    places: Places,
    reducer: Reducer | None,
) -> Style:
    """The style with a measured range: where it is open, wished, or the reducer changes its sense.

    Parameters
    ----------
    style : whose range the request has not stated
    """
    if not isinstance(style, ColorRamp):
        return style
    shifted = reducer is not None and reducer.name in SHIFTED
    if not (shifted or style.measured) and (not style.expression or style.low is not None):
        return style
    one = wanted[style.field]
    others = tuple(other.state for other in one.others)
    key = (cube.snapshot, one.field.name, one.tree, reducer, places, others)
    ends = context.ranges.get(key, lambda: _measure(context, cube, one, places, reducer))
    open_style = replace(style, low=None, high=None, log=style.log and style.measured)
    bare = replace(one.field, valid_range=ends, standard_name="")
    return resolved(open_style, bare)


def _measure(
    context: Context, cube: Cube, wanted: Wanted, places: Places, reducer: Reducer | None
) -> tuple[float, float] | None:
    """Second and 98th percentile of the values on the coarsest overview."""
    level = cube.description.levels[-1]
    cells = SeparableMap(np.arange(level.grid.height), np.arange(level.grid.width))
    found = find_values(context, cube, wanted, level.number, cells, places, reducer)
    return _spread(found)


def _spread(found: Found) -> tuple[float, float] | None:
    values = found.field.decode(found.data, found.valid)[found.valid]
    if not values.size:
        return None
    low, high = (float(end) for end in np.percentile(values, [2, 98]))
    return (low, high) if low < high else (low - 0.5, low + 0.5)
