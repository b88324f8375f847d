"""A cube that gets further fields or a larger grid on the command line."""

import netCDF4
import pytest

from datacube.model.fields import Field
from datacube.store.cube import open_cube
from datacube.store.url import open_store
from services.cli.root import run
from tests.cubes import make_cube, read_level, slice_values
from tests.unit.ingest.products import write_netcdf

DAYS = ("2020-01-01", "2020-01-02")


@pytest.fixture
def store(tmp_path, monkeypatch):
    """``sst`` as it was ingested of a file with the field ``v``; ``near`` with 10 x 5 cells."""
    folder = tmp_path / "store"
    monkeypatch.setenv("DATACUBE_STORE", str(folder))
    first = write_netcdf(tmp_path / "sst_20200101.nc", times=(0.0,))
    assert run(["ingest", str(first)]) == 0
    nil = (Field("v", "int32", nil=-1),)
    make_cube(folder, "near", times=DAYS, bbox=(0, 40, 20, 50), width=10, height=5, fields=nil)
    make_cube(folder, "full", bbox=(0, 40, 20, 50), width=10, height=5)
    return open_store(str(folder))


def said(capsys, *arguments, code=0):
    capsys.readouterr()
    assert run(["extend", *map(str, arguments)]) == code
    out, err = capsys.readouterr()
    return (err if code else out).strip()


def both(path, times):
    """A file like those of ``sst`` with a further field of the same values."""
    write_netcdf(path, times=times)
    with netCDF4.Dataset(path, "a") as file:
        file.set_auto_maskandscale(False)
        v = file["v"]
        w = file.createVariable("w", v.dtype, v.dimensions, fill_value=-1)
        w.set_auto_maskandscale(False)
        w.setncatts({name: v.getncattr(name) for name in v.ncattrs() if name != "_FillValue"})
        w[:] = v[:]
    return path


def test_a_further_field_of_a_source(store, tmp_path, capsys):
    later = both(tmp_path / "sst_20200102.nc", (1.0,))
    assert run(["ingest", str(later)]) == 2
    assert "has the further fields w, which `datacube extend sst --like" in capsys.readouterr().err
    before = open_cube(store, "sst")
    line = said(capsys, "sst", "--like", later, "--dry-run")
    assert line == "sst: would have the further field w (int16)"
    assert open_cube(store, "sst").version == before.version
    line = said(capsys, "sst", "--like", later)
    assert line == f"sst: version {before.version + 1} has the further field w (int16)"
    assert said(capsys, "sst", "--like", later) == "sst: has all of that already"
    assert run(["ingest", str(later)]) == 0
    cube = open_cube(store, "sst")
    assert cube.description.range_type.names == ("v", "w")
    assert (read_level(cube, "w", 0) == -1).all()
    assert (read_level(cube, "w", 1) == read_level(cube, "v", 1)).all()


def test_a_larger_grid(store, capsys):
    before = open_cube(store, "near")
    box = ("--bbox", -3, 40, 20, 52)
    line = said(capsys, "near", *box, "--dry-run")
    cells = "12 x 6 cells (before 10 x 5)"
    assert line == f"near: would have {cells}; 2 slices would be written anew"
    assert open_cube(store, "near").version == before.version
    assert said(capsys, "near", *box) == f"near: version {before.version + 1} has {cells}"
    cube = open_cube(store, "near")
    assert cube.description.domain.bbox.edges == (-4, 40, 20, 52)
    old = slice_values(before.description, 1)["v"]
    assert (read_level(cube, "v", 1)[1:, 2:] == old).all()
    assert said(capsys, "near", *box) == "near: has all of that already"


def test_both_at_once(store, tmp_path, capsys):
    source = both(tmp_path / "sst_20200102.nc", (1.0,))
    left, bottom, right, top = open_cube(store, "sst").description.domain.bbox.edges
    line = said(capsys, "sst", "--like", source, "--bbox", left - 0.25, bottom, right, top)
    assert line.endswith("has 9 x 5 cells (before 8 x 5) and the further field w (int16)")
    grown = open_cube(store, "sst").description
    assert (grown.domain.grid.width, grown.range_type.names) == (9, ("v", "w"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "say what is to be added"),
        (("--bbox", 0, 0, 400, 20), "beyond the globe"),
        (("--bbox", 0, -91, 10, 20), "beyond the globe"),
        (("--bbox", "nan", 0, 10, 20), "not finite"),
        (("--bbox", -1e300, 0, 10, 20), "too large"),
        (("--like", "none.nc"), "no such file"),
    ],
)
def test_what_cannot_be_is_refused(store, capsys, arguments, words):
    version = open_cube(store, "near").version
    assert words in said(capsys, "near", *arguments, code=2)
    assert open_cube(store, "near").version == version


def test_cells_that_would_have_to_hold_a_value_are_refused(store, capsys):
    words = said(capsys, "full", "--bbox", -3, 40, 20, 52, code=2)
    assert "the field v (int32) has no number for no data" in words
