"""Commits: whole or not at all, whatever happens, for readers and for other programs."""

import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from datacube.errors import ConflictError, DatacubeError, FieldNotFound, StorageError
from datacube.model.fields import Field
from datacube.store.create import create_cube
from datacube.store.cube import open_cube
from datacube.store.maintain import verify
from datacube.store.manifest import SourceRecord
from datacube.store.transaction import transaction
from datacube.store.url import open_store
from tests.cubes import (
    add_slices,
    closed_form,
    make_cube,
    make_description,
    read_level,
    slice_values,
    ticks_of,
    time_of,
)
from tests.stores import CrashingStore

FIELDS = (Field("a", "int32"), Field("b", "float32"))
OPTIONS: dict[str, Any] = {"width": 12, "height": 6, "chunks": {"x": 4, "y": 4}, "fields": FIELDS}


def is_closed_form(cube) -> bool:
    """Every value of every field, time and level 0 is that of the formula, by its time."""
    for t, iso in enumerate(time_of(cube).iso):
        day = int(iso[8:10]) - 1
        for name, expected in slice_values(cube.description, day).items():
            if not np.array_equal(read_level(cube, name, t), expected):
                return False
    return verify(cube) == []


def days(cube) -> list[str]:
    return [iso[:10] for iso in time_of(cube).iso]


def crash_points(run, make_store) -> int:
    """Number of writes of a run that is not disturbed."""
    store = CrashingStore(make_store(), 10**6)
    run(store)
    return store.writes


def append(store):
    add_slices(store, open_cube(store, "closed").description, ["2020-01-02"], first=1)


def replace(store):
    with transaction(store, "closed", "corrected") as tx:
        values = slice_values(tx.description, 8)
        tx.write_slice(ticks_of("2020-01-01"), values)


def test_a_crash_at_any_write_of_an_append_leaves_old_or_new(tmp_path):
    def prepared(name):
        store = open_store(str(tmp_path / name))
        make_cube(store, **OPTIONS)
        return store

    writes = crash_points(append, lambda: prepared("whole"))
    assert writes > 20
    seen = set()
    for n in range(writes):
        store = prepared(str(n))
        with pytest.raises(StorageError, match="has died"):
            append(CrashingStore(store, n))
        cube = open_cube(store, "closed")
        assert is_closed_form(cube)
        seen.add(len(days(cube)))
        if len(days(cube)) == 1:
            append(store)  # the next run completes it
        else:
            with transaction(store, "closed", "repairs the plain group"):
                pass
        cube = open_cube(store, "closed")
        assert days(cube) == ["2020-01-01", "2020-01-02"]
        assert is_closed_form(cube)
        assert plain_days(tmp_path / str(n)) == ["2020-01-01", "2020-01-02"]
    assert seen == {1, 2}


def plain_days(folder) -> list[str]:
    import xarray as xr

    with xr.open_zarr(str(folder / "closed"), chunks=None) as dataset:
        values = dataset["a"].values
        for t in range(len(values)):
            expected = closed_form(t, 0, 0, np.arange(6)[:, None], np.arange(12)[None])
            assert np.array_equal(values[t], expected)
        return [str(one)[:10] for one in dataset["time"].values]


def test_a_crash_at_any_write_of_a_replacement_leaves_old_or_new(tmp_path):
    def prepared(name):
        store = open_store(str(tmp_path / name))
        make_cube(store, **OPTIONS)
        return store

    writes = crash_points(replace, lambda: prepared("whole"))
    seen = set()
    for n in range(writes):
        store = prepared(str(n))
        with pytest.raises(StorageError, match="has died"):
            replace(CrashingStore(store, n))
        cube = open_cube(store, "closed")
        values = read_level(cube, "a")
        t = int(values[0, 0]) // 1000
        assert np.array_equal(values, slice_values(cube.description, t)["a"])
        assert np.array_equal(read_level(cube, "b"), slice_values(cube.description, t)["b"])
        assert verify(cube) == []
        seen.add(t)
    assert seen == {0}  # the head is the last write: a crash before it leaves the old values
    store = prepared("finished")
    replace(store)
    assert int(read_level(open_cube(store, "closed"), "a")[0, 0]) == 8000


def test_a_crash_at_any_write_of_the_making_can_be_repeated(tmp_path):
    def make(store):
        return make_cube(store, times=("2020-01-01",), **OPTIONS)

    writes = crash_points(make, lambda: open_store(str(tmp_path / "whole")))
    for n in range(0, writes, 3):
        store = open_store(str(tmp_path / str(n)))
        with pytest.raises(StorageError, match="has died"):
            make(CrashingStore(store, n))
        made = make_description("closed", width=12, height=6, fields=FIELDS)
        with suppress(ConflictError):
            create_cube(store, made, chunks={"x": 4, "y": 4})
        if not days(open_cube(store, "closed")):
            add_slices(store, made, ["2020-01-01"])
        with transaction(store, "closed", "repairs the plain group"):
            pass
        assert is_closed_form(open_cube(store, "closed"))
        assert plain_days(tmp_path / str(n)) == ["2020-01-01"]


def test_an_error_in_the_block_leaves_no_trace(tmp_path):
    store = open_store(str(tmp_path))
    cube = make_cube(store, **OPTIONS)
    before = store.list("closed")

    def fails():
        with transaction(store, "closed", "no") as tx:
            tx.write_slice(ticks_of("2020-01-02"), slice_values(cube.description, 1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert store.list("closed") == before
    assert cube.refreshed() is cube


def test_a_reader_never_sees_a_mixture(tmp_path):
    store = open_store(str(tmp_path))
    cube = make_cube(store, times=(), **OPTIONS)
    stop = threading.Event()
    wrong, looks = [], []

    def watch():
        while not stop.is_set():
            seen = open_cube(store, "closed")
            looks.append(len(days(seen)))
            if not is_closed_form(seen):
                wrong.append(seen.snapshot)

    reader = threading.Thread(target=watch)
    reader.start()
    for t in range(8):
        add_slices(store, cube.description, [f"2020-01-{t + 1:02d}"], first=t)
    stop.set()
    reader.join()
    assert wrong == []
    assert looks == sorted(looks)
    assert len(days(open_cube(store, "closed"))) == 8


WRITER = """
import sys
from datacube.store.url import open_store
from datacube.store.cube import open_cube
from tests.cubes import add_slices
store = open_store(sys.argv[1])
cube = open_cube(store, "closed")
for day in sys.argv[2:]:
    add_slices(store, cube.description, [f"2020-01-{int(day):02d}"], first=int(day) - 1)
    print(day, flush=True)
"""


@pytest.mark.slow
def test_racing_processes_lose_no_acknowledged_commit(tmp_path):
    store = open_store(str(tmp_path))
    make_cube(store, times=(), **OPTIONS)
    plan = [["1", "4", "7", "10"], ["2", "5", "8", "11"], ["3", "6", "9", "12"]]
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), *mine], stdout=subprocess.PIPE, text=True
        )
        for mine in plan
    ]
    said = [line for run in runs for line in run.communicate()[0].split()]
    assert [run.returncode for run in runs] == [0, 0, 0]
    cube = open_cube(store, "closed")
    assert len(said) == len(days(cube)) == 12
    assert is_closed_form(cube)
    assert cube.version == 13


@pytest.mark.slow
def test_a_killed_writer_leaves_old_or_new(tmp_path):
    store = open_store(str(tmp_path))
    make_cube(store, times=(), **OPTIONS)
    for attempt in range(6):
        run = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), *map(str, range(1, 29))],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert run.stdout is not None
        for _ in range(attempt + 1):
            run.stdout.readline()
        time.sleep(0.003 * attempt)
        run.kill()
        run.communicate()
        cube = open_cube(store, "closed")
        assert len(days(cube)) >= attempt + 1
        assert is_closed_form(cube)


def test_slices_in_any_order_are_one_cube(tmp_path):
    store = open_store(str(tmp_path))
    cube = make_cube(store, times=(), **OPTIONS)
    for day in (3, 1, 2):
        add_slices(store, cube.description, [f"2020-01-{day:02d}"], first=day - 1)
    cube = cube.refreshed()
    assert days(cube) == ["2020-01-01", "2020-01-02", "2020-01-03"]
    assert is_closed_form(cube)
    # the plain group shows the last layout that was complete and in order
    assert cube.record.plain == 1


def test_replacing_keeps_the_fields_that_are_not_given(tmp_path):
    store = open_store(str(tmp_path))
    cube = make_cube(store, **OPTIONS)
    new = slice_values(cube.description, 5)["a"]
    with transaction(store, "closed", "only a") as tx:
        tx.write_slice(ticks_of("2020-01-01"), {"a": new})
    changed = cube.refreshed()
    assert np.array_equal(read_level(changed, "a"), new)
    assert np.array_equal(read_level(changed, "b"), read_level(cube, "b"))
    assert verify(changed) == []
    assert np.array_equal(read_level(cube, "a"), slice_values(cube.description, 0)["a"])


def test_sources_are_remembered_with_their_times(tmp_path):
    store = open_store(str(tmp_path))
    cube = make_cube(store, times=(), **OPTIONS)
    record = SourceRecord("S2A_1", product="S2MSI2A", uri="file:///x", attributes={"a": "b"})
    with transaction(store, "closed", "m") as tx:
        tx.write_slice(0, slice_values(cube.description, 0), record, bounds=(0, 10))
        tx.write_slice(50, slice_values(cube.description, 1), record, bounds=(50, 60))
    with transaction(store, "closed", "again") as tx:
        assert tx.base == 2
    cube = open_cube(store, "closed")
    assert cube.version == 2  # nothing written, nothing committed
    assert cube.record.sources["S2A_1"] == (record, (0, 50))
    assert np.array_equal(np.asarray(time_of(cube).bounds), [[0, 10], [50, 60]])
    assert cube.record.message == "m"
    assert cube.committed.startswith("20")


def test_a_cube_without_time_is_written_once(tmp_path):
    store = open_store(str(tmp_path))
    cube = make_cube(store, times=None, **OPTIONS)
    assert np.array_equal(read_level(cube, "a"), slice_values(cube.description, 0)["a"])
    with transaction(store, "closed", "the same") as tx:
        tx.write_slice(None, slice_values(cube.description, 0))
    assert cube.refreshed() is cube
    with (
        pytest.raises(ConflictError, match="already holds other values"),
        transaction(store, "closed", "others") as tx,
    ):
        tx.write_slice(None, slice_values(cube.description, 1))
    assert verify(cube.refreshed()) == []


def test_two_cannot_make_the_same_cube(tmp_path):
    store = open_store(str(tmp_path))
    cube = make_cube(store)
    with pytest.raises(ConflictError, match="already a cube 'closed'"):
        create_cube(store, make_description("closed", width=7))
    assert open_cube(store, "closed").snapshot == cube.snapshot


@pytest.mark.parametrize(
    ("ticks", "values", "error", "says"),
    [
        (0, {"a": np.zeros((6, 12), "int16")}, ValueError, "a is int32, the block is int16"),
        (0, {"a": np.zeros((5, 12), "int32")}, ValueError, r"shape \(5, 12\) instead of \(6, 12\)"),
        (0, {"c": np.zeros((6, 12), "int32")}, FieldNotFound, "the fields are a, b"),
        (None, {"a": np.zeros((6, 12), "int32")}, ValueError, "has times"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, ticks, values, error, says):
    store = open_store(str(tmp_path))
    make_cube(store, **OPTIONS)
    with pytest.raises(error, match=says), transaction(store, "closed", "x") as tx:
        tx.write_slice(ticks, values)
    assert open_cube(store, "closed").version == 2


def test_windows_must_be_aligned(tmp_path):
    store = open_store(str(tmp_path))
    make_cube(store, **OPTIONS)
    block = np.zeros((4, 4), "int32")
    with transaction(store, "closed", "x") as tx, tx.open_slice(0) as writer:
        assert writer.chunk_shape == (4, 4)
        for row, column in ((1, 0), (0, 2), (4, 0), (0, 12), (-4, 0)):
            with pytest.raises(ValueError, match="do not fit chunks of 4"):
                writer.write("a", (), row, column, block)
        with pytest.raises(ValueError, match="further axes"):
            writer.write("a", (0,), 0, 0, block)
        writer.write("a", (), 0, 0, block)


@pytest.mark.parametrize(
    "changes",
    [
        {"cube_id": "a.b"},
        {"fields": (Field("lat", "int16"),)},
        {"fields": (Field("time", "int16"),)},
        {"fields": (Field("manifest", "int16"),)},
        {"fields": (Field("v", "float32", nil=-9999),)},
        {"fields": (Field("v", "bool"),)},
    ],
)
def test_what_cannot_be_stored_is_refused(tmp_path, changes):
    made = make_description(**{"cube_id": "x", **changes})
    store = open_store(str(tmp_path))
    with pytest.raises(ValueError):  # noqa: PT011
        create_cube(store, made)
    assert store.list("") == []


def test_odd_chunks_are_refused(tmp_path):
    with pytest.raises(ValueError, match="even number"):
        make_cube(open_store(str(tmp_path)), chunks={"x": 5})


def test_a_full_disk_is_a_storage_error(tmp_path, monkeypatch):
    store = open_store(str(tmp_path))
    cube = make_cube(store, **OPTIONS)

    def full(descriptor, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.write", full)
    with pytest.raises(DatacubeError, match="No space left on device"):
        append(store)
    monkeypatch.undo()
    assert cube.refreshed() is cube
    assert is_closed_form(cube)
