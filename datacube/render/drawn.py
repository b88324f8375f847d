"""Styles that draw: shaded relief, contour lines, arrows and wind barbs.

They need to know where their pixels lie, and values around the picture: see
:mod:`datacube.render.scene`.
"""

from dataclasses import dataclass
from math import radians, sin
from typing import Literal

from datacube.errors import InvalidParameter
from datacube.render.ramp import ColorRamp, Rgba

type Glyph = Literal["arrows", "barbs"]
type Along = Literal["north", "grid"]
type Coloring = Literal["background", "glyphs"]

INK: Rgba = (40, 40, 40, 255)
MOST_LEVELS = 256


@dataclass(frozen=True, slots=True)
class Hillshade:
    """Relief of one field as light from one side shows it, alone or over a ramp.

    Parameters
    ----------
    name, title, field : str
    azimuth : float
        Where the light comes from: degrees clockwise from the top of the picture.
    altitude : float, 0 … 90
        Degrees of the light above the horizon.
    exaggeration : float
        Metres that one unit of the field stands for; 1 for heights in metres.
    ramp : ColorRamp, optional
        Colours under the relief; a gray relief where None.
    """

    name: str
    title: str
    field: str
    azimuth: float = 315.0
    altitude: float = 45.0
    exaggeration: float = 1.0
    ramp: ColorRamp | None = None

    def __post_init__(self) -> None:
        if not 0 < self.altitude <= 90:
            raise _wrong(self.name, f"the light stands 0 to 90 degrees high, not {self.altitude:g}")
        if self.exaggeration <= 0:
            raise _wrong(self.name, f"exaggeration is above zero, not {self.exaggeration:g}")

    @property
    def flat(self) -> float:
        """Share of the light on level ground."""
        return sin(radians(self.altitude))


@dataclass(frozen=True, slots=True)
class Contours:
    """Lines of equal value of one field, alone (transparent between them) or over a ramp.

    Parameters
    ----------
    name, title, field : str
    interval : float, optional
        Lines at every multiple of it; ignored where there are levels. A round one is chosen from
        the field's range where neither is given.
    levels : tuple of float, ascending
    unit : str
        Unit of interval, levels and labels; empty is the field's own.
    color : (red, green, blue, alpha)
    width : float, pixels
    major : int
        Every major-th line is thicker; 0 is none.
    labels : bool
        Values along the lines.
    size : float, pixels, of the labels
    ramp : ColorRamp, optional
        Colours under the lines.
    """

    name: str
    title: str
    field: str
    interval: float | None = None
    levels: tuple[float, ...] = ()
    unit: str = ""
    color: Rgba = INK
    width: float = 1.0
    major: int = 5
    labels: bool = True
    size: float = 11.0
    ramp: ColorRamp | None = None

    def __post_init__(self) -> None:
        if self.interval is not None and self.interval <= 0:
            raise _wrong(self.name, f"the interval is above zero, not {self.interval:g}")
        if list(self.levels) != sorted(set(self.levels)):
            raise _wrong(self.name, "the levels ascend, each once")
        if len(self.levels) > MOST_LEVELS:
            raise _wrong(self.name, f"there are at most {MOST_LEVELS} levels")
        if not (0 < self.width <= 10 and 6 <= self.size <= 40 and self.major >= 0):
            raise _wrong(
                self.name, "width is up to 10 and size 6 to 40 pixels; major is not below 0"
            )


@dataclass(frozen=True, slots=True)
class Arrows:
    """Arrows or wind barbs of a vector with two components, their direction true on any map.

    Parameters
    ----------
    name, title : str
    u, v : str
        Fields of the two components.
    kind : ``arrows`` (towards where it moves) or ``barbs`` (WMO: half 5, full 10, flag 50 knots)
    along : ``north`` (u is to the east, v to the north) or ``grid`` (the axes of the cube's grid)
    spacing : float
        Pixels between neighbours.
    size : float
        Pixels of the longest arrow, or of a barb's staff.
    color : (red, green, blue, alpha)
        Of the glyphs, where the ramp does not colour them.
    ramp : ColorRamp, optional
        Colours by speed; its own field is not used.
    coloring : whether the ramp colours the ``background`` or the ``glyphs``
    """

    name: str
    title: str
    u: str
    v: str
    kind: Glyph = "arrows"
    along: Along = "north"
    spacing: float = 32.0
    size: float = 24.0
    color: Rgba = INK
    ramp: ColorRamp | None = None
    coloring: Coloring = "background"

    def __post_init__(self) -> None:
        if not (8 <= self.spacing <= 512 and 6 <= self.size <= 128):
            raise _wrong(self.name, "spacing is 8 to 512 pixels and size 6 to 128")


def _wrong(name: str, what: str) -> InvalidParameter:
    return InvalidParameter(f"style '{name}': {what}", subject=name)
