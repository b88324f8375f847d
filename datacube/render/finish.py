"""The last that happens to the colours of a picture, as QGIS does it in its rendering pipe.

Brightness and contrast first, for each colour alone; then inverting, grays or saturation (in HSL),
the tint, the opacity.
"""

from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from datacube.model.block import Image, IndexedImage, RgbaImage
from datacube.model.symbolizer import PLAIN, Finish, Gray
from datacube.render.composite import rgba_pixels

type Pixels = NDArray[np.uint8]
type Levels = NDArray[np.float64]

_LUMINOSITY = (0.21, 0.72, 0.07)


def finished(image: Image, finish: Finish) -> Image:
    """A picture with its finish; an indexed one stays indexed.

    Examples
    --------
    >>> gray = IndexedImage(np.zeros((1, 1), "uint8"), np.array([[100, 100, 100, 255]], "uint8"))
    >>> finished(gray, Finish(brightness=55, opacity=0.4)).palette.tolist()
    [[155, 155, 155, 102]]
    """
    if finish == PLAIN:
        return image
    if isinstance(image, IndexedImage):
        return IndexedImage(image.index, finished_colors(image.palette, finish))
    return RgbaImage(finished_colors(rgba_pixels(image), finish))


def finished_colors(colors: Pixels, finish: Finish) -> Pixels:
    """Colours, uint8, (…, 4), with a finish."""
    levels = colors[..., :3].astype(np.float64)
    if finish.brightness or finish.contrast:
        levels = _toned(levels, finish)
    if finish.invert:
        levels = 255 - levels
    if finish.gray is not None:
        levels = _gray(levels, finish.gray)
    elif finish.saturation:
        levels = _saturated(levels, finish.saturation)
    if finish.tint is not None:
        levels = _tinted(levels, finish.tint, finish.strength)
    result = colors.copy()
    result[..., :3] = levels
    if finish.opacity < 1:
        result[..., 3] = np.rint(colors[..., 3] * finish.opacity)
    return result


def _toned(levels: Levels, finish: Finish) -> Levels:
    slope = ((finish.contrast + 100) / 100) ** 2
    shares = (levels / 255 - 0.5) * slope + 0.5 + finish.brightness / 255
    return np.floor(255 * np.clip(shares, 0, 1))


def _gray(levels: Levels, way: Gray) -> Levels:
    match way:
        case "lightness":
            tone = (levels.max(axis=-1) + levels.min(axis=-1)) / 2
        case "luminosity":
            tone = levels @ np.array(_LUMINOSITY)
        case "average":
            tone = levels.mean(axis=-1)
        case _:
            assert_never(way)
    return np.repeat(np.floor(tone)[..., np.newaxis], 3, axis=-1)


def _saturated(levels: Levels, saturation: int) -> Levels:
    hue, depth, light = _hsl(levels)
    scale = 1 + saturation / 100
    curved = 1 - (1 - depth) ** (scale * scale)  # comes near the most that there is
    return _rgb(hue, depth * scale if scale < 1 else curved, light)


def _tinted(levels: Levels, tint: tuple[int, int, int], strength: float) -> Levels:
    """QGIS takes the tint's saturation in HSV for one in HSL."""
    hue, light = _hsl(np.array(tint, np.float64))[0], _hsl(levels)[2]
    depth = (max(tint) - min(tint)) / max(*tint, 1)
    tinted = _rgb(np.full_like(light, hue), np.full_like(light, depth), light)
    return tinted * strength + levels * (1 - strength)


def _hsl(levels: Levels) -> tuple[Levels, Levels, Levels]:
    """Hue (0 … 6, in whole degrees), saturation and lightness (0 … 1) of colours."""
    shares = levels / 255
    high, low = shares.max(axis=-1), shares.min(axis=-1)
    spread, light = high - low, (high + low) / 2
    red, green, blue = shares[..., 0], shares[..., 1], shares[..., 2]
    safe = np.where(spread > 0, spread, 1)
    hue = np.where(
        high == red,
        (green - blue) / safe % 6,
        np.where(high == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    room = 1 - np.abs(2 * light - 1)
    return (
        np.floor(60 * hue + 1e-6) / 60,
        np.where(room > 0, spread / np.where(room > 0, room, 1), 0),
        light,
    )


def _rgb(hue: Levels, depth: Levels, light: Levels) -> Levels:
    reach = depth * np.minimum(light, 1 - light)
    levels = []
    for place in (0, 8, 4):
        k = (place + 2 * hue) % 12
        levels.append(light - reach * np.clip(np.minimum(k - 3, 9 - k), -1, 1))
    return np.rint(255 * np.stack(levels, axis=-1))
