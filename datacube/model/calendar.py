"""Civil dates and day numbers in the calendars of the CF conventions, vectorised.

A day number counts from 1970-01-01 of the calendar itself (CF conventions, section 4.4.1).
``standard`` is the mixed Julian/Gregorian calendar with the switch of 1582-10-15.
"""

from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from datacube.errors import InvalidTime

type Calendar = Literal[
    "standard", "proleptic_gregorian", "julian", "noleap", "all_leap", "360_day"
]
IntArray = NDArray[np.int64]

MS_PER_DAY = 86_400_000
_NAMES = {
    "gregorian": "standard",
    "365_day": "noleap",
    "366_day": "all_leap",
    "": "standard",
}
_CUMULATIVE: IntArray = np.array([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365])
_CUMULATIVE_LEAP: IntArray = np.array([0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366])
_GREGORIAN_START = -141427  # 1582-10-15 as a proleptic Gregorian day number


def calendar_named(text: str) -> Calendar:
    """The calendar that a CF ``calendar`` attribute names, whatever its case.

    Raises
    ------
    InvalidTime
        No calendar of CF has that name.

    Examples
    --------
    >>> calendar_named("Gregorian"), calendar_named("365_day")
    ('standard', 'noleap')
    """
    name = _NAMES.get(text.strip().lower(), text.strip().lower())
    known: tuple[Calendar, ...] = get_args(Calendar.__value__)
    for calendar in known:
        if calendar == name:
            return calendar
    raise InvalidTime(f"'{text}' is no calendar of the CF conventions; known: {', '.join(known)}")


def days_from_civil(
    year: IntArray, month: IntArray, day: IntArray, calendar: Calendar = "standard"
) -> IntArray:
    """Day numbers of civil dates; no check that the day exists.

    Parameters
    ----------
    year, month, day : int64, any equal shape
        Astronomical years (year 0 exists), month 1 … 12, day 1 … 31.

    Returns
    -------
    days : int64, same shape, days since 1970-01-01 of that calendar

    Examples
    --------
    >>> int(days_from_civil(np.array([2020]), np.array([2]), np.array([30]), "360_day")[0])
    18059
    """
    year, month, day = (np.asarray(part, np.int64) for part in (year, month, day))
    match calendar:
        case "360_day":
            return (year - 1970) * 360 + (month - 1) * 30 + day - 1
        case "noleap":
            return (year - 1970) * 365 + _CUMULATIVE[month - 1] + day - 1
        case "all_leap":
            return (year - 1970) * 366 + _CUMULATIVE_LEAP[month - 1] + day - 1
        case "proleptic_gregorian":
            return _gregorian(year, month, day)
        case "julian":
            return _julian(year, month, day) - _JULIAN_EPOCH
        case "standard":
            gregorian = _gregorian(year, month, day)
            old = (year * 10000 + month * 100 + day) < 15821015
            return np.where(old, _julian(year, month, day), gregorian) if old.any() else gregorian


def civil_from_days(  # noqa: PLR0911  one case for each calendar
    days: IntArray, calendar: Calendar = "standard"
) -> tuple[IntArray, IntArray, IntArray]:
    """Civil dates of day numbers: the inverse of :func:`days_from_civil`.

    Returns
    -------
    year, month, day : int64, shape of days
    """
    days = np.asarray(days, np.int64)
    match calendar:
        case "360_day":
            year, rest = np.divmod(days, 360)
            return year + 1970, rest // 30 + 1, rest % 30 + 1
        case "noleap":
            return _by_table(days, 365, _CUMULATIVE)
        case "all_leap":
            return _by_table(days, 366, _CUMULATIVE_LEAP)
        case "proleptic_gregorian":
            return _civil_gregorian(days)
        case "julian":
            return _civil_julian(days + _JULIAN_EPOCH)
        case "standard":
            new = _civil_gregorian(days)
            old = days < _GREGORIAN_START
            if not old.any():
                return new
            julian = _civil_julian(days)
            year, month, day = (np.where(old, a, b) for a, b in zip(julian, new, strict=True))
            return year, month, day


@lru_cache(maxsize=4096)
def days_in_month(year: int, month: int, calendar: Calendar = "standard") -> int:
    """Length of a month.

    Examples
    --------
    >>> [days_in_month(2023, 2, name) for name in ("noleap", "360_day", "all_leap")]
    [28, 30, 29]
    """
    following = (year + 1, 1) if month == 12 else (year, month + 1)
    start, end = (
        days_from_civil(np.array([y]), np.array([m]), np.array([1]), calendar)[0]
        for y, m in ((year, month), following)
    )
    if calendar == "standard" and (year, month) == (1582, 10):
        return 31  # the tenth month of 1582 ends on the 31st and has 21 days
    return int(end - start)


def _by_table(days: IntArray, length: int, table: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    year, rest = np.divmod(days, length)
    month = np.searchsorted(table, rest, side="right")
    return year + 1970, month.astype(np.int64), rest - table[month - 1] + 1


def _gregorian(year: IntArray, month: IntArray, day: IntArray) -> IntArray:
    shifted = year - (month <= 2)
    era, year_of_era = np.divmod(shifted, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    days: IntArray = era * 146097 + day_of_era - 719468
    return days


def _civil_gregorian(days: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    era, rest = np.divmod(days + 719468, 146097)
    year_of_era = (rest - rest // 1460 + rest // 36524 - rest // 146096) // 365
    day_of_year = rest - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = np.where(shifted < 10, shifted + 3, shifted - 9)
    return year_of_era + era * 400 + (month <= 2), month, day


def _julian(year: IntArray, month: IntArray, day: IntArray) -> IntArray:
    """Julian date on the time line of the proleptic Gregorian day number."""
    shifted = year - (month <= 2)
    cycle, year_of_cycle = np.divmod(shifted, 4)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    days: IntArray = cycle * 1461 + year_of_cycle * 365 + day_of_year - 719470
    return days


def _civil_julian(days: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    cycle, rest = np.divmod(days + 719470, 1461)
    year_of_cycle = (rest - rest // 1460) // 365
    day_of_year = rest - 365 * year_of_cycle
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = np.where(shifted < 10, shifted + 3, shifted - 9)
    return year_of_cycle + cycle * 4 + (month <= 2), month, day


_JULIAN_EPOCH = int(_julian(np.array([1970]), np.array([1]), np.array([1]))[0])
