"""Every command and script of the README runs, against the real demo store."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import xarray as xr
from PIL import Image

from tests.demo import demo_store
from tests.servers import start_server

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
HOME = "http://127.0.0.1:8000"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    server = serve(demo_store(), tmp_path_factory.mktemp("server"))
    yield server.url
    server.stop()


def serve(store, folder):
    return start_server(store, folder, "--config", str(ROOT / "config/server.yaml"))


def run(command, folder, **options):
    bin_folder = str(Path(sys.executable).parent)
    environment = os.environ | {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_owslib_script(url, tmp_path):
    (script,) = blocks("python")
    printed = run([sys.executable, "-c", script.replace(HOME, url)], tmp_path)
    assert "datetime(2022, 8, 18, 6, 0)" in printed
    with xr.open_dataset(tmp_path / "europe.nc", engine="netcdf4") as part:
        assert 250 < float(part.t.max()) < 320  # kelvin
        assert float(part.lat.max()) <= 65.2
    with Image.open(tmp_path / "europe.png") as picture:
        assert picture.size == (900, 600)
        assert len(picture.convert("RGB").getcolors(100_000)) > 50


@pytest.mark.slow
def test_the_operators_commands(tmp_path):
    (tmp_path / "config").symlink_to(ROOT / "config")
    (tmp_path / "incoming").mkdir()
    (tmp_path / "forecast.grib").symlink_to(next(demo_store().parent.rglob("tuv.grib")))
    commands = [line for line in blocks("sh")[1].splitlines() if line.strip()]
    assert [line.split()[1] for line in commands] == [
        "recipe", "ingest", "watch", "ls", "show", "verify", "config", "serve",
    ]  # fmt: skip
    for command in commands[:-1]:
        run(["sh", "-c", command], tmp_path)
    server = serve(tmp_path / "cubes", tmp_path / "server")
    try:
        assert '"cubes": 1' in httpx.get(f"{server.url}/healthz").text
    finally:
        assert server.stop() == 0


@pytest.mark.slow
def test_the_picture_is_the_servers_own(url):
    path = re.findall(r"`(/wms\?[^`]+)`", README)[0]
    drawn_bytes = io.BytesIO(httpx.get(url + path).content)
    with Image.open(drawn_bytes) as drawn, Image.open(ROOT / "docs/forecast.png") as own:
        assert drawn.convert("RGB").tobytes() == own.convert("RGB").tobytes()


@pytest.mark.slow
def test_what_is_computed_on_the_fly(url):
    (requests,) = (block for block in blocks("text") if "AGG=" in block)
    mean, moisture, apart, error, table, region = (
        httpx.get(url + one, timeout=60) for one in requests.split()
    )
    for answer in (mean, moisture, apart, error):
        assert answer.headers["content-type"] == "image/png", answer.text
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert len(picture.convert("RGB").getcolors(1_000_000)) > 30
    header, *rows = table.text.splitlines()
    assert header.startswith("time,Lat,Long,air_temperature")
    assert len(rows) == 24
    header, *rows = region.text.splitlines()
    assert header == "time,scenario,air_temperature [K]"
    assert len(rows) == 2 * 240
    for one in requests.split():
        printed = run(
            [sys.executable, "-m", "services", "plan", one, "--store", demo_store()], ROOT
        )
        assert " chunk" in printed


@pytest.mark.slow
def test_the_web_map_asks_for_tiles_that_there_are(url):
    (page,) = blocks("html")
    address = re.findall(r'url: "([^"]+)"', page)[0].replace(HOME, url)
    (words,) = re.findall(r"params: \{([^}]+)\}", page)
    # what ol.source.TileWMS adds to the given parameters
    query = {"SERVICE": "WMS", "VERSION": "1.3.0", "REQUEST": "GetMap", "FORMAT": "image/png"}
    query |= {"STYLES": "", "CRS": "EPSG:3857", "WIDTH": "256", "HEIGHT": "256"}
    query |= dict(re.findall(r'(\w+): "?([^",]+[^", ])', words))
    half = 20037508.342789244
    answer = httpx.get(address, params=query | {"BBOX": f"{-half},0,0,{half}"})
    assert answer.headers["access-control-allow-origin"] == "*"
    with Image.open(io.BytesIO(answer.content)) as tile:
        assert tile.size == (256, 256)
        assert len(tile.convert("RGBA").getcolors(100_000)) > 50


@pytest.mark.slow
def test_the_addresses_for_qgis(url):
    (maps,) = re.findall(r"^(http://\S+)$", README, re.MULTILINE)
    (tiles,) = re.findall(r"`(http://[^`]+WMTSCapabilities.xml)`", README)
    query = {"SERVICE": "WMS", "REQUEST": "GetCapabilities"}
    assert b"WMS_Capabilities" in httpx.get(maps.replace(HOME, url), params=query).content
    assert b"ecmwf-forecast.t" in httpx.get(tiles.replace(HOME, url)).content


def test_the_two_commands_are_targets():
    makefile = (ROOT / "Makefile").read_text()
    for line in blocks("sh")[0].splitlines():
        assert re.search(rf"^{line.split()[1]}:", makefile, re.MULTILINE), line


def test_every_linked_file_is_there():
    for link in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / link).exists(), link
