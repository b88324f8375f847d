"""A raster as SLD and Symbology Encoding describe it (05-077r4, 11.6): RasterSymbolizer."""

from dataclasses import dataclass
from typing import Literal

from datacube.model.restyle import Colour

type MapKind = Literal["ramp", "intervals", "values"]


@dataclass(frozen=True, slots=True)
class Stop:
    """An entry of a colour map: a physical value, its colour and what is said of it."""

    value: float
    color: Colour
    label: str = ""


@dataclass(frozen=True, slots=True)
class ChannelChoice:
    """A channel: which band it shows, and how far its values are stretched.

    Parameters
    ----------
    band : str, a field's name or its number, from 1
    low, high : float, optional, values at no and at full intensity
    gamma : float
    """

    band: str
    low: float | None = None
    high: float | None = None
    gamma: float = 1.0


@dataclass(frozen=True, slots=True)
class RasterSymbolizer:
    """How a raster is drawn.

    Parameters
    ----------
    channels : one (gray) or three (red, green, blue); none is the layer's first field
    kind : how the colours of the stops are meant
        ``ramp``: in between linearly, beyond the ends as at the ends. ``intervals``: each up to and
        with its value, nothing above the last. ``values``: only what is equal.
    stops : tuple of Stop, ascending; empty for a picture of the channels
    opacity : float, 0 … 1
    title : str
    """

    channels: tuple[ChannelChoice, ...] = ()
    kind: MapKind = "ramp"
    stops: tuple[Stop, ...] = ()
    opacity: float = 1.0
    title: str = ""
