"""SLD 1.0 and 1.1 documents: RasterSymbolizer, as clients send them and QGIS exports them.

Names are read without their namespaces, so that both versions and every prefix are understood.
Expressions of the Filter Encoding are not: values are literal.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from datacube.errors import InvalidParameter
from datacube.model.restyle import Colour
from datacube.model.symbolizer import ChannelChoice, MapKind, RasterSymbolizer, Stop
from services.ows.kvp import number
from services.ows.xml import Element, parse

_COLOURS = ("RedChannel", "GreenChannel", "BlueChannel")
_KINDS: dict[str, MapKind] = {"ramp": "ramp", "intervals": "intervals", "values": "values"}


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
        The style that is taken of several; the default one, or the first, where empty.

    Raises
    ------
    InvalidParameter
        It is no such document, or says what is not offered.
    """
    root = parse(document)
    if _local(root) in {"RasterSymbolizer", "UserStyle", "FeatureTypeStyle"}:
        return (StyledLayer("", symbolizer=_symbolizer(root)),)
    if _local(root) != "StyledLayerDescriptor":
        raise InvalidParameter(
            f"the document is a {_local(root)[:50]}; a StyledLayerDescriptor is read",
            subject="SLD",
        )
    layers = [one for one in root if _local(one) in {"NamedLayer", "UserLayer"}]
    if not layers:
        raise InvalidParameter("the SLD has no NamedLayer", subject="SLD")
    return tuple(_layer(one, style) for one in layers)


def _layer(layer: Element, wanted: str) -> StyledLayer:
    name = _text(layer, "Name")
    named = _child(layer, "NamedStyle")
    styles = [one for one in layer if _local(one) == "UserStyle"]
    if not styles:
        return StyledLayer(name, "" if named is None else _text(named, "Name"))
    chosen = [one for one in styles if wanted and _text(one, "Name") == wanted]
    chosen += [one for one in styles if _text(one, "IsDefault") in {"1", "true"}]
    return StyledLayer(name, symbolizer=_symbolizer((*chosen, *styles)[0]))


def _symbolizer(style: Element) -> RasterSymbolizer:
    """The first RasterSymbolizer of a style."""
    own = [style] if _local(style) == "RasterSymbolizer" else list(_all(style, "RasterSymbolizer"))
    if not own:
        raise InvalidParameter(
            "the style has no RasterSymbolizer; layers of this server are rasters", subject="SLD"
        )
    found = own[0]
    kind, stops = _stops(_child(found, "ColorMap"))
    return RasterSymbolizer(
        tuple(_channels(found)),
        kind,
        stops,
        min(max(_number(_text(found, "Opacity"), 1.0), 0.0), 1.0),
        _text(style, "Title") or _text(style, "Name"),
    )


def _channels(symbolizer: Element) -> Iterator[ChannelChoice]:
    selection = _child(symbolizer, "ChannelSelection")
    contrast = _child(symbolizer, "ContrastEnhancement")
    if selection is None:
        if contrast is not None:
            yield _stretched("", contrast)
        return
    gray = _child(selection, "GrayChannel")
    parts = [gray] if gray is not None else [_child(selection, name) for name in _COLOURS]
    for part in parts:
        if part is None:
            raise InvalidParameter("ChannelSelection lacks a channel", subject="SLD")
        own = _child(part, "ContrastEnhancement")
        yield _stretched(_text(part, "SourceChannelName"), own if own is not None else contrast)


def _stretched(band: str, contrast: Element | None) -> ChannelChoice:
    """A channel with its stretch: from minValue to maxValue where the document has them."""
    if contrast is None:
        return ChannelChoice(band)
    if _child(contrast, "Histogram") is not None:
        raise InvalidParameter(
            "histogram equalisation is not offered; Normalize and GammaValue are", subject="SLD"
        )
    given = {one.get("name", "").lower(): one.text or "" for one in _all(contrast, "VendorOption")}
    ends = [given.get(name, "") for name in ("minvalue", "maxvalue")]
    low, high = ((_number(one, 0.0) if one else None) for one in ends)
    if low is None or high is None or not low < high:
        low = high = None
    return ChannelChoice(band, low, high, _number(_text(contrast, "GammaValue"), 1.0))


def _stops(mapping: Element | None) -> tuple[MapKind, tuple[Stop, ...]]:
    """Kind and entries of a ColorMap (SLD 1.0), or of Categorize and Interpolate (SE 1.1)."""
    if mapping is None:
        return "ramp", ()
    if (steps := _child(mapping, "Categorize")) is not None:
        return "intervals", tuple(_categories(steps))
    if (points := _child(mapping, "Interpolate")) is not None:
        found = (_point(one) for one in points if _local(one) == "InterpolationPoint")
        return "ramp", tuple(sorted(found, key=lambda one: one.value))
    kind = _KINDS.get((mapping.get("type") or "ramp").lower())
    if kind is None:
        raise InvalidParameter(
            f"the ColorMap type '{mapping.get('type', '')[:20]}' is none of {', '.join(_KINDS)}",
            subject="SLD",
        )
    entries = (_entry(one) for one in mapping if _local(one) == "ColorMapEntry")
    return kind, tuple(sorted(entries, key=lambda one: one.value))


def _entry(entry: Element) -> Stop:
    color = _colour(entry.get("color", ""), entry.get("opacity") or "1")
    quantity = (entry.get("quantity") or "").strip().lower()
    if quantity in {"inf", "+inf", "infinity"}:
        return Stop(float("inf"), color, entry.get("label", ""))
    return Stop(_number(quantity, None), color, entry.get("label", ""))


def _categories(steps: Element) -> Iterator[Stop]:
    """Value, Threshold, Value, … : each value lies below the threshold that follows."""
    parts = [one for one in steps if _local(one) in {"Value", "Threshold"}]
    for place, one in enumerate(parts):
        if _local(one) == "Value":
            after = parts[place + 1].text if place + 1 < len(parts) else "inf"
            end = float("inf") if after == "inf" else _number(after or "", None)
            yield Stop(end, _colour((one.text or "").strip(), "1"))


def _point(point: Element) -> Stop:
    return Stop(_number(_text(point, "Data"), None), _colour(_text(point, "Value"), "1"))


def _colour(text: str, opacity: str) -> Colour:
    digits = text.strip().removeprefix("#")
    try:
        red, green, blue = bytes.fromhex(digits)
    except ValueError as error:
        raise InvalidParameter(
            f"'{text[:20]}' is no colour; it is written #rrggbb", subject="SLD"
        ) from error
    return red, green, blue, round(255 * min(max(_number(opacity, 1.0), 0.0), 1.0))


def _number(text: str, otherwise: float | None) -> float:
    if not text.strip() and otherwise is not None:
        return otherwise
    try:
        return number(text.strip())
    except ValueError as error:
        raise InvalidParameter(
            f"'{text[:30]}' in the SLD is no number; values are literal", subject="SLD"
        ) from error


def _local(element: Element) -> str:
    return etree.QName(element).localname


def _child(element: Element, name: str) -> Element | None:
    return next((one for one in element if _local(one) == name), None)


def _all(element: Element, name: str) -> Iterator[Element]:
    return (one for one in element.iter() if _local(one) == name)


def _text(element: Element, name: str) -> str:
    """Text of a child, or of the Literal within it."""
    child = _child(element, name)
    if child is None:
        return ""
    return "".join(str(part) for part in child.itertext()).strip()
