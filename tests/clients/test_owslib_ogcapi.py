"""OWSLib's OGC API Coverages against a live server."""

import json

import numpy as np
import pytest
import rasterio
from owslib.ogcapi.coverages import Coverages
from owslib.ogcapi.maps import Maps
from PIL import Image


@pytest.fixture
def coverages(live_server):
    return Coverages(f"{live_server.url}/ogcapi/")


def test_every_cube_is_a_coverage(coverages):
    assert coverages.coverages() == ["closed", "events", "levels", "plain", "utm"]


def test_conformance_and_api(coverages):
    assert any("coverages" in one for one in coverages.conformance()["conformsTo"])
    assert "/collections/closed/coverage" in coverages.api()["paths"]


def test_collection(coverages):
    collection = coverages.collection("closed")
    assert collection["title"] == "Closed form"
    assert collection["extent"]["spatial"]["bbox"] == [[-180.0, -90.0, 180.0, 90.0]]
    assert collection["extent"]["temporal"]["interval"] == [
        ["2020-01-01T00:00:00Z", "2020-01-03T00:00:00Z"]
    ]


def test_schema(coverages):
    assert coverages.collection_schema("levels")["properties"]["u"]["x-ogc-unit"] == "m s-1"


def test_coverage_is_coveragejson_by_value(coverages):
    answer = coverages.coverage(
        "closed", subset={"Lat": (54, 90), "Lon": (-180, -144)}, datetime="2020-01-02"
    )
    document = json.load(answer)
    values = document["ranges"]["v"]
    assert values["shape"][-2:] == [2, 2]
    assert values["values"] == [1000, 1001, 1010, 1011]


def test_time_interval(coverages):
    answer = coverages.coverage(
        "closed",
        subset=[("Lat", 72, 90), ("Lon", -180, -162)],
        datetime=("2020-01-02T00:00:00Z", ".."),
    )
    assert json.load(answer)["ranges"]["v"]["values"] == [1000, 2000]


def test_subset_by_unquoted_times(coverages):
    answer = coverages.coverage(
        "closed",
        subset=[
            ("Lat", 72, 90),
            ("Lon", -180, -162),
            ("time", "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"),
        ],
    )
    assert json.load(answer)["ranges"]["v"]["values"] == [0, 1000]


def test_scale_factor_two_halves(coverages):
    document = json.load(coverages.coverage("plain", scale_factor=2))
    assert document["ranges"]["v"]["shape"] == [9, 18]


def test_scale_size(coverages):
    document = json.load(coverages.coverage("plain", scale_size=[("Lon", 12), ("Lat", 6)]))
    assert document["ranges"]["v"]["shape"] == [6, 12]


def test_properties(coverages):
    document = json.load(
        coverages.coverage(
            "levels",
            properties=["v"],
            datetime="2020-01-01",
            subset={"Lat": (72, 90), "Lon": (-180, -162)},
        )
    )
    assert document["ranges"]["v"]["values"] == [10_000_000, 10_100_000, 10_200_000]
    assert list(document["ranges"]) == ["v"]


def test_geotiff_by_accept(live_server):
    client = Coverages(
        f"{live_server.url}/ogcapi/", headers={"Accept": "image/tiff;application=geotiff"}
    )
    try:
        content = client.coverage("utm", datetime="2020-01-02").read()
    finally:
        client.headers.pop("Accept")  # OWSLib shares this mapping between its clients
    with rasterio.MemoryFile(content) as file, file.open() as image:
        assert image.crs.to_epsg() == 32632
        assert image.bounds == (500_000, 5_000_000, 540_000, 5_030_000)
        y, x = np.mgrid[0:30, 0:40]
        np.testing.assert_array_equal(image.read(1), 1000 + 10 * y + x)


def test_map(live_server):
    picture = Maps(f"{live_server.url}/ogcapi/").map(
        "closed", width=40, height=20, bbox=[-180, -90, 180, 90], datetime="2020-01-01"
    )
    with Image.open(picture) as image:
        assert image.size == (40, 20)
        assert image.format == "PNG"
