"""Tiles drawn ahead: all of them, once, as the server then sends them."""

from pathlib import Path

import pytest

from datacube.config.load import load_config
from datacube.engine.context import make_context
from datacube.store.url import open_store
from services.app.asgi import Application
from services.cli.root import run
from tests.asgi import Client
from tests.cubes import make_cube
from tests.stores import CountingStore


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seed")
    make_cube(folder / "store", "sst", times=("2020-01-01", "2020-01-02"))
    utm = (500_000, 5_000_000, 500_100, 5_000_050)
    make_cube(folder / "store", "utm", times=None, crs="EPSG:32632", bbox=utm, width=10, height=5)
    config = folder / "server.yaml"
    config.write_text(f"tile_cache:\n  url: {folder / 'tiles'}\n")
    return folder, config


def kept(folder):
    return len([one for one in Path(folder / "tiles").rglob("*") if one.is_file()])


def seed(seeded, *arguments):
    folder, config = seeded
    return run(["seed", "--store", str(folder / "store"), "--config", str(config), *arguments])


def test_every_tile_of_the_zooms(seeded, capsys):
    folder, config = seeded
    before = kept(folder)
    assert seed(seeded, "--cube", "sst", "--zoom", "0-2", "--time", "all") == 0
    assert "sst: 42 tiles of WebMercatorQuad" in capsys.readouterr().out
    assert kept(folder) - before == 2 * (1 + 4 + 16)
    store = CountingStore(open_store(str(folder / "store")))
    app = Application(make_context(store, load_config(config)), store)
    try:
        for path in (
            "/tiles/sst/default/WebMercatorQuad/2/1/3.png?time=2020-01-01",
            "/wmts/1.0.0/sst/default/2020-01-02/WebMercatorQuad/2/0/0.png",
        ):
            assert Client(app).get(path).status_code == 200
        assert store.chunks_read == 0
    finally:
        app.close()


def test_it_goes_on_where_it_was_stopped(seeded, capsys):
    """What is kept already is not drawn again, nor written."""
    folder, _ = seeded
    asked = ("--cube", "sst", "--ending", "webp", "--time", "2020-01-01")
    assert seed(seeded, *asked, "--zoom", "1") == 0
    capsys.readouterr()
    before = {one: one.stat().st_mtime_ns for one in (folder / "tiles").rglob("*")}
    assert seed(seeded, *asked, "--zoom", "0-2") == 0
    said = capsys.readouterr().out
    assert "sst: 21 tiles of WebMercatorQuad" in said
    assert "4 of them were there already" in said
    files = {one: time for one, time in before.items() if one.is_file()}
    assert {one: one.stat().st_mtime_ns for one in files} == files
    assert seed(seeded, *asked, "--zoom", "0-2") == 0
    assert "21 of them were there already" in capsys.readouterr().out


def test_what_is_kept_stays_within_its_size(seeded, capsys, tmp_path):
    small = tmp_path / "server.yaml"
    small.write_text(f"tile_cache:\n  url: {tmp_path / 'tiles'}\n  size: 20000\n")
    assert seed(seeded, "--cube", "sst", "--zoom", "0-3", "--config", str(small)) == 0
    held = sum(one.stat().st_size for one in (tmp_path / "tiles").rglob("*") if one.is_file())
    assert 5_000 < held <= 20_000
    assert "these are more than the tile cache may hold" in capsys.readouterr().err


def test_only_where_the_cube_is(seeded, capsys):
    assert seed(seeded, "--cube", "utm", "--zoom", "12", "--ending", "webp") == 0
    assert "utm: 1 tiles" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--cube", "nosuch"), "sst"),
        (("--cube", "sst", "--zoom", "x"), "0-5"),
        (("--cube", "sst", "--time", "2031"), "2020-01-02"),
        (("--cube", "sst", "--tms", "nosuch"), "WebMercatorQuad"),
        (("--cube", "sst", "--style", "nosuch"), "default"),
    ],
)
def test_refusals(seeded, capsys, arguments, words):
    assert seed(seeded, *arguments) == 2
    assert words in capsys.readouterr().err


def test_without_a_cache_there_is_nothing_to_fill(seeded, capsys, tmp_path):
    empty = tmp_path / "server.yaml"
    empty.write_text("title: x\n")
    assert seed(seeded, "--cube", "sst", "--config", str(empty)) == 2
    assert "tile_cache" in capsys.readouterr().err
