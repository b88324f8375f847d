"""The page of the store: its commands run as they stand."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from datacube.model.fields import Field
from datacube.store.cube import open_cube
from datacube.store.icechunk.sources import ALLOWED
from datacube.store.manifest import SourceRecord
from datacube.store.url import open_store
from services.cli.root import run
from tests.contracts.test_virtual import written
from tests.cubes import make_cube, slice_values, ticks_of
from tests.unit.ingest.products import write_netcdf
from tests.unit.store.zarrs import Group

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "store.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def store(tmp_path, monkeypatch):
    folder = tmp_path / "store"
    fields = (Field("v", "int32", nil=-1),)
    days = ("2020-01-01", "2020-01-03")
    cube = make_cube(folder, "sst", times=days, bbox=(0, 40, 20, 50), fields=fields)
    with cube.transaction("inserted") as tx:
        source = SourceRecord("late", "S3OLCI")
        tx.write_slice(ticks_of("2020-01-02"), slice_values(cube.description, 5), source)
    with cube.transaction("deleted") as tx:
        tx.delete(ticks_of("2020-01-03"))
    monkeypatch.setenv("DATACUBE_STORE", str(folder))
    monkeypatch.chdir(ROOT)
    return folder


def test_every_command(store, tmp_path, capsys, monkeypatch):
    group = Group(tmp_path / "air.v2.zarr")
    group.array("lat", ("lat",), np.linspace(55, 50, 6), {"units": "degrees_north"})
    group.array("lon", ("lon",), np.linspace(0, 7, 8), {"units": "degrees_east"})
    group.array("t", ("lat", "lon"), np.zeros((6, 8)), {"units": "K"})
    written(tmp_path / "archive" / "wind.nc")
    write_netcdf(tmp_path / "sst_20240105.nc", field="quality")
    monkeypatch.setenv(ALLOWED, str(tmp_path))
    for line in "".join(blocks("sh")).splitlines():
        program, *arguments = shlex.split(re.sub("s3://bucket|/data/new", str(tmp_path), line))
        assert program == "datacube"
        assert run(arguments) == 0, capsys.readouterr().err
    out = capsys.readouterr().out
    assert "sst: version 5 holds what version 3 held" in out
    assert "sst: the plain Zarr group is version 6 now" in out
    assert "sst: would have the further field quality (int16)" in out
    assert "sst: version 7 has 30 x 15 cells (before 20 x 10)" in out
    assert "EO__AIR__2__0: t" in out
    assert (store / "EO__AIR__2__0/pointer.json").exists()
    assert "1 slice deleted" in out
    assert "wind: t" in out
    assert "cube gusts, 3 slices added" in out
    assert (store / "gusts" / "repo").exists()


def test_the_python(store):
    (text,) = (one for one in blocks("python") if "transaction" in one)
    cube = open_cube(open_store(str(store)), "sst")
    names = {
        "ticks": ticks_of("2020-01-01"),
        "values": slice_values(cube.description, 9)["v"],
        "other_ticks": ticks_of("2020-01-02"),
    }
    text = text.replace("/data/store", str(store)).replace('{"sst": values}', '{"v": values}')
    exec(compile(text, "store.md", "exec"), names)  # noqa: S102  the page's own example
    assert open_cube(open_store(str(store)), "sst").record.message == "two days corrected"


def test_every_linked_file_is_there():
    for link in re.findall(r"\]\((?!http)([^)#]+)", PAGE):
        assert (ROOT / "docs" / link).exists(), link
