"""What subsets take of the axes other than x and y, and which fields are meant."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from datacube.engine.cube import Cube
from datacube.engine.deleted import deleted
from datacube.errors import AxisNotFound, InvalidParameter, InvalidSubset, SubsetOutOfDomain
from datacube.model.axis import Axis, TimeAxis, axis_part, axis_places, axis_value
from datacube.model.domain import DomainSet
from datacube.model.fields import Field
from datacube.model.query import Aggregate, AxisSubset, Several, Slice, Subset
from datacube.model.time import Timestamp, format_tick
from datacube.slicing.periods import bins, parse_every
from datacube.slicing.rolling import parse_window, rolling
from datacube.slicing.select import Span
from datacube.slicing.select_axis import select_places, times_named


@dataclass(frozen=True, eq=False)
class Pick:
    """The places of one axis that the answer is made of.

    Parameters
    ----------
    groups : one range of the cube's indexes for each place of the answer; of length 1 but where
        steps are aggregated
    axis : the axis of the answer, None where it is gone
    clamped : bool
    """

    groups: tuple[range, ...]
    axis: Axis | None
    clamped: bool = False


def by_axis(
    domain: DomainSet, subsets: Iterable[AxisSubset]
) -> tuple[dict[str, Subset], dict[str, AxisSubset]]:
    """Subsets of x and y, and those of the other axes by the axis' own name.

    Raises
    ------
    AxisNotFound
        There is no such axis, or it is given twice.
    InvalidSubset
        Several places of x or y.
    """
    horizontal: dict[str, Subset] = {}
    others: dict[str, AxisSubset] = {}
    for subset in subsets:
        axis = domain.axis(subset.axis)
        name = axis if isinstance(axis, str) else axis.name
        if name in horizontal or name in others:
            raise AxisNotFound(f"the axis {subset.axis} is given twice", subject=subset.axis)
        if not isinstance(axis, str):
            others[name] = subset
        elif isinstance(subset, Several):
            raise InvalidSubset(f"{subset.axis} is trimmed or sliced", subject=subset.axis)
        else:
            horizontal[name] = subset
    return horizontal, others


def pick_axes(
    cube: Cube, subsets: Mapping[str, AxisSubset], aggregate: Aggregate | None = None
) -> tuple[Pick, ...]:
    """What subsets take of each axis other than x and y, in array order.

    Parameters
    ----------
    subsets : by the axis' own name
    aggregate : of some of the axes, after trimming

    Raises
    ------
    InvalidSubset, SubsetOutOfDomain, InvalidParameter
    """
    tolerance = cube.settings.time.tolerance_ms
    over = frozenset[str]() if aggregate is None else _aggregated(cube, aggregate)
    _check_deleted(cube, subsets)
    return tuple(
        _pick(
            axis,
            subsets.get(axis.name),
            tolerance,
            aggregate if axis.name in over else None,
        )
        for axis in cube.description.domain.axes
    )


def _check_deleted(cube: Cube, subsets: Mapping[str, AxisSubset]) -> None:
    """Tell when and why a time was deleted, instead of taking a neighbour for it."""
    axis = cube.description.domain.time
    match None if axis is None else subsets.get(axis.name):
        case Slice(_, Timestamp() as when) if axis is not None and not times_named(axis, when):
            if gone := deleted(cube, axis, when):
                asked = format_tick(when.ticks(axis.calendar), axis.calendar)
                raise SubsetOutOfDomain(f"{axis.name}: {asked} was {gone}", subject=axis.name)


def _aggregated(cube: Cube, aggregate: Aggregate) -> frozenset[str]:
    """Names of the axes whose places become one."""
    domain = cube.description.domain
    known = [axis.name for axis in domain.axes]
    time = None if domain.time is None else domain.time.name
    asked = aggregate.axes or ((time,) if time is not None else ())
    axes = [domain.axis(name) for name in asked]
    found = frozenset(axis.name for axis in axes if not isinstance(axis, str))
    if not found or len(found) < len(axes):
        raise InvalidParameter(
            f"AGG makes places of {' or '.join(known) or 'no axis of this coverage'} one; "
            f"{', '.join(asked) or 'time'} is not among these axes",
            subject="OVER",
        )
    if (aggregate.every or aggregate.window) and time not in found:
        raise InvalidParameter(
            "PERIOD and WINDOW part the time, which OVER does not name", subject="OVER"
        )
    if aggregate.every and aggregate.window:
        raise InvalidParameter("PERIOD or WINDOW, not both", subject="WINDOW")
    return found


def _pick(
    axis: Axis, subset: AxisSubset | None, tolerance: int | None, aggregate: Aggregate | None
) -> Pick:
    if isinstance(subset, Several):
        return _several(axis, subset, tolerance, aggregate)
    span = Span(0, axis.size) if subset is None else select_places(axis, subset, tolerance)
    if aggregate is not None and not span.dropped:
        if isinstance(axis, TimeAxis) and (aggregate.every or aggregate.window):
            return grouped(axis, span, aggregate)
        return Pick((range(span.start, span.stop),), None, span.clamped)
    part = None if span.dropped else axis_part(axis, span.start, span.stop)
    groups = tuple(range(index, index + 1) for index in range(span.start, span.stop))
    return Pick(groups, part, span.clamped)


def _several(
    axis: Axis, subset: Several, tolerance: int | None, aggregate: Aggregate | None
) -> Pick:
    """The places that any part takes, each once, in the order of the axis."""
    if aggregate is not None:
        raise InvalidParameter(
            f"AGG makes a range of {axis.name} one, not single places of it", subject=axis.name
        )
    places, missed = set[int](), None
    for part in subset.parts:
        try:
            span = select_places(axis, part, tolerance)
        except SubsetOutOfDomain as error:
            if not subset.lenient:
                raise
            missed = error
        else:
            places.update(range(span.start, span.stop))
    if missed is not None and not places:
        raise missed
    found = sorted(places)
    return Pick(tuple(range(at, at + 1) for at in found), axis_places(axis, found))


def grouped(axis: TimeAxis, span: Span, aggregate: Aggregate) -> Pick:
    """Steps by period, labelled with its begin and bounded by it, or by window and its end."""
    part = axis_part(axis, span.start, span.stop)
    if not isinstance(part, TimeAxis):
        raise TypeError(axis.name)
    if aggregate.every:
        made = bins(part, parse_every(aggregate.every, subject="PERIOD"))
    else:
        made = rolling(part, parse_window(aggregate.window, subject="WINDOW"))
    if not made:
        raise InvalidParameter(
            f"no window of {aggregate.window} is whole within the {part.size} steps",
            subject="WINDOW",
        )
    groups = tuple(range(span.start + one.start, span.start + one.stop) for one in made)
    labels = np.array([one.label for one in made])
    bounds = np.array([(one.first, one.last) for one in made]) if aggregate.every else None
    return Pick(groups, replace(part, ticks=labels, bounds=bounds), span.clamped)


def most_places(domain: DomainSet, subsets: Iterable[AxisSubset]) -> int:
    """How many places of the axes beside x and y subsets leave at most: of a sliced axis one.

    It takes no look at where the places are, so that it costs the same for a long axis.
    """
    sliced = {domain.axis(one.axis) for one in subsets if isinstance(one, Slice)}
    return prod(axis.size for axis in domain.axes if axis not in sliced)


def times_of(domain: DomainSet, picks: tuple[Pick, ...]) -> range:
    """The indexes along time from the first to the last that is picked; empty without time."""
    for axis, pick in zip(domain.axes, picks, strict=True):
        if isinstance(axis, TimeAxis):
            return range(pick.groups[0].start, pick.groups[-1].stop)
    return range(0)


def fields_of(cube: Cube, names: tuple[str, ...]) -> tuple[Field, ...]:
    """Fields by name, each once; all of them where none is named."""
    known = cube.description.range_type
    return tuple(dict.fromkeys(known.field(name) for name in names or known.names))


def clamped_axes(axes: tuple[Axis, ...], picks: tuple[Pick, ...]) -> Iterator[str]:
    """What to tell of times that were asked for beyond the first or last."""
    for axis, pick in zip(axes, picks, strict=True):
        if pick.clamped and isinstance(axis, TimeAxis):
            first, last = axis_value(axis, 0), axis_value(axis, -1)
            yield f"Subset clamped: {axis.name} runs from {first} to {last}"
