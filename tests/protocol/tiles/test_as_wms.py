"""What a map of the WMS can show a tile can: the same pixels, whatever the parameters say."""

from urllib.parse import quote, urlencode

import numpy as np
import pytest

from datacube.model.tilesets import well_known_sets
from tests.protocol.pictures import BASE, rgba

SETS = {one.id: one for one in well_known_sets()}
PLACES = (("WebMercatorQuad", "1", 0, 1), ("WGS1984Quad", "2", 1, 3))
SLD = """<StyledLayerDescriptor version="1.0.0" xmlns="http://www.opengis.net/sld"
 xmlns:ogc="http://www.opengis.net/ogc"><NamedLayer><Name>globe.v</Name><UserStyle>
 <FeatureTypeStyle><Rule><RasterSymbolizer><ColorMap>
 <ColorMapEntry color="#000080" quantity="100"/><ColorMapEntry color="#ffff00" quantity="150"/>
 </ColorMap></RasterSymbolizer></Rule></FeatureTypeStyle></UserStyle></NamedLayer>
</StyledLayerDescriptor>"""
ASKED = (
    ("globe.v", "exact", {"time": "2020-01-01"}),
    ("globe.v", "boxfill/rainbow", {"time": "2020-01-02", "colorscalerange": "100,150"}),
    ("globe.v", "cmap:thermal,range:0/35,inverse", {"time": "2020-01-01"}),
    ("globe.v", "", {"palette": "viridis", "colorscalerange": "0,250", "numcolorbands": "5"}),
    ("globe.v", "coarse", {"colorscalerange": "1,250", "logscale": "true", "opacity": "40"}),
    ("globe.v", "coarse", {"abovemaxcolor": "0xFF0000", "colorscalerange": "0,220"}),
    ("globe.v", "coarse", {"belowmincolor": "transparent", "colorscalerange": "220,240"}),
    ("globe.v", "contour", {"time": "2020-01-02"}),
    ("globe.v", "", {"sld_body": SLD, "time": "2020-01-02"}),
    ("globe.v", "exact", {"mask": "v>20", "time": "2020-01-01"}),
    ("globe.v", "coarse", {"expr": "v*2+1", "time": "2020-01-02"}),
    ("globe.v", "coarse", {"time": "2020-01-02", "interpolation": "bilinear"}),
    ("globe.v", "coarse", {"time": "2020-01-02", "interpolation": "cubic"}),
    *(
        ("holes.v", "coarse", {"time": "2020-01-01/2020-01-03", "agg": reducer})
        for reducer in ("mean", "min", "max", "median", "std", "count", "p90", "first", "range")
    ),
    ("holes.v", "coarse", {"time": "2020-01-01,2020-01-02"}),
    ("holes.v", "coarse", {"time": "2020-01-02", "agg": "max", "period": "month"}),
    ("holes.v", "coarse", {"time": "2020-01-03", "agg": "mean", "window": "2"}),
    ("deep.v", "coarse", {"elevation": "10", "scenario": "e1"}),
    ("deep.v", "coarse", {"dim_depth": "100", "dim_scenario": "a1b"}),
    ("deep.v", "coarse", {"elevation": "-10"}),
    ("deep.v", "coarse", {"elevation": "0/100", "agg": "mean"}),
    ("deep.v", "coarse", {"dim_scenario": "a1b/e1", "agg": "range"}),
)


@pytest.mark.parametrize(("layer", "style", "query"), ASKED)
def test_a_tile_is_the_map_of_its_box(tiles, wmts, wms, layer, style, query):
    for name, zoom, row, column in PLACES:
        expected = map_of(wms, layer, style, query, SETS[name].grid_of_tile(zoom, row, column))
        path = f"{layer}/{quote(style or 'default')}/{name}/{zoom}/{row}/{column}.png"
        by_path = rgba(tiles.get(f"{path}?{urlencode(query)}"))
        np.testing.assert_array_equal(by_path, expected)
        np.testing.assert_array_equal(
            rgba(wmts.raw(kvp(layer, style, query, name, zoom, row, column))), expected
        )
        if "/" not in style:  # a path of the WMTS names styles, and the query changes them
            path = f"{layer}/{style or 'default'}/{name}/{zoom}/{row}/{column}.png"
            rest = wmts.rest(f"{BASE}/wmts/1.0.0/{path}?{urlencode(query)}")
            np.testing.assert_array_equal(rgba(rest), expected)
        assert expected[..., 3].any()


def map_of(wms, layer, style, query, grid):
    edges = ",".join(map(repr, grid.crs.ordered(grid.bbox.left, grid.bbox.bottom)))
    edges += "," + ",".join(map(repr, grid.crs.ordered(grid.bbox.right, grid.bbox.top)))
    asked = (
        f"VERSION=1.3.0&REQUEST=GetMap&LAYERS={layer}&STYLES={quote(style)}&CRS={grid.crs.short}"
        f"&BBOX={edges}&WIDTH=256&HEIGHT=256&FORMAT=image/png&TRANSPARENT=TRUE"
    )
    return rgba(wms.raw(f"{asked}&{urlencode(query)}"))


def kvp(layer, style, query, name, zoom, row, column):
    asked = (
        f"SERVICE=WMTS&VERSION=1.0.0&REQUEST=GetTile&LAYER={layer}&STYLE={quote(style)}"
        f"&FORMAT=image/png&TILEMATRIXSET={name}&TILEMATRIX={zoom}&TILEROW={row}&TILECOL={column}"
    )
    return f"{asked}&{urlencode(query)}"


RANGE = "TIME=2020-01-01/2020-01-03"
GRID = "BBOX=-90,-180,90,180&WIDTH=40&HEIGHT=20&CRS=EPSG:4326"
MAP = f"VERSION=1.3.0&LAYERS=holes.v&STYLES=coarse&{GRID}&FORMAT=image/png"
TILE = kvp("holes.v", "coarse", {}, *PLACES[0])
PIXEL = "I=20&J=10&INFO_FORMAT=application/json"


@pytest.mark.parametrize(
    ("door", "asked"),
    [
        ("wms", f"REQUEST=GetMap&{MAP}"),
        ("wms", f"REQUEST=GetFeatureInfo&{MAP}&QUERY_LAYERS=holes.v&{PIXEL}"),
        ("wms", f"REQUEST=GetTimeseries&PERIOD=year&{MAP}&QUERY_LAYERS=holes.v&{PIXEL}"),
        ("wmts", TILE),
        (
            "wmts",
            f"{TILE.replace('GetTile', 'GetFeatureInfo')}&{PIXEL.replace('INFO_', 'INFO')}",
        ),
        ("tiles", "holes.v/coarse/WebMercatorQuad/1/0/1.png"),
    ],
)
def test_aggregate_is_agg(tiles, wmts, wms, door, asked):
    """Either name at every door, as at those of coverages."""
    send = {
        "wms": wms.raw,
        "wmts": wmts.raw,
        "tiles": lambda query: tiles.get(query.replace("&", "?", 1)),
    }[door]
    found = [send(f"{asked}&{RANGE}&{more}") for more in ("AGG=std", "AGGREGATE=std", "AGG=max")]
    assert [one.status for one in found] == [200] * 3
    assert found[0].body == found[1].body != found[2].body


def test_both_names_say_the_same(wms):
    asked = f"REQUEST=GetMap&{MAP}&{RANGE}"
    assert wms.raw(f"{asked}&AGG=std&AGGREGATE=std").body == wms.raw(f"{asked}&AGG=std").body
    refused = wms.raw(f"{asked}&AGG=std&AGGREGATE=max")
    assert b"AGG and AGGREGATE" in refused.body
