"""Painting: stored values and a style become a picture.

Stored types of at most 16 bits go through a table with an entry for every value they can hold,
kept for each style and field; wider ones through arithmetic.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from datacube.model.block import Image, IndexedImage, RgbaImage, RgbImage
from datacube.model.fields import Category, Field
from datacube.render import arrows, contours, hillshade
from datacube.render.colormap import table
from datacube.render.composite import over, rgba_pixels
from datacube.render.finish import finished
from datacube.render.ranges import resolved
from datacube.render.scale import (
    channel_lookup,
    intensities,
    palette_of,
    ramp_indexes,
    ramp_lookup,
    stored_values,
)
from datacube.render.scene import Scene
from datacube.render.stops import paint_stops
from datacube.render.style import (
    Arrows,
    Categories,
    Channel,
    ColorRamp,
    ColorStops,
    Composite,
    Contours,
    Hillshade,
    Rgba,
    Style,
    color,
)

type Values = NDArray[np.generic]
type Valid = NDArray[np.bool_]

_STRIP = 1 << 16  # pixels


def paint(
    style: Style,
    fields: Mapping[str, Field],
    data: Mapping[str, Values],
    valid: Mapping[str, Valid],
    scene: Scene | None = None,
) -> Image:
    """Picture of one layer.

    Parameters
    ----------
    style : Style
    fields : mapping of field name to Field, those of ``fields_of(style)``
    data : mapping of field name to stored values, (y, x)
    valid : mapping of field name to bool, (y, x), True where there is a value
    scene : Scene
        Where the values lie, with a margin of :func:`margin_of` around the picture; needed by
        relief, contours and arrows only.

    Returns
    -------
    IndexedImage
        Of a ramp, of categories or of a gray relief; entry 0 is "no value".
    RgbaImage
        Of a ramp of listed colours.
    RgbImage or RgbaImage
        Of a composite; with alpha only where a value is missing. Of what is drawn, always alpha.

    Raises
    ------
    ValueError
        A style that draws has no scene.

    Examples
    --------
    >>> from datacube.render.style import ColorRamp
    >>> field = Field("v", "uint8", nil=0)
    >>> values = np.array([[0, 10, 20]], "uint8")
    >>> style = ColorRamp("gray", "Gray", "v", "gray", 10, 20)
    >>> paint(style, {"v": field}, {"v": values}, {"v": values != 0}).rgba().pixels.tolist()
    [[[0, 0, 0, 0], [0, 0, 0, 255], [255, 255, 255, 255]]]
    """
    match style:
        case ColorRamp(field=name):
            return _paint_ramp(style, fields[name], data[name], valid[name])
        case ColorStops(field=name):
            good = valid[name]
            return paint_stops(style, _physical(fields[name], data[name], good, 0.0), good)
        case Categories(field=name):
            return _paint_categories(style, fields[name], data[name], valid[name])
        case Composite():
            return finished(_paint_composite(style, fields, data, valid), style.finish)
        case Hillshade() | Contours() | Arrows():
            if scene is None:
                raise ValueError(f"the style '{style.name}' needs a scene")
            return _paint_drawn(style, fields, data, valid, scene)
        case _:
            assert_never(style)


def margin_of(style: Style) -> int:
    """Pixels around a picture whose values a style needs."""
    match style:
        case Hillshade():
            return hillshade.MARGIN
        case Contours():
            return contours.margin(style)
        case Arrows():
            return arrows.margin(style)
        case _:
            return 0


def category_colors(entries: tuple[Category, ...]) -> tuple[Rgba, ...]:
    """Colour of each class; those that name none take one from tab20 in turn."""
    spare = () if all(one.color for one in entries) else table("tab20").tolist()
    return tuple(
        color(one.color) if one.color else tuple(spare[place % len(spare)])
        for place, one in enumerate(entries)
    )


def _tabular(field: Field, data: Values) -> bool:
    """Whether the values are of a stored type that a table has an entry for each value of."""
    stored = data.dtype
    return stored.kind in "iu" and stored.itemsize <= 2 and stored == np.dtype(field.dtype)


def _bits(data: Values) -> NDArray[np.unsignedinteger]:
    """The same array read as unsigned integers."""
    unsigned: NDArray[np.unsignedinteger] = data.view(f"u{data.dtype.itemsize}")
    return unsigned


def _physical(field: Field, data: Values, valid: Valid, instead: float) -> NDArray[np.floating]:
    """A new array of physical values without NaN: float32 where that is exact enough."""
    wide = data.dtype.itemsize > 4 or data.dtype.kind != "f" or field.packed
    values: NDArray[np.floating] = data.astype(np.float64 if wide else np.float32)
    if field.packed:
        values *= field.scale
        values += field.offset
    np.copyto(values, instead, where=~valid)
    return values


def _paint_ramp(style: ColorRamp, field: Field, data: Values, valid: Valid) -> IndexedImage:
    if _tabular(field, data):
        lookup, palette = ramp_lookup(style, field)
        return IndexedImage(_looked_up(lookup, data, valid), palette.colors)
    style = resolved(style, field)
    palette = palette_of(style)
    entries = np.empty(data.shape, np.uint8)
    for rows in _strips(data.shape):
        good = valid[rows]
        values = _physical(field, data[rows], good, float(style.low or 0.0))
        np.multiply(ramp_indexes(values, style, palette), good.view(np.uint8), out=entries[rows])
    return IndexedImage(entries, palette.colors)


def _looked_up(lookup: NDArray[np.uint8], data: Values, valid: Valid) -> NDArray[np.uint8]:
    """Entry of each value by its bits, 0 where there is none."""
    bits, entries = _bits(data), np.empty(data.shape, np.uint8)
    for rows in _strips(data.shape):
        some = entries[rows]
        lookup.take(bits[rows], out=some, mode="clip")
        some *= valid[rows].view(np.uint8)
    return entries


def _strips(shape: tuple[int, ...]) -> Iterator[slice]:
    """Rows, as many at a time as the processor's own memory holds."""
    step = max(_STRIP // max(shape[1], 1), 1)
    return (slice(top, top + step) for top in range(0, shape[0], step))


@lru_cache(maxsize=64)
def _category_palette(entries: tuple[Category, ...]) -> NDArray[np.uint8]:
    palette = np.array([(0, 0, 0, 0), *category_colors(entries)], np.uint8)
    palette.setflags(write=False)
    return palette


@lru_cache(maxsize=64)
def _category_lookup(entries: tuple[Category, ...], field: Field) -> NDArray[np.uint8]:
    lookup = _class_entries(entries, stored_values(field))
    lookup.setflags(write=False)
    return lookup


def _class_entries(entries: tuple[Category, ...], data: Values) -> NDArray[np.uint8]:
    """Palette entry of stored values: 1 + place of their class, 0 where it is none."""
    order = sorted(range(len(entries)), key=lambda place: entries[place].value)
    if not order:
        return np.zeros(data.shape, np.uint8)
    listed = np.array([entries[place].value for place in order])
    at = np.minimum(np.searchsorted(listed, data), len(order) - 1)
    found = np.array(order, np.uint8)[at] + np.uint8(1)
    return np.where(listed[at] == data, found, np.uint8(0))


def _paint_categories(style: Categories, field: Field, data: Values, valid: Valid) -> IndexedImage:
    if _tabular(field, data):
        entries = _looked_up(_category_lookup(style.entries, field), data, valid)
    else:
        entries = _class_entries(style.entries, data)
        entries *= valid.view(np.uint8)
    return IndexedImage(entries, _category_palette(style.entries))


def _paint_composite(
    style: Composite,
    fields: Mapping[str, Field],
    data: Mapping[str, Values],
    valid: Mapping[str, Valid],
) -> RgbImage | RgbaImage:
    names = tuple(dict.fromkeys(channel.field for channel in style.channels))
    good = valid[names[0]]
    for name in names[1:]:
        good = good & valid[name]
    for channel in style.channels:
        if channel.clip:
            good = good & _within(channel, fields[channel.field], data[channel.field], good)
    opaque = bool(good.all())
    pixels = np.empty((*good.shape, 3 if opaque else 4), np.uint8)
    for place, channel in enumerate(style.channels):
        name = channel.field
        for rows in _strips(good.shape):
            levels = _levels(channel, fields[name], data[name][rows], valid[name][rows])
            if not opaque:
                np.copyto(levels, 0, where=~good[rows])
            pixels[rows, :, place] = levels
    if opaque:
        return RgbImage(pixels)
    pixels[..., 3] = good.view(np.uint8) * np.uint8(255)
    return RgbaImage(pixels)


def _within(channel: Channel, field: Field, data: Values, valid: Valid) -> Valid:
    """Where values lie between the ends of a channel."""
    values = _physical(field, data, valid, channel.low)
    inside: Valid = (values >= channel.low) & (values <= channel.high)
    return inside


def _levels(
    channel: Channel, field: Field, data: Values, valid: Valid
) -> NDArray[np.uint8] | NDArray[np.floating]:
    """Intensities 0 … 255; a power is looked up where a table can hold it."""
    if channel.gamma != 1.0 and _tabular(field, data):
        return channel_lookup(channel, field).take(_bits(data))
    return intensities(data, valid, field, channel)


def _paint_drawn(
    style: Hillshade | Contours | Arrows,
    fields: Mapping[str, Field],
    data: Mapping[str, Values],
    valid: Mapping[str, Valid],
    scene: Scene,
) -> IndexedImage | RgbaImage:
    match style:
        case Hillshade(field=name):
            return _paint_relief(style, fields[name], data[name], valid[name], scene)
        case Contours(field=name):
            field, good = fields[name], valid[name]
            values = _physical(field, data[name], good, 0.0)
            lines = RgbaImage(contours.paint_contours(style, values, good, field, scene))
            under = _under(style.ramp, field, data[name], good, scene)
        case Arrows():
            lines, under = _paint_vectors(style, fields, data, valid, scene)
        case _:
            assert_never(style)
    return lines if under is None else RgbaImage(rgba_pixels(over(under, lines)))


def _paint_relief(
    style: Hillshade, field: Field, data: Values, valid: Valid, scene: Scene
) -> IndexedImage | RgbaImage:
    shade = hillshade.light(style, _physical(field, data, valid, 0.0), valid, scene)
    under = _under(style.ramp, field, data, valid, scene)
    if under is None:
        return hillshade.gray_relief(shade, valid[scene.inside])
    return hillshade.draped(rgba_pixels(under), shade, style.flat)


def _paint_vectors(
    style: Arrows,
    fields: Mapping[str, Field],
    data: Mapping[str, Values],
    valid: Mapping[str, Valid],
    scene: Scene,
) -> tuple[RgbaImage, IndexedImage | None]:
    """Glyphs, and the speed under them."""
    good = valid[style.u] & valid[style.v]
    u, v = (_physical(fields[name], data[name], good, 0.0) for name in (style.u, style.v))
    speed = arrows.speed_field(fields[style.u], fields[style.v])
    glyphs = arrows.glyphs_of(style, u, v, good, scene)
    lines = RgbaImage(arrows.paint_glyphs(style, glyphs, speed, scene.shape))
    if style.ramp is None or style.coloring == "glyphs":
        return lines, None
    length = np.hypot(u, v).astype(np.float32, copy=False)
    return lines, _under(arrows.speed_ramp(style, speed), speed, length, good, scene)


def _under(
    ramp: ColorRamp | None, field: Field, data: Values, valid: Valid, scene: Scene
) -> IndexedImage | None:
    """The ramp that is drawn over, cut to the picture."""
    if ramp is None:
        return None
    return _paint_ramp(ramp, field, data[scene.inside], valid[scene.inside])
