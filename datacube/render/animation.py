"""Moving pictures: APNG by our own writer, WebP and GIF by Pillow; all play for ever."""

import struct
from collections.abc import Mapping, Sequence
from io import BytesIO
from types import MappingProxyType

import numpy as np
from PIL import Image as Pillow

from datacube.errors import InvalidFormat
from datacube.model.block import Image, IndexedImage, RgbaImage
from datacube.render.composite import rgba_pixels
from datacube.render.encode import ImageFormat
from datacube.render.png import END, SIGNATURE, chunk, deflated, header, palette_chunks

ANIMATIONS: Mapping[str, ImageFormat] = MappingProxyType(
    {
        one.media_type: one
        for one in (
            ImageFormat("image/apng", "apng", True, ("image/vnd.mozilla.apng",)),
            ImageFormat("image/webp", "webp", True),
            ImageFormat("image/gif", "gif", True),
        )
    }
)
_LONGEST = 65_535  # milliseconds of a frame


def find_animation(name: str) -> ImageFormat:
    """The format of moving pictures of a media type or extension.

    Raises
    ------
    InvalidFormat
        There is none; the message says which there are.

    Examples
    --------
    >>> find_animation("APNG").media_type
    'image/apng'
    """
    wanted = name.lower().replace(" ", "")
    for one in ANIMATIONS.values():
        if wanted in (one.media_type, one.extension, *one.aliases):
            return one
    raise InvalidFormat(
        f"no format of moving pictures '{name}'; the formats are {', '.join(ANIMATIONS)}",
        subject=name,
    )


def animate(images: Sequence[Image], durations: Sequence[int], media_type: str) -> bytes:
    """Pictures one after the other.

    Parameters
    ----------
    images : sequence of Image, at least one, all of the same size
        GIF has no half transparency and 256 colours for a picture; the others keep every pixel
        (WebP of pictures with a palette; of others it is as good as quality 90).
    durations : sequence of int
        Milliseconds that each is shown, 1 … 65,535 (GIF: to the nearest hundredth of a second).
    media_type : str, one that :func:`find_animation` knows

    Raises
    ------
    InvalidFormat
        There is no such format.
    ValueError
        There is no picture, or sizes or numbers differ.

    Examples
    --------
    >>> frames = [RgbaImage(np.full((2, 2, 4), level, "uint8")) for level in (0, 255)]
    >>> b"acTL" in animate(frames, [100, 200], "image/apng")
    True
    """
    kind = find_animation(media_type).extension
    if not images or len(images) != len(durations):
        raise ValueError(f"{len(images)} pictures and {len(durations)} durations")
    if len({image.shape for image in images}) > 1:
        raise ValueError("pictures of different sizes")
    shown = [min(max(int(one), 1), _LONGEST) for one in durations]
    match kind:
        case "apng":
            return _apng(images, shown)
        case "webp":
            return _webp(images, shown)
        case _:
            return _gif(images, shown)


def _apng(images: Sequence[Image], durations: Sequence[int]) -> bytes:
    """Each frame replaces the part of the one before that differs (PNG 3rd edition, 11.3.6)."""
    frames: Sequence[Image] = _alike(images)
    parts = [
        SIGNATURE,
        header(frames[0]),
        chunk(b"acTL", struct.pack(">II", len(frames), 0)),
        palette_chunks(frames[0]),
    ]
    number = 0
    for place, (frame, duration) in enumerate(zip(frames, durations, strict=True)):
        top, left, part = _part(frames[place - 1] if place else None, frame)
        height, width = part.shape
        control = (number, width, height, left, top, duration, 1000, 0, 0)
        parts.append(chunk(b"fcTL", struct.pack(">IIIIIHHBB", *control)))
        data = deflated(part)
        if place:
            parts.append(chunk(b"fdAT", struct.pack(">I", number + 1) + data))
        else:
            parts.append(chunk(b"IDAT", data))
        number += 2 if place else 1
    return b"".join((*parts, END))


def _alike(images: Sequence[Image]) -> Sequence[IndexedImage] | Sequence[RgbaImage]:
    """Pictures of one palette, or all with their colours."""
    indexed = [image for image in images if isinstance(image, IndexedImage)]
    if len(indexed) == len(images) and all(
        np.array_equal(image.palette, indexed[0].palette) for image in indexed
    ):
        return indexed
    return [RgbaImage(rgba_pixels(image)) for image in images]


def _part(before: Image | None, after: Image) -> tuple[int, int, Image]:
    """Row and column of the smallest part that holds all differences, and the part."""
    if before is None:
        return 0, 0, after
    if isinstance(before, IndexedImage) and isinstance(after, IndexedImage):
        differs = before.index != after.index
    else:
        differs = (rgba_pixels(before) != rgba_pixels(after)).any(axis=-1)
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    top, bottom = (int(rows[0]), int(rows[-1]) + 1) if rows.size else (0, 1)
    left, right = (int(columns[0]), int(columns[-1]) + 1) if columns.size else (0, 1)
    part = slice(top, bottom), slice(left, right)
    if isinstance(after, IndexedImage):
        return top, left, IndexedImage(after.index[part], after.palette)
    return top, left, RgbaImage(np.ascontiguousarray(rgba_pixels(after)[part]))


def _webp(images: Sequence[Image], durations: Sequence[int]) -> bytes:
    lossless = all(isinstance(image, IndexedImage) for image in images)
    frames = [Pillow.fromarray(rgba_pixels(image)) for image in images]
    options = {"lossless": lossless, "quality": 0 if lossless else 90, "method": 0, "exact": True}
    return _saved(frames, durations, "WEBP", **options)


def _gif(images: Sequence[Image], durations: Sequence[int]) -> bytes:
    frames = [_gif_frame(image) for image in images]
    return _saved(frames, durations, "GIF", optimize=False, disposal=2)


def _gif_frame(image: Image) -> Pillow.Image:
    """A picture of at most 256 colours, one of them clear where a pixel is rather clear."""
    if not isinstance(image, IndexedImage):
        return Pillow.fromarray(rgba_pixels(image))
    frame = Pillow.fromarray(image.index, "P")
    frame.putpalette(image.palette[:, :3].tobytes())
    clear = np.flatnonzero(image.palette[:, 3] < 128)
    if clear.size:
        frame.info["transparency"] = int(clear[0])
    return frame


def _saved(
    frames: Sequence[Pillow.Image], durations: Sequence[int], kind: str, **options: object
) -> bytes:
    buffer = BytesIO()
    frames[0].save(
        buffer,
        kind,
        save_all=True,
        append_images=frames[1:],
        duration=list(durations),
        loop=0,
        **options,
    )
    return buffer.getvalue()
