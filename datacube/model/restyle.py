"""What a request changes in a style of the server: colours, range, how it is drawn."""

from dataclasses import dataclass
from typing import Literal

from datacube.errors import InvalidParameter

type Colour = tuple[int, int, int, int]
type Beyond = Colour | Literal["extend"]
type Kind = Literal["ramp", "contours", "arrows", "barbs"]


@dataclass(frozen=True, slots=True)
class Restyle:
    """Changes of a style; None, empty or False leaves it as it is.

    Parameters
    ----------
    kind : how the values are drawn
    colormap : str
    inverse : bool, whether the colour map runs the other way
    low, high : float, physical values at the ends of the colours; both or none
    measured : bool, whether the ends are measured on what is shown
    log : bool, optional
    bands : int, optional
    below, above : (red, green, blue, alpha), or ``extend`` for the colour of that end
    opacity : float, 0 … 1, of the layer in whatever style
    zoom : float
        Lines, arrows and letters are that many times as large.

    Raises
    ------
    InvalidParameter
        The opacity is out of bounds.
    """

    kind: Kind | None = None
    colormap: str = ""
    inverse: bool = False
    low: float | None = None
    high: float | None = None
    measured: bool = False
    log: bool | None = None
    bands: int | None = None
    below: Beyond | None = None
    above: Beyond | None = None
    opacity: float = 1.0
    zoom: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.opacity <= 1:
            raise InvalidParameter(
                f"the opacity is 0 to 100 percent, not {self.opacity * 100:g}", subject="OPACITY"
            )

    @property
    def colours(self) -> bool:
        """Whether it changes more than opacity and size."""
        return self != Restyle(opacity=self.opacity, zoom=self.zoom)
