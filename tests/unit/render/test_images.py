"""Pictures over one another, and as files."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from datacube.errors import InvalidFormat
from datacube.model.block import Image, IndexedImage, RgbaImage, RgbImage
from datacube.render.composite import blank, flatten, over, picked, rgba_pixels
from datacube.render.encode import FORMATS, encode, find_format

RNG = np.random.default_rng(7)
INDEXED = IndexedImage(
    RNG.integers(0, 5, (13, 17)).astype("uint8"),
    np.array(
        [[0, 0, 0, 0], [255, 0, 0, 255], [0, 255, 0, 128], [9, 8, 7, 255], [1, 1, 1, 1]], "uint8"
    ),
)
RGB = RgbImage(RNG.integers(0, 256, (13, 17, 3)).astype("uint8"))
RGBA = RgbaImage(RNG.integers(0, 256, (13, 17, 4)).astype("uint8"))
EVERY: list[Image] = [INDEXED, RGB, RGBA]


def read(data, mode="RGBA"):
    with Pillow.open(BytesIO(data)) as picture:
        picture.load()
        return np.array(picture.convert(mode))


@pytest.mark.parametrize("image", EVERY)
def test_png_keeps_every_pixel(image):
    data = encode(image, "image/png")
    assert np.array_equal(read(data), rgba_pixels(image))


def test_png_kinds():
    kinds = [Pillow.open(BytesIO(encode(image, "image/png"))).mode for image in EVERY]
    assert kinds == ["P", "RGB", "RGBA"]


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (256, 256)])
def test_png_of_any_size(size):
    image = RgbImage(RNG.integers(0, 256, (*size, 3)).astype("uint8"))
    assert np.array_equal(read(encode(image, "image/png"), "RGB"), image.pixels)
    index = IndexedImage(image.pixels[..., 0], RNG.integers(0, 256, (256, 4)).astype("uint8"))
    assert np.array_equal(read(encode(index, "image/png")), rgba_pixels(index))


def test_png_of_strided_pixels():
    image = RgbImage(np.asfortranarray(RGB.pixels[::-1, ::-1]))
    assert np.array_equal(read(encode(image, "image/png"), "RGB"), image.pixels)


def test_empty_tile_is_small():
    assert len(encode(blank(256, 256), "image/png")) < 400


@pytest.mark.parametrize("image", EVERY)
def test_jpeg_is_over_white(image):
    got = read(encode(image, "image/jpeg", quality=95), "RGB")
    assert got.shape == (13, 17, 3)
    clear = RgbaImage(np.zeros((16, 16, 4), "uint8"))
    assert read(encode(clear, "image/jpeg"), "RGB").min() >= 254


def test_webp_of_a_palette_is_exact():
    assert np.array_equal(read(encode(INDEXED, "image/webp")), rgba_pixels(INDEXED))
    assert read(encode(RGB, "image/webp")).shape == (13, 17, 4)


def test_gif():
    got = read(encode(INDEXED, "image/gif"))
    want = rgba_pixels(INDEXED)
    assert np.array_equal(got[..., 3] == 0, INDEXED.index == 0)
    assert np.array_equal(got[INDEXED.index == 3], want[INDEXED.index == 3])
    assert read(encode(RGBA, "image/gif")).shape == (13, 17, 4)


def test_formats_are_found_by_their_usual_spellings():
    assert find_format("image/png; mode=8bit").media_type == "image/png"
    assert find_format("JPG").media_type == "image/jpeg"
    assert [find_format(name).transparent for name in FORMATS] == [True, False, True, True]
    with pytest.raises(InvalidFormat, match="image/png, image/jpeg, image/webp, image/gif") as bad:
        encode(RGB, "image/tiff")
    assert bad.value.subject == "image/tiff"


def reference_over(lower, upper):
    """The Porter-Duff formula in floating point."""
    lower, upper = lower / 255.0, upper / 255.0
    top, bottom = upper[..., 3:], lower[..., 3:] * (1 - upper[..., 3:])
    alpha = top + bottom
    with np.errstate(invalid="ignore"):
        colors = (upper[..., :3] * top + lower[..., :3] * bottom) / alpha
    return np.nan_to_num(np.concatenate([colors, alpha], axis=-1)) * 255


@pytest.mark.parametrize("base", EVERY)
@pytest.mark.parametrize("top", EVERY)
def test_over_is_porter_duff(base, top):
    got = rgba_pixels(over(base, top)).astype(float)
    want = reference_over(rgba_pixels(base), rgba_pixels(top))
    seen = want[..., 3] > 0
    assert np.abs(got[..., 3] - want[..., 3]).max() <= 0.5 + 1e-6
    assert np.abs(got - want)[seen].max() <= 0.5 + 1e-6


def test_over_nothing_is_the_picture_itself():
    assert over(None, INDEXED) is INDEXED
    assert over(INDEXED, RGB) is RGB
    assert isinstance(over(RGB, INDEXED), RgbImage)


def test_sizes_must_agree():
    with pytest.raises(ValueError, match=r"\(13, 17\)"):
        over(blank(2, 2), INDEXED)


@pytest.mark.parametrize("image", EVERY)
def test_rows_and_columns_are_picked_in_any_order(image):
    rows, columns = RNG.integers(0, 13, 40), RNG.integers(0, 17, 30)
    found = picked(image, rows, columns)
    assert type(found) is type(image)
    assert np.array_equal(rgba_pixels(found), rgba_pixels(image)[np.ix_(rows, columns)])


@pytest.mark.parametrize("image", EVERY)
def test_flatten_is_over_the_background(image):
    plain = RgbImage(np.full((13, 17, 3), (10, 200, 30), "uint8"))
    flat = flatten(image, (10, 200, 30))
    assert np.array_equal(rgba_pixels(flat), rgba_pixels(over(plain, image)))
    assert isinstance(flat, IndexedImage) == isinstance(image, IndexedImage)
    assert flatten(image, transparent=True) is image


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_one_pixel_blends_to_the_nearest_integer(lower, upper, alpha):
    base = RgbImage(np.full((1, 1, 3), lower, "uint8"))
    top = RgbaImage(np.array([[[upper, upper, upper, alpha]]], "uint8"))
    exact = (upper * alpha + lower * (255 - alpha)) / 255
    assert abs(int(rgba_pixels(over(base, top))[0, 0, 0]) - exact) <= 0.5


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_large_png_is_filtered_in_bands_that_join(channels):
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 9, (1500, 4001, channels), np.uint8).cumsum(axis=0, dtype=np.uint8)
    if channels == 1:
        palette = rng.integers(0, 256, (256, 4), np.uint8)
        palette[:, 3] = 255
        picture = IndexedImage(np.ascontiguousarray(pixels[..., 0]), palette)
        expected = palette[pixels[..., 0], :3]
    else:
        picture = RgbImage(pixels) if channels == 3 else RgbaImage(pixels)
        expected = pixels
    with Pillow.open(BytesIO(encode(picture, "image/png"))) as found:
        shown = found.convert("RGB") if channels == 1 else found
        np.testing.assert_array_equal(np.asarray(shown), expected)


def test_a_jpeg_of_a_palette_is_that_of_its_colours():
    index = np.arange(64, dtype=np.uint8).reshape(8, 8)
    palette = np.random.default_rng(2).integers(0, 256, (64, 4), np.uint8)
    palette[:, 3] = 255
    paletted = encode(IndexedImage(index, palette), "image/jpeg")
    assert paletted == encode(RgbImage(palette[index, :3]), "image/jpeg")
