"""The landing page: whole, escaped, and every one of its links answered."""

import pytest
from lxml import html

from datacube.config.settings import Config
from services.app.asgi import create_app
from tests.asgi import Client


@pytest.fixture(scope="module")
def page(app):
    return html.fromstring(Client(app).get("/").text)


def test_nothing_of_the_cubes_is_markup(page):
    assert page.xpath("//script") == []
    assert page.xpath("//b") == []
    assert page.xpath("//h1/text()") == ["A & B <server>"]
    assert page.xpath("//h3/text()") == ['<b>"Bold"</b> & brave']
    assert "<script>alert(1)</script>" in page.text_content()
    assert "© <i>somebody</i>" in page.text_content()


def test_every_link_is_answered(client, page):
    links = {link for link in page.xpath("//a/@href") if link.startswith("http")}
    assert len(links) > 8
    broken = {link: client.get(link).status_code for link in links}
    assert set(broken.values()) <= {200}, broken


def test_every_door_and_parameter_is_named_once(page):
    names = [text.strip() for text in page.xpath("//th/text()")]
    assert len(names) == len(set(names))
    assert {
        "WMS 1.1.1, 1.3.0",
        "WMTS 1.0.0",
        "WCS 1.0.0, 1.1, 2.0.1",
        "OGC API",
        "Zarr",
        "Conformance",
    } <= {*names}
    assert {"AGG", "PERIOD", "WINDOW", "OVER", "BY", "EXPR"} <= {*names}
    assert {"INTERPOLATION", "SELECTION", "COMPRESSION"} <= {*names}


def test_thumbnail_is_a_map(client, page):
    (source,) = page.xpath("//img/@src")
    answer = client.get(source)
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")


def test_cells_are_told(page):
    assert "cells · EPSG:4326" in page.text_content()


def test_times_are_told(page):
    assert "2020-01-01 to 2020-01-02 (2 times, every day)" in page.text_content()


def test_recipes_name_the_cube(page):
    recipes = page.xpath("//pre/text()")
    assert any("WebCoverageService" in text and '"closed"' in text for text in recipes)
    assert any("http://test/wms" in text for text in recipes)


def test_a_strict_policy(client):
    assert "default-src 'none'" in client.get("/").headers["content-security-policy"]


def test_an_empty_store_says_how_to_fill_it(tmp_path):
    app = create_app(Config(), str(tmp_path))
    try:
        client = Client(app)
        assert "datacube ingest" in client.get("/").text
        assert client.get("/ogcapi/collections").json()["collections"] == []
        assert client.get("/viewer/cubes.json").json()["cubes"] == []
    finally:
        app.close()
