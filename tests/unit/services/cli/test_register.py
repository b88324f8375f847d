"""Zarr groups of others: registered, listed, shown, checked."""

import json
from pathlib import Path

import icechunk
import numpy as np
import pytest
import xarray as xr

from datacube.config.settings import Config
from datacube.engine.context import open_context
from datacube.store.icechunk.library import storage_of
from services.cli.root import run
from tests.cubes import make_cube
from tests.unit.ingest.products import write_netcdf
from tests.unit.store.zarrs import Group

ROWS, COLUMNS = 6, 8
MARKS = {"pointer.json", "repo", "zarr.json"}
"""By which a folder is known as a pointer, a repository, or a group."""
VALUES = np.arange(2 * ROWS * COLUMNS, dtype="float32").reshape(2, ROWS, COLUMNS)


def make_group(folder: Path) -> Path:
    group = Group(folder, 3, {"title": "Somebody's air"})
    group.array("lat", ("lat",), np.linspace(55, 50, ROWS), {"units": "degrees_north"})
    group.array("lon", ("lon",), np.linspace(0, 7, COLUMNS), {"units": "degrees_east"})
    days = {"units": "days since 2020-01-01", "standard_name": "time"}
    group.array("time", ("time",), np.arange(2), days)
    group.array("t", ("time", "lat", "lon"), VALUES, {"units": "K"}, chunks=(1, ROWS, COLUMNS))
    return folder


def make_repository(folder: Path) -> None:
    lat, lon = np.linspace(60, 41, 20), np.linspace(0, 29, 30)
    made = icechunk.Repository.create(storage_of(str(folder), local=True))
    session = made.writable_session("main")
    found = xr.Dataset({"t": (("lat", "lon"), np.ones((20, 30)))}, {"lat": lat, "lon": lon})
    found.to_zarr(session.store, mode="w", consolidated=False)
    session.commit("theirs")


@pytest.fixture
def group(tmp_path: Path) -> Path:
    return make_group(tmp_path / "elsewhere" / "air.v2.zarr")


@pytest.fixture
def store(tmp_path: Path) -> str:
    make_cube(tmp_path / "store", "sst")
    return str(tmp_path / "store")


def test_a_registered_group_is_served_where_it_lies(group, store, capsys):
    assert run(["register", str(group), "--store", store]) == 0
    assert capsys.readouterr().out == "air__v2: t\n"
    assert not list((Path(store) / "air__v2").rglob("c"))
    context = open_context(store, Config())
    assert [cube.id for cube in context.catalog.cubes()] == ["sst", "air__v2"]
    for name in ("air__v2", "air.v2"):
        cube = context.catalog.cube(name)
        assert np.array_equal(cube.store.chunk("t", 0, (1, 0, 0))[0], VALUES[1])
    assert context.catalog.layer("air.v2.t").cube.id == "air__v2"


def test_an_id_with_signs_is_an_alias(group, store, capsys):
    command = ["register", str(group), "--id", "EO:MO:DAT:AIR/1.0", "--store", store]
    assert run(command) == 0
    assert run(command) == 0  # again: nothing changes
    context = open_context(store, Config())
    cube = context.catalog.cube("EO:MO:DAT:AIR/1.0")
    assert cube.id == "EO__MO__DAT__AIR__1__0"
    capsys.readouterr()
    assert run(["show", "EO:MO:DAT:AIR/1.0", "--store", store]) == 0
    assert "Somebody's air" in capsys.readouterr().out


def test_what_cannot_be_registered(group, store, tmp_path, capsys):
    for arguments, reason in (
        ([str(tmp_path / "nothing")], "cannot be served: there is no Zarr group"),
        ([str(group), "--id", "sst"], "already a cube 'sst'"),
        ([f"{store}/sst"], "already a cube 'sst'"),
        ([f"{store}/sst", "--id", "other"], "a cube of this program"),
    ):
        assert run(["register", *arguments, "--store", store]) == 2
        assert reason in capsys.readouterr().err
    assert sorted(path.name for path in Path(store).iterdir() if path.is_dir()) == ["sst"]


def test_a_pointer_to_what_is_gone_is_left_out(group, store, capsys, caplog):
    assert run(["register", str(group), "--store", store]) == 0
    group.rename(group.with_name("away"))
    assert [cube.id for cube in open_context(store, Config()).catalog.cubes()] == ["sst"]
    (Path(store) / "air__v2/pointer.json").write_text("{")
    context = open_context(store, Config())
    assert [cube.id for cube in context.catalog.cubes()] == ["sst"]
    assert "the pointer of 'air__v2' is damaged" in caplog.text


def test_ls_show_and_verify_know_them(group, store, capsys):
    make_group(Path(store) / "here.zarr")
    assert run(["register", str(group), "--store", store]) == 0
    capsys.readouterr()
    assert run(["ls", "--store", store]) == 0
    _, *lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["sst", "air__v2", "here"]
    assert run(["ls", "--store", store, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[1]["version"] is None
    assert run(["show", "here", "--store", store]) == 0
    assert "2 from 2020-01-01" in capsys.readouterr().out
    assert run(["verify", "--store", store]) == 0
    assert capsys.readouterr().out == "sst: sound\nair__v2: sound\nhere: sound\n"
    chunk = Path(store) / "here.zarr/t/c/1/0/0"
    chunk.write_bytes(chunk.read_bytes()[:-9])
    assert run(["verify", "here", "--store", store]) == 1
    said = capsys.readouterr()
    assert said.out == "here: 1 damaged chunk\n"
    assert "t at 2020-01-02T00:00:00Z, level 0, 1/0/0:" in said.err


@pytest.mark.parametrize("more", [[], ["--dry-run"], ["--storage", "icechunk"]])
def test_nothing_is_ingested_into_what_others_wrote(group, store, tmp_path, capsys, more):
    make_group(Path(store) / "here")
    source = str(write_netcdf(tmp_path / "a.nc"))
    assert run(["register", str(group), "--store", store]) == 0
    if not more:
        make_repository(Path(store) / "theirs")
    names = [path.parent.name for path in Path(store).glob("*/*") if path.name in MARKS]
    before = {path: path.read_bytes() for path in Path(store).rglob("*") if path.is_file()}
    assert set(names) >= {"here", "air__v2", *([] if more else ["theirs"])}
    for name in {*names} - {"sst"}:
        assert run(["ingest", source, "--cube", name, "--store", store, *more]) == 2
        assert f"'{name}' is the id of a cube that others wrote" in capsys.readouterr().err
    after = {path: path.read_bytes() for path in Path(store).rglob("*") if path.is_file()}
    assert before == after


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
@pytest.mark.parametrize("where", ["pointer", "folder", "repository"])
def test_the_further_cubes_of_a_group_are_not_shadowed(group, store, tmp_path, capsys, where, dry):
    Group(group, 3, {}).array("land", ("lat", "lon"), VALUES[0], {}, chunks=(ROWS, COLUMNS))
    if where == "pointer":
        assert run(["register", str(group), "--id", "air", "--store", store]) == 0
    elif where == "folder":
        group.rename(Path(store) / "air.zarr")
    else:
        made = icechunk.Repository.create(storage_of(f"{store}/air", local=True))
        session = made.writable_session("main")
        xr.open_zarr(group, consolidated=False).to_zarr(session.store, consolidated=False)
        session.commit("theirs")
    catalog = open_context(store, Config()).catalog
    ids = [cube.id for cube in catalog.cubes()]
    assert ids == ["sst", "air", "air-lat-lon"]
    before = {path: path.read_bytes() for path in Path(store).rglob("*") if path.is_file()}
    source = str(write_netcdf(tmp_path / "a.nc"))
    for name in ids[1:]:
        assert run(["ingest", source, "--cube", name, "--store", store, *dry]) == 2
        assert f"'{name}' is the id of a cube that others wrote" in capsys.readouterr().err
    after = {path: path.read_bytes() for path in Path(store).rglob("*") if path.is_file()}
    assert before == after
    assert run(["ingest", source, "--cube", "air-st", "--store", store, *dry]) == 0


def test_a_group_whose_further_cube_would_be_shadowed_is_not_registered(group, store, capsys):
    Group(group, 3, {}).array("land", ("lat", "lon"), VALUES[0], {}, chunks=(ROWS, COLUMNS))
    make_cube(Path(store), "air-lat-lon")
    assert run(["register", str(group), "--id", "air", "--store", store]) == 2
    assert "already a cube 'air-lat-lon'" in capsys.readouterr().err
    assert not (Path(store) / "air").exists()
    assert run(["register", str(group), "--id", "wind", "--store", store]) == 0


def test_what_others_wrote_has_no_versions(group, store, tmp_path, capsys):
    assert run(["register", str(group), "--store", store]) == 0
    policy = tmp_path / "policy.yaml"
    policy.write_text("rules: [{keep: 1 days}]\n")
    for arguments in (
        ["versions", "air__v2"],
        ["deleted", "air__v2"],
        ["rollback", "air__v2", "1"],
        ["compact", "air__v2"],
        ["gc", "air__v2"],
        ["extend", "air__v2", "--bbox", "0", "0", "1", "1"],
        ["retention", str(policy), "air__v2"],
    ):
        capsys.readouterr()
        assert run([*arguments, "--store", store]) == 2
        assert "'air__v2' is served as it lies" in capsys.readouterr().err
        wrong = ["air" if one == "air__v2" else one for one in arguments]
        assert run([*wrong, "--store", store]) == 2
        assert "did you mean air__v2?" in capsys.readouterr().err


def test_a_group_without_arrays_cannot_be_registered(store, tmp_path, capsys):
    Group(tmp_path / "empty", 3, {})
    assert run(["register", str(tmp_path / "empty"), "--store", store]) == 2
    assert "the Zarr group holds no array" in capsys.readouterr().err


def test_verify_names_slice_and_field(tmp_path, capsys):
    make_cube(tmp_path, "sst", times=("2020-01-01", "2020-01-02", "2020-01-03"))
    flipped, missing = (tmp_path / f"sst/v/c/{slot}/0/0" for slot in (1, 2))
    data = bytearray(flipped.read_bytes())
    data[len(data) // 2] ^= 1
    flipped.write_bytes(data)
    missing.unlink()
    assert run(["verify", "--store", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert said.out == "sst: 2 damaged chunks\n"
    first, second = said.err.splitlines()
    assert "v at 2020-01-02T00:00:00Z, level 0, sst/v/c/1/0/0: the chunk is damaged" in first
    assert "v at 2020-01-03T00:00:00Z, level 0, sst/v/c/2/0/0: the chunk is missing" in second
