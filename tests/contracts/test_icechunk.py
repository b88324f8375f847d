"""Cubes in Icechunk repositories keep what plain ones promise, on each kind of store."""

import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, override

import icechunk
import numpy as np
import pytest
import xarray as xr

from datacube.errors import ConflictError, SnapshotNotFound, StorageError
from datacube.model.fields import Field
from datacube.store.cache import ChunkCache
from datacube.store.collect import collect
from datacube.store.compact import compact, rollback
from datacube.store.cube import CubeStore, open_cube
from datacube.store.icechunk.forked import ForkedObjects
from datacube.store.icechunk.library import storage_of
from datacube.store.icechunk.repository import Repository
from datacube.store.icechunk.session import Session
from datacube.store.maintain import verify
from datacube.store.manifest import head_key
from datacube.store.objects import ObjectStore
from datacube.store.slicechunks import SliceChunks
from datacube.store.url import open_store
from tests.contracts.test_maintenance import VersionsContract, seen, write
from tests.contracts.test_store import CubesContract
from tests.contracts.test_transactions import TransactionContract
from tests.cubes import closed_form, make_cube, read_level, slice_values, ticks_of
from tests.stores import IcechunkStore

OPTIONS: dict[str, Any] = {"width": 40, "height": 20, "chunks": {"x": 16, "y": 16}}
NOW = timedelta(
    seconds=-1
)  # a bucket lists whole seconds: what this one brought is of before it too


def repository(store: ObjectStore, cube_id: str = "closed") -> Any:
    """The cube's repository, as icechunk's own library opens it."""
    url = f"{store.url}/{cube_id}"
    return icechunk.Repository.open(storage_of(url, local=store.is_local))


def dataset(store: ObjectStore) -> xr.Dataset:
    session = repository(store).readonly_session("main")
    return xr.open_zarr(session.store, consolidated=False)


def scrambled(t, k, f, y, x):
    return closed_form(t, k, f, y, x) * 7919 % 100_003


class IcechunkContract(TransactionContract, VersionsContract, CubesContract):
    """Everything that both back-ends promise, and what only this one does."""

    @pytest.fixture
    @override
    def store(self) -> ObjectStore:
        raise NotImplementedError

    def test_its_own_library_shows_every_version_in_order(self, store):
        cube = make_cube(store, times=("2020-01-02", "2020-01-04"), series=2, **OPTIONS)
        write(cube, 3, 8)  # inserted
        write(cube, 2, 6)  # replaced
        with cube.transaction("delete") as tx:
            tx.delete(ticks_of("2020-01-04"))
        found = dataset(store)
        assert [str(one)[8:10] for one in found["time"].values] == ["02", "03"]
        for t, day in enumerate((6, 8)):
            expected = slice_values(cube.description, day)["v"]
            assert np.array_equal(found["v"][t].values, expected)
        assert (
            found["lon"].values.tolist() == cube.description.domain.rectified.x_centres().tolist()
        )
        made = compact(store, "closed")
        assert (made.version, seen(made)) == (5, [(2, 6), (3, 8)])
        messages = [one.message for one in repository(store).ancestry(branch="main")]
        assert messages[:4] == ["delete", "day 2", "day 3", "closed form"]

    def test_overviews_and_series_copy_are_of_the_same_commit(self, store):
        make_cube(store, times=("2020-01-01", "2020-01-02"), series=2, **OPTIONS)
        cube = open_cube(store, "closed")
        assert cube.series("v").times == 2
        snapshot = repository(store).readonly_session("main")
        over = xr.open_zarr(snapshot.store, group="overviews/1", consolidated=False)
        assert np.array_equal(over["v"][1].values, read_level(cube, "v", 1, 1))
        (segment,) = cube.record.series.segments
        folder = segment.documents["v"].rpartition("-")[0]
        copy = xr.open_zarr(snapshot.store, group="series/v", consolidated=False)
        assert np.array_equal(copy[folder][1].values, slice_values(cube.description, 1)["v"])

    def test_collecting_frees_what_no_version_needs(self, store):
        cube = make_cube(store, times=("2020-01-01", "2020-01-02"), series=2, **OPTIONS)
        for t in range(5, 9):
            write(cube, 1, t)
        before = {one.key: one.bytes for one in store.listing("closed")}
        dry = collect(store, "closed", keep=2, grace=NOW, dry_run=True)
        assert {one.key: one.bytes for one in store.listing("closed")} == before
        done = collect(store, "closed", keep=2, grace=NOW)
        assert (done.kept, done.expired) == (dry.kept, dry.expired) == ((6, 5), (4, 3, 2, 1))
        after = {one.key: one.bytes for one in store.listing("closed")}
        assert done.objects > 10
        assert sum(before.values()) - sum(after.values()) >= 0.9 * done.bytes > 0
        for version, t in ((6, 8), (5, 7)):
            found = open_cube(store, "closed", version=version)
            assert seen(found) == [(1, t), (2, 1)]
            assert verify(found) == []
        with pytest.raises(SnapshotNotFound, match="no version 4; there are 5 to 6"):
            open_cube(store, "closed", version=4)
        assert collect(store, "closed", keep=2, grace=NOW).objects == 0

    def test_versions_before_a_rollback_go_when_it_is_time(self, store):
        cube = make_cube(store, **OPTIONS)
        write(cube, 2, 1)
        rollback(store, "closed", 2)
        assert seen(open_cube(store, "closed", version=3)) == [(1, 0), (2, 1)]
        assert collect(store, "closed", keep=1, grace=NOW).expired == (3, 2, 1)
        assert seen(open_cube(store, "closed")) == [(1, 0)]
        assert repository(store).list_tags() == set()
        (snapshot, *_) = repository(store).ancestry(branch="main")
        repository(store).create_branch("back-left", snapshot.id)  # as by a process that died
        collect(store, "closed", grace=NOW)
        assert repository(store).list_branches() == {"main"}

    def test_what_a_dead_writer_left_goes(self, store):
        cube = make_cube(store, width=40, height=20, chunks={"x": 40, "y": 20})
        kept = {one.key for one in store.listing("closed")}
        tx = cube.transaction("never ends")
        tx.write_slice(ticks_of("2020-01-02"), slice_values(cube.description, 1, scrambled))
        left = {one.key for one in store.listing("closed")} - kept
        assert any("/chunks/" in key for key in left)
        assert collect(store, "closed", grace=NOW).objects == 0  # it may still be alive
        tx._slots.release()
        assert collect(store, "closed", grace=NOW).objects > 0
        assert not {key for key in left if "/chunks/" in key} & set(store.list("closed"))
        write(cube, 2, 6)
        assert seen(cube.refreshed()) == [(1, 0), (2, 6)]

    def test_damage_is_found_and_named(self, store):
        chunks = {"x": 40, "y": 20}
        times = ("2020-01-01", "2020-01-02")
        cube = make_cube(
            store, times=times, width=40, height=20, chunks=chunks, levels=2, formula=scrambled
        )
        found = set()
        for key in store.list("closed/chunks"):
            data = store.get(key)
            store.put(key, data[:-1] + bytes([data[-1] ^ 1]))
            try:
                flipped = verify(CubeStore(cube.store, "closed", cube.head, ChunkCache()))
            except StorageError as error:
                assert "version document" in error.message  # noqa: PT017
                flipped = []
            store.delete([key])
            gone = verify(open_cube(store, "closed")) if flipped else []
            store.put(key, data)
            # the others are coordinates and documents, which are checked when they are read
            assert [(one.field, one.time, one.chunk) for one in gone] == [
                (one.field, one.time, one.chunk) for one in flipped
            ]
            assert all("checksum" in one.what or not one.field for one in flipped)
            found |= {(one.field, one.time[:10], one.level) for one in flipped}
        assert {("v", "2020-01-01", 0), ("v", "2020-01-02", 0)} <= found
        assert verify(open_cube(store, "closed")) == []

    def test_a_time_may_be_written_twice_in_a_change_that_is_overtaken(self, store, monkeypatch):
        cube = make_cube(store, times=("2020-01-01", "2020-01-04"), **OPTIONS)
        advance, overtaken = Repository.advance, []

        def late(self: Repository, *arguments: Any) -> bool:
            """Another writer moves the branch between the look at it and the commit."""
            if overtaken:
                return advance(self, *arguments)
            overtaken.append(True)
            return False

        monkeypatch.setattr(Repository, "advance", late)
        with cube.transaction("twice") as tx:
            for t in (5, 7):
                tx.write_slice(ticks_of("2020-01-02"), slice_values(cube.description, t))
            tx.write_slice(ticks_of("2020-01-03"), slice_values(cube.description, 8))
            tx.delete(ticks_of("2020-01-03"))
        found = cube.refreshed()
        assert seen(found) == [(1, 0), (2, 7), (4, 1)]
        assert verify(found) == []

    def test_other_processes_write_chunks_of_a_change(self, store):
        options = OPTIONS | {"chunks": {"x": 40, "y": 20}, "formula": scrambled}
        cube = make_cube(store, times=("2020-01-01", "2020-01-03"), **options)
        days = {day: slice_values(cube.description, day, scrambled) for day in (0, 2, 1, 9, 5)}
        with cube.transaction("by others") as tx:
            for day in (2, 5):
                writer = tx.open_slice(ticks_of(f"2020-01-0{day}"))
                sent = pickle.dumps((writer.elsewhere("v"), days[day]["v"]))
                by_another(store, sent)  # a task that is done twice
                writer.take(pickle.loads(by_another(store, sent)))  # noqa: S301  our own
                writer.close()
            with open_cube(store, "closed").transaction("meanwhile") as other:
                other.write_slice(ticks_of("2020-01-04"), days[9])
        found = cube.refreshed()
        assert verify(found) == []
        for t, values in enumerate(days.values()):
            assert np.array_equal(read_level(found, "v", t, 0), values["v"])
        assert collect(store, "closed", grace=NOW).objects > 0  # what nobody took in

    def test_other_processes_write_chunks_of_a_new_field(self, store):
        cube = make_cube(store, **OPTIONS)
        values = scrambled(1, 0, 0, *np.ogrid[:20, :40]).astype("int32")
        with cube.transaction("by others") as tx:
            tx.add_field(Field("w", "int32", nil=-1))
            writer = tx.open_slice(ticks_of("2020-01-02"))
            tasks = [pickle.dumps((writer.elsewhere("w"), values, (row,))) for row in (0, 1)]
            for sent in tasks:
                writer.take(pickle.loads(by_another(store, sent)))  # noqa: S301  our own
            writer.close()
        found = cube.refreshed()
        assert verify(found) == []
        assert np.array_equal(read_level(found, "w", 1, 0), values)

    def test_a_cube_without_time(self, store):
        cube = make_cube(store, times=None, **OPTIONS)
        assert verify(compact(store, "closed")) == []
        assert np.array_equal(dataset(store)["v"].values, slice_values(cube.description, 0)["v"])
        with pytest.raises(ConflictError, match="holds other values"), cube.transaction("b") as tx:
            tx.write_slice(None, slice_values(cube.description, 3))

    def test_there_is_one_cube_of_an_id(self, store):
        make_cube(store, **OPTIONS)
        with pytest.raises(ConflictError, match="already a cube 'closed'"):
            make_cube(store, **OPTIONS)
        store.delete([head_key("closed")])  # as if its first writer had died before it was written
        with pytest.raises(ConflictError, match="already a cube 'closed'"):
            make_cube(store, **OPTIONS)
        assert seen(open_cube(store, "closed")) == [(1, 0)]


def by_another(store: ObjectStore, sent: bytes) -> bytes:
    """What a worker does with a place and values for it, or for some of its rows of chunks."""
    place, values, *rows = pickle.loads(sent)  # noqa: S301  our own
    (name,) = place.fields
    forked = ForkedObjects(store, place.cube_id, place.fork, timed=True)
    chunks = SliceChunks(forked.put, place)
    tall = place.grids[0].chunk_height
    for row in rows[0] if rows else range(place.grids[0].counts[0]):
        for block in chunks.blocks(row * tall, 0, values[row * tall : (row + 1) * tall]):
            chunks.write(place.fields[name][0], (), block)
    piece = chunks.piece()
    forked.sync(chunks.keys(piece))
    return pickle.dumps(replace(piece, changes=forked.changes))


class TestLocal(IcechunkContract):
    @pytest.fixture
    @override
    def store(self, tmp_path: Path) -> ObjectStore:
        return IcechunkStore(open_store(str(tmp_path)))


@pytest.mark.s3
class TestS3(IcechunkContract):
    @pytest.fixture
    @override
    def store(self, s3_store: ObjectStore) -> ObjectStore:
        return IcechunkStore(s3_store)


class Died(BaseException):
    """The process ends here."""


def dying(monkeypatch: pytest.MonkeyPatch, survives: int) -> None:
    """Let everything that writes to a repository end after so many steps."""
    done: list[str] = []

    def step(owner: Any, name: str) -> None:
        does = getattr(owner, name)

        def stepped(*arguments: Any) -> Any:
            if len(done) >= survives:
                raise Died(name)
            done.append(name)
            return does(*arguments)

        monkeypatch.setattr(owner, name, stepped)

    for owner, name in (
        (Session, "write"),
        (Repository, "advance"),
        (Repository, "settle"),  # between the snapshot and the branch, and after the branch
        (Repository, "_tell"),
        (Repository, "keep"),
    ):
        step(owner, name)


def changed(store: ObjectStore, work: str) -> None:
    cube = open_cube(store, "closed")
    if work == "rollback":
        rollback(store, "closed", 2)
        return
    with cube.transaction(work) as tx:
        tx.write_slice(ticks_of("2020-01-02"), slice_values(cube.description, 5))
        tx.delete(ticks_of("2020-01-03"))


@pytest.mark.parametrize("work", ["replace", "rollback"])
def test_a_crash_at_any_write_harms_nothing(work, tmp_path):
    first = open_store(str(tmp_path / "first"))
    options = {"width": 20, "height": 10, "chunks": {"x": 10, "y": 10}, "levels": 1, "series": 3}
    times = ("2020-01-01",) if work == "rollback" else ()
    cube = make_cube(IcechunkStore(first), times=times, **options)
    for day, t in ((1, 1), (3, 3), (4, 4)):
        write(cube, day, t)
    newest = open_cube(first, "closed")
    before, survives, ended = seen(newest), 0, False
    while not ended:
        store = open_store(str(shutil.copytree(first.url, tmp_path / str(survives))))
        with pytest.MonkeyPatch.context() as patch:
            dying(patch, survives)
            try:
                changed(store, work)
                ended = True
            except Died:
                pass
        found = open_cube(store, "closed")
        assert verify(found) == []
        if found.version == newest.version:
            assert seen(found) == before
            changed(store, work)
        assert seen(open_cube(store, "closed")) != before
        collect(store, "closed", keep=1, grace=NOW)
        assert collect(store, "closed", keep=1, grace=NOW).objects == 0
        assert verify(open_cube(store, "closed")) == []
        survives += 1
    assert survives > (3 if work == "rollback" else 12)


def test_the_library_is_named_where_it_is_absent(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "icechunk", None)
    with pytest.raises(StorageError, match=r"pip install 'datacube-server\[icechunk\]'"):
        make_cube(IcechunkStore(open_store(str(tmp_path))), **OPTIONS)
    assert make_cube(tmp_path, "plain", **OPTIONS).version == 2


def test_it_is_loaded_only_where_it_is_needed():
    names = "datacube.store.create, datacube.store.foreign, datacube.store.register"
    code = f"import sys, {names}; sys.exit('icechunk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
