"""Axes other than the horizontal ones: regular, irregular, index (categorical) and time.

An axis maps an index to the coordinate of a cell's centre and back. The names follow CIS 1.1
(RegularAxis, IrregularAxis, IndexAxis); :class:`TimeAxis` is an irregular axis of integer ticks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from datacube.model.calendar import MS_PER_DAY, Calendar, civil_from_days
from datacube.model.time import Period, format_tick, format_ticks

FloatArray = NDArray[np.float64]
TickArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RegularAxis:
    """Equidistant centres ``origin + i * step``.

    Parameters
    ----------
    name : str
    origin : float, centre of the first cell, in uom
    step : float, signed, not zero, in uom
    size : int, at least 1
    uom : str, UCUM or as the source says
    title : str, a CF standard or long name

    Examples
    --------
    >>> RegularAxis("depth", 0.0, -10.0, 3, "m").coordinates.tolist()
    [0.0, -10.0, -20.0]
    """

    name: str
    origin: float
    step: float
    size: int
    uom: str = ""
    title: str = ""

    def __post_init__(self) -> None:
        if self.size < 1 or self.step == 0:
            raise ValueError(f"axis {self.name}: size {self.size}, step {self.step}")

    @property
    def coordinates(self) -> FloatArray:
        """Centres; float64, (size,), in uom."""
        return np.asarray(self.origin + np.arange(self.size) * self.step, np.float64)


@dataclass(frozen=True, eq=False)
class IrregularAxis:
    """Centres at given places, strictly monotonic, ascending or descending.

    Parameters
    ----------
    name : str
    coordinates : float64, (size,), in uom
    uom, title : str
    bounds : float64, (size, 2), in uom, optional
    """

    name: str
    coordinates: FloatArray
    uom: str = ""
    title: str = ""
    bounds: FloatArray | None = None

    def __post_init__(self) -> None:
        steps = np.diff(self.coordinates)
        if not ((steps > 0).all() or (steps < 0).all()):
            raise ValueError(f"axis {self.name}: coordinates are not strictly monotonic")

    @property
    def size(self) -> int:
        """Number of cells."""
        return len(self.coordinates)

    @cached_property
    def mark(self) -> str:
        """Names it with all its places; see :func:`axis_mark`."""
        said = self.name, self.uom, self.title
        return f"{said!r} {_digest(self.coordinates, self.bounds)}"


@dataclass(frozen=True, slots=True)
class IndexAxis:
    """Numbered or labelled places without a metric: ensemble members, scenarios, bands.

    Parameters
    ----------
    name : str
    size : int
    labels : tuple of str, one for each place, or empty

    Examples
    --------
    >>> IndexAxis("scenario", 2, labels=("a1b", "e1")).labels.index("e1")
    1
    """

    name: str
    size: int
    uom: str = ""
    title: str = ""
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.labels and len(self.labels) != self.size:
            raise ValueError(f"axis {self.name}: {len(self.labels)} labels for {self.size} places")


@dataclass(frozen=True, eq=False)
class TimeAxis:
    """Instants, strictly ascending, as integer ticks of a calendar.

    Parameters
    ----------
    name : str
    ticks : int64, (size,), milliseconds since 1970-01-01 of calendar
    calendar : Calendar
    bounds : int64, (size, 2), ticks, optional

    Examples
    --------
    >>> axis = TimeAxis("time", np.arange(3) * 86_400_000)
    >>> str(axis.period), axis.iso[-1]
    ('P1D', '1970-01-03T00:00:00Z')
    """

    name: str
    ticks: TickArray
    calendar: Calendar = "standard"
    bounds: TickArray | None = None
    title: str = field(default="time")

    def __post_init__(self) -> None:
        if not (np.diff(self.ticks) > 0).all():
            raise ValueError(f"axis {self.name}: times are not strictly ascending")

    @property
    def size(self) -> int:
        """Number of instants."""
        return len(self.ticks)

    @cached_property
    def mark(self) -> str:
        """Names it with all its instants; see :func:`axis_mark`."""
        said = self.name, self.title, self.calendar
        return f"{said!r} {_digest(self.ticks, self.bounds)}"

    @cached_property
    def iso(self) -> tuple[str, ...]:
        """Every instant as ISO 8601 text, in its own calendar."""
        return tuple(format_ticks(self.ticks, self.calendar))

    @cached_property
    def median_step(self) -> int:
        """Median distance of neighbours in milliseconds; one day for a single instant."""
        return int(np.median(np.diff(self.ticks))) if self.size > 1 else MS_PER_DAY

    @cached_property
    def period(self) -> Period | None:
        """The step where all steps are equal: in whole months if possible, else in milliseconds.

        Months come first because a year of a 360-day calendar is P1Y to a client that counts in
        the standard one, not P360D.
        """
        if self.size < 2:
            return None
        if (months := _monthly(self.ticks, self.calendar)) is not None:
            return months
        steps = np.unique(np.diff(self.ticks))
        return Period(ms=int(steps[0])) if len(steps) == 1 else None

    def segments(self) -> Iterator[tuple[str, str, Period]]:
        """Runs of equal steps as (start, end, period); together exactly the instants.

        A run of one instant has the period one day.
        """
        if self.period is not None:
            yield self.iso[0], self.iso[-1], self.period
            return
        steps = np.diff(self.ticks)
        first = 0
        while first < self.size:
            last = first + 1
            while last < self.size - 1 and steps[last] == steps[first]:
                last += 1
            if last >= self.size or (last == first + 1 and last < self.size - 1):
                last = first
            length = int(steps[first]) if last > first else MS_PER_DAY
            yield (
                format_tick(int(self.ticks[first]), self.calendar),
                format_tick(int(self.ticks[last]), self.calendar),
                Period(ms=length),
            )
            first = last + 1


type Axis = RegularAxis | IrregularAxis | IndexAxis | TimeAxis


def axis_values(axis: Axis) -> tuple[str, ...] | FloatArray:
    """What a person sees along an axis: labels, ISO times, or numbers in its unit."""
    match axis:
        case TimeAxis():
            return axis.iso
        case IndexAxis():
            return axis.labels or np.arange(axis.size, dtype=float)
        case RegularAxis() | IrregularAxis():
            return axis.coordinates
        case _:
            assert_never(axis)


def axis_value(axis: Axis, index: int) -> str | float:
    """What a person sees at one place of an axis.

    Examples
    --------
    >>> axis_value(TimeAxis("time", np.array([0, 86_400_000])), -1)
    '1970-01-02T00:00:00Z'
    """
    match axis:
        case TimeAxis():
            return format_tick(int(axis.ticks[index]), axis.calendar)
        case IndexAxis():
            return axis.labels[index] if axis.labels else float(range(axis.size)[index])
        case RegularAxis() | IrregularAxis():
            return float(axis.coordinates[index])
        case _:
            assert_never(axis)


def axis_part(axis: Axis, start: int, stop: int) -> Axis:
    """The places start … stop - 1 of an axis as an axis of their own; of all of them itself.

    Examples
    --------
    >>> axis_part(RegularAxis("depth", 0.0, -10.0, 3), 1, 3).coordinates.tolist()
    [-10.0, -20.0]
    """
    if start == 0 and stop == axis.size:
        return axis
    part = slice(start, stop)
    match axis:
        case RegularAxis():
            origin = axis.origin + start * axis.step
            return replace(axis, origin=origin, size=stop - start)
        case IndexAxis():
            return replace(axis, size=stop - start, labels=axis.labels[part])
        case IrregularAxis():
            bounds = None if axis.bounds is None else axis.bounds[part]
            return replace(axis, coordinates=axis.coordinates[part], bounds=bounds)
        case TimeAxis():
            edges = None if axis.bounds is None else axis.bounds[part]
            return replace(axis, ticks=axis.ticks[part], bounds=edges)
        case _:
            assert_never(axis)


def axis_places(axis: Axis, places: Sequence[int]) -> Axis:
    """Some places of an axis as an axis of their own.

    Examples
    --------
    >>> axis_places(RegularAxis("depth", 0.0, -10.0, 4), [0, 1, 3]).coordinates.tolist()
    [0.0, -10.0, -30.0]
    """
    first, last = places[0], places[-1]
    if len(places) == last - first + 1:
        return axis_part(axis, first, last + 1)
    match axis:
        case RegularAxis():
            values = axis.coordinates[list(places)]
            return IrregularAxis(axis.name, values, axis.uom, axis.title)
        case IndexAxis():
            labels = tuple(axis.labels[place] for place in places) if axis.labels else ()
            return replace(axis, size=len(places), labels=labels)
        case IrregularAxis():
            bounds = None if axis.bounds is None else axis.bounds[list(places)]
            return replace(axis, coordinates=axis.coordinates[list(places)], bounds=bounds)
        case TimeAxis():
            edges = None if axis.bounds is None else axis.bounds[list(places)]
            return replace(axis, ticks=axis.ticks[list(places)], bounds=edges)
        case _:
            assert_never(axis)


def axis_mark(axis: Axis) -> str:
    """Names an axis with all its places: equal texts, equal axes.

    Examples
    --------
    >>> long = IrregularAxis("depth", np.arange(5000.0), "m")
    >>> axis_mark(long) == axis_mark(axis_part(long, 0, 4999))
    False
    """
    match axis:
        case TimeAxis() | IrregularAxis():
            return axis.mark
        case RegularAxis() | IndexAxis():
            return repr(axis)
        case _:
            assert_never(axis)


def is_vertical(axis: Axis) -> bool:
    """Whether the axis is height, depth, pressure or another vertical coordinate."""
    text = f"{axis.name} {axis.title}".lower()
    words = ("depth", "height", "altitude", "elevation", "pressure", "isobaric", "level", "plev")
    named = axis.name.lower() in {"lev", "z"} or any(word in text for word in words)
    return named and not isinstance(axis, TimeAxis)


def points_down(axis: Axis) -> bool:
    """Whether the values of a vertical axis grow downwards: depths and pressures.

    Examples
    --------
    >>> points_down(IndexAxis("depth", 3)), points_down(IndexAxis("height", 3))
    (True, False)
    """
    if isinstance(axis, TimeAxis) or not is_vertical(axis):
        return False
    text = f"{axis.name} {axis.title}".lower()
    words = ("depth", "pressure", "isobaric", "plev")
    return any(word in text for word in words) or axis.uom.lower() in {"pa", "hpa", "mbar"}


def _digest(places: NDArray[np.generic], bounds: NDArray[np.generic] | None) -> str:
    """Of the numbers of an axis and of their bounds."""
    found = sha256(np.ascontiguousarray(places))
    if bounds is not None:
        found.update(np.ascontiguousarray(bounds))
    return found.hexdigest()


def _monthly(ticks: TickArray, calendar: Calendar) -> Period | None:
    days, ms = np.divmod(ticks, MS_PER_DAY)
    year, month, day = civil_from_days(days, calendar)
    months = np.unique(np.diff(year * 12 + month))
    if len(months) == 1 and months[0] > 0 and len(np.unique(day)) == len(np.unique(ms)) == 1:
        return Period(months=int(months[0]))
    return None
