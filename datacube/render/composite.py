"""Pictures over one another, and over a background."""

from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from datacube.model.block import Image, IndexedImage, RgbaImage, RgbImage

type Pixels = NDArray[np.uint8]
type Places = NDArray[np.intp]


def over(base: Image | None, top: Image) -> Image:
    """The top picture laid over the base; alpha is straight.

    Nothing changes in a single picture: a palette stays one. Over an opaque base the result is
    opaque.

    Parameters
    ----------
    base : Image, optional
        None where there is nothing yet.
    top : Image of the same size

    Raises
    ------
    ValueError
        The sizes differ.

    Examples
    --------
    >>> red = RgbImage(np.full((1, 1, 3), (200, 0, 0), "uint8"))
    >>> veil = RgbaImage(np.full((1, 1, 4), (0, 0, 100, 51), "uint8"))
    >>> over(red, veil).pixels.tolist()
    [[[160, 0, 20]]]
    """
    if base is None:
        return top
    if base.shape != top.shape:
        raise ValueError(f"a picture of {top.shape} does not fit over one of {base.shape}")
    if isinstance(top, RgbImage):
        return top
    blended = _blend(rgba_pixels(base), rgba_pixels(top))
    return RgbImage(_without_alpha(blended)) if isinstance(base, RgbImage) else RgbaImage(blended)


def flatten(
    image: Image, background: tuple[int, int, int] = (255, 255, 255), transparent: bool = False
) -> Image:
    """The picture as it is sent: itself where it may be transparent, else over a background.

    Parameters
    ----------
    image : Image
        An indexed one stays indexed: its palette is laid over the background.
    background : (red, green, blue), 0 … 255
    transparent : bool

    Returns
    -------
    Image
        IndexedImage with an opaque palette, or RgbImage.
    """
    if transparent:
        return image
    match image:
        case IndexedImage(index=index, palette=palette):
            return IndexedImage(index, _blend(_plain(palette.shape[:1], background), palette))
        case RgbImage():
            return image
        case RgbaImage(pixels=pixels):
            return RgbImage(_without_alpha(_blend(_plain(image.shape, background), pixels)))
        case _:
            assert_never(image)


def picked(image: Image, rows: Places, columns: Places) -> Image:
    """The picture of some rows and columns of another, each as often as it is named.

    Parameters
    ----------
    rows, columns : intp, (y,) and (x,) of the result, places in the picture

    Examples
    --------
    >>> small = IndexedImage(np.array([[1, 2]], "uint8"), np.zeros((3, 4), "uint8"))
    >>> picked(small, np.array([0, 0]), np.array([0, 1, 1])).index.tolist()
    [[1, 2, 2], [1, 2, 2]]
    """
    match image:
        case IndexedImage(index=index, palette=palette):
            return IndexedImage(_crossed(index, rows, columns), palette)
        case RgbImage(pixels=pixels):
            return RgbImage(_crossed(pixels, rows, columns))
        case RgbaImage(pixels=pixels):
            return RgbaImage(_crossed(pixels, rows, columns))
        case _:
            assert_never(image)


def _crossed(pixels: Pixels, rows: Places, columns: Places) -> Pixels:
    return pixels.take(columns, axis=1, mode="clip").take(rows, axis=0, mode="clip")


def faded(image: Image, opacity: float) -> Image:
    """The picture with its alpha times an opacity of 0 … 1; an indexed one stays indexed.

    Examples
    --------
    >>> red = RgbImage(np.full((1, 1, 3), (200, 0, 0), "uint8"))
    >>> faded(red, 0.5).pixels.tolist()
    [[[200, 0, 0, 128]]]
    """
    if opacity >= 1.0:
        return image
    if isinstance(image, IndexedImage):
        return IndexedImage(image.index, _thinned(image.palette, opacity))
    return RgbaImage(_thinned(rgba_pixels(image), opacity))


def _thinned(pixels: Pixels, opacity: float) -> Pixels:
    result = pixels.copy()
    result[..., 3] = np.rint(pixels[..., 3] * opacity).astype(np.uint8)
    return result


def blank(height: int, width: int) -> IndexedImage:
    """A wholly transparent picture."""
    return IndexedImage(np.zeros((height, width), np.uint8), np.zeros((1, 4), np.uint8))


def rgba_pixels(image: Image) -> Pixels:
    """Colours of a picture: uint8, (y, x, 4); not to be written to."""
    match image:
        case IndexedImage(index=index, palette=palette):
            whole = np.ascontiguousarray(palette).view(np.uint32)[:, 0]
            return whole.take(index).view(np.uint8).reshape(*index.shape, 4)
        case RgbImage(pixels=pixels):
            return _channels(pixels, np.full((*image.shape, 4), 255, np.uint8))
        case RgbaImage(pixels=pixels):
            return pixels
        case _:
            assert_never(image)


def _plain(shape: tuple[int, ...], background: tuple[int, int, int]) -> Pixels:
    """One opaque colour: uint8, (*shape, 4)."""
    one = np.array((*background, 255), np.uint8).view(np.uint32)[0]
    return np.full((*shape, 1), one, np.uint32).view(np.uint8)


def _without_alpha(pixels: Pixels) -> Pixels:
    return _channels(pixels, np.empty((*pixels.shape[:2], 3), np.uint8))


def _channels(pixels: Pixels, result: Pixels) -> Pixels:
    """Red, green and blue copied channel by channel, ten times as fast as pixel by pixel."""
    for channel in range(3):
        result[..., channel] = pixels[..., channel]
    return result


def _whole(pixels: Pixels) -> NDArray[np.uint32]:
    """Each pixel of uint8, (…, 4) as one number."""
    return np.ascontiguousarray(pixels).view(np.uint32)[..., 0]


def _blend(lower: Pixels, upper: Pixels) -> Pixels:
    """Straight alpha over straight alpha: uint8, (…, 4); only what shines through is computed."""
    alpha = upper[..., 3]
    seen = alpha > 0
    chosen = np.where(seen, _whole(upper), _whole(lower))
    result: Pixels = chosen[..., np.newaxis].view(np.uint8)
    veil = seen & (alpha < 255) & (lower[..., 3] > 0)
    if bool(veil.any()):
        top, bottom = upper[veil].astype(np.uint32), lower[veil].astype(np.uint32)
        share = top[:, 3:] * 255  # of 255²
        rest = bottom[:, 3:] * (255 - top[:, 3:])
        whole = share + rest
        mixed = (top[:, :3] * share + bottom[:, :3] * rest + whole // 2) // whole
        result[veil] = np.concatenate([mixed, (whole + 127) // 255], axis=1)
    return result
