"""Percentile stretches: ranges from what occurs in the whole cube, never in one picture."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import assert_never

import numpy as np

from datacube.render.style import (
    Arrows,
    Categories,
    Channel,
    ColorRamp,
    ColorStops,
    Composite,
    Contours,
    Hillshade,
    Style,
)


@dataclass(frozen=True, slots=True)
class Distribution:
    """Values that occur in a field of a cube.

    Parameters
    ----------
    shares : tuple of float, ascending, 0 … 100
    values : tuple of float, ascending
        That percentage of the values is at most so large; linear in between.

    Examples
    --------
    >>> Distribution((0, 50, 100), (10.0, 20.0, 40.0)).percentile(75)
    30.0
    """

    shares: tuple[float, ...]
    values: tuple[float, ...]

    def percentile(self, share: float) -> float:
        """The value that this percentage of the values does not exceed."""
        return float(np.interp(share, self.shares, self.values))


type Known = Callable[[str], Distribution | None]


def stretched(style: Style, known: Known) -> Style:
    """The style with the ends that its percentiles mean; as it is where nothing is known.

    Parameters
    ----------
    style : Style
    known : name of a field -> Distribution or None

    Examples
    --------
    >>> style = ColorRamp("d", "", "v", percentiles=(2, 98))
    >>> stretched(style, lambda name: Distribution((0, 100), (0.0, 50.0))).high
    49.0
    """
    match style:
        case ColorRamp(field=name):
            open_ends = style.percentiles is not None and not style.expression
            return _ramp(style, known(name)) if open_ends else style
        case Hillshade(ramp=ColorRamp() as ramp) | Contours(ramp=ColorRamp() as ramp):
            inner = _ramp(ramp, known(style.field)) if ramp.percentiles else ramp
            return replace(style, ramp=inner)
        case Composite():
            red, green, blue = (_channel(one, known) for one in style.channels)
            return replace(style, red=red, green=green, blue=blue)
        case ColorStops() | Categories() | Hillshade() | Contours() | Arrows():
            return style
        case _:
            assert_never(style)


def _ramp(ramp: ColorRamp, found: Distribution | None) -> ColorRamp:
    if found is None or ramp.percentiles is None:
        return ramp
    ends = _ends(found, ramp.percentiles)
    low = ends[0] if ramp.low is None else ramp.low
    high = ends[1] if ramp.high is None else ramp.high
    if not low < high or (ramp.log and low <= 0):
        return ramp
    return replace(ramp, low=low, high=high)


def _channel(channel: Channel, known: Known) -> Channel:
    if channel.percentiles is None or (found := known(channel.field)) is None:
        return channel
    low, high = _ends(found, channel.percentiles)
    return replace(channel, low=low, high=high)


def _ends(found: Distribution, percentiles: tuple[float, float]) -> tuple[float, float]:
    """Both ends, apart even where all values are one."""
    low, high = (found.percentile(share) for share in percentiles)
    return (low, high) if low < high else (low - 0.5, low + 0.5)
