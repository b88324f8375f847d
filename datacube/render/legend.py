"""Legends: what the colours of a style mean.

A ramp is a colour bar with round numbers, classes are a list of swatches, a composite names its
three channels. Without a size a legend is as large as it needs; given one, it fills it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from datacube.model.block import RgbaImage
from datacube.model.fields import Field
from datacube.render.arrows import speed_field, speed_ramp
from datacube.render.canvas import fitted, text_width, wrapped
from datacube.render.contours import conversion, own_unit
from datacube.render.keys import key, stacked
from datacube.render.look import INK, WHITE, Look, Orientation
from datacube.render.paint import category_colors
from datacube.render.ranges import resolved
from datacube.render.scale import boundaries, palette_of
from datacube.render.stops import stop_rows
from datacube.render.style import (
    Arrows,
    Categories,
    ColorRamp,
    ColorStops,
    Composite,
    Contours,
    Hillshade,
    Rgba,
    Style,
)
from datacube.render.ticks import Tick, at_values, ticks
from datacube.render.units import show_unit

__all__ = ["INK", "WHITE", "Look", "Orientation", "legend", "title_of"]

_SMALLEST_BAR = 90  # pixels
_TALLEST = 8192  # pixels, where no height is asked for
_LONGEST = 100  # letters of a line


def legend(style: Style, fields: Mapping[str, Field], look: Look | None = None) -> RgbaImage:
    """Legend of a style.

    Parameters
    ----------
    style : Style
    fields : mapping of field name to Field, those of ``fields_of(style)``
    look : Look, optional

    Examples
    --------
    >>> field = Field("sst", "float32", uom="K", title="Sea surface temperature")
    >>> style = ColorRamp("default", "", "sst", "thermal", 271, 305)
    >>> legend(style, {"sst": field}, Look(width=120, height=300)).shape
    (300, 120)
    """
    look = look or Look()
    match style:
        case ColorRamp(field=name):
            ramp = resolved(style, fields[name])
            draw = _horizontal if look.orientation == "horizontal" else _vertical
            return (_bare if look.bare else draw)(ramp, fields[name], look)
        case Categories(field=name):
            labels = tuple(one.label or str(one.value) for one in style.entries)
            rows = tuple(zip(category_colors(style.entries), labels, strict=True))
            return _swatches(title_of(fields[name]), rows, look)
        case ColorStops(field=name):
            unit = show_unit(fields[name].uom)
            head = f"{title_of(fields[name])} [{unit}]" if unit else title_of(fields[name])
            return _swatches(head, tuple(stop_rows(style)), look)
        case Composite():
            return _swatches(style.title or style.name, _channel_rows(style, fields), look)
        case Hillshade() | Contours():
            return _drawn(style, fields[style.field], style.ramp, look)
        case Arrows():
            speed = speed_field(fields[style.u], fields[style.v])
            colors = None if style.ramp is None else speed_ramp(style, speed)
            return _drawn(style, speed, colors, look)
        case _:
            assert_never(style)


def _drawn(
    style: Hillshade | Contours | Arrows, field: Field, ramp: ColorRamp | None, look: Look
) -> RgbaImage:
    """The colour bar of what is drawn over, if there is one, and samples of what is drawn."""
    if ramp is None:
        return key(style, field, look, title_of(field))
    colored = isinstance(style, Arrows) and style.coloring == "glyphs" and style.kind == "arrows"
    bar = replace(resolved(ramp, field), field=field.name)
    if isinstance(style, Contours) and conversion(style, field) != (1.0, 0.0):
        bar = replace(
            bar, low=own_unit(style, field, bar.low), high=own_unit(style, field, bar.high)
        )
        field = replace(field, uom=style.unit)
    if isinstance(style, Hillshade) or colored:
        return legend(bar, {field.name: field}, look)
    samples = key(style, field, replace(look, height=None), "")
    if look.height is not None and look.height < samples.shape[0] + _SMALLEST_BAR:
        return legend(bar, {field.name: field}, look)
    room = None if look.height is None else look.height - samples.shape[0]
    above = legend(bar, {field.name: field}, replace(look, height=room))
    return stacked(above, samples, look.background)


def title_of(field: Field) -> str:
    """A field's title, or what its names say."""
    return field.title or (field.standard_name or field.name).replace("_", " ")


def _channel_rows(style: Composite, fields: Mapping[str, Field]) -> tuple[tuple[Rgba, str], ...]:
    tones: tuple[Rgba, ...] = ((214, 48, 49, 255), (38, 166, 91, 255), (41, 98, 220, 255))
    rows = []
    for tone, channel in zip(tones, style.channels, strict=True):
        field = fields[channel.field]
        unit = show_unit(field.uom)
        ends = f"{channel.low:g} … {channel.high:g}".replace("-", "\N{MINUS SIGN}")
        rows.append((tone, f"{field.title or field.name}  {ends} {unit}".rstrip()))
    return tuple(rows)


def _marks(style: ColorRamp, room: int, each: float, closest: float) -> tuple[Tick, ...]:
    """Ticks that do not touch along a bar of that many pixels: where bands meet, if they are few.

    Parameters
    ----------
    each : float, pixels that a tick has for itself
    closest : float, pixels that it has at least
    """
    low, high = float(style.low or 0.0), float(style.high or 0.0)
    if style.bands is not None:
        steps = -(-style.bands // max(1, min(12, int(room / closest))))
        if steps <= 2 and style.bands % steps == 0:
            edges = boundaries(style)[::steps]
            return at_values(edges.tolist(), low, high, log=style.log)
    return ticks(low, high, log=style.log, most=max(2, min(9, int(room / each))))


def _bar(style: ColorRamp, length: int) -> NDArray[np.uint8]:
    """Colours from low to high: uint8, (length, 4)."""
    palette = palette_of(style)
    count = len(palette.slots)
    if style.bands is None:
        bins = np.linspace(0, count - 1, length).round().astype(np.intp)
    else:
        bins = np.arange(length) * count // length
    colors: NDArray[np.uint8] = palette.colors[palette.slots[bins]]
    return colors


def _ends(style: ColorRamp) -> tuple[Rgba | None, Rgba | None]:
    """Colours beyond the ends that are drawn as points; fully transparent ones are not."""
    below, above = style.below, style.above
    return (
        below if below is not None and below[3] else None,
        above if above is not None and above[3] else None,
    )


def _bare(style: ColorRamp, _field: Field, look: Look) -> RgbaImage:
    """The colours alone, without a frame or words, low at the left or at the bottom."""
    upright = look.orientation == "vertical"
    width, height = look.width or (25 if upright else 256), look.height or (256 if upright else 25)
    if upright:
        return RgbaImage(np.repeat(_bar(style, height)[::-1, np.newaxis], width, axis=1))
    return RgbaImage(np.repeat(_bar(style, width)[np.newaxis], height, axis=0))


def _vertical(style: ColorRamp, field: Field, look: Look) -> RgbaImage:
    pad, row, text = look.pad, look.row, look.text
    thick = round(18 * look.zoom)
    unit = show_unit(field.uom)
    wanted = _marks(style, 10 * row, 1.6 * row, 1.05 * row)
    beside = max(text_width(tick.label, text) for tick in wanted)
    lines = wrapped(title_of(field), text, 9 * row)
    head_width = max((text_width(words, text) for words in (*lines, unit)), default=0) + 2 * pad
    width = look.width or max(3 * pad + thick + beside, head_width)
    head = [*wrapped(title_of(field), text, width - 2 * pad), *([unit] if unit else [])]
    canvas = look.canvas(width, 2 * pad + (len(head) + 10) * row + row // 2)
    bottom = canvas.picture.height - pad - row // 3
    head = head if len(head) * row < bottom / 2 else []
    for line, words in enumerate(head):
        canvas.text(pad, pad + line * row, fitted(words, text, width - 2 * pad), text)
    below, above = _ends(style)
    tip = round(thick * 0.6)
    top = pad + len(head) * row + row // 3 + (tip if above else 0)
    bottom -= tip if below else 0
    length = max(bottom - top, 2)
    if above:
        canvas.polygon([(pad, top), (pad + thick - 1, top), (pad + thick / 2, top - tip)], above)
    if below:
        canvas.polygon(
            [(pad, bottom - 1), (pad + thick - 1, bottom - 1), (pad + thick / 2, bottom + tip)],
            below,
        )
    bar = _bar(style, max(length - 2, 1))[::-1]
    canvas.paste(pad + 1, top + 1, np.repeat(bar[:, np.newaxis], thick - 2, axis=1))
    canvas.frame(pad, top, pad + thick - 1, top + length - 1)
    for tick in _marks(style, length, 1.6 * row, 1.05 * row):
        y = top + round((1 - tick.place) * (length - 1))
        canvas.line(pad + thick, y, pad + thick + pad // 2, y)
        canvas.text(pad + thick + pad, y, tick.label, text, "lm")
    return canvas.image()


def _horizontal(style: ColorRamp, field: Field, look: Look) -> RgbaImage:
    pad, row, text = look.pad, look.row, look.text
    thick = round(14 * look.zoom)
    unit = show_unit(field.uom)
    title = f"{title_of(field)} [{unit}]" if unit else title_of(field)
    widest = max(text_width(tick.label, text) for tick in _marks(style, 9, 1, 1))
    canvas = look.canvas(
        max(round(300 * look.zoom), min(text_width(title, text), 500) + 2 * pad),
        2 * pad + row + thick + row + pad // 2,
    )
    width, height = canvas.picture.size
    canvas.text(pad, pad, fitted(title, text, width - 2 * pad), text)
    side = pad + widest // 2
    top, length = pad + row, max(width - 2 * side, 2)
    thick = max(thick, height - 2 * pad - 2 * row - pad // 2)
    below, above = _ends(style)
    tip, middle, end = round(10 * look.zoom), top + thick / 2, side + length - 1
    if below:
        canvas.polygon([(side, top), (side, top + thick - 1), (side - tip, middle)], below)
    if above:
        canvas.polygon([(end, top), (end, top + thick - 1), (end + tip, middle)], above)
    bar = _bar(style, max(length - 2, 1))
    canvas.paste(side + 1, top + 1, np.repeat(bar[np.newaxis], thick - 2, axis=0))
    canvas.frame(side, top, end, top + thick - 1)
    for tick in _marks(style, length, widest + 2 * pad, widest + pad):
        x = side + round(tick.place * (length - 1))
        canvas.line(x, top + thick, x, top + thick + pad // 2 - 1)
        canvas.text(x, top + thick + pad // 2 + 2, tick.label, text, "mt")
    return canvas.image()


def _swatches(title: str, rows: tuple[tuple[Rgba, str], ...], look: Look) -> RgbaImage:
    title, rows = title[:_LONGEST], tuple((color, label[:_LONGEST]) for color, label in rows)
    room = (look.height or _TALLEST) - 2 * look.pad
    fits = room / ((len(rows) + 1.3) * look.row)
    if fits < 1:  # many classes: smaller
        look = replace(look, zoom=max(look.zoom * fits, 0.5))
    pad, row, text, box = look.pad, look.row, look.text, round(14 * look.zoom)
    widest = max((text_width(label, text) for _, label in rows), default=0)
    canvas = look.canvas(
        max(3 * pad + box + widest, text_width(title, text) + 2 * pad),
        2 * pad + round((len(rows) + 1.3) * row),
    )
    width = canvas.picture.width
    canvas.text(pad, pad, fitted(title, text, width - 2 * pad), text)
    for line, (color, label) in enumerate(rows):
        y = pad + round((line + 1.3) * row)
        canvas.fill(pad, y, pad + box - 1, y + box - 1, color)
        words = fitted(label, text, width - 3 * pad - box)
        canvas.text(2 * pad + box, y + box / 2, words, text, "lm")
    return canvas.image()
