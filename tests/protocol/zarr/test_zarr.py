"""Cubes as Zarr groups over HTTP, read by zarr-python and xarray: what was committed, pinned."""

import json
import time
from datetime import timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
import xarray as xr
import zarr
from obstore.store import HTTPStore

from datacube.config.settings import Config
from datacube.store.collect import collect
from datacube.store.cube import open_cube
from datacube.store.url import open_store
from services.app.asgi import create_app
from tests.asgi import Client
from tests.cubes import closed_form, make_cube, read_level, slice_values, ticks_of
from tests.servers import LiveServer, start_server


def change(store: Path, day: int, t: int) -> None:
    cube = open_cube(open_store(str(store)), "sst")
    with cube.transaction("change") as tx:
        tx.write_slice(ticks_of(f"2020-01-{day:02d}"), slice_values(cube.description, t))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two days, one inserted between them and one corrected: nothing that the plain path shows."""
    folder = tmp_path / "store"
    options = {"width": 40, "height": 20, "chunks": {"x": 16, "y": 16}}
    make_cube(folder, "sst", times=("2020-01-01", "2020-01-03"), **options)
    change(folder, 2, 5)
    change(folder, 1, 8)
    return folder


@pytest.fixture
def client(store: Path) -> Client:
    return Client(create_app(Config(), str(store)))


def test_the_committed_state(client, store):
    document = client.get("/zarr/sst/zarr.json")
    assert document.headers["content-type"] == "application/json"
    root = document.json()
    assert root["consolidated_metadata"]["metadata"]["v"]["shape"] == [3, 20, 40]
    assert root["attributes"]["datacube_version"] == 4
    assert client.get("/zarr/sst/v/zarr.json").json()["shape"] == [3, 20, 40]
    times = np.frombuffer(client.get("/zarr/sst/time/c/0").content, "<i8")[:3]
    assert times.tolist() == [ticks_of(f"2020-01-0{day}") for day in (1, 2, 3)]
    cube = open_cube(open_store(str(store)), "sst")
    raw = client.get("/zarr/sst/v/c/1/0/1").content
    assert raw == cube.store.get(cube.chunk_object("v", 0, 1, (0, 1)))
    over = client.get("/zarr/sst/overviews/1/v/c/2/0/0").content
    assert over == cube.store.get(cube.chunk_object("v", 1, 2, (0, 0)))


@pytest.mark.parametrize(
    "path", ["v/c/3/0/0", "v/c/0/0", "v/c/0/9/0", "v/c/x/0/0", "w/zarr.json", "v", "manifest/x"]
)
def test_what_the_group_does_not_have(client, path):
    assert client.get(f"/zarr/sst/{path}").status_code == 404


def test_refusals(client):
    for path, status, words in (
        ("/zarr/none/zarr.json", 404, "no cube 'none'"),
        ("/zarr/sst@9/zarr.json", 404, "no version 9; there are 1 to 4"),
        ("/zarr/sst@last/zarr.json", 404, "is no version"),
        ("/zarr/sst", 501, "Zarr reader"),
    ):
        answer = client.get(path)
        assert (answer.status_code, words in answer.json()["detail"]) == (status, True)


def test_a_pinned_version_may_be_kept_for_ever(client, store):
    pinned = client.get("/zarr/sst@4/v/c/0/0/0")
    moving = client.get("/zarr/sst/v/c/0/0/0")
    assert "immutable" in pinned.headers["cache-control"]
    assert "max-age=60" in moving.headers["cache-control"]
    assert pinned.content == moving.content
    tag = {"If-None-Match": moving.headers["etag"]}
    assert client.get("/zarr/sst/v/c/0/0/0", headers=tag).status_code == 304
    older = json.loads(client.get("/zarr/sst@2/zarr.json").content)
    assert older["consolidated_metadata"]["metadata"]["v"]["shape"] == [2, 20, 40]


def root_of(server: LiveServer) -> dict:
    return httpx.get(f"{server.url}/zarr/sst/zarr.json").json()["attributes"]


@pytest.mark.slow
def test_a_reader_finishes_on_the_version_with_which_it_began(store, tmp_path):
    server = start_server(store, tmp_path / "logs")
    try:
        remote = zarr.storage.ObjectStore(
            HTTPStore(f"{server.url}/zarr/sst@4", client_options={"allow_http": True}),
            read_only=True,
        )
        with xr.open_zarr(remote, chunks=None) as dataset:
            assert dataset["v"][0, 3, 7] == 8037
            change(store, 2, 9)
            change(store, 3, 6)
            kept = collect(open_store(str(store)), "sst", keep=1, older_than=timedelta(0))
            assert kept.expired == ()  # superseded less than an hour ago
            assert dataset["v"][1, 3, 7] == 5037
            assert dataset["v"][2, 19, 39] == closed_form(1, 0, 0, 19, 39)
        newest = zarr.storage.ObjectStore(
            HTTPStore(f"{server.url}/zarr/sst", client_options={"allow_http": True}),
            read_only=True,
        )
        cube = open_cube(open_store(str(store)), "sst")
        until = time.monotonic() + 30  # the server looks at the store every second
        while root_of(server)["datacube_version"] < 6:
            assert time.monotonic() < until
            time.sleep(0.2)
        with xr.open_zarr(newest, chunks=None) as dataset:
            for t in range(3):
                assert np.array_equal(dataset["v"].values[t], read_level(cube, "v", t))
    finally:
        server.stop()
