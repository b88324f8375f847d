"""Tiles drawn ahead into a bucket: another server sends them without reading the cube."""

import uuid

from datacube.config.load import load_config
from datacube.engine.context import make_context
from datacube.store.url import open_store
from services.app.asgi import Application
from services.cli.root import run
from tests.asgi import Client
from tests.contracts.conftest import s3_environment
from tests.cubes import make_cube
from tests.stores import CountingStore

TILE = "/tiles/sst/default/WebMercatorQuad/1/{row}/{column}.png?time=2020-01-01"


def test_a_bucket_of_tiles(tmp_path, s3_server, monkeypatch, capsys):
    for name, value in s3_environment(s3_server).items():
        monkeypatch.setenv(name, value)
    make_cube(tmp_path / "store", "sst", times=("2020-01-01",))
    config = tmp_path / "server.yaml"
    config.write_text(f"tile_cache:\n  url: s3://bucket/{uuid.uuid4().hex}\n")
    asked = ["seed", "--store", str(tmp_path / "store"), "--config", str(config), "--cube", "sst"]
    assert run([*asked, "--zoom", "0-1"]) == 0
    assert run([*asked, "--zoom", "0-1"]) == 0
    assert "5 of them were there already" in capsys.readouterr().out
    store = CountingStore(open_store(str(tmp_path / "store")))
    app = Application(make_context(store, load_config(config)), store)
    try:
        for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
            assert Client(app).get(TILE.format(row=row, column=column)).status_code == 200
        assert store.chunks_read == 0
    finally:
        app.close()
