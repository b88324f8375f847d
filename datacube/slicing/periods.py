"""Bins of a time axis: civil periods and ISO durations, in any calendar.

Where bins begin, unless an origin is given:

- hours, days, months and years at the civil boundary; seasons are DJF, MAM, JJA and SON, and
  December belongs to the winter of the following year
- dekads on the 1st, 11th and 21st, pentads on the 1st, 6th, 11th, 16th, 21st and 26th of a month;
  the last of a month takes the days that are left
- durations of whole months count from January of year 0: P3M are the quarters, P10Y the decades
- durations of whole weeks count from Monday, 1969-12-29
- every other duration (PT6H, P8D, PT36H) counts from 1970-01-01T00:00 of the axis' calendar;
  those that divide a day begin at midnight
- months together with days or hours (P1M15D) count from 1970-01-01 too

So a bin does not depend on what else is selected. With an origin, every duration counts from it.
An instant belongs to the bin that holds its tick; the cell bounds of the axis do not matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, assert_never

import numpy as np
from numpy.typing import NDArray

from datacube.errors import InvalidParameter, InvalidTime
from datacube.model.axis import TimeAxis
from datacube.model.calendar import MS_PER_DAY, Calendar, civil_from_days, days_from_civil
from datacube.model.time import Period

type TickArray = NDArray[np.int64]
type Civil = Literal["hour", "day", "pentad", "dekad", "month", "season", "year"]
type Every = Period | Civil

_CIVIL: tuple[Civil, ...] = ("hour", "day", "pentad", "dekad", "month", "season", "year")
_ALIASES: Mapping[str, Civil] = MappingProxyType(
    {
        "hourly": "hour",
        "daily": "day",
        "pentadal": "pentad",
        "dekadal": "dekad",
        "monthly": "month",
        "seasonal": "season",
        "yearly": "year",
        "annual": "year",
    }
)
_EVEN: Mapping[Civil, Period] = MappingProxyType(
    {
        "hour": Period(ms=3_600_000),
        "day": Period(ms=MS_PER_DAY),
        "month": Period(months=1),
        "year": Period(months=12),
    }
)
_LONGEST = Period(months=12_000_000, ms=12_000_000 * 31 * MS_PER_DAY)
_WEEK = 7 * MS_PER_DAY
_MONDAY = -3 * MS_PER_DAY


@dataclass(frozen=True, slots=True)
class Bin:
    """Consecutive instants of a time axis that are reduced to one.

    Parameters
    ----------
    start, stop : int, places start … stop - 1 of the axis
    first, last : int, ticks; the bin's edges, the first included, the last not
    label : int, tick that stands for the bin
    """

    start: int
    stop: int
    first: int
    last: int
    label: int

    @property
    def size(self) -> int:
        """Number of instants."""
        return self.stop - self.start


def parse_every(text: str, *, subject: str = "period") -> Every:
    """A period by name or as an ISO 8601 duration.

    Parameters
    ----------
    text : str
        hour, day, pentad, dekad, month, season or year; with -s, -ly or -al as in ``months``,
        ``daily``, ``seasonal``; or a duration such as P1M, P8D, PT6H.
    subject : str, what the user calls the parameter

    Raises
    ------
    InvalidParameter
        It is neither.

    Examples
    --------
    >>> parse_every("Dekad"), str(parse_every("P1M")), parse_every("yearly")
    ('dekad', 'P1M', 'year')
    """
    name = text.strip().lower()
    for one in _CIVIL:
        if name in {one, f"{one}s"}:
            return one
    if name in _ALIASES:
        return _ALIASES[name]
    try:
        return Period.parse(text, subject=subject)
    except InvalidTime as error:
        raise InvalidParameter(
            f"'{text[:40]}' is no period; write one of {', '.join(_CIVIL)}, or an ISO 8601 "
            "duration of some length such as P1M, P8D or PT6H",
            subject=subject,
        ) from error


def bins(axis: TimeAxis, every: Every, origin: int | None = None) -> tuple[Bin, ...]:
    """Cut a time axis into periods; those without an instant are left out.

    Parameters
    ----------
    axis : TimeAxis
    every : Period or name
    origin : int, tick, optional
        Where a bin of a duration begins; names of civil periods need none.

    Returns
    -------
    bins : in order of time; label is the first edge

    Raises
    ------
    InvalidParameter
        The period is longer than a million years.

    Examples
    --------
    >>> axis = TimeAxis("time", np.arange(40) * 86_400_000)
    >>> [(one.start, one.stop) for one in bins(axis, "dekad")]
    [(0, 10), (10, 20), (20, 31), (31, 40)]
    >>> [one.size for one in bins(axis, Period.parse("P1M"))]
    [31, 9]
    """
    if not axis.size:
        return ()
    match every:
        case Period():
            first, last = _duration_edges(axis, checked(every), origin)
        case "hour" | "day" | "month" | "year":
            first, last = _duration_edges(axis, _EVEN[every], None)
        case "pentad":
            first, last = _part_edges(axis, 5, 6)
        case "dekad":
            first, last = _part_edges(axis, 10, 3)
        case "season":
            first, last = _month_edges(axis, 3, -1)
        case _:
            assert_never(every)
    starts = np.flatnonzero(np.concatenate([[True], np.diff(first) > 0]))
    stops = np.append(starts[1:], axis.size)
    return made(starts, stops, first[starts], last[starts], first[starts])


def bin_at(axis: TimeAxis, index: int, every: Every) -> Bin:
    """The period that holds one instant of an axis.

    Examples
    --------
    >>> axis = TimeAxis("time", np.arange(40) * 86_400_000)
    >>> found = bin_at(axis, 25, "dekad")
    >>> found.start, found.stop
    (20, 31)
    """
    alone = TimeAxis(axis.name, axis.ticks[index : index + 1], axis.calendar)
    (edges,) = bins(alone, every)
    start, stop = np.searchsorted(axis.ticks, [edges.first, edges.last])
    return replace(edges, start=int(start), stop=int(stop))


type Edges = tuple[TickArray, TickArray]


def made(*columns: TickArray) -> tuple[Bin, ...]:
    """Bins of arrays of their parts."""
    return tuple(Bin(*one) for one in zip(*(part.tolist() for part in columns), strict=True))


def checked(period: Period) -> Period:
    """The period; InvalidParameter where it is longer than a million years."""
    if period.months > _LONGEST.months or period.ms > _LONGEST.ms:
        raise InvalidParameter(
            f"the period {period} is longer than a million years", subject="period"
        )
    return period


def _duration_edges(axis: TimeAxis, every: Period, origin: int | None) -> Edges:
    """First and last edge of the bin of each instant."""
    if not every.months:
        week = _MONDAY if every.ms % _WEEK == 0 else 0
        return _even_edges(axis.ticks, every.ms, week if origin is None else origin)
    if not every.ms and origin is None:
        return _month_edges(axis, every.months, 0)
    edges = _counted_edges(axis, every, origin or 0)
    place = np.searchsorted(edges, axis.ticks, side="right")
    return edges[place - 1], edges[place]


def _counted_edges(axis: TimeAxis, every: Period, origin: int) -> TickArray:
    """Edges origin + i * every that enclose the axis; int64, ascending."""
    shortest = every.months * 28 * MS_PER_DAY + every.ms
    longest = every.months * 31 * MS_PER_DAY + every.ms
    before, after = int(axis.ticks[0]) - origin, int(axis.ticks[-1]) - origin
    low = before // (shortest if before < 0 else longest) - 1
    high = after // (longest if after < 0 else shortest) + 2
    counted = [every.add_to(origin, axis.calendar, times) for times in range(low, high + 1)]
    return np.unique(np.array(counted, np.int64))


def _even_edges(ticks: TickArray, length: int, origin: int) -> Edges:
    first = (ticks - origin) // length * length + origin
    return first, first + length


def _month_edges(axis: TimeAxis, length: int, shift: int) -> Edges:
    """Groups of months, counted from January of year 0 moved by some months."""
    year, month, _ = civil_from_days(axis.ticks // MS_PER_DAY, axis.calendar)
    first = (year * 12 + month - 1 - shift) // length * length + shift
    return month_starts(first, axis.calendar), month_starts(first + length, axis.calendar)


def month_starts(months: TickArray, calendar: Calendar) -> TickArray:
    """First ticks of months counted from year 0."""
    return day_starts(months, np.ones_like(months), calendar)


def _part_edges(axis: TimeAxis, days: int, parts: int) -> Edges:
    """Parts of a month of so many days, the last with what is left."""
    year, month, day = civil_from_days(axis.ticks // MS_PER_DAY, axis.calendar)
    months = year * 12 + month - 1
    part = np.minimum((day - 1) // days, parts - 1)
    first = day_starts(months, part * days + 1, axis.calendar)
    following = day_starts(months, (part + 1) * days + 1, axis.calendar)
    return first, np.where(part < parts - 1, following, month_starts(months + 1, axis.calendar))


def day_starts(months: TickArray, day: TickArray, calendar: Calendar) -> TickArray:
    """Midnight of a day of months counted from year 0; of the next day where there is none.

    The standard calendar has no 5 to 14 October 1582.
    """
    year, month = months // 12, months % 12 + 1
    found = days_from_civil(year, month, day, calendar)
    if calendar == "standard":
        date = (year * 100 + month) * 100 + day
        one = np.ones(1, np.int64)
        gregorian = days_from_civil(one * 1582, one * 10, one * 15, calendar)
        found = np.where(date < 15821015, np.minimum(found, gregorian), found)
    return found * MS_PER_DAY
