"""Files written forward: the same as the ones written at once, and exactly as long as promised."""

import csv
import io
from math import ceil

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from rasterio.io import MemoryFile
from rasterio.windows import Window

from datacube.errors import InvalidFormat
from datacube.formats import csv as table
from datacube.formats import geotiff, geotiff_tags, npy
from datacube.formats.nodata import nil_ahead
from datacube.formats.registry import encoders
from datacube.formats.tiff import Strips, file_head, read_entries
from datacube.model.axis import IndexAxis, RegularAxis
from datacube.model.fields import Category, Field
from datacube.model.stream import stream_of
from tests.unit.formats.coverages import closed_form, days, in_bands, make_coverage

LAEA = "+proj=laea +lat_0=50 +lon_0=7 +x_0=1000 +y_0=2000 +ellps=GRS80 +units=m +no_defs +type=crs"
SST = Field("sst", "int16", "K", -32768, 0.01, 273.15, "Sea surface temperature", "sst_name")
CLASSES = (Category(1, "water", "#0000ff"), Category(2, "land", "#00ff00"))

COVERAGES = {
    "packed": make_coverage(SST, invalid=[(1, 2)]),
    "south up": make_coverage(SST, origin=(-20, 40), step=(2, 5), invalid=[(0, 0)]),
    "east to west": make_coverage(origin=(10, 60), step=(-2, -2)),
    "bands": make_coverage(Field("b", "uint16", nil=0), Field("a", "uint16", "m", 0, title="A")),
    "mixed": make_coverage(Field("a", "int16", nil=-9999), Field("b", "uint8"), invalid=[(0, 1)]),
    "no nil": make_coverage(Field("a", "uint8")),
    "floats": make_coverage(Field("a", "float32", nil=-9999.0), invalid=[(2, 3)]),
    "half floats": make_coverage(Field("a", "float16"), invalid=[(2, 3)]),
    "truth": make_coverage(Field("a", "bool")),
    "long": make_coverage(Field("a", "int64", nil=-1), invalid=[(3, 5)]),
    "classes": make_coverage(Field("scl", "uint8", nil=0, categories=CLASSES)),
    "sliced": make_coverage(axes=(days(18262), RegularAxis("depth", 5, 1, 1, "m"))),
    "uncoded": make_coverage(crs=LAEA, step=(100, -100)),
    "metres": make_coverage(SST, crs="EPSG:3857", step=(100, -50)),
    "crs84": make_coverage(crs="OGC:CRS84"),
    "strips": make_coverage(Field("a", "float64"), size=(300, 700), step=(0.1, -0.1)),
}


def joined(made):
    found = b"".join(made.pieces)
    assert made.length in {None, len(found)}
    return found


def told(file):
    """All that GDAL reads of a file, the layout of its values aside."""
    bands = range(1, file.count + 1)
    return {
        "profile": (file.width, file.height, file.count, file.dtypes, str(file.nodatavals)),
        "place": (file.crs.to_wkt(), tuple(file.transform), file.bounds),
        "tags": file.tags(),
        "bands": [file.tags(band) for band in bands],
        "names": (file.descriptions, file.units, file.scales, file.offsets),
        "colours": (file.colorinterp, _colours(file)),
    }


def _colours(file):
    try:
        return file.colormap(1)
    except ValueError:
        return None


@pytest.mark.parametrize("height", [1, 3, 1000])
@pytest.mark.parametrize("name", COVERAGES)
def test_a_geotiff_written_forward_is_read_as_the_one_written_at_once(name, height):
    coverage = COVERAGES[name]
    at_once = MemoryFile(geotiff.encode(coverage, {"compression": "deflate"}))
    forward = MemoryFile(joined(geotiff.stream(in_bands(coverage, height), {})))
    with at_once, forward, at_once.open() as small, forward.open() as own:
        assert told(own) == told(small)
        np.testing.assert_array_equal(own.read(), small.read())
        np.testing.assert_array_equal(own.dataset_mask(), small.dataset_mask())


def test_a_geotiff_of_long_axes_is_refused():
    with pytest.raises(InvalidFormat, match="slice them"):
        geotiff.stream(stream_of(make_coverage(axes=(days(1, 2),))), {})


@pytest.mark.parametrize("bands", [1, 3])
def test_a_picture_beyond_4_gib_is_a_bigtiff_whose_last_cell_is_where_it_shall_be(tmp_path, bands):
    width, height = 40_000, 60_001
    small = geotiff.stream(
        stream_of(make_coverage(*(Field(f"f{one}", "int16", nil=-1) for one in range(bands)))), {}
    )
    strips = Strips(width, height, bands, 2)
    head = file_head(read_entries(joined(small)), strips)
    path = tmp_path / "large.tif"
    with path.open("wb") as file:
        file.write(head)
        for band in range(1, bands + 1):
            file.seek(len(head) + band * width * height * 2 - 4)
            file.write(np.array([7, 100 * band], "<i2").tobytes())
    assert head[:4] == b"II+\0"
    assert path.stat().st_size == len(head) + strips.nbytes
    with rasterio.open(path) as file:
        assert file.shape == (height, width)
        assert file.block_shapes == [(strips.rows, width)] * bands
        last = file.read(window=Window(width - 3, height - 1, 3, 1))
        assert last.tolist() == [[[0, 7, 100 * band]] for band in range(1, bands + 1)]


@given(st.integers(1, 10**6), st.integers(1, 10**5), st.integers(1, 5), st.sampled_from([1, 2, 8]))
def test_strips_hold_every_row_once(width, height, bands, itemsize):
    strips = Strips(width, height, bands, itemsize)
    assert strips.in_band == ceil(height / strips.rows)
    assert strips.nbytes == width * height * bands * itemsize
    assert strips.rows == 1 or strips.rows * strips.row_bytes <= 1 << 18


@pytest.mark.parametrize(
    ("fields", "dtype", "nil", "gaps", "expected"),
    [
        ("int16:-1", "int16", -1, False, ("int16", -1)),
        ("int16:-1 int16:-1", "int16", -1, True, ("int16", -1)),
        ("int16:-1 uint8:-", "int16", -1, False, ("int16", -1)),
        ("int16:-1 int16:-2", "int16", -1, False, ("int32", -(2**31))),
        ("uint8:-", "uint8", None, False, ("uint8", None)),
        ("uint8:-", "uint8", None, True, ("uint16", 65_535)),
        ("int32:-", "int32", None, True, ("float64", None)),
        ("bool:-", "uint8", None, True, ("uint8", 255)),
        ("float32:-", "float32", None, True, ("float32", None)),
    ],
)
def test_a_number_for_no_data_is_surely_free(fields, dtype, nil, gaps, expected):
    del nil
    made = []
    for number, text in enumerate(fields.split()):
        kind, _, own = text.partition(":")
        made.append(Field(f"f{number}", kind, nil=None if own == "-" else int(own)))
    found, value = nil_ahead(made, geotiff_tags.wider_dtypes(np.dtype(dtype)), gaps=gaps)
    assert found.name == expected[0]
    if found.kind == "f":
        assert np.isnan(value)
    else:
        assert value == expected[1]


def test_where_no_number_is_free_one_field_is_proposed():
    with pytest.raises(InvalidFormat, match="ask for one field"):
        nil_ahead([Field("a", "int64")], [np.dtype("int64")], gaps=True)


@pytest.mark.parametrize("height", [1, 3, 1000])
def test_numpy_and_csv_do_not_depend_on_the_bands(height):
    coverage = make_coverage(
        SST,
        Field("w", "float32"),
        axes=(days(18262, 18263), IndexAxis("run, kind", 2, labels=('a"1', "b,2"))),
        invalid=[(1, 0, 2, 3)],
    )
    array = np.load(io.BytesIO(joined(npy.stream(in_bands(coverage, height), {}))))
    assert array.dtype == np.float64
    expected = np.stack([block.physical() for block in coverage.blocks.values()])
    np.testing.assert_array_equal(array, expected)
    text = joined(table.stream(in_bands(coverage, height), {}))
    assert text == b"".join(encoders().find("csv").encode(coverage))
    header, *rows = csv.reader(io.StringIO(text.decode(), newline=""))
    assert header == ["time", "run, kind", "Lat", "Long", "sst [K]", "w"]
    assert len(rows) == 2 * 2 * 4 * 6
    assert rows[0][:4] == ["2020-01-01T00:00:00Z", 'a"1', "59.0", "-19.0"]
    for column, block in zip((4, 5), coverage.blocks.values(), strict=True):
        read = [np.nan if row[column] == "" else float(row[column]) for row in rows]
        assert np.array_equal(read, block.physical().ravel(), equal_nan=True)


def test_csv_writes_the_shortest_text_of_each_type():
    field = Field("a", "float32")
    coverage = make_coverage(field)
    block = coverage.blocks["a"]
    numbers = np.array([0.1, 1e-5, 3e8, 16_777_216, 1e16, 1e17, -0.0, 1.5, 2 / 3], "float32")
    block.data.reshape(-1)[:9] = numbers
    rows = joined(table.stream(stream_of(coverage), {})).decode().split("\r\n")[1:10]
    assert [row.rpartition(",")[2] for row in rows] == [str(one) for one in numbers]


def test_pieces_are_neither_tiny_nor_huge():
    coverage = make_coverage(Field("v", "float64"), size=(1000, 700), step=(0.1, -0.1))
    sizes = [len(one) for one in npy.stream(in_bands(coverage, 1), {}).pieces]
    assert max(sizes) <= 2 << 20
    assert min(sizes[:-1]) >= 1 << 18


def test_the_formats_that_stream_are_known():
    flat, deep = make_coverage().description, make_coverage(axes=(days(1, 2),)).description
    anywhere = (
        "application/prs.coverage+json",
        "text/csv",
        "application/x-npy",
        "application/json",
        "application/x-netcdf3",
        "application/vnd.zarr+zip",
    )
    assert encoders().streaming(flat.domain) == ("image/tiff", *anywhere)
    assert encoders().streaming(deep.domain) == anywhere


def test_the_closed_form_is_what_is_streamed():
    found = np.load(io.BytesIO(joined(npy.stream(in_bands(make_coverage(), 2), {}))))
    np.testing.assert_array_equal(found, closed_form((4, 6)))
