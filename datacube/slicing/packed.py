"""Reducing packed numbers: steps are added, compared and sorted as stored, and scaled at the end.

With physical = packed * scale + offset every reducer but ``any`` and ``all`` has its counterpart
among the packed numbers. A negative scale turns the order round: the smallest physical value is
the largest packed one, the 90th percentile the 10th.
"""

from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from datacube.model.fields import Field
from datacube.slicing.reduce import MOSAICS, Reducer
from datacube.slicing.tally import BoolArray, CountArray, Values

_MIRRORED = {"min": "max", "max": "min"}
_KEPT = MOSAICS | {"min", "max"}


def on_packed(reducer: Reducer, field: Field) -> Reducer | None:
    """The reducer of stored values whose result, scaled, is the physical one; None where none is.

    Examples
    --------
    >>> from datacube.slicing.reduce import reducer
    >>> below = Field("depth", "int16", scale=-0.1)
    >>> on_packed(reducer("min"), below).name, on_packed(reducer("p90"), below).share
    ('max', 0.1)
    >>> on_packed(reducer("any"), below) is None
    True
    """
    if reducer.ranked:
        return None
    if not field.packed:
        return reducer
    if reducer.name in {"any", "all"} or not field.scale:
        return None
    if field.scale > 0:
        return reducer
    if reducer.share is not None:
        return replace(reducer, share=round(1 - reducer.share, 15))
    return replace(reducer, name=_MIRRORED.get(reducer.name, reducer.name))


def physical(
    reducer: Reducer, field: Field, values: Values, valid: BoolArray, count: CountArray
) -> NDArray[Any]:
    """Physical values of what came of packed ones.

    Parameters
    ----------
    reducer : the one of the physical values
    field : Field, how the steps are packed
    values, valid : result of the packed reducer
    count : int32, observations of each cell; those of a sum are what is needed

    Returns
    -------
    values : of the dtype that the reducer gives for the field's physical values

    Examples
    --------
    >>> from datacube.slicing.reduce import reducer
    >>> import numpy as np
    >>> field, total = Field("t", "int16", scale=0.5, offset=10), reducer("sum")
    >>> physical(total, field, np.array([6.0]), np.array([True]), np.array([2])).tolist()
    [23.0]
    """
    if reducer.name in _KEPT:
        return field.decode(values.astype(field.dtype, copy=False), valid)
    if not field.packed or reducer.name == "count":
        return values
    scale, offset = field.scale, field.offset
    match reducer.name:
        case "sum":
            return values * scale + count * offset
        case "range" | "std":
            return values * abs(scale)
        case "var":
            return values * scale**2
        case _:
            return values * scale + offset
