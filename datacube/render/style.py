"""Styles: how the values of a cube become colours."""

import re
from dataclasses import dataclass, replace
from typing import assert_never

from datacube.errors import InvalidParameter
from datacube.model.fields import Category

type Rgba = tuple[int, int, int, int]

TRANSPARENT: Rgba = (0, 0, 0, 0)
MOST_CATEGORIES = 255
_HEX = re.compile(r"#?([0-9a-fA-F]{6})([0-9a-fA-F]{2})?")


def color(text: str) -> Rgba:
    """Red, green, blue and alpha (0 … 255) of ``#rrggbb``, ``#rrggbbaa`` or ``transparent``.

    Raises
    ------
    InvalidParameter
        The text is no colour.

    Examples
    --------
    >>> color("#ff8000"), color("transparent")
    ((255, 128, 0, 255), (0, 0, 0, 0))
    """
    if text.lower() == "transparent":
        return TRANSPARENT
    if (found := _HEX.fullmatch(text)) is None:
        raise InvalidParameter(
            f"'{text}' is no colour: write #rrggbb, #rrggbbaa or transparent", subject=text
        )
    red, green, blue = bytes.fromhex(found[1])
    return red, green, blue, int(found[2] or "ff", 16)


@dataclass(frozen=True, slots=True)
class ColorRamp:
    """Values of one field along a colour map.

    The colour of value v is what matplotlib's ``cmap(Normalize(low, high)(v))`` gives in 8 bit
    (``LogNorm`` where log).

    Parameters
    ----------
    name, title : str
    field : str
        Empty in a named style that fits any field.
    colormap : str
        One of :func:`datacube.render.colormap.names`.
    low, high : float, optional
        Physical values at the ends of the colour map; None is found from the field.
    log : bool
        Logarithmic between low and high; values ≤ 0 lie below.
    below, above : (red, green, blue, alpha), optional
        Colour beyond the ends; None is the colour of that end.
    missing : (red, green, blue, alpha)
        Colour where there is no value, also outside the cube.
    expression : str
        Band maths whose values are drawn; ``field`` is then only the name they go by.

    Raises
    ------
    InvalidParameter
        The range is empty or reversed, or not above zero in a logarithmic ramp.

    Examples
    --------
    >>> fields_of(ColorRamp("warm", "Warm", "sst", "thermal", 271.15, 308.15))
    ('sst',)
    """

    name: str
    title: str
    field: str
    colormap: str = "viridis"
    low: float | None = None
    high: float | None = None
    log: bool = False
    below: Rgba | None = None
    above: Rgba | None = None
    missing: Rgba = TRANSPARENT
    expression: str = ""

    def __post_init__(self) -> None:
        _check_range(self.low, self.high, self.name)
        if self.log and self.low is not None and self.low <= 0:
            raise InvalidParameter(
                f"style '{self.name}': a logarithmic range begins above zero, not at {self.low:g}",
                subject=self.name,
            )


@dataclass(frozen=True, slots=True)
class Categories:
    """One colour for each class of a categorical field; other values are transparent.

    Parameters
    ----------
    name, title, field : str
    entries : tuple of Category, at most 255
        Values are stored (packed) values. An entry without colour takes one from tab20.

    Raises
    ------
    InvalidParameter
        There are more classes than a palette holds.
    """

    name: str
    title: str
    field: str
    entries: tuple[Category, ...]

    def __post_init__(self) -> None:
        if len(self.entries) > MOST_CATEGORIES:
            raise InvalidParameter(
                f"style '{self.name}' has {len(self.entries)} classes; "
                f"a palette holds {MOST_CATEGORIES}",
                subject=self.name,
            )


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of a composite: intensity = ((value - low) / (high - low)) ** (1 / gamma).

    Parameters
    ----------
    field : str
    low, high : float, physical values shown black and at full intensity
    gamma : float, above 1 brightens the middle
    """

    field: str
    low: float = 0.0
    high: float = 1.0
    gamma: float = 1.0

    def __post_init__(self) -> None:
        _check_range(self.low, self.high, self.field)
        if self.gamma <= 0:
            raise InvalidParameter(
                f"channel '{self.field}': gamma is above zero, not {self.gamma:g}",
                subject=self.field,
            )


@dataclass(frozen=True, slots=True)
class Composite:
    """Three fields as red, green and blue; transparent where any of them has no value."""

    name: str
    title: str
    red: Channel
    green: Channel
    blue: Channel

    @property
    def channels(self) -> tuple[Channel, Channel, Channel]:
        """Red, green, blue."""
        return self.red, self.green, self.blue


type Style = ColorRamp | Categories | Composite


def fields_of(style: Style) -> tuple[str, ...]:
    """Names of the fields that a style reads, each once, in order."""
    match style:
        case ColorRamp() | Categories():
            return (style.field,)
        case Composite():
            return tuple(dict.fromkeys(channel.field for channel in style.channels))
        case _:
            assert_never(style)


def for_field(style: Style, name: str) -> Style:
    """The style, of that field where it names none itself."""
    match style:
        case ColorRamp(field="") | Categories(field=""):
            return replace(style, field=name)
        case _:
            return style


def _check_range(low: float | None, high: float | None, subject: str) -> None:
    if low is not None and high is not None and not low < high:
        raise InvalidParameter(
            f"'{subject}': the range {low:g} … {high:g} is empty; low lies below high",
            subject=subject,
        )
