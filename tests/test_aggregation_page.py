"""The requests and tables of docs/aggregation.md."""

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datacube.config.settings import Config
from datacube.slicing.reduce import NAMES, reducer
from services.app.asgi import create_app
from tests.asgi import Client
from tests.demo import demo_store

PAGE = (Path(__file__).parent.parent / "docs/aggregation.md").read_text(encoding="utf-8")
REQUESTS = re.findall(r"^/\S+$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def client():
    return Client(create_app(Config(), str(demo_store())))


@pytest.mark.slow
@pytest.mark.parametrize("request_", [one for one in REQUESTS if one.startswith("/wms")])
def test_the_maps(client, request_):
    answer = client.get(request_)
    assert answer.headers["content-type"] == "image/png", answer.text
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert len(picture.convert("RGB").getcolors(1_000_000)) > 20


@pytest.mark.slow
def test_the_tables(client):
    decades, depths, windows = (
        list(csv.DictReader(io.StringIO(client.get(one).text)))
        for one in REQUESTS
        if one.startswith("/wcs")
    )
    assert {float(row["air_temperature_count [1]"]) for row in decades} == {10}
    assert np.ptp([float(row["air_temperature_mean [K]"]) for row in decades]) > 1
    assert len(depths) == 4
    assert "isobaricInhPa" not in depths[0]
    assert len(windows) == 240 - 29


def test_every_reducer_is_listed():
    listed = {
        name
        for row in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
        for name in re.findall(r"`([a-z]+[0-9.]*)`", row)
    }
    assert set(NAMES[:-1]) <= listed
    section = PAGE[PAGE.index("## Reducers") : PAGE.index("**No data.**")]
    for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE):
        assert all(reducer(name) for name in re.findall(r"`([^`]+)`", row) if name != "AGG")
