"""Statistics: exact counts and sums, quantiles that hold, over any history of a cube."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nst

from datacube.model.axis import IndexAxis
from datacube.model.fields import Field
from datacube.store.create import create_cube
from datacube.store.cube import CubeStore, open_cube
from datacube.store.statistics import (
    PROBABILITIES,
    Collector,
    FieldStatistics,
    Histogram,
    Summary,
    merged,
    without,
)
from datacube.store.tables import SliceDocument
from datacube.store.transaction import transaction
from datacube.store.url import open_store
from tests.cubes import make_cube, make_description, slice_values, ticks_of
from tests.stores import CountingStore

FLOAT = Field("v", "float64")


def known(cube: CubeStore, field: str = "v") -> FieldStatistics:
    found = cube.statistics(field)
    assert found is not None
    return found


def summary_of(values: Any, field: Field = FLOAT) -> Summary:
    array = np.atleast_2d(np.asarray(values, field.dtype))
    collector = Collector(field, array.shape)
    collector.add(0, 0, 0, array)
    found = collector.summary()
    assert found is not None
    return found


@given(
    nst.arrays(
        np.float64,
        nst.array_shapes(min_dims=2, max_dims=2, max_side=40),
        elements=st.floats(-1e6, 1e6) | st.just(float("nan")) | st.just(float("inf")),
    ),
    st.integers(1, 12),
)
def test_what_is_exact(values, side):
    collector = Collector(FLOAT, values.shape)
    places = [
        (row, column)
        for row in range(0, values.shape[0], side)
        for column in range(0, values.shape[1], side)
    ]
    for number, (row, column) in reversed(list(enumerate(places))):
        collector.add(number, row, column, values[row : row + side, column : column + side])
    found = collector.summary()
    good = values[np.isfinite(values)]
    if not good.size:
        assert found is None
        return
    assert found is not None
    assert (found.count, found.minimum, found.maximum) == (good.size, good.min(), good.max())
    assert found.total == pytest.approx(good.sum(), rel=1e-9, abs=1e-6)
    assert list(found.quantiles) == sorted(found.quantiles)
    assert found.minimum <= found.quantiles[0]
    assert found.quantiles[-1] <= found.maximum
    again = Summary.load(found.dump())
    assert again.dump() == found.dump()
    assert again.quantiles == found.quantiles


@pytest.mark.parametrize("dtype", ["int16", "uint8", "float32", "float64", "int64"])
def test_quantiles_are_near(dtype):
    rng = np.random.default_rng(3)
    values = rng.normal(100, 20, (300, 500)).clip(0, 255).astype(dtype)
    field = Field("v", dtype)
    found = summary_of(values, field).quantiles
    assert np.allclose(found, np.quantile(values, PROBABILITIES), atol=2.5)


def test_the_sample_does_not_depend_on_chunks_or_their_order():
    field = Field("v", "int16", nil=-1)
    values = np.random.default_rng(1).integers(-1, 3000, (400, 700)).astype("int16")

    def made(side, order):
        collector = Collector(field, values.shape)
        places = [(y, x) for y in range(0, 400, side) for x in range(0, 700, side)]
        for number in order(range(len(places))):
            y, x = places[number]
            collector.add(number, y, x, values[y : y + side, x : x + side])
        found = collector.summary()
        assert found is not None
        return found.dump()

    assert made(64, list) == made(64, reversed) == made(100, list) == made(700, list)


def test_a_few_absurd_values_do_not_spoil_the_others():
    values = np.random.default_rng(2).normal(280, 5, (100, 100))
    values[::10] = 9.96921e36
    found = summary_of(values).quantiles
    assert np.allclose(found[:5], np.quantile(values, PROBABILITIES[:5]), atol=0.7)
    assert found[-1] == pytest.approx(9.96921e36)


def test_merging_many_slices_gives_their_pooled_quantiles():
    rng = np.random.default_rng(0)
    whole, parts = None, []
    for day in range(730):
        values = 10 * np.sin(2 * np.pi * day / 365) + rng.normal(0, 3, (20, 25))
        if day % 200 == 7:
            values[:] = 1e30  # a broken slice now and then
        parts.append(values)
        whole = merged(whole, summary_of(values))
    assert whole is not None
    pooled = np.concatenate(parts)
    assert whole.count == pooled.size
    assert np.allclose(whole.quantiles, np.quantile(pooled, PROBABILITIES), atol=0.7)


def test_what_was_merged_can_be_taken_away():
    first, second = summary_of(np.arange(100)), summary_of(np.arange(1000, 1500))
    both = merged(first, second)
    left = without(both, second)
    assert left is not None
    assert (left.count, left.total) == (100, 4950)
    assert left.quantiles[-1] < 110
    assert left.maximum == 1499  # a bound only
    assert without(first, first) is None
    assert without(None, first) is None
    assert without(first, None) is first
    other = without(both, summary_of(np.arange(-50, 0)))
    assert other is not None
    assert other.count == 600  # what was never part of it is not taken away


@pytest.mark.parametrize("value", [0.0, 5.0, -273.15, 1e-300, 1e300])
def test_one_value_only(value):
    found = summary_of(np.full((10, 10), value))
    assert found.quantiles == (value,) * 7
    both = merged(found, found)
    assert both is not None
    assert both.quantiles == (value,) * 7


def test_bins_of_any_widths_go_together():
    coarse, fine = Histogram.of(np.arange(0.0, 64, 4), 2), Histogram.of(np.arange(16.0), 0)
    both = coarse.plus(fine, 16)
    assert both.exponent == 2
    assert both.counts.tolist() == [5] * 4 + [1] * 12
    assert both.minus(fine).counts.tolist() == coarse.counts.tolist()


@given(
    nst.arrays(
        np.float64,
        st.integers(1, 300),
        elements=st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0]),
    ),
    st.integers(-1080, 1080),
    st.integers(2, 70),
)
def test_counting_ascending_values_is_counting_them(values, exponent, number):
    values.sort()
    quick = Histogram.of_ascending(values, exponent, number)
    plain = Histogram.of(values, exponent).at_most(number)
    assert quick.exponent == plain.exponent
    assert quick.bins.tolist() == plain.bins.tolist()
    assert quick.counts.tolist() == plain.counts.tolist()


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32"])
@pytest.mark.parametrize("gaps", [False, True])
def test_sums_that_overviews_have_made_are_those_of_the_cells(tmp_path, dtype, gaps):
    rng = np.random.default_rng(6)
    ends = np.iinfo("int8" if dtype == "float32" else dtype)
    values = rng.integers(ends.min, ends.max, (37, 50), dtype=ends.dtype).astype(dtype)
    nil = ends.max
    if gaps:
        values[rng.random(values.shape) < 0.3] = nil
    fields = (Field("v", dtype, nil=nil if dtype != "float32" else None),)
    made = make_cube(
        tmp_path,
        width=50,
        height=37,
        fields=fields,
        formula=lambda _t, _k, _f, y, x: values[y.astype(int), x.astype(int)],
        chunks={"x": 16, "y": 16},
    )
    assert len(made.description.levels) > 1
    found = made.slice_document(0).statistics["v"]
    counted = values[values != nil] if dtype != "float32" else values
    exact = counted.astype(np.float64 if dtype == "float32" else np.int64)
    assert (found.count, found.total) == (counted.size, exact.sum())
    assert (found.minimum, found.maximum) == (counted.min(), counted.max())


def test_statistics_of_a_cube(tmp_path):
    store = CountingStore(open_store(str(tmp_path)))
    field = Field("v", "int16", nil=-1, scale=0.5, offset=100.0)
    cube = make_cube(
        store,
        times=("2020-01-01", "2020-01-02"),
        fields=(field, Field("never", "float32")),
        formula=lambda t, _k, f, y, x: np.where((x < 10) & (f == 0), 100 * t + 10 * y + x, -1.0),
        chunks={"x": 8, "y": 4},
        axes=(IndexAxis("depth", 2),),
    )
    store.reset()
    found = known(cube)
    assert store.requests == 0
    assert (found.count, found.minimum, found.maximum) == (400, 100.0, 100 + 199 / 2)
    assert found.mean == 100 + (49.5 + 50) / 2
    assert found.usual[0] == pytest.approx(101, abs=1)
    assert found.usual[1] == pytest.approx(198.5, abs=2)
    assert known(cube, "never").maximum == -1
    document = cube.slice_document(1)
    assert document.statistics["v"].minimum == 100
    name, data = document.dump()
    assert SliceDocument.load(data, name, "closed").statistics["v"].total == 2 * 100 * 149.5


def test_a_negative_scale_turns_them_round():
    summary = summary_of(np.arange(101))
    found = FieldStatistics.of(Field("v", "int16", scale=-1.0), summary)
    assert (found.minimum, found.maximum) == (-100, 0)
    assert found.usual[0] < -90 < found.usual[1]


def test_nothing_valid_and_nothing_written(tmp_path):
    cube = make_cube(tmp_path, times=(), dtype="float32")
    assert cube.statistics("v") is None
    with transaction(cube.store, "closed", "nothing") as tx:
        tx.write_slice(0, {"v": np.full((10, 20), np.nan, "float32")})
    assert cube.refreshed().statistics("v") is None


def test_a_replaced_slice_is_counted_once(tmp_path):
    store = open_store(str(tmp_path))
    fields = (Field("a", "int32"), Field("b", "float32"))
    cube = make_cube(store, times=("2020-01-01", "2020-01-02"), fields=fields)
    before = known(cube, "b")
    with transaction(store, "closed", "only a") as tx:
        tx.write_slice(ticks_of("2020-01-02"), {"a": slice_values(tx.description, 5)["a"]})
        tx.write_slice(ticks_of("2020-01-02"), {"a": slice_values(tx.description, 7)["a"]})
    cube = cube.refreshed()
    assert known(cube, "b") == before
    found = known(cube, "a")
    assert (found.count, found.mean) == (400, 54.5 + 3500)
    assert found.maximum == 7109
    assert cube.slice_document(1).statistics.keys() == {"a", "b"}


def test_racing_writers_are_all_counted(tmp_path):
    store = open_store(str(tmp_path))
    made = make_cube(store)
    with transaction(store, "closed", "a") as first:
        first.write_slice(ticks_of("2020-01-02"), slice_values(made.description, 1))
        with transaction(store, "closed", "b") as second:
            second.write_slice(ticks_of("2020-01-03"), slice_values(made.description, 2))
    found = known(open_cube(store, "closed"))
    assert (found.count, found.mean) == (600, 1054.5)


def test_a_cube_written_before_statistics_were_kept(tmp_path, monkeypatch):
    store = open_store(str(tmp_path))
    description = make_description(timed=False)
    with monkeypatch.context() as patch:
        patch.setattr(Collector, "summary", lambda _: None)
        create_cube(store, description)
        with transaction(store, "closed", "old") as tx:
            tx.write_slice(None, slice_values(description, 0))
    cube = open_cube(store, "closed")
    assert cube.statistics("v") is None
    with transaction(store, "closed", "the same again") as tx:
        tx.write_slice(None, slice_values(description, 0))  # no conflict
    assert cube.refreshed() is cube
