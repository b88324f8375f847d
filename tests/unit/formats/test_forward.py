"""NetCDF-3, Zarr, COG, GeoTIFF and JSON made while the coverage is read, as they are at once."""

import json

import netCDF4
import numpy as np
import pytest
import zarr

from datacube.formats import classic, cog, coveragejson, geotiff, netcdf3, plainjson, zarrzip
from datacube.model.axis import IndexAxis
from datacube.model.fields import Category, Field
from tests.unit.formats.coverages import (
    days,
    in_bands,
    make_coverage,
    opened_tiff,
    whole,
)

PACKED = Field("sst", "int16", "K", -32768, 0.01, 273.15, "Sea surface", "sea_surface_temperature")


class TestNetcdf3:
    @pytest.mark.parametrize("large", [False, True])
    def test_the_header_says_where_every_variable_lies(self, large):
        """Offsets and sizes of a file of 6 GiB, as the netCDF library reads them."""
        rows = 40_000 if large else 40
        made = classic.make_header(
            {"y": rows, "x": 40_000},
            {"title": "Ü", "number": np.float32(1.5)},
            [
                classic.Variable("a", ("y", "x"), np.dtype("i2"), {"units": "K"}),
                classic.Variable("b", ("y", "x"), np.dtype("i1"), {}),
            ],
        )
        assert made.content[3] == (5 if large else 2)
        assert made.nbytes == len(made.content) + rows * 40_000 * 3

    def test_the_same_while_it_is_read(self, tmp_path):
        field = Field("v", "uint8")
        coverage = make_coverage(PACKED, field, axes=(days(1, 2, 3),), size=(5, 7))
        for gaps in (False, True):
            made = netcdf3.stream(in_bands(coverage, 2, gaps=gaps), {"history": "asked"})
            path = tmp_path / f"{gaps}.nc"
            path.write_bytes(b"".join(made.pieces))
            assert path.stat().st_size == made.length
            with netCDF4.Dataset(path) as file:
                np.testing.assert_array_equal(file["v"][:], coverage.blocks["v"].data)
                file.set_auto_scale(False)
                np.testing.assert_array_equal(file["sst"][:], coverage.blocks["sst"].data)


@pytest.mark.parametrize("height", [1, 3, 700])
def test_a_zip_of_zarr_is_the_same_while_it_is_read(height):
    coverage = make_coverage(PACKED, axes=(days(1, 2),), size=(520, 700), invalid=[(1, 2, 3)])
    expected = zarrzip.encode(coverage, {})
    assert b"".join(zarrzip.stream(in_bands(coverage, height), {}).pieces) == expected


def test_a_field_without_no_data_gets_a_wider_type_where_gaps_are_to_be_expected(tmp_path):
    coverage = make_coverage(Field("v", "int16"))
    path = tmp_path / "coverage.zarr.zip"
    path.write_bytes(b"".join(zarrzip.stream(in_bands(coverage, 2, gaps=True), {}).pieces))
    with zarr.storage.ZipStore(path, mode="r") as store:
        array = zarr.open_group(store, mode="r")["v"]
        assert (array.dtype, array.fill_value) == (np.dtype("int32"), -(2**31))
        np.testing.assert_array_equal(array[:], coverage.blocks["v"].data)


class TestOnDisk:
    """Files that are made in the folder for temporary files while the coverage is read."""

    def test_a_cog(self):
        coverage = make_coverage(PACKED, size=(1300, 700), invalid=[(0, 0)])
        made = cog.spool(in_bands(coverage, 100), {})
        content = b"".join(made.pieces)
        assert len(content) == made.length
        with opened_tiff(content) as file, opened_tiff(whole(cog.encode(coverage, {}))) as other:
            assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert (file.tags(), file.profile) == (other.tags(), other.profile)
            np.testing.assert_array_equal(file.read(1), other.read(1))

    @pytest.mark.parametrize(
        "options",
        [
            {"compression": "deflate", "predictor": "2"},
            {"compression": "lzw", "tile": "256x128", "interleave": "pixel"},
            {"tile": "16x16"},
        ],
    )
    def test_a_geotiff(self, options):
        fields = PACKED, Field("b", "int16", "m", -32768, title="B")
        coverage = make_coverage(*fields, size=(600, 700), invalid=[(0, 0)])
        made = whole(geotiff.spool(in_bands(coverage, 100), options))
        with opened_tiff(made) as file, opened_tiff(whole(geotiff.encode(coverage, options))) as at:
            assert file.profile == at.profile
            assert (file.tags(), file.tags(2)) == (at.tags(), at.tags(2))
            assert (file.scales, file.offsets, file.units) == (at.scales, at.offsets, at.units)
            assert file.descriptions == at.descriptions
            np.testing.assert_array_equal(file.read(), at.read())


class TestJson:
    AXES = days(1, 2, 3), IndexAxis("scenario", 2, labels=("a1b", "e1"))

    @pytest.mark.parametrize("height", [1, 3, 4])
    def test_arrays_are_nested_as_the_dimensions_stand(self, height):
        coverage = make_coverage(PACKED, Field("b", "float32"), axes=self.AXES, invalid=[(0, 1)])
        made = plainjson.stream(in_bands(coverage, height), {})
        found = json.loads(b"".join(made.pieces))
        assert found["dimensions"] == ["time", "scenario", "lat", "lon"]
        for name, block in coverage.blocks.items():
            values = np.array(found["fields"][name]["values"], float)
            np.testing.assert_array_equal(values, block.physical())
        assert found["fields"]["sst"]["unit"] == "K"
        assert found["axes"]["scenario"]["values"] == ["a1b", "e1"]
        assert found["axes"]["time"]["values"][1] == "1970-01-03T00:00:00Z"
        assert found["axes"]["lat"] == {"values": [59, 57, 55, 53], "unit": "deg"}
        assert (found["license"], found["snapshot"]) == ("CC-BY-4.0", "closed@1-abc")

    def test_a_plane_of_classes(self):
        classes = Category(0, "sea", "#0000ff"), Category(1, "land", "")
        coverage = make_coverage(Field("k", "uint8", categories=classes))
        found = json.loads(whole(plainjson.encode(coverage, {})))
        assert found["fields"]["k"]["classes"] == {"0": "sea", "1": "land"}
        assert len(found["fields"]["k"]["values"]) == 4

    @pytest.mark.parametrize("height", [1, 3])
    def test_coveragejson(self, height):
        coverage = make_coverage(PACKED, Field("b", "float32"), axes=self.AXES, invalid=[(0, 1)])
        made = coveragejson.stream(in_bands(coverage, height), {})
        at_once = json.loads(whole(coveragejson.encode(coverage, {})))
        assert json.loads(b"".join(made.pieces)) == at_once
