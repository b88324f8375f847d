"""Cuts of time axes against xarray, in several calendars, and by hand."""

import cftime
import numpy as np
import pytest
import xarray as xr

from datacube.errors import InvalidParameter
from datacube.model.axis import TimeAxis
from datacube.model.calendar import MS_PER_DAY
from datacube.model.time import Period, Timestamp, format_tick
from datacube.slicing.periods import bins, parse_every
from datacube.slicing.reduce import reducer
from datacube.slicing.rolling import rolling

HOUR = 3_600_000
RESAMPLED = [
    ("hour", "1h"),
    ("day", "1D"),
    ("PT6H", "6h"),
    ("month", "MS"),
    ("P1M", "MS"),
    ("P3M", "QS"),
    ("season", "QS-DEC"),
    ("year", "YS"),
    ("P1Y", "YS"),
]


def tick(text, calendar="standard"):
    return Timestamp.parse(text).ticks(calendar)


def daily(first, size, calendar="standard", step=MS_PER_DAY):
    return TimeAxis("time", tick(first, calendar) + np.arange(size) * step, calendar)


def sizes(found, calendar="standard"):
    return {format_tick(one.label, calendar)[:10]: one.size for one in found}


def uneven(first, calendar="standard"):
    """Some 700 instants over three years, with gaps of up to weeks."""
    steps = np.random.default_rng(5).exponential(1.5 * MS_PER_DAY, 700).astype(np.int64) + 1000
    return TimeAxis("time", tick(first, calendar) + np.cumsum(steps), calendar)


def as_cftime(axis, calendar):
    return cftime.num2date(axis.ticks, "milliseconds since 1970-01-01", calendar)


@pytest.mark.parametrize(("every", "frequency"), RESAMPLED)
@pytest.mark.parametrize("axis", [daily("1979-12-30", 800), uneven("2001-11-17T05:00:00Z")])
def test_equals_resample(axis, every, frequency):
    times = axis.ticks.astype("datetime64[ms]").astype("datetime64[ns]")
    series = xr.DataArray(np.arange(axis.size), dims="time", coords={"time": times})
    groups = series.resample(time=frequency)
    counts = groups.count()
    kept = counts.values > 0
    found = bins(axis, parse_every(every))
    assert [one.size for one in found] == counts.values[kept].tolist()
    labels = counts.time.values[kept].astype("datetime64[ms]").astype(np.int64)
    assert [one.label for one in found] == labels.tolist()
    assert_reduced(found, groups, kept)


@pytest.mark.parametrize(("every", "frequency"), RESAMPLED)
@pytest.mark.parametrize("calendar", ["360_day", "noleap", "julian"])
def test_equals_resample_in_other_calendars(calendar, every, frequency):
    axis = uneven("1999-11-17T05:00:00Z", calendar)
    times = as_cftime(axis, calendar)
    series = xr.DataArray(np.arange(axis.size), dims="time", coords={"time": times})
    groups = series.resample(time=frequency)
    counts = groups.count()
    kept = np.nan_to_num(counts.values) > 0
    found = bins(axis, parse_every(every))
    assert [one.size for one in found] == counts.values[kept].astype(int).tolist()
    labels = cftime.date2num(counts.time.values[kept], "milliseconds since 1970-01-01", calendar)
    assert [one.label for one in found] == labels.tolist()
    assert_reduced(found, groups, kept)


def assert_reduced(found, groups, kept):
    """The values 0, 1, 2 … reduced in each bin are what xarray gives."""
    for name in ("mean", "median", "std"):
        wanted = getattr(groups, name)().values[kept]
        values = []
        for one in found:
            state = reducer(name).start(())
            state.extend(np.arange(one.start, one.stop), np.ones(one.size, bool))
            values.append(float(state.result()[0]))
        np.testing.assert_allclose(values, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("calendar", ["standard", "360_day", "noleap", "all_leap", "julian"])
@pytest.mark.parametrize(("name", "days", "parts"), [("dekad", 10, 3), ("pentad", 5, 6)])
def test_parts_of_months_by_date(calendar, name, days, parts):
    axis = uneven("1999-11-17T05:00:00Z", calendar)
    dates = as_cftime(axis, calendar)
    keys = [(one.year, one.month, min((one.day - 1) // days, parts - 1)) for one in dates]
    found = bins(axis, name)
    assert len(found) == len(set(keys))
    for one in found:
        inside = keys[one.start : one.stop]
        assert len(set(inside)) == 1
        year, month, part = inside[0]
        first = cftime.datetime(year, month, part * days + 1, calendar=calendar)
        assert one.first == cftime.date2num(first, "milliseconds since 1970-01-01", calendar)


def test_dekads_end_with_the_month():
    assert list(sizes(bins(daily("2024-02-01", 60), "dekad")).values()) == [10, 10, 9, 10, 10, 11]
    assert list(sizes(bins(daily("2023-02-01", 59), "dekad")).values()) == [10, 10, 8, 10, 10, 11]
    thirty = bins(daily("2023-02-01", 60, "360_day"), "dekad")
    assert [one.size for one in thirty] == [10] * 6
    last = bins(daily("2018-07-21", 11), "dekad")[0]
    assert (format_tick(last.first)[:10], format_tick(last.last)[:10]) == (
        "2018-07-21",
        "2018-08-01",
    )


def test_pentads_end_with_the_month():
    assert [one.size for one in bins(daily("2023-01-01", 59), "pentad")] == [5] * 5 + [6] + [
        5,
        5,
        5,
        5,
        5,
        3,
    ]


def test_december_belongs_to_the_winter_that_follows():
    found = bins(daily("2019-12-01", 366), "season")
    assert sizes(found) == {
        "2019-12-01": 91,
        "2020-03-01": 92,
        "2020-06-01": 92,
        "2020-09-01": 91,
    }


def test_october_1582_has_no_days_5_to_14():
    axis = daily("1582-10-01", 21)
    assert list(sizes(bins(axis, "dekad"))) == ["1582-10-01", "1582-10-15", "1582-10-21"]
    assert [one.size for one in bins(axis, "dekad")] == [4, 6, 11]
    assert [one.size for one in bins(axis, "pentad")] == [4, 1, 5, 5, 6]
    assert [one.size for one in bins(axis, "month")] == [21]


@pytest.mark.parametrize(
    ("every", "first"),
    [
        ("P1W", "2018-05-28"),
        ("P2W", "2018-05-28"),
        ("P8D", "2018-05-29"),
        ("P10Y", "2010-01-01"),
        ("P5M", "2018-05-01"),
        ("P1D", "2018-06-02"),
    ],
)
def test_where_durations_begin(every, first):
    one = bins(daily("2018-06-02", 1), parse_every(every))[0]
    assert format_tick(one.first)[:10] == first
    period = Period.parse(every)
    assert one.last == period.add_to(one.first, "standard")


def test_weeks_equal_those_of_pandas():
    axis = daily("2018-06-02", 100)
    times = axis.ticks.astype("datetime64[ms]").astype("datetime64[ns]")
    days = xr.DataArray(np.ones(axis.size, int), dims="time", coords={"time": times}).to_series()
    weeks = days.resample("W-MON", closed="left", label="left").sum()
    assert [one.size for one in bins(axis, Period.parse("P7D"))] == weeks.tolist()


def test_durations_count_from_an_origin():
    axis = daily("2018-06-04", 30)
    found = bins(axis, Period.parse("P10D"), origin=tick("2018-06-04"))
    assert sizes(found) == {"2018-06-04": 10, "2018-06-14": 10, "2018-06-24": 10}
    found = bins(axis, Period.parse("P1M"), origin=tick("2018-01-31"))
    assert sizes(found) == {"2018-05-31": 26, "2018-06-30": 4}
    found = bins(axis, Period.parse("P1M"), origin=tick("2020-01-15"))
    assert sizes(found) == {"2018-05-15": 11, "2018-06-15": 19}


def test_months_and_days_together():
    found = bins(daily("1970-01-01", 100), Period.parse("P1M15D"))
    assert list(sizes(found)) == ["1970-01-01", "1970-02-16", "1970-03-31"]


def test_gaps_leave_no_bins():
    axis = TimeAxis("time", np.array([tick("2018-01-05"), tick("2019-07-05")]))
    assert sizes(bins(axis, "month")) == {"2018-01-01": 1, "2019-07-01": 1}


def test_no_instants_no_bins():
    empty = TimeAxis("time", np.array([], np.int64))
    assert bins(empty, "month") == rolling(empty, 3) == ()


@pytest.mark.parametrize("window", [1, 3, 7])
def test_rolling_equals_xarray(window):
    values = np.random.default_rng(8).normal(size=30)
    wanted = xr.DataArray(values, dims="time").rolling(time=window).mean().dropna("time").values
    found = [
        values[one.start : one.stop].mean() for one in rolling(daily("2018-01-01", 30), window)
    ]
    np.testing.assert_allclose(found, wanted)


@pytest.mark.parametrize("window", ["P1D", "P10D", "PT36H"])
def test_rolling_over_a_period_equals_pandas(window):
    axis = uneven("2001-11-17T05:00:00Z")
    times = axis.ticks.astype("datetime64[ms]").astype("datetime64[ns]")
    places = xr.DataArray(np.arange(float(axis.size)), dims="time", coords={"time": times})
    period = Period.parse(window)
    wanted = places.to_series().rolling(f"{period.ms}ms").sum().tolist()
    found = rolling(axis, period, partial=True)
    assert [sum(range(one.start, one.stop)) for one in found] == wanted
    whole = rolling(axis, period)
    earliest = axis.ticks[0] - axis.median_step
    assert whole == tuple(one for one in found if one.first > earliest)


@pytest.mark.parametrize("calendar", ["standard", "360_day", "noleap"])
def test_rolling_over_months_moves_each_instant_back(calendar):
    axis = uneven("1999-11-17T05:00:00Z", calendar)
    for period in (Period(months=1), Period(months=14, ms=HOUR)):
        begins = [period.add_to(int(one), calendar, -1) for one in axis.ticks]
        found = rolling(axis, period, partial=True)
        assert [one.first - 1 for one in found] == begins


@pytest.mark.parametrize(
    ("text", "every"),
    [
        ("Hourly", "hour"),
        ("days", "day"),
        ("dekadal", "dekad"),
        ("pentads", "pentad"),
        ("monthly", "month"),
        ("SEASON", "season"),
        ("annual", "year"),
        ("PT90M", Period(ms=90 * 60_000)),
        ("P2Y", Period(months=24)),
    ],
)
def test_names_of_periods(text, every):
    assert parse_every(text) == every


@pytest.mark.parametrize("text", ["", "fortnight", "P", "P0D", "1D", "P-1D"])
def test_what_is_no_period(text):
    with pytest.raises(InvalidParameter, match="dekad, month, season, year") as caught:
        parse_every(text, subject="PERIOD")
    assert caught.value.subject == "PERIOD"


def test_absurd_periods_are_refused():
    axis = daily("2018-06-02", 3)
    for period in (Period(months=10**30), Period(ms=10**30)):
        with pytest.raises(InvalidParameter, match="million years"):
            bins(axis, period)
        with pytest.raises(InvalidParameter, match="million years"):
            rolling(axis, period)
    assert bins(axis, Period(months=12_000_000))[0].size == 3
    with pytest.raises(InvalidParameter, match="empty"):
        rolling(axis, 0)
