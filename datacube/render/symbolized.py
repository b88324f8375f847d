"""Styles as a RasterSymbolizer describes them, for the fields of a layer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from datacube.errors import InvalidParameter
from datacube.model.fields import Field
from datacube.model.symbolizer import ChannelChoice, Finish, RasterSymbolizer
from datacube.render.stops import ColorStops
from datacube.render.style import Channel, ColorRamp, Composite, Style

_WHOLE = (0.0, 100.0)
_DIGITS = 4  # of the number of a band


@dataclass(frozen=True, slots=True)
class Described:
    """A style by its description; what it draws is known when it meets a layer.

    Parameters
    ----------
    name, title : str
    field : str
        What the gray channel shows; as the description says where empty.
    symbolizer : RasterSymbolizer
    """

    name: str
    title: str
    field: str
    symbolizer: RasterSymbolizer

    def style_for(self, fields: Sequence[Field]) -> Style:
        """The style for a layer of these fields.

        A channel that is stretched without saying from where to where is so over all values that
        occur in the cube.

        Raises
        ------
        InvalidParameter
            A band is not there, or the channels are neither one nor three.
        """
        channels, finish = self.symbolizer.channels, self.symbolizer.finish
        if len(channels) == 3:
            return self._composite([_channel(fields, one) for one in channels])
        if len(channels) > 1:
            raise InvalidParameter("one gray channel, or red, green and blue", subject="SLD")
        gray = channels[0] if channels else ChannelChoice("")
        name = _field(fields, self.field or gray.band).name
        if self.symbolizer.stops:
            kind, stops = self.symbolizer.kind, self.symbolizer.stops
            return ColorStops(self.name, self.title, name, kind, stops, finish)
        if gray.gamma != 1.0 or gray.clip or finish != Finish(opacity=finish.opacity):
            return self._composite([_channel(fields, gray)] * 3)
        open_ends = gray.low is None
        return ColorRamp(
            self.name,
            self.title,
            name,
            "gray",
            gray.low,
            gray.high,
            opacity=finish.opacity,
            percentiles=_WHOLE if open_ends else None,
            measured=open_ends,
        )

    def _composite(self, channels: Sequence[Channel]) -> Composite:
        red, green, blue = channels
        return Composite(self.name, self.title, red, green, blue, self.symbolizer.finish)


def _channel(fields: Sequence[Field], choice: ChannelChoice) -> Channel:
    field = _field(fields, choice.band)
    if choice.low is not None and choice.high is not None:
        return Channel(field.name, choice.low, choice.high, choice.gamma, clip=choice.clip)
    if np.dtype(field.dtype) == np.uint8 and not field.packed and not choice.stretched:
        return Channel(field.name, 0.0, 255.0)
    return Channel(field.name, gamma=choice.gamma, percentiles=_WHOLE)


def _field(fields: Sequence[Field], band: str) -> Field:
    """A field by its name, or by its number among those of the layer; the first one for none."""
    if band.isdecimal() and len(band) <= _DIGITS and 1 <= int(band) <= len(fields):
        return fields[int(band) - 1]
    found = next((one for one in fields if not band or one.name.lower() == band.lower()), None)
    if found is None:
        listed = (f"{number} ({one.name})" for number, one in enumerate(fields, start=1))
        raise InvalidParameter(
            f"the layer has no band '{band[:50]}'; its bands are {', '.join(listed)}",
            subject="SLD",
        )
    return found
