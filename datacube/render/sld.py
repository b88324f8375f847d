"""SLD 1.0 and 1.1 documents: RasterSymbolizer, as clients send them and QGIS exports them.

Names are read without their namespaces, so that both versions and every prefix are understood.
Expressions of the Filter Encoding are not: values are literal.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf, nextafter

from datacube.model.markup import Element, local_name, parse
from datacube.model.restyle import Colour
from datacube.model.symbolizer import ChannelChoice, MapKind, RasterSymbolizer, Stop
from datacube.render.sldparts import (
    channel_of,
    child,
    every,
    finish_of,
    number_of,
    refused,
    text_of,
)

_COLOURS = ("RedChannel", "GreenChannel", "BlueChannel")
_KINDS: dict[str, MapKind] = {"ramp": "ramp", "intervals": "intervals", "values": "values"}
_FULL = 255.0


@dataclass(frozen=True, slots=True)
class StyledLayer:
    """A layer in a document: its name, and a style of the server or a description."""

    name: str
    style: str = ""
    symbolizer: RasterSymbolizer | None = None


def read_sld(document: bytes, style: str = "") -> tuple[StyledLayer, ...]:
    """The layers of a document, in order.

    Parameters
    ----------
    document : bytes
        A StyledLayerDescriptor, or a UserStyle or RasterSymbolizer alone (of a layer without name).
    style : str
        The style that is taken of several; where empty the default one, or the first.

    Raises
    ------
    InvalidParameter
        It is no such document, or says what is not offered; where it is known, with the line.
    """
    root = parse(document)
    if local_name(root) in {"RasterSymbolizer", "UserStyle", "FeatureTypeStyle"}:
        return (StyledLayer("", symbolizer=_symbolizer(root)),)
    if local_name(root) != "StyledLayerDescriptor":
        raise refused(
            root, f"the document is a {local_name(root)[:50]}; a StyledLayerDescriptor is read"
        )
    layers = [one for one in root if local_name(one) in {"NamedLayer", "UserLayer"}]
    if not layers:
        raise refused(root, "the SLD has no NamedLayer")
    found = tuple(_layer(one, style) for one in layers)
    if style and not any(one.symbolizer for one in found):
        names = (text_of(one, "Name") for one in every(root, "UserStyle"))
        raise refused(root, f"the SLD has no UserStyle '{style}'; it has {', '.join(names)[:500]}")
    return found


def _layer(layer: Element, wanted: str) -> StyledLayer:
    name = text_of(layer, "Name")
    named = child(layer, "NamedStyle")
    styles = [one for one in layer if local_name(one) == "UserStyle"]
    if not styles:
        return StyledLayer(name, "" if named is None else text_of(named, "Name"))
    if wanted:
        chosen = [one for one in styles if text_of(one, "Name") == wanted]
    else:
        defaults = [one for one in styles if text_of(one, "IsDefault") in {"1", "true"}]
        chosen = [*defaults, *styles]
    return StyledLayer(name, symbolizer=_symbolizer(chosen[0]) if chosen else None)


def _symbolizer(style: Element) -> RasterSymbolizer:
    """The first RasterSymbolizer of a style."""
    own = [style] if local_name(style) == "RasterSymbolizer" else every(style, "RasterSymbolizer")
    found = next(iter(own), None)
    if found is None:
        raise refused(style, "the style has no RasterSymbolizer; layers of this server are rasters")
    if (relief := child(found, "ShadedRelief")) is not None:
        raise refused(relief, "ShadedRelief is not read; a style of type hillshade draws relief")
    channels = tuple(_channels(found))
    kind, stops = _stops(child(found, "ColorMap"))
    title = text_of(style, "Title") or text_of(style, "Name")
    stops = tuple(_physical(stops, channels))
    return RasterSymbolizer(channels, kind, stops, finish_of(found), title)


def _physical(stops: tuple[Stop, ...], channels: tuple[ChannelChoice, ...]) -> Iterator[Stop]:
    """The stops at physical values: after a stretch they are at intensities of 0 … 255."""
    gray = channels[0] if channels else ChannelChoice("")
    for one in stops:
        if gray.low is None or gray.high is None or gray.clip:
            yield one
        else:
            at = gray.low + one.value / _FULL * (gray.high - gray.low)
            yield replace(one, value=at, label=one.label or f"{at:g}")


def _channels(symbolizer: Element) -> Iterator[ChannelChoice]:
    selection = child(symbolizer, "ChannelSelection")
    contrast = child(symbolizer, "ContrastEnhancement")
    if selection is None:
        if contrast is not None:
            yield channel_of("", contrast)
        return
    gray = child(selection, "GrayChannel")
    parts = [gray] if gray is not None else [child(selection, name) for name in _COLOURS]
    for part in parts:
        if part is None:
            raise refused(selection, "ChannelSelection lacks a channel")
        own = child(part, "ContrastEnhancement")
        yield channel_of(text_of(part, "SourceChannelName"), contrast if own is None else own)


def _stops(mapping: Element | None) -> tuple[MapKind, tuple[Stop, ...]]:
    """Kind and entries of a ColorMap (SLD 1.0), or of Categorize and Interpolate (SE 1.1)."""
    if mapping is None:
        return "ramp", ()
    if (steps := child(mapping, "Categorize")) is not None:
        return "intervals", tuple(_categories(steps))
    if (points := child(mapping, "Interpolate")) is not None:
        if (method := points.get("method", "linear").lower()) != "linear":
            raise refused(points, f"colours are interpolated linear, not {method[:20]}")
        found = (_point(one) for one in points if local_name(one) == "InterpolationPoint")
        return "ramp", tuple(sorted(found, key=lambda one: one.value))
    kind = _KINDS.get((mapping.get("type") or "ramp").lower())
    if kind is None:
        raise refused(
            mapping,
            f"the ColorMap type '{mapping.get('type', '')[:20]}' is none of {', '.join(_KINDS)}",
        )
    entries = (_entry(one) for one in mapping if local_name(one) == "ColorMapEntry")
    return kind, tuple(sorted(entries, key=lambda one: one.value))


def _entry(entry: Element) -> Stop:
    color = _colour(entry, entry.get("color", ""), entry.get("opacity") or "1")
    quantity = (entry.get("quantity") or "").strip().lower()
    if quantity in {"inf", "+inf", "infinity"}:
        return Stop(inf, color, entry.get("label", ""))
    return Stop(number_of(entry, quantity), color, entry.get("label", ""))


def _categories(steps: Element) -> Iterator[Stop]:
    """Value, Threshold, Value, … : each value lies below the threshold that follows.

    A threshold itself belongs to the value after it, unless the document says to the one before.
    """
    before = steps.get("thresholdsBelongTo", steps.get("threshholdsBelongTo", ""))
    parts = [one for one in steps if local_name(one) in {"Value", "Threshold"}]
    for one, after in pairwise((*parts, None)):
        if one is not None and local_name(one) == "Value":
            end = inf if after is None else number_of(after, after.text or "")
            end = end if before == "preceding" or after is None else nextafter(end, -inf)
            yield Stop(end, _colour(one, one.text or "", "1"))


def _point(point: Element) -> Stop:
    color = _colour(point, text_of(point, "Value"), "1")
    return Stop(number_of(point, text_of(point, "Data")), color)


def _colour(element: Element, text: str, opacity: str) -> Colour:
    digits = text.strip().removeprefix("#")
    try:
        red, green, blue = bytes.fromhex(digits)
    except ValueError as error:
        raise refused(element, f"'{text[:20]}' is no colour; it is written #rrggbb") from error
    alpha = min(max(number_of(element, opacity, 1.0), 0.0), 1.0)
    return red, green, blue, round(255 * alpha)
