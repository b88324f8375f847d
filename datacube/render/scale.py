"""Values to bins of a colour map, and bins to a palette.

A palette holds 256 colours: entry 0 is "no value", and own colours below and above the range take
one each. A colour map of 256 therefore loses one to three: the neighbouring colours that differ
least share an entry. Every other value has exactly matplotlib's colour, and those that share one
are off by one step of the colour map.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from datacube.model.fields import Field
from datacube.render.colormap import table
from datacube.render.ranges import resolved
from datacube.render.style import Channel, ColorRamp

PALETTE_SIZE = 256


@dataclass(frozen=True, eq=False)
class Palette:
    """Colours of a ramp and where its bins lie among them.

    Parameters
    ----------
    colors : uint8, (n ≤ 256, 4)
        Entry 0 is the colour of no value.
    slots : uint8, (bins,)
        Entry of each bin of the colour map, lowest first.
    below, above : int
        Entries of values beyond the range.
    """

    colors: NDArray[np.uint8]
    slots: NDArray[np.uint8]
    below: int
    above: int


@lru_cache(maxsize=256)
def palette_of(style: ColorRamp) -> Palette:
    """Palette of a ramp; depends on its colour map and its own colours only."""
    own = [one for one in (style.below, style.above) if one is not None]
    shown = table(style.colormap)
    if style.bands is not None:
        shown = _banded(shown, style.bands)
    colors, slots = _shared(shown, PALETTE_SIZE - 1 - len(own))
    slots = slots + np.uint8(1)
    colors = np.concatenate([np.array([style.missing], np.uint8), colors])
    below, above = int(slots[0]), int(slots[-1])
    if style.below is not None:
        below = len(colors)
        colors = np.concatenate([colors, np.array([style.below], np.uint8)])
    if style.above is not None:
        above = len(colors)
        colors = np.concatenate([colors, np.array([style.above], np.uint8)])
    if style.opacity < 1:
        colors[:, 3] = np.rint(colors[:, 3] * style.opacity).astype(np.uint8)
    colors.setflags(write=False)
    return Palette(colors, slots, below, above)


def _banded(colors: NDArray[np.uint8], bands: int) -> NDArray[np.uint8]:
    """One colour for each band, chosen as matplotlib's BoundaryNorm does."""
    last = len(colors) - 1
    if bands > len(colors):
        chosen = np.arange(bands) * len(colors) // bands
    elif bands == 1:
        chosen = np.array([last // 2])
    else:
        chosen = (last / (bands - 1) * np.arange(bands)).astype(np.intp)
    return colors[chosen]


def boundaries(style: ColorRamp) -> NDArray[np.float64]:
    """Edges of the bands of a ramp with low and high: float64, (bands + 1,).

    Examples
    --------
    >>> boundaries(ColorRamp("d", "", "v", "viridis", 0, 10, bands=4)).tolist()
    [0.0, 2.5, 5.0, 7.5, 10.0]
    """
    low, high, count = float(style.low or 0.0), float(style.high or 0.0), (style.bands or 1) + 1
    edges = np.geomspace(low, high, count) if style.log else np.linspace(low, high, count)
    return np.asarray(edges, np.float64)


def _shared(colors: NDArray[np.uint8], room: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """At most room colours, and which of them each given colour has become."""
    steps = np.abs(np.diff(colors.astype(np.int16), axis=0)).max(axis=1)
    first = np.ones(len(colors), bool)
    surplus = len(colors) - room
    for place in np.argsort(steps, kind="stable"):
        if surplus <= 0:
            break
        if first[place] and (place + 2 >= len(colors) or first[place + 2]):
            first[place + 1] = False
            surplus -= 1
    return colors[first], (np.cumsum(first) - 1).astype(np.uint8)


def bins_of(values: NDArray[np.floating], style: ColorRamp, bins: int) -> NDArray[np.floating]:
    """Place of physical values in the colour map: bin number with fraction; not clipped.

    The array is worked on in place where that is possible; values have no NaN.
    """
    low, high = float(style.low or 0.0), float(style.high or 0.0)
    if style.log:
        tiny = np.finfo(values.dtype).tiny
        np.log(np.maximum(values, tiny, out=values), out=values)
        low, high = math.log(low), math.log(high)
    values -= values.dtype.type(low)
    values *= values.dtype.type(bins / (high - low))
    return values


def ramp_indexes(
    values: NDArray[np.floating], style: ColorRamp, palette: Palette
) -> NDArray[np.uint8]:
    """Palette entry of physical values without NaN; values are overwritten.

    Parameters
    ----------
    values : float, any shape
    style : ColorRamp with low and high
    palette : Palette of that style

    Returns
    -------
    entries : uint8, same shape
    """
    count = len(palette.slots)
    if style.bands is not None:
        return _band_indexes(values, style, palette)
    places = bins_of(values, style, count)
    below = places < 0 if style.below is not None else None
    above = places > count if style.above is not None else None
    np.clip(places, 0, count - 1, out=places)
    entries = palette.slots.take(places.astype(np.uint8))
    if below is not None:
        entries[below] = palette.below
    if above is not None:
        entries[above] = palette.above
    return entries


def _band_indexes(
    values: NDArray[np.floating], style: ColorRamp, palette: Palette
) -> NDArray[np.uint8]:
    """Palette entry by comparison with the edges; the upper end belongs to the last band."""
    edges = boundaries(style)
    order = np.concatenate([[palette.below], palette.slots, [palette.above]]).astype(np.uint8)
    places = np.searchsorted(edges, values, side="right")
    places[values == edges[-1]] -= 1
    return order.take(places)


def stored_values(field: Field) -> NDArray[np.generic]:
    """Every value that a stored type of at most 16 bits can hold, in the order of its bits."""
    stored = np.dtype(field.dtype)
    unsigned = np.dtype(f"u{stored.itemsize}")
    return np.arange(1 << (8 * stored.itemsize), dtype=np.uint32).astype(unsigned).view(stored)


@lru_cache(maxsize=128)
def ramp_lookup(style: ColorRamp, field: Field) -> tuple[NDArray[np.uint8], Palette]:
    """Palette entry of every stored value (by its bits) of a type of at most 16 bits.

    The field's nil has entry 0.

    Returns
    -------
    entries : uint8, (256 or 65536,)
    palette : Palette
    """
    style = resolved(style, field)
    palette = palette_of(style)
    stored = stored_values(field)
    valid = field.valid(stored)
    entries = ramp_indexes(stored.astype(np.float64) * field.scale + field.offset, style, palette)
    entries[~valid] = 0
    entries.setflags(write=False)
    return entries, palette


def intensities(
    data: NDArray[np.generic], valid: NDArray[np.bool_], field: Field, channel: Channel
) -> NDArray[np.floating]:
    """Intensity of stored values, to be cut off to 0 … 255.

    Parameters
    ----------
    data : stored values, any shape
    valid : bool, same shape
    field : Field
    channel : Channel

    Returns
    -------
    intensities : float32 (float64 of stored types beyond 32 bits), same shape, 0 … 255.5
    """
    exact = np.float64 if data.dtype.itemsize > 4 else np.float32
    full = 255.0 if channel.gamma == 1.0 else 1.0
    gain = full / (channel.high - channel.low)
    levels: NDArray[np.floating] = np.multiply(
        data, exact(field.scale * gain), dtype=exact, casting="unsafe"
    )
    half = 0.5 if channel.gamma == 1.0 else 0.0  # is cut off later, which rounds
    levels += exact((field.offset - channel.low) * gain + half)
    if data.dtype.kind == "f":
        np.copyto(levels, 0, where=~valid)
    if channel.gamma != 1.0:
        np.clip(levels, 0, 1, out=levels)
        np.power(levels, exact(1.0 / channel.gamma), out=levels)
        levels *= exact(255)
        levels += exact(0.5)
    return levels.clip(0, 255, out=levels)


@lru_cache(maxsize=128)
def channel_lookup(channel: Channel, field: Field) -> NDArray[np.uint8]:
    """Intensity of every stored value (by its bits) of a type of at most 16 bits."""
    stored = stored_values(field)
    levels = intensities(stored, np.ones(stored.shape, bool), field, channel).astype(np.uint8)
    levels.setflags(write=False)
    return levels
