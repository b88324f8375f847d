"""Large pictures in bands of rows: what one band needs is all that is in memory beside the picture.

Bands fit together as tiles do. All are drawn from the level that answers the whole picture.
"""

from collections.abc import Iterable, Iterator
from math import ceil, prod
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from datacube.model.block import Image, IndexedImage, RgbaImage, RgbImage
from datacube.model.grid import RectifiedGrid
from datacube.render.composite import rgba_pixels

_BAND = 1 << 20  # pixels
_ROWS = 64


def is_large(grid: RectifiedGrid) -> bool:
    """Whether a picture is better drawn in bands."""
    return prod(grid.shape) > _BAND


def bands_of(grid: RectifiedGrid, margin: int = 0) -> Iterator[RectifiedGrid]:
    """Bands of whole rows, from the top, each of about 2^20 pixels.

    Parameters
    ----------
    grid : RectifiedGrid
    margin : int
        Rows above and below that are worked on for each band too: it is made four times as high.

    Examples
    --------
    >>> from datacube.model.bbox import BoundingBox
    >>> from datacube.model.crs import CRS84
    >>> grid = RectifiedGrid.from_bbox(BoundingBox(0, 0, 10, 5, CRS84), 4096, 600)
    >>> [band.height for band in bands_of(grid)]
    [256, 256, 88]
    """
    rows = max(_BAND // grid.width // _ROWS, ceil(4 * margin / _ROWS), 1) * _ROWS
    for top in range(0, grid.height, rows):
        yield grid.window(top, 0, min(rows, grid.height - top), grid.width)


def joined(bands: Iterable[Image], height: int) -> Image:
    """Pictures of one style below one another.

    Parameters
    ----------
    bands : pictures of one width, from the top; each is let go before the next is taken
    height : int, of all together

    Returns
    -------
    Image
        Indexed where the bands are; with alpha where one of them has alpha.

    Examples
    --------
    >>> plain = RgbImage(np.full((1, 2, 3), 9, np.uint8))
    >>> veil = RgbaImage(np.full((1, 2, 4), 5, np.uint8))
    >>> joined([plain, veil], 2).pixels[:, 0].tolist()
    [[9, 9, 9, 255], [5, 5, 5, 5]]
    """
    whole: NDArray[np.uint8] | None = None
    palette: NDArray[np.uint8] | None = None
    top = 0
    for band in bands:
        match band:
            case IndexedImage():
                pixels, palette = band.index, band.palette
            case RgbImage() | RgbaImage():
                pixels = band.pixels
            case _:
                assert_never(band)
        if whole is None:
            whole = np.empty((height, *pixels.shape[1:]), np.uint8)
        elif pixels.shape[2:] < whole.shape[2:]:
            pixels = rgba_pixels(band)
        elif pixels.shape[2:] > whole.shape[2:]:
            whole = _with_alpha(whole, top)
        whole[top : top + len(pixels)] = pixels
        top += len(pixels)
    if whole is None:
        raise ValueError("a picture has at least one band")
    return _image(whole, palette)


def _with_alpha(pixels: NDArray[np.uint8], rows: int) -> NDArray[np.uint8]:
    """Room for a fourth channel; the first rows are kept."""
    wider = np.empty((*pixels.shape[:2], 4), np.uint8)
    wider[:rows] = rgba_pixels(RgbImage(pixels[:rows]))
    return wider


def _image(pixels: NDArray[np.uint8], palette: NDArray[np.uint8] | None) -> Image:
    if palette is not None:
        return IndexedImage(pixels, palette)
    return RgbImage(pixels) if pixels.shape[2] == 3 else RgbaImage(pixels)
