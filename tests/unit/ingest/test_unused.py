"""Keys of a recipe that do not apply to a source: it goes in as it is, and its line says so."""

import numpy as np
import pytest

from datacube.config.products import (
    CalibrationSettings,
    FieldRecipe,
    MosaicSettings,
    RecipeSettings,
)
from datacube.ingest.pipeline import ingest
from services.cli.root import run
from tests.unit.ingest.products import opened, plane, whole, write_netcdf, write_tiff
from tests.unit.ingest.test_calibration import write_grd
from tests.unit.ingest.test_swath import sentinel5p

CASES = {
    "calibration": (
        RecipeSettings(calibration=CalibrationSettings(decibel=True)),
        "the recipe's calibration is for Sentinel-1, and was left aside",
    ),
    "swath": (
        RecipeSettings(swath="own"),
        "the recipe's 'swath: own' is for swaths, and was left aside",
    ),
    "mosaic": (
        RecipeSettings(mosaic=MosaicSettings()),
        "the recipe's mosaic is for sources with a time, and was left aside",
    ),
    "forecast": (
        RecipeSettings(forecast=True),
        "the recipe's 'forecast: true' is for model runs of NetCDF and GRIB, and was left aside",
    ),
}


@pytest.mark.parametrize("key", CASES)
def test_what_does_not_apply_is_said(tmp_path, key):
    recipe, words = CASES[key]
    path, store = (
        str(write_tiff(tmp_path / "map.tif", plane(5, 8)[None].astype("i4"))),
        str(tmp_path / "store"),
    )
    for dry in (True, False):
        report = ingest([path], store=store, cube="map", recipe=recipe, dry_run=dry)
        (one,) = report.results
        assert (one.notes, report.exit_code) == ((words,), 0), one
        assert one.line.endswith(f"; {words}")
        assert report.dump()["sources"][0]["notes"] == [words]
    np.testing.assert_array_equal(whole(opened(store, "map"), "band1"), plane(5, 8))
    assert ingest([path], store=store, cube="map", recipe=recipe).results[0].notes == ()


def test_what_applies_is_not(tmp_path):
    store = str(tmp_path / "store")
    swath = sentinel5p(tmp_path / "a.nc")
    recipe = RecipeSettings(cube="s", swath="own", mosaic=MosaicSettings("time"))
    assert ingest([str(swath)], store=store, recipe=recipe).results[0].notes == ()
    wanted = CalibrationSettings(decibel=True)
    fields = (FieldRecipe("VV", uom="dB"),)
    recipe = RecipeSettings(cube="r", calibration=wanted, fields=fields)
    (one,) = ingest([str(write_grd(tmp_path))], store=store, recipe=recipe).results
    assert (one.status, one.notes) == ("ingested", ())
    assert opened(store, "r").description.range_type.field("VV").uom == "dB"


def test_a_run_that_is_given_to_what_has_none(tmp_path, capsys):
    path, store = (
        write_tiff(tmp_path / "map.tif", plane(5, 8)[None].astype("i4")),
        str(tmp_path / "store"),
    )
    options = ["--store", store, "--ref-time", "2020-01-01T00:00Z"]
    assert run(["ingest", str(path), *options]) == 0
    hint = "; the given start of a run is for NetCDF that has valid times, and was left aside"
    assert hint in capsys.readouterr().out
    model = write_netcdf(tmp_path / "run.nc", times=(0.0, 1.0))
    assert run(["ingest", str(model), *options]) == 0
    assert hint not in capsys.readouterr().out
