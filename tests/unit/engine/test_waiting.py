"""Work that nobody waits for any more is given up at the next chunks, in whatever thread."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import override

import numpy as np
import pytest

from datacube.config.settings import Config
from datacube.engine.ahead import ahead
from datacube.engine.context import make_context
from datacube.engine.coverage import get_coverage
from datacube.engine.map import render_map
from datacube.engine.memo import Memo
from datacube.engine.waiting import Abandoned, as_long_as_wanted, check_wanted
from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84
from datacube.model.grid import RectifiedGrid
from datacube.model.query import Aggregate, CoverageQuery, LayerRequest, MapQuery, TimeChoice
from datacube.model.time import TimeRange
from datacube.store.url import open_store
from tests.cubes import make_cube
from tests.stores import CountingStore

DAYS = tuple(np.arange("2021-01-01", "2021-02-10", dtype="datetime64[D]").astype(str))
ALL = 4 * len(DAYS)  # chunks


class LeavingStore(CountingStore):
    """The asker goes when so many chunks have been read."""

    def __init__(self, store, after):
        super().__init__(store)
        self.after, self.gone = after, threading.Event()

    @override
    def _count(self, key, data):
        found = super()._count(key, data)
        if self.chunks_read >= self.after:
            self.gone.set()
        return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    make_cube(folder, "days", times=DAYS, width=40, height=40, chunks={"x": 20, "y": 20}, levels=1)
    return folder


def the_mean_as_a_map(context):
    grid = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 40, 40)
    always = TimeChoice(TimeRange(None, None))
    render_map(context, MapQuery((LayerRequest("days", time=always, aggregate="mean"),), grid))


def the_mean_as_a_coverage(context):
    get_coverage(context, CoverageQuery("days", aggregate=Aggregate(("time",), ("mean",))))


def every_day(context):
    get_coverage(context, CoverageQuery("days"))


@pytest.mark.parametrize("ask", [the_mean_as_a_map, the_mean_as_a_coverage, every_day])
def test_reading_stops_soon_after_the_asker_has_gone(folder, ask):
    store = LeavingStore(open_store(str(folder)), 10)
    context = make_context(store, Config())
    with as_long_as_wanted(store.gone), pytest.raises(Abandoned):
        ask(context)
    assert 10 <= store.chunks_read <= 14  # those of one read more


@pytest.mark.parametrize("ask", [the_mean_as_a_map, every_day])
def test_who_stays_gets_all(folder, ask):
    store = CountingStore(open_store(str(folder)))
    with as_long_as_wanted(threading.Event()):
        ask(make_context(store, Config()))
    assert store.chunks_read == ALL


def test_threads_that_read_ahead_are_asked_for_by_the_same():
    gone = threading.Event()

    def work(number):
        check_wanted()
        if number == 3:
            gone.set()
        return number

    with ThreadPoolExecutor(1) as pool, as_long_as_wanted(gone):
        results = ahead(pool, work, range(100), 2)
        assert [next(results) for _ in range(4)] == [0, 1, 2, 3]
        with pytest.raises(Abandoned):
            list(results)
    with ThreadPoolExecutor(1) as pool:
        assert list(ahead(pool, lambda _: check_wanted(), range(2))) == [None, None]


def test_another_who_wants_the_same_goes_on_where_the_first_gives_up():
    memo, gone, begun = Memo[str](4), threading.Event(), threading.Event()

    def first():
        begun.set()
        gone.wait(10)
        check_wanted()
        return "first"

    def asked():
        with as_long_as_wanted(gone), pytest.raises(Abandoned):
            memo.get("key", first)

    with ThreadPoolExecutor(2) as pool:
        leaving = pool.submit(asked)
        assert begun.wait(10)
        staying = pool.submit(memo.get, "key", lambda: "second")
        gone.set()
        assert staying.result(10) == "second"
        leaving.result(10)
    assert memo.held("key") == "second"
