from contextlib import contextmanager

import numpy as np
import pytest
from rasterio.io import MemoryFile

from datacube.errors import InvalidFormat
from datacube.formats.geotiff import encode, forward
from datacube.model.axis import RegularAxis
from datacube.model.fields import Category, Field
from tests.unit.formats.coverages import closed_form, days, in_bands, make_coverage, whole

UTM_UNCODED = (
    "+proj=laea +lat_0=50 +lon_0=7 +x_0=1000 +y_0=2000 +ellps=GRS80 +units=m +no_defs +type=crs"
)


@contextmanager
def opened(coverage):
    with MemoryFile(encode(coverage, {})) as memory, memory.open() as file:
        yield file


def test_numbers_georeference_and_nodata_of_a_packed_field():
    field = Field("sst", "int16", "K", -32768, 0.01, 273.15, "Sea surface temperature", "sst_name")
    with opened(make_coverage(field, invalid=[(1, 2)])) as file:
        expected = closed_form((4, 6))
        expected[1, 2] = -32768
        assert file.dtypes == ("int16",)
        np.testing.assert_array_equal(file.read(1), expected)
        assert file.nodata == -32768
        assert tuple(file.transform)[:6] == (2, 0, -20, 0, -2, 60)
        assert file.crs.to_epsg() == 4326
        assert (file.scales, file.offsets, file.units) == ((0.01,), (273.15,), ("K",))
        assert file.descriptions == ("sst",)
        assert file.tags(1)["long_name"] == "Sea surface temperature"
        tags = file.tags()
        assert tags["AREA_OR_POINT"] == "Area"
        assert tags["ATTRIBUTION"] == "© Somebody"
        assert tags["LICENCE"] == "CC-BY-4.0"
        assert tags["SNAPSHOT"] == "closed@1-abc"


def test_an_ascending_grid_is_turned_north_up():
    coverage = make_coverage(origin=(-20, 40), step=(2, 5))
    with opened(coverage) as file:
        np.testing.assert_array_equal(file.read(1), closed_form((4, 6))[::-1])
        assert file.bounds == (-20, 40, -8, 60)
        assert file.transform.e == -5


def test_columns_from_east_to_west_are_turned():
    with opened(make_coverage(origin=(10, 60), step=(-2, -2))) as file:
        np.testing.assert_array_equal(file.read(1), closed_form((4, 6))[:, ::-1])
        assert file.bounds.left == -2


def test_several_fields_are_bands_in_order():
    coverage = make_coverage(Field("b", "uint16", nil=0), Field("a", "uint16", nil=0))
    with opened(coverage) as file:
        assert file.descriptions == ("b", "a")
        np.testing.assert_array_equal(file.read(2), closed_form((4, 6)) + 1)


def test_mixed_dtypes_take_the_smallest_that_is_exact():
    coverage = make_coverage(Field("a", "int16", nil=-9999), Field("b", "uint8"))
    with opened(coverage) as file:
        assert set(file.dtypes) == {"int16"}
        assert file.nodata == -9999
        np.testing.assert_array_equal(file.read(2), closed_form((4, 6)) + 1)


def test_dtypes_without_a_common_one_are_refused_with_a_way_out():
    coverage = make_coverage(Field("a", "int64"), Field("b", "float32"))
    with pytest.raises(InvalidFormat, match="RANGESUBSET"):
        encode(coverage, {})


def test_a_nil_of_one_field_that_another_holds_is_not_taken():
    coverage = make_coverage(Field("a", "uint8", nil=5), Field("b", "uint8"), invalid=[(0, 0)])
    with opened(coverage) as file:
        nodata = int(file.nodata)
        assert nodata in {0, 255}
        assert file.read(1)[0, 0] == nodata
        assert (file.read(2) == nodata).sum() == 1


def test_no_tag_where_nothing_is_missing_and_no_nil_is_known():
    with opened(make_coverage(Field("a", "uint8"))) as file:
        assert file.nodata is None


def test_floats_write_nan():
    with opened(make_coverage(Field("a", "float32", nil=-9999.0), invalid=[(2, 3)])) as file:
        assert np.isnan(file.nodata)
        assert np.isnan(file.read(1)[2, 3])
        assert np.isnan(file.read(1)).sum() == 1


@pytest.mark.parametrize("dtype", ["int8", "uint32", "int32", "float64", "int64", "uint64"])
def test_every_dtype_keeps_its_numbers(dtype):
    with opened(make_coverage(Field("a", dtype))) as file:
        assert file.dtypes == (dtype,)
        np.testing.assert_array_equal(file.read(1), closed_form((4, 6)))


def test_axes_of_one_place_are_dropped_and_told():
    coverage = make_coverage(axes=(days(18262), RegularAxis("depth", 5, 1, 1, "m")))
    with opened(coverage) as file:
        assert file.count == 1
        assert file.tags()["time"] == "2020-01-01T00:00:00Z"
        assert file.tags()["depth"] == "5.0"


def test_long_axes_are_refused_with_what_works():
    with pytest.raises(InvalidFormat) as refused:
        encode(make_coverage(axes=(days(18262, 18263),)), {})
    assert 'SUBSET=time("2020-01-01T00:00:00Z")' in refused.value.message
    assert "application/netcdf" in refused.value.message


def test_a_crs_without_a_code_is_written_out():
    coverage = make_coverage(crs=UTM_UNCODED, step=(100, -100))
    with opened(coverage) as file:
        assert file.crs.to_dict()["proj"] == "laea"
        assert file.crs.to_dict()["x_0"] == 1000
        assert "Lambert Azimuthal Equal Area" in file.tags()["crs_wkt"]


def test_crs84_is_written_as_longitude_latitude():
    with opened(make_coverage(crs="OGC:CRS84")) as file:
        assert file.crs.to_epsg() == 4326
        assert file.bounds.left == -20


def test_values_lie_as_they_are_and_large_ones_come_in_pieces():
    coverage = make_coverage(Field("a", "int32"), size=(700, 600), step=(0.1, -0.1))
    first, second = (b"".join(encode(coverage, {}).pieces) for _ in range(2))
    assert first == second
    assert encode(coverage, {}).length == len(first)
    assert first.endswith(closed_form((600, 700)).astype("<i4").tobytes())
    with MemoryFile(first).open() as file:
        assert file.compression is None
        np.testing.assert_array_equal(file.read(1), closed_form((600, 700)))


def test_they_are_tiled_and_deflated_on_demand_and_always_the_same_bytes():
    coverage = make_coverage(Field("a", "int32"), size=(700, 600), step=(0.1, -0.1))
    first, second = (encode(coverage, {"compression": "deflate"}) for _ in range(2))
    assert first == second
    assert len(first) < 700 * 600
    with MemoryFile(first).open() as file:
        assert file.profile["tiled"]
        assert file.compression.name == "deflate"
        np.testing.assert_array_equal(file.read(1), closed_form((600, 700)))


def test_classes_bring_their_colours():
    classes = (Category(1, "water", "#0000ff"), Category(2, "land", "#00ff00"))
    with opened(make_coverage(Field("scl", "uint8", nil=0, categories=classes))) as file:
        assert file.colormap(1)[2] == (0, 255, 0, 255)
        assert file.tags(1)["class_1"] == "water"


@pytest.mark.parametrize(
    ("coverage", "gaps"),
    [
        (make_coverage(Field("v", "int16", nil=-1), size=(70, 50), invalid=[(3, 4)]), True),
        (make_coverage(Field("v", "int16", nil=-1), step=(2.0, 2.0), origin=(0.0, 0.0)), False),
        (make_coverage(Field("a", "uint8"), Field("b", "int16"), size=(20, 9)), False),
        (make_coverage(Field("a", "int16", nil=-1), Field("b", "int16", nil=-1)), True),
        (make_coverage(Field("a", "float32"), Field("b", "int16", nil=-1), size=(9, 20)), True),
    ],
    ids=["a nil value", "upward", "none", "one nil value", "NaN"],
)
def test_a_file_that_no_value_decides_is_the_same_while_it_is_read(coverage, gaps):
    made = forward(in_bands(coverage, 3, gaps=gaps), {})
    content = b"".join(made.pieces)
    assert len(content) == made.length
    assert content == whole(encode(coverage, {}))


@pytest.mark.parametrize(
    ("fields", "gaps", "options"),
    [
        ([Field("v", "int16")], True, {}),
        ([Field("a", "int16", nil=-1), Field("b", "int16", nil=-2)], False, {}),
        ([Field("a", "int16", nil=-1), Field("b", "int16")], False, {}),
        ([Field("v", "int16", nil=-1)], False, {"compression": "deflate"}),
    ],
)
def test_a_file_that_values_may_decide_is_not_begun_before_them(fields, gaps, options):
    assert forward(in_bands(make_coverage(*fields), 3, gaps=gaps), options) is None
