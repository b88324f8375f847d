"""Trims and slices of time, levels and members -> index ranges.

The rules of a trim are those of :mod:`datacube.slicing.select`, on coordinates instead of cells:

- ``cells``, ``inside``: every place from low to high, both included
- ``strict-inside``: the same, and an error where low or high leaves the axis
- ``nearest``: from the place nearest low to the one nearest high
- ``outside``: widened to the places that enclose low and high

A date or clock time that holds steps means these steps whatever the rule. Labels know no distance:
every rule takes them as they are named.
"""

from collections.abc import Sequence
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from datacube.errors import InvalidSubset, InvalidTime, SubsetOutOfDomain
from datacube.model.axis import Axis, IndexAxis, IrregularAxis, RegularAxis, TimeAxis, axis_value
from datacube.model.query import Point, Slice, Trim
from datacube.model.time import Timestamp
from datacube.slicing.select import Span


def select_places(axis: Axis, subset: Trim | Slice, tolerance: int | None = None) -> Span:
    """Places of another axis (time, elevation, members) that a subset takes.

    Parameters
    ----------
    tolerance : int, optional
        How far, in milliseconds, a time may be from the slice it means; half the median step
        where None.

    Raises
    ------
    InvalidSubset
        A trim's low is above its high, or a number was expected.
    SubsetOutOfDomain
        Nothing of it lies on the axis; the message gives the valid range.
    """
    match subset:
        case Slice(_, point):
            index = nearest_place(axis, point, tolerance)
            if index is None:
                raise out_of_axis(axis, str(_shown(point)))
            return Span(index, index + 1, dropped=True)
        case Trim():
            return _trim_places(axis, subset)


def nearest_place(axis: Axis, point: Point, tolerance: int | None = None) -> int | None:
    """Index of the place nearest to a point, None where it is too far from every place.

    Too far is: for a time beyond the tolerance, for a number beyond half the distance of the
    neighbours. A partial date (a day, a month) that holds places means the latest of them.
    """
    match axis:
        case TimeAxis():
            return _nearest_time(axis, point, tolerance)
        case IndexAxis():
            return _labelled(axis, point)
        case RegularAxis() | IrregularAxis():
            return _nearest_number(axis.coordinates, number(axis, point))
        case _:
            assert_never(axis)


def out_of_axis(axis: Axis, what: str) -> SubsetOutOfDomain:
    """The error that names the valid range of an axis."""
    first, last = (_shown(axis_value(axis, index)) for index in (0, -1))
    return SubsetOutOfDomain(
        f"{axis.name}: {what} is outside; it runs from {first} to {last}", subject=axis.name
    )


def number(axis: Axis, point: Point) -> float:
    """A point of a numeric axis.

    Raises
    ------
    InvalidSubset
        It is not a number.
    """
    if isinstance(point, Timestamp) or point == "latest":
        raise InvalidSubset(f"{axis.name}: a number is needed, not a time", subject=axis.name)
    try:
        value = float(point)
    except ValueError:
        raise InvalidSubset(f"{axis.name}: '{point}' is no number", subject=axis.name) from None
    if not np.isfinite(value):
        raise InvalidSubset(f"{axis.name}: '{point}' is not finite", subject=axis.name)
    return value


def times_named(axis: TimeAxis, when: Timestamp) -> range:
    """Indexes of the instants that a time names, perhaps none.

    A date or a clock time that is a step names that step; a month, a year, and a date without a
    step at midnight name every step within.
    """
    first, last = when.span(axis.calendar)
    inside = times_within(axis, first, last)
    exact = len(inside) > 0 and int(axis.ticks[inside[0]]) == first
    return inside[:1] if exact and when.precision not in {"year", "month"} else inside


def _nearest_time(axis: TimeAxis, point: Point, tolerance: int | None) -> int | None:
    if point == "latest":
        return axis.size - 1
    if isinstance(point, float | int):
        tick = int(point)
    else:
        stamp = point if isinstance(point, Timestamp) else Timestamp.parse(point, subject=axis.name)
        if named := times_named(axis, stamp):
            return named[-1]
        tick = stamp.ticks(axis.calendar)
    allowed = axis.median_step // 2 if tolerance is None else tolerance
    at = int(np.searchsorted(axis.ticks, tick))
    near = [index for index in (at - 1, at) if 0 <= index < axis.size]
    best = min(near, key=lambda index: abs(int(axis.ticks[index]) - tick))
    return best if abs(int(axis.ticks[best]) - tick) <= allowed else None


def _labelled(axis: IndexAxis, point: Point) -> int | None:
    text = str(point)
    if text in axis.labels:
        return axis.labels.index(text)
    if axis.labels and not isinstance(point, float | int):
        return None
    index = round(number(axis, point))
    return index if 0 <= index < axis.size else None


def _nearest_number(coordinates: NDArray[np.float64], value: float) -> int | None:
    """Nearest coordinate within half its distance to the neighbour; the other sign too."""
    for signed in (value, -value):
        index = int(np.abs(coordinates - signed).argmin())
        if abs(float(coordinates[index]) - signed) <= _reach(coordinates, index):
            return index
    return None


def _reach(coordinates: NDArray[np.float64], index: int) -> float:
    if len(coordinates) == 1:
        return max(0.5 * abs(float(coordinates[0])), 0.5)
    neighbours = coordinates[max(index - 1, 0) : index + 2]
    return 0.5 * float(np.abs(np.diff(neighbours)).max()) * (1 + 1e-9)


def _trim_places(axis: Axis, trim: Trim) -> Span:
    inside: Sequence[int]
    match axis:
        case TimeAxis():
            inside = _times_within(axis, trim)
        case IndexAxis():
            inside = _labels_within(axis, trim)
        case RegularAxis() | IrregularAxis():
            inside = _numbers_within(axis, trim)
        case _:
            assert_never(axis)
    if len(inside) == 0:
        raise out_of_axis(axis, f"{_shown(trim.low)} to {_shown(trim.high)}")
    clamped = _reaches_beyond(axis, trim.low, trim.high)
    return Span(int(inside[0]), int(inside[-1]) + 1, clamped=clamped)


def _reaches_beyond(axis: Axis, low: Point | None, high: Point | None) -> bool:
    """Whether a trim of time asks for more than a step before the first or after the last."""
    if not isinstance(axis, TimeAxis):
        return False
    first, last = _tick(axis, low, 0), _tick(axis, high, 1)
    early = first is not None and first <= int(axis.ticks[0]) - axis.median_step
    return early or (last is not None and last > int(axis.ticks[-1]) + axis.median_step)


def times_within(axis: TimeAxis, first: int | None, last: int | None) -> range:
    """Indexes of the instants from first to last tick, both included; None is open."""
    start = 0 if first is None else int(np.searchsorted(axis.ticks, first))
    stop = axis.size if last is None else int(np.searchsorted(axis.ticks, last, side="right"))
    return range(start, max(stop, start))


def _times_within(axis: TimeAxis, trim: Trim) -> Sequence[int]:
    first, last = _tick(axis, trim.low, 0), _tick(axis, trim.high, 1)
    if first is not None and last is not None and first > last:
        raise InvalidSubset(
            f"{axis.name}: {_shown(trim.low)} is later than {_shown(trim.high)}", subject=axis.name
        )
    if trim.rule in {"cells", "inside"} or not axis.size:
        return times_within(axis, first, last)
    low = _named_tick(axis, trim.low, first, 0)
    high = _named_tick(axis, trim.high, last, -1)
    ends = _by_rule(axis, axis.ticks, low, high, trim, axis.median_step / 2)
    return range(0) if ends is None else times_within(axis, int(ends[0]), int(ends[1]))


def _named_tick(axis: TimeAxis, point: Point | None, tick: int | None, end: int) -> int | None:
    """The first or last step within a date or clock time; its begin or end where it has none."""
    if tick is None or not isinstance(point, Timestamp):
        return tick
    named = times_within(axis, *point.span(axis.calendar))
    return int(axis.ticks[named[end]]) if named else tick


def _by_rule(
    axis: Axis,
    coordinates: NDArray[Any],
    low: float | None,
    high: float | None,
    trim: Trim,
    reach: float,
) -> tuple[float, float] | None:
    """Both ends moved as a rule says; None where the interval is farther off than reach."""
    first, last = coordinates.min().item(), coordinates.max().item()
    low, high = first if low is None else low, last if high is None else high
    match trim.rule:
        case "cells" | "inside":
            return low, high
        case "strict-inside":
            if low < first or high > last:
                raise out_of_axis(axis, f"a part of {_shown(trim.low)} to {_shown(trim.high)}")
            return low, high
        case "nearest" | "outside":
            if low > last + reach or high < first - reach:
                return None
            if trim.rule == "nearest":
                return _nearest(coordinates, low), _nearest(coordinates, high)
            below, above = coordinates[coordinates <= low], coordinates[coordinates >= high]
            return below.max(initial=first).item(), above.min(initial=last).item()
        case _:
            assert_never(trim.rule)


def _nearest(coordinates: NDArray[Any], value: float) -> float:
    return float(coordinates[np.abs(coordinates - value).argmin()])


def _tick(axis: TimeAxis, point: Point | None, end: int) -> int | None:
    if point is None:
        return None
    if point == "latest":
        return int(axis.ticks[-1])
    if isinstance(point, float | int):
        return int(point)
    stamp = point if isinstance(point, Timestamp) else Timestamp.parse(point, subject=axis.name)
    try:
        return stamp.span(axis.calendar)[end]
    except InvalidTime as error:
        raise InvalidSubset(error.message, subject=axis.name) from error


def _labels_within(axis: IndexAxis, trim: Trim) -> Sequence[int]:
    first = 0 if trim.low is None else _labelled(axis, trim.low)
    last = axis.size - 1 if trim.high is None else _labelled(axis, trim.high)
    if first is None or last is None:
        raise out_of_axis(axis, f"{_shown(trim.low)} to {_shown(trim.high)}")
    return range(min(first, last), max(first, last) + 1)


def _numbers_within(axis: RegularAxis | IrregularAxis, trim: Trim) -> list[int]:
    coordinates = axis.coordinates
    first = None if trim.low is None else number(axis, trim.low)
    last = None if trim.high is None else number(axis, trim.high)
    if first is not None and last is not None and first > last:
        raise InvalidSubset(f"{axis.name}: low {first:g} is above high {last:g}", subject=axis.name)
    ends = _by_rule(axis, coordinates, first, last, trim, _reach_of(coordinates))
    if ends is None:
        return []
    slack = 1e-9 * max(abs(ends[0]), abs(ends[1]))
    inside = (coordinates >= ends[0] - slack) & (coordinates <= ends[1] + slack)
    return [int(index) for index in np.flatnonzero(inside)]


def _reach_of(coordinates: NDArray[np.float64]) -> float:
    """How far beyond its ends an axis is still meant."""
    return max(_reach(coordinates, 0), _reach(coordinates, len(coordinates) - 1))


def _shown(point: object) -> object:
    match point:
        case None:
            return "*"
        case Timestamp(year, month, day):
            return f"{year:04d}-{month:02d}-{day:02d}"
        case float():
            return f"{point:g}"
        case _:
            return point
