"""Styles: how the values of a cube become a picture."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import assert_never

from datacube.algebra.needs import needs
from datacube.algebra.text import parse
from datacube.errors import InvalidParameter
from datacube.model.fields import Category
from datacube.model.query import Interpolation
from datacube.model.symbolizer import PLAIN, Finish
from datacube.render.drawn import Arrows, Contours, Hillshade
from datacube.render.ramp import TRANSPARENT, ColorRamp, Rgba, check_percentiles, check_range, color
from datacube.render.stops import ColorStops

__all__ = [
    "MOST_CATEGORIES",
    "TRANSPARENT",
    "Arrows",
    "Categories",
    "Channel",
    "ColorRamp",
    "ColorStops",
    "Composite",
    "Contours",
    "Hillshade",
    "Rgba",
    "Style",
    "color",
    "fields_of",
    "for_field",
    "interpolation_of",
    "ramp_of",
]

MOST_CATEGORIES = 255


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
    percentiles : (lower, upper), optional
        Percentiles of the cube's values instead of low and high, where they are known.
    clip : bool
        Whether the picture is transparent where values lie beyond low and high.
    """

    field: str
    low: float = 0.0
    high: float = 1.0
    gamma: float = 1.0
    percentiles: tuple[float, float] | None = None
    clip: bool = False

    def __post_init__(self) -> None:
        check_range(self.low, self.high, self.field)
        if self.gamma <= 0:
            raise InvalidParameter(
                f"channel '{self.field}': gamma is above zero, not {self.gamma:g}",
                subject=self.field,
            )
        if self.percentiles is not None:
            check_percentiles(self.percentiles, self.field)


@dataclass(frozen=True, slots=True)
class Composite:
    """Three fields as red, green and blue; transparent where any of them has no value.

    Parameters
    ----------
    name, title : str
    red, green, blue : Channel
    finish : Finish, of the colours in the end
    """

    name: str
    title: str
    red: Channel
    green: Channel
    blue: Channel
    finish: Finish = PLAIN

    @property
    def channels(self) -> tuple[Channel, Channel, Channel]:
        """Red, green, blue."""
        return self.red, self.green, self.blue


type Style = ColorRamp | ColorStops | Categories | Composite | Hillshade | Contours | Arrows


def fields_of(style: Style) -> tuple[str, ...]:
    """Names of the fields that a style reads, each once, in order."""
    match style:
        case ColorRamp(expression=text) if text:
            return _expressed(text)
        case ColorRamp() | ColorStops() | Categories() | Hillshade() | Contours():
            return (style.field,)
        case Composite():
            return tuple(dict.fromkeys(channel.field for channel in style.channels))
        case Arrows():
            return style.u, style.v
        case _:
            assert_never(style)


@lru_cache(maxsize=256)
def _expressed(text: str) -> tuple[str, ...]:
    return tuple(sorted(needs(parse(text))))


def for_field(style: Style, name: str) -> Style:
    """The style, of that field where it names none itself."""
    match style:
        case ColorRamp(field="") | Categories(field="") | Hillshade(field="") | Contours(field=""):
            return replace(style, field=name)
        case _:
            return style


def ramp_of(style: Style) -> ColorRamp | None:
    """The colour ramp of a style, or of what it is drawn over; of its field where it names none."""
    match style:
        case ColorRamp():
            return style
        case Hillshade(ramp=ColorRamp() as ramp) | Contours(ramp=ColorRamp() as ramp):
            return replace(ramp, field=style.field)
        case Arrows(ramp=ColorRamp() as ramp):
            return ramp
        case _:
            return None


def interpolation_of(style: Style) -> Interpolation:
    """How a style wants values between cells: as they are, or smooth where slopes are drawn."""
    match style:
        case Hillshade() | Contours():
            return "cubic"
        case Arrows():
            return "bilinear"
        case _:
            return "nearest"
