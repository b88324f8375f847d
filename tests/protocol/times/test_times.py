"""The times of a cube: all of them, between ends, over a place, and their neighbours."""

import gzip
import json
import time
from datetime import date, timedelta

import numpy as np
import pytest

from datacube.config.settings import Config
from datacube.engine.context import open_context
from datacube.model.axis import TimeAxis
from datacube.model.calendar import MS_PER_DAY
from datacube.model.fields import Field
from services.ows.kvp import Kvp
from services.ows.transport import Request
from services.times import service
from services.times.document import times_document
from tests.cubes import make_cube

NIL = -1
DAYS = ("2020-01-01", "2020-01-02", "2020-01-05", "2020-02-01")


def westward(t, k, f, y, x):
    """At the time t the t westernmost of ten columns have no data; at the third none has."""
    return np.where(((x + 0 * y) < t) | (t == 2), NIL, x + 0 * y)


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    store = tmp_path_factory.mktemp("times")
    options = {"fields": (Field("v", "int16", nil=NIL),), "width": 10, "height": 5}
    make_cube(store, "west", times=DAYS, formula=westward, **options)
    make_cube(store, "hours", times=("2020-01-01T06:00:00Z", "2020-01-01T12:00:00Z"), **options)
    make_cube(store, "still", times=None, **options)
    return open_context(str(store), Config())


def asked(context, path, **headers):
    tail, _, query = path.partition("?")
    pairs = tuple(tuple(pair.split("=")) for pair in query.split("&") if pair)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return service.handle(context, Request("GET", f"/times/{tail}", pairs, names), tail)


def said(context, path):
    response = asked(context, path)
    assert response.status == 200, response.body
    return json.loads(response.body)


def test_all_times(context):
    found = said(context, "west.json")
    assert found["times"] == list(DAYS)
    assert (found["count"], found["first"], found["last"]) == (4, DAYS[0], DAYS[-1])
    assert found["default"] == DAYS[-1]
    assert found["token"] == context.catalog.cube("west").token
    assert "coverage" not in found
    assert said(context, "hours.json")["times"] == ["2020-01-01T06:00:00Z", "2020-01-01T12:00:00Z"]
    assert said(context, "still.json")["times"] == []


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("from=2020-01-02", (1, 2, 3)),
        ("to=2020-01-02", (0, 1)),
        ("from=2020-01&to=2020-01", (0, 1, 2)),
        ("from=2020-01-02T00:00:01Z&to=2020-01-05T00:00:00Z", (2,)),
        ("from=2021", ()),
        ("from=2020-03&to=2019", ()),
    ],
)
def test_ends(context, query, places):
    assert said(context, f"west.json?{query}")["times"] == [DAYS[place] for place in places]


def test_shares_of_data(context):
    found = said(context, "west.json?coverage=true")
    assert found["coverage"] == [1.0, 0.9, 0.0, 0.7]


@pytest.mark.parametrize(
    ("bbox", "times", "shares"),
    [
        ("-180,-90,180,90", (0, 1, 3), [1.0, 0.9, 0.7]),
        ("-180,-10,-150,10", (0,), [1.0]),
        ("-140,-10,-80,10", (0, 1), [1.0, 1.0]),
        ("-80,-10,-60,10", (0, 1, 3), [1.0, 1.0, 0.5]),
        ("170,-10,-170,10", (0, 1, 3), [1.0, 0.5, 0.5]),
    ],
)
def test_times_with_data_in_a_box(context, bbox, times, shares):
    found = said(context, f"west.json?bbox={bbox}")
    assert found["times"] == [DAYS[place] for place in times]
    assert found["coverage"] == shares


@pytest.mark.parametrize(
    ("query", "neighbours"),
    [
        ("time=2020-01-02", ("2020-01-01", "2020-01-05")),
        ("time=2020-01-01", (None, "2020-01-02")),
        ("time=2020-02", ("2020-01-05", None)),
        ("time=2020-01-03T12:00:00Z", ("2020-01-02", "2020-01-05")),
        ("time=2020-01-02&bbox=-140,-10,140,10", ("2020-01-01", "2020-02-01")),
    ],
)
def test_neighbours(context, query, neighbours):
    found = said(context, f"west.json?{query}")
    assert (found["previous"], found["next"]) == neighbours


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("nosuch.json", 404, "west"),
        ("west", 404, "/times/CUBE.json"),
        ("west.json?from=x", 400, "x"),
        ("west.json?bbox=1,2,3", 400, "west, south, east, north"),
        ("west.json?bbox=1,2,3,1", 400, "no area"),
        ("west.json?coverage=perhaps", 400, "TRUE"),
    ],
)
def test_refusals(context, path, status, words):
    response = asked(context, path)
    assert (response.status, response.media_type) == (status, "application/problem+json")
    assert words in json.loads(response.body)["detail"]


def test_it_is_compared(context):
    tag = asked(context, "west.json").header("ETag")
    assert asked(context, "west.json", if_none_match=tag).status == 304
    assert asked(context, "west.json?to=2020", if_none_match=tag).status == 200


class Described:
    """A cube of very many days, as far as its times are concerned."""

    def __init__(self, days):
        first = (date(1981, 9, 1) - date(1970, 1, 1)).days
        axis = TimeAxis("time", (first + np.array(days)) * MS_PER_DAY)
        self.id, self.title, self.token, self.view = "sst", "SST", "0", None
        self.description = self
        self.domain = self
        self.time = axis

    @property
    def shown(self):
        return self


def test_38_years_of_days_are_small_and_quick(context):
    days = [day for day in range(38 * 365 + 10) if day % 97]
    cube = Described(days)
    started = time.process_time()
    body = json.dumps(times_document(context, cube, Kvp([])), separators=(",", ":")).encode()
    assert time.process_time() - started < 0.1
    assert len(gzip.compress(body, 6)) < 50_000
    found = json.loads(body)
    assert found["count"] == len(days)
    assert found["times"][1] == str(date(1981, 9, 1) + timedelta(days=days[1]))
