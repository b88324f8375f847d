"""A layer's style as a RasterSymbolizer describes it."""

from dataclasses import replace

from datacube.engine.cube import Layer
from datacube.engine.statistics import distribution
from datacube.errors import InvalidParameter
from datacube.model.symbolizer import ChannelChoice, RasterSymbolizer
from datacube.render.stops import ColorStops
from datacube.render.stretch import stretched
from datacube.render.style import Channel, ColorRamp, Composite, Style

_NAME = "sld"
_WHOLE = (0.0, 100.0)


def symbolized(layer: Layer, symbolizer: RasterSymbolizer) -> Style:
    """The style that a description means for a layer.

    A channel that is stretched without saying from where to where is so over all values that occur
    in the cube.

    Raises
    ------
    InvalidParameter
        A band is not there, or the channels are neither one nor three.
    """
    channels = symbolizer.channels
    if symbolizer.stops or len(channels) < 2:
        gray = channels[0] if channels else ChannelChoice("")
        field = _field(layer, gray.band)
        if symbolizer.stops:
            kind, stops = symbolizer.kind, symbolizer.stops
            return ColorStops(_NAME, symbolizer.title, field, kind, stops)
        ends = None if gray.low is not None else _WHOLE
        ramp = ColorRamp(_NAME, symbolizer.title, field, "gray", gray.low, gray.high)
        return _known(layer, replace(ramp, percentiles=ends, measured=ends is not None))
    if len(channels) != 3:
        raise InvalidParameter("one gray channel, or red, green and blue", subject="SLD")
    made = (_channel(layer, one) for one in channels)
    return _known(layer, Composite(_NAME, symbolizer.title, *made))


def _channel(layer: Layer, choice: ChannelChoice) -> Channel:
    field = _field(layer, choice.band)
    if choice.low is None or choice.high is None:
        return Channel(field, gamma=choice.gamma, percentiles=_WHOLE)
    return Channel(field, choice.low, choice.high, choice.gamma)


def _known(layer: Layer, style: Style) -> Style:
    return stretched(style, lambda name: distribution(layer.cube.store, name))


def _field(layer: Layer, band: str) -> str:
    """A field by its name, or by its number among those of the layer; the first one for none."""
    names = layer.fields
    if band.isdecimal() and 1 <= int(band) <= len(names):
        return names[int(band) - 1]
    found = next((one for one in names if not band or one.lower() == band.lower()), "")
    if not found:
        raise InvalidParameter(
            f"the layer {layer.name} has no band '{band[:50]}'; its bands are "
            + ", ".join(f"{number} ({name})" for number, name in enumerate(names, start=1)),
            subject="SLD",
        )
    return found
