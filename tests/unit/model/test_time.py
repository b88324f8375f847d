"""Calendars against cftime, and ISO 8601, CF units and partial dates by value."""

import cftime
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datacube.errors import InvalidTime
from datacube.model.axis import TimeAxis
from datacube.model.calendar import civil_from_days, days_from_civil, days_in_month
from datacube.model.cfunits import decode_cf
from datacube.model.time import (
    Period,
    TimeRange,
    Timestamp,
    format_tick,
    format_ticks,
)

CALENDARS = ("standard", "proleptic_gregorian", "julian", "noleap", "all_leap", "360_day")
DAY = 86_400_000


@pytest.mark.parametrize("calendar", CALENDARS)
@pytest.mark.filterwarnings("ignore:this date/calendar/year zero convention")
@given(days=st.lists(st.integers(-700_000, 700_000), min_size=1, max_size=20))
def test_civil_dates_are_those_of_cftime(calendar, days):
    years, months, dates = civil_from_days(np.array(days), calendar)
    for day, *found in zip(days, years, months, dates, strict=True):
        there = cftime.num2date(day, "days since 1970-01-01", calendar, has_year_zero=True)
        assert [there.year, there.month, there.day] == found
    assert days_from_civil(years, months, dates, calendar).tolist() == days


def test_thirtieth_of_february_is_a_day_of_one_calendar_only():
    stamp = Timestamp.parse("2095-02-30")
    assert format_tick(stamp.ticks("360_day"), "360_day") == "2095-02-30T00:00:00Z"
    with pytest.raises(InvalidTime, match="no date of the standard calendar"):
        stamp.ticks("standard")
    assert days_in_month(1582, 10) == 31


@pytest.mark.parametrize(
    "text",
    [
        "2020-01-01T00:00:00Z", "2020-01-01T00:00:00.000Z", "2020-01-01", "2020-01-01T00:00Z",
        "2020-01-01T00Z", "20200101T000000Z", "2020-01-01 00:00:00", "2020-01-01T01:00:00+01:00",
        "2019-12-31T19:00-05", "20200101",
    ],
)  # fmt: skip
def test_every_spelling_is_the_same_instant(text):
    assert Timestamp.parse(text).ticks("standard") == 18262 * DAY


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2020-13-01", "2020-01-32", "2020-01-01T25:00Z", "20-01-01", "NaN"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(InvalidTime):
        Timestamp.parse(text)


def test_partial_dates_span_what_they_name():
    assert Timestamp.parse("1970-02").span("standard") == (31 * DAY, 59 * DAY - 1)
    assert Timestamp.parse("1970").span("360_day") == (0, 360 * DAY - 1)
    assert Timestamp.parse("1970-01-02T03:04Z").span("standard")[1] == DAY + 11_099_999
    until = TimeRange(None, Timestamp.parse("1970-01-01"))
    assert until.span("standard") == (None, DAY - 1)


def test_years_beyond_datetime64_live():
    ticks = np.array(
        [Timestamp.parse(text).ticks("standard") for text in ("0000-01-01", "3000-06")]
    )
    assert format_ticks(ticks) == ["0000-01-01T00:00:00Z", "3000-06-01T00:00:00Z"]


@given(st.lists(st.integers(-(4 * 10**14), 4 * 10**14), min_size=1, max_size=20))
def test_many_ticks_are_written_as_each_of_them(ticks):
    """Years before 0 and after 9999 and parts of a second among the others."""
    expected = []
    for tick in ticks:
        day, ms = divmod(tick, DAY)
        year, month, date = (int(part[0]) for part in civil_from_days(np.array([day])))
        second, part = divmod(ms, 1000)
        clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        fraction = f".{part:03d}" if part else ""
        expected.append(f"{year:04d}-{month:02d}-{date:02d}T{clock}{fraction}Z")
    assert format_ticks(np.array(ticks)) == expected


@pytest.mark.parametrize(
    ("text", "months", "ms"),
    [("P1M", 1, 0), ("P1Y2M", 14, 0), ("PT15M", 0, 900_000), ("P10D", 0, 10 * DAY),
     ("P1W", 0, 7 * DAY), ("PT0.5S", 0, 500)],
)  # fmt: skip
def test_durations(text, months, ms):
    assert Period.parse(text) == Period(months, ms)
    assert Period.parse(str(Period(months, ms))) == Period(months, ms)


def test_a_duration_without_length_is_refused():
    for text in ("PT0S", "P", "P0D", "1D", f"P{'1' * 5000}D"):
        with pytest.raises(InvalidTime):
            Period.parse(text)


def test_months_keep_the_day_where_they_can():
    start = Timestamp.parse("2020-01-31").ticks("standard")
    assert format_tick(Period(months=1).add_to(start, "standard")) == "2020-02-29T00:00:00Z"


@given(st.integers(-(10**13), 10**13))
def test_cf_units_round_trip(ticks):
    start = Timestamp.parse("1981-01-01").ticks("standard")
    seconds = np.array([(ticks - start) / 1000])
    assert int(decode_cf(seconds, "seconds since 1981-01-01 00:00:00")[0]) == ticks


def test_cf_reference_times_as_producers_write_them():
    ten = Timestamp.parse("1900-01-01T10:00Z").ticks("standard")
    for units in (
        "hours since 1900-1-1 0:0:0", "hours since 1900-01-01 00:00:0.0", "hour since 1900-01-01",
        "hours since 1900-01-01T00:00:00Z", "hours since 1900-01-01 00:00:00 UTC",
    ):  # fmt: skip
        assert int(decode_cf(np.array([10]), units)[0]) == ten
    with pytest.raises(InvalidTime, match="not of the form"):
        decode_cf(np.array([1]), "hours")


@given(st.lists(st.integers(0, 400), min_size=1, max_size=60, unique=True))
def test_segments_hold_exactly_the_steps(days):
    axis = TimeAxis("time", np.array(sorted(days)) * DAY)
    steps = []
    for start, end, period in axis.segments():
        tick, last = (Timestamp.parse(text).ticks("standard") for text in (start, end))
        while tick <= last:
            steps.append(tick)
            tick = period.add_to(tick, "standard")
    assert steps == axis.ticks.tolist()


def test_a_monthly_axis_has_a_period_of_a_month():
    months = [Timestamp.parse(f"2020-{month:02d}-16").ticks("standard") for month in range(1, 13)]
    assert str(TimeAxis("time", np.array(months)).period) == "P1M"


def test_a_year_of_360_days_is_a_year_to_clients():
    years = [Timestamp.parse(f"{year}-06-01").ticks("360_day") for year in range(1860, 1900)]
    assert str(TimeAxis("time", np.array(years), "360_day").period) == "P1Y"
