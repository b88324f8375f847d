"""Images that other programs wrote in their way, damaged ones, and such as no machine can hold."""

import json
import os
import struct
import zlib
from collections import Counter

import imagecodecs
import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from datacube.config.products import FieldRecipe, RecipeSettings, StoredAs
from datacube.errors import SourceError
from datacube.ingest.packing import shifted
from datacube.ingest.pipeline import ingest
from datacube.ingest.readers import cog, tifftiles
from datacube.ingest.readers.cog import CogReader
from datacube.ingest.readers.stac import StacReader
from datacube.ingest.source import ReadOptions
from datacube.model.fields import Field
from tests.unit.ingest.products import opened, whole

TILED = {"tiled": True, "blockxsize": 32, "blockysize": 32}
COMPRESSED = {8: zlib.compress, 5: imagecodecs.lzw_encode, 50000: imagecodecs.zstd_encode}
_SIZES = {3: "H", 4: "I"}


def write(path, values, *, scale=None, nodata=None, dtype=None, **options):
    count, height, width = values.shape
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        dtype=dtype or values.dtype.name,
        count=count,
        height=height,
        width=width,
        crs="EPSG:32631",
        transform=from_origin(0, 0, 10, 10),
        nodata=nodata,
        **options,
    ) as file:
        file.write(values)
        if scale is not None:
            file.scales, file.offsets = [scale[0]] * count, [scale[1]] * count
    return path


def noise(dtype="uint8", bands=1, size=64):
    rng = np.random.default_rng(5)
    return rng.integers(0, 200, (bands, size, size)).astype(dtype)


class Tags:
    """The directory of a small TIFF file without compression, to be written anew in place."""

    def __init__(self, path):
        self.path = path
        self.data = bytearray(path.read_bytes())
        (self.start,) = struct.unpack_from("<I", self.data, 4)
        (count,) = struct.unpack_from("<H", self.data, self.start)
        self.places = {}
        for place in range(self.start + 2, self.start + 2 + 12 * count, 12):
            (tag,) = struct.unpack_from("<H", self.data, place)
            self.places[tag] = place

    def put(self, tag, number, instead=None):
        """Another number of a tag; instead of another tag, where it was not there."""
        place = self.places[instead or tag]
        struct.pack_into("<HHII", self.data, place, tag, 4, 1, number)

    def numbers(self, tag):
        """Format and place of the numbers of a tag."""
        kind, count, value = struct.unpack_from("<HII", self.data, self.places[tag] + 2)
        form = f"<{count}{_SIZES[kind]}"
        return form, value if struct.calcsize(form) > 4 else self.places[tag] + 8

    def pack(self, change):
        """What a function makes of every tile goes to the end of the file."""
        (form, starts), (other, sizes) = self.numbers(324), self.numbers(325)
        packed = []
        old = struct.unpack_from(form, self.data, starts)
        for start, size in zip(old, struct.unpack_from(other, self.data, sizes), strict=True):
            made = change(bytes(self.data[start : start + size]))
            packed.append((len(self.data), len(made)))
            self.data += made
        struct.pack_into(form, self.data, starts, *(start for start, _ in packed))
        struct.pack_into(other, self.data, sizes, *(size for _, size in packed))

    def save(self):
        self.path.write_bytes(self.data)


def turned(data):
    """Every byte with its lowest bit first."""
    bits = np.unpackbits(np.frombuffer(data, "u1")).reshape(-1, 8)
    return np.packbits(bits[:, ::-1]).tobytes()


def bands(path):
    """The bands as a granule has them."""
    with CogReader().open(path, ReadOptions()) as (one,):
        grid, found = one.description.domain.grid, one.slices[0].bands
        names = one.description.range_type.names
        return np.stack([found[name].read((), 0, grid.height, 0, grid.width) for name in names])


def said(path):
    """By GDAL."""
    with rasterio.open(path) as file:
        return file.read()


@pytest.mark.parametrize("compression", COMPRESSED)
@pytest.mark.parametrize(("count", "photometric"), [(4, 5), (3, 6), (3, 8)])
def test_colours_are_those_of_gdal(tmp_path, compression, count, photometric):
    """CMYK, YCbCr and CIELAB, of which GDAL makes red, green and blue."""
    path = write(tmp_path / "a.tif", noise(bands=count), **TILED, interleave="pixel")
    tags = Tags(path)
    tags.pack(COMPRESSED[compression])
    tags.put(259, compression)
    tags.put(262, photometric)
    tags.save()
    np.testing.assert_array_equal(bands(path), said(path))


@pytest.mark.parametrize("compression", COMPRESSED)
def test_bytes_may_begin_with_their_lowest_bit(tmp_path, compression):
    values = noise("uint16")
    path = write(tmp_path / "a.tif", values, **TILED)
    tags = Tags(path)
    tags.pack(lambda data: turned(COMPRESSED[compression](data)))
    tags.put(259, compression)
    tags.put(266, 2, instead=284)
    tags.save()
    np.testing.assert_array_equal(bands(path), values)


@pytest.mark.parametrize("interleave", ["band", "pixel"])
def test_a_tile_may_be_as_wide_as_the_image(tmp_path, interleave):
    """It is no strip: the last one has rows that are not in the image."""
    values = noise("uint16", bands=2, size=96)
    options = {"blockxsize": 96, "blockysize": 64, "compress": "lzw", "interleave": interleave}
    path = write(tmp_path / "a.tif", values, tiled=True, **options)
    with rasterio.open(path) as file:
        assert tifftiles.tiles_of(file, 2) is not None
    np.testing.assert_array_equal(bands(path), values)


@pytest.mark.parametrize("compression", [8, 5])
@pytest.mark.parametrize("more", [b"x", bytes(100), bytes(100_000)])
def test_tiles_may_hold_more_than_they_need(tmp_path, compression, more):
    values = noise("int32")
    path = write(tmp_path / "a.tif", values, **TILED)
    tags = Tags(path)
    tags.pack(lambda data: COMPRESSED[compression](data + more))
    tags.put(259, compression)
    tags.save()
    np.testing.assert_array_equal(bands(path), values)


def test_a_tile_that_claims_too_many_bytes_takes_no_memory_for_them(tmp_path, monkeypatch):
    values = np.random.default_rng(5).random((1, 256, 256))
    options = {"tiled": True, "blockxsize": 128, "blockysize": 256, "compress": "deflate"}
    path = write(tmp_path / "a.tif", values, **options)
    tags = Tags(path)
    form, place = tags.numbers(325)
    first, _ = struct.unpack_from(form, tags.data, place)
    struct.pack_into(form, tags.data, place, first, 0xFFFFFFF0)
    tags.save()
    asked = []
    pread = os.pread
    monkeypatch.setattr(tifftiles.os, "pread", lambda *at: asked.append(at[1]) or pread(*at))
    np.testing.assert_array_equal(bands(path), values)
    assert max(asked) < 11 * 128 * 256 * 8


@pytest.mark.parametrize(
    ("dtype", "nodata"), [("uint64", 2**64 - 1), ("int64", 2**63 - 1), ("int64", 2**60 + 1)]
)
def test_large_whole_numbers_mark_no_data(tmp_path, dtype, nodata):
    """Numbers that no float is, though no data comes as a float."""
    values = noise(dtype, size=20)
    values[0, 0, :3] = nodata, nodata - 1, nodata - 2
    path = write(tmp_path / "a.tif", values)
    (tmp_path / "a.tif.aux.xml").write_text(
        f'<PAMDataset><PAMRasterBand band="1"><NoDataValue>{nodata}</NoDataValue>'
        "</PAMRasterBand></PAMDataset>"
    )
    assert ingest([str(path)], store=str(tmp_path / "store"), cube="c").exit_code == 0
    cube = opened(tmp_path / "store", "c")
    found = whole(cube, "band1")
    valid = cube.description.range_type.field("band1").valid(found)
    assert np.argwhere(~valid).tolist() == [[0, 0]]
    np.testing.assert_array_equal(found[1:], values[0, 1:])


def test_what_is_no_data_in_every_band_is_so(tmp_path):
    values = noise(bands=3, size=20)
    values[:, 3, 4] = 1, 2, 3
    values[:, 3, 5] = 1, 2, 4
    path = write(tmp_path / "a.tif", values)
    with rasterio.open(path, "r+") as file:
        file.update_tags(NODATA_VALUES="1 2 3")
    with CogReader().open(path, ReadOptions()) as (one,):
        for field in one.description.range_type.fields:
            found = one.slices[0].bands[field.name].read((), 0, 20, 0, 20)
            assert np.argwhere(~field.valid(found)).tolist() == [[3, 4]]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint64", "int64"])
@pytest.mark.parametrize("nil", ["low", "high", None])
@pytest.mark.parametrize("shift", [-(2**70), -1000, -1, 1, 200, 2**63, 2**70])
def test_shifted_numbers_end_where_their_type_does(dtype, nil, shift):
    info = np.iinfo(dtype)
    low, high = int(info.min), int(info.max)
    nil = {"low": low, "high": high, None: None}[nil]
    values = np.array([low, low + 1, low + 150, 0, 1, 5, high - 150, high - 1, high], dtype)
    ends = low + (nil == low), high - (nil == high)
    wanted = [
        one if one == nil else min(max(one + shift, ends[0]), ends[1]) for one in values.tolist()
    ]
    assert shifted(values, Field("v", dtype, nil=nil), shift).tolist() == wanted


def test_half_floats_keep_bits_too(tmp_path):
    path = write(tmp_path / "a.tif", np.array([[[1.0009, 3.14159, np.nan]]], "f2"))
    recipe = RecipeSettings(fields=(FieldRecipe("band1", stored=StoredAs(keep_bits=5)),))
    assert (
        ingest([str(path)], store=str(tmp_path / "store"), cube="c", recipe=recipe).exit_code == 0
    )
    np.testing.assert_array_equal(
        whole(opened(tmp_path / "store", "c"), "band1"), [[1.0, 3.125, np.nan]]
    )


@pytest.mark.parametrize("no_data", [0, 255, 7])
def test_what_is_no_data_is_packed_by_any_number_for_it(tmp_path, no_data):
    path = write(tmp_path / "a.tif", np.array([[[np.nan, 20.0, np.inf, 1.0]]], "f4"))
    packing = StoredAs(dtype="uint8", scale=1.0, nil=no_data)
    recipe = RecipeSettings(fields=(FieldRecipe("band1", stored=packing),))
    report = ingest([str(path)], store=str(tmp_path / "store"), cube="c", recipe=recipe)
    assert report.exit_code == 0, report.results
    found = whole(opened(tmp_path / "store", "c"), "band1")
    assert found.tolist() == [[no_data, 20, no_data, 1]]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dtype": "complex_int16"}, "band 1 has the type complex_int16"),
        ({"scale": (0.0, 1.0)}, "the scale 0 and the offset 1, by which no number can be packed"),
        ({"scale": (1.0, np.nan)}, "the scale 1 and the offset nan"),
        ({"scale": (np.inf, 0.0)}, "the scale inf"),
    ],
)
def test_what_no_number_stands_for_is_refused(tmp_path, options, words):
    complex_ = "dtype" in options
    path = write(tmp_path / "a.tif", noise("complex64" if complex_ else "int16"), **options)
    with pytest.raises(SourceError, match=words):
        bands(path)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_position_that_is_no_number_is_refused(tmp_path, number):
    path = write(tmp_path / "a.tif", noise())
    tags = Tags(path)
    (place,) = struct.unpack_from("<I", tags.data, tags.places[33550] + 8)
    struct.pack_into("<d", tags.data, place + 8, number)
    tags.save()
    with pytest.raises(SourceError, match="numbers that are none"):
        bands(path)


@pytest.mark.parametrize("count", [1, 2])
def test_a_file_whose_mask_is_cut_off_is_refused(tmp_path, count):
    """GDAL would read it as if there were no mask."""
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        values = noise(bands=count, size=300)
        path = write(tmp_path / "a.tif", values, **TILED, compress="deflate")
        with rasterio.open(path, "r+") as file:
            file.write_mask(np.eye(300, dtype="u1") * 255)
    tags = Tags(path)
    (after,) = struct.unpack_from("<I", tags.data, tags.start + 2 + 12 * len(tags.places))
    path.write_bytes(tags.data[: after + 20])
    (result,) = ingest([str(path)], store=str(tmp_path / "store"), cube="c").results
    assert result.status == "refused"
    assert "directory" in result.reason
    assert "unexpected" not in result.reason


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({257: 2**31 - 1}, "it says it has 64 x 2147483647 cells; 16777216 rows or columns and"),
        ({256: 2**21, 257: 2**21, 322: 4096, 323: 4096}, "1099511627776 cells are the most"),
        ({322: 1 << 16, 323: 1 << 16}, "65536 x 65536 cells take 4096 MB each"),
    ],
)
def test_sizes_that_no_memory_holds_are_refused(tmp_path, tags, words):
    path = write(tmp_path / "a.tif", noise(), **TILED, compress="deflate")
    header = Tags(path)
    for tag, number in tags.items():
        header.put(tag, number)
    header.save()
    with pytest.raises(SourceError, match=words):
        bands(path)


@pytest.mark.parametrize(
    ("dtype", "said", "values", "gone"),
    [
        ("float32", "-3.40282e+38", (-3.4028235e38, -3.4e30, 0.0), (0,)),
        ("float32", "-9999", (-9999.0, -9998.99, np.nan), (0, 2)),
        ("float64", "-3.40282346638529e+38", (-3.4028234663852886e38, -3e38, np.inf), (0,)),
        ("float64", "0.1", (0.1, 0.1001, -0.1), (0,)),
        ("float16", "-9999", (-9999.0, -9000.0, 0.0), (0,)),
        ("float16", "1e-38", (0.0, 1e-7, 1.0), ()),
        ("float32", "0", (-0.0, 0.0, 1e-38), (0, 1)),
    ],
)
def test_floats_are_no_data_where_the_file_means_them(tmp_path, dtype, said, values, gone):
    """The number is a text, with fewer digits than it has or more."""
    path = write(tmp_path / "a.tif", np.array([[values]], dtype))
    (tmp_path / "a.tif.aux.xml").write_text(
        f'<PAMDataset><PAMRasterBand band="1"><NoDataValue>{said}</NoDataValue>'
        "</PAMRasterBand></PAMDataset>"
    )
    assert tuple(np.argwhere(np.isnan(bands(path)[0, 0])).ravel()) == gone


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
@pytest.mark.parametrize("said", [{}, {"nodata": 7}])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_no_data_of_a_stac_item_or_its_image(tmp_path, version, said, dtype):
    """Of an image on the finest grid, and one of larger pixels with a mask beside it."""
    fine = np.arange(16).reshape(1, 4, 4).astype(dtype)
    write(tmp_path / "fine.tif", fine, nodata=9)
    write(tmp_path / "coarse.tif", fine[:, :2, :2], nodata=9)
    with rasterio.open(tmp_path / "coarse.tif", "r+") as file:
        file.transform = from_origin(0, 0, 20, 20)
        file.write_mask(np.array([[0, 255], [255, 255]], "u1"))
    band = {**said, ("" if version == "1.0.0" else "raster:") + "scale": 0.5}
    listed = "raster:bands" if version == "1.0.0" else "bands"
    assets = {
        name: {"href": f"./{name}.tif", "type": "image/tiff", listed: [band]}
        for name in ("fine", "coarse")
    }
    times = {"datetime": "2020-02-19T11:34:25Z"}
    item = {"type": "Feature", "stac_version": version, "properties": times, "assets": assets}
    (tmp_path / "item.json").write_text(json.dumps(item))
    with StacReader().open(tmp_path / "item.json", ReadOptions()) as (one,):
        found = {}
        for name in ("fine", "coarse"):
            field = one.description.range_type.field(name)
            assert field.scale == 0.5
            found[name] = field.valid(one.slices[0].bands[name].read((), 0, 4, 0, 4))
    assert np.argwhere(~found["fine"]).tolist() == [[1, 3] if said else [2, 1]]
    assert np.argwhere(~found["coarse"]).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_an_image_that_is_not_there_is_refused(tmp_path):
    options = {"tiled": True, "blockxsize": 4096, "blockysize": 4096, "sparse_ok": True}
    path = write(tmp_path / "a.tif", np.zeros((1, 4096, 4096), "u1"), **options)
    tags = Tags(path)
    tags.put(256, 1 << 20)
    tags.put(257, 1 << 18)
    path.write_bytes(tags.data)
    with pytest.raises(SourceError, match=r"1048576 x 262144 cells, and there are \d+ bytes"):
        bands(path)


def test_further_images_of_a_file_are_said_to_be_left_out(tmp_path):
    path = write(tmp_path / "a.tif", noise())
    write(path, noise(size=9), append_subdataset=True)
    (result,) = ingest([str(path)], store=str(tmp_path / "store"), cube="c").results
    assert (result.status, result.reason) == (
        "partial",
        "1 further images of the file are left out",
    )


def test_bands_are_looked_at_once_however_many_there_are(tmp_path):
    path = write(tmp_path / "a.tif", np.zeros((100, 2, 2), "u1"))
    asked = Counter()

    class Counted:
        def __init__(self, file):
            self._file = file

        def __getattr__(self, name):
            asked[name] += 1
            return getattr(self._file, name)

    with rasterio.open(path) as file:
        (one,) = cog._granules(Counted(file), path, ReadOptions())
    assert len(one.description.range_type.fields) == 100
    assert max(asked["mask_flag_enums"], asked["colorinterp"]) < 5


def test_too_many_bands_are_refused(tmp_path):
    path = write(tmp_path / "a.tif", np.zeros((4097, 1, 1), "u1"))
    with pytest.raises(SourceError, match="it says it has 4097 bands; 4096 are the most"):
        bands(path)


def test_a_stac_item_brings_no_other_files_of_the_machine_in(tmp_path):
    (tmp_path / "inside").mkdir()
    write(tmp_path / "secret.tif", np.arange(16, dtype="u2").reshape(1, 4, 4))
    virtual = (
        '<VRTDataset rasterXSize="4" rasterYSize="4"><SRS>EPSG:32631</SRS><GeoTransform>'
        '0,10,0,0,0,-10</GeoTransform><VRTRasterBand dataType="UInt16" band="1"><SimpleSource>'
        f"<SourceFilename>{tmp_path}/secret.tif</SourceFilename><SourceBand>1</SourceBand>"
        "</SimpleSource></VRTRasterBand></VRTDataset>"
    )
    (tmp_path / "inside/b1.tif").write_text(virtual)
    with rasterio.open(tmp_path / "inside/b1.tif") as file:  # for GDAL it is an image
        assert file.read(1)[1, 1] == 5
    item = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "properties": {"datetime": "2020-02-19T11:34:25Z"},
        "assets": {"b1": {"href": "./b1.tif", "type": "image/tiff"}},
    }
    (tmp_path / "inside/item.json").write_text(json.dumps(item))
    (found,) = ingest([str(tmp_path / "inside/item.json")], store=str(tmp_path / "store")).results
    assert found.status == "refused"
    assert "b1.tif is in the format VRT" in found.reason
