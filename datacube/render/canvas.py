"""A small drawing surface for legends: text, boxes and colour bars."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from math import ceil, floor
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from datacube.model.block import RgbaImage
from datacube.render.style import Rgba

type Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
type Anchor = Literal["lt", "lm", "rm", "mt", "mm", "ls"]


@lru_cache(maxsize=32)
def font(size: float) -> Font:
    """A font with the letters and signs that titles and units need.

    DejaVu Sans as matplotlib ships it (found without importing it); Pillow's own, which has
    hardly more than ASCII, where that is missing.
    """
    spec = find_spec("matplotlib")
    if spec is not None and spec.origin is not None:
        path = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if path.exists():
            return ImageFont.truetype(path, size)
    return ImageFont.load_default(size)


def text_width(text: str, size: float) -> int:
    """Width of a line of text in pixels."""
    return int(np.ceil(font(size).getlength(text)))


def fitted(text: str, size: float, width: int) -> str:
    """The text, cut off with an ellipsis where it is wider.

    Examples
    --------
    >>> fitted("sea surface temperature", 12, 60)[-1]
    '…'
    """
    if text_width(text, size) <= width:
        return text
    for end in range(len(text) - 1, 0, -1):
        shorter = text[:end].rstrip() + "…"
        if text_width(shorter, size) <= width:
            return shorter
    return ""


def wrapped(text: str, size: float, width: int) -> list[str]:
    """Lines no wider than width, broken at spaces; longer words are cut off."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(fitted(word, size, width))
    return lines


@dataclass(frozen=True, eq=False)
class Canvas:
    """A picture that is drawn on; x to the right and y down, in pixels.

    Parameters
    ----------
    picture : Pillow image, RGBA
    ink : colour of text and lines
    halo : colour around the text, which keeps it legible over anything; None is no halo
    """

    picture: Pillow.Image
    ink: Rgba
    halo: Rgba | None

    @classmethod
    def blank(cls, width: int, height: int, background: Rgba, ink: Rgba) -> "Canvas":
        """A canvas of one colour; text has a halo where that is not opaque."""
        light = sum(ink[:3]) < 3 * 128
        halo = (255, 255, 255, 170) if light else (0, 0, 0, 170)
        picture = Pillow.new("RGBA", (width, height), background)
        return cls(picture, ink, halo if background[3] < 255 else None)

    def text(self, x: float, y: float, text: str, size: float, anchor: Anchor = "lt") -> None:
        """A line of text at its anchor (left/middle/right, top/middle/baseline)."""
        if self.halo is not None:
            self._text(x, y, text, size, anchor, self.halo, stroke=max(1, round(size / 8)))
        self._text(x, y, text, size, anchor, self.ink)

    def _text(
        self, x: float, y: float, text: str, size: float, anchor: Anchor, ink: Rgba, stroke: int = 0
    ) -> None:
        letters, (width, height) = font(size), self.picture.size
        box = ImageDraw.Draw(self.picture).textbbox(
            (x, y), text, font=letters, anchor=anchor, stroke_width=stroke
        )
        left, top = max(floor(box[0]) - 1, 0), max(floor(box[1]) - 1, 0)
        right, bottom = min(ceil(box[2]) + 1, width), min(ceil(box[3]) + 1, height)
        if left >= right or top >= bottom:
            return
        layer = Pillow.new("RGBA", (right - left, bottom - top), (*ink[:3], 0))
        ImageDraw.Draw(layer).text(
            (x - left, y - top), text, fill=ink, font=letters, anchor=anchor, stroke_width=stroke
        )
        self.picture.alpha_composite(layer, (left, top))

    def paste(self, x: int, y: int, pixels: NDArray[np.uint8]) -> None:
        """Pixels (uint8, (y, x, 4)) with their upper left corner there."""
        self.picture.alpha_composite(Pillow.fromarray(np.ascontiguousarray(pixels)), (x, y))

    def line(self, x0: int, y0: int, x1: int, y1: int, width: int = 1) -> None:
        """A straight line of the ink, horizontal or vertical."""
        ImageDraw.Draw(self.picture).rectangle(
            (x0, y0, x1 + (width - 1) * (x0 == x1), y1 + (width - 1) * (y0 == y1)), fill=self.ink
        )

    def frame(self, x0: int, y0: int, x1: int, y1: int, ink: Rgba = (90, 90, 90, 255)) -> None:
        """The outline of a box, corners included."""
        ImageDraw.Draw(self.picture).rectangle((x0, y0, x1, y1), outline=ink)

    def fill(self, x0: int, y0: int, x1: int, y1: int, ink: Rgba) -> None:
        """A filled box with an outline, corners included."""
        ImageDraw.Draw(self.picture).rectangle(
            (x0, y0, x1, y1), fill=ink, outline=(90, 90, 90, 255)
        )

    def polygon(self, points: list[tuple[float, float]], ink: Rgba) -> None:
        """A filled polygon with an outline."""
        ImageDraw.Draw(self.picture).polygon(points, fill=ink, outline=(90, 90, 90, 255))

    def image(self) -> RgbaImage:
        """What has been drawn."""
        return RgbaImage(np.array(self.picture, np.uint8))
