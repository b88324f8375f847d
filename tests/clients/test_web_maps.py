"""OpenLayers, Leaflet and MapLibre in headless Chromium: the pixels that they show, read back.

The libraries come from npm once, and are bundled for the page.
"""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import sync_playwright

from tests.clients.pictures import CELLS

pytestmark = pytest.mark.browser

WEB = Path(__file__).parent / "web"
FLAGS = (
    "--no-sandbox",
    "--disable-accelerated-2d-canvas",
    "--enable-unsafe-swiftshader",
    "--use-gl=angle",
    "--use-angle=swiftshader",
)
PLACES = [(-171, 9), (-27, -27), (9, -45), (81, 63), (171, -9), (135, 27)]
"""Longitudes and latitudes of cells' middles."""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The libraries and the page's functions as one file."""
    npm = shutil.which("npm")
    assert npm, "no npm here: apt-get install npm"
    folder = tmp_path_factory.getbasetemp().parent / "web-maps"
    folder.mkdir(exist_ok=True)
    for name in ("package.json", "maps.js"):
        (folder / name).write_bytes((WEB / name).read_bytes())
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run([npm, "install", *quiet], cwd=folder, check=True, timeout=240)
    esbuild = folder / "node_modules/.bin/esbuild"
    made = folder / "bundle.js"
    options = [
        "--bundle",
        "--format=iife",
        "--global-name=maps",
        f"--outfile={made}",
        "--loader:.png=dataurl",
    ]
    subprocess.run([esbuild, "maps.js", *options, "--log-level=error"], cwd=folder, check=True)
    return made


@pytest.fixture(scope="module")
def page(bundle):
    """A page of another origin than the server's, with the functions on it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "no Chromium here: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        page = browser.new_page(viewport={"width": 600, "height": 600})
        page.set_content("<!doctype html><body></body>")
        page.add_style_tag(path=str(bundle.with_suffix(".css")))
        page.add_script_tag(path=str(bundle))
        yield page
        browser.close()


def seen(pixels):
    """10 * row + column of the cells by their greys."""
    found = np.array(pixels).astype(int)
    assert (found[:, 3] == 255).all()
    assert (found[:, :3] == found[:, :1]).all()
    return (found[:, 0] + 1) // 2


EXPECTED = [CELLS[int((90 - lat) // 18), int((lon + 180) // 18)] for lon, lat in PLACES]


@pytest.mark.parametrize(
    ("path", "encoding"),
    [
        ("/wmts?SERVICE=WMTS&REQUEST=GetCapabilities", "KVP"),
        ("/wmts/1.0.0/WMTSCapabilities.xml", "REST"),
    ],
)
@pytest.mark.parametrize("day", [0, 2])
def test_openlayers_from_the_capabilities(page, live_server, path, encoding, day):
    asked = {
        "layer": "closed.v",
        "style": f"Grey of day {day}",  # OpenLayers finds a style by its title
        "set": "WebMercatorQuad",
        "encoding": encoding,
        "time": f"2020-01-0{day + 1}",
    }
    found = page.evaluate(
        "(args) => maps.openlayers(...args)", [live_server.url + path, asked, PLACES]
    )
    assert found["encoding"] == encoding
    assert found["dimensions"] == {"time": "2020-01-03"}
    np.testing.assert_array_equal(seen(found["pixels"]), EXPECTED)


@pytest.mark.parametrize("day", [0, 1])
def test_leaflet_from_the_tilejson(page, live_server, day):
    url = f"{live_server.url}/tiles/closed.v/day{day}/WebMercatorQuad/tilejson.json"
    found = page.evaluate("(args) => maps.leaflet(...args)", [url, f"2020-01-0{day + 1}", PLACES])
    np.testing.assert_array_equal(seen(found), EXPECTED)


def test_maplibre_from_the_tilejson(page, live_server):
    url = f"{live_server.url}/tiles/closed.v/day1/WebMercatorQuad/tilejson.json?time=2020-01-02"
    found = page.evaluate("(args) => maps.maplibre(...args)", [url, PLACES])
    np.testing.assert_array_equal(seen(found), EXPECTED)


@pytest.mark.parametrize("ending", ["png", "pngraw"])
def test_values_in_the_browser_are_those_of_the_cells(page, live_server, ending):
    url = f"{live_server.url}/tiles/closed.v/values/WorldCRS84Quad/tilejson.json?f={ending}"
    found = page.evaluate("(args) => maps.values(...args)", [url, "2020-01-02", "0/0/1"])
    values = np.array(found, float).reshape(256, 256)
    quantum = (2000 + 199) / 65534
    np.testing.assert_allclose(values, 1000 + under(), atol=quantum / 2)


def test_a_browser_shows_the_grey_of_16_bits_in_8(page, live_server):
    tile = f"{live_server.url}/tiles/closed.v/values/WorldCRS84Quad/0/0/1.png"
    found = page.evaluate("(args) => maps.greys(...args)", [f"{tile}?time=2020-01-02&range=0,2000"])
    pixels = np.array(found).reshape(256, 256, 4)
    assert (pixels[..., 3] == 255).all()
    assert np.abs(pixels[..., 0] - (1000 + under()) / 2000 * 255).max() <= 1


def under():
    """The cell's part of the value under each pixel of the eastern tile of the globe."""
    middles = (np.arange(256) + 0.5) * 180 / 256
    return CELLS[np.ix_((middles // 18).astype(int), (10 + middles // 18).astype(int))]
