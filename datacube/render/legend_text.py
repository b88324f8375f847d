"""Legends as text: JSON for programs, SVG for pages and print."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from html import escape
from math import isfinite

from datacube.model.fields import Field
from datacube.render.canvas import text_width
from datacube.render.legend import legend, title_of
from datacube.render.look import Look
from datacube.render.paint import category_colors
from datacube.render.png import png
from datacube.render.ranges import resolved
from datacube.render.scale import boundaries, palette_of
from datacube.render.stops import stop_colors, stop_label, stop_rows
from datacube.render.style import Categories, ColorRamp, ColorStops, Composite, Rgba, Style, ramp_of
from datacube.render.ticks import ticks
from datacube.render.units import show_unit

type Json = dict[str, object]

_BAR = 18  # pixels across a colour bar
_LONG = 240


def legend_json(style: Style, fields: Mapping[str, Field]) -> Json:
    """What a style shows: field and unit, the colour map and the range that are used.

    Parameters
    ----------
    style : Style
    fields : mapping of field name to Field, those that it draws

    Examples
    --------
    >>> field = Field("sst", "float32", uom="K")
    >>> found = legend_json(ColorRamp("d", "", "sst", "thermal", 271, 305), {"sst": field})
    >>> found["colormap"], found["low"], found["high"], len(found["colors"])
    ('thermal', 271, 305, 255)
    """
    match style:
        case Categories(field=name):
            colors = category_colors(style.entries)
            classes = [
                {"value": one.value, "label": one.label, "color": _hex(color)}
                for one, color in zip(style.entries, colors, strict=True)
            ]
            return _field(fields[name]) | {"type": "categories", "classes": classes}
        case ColorStops(field=name):
            stops = [
                {
                    "value": one.value if isfinite(one.value) else None,
                    "label": stop_label(style, place),
                    "color": _hex(tuple(color.tolist())),
                }
                for place, (one, color) in enumerate(
                    zip(style.stops, stop_colors(style), strict=True)
                )
            ]
            return _field(fields[name]) | {"type": style.kind, "stops": stops}
        case Composite():
            channels = [
                _field(fields[one.field])
                | {"channel": channel, "low": one.low, "high": one.high, "gamma": one.gamma}
                for channel, one in zip(("red", "green", "blue"), style.channels, strict=True)
            ]
            return {"type": "composite", "title": style.title, "channels": channels}
    ramp = ramp_of(style)
    kind = type(style).__name__.lower().replace("colorramp", "ramp")
    found: Json = {"type": kind, "title": style.title or style.name}
    one = fields.get(ramp.field) if ramp is not None else None
    return found if ramp is None or one is None else found | _ramp(resolved(ramp, one), one)


def _field(field: Field) -> Json:
    return {"field": field.name, "title": title_of(field), "unit": field.uom}


def _ramp(ramp: ColorRamp, field: Field) -> Json:
    palette = palette_of(ramp)
    low, high = float(ramp.low or 0.0), float(ramp.high or 0.0)
    colors = [_hex(tuple(palette.colors[slot].tolist())) for slot in dict.fromkeys(palette.slots)]
    return _field(field) | {
        "colormap": ramp.colormap,
        "low": ramp.low,
        "high": ramp.high,
        "log": ramp.log,
        "bands": ramp.bands,
        "boundaries": None if ramp.bands is None else boundaries(ramp).tolist(),
        "below": _hex(tuple(palette.colors[palette.below].tolist())),
        "above": _hex(tuple(palette.colors[palette.above].tolist())),
        "colors": colors,
        "ticks": [
            {"value": one.value, "label": one.label, "place": round(one.place, 6)}
            for one in ticks(low, high, log=ramp.log, most=9)
        ],
    }


def _hex(color: Rgba | tuple[int, ...]) -> str:
    """``#rrggbb``, with the alpha where it is not opaque."""
    digits = color if color[3] < 255 else color[:3]
    return "#" + "".join(f"{one:02x}" for one in digits)


def legend_svg(style: Style, fields: Mapping[str, Field], look: Look) -> str:
    """A legend as drawing: a colour bar or classes; what draws has its picture inside."""
    match style:
        case ColorRamp(field=name):
            ramp = resolved(style, fields[name])
            head = " ".join((title_of(fields[name]), _bracketed(fields[name])))
            return _bar(ramp, head.strip(), look)
        case Categories(field=name):
            labels = [one.label or str(one.value) for one in style.entries]
            rows = list(zip(category_colors(style.entries), labels, strict=True))
            return _list(title_of(fields[name]), rows, look)
        case ColorStops(field=name):
            rows = stop_rows(style)
            return _list(f"{title_of(fields[name])} {_bracketed(fields[name])}".strip(), rows, look)
    image = legend(style, fields, look)
    height, width = image.shape
    data = b64encode(png(image)).decode()
    body = f'<image width="{width}" height="{height}" href="data:image/png;base64,{data}"/>'
    return _svg(width, height, look, (body,))


def _bracketed(field: Field) -> str:
    unit = show_unit(field.uom)
    return f"[{unit}]" if unit else ""


def _bar(ramp: ColorRamp, head: str, look: Look) -> str:
    """Stripes from low to high, ticks and the title."""
    pad, row, bar = look.pad, look.row, round(_BAR * look.zoom)
    palette = palette_of(ramp)
    colors = [tuple(palette.colors[slot].tolist()) for slot in palette.slots]
    low, high = float(ramp.low or 0.0), float(ramp.high or 0.0)
    marks = ticks(low, high, log=ramp.log, most=7)
    beside = max(text_width(one.label, look.text) for one in marks)
    upright = look.orientation == "vertical"
    headed = text_width(head, look.text) + 2 * pad
    if upright:
        width = look.width or max(4 * pad + bar + beside, headed)
        height = look.height or round(_LONG * look.zoom) + 3 * row
        long = height - 2 * pad - 2 * row
    else:
        width = look.width or max(round(_LONG * look.zoom) + beside + 2 * pad, headed)
        height = look.height or 2 * pad + 3 * row + bar
        long = width - 2 * pad - beside
    step = long / len(colors)
    left, top = (pad, pad + 1.5 * row) if upright else (pad + beside / 2, pad + 1.3 * row)
    body = [_words(pad, pad + look.text, head, look)]
    for number, color in enumerate(colors):
        at = long - (number + 1) * step if upright else number * step
        place = (left, top + at, bar, step) if upright else (left + at, top, step, bar)
        body.append(_box(place, color))
    for one in marks:
        if upright:
            at = top + (1 - one.place) * long + 0.35 * look.text
            body.append(_words(left + bar + pad, at, one.label, look))
        else:
            at = left + one.place * long
            body.append(_words(at, top + bar + 1.2 * look.text, one.label, look, "middle"))
    return _svg(width, height, look, body)


def _list(head: str, rows: list[tuple[Rgba, str]], look: Look) -> str:
    pad, row, box = look.pad, look.row, round(14 * look.zoom)
    widest = max((text_width(label, look.text) for _, label in rows), default=0)
    width = look.width or max(3 * pad + box + widest, text_width(head, look.text) + 2 * pad)
    height = look.height or round(2 * pad + (len(rows) + 1.3) * row)
    body = [_words(pad, pad + look.text, head, look)]
    for number, (color, label) in enumerate(rows):
        y = pad + (number + 1.3) * row
        body.append(_box((pad, y, box, box), color))
        body.append(_words(2 * pad + box, y + 0.8 * box, label, look))
    return _svg(width, height, look, body)


def _svg(width: float, height: float, look: Look, body: Iterable[str]) -> str:
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    ground = _box((0, 0, width, height), look.background)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" '
        f'shape-rendering="crispEdges">\n{ground}\n' + "\n".join(body) + "\n</svg>\n"
    )


def _box(place: tuple[float, float, float, float], color: Rgba | tuple[int, ...]) -> str:
    x, y, width, height = (f"{one:.4g}" for one in place)
    fill = _hex((*color[:3], 255))
    alpha = f' fill-opacity="{color[3] / 255:.3g}"' if color[3] < 255 else ""
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}"{alpha}/>'


def _words(x: float, y: float, text: str, look: Look, anchor: str = "start") -> str:
    fill = _hex((*look.ink[:3], 255))
    return (
        f'<text x="{x:.5g}" y="{y:.5g}" font-size="{look.text:g}" fill="{fill}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )
