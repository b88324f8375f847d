from contextlib import suppress

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st

from datacube.errors import AxisNotFound, InvalidCrs, InvalidSubset, InvalidTime
from datacube.model.axis import IndexAxis, RegularAxis, TimeAxis
from datacube.model.crs import Crs
from datacube.model.domain import DomainSet
from datacube.model.grid import RectifiedGrid
from datacube.model.query import Slice, Trim
from datacube.model.time import Timestamp
from services.wcs.subsets import Bracket, Value, bind, parse_brackets

DAY = 86_400_000
TIME = TimeAxis("time", (18262 + np.arange(8) * 0.5).astype(float).__mul__(DAY).astype("int64"))
DOMAIN = DomainSet(
    RectifiedGrid(Crs.parse("EPSG:4326"), Affine(1, 0, -20, 0, -1, 60), 40, 20),
    (TIME, RegularAxis("depth", 0, 10, 5, "m"), IndexAxis("scenario", 2, labels=("a1b", "e1"))),
)


def one(text, domain=DOMAIN, crs=None):
    (subset,) = bind(parse_brackets(text), domain, crs)
    return subset


def stamp(text):
    return Timestamp.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Lat(40,50)", Trim("Lat", 40, 50)),
        (" Lat ( 40 , 50.5e0 ) ", Trim("Lat", 40, 50.5)),
        ('Lat("40","50")', Trim("Lat", 40, 50)),
        ("Lat('40','50')", Trim("Lat", 40, 50)),
        ('Long("*","65")', Trim("Long", None, 65)),
        ("Long(*,*)", Trim("Long", None, None)),
        ("Long(*)", Trim("Long", None, None)),
        ("x(-.5)", Slice("x", -0.5)),
        ("depth(20)", Slice("depth", 20)),
        ("elevation(0,20)", Trim("elevation", 0, 20)),
        ('scenario("e1")', Slice("scenario", "e1")),
        ("scenario(a1b,e1)", Trim("scenario", "a1b", "e1")),
        ("scenario(1)", Slice("scenario", 1.0)),
    ],
)
def test_numbers_and_labels(text, expected):
    assert one(text) == expected


@pytest.mark.parametrize("axis", ["ansi", "time", "t", "Time", "date", "phenomenonTime", "unix"])
@pytest.mark.parametrize("quote", ['"', "'", ""])
def test_instants_in_every_spelling(axis, quote):
    for text in ("2020-01-02T12:00:00Z", "2020-01-02T12:00:00.000Z", "2020-01-02T12:00Z"):
        found = one(f"{axis}({quote}{text}{quote})")
        assert isinstance(found, Slice)
        assert isinstance(found.point, Timestamp)
        assert found.point.ticks("standard") == stamp("2020-01-02T12:00:00Z").ticks("standard")


def test_trims_of_time():
    low, high = stamp("2020-01-01"), stamp("2020-01-03")
    assert one('ansi("2020-01-01","2020-01-03")') == Trim("ansi", low, high)
    assert one("time(2020-01-01,*)") == Trim("time", low, None)
    assert one('time("2020-01-01/2020-01-03")') == Trim("time", low, high)
    assert one('time("2020-01-01/..")') == Trim("time", low, None)


def test_a_trim_of_time_whose_comma_a_client_lost():
    found = one('ansi("2020-01-01""2020-01-03")')
    assert found == Trim("ansi", stamp("2020-01-01"), stamp("2020-01-03"))


def test_a_partial_date_with_several_steps_is_all_of_them():
    day = stamp("2020-01-02")
    assert one('ansi("2020-01-02")') == Trim("ansi", day, day)
    assert one("ansi(2020-01)") == Trim("ansi", stamp("2020-01"), stamp("2020-01"))
    daily = DomainSet(DOMAIN.grid, (TimeAxis("time", np.arange(18262, 18266) * DAY),))
    assert one('ansi("2020-01-02")', daily) == Slice("ansi", day)


def test_latest():
    assert one("time(latest)") == Slice("time", "latest")
    assert one("time(current)") == Slice("time", "latest")


def test_numbers_on_time_are_days_of_ansi_date_or_unix_seconds():
    noon = stamp("2020-01-02T12:00:00Z").ticks("standard")
    assert one("ansi(153037.5)") == Slice("ansi", float(noon))
    assert one("ansi(153037)") == Slice("ansi", float(18263 * DAY))
    assert one(f"unix({noon // 1000})") == Slice("unix", float(noon))
    assert one("ansi(20200102)") == one("ansi(2020-01-02)")
    assert one('ansi("2020")') == Trim("ansi", stamp("2020"), stamp("2020"))


def test_numbers_on_a_calendar_without_ansi_dates_are_its_own_days():
    axis = TimeAxis("time", (np.array([58, 59])) * DAY, "360_day")
    domain = DomainSet(DOMAIN.grid, (axis,))
    assert one("time(59)", domain) == Slice("time", 59.0 * DAY)
    assert one('time("1970-02-30")', domain) == Slice("time", stamp("1970-02-30"))


def test_the_crs_of_an_entry_wins_over_the_requests():
    mercator = Crs.parse("EPSG:3857")
    assert one("x,http://www.opengis.net/def/crs/EPSG/0/3857(1,2)") == Trim("x", 1, 2, mercator)
    assert one("x(1,2)", crs=mercator) == Trim("x", 1, 2, mercator)
    found = one("time,http://www.opengis.net(2020-01-02T12:00:00Z)", crs=mercator)
    assert found.crs is None
    with pytest.raises(InvalidCrs):
        one("x,EPSG:99(1,2)")


def test_axes_by_uri():
    assert one("http://www.opengis.net/def/axis/OGC/1/i(2)") == Slice(
        "http://www.opengis.net/def/axis/OGC/1/i", 2
    )


def test_several_in_one_parameter():
    found = parse_brackets('Lat(40,50),Long(-10,0),ansi("2020-01-01T00:00:00Z")')
    assert [bracket.axis for bracket in found] == ["Lat", "Long", "ansi"]
    assert found[2].values == (Value("2020-01-01T00:00:00Z", quoted=True),)


@pytest.mark.parametrize(
    "text",
    [
        "", "Lat", "Lat(", "Lat(1,2", "Lat)1(", "(1,2)", "Lat(1,2)x", 'Lat("1,2)', "Lat((1),2)",
        "Lat(1,2" + ",3" * 5000 + ")",
    ],
)  # fmt: skip
def test_what_is_no_bracket_is_refused(text):
    with pytest.raises(InvalidSubset):
        parse_brackets(text)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Lat(a,b)", InvalidSubset),
        ("Lat()", InvalidSubset),
        ("Lat(nan,1)", InvalidSubset),
        ("Lat(1e999,1)", InvalidSubset),
        ("Lat(1,2,3)", InvalidSubset),
        ("Lat(1_0,2)", InvalidSubset),
        ("depth(deep)", InvalidSubset),
        ("ansi(yesterday)", InvalidTime),
        ("ansi(2020-13-01)", InvalidTime),
        ("ansi(2020-01-01,2020-01-02,2020-01-03)", InvalidSubset),
        ("ansi(2020-01-01/2020-01-02,*)", InvalidSubset),
        ("height(3)", AxisNotFound),
    ],
)
def test_values_without_meaning_are_refused(text, error):
    with pytest.raises(error):
        one(text)


@given(
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True),
    st.lists(
        st.text(st.characters(exclude_characters="\"'()"), max_size=20), min_size=1, max_size=3
    ),
)
def test_quoted_values_come_back(axis, texts):
    written = f"{axis}({','.join(f'"{text}"' for text in texts)})"
    (found,) = parse_brackets(written)
    assert found == Bracket(axis, tuple(Value(text.strip(), quoted=True) for text in texts))


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    with suppress(InvalidSubset):
        assert parse_brackets(text)
