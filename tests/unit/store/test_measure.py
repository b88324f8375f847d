"""Counts, ends and sums of whole numbers, up to the ends of their types."""

import numpy as np
import pytest

from datacube.model.fields import Field
from datacube.store.measure import look, total_of

DTYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("nil", [None, "min", "max", 0, 3])
def test_whole_numbers_of_the_whole_range(dtype, nil):
    ends = np.iinfo(dtype)
    nil = getattr(ends, nil) if isinstance(nil, str) else nil
    values = np.random.default_rng(5).integers(ends.min, ends.max, (9, 41), dtype, endpoint=True)
    values[2, :6] = ends.min, ends.min, ends.max, ends.max, 0, 3
    good = values != nil if nil is not None else np.ones(values.shape, bool)
    exact = [int(one) for one in values[good]]
    seen = look(Field("v", dtype, nil=nil), values)
    assert (seen.count, seen.low, seen.high) == (len(exact), min(exact), max(exact))
    assert total_of(values, seen) == sum(exact)
    assert (good == (True if seen.good is None else seen.good)).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("end", ["min", "max"])
def test_cells_that_are_nil_or_lie_at_one_end(dtype, end):
    ends = np.iinfo(dtype)
    value = getattr(ends, end)
    other = ends.min + ends.max - value
    values = np.full((3, 5), value, dtype)
    every = look(Field("v", dtype), values)
    assert (every.count, every.low, every.high, every.good) == (15, value, value, None)
    assert total_of(values, every) == 15 * value
    none = look(Field("v", dtype, nil=value), values)
    assert not none.count
    assert none.good is not None
    assert not none.good.any()
    values[1, 1] = other
    one = look(Field("v", dtype, nil=value), values)
    assert (one.count, one.low, one.high, total_of(values, one)) == (1, other, other, other)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_number_beside_nil_is_an_end(dtype):
    ends = np.iinfo(dtype)
    values = np.array([[ends.min, ends.min + 1, ends.max - 1, ends.max]], dtype)
    low = look(Field("v", dtype, nil=ends.min), values)
    high = look(Field("v", dtype, nil=ends.max), values)
    assert (low.low, low.high) == (ends.min + 1, ends.max)
    assert (high.low, high.high) == (ends.min, ends.max - 1)
