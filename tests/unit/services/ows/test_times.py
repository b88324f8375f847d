import contextlib
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datacube.errors import InvalidTime, RequestTooLarge
from datacube.model.axis import IndexAxis, IrregularAxis, RegularAxis, TimeAxis
from datacube.model.calendar import MS_PER_DAY
from datacube.model.time import Period, TimeRange, Timestamp, format_tick
from services.ows.extents import (
    COVERING,
    LISTED,
    axis_extent,
    default_time,
    listed_time,
    tile_time,
    tile_times,
    time_extent,
)
from services.ows.times import LONGEST_LIST, in_calendar, parse_times, pinned


def when(text):
    return [choice.when for choice in parse_times(text)]


def axis(*ticks, calendar="standard"):
    return TimeAxis("time", np.array(ticks, np.int64), calendar)


def test_ranges():
    (found,) = when("2020-01-01/2020-02/P1D")
    assert found == TimeRange(
        Timestamp.parse("2020-01-01"), Timestamp.parse("2020-02"), Period(ms=MS_PER_DAY)
    )
    assert when("../2020")[0].start is None
    assert when("2020/")[0].end is None
    assert when("2020/current")[0].end is None
    assert when("2020-01-01/P1M")[0].end == Timestamp.parse("2020-02-01T00:00:00Z")
    assert when("PT6H/2020-01-01")[0].start == Timestamp.parse("2019-12-31T18:00:00Z")
    assert when("2020-06-15/2020-06")[0].end == Timestamp.parse("2020-06")


def test_lists_are_in_order_of_time():
    texts = ["latest", "2020-01-02", "2019"]
    assert when(",".join(texts)) == [
        Timestamp.parse("2019"),
        Timestamp.parse("2020-01-02"),
        "latest",
    ]


@pytest.mark.parametrize(
    "text",
    ["x", "2020-99", "2020/2019", "P1D/P1D", "../P1D", "a/b/c/d", "2020/2021/x", "2020/2021/PT0S"],
)
def test_what_is_no_time(text):
    with pytest.raises(InvalidTime):
        parse_times(text)


def test_long_lists():
    with pytest.raises(RequestTooLarge):
        parse_times(",".join(["2020"] * (LONGEST_LIST + 1)))


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_refused(text):
    with contextlib.suppress(InvalidTime, RequestTooLarge):
        assert parse_times(text)


def test_pinned():
    days = axis(*(np.arange(40) * MS_PER_DAY))
    for text in ("1970-01-02", "1970-01-02T00:00:00.000Z", "1970-01-02,1970-01-05"):
        assert pinned(days, parse_times(text))
    for text in ("1970-01", "1970-01-01/1970-01-02", "../1970-02-08", "1970-01-03/P2D"):
        assert pinned(days, parse_times(text)), text
    for text in ("1970-02", "1970", "latest", "1970-01-01T06:00Z", "1980", "1969"):
        assert not pinned(days, parse_times(text)), text
    for text in ("1970-01-02/..", "1970-01-02/1970-02-09", "1970-01-02T01:00Z/1970-01-02T02:00Z"):
        assert not pinned(days, parse_times(text)), text
    assert not pinned(days, parse_times("1970-01-02,latest"))
    assert not pinned(days, ())
    assert pinned(None, ())
    assert not pinned(axis(0, calendar="360_day"), parse_times("1999-01-31"))


def test_regular_axes_are_one_range():
    assert time_extent(axis(0, 3_600_000, 7_200_000)) == (
        "1970-01-01T00:00:00Z/1970-01-01T02:00:00Z/PT1H",
    )
    months = axis(*(Timestamp.parse(f"2020-{m:02d}").ticks("standard") for m in range(1, 13)))
    assert time_extent(months) == ("2020-01-01T00:00:00Z/2020-12-01T00:00:00Z/P1M",)


def test_few_irregular_steps_are_a_list():
    assert time_extent(axis(0, MS_PER_DAY, 5 * MS_PER_DAY)) == (
        "1970-01-01T00:00:00Z",
        "1970-01-02T00:00:00Z",
        "1970-01-06T00:00:00Z",
    )
    assert time_extent(axis(0)) == ("1970-01-01T00:00:00Z",)


def test_runs_of_many_steps_are_ranges_that_expand_to_the_steps():
    first = np.arange(LISTED) * MS_PER_DAY
    ticks = np.concatenate([first, first + 500 * MS_PER_DAY])
    ranges = time_extent(axis(*ticks))
    expanded = []
    for text in ranges:
        start, end, period = text.split("/")
        tick, last = (Timestamp.parse(one).ticks("standard") for one in (start, end))
        while tick <= last:
            expanded.append(tick)
            tick = Period.parse(period).add_to(tick, "standard")
    assert expanded == ticks.tolist()
    assert len(ranges) == 2


def test_very_many_irregular_steps_are_covered():
    steps = np.random.default_rng(3).integers(1, 50, 20_000)
    ticks = np.cumsum(steps) * 3_600_000
    ranges = [text.split("/") for text in time_extent(axis(*ticks))]
    assert len(ranges) == COVERING
    assert ranges[0][0] == format_tick(int(ticks[0]))
    assert ranges[-1][1] == format_tick(int(ticks[-1]))
    assert all(one[2] not in {"PT0S", ""} for one in ranges)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(ranges))


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=300, unique=True))
def test_lists_and_ranges_are_never_mixed(hours):
    found = time_extent(axis(*(3_600_000 * np.array(sorted(hours)))))
    assert len({text.count("/") for text in found}) == 1
    assert all(not text.endswith("/PT0S") for text in found)


def test_dates_that_parsers_refuse():
    assert listed_time("2095-02-30T12:00:00Z") == "2095-02-28T12:00:00Z"
    assert listed_time("2096-02-30T12:00:00Z") == "2096-02-29T12:00:00Z"
    assert listed_time("2096-02-29T12:00:00Z") == "2096-02-29T12:00:00Z"
    odd = (Timestamp.parse(text).ticks("360_day") for text in ("1999-01-30", "1999-02-30"))
    assert time_extent(axis(*odd, calendar="360_day")) == (
        "1999-01-30T00:00:00Z/1999-02-28T00:00:00Z/P1M",
    )


def test_values_for_tiles():
    days = axis(*(np.arange(3) * MS_PER_DAY))
    assert tile_times(days) == ("1970-01-01", "1970-01-02", "1970-01-03")
    assert tile_time(days, days.iso[-1]) == "1970-01-03"
    hours = axis(0, 3_600_000)
    assert tile_times(hours)[1] == tile_time(hours, hours.iso[-1]) == "1970-01-01T01:00:00Z"
    many = axis(*(np.arange(100) * MS_PER_DAY))
    assert tile_times(many) == ("1970-01-01T00:00:00Z/1970-04-10T00:00:00Z/P1D",)
    assert tile_time(many, many.iso[-1]) == "1970-04-10T00:00:00Z"


def test_defaults():
    days = axis(0, MS_PER_DAY)
    assert default_time(days) == "1970-01-02T00:00:00Z"
    assert tile_time(days, default_time(days)) == "1970-01-02"
    odd = axis(Timestamp.parse("1999-02-30").ticks("360_day"), calendar="360_day")
    assert tile_time(odd, default_time(odd)) == "current"


def test_days_of_other_calendars():
    def day(text, calendar):
        (choice,) = parse_times(text)
        return in_calendar(choice, calendar).when

    assert day("1999-01-31", "360_day") == Timestamp.parse("1999-01-30")
    assert day("2000-02-29", "noleap") == Timestamp.parse("2000-02-28")
    assert day("1999-02-30", "360_day") == Timestamp.parse("1999-02-30")
    assert day("1999-02-30", "standard") == Timestamp.parse("1999-02-30")
    assert day("1999-01-31/..", "360_day").start == Timestamp.parse("1999-01-30")
    assert day("latest", "360_day") == "latest"


def test_other_axes():
    assert axis_extent(RegularAxis("depth", 0, -10, 3, "m")) == ("0", "-10", "-20")
    assert axis_extent(IrregularAxis("p", np.array([1000.0, 925.5]), "hPa")) == ("1000", "925.5")
    assert axis_extent(IndexAxis("member", 2)) == ("0", "1")
    assert axis_extent(IndexAxis("scenario", 2, labels=("a", "b"))) == ("a", "b")


@pytest.mark.parametrize("text", ["2020-01-01/P999999999Y", "2020/P9999999999999999D"])
def test_a_duration_that_leads_out_of_all_years_is_refused(text):
    with pytest.raises(InvalidTime, match="leads beyond the years that are counted") as caught:
        parse_times(text)
    assert caught.value.subject == "time"


def test_a_text_without_end_is_no_time():
    with pytest.raises(InvalidTime):
        parse_times("2020-01-01" + " " * 100_000)
