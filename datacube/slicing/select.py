"""Trims and slices of x and y -> index ranges, one axis at a time.

The rules for a trim (``u`` counts cells from the grid's corner):

- ``cells``: every cell that the interval overlaps by more than 10^-6 of a cell (WCS 2.0.1 here)
- ``inside``: every cell whose centre lies in the interval
- ``strict-inside``: the same, and an error where the interval leaves the axis
- ``nearest``: from the centre nearest low to the centre nearest high, both included
- ``outside``: widened to the enclosing centres
"""

from dataclasses import dataclass
from math import ceil, floor
from typing import assert_never

from datacube.errors import InvalidSubset, SubsetOutOfDomain
from datacube.model.query import SelectionRule

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
    low, high = _interval(row, low, high)
    if row.wraps and row.turn is not None and high - low >= row.turn * (1 - 1e-9):
        return Span(0, row.size)
    if row.turn is not None:
        shift = _turns(low, high, first, last, row.turn)
        low, high = low + shift, high + shift
    edges = ((low - row.edge) / row.step, (high - row.edge) / row.step)
    begin, end = _by_rule(row, min(edges), max(edges), rule)
    if row.wraps:
        return Span(begin, end)
    if rule == "strict-inside" and (min(edges) < -_TINY or max(edges) > row.size + _TINY):
        raise _outside(row.name, low, high, first, last)
    start, stop = max(begin, 0), min(end, row.size)
    if start >= stop:
        raise _outside(row.name, low, high, first, last)
    beyond = min(edges) < -_TINY or max(edges) > row.size + _TINY
    return Span(start, stop, clamped=beyond)


def _interval(row: CellRow, low: float | None, high: float | None) -> tuple[float, float]:
    """Both ends, the lower one first; what is open ends where the axis does."""
    first, last = row.ends
    begin, end = (_sane(first if low is None else low), _sane(last if high is None else high))
    if row.turn is not None and begin > end:
        end += row.turn * ceil((begin - end) / row.turn)
    if begin <= end:
        return begin, end
    if low is None or high is None:
        beyond = end if low is None else begin
        raise _outside(row.name, beyond, beyond, first, last)
    raise InvalidSubset(f"{row.name}: low {begin:.10g} is above high {end:.10g}", subject=row.name)


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


def _sane(coordinate: float) -> float:
    """The coordinate, or one that is as surely outside every axis where it would overflow."""
    return min(max(coordinate, -_FAR), _FAR)


def _by_rule(row: CellRow, low: float, high: float, rule: SelectionRule) -> tuple[int, int]:
    """First index and one past the last, for low ≤ high in cells from the corner."""
    match rule:
        case "cells":
            begin, end = floor(low + _TINY), ceil(high - _TINY)
            if end <= begin:  # no wider than an edge between cells, or than that of the axis
                begin -= begin == row.size and low <= row.size + _TINY and not row.wraps
                end = begin + 1
            return begin, end
        case "inside" | "strict-inside":
            begin, end = ceil(low - 0.5 - _TINY), floor(high - 0.5 + _TINY) + 1
            if begin >= end:
                raise SubsetOutOfDomain(
                    f"{row.name}: no centre of a cell lies in the interval; "
                    f"cells are {abs(row.step):g} wide",
                    subject=row.name,
                )
            return begin, end
        case "nearest":
            begin = floor(low + _TINY)
            return begin, max(floor(high - _TINY), begin) + 1
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
    asked = f"{low:.10g}" if low == high else f"{low:.10g} to {high:.10g}"
    return SubsetOutOfDomain(
        f"{name}: {asked} is outside; the axis runs from {first:.10g} to {last:.10g}", subject=name
    )
