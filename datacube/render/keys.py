"""Keys of legends: samples of lines, arrows and barbs beside what they mean."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from datacube.model.block import RgbaImage
from datacube.model.fields import Field
from datacube.render.arrows import Glyphs, paint_glyphs, speed_ramp
from datacube.render.canvas import fitted, text_width
from datacube.render.contours import levels_of, written
from datacube.render.drawn import Arrows, Contours, Hillshade
from datacube.render.hillshade import gray_relief
from datacube.render.ink import Line, drawn
from datacube.render.look import Look
from datacube.render.ticks import ticks
from datacube.render.units import show_unit, unit_of

type Pixels = NDArray[np.uint8]

_KNOT = 0.514444
_SAMPLE = 34  # pixels


@dataclass(frozen=True, eq=False)
class Row:
    """A sample (uint8, (y, x, 4)) and its meaning."""

    sample: Pixels
    label: str


def key(style: Hillshade | Contours | Arrows, field: Field, look: Look, title: str) -> RgbaImage:
    """Samples of what a style draws.

    Parameters
    ----------
    field : Field, the style's, or the speed of its vector
    title : str, empty where the key stands under a colour bar
    """
    rows = rows_of(style, field, look)
    pad, text = look.pad, look.text
    beside = 2 * pad + round(_SAMPLE * look.zoom)
    head = round(1.3 * look.row) if title else 0
    widest = max(beside + max(text_width(row.label, text) for row in rows),
                 text_width(title, text) + pad)  # fmt: skip
    height = sum(max(look.row, row.sample.shape[0]) for row in rows)
    canvas = look.canvas(widest + pad, 2 * pad + head + height)
    width = canvas.picture.width
    if title:
        canvas.text(pad, pad, fitted(title, text, width - 2 * pad), text)
    y = pad + head
    for row in rows:
        line = max(look.row, row.sample.shape[0])
        room = canvas.picture.height - y, width - pad
        if min(room) > 0:
            canvas.paste(
                pad, y + (line - row.sample.shape[0]) // 2, row.sample[: room[0], : room[1]]
            )
        words = fitted(row.label, text, width - beside - pad)
        canvas.text(beside, y + line / 2, words, text, "lm")
        y += line
    return canvas.image()


def rows_of(style: Hillshade | Contours | Arrows, field: Field, look: Look) -> list[Row]:
    """The samples of a style."""
    wide = round(_SAMPLE * look.zoom)
    match style:
        case Hillshade():
            shade = np.broadcast_to(np.linspace(0, 1, wide, dtype=np.float32), (look.row - 4, wide))
            relief = gray_relief(shade, np.ones(shape=shade.shape, dtype=bool)).rgba().pixels
            return [Row(relief, f"light from {style.azimuth:g}°")]
        case Contours():
            return _lines(style, field, wide)
        case Arrows(kind="barbs"):
            return _barbs(style, field, wide)
        case Arrows():
            return [_arrow(style, field, wide)]


def _lines(style: Contours, field: Field, wide: int) -> list[Row]:
    unit = show_unit(style.unit or field.uom)
    levels = levels_of(style, field)
    if levels.listed:
        shown = ", ".join(written(one) for one in levels.listed[:6])
        more = " …" if len(levels.listed) > 6 else ""
        return [Row(_line(style, style.width, wide), f"{shown}{more} {unit}".rstrip())]
    rows = [(style.width, levels.interval)]
    if style.major > 1:
        rows.append((1.8 * style.width, levels.interval * style.major))
    return [
        Row(_line(style, width, wide), f"every {written(step)} {unit}".rstrip())
        for width, step in rows
    ]


def _line(style: Contours, width: float, wide: int) -> Pixels:
    points = np.array([[2.0, 6.0], [wide - 2.0, 6.0]])
    return drawn([Line(points, width)], (12, wide), (style.color,))


def _arrow(style: Arrows, field: Field, wide: int) -> Row:
    full = float(speed_ramp(style, field).high or 1.0)
    speed = ticks(0, full, most=3)[-1].value
    size = min(style.size, wide - 4.0)
    sample = _glyph(replace(style, size=size), field, speed, wide, wide / 2)
    return Row(sample, f"{written(speed)} {show_unit(field.uom)}".rstrip())


def _barbs(style: Arrows, field: Field, wide: int) -> list[Row]:
    unit = unit_of(field.uom)
    knot = _KNOT / (unit.factor if unit is not None and unit.quantity == "speed" else 1.0)
    small = replace(style, size=min(style.size, wide - 6.0))
    return [
        Row(_glyph(small, field, knots * knot, wide, wide - 4.0), f"{knots} kn")
        for knots in (5, 10, 50)
    ]


def _glyph(style: Arrows, field: Field, speed: float, wide: int, x: float) -> Pixels:
    high = max(round(style.size * 0.75), 14)
    glyphs = Glyphs(
        np.array([[x, high * (0.75 if style.kind == "barbs" else 0.5)]]),
        np.array([[1.0, 0.0]]),
        np.array([speed]),
        np.array([False]),
    )
    return paint_glyphs(style, glyphs, field, (high, wide))


def stacked(upper: RgbaImage, lower: RgbaImage, background: tuple[int, int, int, int]) -> RgbaImage:
    """One picture under the other, both from the left."""
    width = max(upper.shape[1], lower.shape[1])
    parts = []
    for one in (upper, lower):
        whole = np.empty((one.shape[0], width, 4), np.uint8)
        whole[:] = background
        whole[:, : one.shape[1]] = one.pixels
        parts.append(whole)
    return RgbaImage(np.concatenate(parts))
