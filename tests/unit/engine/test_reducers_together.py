"""Several reducers of the same steps: each gives what it gives alone; the steps are read once."""

from itertools import pairwise

import numpy as np
import pytest

from datacube.config.settings import Config, CubeSettings, Limits, ServerSettings
from datacube.engine.context import make_context
from datacube.engine.coverage import get_coverage, plan_coverage
from datacube.engine.coverage_stream import is_large, stream_coverage
from datacube.model.coverage import Coverage
from datacube.model.fields import Field
from datacube.model.query import Aggregate, CoverageQuery, ScaleSize
from datacube.store.url import open_store
from tests.cubes import make_cube
from tests.stores import CountingStore

DAYS = tuple(np.arange("2021-01-01", "2021-02-10", dtype="datetime64[D]").astype(str))
FIELDS = (
    Field("packed", "int16", nil=-32768, scale=-0.1, offset=-20.0),
    Field("plain", "uint8", nil=255),
    Field("real", "float32", nil=np.nan),
)
METHODS = (
    *("mean", "sum", "min", "max", "range", "count", "var", "std", "median", "p90"),
    *("first", "last", "any", "all", "leastcloudy"),
)
CHUNKS = 2 * 2  # of a step


def gappy(t, k, f, y, x):
    """Every fourth value is missing."""
    del k
    return np.where((t + y + 2 * x) % 4 == 0, FIELDS[f].nil, (37 * t + 11 * y + 5 * x) % 200)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    options = {"times": DAYS, "fields": FIELDS, "formula": gappy, "levels": 1}
    make_cube(folder, "days", width=40, height=32, chunks={"x": 20, "y": 16}, **options)
    make_cube(folder, "long", width=40, height=32, series=16, **options)
    return folder


@pytest.fixture
def store(folder):
    return CountingStore(open_store(str(folder)))


def opened(store, **limits):
    clouds = {name: CubeSettings(cloudiness="plain") for name in ("days", "long")}
    return make_context(store, Config(ServerSettings(limits=Limits(**limits)), clouds))


def uncached(store):
    """Nothing that is read is kept."""
    return opened(store, cache_bytes=0)


def asked(methods, cube="days", **options):
    return CoverageQuery(cube, aggregate=Aggregate(("time",), tuple(methods)), **options)


def values_of(coverage: Coverage):
    return {
        name: np.where(one.valid, one.data.astype(float), np.nan)
        for name, one in coverage.blocks.items()
    }


@pytest.mark.parametrize("cube", ["days", "long"])
def test_all_of_them_give_what_each_gives_alone(store, cube):
    context = opened(store)
    together = values_of(get_coverage(context, asked(METHODS, cube)))
    assert len(together) == len(METHODS) * len(FIELDS)
    for method in METHODS:
        for name, values in values_of(get_coverage(context, asked([method], cube))).items():
            np.testing.assert_allclose(together[f"{name}_{method}"], values, rtol=1e-13)


@pytest.mark.parametrize(
    ("methods", "times"),
    [
        (("mean", "max"), 1),
        (("mean", "max", "std", "count", "p90", "any"), 1),
        (("mean", "last"), 1),
        (("first", "min"), 1),
        (("mean", "leastcloudy"), 3),  # which reads the rank too
    ],
)
def test_every_step_is_read_once(store, methods, times):
    get_coverage(uncached(store), asked(methods, fields=("packed",)))
    assert store.chunks_read == times * CHUNKS * len(DAYS)


def test_the_plan_counts_them_once(store):
    context = uncached(store)
    assert plan_coverage(context, asked(("mean", "max"))).chunks == 3 * CHUNKS * len(DAYS)


def test_values_between_cells_are_read_once_too(store):
    size = ScaleSize(30, 24)
    query = asked(("mean", "max"), fields=("real",), scaling=size, interpolation="bilinear")
    found = values_of(get_coverage(uncached(store), query))
    read = store.chunks_read
    context = opened(store)
    for method in ("mean", "max"):
        alone = asked((method,), fields=("real",), scaling=size, interpolation="bilinear")
        values = values_of(get_coverage(context, alone))["real"]
        np.testing.assert_array_equal(found[f"real_{method}"], values)
    assert read == CHUNKS * len(DAYS)


def test_a_stream_of_places_reads_them_once(store):
    coverage = stream_coverage(uncached(store), asked(("mean", "max"), fields=("packed",)))
    blocks = list(coverage.by_place())
    assert store.chunks_read == CHUNKS * len(DAYS)
    whole = get_coverage(opened(store), asked(("mean", "max"), fields=("packed",)))
    for name, block in whole.blocks.items():
        parts = [one.data for one in blocks if one.field.name == name]
        np.testing.assert_array_equal(np.concatenate(parts), block.data)


def test_what_several_give_is_held_as_long_as_it_may_be(store):
    context = uncached(store)
    plans = [
        plan_coverage(context, asked(methods, scaling=ScaleSize(1500, 1000)))
        for methods in (("mean",), ("mean", "max"))
    ]
    assert all(one.nbytes > 16 << 20 for one in plans)
    assert [is_large(Limits(), one) for one in plans] == [True, False]
    assert all(one.nbytes < two.nbytes for one, two in pairwise(plans))
