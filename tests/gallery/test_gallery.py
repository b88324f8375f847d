r"""Pictures that a person has looked at and found good.

They are of :mod:`tests.gallery.worlds`, and equal to the pixel, but for one in a thousand where a
processor rounds otherwise; those with letters or smooth lines
may differ by what another version of the font's renderer does. A picture that is not there is
drawn, and its test fails until someone has looked at it. All of them anew::

    rm tests/gallery/images/*.png; .venv/bin/python -m pytest -q tests/gallery
"""

from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest

from services.wms import service
from tests.clients.pictures import rgba
from tests.gallery.worlds import open_worlds
from tests.protocol.pictures import Maps

IMAGES = Path(__file__).parent / "images"
GLOBE = "CRS=CRS:84&BBOX=-180,-90,180,90&WIDTH=240&HEIGHT=120"
NEAR = "CRS=EPSG:32632&BBOX=600000,5300000,606000,5306000&WIDTH=180&HEIGHT=180"
ATLANTIC = "CRS=CRS:84&BBOX=-60,0,60,80&WIDTH=240&HEIGHT=160"
MAP = "REQUEST=GetMap&FORMAT=image/png&TRANSPARENT=FALSE"
LEGEND = "REQUEST=GetLegendGraphic&FORMAT=image/png"


def sld(kind, *entries, more=""):
    listed = "".join(
        f'<ColorMapEntry quantity="{value}" color="{color}" opacity="{opacity}" label="{label}"/>'
        for value, color, opacity, label in entries
    )
    symbolizer = f'<RasterSymbolizer>{more}<ColorMap type="{kind}">{listed}</ColorMap>'
    return quote(f"{symbolizer}</RasterSymbolizer>")


SMOOTH = sld("ramp", (-20, "#2c7bb6", 1, ""), (10, "#ffffbf", 0.2, ""), (30, "#d7191c", 1, ""))
STEPS = sld(
    "intervals",
    (0, "#2c7bb6", 1, "frost"),
    (10, "#abd9e9", 1, "cool"),
    (20, "#fdae61", 1, "mild"),
    ("inf", "#d7191c", 1, "warm"),
)
TONED = sld(
    "ramp",
    (-20, "#2c7bb6", 1, ""),
    (30, "#d7191c", 1, ""),
    more="<Opacity>0.7</Opacity>"
    + "".join(
        f'<VendorOption name="{name}">{value}</VendorOption>'
        for name, value in (("contrast", 0.6), ("saturation", 0.3))
    ),
)
EXACT = {
    "usual": f"{MAP}&{GLOBE}&LAYERS=weather.t&STYLES=",
    "palette": f"{MAP}&{GLOBE}&LAYERS=weather.t&STYLES=boxfill/thermal&COLORSCALERANGE=-20,30",
    "bands": f"{MAP}&{GLOBE}&LAYERS=weather.t&STYLES=boxfill/RdYlBu-inv&COLORSCALERANGE=-20,30"
    "&NUMCOLORBANDS=10",
    "beyond": f"{MAP}&{GLOBE}&LAYERS=weather.t&STYLES=&COLORSCALERANGE=0,20"
    "&ABOVEMAXCOLOR=0xFF00FF&BELOWMINCOLOR=0x202020&BGCOLOR=0xB0C4DE",
    "clear-beyond": f"{MAP}&{GLOBE}&LAYERS=weather.t&STYLES=cmap:viridis,range:0/20,"
    "inverse,noClamp",
    "faint": f"{MAP}&{GLOBE}&LAYERS=weather.t&STYLES=&COLORSCALERANGE=auto&OPACITY=40",
    "logarithmic": f"{MAP}&{GLOBE}&LAYERS=ocean&STYLES=",
    "linear": f"{MAP}&{GLOBE}&LAYERS=ocean&STYLES=&LOGSCALE=false&COLORSCALERANGE=0,10",
    "classes": f"{MAP}&{NEAR}&LAYERS=land&STYLES=",
    "true-colour": f"{MAP}&{NEAR}&LAYERS=scene&STYLES=true-color",
    "false-colour": f"{MAP}&{NEAR}&LAYERS=scene&STYLES=false-color",
    "ndvi": f"{MAP}&{NEAR}&LAYERS=scene&STYLES=ndvi",
    "scene-classes": f"{MAP}&{NEAR}&LAYERS=scene.SCL&STYLES=",
    "masked": f"{MAP}&{NEAR}&LAYERS=scene&STYLES=true-color&MASK=!SCL:3,9&BGCOLOR=0x404040",
    "expression": f"{MAP}&{NEAR}&LAYERS=scene&STYLES=&EXPR=(B03-B08)/(B03%2BB08)&PALETTE=BrBG"
    "&COLORSCALERANGE=-1,1",
    "mean": f"{MAP}&{GLOBE}&LAYERS=weather.t&STYLES=&TIME=2020-01-01/2020-07-01&AGG=mean",
    "range": f"{MAP}&{GLOBE}&LAYERS=weather.t&STYLES=boxfill/magma&TIME=2020&AGG=range",
    "polar": f"{MAP}&LAYERS=weather.t&STYLES=&CRS=EPSG:3413&WIDTH=180&HEIGHT=180"
    "&BBOX=-5000000,-5000000,5000000,5000000",
    "date-line": f"{MAP}&LAYERS=weather.t&STYLES=&CRS=CRS:84&BBOX=100,-60,260,60&WIDTH=240"
    "&HEIGHT=180",
    "smooth": f"{MAP}&LAYERS=weather.t&STYLES=&CRS=CRS:84&BBOX=-10,35,14,51&WIDTH=240&HEIGHT=160"
    "&INTERPOLATION=cubic&COLORSCALERANGE=18,30",
    "sld-ramp": f"{MAP}&{GLOBE}&LAYERS=weather.t&STYLES=&SLD_BODY={SMOOTH}",
    "sld-steps": f"{MAP}&{GLOBE}&LAYERS=weather.t&STYLES=&SLD_BODY={STEPS}",
    "sld-toned": f"{MAP}&{GLOBE}&LAYERS=weather.t&STYLES=&SLD_BODY={TONED}",
    "relief": f"{MAP}&{NEAR}&LAYERS=heights.z&STYLES=relief",
}
DRAWN = {
    "contours": f"{MAP}&{ATLANTIC}&LAYERS=weather.t&STYLES=isotherms",
    "arrows": f"{MAP}&{ATLANTIC}&LAYERS=weather&STYLES=wind",
    "barbs": f"{MAP}&{ATLANTIC}&LAYERS=weather&STYLES=wind-barbs",
    "stacked": f"{MAP}&{ATLANTIC}&LAYERS=weather.t,weather.t,weather"
    "&STYLES=boxfill/RdYlBu-inv,isotherms,wind-barbs",
    "legend": f"{LEGEND}&LAYER=weather.t&STYLE=boxfill/thermal&COLORSCALERANGE=-20,30",
    "legend-lying": f"{LEGEND}&LAYER=ocean&STYLE=&ORIENTATION=horizontal",
    "legend-bands": f"{LEGEND}&LAYER=weather.t&STYLE=boxfill/viridis&COLORSCALERANGE=-20,30"
    "&NUMCOLORBANDS=5&ABOVEMAXCOLOR=0xFF00FF&BELOWMINCOLOR=0x202020",
    "legend-classes": f"{LEGEND}&LAYER=land&STYLE=",
    "legend-colours": f"{LEGEND}&LAYER=scene&STYLE=true-color",
    "legend-arrows": f"{LEGEND}&LAYER=weather&STYLE=wind",
    "legend-barbs": f"{LEGEND}&LAYER=weather&STYLE=wind-barbs",
    "legend-contours": f"{LEGEND}&LAYER=weather.t&STYLE=isotherms",
    "legend-sld": f"{LEGEND}&LAYER=weather.t&STYLE=&SLD_BODY={STEPS}",
    "chart": "REQUEST=GetTimeseries&FORMAT=image/png&INFO_FORMAT=image/png&STYLES=&LAYERS=weather.t"
    f"&QUERY_LAYERS=weather.t&{GLOBE}&I=100&J=40&TIME=2020&CHART_WIDTH=400&CHART_HEIGHT=200",
}


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    return Maps(open_worlds(str(tmp_path_factory.mktemp("gallery"))), service, "/wms")


def drawn(maps, name, query):
    """The picture, and the one that has been looked at."""
    answer = maps.raw(f"SERVICE=WMS&VERSION=1.3.0&{query}")
    assert answer.media_type == "image/png", answer.body
    path = IMAGES / f"{name}.png"
    if not path.exists():
        path.write_bytes(answer.body)
        pytest.fail(f"there was no {path.name}: look at the one that is there now")
    return rgba(answer.body).astype(int), rgba(path.read_bytes()).astype(int)


@pytest.mark.parametrize("name", EXACT)
def test_colours_are_those_that_were_looked_at(maps, name):
    found, approved = drawn(maps, name, EXACT[name])
    assert found.shape == approved.shape
    assert (found != approved).any(axis=-1).mean() <= 0.001  # on the edge of a colour


@pytest.mark.parametrize("name", DRAWN)
def test_letters_and_lines_are_where_they_were(maps, name):
    found, approved = drawn(maps, name, DRAWN[name])
    assert np.abs(np.subtract(found.shape, approved.shape)).max() <= 6  # the width of words
    rows, columns = np.minimum(found.shape, approved.shape)[:2]
    off = np.abs(found[:rows, :columns] - approved[:rows, :columns])
    assert off.mean() < 2.5
