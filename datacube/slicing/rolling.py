"""Rolling windows of a time axis: so many steps, or a duration, in any calendar."""

import numpy as np

from datacube.errors import InvalidParameter, InvalidTime
from datacube.model.axis import TimeAxis
from datacube.model.calendar import MS_PER_DAY, Calendar, civil_from_days
from datacube.model.time import Period
from datacube.slicing.periods import Bin, TickArray, checked, day_starts, made, month_starts

type Window = int | Period


def parse_window(text: str, *, subject: str = "window") -> Window:
    """A number of steps, or an ISO 8601 duration.

    Raises
    ------
    InvalidParameter
        It is neither.

    Examples
    --------
    >>> parse_window("30"), str(parse_window("P30D"))
    (30, 'P30D')
    """
    written = text.strip()
    if written.isdecimal() and 0 < len(written) < 10 and int(written):
        return int(written)
    try:
        return Period.parse(written, subject=subject)
    except InvalidTime as error:
        raise InvalidParameter(
            f"'{text[:40]}' is no window; write a number of steps such as 7, or an ISO 8601 "
            "duration such as P30D",
            subject=subject,
        ) from error


def rolling(axis: TimeAxis, window: Window, *, partial: bool = False) -> tuple[Bin, ...]:
    """Trailing windows: one for each instant, which is its last.

    Parameters
    ----------
    axis : TimeAxis
    window : int or Period
        So many instants, or all that are later than a period before the last one.
    partial : bool
        Keep windows that begin before the axis does: fewer instants than window, or a period
        that begins more than one step (the median of all) before the first instant.

    Returns
    -------
    bins : label is the window's last instant; first is one millisecond after the period's begin

    Raises
    ------
    InvalidParameter
        The window is empty, or longer than a million years.

    Examples
    --------
    >>> axis = TimeAxis("time", np.arange(5) * 86_400_000)
    >>> [(one.start, one.stop) for one in rolling(axis, 3)]
    [(0, 3), (1, 4), (2, 5)]
    >>> rolling(axis, Period.parse("P3D"))[0].size, len(rolling(axis, 3, partial=True))
    (3, 5)
    """
    if not axis.size:
        return ()
    return made(*_windows(axis, window, np.arange(axis.size), partial=partial))


def window_at(axis: TimeAxis, index: int, window: Window) -> Bin | None:
    """The window that ends with one instant; None where it begins before the axis does.

    Examples
    --------
    >>> axis = TimeAxis("time", np.arange(5) * 86_400_000)
    >>> window_at(axis, 1, 3), window_at(axis, 4, Period.parse("P2D")).start
    (None, 3)
    """
    found = made(*_windows(axis, window, np.array([index]), partial=False))
    return found[0] if found else None


def _windows(
    axis: TimeAxis, window: Window, ends: TickArray, *, partial: bool
) -> tuple[TickArray, ...]:
    """Start, stop, first, last and label of the windows that end at some instants."""
    ticks = axis.ticks[ends]
    if isinstance(window, Period):
        begins = _earlier(ticks, axis.calendar, checked(window))
        starts, firsts = np.searchsorted(axis.ticks, begins, side="right"), begins + 1
        whole = begins >= axis.ticks[0] - axis.median_step
    else:
        if window < 1:
            raise InvalidParameter(f"a window of {window} instants is empty", subject="window")
        starts = np.maximum(ends + 1 - window, 0)
        firsts, whole = axis.ticks[starts], ends + 1 >= window
    columns = (starts, ends + 1, firsts, ticks + 1, ticks)
    return tuple(part if partial else part[whole] for part in columns)


def _earlier(ticks: TickArray, calendar: Calendar, period: Period) -> TickArray:
    """Each tick a period earlier; the last day of the month where it has not as many."""
    if not period.months:
        return np.asarray(ticks - period.ms)
    days, clock = np.divmod(ticks, MS_PER_DAY)
    year, month, day = civil_from_days(days, calendar)
    months = year * 12 + month - 1 - period.months
    ends = month_starts(months + 1, calendar) // MS_PER_DAY - 1
    longest = civil_from_days(ends, calendar)[2]
    return day_starts(months, np.minimum(day, longest), calendar) + clock - period.ms
