"""Colours at values that somebody lists, as in SLD and QGIS; exact, not by a table of 256."""

from dataclasses import dataclass
from math import isinf

import numpy as np
from numpy.typing import NDArray

from datacube.errors import InvalidParameter
from datacube.model.block import Image, IndexedImage, RgbaImage
from datacube.model.symbolizer import PLAIN, Finish, MapKind, Stop
from datacube.render.finish import finished, finished_colors
from datacube.render.ramp import Rgba

MOST_STOPS = 1000
_MOST_ENTRIES = 255


@dataclass(frozen=True, slots=True)
class ColorStops:
    """A field's values by listed colours.

    Parameters
    ----------
    name, title, field : str
    kind : MapKind, as of a RasterSymbolizer
    stops : tuple of Stop, ascending
    finish : Finish, of the colours in the end

    Raises
    ------
    InvalidParameter
        There is no stop, there are too many, or they do not ascend.
    """

    name: str
    title: str
    field: str
    kind: MapKind
    stops: tuple[Stop, ...]
    finish: Finish = PLAIN

    def __post_init__(self) -> None:
        values = [one.value for one in self.stops]
        if not 1 <= len(values) <= MOST_STOPS:
            raise InvalidParameter(
                f"a colour map has 1 to {MOST_STOPS} entries, not {len(values)}", subject=self.name
            )
        if sorted(values) != values:
            raise InvalidParameter("the entries of a colour map ascend", subject=self.name)


def stop_label(style: ColorStops, place: int) -> str:
    """What a legend says of a stop: its label, or the values that it is the colour of."""
    one = style.stops[place]
    if one.label or style.kind != "intervals":
        return one.label or f"{one.value:g}"
    if place == 0:
        return f"≤ {one.value:g}"
    before = style.stops[place - 1].value
    return f"> {before:g}" if isinf(one.value) else f"{before:g} … {one.value:g}"


def stop_rows(style: ColorStops) -> list[tuple[Rgba, str]]:
    """Colour and meaning of each stop, for a legend."""
    colors = stop_colors(style)
    return [
        ((int(red), int(green), int(blue), int(alpha)), stop_label(style, place))
        for place, (red, green, blue, alpha) in enumerate(colors)
    ]


def paint_stops(style: ColorStops, values: NDArray[np.floating], valid: NDArray[np.bool_]) -> Image:
    """Picture of physical values.

    Parameters
    ----------
    values : float, (y, x), without NaN
    valid : bool, (y, x)

    Returns
    -------
    IndexedImage
        Of at most 255 intervals or values.
    RgbaImage
        Of a ramp.

    Examples
    --------
    >>> black, white = (0, 0, 0, 255), (255, 255, 255, 255)
    >>> style = ColorStops("s", "", "v", "ramp", (Stop(0, black), Stop(1, white)))
    >>> paint_stops(style, np.array([[0.5]]), np.array([[True]])).pixels.tolist()
    [[[128, 128, 128, 255]]]
    """
    return finished(_painted(style, values, valid), style.finish)


def stop_colors(style: ColorStops) -> NDArray[np.uint8]:
    """Colour of each stop as it is shown: uint8, (stops, 4)."""
    colors = np.array([one.color for one in style.stops], np.uint8)
    return finished_colors(colors, style.finish)


def _painted(style: ColorStops, values: NDArray[np.floating], valid: NDArray[np.bool_]) -> Image:
    places = np.array([one.value for one in style.stops])
    colors = np.array([one.color for one in style.stops], np.uint8)
    if style.kind == "ramp":
        return RgbaImage(_shaded(places, colors, values, valid))
    at = np.searchsorted(places, values, side="left")
    found = at < len(places)
    at = np.minimum(at, len(places) - 1)
    if style.kind == "values":
        found &= places[at] == values
    entries = np.where(found & valid, at + 1, 0)
    palette = np.concatenate([np.zeros((1, 4), np.uint8), colors])
    if len(palette) <= _MOST_ENTRIES + 1:
        return IndexedImage(entries.astype(np.uint8), palette)
    return RgbaImage(palette[entries])


def _shaded(
    places: NDArray[np.float64],
    colors: NDArray[np.uint8],
    values: NDArray[np.floating],
    valid: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    """Colours between stops; two at one value are a step there, the upper one above the last."""
    shades, last = colors.astype(np.float64), len(places)
    while last > 1 and places[last - 2] == places[-1]:
        last -= 1
    pixels = np.empty((*values.shape, 4), np.uint8)
    for channel in range(4):
        line = shades[:, channel]
        found = np.interp(values, places[:last], line[:last], right=line[-1])
        pixels[..., channel] = np.floor(found + 0.5)
    pixels[~valid] = 0
    return pixels
