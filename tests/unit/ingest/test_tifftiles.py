"""Compressed tiles of TIFF files, against GDAL's own reading."""

import os
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window

from datacube.config.products import RecipeSettings
from datacube.errors import SourceError
from datacube.ingest import filling
from datacube.ingest.pipeline import ingest
from datacube.ingest.readers import cog, tifftiles
from datacube.ingest.readers.kepttiles import KeptTiles
from datacube.ingest.readers.raster import RasterBand
from datacube.ingest.readers.tifftiles import TiffTiles, tiles_of
from datacube.ingest.readers.unpack import inflate, inflate_beginning, sum_along_rows
from datacube.ingest.source import tile_of
from datacube.store import writer
from tests.unit.ingest.products import opened, whole

HEIGHT, WIDTH = 70, 101
WINDOWS = ((0, 70, 0, 101), (3, 40, 30, 33), (32, 64, 64, 96), (69, 70, 100, 101))
TILED = {"tiled": True, "blockxsize": 32, "blockysize": 16, "compress": "deflate"}


@pytest.fixture
def image(tmp_path):
    """A file of two bands, made and opened."""
    opened = []

    def make(dtype, bands=2, **options):
        path = tmp_path / "a.tif"
        rng = np.random.default_rng(3)
        values = rng.integers(0, 250, (bands, HEIGHT, WIDTH)).astype(dtype)
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            count=bands,
            height=HEIGHT,
            width=WIDTH,
            dtype=np.dtype(dtype).name,
            crs="EPSG:32632",
            transform=from_origin(0, 0, 10, 10),
            **options,
        ) as file:
            file.write(values)
        opened.append(rasterio.open(path))
        return path, opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", "i4"])
@pytest.mark.parametrize("predictor", [1, 2])
@pytest.mark.parametrize("compress", ["deflate", "lzw", "zstd"])
def test_windows_are_those_of_gdal(image, dtype, predictor, compress):
    options = {**TILED, "compress": compress}
    _, file = image(dtype, interleave="band", predictor=predictor, **options)
    tiles = tiles_of(file, 2)
    assert tiles is not None
    for top, bottom, left, right in WINDOWS:
        known = file.read(2, window=Window(left, top, right - left, bottom - top))
        np.testing.assert_array_equal(tiles.read(top, bottom, left, right), known)


@pytest.mark.parametrize(("dtype", "predictor"), [("u1", 2), ("i4", 2), ("f4", 1), ("f4", 3)])
def test_bands_that_lie_pixel_by_pixel_are_unpacked_once(image, monkeypatch, dtype, predictor):
    _, file = image(dtype, bands=3, interleave="pixel", predictor=predictor, **TILED)
    unpacked = []
    pread = os.pread
    monkeypatch.setattr(tifftiles.os, "pread", lambda *at: unpacked.append(at) or pread(*at))
    kept = KeptTiles()
    for band in (1, 2, 3):
        tiles = tiles_of(file, band, kept)
        assert tiles is not None
        for top, bottom, left, right in WINDOWS:
            known = file.read(band, window=Window(left, top, right - left, bottom - top))
            np.testing.assert_array_equal(tiles.read(top, bottom, left, right), known)
    starts = set(tiles.places[..., 0].ravel().tolist())
    assert len([start for _, _, start in unpacked if start in starts]) == 5 * 4


def test_a_tile_is_unpacked_by_one_of_many_threads():
    made, barrier = [], threading.Barrier(8)
    kept = KeptTiles()

    def make():
        made.append(1)
        time.sleep(0.05)
        return np.zeros(10)

    def ask(_):
        barrier.wait()
        return kept.get((0, 0), make)

    with ThreadPoolExecutor(8) as pool:
        assert len({id(one) for one in pool.map(ask, range(8))}) == 1
    assert made == [1]


def test_a_tile_that_fails_is_tried_again():
    kept = KeptTiles()

    def fail():
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        kept.get((0, 0), fail)
    assert kept.get((0, 0), lambda: np.ones(1)).tolist() == [1]


def test_so_many_bytes_of_tiles_are_kept():
    kept, made = KeptTiles(100), []
    for place in ((0, 0), (0, 1), (0, 2), (0, 2), (0, 0)):
        kept.get(place, lambda place=place: made.append(place) or np.zeros(5))
    assert made == [(0, 0), (0, 1), (0, 2), (0, 0)]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("predictor", [1, 3])
def test_floats_are_read_too(image, dtype, predictor):
    _, file = image(dtype, bands=1, predictor=predictor, **TILED)
    tiles = tiles_of(file, 1)
    assert tiles is not None
    for top, bottom, left, right in WINDOWS:
        known = file.read(1, window=Window(left, top, right - left, bottom - top))
        np.testing.assert_array_equal(tiles.read(top, bottom, left, right), known)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compress": "lzma"},
        {**TILED, "interleave": "band", "endianness": "big"},
        {**TILED, "interleave": "band", "compress": "packbits"},
    ],
)
def test_other_storage_is_left_to_gdal(image, options):
    path, file = image("u2", **options)
    assert tiles_of(file, 1) is None
    assert not RasterBand(file, 1, path).parallel


@pytest.mark.parametrize("interleave", ["band", "pixel"])
@pytest.mark.parametrize("rows", [1, 7, 16, 70, 100])
@pytest.mark.parametrize(("dtype", "predictor"), [("u2", 1), ("u2", 2), ("f4", 3)])
def test_strips_are_read_too(image, interleave, rows, dtype, predictor):
    """The last one is shorter."""
    options = {"compress": "deflate", "predictor": predictor, "blockysize": rows}
    path, file = image(dtype, interleave=interleave, **options)
    tiles = tiles_of(file, 2)
    assert tiles is not None
    for top, bottom, left, right in WINDOWS:
        known = file.read(2, window=Window(left, top, right - left, bottom - top))
        np.testing.assert_array_equal(tiles.read(top, bottom, left, right), known)
    band = RasterBand(file, 2, path)
    assert band.parallel
    assert tile_of(band) is None


def test_a_strip_with_a_wrong_checksum_is_damaged(image):
    """GDAL does not look at it."""
    path, file = image("u2", bands=1, compress="deflate", blockysize=16)
    start, size = tiles_of(file, 1).places[1, 0].tolist()
    data = bytearray(path.read_bytes())
    data[start + size - 1] ^= 1
    path.write_bytes(data)
    with rasterio.open(path) as damaged, pytest.raises(SourceError, match="is damaged"):
        RasterBand(damaged, 1, path).read((), 0, HEIGHT, 0, WIDTH)


def test_what_is_longer_than_its_place_has_a_checksum_too():
    into = np.empty(900, "uint8")
    data = bytearray(zlib.compress(bytes(1000)))
    inflate_beginning(bytes(data), into)
    data[-1] ^= 1
    with pytest.raises(ValueError, match="incorrect data check"):
        inflate_beginning(bytes(data), into)
    with pytest.raises(ValueError, match="compressed data is"):
        inflate_beginning(zlib.compress(bytes(1 << 22)), into)


def test_an_image_that_lacks_tiles_is_left_to_gdal(image):
    path, file = image("u2", interleave="band", **TILED)
    profile = {**file.profile, "sparse_ok": True}
    with rasterio.open(path, "w", **profile):
        pass
    with rasterio.open(path) as sparse:
        assert tiles_of(sparse, 1) is None


def test_a_predictor_of_whole_numbers_on_floats_is_left_to_gdal(image):
    _, file = image("f4", bands=1, predictor=2, **TILED)
    assert tiles_of(file, 1) is None


def test_a_damaged_tile_is_said(image):
    path, file = image("u2", interleave="band", **TILED)
    tiles = tiles_of(file, 1)
    start, size = tiles.places[1, 1].tolist()
    data = bytearray(path.read_bytes())
    data[start + size // 2] ^= 0xFF
    path.write_bytes(data)
    band = RasterBand(file, 1, path)
    assert band.parallel
    with pytest.raises(SourceError, match=r"a\.tif is damaged: rows 16 to 32 cannot be decoded"):
        band.read((), 16, 32, 32, 64)


def test_a_band_says_which_of_its_cells_lie_together(image):
    path, file = image("u2", interleave="band", **TILED)
    assert tile_of(RasterBand(file, 1, path)) == (16, 32)
    assert tile_of(RasterBand(file, 1, path, factor=2)) == (32, 64)
    path, file = image("u2")
    assert tile_of(RasterBand(file, 1, path)) is None


@pytest.mark.parametrize("width", [1, 7, 24, 36, 512])
@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "i8"])
def test_sum_along_rows_run_over_as_their_type_does(dtype, width):
    ends = np.iinfo(dtype)
    rng = np.random.default_rng(width)
    steps = rng.integers(ends.min, ends.max, (5, width), dtype, endpoint=True)
    found = np.empty_like(steps)
    sum_along_rows(steps, found)
    np.testing.assert_array_equal(found, np.cumsum(steps, axis=1, dtype=dtype))


@pytest.mark.parametrize("size", [999, 1001])
def test_what_does_not_fill_its_place_is_damaged(size):
    with pytest.raises(ValueError, match="compressed data is"):
        inflate(zlib.compress(bytes(1000)), np.empty(size, "uint8"))


def test_an_image_of_bands_that_lie_together_is_unpacked_once(image, tmp_path, monkeypatch):
    path, file = image("u2", bands=3, interleave="pixel", **TILED)
    tile = 16 * 32 * 3 * 2
    monkeypatch.setattr(cog, "TOGETHER_BYTES", 16 * tile)  # of 20; a window holds 8
    monkeypatch.setattr(filling, "_TURNS", 1)
    one = partial(ThreadPoolExecutor, 1)  # several may be so far apart that a tile is gone again
    monkeypatch.setattr(writer, "ThreadPoolExecutor", lambda _, **how: one(**how))
    unpacked = []
    decode = TiffTiles._decode

    def noted(self, row, column, into):
        unpacked.append((row, column))
        decode(self, row, column, into)

    monkeypatch.setattr(TiffTiles, "_decode", noted)
    recipe = RecipeSettings(cube="c", chunk=32, time="2024-06-01")
    assert ingest([str(path)], store=str(tmp_path / "store"), recipe=recipe).exit_code == 0
    assert sorted(unpacked) == [(row, column) for row in range(5) for column in range(4)]
    cube = opened(tmp_path / "store", "c")
    for number, name in enumerate(cube.description.range_type.names, 1):
        np.testing.assert_array_equal(whole(cube, name), file.read(number))


@pytest.mark.parametrize("interleave", ["band", "pixel"])
@pytest.mark.parametrize("chunk", [16, 512])
def test_every_band_of_an_image_goes_in_as_it_is(image, tmp_path, interleave, chunk):
    path, file = image("u2", bands=3, interleave=interleave, **TILED)
    recipe = RecipeSettings(cube="c", chunk=chunk, time="2024-06-01")
    assert ingest([str(path)], store=str(tmp_path / "store"), recipe=recipe).exit_code == 0
    cube = opened(tmp_path / "store", "c")
    for number, name in enumerate(cube.description.range_type.names, 1):
        np.testing.assert_array_equal(whole(cube, name), file.read(number))


def test_windows_of_many_bands_that_lie_together_are_small(image, tmp_path, monkeypatch):
    path, _ = image("u2", bands=3, interleave="pixel", **TILED)
    read = []
    window = RasterBand.read

    def noted(self, *asked):
        read.append((self.band, *asked[1:]))
        return window(self, *asked)

    monkeypatch.setattr(RasterBand, "read", noted)
    monkeypatch.setattr(filling, "TOGETHER_BYTES", 32 * 32 * 2 * 3)
    recipe = RecipeSettings(cube="c", chunk=32, time="2024-06-01")
    assert ingest([str(path)], store=str(tmp_path / "store"), recipe=recipe).exit_code == 0
    assert len(read) == 3 * 3 * 4
    assert all(bottom - top <= 32 and right - left <= 32 for _, top, bottom, left, right in read)
