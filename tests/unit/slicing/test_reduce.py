"""Reducers against numpy and xarray on cubes with holes."""

import math
from typing import Any

import numpy as np
import pytest
import xarray as xr

from datacube.errors import InvalidParameter
from datacube.slicing.reduce import NAMES, reducer

STEPS, SHAPE = 37, (3, 5)
NUMPY: dict[str, Any] = {
    "mean": np.nanmean,
    "sum": np.nansum,
    "min": np.nanmin,
    "max": np.nanmax,
    "std": np.nanstd,
    "var": np.nanvar,
    "median": np.nanmedian,
    "range": lambda values, axis: np.nanmax(values, axis) - np.nanmin(values, axis),
    "p0": np.nanmin,
    "p10": lambda values, axis: np.nanquantile(values, 0.1, axis=axis),
    "p99.5": lambda values, axis: np.nanpercentile(values, 99.5, axis=axis),
    "p100": np.nanmax,
}
DTYPES = (
    "float64",
    "float32",
    "float16",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    ">i2",
    ">f4",
)


def stack(dtype, seed=1, steps=STEPS, shape=SHAPE):
    """Values with garbage where not valid, every cell observed at least once."""
    rng = np.random.default_rng(seed)
    values = (rng.normal(40, 20, (steps, *shape))).clip(0, 120).astype(dtype)
    valid = rng.random((steps, *shape)) > 0.4
    valid[steps // 2] = True
    if values.dtype.kind == "f":
        values[~valid] = rng.choice([np.nan, np.inf, -999], (~valid).sum())
    else:
        values[~valid] = np.iinfo(values.dtype).max
    return values, valid


def with_nan(values, valid):
    return np.where(valid, values.astype("float64"), np.nan)


def reduced(name, values, valid):
    one = reducer(name)
    state = one.start(values.shape[1:])
    steps = range(len(values)) if one.order == "ascending" else reversed(range(len(values)))
    for step in steps:
        state.add(values[step], valid[step])
    return state


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NUMPY)
def test_equals_numpy(name, dtype):
    values, valid = stack(dtype)
    state = reduced(name, values, valid)
    found, good = state.result()
    assert good.all()
    assert found.dtype == reducer(name).dtype_of(values.dtype)
    wanted = NUMPY[name](with_nan(values, valid), axis=0)
    np.testing.assert_allclose(found, wanted, rtol=1e-13)
    np.testing.assert_array_equal(state.count, valid.sum(axis=0))
    assert state.count.dtype == np.int32


@pytest.mark.parametrize("share", [0, 1 / 3, 0.25, 0.5, 0.77, 0.995, 1])
def test_quantiles_equal_numpy_to_the_bit(share):
    values, valid = stack("float64")
    found, _ = reduced(f"p{share * 100!r}", values, valid).result()
    wanted = np.nanquantile(with_nan(values, valid), share * 100 / 100, axis=0)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("name", ["mean", "sum", "min", "max", "std", "var", "median", "count"])
def test_equals_xarray(name):
    values, valid = stack("float64")
    cube = xr.DataArray(with_nan(values, valid), dims=("time", "y", "x"))
    wanted = getattr(cube, name)("time").values
    np.testing.assert_allclose(reduced(name, values, valid).result()[0], wanted, rtol=1e-13)


@pytest.mark.parametrize(("name", "newest"), [("first", 0), ("leastrecent", 0), ("last", 1)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_first_and_last_valid_values(name, newest, dtype):
    values, valid = stack(dtype)
    found, good = reduced(name, values, valid).result()
    order = slice(None, None, -1 if newest else 1)
    step = valid[order].argmax(axis=0)
    wanted = np.take_along_axis(values[order], step[None], axis=0)[0]
    assert good.all()
    assert found.dtype == values.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found, wanted)


def test_a_mosaic_is_done_when_every_cell_is_filled():
    state = reducer("mostRecent").start((2,))
    done = []
    for step, second in (([1, 2], False), ([3, 4], True), ([5, 6], True)):
        state.add(np.array(step, "int16"), np.array([True, second]))
        done.append(state.done)
    assert done == [False, True, True]
    values, valid = state.result()
    assert values.tolist() == [1, 4]
    assert valid.all()


def test_any_and_all():
    steps = np.array([[0, 0, 0, 1, 0], [0, 2, 1, 1, 0]], "uint8")
    valid = np.array([[1, 1, 0, 1, 0], [1, 1, 1, 1, 0]], bool)
    some, good = reduced("any", steps, valid).result()
    every, also = reduced("all", steps, valid).result()
    assert some.tolist() == [0, 1, 1, 1, 0]
    assert every.tolist() == [0, 0, 1, 1, 0]
    assert good.tolist() == also.tolist() == [True, True, True, True, False]
    assert some.dtype == every.dtype == np.uint8
    assert reduced("any", steps[:, 1:4] > 0, valid[:, 1:4]).done
    assert reduced("all", steps[:, :2], valid[:, :2]).done


@pytest.mark.parametrize("name", [*NAMES[:-1], "p25"])
@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_cells_without_observations(name, dtype):
    state = reducer(name).start((2,))
    for _ in range(3):
        state.add(np.array([7, 7], dtype), np.array([True, False]))
    values, valid = state.result()
    assert valid.tolist() == [True, name == "count"]
    assert state.count.tolist() == [3, 0]
    if values.dtype.kind == "f":
        assert np.isnan(values[1])
    else:
        assert values[1] == 0


@pytest.mark.parametrize("name", [*NAMES[:-1], "p25"])
def test_no_steps_at_all(name):
    values, valid = reducer(name).start((2, 3)).result()
    assert values.shape == valid.shape == (2, 3)
    assert valid.any() == (name == "count")


@pytest.mark.parametrize("name", [*NAMES[:-1], "p25"])
@pytest.mark.parametrize("shape", [(), (0, 4), (2, 1, 3)])
def test_any_shape(name, shape):
    state = reducer(name).start(shape)
    for number in (4.0, 6.0, 5.0):
        state.add(np.full(shape, number), np.ones(shape, bool))
    values, valid = state.result()
    assert values.shape == valid.shape == state.count.shape == shape
    assert valid.all()


def test_a_nan_is_no_observation_whatever_valid_says():
    values = np.array([[1.0], [np.nan], [3.0]])
    for name in ("mean", "median"):
        state = reduced(name, values, np.ones_like(values, bool))
        assert state.result()[0].tolist() == [2.0]
        assert state.count.tolist() == [2]


def test_infinities():
    values = np.array([[np.inf, np.inf, 1.0], [np.inf, -np.inf, np.inf], [np.inf, 0.0, 2.0]])
    valid = np.ones_like(values, bool)
    assert reduced("max", values, valid).result()[0].tolist() == [np.inf, np.inf, np.inf]
    assert reduced("min", values, valid).result()[0].tolist() == [np.inf, -np.inf, 1.0]
    assert reduced("median", values, valid).result()[0].tolist() == [np.inf, 0.0, 2.0]
    total, good = reduced("sum", values, valid).result()
    assert good.tolist() == [True, False, True]
    assert total[0] == np.inf


def long_series(dtype):
    rng = np.random.default_rng(3)
    values = (273.15 + rng.random((100_000, 2))).astype(dtype)
    values[:, 1] = 0.1
    total = [math.fsum(values[:, cell].tolist()) for cell in (0, 1)]
    variance = math.fsum(((values[:, 0].astype("f8") - total[0] / 1e5) ** 2).tolist()) / 1e5
    return values, total, variance


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_hundred_thousand_steps_at_once_stay_accurate(dtype):
    values, total, variance = long_series(dtype)
    valid = np.ones_like(values, bool)
    states = {name: reducer(name).start((2,)) for name in ("sum", "mean", "var", "std")}
    for state in states.values():
        state.extend(values, valid)
    np.testing.assert_allclose(states["sum"].result()[0], total, rtol=1e-13)
    np.testing.assert_allclose(states["mean"].result()[0], np.divide(total, 1e5), rtol=1e-13)
    np.testing.assert_allclose(states["var"].result()[0][0], variance, rtol=1e-11)
    np.testing.assert_allclose(states["std"].result()[0][0], variance**0.5, rtol=1e-11)
    assert states["sum"].count.tolist() == [100_000, 100_000]


def test_hundred_thousand_steps_one_by_one_stay_accurate():
    values, total, variance = long_series("float32")
    mean, spread = reducer("mean").start((2,)), reducer("var").start((2,))
    valid = np.ones(2, bool)
    for step in values:
        mean.add(step, valid)
        spread.add(step, valid)
    np.testing.assert_allclose(mean.result()[0], np.divide(total, 1e5), rtol=1e-12)
    np.testing.assert_allclose(spread.result()[0][0], variance, rtol=1e-10)


@pytest.mark.parametrize("at_once", [True, False])
def test_a_spread_far_below_the_values_is_kept(at_once):
    values = 1e9 + np.tile([[0.0], [1.0]], (500, 1))
    valid = np.ones_like(values, bool)
    if at_once:
        state = reducer("var").start((1,))
        state.extend(values, valid)
    else:
        state = reduced("var", values, valid)
    np.testing.assert_allclose(state.result()[0], [0.25], rtol=1e-8)


@pytest.mark.parametrize("name", [*NAMES[:-1], "p25"])
def test_large_steps_are_worked_through_in_bands(name):
    values, valid = stack("float32", steps=5, shape=(190, 350))
    found, good = reduced(name, values, valid).result()
    part, also = reduced(name, values[:, 90:110, :], valid[:, 90:110, :]).result()
    np.testing.assert_array_equal(found[90:110], part)
    np.testing.assert_array_equal(good[90:110], also)


@pytest.mark.parametrize("name", [*NAMES[:-1], "p25"])
def test_cells_beside_it_make_no_difference_to_a_cell(name):
    """Not in the last bit, whatever is missing there, over more steps than a sum is folded at."""
    rng = np.random.default_rng(3)
    values = rng.normal(40, 20, (700, 2, 80))
    valid = rng.random(values.shape) > 0.2
    valid[:, 0, :40] = True
    valid[100:400, 1] = False
    whole = reduced(name, values, valid).result()
    for part in (np.s_[:1, :40], np.s_[:1, 40:], np.s_[1:, :], np.s_[:, 3:9]):
        alone = reduced(name, values[:, *part], valid[:, *part]).result()
        assert [one[part].tobytes() for one in whole] == [one.tobytes() for one in alone]


@pytest.mark.parametrize("name", [*NAMES[:-1], "p25"])
def test_views_are_as_good_as_arrays(name):
    values, valid = stack("int16", shape=(6, 8))
    wanted = reduced(name, values.copy(), valid.copy()).result()
    turned = reduced(name, values.transpose(0, 2, 1), valid.transpose(0, 2, 1)).result()
    for one, other in zip(wanted, turned, strict=True):
        np.testing.assert_array_equal(one, other.T)


def test_result_may_be_asked_in_between():
    state = reducer("sum").start((1,))
    for number in range(300):
        state.add(np.array([float(number)]), np.ones(1, bool))
        assert state.result()[0][0] == number * (number + 1) / 2


def test_steps_that_do_not_fit_are_refused():
    state = reducer("max").start((2,))
    state.add(np.zeros(2, "int16"), np.ones(2, bool))
    with pytest.raises(ValueError, match="after steps of int16"):
        state.add(np.zeros(2), np.ones(2, bool))
    with pytest.raises(ValueError, match="expected"):
        state.add(np.zeros(3, "int16"), np.ones(3, bool))
    with pytest.raises(ValueError, match="shapes"):
        state.merge(reducer("max").start((3,)))
    with pytest.raises(ValueError, match="cannot be reduced"):
        reducer("max").start((1,)).add(np.zeros(1, complex), np.ones(1, bool))


@pytest.mark.parametrize(
    ("written", "name", "share"),
    [
        ("AVG", "mean", None),
        ("most_recent", "mostrecent", None),
        ("least-Recent", "leastrecent", None),
        ("stdDev", "std", None),
        ("P50", "p50", 0.5),
        ("p99.50", "p99.5", 0.995),
        ("median", "median", 0.5),
    ],
)
def test_names(written, name, share):
    one = reducer(written)
    assert (one.name, one.share) == (name, share)
    assert one.stacked == (share is not None)


@pytest.mark.parametrize(
    "name", ["", "p", "p-5", "p100.1", "p1e1", "p1.2.3", "pnan", "mode", "meanx"]
)
def test_unknown_names_list_what_there_is(name):
    with pytest.raises(InvalidParameter, match=r"mean, min, .* median, p0") as caught:
        reducer(name, subject="AGG")
    assert caught.value.subject == "AGG"


def test_memory_of_a_stack_is_known_beforehand():
    import tracemalloc

    values, valid = stack("float32", steps=64, shape=(128, 128))
    for name in ("median", "std", "mean", "first"):
        one = reducer(name)
        tracemalloc.start()
        state = one.start((128, 128))
        for step, good in zip(values, valid, strict=True):
            state.add(step, good)
        state.result()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak <= one.stack_bytes(64, (128, 128), values.dtype) <= 2 * peak + 2**21


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "int64", "float32"])
@pytest.mark.parametrize("place", ["least", "most", "between"])
@pytest.mark.parametrize("cells", [50, 70_000])
def test_a_nil_value_is_no_observation(dtype, place, cells):
    """Marked in the values or by a mask: the same, whether steps come alone or together."""
    kind = np.dtype(dtype)
    ends = np.iinfo(kind) if kind.kind != "f" else np.finfo(kind)
    nil = kind.type({"least": ends.min, "most": ends.max, "between": 7}[place])
    rng = np.random.default_rng(4)
    values = rng.integers(0, 100, (9, cells)).astype(kind)
    valid = rng.random(values.shape) < 0.6
    values[values == nil] = 8
    marked = np.where(valid, values, nil)
    for name in (*NAMES[:-1], "p80"):
        wanted = reducer(name).start((cells,))
        found = reducer(name).start((cells,), kind, float(nil) if kind.itemsize < 8 else int(nil))
        for step, good, one in zip(values, valid, marked, strict=True):
            wanted.add(step, good)
            found.add(one)
        together = reducer(name).start((cells,), kind, nil.item())
        together.extend(marked[:4])
        together.add(values[4], valid[4])
        together.extend(marked[5:])
        for other in (found, together):
            for one, same in zip(other.result(), wanted.result(), strict=True):
                assert one.dtype == same.dtype
                np.testing.assert_allclose(one, same, rtol=1e-12, atol=1e-12)
        if not found.done:
            np.testing.assert_array_equal(found.count, wanted.count)


def test_sums_of_integers_are_exact_over_many_steps():
    """More steps of the largest values than 32 bits hold."""
    rng = np.random.default_rng(5)
    for dtype in ("int16", "uint16"):
        ends = np.iinfo(dtype)
        steps = rng.choice(np.array([ends.min, ends.max - 1], dtype), (100_000, 3))
        total = reducer("sum").start((3,), np.dtype(dtype), ends.max)
        spread = reducer("var").start((3,), np.dtype(dtype), ends.max)
        for step in steps[:1000]:
            total.add(step)
            spread.add(step)
        total.extend(steps[1000:])
        spread.extend(steps[1000:])
        assert total.result()[0].tolist() == steps.sum(axis=0, dtype=np.int64).tolist()
        np.testing.assert_allclose(spread.result()[0], steps.astype(np.longdouble).var(axis=0))


def test_the_spread_of_integers_far_from_zero_is_exact():
    steps = np.array([[32_766], [32_765], [32_766], [32_765]], np.int16)
    spread = reducer("var").start((1,), steps.dtype)
    spread.extend(steps)
    assert spread.result()[0].tolist() == [0.25]
