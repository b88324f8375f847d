"""The series copy: exact, valid only for the times it was made of, whatever happens to it."""

import json
import shutil
import threading
import tracemalloc
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr

from datacube.errors import ConflictError, StorageError
from datacube.model.axis import IndexAxis
from datacube.model.fields import Field
from datacube.store.cache import ChunkCache
from datacube.store.create import create_cube
from datacube.store.cube import CubeStore, open_cube
from datacube.store.maintain import verify
from datacube.store.manifest import Version
from datacube.store.rebuild import rebuild_series
from datacube.store.records import SegmentRecord, SeriesRecord
from datacube.store.segments import digest_of, due, missing, surviving
from datacube.store.series import SeriesCopy
from datacube.store.slices import Slice
from datacube.store.timeseries import read_series
from datacube.store.transaction import transaction
from datacube.store.url import open_store
from tests.cubes import (
    add_slices,
    closed_form,
    make_cube,
    make_description,
    slice_values,
    ticks_of,
    time_of,
)
from tests.stores import CountingStore, CrashingStore

FIELDS = (Field("a", "int32"), Field("b", "float32"))
OPTIONS: dict[str, Any] = {
    "width": 40,
    "height": 20,
    "chunks": {"x": 16, "y": 16},
    "fields": FIELDS,
    "series": 4,
}
LONG: dict[str, Any] = {**OPTIONS, "series": 9}
"""Long enough that one corrected time is too little to make a segment again."""


def days(count: int, first: int = 0) -> list[str]:
    start = date(2020, 1, 1)
    return [str(start + timedelta(days=first + day)) for day in range(count)]


def day_of(iso: str) -> int:
    return (date.fromisoformat(iso[:10]) - date(2020, 1, 1)).days


def copy_of(cube: CubeStore, field: str) -> SeriesCopy:
    copy = cube.series(field)
    assert copy is not None
    return copy


def segments(cube, field: str = "a") -> list[tuple[int, int]]:
    copy = cube.series(field)
    return [] if copy is None else [(one.start, one.stop) for one in copy.segments]


def check(cube) -> None:
    """Every value of the copy, and of the series read through it, is that of the formula."""
    t = np.array([day_of(iso) for iso in time_of(cube).iso])[:, None, None]
    y, x = np.arange(20)[:, None], np.arange(40)
    for f, field in enumerate(FIELDS):
        expected = closed_form(t, 0, f, y, x)
        got = read_series(cube, field.name, (), slice(0, 20), slice(0, 40))
        assert got.dtype == field.dtype
        assert np.array_equal(got, expected.astype(field.dtype))
    assert verify(cube) == []


def write(store, count: int, first: int = 0, revision: int = 0) -> None:
    description = open_cube(store, "closed").description
    add_slices(store, description, days(count, first), first=first, revision=revision)


@pytest.fixture
def store(tmp_path):
    return CountingStore(open_store(str(tmp_path)))


def test_segments_come_with_the_slice_that_completes_them(store):
    cube = make_cube(store, times=(), **OPTIONS)
    assert cube.series("a") is None
    expected = [[], [], [], [(0, 4)], [(0, 4)], [(0, 4)], [(0, 4)], [(0, 4), (4, 8)]]
    for day in range(8):
        write(store, 1, day)
        cube = cube.refreshed()
        assert segments(cube) == segments(cube, "b") == expected[day]
        assert cube.version == day + 2
        check(cube)


def test_many_slices_in_one_commit(store):
    cube = make_cube(store, times=days(11), **OPTIONS)
    assert segments(cube) == [(0, 4), (4, 8)]
    copy = copy_of(cube, "a")
    assert copy.times == 8
    assert copy.chunk_shape == (4, 16, 16)
    assert copy.chunk_counts == (2, 3)
    assert copy.chunk(1, (1, 2)).shape == (4, 16, 16)
    assert copy.chunk(1, (1, 2))[2, 3, 7] == closed_form(6, 0, 0, 19, 39)
    assert not copy.chunk(0, (0, 0)).flags.writeable
    assert copy.chunk_sizes(0).shape == (2, 3)
    assert (copy.chunk_sizes(0) > 0).all()
    check(cube)


def test_a_cube_without_the_option_keeps_none(store):
    cube = make_cube(store, times=days(5), **{**OPTIONS, "series": None})
    assert cube.series("a") is None
    assert cube.record.series is None
    check(cube)
    assert not any("/series/" in key for key in store.list("closed"))
    plain = make_cube(store, "still", times=None, **OPTIONS)
    assert plain.record.series is None
    with pytest.raises(ValueError, match="2 at least"):
        create_cube(store, make_description("x"), series=1)


def test_further_axes_and_fill(store):
    axes = (IndexAxis("depth", 3),)
    field = Field("v", "int16", nil=-1)

    def formula(t, k, _f, y, x):
        return np.where((x < 16) & (k != 1), t * 100 + k * 10 + y % 10, -1)

    cube = make_cube(
        store,
        times=days(6),
        axes=axes,
        fields=(field,),
        formula=formula,
        **{key: OPTIONS[key] for key in ("width", "height", "chunks")},
        series=3,
    )
    copy = copy_of(cube, "v")
    assert copy.chunk_shape == (3, 1, 16, 16)
    assert (copy.chunk_sizes(1) > 0).tolist() == [
        [[True, False, False]] * 2,
        [[False] * 3] * 2,
        [[True, False, False]] * 2,
    ]
    store.reset()
    assert (copy.chunk(1, (1, 0, 0)) == -1).all()
    assert store.chunks_read == 0
    chunk = copy.chunk(1, (2, 1, 0))
    assert chunk[:, 0, 3, 5].tolist() == [329, 429, 529]
    assert (chunk[:, 0, 4:] == -1).all()  # beyond the grid
    got = read_series(cube, "v", (2,), slice(3, 20), slice(10, 30), slice(2, 6))
    t, y, x = np.arange(2, 6)[:, None, None], np.arange(3, 20)[:, None], np.arange(10, 30)
    assert np.array_equal(got, formula(t, 2, 0, y, x))
    assert verify(cube) == []


def test_a_replaced_step_ends_its_segment_only(store):
    make_cube(store, times=days(28), **LONG)
    old = open_cube(store, "closed")
    with transaction(store, "closed", "corrected") as tx:
        tx.write_slice(ticks_of(days(13)[12]), slice_values(tx.description, 12), revision=1)
    cube = old.refreshed()
    assert segments(cube) == [(0, 9), (18, 27)]
    check(cube)
    assert segments(old) == [(0, 9), (9, 18), (18, 27)]  # who has the old version reads on
    check(old)
    cube = rebuild_series(store, "closed")
    assert segments(cube) == [(0, 9), (9, 18), (18, 27)]
    assert cube.version == 4
    check(cube)
    assert rebuild_series(store, "closed").version == 4  # nothing to do


def test_other_values_never_come_from_an_old_segment(store):
    make_cube(store, times=days(18), **LONG)
    with transaction(store, "closed", "only a") as tx:
        tx.write_slice(ticks_of("2020-01-02"), {"a": slice_values(tx.description, 77)["a"]})
    cube = open_cube(store, "closed")
    got = read_series(cube, "a", (), slice(3, 4), slice(7, 8))
    assert got.ravel().tolist() == [37, 77037, *(1000 * t + 37 for t in range(2, 18))]
    assert segments(cube, "b") == [(9, 18)]


def test_inserted_steps(store):
    names = days(36)
    cube = make_cube(store, times=(), **{**OPTIONS, "series": 17})
    with transaction(store, "closed", "all but one") as tx:
        for t in (*range(2), *range(3, 36)):
            tx.write_slice(ticks_of(names[t]), slice_values(tx.description, t))
    assert segments(cube.refreshed()) == [(0, 17), (17, 34)]
    write(store, 1, 2)
    cube = cube.refreshed()
    assert segments(cube) == [(18, 35)]  # moved by one
    check(cube)
    cube = rebuild_series(store, "closed")
    assert segments(cube) == [(0, 9), (9, 18), (18, 35)]
    check(cube)


def test_the_end_is_made_again_by_the_next_commit_there(store):
    cube = make_cube(store, times=days(10), **LONG)
    write(store, 1, 1, revision=1)
    cube = cube.refreshed()
    assert segments(cube) == []
    write(store, 1, 10, revision=2)
    cube = cube.refreshed()
    assert segments(cube) == [(0, 9)]
    check(cube)


def test_a_commit_that_rewrites_much_makes_its_segments(store):
    cube = make_cube(store, times=days(12), **OPTIONS)
    write(store, 6, 3)
    cube = cube.refreshed()
    assert segments(cube) == [(0, 4), (4, 8), (8, 12)]
    check(cube)


def test_rebuild_for_an_old_cube_and_of_another_length(store):
    make_cube(store, times=days(11), **{**OPTIONS, "series": None})
    cube = rebuild_series(store, "closed", steps=5)
    assert segments(cube) == [(0, 5), (5, 10)]
    cube = rebuild_series(store, "closed", tail=True)
    assert segments(cube) == [(0, 5), (5, 10), (10, 11)]
    check(cube)
    write(store, 3, 11)
    assert segments(cube.refreshed()) == [(0, 5), (5, 10), (10, 11)]
    cube = rebuild_series(store, "closed", tail=True)
    assert segments(cube) == [(0, 5), (5, 10), (10, 14)]
    check(cube)
    write(store, 2, 14)
    cube = rebuild_series(store, "closed")
    assert segments(cube) == [(0, 5), (5, 10), (10, 15)]
    cube = rebuild_series(store, "closed", steps=8)
    assert segments(cube) == [(0, 8), (8, 16)]
    check(cube)
    make_cube(store, "still", times=None)
    with pytest.raises(ValueError, match="has no time"):
        rebuild_series(store, "still")
    with pytest.raises(ValueError, match="2 at least"):
        rebuild_series(store, "closed", steps=1)


def test_a_version_without_the_entry_still_reads(store):
    cube = make_cube(store, times=days(5), **OPTIONS)
    name, data = cube.record.dump()
    assert Version.load(data, name, "closed").series == cube.record.series
    old = Version(
        **{
            key: getattr(cube.record, key)
            for key in (
                "number",
                "parent",
                "committed",
                "message",
                "template",
                "arrays",
                "slices",
                "sources",
                "next_slot",
                "plain",
                "attributes",
            )
        }
    )
    name, data = old.dump()
    assert Version.load(data, name, "closed").series is None
    assert cube.record.statistics.keys() == {"a", "b"}


def test_unknown_entries_of_newer_programs_are_left_alone(store, monkeypatch):
    cube = make_cube(store, times=days(5), **OPTIONS)
    head = json.loads(store.get("closed/manifest/head.json"))
    dump = json.dumps

    def more(document, **options):
        if isinstance(document, dict) and "slices" in document:
            document = {**document, "something": {"new": 1}}
        return dump(document, **options)

    monkeypatch.setattr("datacube.store.manifest.json.dumps", more)
    name, data = cube.record.dump()
    monkeypatch.undo()
    store.put(f"closed/{name}", data)
    store.put("closed/manifest/head.json", json.dumps({**head, "manifest": name}).encode())
    again = open_cube(store, "closed")
    assert segments(again) == [(0, 4)]
    check(again)


def test_a_segment_is_a_plain_zarr_array(store, tmp_path):
    cube = make_cube(store, times=days(9), **OPTIONS)
    names = [one for one in store.list_prefixes("closed/series/b") if one.startswith("0000000")]
    assert len(names) == 2
    second = max(names)
    array = zarr.open_array(str(tmp_path / "closed/series/b" / second), mode="r")
    t, y, x = np.arange(4, 8)[:, None, None], np.arange(20)[:, None], np.arange(40)
    assert np.array_equal(array[:], closed_form(t, 0, 1, y, x).astype("float32"))
    assert array.attrs["first"] == ticks_of("2020-01-05")
    assert array.metadata.to_dict()["dimension_names"] == ("time", "lat", "lon")
    assert cube.version == 2


@pytest.mark.filterwarnings("error")
def test_the_plain_path_is_not_disturbed(store, tmp_path):
    make_cube(store, times=days(9), **OPTIONS)
    for consolidated in (True, False):
        with xr.open_zarr(
            str(tmp_path / "closed"), chunks=None, consolidated=consolidated
        ) as dataset:
            assert set(dataset.data_vars) - {"spatial_ref"} == {"a", "b"}
            assert dataset["a"].values[8, 3, 7] == 8037
    group = zarr.open_group(str(tmp_path / "closed"), mode="r", use_consolidated=False)
    assert {"series", "manifest"} <= set(group.group_keys())
    assert "a" in group["series"].group_keys()


@pytest.mark.gdal
def test_gdal_is_not_disturbed(store, tmp_path):
    import rasterio

    make_cube(store, times=days(9), **OPTIONS)
    with rasterio.open(f'ZARR:"{tmp_path}/closed":/a') as image:
        assert image.count == 9
        assert image.read(9)[3, 7] == 8037


def append(store):
    write(store, 1, 3)


def rebuilt(store):
    rebuild_series(store, "closed", steps=4)


@pytest.mark.parametrize("run", [append, rebuilt])
def test_a_crash_at_any_write_leaves_old_or_new(tmp_path, run):
    def prepared(name):
        store = open_store(str(tmp_path / name))
        if run is append:
            make_cube(store, times=days(3), **OPTIONS)
        else:
            make_cube(store, times=days(4), **{**OPTIONS, "series": None})
        return store

    whole = CrashingStore(prepared("whole"), 10**6)
    run(whole)
    assert segments(open_cube(whole, "closed")) == [(0, 4)]
    seen = set()
    for n in range(whole.writes):
        store = prepared(str(n))
        with pytest.raises(StorageError, match="has died"):
            run(CrashingStore(store, n))
        cube = open_cube(store, "closed")
        check(cube)
        seen.add(tuple(segments(cube)))
        if run is append and time_of(cube).size == 3:
            run(store)
        if run is rebuilt:
            run(store)
        cube = open_cube(store, "closed")
        check(cube)
        assert segments(cube) == [(0, 4)]
    assert seen == {(), ((0, 4),)}


def test_an_error_in_the_block_leaves_no_segment(store):
    make_cube(store, times=days(3), **OPTIONS)
    before = store.list("closed")

    def fails():
        with transaction(store, "closed", "no") as tx:
            tx.write_slice(ticks_of(days(4)[3]), slice_values(tx.description, 3))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert store.list("closed") == before


def test_racing_writers_never_mix(store):
    make_cube(store, times=(), **OPTIONS)
    done: list[int] = []

    def writer(mine):
        for day in mine:
            try:
                write(store, 1, day)
                done.append(day)
            except ConflictError:
                continue

    plan = ([0, 3, 6, 9, 12, 5], [1, 4, 7, 10, 13, 5], [2, 5, 8, 11, 14, 0])
    threads = [threading.Thread(target=writer, args=(mine,)) for mine in plan]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cube = open_cube(store, "closed")
    assert time_of(cube).size == 15
    check(cube)
    check(rebuild_series(store, "closed"))
    assert sum(stop - start for start, stop in segments(open_cube(store, "closed"))) >= 12


def test_a_segment_whose_times_were_changed_meanwhile_is_dropped(store):
    make_cube(store, times=days(3), **OPTIONS)
    with transaction(store, "closed", "completes") as outer:
        outer.write_slice(ticks_of(days(5)[4]), slice_values(outer.description, 4))
        write(store, 1, 3)  # another writer completes it first, with an earlier time
    cube = open_cube(store, "closed")
    assert segments(cube) == [(0, 4)]
    check(cube)


@pytest.mark.parametrize("how", ["chunk", "document"])
def test_what_cannot_be_read_does_not_stop_a_commit(store, tmp_path, caplog, how):
    make_cube(store, times=days(3), **OPTIONS)
    if how == "chunk":
        (tmp_path / "closed/a/c/1/0/0").unlink()
    else:
        name = open_cube(store, "closed").record.slices[1].name
        (tmp_path / f"closed/manifest/slices/{name}.json").write_bytes(b"{}")
    write(store, 1, 3)
    cube = open_cube(store, "closed")
    assert time_of(cube).size == 4
    assert segments(cube) == []
    assert "no series copy of cube 'closed'" in caplog.text
    assert not any("/segments/" in key for key in store.list("closed"))
    with pytest.raises(StorageError):
        rebuild_series(store, "closed")
    assert not any("/series/a/0" in key for key in store.list("closed"))


def test_damage_is_named_and_found(store, tmp_path):
    cube = make_cube(store, times=days(5), **OPTIONS)
    (path,) = (tmp_path / "closed/series/a").glob("*/c/0/1/0")
    data = bytearray(path.read_bytes())
    sizes = copy_of(cube, "a").chunk_sizes(0)[1]
    data[int(sizes[0]) + 30] ^= 1  # in the second of the row
    path.write_bytes(data)
    cube.cache.clear()
    copy_of(cube, "a").chunk(0, (1, 0))
    with pytest.raises(StorageError, match="is damaged: its checksum") as caught:
        copy_of(cube, "a").chunk(0, (1, 1))
    for part in ("cube 'closed'", "field 'a'", "series chunk 1/1"):
        assert part in str(caught.value)
    (found,) = verify(cube)
    assert (found.field, found.level) == ("a", 0)
    assert found.time == "2020-01-01T00:00:00Z/2020-01-04T00:00:00Z"
    assert "number 1 of the object" in str(found)
    path.unlink()
    with pytest.raises(StorageError, match="missing"):
        copy_of(cube, "a").chunk(0, (1, 2))
    assert len(verify(cube)) == 3


def test_a_damaged_segment_document_is_named(store, tmp_path):
    cube = make_cube(store, times=days(5), **OPTIONS)
    name = copy_of(cube, "a").segments[0].document
    path = tmp_path / f"closed/manifest/segments/{name}.json"
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    with pytest.raises(StorageError, match=r"segment document .* is damaged"):
        copy_of(cube, "a").chunk(0, (0, 0))
    assert "segment document" in verify(cube)[0].what
    path.unlink()
    with pytest.raises(StorageError, match="lacks its segment document"):
        copy_of(cube, "a").chunk_sizes(0)


def test_threads_share_one_read(store):
    make_cube(store, times=days(5), **OPTIONS)
    cube = open_cube(store, "closed", ChunkCache())
    store.reset()
    got: list[Any] = []
    threads = [
        threading.Thread(target=lambda: got.append(copy_of(cube, "a").chunk(0, (1, 1))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.chunks_read == 1
    assert store.documents_read == 1
    assert len({id(one) for one in got}) == 1
    assert cube.cache.bytes_read == copy_of(cube, "a").chunk_sizes(0)[1, 1] == store.bytes_read


class TestCost:
    """Points along three years of days on 119 x 271 cells."""

    @pytest.fixture(scope="class")
    @staticmethod
    def url(tmp_path_factory):
        folder = tmp_path_factory.mktemp("years")
        store = open_store(str(folder))
        field = Field("v", "int16", nil=-9999)
        made = make_description(width=271, height=119, fields=(field,))
        create_cube(store, made, series=256)
        day = 86_400_000
        y, x = np.arange(119)[:, None], np.arange(271)
        with transaction(store, "closed", "three years") as tx:
            for t in range(1096):
                tx.write_slice(t * day, {"v": (t + 10 * y + x).astype("int16")})
        return str(folder)

    def test_a_point_reads_few_chunks(self, url):
        store = CountingStore(open_store(url))
        cube = open_cube(store, "closed")
        assert segments(cube, "v") == [(0, 256), (256, 512), (512, 768), (768, 1024)]
        store.reset()
        got = read_series(cube, "v", (), slice(50, 51), slice(200, 201))
        assert got.ravel().tolist() == list(range(700, 1796))
        long = [key for key in store.keys if "/series/" in key]
        assert len(long) == 4
        assert store.chunks_read == 4 + 72
        assert store.documents_read == 4 + 72
        # the long chunks together are far smaller than the map chunks that they replace
        sizes = sum(int(copy_of(cube, "v").chunk_sizes(n)[3, 12]) for n in range(4))
        assert 10 * sizes < 1024 * int(cube.chunk_sizes("v", 0, 0)[0, 0])

    def test_a_part_of_the_time_reads_its_segments_only(self, url):
        store = CountingStore(open_store(url))
        cube = open_cube(store, "closed")
        store.reset()
        got = read_series(cube, "v", (), slice(0, 17), slice(0, 16), slice(300, 600))
        assert got.shape == (300, 17, 16)
        assert got[7, 16, 3] == 307 + 163
        assert store.chunks_read == 4

    def test_the_copy_with_its_end_reads_nothing_else(self, url, tmp_path):
        folder = shutil.copytree(url, tmp_path / "copy")
        store = CountingStore(open_store(str(folder)))
        cube = rebuild_series(store, "closed", tail=True)
        assert segments(cube, "v")[-1] == (1024, 1096)
        store.reset()
        got = read_series(cube, "v", (), slice(50, 51), slice(200, 201))
        assert got.ravel().tolist() == list(range(700, 1796))
        assert (store.chunks_read, store.documents_read) == (5, 5)


def test_memory_of_a_segment_is_bounded(store, monkeypatch):
    monkeypatch.setattr("datacube.store.transpose.BAND_BYTES", 2 << 20)
    field = Field("v", "int16")
    made = make_description(width=700, height=300, fields=(field,))
    create_cube(store, made, chunks={"x": 128, "y": 128}, levels=1)
    values = {"v": np.arange(210_000, dtype="int16").reshape(300, 700)}
    with transaction(store, "closed", "made") as tx:
        for t in range(64):
            tx.write_slice(t, values)
    tracemalloc.start()
    cube = rebuild_series(store, "closed", steps=64)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20  # the whole segment has 27 MB
    assert segments(cube, "v") == [(0, 64)]
    got = read_series(cube, "v", (), slice(0, 300), slice(0, 700))
    assert (got == values["v"]).all()


def slices_of(*ticks: int) -> tuple[Slice, ...]:
    return tuple(Slice(one, one, f"{one:08d}-x") for one in ticks)


def record(slices, start, stop) -> SegmentRecord:
    part = slices[start:stop]
    return SegmentRecord(part[0].ticks, part[-1].ticks, len(part), digest_of(part), {"v": "d"})


def test_which_segments_a_commit_makes():
    slices = slices_of(*range(40))
    empty = SeriesRecord(8, (16, 16))
    assert due(empty, empty, {39}, slices) == [(0, 8), (8, 16), (16, 24), (24, 32), (32, 40)]
    assert due(empty, empty, {6}, slices[:7]) == []
    whole = SeriesRecord(8, (16, 16), tuple(record(slices, n, n + 8) for n in range(0, 40, 8)))
    assert due(whole, whole, {39}, slices) == []
    # a correction of one in eight is enough to make a segment again, if it is not longer
    holed = SeriesRecord(8, (16, 16), whole.segments[:1] + whole.segments[2:])
    assert due(whole, holed, {9}, slices) == [(8, 16)]
    assert due(holed, holed, {39}, slices) == []
    wide = SeriesRecord(16, (16, 16), (record(slices, 0, 16), record(slices, 32, 40)))
    full = SeriesRecord(16, (16, 16), (*wide.segments[:1], record(slices, 16, 32)))
    assert due(full, wide, {20}, slices) == []
    assert due(full, wide, {20, 21}, slices) == [(16, 32)]
    # what is broken at the end waits for the next commit
    ended = SeriesRecord(8, (16, 16), whole.segments[:4])
    wide_end = SeriesRecord(16, (16, 16), (record(slices, 0, 16), record(slices, 16, 32)))
    assert due(whole, ended, {39}, slices) == [(32, 40)]
    assert due(wide_end, SeriesRecord(16, (16, 16), wide_end.segments[:1]), {30}, slices) == []
    assert missing(ended, slices[:35], tail=False) == []
    assert missing(ended, slices[:35], tail=True) == [(32, 35)]


def test_which_segments_survive():
    slices = slices_of(*range(16))
    series = SeriesRecord(8, (16, 16), (record(slices, 0, 8), record(slices, 8, 16)))
    assert surviving(series, (), {15}, slices) == series.segments[:1]
    assert surviving(series, (), {16}, slices_of(*range(17))) == series.segments
    other = record(slices, 4, 10)
    assert surviving(series, (other,), {20}, slices) == series.segments
    stale = SegmentRecord(8, 15, 8, "other", {"v": "d"})
    assert surviving(series, (stale,), {15}, slices) == series.segments[:1]
    fresh = record(slices, 8, 16)
    assert surviving(series, (fresh,), {15}, slices) == (series.segments[0], fresh)
