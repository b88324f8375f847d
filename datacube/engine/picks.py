"""What subsets take of the axes other than x and y, and which fields are meant."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from datacube.engine.cube import Cube
from datacube.errors import AxisNotFound
from datacube.model.axis import Axis, TimeAxis, axis_part, axis_value
from datacube.model.domain import DomainSet
from datacube.model.fields import Field
from datacube.model.query import Aggregate, Subset
from datacube.slicing.periods import bins, parse_every
from datacube.slicing.select import Span
from datacube.slicing.select_axis import select_places


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
    domain: DomainSet, subsets: Iterable[Subset]
) -> tuple[dict[str, Subset], dict[str, Subset]]:
    """Subsets of x and y, and those of the other axes by the axis' own name."""
    horizontal: dict[str, Subset] = {}
    others: dict[str, Subset] = {}
    for subset in subsets:
        axis = domain.axis(subset.axis)
        name, where = (axis, horizontal) if isinstance(axis, str) else (axis.name, others)
        if name in where:
            raise AxisNotFound(f"the axis {subset.axis} is given twice", subject=subset.axis)
        where[name] = subset
    return horizontal, others


def pick_axes(
    cube: Cube, subsets: Mapping[str, Subset], aggregate: Aggregate | None = None
) -> tuple[Pick, ...]:
    """What subsets take of each axis other than x and y, in array order.

    Parameters
    ----------
    subsets : by the axis' own name
    aggregate : of time, after trimming

    Raises
    ------
    InvalidSubset, SubsetOutOfDomain, InvalidParameter
    """
    tolerance = cube.settings.time.tolerance_ms
    return tuple(
        _pick(axis, subsets.get(axis.name), tolerance, aggregate)
        for axis in cube.description.domain.axes
    )


def _pick(
    axis: Axis, subset: Subset | None, tolerance: int | None, aggregate: Aggregate | None
) -> Pick:
    span = Span(0, axis.size) if subset is None else select_places(axis, subset, tolerance)
    if aggregate is not None and isinstance(axis, TimeAxis) and not span.dropped:
        return _grouped(axis, span, aggregate.every)
    part = None if span.dropped else axis_part(axis, span.start, span.stop)
    groups = tuple(range(index, index + 1) for index in range(span.start, span.stop))
    return Pick(groups, part, span.clamped)


def _grouped(axis: TimeAxis, span: Span, every: str) -> Pick:
    """Steps by period, labelled with its begin and bounded by it; without a period all in one."""
    if not every:
        return Pick((range(span.start, span.stop),), None, span.clamped)
    part = axis_part(axis, span.start, span.stop)
    if not isinstance(part, TimeAxis):
        raise TypeError(axis.name)
    made = bins(part, parse_every(every))
    groups = tuple(range(span.start + one.start, span.start + one.stop) for one in made)
    labels = np.array([one.label for one in made])
    bounds = np.array([(one.first, one.last) for one in made])
    return Pick(groups, replace(part, ticks=labels, bounds=bounds), span.clamped)


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
