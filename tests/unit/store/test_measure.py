"""Counts, ends and sums of whole numbers, up to the ends of their types."""

import numpy as np
import pytest

from datacube.model.fields import Field
from datacube.store.measure import measured

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
    found, counted = measured(Field("v", dtype, nil=nil), values)
    assert found == (len(exact), min(exact), max(exact), sum(exact))
    assert (good == (True if counted is None else counted)).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("end", ["min", "max"])
def test_cells_that_are_nil_or_lie_at_one_end(dtype, end):
    ends = np.iinfo(dtype)
    value = getattr(ends, end)
    other = ends.min + ends.max - value
    values = np.full((3, 5), value, dtype)
    assert measured(Field("v", dtype), values) == ((15, value, value, 15 * value), None)
    found, good = measured(Field("v", dtype, nil=value), values)
    assert found is None
    assert good is not None
    assert not good.any()
    values[1, 1] = other
    found, _ = measured(Field("v", dtype, nil=value), values)
    assert found == (1, other, other, other)
