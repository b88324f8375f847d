"""Subsets and sizes in the brackets of WCS 2.0: from text to trims and slices.

Two steps. The syntax knows no cube: ``Lat(40,50)``, ``ansi("2020-01-01T00:00:00Z")``,
``time,http://www.opengis.net(2020-01-01)``, ``depth(*,"65")``, several joined by commas. Binding
gives the texts the meaning that the axis has: numbers, instants, labels.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from typing import assert_never, override

import numpy as np

from datacube.errors import InvalidSubset
from datacube.model.axis import Axis, IndexAxis, IrregularAxis, RegularAxis, TimeAxis
from datacube.model.calendar import MS_PER_DAY
from datacube.model.crs import Crs
from datacube.model.domain import DomainSet
from datacube.model.query import Point, Slice, Subset, Trim
from datacube.model.time import TimePoint, TimeRange, Timestamp
from services.ows.frames import ANSI_EPOCH_DAYS, time_label
from services.ows.times import parse_times

LONGEST = 4000  # characters of one parameter

_ENTRY = re.compile(
    r"""\s*(?P<axis>[^\s,()"']+)\s*(?:,\s*(?P<crs>[^\s,()"']+)\s*)?"""
    r"""\((?P<inside>(?:"[^"]*"|'[^']*'|[^()"'])*)\)\s*(?:[,;]|$)"""
)
_VALUE = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([^,"']*))\s*""")
_NUMBER = re.compile(r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$")
_YEAR_OR_DATE = re.compile(r"^(?:\d{4}|\d{8})$")
_FAR = 1e12  # metres or degrees
_OPEN = frozenset({"*", ".."})


@dataclass(frozen=True, slots=True)
class Value:
    """One value as written: its text without quotes, and whether it had them."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Bracket:
    """``axis(values)`` or ``axis,crs(values)`` as written."""

    axis: str
    values: tuple[Value, ...]
    crs: str = ""

    @override
    def __str__(self) -> str:
        """The text, for messages and file names."""
        return f"{self.axis}({','.join(value.text for value in self.values)})"


def parse_brackets(text: str) -> tuple[Bracket, ...]:
    """Read one parameter.

    Raises
    ------
    InvalidSubset
        The text is not of that form.

    Examples
    --------
    >>> [str(one) for one in parse_brackets('Lat(40, 50),ansi("2020-01-01","*")')]
    ['Lat(40,50)', 'ansi(2020-01-01,*)']
    """
    found, at = [], 0
    while at < len(text) <= LONGEST:
        entry = _ENTRY.match(text, at)
        if entry is None:
            break
        found.append(Bracket(entry["axis"], _values(entry["inside"]), entry["crs"] or ""))
        at = entry.end()
    if at < len(text) or not found:
        raise InvalidSubset(
            f"'{text[at : at + 100]}' cannot be read; write Lat(40,50) for a trim, "
            'or ansi("2020-01-01T00:00:00Z") for a slice'
        )
    return tuple(found)


def bind(brackets: Iterable[Bracket], domain: DomainSet, crs: Crs | None) -> tuple[Subset, ...]:
    """Trims and slices of a cube.

    Parameters
    ----------
    crs : of numbers on x and y that name none themselves; None is the cube's own

    Raises
    ------
    AxisNotFound
        The cube has no such axis.
    InvalidSubset, InvalidTime, InvalidCrs
        A value has no meaning on its axis, or there are more than two.
    """
    return tuple(_bind(bracket, domain, crs) for bracket in brackets)


def _bind(bracket: Bracket, domain: DomainSet, crs: Crs | None) -> Subset:
    axis = domain.axis(bracket.axis)
    if isinstance(axis, str):
        own = horizontal_crs(bracket.crs) if bracket.crs else crs
        return _subset(bracket, [_place(bracket, value) for value in bracket.values], own)
    if isinstance(axis, TimeAxis) and len(bracket.values) == 1:
        return _one_time(bracket, axis)
    return _subset(bracket, [_point(bracket, axis, value) for value in bracket.values], None)


def horizontal_crs(text: str) -> Crs:
    """The horizontal CRS of a name, which may be a compound of several.

    Raises
    ------
    InvalidCrs
        There is no such CRS.

    Examples
    --------
    >>> name = "http://www.opengis.net/def/crs-compound?1=http://www.opengis.net/def/crs/EPSG/0/4326"
    >>> horizontal_crs(name + "&2=http://www.opengis.net/def/crs/OGC/0/AnsiDate").key
    'EPSG:4326'
    """
    compound = re.search(r"crs-compound\?1=([^&\s]+)", text)
    return Crs.parse(compound[1] if compound else text)


def _subset(bracket: Bracket, points: list[Point | None], crs: Crs | None) -> Subset:
    match points:
        case [point]:
            if point is None:
                return Trim(bracket.axis, None, None, crs)
            return Slice(bracket.axis, point, crs)
        case [low, high]:
            return Trim(bracket.axis, low, high, crs)
        case _:
            raise InvalidSubset(
                f"{bracket} has {len(points)} values; a slice has one, a trim has two",
                subject=bracket.axis,
            )


def _point(bracket: Bracket, axis: Axis, value: Value) -> Point | None:
    if value.text in _OPEN:
        return None
    match axis:
        case TimeAxis():
            return _instant(bracket, axis, value)
        case IndexAxis():
            named = value.text in axis.labels or not _NUMBER.match(value.text)
            return value.text if named else float(value.text)
        case RegularAxis() | IrregularAxis():
            return _number(bracket, value)
        case _:
            assert_never(axis)


def _number(bracket: Bracket, value: Value) -> float | None:
    if value.text in _OPEN:
        return None
    number = float(value.text) if _NUMBER.match(value.text) else float("nan")
    if not isfinite(number):
        raise InvalidSubset(
            f"{bracket.axis}: '{value.text[:100]}' is no number", subject=bracket.axis
        )
    return number


def _place(bracket: Bracket, value: Value) -> float | None:
    """A number on x or y; one beyond every plane stands for its end."""
    number = _number(bracket, value)
    return None if number is None else min(max(number, -_FAR), _FAR)


def _one_time(bracket: Bracket, axis: TimeAxis) -> Subset:
    """A single value on time: an instant, a day or month that holds several steps, a range."""
    when = _time(bracket, axis, bracket.values[0])
    if when is None:
        return Trim(bracket.axis, None, None)
    if isinstance(when, TimeRange):
        return Trim(bracket.axis, when.start, when.end)
    if isinstance(when, Timestamp) and steps_within(axis, when) > 1:
        return Trim(bracket.axis, when, when)
    return Slice(bracket.axis, when)


def steps_within(axis: TimeAxis, when: Timestamp) -> int:
    """How many steps lie in a partial date."""
    if when.precision not in {"year", "month", "day"}:
        return 1
    first, last = when.span(axis.calendar)
    return int(np.searchsorted(axis.ticks, last, "right") - np.searchsorted(axis.ticks, first))


def _instant(bracket: Bracket, axis: TimeAxis, value: Value) -> Point | None:
    """An end of a trim."""
    when = _time(bracket, axis, value)
    if isinstance(when, TimeRange):
        raise InvalidSubset(
            f"{bracket.axis}: '{value.text[:100]}' is a range, where an instant is needed",
            subject=bracket.axis,
        )
    return when


def _time(bracket: Bracket, axis: TimeAxis, value: Value) -> TimePoint | TimeRange | float | None:
    if value.text in _OPEN:
        return None
    if (ticks := _numeric_time(bracket.axis, axis, value)) is not None:
        return ticks
    (choice, *others) = parse_times(value.text, bracket.axis)
    if others:
        raise InvalidSubset(f"{bracket.axis}: one time is needed", subject=bracket.axis)
    return choice.when


def _numeric_time(name: str, axis: TimeAxis, value: Value) -> float | None:
    """Ticks of a number: seconds on ``unix``, else days as the strict documents count them."""
    if not _NUMBER.match(value.text):
        return None
    unix = name.lower().rpartition("/")[2] == "unix"
    ansi = time_label(axis) == "ansi"
    if not unix and (ansi or value.quoted) and _YEAR_OR_DATE.match(value.text):
        return None
    days = float(value.text) + (ANSI_EPOCH_DAYS if ansi else 0)
    ticks = float(value.text) * 1000 if unix else days * MS_PER_DAY
    return float(round(ticks)) if isfinite(ticks) else None


def _values(inside: str) -> tuple[Value, ...]:
    """Values between the brackets; two quoted ones need no comma (a client loses it)."""
    values, at = [], 0
    while True:
        found = _VALUE.match(inside, at)
        if found is None:  # the pattern matches the empty text
            break
        quoted = found[1] if found[1] is not None else found[2]
        values.append(Value((found[3] if quoted is None else quoted).strip(), quoted is not None))
        at = found.end()
        if at >= len(inside):
            break
        at += inside[at] == ","
    return tuple(values)
