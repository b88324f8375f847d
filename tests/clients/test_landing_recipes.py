"""The landing page's recipes, run as they stand."""

import subprocess
import sys

import httpx
import pytest
import xarray
from lxml import html
from PIL import Image


@pytest.fixture(scope="module")
def recipes(live_server):
    page = html.fromstring(httpx.get(live_server.url).text)
    return {
        entry.findtext("summary"): entry.findtext(".//pre") for entry in page.iterfind(".//details")
    }


def test_owslib(recipes, tmp_path):
    text = recipes["Python, with OWSLib"]
    subprocess.run([sys.executable, "-c", text], cwd=tmp_path, check=True, timeout=120)
    with xarray.open_dataset(tmp_path / "closed.nc", engine="netcdf4") as data:
        assert data["v"].squeeze().values[1, 2] == 2012
    with Image.open(tmp_path / "closed.png") as picture:
        assert picture.size == (800, 400)


def test_qgis_urls(recipes):
    for url in recipes["QGIS"].split():
        asked = url if url.endswith(".xml") else f"{url}?SERVICE=WMS&REQUEST=GetCapabilities"
        assert b"apabilities" in httpx.get(asked).content


def test_web_map(recipes, live_server):
    assert f'url: "{live_server.url}/wms"' in recipes["A web map, with OpenLayers"]


def test_curl(recipes, tmp_path):
    urls = [part for part in recipes["Command line, with curl"].split('"') if "http" in part]
    assert len(urls) == 2
    content, document = (httpx.get(url) for url in urls)
    (tmp_path / "closed.nc").write_bytes(content.content)
    with xarray.open_dataset(tmp_path / "closed.nc", engine="netcdf4") as data:
        assert data["v"].shape[-2:] == (10, 20)
    assert document.json()["type"] == "Coverage"
