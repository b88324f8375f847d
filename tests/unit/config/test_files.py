"""The files of the repository: examples that load, a schema and a reference that are current."""

import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from datacube.config.cubes import CubeModel
from datacube.config.load import load_config
from datacube.config.schema import keys_at, schema, text
from datacube.config.server import ServerModel

REPOSITORY = Path(__file__).resolve().parents[3]
CONFIG = REPOSITORY / "config"
REFERENCE = REPOSITORY / "docs" / "configuration.md"
FILES = sorted(CONFIG.rglob("*.yaml"))
SECTIONS = {
    "ServerModel": "Server",
    "ContactModel": "contact",
    "LimitsModel": "limits",
    "TimeModel": "time",
    "WmsModel": "wms",
    "WmtsModel": "wmts",
    "WcsModel": "wcs",
    "TileCacheModel": "tile_cache",
    "JobsModel": "jobs",
    "InspireModel": "inspire",
    "WordingModel": "language",
    "CubeModel": "Cube",
    "FieldModel": "field",
    "DimensionsModel": "dimensions",
    "LevelsModel": "elevation",
    "MetadataLinkModel": "metadata",
    "RampModel": "ramp",
    "CategoriesModel": "categories",
    "ClassModel": "class",
    "CompositeModel": "composite",
    "ChannelModel": "channel",
    "HillshadeModel": "hillshade",
    "ContoursModel": "contours",
    "ArrowsModel": "arrows",
    "SldModel": "sld",
    "ColorsModel": "colours",
    "RecipeModel": "Recipe",
    "FieldRecipeModel": "field of a recipe",
    "TargetModel": "grid of a recipe",
    "MaskModel": "mask of a recipe",
    "MosaicModel": "mosaic of a recipe",
    "AxisModel": "axis of a recipe",
    "CalibrationModel": "calibration of a recipe",
    "RetentionModel": "Retention",
    "RuleModel": "rule of a policy",
    "SupersessionModel": "superseded drafts",
    "HoldModel": "hold of a policy",
}


def test_the_demo_configuration_is_sound():
    config = load_config(CONFIG / "server.yaml", {})
    assert set(config.cubes) == {
        "ecmwf-forecast",
        "air-temperature",
        "nemo-sst",
        "ostia-monthly",
        "s2-simulated",
    }
    assert config.styles
    assert config.recipes
    assert config.server.public_url == ""


def test_the_schema_is_current():
    current = (CONFIG / "schema.json").read_text(encoding="utf-8")
    assert current == text(), "run: python -m datacube.config.schema > config/schema.json"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CONFIG).as_posix())
def test_every_file_names_its_part_of_the_schema_and_follows_it(path):
    lines = path.read_text(encoding="utf-8")
    found = re.match(r"# yaml-language-server: \$schema=(\S+)#/\$defs/(\w+)\n", lines)
    assert found is not None
    assert (path.parent / found[1]).resolve() == CONFIG / "schema.json"
    document = {"$ref": f"#/$defs/{found[2]}", "$defs": schema()["$defs"]}
    jsonschema.Draft202012Validator(document).validate(yaml.safe_load(lines))


def test_every_key_of_the_server_is_in_its_example():
    example = (CONFIG / "server.yaml").read_text(encoding="utf-8")
    absent = [
        key
        for name, part in schema()["$defs"].items()
        if name in {"ServerModel", "ContactModel", "LimitsModel", "TimeModel", "WcsModel"}
        for key in part["properties"]
        if not re.search(rf"^\s*(# )?{key}:", example, flags=re.MULTILINE)
    ]
    assert absent == []


def test_the_example_states_the_defaults():
    stated = yaml.safe_load((CONFIG / "server.yaml").read_text(encoding="utf-8"))
    model, default = ServerModel.model_validate({**stated, "public_url": ""}), ServerModel()
    for key in ("limits", "time", "wcs", "strict_http", "trusted_proxies", "fees"):
        assert getattr(model, key) == getattr(default, key)


def test_every_key_is_in_the_reference():
    page = REFERENCE.read_text(encoding="utf-8")
    sections = dict(
        re.findall(r"^##+ (.+?)\n(.*?)(?=^##|\Z)", page, flags=re.DOTALL | re.MULTILINE)
    )
    models = {name for name, part in schema()["$defs"].items() if part.get("properties")}
    assert models == set(SECTIONS)
    for name, section in SECTIONS.items():
        documented = re.findall(r"^\| `(\w+)` \|", sections[section], flags=re.MULTILINE)
        assert documented == list(schema()["$defs"][name]["properties"]), section


def test_every_key_says_what_it_means():
    for part in schema()["$defs"].values():
        for key, value in part.get("properties", {}).items():
            assert value.get("description"), key


def test_keys_at_a_place():
    document = schema()
    keys = {"time_encoding", "native_format", "versions"}
    assert keys_at(document, "ServerModel", ("wcs",)) == keys
    assert keys_at(document, "CubeModel", ()) == set(CubeModel.model_fields)
    assert "gamma" in keys_at(document, "CubeModel", ("styles", 0, "composite", "red"))
    assert "classes" not in keys_at(document, "CubeModel", ("styles", 0, "ramp"))
    assert "color" in keys_at(document, "StyleFile", ("categories", "classes", 3))
    assert "log" in keys_at(document, "CubeModel", ("fields", "sst"))
    assert keys_at(document, "ServerModel", ("title", "deeper")) == set()
