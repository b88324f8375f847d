"""Chunks whose steps are made one again and again: the same to the last bit, and never stale."""

import threading
import time
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from datacube.config.settings import Config, Limits, ServerSettings
from datacube.engine import reduction
from datacube.engine.catalog import REFRESH_SECONDS, Catalog
from datacube.engine.context import make_context
from datacube.engine.map import map_of
from datacube.engine.memo import Memo
from datacube.engine.places import locate
from datacube.engine.reducers import reducer_of
from datacube.engine.values import find_each
from datacube.engine.waiting import Abandoned, as_long_as_wanted, check_wanted
from datacube.engine.wanted import wanted_expression, wanted_field
from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84, Crs
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.model.query import LayerRequest, TimeChoice
from datacube.model.time import TimeRange, Timestamp
from datacube.store.url import open_store
from tests.cubes import add_slices, make_cube
from tests.stores import CountingStore

DAYS = tuple(np.arange("2021-01-01", "2021-02-10", dtype="datetime64[D]").astype(str))
FIELDS = (
    Field("packed", "int16", nil=-32768, scale=0.1, offset=-20.0),
    Field("plain", "uint8"),
    Field("real", "float32", nil=np.nan),
)
METHODS = (
    "mean", "sum", "min", "max", "range", "count", "std", "var", "median", "p90", "any", "all",
    "first", "last", "leastcloudy",
)  # fmt: skip
SMALL = {
    "width": 20, "height": 14, "bbox": (0, 0, 20, 14), "levels": 1, "chunks": {"x": 8, "y": 8}
}  # fmt: skip
LAYER = LayerRequest("days", time=TimeChoice(TimeRange(None, None)))


class FarStore(CountingStore):
    """A store behind a network."""

    is_local = False


def rough(t, k, f, y, x):
    """Values that round when they are added; whole steps are missing in a part of each chunk."""
    value = np.exp(np.sin(3.7 * t + 1.1 * y + 0.3 * x + f) * 4)
    missing = (t % 5 == 0) & (y % 8 < 3 + f) | (t + y + 2 * x) % 7 == 0
    return np.where(missing, FIELDS[f].nil or 0, value)


def box(left, bottom, right, top, width=16, height=12, crs=CRS84):
    """A grid."""
    return RectifiedGrid.from_bbox(BoundingBox(left, bottom, right, top, crs), width, height)


CORNER, BESIDE, WHOLE = box(1, 7, 6, 13), box(9, 3, 20, 14), box(0, 0, 20, 14)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    found = CountingStore(open_store(str(tmp_path_factory.mktemp("again"))))
    make_cube(found, "days", times=DAYS, fields=FIELDS, formula=rough, **SMALL)
    return found


def wanted_of(cube, text):
    """A field, an expression, or a field where an expression is true."""
    name, _, mask = text.partition(" where ")
    known = cube.description.range_type
    if name not in known.names:
        return wanted_expression(cube.description, name)
    where = wanted_expression(cube.description, mask) if mask else None
    return wanted_field(known.field(name), where)


def asked(context, grid, *methods, name="packed", request=LAYER):
    """What each method makes of the steps on a grid."""
    cube = context.catalog.cube("days")
    level, cells = map_of(context, cube, grid)
    by = tuple(reducer_of(cube, one, "plain" * (one == "leastcloudy")) for one in methods)
    places, wanted = locate(cube, request), wanted_of(cube, name)
    return find_each(context, cube, wanted, level.number, cells, places, by)


def same(one, other):
    """Whether two results are the same to the last bit."""
    return (
        one.field == other.field
        and one.data.dtype == other.data.dtype
        and one.data.tobytes() == other.data.tobytes()
        and np.array_equal(one.valid, other.valid)
    )


@pytest.mark.parametrize(
    ("method", "name"),
    [
        *product(METHODS, ["packed", "real"]),
        *product(
            ["mean", "var", "last"], ["plain", "real * packed - plain", "real where plain > 3"]
        ),
    ],
)
def test_what_is_kept_is_the_same_to_the_last_bit(store, monkeypatch, method, name):
    monkeypatch.setattr(reduction, "_BLOCK_CELLS", 1)
    context, alone = make_context(store, Config()), make_context(store, Config())
    asked(context, WHOLE, method, name=name)
    asked(context, WHOLE, method, name=name)
    for grid in (CORNER, BESIDE, WHOLE, box(2e5, 2e5, 2e6, 1.4e6, crs=Crs.parse("EPSG:3857"))):
        store.reset()
        [known] = asked(context, grid, method, name=name)
        assert store.chunks_read == 0
        first = replace(alone, reduced=Memo(9))
        assert same(known, *asked(first, grid, method, name=name))


def test_the_second_request_reduces_a_chunk_and_the_third_finds_it(store):
    context = make_context(store, Config())
    lookups = []
    for grid in (CORNER, box(2, 7, 7, 13), box(0, 6, 8, 14), WHOLE):
        before = context.cache.hits + context.cache.misses
        asked(context, grid, "mean")
        lookups.append(context.cache.hits + context.cache.misses - before)
    assert lookups[0] == len(DAYS)
    assert lookups[2] == 1
    assert lookups[3] == 1 + 5 * len(DAYS)


def test_several_reducers_share_what_is_kept(store):
    context = make_context(store, Config())
    first = asked(context, CORNER, "mean", "count", "max")
    asked(context, CORNER, "count", "mean", "max")
    before = context.cache.hits
    again = asked(context, CORNER, "max", "mean", "count")
    assert context.cache.hits == before + 3
    assert same(first[0], again[1])
    assert same(first[1], again[2])
    assert same(first[2], again[0])


def test_tiles_equal_the_map(store):
    """Whether or not some of its chunks are kept."""
    context = make_context(store, Config())
    [whole] = asked(context, box(0, 0, 20, 14, 80, 56), "std", name="real")
    for row in range(4):
        for column in range(4):
            left, top = 5 * column, 14 - 3.5 * row
            tile = box(left, top - 3.5, left + 5, top, 20, 14)
            [part] = asked(context, tile, "std", name="real")
            rows, columns = slice(14 * row, 14 * row + 14), slice(20 * column, 20 * column + 20)
            assert part.data.tobytes() == whole.data[rows, columns].tobytes()
    assert context.cache.held_bytes > 0


def test_a_commit_of_a_time_is_seen_at_once_and_one_of_another_changes_nothing(tmp_path):
    store = CountingStore(open_store(str(tmp_path)))
    made = make_cube(store, "days", times=DAYS[:9], **SMALL)
    context, seconds = make_context(store, Config()), [0.0]
    clock = Catalog(store, Config(), context.cache, lambda: seconds[0])
    context = replace(context, catalog=clock)
    ends = TimeRange(Timestamp.parse("2021-01-01"), Timestamp.parse("2021-01-08"))
    request = replace(LAYER, time=TimeChoice(ends))

    def mean():
        [found] = asked(context, WHOLE, "mean", name="v", request=request)
        return found.data

    before = [mean() for _ in range(3)][-1]
    add_slices(store, made.description, ["2021-01-09"], first=30, revision=1)
    add_slices(store, made.description, ["2020-12-30"], first=40)
    seconds[0] += REFRESH_SECONDS + 1
    store.reset()
    np.testing.assert_array_equal(mean(), before)
    assert context.catalog.cube("days").store.version == made.version + 2
    assert store.chunks_read == 0
    add_slices(store, made.description, ["2021-01-03"], first=82, revision=1)
    seconds[0] += REFRESH_SECONDS + 1
    for _ in range(3):
        np.testing.assert_array_equal(mean(), before + 80 * 1000 / 8)


def settings(**limits):
    """A server's configuration."""
    return Config(server=ServerSettings(limits=Limits(**limits)))


@pytest.mark.parametrize(
    ("limits", "kept"),
    [
        ({}, True),
        ({"max_reduced_cells": 64 * len(DAYS)}, True),
        ({"max_reduced_cells": 63 * len(DAYS)}, False),  # as a whole it would be beyond the limit
        ({"cache_bytes": 16 * 9 * 64 - 1}, False),  # a sixteenth holds no chunk
    ],
)
def test_a_chunk_that_would_be_too_much_is_not_reduced_as_a_whole(store, limits, kept):
    context = make_context(store, settings(**limits))
    for _ in range(4):
        asked(context, box(1, 7, 5, 12), "mean", name="real")
    before = context.cache.hits + context.cache.misses
    asked(context, box(1, 7, 5, 12), "mean", name="real")
    assert (context.cache.hits + context.cache.misses - before == 1) == kept


@pytest.mark.parametrize(
    ("grid", "method", "kept"),
    [
        (box(1, 7, 2, 8), "mean", False),
        (box(1, 7, 5, 12), "mean", True),
        (box(1, 7, 5, 12), "last", False),  # it may take one step only
        (box(1, 7, 5, 12), "any", False),
    ],
)
def test_much_work_is_done_for_a_chunk_only_where_about_as_much_is_wanted(
    store, monkeypatch, grid, method, kept
):
    monkeypatch.setattr("datacube.engine.again._LIGHT", 0)
    context, made = make_context(store, Config()), counted(monkeypatch)
    for _ in range(3):
        asked(context, grid, method, name="real")
    assert bool(made) == kept


def test_the_chunks_of_a_request_stay_within_its_limit_together(store, monkeypatch):
    context = make_context(store, settings(max_reduced_cells=150 * len(DAYS)))
    made, counts = counted(monkeypatch), []
    for _ in range(5):
        asked(context, WHOLE, "mean", name="real")
        counts.append(len(made))
    assert counts == [0, 2, 5, 6, 6]


def test_all_that_comes_of_a_chunk_counts_for_its_share_of_the_cache(store, monkeypatch):
    monkeypatch.setattr("datacube.engine.again._SHARE", 100)
    context = make_context(store, settings(cache_bytes=68_267))  # chunks: 100 x 5 x 64 x 2
    made = counted(monkeypatch)
    for methods, count in ((("min", "max", "count"), 0), (("min", "max"), 1)):
        for _ in range(3):
            asked(context, box(1, 7, 5, 12), *methods, name="real")
        assert len(made) == count


def test_a_chunk_is_read_by_the_copy_that_its_region_is_read_by(tmp_path):
    """At the edge of the grid a chunk is small, and cheaper to have from its series."""
    store = CountingStore(open_store(str(tmp_path)))
    size = {"width": 34, "height": 32, "bbox": (0, 0, 34, 32), "levels": 1}
    chunks = {"x": 32, "y": 32}
    fields = FIELDS[2:]
    make_cube(store, "days", times=DAYS, fields=fields, chunks=chunks, series=16, **size)
    context = make_context(store, Config())
    for _ in range(3):
        asked(context, box(32, 0, 34, 32, 2, 8), "var", name="real")
    assert not [key for key in store.keys if "/series/" in key]
    asked(context, box(32, 0, 34, 32, 2, 32), "var", name="real")
    assert [key for key in store.keys if "/series/" in key]


def test_what_is_kept_stays_within_the_cache(store):
    context = make_context(store, settings(cache_bytes=17_000))
    for method in METHODS[:-1]:
        for _ in range(3):
            asked(context, CORNER, method, name="real")
            assert context.cache.held_bytes <= 17_000
    assert context.cache.held_bytes > 0


def test_what_would_be_dropped_before_it_is_wanted_again_is_not_kept(store):
    """Between two maps of a chunk more others are reduced than the cache could keep."""
    context = make_context(store, settings(cache_bytes=3 * (17 << 10)))
    for _ in range(3):
        for grid in (box(1, 7, 5, 12), box(9, 7, 14, 12), box(17, 7, 19, 12), box(1, 1, 5, 5)):
            before = context.cache.hits + context.cache.misses
            asked(context, grid, "mean", name="real")
            assert context.cache.hits + context.cache.misses - before == len(DAYS)


def counted(monkeypatch, begin=lambda: None):
    """The list of what is reduced as a whole, filled as it is."""
    whole, made = reduction._whole, []

    def slow(job, order, regions):
        begin()
        made.extend(region.chunk for region in regions)
        return whole(job, order, regions)

    monkeypatch.setattr(reduction, "_whole", slow)
    return made


def test_neighbours_at_once_reduce_a_chunk_once(store, monkeypatch):
    context = make_context(store, Config())
    made = counted(monkeypatch, lambda: time.sleep(0.05))
    [first] = asked(context, box(0, 6, 8, 14), "mean")
    found = []
    threads = [
        threading.Thread(target=lambda: found.extend(asked(context, box(0, 6, 8, 14), "mean")))
        for _ in range(6)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert made == [(0, 0)]
    assert len(found) == 6
    assert all(same(first, one) for one in found)


def test_chunks_behind_a_network_are_reduced_together(tmp_path, monkeypatch):
    store = FarStore(open_store(str(tmp_path)))
    make_cube(store, "days", times=DAYS[:6], fields=FIELDS, formula=rough, **SMALL)
    context, calls = make_context(store, Config()), []
    made = counted(monkeypatch, lambda: calls.append(1))
    maps = [asked(context, WHOLE, "mean", "min", name="real") for _ in range(2)]
    assert sorted(made) == [(row, column) for row in range(2) for column in range(3)]
    assert len(calls) == 1
    store.reset()
    maps.append(asked(context, WHOLE, "mean", "min", name="real"))
    assert store.chunks_read == 0
    assert all(same(*pair) for one in maps[1:] for pair in zip(one, maps[0], strict=True))


def test_who_waits_goes_on_when_the_one_who_began_is_gone(store, monkeypatch):
    context, gone = make_context(store, Config()), threading.Event()
    begun, failures = threading.Event(), []

    def begin():
        if not begun.is_set():
            begun.set()
            gone.wait(10)
            check_wanted()

    made = counted(monkeypatch, begin)
    [first] = asked(context, CORNER, "mean")

    def leaving():
        try:
            with as_long_as_wanted(gone):
                asked(context, CORNER, "mean")
        except Abandoned as error:
            failures.append(error)

    thread = threading.Thread(target=leaving)
    thread.start()
    assert begun.wait(10)
    threading.Timer(0.05, gone.set).start()
    [found] = asked(context, CORNER, "mean")
    thread.join()
    assert len(failures) == 1
    assert same(found, first)
    assert made
