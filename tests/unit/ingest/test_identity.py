"""The name of a file by its content is reckoned while the file is read, and known in time."""

import gc
import hashlib
import threading

import pytest

from datacube.errors import SourceError
from datacube.ingest import identity, pipeline
from datacube.ingest.identity import content_id
from datacube.ingest.readers import netcdf
from datacube.store.cube import open_cube
from datacube.store.manifest import SourceRecord
from datacube.store.transaction import transaction
from datacube.store.url import open_store
from tests.unit.ingest.products import write_netcdf

WAIT = 30.0


@pytest.fixture
def late(monkeypatch):
    """No name is known before somebody has asked for it."""
    kind, asked = identity._Reckoning, set()
    wait = kind.wait
    monkeypatch.setattr(kind, "wait", lambda self: asked.add(self) or wait(self))
    monkeypatch.setattr(kind, "done", property(lambda self: self in asked))


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "store")


def reads(monkeypatch):
    """What was read of any file, as a list that grows."""
    found = []
    read = netcdf.NetcdfBand.read
    monkeypatch.setattr(netcdf.NetcdfBand, "read", lambda *call: found.append(call) or read(*call))
    return found


def one(path, store):
    return pipeline.ingest([str(path)], store=store, cube="sst").results[0]


def test_it_is_the_digest_of_the_content(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x" * (3 << 20))
    wanted = hashlib.sha256(path.read_bytes()).hexdigest()
    assert content_id(path).text == f"sha256:{wanted}"
    assert content_id(path).followed("@b").followed("@c").text == f"sha256:{wanted}@b@c"


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(SourceError, match="cannot be read"):
        _ = content_id(tmp_path / "absent").text


def test_nobody_goes_on_with_a_digest_that_nobody_wants(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"x" * 100)
    monkeypatch.setattr(identity, "_BLOCK", 1)
    under_way, go_on = threading.Event(), threading.Event()

    class Slow:
        def update(self, part):
            under_way.set()
            assert go_on.wait(WAIT)
            self.count = getattr(self, "count", 0) + len(part)
            assert self.count == 1

        def hexdigest(self):
            return ""

    monkeypatch.setattr(identity.hashlib, "sha256", Slow)
    name = content_id(path)
    (thread,) = [one for one in threading.enumerate() if one.name == "digest"]
    assert under_way.wait(WAIT)
    found = name.reckoning._found
    del name
    gc.collect()
    go_on.set()
    thread.join(WAIT)
    assert found.result() == ""  # and not what would fail at the second byte


def test_a_new_file_is_read_before_its_name_is_known(tmp_path, store, late, monkeypatch):
    path = write_netcdf(tmp_path / "sst.nc", times=(0.0, 1.0))
    found, wait = reads(monkeypatch), identity._Reckoning.wait
    after = []
    monkeypatch.setattr(
        identity._Reckoning, "wait", lambda self: after.append(len(found)) or wait(self)
    )
    assert one(path, store).status == "ingested"
    assert set(after) == {2}
    wanted = hashlib.sha256(path.read_bytes()).hexdigest()
    assert open_cube(open_store(store), "sst").sources == (f"sha256:{wanted}",)


def test_a_known_file_is_not_read_again(tmp_path, store, late, monkeypatch):
    path = write_netcdf(tmp_path / "sst.nc", times=(0.0, 1.0))
    one(path, store)
    found = reads(monkeypatch)
    other = path.rename(tmp_path / "another_sst.nc")
    assert (one(other, store).status, found) == ("already", [])


def test_a_file_that_the_cube_knows_without_its_times_leaves_nothing(tmp_path, store, late):
    first = write_netcdf(tmp_path / "sst_1.nc", times=(0.0,))
    second = write_netcdf(tmp_path / "sst_2.nc", times=(1.0,))
    one(first, store)
    objects = open_store(store)
    with transaction(objects, "sst", "note") as change:
        change.add_source(SourceRecord(content_id(second).text, "sst_2.nc", "", "", "", {}))
    before = objects.list("sst")
    assert one(second, store).status == "already"
    assert objects.list("sst") == before
