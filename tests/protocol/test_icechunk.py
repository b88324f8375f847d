"""A cube in an Icechunk repository is found in its store and gives every door the same answers."""

from pathlib import Path

import numpy as np
import pytest

from datacube.config.settings import Config
from datacube.store.cube import open_cube
from datacube.store.url import open_store
from services.app.asgi import create_app
from services.cli.root import run
from tests.asgi import Client
from tests.cubes import make_cube, slice_values, ticks_of
from tests.stores import IcechunkStore

MAP = "VERSION=1.3.0&CRS=CRS:84&BBOX=-180,-90,180,90&WIDTH=80&HEIGHT=40&FORMAT=image/png"
URLS = (
    f"/wms?SERVICE=WMS&REQUEST=GetMap&LAYERS=sst.v&STYLES=&TIME=2020-01-02&{MAP}",
    f"/wms?SERVICE=WMS&REQUEST=GetMap&LAYERS=sst.v&STYLES=&TIME=2020-01-03&{MAP}",
    "/wcs?SERVICE=WCS&VERSION=2.0.1&REQUEST=GetCoverage&COVERAGEID=sst&FORMAT=text/csv",
    "/ogcapi/collections/sst/position?coords=POINT(12.3 45.6)&f=covjson&datetime=2020-01-02",
    "/zarr/sst/zarr.json",
    "/zarr/sst/v/zarr.json",
    "/zarr/sst/v/c/1/0/1",
    "/zarr/sst/overviews/1/v/c/2/0/0",
    "/zarr/sst@3/time/c/0",
)


def filled(store) -> None:
    """Three days; one was inserted, one corrected."""
    options = {"width": 40, "height": 20, "chunks": {"x": 16, "y": 16}, "series": 2}
    cube = make_cube(store, "sst", times=("2020-01-01", "2020-01-03"), **options)
    for day, t in ((2, 5), (1, 8)):
        with cube.transaction(f"day {day}") as tx:
            values = slice_values(cube.description, t)
            tx.write_slice(ticks_of(f"2020-01-{day:02d}"), values)


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> tuple[Path, Path]:
    one, other = tmp_path_factory.mktemp("icechunk"), tmp_path_factory.mktemp("plain")
    filled(IcechunkStore(open_store(str(one))))
    filled(open_store(str(other)))
    return one, other


@pytest.mark.parametrize("url", URLS)
def test_every_door_answers_as_of_a_plain_cube(folders, url):
    mine, plain = (Client(create_app(Config(), str(one))).get(url) for one in folders)
    assert plain.status_code == mine.status_code == 200
    assert mine.content == plain.content


def test_a_commit_is_seen(tmp_path):
    store = IcechunkStore(open_store(str(tmp_path)))
    filled(store)
    client = Client(create_app(Config(), str(tmp_path)))
    assert client.get("/zarr/sst/v/zarr.json").json()["shape"][0] == 3
    cube = open_cube(store, "sst")
    with cube.transaction("day 4") as tx:
        tx.write_slice(ticks_of("2020-01-04"), slice_values(cube.description, 4))
    assert client.get("/zarr/sst/v/zarr.json").json()["shape"][0] == 4
    assert client.get("/zarr/sst@4/v/zarr.json").json()["shape"][0] == 3


def test_every_command_knows_it(tmp_path, capsys):
    filled(IcechunkStore(open_store(str(tmp_path))))

    def said(*words: str) -> str:
        assert run([*words, "--store", str(tmp_path)]) == 0
        return capsys.readouterr().out

    assert "sst" in said("ls")
    assert "sst@4" in said("show", "sst")
    assert "sst: sound" in said("verify")
    assert [line.split()[0] for line in said("versions", "sst").splitlines()[1:]] == list("4321")
    assert "version 5 holds what version 3 held" in said("rollback", "sst", "3")
    assert "was up to date" in said("compact", "sst")
    assert "5 versions kept" in said("gc", "sst")
    assert "removed 4 versions" in said("gc", "sst", "--keep", "1", "--grace", "0s")
    cube = open_cube(open_store(str(tmp_path)), "sst")
    assert np.array_equal(cube.chunk("v", 0, (0, 0, 0))[0, 0, :3], [0, 1, 2])
