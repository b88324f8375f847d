"""GetCoverage of WCS 1.0.0 and 1.1: sizes, boxes, padding, times, bands and errors by value."""

import numpy as np
import pytest
from lxml import etree
from rasterio.io import MemoryFile

from tests.protocol.wcs1.service import NS, body_of, file_of, parts_of
from tests.protocol.wcs201.service import closed


def values_in(file):
    """The first band of a GeoTIFF."""
    with MemoryFile(file) as memory, memory.open() as opened:
        return opened.read(1).astype(int)


AIR = "COVERAGE=air&CRS=EPSG:4326&TIME=2020-01-02"
WHOLE = "BBOX=-20,30,20,50&WIDTH=20&HEIGHT=10"
GRID = closed(0, *np.meshgrid(range(10), range(20), indexing="ij"))


class TestWcs10:
    def test_the_whole(self, wcs10):
        values, profile, _ = wcs10.tiff(f"{AIR}&{WHOLE}")
        np.testing.assert_array_equal(values[0], GRID + 1000)
        assert tuple(profile["transform"])[:6] == (2, 0, -20, 0, -2, 50)
        assert profile["nodata"] == -9999

    def test_exactly_the_box_and_size_beside_the_data(self, wcs10):
        values, profile, masks = wcs10.tiff(f"{AIR}&BBOX=-24,46,-16,54&WIDTH=4&HEIGHT=4")
        assert tuple(profile["transform"])[:6] == (2, 0, -24, 0, -2, 54)
        np.testing.assert_array_equal(
            masks[0] > 0, [[False] * 4] * 2 + [[False] * 2 + [True] * 2] * 2
        )
        np.testing.assert_array_equal(values[0, 2:, 2:], [[1000, 1001], [1010, 1011]])

    @pytest.mark.parametrize("box", ["100,-80,110,-70", "-20,51,20,60", "-1e9,-1e9,-1e8,-1e8"])
    def test_wholly_beside_the_data(self, wcs10, box):
        values, _, masks = wcs10.tiff(f"{AIR}&BBOX={box}&WIDTH=7&HEIGHT=3")
        assert values.shape == (1, 3, 7)
        assert not masks.any()

    def test_far_larger_than_the_data(self, wcs10):
        values, _, masks = wcs10.tiff(f"{AIR}&BBOX=-180,-90,180,90&WIDTH=180&HEIGHT=90")
        assert np.count_nonzero(masks) == 200
        np.testing.assert_array_equal(values[0, 20:30, 80:100], GRID + 1000)

    def test_digits_of_clients(self, wcs10):
        box = "-9.9999999999999982,40.000000000000007,-3.9999999999999996,44.000000000000007"
        values, _, _ = wcs10.tiff(f"{AIR}&BBOX={box}&WIDTH=3&HEIGHT=2")
        np.testing.assert_array_equal(values[0], [[1035, 1036, 1037], [1045, 1046, 1047]])

    def test_resolution(self, wcs10):
        values, profile, _ = wcs10.tiff(f"{AIR}&BBOX=-20,30,20,50&RESX=4&RESY=2")
        assert values.shape == (1, 10, 10)
        assert profile["transform"].a == 4

    def test_response_crs(self, wcs10):
        values, profile, masks = wcs10.tiff(f"{AIR}&{WHOLE}&RESPONSE_CRS=EPSG:3857")
        assert profile["crs"].to_epsg() == 3857
        assert values.shape == (1, 10, 20)
        assert masks.all()
        assert values[0, 0].tolist() == list(range(1000, 1020))

    def test_a_box_in_another_crs_than_the_cube(self, wcs10):
        query = "COVERAGE=bands&CRS=EPSG:4326&BBOX=9,45.1512,9.0038,45.1531&WIDTH=9&HEIGHT=5"
        values, profile, _ = wcs10.tiff(query)
        assert values.shape == (3, 5, 9)
        assert profile["crs"].to_epsg() == 4326

    def test_bands_by_number_and_name(self, wcs10):
        query = (
            "COVERAGE=bands&CRS=EPSG:32632&BBOX=500000,4999800,500300,5000000&WIDTH=30&HEIGHT=20"
        )
        whole, _, _ = wcs10.tiff(query)
        for bands, picked in (("2", [1]), ("3,1", [2, 0]), ("B03,B04", [1, 2]), ("1/3", [0, 1, 2])):
            values, _, _ = wcs10.tiff(f"{query}&Band={bands}")
            np.testing.assert_array_equal(values, whole[picked])

    def test_times(self, wcs10):
        cell = "COVERAGE=air&CRS=EPSG:4326&BBOX=-20,48,-18,50&WIDTH=1&HEIGHT=1"
        for text, steps in (
            ("2020-01-02T00:00:00.000Z", [1]),
            ("2020-01-02T00:00Z", [1]),
            ("2020-02-01,2020-01-01", [0, 3]),
            ("2020-01-01/2020-01-06", [0, 1, 2]),
            ("../2020-01-02", [0, 1]),
            ("2020-01-01/2020-02-01/P1D", [0, 1, 2, 3]),
            ("2020-01-01,2020-01-05/2020-02-01", [0, 2, 3]),
            ("2020-01", [0, 1, 2]),
        ):
            found = wcs10.netcdf(f"{cell}&TIME={text}")["t2m"].values.ravel()
            expected = np.array(steps) * 1000 * 0.01 + 273.15
            np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg=text)

    def test_no_time_is_the_newest_for_a_picture(self, wcs10):
        response = wcs10.get(f"COVERAGE=air&CRS=EPSG:4326&{WHOLE}&FORMAT=GeoTIFF")
        assert response.header("Warning") == "99 Default value used: time=2020-02-01T00:00:00Z"
        values, _, _ = wcs10.tiff(f"COVERAGE=air&CRS=EPSG:4326&{WHOLE}")
        assert values[0, 0, 0] == 3000
        assert wcs10.netcdf(f"COVERAGE=air&CRS=EPSG:4326&{WHOLE}").sizes["time"] == 4

    def test_time_without_a_box(self, wcs10):
        values, _, _ = wcs10.tiff(f"{AIR}&WIDTH=20&HEIGHT=10")
        np.testing.assert_array_equal(values[0], GRID + 1000)

    def test_nothing_but_a_time(self, wcs10):
        values, _, _ = wcs10.tiff("COVERAGE=air&TIME=2020-01-02")
        np.testing.assert_array_equal(values[0], GRID + 1000)

    def test_further_axes(self, wcs10):
        query = "COVERAGE=ocean&CRS=EPSG:4326&BBOX=170,-5,190,5&WIDTH=20&HEIGHT=10&Band=1"
        for level, k in (("depth=10", 1), ("ELEVATION=-100", 2), ("DIM_DEPTH=0.5", 0), ("", 0)):
            values, _, _ = wcs10.tiff(f"{query}&TIME=2020-01-02&{level}")
            np.testing.assert_array_equal(values[0], 1000 + GRID[::-1] + 100_000 * k)
        assert wcs10.netcdf(f"{query}&depth=0.5,100").sizes["depth"] == 2
        assert wcs10.netcdf(f"{query}&depth=0/50").sizes["depth"] == 2
        six = query.replace("170,-5,190,5", "170,-5,190,5,5,50")
        assert wcs10.netcdf(six)["depth"].values.tolist() == [10.0]
        model = f"COVERAGE=model&CRS=EPSG:4326&{WHOLE}&TIME=1999-02-30&scenario=e1"
        np.testing.assert_array_equal(wcs10.tiff(model)[0][0], 101_000 + GRID)

    def test_an_n_dimensional_result_names_the_formats_that_hold_it(self, wcs10):
        found = wcs10.refused(
            f"COVERAGE=air&CRS=EPSG:4326&{WHOLE}&TIME=2020-01-01/2020-02-01&FORMAT=GeoTIFF"
        )
        assert found[:2] == (200, "InvalidFormat")
        assert "application/netcdf" in found[3]

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            (f"CRS=EPSG:4326&{WHOLE}&FORMAT=GeoTIFF", "MissingParameterValue"),
            (f"COVERAGE=air&{WHOLE}&FORMAT=GeoTIFF", "MissingParameterValue"),
            (f"{AIR}&{WHOLE}", "MissingParameterValue"),
            (f"{AIR}&BBOX=-20,30,20,50&FORMAT=GeoTIFF", "MissingParameterValue"),
            (
                "COVERAGE=air&CRS=EPSG:4326&WIDTH=1&HEIGHT=1&FORMAT=GeoTIFF",
                "MissingParameterValue",
            ),
            (f"COVERAGE=no&CRS=EPSG:4326&{WHOLE}&FORMAT=GeoTIFF", "CoverageNotDefined"),
            (f"{AIR}&{WHOLE}&FORMAT=none", "InvalidFormat"),
            (f"{AIR}&BBOX=1,2,3&WIDTH=1&HEIGHT=1&FORMAT=GeoTIFF", "InvalidParameterValue"),
            (f"{AIR}&BBOX=1,2,NaN,3&WIDTH=1&HEIGHT=1&FORMAT=GeoTIFF", "InvalidParameterValue"),
            (f"{AIR}&BBOX=1,5,3,2&WIDTH=1&HEIGHT=1&FORMAT=GeoTIFF", "InvalidParameterValue"),
            (f"{AIR}&BBOX=1,2,1,2&WIDTH=1&HEIGHT=1&FORMAT=GeoTIFF", "InvalidParameterValue"),
            (f"{AIR}&{WHOLE}&RESX=1&RESY=1&FORMAT=GeoTIFF", "InvalidParameterValue"),
            (f"{AIR}&{WHOLE}&INTERPOLATION=guess&FORMAT=GeoTIFF", "InvalidParameterValue"),
            (f"COVERAGE=air&CRS=nonsense&{WHOLE}&FORMAT=GeoTIFF", "InvalidParameterValue"),
            (f"COVERAGE=air&CRS=EPSG:4326&{WHOLE}&TIME=2050&FORMAT=csv", "InvalidParameterValue"),
            (f"COVERAGE=bands&CRS=EPSG:4326&{WHOLE}&Band=9&FORMAT=csv", "InvalidParameterValue"),
            (
                f"COVERAGE=bands&CRS=EPSG:4326&{WHOLE}&Band={'9' * 5000}&FORMAT=csv",
                "InvalidParameterValue",
            ),
        ],
    )
    def test_refusals(self, wcs10, query, code):
        assert wcs10.refused(query)[:2] == (200, code)

    def test_without_interpolation(self, wcs10):
        query = f"{AIR}&INTERPOLATION=none&FORMAT=GeoTIFF&BBOX=-20,40,0,50"
        assert wcs10.get(f"{query}&WIDTH=10&HEIGHT=5").status == 200
        for other in ("RESX=2&RESY=2", "WIDTH=10&HEIGHT=5&RESPONSE_CRS=EPSG:3857"):
            assert wcs10.refused(f"{query}&{other}")[:2] == (200, "InvalidParameterValue")

    def test_too_large(self, wcs10):
        query = f"{AIR}&BBOX=-20,30,20,50&WIDTH=900000&HEIGHT=900000&FORMAT=npy"
        assert wcs10.refused(query)[0] == 413


BOX = "BoundingBox=31,-19,49,19,urn:ogc:def:crs:EPSG::4326"
AIR11 = "IDENTIFIER=air&TimeSequence=2020-01-02"


class TestWcs11:
    def test_the_coverages_own_cells(self, wcs11):
        values, profile, _ = wcs11.tiff(f"{AIR11}&{BOX}")
        np.testing.assert_array_equal(values[0], GRID + 1000)
        assert tuple(profile["transform"])[:6] == (2, 0, -20, 0, -2, 50)

    @pytest.mark.parametrize("offsets", ["-2,2", "2,-2", "0,2,-2,0", "0,2,2,0"])
    def test_offsets_in_every_order(self, wcs11, offsets):
        box = "BoundingBox=43,-23,49,-15,urn:ogc:def:crs:EPSG::4326"
        values, profile, masks = wcs11.tiff(f"{AIR11}&{box}&GridOffsets={offsets}")
        assert tuple(profile["transform"])[:6] == (2, 0, -24, 0, -2, 50)
        np.testing.assert_array_equal(masks[0, 0] > 0, [False, False, True, True, True])
        np.testing.assert_array_equal(values[0, :, 2:], 1000 + GRID[:4, :3])

    def test_cells_counted_from_1(self, wcs11):
        box = "BoundingBox=2,1,4,2,urn:ogc:def:crs:OGC::imageCRS"
        values, profile, _ = wcs11.tiff(f"{AIR11}&{box}")
        np.testing.assert_array_equal(values[0], 1000 + GRID[0:2, 1:4])
        assert profile["transform"].c == -18

    def test_coarser_cells(self, wcs11):
        box = "BoundingBox=500005,4999805,500295,4999995,urn:ogc:def:crs:EPSG::32632"
        query = f"IDENTIFIER=bands&{box}&GridBaseCRS=urn:ogc:def:crs:EPSG::32632"
        values, _, _ = wcs11.tiff(f"{query}&GridOffsets=10,0,0,-10")
        assert values.shape == (3, 20, 30)
        values, profile, _ = wcs11.tiff(f"{query}&GridOffsets=29,-19&GridOrigin=500019,4999986")
        assert values.shape == (3, 10, 10)
        assert profile["transform"].c == pytest.approx(500_019 - 14.5)

    def test_another_grid_base_crs(self, wcs11):
        query = f"{AIR11}&{BOX}&GridBaseCRS=urn:ogc:def:crs:EPSG::3857"
        _, profile, masks = wcs11.tiff(query)
        assert profile["crs"].to_epsg() == 3857
        assert 100 < masks[0].size < 400
        assert masks.all()

    def test_longitudes_first_without_a_crs_and_over_the_antimeridian(self, wcs11):
        query = "IDENTIFIER=ocean&TimeSequence=2020-01-01&RangeSubset=contents[bands[u]]"
        values, _, masks = wcs11.tiff(f"{query}&BoundingBox=179.5,-4.5,-179.5,4.5")
        assert masks.all()
        np.testing.assert_array_equal(values[0], GRID[::-1, 9:11])

    def test_range_subsets(self, wcs11):
        box = "BoundingBox=170.5,-4.5,189.5,4.5,urn:ogc:def:crs:OGC:1.3:CRS84"
        query = f"IDENTIFIER=ocean&TimeSequence=2020-01-01&{box}"
        values, _, _ = wcs11.tiff(f"{query}&RangeSubset=contents[bands[v,u],depth[10]]")
        np.testing.assert_array_equal(values, 100_000 + np.stack([GRID + 1, GRID])[:, ::-1])
        found = wcs11.netcdf(f"{query}&RangeSubset=contents:nearest[depth[0.5,100]]")
        assert found["u"].sizes["depth"] == 2

    @pytest.mark.parametrize(
        "text",
        [
            "other",
            "contents:",
            "contents:guess",
            "contents[]",
            "contents[bands]",
            "contents[bands[u],bands[v]]",
            "contents[bands[u,u]]",
            "contents[bands[u],]",
            "contents[bands[none]]",
            "contents[time[1]]",
            "contents;contents",
            "contents[[",
        ],
    )
    def test_range_subsets_that_are_refused(self, wcs11, text):
        query = f"IDENTIFIER=ocean&BoundingBox=170,-5,189,5&FORMAT=image/tiff&RangeSubset={text}"
        assert wcs11.refused(query)[:2] == (400, "InvalidParameterValue")

    def test_a_message_of_two_parts(self, wcs11):
        response = wcs11.get(f"{AIR11}&{BOX}&FORMAT=image/tiff")
        assert response.media_type.startswith("multipart/related")
        document, file = parts_of(response)
        root = etree.fromstring(document)
        reference = root.find("w11:Coverage/ows:Reference", NS)
        assert reference.get(f"{{{NS['xlink']}}}href").startswith("cid:air_")
        assert file[:2] == b"II"
        assert body_of(wcs11.get(f"{AIR11}&{BOX}&FORMAT=image/tiff")).endswith(b"--\n")

    @pytest.mark.xsd
    @pytest.mark.parametrize(
        ("times", "steps"),
        [
            ("2020-01-01/2020-01-06", [0, 1, 2]),
            ("2020-01-02/..", [1, 2, 3]),
            ("2020-02-01,2020-01-01", [0, 3]),
        ],
    )
    def test_several_times_are_as_many_pictures(self, wcs11, xsd_validator, times, steps):
        response = wcs11.get(f"IDENTIFIER=air&{BOX}&FORMAT=image/tiff&TIMESEQUENCE={times}")
        document, *files = parts_of(response)
        assert xsd_validator(document) == []
        references = etree.fromstring(document).findall("w11:Coverage/ows:Reference", NS)
        names = {one.get(f"{{{NS['xlink']}}}href") for one in references}
        assert len(names) == len(files)
        found = [values_in(file) for file in files]
        for values, step in zip(found, steps, strict=True):
            np.testing.assert_array_equal(values - found[0], 1000 * (step - steps[0]))

    @pytest.mark.xsd
    def test_store_gives_a_url_for_the_file_alone(self, wcs11, xsd_validator):
        query = f"{AIR11}&{BOX}&FORMAT=image/tiff&RangeSubset="
        response = wcs11.ask("GetCoverage", f"{query}&STORE=true")
        assert response.media_type == "text/xml"
        assert xsd_validator(response.body) == []
        reference = etree.fromstring(response.body).find("w11:Coverage/ows:Reference", NS)
        url = reference.get(f"{{{NS['xlink']}}}href")
        stored = wcs11.raw(url.partition("?")[2])
        assert stored.media_type == "image/tiff"
        assert body_of(stored) == file_of(wcs11.get(query))

    @pytest.mark.parametrize(
        ("query", "code", "locator"),
        [
            (f"{BOX}&FORMAT=image/tiff", "MissingParameterValue", "identifier"),
            (f"{AIR11}&FORMAT=image/tiff", "MissingParameterValue", "BoundingBox"),
            (f"{AIR11}&{BOX}", "MissingParameterValue", "format"),
            (f"IDENTIFIER=no&{BOX}&FORMAT=image/tiff", "InvalidParameterValue", "Identifier"),
            (f"{AIR11}&{BOX}&FORMAT=none", "InvalidParameterValue", "format"),
            (f"{AIR11}&{BOX}&FORMAT=csv&STORE=maybe", "InvalidParameterValue", "store"),
            (
                f"{AIR11}&{BOX}&FORMAT=csv&GridOffsets=1,1,1,1",
                "InvalidParameterValue",
                "GridOffsets",
            ),
            (f"{AIR11}&{BOX}&FORMAT=csv&GridOffsets=0,1", "InvalidParameterValue", "GridOffsets"),
            (f"{AIR11}&{BOX}&FORMAT=csv&GridOffsets=NaN,1", "InvalidParameterValue", "GridOffsets"),
            (
                f"IDENTIFIER=air&{BOX}&FORMAT=csv&TimeSequence=2050-01-01",
                "InvalidParameterValue",
                None,
            ),
            (f"IDENTIFIER=air&{BOX}&FORMAT=csv&TimeSequence=x", "InvalidParameterValue", None),
            (f"{AIR11}&BoundingBox=1,2,3&FORMAT=csv", "MissingParameterValue", "BoundingBox"),
        ],
    )
    def test_refusals(self, wcs11, query, code, locator):
        found = wcs11.refused(query)
        assert found[:2] == (400, code)
        if locator is not None:
            assert found[2] == locator

    def test_too_long(self, wcs11):
        query = f"{AIR11}&{BOX}&FORMAT=csv&GridOffsets=1e-9,-1e-9"
        assert wcs11.refused(query)[0] == 413
