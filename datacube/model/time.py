"""Times: ISO 8601 text, partial dates, intervals and durations; integer ticks.

A tick is a millisecond since 1970-01-01T00:00 of a calendar; ticks of different calendars do not
compare. A :class:`Timestamp` is what somebody wrote: civil parts and how precise they are, without
a calendar, so that 30 February is a time for a 360-day cube and an error for another.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Literal, override

import numpy as np
from numpy.typing import NDArray

from datacube.errors import InvalidTime
from datacube.model.calendar import (
    MS_PER_DAY,
    Calendar,
    civil_from_days,
    days_from_civil,
    days_in_month,
)

TickArray = NDArray[np.int64]
type Precision = Literal["year", "month", "day", "minute", "second", "millisecond"]

_ISO = re.compile(
    r"^(?P<year>\d{4}|[+-]\d{4,6})"
    r"(?:-?(?P<month>\d{2})(?:-?(?P<day>\d{2})"
    r"(?:[T ](?P<hour>\d{2})(?::?(?P<minute>\d{2})"
    r"(?::?(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?)?"
    r"\s*(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?)?)?)?$",
    re.IGNORECASE,
)
_DURATION = re.compile(
    r"^P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?$",
    re.IGNORECASE,
)
_LETTERS = 100  # characters of a duration
_ISO_ZERO = b"0000-00-00T00:00:00Z"
_PAIRS = np.array([0, 2, 5, 8, 11, 14, 17])  # places of two digits in it


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A point in civil time as written, with its precision and no calendar.

    Parameters
    ----------
    year, month, day : int
    ms : int
        Milliseconds since midnight UTC; may run over a day where a zone moved it.
    precision : Precision

    Examples
    --------
    >>> Timestamp.parse("2018-06").span("standard") == (
    ...     Timestamp.parse("2018-06-01").ticks("standard"),
    ...     Timestamp.parse("2018-07-01").ticks("standard") - 1)
    True
    >>> Timestamp.parse("2095-02-30T12:00:00Z").ticks("standard")
    Traceback (most recent call last):
    datacube.errors.InvalidTime: '2095-02-30' is no date of the standard calendar
    """

    year: int
    month: int
    day: int
    ms: int
    precision: Precision

    @staticmethod
    def parse(text: str, *, subject: str = "time") -> "Timestamp":
        """Read ISO 8601, from a year (``2018``) to a millisecond.

        Raises
        ------
        InvalidTime
            The text is no such time.
        """
        found = _ISO.match(text.strip())
        if found is None:
            raise _no_time(text, subject)
        month, day, hour = found["month"], found["day"], found["hour"]
        minute, second, fraction = found["minute"], found["second"], found["fraction"]
        stamp = Timestamp(
            int(found["year"]),
            int(month or 1),
            int(day or 1),
            clock_ms(hour, minute, second, fraction) - zone_ms(found["zone"]),
            _precision(month, day, hour, second, fraction),
        )
        in_day = int(hour or 0) <= 24 and int(minute or 0) <= 59 and int(second or 0) <= 60
        if not (1 <= stamp.month <= 12 and 1 <= stamp.day <= 31 and in_day):
            raise _no_time(text, subject)
        return stamp

    def ticks(self, calendar: Calendar) -> int:
        """First millisecond of it in a calendar.

        Raises
        ------
        InvalidTime
            The calendar has no such day.
        """
        if self.day > days_in_month(self.year, self.month, calendar):
            date = f"{self.year:04d}-{self.month:02d}-{self.day:02d}"
            raise InvalidTime(f"'{date}' is no date of the {calendar} calendar", subject="time")
        return _start_of_day(self.year, self.month, self.day, calendar) * MS_PER_DAY + self.ms

    def span(self, calendar: Calendar) -> tuple[int, int]:
        """First and last millisecond of it: a whole day for a date, a month for a month."""
        first = self.ticks(calendar)
        match self.precision:
            case "year":
                return first, add_months(first, 12, calendar) - 1
            case "month":
                return first, add_months(first, 1, calendar) - 1
            case "day":
                return first, first + MS_PER_DAY - 1
            case "minute":
                return first, first + 59_999
            case "second":
                return first, first + 999
            case "millisecond":
                return first, first


@dataclass(frozen=True, slots=True)
class Period:
    """An ISO 8601 duration: whole months and milliseconds.

    Examples
    --------
    >>> str(Period.parse("P1M")), str(Period.parse("PT6H")), str(Period.parse("P1DT12H"))
    ('P1M', 'PT6H', 'P1DT12H')
    """

    months: int = 0
    ms: int = 0

    @staticmethod
    def parse(text: str, *, subject: str = "time") -> "Period":
        """Read a duration; zero is refused.

        Raises
        ------
        InvalidTime
            The text is no duration, or has no length.
        """
        found = _DURATION.match(text.strip()) if len(text) <= _LETTERS else None
        if found is None:
            raise InvalidTime(
                f"'{text[:_LETTERS]}' is no ISO 8601 duration such as P1D or PT6H", subject=subject
            )
        part = {key: Fraction(value or 0) for key, value in found.groupdict().items()}
        ms = int(
            (part["weeks"] * 7 + part["days"]) * MS_PER_DAY
            + part["hours"] * 3_600_000
            + part["minutes"] * 60_000
            + part["seconds"] * 1000
        )
        period = Period(int(part["years"] * 12 + part["months"]), ms)
        if period == Period():
            raise InvalidTime(f"the duration '{text}' has no length", subject=subject)
        return period

    @override
    def __str__(self) -> str:
        """ISO 8601 form."""
        years, months = divmod(self.months, 12)
        days, rest = divmod(self.ms, MS_PER_DAY)
        hours, rest = divmod(rest, 3_600_000)
        minutes, rest = divmod(rest, 60_000)
        seconds = f"{rest / 1000:.3f}".rstrip("0").rstrip(".") if rest else ""
        date = _joined((years, "Y"), (months, "M"), (days, "D"))
        clock = _joined((hours, "H"), (minutes, "M")) + (f"{seconds}S" if seconds else "")
        return f"P{date}T{clock}" if clock else f"P{date}" if date else "PT0S"

    def add_to(self, ticks: int, calendar: Calendar, times: int = 1) -> int:
        """The tick that lies this many periods later."""
        moved = add_months(ticks, self.months * times, calendar) if self.months else ticks
        return moved + self.ms * times


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From start to end, both inclusive, either open; ``period`` as given by ``a/b/P1D``."""

    start: Timestamp | None
    end: Timestamp | None
    period: Period | None = None

    def span(self, calendar: Calendar) -> tuple[int | None, int | None]:
        """First and last millisecond; None where open."""
        first = None if self.start is None else self.start.span(calendar)[0]
        last = None if self.end is None else self.end.span(calendar)[1]
        return first, last


type TimePoint = Timestamp | Literal["latest"]


def add_months(ticks: int, months: int, calendar: Calendar) -> int:
    """The same day and clock some months later; the last day where the month is shorter."""
    days, ms = divmod(ticks, MS_PER_DAY)
    year, month, day = (int(part[0]) for part in civil_from_days(np.array([days]), calendar))
    years, zero_month = divmod(year * 12 + month - 1 + months, 12)
    day = min(day, days_in_month(years, zero_month + 1, calendar))
    return _start_of_day(years, zero_month + 1, day, calendar) * MS_PER_DAY + ms


def format_ticks(ticks: TickArray, calendar: Calendar = "standard") -> list[str]:
    """ISO 8601 text of ticks: ``2018-06-04T00:00:00Z``, with ``.sss`` only where needed.

    Parameters
    ----------
    ticks : int64, (n,), milliseconds since 1970-01-01 of calendar

    Examples
    --------
    >>> format_ticks(np.array([0, 1500]))
    ['1970-01-01T00:00:00Z', '1970-01-01T00:00:01.500Z']
    """
    ticks = np.atleast_1d(np.asarray(ticks, np.int64))
    days, ms = np.divmod(ticks, MS_PER_DAY)
    year, month, day = civil_from_days(days, calendar)
    seconds, fraction = np.divmod(ms, 1000)
    century, minute = year // 100, seconds // 60
    pairs = np.empty((len(_PAIRS), len(ticks)), np.uint8)
    pairs[0], pairs[1] = century % 100, year % 100
    pairs[2], pairs[3] = month, day
    pairs[4], pairs[5], pairs[6] = minute // 60, minute % 60, seconds % 60
    tens = pairs // 10
    digits = np.tile(np.frombuffer(_ISO_ZERO, np.uint8), (len(ticks), 1))
    digits[:, _PAIRS] += tens.T
    digits[:, _PAIRS + 1] += (pairs - 10 * tens).T
    every, width = digits.tobytes().decode("ascii"), len(_ISO_ZERO)
    texts = [every[at : at + width] for at in range(0, len(every), width)]
    for index in np.flatnonzero(fraction).tolist():
        texts[index] = f"{texts[index][:-1]}.{fraction[index]:03d}Z"
    for index in np.flatnonzero((year < 0) | (year > 9999)).tolist():
        texts[index] = f"{year[index]:04d}{texts[index][4:]}"
    return texts


@lru_cache(maxsize=4096)
def format_tick(ticks: int, calendar: Calendar = "standard") -> str:
    """ISO 8601 text of one tick."""
    return format_ticks(np.array([ticks]), calendar)[0]


def clock_ms(hour: str | None, minute: str | None, second: str | None, fraction: str | None) -> int:
    """Milliseconds since midnight of the digits of a time of day."""
    whole = (int(hour or 0) * 60 + int(minute or 0)) * 60 + int(second or 0)
    return whole * 1000 + int((fraction or "0").ljust(3, "0")[:3])


def zone_ms(zone: str | None) -> int:
    """Milliseconds by which a zone (``+01:00``, ``Z``) is ahead."""
    if zone is None or zone.upper() == "Z":
        return 0
    hours, _, minutes = zone[1:].partition(":")
    if not minutes and len(hours) > 2:
        hours, minutes = hours[:-2], hours[-2:]
    ms = (int(hours) * 60 + int(minutes or 0)) * 60_000
    return -ms if zone[0] == "-" else ms


def _precision(
    month: str | None, day: str | None, hour: str | None, second: str | None, fraction: str | None
) -> Precision:
    levels: tuple[tuple[str | None, Precision], ...] = (
        (fraction, "millisecond"),
        (second, "second"),
        (hour, "minute"),
        (day, "day"),
        (month, "month"),
    )
    for part, precision in levels:
        if part is not None:
            return precision
    return "year"


@lru_cache(maxsize=4096)
def _start_of_day(year: int, month: int, day: int, calendar: Calendar) -> int:
    found = days_from_civil(np.array([year]), np.array([month]), np.array([day]), calendar)
    return int(found[0])


def _joined(*parts: tuple[int, str]) -> str:
    return "".join(f"{number}{letter}" for number, letter in parts if number)


def _no_time(text: str, subject: str) -> InvalidTime:
    return InvalidTime(
        f"'{text[:100]}' is no time; write ISO 8601, such as 2018-06-04T10:20:00Z or 2018-06-04",
        subject=subject,
    )
