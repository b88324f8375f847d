"""TerriaJS' own layer of a WMS in headless Chromium: times, styles, and what it draws charts of."""

import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import sync_playwright

from tests.clients.conftest import DAYS

pytestmark = [pytest.mark.terria, pytest.mark.timeout(900)]

SOURCES = Path(__file__).parent / "web" / "terria"
OPTIONS = (
    *("--bundle", "--format=iife", "--global-name=terria", "--target=es2022"),
    *("--loader:.scss=empty", "--loader:.svg=text", "--loader:.xml=text", "--loader:.html=text"),
    *("--loader:.png=dataurl", "--loader:.glb=dataurl", "--loader:.gif=dataurl"),
    *("--loader:.wasm=binary", "--external:file-loader!*", "--define:global=window"),
    '--define:process.env.NODE_ENV="production"',
    "--alias:@zip.js/zip.js/lib/zip-no-worker.js=./nothing.js",
    "--alias:@cesium/engine=./nothing.js",
    '--tsconfig-raw={"compilerOptions":{"experimentalDecorators":true,"jsx":"react"}}',
    "--log-level=error",
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The library's layer as one file; its packages are half a gigabyte."""
    npm = shutil.which("npm")
    assert npm, "no npm here: apt-get install npm"
    folder = tmp_path_factory.mktemp("terria")
    for source in SOURCES.iterdir():
        shutil.copy(source, folder)
    quiet = ("--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund")
    command = [npm, "install", "--loglevel=error", *quiet]
    subprocess.run(command, cwd=folder, check=True, timeout=600)
    esbuild, made = folder / "node_modules/.bin/esbuild", folder / "bundle.js"
    subprocess.run([esbuild, "layer.ts", *OPTIONS, f"--outfile={made}"], cwd=folder, check=True)
    yield made
    shutil.rmtree(folder / "node_modules")


def test_times_styles_and_a_chart(bundle, live_server):
    """A click asks for the series of a place, in the CSV of which TerriaJS draws a chart."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "no Chromium here: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{live_server.url}/healthz")
        page.set_content("<!doctype html><body></body>")
        page.add_script_tag(path=str(bundle))
        asked = f"{live_server.url}/wms"
        layer = page.evaluate("url => terria.layer(url, 'closed', 9, 27)", asked)
        browser.close()
    days = [f"{day}T00:00:00Z" for day in DAYS]
    assert layer["times"] == days
    assert layer["shown"] == days[-1]
    assert layer["styles"][:3] == ["day2", "day0", "day1"]
    assert httpx.get(layer["legend"]).headers["content-type"] == "image/png"
    assert layer["series"] is True
    rows = [f"{day},{1000 * t + 40}" for t, day in enumerate(days)]
    assert layer["clicked"][0].split() == ["time,v", *rows]
