"""Words and a legend on a picture, as films have them."""

import numpy as np

from datacube.model.block import Image, RgbaImage
from datacube.render.canvas import Canvas, fitted, text_width
from datacube.render.composite import over
from datacube.render.look import INK, WHITE

_VEIL = 200  # alpha of the ground under words


def captioned(image: Image, words: str, key: RgbaImage | None = None) -> Image:
    """The picture with words in its lower left corner and a legend in its lower right one.

    Parameters
    ----------
    words : str, one line; cut off where it is too long
    key : RgbaImage, optional; cut off where it is larger than the picture
    """
    height, width = image.shape
    sheet = np.zeros((height, width, 4), np.uint8)
    if key is not None:
        part = key.pixels[:height, :width]
        sheet[height - part.shape[0] :, width - part.shape[1] :] = part
    canvas = Canvas.blank(width, height, (0, 0, 0, 0), INK)
    canvas.paste(0, 0, sheet)
    if words:
        size = float(min(max(height / 28, 9), 32))
        pad = round(size / 2)
        line = fitted(words, size, width - 2 * pad)
        box = min(text_width(line, size) + 2 * pad, width), min(round(size * 1.6), height)
        ground = np.full((box[1], box[0], 4), (*WHITE[:3], _VEIL), np.uint8)
        canvas.paste(0, height - box[1], ground)
        canvas.text(pad, height - box[1] / 2, line, size, "lm")
    return over(image, canvas.image())
