"""Styles as clients of ncWMS and Copernicus Marine ask for them, pixel by pixel by matplotlib."""

import json

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import BoundaryNorm, LogNorm, Normalize

from services.ows.restyling import style_list
from tests.protocol.pictures import rgba, root_of
from tests.protocol.wms130.test_errors import code_of

VALUES = 10 * np.arange(5)[:, None] + np.arange(10)[None, :]
RANGE = "&COLORSCALERANGE=0,40"
START = (
    "SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&FORMAT=image/png&TRANSPARENT=TRUE&CRS=CRS:84"
    "&BBOX=-180,-90,180,90&WIDTH=10&HEIGHT=5&TIME=2020-01-01"
)


def get(wms, query, layers="globe.v"):
    return wms.raw(f"{START}&LAYERS={layers}&{query}")


def painted(wms, query, layers="globe.v"):
    return rgba(get(wms, query, layers))


def expected(cmap, norm):
    return colormaps[cmap](norm(VALUES), bytes=True)


def close(found, wanted):
    """Equal but for a step of the colour map, which a palette of 256 may cost."""
    np.testing.assert_allclose(found.astype(int), wanted.astype(int), atol=4)


@pytest.mark.parametrize(
    ("style", "cmap", "norm"),
    [
        (f"STYLES=boxfill/rainbow{RANGE}", "rainbow", Normalize(0, 40)),
        (f"STYLES=raster/psu-viridis{RANGE}", "viridis", Normalize(0, 40)),
        (f"STYLES=default-scalar/seq-YlOrRd{RANGE}", "YlOrRd", Normalize(0, 40)),
        (f"STYLES=default-scalar/div-RdBu-inv{RANGE}", "RdBu_r", Normalize(0, 40)),
        (f"STYLES=boxfill/greyscale{RANGE}", "gray", Normalize(0, 40)),
        (f"STYLES=boxfill&PALETTE=magma{RANGE}", "magma", Normalize(0, 40)),
        (f"STYLES=&PALETTE=plasma_r{RANGE}", "plasma_r", Normalize(0, 40)),
        (f"STYLES=exact/inferno{RANGE}", "inferno", Normalize(0, 40)),
        (f"STYLES=exact&PALETTE=INFERNO{RANGE}", "inferno", Normalize(0, 40)),
        ("STYLES=boxfill/magma&COLORSCALERANGE=1,50&LOGSCALE=true", "magma", LogNorm(1, 50)),
        ("STYLES=boxfill/jet&COLORSCALERANGE=-10,50&LOGSCALE=false", "jet", Normalize(-10, 50)),
        ("STYLES=cmap:magma,range:0/40", "magma", Normalize(0, 40)),
        ("STYLES=cmap:magma,range:0/40,inverse", "magma_r", Normalize(0, 40)),
        ("STYLES=cmap:magma,range:1/50,logScale", "magma", LogNorm(1, 50)),
        ("STYLES=cmap:magma,range:0/35,logScale,inverse", "magma_r", LogNorm(0.035, 35)),
        ("STYLES=range:0/40,cmap:jet", "jet", Normalize(0, 40)),
        (f"STYLES=cmap:jet{RANGE}&NUMCOLORBANDS=254", "jet", Normalize(0, 40)),
    ],
)
def test_colours_are_matplotlibs(wms, style, cmap, norm):
    wanted = colormaps[cmap](norm(np.maximum(VALUES, 1e-9)), bytes=True)
    close(painted(wms, style), wanted)


def test_bands(wms):
    found = painted(wms, f"STYLES=boxfill/viridis{RANGE}&NUMCOLORBANDS=4")
    inside = VALUES < 40
    norm = BoundaryNorm(np.linspace(0, 40, 5), 256)
    np.testing.assert_array_equal(found[inside], expected("viridis", norm)[inside])
    assert len(np.unique(found.reshape(-1, 4), axis=0)) == 4


def test_colours_beyond_the_range(wms):
    base = "STYLES=boxfill/gray&COLORSCALERANGE=10,30"
    red, half = [255, 0, 0, 255], [0, 0, 255, 128]
    found = painted(wms, f"{base}&ABOVEMAXCOLOR=0xFF0000&BELOWMINCOLOR=0x800000FF")
    assert (found[VALUES > 30] == red).all()
    assert (found[VALUES < 10] == half).all()
    clear = painted(wms, f"{base}&ABOVEMAXCOLOR=transparent&BELOWMINCOLOR=extend")
    assert (clear[VALUES > 30][:, 3] == 0).all()
    assert (clear[VALUES < 10] == [0, 0, 0, 255]).all()
    clamped = painted(wms, "STYLES=cmap:gray,range:10/30,noClamp")
    outside = (VALUES < 10) | (VALUES > 30)
    np.testing.assert_array_equal(clamped[..., 3] == 0, outside)


def test_auto_is_the_range_of_the_step_shown(wms):
    """Second and 98th percentile of the whole step, so that neighbouring tiles agree."""
    found = painted(wms, "STYLES=boxfill/gray&COLORSCALERANGE=auto")
    later = rgba(
        wms.raw(
            f"{START.replace('2020-01-01', '2020-01-02')}&LAYERS=globe.v&"
            "STYLES=boxfill/gray&COLORSCALERANGE=auto"
        )
    )
    np.testing.assert_array_equal(found, later)  # 100 higher everywhere
    assert found[0, 0, 0] < 20
    assert found[4, 9, 0] > 235
    part = START.replace(
        "BBOX=-180,-90,180,90&WIDTH=10&HEIGHT=5", "BBOX=0,18,72,54&WIDTH=2&HEIGHT=1"
    )
    neighbours = rgba(wms.raw(f"{part}&LAYERS=globe.v&STYLES=boxfill/gray&COLORSCALERANGE=auto"))
    np.testing.assert_array_equal(neighbours, found[1:2, 5:7])


def test_opacity_is_of_the_layer(wms):
    found = painted(wms, f"STYLES=boxfill/gray{RANGE}&OPACITY=50")
    assert (found[..., 3] == 128).all()
    whole = painted(wms, "STYLES=&OPACITY=20", "globe")
    assert (whole[..., 3] == 51).all()
    two = rgba(wms.raw(f"{START.replace('TRUE', 'FALSE')}&LAYERS=globe.v&STYLES=exact&OPACITY=50"))
    grey = painted(wms, "STYLES=exact")[..., 0].astype(int)
    np.testing.assert_allclose(two[..., 0], (grey + 255) / 2, atol=1)


def test_contours(wms):
    query = (
        "SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&FORMAT=image/png&TRANSPARENT=TRUE&CRS=CRS:84"
        "&BBOX=-150,-60,150,60&WIDTH=200&HEIGHT=80&TIME=2020-01-01&LAYERS=globe.v"
    )
    lines = rgba(wms.raw(f"{query}&STYLES=contour/rainbow&COLORSCALERANGE=0,40&NUMCOLORBANDS=5"))
    drawn = lines[..., 3] > 0
    assert 0.005 < drawn.mean() < 0.3
    more = rgba(wms.raw(f"{query}&STYLES=contours&COLORSCALERANGE=0,40&NUMCOLORBANDS=20"))
    assert (more[..., 3] > 0).mean() > 1.5 * drawn.mean()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("STYLES=boxfill/virids", "did you mean viridis"),
        ("STYLES=cmap:nosuch", "no colour map 'nosuch'"),
        ("STYLES=cmap:jet,range:5/1", "range:LOW/HIGH"),
        ("STYLES=cmap:jet,range:a/b", "range:LOW/HIGH"),
        ("STYLES=exakt", "did you mean exact"),
        ("STYLES=&PALETTE=nosuch", "no colour map 'nosuch'"),
        ("STYLES=vector/rainbow", "shows no vector"),
        ("STYLES=barb/", "shows no vector"),
        ("STYLES=nosuch/rainbow", "its styles are exact"),
    ],
)
def test_what_is_not_there_is_said(wms, query, words):
    response = get(wms, query)
    assert code_of(response) == "StyleNotDefined"
    assert words in "".join(root_of(response).itertext())


@pytest.mark.parametrize(
    "query",
    [
        "STYLES=&COLORSCALERANGE=5",
        "STYLES=&COLORSCALERANGE=9,1",
        "STYLES=&COLORSCALERANGE=nan,1",
        "STYLES=&NUMCOLORBANDS=0",
        "STYLES=&LOGSCALE=perhaps",
        "STYLES=&ABOVEMAXCOLOR=red",
        "STYLES=&OPACITY=101",
        "STYLES=&OPACITY=-1",
        "STYLES=boxfill/jet&COLORSCALERANGE=-1,1&LOGSCALE=true",
    ],
)
def test_values_that_cannot_be_meant(wms, query):
    assert code_of(get(wms, query)) is None


def test_a_list_of_styles_knows_where_a_style_ends():
    assert style_list("a,b") == ("a", "b")
    assert style_list(",") == ("", "")
    assert style_list("cmap:a,range:0/1,cmap:b,inverse,c") == (
        "cmap:a,range:0/1",
        "cmap:b,inverse",
        "c",
    )


def test_two_layers_with_two_styles(wms):
    query = f"{START}&LAYERS=holes.v,globe.v&STYLES=exact,cmap:magma,range:0/40"
    close(rgba(wms.raw(query)), expected("magma", Normalize(0, 40)))


def legend(wms, query):
    return wms.raw(f"SERVICE=WMS&VERSION=1.3.0&REQUEST=GetLegendGraphic&LAYER=globe.v&{query}")


def test_the_legend_follows(wms):
    found = json.loads(
        legend(
            wms, "STYLE=boxfill/magma&COLORSCALERANGE=1,50&LOGSCALE=true&FORMAT=application/json"
        ).body
    )
    assert (found["colormap"], found["low"], found["high"], found["log"]) == ("magma", 1, 50, True)
    assert found["unit"] == "K"
    assert [one["label"] for one in found["ticks"]] == ["1", "2", "5", "10", "20", "50"]
    assert found["colors"][0] == "#000003"
    auto = json.loads(legend(wms, "STYLE=&COLORSCALERANGE=auto&TIME=2020-01-02&FORMAT=json").body)
    assert (auto["low"], auto["high"]) == pytest.approx(np.percentile(100 + VALUES, [2, 98]))
    banded = json.loads(legend(wms, "STYLE=cmap:jet,range:0/40&NUMCOLORBANDS=4&FORMAT=json").body)
    assert banded["boundaries"] == [0, 10, 20, 30, 40]
    assert len(banded["colors"]) == 4


def test_the_bar_alone_is_the_colours(wms):
    bar = rgba(legend(wms, f"STYLE=boxfill/magma{RANGE}&COLORBARONLY=TRUE&WIDTH=10&HEIGHT=128"))
    assert bar.shape == (128, 10, 4)
    assert bar[-1, 0].tolist() == [0, 0, 3, 255]
    close(bar[0, 0], np.array(colormaps["magma"](1.0, bytes=True)))
    lying = rgba(legend(wms, f"STYLE=boxfill/magma{RANGE}&COLORBARONLY=TRUE&VERTICAL=FALSE"))
    assert lying.shape == (25, 256, 4)
    assert lying[0, 0].tolist() == [0, 0, 3, 255]


def test_direction_size_letters_and_ground(wms):
    upright = rgba(legend(wms, "STYLE="))
    assert upright.shape[0] > upright.shape[1]
    for lying in ("ORIENTATION=horizontal", "LEGEND_OPTIONS=layout:horizontal"):
        found = rgba(legend(wms, f"STYLE=&{lying}"))
        assert found.shape[1] > found.shape[0]
    large = rgba(
        legend(wms, "STYLE=&LEGEND_OPTIONS=fontSize:24;fontColor:0xFF0000;bgColor:0x0000FF")
    )
    assert large.shape[0] > 1.7 * upright.shape[0]
    assert large[0, 0].tolist() == [0, 0, 255, 255]
    assert (large == [255, 0, 0, 255]).all(axis=-1).any()
    assert (
        rgba(legend(wms, "STYLE=&DPI=192")).shape
        == rgba(legend(wms, "STYLE=&LEGEND_OPTIONS=dpi:192")).shape
    )
    assert rgba(legend(wms, "STYLE=&TRANSPARENT=TRUE"))[0, 0, 3] == 0
    assert rgba(legend(wms, "STYLE=&WIDTH=77&HEIGHT=300")).shape[:2] == (300, 77)


@pytest.mark.parametrize("style", ["", "contours", "boxfill/jet"])
@pytest.mark.parametrize("options", ["", "&ORIENTATION=horizontal&TRANSPARENT=TRUE"])
def test_a_drawing(wms, style, options):
    response = legend(wms, f"STYLE={style}&FORMAT=image/svg%2Bxml{options}")
    assert response.media_type == "image/svg+xml"
    root = root_of(response)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert float(root.get("width")) > 50
    if style != "contours":
        words = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
        assert "Value [K]" in words


@pytest.mark.parametrize(
    "query", ["STYLE=&FORMAT=text/html", "STYLE=&LEGEND_OPTIONS=dpi:x", "STYLE=&WIDTH=9999"]
)
def test_legends_that_cannot_be_drawn(wms, query):
    assert code_of(legend(wms, query)) in {"InvalidFormat", None}
