"""Styles as the clients of other servers ask for them: the dialects of ncWMS and Copernicus Marine.

ncWMS (THREDDS): ``STYLES=boxfill/rainbow``, ``contour/…``, ``vector/…``, ``barb/…`` (or a style of
the layer and a palette: ``anomaly/RdBu``), with
``PALETTE``, ``COLORSCALERANGE=0,30`` or ``auto``, ``NUMCOLORBANDS``, ``LOGSCALE``,
``ABOVEMAXCOLOR``, ``BELOWMINCOLOR`` and ``OPACITY`` beside it; ``DPI`` (``MAP_RESOLUTION``,
``FORMAT_OPTIONS=dpi:300``) draws lines, arrows and letters larger. Copernicus Marine:
``cmap:thermal,range:0/35,logScale,inverse,noClamp`` as the name of a style. The parameters go with
any style and in every service; a style of the server comes before a dialect's of the same name.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from datacube.engine.cube import Layer
from datacube.errors import InvalidParameter, StyleNotFound
from datacube.model.restyle import Beyond, Kind, Restyle
from datacube.render.ramp import MOST_BANDS, TRANSPARENT
from services.ows.kvp import Kvp, boolean, number, positive

PARAMETERS = frozenset(
    {
        "palette",
        "colorscalerange",
        "numcolorbands",
        "logscale",
        "abovemaxcolor",
        "belowmincolor",
        "opacity",
        "dpi",
        "map_resolution",
        "format_options",
    }
)
_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("boxfill", "raster", "default-scalar", "default"), "ramp"),
    **dict.fromkeys(("contour", "contours", "linecontour"), "contours"),
    **dict.fromkeys(("vector", "vectors", "arrows", "vector_arrows", "default-vector"), "arrows"),
    **dict.fromkeys(("fancyvec", "linevec", "stumpvec", "trivec", "prettyvec"), "arrows"),
    **dict.fromkeys(("barb", "barbs", "windbarbs", "vector_barbs"), "barbs"),
}
_FAMILIES = re.compile(r"^(psu|seq|div|x)-", re.IGNORECASE)
_PALETTES = {"greyscale": "gray", "redblue": "RdBu_r", "alg": "algae"}
_WORDS = ("cmap:NAME", "range:LOW/HIGH", "logScale", "inverse", "noClamp")
_DOTS = 96.0
_LONGEST = 4000  # characters of all styles of a request
_MODIFIER = re.compile(r"^(cmap:|range:|logscale$|inverse$|noclamp$)", re.IGNORECASE)


def chosen_style(kvp: Kvp, layer: Layer, text: str) -> tuple[str, Restyle | None]:
    """Name of the layer's style that a text means, and what changes in it.

    Parameters
    ----------
    text : str, as one entry of STYLES or as STYLE; empty is the default

    Raises
    ------
    StyleNotFound
        It is neither a style of the layer nor one of a dialect.
    InvalidParameter
        A parameter of a dialect cannot be read.
    """
    name, change = "", Restyle()
    if len(text) > _LONGEST:
        layer.style(text)  # says which there are
    elif text and not _named(layer, text):
        own, _, palette = text.rpartition("/")
        if found := _of_text(text):
            change = found
        elif own and _named(layer, own):
            name = layer.style(own).name
            colormap, inverse = _palette(palette)
            change = Restyle(colormap=colormap, inverse=inverse)
        else:
            layer.style(text)
    elif text:
        name = layer.style(text).name
    if not PARAMETERS.isdisjoint(kvp.names):
        change = _of_parameters(kvp, change)
    return name, None if change == Restyle() else change


@lru_cache(maxsize=1024)
def style_list(text: str) -> tuple[str, ...]:
    """Entries of STYLES; commas within a style of Copernicus Marine do not part it.

    Examples
    --------
    >>> style_list("a, ,cmap:thermal,range:0/35,logScale,b")
    ('a', '', 'cmap:thermal,range:0/35,logScale', 'b')
    """
    if len(text) > _LONGEST:  # which would be remembered
        raise ValueError(f"{len(text)} characters are too many; at most {_LONGEST} are read")
    first, *others = (one.strip() for one in text.split(","))
    entries = [first]
    for part in others:
        again = part.lower().startswith("cmap:") and "cmap:" in entries[-1].lower()
        if again or not _MODIFIER.match(part) or not _MODIFIER.match(entries[-1]):
            entries.append(part)
        else:
            entries[-1] += f",{part}"
    return tuple(entries)


def _named(layer: Layer, text: str) -> bool:
    return text == "default" or any(style.name == text for style in layer.styles)


@lru_cache(maxsize=1024)
def _of_text(text: str) -> Restyle | None:
    """The changes that a name of a dialect means; None where it is none."""
    if _MODIFIER.match(text):
        return _of_words(text)
    kind, _, palette = text.partition("/")
    if kind.lower() not in _KINDS:
        return None
    name, inverse = _palette(palette)
    return Restyle(kind=_KINDS[kind.lower()], colormap=name, inverse=inverse)


def _of_words(text: str) -> Restyle:
    change = Restyle(kind="ramp")
    for word in (one.strip() for one in text.split(",")):
        key, _, value = word.partition(":")
        match key.lower():
            case "cmap" if value:
                name, inverse = _palette(value)
                change = replace(change, colormap=name, inverse=change.inverse != inverse)
            case "range":
                low, high = _range_of(value.split("/"), text)
                change = replace(change, low=low, high=high)
            case "logscale":
                change = replace(change, log=True)
            case "inverse":
                change = replace(change, inverse=not change.inverse)
            case "noclamp":
                change = replace(change, below=TRANSPARENT, above=TRANSPARENT)
            case _:
                raise StyleNotFound(
                    f"'{word[:50]}' is no part of a style; its parts are {', '.join(_WORDS)}",
                    subject=text[:100],
                )
    return _above_zero(change)


def _above_zero(change: Restyle) -> Restyle:
    """With a logarithmic range that begins at zero begun at a thousandth of its end."""
    low, high = change.low, change.high
    if not change.log or low is None or high is None or not low <= 0 < high:
        return change
    return replace(change, low=high / 1000)


def _range_of(parts: list[str], text: str) -> tuple[float, float]:
    try:
        low, high = (number(part) for part in parts)
    except ValueError:
        low = high = 0.0
    if not low < high:
        raise StyleNotFound(
            f"the range in '{text[:100]}' is none; it is written range:LOW/HIGH, LOW below HIGH",
            subject=text[:100],
        )
    return low, high


def _palette(text: str) -> tuple[str, bool]:
    """Colour map and whether it is reversed; empty for that of the style."""
    name = _FAMILIES.sub("", text.strip())
    inverse = name.lower().endswith("-inv")
    name = name[: -len("-inv")] if inverse else name
    return "" if name.lower() == "default" else _PALETTES.get(name.lower(), name), inverse


def _of_parameters(kvp: Kvp, change: Restyle) -> Restyle:
    """The changes with those of the parameters."""
    if "palette" in kvp:
        name, inverse = kvp.one("PALETTE", _palette)
        change = replace(change, colormap=name, inverse=inverse)
    if "colorscalerange" in kvp:
        ends = kvp.one("COLORSCALERANGE", _scale_range)
        low, high = ends or (None, None)
        change = replace(change, measured=ends == (), low=low, high=high)
    if "logscale" in kvp:
        change = replace(change, log=kvp.one("LOGSCALE", boolean))
    change = _of_colours(kvp, change)
    if "opacity" in kvp:
        change = replace(change, opacity=kvp.one("OPACITY", number) / 100)
    return replace(change, zoom=_zoom(kvp))


def _of_colours(kvp: Kvp, change: Restyle) -> Restyle:
    """Bands, and the colours beyond the range."""
    if "numcolorbands" in kvp:
        bands = kvp.one("NUMCOLORBANDS", positive)
        change = replace(change, bands=bands if bands <= MOST_BANDS else None)
    if "abovemaxcolor" in kvp:
        change = replace(change, above=kvp.one("ABOVEMAXCOLOR", _colour))
    if "belowmincolor" in kvp:
        change = replace(change, below=kvp.one("BELOWMINCOLOR", _colour))
    return change


def _zoom(kvp: Kvp) -> float:
    """How much larger things are drawn than at 96 dots an inch: DPI and its other spellings."""
    name = next((one for one in ("DPI", "MAP_RESOLUTION") if one in kvp), "")
    dots = kvp.one(name, _dots) if name else kvp.optional("FORMAT_OPTIONS", _dots_among, _DOTS)
    return min(max(dots / _DOTS, 0.5), 4.0)


def _dots(text: str) -> float:
    dots = number(text)
    if dots <= 0:
        raise ValueError("a number above zero is needed")
    return dots


def _dots_among(text: str) -> float:
    """The part ``dpi:300`` of options that are parted by semicolons."""
    pairs = (one.partition(":") for one in text.split(";"))
    found = next((value for name, _, value in pairs if name.strip().lower() == "dpi"), None)
    return _DOTS if found is None else _dots(found)


def _scale_range(text: str) -> tuple[float, float] | tuple[()] | None:
    """Two numbers; empty for ``auto``, None for the style's own (``default``)."""
    match text.strip().lower():
        case "auto":
            return ()
        case "default":
            return None
    parts = text.split(",")
    if len(parts) != 2:
        raise ValueError("two numbers are needed, separated by a comma, or auto")
    low, high = (number(part) for part in parts)
    if not low < high:
        raise InvalidParameter(
            f"COLORSCALERANGE {low:g},{high:g} is empty: the first number is the lower",
            subject="COLORSCALERANGE",
        )
    return low, high


def _colour(text: str) -> Beyond:
    """``0xRRGGBB``, ``0xAARRGGBB``, ``#RRGGBB``, ``transparent`` or ``extend``."""
    word = text.strip().lower()
    if word == "extend":
        return "extend"
    if word == "transparent":
        return TRANSPARENT
    digits = word.removeprefix("0x").removeprefix("#")
    if len(digits) not in {6, 8}:
        raise ValueError("a colour is written 0xRRGGBB, 0xAARRGGBB, transparent or extend")
    alpha, red, green, blue = bytes.fromhex(digits.rjust(8, "f"))
    return red, green, blue, alpha
