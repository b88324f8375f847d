"""Images of many kinds drawn by lot, as they are in the cube, against GDAL's reading of them."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.enums import MaskFlags
from rasterio.transform import from_origin

from datacube.config.products import RecipeSettings
from datacube.ingest.pipeline import ingest
from tests.unit.ingest.products import opened, whole

pytestmark = [  # floats of any bits have no sum
    pytest.mark.filterwarnings("ignore:overflow encountered"),
    pytest.mark.filterwarnings("ignore:invalid value encountered in (add|reduce)"),
]

TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")
FLOATS = ("float16", "float32", "float64")
SIZES = ((1, 1), (1, 7), (9, 1), (17, 33), (64, 64), (70, 101), (130, 129))
PLACES = (
    ("EPSG:4326", from_origin(-180, 90, 1.5, 1.25)),
    ("EPSG:4326", from_origin(170, 10, 0.25, 0.25)),
    ("EPSG:32631", from_origin(500000, 4000000, 10, 10)),
    ("EPSG:3035", Affine(1000, 0, 4321000, 0, 1000, 3210000)),
)
COMPRESSIONS = ("none", "deflate", "lzw", "zstd", "lzma", "packbits", "lerc_zstd")
PREDICTED = ("deflate", "lzw", "zstd")


def drawn(rng, dtype, shape):
    """Bits of any kind, or a few numbers with the ends of the type."""
    kind = np.dtype(dtype)
    if rng.random() < 0.5:
        return np.frombuffer(rng.bytes(int(np.prod(shape)) * kind.itemsize), kind).reshape(shape)
    if kind.kind == "f":
        numbers = np.array([0, -0.0, 1, -9999, np.nan, np.inf, 0.1], kind)
    else:
        info = np.iinfo(kind)
        numbers = np.array([0, 1, 7, info.min, info.max], kind)
    return numbers[rng.integers(0, len(numbers), shape)]


def storage(rng, dtype, size):
    """How an image lies in its file."""
    options = {"interleave": str(rng.choice(["pixel", "band"])), **packed(rng, dtype)}
    if rng.random() < 0.6:
        sides = (16 * rng.integers(1, 8, 2)).tolist()
        options |= {"tiled": True, "blockxsize": sides[0], "blockysize": sides[1]}
    else:
        options["blockysize"] = int(rng.integers(1, size[0] + 3))
    chances = {"bigtiff": ("yes", 0.2), "sparse_ok": ("yes", 0.2), "endianness": ("big", 0.25)}
    return options | {key: one for key, (one, chance) in chances.items() if rng.random() < chance}


def packed(rng, dtype):
    """Compression, and the bits of a number where there is none."""
    compress = str(rng.choice(COMPRESSIONS))
    if compress == "none":
        bits = {"uint8": 3, "uint16": 12}.get(dtype)
        return {} if bits is None else {"nbits": bits}
    if compress.startswith("lerc") and dtype in {"int8", "uint64", "int64", "float16"}:
        compress = "deflate"
    if compress not in PREDICTED:
        return {"compress": compress}
    predictors = [1, 2, 3] if dtype in {"float32", "float64"} else [1, 2]
    return {"compress": compress, "predictor": int(rng.choice(predictors))}


def write(rng, path):
    """An image drawn by lot."""
    dtype = str(rng.choice(TYPES + FLOATS))
    size = SIZES[rng.integers(len(SIZES))]
    count = int(rng.choice([1, 1, 2, 3, 5]))
    crs, transform = PLACES[rng.integers(len(PLACES))]
    options = storage(rng, dtype, size)
    values = drawn(rng, dtype, (count, *size))
    if "nbits" in options:
        values = values % (1 << options["nbits"])
    nodata = None if rng.random() < 0.4 else float(rng.choice([0, 1, 7]))
    if nodata is not None and dtype in FLOATS and rng.random() < 0.6:
        nodata = float(rng.choice([np.nan, -1.0, np.inf]))
    inside, masked = rng.random() < 0.5, rng.random() < 0.3
    height, width = size
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=bool(inside)),
        rasterio.open(
            path,
            "w",
            driver="GTiff",
            dtype=dtype,
            count=count,
            height=height,
            width=width,
            crs=crs,
            transform=transform,
            nodata=nodata,
            **options,
        ) as file,
    ):
        rows = height if "sparse_ok" not in options else max(1, height // 2)
        file.write(values[:, :rows], window=((0, rows), (0, width)))
        if masked:
            file.write_mask(np.where(rng.random(size) < 0.3, 0, 255).astype("u1"))


def wanted(path, band):
    """Values and where they are data, by GDAL."""
    with rasterio.open(path) as file:
        values, mask = file.read(band), file.read_masks(band) > 0
        apart = MaskFlags.nodata not in file.mask_flag_enums[band - 1]
        nodata = file.nodatavals[band - 1]
    if values.dtype.kind == "f":
        mask &= ~np.isnan(values)
        if nodata is not None and apart:
            mask &= values != nodata
    return values, mask


@pytest.mark.parametrize("seed", range(60))
def test_images_are_in_the_cube_as_gdal_reads_them(tmp_path, seed):
    rng = np.random.default_rng(seed)
    path = tmp_path / "a.tif"
    write(rng, path)
    recipe = RecipeSettings(chunk=int(rng.choice([16, 64, 256])))
    (result,) = ingest([str(path)], store=str(tmp_path / "c"), cube="c", recipe=recipe).results
    assert result.status == "ingested", result.reason
    cube = opened(tmp_path / "c", "c")
    for band, field in enumerate(cube.description.range_type.fields, 1):
        values, mask = wanted(path, band)
        found = whole(cube, field.name)
        valid = field.valid(found)
        np.testing.assert_array_equal(valid, mask)
        same = found == values
        if field.nil is not None:  # a value under a mask apart is moved off the number for no data
            same |= values == field.nil
        assert found.dtype == values.dtype
        assert same[mask].all()


def damaged(rng, data):
    """Some of the bytes are others, or the end is cut off."""
    data = bytearray(data)
    if rng.random() < 0.3:
        return bytes(data[: rng.integers(1, len(data))])
    for _ in range(rng.integers(1, 4)):
        place = rng.integers(0, min(len(data), 700) if rng.random() < 0.6 else len(data))
        data[place] = rng.integers(0, 256)
    return bytes(data)


@pytest.mark.parametrize("seed", range(12))
def test_damaged_images_go_in_or_are_refused_in_words(tmp_path, seed):
    rng = np.random.default_rng(1000 + seed)
    good = tmp_path / "good.tif"
    write(rng, good)
    data = good.read_bytes()
    for number in range(6):
        path = tmp_path / f"{number}.tif"
        path.write_bytes(damaged(rng, data))
        store = tmp_path / f"store{number}"
        (result,) = ingest([str(path)], store=str(store), cube="c").results
        assert result.status in {"ingested", "partial", "refused"}
        assert "unexpected" not in result.reason
        assert (result.status == "refused") == (not list(store.glob("c/**/c/*")))
