"""Versions, going back, collecting garbage and the plain path, on each kind of store."""

import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, override

import numpy as np
import pytest
import zarr
from obstore.store import S3Store

from datacube.errors import ConflictError, SnapshotNotFound, StorageError
from datacube.model.bbox import BoundingBox
from datacube.model.crs import Crs
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.store.cache import ChunkCache
from datacube.store.collect import collect
from datacube.store.compact import compact, rollback
from datacube.store.create import create_cube
from datacube.store.cube import CubeStore, open_cube
from datacube.store.history import history
from datacube.store.home import locate
from datacube.store.layout import chunk_key
from datacube.store.maintain import verify
from datacube.store.objects import ObjectStore
from datacube.store.slots import claim_key, slot_key
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

OPTIONS: dict[str, Any] = {"width": 40, "height": 20, "chunks": {"x": 16, "y": 16}}
NOW = timedelta(
    seconds=-1
)  # a bucket lists whole seconds: what this one brought is of before it too
WIDE = RectifiedGrid.from_bbox(BoundingBox(0, 0, 48, 20, Crs.parse("EPSG:4326")), 48, 20)


def seen(cube: CubeStore) -> list[tuple[int, int]]:
    """(day, t of the closed form) of every time, each checked value for value."""
    found = []
    for position, iso in enumerate(time_of(cube).iso):
        values = read_level(cube, "v", position)
        t = int(values[0, 0]) // 1000
        assert np.array_equal(values, slice_values(cube.description, t)["v"])
        found.append((int(iso[8:10]), t))
    return found


def write(cube: CubeStore, day: int, t: int) -> None:
    with cube.transaction(f"day {day}") as tx:
        tx.write_slice(ticks_of(f"2020-01-{day:02d}"), slice_values(cube.description, t))


class VersionsContract:
    """Inherited by the tests of each object store and back-end; ``store`` is an empty one."""

    @pytest.fixture
    def store(self) -> ObjectStore:
        raise NotImplementedError

    def test_versions_are_kept_and_can_be_opened(self, store):
        cube = make_cube(store, **OPTIONS)
        write(cube, 2, 1)
        write(cube, 1, 5)
        home, head = locate(store, "closed")
        assert [version.message for _, version in history(home, "closed", head)] == [
            "day 1",
            "day 2",
            "closed form",
            "create",
        ]
        assert seen(open_cube(store, "closed", version=3)) == [(1, 0), (2, 1)]
        assert seen(open_cube(store, "closed", version=4)) == [(1, 5), (2, 1)]
        with pytest.raises(SnapshotNotFound, match="no version 9; there are 1 to 4"):
            open_cube(store, "closed", version=9)

    def test_going_back_loses_nothing(self, store):
        cube = make_cube(store, **OPTIONS)
        write(cube, 2, 1)
        with cube.transaction("more") as tx:
            tx.write_slice(ticks_of("2020-01-01"), slice_values(cube.description, 5))
            tx.add_field(Field("w", "int16", nil=-1))
        back = rollback(store, "closed", 3)
        assert (back.version, seen(back)) == (5, [(1, 0), (2, 1)])
        assert back.description.range_type.names == ("v",)
        write(back, 3, 2)
        again = rollback(store, "closed", 4)
        assert seen(again) == [(1, 5), (2, 1)]
        assert again.description.range_type.names == ("v", "w")
        assert verify(again) == []
        assert seen(open_cube(store, "closed", version=6)) == [(1, 0), (2, 1), (3, 2)]
        with pytest.raises(SnapshotNotFound, match="no version 77"):
            rollback(store, "closed", 77)

    def test_without_a_rule_every_version_stays(self, store):
        cube = make_cube(store, **OPTIONS)
        write(cube, 1, 3)
        assert collect(store, "closed", grace=NOW).objects == 0
        assert seen(open_cube(store, "closed", version=2)) == [(1, 0)]

    def test_a_reader_from_before_a_commit_and_a_collection_finishes(self, store):
        old = make_cube(store, times=("2020-01-01", "2020-01-02"), **OPTIONS)
        write(old, 1, 7)
        write(old, 2, 8)
        # superseded just now: within the time of grace
        assert collect(store, "closed", keep=1).expired == ()
        assert seen(CubeStore(old.store, "closed", old.head, ChunkCache())) == [(1, 0), (2, 1)]
        assert seen(old.refreshed()) == [(1, 7), (2, 8)]

    def test_what_a_writer_has_under_way_stays(self, store):
        cube = make_cube(store, series=2, **OPTIONS)
        with cube.transaction("slow") as tx:
            tx.write_slice(ticks_of("2020-01-02"), slice_values(cube.description, 1))
            tx.write_slice(ticks_of("2020-01-03"), slice_values(cube.description, 2))
            write(cube, 1, 4)
            assert collect(store, "closed", keep=1, grace=NOW).expired == (2, 1)
        cube = open_cube(store, "closed")
        assert seen(cube) == [(1, 4), (2, 1), (3, 2)]
        assert verify(cube) == []

    def test_two_do_not_collect_at_once(self, store):
        make_cube(store, **OPTIONS)
        claim = store.claim(claim_key("closed", "history"))
        with pytest.raises(ConflictError, match="by another process"):
            collect(store, "closed")
        with pytest.raises(ConflictError, match="by another process"):
            rollback(store, "closed", 1)
        claim.release()


class MaintenanceContract(VersionsContract):
    """What is so of plain cubes only."""

    def plain(self, store: ObjectStore, cube_id: str = "closed") -> zarr.Group:
        """The cube as programs see it that know nothing of versions."""
        raise NotImplementedError

    def test_collecting_keeps_the_newest_versions_whole(self, store):
        cube = make_cube(store, times=("2020-01-01", "2020-01-02"), series=2, **OPTIONS)
        for t in range(5, 9):
            write(cube, 1, t)
        before = {key: store.get(key) for key in store.list("closed")}
        dry = collect(store, "closed", keep=2, grace=NOW, dry_run=True)
        assert {key: store.get(key) for key in store.list("closed")} == before
        done = collect(store, "closed", keep=2, grace=NOW)
        assert (done.kept, done.expired) == (dry.kept, dry.expired) == ((6, 5), (4, 3, 2, 1))
        assert (done.objects, done.bytes) == (dry.objects, dry.bytes)
        after = store.list("closed")
        assert done.bytes == sum(len(before[key]) for key in before.keys() - set(after))
        assert done.objects == len(before) - len(after)
        for version, t in ((6, 8), (5, 7)):
            found = open_cube(store, "closed", version=version)
            assert seen(found) == [(1, t), (2, 1)]
            assert verify(found) == []
        with pytest.raises(SnapshotNotFound, match="no version 4; there are 5 to 6"):
            open_cube(store, "closed", version=4)
        assert collect(store, "closed", keep=2, grace=NOW).objects == 0

    def test_what_a_dead_writer_left_goes(self, store):
        cube = make_cube(store, **OPTIONS)
        kept = store.list("closed")
        tx = cube.transaction("never ends")
        tx.write_slice(ticks_of("2020-01-02"), slice_values(cube.description, 1))
        left = set(store.list("closed")) - set(kept)
        assert len(left) > 3
        tx._slots.release()
        done = collect(store, "closed", grace=NOW)
        assert store.list("closed") == kept
        assert done.objects >= len(left) - 1
        write(cube, 2, 6)
        assert seen(cube.refreshed()) == [(1, 0), (2, 6)]

    @pytest.mark.parametrize("timed", [True, False])
    def test_what_a_dead_writer_left_is_no_data_of_the_next_slice(self, store, timed, monkeypatch):
        """It takes the same place, and has nothing in some of the chunks."""
        fields = (Field("v", "int32", nil=-1),)
        cube = make_cube(store, times=(), **OPTIONS, fields=fields) if timed else empty(store)
        slot = (0,) if timed else ()
        left = [chunk_key("closed", level, "v", (*slot, 0, 1)) for level in (0, 1)]
        for key in left:
            store.put(key, b"of a slice that was never committed")
        store.put(slot_key("closed", 0, 0), b'{"token": "dead"}')
        monkeypatch.setattr("datacube.store.leases.LEASE_SECONDS", -1.0)
        ticks = ticks_of("2020-01-01") if timed else None
        with cube.transaction("the next one") as tx:
            tx.write_slice(ticks, {"v": np.full((20, 40), -1, np.int32)})
        assert open_cube(store, "closed").record.slices[0].slot == 0
        plain: Any = self.plain(store)
        assert (plain["v"][:] == -1).all()
        assert (plain["overviews/1/v"][:] == -1).all()
        assert [key for key in left if store.get(key) is not None] == []

    def test_the_plain_path_after_compaction(self, store):
        cube = make_cube(store, times=("2020-01-02", "2020-01-04"), series=2, **OPTIONS)
        write(cube, 3, 8)  # inserted
        write(cube, 2, 6)  # replaced
        with cube.transaction("delete") as tx:
            tx.delete(ticks_of("2020-01-04"))
        before = cube.refreshed()
        assert seen(before) == [(2, 6), (3, 8)]
        plain: Any = self.plain(store)
        assert plain["v"][:, 0, 0].tolist() == [0, 1000]  # as it was
        made = compact(store, "closed")
        assert made.version == before.version + 1
        assert seen(made) == seen(before) == [(2, 6), (3, 8)]
        assert verify(made) == []
        plain = self.plain(store)
        for t, day in enumerate((6, 8)):
            expected = closed_form(day, 0, 0, np.arange(20)[:, None], np.arange(40)[None])
            assert np.array_equal(plain["v"][t], expected)
            over = read_level(made, "v", t, 1)
            assert np.array_equal(plain["overviews/1/v"][t], over)
        assert [int(one) for one in plain["time"][:]] == time_of(made).ticks.tolist()
        write(made, 5, 4)  # in order again
        plain = self.plain(store)
        assert plain["v"][:, 3, 7].tolist() == [6037, 8037, 4037]
        assert plain["lon"][:].tolist() == cube.description.domain.rectified.x_centres().tolist()

    def test_layouts_are_used_again_once_they_are_collected(self, store):
        cube = make_cube(store, times=("2020-01-01", "2020-01-02"), **OPTIONS)
        for t in range(3, 6):
            write(cube, 1, t)
            compact(store, "closed")
        write(cube, 1, 6)
        with pytest.raises(ConflictError, match="datacube gc"):
            compact(store, "closed")
        collect(store, "closed", keep=1, grace=NOW)
        for t in range(6, 9):
            write(cube, 1, t)
            compact(store, "closed")
            collect(store, "closed", keep=1, grace=NOW)
            found = open_cube(store, "closed")
            assert seen(found) == [(1, t), (2, 1)]
            assert verify(found) == []
            plain: Any = self.plain(store)
            assert plain["v"][:, 3, 7].tolist() == [t * 1000 + 37, 1037]
            assert plain["time"][:].tolist() == time_of(found).ticks.tolist()
            assert (
                plain["lat"][:].tolist() == found.description.domain.rectified.y_centres().tolist()
            )

    def test_compaction_with_a_writer_under_way(self, store):
        cube = make_cube(store, times=("2020-01-01", "2020-01-03"), **OPTIONS)
        write(cube, 2, 5)
        with cube.transaction("slow") as tx:
            tx.write_slice(ticks_of("2020-01-04"), slice_values(cube.description, 6))
            compact(store, "closed")
            tx.write_slice(ticks_of("2020-01-05"), slice_values(cube.description, 7))
        cube = cube.refreshed()
        assert seen(cube) == [(1, 0), (2, 5), (3, 1), (4, 6), (5, 7)]
        assert verify(cube) == []

    def test_deleted_chunks_are_gone_after_a_collection(self, store):
        cube = make_cube(store, times=("2020-01-01", "2020-01-02"), **OPTIONS)
        with cube.transaction("delete") as tx:
            tx.delete(ticks_of("2020-01-01"), "too old")
        (gone,) = cube.refreshed().record.deletions
        chunk = "closed/v/c/0/0/0"
        assert store.get(chunk) is not None
        done = collect(store, "closed", keep=1, grace=NOW)
        assert done.bytes >= gone.bytes > 0
        assert store.get(chunk) is None
        assert seen(cube.refreshed()) == [(2, 1)]
        assert compact(store, "closed").record.deletions[0].cause == "too old"
        plain: Any = self.plain(store)
        assert plain["v"][:, 0, 0].tolist() == [1000]

    def test_a_cube_without_time(self, store):
        cube = make_cube(store, times=None, **OPTIONS)
        add_slices(store, cube.description, None)  # the same again: no version
        assert verify(compact(store, "closed")) == []
        assert collect(store, "closed", keep=1, grace=NOW).expired == (1,)
        plain: Any = self.plain(store)
        assert plain["v"][3, 7] == 37


class TestLocal(MaintenanceContract):
    @pytest.fixture
    @override
    def store(self, tmp_path: Path) -> ObjectStore:
        return open_store(str(tmp_path))

    @override
    def plain(self, store, cube_id="closed"):
        return zarr.open_group(f"{store.url}/{cube_id}", mode="r")

    def test_what_could_not_be_undone_is_no_data_of_the_next_slice(self, store):
        fields = (Field("v", "int32", nil=-1),)
        cube = make_cube(store, times=(), **OPTIONS, fields=fields)
        values = slice_values(cube.description, 3)
        with (
            suppress(StorageError),
            transaction(CrashingStore(store, 3), "closed", "dies") as tx,
        ):
            tx.write_slice(ticks_of("2020-01-01"), values)
        assert [one for one in store.list("closed/v") if one.startswith("closed/v/c/0")]
        with cube.transaction("the next one") as tx:
            tx.write_slice(ticks_of("2020-01-02"), {"v": np.full((20, 40), -1, np.int32)})
        assert (self.plain(store)["v"][0] == -1).all()

    def test_unfinished_files_of_a_dead_writer_go_later(self, store, tmp_path):
        make_cube(store, **OPTIONS)
        left = tmp_path / "closed/v/c/.0.abcdef01.tmp"
        left.write_bytes(b"x")
        assert collect(store, "closed", grace=NOW).objects == 0
        os.utime(left, (1e9, 1e9))
        assert collect(store, "closed", grace=NOW).objects == 1
        assert not left.exists()


def maintain(store: ObjectStore, work: str) -> None:
    match work:
        case "compact":
            compact(store, "closed")
        case "collect":
            collect(store, "closed", keep=1, grace=NOW)
        case "rollback":
            rollback(store, "closed", 2)
        case "grow":
            with open_cube(store, "closed").transaction("grow") as tx:
                tx.grow(WIDE)


def numbers(store: ObjectStore) -> list[int]:
    """The versions of the cube that are kept."""
    home, head = locate(store, "closed")
    return [one.version for one, _ in history(home, "closed", head)]


def empty(store: ObjectStore) -> CubeStore:
    """A cube without time in which nothing has been written."""
    description = make_description(
        timed=False, width=40, height=20, fields=(Field("v", "int32", nil=-1),)
    )
    return create_cube(store, description, chunks={"x": 16, "y": 16})


def inside(cube: CubeStore) -> list[int]:
    """t of every time, of a cube that may have grown."""
    times = range(time_of(cube).size)
    found = [read_level(cube, "v", t)[:20, :40] for t in times]
    days = [int(one[0, 0]) // 1000 for one in found]
    for t, values in zip(days, found, strict=True):
        expected = closed_form(t, 0, 0, np.arange(20)[:, None], np.arange(40)[None])
        assert np.array_equal(values, expected)
    return days


@pytest.mark.parametrize("work", ["compact", "collect", "rollback", "grow"])
def test_a_crash_at_any_write_harms_nothing(work, tmp_path):
    def prepared(name: object) -> ObjectStore:
        store = open_store(str(tmp_path / str(name)))
        times = ("2020-01-01", "2020-01-03")
        write(make_cube(store, times=times, bbox=(0, 0, 40, 20), series=2, **OPTIONS), 2, 5)
        return store

    whole = CrashingStore(prepared("whole"), 10**6)
    maintain(whole, work)
    done = [0, 1] if work == "rollback" else [0, 5, 1]
    for survives in range(whole.writes % 5, whole.writes, 5):
        store = prepared(survives)
        with suppress(StorageError):
            maintain(CrashingStore(store, survives), work)
        assert inside(open_cube(store, "closed")) in (done, [0, 5, 1])
        for number in numbers(store):  # whatever can still be found is whole
            assert verify(open_cube(store, "closed", version=number)) == []
        maintain(store, work)
        collect(store, "closed", keep=1, grace=NOW)
        cube = open_cube(store, "closed")
        assert inside(cube) == done
        assert verify(cube) == []


@pytest.mark.s3
class TestS3(MaintenanceContract):
    @pytest.fixture
    @override
    def store(self, s3_store: ObjectStore) -> ObjectStore:
        return s3_store

    @override
    def plain(self, store, cube_id="closed"):
        prefix = store.url.removeprefix("s3://bucket/")
        remote = zarr.storage.ObjectStore(S3Store("bucket", prefix=f"{prefix}/{cube_id}"))
        return zarr.open_group(remote, mode="r")
