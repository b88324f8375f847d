"""Values along lines and within regions: equal to the cells, whichever copy they come from."""

from threading import Barrier
from typing import override

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datacube.config.settings import Config, Limits, ServerSettings
from datacube.engine import area, scattered
from datacube.engine.area import get_area, plan_area
from datacube.engine.context import make_context
from datacube.engine.coverage import get_coverage
from datacube.engine.line import get_line, plan_line
from datacube.errors import InvalidSubset, RequestTooLarge, SubsetOutOfDomain
from datacube.model.axis import IrregularAxis
from datacube.model.crs import CRS84
from datacube.model.fields import Field
from datacube.model.geometry import Path, Region
from datacube.model.query import AreaQuery, CoverageQuery, LineQuery, Slice, Trim
from datacube.slicing.polygon import mask
from datacube.store.create import create_cube
from datacube.store.url import open_store
from tests.cubes import add_slices, make_cube, make_description
from tests.stores import CountingStore, WrappedStore

DAYS = tuple(np.arange("2020-01-01", "2020-02-10", dtype="datetime64[D]").astype(str).tolist())
HOLED = Field("v", "int32", nil=-1, scale=0.5)
BOX = Region((((-60.0, -30.0), (60.0, -30.0), (60.0, 40.0), (-60.0, 40.0)),), CRS84)


def holed(t, k, f, y, x):
    """Every seventh cell is missing, another one each day."""
    values = np.asarray(1000 * t + 10 * y + x + 100_000 * k)
    return np.where((x + 3 * y + t) % 7 == 0, -1, values)


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    """``maps`` and ``series``: the same 40 days; two segments hold 32 of them."""
    store = CountingStore(open_store(str(tmp_path_factory.mktemp("store"))))
    for name, series in (("maps", None), ("series", 16)):
        made = make_description(name, width=72, height=36, fields=(HOLED,))
        create_cube(store, made, chunks={"x": 24, "y": 24}, series=series)
        add_slices(store, made, DAYS, formula=holed)
    depth = IrregularAxis("depth", np.array([0.0, 10.0, 50.0]), "m", "depth")
    make_cube(store, "deep", times=DAYS[:4], axes=(depth,), width=72, height=36, series=4)
    return make_context(store, Config())


def counted(context, work):
    context.cache.clear()
    context.catalog._store.reset()
    found = work()
    return found, context.catalog._store.chunks_read


def expected(times, rows, columns):
    t = np.asarray(times)[:, np.newaxis]
    raw = holed(t, 0, 0, np.asarray(rows), np.asarray(columns))
    return np.where(raw == -1, np.nan, 0.5 * raw)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 35), st.integers(0, 71)), min_size=1, max_size=8, unique=True
    ),
    st.integers(0, 39),
    st.integers(0, 39),
)
def test_places_have_the_values_of_their_cells_by_both_copies(context, cells, one, other):
    first, last = sorted((one, other))
    rows, columns = np.array(cells).T
    vertices = tuple((-177.5 + 5 * column, 87.5 - 5 * row) for row, column in cells)
    span = Trim("time", DAYS[first], DAYS[last])
    for name in ("maps", "series"):
        query = LineQuery(name, Path(vertices, CRS84), (span,))
        found, read = counted(context, lambda query=query: get_line(context, query))
        wanted = expected(range(first, last + 1), rows, columns)
        np.testing.assert_array_equal(found.physical(found.fields[0]), wanted)
        plan = plan_line(context, query)
        assert read <= plan.parts[0][0].cost.chunks


def test_long_times_of_few_places_come_from_the_series_copy(context):
    query = LineQuery("series", Path(((2.5, 2.5), (90.0, 2.5)), CRS84))
    _, read = counted(context, lambda: get_line(context, query))
    by_maps = LineQuery("maps", query.path)
    _, more = counted(context, lambda: get_line(context, by_maps))
    assert plan_line(context, query).parts[0][0].copy is not None
    assert read < more / 2


@pytest.mark.parametrize("method", ["mean", "max", "count", "median", "std", "sum"])
@pytest.mark.parametrize("cells_at_once", [1 << 20, 400])
def test_a_region_sums_up_its_cells_by_both_copies(context, monkeypatch, method, cells_at_once):
    monkeypatch.setattr(area, "_CELLS", cells_at_once)
    inside = mask(BOX, context.catalog.cube("maps").description.domain.rectified)
    rows, columns = np.nonzero(inside)
    cells = expected(range(5, 36), rows, columns)
    by_numpy = {
        "mean": np.nanmean, "max": np.nanmax, "median": np.nanmedian, "std": np.nanstd,
        "sum": np.nansum, "count": lambda one, axis: np.isfinite(one).sum(axis=axis),
    }  # fmt: skip
    span = Trim("time", DAYS[5], DAYS[35])
    for name in ("maps", "series"):
        found = get_area(context, AreaQuery(name, BOX, method, (span,)))
        assert found.axes[0].size == 31
        assert found.fields[0].uom == HOLED.uom or method == "count"
        values = found.physical(found.fields[0])
        np.testing.assert_allclose(values, by_numpy[method](cells, axis=1), rtol=1e-12)


def test_a_region_over_levels_and_one_time(context):
    ring = Region((((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)),), CRS84)
    found = get_area(context, AreaQuery("deep", ring, "min", (Slice("time", DAYS[2]),)))
    assert [axis.name for axis in found.axes] == ["depth"]
    assert found.data["v"].tolist() == [2000 + 160 + 36 + 100_000 * k for k in range(3)]


def test_a_clipped_coverage_has_what_is_inside(context):
    ring = Region((((-60.0, -30.0), (60.0, -30.0), (0.0, 40.0)),), CRS84)
    query = CoverageQuery("maps", (Slice("time", DAYS[3]),), clip=ring)
    found = get_coverage(context, query).blocks["v"]
    inside = mask(ring, context.catalog.cube("maps").description.domain.rectified)
    whole = get_coverage(context, CoverageQuery("maps", (Slice("time", DAYS[3]),))).blocks["v"]
    assert (found.valid == (whole.valid & inside)).all()
    assert (found.data[found.valid] == whole.data[found.valid]).all()


def test_what_is_nowhere_near_has_no_value(context):
    path = Path(((2.5, 2.5), (2.5, 2.5)), CRS84, times=(1577836800000.0, 0.0))
    found = get_line(context, LineQuery("maps", path))
    assert found.valid["v"].tolist() == [True, False]
    with pytest.raises(InvalidSubset, match="not trimmed"):
        get_line(context, LineQuery("maps", path, (Trim("Lat", 0.0, 1.0),)))
    with pytest.raises(InvalidSubset, match="not trimmed"):
        get_area(context, AreaQuery("maps", BOX, "mean", (Trim("Lat", 0.0, 1.0),)))
    empty = Region((((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)),), CRS84)
    with pytest.raises(SubsetOutOfDomain, match="no cell"):
        get_area(context, AreaQuery("maps", empty))


def test_a_plan_reads_no_chunk_and_a_refusal_none(context):
    limits = Limits(max_coverage_bytes=1000, max_reduced_cells=1000)
    store = context.catalog._store
    small = make_context(store, Config(ServerSettings(limits=limits)))
    store.reset()
    with pytest.raises(RequestTooLarge, match="places at 40 steps"):
        get_line(small, LineQuery("maps", Path(((0.0, 0.0), (90.0, 0.0)), CRS84, joined=True)))
    with pytest.raises(RequestTooLarge, match="to reduce"):
        get_area(small, AreaQuery("maps", BOX))
    assert plan_area(context, AreaQuery("series", BOX)).cells == 24 * 14
    assert store.chunks_read == 0


class Distant(WrappedStore):
    """Behind a network: a chunk is there only when others have been asked for beside it."""

    is_local = False

    def __init__(self, store, others):
        super().__init__(store)
        self.beside = Barrier(others)

    @override
    def get(self, key):
        if "/c/" in key:
            self.beside.wait(60)
        return super().get(key)


@pytest.mark.parametrize("places", [((1.0, 1.0),), ((1.0, 1.0), (-170.0, 80.0))])
def test_steps_behind_a_network_are_read_at_the_same_time(tmp_path, places):
    made = make_description("maps", width=72, height=36)
    near = open_store(str(tmp_path))
    create_cube(near, made, chunks={"x": 24, "y": 24})
    add_slices(near, made, DAYS[:8])
    query = LineQuery("maps", Path(places, CRS84, joined=False), (), ())
    wanted = get_line(make_context(near, Config()), query).data["v"]
    distant = make_context(Distant(near, 4), Config())
    np.testing.assert_array_equal(get_line(distant, query).data["v"], wanted)
    for pool in (distant.pool, distant.steps):
        pool.shutdown()


class Far(CountingStore):
    """Behind a network, though nothing has to wait for it."""

    is_local = False


def test_large_steps_behind_a_network_are_not_all_held(tmp_path, monkeypatch):
    made = make_description("maps", width=72, height=36)
    store = Far(open_store(str(tmp_path)))
    create_cube(store, made, chunks={"x": 72, "y": 36})
    add_slices(store, made, DAYS[:20])
    far = make_context(store, Config())
    plan = plan_area(far, AreaQuery("maps", BOX))
    ((_, part),) = plan.reads()
    step = part.cells.rows.size * np.dtype(part.field.dtype).itemsize
    monkeypatch.setattr(scattered, "_BLOCK", 2 * step)
    store.reset()
    found = scattered.read_cells(far, plan.cube, part)
    next(found)
    found.close()
    for pool in (far.pool, far.steps):
        pool.shutdown()
    assert 1 <= store.chunks_read <= 3
