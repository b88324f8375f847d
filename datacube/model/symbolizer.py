"""A raster as SLD and Symbology Encoding describe it (05-077r4, 11.6): RasterSymbolizer."""

from dataclasses import dataclass
from typing import Literal

from datacube.model.restyle import Colour

type MapKind = Literal["ramp", "intervals", "values"]
type Gray = Literal["lightness", "luminosity", "average"]


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
    clip : bool, whether nothing is drawn of values beyond them
    stretched : bool, whether it is stretched at all; else a picture's bytes are intensities
    """

    band: str
    low: float | None = None
    high: float | None = None
    gamma: float = 1.0
    clip: bool = False
    stretched: bool = False


@dataclass(frozen=True, slots=True)
class Finish:
    """What is done to the colours of a picture in the end, in this order.

    Parameters
    ----------
    brightness : int, -255 … 255, added to each colour
    contrast : int, -100 … 100
    invert : bool, whether dark becomes bright
    gray : how colours become grays
    saturation : int, -100 (gray) … 100
    tint : (red, green, blue), optional, the hue and saturation of all
    strength : float, 0 … 1, how much of the tint
    opacity : float, 0 … 1
    """

    brightness: int = 0
    contrast: int = 0
    invert: bool = False
    gray: Gray | None = None
    saturation: int = 0
    tint: tuple[int, int, int] | None = None
    strength: float = 1.0
    opacity: float = 1.0


PLAIN = Finish()
"""Colours as they are."""


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
    finish : Finish, of the colours
    title : str
    """

    channels: tuple[ChannelChoice, ...] = ()
    kind: MapKind = "ramp"
    stops: tuple[Stop, ...] = ()
    finish: Finish = PLAIN
    title: str = ""
