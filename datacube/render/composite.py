"""Pictures over one another, and over a background."""

from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from datacube.model.block import Image, IndexedImage, RgbaImage, RgbImage

type Pixels = NDArray[np.uint8]


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
    upper = rgba_pixels(top)
    if isinstance(base, RgbImage):
        return RgbImage(_blend(base.pixels, upper))
    lower = rgba_pixels(base)
    return RgbaImage(_blend_alpha(lower, upper))


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
            return IndexedImage(index, _flat(palette[np.newaxis], background)[0])
        case RgbImage():
            return image
        case RgbaImage(pixels=pixels):
            return RgbImage(np.ascontiguousarray(_flat(pixels, background)[..., :3]))
        case _:
            assert_never(image)


def blank(height: int, width: int) -> IndexedImage:
    """A wholly transparent picture."""
    return IndexedImage(np.zeros((height, width), np.uint8), np.zeros((1, 4), np.uint8))


def rgba_pixels(image: Image) -> Pixels:
    """Colours of a picture: uint8, (y, x, 4); not to be written to."""
    match image:
        case IndexedImage(index=index, palette=palette):
            whole = np.ascontiguousarray(palette).view(np.uint32)[:, 0]
            return whole.take(index).view(np.uint8).reshape(*index.shape, 4)
        case RgbImage():
            return image.rgba().pixels
        case RgbaImage(pixels=pixels):
            return pixels
        case _:
            assert_never(image)


def _flat(pixels: Pixels, background: tuple[int, int, int]) -> Pixels:
    """Colours over a background: uint8, (y, x, 4), opaque."""
    lower = np.empty((*pixels.shape[:2], 3), np.uint8)
    lower[:] = background
    opaque = np.full((*pixels.shape[:2], 4), 255, np.uint8)
    opaque[..., :3] = _blend(lower, pixels)
    return opaque


def _blend(lower: Pixels, upper: Pixels) -> Pixels:
    """RGBA over RGB: uint8, (y, x, 3)."""
    alpha = upper[..., 3]
    solid = alpha == 255
    if bool(solid.all()):
        return np.ascontiguousarray(upper[..., :3])
    result = np.where(solid[..., np.newaxis], upper[..., :3], lower)
    veil = ~solid & (alpha > 0)
    if bool(veil.any()):
        share = alpha[veil][:, np.newaxis].astype(np.uint32)
        mixed = upper[veil][:, :3] * share + lower[veil] * (255 - share)
        result[veil] = (mixed + 127) // 255
    return result


def _blend_alpha(lower: Pixels, upper: Pixels) -> Pixels:
    """RGBA over RGBA: uint8, (y, x, 4)."""
    alpha = upper[..., 3]
    result = np.where((alpha > 0)[..., np.newaxis], upper, lower)
    veil = (alpha > 0) & (alpha < 255) & (lower[..., 3] > 0)
    if bool(veil.any()):
        top, bottom = upper[veil].astype(np.uint32), lower[veil].astype(np.uint32)
        share = top[:, 3:] * 255  # of 255²
        rest = bottom[:, 3:] * (255 - top[:, 3:])
        whole = share + rest
        mixed = (top[:, :3] * share + bottom[:, :3] * rest + whole // 2) // whole
        result[veil] = np.concatenate([mixed, (whole + 127) // 255], axis=1)
    return result
