"""Times and places of other axes in WCS 1.0 and 1.1: lists, intervals, and what nothing means.

A format that holds x and y alone gets one place of every axis: the newest time and the first of
the others where the request names none. Other formats get the whole axis then.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

from datacube.errors import InvalidSubset, RequestTooLarge
from datacube.model.axis import Axis, TimeAxis, axis_value
from datacube.model.domain import DomainSet
from datacube.model.query import Aggregate, AxisSubset, Point, Several, Slice, Trim
from datacube.model.time import Period, TimeRange, Timestamp
from services.ows.aggregate import axes_made_one
from services.ows.kvp import comma_list
from services.ows.times import in_calendar, parse_times
from services.wcs.forms import Form
from services.wcs.subsets import steps_within

LONGEST = 10_000  # instants of one request


def is_flat(encoder: Form) -> bool:
    """Whether a format holds x and y alone."""
    return encoder.dims == 0


def time_subset(text: str, axis: TimeAxis, *, flat: bool) -> AxisSubset:
    """``TIME`` or ``TimeSequence``: an instant, an interval with or without a period, or a list.

    Parameters
    ----------
    flat : bool
        Whether a date that holds several steps means the newest of them, not all.

    Raises
    ------
    InvalidTime, InvalidSubset, SubsetOutOfDomain, RequestTooLarge
    """
    parts = comma_list(text)
    if len(parts) > LONGEST:
        raise RequestTooLarge(
            f"the list has {len(parts)} times; at most {LONGEST} can be asked at once",
            subject="TIME",
        )
    found = [_time(part, axis) for part in parts]
    match found:
        case [Slice(_, Timestamp() as when)] if not flat and steps_within(axis, when) > 1:
            return Trim(axis.name, when, when)
        case [only]:
            return only
        case _:
            lenient = any(isinstance(one, Several) for one in found)
            return Several(axis.name, tuple(chain.from_iterable(map(_parts, found))), lenient)


def axis_subset(axis: Axis, text: str) -> AxisSubset:
    """Another axis: a value, a list of values, or ``low/high``.

    Raises
    ------
    InvalidSubset
        There are more than two ends.
    """
    match [part.strip() for part in text.split("/")]:
        case [values]:
            points = tuple(_point(axis, value) for value in comma_list(values))
            parts = tuple(Slice(axis.name, point) for point in points)
            return parts[0] if len(parts) == 1 else Several(axis.name, parts)
        case [low, high, *period] if not any(period):
            return Trim(axis.name, _point(axis, low), _point(axis, high))
        case _:
            raise InvalidSubset(
                f"{axis.name}: '{text[:100]}' cannot be read; write a value, a list with commas, "
                "or low/high",
                subject=axis.name,
            )


def with_defaults(
    subsets: Iterable[AxisSubset],
    domain: DomainSet,
    aggregate: Aggregate | None = None,
    *,
    flat: bool,
) -> tuple[tuple[AxisSubset, ...], tuple[str, ...]]:
    """The subsets with one for every axis that a flat format cannot keep, and notes of these."""
    given = tuple(subsets)
    named = {subset.axis for subset in given}
    if not flat:
        return given, ()
    made_one = axes_made_one(aggregate, domain)
    open_axes = [axis for axis in domain.axes if axis.name not in named and axis not in made_one]
    taken = [(axis, axis_value(axis, _default(axis))) for axis in open_axes]
    added = (Slice(axis.name, _stated(axis, value)) for axis, value in taken)
    notes = tuple(
        f"Default value used: {axis.name}={value}" for axis, value in taken if axis.size > 1
    )
    return (*given, *added), notes


def _default(axis: Axis) -> int:
    return axis.size - 1 if isinstance(axis, TimeAxis) else 0


def _stated(axis: Axis, value: str | float) -> Point:
    return "latest" if isinstance(axis, TimeAxis) else value


def _time(text: str, axis: TimeAxis) -> AxisSubset:
    choice = in_calendar(parse_times(text, "TIME")[0], axis.calendar)
    match choice.when:
        case TimeRange(start, end, step):
            if step is None:
                return Trim(axis.name, start, end)
            ticks = _every(axis, start, end, step)
            return Several(axis.name, tuple(Slice(axis.name, tick) for tick in ticks), lenient=True)
        case when:
            return Slice(axis.name, when)


def _every(
    axis: TimeAxis, start: Timestamp | None, end: Timestamp | None, step: Period
) -> Iterator[int]:
    """The instants of an interval with a period, as far as the axis goes."""
    first, last = TimeRange(start, end).span(axis.calendar)
    begin = int(axis.ticks[0]) if first is None else first
    stop = int(axis.ticks[-1]) if last is None else last
    for number in range(LONGEST + 1):
        tick = step.add_to(begin, axis.calendar, number)
        if tick > stop:
            return
        yield tick
    raise RequestTooLarge(f"the interval has more than {LONGEST} instants", subject="TIME")


def _parts(one: AxisSubset) -> tuple[Slice | Trim, ...]:
    return one.parts if isinstance(one, Several) else (one,)


def _point(axis: Axis, text: str) -> Point:
    """A label, or a number, which the axis may know as a label too."""
    try:
        return text if text in getattr(axis, "labels", ()) else float(text)
    except ValueError:
        return text
