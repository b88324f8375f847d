"""What documents list of a dimension: values where they are few, ranges where they are many.

A list and ranges are never mixed (some clients drop the single values), a range always has a
period that is not zero, and no date is listed that a Gregorian parser refuses.
"""

from functools import lru_cache

import numpy as np

from datacube.errors import InvalidTime
from datacube.model.axis import Axis, IndexAxis, RegularAxis, TimeAxis, axis_values
from datacube.model.calendar import MS_PER_DAY
from datacube.model.time import Period, Timestamp, format_tick

LISTED = 100  # steps up to which an irregular axis is written out
LISTED_TILES = 32  # steps up to which any axis is written out for WMTS
LISTED_AT_MOST = 2000  # steps, or runs of steps, that are written out
COVERING = 64  # ranges that cover a longer one
_GREGORIAN = frozenset({"standard", "proleptic_gregorian"})


@lru_cache(maxsize=64)
def time_extent(axis: TimeAxis) -> tuple[str, ...]:
    """Instants, or ``start/end/period`` ranges, that stand for a time axis in a WMS.

    Examples
    --------
    >>> time_extent(TimeAxis("time", np.arange(3) * 86_400_000))
    ('1970-01-01T00:00:00Z/1970-01-03T00:00:00Z/P1D',)
    """
    first, last = (format_tick(int(axis.ticks[end]), axis.calendar) for end in (0, -1))
    if axis.size == 1:
        return (listed_time(first),)
    if axis.period is not None:
        return (_range(first, last, axis.period),)
    return _irregular(axis)


def described_times(axis: TimeAxis, *, full: bool = False) -> tuple[str, ...]:
    """Instants, or ranges of many or of such that no Gregorian parser takes, for descriptions.

    Parameters
    ----------
    full : bool, whether every instant is wanted, however many there are

    Examples
    --------
    >>> described_times(TimeAxis("time", np.array([0, 86_400_000])))
    ('1970-01-01T00:00:00Z', '1970-01-02T00:00:00Z')
    """
    few = full or axis.size <= LISTED_AT_MOST
    return axis.iso if few and _listable(axis) else time_extent(axis)


def tile_times(axis: TimeAxis) -> tuple[str, ...]:
    """Values of a time axis in a WMTS: all of one form, dates where every step is midnight."""
    if axis.size <= LISTED_TILES and _listable(axis):
        return tuple(tile_time(axis, text) for text in axis.iso)
    return time_extent(axis)


def tile_time(axis: TimeAxis, iso: str) -> str:
    """One of them: the date alone where the axis has nothing but midnights and is written out.

    ``current`` stays what it is.
    """
    if axis.size <= LISTED_TILES and _listable(axis) and _all_midnights(axis):
        return iso.partition("T")[0]
    return iso


def default_time(axis: TimeAxis) -> str:
    """The newest instant; ``current``, which means the same, where its date cannot be listed."""
    newest = format_tick(int(axis.ticks[-1]), axis.calendar)
    return newest if listed_time(newest) == newest else "current"


def listed_time(iso: str) -> str:
    """The instant as a Gregorian parser takes it: the month's last day for a day it lacks."""
    stamp = Timestamp.parse(iso)
    for day in range(stamp.day, 27, -1):
        date = f"{iso[: iso.index('T') - 2]}{day:02d}"
        try:
            Timestamp.parse(date).ticks("proleptic_gregorian")
        except InvalidTime:
            continue
        return date + iso[iso.index("T") :]
    return iso


def axis_extent(axis: Axis) -> tuple[str, ...]:
    """Values of any axis but time, as text.

    Examples
    --------
    >>> import numpy as np
    >>> from datacube.model.axis import IrregularAxis
    >>> axis_extent(IrregularAxis("depth", np.array([0.5, 10.0])))
    ('0.5', '10')
    """
    values = axis_values(axis)
    if isinstance(values, tuple):
        return values
    return tuple(plain_number(value) for value in values.tolist())


def level_extent(axis: Axis) -> tuple[str, ...]:
    """The values of a vertical axis, or the range ``low/high/step`` of many regular ones.

    Examples
    --------
    >>> from datacube.model.axis import RegularAxis
    >>> level_extent(RegularAxis("height", 0.0, 5.0, 201)), level_extent(RegularAxis("z", 0, 5, 3))
    (('0/1000/5',), ('0', '5', '10'))
    """
    if isinstance(axis, RegularAxis) and axis.size > LISTED:
        ends = sorted((axis.origin, axis.origin + axis.step * (axis.size - 1)))
        return ("/".join(map(plain_number, (*ends, abs(axis.step)))),)
    return axis_extent(axis)


def shown_place(place: float | str | tuple[float, float]) -> str:
    """A place of an axis, or a range of them, as :func:`axis_extent` writes it.

    Examples
    --------
    >>> shown_place(0.5), shown_place("E1"), shown_place((0.0, 425.0))
    ('0.5', 'E1', '0/425')
    """
    match place:
        case str():
            return place
        case (low, high):
            return f"{plain_number(low)}/{plain_number(high)}"
        case number:
            return plain_number(number)


def axis_unit(axis: Axis) -> str:
    """Unit of an axis; empty for places without one."""
    return "" if isinstance(axis, IndexAxis | TimeAxis) else axis.uom


def plain_number(value: float) -> str:
    """Shortest text that reads back as the same number, without ``.0``."""
    return repr(float(value)).removesuffix(".0")


def _range(start: str, end: str, period: Period) -> str:
    return f"{listed_time(start)}/{listed_time(end)}/{period}"


def _listable(axis: TimeAxis) -> bool:
    return axis.calendar in _GREGORIAN or all(listed_time(text) == text for text in axis.iso)


def _all_midnights(axis: TimeAxis) -> bool:
    return not (axis.ticks % MS_PER_DAY).any()


def _irregular(axis: TimeAxis) -> tuple[str, ...]:
    if axis.size <= LISTED and _listable(axis):
        return axis.iso
    if _fewest_runs(axis) > LISTED_AT_MOST:
        return _covering(axis)
    runs = tuple(_range(*run) for run in axis.segments())
    if len(runs) > LISTED_AT_MOST:
        return _covering(axis)
    if len(runs) * 3 <= axis.size or axis.size > LISTED_AT_MOST or not _listable(axis):
        return runs
    return axis.iso


def _fewest_runs(axis: TimeAxis) -> int:
    """Lower bound of the number of runs of equal steps, without making them."""
    changes = np.count_nonzero(np.diff(np.diff(axis.ticks)))
    return int(changes) // 2


def _covering(axis: TimeAxis) -> tuple[str, ...]:
    """Ranges over the real steps, each with the mean step of its part, in whole seconds."""
    ranges = []
    for part in range(COVERING):
        first, last = part * axis.size // COVERING, (part + 1) * axis.size // COVERING - 1
        start, end = int(axis.ticks[first]), int(axis.ticks[last])
        step = max((end - start) // max(last - first, 1) // 1000 * 1000, 1000)
        ranges.append(
            _range(
                format_tick(start, axis.calendar), format_tick(end, axis.calendar), Period(ms=step)
            )
        )
    return tuple(ranges)
