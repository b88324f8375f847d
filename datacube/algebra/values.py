"""Values with their validity while a tree is evaluated, and the steps that keep both right.

NaN and infinities mean no data. They are not looked for after every step: they survive further
arithmetic by themselves, so a value is *settled* (its NaN and infinities taken out of ``valid``)
only where a step could turn them into something finite, and at the end.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from datacube.algebra.functions import Kind, dtype_of

type Array = NDArray[np.generic] | np.generic
type Mask = NDArray[np.bool_] | np.bool_


class Value(NamedTuple):
    """What a node of a tree gives.

    Parameters
    ----------
    values : dtype_of(kind), the shape of the blocks, or a scalar for all cells
    valid : bool, the same, True where values are data
    kind : Kind
    settled : bool
        Whether all valid values are known to be finite.
    own : bool
        Whether values may be overwritten.
    """

    values: Array
    valid: Mask
    kind: Kind
    settled: bool = False
    own: bool = False


def both(left: Mask, right: Mask) -> Mask:
    """Where both are valid, without work where one says it all."""
    if left is right or right is np.True_:
        return left
    return right if left is np.True_ else np.logical_and(left, right)


def settled(value: Value) -> Value:
    """The value with NaN and infinities not valid."""
    if value.settled or value.values.dtype.kind != "f":
        return value
    valid = both(np.isfinite(value.values), value.valid)
    return Value(value.values, valid, value.kind, settled=True, own=value.own)


def converted(value: Value, kind: Kind) -> Value:
    """The value as another kind of number, as numpy converts it."""
    dtype = dtype_of(kind)
    if value.values.dtype == dtype:
        return value if value.kind == kind else value._replace(kind=kind)
    exact = value.values.dtype.kind != "f" or dtype.itemsize >= value.values.dtype.itemsize
    return Value(value.values.astype(dtype), value.valid, kind, value.settled and exact, own=True)


def apply(ufunc: np.ufunc, kind: Kind, *operands: Value) -> Value:
    """A ufunc in the arithmetic of a kind, over an operand's buffer where that is free."""
    inputs = [converted(one, kind) for one in operands]
    free = (one.values for one in inputs if one.own and one.values.ndim)
    values = ufunc(*(one.values for one in inputs), out=next(free, None))
    valid = inputs[0].valid
    for one in inputs[1:]:
        valid = both(valid, one.valid)
    return Value(values, valid, kind, own=True)


def test(ufunc: np.ufunc, kind: Kind, left: Value, right: Value) -> Value:
    """A comparison in the arithmetic of a kind."""
    left, right = settled(converted(left, kind)), settled(converted(right, kind))
    return Value(ufunc(left.values, right.values), both(left.valid, right.valid), "bool", own=True)


def truth(value: Value) -> Value:
    """The value as a condition: not zero."""
    value = settled(value)
    if value.values.dtype.kind == "b":
        return value
    return Value(np.not_equal(value.values, 0), value.valid, "bool", own=True)


def chosen(condition: Value, yes: Value, no: Value, kind: Kind) -> Value:
    """One or the other, with the validity of the one that was chosen."""
    condition, yes, no = truth(condition), converted(yes, kind), converted(no, kind)
    if no.own and isinstance(no.values, np.ndarray) and no.values.ndim:
        np.copyto(no.values, yes.values, where=condition.values)
        values: Array = no.values
    else:
        values = np.where(condition.values, yes.values, no.values)
    valid = yes.valid
    if yes.valid is not no.valid:
        valid = np.where(condition.values, yes.valid, no.valid)
    return Value(values, both(valid, condition.valid), kind, yes.settled and no.settled, own=True)


def cast(value: Value, kind: Kind) -> Value:
    """The value as a type that was asked for; integers drop fractions and never wrap."""
    dtype = dtype_of(kind)
    if kind == "bool":
        return truth(value)
    if dtype.kind == "f":
        return converted(value, kind)
    value = settled(value)
    limits = np.iinfo(kind)
    numbers = np.trunc(value.values) if value.values.dtype.kind == "f" else value.values
    fits = np.logical_and(np.greater_equal(numbers, limits.min), np.less(numbers, limits.max + 1))
    values = np.where(fits, numbers, 0).astype(dtype)
    return Value(values, both(fits, value.valid), kind, settled=True, own=True)


def whole(value: Value) -> Value:
    """The value as int64, fractions dropped; what reaches 2^63 is not valid."""
    value = settled(value)
    if value.values.dtype.kind == "f":
        fits = np.abs(value.values) < 2.0**63
        value = Value(np.where(fits, value.values, 0), both(fits, value.valid), value.kind)
    return Value(value.values.astype(np.int64), value.valid, value.kind, settled=True, own=True)


def bit(values: Array, number: int) -> Array:
    """Whether a bit of integers is set, negative ones in two's complement; bool, same shape."""
    width = 8 * values.dtype.itemsize
    if number >= width:
        return np.less(values, 0)
    mask = np.array(1 << number, f"uint{width}").view(values.dtype)
    return np.not_equal(np.bitwise_and(values, mask), 0)
