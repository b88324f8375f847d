"""Styles whose colours lie in a document of SLD beside the configuration."""

from textwrap import dedent

import numpy as np
import pytest
from affine import Affine

from datacube.config.load import load_config
from datacube.config.settings import CubeSettings
from datacube.errors import ConfigError
from datacube.model.coverage import CoverageDescription
from datacube.model.crs import Crs
from datacube.model.domain import DomainSet
from datacube.model.fields import Field, RangeType
from datacube.model.grid import RectifiedGrid
from datacube.render.paint import paint
from datacube.render.style import ColorStops, Composite

SLD10 = """\
<?xml version="1.0" encoding="UTF-8"?>
<StyledLayerDescriptor version="1.0.0" xmlns="http://www.opengis.net/sld">
  <NamedLayer><Name>any</Name>
    <UserStyle><Name>warm</Name><Title>Warm</Title><FeatureTypeStyle><Rule><RasterSymbolizer>
      <Opacity>0.4</Opacity>
      <ColorMap type="intervals">
        <ColorMapEntry color="#ff0000" quantity="10"/>
        <ColorMapEntry color="#00ff00" quantity="inf"/>
      </ColorMap>
    </RasterSymbolizer></Rule></FeatureTypeStyle></UserStyle>
    <UserStyle><Name>cold</Name><FeatureTypeStyle><Rule><RasterSymbolizer>
      <ColorMap><ColorMapEntry color="#0000ff" quantity="0"/></ColorMap>
    </RasterSymbolizer></Rule></FeatureTypeStyle></UserStyle>
  </NamedLayer>
</StyledLayerDescriptor>
"""
SE11 = """\
<StyledLayerDescriptor version="1.1.0" xmlns="http://www.opengis.net/sld"
  xmlns:se="http://www.opengis.net/se"><NamedLayer><se:Name>any</se:Name><UserStyle>
  <se:CoverageStyle><se:Rule><se:RasterSymbolizer><se:ColorMap>
    <se:Categorize fallbackValue="#000000"><se:LookupValue>Rasterdata</se:LookupValue>
      <se:Value>#ff0000</se:Value><se:Threshold>10</se:Threshold><se:Value>#00ff00</se:Value>
    </se:Categorize></se:ColorMap></se:RasterSymbolizer></se:Rule></se:CoverageStyle>
  </UserStyle></NamedLayer></StyledLayerDescriptor>
"""
THREE = """\
<RasterSymbolizer><ChannelSelection>
  <RedChannel><SourceChannelName>B04</SourceChannelName></RedChannel>
  <GreenChannel><SourceChannelName>B03</SourceChannelName></GreenChannel>
  <BlueChannel><SourceChannelName>B02</SourceChannelName></BlueChannel>
</ChannelSelection></RasterSymbolizer>
"""


@pytest.fixture
def write(tmp_path):
    """Write files (name -> text) beside server.yaml and give its path."""

    def make(**files):
        (tmp_path / "server.yaml").write_text("", encoding="utf-8")
        for name, text in files.items():
            folder, _, file = name.partition("__")
            (tmp_path / folder).mkdir(exist_ok=True)
            ending = "sld" if text.startswith("<") else "yaml"
            path = tmp_path / folder / f"{file}.{ending}"
            path.write_text(dedent(text), encoding="utf-8")
        return tmp_path / "server.yaml"

    return make


def findings(path):
    with pytest.raises(ConfigError) as caught:
        load_config(path, {})
    return [one.removeprefix(f"{path.parent}/") for one in caught.value.findings]


def described(*fields):
    grid = RectifiedGrid(Crs.parse("EPSG:4326"), Affine(1, 0, 0, 0, -1, 0), 3, 1)
    return CoverageDescription("c", "", "", DomainSet(grid), RangeType(fields))


def colors(style, *values):
    field, row = Field("v", "float32"), np.array([values], "float32")
    return paint(style, {"v": field}, {"v": row}, {"v": np.isfinite(row)}).rgba().pixels[0].tolist()


V = described(Field("v", "float32"))


def test_a_style_for_every_cube_of_one_document(write):
    path = write(
        styles__steps="type: sld\nfile: shared.sld\n",
        styles__shared=SLD10,
        cubes__a="styles: [steps]\n",
        cubes__b="styles: [{type: sld, name: blue, file: ../styles/shared.sld, style: cold}]\n",
    )
    config = load_config(path, {})
    (steps,) = config.cubes["a"].styles_for(V, ("v",))
    assert isinstance(steps, ColorStops)
    assert (steps.name, steps.title, steps.field) == ("steps", "Warm", "v")
    assert colors(steps, 9, 10, 11) == [[255, 0, 0, 102], [255, 0, 0, 102], [0, 255, 0, 102]]
    (blue,) = config.cubes["b"].styles_for(V, ("v",))
    assert (blue.name, colors(blue, 3)) == ("blue", [[0, 0, 255, 255]])


def test_symbology_encoding_1_1(write):
    path = write(
        styles__steps="type: sld\nfile: shared.sld\nname: se\ntitle: Mine\nfield: v\n",
        styles__shared=SE11,
        cubes__a="styles: [se]\n",
    )
    cube = load_config(path, {}).cubes["a"]
    (style,) = cube.styles_for(V, ("v",))
    assert (style.name, style.title) == ("se", "Mine")
    assert colors(style, 9.5, 10, 11) == [[255, 0, 0, 255], [0, 255, 0, 255], [0, 255, 0, 255]]
    assert cube.styles_for(described(Field("other", "float32")), ("other",)) == ()


def test_three_bands_where_they_are(write):
    path = write(
        styles__rgb="type: sld\nfile: three.sld\n",
        styles__three=THREE,
        cubes__a="styles: [rgb]\n",
    )
    cube = load_config(path, {}).cubes["a"]
    bands = tuple(Field(name, "uint8") for name in ("B02", "B03", "B04"))
    (style,) = cube.styles_for(described(*bands), ("B02", "B03", "B04"))
    assert isinstance(style, Composite)
    assert [(one.field, one.low, one.high) for one in style.channels] == [
        ("B04", 0, 255),
        ("B03", 0, 255),
        ("B02", 0, 255),
    ]
    assert cube.styles_for(V, ("v",)) == ()


def test_cubes_without_a_file_have_none():
    assert CubeSettings().styles_for(V, ("v",)) == ()


@pytest.mark.parametrize(
    ("sld", "finding"),
    [
        (SLD10.replace("#00ff00", "green"), ("styles/s.sld:8: 'green' is no colour; "
         "it is written #rrggbb")),
        (SLD10.replace('"10"', '"ten"'), ("styles/s.sld:7: 'ten' in the SLD is no number; "
         "values are literal")),
        (SLD10.replace("</UserStyle>", "", 1), ("styles/s.sld:14: the document is not well-formed "
         "XML: Opening and ending tag mismatch: UserStyle line 4 and NamedLayer")),
        ("<Other/>", "styles/s.sld:1: the document is a Other; a StyledLayerDescriptor is read"),
        (("<StyledLayerDescriptor><NamedLayer><Name>a</Name><NamedStyle><Name>b</Name></NamedStyle>"
         "</NamedLayer></StyledLayerDescriptor>"),
         "styles/s.sld:1: the document describes no style; it only names some"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
         "styles/s.sld:1: the document has a DOCTYPE, which is not accepted"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_document(write, sld, finding):
    path = write(styles__a="type: sld\nfile: s.sld\n", styles__s=sld, cubes__c="styles: [a]\n")
    found = findings(path)
    assert len(found) == 1
    assert found[0].startswith(finding)


def test_a_style_that_the_document_does_not_have(write):
    path = write(styles__a="type: sld\nfile: s.sld\nstyle: hot\n", styles__s=SLD10)
    assert findings(path) == ["styles/s.sld:2: the SLD has no UserStyle 'hot'; it has warm, cold"]


def test_documents_lie_within_the_configuration(write, tmp_path):
    outside = tmp_path.parent / "outside.sld"
    outside.write_text(SLD10)
    path = write(
        styles__a="type: sld\ntitle: A\nfile: ../../outside.sld\n",
        styles__b=f"type: sld\nfile: {outside}\n",
        styles__c="type: sld\nfile: link.sld\n",
        styles__d="type: sld\nfile: none.sld\n",
        cubes__e="styles:\n  - a\n  - {type: sld, name: x, file: ../../outside.sld}\n",
    )
    (tmp_path / "styles" / "link.sld").symlink_to(outside)
    assert findings(path) == [
        f"styles/a.yaml:3: '../../outside.sld' lies outside the configuration's folder {tmp_path}",
        f"styles/b.yaml:2: '{outside}' lies outside the configuration's folder {tmp_path}",
        f"styles/c.yaml:2: 'link.sld' lies outside the configuration's folder {tmp_path}",
        "styles/d.yaml:2: the document 'none.sld' cannot be read: No such file or directory",
        f"cubes/e.yaml:3: '../../outside.sld' lies outside the configuration's folder {tmp_path}",
    ]
