"""Parts of SLD documents: children, numbers, contrast and the options of QGIS' colours."""

from collections.abc import Iterator, Mapping
from math import isfinite

from datacube.model.markup import Element, Misplaced, local_name
from datacube.model.symbolizer import ChannelChoice, Finish, Gray

_GRAYS: Mapping[str, Gray | None] = {
    "lightness": "lightness",
    "luminosity": "luminosity",
    "average": "average",
    "off": None,
    "": None,
}
_REFUSED = ("Histogram", "Logarithmic", "Exponential")


def refused(element: Element, words: str) -> Misplaced:
    """What is wrong with an element, with its line."""
    return Misplaced(words, int(element.sourceline or 0), subject="SLD")


def child(element: Element, name: str) -> Element | None:
    """The first child of that name."""
    return next((one for one in element if local_name(one) == name), None)


def every(element: Element, name: str) -> Iterator[Element]:
    """The elements of that name within one."""
    return (one for one in element.iter() if local_name(one) == name)


def text_of(element: Element, name: str) -> str:
    """Text of a child, or of the Literal within it; empty without one."""
    found = child(element, name)
    return "" if found is None else "".join(str(part) for part in found.itertext()).strip()


def number_of(element: Element, text: str, otherwise: float | None = None) -> float:
    """A finite number of an element.

    Parameters
    ----------
    otherwise : float, optional, for an empty text

    Raises
    ------
    InvalidParameter
        It is none.
    """
    if not text.strip() and otherwise is not None:
        return otherwise
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value) or "_" in text:
        raise refused(element, f"'{text[:30]}' in the SLD is no number; values are literal")
    return value


def channel_of(band: str, contrast: Element | None) -> ChannelChoice:
    """A channel with its stretch: from minValue to maxValue where the document has them.

    Raises
    ------
    InvalidParameter
        The contrast is enhanced in a way that is not offered.
    """
    if contrast is None:
        return ChannelChoice(band)
    for name in _REFUSED:
        if (found := child(contrast, name)) is not None:
            raise refused(found, f"{name} as contrast is not offered; Normalize and GammaValue are")
    given = options(contrast)
    low, high = (
        number_of(contrast, given[name]) if given.get(name) else None
        for name in ("minvalue", "maxvalue")
    )
    if low is None or high is None or not low < high:
        low = high = None
    return ChannelChoice(
        band,
        low,
        high,
        number_of(contrast, text_of(contrast, "GammaValue"), 1.0),
        clip=given.get("algorithm", "").lower() == "cliptominimummaximum",
        stretched=True,
    )


def options(element: Element) -> Mapping[str, str]:
    """Vendor options within an element, names in lower case."""
    return {
        one.get("name", "").lower(): (one.text or "").strip()
        for one in every(element, "VendorOption")
    }


def finish_of(symbolizer: Element) -> Finish:
    """Opacity, and what QGIS does to the colours of a layer in the end.

    Shares of 0 … 1 stand for QGIS' whole numbers; with a tint, ``saturation`` is that of the tint.
    """
    opacity = number_of(symbolizer, text_of(symbolizer, "Opacity"), 1.0)
    own = [one for one in symbolizer if local_name(one) == "VendorOption"]
    given = {one.get("name", "").lower(): one for one in own}

    def share(name: str, none: float) -> float:
        one = given.get(name)
        return none if one is None else min(max(number_of(one, one.text or "", none), 0.0), 1.0)

    def word(name: str) -> str:
        return "" if name not in given else (given[name].text or "").strip().lower()

    def byte(name: str) -> int:
        one = given.get(name)
        return 0 if one is None else int(min(max(number_of(one, one.text or "", 0.0), 0), 255))

    gray = word("grayscale")
    if gray not in _GRAYS:
        raise refused(given["grayscale"], f"'{gray[:20]}' is no kind of grayScale")
    tinted = word("colorizeon") in {"1", "true"}
    return Finish(
        brightness=round(510 * share("brightness", 0.5) - 255),
        contrast=round(200 * share("contrast", 0.5) - 100),
        invert=word("invertcolors") in {"1", "true"},
        gray=_GRAYS[gray],
        saturation=0 if tinted else round(200 * share("saturation", 0.5) - 100),
        tint=(byte("colorizered"), byte("colorizegreen"), byte("colorizeblue")) if tinted else None,
        strength=share("colorizestrength", 1.0),
        opacity=min(max(opacity, 0.0), 1.0),
    )
