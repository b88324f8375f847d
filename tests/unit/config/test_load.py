"""Configuration files: what is read, and what is said about what is wrong with them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import morecantile
import pytest
from affine import Affine

from datacube.config.base import byte_size, duration_ms
from datacube.config.load import load_config, load_recipe
from datacube.config.products import RecipeSettings
from datacube.config.settings import Config, CubeSettings, FieldSettings, ServerSettings, TimePolicy
from datacube.errors import ConfigError
from datacube.model.coverage import CoverageDescription
from datacube.model.crs import Crs
from datacube.model.domain import DomainSet
from datacube.model.fields import Category, Field, RangeType
from datacube.model.grid import RectifiedGrid
from datacube.render.style import Categories, Channel, ColorRamp, Composite

HOUR = 3_600_000
KINDS = "ramp, categories, composite, hillshade, contours, arrows or sld"
USUAL = (
    "default, true-color, false-color, urban, swir, dual-pol, ndvi, moisture, cross-ratio, "
    "wind, wind-barbs, current, ice-drift, vector"
)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write files (name -> YAML) and give the path of server.yaml."""

    def make(**files: str) -> Path:
        (tmp_path / "server.yaml").write_text("", encoding="utf-8")
        for name, text in files.items():
            path = tmp_path / f"{name.replace('__', '/')}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return tmp_path / "server.yaml"

    return make


def findings(path: Path, **environment: str) -> list[str]:
    """Findings, files named relative to the server's."""
    with pytest.raises(ConfigError) as caught:
        load_config(path, environment)
    return [one.removeprefix(f"{path.parent}/") for one in caught.value.findings]


def description(*names: str, uom: str = "K") -> CoverageDescription:
    grid = RectifiedGrid(Crs.parse("EPSG:4326"), Affine(1, 0, 0, 0, -1, 0), 2, 2)
    fields = tuple(Field(name, "uint16", uom=uom) for name in names)
    return CoverageDescription("c", "Own title", "", DomainSet(grid), RangeType(fields))


def test_no_file_gives_the_defaults():
    assert load_config(None) == Config()


def test_an_empty_file_gives_the_defaults_too(write):
    found = load_config(write())
    assert replace(found.server, changed="") == ServerSettings()
    assert replace(found, server=ServerSettings()) == Config()


def test_server(write):
    path = write(
        server="""
        title: Sea
        keywords: [sst, ice]
        contact: {organization: We, email: us@example.org}
        public_url: https://example.org/cubes/
        trusted_proxies: [10.0.0.0/8, "::1"]
        limits: {max_width: 100, cache_bytes: 64 MiB, max_coverage_bytes: 1.5 GB}
        time: {nearest: false, tolerance: PT6H}
        strict_http: true
        wcs: {time_encoding: strict, versions: [2.0.1, 1.0.0]}
        """
    )
    server = load_config(path).server
    assert (server.title, server.keywords) == ("Sea", ("sst", "ice"))
    assert (server.contact.organization, server.contact.email) == ("We", "us@example.org")
    assert server.public_url == "https://example.org/cubes"
    assert server.trusted_proxies == ("10.0.0.0/8", "::1")
    assert (server.limits.max_width, server.limits.max_height) == (100, 4096)
    assert server.limits.cache_bytes == 64 * 1024**2
    assert server.limits.max_coverage_bytes == 1_500_000_000
    assert server.time == TimePolicy(False, 6 * HOUR)
    assert (server.strict_http, server.wcs_time_encoding) == (True, "strict")
    assert server.wcs_versions == ("1.0.0", "2.0.1")


def test_cubes_and_styles(write):
    path = write(
        server="time: {tolerance: PT1H}",
        styles__warm="{type: ramp, title: Warm, colormap: THERMAL, range: [0, null], "
        "below: '#00000080'}",
        styles__classes="""
            type: categories
            name: ice
            field: flag
            classes: [{value: 1, label: ice, color: '#ffffff'}, {value: 2}]
        """,
        cubes__sst="""
            title: Sea
            hidden: true
            styles:
              - warm
              - true-color
              - type: composite
                name: rgb
                red: {field: a, range: [0, 2]}
                green: {field: b, gamma: 2}
                blue: {field: c}
            fields: {sst: {title: SST, unit: K, range: [271, 305], colormap: thermal, log: true}}
            dimensions: {time: {nearest: false, tolerance: P1D}}
        """,
        cubes__other="id: named",
    )
    config = load_config(path)
    warm = ColorRamp("warm", "Warm", "", "thermal", 0, None, below=(0, 0, 0, 128))
    ice = Categories("ice", "ice", "flag", (Category(1, "ice", "#ffffff"), Category(2, "", "")))
    assert config.styles == {"warm": warm, "ice": ice}
    assert set(config.cubes) == {"sst", "named"}
    sst = config.cube("sst")
    assert sst.styles == (
        warm,
        "true-color",
        Composite("rgb", "rgb", Channel("a", 0, 2), Channel("b", 0, 1, 2), Channel("c")),
    )
    assert sst.fields == {"sst": FieldSettings("SST", "K", (271, 305), "thermal", True)}
    assert (sst.title, sst.hidden, sst.time) == ("Sea", True, TimePolicy(False, 24 * HOUR))
    server_wide = TimePolicy(True, HOUR)
    assert config.cube("named").time == config.cube("never-configured").time == server_wide


def test_recipe(write):
    path = write(
        recipes__air="""
        cube: air
        title: Air
        time: 2020-01-01T00:00:00Z
        crs: EPSG:27700
        chunk: 256
        series: true
        fields:
          - {source: t2m, name: air, unit: K, overview: nearest, range: [230, 310]}
        """
    )
    recipe = load_config(path).recipes["air"]
    assert recipe == load_recipe(path.parent / "recipes" / "air.yaml")
    assert (recipe.cube, recipe.crs, recipe.chunk) == ("air", "EPSG:27700", 256)
    assert recipe.series is True
    (field,) = recipe.fields
    assert (field.source, field.name, field.uom, field.overview) == ("t2m", "air", "K", "nearest")
    assert field.valid_range == (230, 310)


def test_every_problem_of_every_file_in_one_report(write):
    path = write(
        server="""
        titel: Sea
        limits:
          max_width: -1
          cache_bytes: 3 elephants
        public_url: ftp://example.org
        trusted_proxies:
          - 10.0.0.0/8
          - nonsense
        """,
        styles__a="{type: ramp, colormap: virids, range: [5, 1]}",
        styles__b="type: wheel",
        styles__c="type: ramp\nlog: true\nrange: [0, 1]",
        styles__d="type: categories\nclasses:\n  - {label: ice}\n  - {value: 1, color: reddish}",
        cubes__x="""
            styles:
              - nosuch
              - type: ramp
                name: ok
                colormap: viridis
                rnge: [0, 1]
            fields:
              t: {range: [1]}
            dimensions:
              time: {tolerance: soon}
        """,
        recipes__r="chunk: 33\ncrs: EPSG:0\nfields: [{name: 1x}]",
    )
    assert findings(path) == [
        "server.yaml:1: unknown key 'titel'; did you mean 'title'?",
        "server.yaml:3: 'max_width' is -1: input should be greater than 0",
        "server.yaml:4: '3 elephants' is no size: write a number of bytes, 512 MB or 512 MiB",
        "server.yaml:5: 'ftp://example.org' is no base URL: it begins with http:// or https://",
        "server.yaml:8: 'nonsense' is no address, no network such as 10.0.0.0/8, and not *",
        "styles/a.yaml:1: no colour map 'virids' (did you mean viridis or viridis_r or cividis?)",
        "styles/a.yaml:1: the range 5 … 1 is empty: the lower end comes first",
        f"styles/b.yaml:1: a style has a type: {KINDS}",
        "styles/c.yaml:1: a logarithmic range begins above zero, not at 0",
        "styles/d.yaml:3: the key 'value' is missing",
        "styles/d.yaml:4: 'reddish' is no colour: write #rrggbb, #rrggbbaa or transparent",
        "cubes/x.yaml:6: unknown key 'rnge'; did you mean 'range'?",
        "cubes/x.yaml:8: 'range' has too few values",
        "cubes/x.yaml:10: 'soon' is no ISO 8601 duration such as P1D or PT6H",
        f"cubes/x.yaml:2: no style 'nosuch'; the styles are a, b, c, d, {USUAL}",
        "recipes/r.yaml:1: the side of a chunk is even, not 33",
        "recipes/r.yaml:2: PROJ does not know the coordinate reference system EPSG:0",
        "recipes/r.yaml:3: the key 'source' is missing",
        "recipes/r.yaml:3: 'name' is '1x': string should match pattern '^[A-Za-z_][A-Za-z0-9_-]*$'",
    ]


def test_names_of_styles(write):
    path = write(
        styles__warm="type: ramp",
        cubes__x="styles: [warm, default,\n  cold]",
        cubes__y="styles:\n  - type: ramp\n    title: nameless",
    )
    assert findings(path) == [
        f"cubes/x.yaml:2: no style 'cold'; the styles are warm, {USUAL}",
        "cubes/y.yaml:2: a style written here needs a 'name'",
    ]


def test_one_cube_in_two_files(write):
    (finding,) = findings(write(cubes__a="title: A", cubes__b="title: B\nid: a"))
    assert finding == "cubes/b.yaml:2: 'a' is configured already; every id is there once"


def test_a_tile_matrix_set_as_the_ogc_writes_it(write):
    path = write()
    folder = path.parent / "tilematrixsets"
    folder.mkdir()
    source = Path(morecantile.__file__).parent / "data" / "NZTM2000Quad.json"
    (folder / "nz.json").write_text(source.read_text())
    (one,) = load_config(path).server.tile_matrix_sets
    theirs = morecantile.tms.get("NZTM2000Quad")
    assert (one.id, one.crs.key, len(one.matrices)) == (
        "NZTM2000Quad",
        "EPSG:2193",
        len(theirs.tileMatrices),
    )
    box = one.grid_of_tile("5", 9, 12).bbox
    assert box.edges == pytest.approx(tuple(theirs.xy_bounds(12, 9, 5)))
    document = json.loads(source.read_text())
    (folder / "nz.json").write_text(json.dumps(document | {"crs": "EPSG:1", "id": "x"}))
    (folder / "web.json").write_text(json.dumps(document | {"id": "WebMercatorQuad"}))
    unknown, taken = findings(path)
    assert unknown == (
        "tilematrixsets/nz.json:1: PROJ does not know the coordinate reference system EPSG:1"
    )
    assert "'WebMercatorQuad' is configured already" in taken


def test_unknown_key_far_from_any_lists_the_known_ones(write):
    (finding,) = findings(write(server="wcs:\n  zzz: 1"))
    known = "native_format, time_encoding, versions"
    assert finding == f"server.yaml:2: unknown key 'zzz'; the keys here are {known}"


def test_files_that_cannot_be_read(write, tmp_path):
    assert findings(tmp_path / "absent.yaml") == [
        "absent.yaml:1: cannot be read: No such file or directory"
    ]
    (line,) = findings(write(server="title: [open"))
    assert line.startswith("server.yaml:1: no valid YAML: ")
    assert findings(write(server="- a list")) == [
        "server.yaml:1: the file holds no keys: write 'key: value' lines"
    ]
    (line,) = findings(write(server="title: !!python/object:os.system x"))
    assert "could not determine a constructor" in line
    (tmp_path / "server.yaml").write_bytes(b"title: \xff\xfe")
    (line,) = findings(tmp_path / "server.yaml")
    assert "no valid YAML" in line


def test_a_key_that_is_there_twice(write):
    assert findings(write(server="title: a\nfees: b\ntitle: c")) == [
        "server.yaml:3: the key 'title' is there twice"
    ]


def test_recursive_alias(write):
    assert findings(write(server="contact: &a\n  url: *a")) == [
        "server.yaml:1: no valid YAML: an alias holds itself"
    ]


def test_variables_of_the_environment(write):
    path = write(server="public_url: https://${HOST}/${PREFIX:-cubes}")
    assert load_config(path, {"HOST": "a.org"}).server.public_url == "https://a.org/cubes"
    assert load_config(path, {"HOST": "a", "PREFIX": "b"}).server.public_url == "https://a/b"
    assert findings(path) == [
        "server.yaml:1: the environment has no HOST; set it, or write ${HOST:-otherwise}"
    ]


def test_variables_stand_in_urls_only(write):
    assert findings(write(server="fees: none\ntitle: ${OWN}"), OWN="x") == [
        "server.yaml:2: a variable may stand only in contact.url, public_url"
    ]


def test_report_is_one_error_with_all_lines(write):
    with pytest.raises(ConfigError) as caught:
        load_config(write(server="a: 1\nb: 2"))
    assert len(caught.value.findings) == 2
    assert str(caught.value) == "\n".join(caught.value.findings)


def test_bad_recipe(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("chunk: 33\ntime: noon\nfields:\n  - name: a.b\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_recipe(path)
    lines = [one.removeprefix(f"{path}:") for one in caught.value.findings]
    assert lines[0] == "1: the side of a chunk is even, not 33"
    assert lines[1].startswith("2: ")
    assert "noon" in lines[1]
    assert lines[2] == "4: the key 'source' is missing"
    assert lines[3].startswith("4: 'name' is 'a.b': string should match pattern")
    assert load_recipe_of(tmp_path, "title: T") == RecipeSettings(title="T")


def load_recipe_of(folder: Path, text: str) -> RecipeSettings:
    path = folder / "one.yaml"
    path.write_text(text, encoding="utf-8")
    return load_recipe(path)


@pytest.mark.parametrize(
    ("text", "size"), [("1", 1), ("2 kB", 2000), ("2 KiB", None), ("2kiB", 2048), ("1 TB", 10**12)]
)
def test_sizes(text, size):
    if size is None:
        with pytest.raises(ValueError, match="is no size"):
            byte_size(text)
    else:
        assert byte_size(text) == size


def test_durations():
    assert duration_ms("P1Y") == duration_ms("P12M")
    assert duration_ms("P1DT12H") == 36 * HOUR


def test_description_with_overrides():
    settings = CubeSettings(
        title="T",
        licence="L",
        fields={"a": FieldSettings("A", "degC", (0, 1)), "absent": FieldSettings()},
    )
    changed = settings.describe(description("a", "b"))
    assert (changed.title, changed.licence, changed.abstract) == ("T", "L", "")
    a, b = changed.range_type.fields
    assert (a.title, a.uom, a.valid_range) == ("A", "degC", (0, 1))
    assert b == Field("b", "uint16", uom="K")


def test_styles_of_a_layer():
    any_field, of_a = ColorRamp("any", "", ""), ColorRamp("only-a", "", "a")
    rgb = Composite("rgb", "", Channel("a"), Channel("b"), Channel("a"))
    missing = ColorRamp("gone", "", "nosuch")
    settings = CubeSettings(
        styles=(any_field, of_a, rgb, missing, ColorRamp("any", "second of that name", "")),
        fields={"b": FieldSettings(valid_range=(1, 2), colormap="plasma")},
    )
    cube = description("a", "b")
    one = settings.styles_for(cube, ("a",))
    assert one == (ColorRamp("any", "", "a"), of_a)
    other = settings.styles_for(cube, ("b",))
    assert other == (ColorRamp("any", "", "b"), ColorRamp("default", "plasma", "b", "plasma", 1, 2))
    assert settings.styles_for(cube, ("a", "b")) == (of_a, rgb)


def test_usual_styles_in_another_order():
    cube = description("B02", "B03", "B04", "B08")
    settings = CubeSettings(styles=("false-color", "swir"))
    names = [style.name for style in settings.styles_for(cube, ("B02", "B03", "B04", "B08"))]
    assert names == ["false-color"]  # swir needs bands that are not there
    assert settings.styles_for(cube, ("B02",)) == ()
