"""What a layer's style needs, and the ranges of its colours where nothing says them.

An expression, or a statistic such as a standard deviation, has no usual range. It is measured on
the whole of the cube's coarsest overview at the same times, so that neighbouring tiles agree, and
remembered.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from datacube.engine.context import Context
from datacube.engine.cube import Cube, Layer
from datacube.engine.elsewhere import Elsewhere
from datacube.engine.places import Places
from datacube.engine.values import find_values
from datacube.engine.wanted import Found, Wanted, wanted_expression, wanted_field
from datacube.errors import InvalidParameter
from datacube.model.coverage import CoverageDescription
from datacube.model.query import LayerRequest
from datacube.render.ranges import resolved
from datacube.render.style import ColorRamp, Style, fields_of
from datacube.slicing.cells import SeparableMap
from datacube.slicing.reduce import Reducer

_SHIFTED = frozenset({"count", "std", "var", "range", "sum", "any", "all"})


def drawn_style(layer: Layer, request: LayerRequest) -> Style:
    """The style that a request means; its expression takes the place of the style's field.

    Raises
    ------
    StyleNotFound
        The layer has no such style.
    InvalidParameter
        An expression with a style that is no colour ramp.
    """
    style = layer.style(request.style)
    if not request.expression:
        return style
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
    style: Style, description: CoverageDescription, elsewhere: Elsewhere
) -> Mapping[str, Wanted]:
    """What a style draws, by the names it calls them.

    Raises
    ------
    InvalidExpression, FieldNotFound, CoverageNotFound
        The style's expression cannot be read, or names what is not there.
    """
    if isinstance(style, ColorRamp) and style.expression:
        text, name = style.expression, style.field
        return {name: wanted_expression(description, text, name, elsewhere)}
    known = description.range_type
    return {name: wanted_field(known.field(name)) for name in fields_of(style)}


def with_range(
    context: Context,
    cube: Cube,
    style: Style,
    wanted: Mapping[str, Wanted],
    places: Places,
    reducer: Reducer | None,
) -> Style:
    """The style with a measured range, where it is open or the reducer changes what it means."""
    if not isinstance(style, ColorRamp):
        return style
    shifted = reducer is not None and reducer.name in _SHIFTED
    if not shifted and (not style.expression or style.low is not None):
        return style
    one = wanted[style.field]
    others = tuple(other.state for other in one.others)
    key = (cube.snapshot, one.field.name, style.expression, reducer, places, others)
    ends = context.ranges.get(key, lambda: _measure(context, cube, one, places, reducer))
    open_style = replace(style, low=None, high=None, log=False)
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
    values = found.data[found.valid]
    if not values.size:
        return None
    low, high = (float(end) for end in np.percentile(values, [2, 98]))
    return (low, high) if low < high else (low - 0.5, low + 0.5)
