"""Units of fields: kept, spelt as the recipe says, never exchanged without a word."""

import pytest

from datacube.config.load import load_recipe
from datacube.config.products import FieldRecipe, RecipeSettings
from datacube.errors import ConfigError
from datacube.ingest.pipeline import ingest
from tests.unit.ingest.products import opened, write_netcdf


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "store")


def wanting(unit, **options):
    return RecipeSettings(cube="c", fields=(FieldRecipe("v", "t", uom=unit, **options),))


def unit_in(store):
    return opened(store, "c").description.range_type.field("t").uom


@pytest.mark.parametrize(
    ("said", "wanted"),
    [("K", "kelvin"), ("degrees_Celsius", "Cel"), ("W m**-2", "W/m²"), ("", "K"), ("hPa", "mbar")],
)
def test_the_recipe_spells_a_unit_or_gives_the_one_that_lacks(tmp_path, store, said, wanted):
    path = write_netcdf(tmp_path / "a.nc", field_units=said)
    report = ingest([str(path)], store=store, recipe=wanting(wanted))
    assert report.exit_code == 0, report
    assert unit_in(store) == wanted


@pytest.mark.parametrize(
    ("said", "wanted"),
    [("K", "degC"), ("1", "%"), ("Pa", "hPa"), ("m", "s"), ("mPa", "MPa"), ("furlong", "fathom")],
)
def test_another_unit_is_refused_until_the_source_is_said_to_be_wrong(
    tmp_path, store, said, wanted
):
    path = str(write_netcdf(tmp_path / "a.nc", field_units=said))
    (bad,) = ingest([path], store=store, recipe=wanting(wanted)).results
    assert bad.status == "refused"
    assert bad.reason.startswith(f"v is in '{said}', which the recipe would call '{wanted}' though")
    assert bad.reason.endswith(f"or where the source is wrong add wrong_unit: '{said}'")
    (bad,) = ingest([path], store=store, recipe=wanting(wanted, wrong_uom="acre")).results
    assert bad.status == "refused"
    assert ingest([path], store=store, recipe=wanting(wanted, wrong_uom=said)).exit_code == 0
    assert unit_in(store) == wanted


def test_the_wrong_unit_of_a_recipe(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("fields:\n- {source: v, unit: degC, wrong_unit: K}\n")
    assert load_recipe(path).fields[0].wrong_uom == "K"
    path.write_text("fields:\n- {source: v, wrong_unit: K}\n")
    with pytest.raises(ConfigError, match="beside wrong_unit the right one is said by unit"):
        load_recipe(path)


def test_a_cube_takes_its_unit_in_another_spelling_and_no_other(tmp_path, store):
    found = []
    for day, unit in enumerate(("K", "kelvin", "degC")):
        path = write_netcdf(tmp_path / f"{day}.nc", times=(float(day),), field_units=unit)
        found += ingest([str(path)], store=store, cube="c").results
    assert [one.status for one in found] == ["ingested", "ingested", "refused"]
    assert found[2].reason == "does not fit the cube 'c': v is in 'degC' instead of 'K'"
