"""TIME of WMS, WMTS and the APIs beside them: from text to choices, and how firm a choice is.

A choice is an instant (in any spelling of ISO 8601, whole days and months included), ``latest``,
or a range. A list becomes several choices in order of time; drawn one over the other they show
the most recent valid pixel, as a range does.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from datacube.errors import InvalidTime, RequestTooLarge
from datacube.model.axis import TimeAxis
from datacube.model.calendar import Calendar, days_in_month
from datacube.model.query import TimeChoice
from datacube.model.time import Period, TimePoint, TimeRange, Timestamp, format_tick

LONGEST_LIST = 16  # instants of one request
_LONGEST = 200  # characters for each
_LATEST = frozenset({"current", "latest", "now"})
_OPEN = frozenset({"", ".."})


@lru_cache(maxsize=4096)
def parse_times(
    text: str, subject: str = "time", most: int = LONGEST_LIST
) -> tuple[TimeChoice, ...]:
    """Read a TIME value: an instant, ``current``, a range, or a list of them.

    Parameters
    ----------
    text : str
        ``2020-01-01``, ``2020-01-01T06:00:00.000Z``, ``latest``, ``a,b,c``, ``a/b``, ``a/b/P1D``,
        ``a/..``, ``a/P3D``, ``P3D/b``.
    subject : str
        The parameter's name, for the error.
    most : int
        How many there may be.

    Returns
    -------
    choices : earliest first, ``latest`` last

    Raises
    ------
    InvalidTime
        Some part is no time, or a range ends before it starts.
    RequestTooLarge
        The list is too long.

    Examples
    --------
    >>> [choice.when for choice in parse_times("latest")]
    ['latest']
    >>> parse_times("2020-01-02,2020-01-01")[0].when.day
    1
    """
    if len(text) > most * _LONGEST:  # which would be remembered
        raise InvalidTime(f"'{text[:_LONGEST]} …' is no time", subject=subject)
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > most:
        raise RequestTooLarge(
            f"the list has {len(parts)} times; at most {most} can be asked at once",
            subject=subject,
        )
    choices = [TimeChoice(_parse_one(part, subject)) for part in parts]
    return tuple(sorted(choices, key=_order))


def in_calendar(choice: TimeChoice, calendar: Calendar) -> TimeChoice:
    """The choice for a cube of a calendar.

    Clients reckon in the Gregorian calendar. A day that it has and the cube's has not (31 January
    of 360_day, 29 February of noleap) means the last day of that month; a day that neither has is
    left as it is, and refused later.

    Examples
    --------
    >>> (choice,) = parse_times("1999-01-31")
    >>> in_calendar(choice, "360_day").when.day
    30
    """
    match choice.when:
        case Timestamp() as when:
            return TimeChoice(_existing(when, calendar))
        case TimeRange(start, end, period):
            first = None if start is None else _existing(start, calendar)
            last = None if end is None else _existing(end, calendar)
            return TimeChoice(TimeRange(first, last, period))
        case _:
            return choice


def _existing(stamp: Timestamp, calendar: Calendar) -> Timestamp:
    last = days_in_month(stamp.year, stamp.month, calendar)
    gregorian = days_in_month(stamp.year, stamp.month, "proleptic_gregorian")
    return replace(stamp, day=last) if last < stamp.day <= gregorian else stamp


def pinned(axis: TimeAxis | None, choices: tuple[TimeChoice, ...]) -> bool:
    """Whether later steps of the axis change nothing in what the choices name.

    So it is of the very steps, of ranges and months that hold some and end before the newest one,
    and of a cube without time; not of a default, ``latest``, and an instant between steps.

    Examples
    --------
    >>> axis = TimeAxis("time", np.arange(3) * 86_400_000)
    >>> [pinned(axis, parse_times(t)) for t in ("1970-01-02", "1970-01-02T06:00Z", "latest")]
    [True, False, False]
    >>> [pinned(axis, parse_times(t)) for t in ("1970-01-01/1970-01-02", "1970-01-02/1970-01-03")]
    [True, False]
    """
    if axis is None:
        return True
    return bool(choices) and all(
        _on_step(axis, choice) or _is_over(axis, choice) for choice in choices
    )


def _is_over(axis: TimeAxis, choice: TimeChoice) -> bool:
    """Whether it is a period with steps in it, the newest one after it."""
    match choice.when:
        case TimeRange() as span:
            pass
        case Timestamp(precision="year" | "month") as when:
            span = TimeRange(when, when)
        case _:
            return False
    try:
        first, last = span.span(axis.calendar)
    except InvalidTime:
        return False
    if last is None or last >= int(axis.ticks[-1]):
        return False
    begin = int(axis.ticks[0]) if first is None else first
    low, high = np.searchsorted(axis.ticks, [begin, last + 1])
    return bool(low < high)


def _on_step(axis: TimeAxis, choice: TimeChoice) -> bool:
    if not isinstance(choice.when, Timestamp) or choice.when.precision in {"year", "month"}:
        return False
    try:
        ticks = choice.when.ticks(axis.calendar)
    except InvalidTime:
        return False
    place = int(np.searchsorted(axis.ticks, ticks))
    return place < axis.size and int(axis.ticks[place]) == ticks


def _parse_one(text: str, subject: str) -> TimePoint | TimeRange:
    if "/" in text:
        return _parse_range([part.strip() for part in text.split("/")], text, subject)
    if text.lower() in _LATEST:
        return "latest"
    return Timestamp.parse(text, subject=subject)


def _parse_range(parts: list[str], text: str, subject: str) -> TimeRange:
    if len(parts) > 3:
        raise InvalidTime(
            f"'{text[:100]}' is no range; write start/end or start/end/period", subject=subject
        )
    step = Period.parse(parts[2], subject=subject) if len(parts) == 3 else None
    first, last = parts[:2]
    if _is_duration(first) and _is_duration(last):
        raise InvalidTime(f"'{text[:100]}' has no start and no end", subject=subject)
    if _is_duration(last):
        start = _end_point(first, subject)
        return TimeRange(start, _moved(start, last, 1, subject), step)
    end = _end_point(last, subject)
    if _is_duration(first):
        return TimeRange(_moved(end, first, -1, subject), end, step)
    start = _end_point(first, subject)
    if start is not None and end is not None and _first(start) > _last(end):
        raise InvalidTime(f"the range '{text[:100]}' ends before it starts", subject=subject)
    return TimeRange(start, end, step)


def _end_point(text: str, subject: str) -> Timestamp | None:
    if text in _OPEN or text.lower() in _LATEST:
        return None
    return Timestamp.parse(text, subject=subject)


def _is_duration(text: str) -> bool:
    return text[:1].upper() == "P"


def _moved(stamp: Timestamp | None, duration: str, times: int, subject: str) -> Timestamp:
    period = Period.parse(duration, subject=subject)
    if stamp is None:
        raise InvalidTime("a duration needs a start or an end beside it", subject=subject)
    try:
        moved = period.add_to(stamp.ticks("standard"), "standard", times)
        return Timestamp.parse(format_tick(moved), subject=subject)
    except (OverflowError, InvalidTime) as error:
        raise InvalidTime(
            f"the duration '{duration[:50]}' leads beyond the years that are counted",
            subject=subject,
        ) from error


def _first(stamp: Timestamp) -> tuple[int, int, int, int]:
    return stamp.year, stamp.month, stamp.day, stamp.ms


def _last(stamp: Timestamp) -> tuple[int, int, int, int]:
    end = 1 << 40
    match stamp.precision:
        case "year":
            return stamp.year, 12, 31, end
        case "month":
            return stamp.year, stamp.month, 31, end
        case "day":
            return stamp.year, stamp.month, stamp.day, end
        case _:
            return stamp.year, stamp.month, stamp.day, stamp.ms + 59_999


def _order(choice: TimeChoice) -> tuple[int, int, int, int]:
    match choice.when:
        case Timestamp():
            return _first(choice.when)
        case TimeRange(end=Timestamp() as end):
            return _last(end)
        case _:
            return 1 << 40, 0, 0, 0
