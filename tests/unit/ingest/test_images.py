"""GeoTIFF and Sentinel-2 SAFE, by value."""

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS

from datacube.errors import SourceError
from datacube.ingest.pipeline import ingest
from datacube.ingest.readers import default_readers, find_reader
from datacube.ingest.readers.cog import CogReader
from datacube.ingest.readers.sentinel2 import Sentinel2Reader
from datacube.ingest.source import ReadOptions
from tests.unit.ingest.products import opened, plane, whole, write_safe, write_tiff


def image(path, **options):
    return CogReader().open(path, ReadOptions(**options))


def scene(path, **options):
    return Sentinel2Reader().open(path, ReadOptions(**options))


def test_bands_of_an_image_are_fields(tmp_path):
    values = np.stack([plane(6, 7, band) for band in range(2)]).astype("u2")
    path = write_tiff(tmp_path / "scene_20200219.tif", values, nodata=5)
    with image(path) as (one,):
        description = one.description
        assert one.cube_id == "scene"
        assert description.range_type.names == ("band1", "band2")
        assert description.range_type.field("band1").nil == 5
        assert description.domain.rectified.crs.key == "EPSG:32631"
        assert description.domain.time.iso == ("2020-02-19T00:00:00Z",)
        np.testing.assert_array_equal(
            one.slices[0].bands["band2"].read((), 2, 5, 1, 7), values[1, 2:5, 1:7]
        )


def test_float_nodata_becomes_nan(tmp_path):
    path = write_tiff(tmp_path / "a.tif", plane(3, 3)[None].astype("f4"), nodata=11)
    with image(path) as (one,):
        assert one.description.range_type.field("band1").nil is None
        values = one.slices[0].bands["band1"].read((), 0, 3, 0, 3)
        assert np.argwhere(np.isnan(values)).tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("tags", "options", "expected"),
    [
        ({"TIFFTAG_DATETIME": "2019:05:06 07:08:09"}, {}, ("2019-05-06T07:08:09Z",)),
        ({"ACQUISITIONDATETIME": "2018-01-01 10:00:00"}, {}, ("2018-01-01T10:00:00Z",)),
        ({"TIFFTAG_DATETIME": "2019:05:06 07:08:09"}, {"time": "2021"}, ("2021-01-01T00:00:00Z",)),
        ({}, {}, None),
    ],
)
def test_the_time_of_an_image(tmp_path, tags, options, expected):
    path = write_tiff(tmp_path / "a.tif", plane(3, 3)[None].astype("u1"), tags=tags)
    with image(path, **options) as (one,):
        time = one.description.domain.time
        assert (None if time is None else time.iso) == expected


@pytest.mark.parametrize(
    ("name", "cube", "expected"),
    [
        ("ndvi_202003.tif", "ndvi", "2020-03-01T00:00:00Z"),
        ("ndvi_2020-03.tif", "ndvi", "2020-03-01T00:00:00Z"),
        ("chirps-v2.0.2020.03.tif", "chirps-v2-0", "2020-03-01T00:00:00Z"),
        ("chirps-v2.0.2020.03.05.tif", "chirps-v2-0", "2020-03-05T00:00:00Z"),
        ("MOD13Q1.A2020033.h18v04.tif", "MOD13Q1-h18v04", "2020-02-02T00:00:00Z"),
        ("NDVI_doy2020366_aid0001.tif", "NDVI_aid0001", "2020-12-31T00:00:00Z"),
        ("NDVI_doy2019366_aid0001.tif", "NDVI_aid0001", None),
        ("landcover_2018.tif", "landcover", None),
    ],
)
def test_a_series_of_images_has_the_times_of_their_names(tmp_path, name, cube, expected):
    """What the cube's name leaves out as a date is the time."""
    path = write_tiff(tmp_path / name, plane(3, 3)[None].astype("u1"))
    with image(path) as (one,):
        time = one.description.domain.time
        assert one.cube_id == cube
        assert (None if time is None else time.iso[0]) == expected


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4"])
@pytest.mark.parametrize("inside", [True, False])
def test_what_a_mask_leaves_out_is_no_data(tmp_path, dtype, inside):
    """None of the values that it keeps is, whatever its number."""
    values = plane(6, 7).astype(dtype)
    if np.dtype(dtype).kind != "f":
        values[2, 3], values[2, 4] = np.iinfo(dtype).max, np.iinfo(dtype).min
    kept = np.ones((6, 7), bool)
    kept[:2, :3] = False
    path = tmp_path / "a.tif"
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=inside):
        write_tiff(path, values[None])
        with rasterio.open(path, "r+") as file:
            file.write_mask(kept)
    report = ingest([str(path)], store=str(tmp_path / "store"))
    assert report.exit_code == 0
    cube = opened(tmp_path / "store", "a")
    field, found = cube.description.range_type.field("band1"), whole(cube, "band1")
    np.testing.assert_array_equal(field.valid(found), kept)
    off = np.abs(found.astype(float) - values)[kept]
    assert off.max() <= 1
    assert (off > 0).sum() == (np.dtype(dtype).kind != "f")


def test_heights_in_the_crs_are_no_axis(tmp_path):
    path = write_tiff(tmp_path / "dem.tif", plane(3, 3)[None].astype("f4"), crs="EPSG:32631+5773")
    with image(path) as (one,):
        assert one.description.domain.rectified.crs.key == "EPSG:32631"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"crs": None}, "no CRS"),
        ({"dtype": "complex64"}, "real numbers"),
        ({"crs": CRS.from_wkt('LOCAL_CS["mine",UNIT["metre",1]]')}, "CRS 'mine' is no map"),
        ({"crs": "EPSG:4978"}, "is no map projection"),
    ],
)
def test_images_that_are_refused(tmp_path, options, words):
    values = plane(3, 3)[None].astype(options.get("dtype", "u1"))
    path = write_tiff(tmp_path / "a.tif", values, **options)
    with pytest.raises(SourceError, match=words), image(path):
        pass


@pytest.fixture
def bands():
    fine = (plane(12, 12) + 1000).astype("u2")
    fine[0, 0] = 0
    return {
        "B04": (10, fine),
        "B8A": (20, (plane(6, 6) + 3000).astype("u2")),
        "B01": (60, (plane(2, 2) + 5000).astype("u2")),
        "SCL": (20, np.full((6, 6), 4, "u1")),
    }


def test_a_scene_is_one_cube_on_the_finest_grid(tmp_path, bands):
    with scene(write_safe(tmp_path, bands)) as (one,):
        description = one.description
        assert one.cube_id == "s2-l2a-29RKH"
        assert one.id.startswith("S2A_MSIL2A_20200219T112111")
        assert description.range_type.names == ("B01", "B04", "B8A", "SCL")
        assert description.domain.rectified.bbox.edges == (199980, 2799900, 200100, 2800020)
        assert description.domain.time.iso == ("2020-02-19T11:21:11.024Z",)
        red = description.range_type.field("B04")
        assert (red.dtype, red.nil, red.scale, red.offset) == ("uint16", 0, 0.0001, 0.0)
        read = one.slices[0].bands
        np.testing.assert_array_equal(read["B04"].read((), 0, 12, 0, 12), bands["B04"][1])
        for name, factor in (("B8A", 2), ("B01", 6)):
            repeated = np.kron(bands[name][1], np.ones((factor, factor), "u2"))
            np.testing.assert_array_equal(read[name].read((), 0, 12, 0, 12), repeated)
            np.testing.assert_array_equal(read[name].read((), 3, 11, 5, 8), repeated[3:11, 5:8])
        classes = description.range_type.field("SCL")
        assert {category.value: category.label for category in classes.categories}[6] == "water"
        assert (classes.overview, classes.nil) == ("nearest", 0)


def test_the_offset_of_baseline_4_is_in_the_packing(tmp_path, bands):
    with scene(write_safe(tmp_path, bands, baseline="05.09", boa_offset=-1000)) as (one,):
        red = one.description.range_type.field("B04")
        assert (red.scale, red.offset) == (0.0001, -0.1)
        packed = one.slices[0].bands["B04"].read((), 1, 2, 1, 2)
        assert red.decode(packed, red.valid(packed))[0, 0] == pytest.approx(0.0011, abs=1e-12)


def test_missing_images_are_named(tmp_path, bands):
    path = write_safe(tmp_path, bands, absent=("B8A",))
    with pytest.raises(SourceError, match=r"1 of 4 images .* missing: .*B8A_20m.jp2"), scene(path):
        pass


def test_bands_that_do_not_share_a_grid_are_refused(tmp_path, bands):
    path = write_safe(tmp_path, {**bands, "B01": (60, np.ones((3, 2), "u2"))})
    with pytest.raises(SourceError, match="finest band's grid"), scene(path):
        pass


@pytest.mark.parametrize("name", ["/etc/passwd_B02_10m", "../../outside_B02_10m"])
def test_metadata_cannot_lead_out_of_the_product(tmp_path, bands, name):
    path = write_safe(tmp_path, bands)
    document = path / "MTD_MSIL2A.xml"
    text = document.read_text()
    document.write_text(
        text.replace("<IMAGE_FILE>", f"<IMAGE_FILE>{name}</IMAGE_FILE><IMAGE_FILE>", 1)
    )
    with pytest.raises(SourceError, match="outside the product"), scene(path):
        pass


def test_entities_in_metadata_are_refused(tmp_path, bands):
    path = write_safe(tmp_path, bands)
    (path / "MTD_MSIL2A.xml").write_text(
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    )
    with pytest.raises(SourceError, match=r"MTD_MSIL2A.xml cannot be read"), scene(path):
        pass


def test_readers_are_found_by_content(tmp_path, bands):
    readers = default_readers()
    tiff = write_tiff(tmp_path / "no_extension", plane(3, 3)[None].astype("u1"), driver="GTiff")
    safe = write_safe(tmp_path, bands)
    assert find_reader(readers, tiff).name == "cog"
    for path in (safe, safe / "MTD_MSIL2A.xml"):
        assert find_reader(readers, path).name == "sentinel2"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"PK\x03\x04", "zip archive"),
        (b"<?xml?>", "XML"),
        (b'{"a": 1}', "JSON"),
        (b"hello", "no known format"),
        (None, "no such file"),
    ],
)
def test_what_no_reader_knows_is_named(tmp_path, content, words):
    path = tmp_path / "thing.nc"
    if content is not None:
        path.write_bytes(content)
    report = ingest([str(path)], store=str(tmp_path / "store"))
    assert (report.results[0].status, report.exit_code) == ("refused", 2)
    assert words in report.results[0].reason
