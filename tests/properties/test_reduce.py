"""What must hold of every reducer and every cut of a time axis."""

import warnings
from itertools import pairwise

import numpy as np
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from datacube.model.axis import TimeAxis
from datacube.model.fields import Field
from datacube.model.time import Period
from datacube.slicing.packed import on_packed, physical
from datacube.slicing.periods import bins
from datacube.slicing.reduce import NAMES, reducer
from datacube.slicing.rolling import rolling

CALENDARS = ("standard", "proleptic_gregorian", "julian", "noleap", "all_leap", "360_day")
names = st.sampled_from([*NAMES[:-1], "p10", "p97.5"])
free = st.sampled_from(
    ["mean", "min", "max", "sum", "count", "std", "var", "median", "range", "any", "all", "p33"]
)
dtypes = st.sampled_from(["float32", "float64", "int16", "uint8"])
periods = st.one_of(
    st.sampled_from(["hour", "day", "pentad", "dekad", "month", "season", "year"]),
    st.builds(Period, st.integers(1, 40)),
    st.builds(Period, st.just(0), st.integers(1, 40 * 86_400_000)),
    st.builds(Period, st.integers(1, 5), st.integers(1, 40 * 86_400_000)),
)


@st.composite
def stacks(draw, most=9):
    shape = (draw(st.integers(1, most)), draw(st.integers(1, 4)))
    dtype = np.dtype(draw(dtypes))
    elements = (
        st.integers(0, 200)
        if dtype.kind != "f"
        else st.one_of(st.floats(-1000, 1000, width=16), st.just(float("nan")))
    )
    values = draw(arrays.arrays(dtype, shape, elements=elements))
    return values, draw(arrays.arrays(bool, shape))


@st.composite
def axes(draw):
    start = draw(st.integers(-500_000_000_000_000, 200_000_000_000_000) | st.integers(-9, 9))
    step = draw(st.sampled_from([1, 3_600_000, 86_400_000, 700_000_000, 2_700_000_000]))
    steps = draw(st.lists(st.integers(1, 20), min_size=0, max_size=40))
    ticks = start + step * np.cumsum([0, *steps], dtype=np.int64)
    return TimeAxis("time", ticks, draw(st.sampled_from(CALENDARS)))


def fed(name, values, valid):
    state = reducer(name).start(values.shape[1:])
    for one, good in zip(values, valid, strict=True):
        state.add(one, good)
    return state


def assert_same(one, other, *, counts=True):
    for found, wanted in zip(one.result(), other.result(), strict=True):
        assert found.dtype == wanted.dtype
        if found.dtype == np.float64:
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-6)
        else:
            np.testing.assert_array_equal(found, wanted)
    if counts:
        np.testing.assert_array_equal(one.count, other.count)


@given(names, stacks(), st.data())
def test_merged_parts_are_the_whole(name, stack, data):
    values, valid = stack
    cut = data.draw(st.integers(0, len(values)))
    merged = fed(name, values[:cut], valid[:cut])
    merged.merge(fed(name, values[cut:], valid[cut:]))
    whole = fed(name, values, valid)
    if cut == len(values) or cut == 0 or not len(values):
        assert_same(merged, whole)
    else:
        assert_same(merged, whole, counts=not whole.done)


@given(free, stacks(), st.randoms(use_true_random=False))
def test_order_does_not_matter_where_it_should_not(name, stack, random):
    values, valid = stack
    order = list(range(len(values)))
    random.shuffle(order)
    one, other = fed(name, values, valid), fed(name, values[order], valid[order])
    assert_same(one, other, counts=not one.done)


@given(names, stacks(most=300))
def test_many_steps_at_once_are_steps_one_by_one(name, stack):
    values, valid = stack
    together = reducer(name).start(values.shape[1:])
    together.extend(values, valid)
    one_by_one = fed(name, values, valid)
    assert_same(together, one_by_one, counts=not one_by_one.done)


@given(axes(), periods, st.none() | st.integers(-(10**13), 10**13))
def test_bins_partition_the_axis(axis, every, origin):
    found = bins(axis, every, origin)
    assert [one.start for one in found] == [0, *(one.stop for one in found[:-1])]
    assert found[-1].stop == axis.size
    for one in found:
        assert one.size > 0
        inside = (axis.ticks >= one.first) & (axis.ticks < one.last)
        assert np.flatnonzero(inside).tolist() == list(range(one.start, one.stop))
        assert one.label == one.first
    assert all(one.last <= other.first for one, other in pairwise(found))


@given(axes(), periods)
def test_bins_do_not_depend_on_what_else_is_selected(axis, every):
    half = axis.size // 2
    later = TimeAxis("time", axis.ticks[half:], axis.calendar)
    edges = {(one.first, one.last) for one in bins(axis, every)}
    assert {(one.first, one.last) for one in bins(later, every)} <= edges


@given(axes(), st.integers(1, 50) | st.builds(Period, st.integers(0, 3), st.integers(1, 10**10)))
def test_a_rolling_window_ends_at_each_instant(axis, window):
    found = rolling(axis, window, partial=True)
    assert [one.stop for one in found] == list(range(1, axis.size + 1))
    assert set(rolling(axis, window)) <= set(found)
    for one in found:
        inside = (axis.ticks >= one.first) & (axis.ticks < one.last)
        assert np.flatnonzero(inside).tolist() == list(range(one.start, one.stop))
        assert one.label == axis.ticks[one.stop - 1] == one.last - 1


@st.composite
def packed(draw):
    """A field, and steps as it is stored with nil values among them."""
    dtype = draw(st.sampled_from(["int8", "uint8", "int16", "uint16", "int32", "float32"]))
    shape = (draw(st.integers(1, 12)), draw(st.integers(1, 5)))
    scale = draw(st.sampled_from([1.0, 0.01, -0.5, 3.0]))
    offset = 0.0 if scale == 1.0 else draw(st.sampled_from([0.0, 273.15, -40.0]))
    nil = None
    if dtype != "float32":
        ends = np.iinfo(dtype)
        nil = draw(st.sampled_from([int(ends.min), int(ends.max), 7, None]))
    elements = st.integers(0, 100) if nil is None else st.integers(0, 100) | st.just(nil)
    if dtype == "float32":
        elements = st.floats(-1000, 1000, width=16) | st.just(float("nan"))
    values = draw(arrays.arrays(np.dtype(dtype), shape, elements=elements))
    return Field("v", dtype, nil=nil, scale=scale, offset=offset), values


def by_xarray(by, decoded):
    """What xarray (numpy where it has none) makes of steps with NaN; float64, (cells,)."""
    data, known = xr.DataArray(decoded, dims=("time", "cell")), np.isfinite(decoded)
    if by.share is not None:
        return data.quantile(by.share, "time").values
    if by.mosaic:
        steps = slice(None, None, 1 if by.order == "ascending" else -1)
        step = known[steps].argmax(axis=0)
        return np.take_along_axis(decoded[steps], step[None], 0)[0]
    found = {
        "sum": lambda: data.sum("time", min_count=1).values,
        "range": lambda: (data.max("time") - data.min("time")).values,
        "any": lambda: np.where(known.any(0), ((decoded != 0) & known).any(0), np.nan),
        "all": lambda: np.where(known.any(0), ((decoded != 0) | ~known).all(0), np.nan),
    }
    return found.get(by.name, lambda: getattr(data, by.name)("time").values)()


@given(st.sampled_from([*NAMES[:-1], "p10", "p97.5"]), packed())
def test_stored_values_reduced_then_scaled_equal_xarray(name, made):
    field, values = made
    by = reducer(name)
    inner = on_packed(by, field)
    if inner is None:
        assert by.ranked or by.name in {"any", "all"}
        return
    state = inner.start(values.shape[1:], values.dtype, field.nil)
    state.extend(values if by.order == "ascending" else values[::-1])
    found, valid = state.result()
    found = physical(by, field, found, valid, state.count)
    decoded = field.decode(values, field.valid(values)).astype(np.float64)
    with warnings.catch_warnings(action="ignore"):  # of cells that are nowhere valid
        wanted = by_xarray(by, decoded)
    np.testing.assert_array_equal(valid, np.isfinite(wanted))
    np.testing.assert_allclose(found[valid], wanted[valid], rtol=1e-9, atol=1e-5)
