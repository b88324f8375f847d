"""Long times of few cells come from the series copy: the same values, few chunks."""

import numpy as np
import pytest

from datacube.config.settings import Config
from datacube.engine.context import make_context
from datacube.engine.coverage import get_coverage, plan_coverage
from datacube.model.query import Aggregate, CoverageQuery, Slice, Trim
from datacube.store.create import create_cube
from datacube.store.url import open_store
from tests.cubes import add_slices, make_description
from tests.stores import CountingStore

DAYS = tuple(np.arange("2020-01-01", "2020-03-11", dtype="datetime64[D]").astype(str).tolist())


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    store = CountingStore(open_store(str(tmp_path_factory.mktemp("store"))))
    made = make_description("long", width=60, height=40)
    create_cube(store, made, series=16)
    add_slices(store, made, DAYS)
    return make_context(store, Config())


def expected(times, y, x):
    return 1000 * np.asarray(times)[:, None, None] + 10 * np.asarray(y)[:, None] + np.asarray(x)


@pytest.mark.parametrize(("first", "last"), [(0, 70), (5, 68), (20, 40)])
def test_a_point_series_is_exact_and_cheap(context, first, last):
    span = Trim("time", DAYS[first], DAYS[last - 1])
    query = CoverageQuery("long", (Slice("Lat", 0.0), Slice("Long", 0.0), span))
    plan = plan_coverage(context, query)
    context.cache.clear()
    context.catalog._store.reset()
    values = get_coverage(context, query).blocks["v"].data
    assert (values == expected(range(first, last), [20], [30])).all()
    assert plan.chunks < last - first
    assert context.catalog._store.chunks_read <= plan.chunks


def test_a_reduced_box_equals_numpy(context):
    box = (Trim("Lat", 0.0, 9.0), Trim("Long", 0.0, 12.0))
    query = CoverageQuery("long", box, aggregate=Aggregate(("time",), ("mean",), "month"))
    assert plan_coverage(context, query).series[0] is not None
    found = get_coverage(context, query).blocks["v"]
    months = np.array([int(day[5:7]) for day in DAYS])
    for at, month in enumerate((1, 2, 3)):
        steps = expected(np.flatnonzero(months == month), [18, 19], [30, 31])
        np.testing.assert_allclose(found.data[at], steps.mean(axis=0))


def test_a_map_sized_box_reads_map_chunks(context):
    query = CoverageQuery("long", (Trim("time", DAYS[0], DAYS[1]),))
    assert plan_coverage(context, query).series == (None,)
