"""Trims and slices -> index ranges, one axis at a time.

The rules for a trim of a horizontal axis (``u`` counts cells from the grid's corner):

- ``cells``: every cell that the interval overlaps by more than 10^-6 of a cell (WCS 2.0.1 here)
- ``inside``: every cell whose centre lies in the interval
- ``strict-inside``: the same, and an error where the interval leaves the axis
- ``nearest``: from the centre nearest low to the centre nearest high, both included
- ``outside``: widened to the enclosing centres
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from datacube.errors import InvalidSubset, InvalidTime, SubsetOutOfDomain
from datacube.model.axis import Axis, IndexAxis, IrregularAxis, RegularAxis, TimeAxis, axis_value
from datacube.model.query import Point, SelectionRule, Slice, Trim
from datacube.model.time import Timestamp

_TINY = 1e-6
_FAR = 1e15


@dataclass(frozen=True, slots=True)
class Span:
    """Indexes start … stop - 1 of an axis.

    Parameters
    ----------
    start, stop : int
        On a horizontal axis that goes round the globe they may lie outside 0 … size.
    dropped : bool
        True for a slice: the axis is gone in the answer.
    clamped : bool
        True where the request reached beyond the axis.
    """

    start: int
    stop: int
    dropped: bool = False
    clamped: bool = False

    @property
    def size(self) -> int:
        """Number of indexes."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class CellRow:
    """A horizontal axis seen alone: where its cells' edges are.

    Parameters
    ----------
    name : str
    edge : float, outer edge of the first cell
    step : float, signed cell size
    size : int
    wraps : bool, whether the last cell touches the first (a globe's longitudes)
    turn : float or None
        360 in a geographic CRS: coordinates may be off by whole turns.
    """

    name: str
    edge: float
    step: float
    size: int
    wraps: bool = False
    turn: float | None = None

    @property
    def ends(self) -> tuple[float, float]:
        """Smallest and largest coordinate of the outer edges."""
        far = self.edge + self.step * self.size
        return min(self.edge, far), max(self.edge, far)


def select_cells(row: CellRow, low: float | None, high: float | None, rule: SelectionRule) -> Span:
    """Columns or rows that an interval takes.

    Parameters
    ----------
    low, high : float or None (open), in the grid's CRS
        ``low > high`` is allowed where the axis has a turn: the interval runs over ±180°.

    Raises
    ------
    InvalidSubset
        low is above high.
    SubsetOutOfDomain
        Nothing of the interval lies on the axis.

    Examples
    --------
    >>> longitudes = CellRow("Long", -180.0, 1.0, 360, wraps=True, turn=360.0)
    >>> select_cells(longitudes, 170.0, -170.0, "cells")
    Span(start=350, stop=370, dropped=False, clamped=False)
    >>> select_cells(longitudes, 5.2, 6.7, "nearest")
    Span(start=185, stop=187, dropped=False, clamped=False)
    """
    first, last = row.ends
    low, high = (_sane(first if low is None else low), _sane(last if high is None else high))
    if row.turn is not None and low > high:
        high += row.turn * ceil((low - high) / row.turn)
    if low > high:
        raise InvalidSubset(f"{row.name}: low {low:g} is above high {high:g}", subject=row.name)
    if row.wraps and row.turn is not None and high - low >= row.turn * (1 - 1e-9):
        return Span(0, row.size)
    if row.turn is not None:
        shift = _turns(low, high, first, last, row.turn)
        low, high = low + shift, high + shift
    edges = ((low - row.edge) / row.step, (high - row.edge) / row.step)
    begin, end = _by_rule(min(edges), max(edges), rule)
    if row.wraps:
        return Span(begin, end)
    if rule == "strict-inside" and (min(edges) < -_TINY or max(edges) > row.size + _TINY):
        raise _outside(row.name, low, high, first, last)
    start, stop = max(begin, 0), min(end, row.size)
    if start >= stop:
        raise _outside(row.name, low, high, first, last)
    beyond = min(edges) < -_TINY or max(edges) > row.size + _TINY
    return Span(start, stop, clamped=beyond)


def slice_cell(row: CellRow, point: float) -> Span:
    """The cell that holds a point; at the outer edge the last one.

    Raises
    ------
    SubsetOutOfDomain
        The point is beyond the outer edges.
    """
    first, last = row.ends
    point = _sane(point)
    if row.turn is not None:
        point += _turns(point, point, first, last, row.turn)
    u = (point - row.edge) / row.step
    if not -_TINY <= u <= row.size + _TINY:
        raise _outside(row.name, point, point, first, last)
    index = min(max(floor(u), 0), row.size - 1)
    return Span(index, index + 1, dropped=True)


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
        case Trim(_, low, high):
            return _trim_places(axis, low, high)


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


def _trim_places(axis: Axis, low: Point | None, high: Point | None) -> Span:
    inside: Sequence[int]
    match axis:
        case TimeAxis():
            inside = _times_within(axis, low, high)
        case IndexAxis():
            inside = _labels_within(axis, low, high)
        case RegularAxis() | IrregularAxis():
            inside = _numbers_within(axis, low, high)
        case _:
            assert_never(axis)
    if len(inside) == 0:
        raise out_of_axis(axis, f"{_shown(low)} to {_shown(high)}")
    return Span(int(inside[0]), int(inside[-1]) + 1, clamped=_reaches_beyond(axis, low, high))


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


def _times_within(axis: TimeAxis, low: Point | None, high: Point | None) -> Sequence[int]:
    first, last = _tick(axis, low, 0), _tick(axis, high, 1)
    if first is not None and last is not None and first > last:
        raise InvalidSubset(
            f"{axis.name}: {_shown(low)} is later than {_shown(high)}", subject=axis.name
        )
    return times_within(axis, first, last)


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


def _labels_within(axis: IndexAxis, low: Point | None, high: Point | None) -> Sequence[int]:
    first = 0 if low is None else _labelled(axis, low)
    last = axis.size - 1 if high is None else _labelled(axis, high)
    if first is None or last is None:
        raise out_of_axis(axis, f"{_shown(low)} to {_shown(high)}")
    return range(min(first, last), max(first, last) + 1)


def _numbers_within(
    axis: RegularAxis | IrregularAxis, low: Point | None, high: Point | None
) -> list[int]:
    coordinates = axis.coordinates
    first = float(coordinates.min()) if low is None else number(axis, low)
    last = float(coordinates.max()) if high is None else number(axis, high)
    if first > last:
        raise InvalidSubset(f"{axis.name}: low {first:g} is above high {last:g}", subject=axis.name)
    slack = 1e-9 * max(abs(first), abs(last))
    inside = (coordinates >= first - slack) & (coordinates <= last + slack)
    return [int(index) for index in np.flatnonzero(inside)]


def _sane(coordinate: float) -> float:
    """The coordinate, or one that is as surely outside every axis where it would overflow."""
    return min(max(coordinate, -_FAR), _FAR)


def _by_rule(low: float, high: float, rule: SelectionRule) -> tuple[int, int]:
    """First index and one past the last, for low ≤ high in cells from the corner."""
    match rule:
        case "cells":
            begin, end = floor(low + _TINY), ceil(high - _TINY)
            return (begin, end) if end > begin else (begin, begin + 1)
        case "inside" | "strict-inside":
            return ceil(low - 0.5 - _TINY), floor(high - 0.5 + _TINY) + 1
        case "nearest":
            return floor(low + _TINY), floor(high - _TINY) + 1
        case "outside":
            return floor(low - 0.5 + _TINY), ceil(high - 0.5 - _TINY) + 1
        case _:
            assert_never(rule)


def _turns(low: float, high: float, first: float, last: float, turn: float) -> float:
    """Whole turns that bring [low, high] to overlap [first, last] most."""
    base = floor((first - low) / turn) * turn
    candidates = [base + turn * k for k in (-1, 0, 1, 2)]

    def overlap(shift: float) -> tuple[float, float]:
        shared = min(high + shift, last) - max(low + shift, first)
        return (min(shared, high - low) if shared > 0 else shared, -abs(shift))

    return max(candidates, key=overlap)


def _outside(name: str, low: float, high: float, first: float, last: float) -> SubsetOutOfDomain:
    asked = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    return SubsetOutOfDomain(
        f"{name}: {asked} is outside; the axis runs from {first:g} to {last:g}", subject=name
    )


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
