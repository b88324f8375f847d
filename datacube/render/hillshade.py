"""Shaded relief: how much light from one side falls on a surface."""

import numpy as np
from numpy.typing import NDArray

from datacube.model.block import IndexedImage, RgbaImage
from datacube.render.drawn import Hillshade
from datacube.render.scene import Scene, metres_of

type Values = NDArray[np.floating]
type Valid = NDArray[np.bool_]

MARGIN = 1
_GRAYS = 254


def light(style: Hillshade, values: Values, valid: Valid, scene: Scene) -> NDArray[np.float32]:
    """Share of the light that each pixel of the picture gets.

    The slope is Horn's (1981) over the eight neighbours, in metres on the ground. A neighbour
    without value is taken as if the slope across the middle went on.

    Parameters
    ----------
    values : float, (y, x) of the scene, physical
    valid : bool, same shape

    Returns
    -------
    light : float32, (y, x) of the picture, 0 … 1; sin(altitude) where it is level
    """
    across, down = slopes(values * style.exaggeration, valid)
    wide, high = metres_of(scene.grid)
    rows = slice(MARGIN, -MARGIN)
    columns = rows if wide.shape[1] > 1 else slice(None)
    across = across / wide[rows, columns]
    down = down / high[rows, columns]
    azimuth, altitude = np.radians(style.azimuth), np.radians(style.altitude)
    toward = across * np.sin(azimuth) - down * np.cos(azimuth)  # rise towards the light
    steep = np.sqrt(1 + across * across + down * down)
    shade = (np.sin(altitude) - np.cos(altitude) * toward) / steep
    inner = scene.margin - MARGIN
    height, width = scene.shape
    cut = shade[inner : inner + height, inner : inner + width]
    lit = np.clip(np.nan_to_num(cut, nan=np.sin(altitude)), 0, 1)
    return np.asarray(lit, np.float32)


def slopes(values: Values, valid: Valid) -> tuple[Values, Values]:
    """Rise for a pixel to the right and for one down: (y - 2, x - 2), by Horn's weights.

    Examples
    --------
    >>> rows, columns = np.indices((3, 3), dtype=float)
    >>> right, lower = slopes(2 * columns + 5 * rows, np.ones((3, 3), bool))
    >>> right.tolist(), lower.tolist()
    ([[2.0]], [[5.0]])
    """
    middle = np.where(valid, values, 0.0)
    near = _neighbours(middle, valid)
    right = near[0, 2] + 2 * near[1, 2] + near[2, 2] - near[0, 0] - 2 * near[1, 0] - near[2, 0]
    lower = near[2, 0] + 2 * near[2, 1] + near[2, 2] - near[0, 0] - 2 * near[0, 1] - near[0, 2]
    return right / 8, lower / 8


def _neighbours(values: Values, valid: Valid) -> dict[tuple[int, int], Values]:
    """The neighbours of all inner pixels by their row and column (0, 1, 2)."""
    height, width = values.shape
    parts = {
        (row, column): (slice(row, height - 2 + row), slice(column, width - 2 + column))
        for row in range(3)
        for column in range(3)
    }
    found = {at: values[part] for at, part in parts.items()}
    if valid.all():
        return found
    here = found[1, 1]
    return {
        at: np.where(
            valid[parts[at]],
            found[at],
            np.where(valid[parts[opposite]], 2 * here - found[opposite], here),
        )
        for at, opposite in (((row, column), (2 - row, 2 - column)) for row, column in parts)
    }


def gray_relief(shade: NDArray[np.float32], valid: Valid) -> IndexedImage:
    """Relief in grays; entry 0 is no value."""
    grays = np.linspace(0, 255, _GRAYS + 1).round().astype(np.uint8)
    palette = np.zeros((_GRAYS + 2, 4), np.uint8)
    palette[1:, :3] = grays[:, np.newaxis]
    palette[1:, 3] = 255
    entries = (shade * _GRAYS + 1.5).astype(np.uint8)
    return IndexedImage(np.where(valid, entries, np.uint8(0)), palette)


def draped(colors: NDArray[np.uint8], shade: NDArray[np.float32], flat: float) -> RgbaImage:
    """Colours lit by a relief: soft light, so that level ground keeps its colour.

    Parameters
    ----------
    colors : uint8, (y, x, 4)
    shade : float32, (y, x), 0 … 1
    flat : float, shade of level ground

    Examples
    --------
    >>> gray = np.full((1, 3, 4), 128, "uint8")
    >>> shades = np.array([[0.0, 0.7, 1.0]], "float32")
    >>> draped(gray, shades, 0.7).pixels[0, :, 0].tolist()
    [64, 128, 192]
    """
    level = np.where(shade < flat, shade / flat / 2, 0.5 + (shade - flat) / (1 - flat + 1e-9) / 2)
    level = level.astype(np.float32)[..., np.newaxis]
    base = colors[..., :3].astype(np.float32) / np.float32(255)
    lit = (1 - 2 * level) * base * base + 2 * level * base
    pixels = colors.copy()
    pixels[..., :3] = (lit * 255 + 0.5).astype(np.uint8)
    return RgbaImage(pixels)
