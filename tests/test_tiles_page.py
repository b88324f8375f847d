"""The requests and the command of docs/tiles.md."""

import re
from pathlib import Path

import pytest

from datacube.config.settings import Config
from datacube.model.fields import Field
from services.app.asgi import create_app
from services.cli.root import run
from tests.asgi import Client
from tests.cubes import make_cube

PAGE = (Path(__file__).parent.parent / "docs/tiles.md").read_text(encoding="utf-8")
REQUESTS = re.findall(r"^/\S+$", PAGE, re.MULTILINE)
(COMMAND,) = re.findall(r"^datacube (.+)$", PAGE, re.MULTILINE)
TYPES = {
    "png": "image/png",
    "webp": "image/webp",
    "npy": "application/x-npy",
    "tif": "image/tiff; application=geotiff; profile=cloud-optimized",
    "pngraw": "image/png",
    "json": "application/json",
    "xml": "application/xml",
    "/wmts": "application/xml",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    sst = Field("sst", "int16", uom="K", nil=-32768, scale=0.01, offset=273.15)
    make_cube(folder / "store", "sst", times=("2020-01-01", "2020-01-02"), fields=(sst,))
    return folder


@pytest.fixture(scope="module")
def client(store):
    app = create_app(Config(), str(store / "store"))
    yield Client(app)
    app.close()


@pytest.mark.parametrize("request_", REQUESTS)
def test_the_requests(client, request_):
    answer = client.get(request_)
    assert answer.status_code == 200, answer.text
    path = request_.partition("?")[0]
    assert answer.headers["content-type"] == TYPES[path.rpartition(".")[2]]


def test_the_paths_are_many():
    assert len(REQUESTS) >= 12


def test_the_command(store, monkeypatch, capsys):
    monkeypatch.chdir(store)
    Path("server.yaml").write_text("tile_cache: {url: cache}\n")
    assert run(COMMAND.replace("STORE", "store").split()) == 0
    assert "170 tiles" in capsys.readouterr().out
