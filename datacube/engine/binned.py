"""Sampled values by period: the steps of each made one by a reducer."""

from dataclasses import replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from datacube.config.settings import Limits
from datacube.engine.cube import Cube
from datacube.engine.limits import check_reduction
from datacube.engine.picks import grouped
from datacube.engine.reducers import reducer_of
from datacube.engine.wanted import reduced_field
from datacube.errors import InvalidParameter
from datacube.model.axis import TimeAxis
from datacube.model.fields import Field
from datacube.model.query import Aggregate
from datacube.model.sampled import Sampled
from datacube.slicing.reduce import Reducer
from datacube.slicing.select import Span

_AT_ONCE = 64  # cells that take about as long as one alone


def by_period(limits: Limits, cube: Cube, sampled: Sampled, aggregate: Aggregate) -> Sampled:
    """The values with one step for each period, or for each window of steps.

    Parameters
    ----------
    limits : Limits
    cube : Cube
    sampled : Sampled, with a time axis
    aggregate : Aggregate, of one method, by ``every`` or ``window``

    Raises
    ------
    InvalidParameter
        It says neither, or the method is none that makes steps of single places one.
    RequestTooLarge
        There are more values in all windows than may be reduced.
    """
    (method,) = aggregate.methods
    reducer = reducer_of(cube, method, aggregate.by)
    if reducer.ranked:
        raise InvalidParameter(f"{method} ranks pictures, not the steps of a series", subject="AGG")
    if bool(aggregate.every) == bool(aggregate.window):
        raise InvalidParameter(
            "AGG of a series needs the period that it makes one: PERIOD=month, or WINDOW=P30D",
            subject="WINDOW" if aggregate.every else "PERIOD",
        )
    at, axis = next(
        (number, one) for number, one in enumerate(sampled.axes) if isinstance(one, TimeAxis)
    )
    pick = grouped(axis, Span(0, axis.size), aggregate)
    if pick.axis is None:
        raise TypeError(axis.name)
    steps = sum(map(len, pick.groups))
    cells = sum(prod(one.shape) for one in sampled.data.values()) // axis.size
    effort = reducer.effort * max(_AT_ONCE // cells, 1)
    check_reduction(limits, cells, steps, "WINDOW", steps, effort)
    axes = (*sampled.axes[:at], pick.axis, *sampled.axes[at + 1 :])
    fields, data, valid = [], {}, {}
    for one in sampled.fields:
        values, known = _made_one(sampled, one, at, pick.groups, reducer)
        made = reduced_field(one, reducer, values.dtype)
        fields.append(made)
        data[made.name], valid[made.name] = values, known
    return replace(sampled, axes=axes, fields=tuple(fields), data=data, valid=valid)


def _made_one(
    sampled: Sampled, field: Field, at: int, groups: tuple[range, ...], reducer: Reducer
) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """Values of a field and where they are valid, one for each group of steps."""
    known = np.moveaxis(sampled.valid[field.name], at, 0)
    values = np.moveaxis(sampled.physical(field), at, 0)
    found = []
    for group in groups:
        accumulator = reducer.start(values.shape[1:])
        some = slice(group.start, group.stop)
        accumulator.extend(np.ascontiguousarray(values[some]), np.ascontiguousarray(known[some]))
        found.append(accumulator.result())
    data, valid = (np.moveaxis(np.stack(parts), 0, at) for parts in zip(*found, strict=True))
    return data, valid
