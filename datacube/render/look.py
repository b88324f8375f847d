"""How a legend is drawn: its size, text and colours."""

from dataclasses import dataclass
from typing import Literal

from datacube.render.canvas import Canvas
from datacube.render.ramp import Rgba

type Orientation = Literal["vertical", "horizontal"]

WHITE: Rgba = (255, 255, 255, 255)
INK: Rgba = (34, 34, 34, 255)
_TEXT = 12.0
_LARGEST = 4096


@dataclass(frozen=True, slots=True)
class Look:
    """How a legend is drawn.

    Parameters
    ----------
    width, height : int, optional
        Size of the picture; None is what it needs.
    orientation : which way a colour bar runs
    zoom : float
        Text and lines are that many times as large (high-resolution screens, print).
    background, ink : (red, green, blue, alpha)
        On a background that is not opaque, text has a halo.
    bare : bool
        The colours of a ramp alone, without words.
    """

    width: int | None = None
    height: int | None = None
    orientation: Orientation = "vertical"
    zoom: float = 1.0
    background: Rgba = WHITE
    ink: Rgba = INK
    bare: bool = False

    @property
    def text(self) -> float:
        """Size of the text in pixels."""
        return _TEXT * self.zoom

    @property
    def row(self) -> int:
        """Height of a line in pixels."""
        return round(_TEXT * 1.5 * self.zoom)

    @property
    def pad(self) -> int:
        """Margin in pixels."""
        return round(8 * self.zoom)

    def canvas(self, width: int, height: int) -> Canvas:
        """A canvas of the wanted size, or of this one where none is wanted."""
        width, height = self.width or width, self.height or height
        return Canvas.blank(
            min(max(width, 1), _LARGEST), min(max(height, 1), _LARGEST), self.background, self.ink
        )
