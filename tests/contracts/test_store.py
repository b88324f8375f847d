"""What every object store must do, and what a cube does on each of them."""

import json
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import override

import numpy as np
import pytest
from obstore.store import MemoryStore, S3Store

from datacube.errors import ConflictError, CoverageNotFound, StorageError
from datacube.store.cube import open_cube
from datacube.store.index import list_cubes
from datacube.store.maintain import verify
from datacube.store.manifest import head_key
from datacube.store.objects import ObjectStore, RemoteObjects
from datacube.store.rebuild import rebuild_series
from datacube.store.slots import hold_history, writing_since
from datacube.store.timeseries import read_series
from datacube.store.transaction import transaction
from datacube.store.url import open_store
from tests.cubes import (
    add_slices,
    closed_form,
    make_cube,
    read_level,
    slice_values,
    ticks_of,
    time_of,
)


class CubesContract:
    """Inherited by the tests of each object store and back-end; ``store`` is an empty one."""

    @pytest.fixture
    def store(self) -> ObjectStore:
        raise NotImplementedError

    def test_cube_there_and_back(self, store):
        cube = make_cube(
            store, times=("2020-01-01", "2020-01-02"), width=20, height=10, chunks={"x": 8, "y": 4}
        )
        for t in (0, 1):
            assert np.array_equal(read_level(cube, "v", t), slice_values(cube.description, t)["v"])
        assert list_cubes(store) == ["closed"]
        assert verify(cube) == []
        with pytest.raises(CoverageNotFound):
            open_cube(store, "other")

    def test_a_cube_says_since_when_it_is_being_written(self, store):
        cube, before = make_cube(store), datetime.now(UTC) - timedelta(seconds=2)
        assert writing_since(store, "closed") is None
        with cube.transaction("one more") as tx:
            tx.write_slice(ticks_of("2030-01-01"), slice_values(cube.description, 1))
            since = writing_since(store, "closed")
            assert before < since < datetime.now(UTC) + timedelta(seconds=2)
            with pytest.raises(ConflictError, match=f"being written since {since:%Y-%m-%dT}"):
                open_cube(store, "closed", raise_if_updating=True)
            assert open_cube(store, "closed").version == cube.version
        assert writing_since(store, "closed") is None
        newest = open_cube(store, "closed", raise_if_updating=True)
        assert newest.version == cube.version + 1
        with hold_history(store, "closed"):  # who tidies up is no writer
            assert writing_since(store, "closed") is None

    def test_racing_writers_and_the_series_copy(self, store):
        made = make_cube(store, times=(), width=40, height=20, chunks={"x": 16, "y": 8}, series=3)

        def write(days):
            for day in days:
                add_slices(store, made.description, [f"2020-01-{day:02d}"], first=day - 1)

        threads = [threading.Thread(target=write, args=(days,)) for days in ([1, 3, 5], [2, 4, 6])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for cube in (open_cube(store, "closed"), rebuild_series(store, "closed", tail=True)):
            values = read_series(cube, "v", (), slice(7, 18), slice(15, 33))
            y, x = np.arange(7, 18)[:, None], np.arange(15, 33)
            expected = [closed_form(t, 0, 0, y, x) for t in range(6)]
            assert np.array_equal(values, expected)
            assert verify(cube) == []
        copy = cube.series("v")
        assert copy is not None
        assert copy.times == 6

    def test_refreshed_sees_a_commit_and_the_old_handle_does_not(self, store):
        old = make_cube(store)
        assert old.refreshed() is old
        add_slices(store, old.description, ["2020-01-02"], first=1)
        new = old.refreshed()
        assert (old.version, new.version) == (2, 3)
        assert time_of(old).size == 1
        assert int(new.chunk("v", 0, (1, 0, 0))[0, 2, 5]) == closed_form(1, 0, 0, 2, 5)
        assert old.snapshot != new.snapshot

    def test_disjoint_writers_both_commit(self, store):
        made = make_cube(store)
        with transaction(store, "closed", "a") as first:
            first.write_slice(ticks_of("2020-01-02"), slice_values(made.description, 1))
            with transaction(store, "closed", "b") as second:
                second.write_slice(ticks_of("2020-01-03"), slice_values(made.description, 2))
        cube = open_cube(store, "closed")
        assert time_of(cube).iso == (
            "2020-01-01T00:00:00Z",
            "2020-01-02T00:00:00Z",
            "2020-01-03T00:00:00Z",
        )
        for t in range(3):
            assert int(cube.chunk("v", 0, (t, 0, 0))[0, 4, 4]) == closed_form(t, 0, 0, 4, 4)

    def test_overlapping_writers_conflict(self, store):
        made = make_cube(store)
        time = ticks_of("2020-01-02")

        def overtaken():
            with transaction(store, "closed", "a") as outer:
                outer.write_slice(time, slice_values(made.description, 7))
                with transaction(store, "closed", "b") as inner:
                    inner.write_slice(time, slice_values(made.description, 1))

        with pytest.raises(ConflictError, match="2020-01-02T00:00:00Z"):
            overtaken()
        cube = open_cube(store, "closed")
        assert int(cube.chunk("v", 0, (1, 0, 0))[0, 0, 0]) == 1000
        assert verify(cube) == []

    def test_racing_writers_lose_no_acknowledged_commit(self, store):
        made = make_cube(store, times=())
        done, failed = [], []

        def write(days):
            for day in days:
                try:
                    add_slices(store, made.description, [f"2020-01-{day:02d}"], first=day)
                    done.append(day)
                except ConflictError as error:
                    failed.append(error)

        plan = ([1, 4, 7], [2, 5, 7], [3, 6, 8])  # two of them both write the seventh
        threads = [threading.Thread(target=write, args=(days,)) for days in plan]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        cube = open_cube(store, "closed")
        assert sorted(done + [7] * len(failed)) == [1, 2, 3, 4, 5, 6, 7, 7, 8]
        assert [int(iso[8:10]) for iso in time_of(cube).iso] == [1, 2, 3, 4, 5, 6, 7, 8]
        for t in range(8):
            assert int(cube.chunk("v", 0, (t, 0, 0))[0, 4, 4]) == closed_form(t + 1, 0, 0, 4, 4)
        assert verify(cube) == []
        assert cube.version == 1 + len(set(done))  # the same values again are no version


class StoreContract(CubesContract):
    """Inherited by the tests of each object store; ``store`` is an empty one."""

    def test_is_a_store(self, store):
        assert isinstance(store, ObjectStore)
        assert store.url

    def test_absent_is_none(self, store):
        assert store.get("a/b") is None
        assert store.get_range("a/b", 0, 4) is None
        assert store.get_tagged("a/b") is None

    def test_put_and_get(self, store):
        store.put("a/b", b"0123456789")
        assert store.get("a/b") == b"0123456789"
        assert store.get_range("a/b", 3, 4) == b"3456"
        store.put("a/b", b"new")
        assert store.get("a/b") == b"new"
        store.sync(["a/b"])

    def test_empty_object(self, store):
        store.put("a/empty", b"")
        assert store.get("a/empty") == b""

    def test_conditional_put_makes_once(self, store):
        assert store.put_if("head", b"1", None)
        assert not store.put_if("head", b"2", None)
        assert store.get("head") == b"1"

    def test_conditional_put_replaces_only_the_known_state(self, store):
        store.put_if("head", b"1", None)
        _, tag = store.get_tagged("head")
        assert store.put_if("head", b"2", tag)
        assert not store.put_if("head", b"3", tag)
        assert store.get_tagged("head")[0] == b"2"

    def test_conditional_put_of_what_was_deleted(self, store):
        store.put_if("head", b"1", None)
        _, tag = store.get_tagged("head")
        store.delete(["head"])
        assert not store.put_if("head", b"2", tag)

    def test_racing_conditional_puts_have_one_winner(self, store):
        store.put_if("head", b"0", None)
        _, tag = store.get_tagged("head")
        won = []
        threads = [
            threading.Thread(
                target=lambda n=n: won.append(store.put_if("head", str(n).encode(), tag))
            )
            for n in range(1, 7)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(won) == [False] * 5 + [True]

    def test_lists(self, store):
        for key in ("sst/c/0/1", "sst/zarr.json", "air/zarr.json"):
            store.put(key, b"x")
        assert store.list_prefixes("") == ["air", "sst"]
        assert store.list_prefixes("sst") == ["c"]
        assert store.list("sst") == ["sst/c/0/1", "sst/zarr.json"]
        assert store.list("none") == []
        assert store.list_prefixes("none") == []

    def test_delete(self, store):
        store.put("a/b", b"x")
        store.delete(["a/b", "a/never"])
        assert store.get("a/b") is None
        assert store.list("") == []

    def test_claim_is_exclusive_until_released(self, store):
        claim = store.claim("cube/manifest/claims/00000000")
        assert store.claim("cube/manifest/claims/00000000") is None
        claim.renew()
        claim.release()
        again = store.claim("cube/manifest/claims/00000000")
        assert again is not None
        again.release()
        claim.release()

    def test_a_claim_says_since_when_it_is_held(self, store):
        key, before = "cube/manifest/claims/00000000", time.time() - 2
        assert store.claimed_since(key) is None
        claim = store.claim(key)
        since = store.claimed_since(key)
        assert before < since < time.time() + 2
        assert store.claimed_since(key) == since
        assert store.claim(key) is None
        claim.release()
        assert store.claimed_since(key) is None

    def test_newer_format_is_refused_in_words(self, store):
        cube = make_cube(store)
        head = json.loads(store.get(head_key("closed")))
        store.put(head_key("closed"), json.dumps({**head, "format": 3}).encode())
        with pytest.raises(StorageError, match=r"newer datacube \(format 3\).* upgrade"):
            open_cube(store, "closed")
        with pytest.raises(StorageError, match="format 2"):
            cube.refreshed()


class TestLocal(StoreContract):
    @pytest.fixture
    @override
    def store(self, tmp_path: Path) -> ObjectStore:
        return open_store(str(tmp_path / "not-yet-there"))

    def test_url_forms(self, tmp_path):
        by_url = open_store(f"file://{tmp_path}/a%20b")
        by_url.put("x", b"1")
        assert open_store(str(tmp_path / "a b")).get("x") == b"1"

    def test_no_file_is_left_beside(self, store, tmp_path):
        make_cube(store)
        left = [path.name for path in tmp_path.rglob("*.tmp")]
        claims = [path.name for path in tmp_path.rglob("claims/*")]
        assert left == claims == []

    def test_a_claim_of_a_dead_process_is_free(self, store, tmp_path):
        pid = os.fork()
        if pid == 0:
            store.claim("cube/manifest/claims/1")
            os._exit(0)
        os.waitpid(pid, 0)
        assert (tmp_path / "not-yet-there/cube/manifest/claims/1").exists()
        assert store.claimed_since("cube/manifest/claims/1") is None
        claim = store.claim("cube/manifest/claims/1")
        assert claim is not None
        claim.release()

    def test_many_claims_take_one_descriptor(self, store, tmp_path):
        before = len(list(Path("/proc/self/fd").iterdir()))
        claims = [store.claim(f"cube/manifest/claims/{slot:08d}") for slot in range(40)]
        assert None not in claims
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 3
        assert store.claim("cube/manifest/claims/00000039") is None
        for claim in claims:
            claim.release()
            claim.release()
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2
        assert not any(path.is_file() for path in tmp_path.rglob("claims/*"))

    def test_the_claims_of_a_dead_process_are_all_free(self, store, tmp_path):
        pid = os.fork()
        if pid == 0:
            for slot in range(3):
                store.claim(f"cube/manifest/claims/{slot}")
            os._exit(0)
        os.waitpid(pid, 0)
        claims = [store.claim(f"cube/manifest/claims/{slot}") for slot in range(3)]
        assert None not in claims
        assert len(list(tmp_path.rglob(".guard-*"))) == 1
        for claim in claims:
            claim.release()
        assert list(tmp_path.rglob(".guard-*")) == []

    def test_the_head_is_made_durable(self, store, monkeypatch):
        synced = []
        fsync = os.fsync

        def watched(descriptor):
            synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
            fsync(descriptor)

        monkeypatch.setattr("os.fsync", watched)
        make_cube(store)
        names = [str(path) for path in synced]
        assert any(".head.json." in name for name in names)
        assert any(name.endswith("/manifest") for name in names)
        assert any("/v/c/0/0/0" in name for name in names)


class TestMemory(StoreContract):
    """The code for object storage, over obstore's own memory."""

    @pytest.fixture
    @override
    def store(self) -> ObjectStore:
        return RemoteObjects(MemoryStore(), "memory://")

    def test_an_expired_claim_is_taken_over(self, store, monkeypatch):
        monkeypatch.setattr("datacube.store.leases.LEASE_SECONDS", -1.0)
        first = store.claim("cube/manifest/claims/1")
        assert store.claimed_since("cube/manifest/claims/1") is None
        second = store.claim("cube/manifest/claims/1")
        assert second is not None
        with pytest.raises(ConflictError, match="taken it"):
            first.renew()
        first.release()
        assert store.get("cube/manifest/claims/1") is not None

    @pytest.mark.parametrize("ahead", [-86400.0, -1000.0, 1000.0, 86400.0])
    def test_a_writer_whose_clock_is_wrong_takes_no_claim_that_holds(
        self, store, monkeypatch, ahead
    ):
        true = time.time
        key = "cube/manifest/claims/1"
        first = store.claim(key)
        monkeypatch.setattr("time.time", lambda: true() + ahead)
        assert store.claim(key) is None
        first.release()
        assert store.claim(key) is not None  # made by the wrong clock
        monkeypatch.setattr("time.time", true)
        assert store.claim(key) is None
        monkeypatch.setattr("datacube.store.leases.LEASE_SECONDS", -1.0)
        second = store.claim(key)
        assert second is not None
        assert second.left
        assert store.list("cube") == [key]

    def test_a_storage_without_conditional_puts_is_refused(self):
        class Careless(RemoteObjects):
            @override
            def _put_if(self, key: str, data: bytes, tag: str | None) -> bool:
                del tag
                self.put(key, data)
                return True

        with pytest.raises(StorageError, match="does not honour conditional puts"):
            make_cube(Careless(MemoryStore(), "memory://"))


@pytest.mark.s3
class TestS3(StoreContract):
    @pytest.fixture
    @override
    def store(self, s3_store: ObjectStore) -> ObjectStore:
        return s3_store

    def test_xarray_opens_it_as_it_lies(self, store):
        import xarray as xr
        import zarr

        make_cube(store, times=("2020-01-01", "2020-01-02"))
        prefix = store.url.removeprefix("s3://bucket/")
        remote = zarr.storage.ObjectStore(S3Store("bucket", prefix=f"{prefix}/closed"))
        with xr.open_zarr(remote, chunks=None) as dataset:
            assert dataset["v"].sel(time="2020-01-02").values[3, 7] == closed_form(1, 0, 0, 3, 7)

    @pytest.mark.usefixtures("s3_store")
    def test_missing_bucket_in_words(self):
        with pytest.raises(StorageError, match="bucket does not exist"):
            open_store("s3://absent/cubes").put("x", b"1")


class Quiet(SimpleHTTPRequestHandler):
    @override
    def log_message(self, format: str, *args: object) -> None:
        del format, args


def test_cubes_behind_a_plain_web_server(tmp_path):
    local = open_store(str(tmp_path))
    for name in ("b", "a"):
        make_cube(local, name, times=("2020-01-01",))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        store = open_store(f"http://127.0.0.1:{server.server_port}")
        assert list_cubes(store) == ["a", "b"]
        cube = open_cube(store, "a")
        assert int(cube.chunk("v", 0, (0, 0, 0))[0, 3, 7]) == closed_form(0, 0, 0, 3, 7)
        with pytest.raises(StorageError, match="cannot write"):
            make_cube(store, "c")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    (tmp_path / "cubes.json").write_text("[]")
    with pytest.raises(StorageError, match=r"index cubes\.json is damaged"):
        make_cube(local, "d")
