"""Formats of maps: pictures, those of several kinds of PNG, GeoTIFF, and moving ones."""

from functools import lru_cache

from datacube.errors import InvalidFormat
from datacube.formats.picture import geotiff_of
from datacube.model.block import Image, RgbaImage
from datacube.model.grid import RectifiedGrid
from datacube.render.animation import ANIMATIONS
from datacube.render.composite import rgba_pixels
from datacube.render.encode import encode
from datacube.render.video import MP4, has_video
from services.ows.pictures import MAP_FORMATS, PNG, map_format, opaque

PNG32 = "image/png; mode=32bit"
GIF = "image/gif"
APNG = "image/apng"
TIFF = "image/tiff"
STILL = (*MAP_FORMATS, PNG32, GIF, TIFF)
"""Formats of one picture."""
_SPELLINGS = {
    **dict.fromkeys(("image/png;mode=32bit", "image/png32", "png32"), PNG32),
    **dict.fromkeys(("image/gif", "gif"), GIF),
    **dict.fromkeys(("image/apng", "apng", "image/vnd.mozilla.apng"), APNG),
    **dict.fromkeys(("video/mp4", "mp4"), MP4),
    **dict.fromkeys(("image/tiff", "image/geotiff", "geotiff", "tiff", "tif"), TIFF),
    **dict.fromkeys(("image/tiff;application=geotiff", "image/x-geotiff"), TIFF),
}


def listed_formats() -> tuple[str, ...]:
    """Media types of maps in documents; films where the server can make them."""
    return (*MAP_FORMATS, GIF, TIFF, APNG, *((MP4,) if has_video() else ()))


@lru_cache(maxsize=256)
def wms_format(text: str) -> str:
    """Format of a FORMAT parameter, in any usual spelling: of :data:`STILL`, APNG or MP4.

    Raises
    ------
    InvalidFormat
        It is not offered.

    Examples
    --------
    >>> wms_format("image/png; mode=32bit"), wms_format("image/geotiff"), wms_format("image/png8")
    ('image/png; mode=32bit', 'image/tiff', 'image/png')
    """
    wanted = text.lower().replace(" ", "")
    if wanted in _SPELLINGS:
        return _SPELLINGS[wanted]
    try:
        return map_format(text)
    except InvalidFormat as error:
        raise InvalidFormat(
            f"'{text[:100]}' is no format offered; offered: {', '.join(listed_formats())}"
        ) from error


def moving(name: str) -> bool:
    """Whether a format is of moving pictures alone."""
    return name in {APNG, MP4}


def animated(name: str) -> str:
    """The format of moving pictures that stands for one of pictures.

    Raises
    ------
    InvalidFormat
        There is none.
    """
    found = APNG if name in {PNG, PNG32} else name
    if found != MP4 and found not in ANIMATIONS:
        raise InvalidFormat(
            f"{name} does not move; ANIMATION=true takes {', '.join((*ANIMATIONS, MP4))}",
            subject="FORMAT",
        )
    return found


def without_alpha(name: str) -> bool:
    """Whether a format has no transparency."""
    return name == MP4 or (name in MAP_FORMATS and opaque(name))


def sent_as(name: str) -> str:
    """Media type in the answer: that of PNG does not tell its kinds apart."""
    return PNG if name == PNG32 else name


def encoded(image: Image, name: str, grid: RectifiedGrid) -> bytes:
    """The picture as a file of one of :data:`STILL`."""
    match name:
        case "image/png; mode=32bit":
            return encode(RgbaImage(rgba_pixels(image)), PNG)
        case "image/tiff":
            return geotiff_of(image, grid)
        case _:
            return encode(image, name)
