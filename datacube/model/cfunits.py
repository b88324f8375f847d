"""CF numeric times (``hours since 1900-01-01``) as ticks."""

import re
from math import floor

import numpy as np
from numpy.typing import NDArray

from datacube.errors import InvalidTime
from datacube.model.calendar import MS_PER_DAY, Calendar
from datacube.model.time import TickArray, Timestamp, add_months, clock_ms, zone_ms

_CF_UNITS = re.compile(r"^\s*(?P<unit>[A-Za-z]+)\s+since\s+(?P<reference>.+?)\s*$", re.IGNORECASE)
_MONTHLY = re.compile(
    r"^\s*(?P<unit>months?|years?)\s+since\s+(?P<reference>.+?)\s*$", re.IGNORECASE
)
_LONGEST = 1_200_000  # months
_FARTHEST = 400_000 * 366 * MS_PER_DAY
_NOTHING = (None,) * 8
_MS: dict[str, float] = {
    **dict.fromkeys(("ns", "nsec", "nanosecond"), 1e-6),
    **dict.fromkeys(("us", "usec", "microsecond"), 1e-3),
    **dict.fromkeys(("ms", "msec", "millisecond"), 1),
    **dict.fromkeys(("s", "sec", "second"), 1000),
    **dict.fromkeys(("min", "minute"), 60_000),
    **dict.fromkeys(("h", "hr", "hour"), 3_600_000),
    **dict.fromkeys(("d", "day"), MS_PER_DAY),
    "week": 7 * MS_PER_DAY,
}


def decode_cf(
    values: NDArray[np.generic], units: str, calendar: Calendar = "standard"
) -> TickArray:
    """Ticks of CF numeric times (``hours since 1900-01-01``), rounded to the millisecond.

    Months and years are those of the calendar, a part of one is that part of its length.

    Parameters
    ----------
    values : integer or float, any shape, in units

    Returns
    -------
    ticks : int64, same shape

    Raises
    ------
    InvalidTime
        The units are not ``UNIT since REFERENCE``, or a time is too far from the reference.

    Examples
    --------
    >>> from datacube.model.time import format_ticks
    >>> format_ticks(decode_cf(np.array([6]), "hours since 2020-01-01 00:00:00"))
    ['2020-01-01T06:00:00Z']
    >>> format_ticks(decode_cf(np.array([1, 1.5]), "months since 2020-01-01"))
    ['2020-02-01T00:00:00Z', '2020-02-15T12:00:00Z']
    """
    values = np.asarray(values)
    if (found := _MONTHLY.match(units)) is not None:
        months = 12 if found["unit"].lower().startswith("y") else 1
        return _by_months(
            values.astype(np.float64) * months, _reference(found["reference"]), calendar
        )
    unit_ms, reference = _cf_units(units)
    start = reference.ticks(calendar)
    if not _near(values, unit_ms).all():
        raise InvalidTime("times reach beyond 400,000 years from their reference", subject="units")
    if unit_ms < 1:
        fine = round(1 / unit_ms)
        return start + (values.round().astype(np.int64) + fine // 2) // fine
    unit_ms = round(unit_ms)
    if np.issubdtype(values.dtype, np.integer):
        return start + values.astype(np.int64) * unit_ms
    whole = np.floor(values.astype(np.float64))
    rest = np.rint((values.astype(np.float64) - whole) * unit_ms).astype(np.int64)
    return start + whole.astype(np.int64) * unit_ms + rest


def within_reach(values: NDArray[np.generic], units: str) -> NDArray[np.bool_]:
    """Which of some CF numeric times :func:`decode_cf` can turn into ticks.

    Examples
    --------
    >>> within_reach(np.array([1.0, 1e30, np.nan]), "days since 2000-01-01").tolist()
    [True, False, False]
    """
    if (found := _MONTHLY.match(units)) is not None:
        return _near(values, _FARTHEST / _LONGEST * (12 if found["unit"].lower()[0] == "y" else 1))
    return _near(values, _cf_units(units)[0])


def _near(values: NDArray[np.generic], unit_ms: float) -> NDArray[np.bool_]:
    return np.asarray(np.abs(np.asarray(values, np.float64)) <= _FARTHEST / unit_ms)


def _by_months(values: NDArray[np.floating], since: Timestamp, calendar: Calendar) -> TickArray:
    if not (np.abs(values) <= _LONGEST).all():
        raise InvalidTime("times in months or years reach beyond 100,000 years", subject="units")
    start = since.ticks(calendar)
    ticks = []
    for value in values.ravel().tolist():
        whole = floor(value)
        first, last = (add_months(start, whole + one, calendar) for one in (0, 1))
        ticks.append(first + round((value - whole) * (last - first)))
    return np.array(ticks, np.int64).reshape(values.shape)


def _cf_units(units: str) -> tuple[float, Timestamp]:
    found = _CF_UNITS.match(units)
    unit = found["unit"].lower() if found else ""
    unit_ms = _MS.get(unit) or _MS.get(unit.removesuffix("s"))
    if found is None or unit_ms is None:
        raise InvalidTime(
            f"the time units '{units}' are not of the form 'hours since 1970-01-01'",
            subject="units",
        )
    return unit_ms, _reference(found["reference"])


def _reference(text: str) -> Timestamp:
    """CF allows 1900-1-1 0:0:0, 1900-01-01 00:00:0.0 and a trailing UTC."""
    found = re.match(
        r"^([+-]?\d{1,6})-(\d{1,2})-(\d{1,2})"
        r"(?:[T ]+(\d{1,2})(?::(\d{1,2}))?(?::(\d{1,2})(?:\.(\d+))?)?)?"
        r"\s*(Z|UTC|GMT|[+-]\d{1,2}(?::?\d{2})?)?$",
        text,
        re.IGNORECASE,
    )
    parts: tuple[str | None, ...] = found.groups() if found else _NOTHING
    year, month, day = (int(part or 0) for part in parts[:3])
    hour, minute, second, fraction, zone = parts[3:]
    signed = zone is not None and zone[0] in "+-"
    # 1900-1-1 -6:00 has a zone to some, a clock to others
    if not (1 <= month <= 12 and 1 <= day <= 31) or (signed and hour is None):
        raise InvalidTime(f"the reference time '{text}' cannot be read", subject="units")
    ms = clock_ms(hour, minute, second, fraction) - (zone_ms(zone) if signed else 0)
    return Timestamp(year, month, day, ms, "millisecond")
