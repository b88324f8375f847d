"""TIME and ELEVATION in every form that clients send, by the step that is shown."""

from datetime import datetime
from types import SimpleNamespace

import numpy as np
import pytest

from datacube.config.settings import Config, CubeSettings, TimePolicy
from datacube.engine import places
from datacube.engine.context import open_context
from datacube.model.axis import IrregularAxis
from datacube.model.fields import Field
from services.wms import service
from tests.cubes import make_cube
from tests.protocol.pictures import Maps, rgba, root_of, warnings_of
from tests.protocol.wms130.test_errors import code_of

DAYS = ("2020-02-28", "2020-02-29", "2020-03-01", "2020-03-02", "2020-03-05")
HOURS = tuple(f"2020-03-01T{hour:02d}:00:00" for hour in (0, 6, 12, 18))
LAST = len(DAYS) - 1
EMPTY = None
INVALID = "InvalidDimensionValue"

FORMS = [
    # instants in every spelling
    ("2020-02-29", 1),
    ("2020-02-29T00:00:00Z", 1),
    ("2020-02-29T00:00:00.000Z", 1),
    ("2020-02-29T00:00:00.000000Z", 1),
    ("2020-02-29T00:00:00", 1),
    ("2020-02-29T00:00Z", 1),
    ("2020-02-29T00Z", 1),
    ("2020-02-29 00:00:00", 1),
    ("20200229", 1),
    ("20200229T000000Z", 1),
    ("2020-02-29T02:00:00%2B02:00", 1),
    ("2020-02-28T22:00:00-02:00", 1),
    ("2020-02-29T02:00:00 02:00", INVALID),  # a plus sign that was not encoded
    # reduced accuracy: the latest step within
    ("2020-02", 1),
    ("2020-03", 4),
    ("2020", 4),
    # the latest, the default
    ("", LAST),
    ("current", LAST),
    ("now", LAST),
    ("latest", LAST),
    ("LATEST", LAST),
    # between steps: the nearest within half the median step
    ("2020-02-28T11:00:00Z", 0),
    ("2020-02-28T13:00:00Z", 1),
    ("2020-03-02T12:00:00Z", 3),
    ("2020-03-03T20:00:00Z", EMPTY),
    ("2020-03-05T12:00:00Z", LAST),
    ("2020-03-06", EMPTY),
    ("1999-12-31T23:59:59Z", EMPTY),
    ("2031", EMPTY),
    # lists and ranges: the most recent valid pixel
    ("2020-02-28,2020-02-29", 1),
    ("2020-03-01,2020-02-28", 2),
    ("2020-02-28, 2020-03-01", 2),
    ("2020-02-28/2020-02-29,2020-03-02", 3),
    ("2020-02-28/2020-03-01", 2),
    ("2020-02-28T00:00:00Z/2020-03-01T00:00:00Z/P1D", 2),
    ("2020-02-28/2020-03-01/PT6H", 2),
    ("2020-02/2020-02", 1),
    ("2020-03-03/2020-03-04", EMPTY),
    ("2020-03-01T01:00:00Z/2020-03-04", 3),
    # open ends
    ("2020-02-29/..", LAST),
    ("../2020-02-29", 1),
    ("/2020-02-29", 1),
    ("2020-03-02/", LAST),
    ("../..", LAST),
    ("0000-01-01T00:00:00Z/2020-03-01T00:00:00Z", 2),
    ("2020-02-29/9999-12-31T23:59:59Z", LAST),
    ("2020-02-28/current", LAST),
    # durations
    ("2020-02-28/P1D", 1),
    ("2020-02-28/P1M", LAST),
    ("P2D/2020-03-02", 3),
    ("PT36H/2020-03-01T12:00:00Z", 2),
    ("P1Y/2020", LAST),
    # what is no time
    ("yesterday", INVALID),
    ("2020-13", INVALID),
    ("2020-02-30", INVALID),
    ("2020-02-29T25:00Z", INVALID),
    ("2020-03-01/2020-02-01", INVALID),
    ("P1D/P1D", INVALID),
    ("2020-02-28/2020-02-29/P1D/P1D", INVALID),
    ("2020-02-28/2020-02-29/1D", INVALID),
    ("99999999999-01-01", INVALID),
]


def write(url, name, times, **options):
    axes = {"axes": (options["depth"],)} if "depth" in options else {}
    make_cube(
        url, name, times=times, fields=(Field("v", "int16", nil=-1),), width=2, height=2,
        formula=lambda t, k, f, y, x: 10 * t + 50 * k + 0 * (f + y + x), **axes
    )  # fmt: skip


POLICIES = {
    "days": TimePolicy(),
    "exact": TimePolicy(nearest=False),
    "before": TimePolicy(nearest="previous"),
    "after": TimePolicy(nearest="next"),
    "wide": TimePolicy(tolerance_ms=10 * 86_400_000),
    "soon": TimePolicy(default="now"),
    "past": TimePolicy(default="now"),
}


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    url = tmp_path_factory.mktemp("times")
    for name in ("days", "exact", "before", "after", "wide", "past"):
        write(url, name, DAYS)
    write(url, "hours", HOURS)
    write(url, "soon", ("2001-01-01", "2002-01-01", "2999-01-01", "2999-06-01"))
    down = IrregularAxis("depth", np.array([0.494025, 10.0, 100.0]), "m", "depth")
    up = IrregularAxis("height", np.array([-100.0, -10.0, -0.5]), "m", "height")
    plev = IrregularAxis("plev", np.array([100_000.0, 85_000.0, 50_000.0]), "Pa", "air pressure")
    for name, axis in (("down", down), ("up", up), ("plev", plev)):
        write(url, name, DAYS[:1], depth=axis)
    cubes = {name: CubeSettings(time=policy) for name, policy in POLICIES.items()}
    return Maps(open_context(str(url), Config(cubes=cubes)), service, "/wms")


def get(maps, cube, query):
    return maps.raw(
        f"VERSION=1.3.0&REQUEST=GetMap&LAYERS={cube}.v&STYLES=boxfill/gray&COLORSCALERANGE=0,255"
        "&CRS=CRS:84&BBOX=-180,-90,180,90&WIDTH=2&HEIGHT=2&FORMAT=png32&TRANSPARENT=TRUE&" + query
    )


def step(response, each=10):
    """Which step is shown; EMPTY where nothing is."""
    pixels = rgba(response)[0, 0]
    return EMPTY if pixels[3] == 0 else round(int(pixels[0]) / each)


@pytest.mark.parametrize(("time", "shown"), FORMS)
def test_time(maps, time, shown):
    response = get(maps, "days", f"TIME={time}")
    if shown == INVALID:
        assert code_of(response) == INVALID
        return
    assert step(response) == shown
    used = response.header("Content-Datetime")
    if shown is EMPTY:
        assert used == ""
        assert warnings_of(response)[0].startswith("99 No data at time")
    else:
        assert used.endswith(f"{DAYS[shown]}T00:00:00Z")


@pytest.mark.parametrize(
    ("time", "shown"),
    [("2020-03-01", 0), ("2020-03-01T06", 1), ("2020-03-01T05:00:00Z", 1), ("2020-03", 3)],
)
def test_a_step_that_is_named_or_the_latest_within(maps, time, shown):
    assert step(get(maps, "hours", f"TIME={time}")) == shown


def test_the_step_of_now_moves_with_the_clock(maps, monkeypatch):
    """Though nothing is committed meanwhile."""
    for now, shown in (("2001-06-01", 0), ("2002-06-01", 1), ("2001-06-01", 0)):
        seconds = datetime.fromisoformat(f"{now}T00:00:00+00:00").timestamp()
        monkeypatch.setattr(places, "clock", SimpleNamespace(time=lambda at=seconds: at))
        answer = get(maps, "soon", "")
        assert (step(answer), answer.lasting) == (shown, False)


@pytest.mark.parametrize(
    ("cube", "time", "shown"),
    [
        ("exact", "2020-02-29", 1),
        ("exact", "2020-02-29T00:00:00.000Z", 1),
        ("exact", "2020-02-29T01:00:00Z", INVALID),
        ("exact", "2020-03-01T01:00:00Z/2020-03-04", 3),
        ("before", "2020-02-29T23:00:00Z", 1),
        ("before", "2020-03-02T23:00:00Z", 3),
        ("before", "2020-03-03T12:00:00Z", EMPTY),
        ("before", "2020-02-27T23:00:00Z", EMPTY),
        ("after", "2020-02-29T01:00:00Z", 2),
        ("after", "2020-03-04T01:00:00Z", 4),
        ("after", "2020-03-02T12:00:00Z", EMPTY),
        ("after", "2020-03-06", EMPTY),
        ("wide", "2020-03-03T20:00:00Z", 4),
        ("wide", "2020-03-14", 4),
        ("wide", "2020-04-14", EMPTY),
    ],
)
def test_policies(maps, cube, time, shown):
    response = get(maps, cube, f"TIME={time}")
    if shown == INVALID:
        assert code_of(response) == INVALID
    else:
        assert step(response) == shown


def test_without_a_time_the_step_of_now(maps):
    response = get(maps, "soon", "")
    assert step(response) == 1
    assert warnings_of(response) == ["99 Default value used: time=2002-01-01T00:00:00Z ISO8601"]
    assert step(get(maps, "soon", "TIME=current")) == 1
    assert step(get(maps, "soon", "TIME=latest")) == 3
    assert step(get(maps, "past", "")) == LAST
    root = root_of(maps.raw("REQUEST=GetCapabilities&LAYERS=soon"))
    (dimension, *_) = root.iter("{http://www.opengis.net/wms}Dimension")
    assert (dimension.get("default"), dimension.get("current")) == ("current", "1")


@pytest.mark.parametrize(
    ("cube", "value", "shown"),
    [
        ("down", "0.494025", 0),
        ("down", "-0.494025", 0),
        ("down", "-0.5", 0),
        ("down", "10", 1),
        ("down", "-10", 1),
        ("down", "10m", 1),
        ("down", "0.1 km", 2),
        ("down", "-0.01km", 1),
        ("down", "9.6", 1),
        ("down", "1000", EMPTY),
        ("up", "-10", 1),
        ("up", "10", 1),
        ("up", "0.5", 2),
        ("plev", "85000", 1),
        ("plev", "850hPa", 1),
        ("plev", "500 mbar", 2),
        ("plev", "1000 hPa", 0),
        ("down", "850hPa", INVALID),
        ("down", "deep", INVALID),
    ],
)
def test_elevation(maps, cube, value, shown):
    response = get(maps, cube, f"ELEVATION={value}")
    if shown == INVALID:
        assert code_of(response) == INVALID
    else:
        assert step(response, 50) == shown
