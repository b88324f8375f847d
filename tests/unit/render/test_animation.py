"""Moving pictures: every frame is read back as it was given."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image as Pillow

from datacube.errors import InvalidFormat
from datacube.model.block import IndexedImage, RgbaImage, RgbImage
from datacube.render.animation import ANIMATIONS, animate, find_animation
from datacube.render.composite import rgba_pixels

RNG = np.random.default_rng(11)
PALETTE = np.array(
    [[0, 0, 0, 0], [255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255], [9, 8, 7, 255]], "uint8"
)


def indexed(palette=PALETTE):
    return [
        IndexedImage(RNG.integers(0, len(palette), (13, 17)).astype("uint8"), palette)
        for _ in range(4)
    ]


def frames_of(data):
    """Each frame as RGBA, with its duration in milliseconds."""
    with Pillow.open(BytesIO(data)) as picture:
        frames = []
        for number in range(getattr(picture, "n_frames", 1)):
            picture.seek(number)
            picture.load()
            frames.append((np.array(picture.convert("RGBA")), round(picture.info["duration"])))
        return frames, picture.info.get("loop")


def seen(pixels):
    """Colours, all alike where nothing is seen."""
    return np.where(pixels[..., 3:] == 0, 0, pixels)


@pytest.mark.parametrize("media_type", ANIMATIONS)
def test_frames_with_a_palette_come_back(media_type):
    images = indexed()
    frames, loop = frames_of(animate(images, [100, 250, 40, 1000], media_type))
    assert [duration for _, duration in frames] == [100, 250, 40, 1000]
    assert loop == 0  # for ever
    for image, (pixels, _) in zip(images, frames, strict=True):
        assert np.array_equal(seen(pixels), seen(rgba_pixels(image)))


def test_apng_keeps_half_transparency_and_every_colour():
    images = [RgbaImage(RNG.integers(0, 256, (9, 5, 4)).astype("uint8")) for _ in range(3)]
    frames, _ = frames_of(animate(images, [10, 20, 30], "image/apng"))
    for image, (pixels, _) in zip(images, frames, strict=True):
        assert np.array_equal(pixels, image.pixels)


def test_apng_of_pictures_of_several_kinds():
    other = PALETTE.copy()
    other[1] = (1, 2, 3, 128)
    images = [indexed()[0], indexed(other)[0], RgbImage(np.full((13, 17, 3), 77, "uint8"))]
    frames, _ = frames_of(animate(images, [10, 20, 30], "image/apng"))
    for image, (pixels, _) in zip(images, frames, strict=True):
        assert np.array_equal(pixels, rgba_pixels(image))


def test_apng_writes_only_what_changes():
    still = IndexedImage(RNG.integers(1, 5, (200, 200)).astype("uint8"), PALETTE)
    index = still.index.copy()
    index[50:53, 100:104] = 0
    moved = IndexedImage(index, PALETTE)
    one = len(animate([still], [100], "image/apng"))
    data = animate([still, moved, moved], [100, 100, 100], "image/apng")
    assert len(data) < one + 300
    frames, _ = frames_of(data)
    assert np.array_equal(seen(frames[1][0]), seen(rgba_pixels(moved)))
    assert np.array_equal(seen(frames[2][0]), seen(rgba_pixels(moved)))


def test_an_apng_is_a_png_to_those_who_know_no_better():
    images = indexed()
    with Pillow.open(BytesIO(animate(images, [10] * 4, "apng"))) as picture:
        assert picture.format == "PNG"
        assert np.array_equal(seen(np.array(picture.convert("RGBA"))), seen(rgba_pixels(images[0])))


def test_webp_of_colours_is_nearly_what_it_was():
    rows, columns = np.indices((64, 64))
    images = [
        RgbImage(np.stack([rows * 2 + shift, columns * 3, rows + columns], -1).astype("uint8"))
        for shift in (0, 40)
    ]
    frames, _ = frames_of(animate(images, [100, 100], "image/webp"))
    for image, (pixels, _) in zip(images, frames, strict=True):
        assert np.abs(pixels[..., :3].astype(int) - image.pixels).mean() < 4


def test_what_cannot_be_animated():
    with pytest.raises(InvalidFormat, match=r"image/apng, image/webp, image/gif"):
        find_animation("video/mp4")
    with pytest.raises(ValueError, match="durations"):
        animate(indexed(), [10], "image/gif")
    with pytest.raises(ValueError, match="0 pictures"):
        animate([], [], "image/gif")
    with pytest.raises(ValueError, match="sizes"):
        animate([*indexed(), RgbImage(np.zeros((1, 1, 3), "uint8"))], [10] * 5, "image/gif")
