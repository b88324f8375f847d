"""Colours as one writes them, and ramps: values along a colour map."""

import re
from dataclasses import dataclass

from datacube.errors import InvalidParameter

type Rgba = tuple[int, int, int, int]

TRANSPARENT: Rgba = (0, 0, 0, 0)
MOST_BANDS = 253
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
    bands : int, 1 … 253, optional
        That many steps of one colour each instead of a smooth ramp: matplotlib's ``BoundaryNorm``
        with equal steps (equal ratios in a logarithmic ramp).
    opacity : float, 0 … 1
        Of the whole picture.
    percentiles : (lower, upper), optional
        Open ends are these percentiles of the cube's values, where they are known.
    measured : bool
        Open ends are measured on the steps that are shown: their second and 98th percentile.

    Raises
    ------
    InvalidParameter
        The range is empty or reversed, or not above zero in a logarithmic ramp; bands, opacity
        or percentiles are out of bounds.

    Examples
    --------
    >>> ColorRamp("warm", "Warm", "sst", "thermal", 271.15, 308.15, bands=8).bands
    8
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
    bands: int | None = None
    opacity: float = 1.0
    percentiles: tuple[float, float] | None = None
    measured: bool = False

    def __post_init__(self) -> None:
        check_range(self.low, self.high, self.name)
        if self.log and self.low is not None and self.low <= 0:
            raise InvalidParameter(
                f"style '{self.name}': a logarithmic range begins above zero, not at {self.low:g}",
                subject=self.name,
            )
        if self.bands is not None and not 1 <= self.bands <= MOST_BANDS:
            raise InvalidParameter(
                f"style '{self.name}': bands are 1 to {MOST_BANDS}, not {self.bands}",
                subject=self.name,
            )
        if not 0 <= self.opacity <= 1:
            raise InvalidParameter(
                f"style '{self.name}': opacity is from 0 to 1, not {self.opacity:g}",
                subject=self.name,
            )
        if self.percentiles is not None:
            check_percentiles(self.percentiles, self.name)


def check_range(low: float | None, high: float | None, subject: str) -> None:
    """Refuse a range that is empty or reversed.

    Raises
    ------
    InvalidParameter
    """
    if low is not None and high is not None and not low < high:
        raise InvalidParameter(
            f"'{subject}': the range {low:g} … {high:g} is empty; low lies below high",
            subject=subject,
        )


def check_percentiles(percentiles: tuple[float, float], subject: str) -> None:
    """Refuse percentiles that are reversed or beyond 0 … 100.

    Raises
    ------
    InvalidParameter
    """
    low, high = percentiles
    if not 0 <= low < high <= 100:
        raise InvalidParameter(
            f"'{subject}': the percentiles {low:g} and {high:g} are not 0 ≤ lower < upper ≤ 100",
            subject=subject,
        )
