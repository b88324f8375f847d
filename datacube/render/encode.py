"""Pictures as files: PNG by our own writer, the others by Pillow."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from types import MappingProxyType

import numpy as np
from PIL import Image as Pillow

from datacube.errors import InvalidFormat
from datacube.model.block import Image, IndexedImage, RgbImage
from datacube.render.composite import flatten, rgba_pixels
from datacube.render.png import png


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """An image format.

    Parameters
    ----------
    media_type : str
    extension : str, without dot
    transparent : bool, whether it can hold transparency
    aliases : tuple of str, other spellings that clients use; lower case
    """

    media_type: str
    extension: str
    transparent: bool
    aliases: tuple[str, ...] = ()


FORMATS: Mapping[str, ImageFormat] = MappingProxyType(
    {
        one.media_type: one
        for one in (
            ImageFormat(
                "image/png",
                "png",
                True,
                (
                    "png8",
                    "image/png8",
                    "image/png;mode=8bit",
                    "image/png;mode=24bit",
                    "png24",
                    "image/png;mode=16bit",
                    "image/png;mode=32bit",
                    "image/png32",
                    "png32",
                    "image/vnd.jpeg-png",
                ),
            ),
            ImageFormat("image/jpeg", "jpg", False, ("image/jpg", "jpeg")),
            ImageFormat("image/webp", "webp", True),
            ImageFormat("image/gif", "gif", True),
        )
    }
)


def find_format(name: str) -> ImageFormat:
    """The format of a media type, an extension or one of the usual other spellings.

    Raises
    ------
    InvalidFormat
        There is none; the message says which there are.

    Examples
    --------
    >>> find_format("image/png; mode=8bit").media_type, find_format("JPEG").extension
    ('image/png', 'jpg')
    """
    wanted = name.lower().replace(" ", "")
    for one in FORMATS.values():
        if wanted in (one.media_type, one.extension, *one.aliases):
            return one
    raise InvalidFormat(
        f"no image format '{name}'; the formats are {', '.join(FORMATS)}", subject=name
    )


def encode(image: Image, media_type: str, *, quality: int = 85) -> bytes:
    """The picture as a file.

    Parameters
    ----------
    image : Image
        Transparency that the format cannot hold becomes white: flatten it before for another
        background.
    media_type : str
        One that :func:`find_format` knows.
    quality : int, 1 … 100, of JPEG

    Raises
    ------
    InvalidFormat
        There is no such format.

    Examples
    --------
    >>> encode(RgbImage(np.zeros((2, 2, 3), "uint8")), "image/jpeg")[:2].hex()
    'ffd8'
    """
    match find_format(media_type).extension:
        case "png":
            return png(image)
        case "jpg":
            return _jpeg(image, quality)
        case "webp":
            return _webp(image)
        case _:
            return _gif(image)


def _jpeg(image: Image, quality: int) -> bytes:
    flat = flatten(image)
    if isinstance(flat, IndexedImage):
        picture = _paletted(flat).convert("RGB")
    else:
        picture = Pillow.fromarray(np.ascontiguousarray(flat.pixels))
    return _saved(picture, "JPEG", quality=quality)


def _webp(image: Image) -> bytes:
    """Lossless for a palette, whose colours mean values; else as good as quality 90."""
    lossless = isinstance(image, IndexedImage)
    pixels = image.pixels if isinstance(image, RgbImage) else rgba_pixels(image)
    options = {"lossless": lossless, "quality": 0 if lossless else 90, "method": 0, "exact": True}
    return _saved(Pillow.fromarray(pixels), "WEBP", **options)


def _gif(image: Image) -> bytes:
    if isinstance(image, IndexedImage):
        picture = _paletted(image)
        clear = np.flatnonzero(image.palette[:, 3] < 128)
        options = {"transparency": int(clear[0])} if clear.size else {}
        return _saved(picture, "GIF", optimize=False, **options)
    return _saved(Pillow.fromarray(rgba_pixels(image)), "GIF")


def _paletted(image: IndexedImage) -> Pillow.Image:
    picture = Pillow.fromarray(image.index, "P")
    picture.putpalette(image.palette[:, :3].tobytes())
    return picture


def _saved(picture: Pillow.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
