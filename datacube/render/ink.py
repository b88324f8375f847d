"""Lines, shapes and words drawn smoothly: four times as large, then averaged.

Coordinates are pixels with fractions, x to the right and y down; pixel i reaches from i to i + 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

from datacube.render.canvas import font
from datacube.render.ramp import Rgba

type FloatArray = NDArray[np.float64]

FINE = 4
_FEW = 3
_JOINED = 2.5  # wider lines have round joints
_APRON = 16  # pixels above and to the left: Pillow draws otherwise where numbers are negative
_STRIP_BYTES = 48 << 20


@dataclass(frozen=True, eq=False)
class Line:
    """A line through points: float64, (n, 2); width in pixels."""

    points: FloatArray
    width: float
    ink: int = 1
    closed: bool = False


@dataclass(frozen=True, eq=False)
class Shape:
    """A filled polygon: float64, (n, 2)."""

    points: FloatArray
    ink: int = 1


@dataclass(frozen=True, eq=False)
class Disc:
    """A filled circle, or a ring where it has a width."""

    points: FloatArray
    radius: float
    ink: int = 1
    width: float = 0.0


@dataclass(frozen=True, eq=False)
class Words:
    """A line of text with its middle at a point, turned by degrees (anticlockwise)."""

    points: FloatArray
    text: str
    size: float
    degrees: float
    ink: int = 1
    halo: float = 0.0


type Mark = Line | Shape | Disc | Words


def drawn(marks: Sequence[Mark], shape: tuple[int, int], inks: Sequence[Rgba]) -> NDArray[np.uint8]:
    """A picture of marks, later ones over earlier ones.

    Parameters
    ----------
    marks : sequence of Mark
        Ink 0 takes away what is there, ink 1 is the first of inks.
    shape : (height, width)
    inks : sequence of (red, green, blue, alpha), at most 255

    Returns
    -------
    pixels : uint8, (y, x, 4), straight alpha

    Examples
    --------
    >>> square = Shape(np.array([[0, 0], [1.5, 0], [1.5, 2], [0, 2.0]]))
    >>> drawn([square], (2, 2), [(255, 0, 0, 255)])[0].tolist()
    [[255, 0, 0, 255], [255, 0, 0, 128]]
    """
    height, width = shape
    pixels = np.zeros((height, width, 4), np.uint8)
    rows = max(16, _STRIP_BYTES // (5 * FINE * FINE * width))
    palette = np.zeros((256, 4), np.uint8)
    for place, ink in enumerate(inks, start=1):
        palette[place] = ink
    spans = [(one, *_reach(one)) for one in marks]
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        seen = [one for one, first, last in spans if last >= top and first <= bottom]
        if seen:
            pixels[top:bottom] = _strip(seen, top, (bottom - top, width), inks, palette)
    return pixels


def _reach(mark: Mark) -> tuple[float, float]:
    """First and last row that a mark may touch."""
    rows = mark.points[:, 1]
    match mark:
        case Line(width=width):
            more = width
        case Disc(radius=radius, width=width):
            more = radius + width
        case Words(text=text, size=size):
            more = size * (1 + len(text)) / 1.5
        case _:
            more = 0.0
    return float(rows.min()) - more - 1, float(rows.max()) + more + 1


def _strip(
    marks: Sequence[Mark],
    top: int,
    shape: tuple[int, int],
    inks: Sequence[Rgba],
    palette: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    height, width = ((side + _APRON) * FINE for side in shape)
    sheet = Pillow.new("L", (width, height), 0)
    brush = ImageDraw.Draw(sheet)
    for mark in marks:
        _draw(sheet, brush, mark, (mark.points + np.array([_APRON, _APRON - top])) * FINE)
    sheet = sheet.crop((_APRON * FINE, _APRON * FINE, width, height))
    if len(inks) <= _FEW:
        return _few(sheet, inks)
    inked = palette.view(np.uint32)[:, 0].take(np.asarray(sheet))
    fine = Pillow.frombuffer("RGBA", sheet.size, inked, "raw", "RGBA", 0, 1)
    return np.array(fine.reduce(FINE))  # Pillow weighs colours by alpha


def _few(sheet: Pillow.Image, inks: Sequence[Rgba]) -> NDArray[np.uint8]:
    """The same by the share that each ink has of a pixel."""
    height, width = sheet.height // FINE, sheet.width // FINE
    color = np.zeros((height, width, 3), np.float32)
    alpha = np.zeros((height, width, 1), np.float32)
    for place, ink in enumerate(inks, start=1):
        chosen = sheet.point([255 * (one == place) for one in range(256)])
        share = np.asarray(chosen.reduce(FINE), np.float32)[..., np.newaxis] * (ink[3] / 255)
        color += share * np.array(ink[:3], np.float32)
        alpha += share
    pixels = np.empty((height, width, 4), np.uint8)
    pixels[..., :3] = color / np.maximum(alpha, 1e-3) + 0.5
    pixels[..., 3:] = np.minimum(alpha + 0.5, 255)
    return pixels


def _whole(points: FloatArray, *, odd: bool = False) -> list[float]:
    """Numbers of the small pixels around points, rounded alike wherever the picture begins.

    A line of an odd number of small pixels has its middle in one, others between two.
    """
    places: list[float] = np.floor(points + (1e-6 if odd else 1e-6 - 0.5)).ravel().tolist()
    return places


def _draw(sheet: Pillow.Image, brush: ImageDraw.ImageDraw, mark: Mark, points: FloatArray) -> None:
    flat = _whole(points)
    match mark:
        case Line(width=width, ink=ink, closed=closed):
            wide = max(round(width * FINE), 1)
            flat = _whole(points, odd=wide % 2 == 1)
            path = [*flat, *flat[:4]] if closed else flat
            brush.line(path, fill=ink, width=wide, joint="curve" if width > _JOINED else None)
        case Shape(ink=ink):
            brush.polygon(flat, fill=ink)
        case Disc(radius=radius, ink=ink, width=width):
            reach = round((radius + width / 2) * FINE)
            box = (flat[0] - reach, flat[1] - reach, flat[0] + reach, flat[1] + reach)
            if width:
                brush.ellipse(box, outline=ink, width=round(width * FINE))
            else:
                brush.ellipse(box, fill=ink)
        case Words():
            mask = _words(mark.text, mark.size, round(mark.degrees, 1), mark.halo)
            left, above = int(flat[0]) - mask.width // 2, int(flat[1]) - mask.height // 2
            sheet.paste(mark.ink, (left, above), mask)


@lru_cache(maxsize=1024)
def _words(text: str, size: float, degrees: float, halo: float) -> Pillow.Image:
    """Mask of turned text, with its middle in the middle."""
    letters = font(size * FINE)
    stroke = round(halo * FINE)
    box = letters.getbbox(text, stroke_width=stroke)
    wide, high = int(box[2] - box[0]) + 2, int(box[3] - box[1]) + 2
    mask = Pillow.new("L", (wide, high), 0)
    ImageDraw.Draw(mask).text(
        (1 - box[0], 1 - box[1]), text, fill=255, font=letters, stroke_width=stroke
    )
    turned = mask.rotate(degrees, Pillow.Resampling.BICUBIC, expand=True)
    return turned.point([0] * 128 + [255] * 128, "1")
