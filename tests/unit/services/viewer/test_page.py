"""The viewer's files and documents."""

import numpy as np
import pytest

from datacube.config.settings import Config, ServerSettings
from datacube.model.axis import IrregularAxis
from datacube.model.fields import Field
from services.app.asgi import create_app
from services.viewer import page
from tests.asgi import Client
from tests.cubes import make_cube


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    store = tmp_path_factory.mktemp("viewer") / "store"
    depth = IrregularAxis("depth", np.array([0.0, 10.0]), "m", "depth")
    make_cube(
        store,
        "levels",
        times=("2020-01-01", "2020-01-02"),
        axes=(depth,),
        fields=(Field("u", "int16", uom="m s-1", title="Eastward"), Field("v", "int16")),
        title="Levels",
        attribution="Somebody",
    )
    make_cube(store, "plain", times=None)
    app = create_app(Config(ServerSettings(title="Server", attribution="All of us")), str(store))
    yield Client(app)
    app.close()


def test_cubes(client):
    document = client.get("/viewer/cubes.json").json()
    assert (document["title"], document["attribution"]) == ("Server", "All of us")
    levels, plain = document["cubes"]
    assert levels["id"] == levels["layer"] == "levels"
    assert levels["bbox"] == [-180.0, -90.0, 180.0, 90.0]
    assert levels["attribution"] == "Somebody"
    assert levels["fields"][0] == {
        "name": "u",
        "title": "Eastward",
        "uom": "m s-1",
        "layer": "levels.u",
    }
    assert [layer["name"] for layer in levels["layers"]] == ["levels", "levels.u", "levels.v"]
    assert levels["times"] == {
        "count": 2,
        "first": "2020-01-01T00:00:00Z",
        "last": "2020-01-02T00:00:00Z",
        "default": "2020-01-02T00:00:00Z",
    }
    assert levels["elevation"]["values"] == [0.0, 10.0]
    assert (levels["elevation"]["uom"], levels["elevation"]["default"]) == ("m", 0.0)
    assert (plain["times"], plain["elevation"]) == (None, None)


def test_every_legend_is_a_picture(client):
    for cube in client.get("/viewer/cubes.json").json()["cubes"]:
        for layer in cube["layers"]:
            assert layer["default_style"] == layer["styles"][0]["name"]
            for style in layer["styles"]:
                answer = client.get(f"/viewer/{style['legend']}")
                assert answer.headers["content-type"] == "image/png"


def test_times(client):
    assert client.get("/viewer/cubes/levels/times.json").json() == {
        "times": ["2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"],
        "default": "2020-01-02T00:00:00Z",
    }
    assert client.get("/viewer/cubes/plain/times.json").json()["times"] == []
    assert client.get("/viewer/cubes/none/times.json").status_code == 404


def test_the_folder_needs_its_slash(client):
    answer = client.get("/viewer")
    assert (answer.status_code, answer.headers["location"]) == (308, "http://test/viewer/")


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A built page, in place of the one that may or may not be built here."""
    static = tmp_path / "package" / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<title>page</title>")
    (static / "assets" / "index-1a2b.js").write_text("1;")
    (tmp_path / "package" / "secret.txt").write_text("secret")
    (tmp_path / "outside.txt").write_text("secret")
    monkeypatch.setattr(page, "files", lambda _package: tmp_path / "package")
    return static


def test_files_have_their_types_and_ages(client, built):
    index = client.get("/viewer/")
    assert index.text == "<title>page</title>"
    assert index.headers["content-type"] == "text/html; charset=utf-8"
    assert index.headers["cache-control"] == "public, max-age=30"
    script = client.get("/viewer/assets/index-1a2b.js")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in script.headers["cache-control"]
    again = client.get("/viewer/", headers={"If-None-Match": index.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path",
    [
        "%2e%2e/secret.txt",
        "..%2fsecret.txt",
        "%2e%2e%2fsecret.txt",
        "assets/%2e%2e/%2e%2e/secret.txt",
        "%252e%252e/secret.txt",
        "%2e%2e/%2e%2e/outside.txt",
        "assets",
        "assets/none.js",
        "index.html/more",
        "%00",
        "etc/passwd",
    ],
)
def test_nothing_outside_is_given(client, built, path):
    answer = client.get(f"/viewer/{path}")
    assert answer.status_code == 404
    assert "secret" not in answer.text.replace("secret.txt", "")


def test_a_page_that_is_not_built_says_so(client, tmp_path, monkeypatch):
    monkeypatch.setattr(page, "files", lambda _package: tmp_path)
    answer = client.get("/viewer/")
    assert answer.status_code == 200
    assert "make viewer" in answer.text
    assert answer.headers["cache-control"] == "no-store"
