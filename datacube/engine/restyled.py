"""A layer's style as a request changes it."""

from dataclasses import replace
from typing import assert_never

import numpy as np

from datacube.engine.cube import Layer
from datacube.errors import InvalidParameter, StyleNotFound
from datacube.model.restyle import Beyond, Restyle
from datacube.render.colormap import canonical
from datacube.render.ramp import Rgba
from datacube.render.style import (
    Arrows,
    Categories,
    ColorRamp,
    ColorStops,
    Composite,
    Contours,
    Hillshade,
    Style,
    ramp_of,
)

_LINES = 10  # contour lines over a range that does not say how many


def restyled(layer: Layer, style: Style, change: Restyle) -> Style:
    """The style with the changes.

    Parameters
    ----------
    style : of the layer, the one that was asked for or its default

    Raises
    ------
    StyleNotFound
        The layer cannot be drawn in that way, or there is no such colour map.
    InvalidParameter
        A style without a colour ramp is to change its colours, or the range cannot be meant.
    """
    return _zoomed(_changed(layer, style, change), change.zoom)


def _changed(layer: Layer, style: Style, change: Restyle) -> Style:
    match change.kind:
        case None:
            return _recoloured(style, change)
        case "ramp":
            return tuned(_ramp(layer, style), change)
        case "contours":
            return _lines(_ramp(layer, style), change)
        case "arrows" | "barbs":
            arrows = _arrows(layer, style)
            return _recoloured(replace(arrows, kind=change.kind), replace(change, kind=None))
        case _:
            assert_never(change.kind)


def _zoomed(style: Style, zoom: float) -> Style:
    """With larger lines, arrows and letters, as a picture of more dots an inch needs."""
    match style:
        case Contours():
            return replace(
                style, width=min(style.width * zoom, 10), size=min(style.size * zoom, 40)
            )
        case Arrows():
            spacing, size = min(style.spacing * zoom, 512), min(style.size * zoom, 128)
            return replace(style, spacing=max(spacing, 8), size=max(size, 6))
        case _:
            return style


def tuned(ramp: ColorRamp, change: Restyle) -> ColorRamp:
    """A ramp with other colours, or another range."""
    log = ramp.log if change.log is None else change.log
    low, high = ramp.low, ramp.high
    if change.low is not None or change.measured:
        low, high = change.low, change.high
    elif log and low is not None and low <= 0:
        low = None
    return replace(
        ramp,
        colormap=_colormap(ramp, change),
        low=low,
        high=high,
        measured=change.measured,
        percentiles=None,
        log=log,
        bands=ramp.bands if change.bands is None else change.bands,
        below=_beyond(ramp.below, change.below),
        above=_beyond(ramp.above, change.above),
    )


def _colormap(ramp: ColorRamp, change: Restyle) -> str:
    name = canonical(change.colormap) if change.colormap else ramp.colormap
    if not change.inverse:
        return name
    return name.removesuffix("_r") if name.endswith("_r") else f"{name}_r"


def _beyond(own: Rgba | None, changed: Beyond | None) -> Rgba | None:
    if changed is None:
        return own
    return None if changed == "extend" else changed


def _recoloured(style: Style, change: Restyle) -> Style:
    if not change.colours:
        return style
    match style:
        case ColorRamp():
            return tuned(style, change)
        case Hillshade(ramp=ColorRamp() as ramp) | Contours(ramp=ColorRamp() as ramp):
            return replace(style, ramp=_fixed(ramp, change))
        case Arrows():
            ramp = style.ramp or ColorRamp(style.name, "", "speed")
            return replace(style, ramp=_fixed(ramp, change))
        case ColorStops() | Categories() | Composite() | Hillshade() | Contours():
            raise InvalidParameter(
                f"the style '{style.name}' has no colour ramp whose colours could change",
                subject="STYLES",
            )
        case _:
            assert_never(style)


def _fixed(ramp: ColorRamp, change: Restyle) -> ColorRamp:
    if change.measured:
        raise InvalidParameter(
            "the range is measured for colour ramps alone; give two numbers here",
            subject="COLORSCALERANGE",
        )
    return tuned(ramp, change)


def _ramp(layer: Layer, style: Style) -> ColorRamp:
    """A ramp of the layer: of the style, or its first one; of its field where it has none."""
    found = ramp_of(style) if not isinstance(style, Arrows) else None
    if found is None:
        found = next((one for one in layer.styles if isinstance(one, ColorRamp)), None)
    return found or ColorRamp("ramp", "", layer.fields[0])


def _lines(ramp: ColorRamp, change: Restyle) -> Contours:
    if ramp.expression:
        raise StyleNotFound(
            "contour lines are drawn of a field, not of an expression", subject="contours"
        )
    levels: tuple[float, ...] = ()
    if change.low is not None and change.high is not None:
        space = np.geomspace if change.log and change.low > 0 else np.linspace
        levels = tuple(space(change.low, change.high, change.bands or _LINES).tolist())
    return Contours("contours", "", ramp.field, levels=levels)


def _arrows(layer: Layer, style: Style) -> Arrows:
    if isinstance(style, Arrows):
        return style
    for one in layer.styles:
        if isinstance(one, Arrows):
            return one
    names = ", ".join(one.name for one in layer.styles)
    raise StyleNotFound(
        f"the layer {layer.name} shows no vector that arrows or barbs could be drawn of; its "
        f"styles are {names}",
        subject=layer.name,
    )
