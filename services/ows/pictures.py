"""Pictures in answers: the formats offered, and an exception shown as a picture."""

import textwrap
from functools import lru_cache

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from datacube.errors import InvalidFormat
from datacube.model.block import RgbaImage
from datacube.render.encode import FORMATS, find_format

PNG = "image/png"
MAP_FORMATS = (PNG, "image/jpeg", "image/webp")
"""Media types of maps and tiles; PNG first, which some clients take without looking further."""

_LINE_HEIGHT = 12
_LETTER_WIDTH = 6


@lru_cache(maxsize=64)
def map_format(text: str) -> str:
    """Media type of a FORMAT parameter or of a file name's ending, in any usual spelling.

    Raises
    ------
    InvalidFormat
        It is not offered.

    Examples
    --------
    >>> map_format("image/png; mode=8bit"), map_format("jpg")
    ('image/png', 'image/jpeg')
    """
    try:
        found = find_format(text).media_type
    except InvalidFormat:
        found = ""
    if found not in MAP_FORMATS:
        raise InvalidFormat(
            f"'{text[:100]}' is no format offered; offered: {', '.join(MAP_FORMATS)}"
        )
    return found


def extension_of(media_type: str) -> str:
    """Ending of file names of a map's format, without the dot."""
    return FORMATS[media_type].extension


def opaque(media_type: str) -> bool:
    """Whether a format has no transparency."""
    return not FORMATS[media_type].transparent


def plain_picture(
    width: int, height: int, background: tuple[int, int, int], *, transparent: bool
) -> RgbaImage:
    """A picture of the background alone; uint8, (height, width, 4)."""
    alpha = 0 if transparent else 255
    return RgbaImage(np.full((height, width, 4), (*background, alpha), np.uint8))


def text_picture(
    text: str, width: int, height: int, background: tuple[int, int, int], *, transparent: bool
) -> RgbaImage:
    """A picture with words on it, wrapped, in black or white by the background's brightness."""
    pixels = plain_picture(width, height, background, transparent=transparent).pixels
    canvas = Pillow.fromarray(pixels, "RGBA")
    ink = (0, 0, 0, 255) if sum(background) > 382 else (255, 255, 255, 255)
    lines = textwrap.wrap(text, max((width - 8) // _LETTER_WIDTH, 1))
    draw = ImageDraw.Draw(canvas)
    for number, line in enumerate(lines[: max(height // _LINE_HEIGHT, 1)]):
        safe = line.encode("latin-1", "replace").decode("latin-1")
        draw.text((4, 2 + number * _LINE_HEIGHT), safe, fill=ink)
    return RgbaImage(np.asarray(canvas).copy())
