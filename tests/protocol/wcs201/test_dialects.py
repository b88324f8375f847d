"""What clients and scripts write in ways of their own: the same answer as the standard's."""

import json
from urllib.parse import urlencode

import numpy as np
import pytest

from services.ows.transport import FORM, Request
from services.wcs.service import handle
from tests.protocol.wcs201.service import Service, body_of, closed

PLAIN = "CoverageId=air&SUBSET=Long(-10,10)&SUBSET=Lat(34,44)&SUBSET=ansi(2020-01-02)&FORMAT=csv"
OCEAN = "CoverageId=ocean&SUBSET=ansi(2020-01-02)&SUBSET=depth(10)&FORMAT=csv"
AXIS_I, AXIS_J = (f"http://www.opengis.net/def/axis/OGC/1/{name}" for name in "ij")


RING = [[-20, 30], [0, 30], [-20, 50], [-20, 30]]
HALVES = (
    [RING[0], [-10, 30], [-10, 40], RING[2], RING[0]],
    [[-10, 30], RING[1], [-10, 40], [-10, 30]],
)
FEATURES = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [one]}}
        for one in HALVES
    ],
}


@pytest.mark.parametrize(
    ("standard", "dialect"),
    [
        (PLAIN, PLAIN.replace("CoverageId=air", "CoverageID=['air']")),
        (PLAIN, PLAIN.replace("CoverageId", "COVERAGEID")),
        (PLAIN, PLAIN.replace("Long(-10,10)", 'Long("-10","10")')),
        (PLAIN, PLAIN.replace("Long(-10,10)", "lon(-10,10)")),
        (PLAIN, PLAIN.replace("Long(-10,10)", "Lon(-10,10)")),
        (PLAIN, PLAIN.replace("Long(-10,10)", "longitude(-10,10)")),
        (PLAIN, PLAIN.replace("Long(-10,10)", "x(-10,10)")),
        (PLAIN, PLAIN.replace("Lat(", "lat(")),
        (PLAIN, PLAIN.replace("Lat(", "latitude(")),
        (PLAIN, PLAIN.replace("Lat(", "y(")),
        (PLAIN, PLAIN.replace("ansi(", "time(")),
        (PLAIN, PLAIN.replace("ansi(", "t(")),
        (PLAIN, PLAIN.replace("ansi(", "Time(")),
        (PLAIN, PLAIN.replace("ansi(", "phenomenonTime(")),
        (PLAIN, PLAIN.replace("ansi(2020-01-02)", 'ansi("2020-01-02T00:00:00.000Z")')),
        (PLAIN, PLAIN.replace("ansi(2020-01-02)", "unix(1577923200)")),
        (PLAIN, PLAIN.replace("SUBSET=ansi", "SUBSET0=ansi")),
        (PLAIN, PLAIN.replace("ansi(2020-01-02)", "time,http://www.opengis.net(2020-01-02)")),
        (
            PLAIN,
            PLAIN.replace("Long(", "Long,http://www.opengis.net/def/crs/EPSG/0/4326(").replace(
                "Lat(", "Lat,EPSG:4326("
            ),
        ),
        (PLAIN, PLAIN.replace("&SUBSET=Lat(34,44)&SUBSET=ansi", "&SUBSET=Lat(34,44),ansi")),
        (PLAIN, f"{PLAIN}&access_token=secret&crs=None"),
        (PLAIN, PLAIN.replace("FORMAT=csv", "FORMAT=text/csv")),
        (PLAIN, f"{PLAIN}&mediaType=None&rangeSubset="),
        (OCEAN, OCEAN.replace("depth(10)", 'depth("10")')),
        (OCEAN, OCEAN.replace("depth(10)", "elevation(-10)")),
        (OCEAN.replace("depth(10)", "depth(5,200)"), OCEAN.replace("depth(10)", 'depth("5","*")')),
        (f"{PLAIN}&SCALESIZE=Long(5),Lat(3)", f"{PLAIN}&SCALESIZE=x(5),y(3)"),
        (f"{PLAIN}&SCALESIZE=Long(5),Lat(3)", f"{PLAIN}&SCALESIZE={AXIS_I}(5),{AXIS_J}(3)"),
        (f"{PLAIN}&SCALESIZE=Long(5),Lat(3)", f"{PLAIN}&SCALESIZE=i(5),j(3)"),
        (f"{PLAIN}&SCALESIZE=Long(5),Lat(3)", f"{PLAIN}&size=Long(5)&size=Lat(3)"),
        (f"{PLAIN}&SCALESIZE=Long(5),Lat(3)", f"{PLAIN}&WIDTH=5&HEIGHT=3"),
        (f"{PLAIN}&SCALESIZE=Long(5),Lat(3)", f"{PLAIN}&SCALEEXTENT=Long(0:4),Lat(0:2)"),
        (f"{PLAIN}&SCALEFACTOR=0.5", f"{PLAIN}&resolution=Long(4)&resolution=Lat(4)"),
    ],
)
def test_dialects(service, standard, dialect):
    expected = service.get(standard)
    assert body_of(service.get(dialect)) == body_of(expected)


def test_over_the_antimeridian(service):
    values, profile, _ = service.tiff(
        "CoverageId=ocean&SUBSET=Long(175,-175)&SUBSET=ansi(2020-01-01)&SUBSET=depth(0.5)"
        "&RANGESUBSET=u"
    )
    assert values.shape == (1, 10, 10)
    assert profile["transform"].c == 175
    assert values[0, -1].tolist() == list(range(5, 15))


class TestDryRun:
    def test_it_tells_what_the_answer_is(self, service):
        query = "CoverageId=air&SUBSET=Long(-10,10)&FORMAT=application/x-npy"
        found = json.loads(service.get(f"{query}&DRYRUN=true").body)
        assert found["axes"]["time"]["size"] == 4
        assert found["axes"]["Long"] == {"size": 10, "first": -9, "last": 9}
        assert found["axes"]["Lat"] == {"size": 10, "first": 49, "last": 31}
        assert found["values"] == 400
        assert found["chunks"] == 4
        assert found["length"] == len(body_of(service.get(query)))
        assert found["file"] == "air_Long-m10-10.npy"

    def test_it_is_refused_as_the_answer_is(self, service):
        assert service.refused("CoverageId=air&FORMAT=image/tiff&DRYRUN=true")[1] == (
            "InvalidParameterValue"
        )
        assert service.refused("CoverageId=none&DRYRUN=true")[1] == "NoSuchCoverage"

    def test_notes_come_along(self, service):
        response = service.get("CoverageId=air&SUBSET=Long(-90,10)&DRYRUN=true")
        assert "runs from -20" in response.header("Warning")
        assert "runs from -20" in json.loads(response.body)["notes"][0]


class TestClip:
    TRIANGLE = "POLYGON((-20 30, 0 30, -20 50, -20 30))"
    DAY = "CoverageId=air&SUBSET=ansi(2020-01-02)&FORMAT=image/tiff"

    def test_cells_outside_have_no_data_and_the_box_is_that_of_the_region(self, service):
        values, profile, _ = service.tiff(f"{self.DAY}&CLIP={self.TRIANGLE}")
        assert values.shape == (1, 10, 10)
        assert profile["transform"].c == -20
        rows, columns = np.indices((10, 10))
        inside = (-19 + 2 * columns + 20) / 20 + (49 - 2 * rows - 30) / 20 < 1
        np.testing.assert_array_equal(values[0] != -9999, inside)
        np.testing.assert_array_equal(values[0][inside], closed(1, rows, columns)[inside])

    def test_geojson_and_a_form(self, service):
        shape = {
            "type": "Polygon",
            "coordinates": [[[-20, 30], [0, 30], [-20, 50], [-20, 30]]],
        }
        pairs = {"SERVICE": "WCS", "VERSION": "2.0.1", "REQUEST": "GetCoverage"}
        pairs |= {"COVERAGEID": "air", "SUBSET": "ansi(2020-01-02)", "FORMAT": "image/tiff"}
        form = urlencode(pairs | {"CLIP": json.dumps(shape)}).encode()
        request = Request("POST", "/wcs", (), {"content-type": FORM}, form, Service.base_url)
        response = handle(service.context, request)
        assert body_of(response) == body_of(service.get(f"{self.DAY}&CLIP={self.TRIANGLE}"))

    @pytest.mark.parametrize(
        ("media_type", "body_"),
        [
            ("application/geo+json", json.dumps({"type": "Polygon", "coordinates": [RING]})),
            ("application/json", json.dumps(FEATURES)),
            ("text/plain; charset=utf-8", "POLYGON((-20 30, 0 30, -20 50, -20 30))"),
        ],
    )
    def test_it_can_be_the_body_of_a_post(self, service, media_type, body_):
        pairs = {"SERVICE": "WCS", "VERSION": "2.0.1", "REQUEST": "GetCoverage"}
        pairs |= {"COVERAGEID": "air", "SUBSET": "ansi(2020-01-02)", "FORMAT": "image/tiff"}
        headers, url = {"content-type": media_type}, Service.base_url
        request = Request("POST", "/wcs", tuple(pairs.items()), headers, body_.encode(), url)
        response = handle(service.context, request)
        assert response.status == 200, response.body
        assert body_of(response) == body_of(service.get(f"{self.DAY}&CLIP={self.TRIANGLE}"))

    def test_trims_stay(self, service):
        query = f"{self.DAY}&CLIP={self.TRIANGLE}&SUBSET=Long(-20,20)"
        assert service.tiff(query)[0].shape == (1, 10, 20)

    @pytest.mark.parametrize(
        "clip", ["POINT(1 2)", "POLYGON((", '{"type": "Point", "coordinates": [1, 2]}', "{", "x"]
    )
    def test_other_shapes_are_refused(self, service, clip):
        assert service.refused(f"{self.DAY}&CLIP={clip}")[:2] == (404, "InvalidSubsetting")
