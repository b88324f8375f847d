"""Parameters of this server in WCS 1.0.0 and 1.1: as in 2.0.1, and told by the documents."""

import json
from typing import override

import numpy as np
import pytest
from rasterio.io import MemoryFile

from services.ows.kvp import Kvp
from services.wcs.extras import PARAMETERS, decode_extras
from tests.protocol.wcs1.service import Service, body_of
from tests.protocol.wcs201.service import closed

WHOLE = {
    "1.0.0": "COVERAGE=air&CRS=EPSG:4326&BBOX=-20,30,20,50&WIDTH=20&HEIGHT=10",
    "1.1.0": "IDENTIFIER=air&BoundingBox=-19,31,19,49&plain=true",
    "1.1.2": "IDENTIFIER=air&BoundingBox=-19,31,19,49&plain=true",
}
TIME = {"1.0.0": "TIME", "1.1.0": "TimeSequence", "1.1.2": "TimeSequence"}
STORED = np.array([closed(0, row, column) for row in range(10) for column in range(20)])
STORED = STORED.reshape(10, 20)


@pytest.fixture(params=sorted(WHOLE))
def ask(context, request):
    """``ask(query)``: the answer for all of air; ``TIME`` is what the version calls it."""
    version = request.param

    def send(query, form="image/tiff"):
        words = query.replace("TIME=", f"{TIME[version]}=")
        answer = Service(context, version).ask(
            "GetCoverage", f"{WHOLE[version]}&FORMAT={form}&{words}"
        )
        assert answer.status == 200, answer.body
        return answer

    return send


def tiff(response):
    with MemoryFile(body_of(response)) as memory, memory.open() as file:
        return file.read()


def test_steps_made_one_and_their_count(ask):
    mean, count = tiff(ask("AGG=mean,count&TIME=2020-01-01/2020-01-02"))
    np.testing.assert_allclose(mean, 0.01 * (STORED + 500) + 273.15, atol=1e-9)
    assert (count == 2).all()
    (largest,) = tiff(ask("AGGREGATE=max"))
    np.testing.assert_allclose(largest, 0.01 * (STORED + 3000) + 273.15)


def test_a_result_for_each_period(ask):
    answer = ask("AGG=count&PERIOD=month", "application/json")
    found = json.loads(body_of(answer))
    assert found["axes"]["time"]["values"] == ["2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z"]
    counts = np.array(found["fields"]["t2m"]["values"])
    assert counts.shape == (2, 10, 20)
    assert (counts[0] == 3).all()
    assert (counts[1] == 1).all()


def test_a_mask(ask):
    (found,) = tiff(ask("TIME=2020-01-01&MASK=t2m<273.65"))
    np.testing.assert_array_equal(found, np.where(STORED < 50, STORED, -9999))


def test_a_polygon(ask):
    (found,) = tiff(ask("TIME=2020-01-01&CLIP=POLYGON((-20 30, 0 30, -20 50, -20 30))"))
    rows, columns = np.indices((10, 20))
    inside = (-19 + 2 * columns + 20) / 20 + (49 - 2 * rows - 30) / 20 < 1
    np.testing.assert_array_equal(found, np.where(inside, STORED, -9999))


def test_physical_values(ask):
    (found,) = tiff(ask("TIME=2020-01-01&VALUES=physical"))
    np.testing.assert_allclose(found, 0.01 * STORED + 273.15)


def test_what_it_would_be(ask):
    found = json.loads(ask("TIME=2020-01-01&VALUES=physical&DRYRUN=true").body)
    assert (found["bytes"], found["fields"]) == (1600, {"t2m": "float64"})


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "1.1.1", "1.1.2"])
def test_the_capabilities_tell_them(context, version):
    text = Service(context, version).ask("GetCapabilities").body.decode()
    for one in PARAMETERS:
        name = f"{one.name}: " if version == "1.0.0" else f'name="{one.name}"'
        assert name in text
        assert one.meaning.replace("<", "&lt;") in text or one.values


def test_all_that_are_read_are_told():
    """The names that decoding looks for, but for those with the prefix of GeoTIFF."""

    asked = set()

    class Looked(Kvp):
        @override
        def values(self, name):
            asked.add(name.upper().rpartition(":")[2])
            return super().values(name)

    decode_extras(Looked([("tiling", "true"), ("agg", "mean"), ("compression", "lzw")]))
    assert {one.name for one in PARAMETERS} == asked - {"AGGREGATE"}
