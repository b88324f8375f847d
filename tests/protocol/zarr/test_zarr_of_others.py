"""Zarr groups of others over HTTP: handed on as they lie, v2 and v3, and nothing beside them."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr
from obstore.store import HTTPStore

from datacube.config.settings import Config
from datacube.store import foreign_objects
from datacube.store.register import register
from datacube.store.url import open_store
from services.app.asgi import create_app
from tests.asgi import Client
from tests.servers import LiveServer, start_server
from tests.unit.store.zarrs import Group, shades

VALUES = shades()[:, 0].astype("int16")


def group(folder: Path, version: int, **options) -> Group:
    made = Group(folder, version).lonlat().days()
    made.array("v", ("time", "lat", "lon"), VALUES, {"units": "K"}, **options)
    return made


def make_groups(folder: Path) -> Path:
    """A store with a sharded group of Zarr v3, and two of v2, one of them consolidated."""
    folder.mkdir()
    group(folder / "new.zarr", 3, chunks=(1, 4, 7), shards=(1, 8, 14))
    group(folder / "old.zarr", 2, chunks=(2, 5, 7)).consolidate()
    group(folder / "apart.zarr", 2, chunks=(5, 9, 14))
    return folder


@pytest.fixture
def lying(tmp_path: Path) -> Path:
    return make_groups(tmp_path / "store")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The same, with a pointer to a group elsewhere."""
    folder = tmp_path_factory.mktemp("served")
    store = make_groups(folder / "store")
    group(folder / "far.zarr", 3, chunks=(5, 9, 14))
    register(open_store(str(store)), str(folder / "far.zarr"), "elsewhere")
    started = start_server(store, folder / "logs")
    yield started
    started.stop()


def ask(folder: Path) -> Client:
    return Client(create_app(Config(), str(folder)))


def test_objects_are_those_of_the_group(lying):
    client = ask(lying)
    for path in ("new/v/zarr.json", "new/lat/zarr.json", "new/v/c/1/0/0", "old/.zmetadata",
                 "old/.zgroup", "old/v/.zarray", "old/v/.zattrs", "old/v/1.0.1"):  # fmt: skip
        name, _, tail = path.partition("/")
        answer = client.get(f"/zarr/{path}")
        assert answer.content == (lying / f"{name}.zarr" / tail).read_bytes()
        document = tail.rpartition("/")[2].lstrip(".")[0] == "z"
        assert ("json" in answer.headers["content-type"]) is document


@pytest.mark.parametrize(
    "path",
    ["notes.txt", "v/notes.txt", "v/c/1/0/0/", "v/c/7/0/0", "v", "w/c/0",
     "%2e%2e/old.zarr/.zgroup", "hidden/zarr.json", "v/c/-1/0/0", "v/c/x", "c/0"],
)  # fmt: skip
def test_nothing_else_in_its_folder_is_given(lying, path):
    (lying / "new.zarr" / "notes.txt").write_text("for us")
    (lying / "new.zarr" / "v" / "notes.txt").write_text("for us")
    client = ask(lying)
    assert client.get("/zarr/new/zarr.json").status_code == 200
    (lying / "new.zarr" / "hidden").mkdir()
    (lying / "new.zarr" / "hidden" / "zarr.json").write_text("{}")
    assert client.get(f"/zarr/new/{path}").status_code == 404


def test_a_chunk_that_is_written_over_has_another_tag(lying):
    client = ask(lying)
    first = client.get("/zarr/old/v/0.0.0")
    known = {"If-None-Match": first.headers["etag"]}
    assert client.get("/zarr/old/v/0.0.0", headers=known).status_code == 304
    (lying / "old.zarr" / "v" / "0.0.0").write_bytes(b"other bytes")
    after = client.get("/zarr/old/v/0.0.0", headers=known)
    assert (after.status_code, after.content) == (200, b"other bytes")


def test_some_bytes(lying):
    client = ask(lying)
    whole = client.get("/zarr/new/v/c/0/0/0")
    assert whole.headers["accept-ranges"] == "bytes"
    size = len(whole.content)
    for text, part in (
        ("2-5", slice(2, 6)),
        (f"{size - 4}-", slice(-4, None)),
        ("-7", slice(-7, None)),
    ):
        answer = client.get("/zarr/new/v/c/0/0/0", headers={"Range": f"bytes={text}"})
        assert (answer.status_code, answer.content) == (206, whole.content[part])
        assert answer.headers["etag"] == whole.headers["etag"]
    beyond = client.get("/zarr/new/v/c/0/0/0", headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    stale = {"Range": "bytes=0-1", "If-Range": '"other"'}
    assert client.get("/zarr/new/v/c/0/0/0", headers=stale).status_code == 200


def test_refusals(lying, monkeypatch):
    path = lying / "new.zarr" / "odd" / "zarr.json"
    path.parent.mkdir()
    document = json.loads((lying / "new.zarr" / "v" / "zarr.json").read_text())
    document["codecs"] = [{"name": "bytes"}, {"name": "numcodecs.pickle"}]
    path.write_text(json.dumps(document))
    client = ask(lying)
    monkeypatch.setattr(foreign_objects, "MAX_CHUNK_BYTES", 200)
    for tail, status, words in (
        ("new@1/zarr.json", 404, "keeps no versions"),
        ("new/odd/c/0/0/0", 501, "'odd' is stored in a way that is not known"),
        ("new/v/c/0/0/0", 413, "holds 224 bytes"),
    ):
        answer = client.get(f"/zarr/{tail}")
        assert (answer.status_code, words in answer.json()["detail"]) == (status, True)
    assert client.get("/zarr/new/lon/c/0").status_code == 200


@pytest.mark.parametrize("name", ["new", "old", "apart", "elsewhere"])
def test_xarray_reads_it(server, name):
    remote = zarr.storage.ObjectStore(
        HTTPStore(f"{server.url}/zarr/{name}", client_options={"allow_http": True}),
        read_only=True,
    )
    with xr.open_zarr(remote, chunks=None) as dataset:
        assert np.array_equal(dataset["v"].values, VALUES)
        assert dataset["v"].attrs["units"] == "K"
