"""Styles that a request brings along: SLD 1.0 and 1.1, QGIS' export, and what is refused."""

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import override
from urllib.parse import quote

import numpy as np
import pytest

from datacube.config.load import load_config
from datacube.engine.context import open_context
from datacube.model.fields import Field
from services.wms import service
from tests.cubes import make_cube
from tests.protocol.pictures import Maps, rgba, root_of, small
from tests.protocol.wms130.test_errors import code_of

VALUES = 10 * np.arange(5)[:, None] + np.arange(10)[None, :]
START = (
    "SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&FORMAT=image/png&TRANSPARENT=TRUE&CRS=CRS:84"
    "&BBOX=-180,-90,180,90&WIDTH=10&HEIGHT=5&TIME=2020-01-01"
)


def sld10(symbolizer, name="globe.v"):
    return (
        '<StyledLayerDescriptor version="1.0.0" xmlns="http://www.opengis.net/sld" '
        'xmlns:sld="http://www.opengis.net/sld">'
        f"<NamedLayer><Name>{name}</Name><UserStyle><Name>mine</Name><Title>Mine</Title>"
        "<FeatureTypeStyle><Rule><RasterSymbolizer>"
        f"{symbolizer}</RasterSymbolizer></Rule></FeatureTypeStyle></UserStyle></NamedLayer>"
        "</StyledLayerDescriptor>"
    )


def color_map(kind, *entries):
    listed = "".join(
        f'<ColorMapEntry color="{color}" quantity="{value}" opacity="{opacity}" label="{label}"/>'
        for value, color, opacity, label in entries
    )
    return f'<ColorMap type="{kind}">{listed}</ColorMap>'


def get(wms, document, more="&LAYERS=globe.v"):
    return wms.raw(f"{START}{more}&SLD_BODY={quote(document)}")


def test_a_ramp_is_linear_between_its_entries_and_level_beyond(wms):
    ramp = color_map(
        "ramp", (10, "#000000", 1, ""), (20, "#FF0000", 1, ""), (40, "#FFFF00", 0.5, "")
    )
    found = rgba(get(wms, sld10(ramp)))
    wanted = [
        np.interp(VALUES, [10, 20, 40], shades)
        for shades in ([0, 255, 255], [0, 0, 255], [0, 0, 0], [255, 255, 128])
    ]
    np.testing.assert_allclose(found, np.stack(wanted, axis=-1), atol=0.51)


def test_intervals_end_with_their_value(wms):
    steps = color_map("intervals", (10, "#0000FF", 1, ""), (25, "#00FF00", 1, ""))
    found = rgba(get(wms, sld10(steps)))
    assert (found[VALUES <= 10] == [0, 0, 255, 255]).all()
    assert (found[(VALUES > 10) & (VALUES <= 25)] == [0, 255, 0, 255]).all()
    assert (found[VALUES > 25][:, 3] == 0).all()
    open_end = color_map("intervals", (10, "#0000FF", 1, ""), ("inf", "#00FF00", 1, ""))
    assert (rgba(get(wms, sld10(open_end)))[VALUES > 10] == [0, 255, 0, 255]).all()


def test_values_are_only_what_is_equal(wms):
    classes = color_map("values", (12, "#0000FF", 1, "twelve"), (33, "#00FF00", 1, ""))
    found = rgba(get(wms, sld10(classes)))
    assert found[1, 2].tolist() == [0, 0, 255, 255]
    assert found[3, 3].tolist() == [0, 255, 0, 255]
    assert (found[..., 3] > 0).sum() == 2


def test_opacity_of_the_symbolizer(wms):
    found = rgba(
        get(wms, sld10("<Opacity>0.4</Opacity>" + color_map("ramp", (0, "#112233", 1, ""))))
    )
    assert (found == [0x11, 0x22, 0x33, 102]).all()


def test_a_layer_list_is_not_needed(wms):
    document = sld10(color_map("ramp", (0, "#112233", 1, "")))
    assert (rgba(get(wms, document, more=""))[..., 0] == 0x11).all()


def test_a_style_of_the_server_by_name(wms):
    named = (
        "<StyledLayerDescriptor><NamedLayer><Name>globe.v</Name><NamedStyle><Name>exact</Name>"
        "</NamedStyle></NamedLayer></StyledLayerDescriptor>"
    )
    plain = wms.raw(f"{START}&LAYERS=globe.v&STYLES=exact")
    assert get(wms, named, more="").body == plain.body


QGIS_PSEUDOCOLOR = """<?xml version="1.0" encoding="UTF-8"?>
<StyledLayerDescriptor xmlns="http://www.opengis.net/sld" version="1.0.0"
 xmlns:sld="http://www.opengis.net/sld" xmlns:ogc="http://www.opengis.net/ogc"
 xmlns:gml="http://www.opengis.net/gml">
 <UserLayer><sld:LayerFeatureConstraints><sld:FeatureTypeConstraint/></sld:LayerFeatureConstraints>
  <sld:UserStyle><sld:Name>sst</sld:Name><sld:FeatureTypeStyle><sld:Rule>
   <sld:RasterSymbolizer>
    <sld:Opacity>0.5</sld:Opacity>
    <sld:ChannelSelection><sld:GrayChannel>
      <sld:SourceChannelName>1</sld:SourceChannelName></sld:GrayChannel></sld:ChannelSelection>
    <sld:ColorMap type="ramp">
     <sld:ColorMapEntry color="#2c7bb6" quantity="0" label="0"/>
     <sld:ColorMapEntry color="#ffffbf" quantity="20" label="20"/>
     <sld:ColorMapEntry color="#d7191c" quantity="49" label="49"/>
    </sld:ColorMap>
   </sld:RasterSymbolizer>
  </sld:Rule></sld:FeatureTypeStyle></sld:UserStyle></UserLayer>
</StyledLayerDescriptor>"""


def contrast(low, high, gamma=""):
    return (
        "<sld:ContrastEnhancement><sld:Normalize>"
        '<sld:VendorOption name="algorithm">StretchToMinimumMaximum</sld:VendorOption>'
        f'<sld:VendorOption name="minValue">{low}</sld:VendorOption>'
        f'<sld:VendorOption name="maxValue">{high}</sld:VendorOption></sld:Normalize>{gamma}'
        "</sld:ContrastEnhancement>"
    )


def channel(color, band, low, high, gamma=""):
    return (
        f"<sld:{color}Channel><sld:SourceChannelName>{band}</sld:SourceChannelName>"
        f"{contrast(low, high, gamma)}</sld:{color}Channel>"
    )


def test_the_pseudocolour_that_qgis_exports(wms):
    found = rgba(get(wms, QGIS_PSEUDOCOLOR))
    for place, (low, middle, high) in enumerate(
        [(0x2C, 0xFF, 0xD7), (0x7B, 0xFF, 0x19), (0xB6, 0xBF, 0x1C)]
    ):
        wanted = np.interp(VALUES, [0, 20, 49], [low, middle, high])
        np.testing.assert_allclose(found[..., place], wanted, atol=0.51)
    assert (found[..., 3] == 128).all()


def test_three_channels_with_their_stretches(wms):
    bands = channel("Red", 1, 0, 51) + channel("Green", 1, 0, 102)
    bands += channel("Blue", "v", 0, 51, "<sld:GammaValue>2</sld:GammaValue>")
    found = rgba(get(wms, sld10(f"<sld:ChannelSelection>{bands}</sld:ChannelSelection>")))
    np.testing.assert_allclose(found[..., 0], VALUES * 5, atol=0.6)
    np.testing.assert_allclose(found[..., 1], VALUES * 2.5, atol=0.6)
    np.testing.assert_allclose(found[..., 2], 255 * np.sqrt(VALUES / 51), atol=1)


def test_one_gray_channel(wms):
    gray = f"<ChannelSelection>{channel('Gray', 1, 0, 51)}</ChannelSelection>"
    np.testing.assert_allclose(rgba(get(wms, sld10(gray)))[..., 0], VALUES * 5, atol=3)
    whole = "<ContrastEnhancement><Normalize/></ContrastEnhancement>"
    found = rgba(get(wms, sld10(whole)))[..., 0].astype(int)
    assert (np.diff(found, axis=1) >= 0).all()


@pytest.mark.parametrize("band", ["2", "w", pytest.param("1" * 5000, id="digits")])
def test_a_band_that_is_not_there(wms, band):
    gray = f"<ChannelSelection>{channel('Gray', band, 0, 51)}</ChannelSelection>"
    assert "no band" in "".join(root_of(get(wms, sld10(gray))).itertext())


SE = (
    '<StyledLayerDescriptor version="1.1.0" xmlns="http://www.opengis.net/sld" '
    'xmlns:se="http://www.opengis.net/se"><NamedLayer><se:Name>globe.v</se:Name><UserStyle>'
    "<se:CoverageStyle><se:Rule><se:RasterSymbolizer><se:ColorMap>{}</se:ColorMap>"
    "</se:RasterSymbolizer></se:Rule></se:CoverageStyle></UserStyle></NamedLayer>"
    "</StyledLayerDescriptor>"
)


def test_symbology_encoding_1_1(wms):
    steps = (
        '<se:Categorize fallbackValue="#78c818"><se:LookupValue>Rasterdata</se:LookupValue>'
        "<se:Value>#0000ff</se:Value><se:Threshold>10</se:Threshold><se:Value>#00ff00</se:Value>"
        "<se:Threshold>30</se:Threshold><se:Value>#ff0000</se:Value></se:Categorize>"
    )
    found = rgba(get(wms, SE.format(steps)))
    assert (found[VALUES > 30] == [255, 0, 0, 255]).all()
    assert (found[VALUES < 10] == [0, 0, 255, 255]).all()
    points = "".join(
        f"<se:InterpolationPoint><se:Data>{data}</se:Data><se:Value>{color}</se:Value>"
        "</se:InterpolationPoint>"
        for data, color in ((0, "#000000"), (51, "#ff0000"))
    )
    found = rgba(get(wms, SE.format(f"<se:Interpolate>{points}</se:Interpolate>")))
    np.testing.assert_allclose(found[..., 0], VALUES * 5, atol=0.51)


def test_the_legend_lists_the_entries(wms):
    classes = color_map("values", (12, "#0000FF", 1, "twelve"), (33, "#00FF00", 1, ""))
    legend = (
        f"VERSION=1.3.0&REQUEST=GetLegendGraphic&LAYER=globe.v&SLD_BODY={quote(sld10(classes))}"
    )
    found = json.loads(wms.raw(f"{legend}&FORMAT=application/json").body)
    assert found["stops"] == [
        {"value": 12, "label": "twelve", "color": "#0000ff"},
        {"value": 33, "label": "33", "color": "#00ff00"},
    ]
    picture = rgba(wms.raw(f"{legend}&FORMAT=image/png"))
    assert (picture == [0, 0, 255, 255]).all(axis=-1).any()
    assert b"twelve" in wms.raw(f"{legend}&FORMAT=image/svg%2Bxml").body


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("not xml", "not well-formed"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', ""),
        ("<Other/>", "a StyledLayerDescriptor is read"),
        ("<StyledLayerDescriptor/>", "no NamedLayer"),
        (sld10("").replace("RasterSymbolizer", "LineSymbolizer"), "no RasterSymbolizer"),
        (sld10(color_map("spline", (1, "#000000", 1, ""))), "none of ramp"),
        (sld10(color_map("ramp", ("x", "#000000", 1, ""))), "literal"),
        (sld10(color_map("ramp", (1, "red", 1, ""))), "#rrggbb"),
        (sld10("<ChannelSelection><RedChannel/></ChannelSelection>"), "lacks a channel"),
        (sld10(f"<ChannelSelection>{channel('Gray', 'B99', 0, 1)}</ChannelSelection>"), "1 (v)"),
        (sld10("<ContrastEnhancement><Histogram/></ContrastEnhancement>"), "Histogram"),
    ],
)
def test_documents_that_cannot_be_drawn(wms, document, words):
    response = get(wms, document)
    assert code_of(response) is None
    text = "".join(root_of(response).itertext())
    assert words in text
    assert "root:" not in text


class _Styles(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/style")
            self.end_headers()
            return
        body = sld10(color_map("ramp", (0, "#112233", 1, ""))).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, *_):
        pass


@pytest.fixture
def host():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Styles) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_documents_are_fetched_from_allowed_hosts_alone(context, wms, host):
    query = f"{START}&LAYERS=globe.v&SLD="
    assert "send them as SLD_BODY" in "".join(root_of(wms.raw(f"{query}{host}/style")).itertext())
    open_to = replace(context, settings=replace(context.settings, sld_hosts=("127.0.0.1",)))
    allowed = Maps(open_to, service, "/wms")
    assert (rgba(allowed.raw(f"{query}{host}/style"))[..., 0] == 0x11).all()
    for other in (
        f"{host}/moved",
        f"{host.replace('127.0.0.1', 'localhost')}/style",
        "file:///etc/passwd",
        "http://169.254.169.254/latest",
        "ftp://127.0.0.1/style",
        "http://127.0.0.1@example.org/style",
        "http://[::1",
        f"{host}/a style",
        f"{host}x/style",
    ):
        assert code_of(allowed.raw(query + quote(other))) is None


def test_a_document_of_the_configuration_draws_as_one_of_the_request(tmp_path):
    steps = color_map("intervals", (10, "#0000FF", 1, ""), (25, "#00FF00", 0.5, ""))
    document = sld10(f"<Opacity>0.6</Opacity>{steps}")
    for folder in ("styles", "cubes"):
        (tmp_path / folder).mkdir()
    (tmp_path / "server.yaml").write_text("title: T\n")
    (tmp_path / "styles" / "steps.sld").write_text(document)
    (tmp_path / "styles" / "steps.yaml").write_text("type: sld\nfile: steps.sld\n")
    (tmp_path / "cubes" / "globe.yaml").write_text("styles: [steps]\n")
    config = load_config(tmp_path / "server.yaml", {})
    field = Field("v", "int32")
    make_cube(tmp_path / "store", "globe", fields=(field,), width=10, height=5, formula=small)
    maps = Maps(open_context(str(tmp_path / "store"), config), service, "/wms")
    drawn = maps.raw(f"{START}&LAYERS=globe.v&STYLES=steps")
    np.testing.assert_array_equal(rgba(drawn), rgba(get(maps, document)))
    listed = maps.raw("SERVICE=WMS&VERSION=1.3.0&REQUEST=GetCapabilities").body
    assert b"<Title>Mine</Title>" in listed
    given = maps.raw("SERVICE=WMS&VERSION=1.1.1&REQUEST=GetStyles&LAYERS=globe.v").body
    again = get(maps, given.decode().split("?>", 1)[1])
    np.testing.assert_allclose(rgba(again).astype(int), rgba(drawn).astype(int), atol=1)


def test_opacity_beside_a_document(wms):
    document = sld10("<Opacity>0.5</Opacity>" + color_map("ramp", (0, "#112233", 1, "")))
    found = rgba(get(wms, document, "&LAYERS=globe.v&OPACITY=40"))
    assert (found == [0x11, 0x22, 0x33, 51]).all()


def test_two_entries_at_one_value_are_a_step(wms):
    cut = color_map(
        "ramp", (10, "#000000", 0, ""), (10, "#000000", 1, ""), (40, "#00FF00", 1, ""),
        (40, "#00FF00", 0, ""),
    )  # fmt: skip
    found = rgba(get(wms, sld10(cut)))
    assert (found[(VALUES < 10) | (VALUES > 40)][:, 3] == 0).all()
    assert (found[(VALUES >= 10) & (VALUES <= 40)][:, 3] == 255).all()


def test_channels_that_are_cut_off(wms):
    bands = "".join(channel(color, 1, 10, 30) for color in ("Red", "Green", "Blue"))
    bands = bands.replace("StretchToMinimumMaximum", "ClipToMinimumMaximum", 1)
    found = rgba(get(wms, sld10(f"<ChannelSelection>{bands}</ChannelSelection>")))
    np.testing.assert_array_equal(found[..., 3] == 255, (VALUES >= 10) & (VALUES <= 30))


@pytest.mark.parametrize(
    ("options", "color"),
    [
        ({"brightness": 0.558824}, (130, 230, 255)),  # + 30
        ({"contrast": 0.6}, (88, 232, 255)),  # 1.44 times as far from the middle
        ({"invertColors": 1}, (155, 55, 5)),
        ({"grayScale": "average"}, (183, 183, 183)),
        ({"grayScale": "lightness"}, (175, 175, 175)),
        ({"grayScale": "luminosity"}, (182, 182, 182)),
        ({"saturation": 0}, (175, 175, 175)),
    ],
)
def test_what_qgis_does_to_colours_in_the_end(wms, options, color):
    vendor = "".join(
        f'<VendorOption name="{name}">{value}</VendorOption>' for name, value in options.items()
    )
    found = rgba(get(wms, sld10(color_map("ramp", (0, "#64C8FA", 1, "")) + vendor)))
    np.testing.assert_allclose(found[0, 0, :3].astype(int), color, atol=1)
    assert (found == found[0, 0]).all()


@pytest.mark.parametrize(
    ("symbols", "words"),
    [
        ("<ContrastEnhancement><Logarithmic/></ContrastEnhancement>", "Logarithmic"),
        ("<ShadedRelief/>", "hillshade"),
        ('<VendorOption name="grayScale">blue</VendorOption>', "grayScale"),
        ('<ColorMap><Interpolate method="cubic"/></ColorMap>', "linear"),
    ],
)
def test_what_is_not_drawn_is_said(wms, symbols, words):
    assert words in "".join(root_of(get(wms, sld10(symbols))).itertext())
