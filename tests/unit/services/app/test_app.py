"""The application as HTTP shows it, whatever the service."""

import asyncio
import gzip
import json
import logging
import re
import threading
import time
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree, html

from datacube.config.settings import Config, ServerSettings
from datacube.engine.map import draw_map
from services.app.asgi import create_app
from services.app.routes import Route
from tests.asgi import Client
from tests.cubes import make_cube

EVERYWHERE = [
    "/",
    "/viewer/",
    "/viewer/cubes.json",
    "/wms?SERVICE=WMS&REQUEST=GetCapabilities",
    "/wms?REQUEST=GetMap",
    "/wmts?SERVICE=WMTS&REQUEST=GetCapabilities",
    "/wmts/1.0.0/WMTSCapabilities.xml",
    "/wmts/1.0.0/nothing",
    "/wcs?SERVICE=WCS&REQUEST=GetCapabilities",
    "/wcs?SERVICE=WCS&REQUEST=GetCoverage&VERSION=2.0.1&COVERAGEID=none",
    "/ogcapi/",
    "/ogcapi/collections/none",
    "/ogcapi/collections/closed/coverage",
    "/healthz",
    "/metrics",
    "/nothing",
]


@pytest.mark.parametrize("path", EVERYWHERE)
def test_cors_and_request_id_on_every_answer(client, path):
    answer = client.get(path, headers={"Origin": "https://elsewhere.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Warning" in answer.headers["access-control-expose-headers"]
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])


@pytest.mark.parametrize("path", EVERYWHERE)
def test_head_is_get_without_its_body(client, path):
    get = client.get(path, headers={"Accept-Encoding": "identity"})
    head = client.request("HEAD", path, headers={"Accept-Encoding": "identity"})
    assert head.status_code == get.status_code
    assert head.headers["content-type"] == get.headers["content-type"]
    assert head.content == b""


@pytest.mark.parametrize("path", EVERYWHERE)
def test_preflight(client, path):
    answer = client.request(
        "OPTIONS",
        path,
        headers={
            "Origin": "https://elsewhere.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization",
        },
    )
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "authorization" in answer.headers["access-control-allow-headers"].lower()
    assert "GET" in answer.headers["access-control-allow-methods"]


def test_method_that_is_not_offered(client):
    answer = client.request("DELETE", "/wms")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert client.request("POST", "/ogcapi/").status_code == 405


def test_capabilities_are_packed_when_asked(client):
    url = "/wms?SERVICE=WMS&REQUEST=GetCapabilities"
    packed = client.get(url, headers={"Accept-Encoding": "gzip"})
    plain = client.get(url, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert "Accept-Encoding" in plain.headers["vary"]
    assert len(gzip.compress(plain.content)) < len(plain.content) / 2


def test_etag_brings_304(client):
    first = client.get("/ogcapi/collections")
    again = client.get("/ogcapi/collections", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["access-control-allow-origin"] == "*"


def test_unknown_path_says_what_there_is(client):
    answer = client.get("/nothing/here")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "http://test/wms" in answer.json()["detail"]


def test_unknown_path_for_a_browser(client):
    answer = client.get("/<script>x</script>", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "<script>" not in answer.text
    assert "http://test/ogcapi/" in html.fromstring(answer.text).xpath("//a/@href")


def test_health(client):
    report = client.get("/healthz").json()
    assert report | {"version": ""} == {
        "status": "ok",
        "store": "reachable",
        "cubes": 1,
        "version": "",
    }


def test_a_folder_that_is_not_there_is_no_empty_store(tmp_path):
    app = create_app(Config(), str(tmp_path / "absent"))
    try:
        answer = Client(app).get("/healthz")
        assert answer.status_code == 503
        assert answer.json()["store"] == "absent"
        assert str(tmp_path / "absent") in answer.json()["reason"]
        (tmp_path / "absent").mkdir()
        assert Client(app).get("/healthz").json()["store"] == "reachable"
    finally:
        app.close()


@pytest.mark.parametrize("service", ["WMS", "WMTS", "WCS"])
def test_a_service_without_parameters_says_how_to_begin(client, service):
    first = f"http://test/{service.lower()}?SERVICE={service}&REQUEST=GetCapabilities"
    report = client.get(f"/{service.lower()}")
    assert "Exception" in report.text
    assert first in report.text.replace("&amp;", "&")
    page = client.get(f"/{service.lower()}", headers={"Accept": "text/html,*/*"})
    assert page.headers["content-type"].startswith("text/html")
    assert first in html.fromstring(page.text).xpath("//a/@href")
    assert client.get(first).status_code == 200


@pytest.mark.parametrize("service", ["WMS", "WMTS"])
def test_a_style_that_cannot_be_drawn_hides_nothing_else(store, monkeypatch, caplog, service):
    def sized(layer, style):
        if style.name == "gray":
            raise ValueError("no colours")
        return 10, 20

    monkeypatch.setattr("services.ows.legends.legend_size", sized)
    app = create_app(Config(), str(store))
    try:
        answer = Client(app).get(f"/{service.lower()}?SERVICE={service}&REQUEST=GetCapabilities")
    finally:
        app.close()
    assert answer.status_code == 200
    named = etree.fromstring(answer.content).xpath(
        "//*[local-name()='Style']/*[local-name()='Name' or local-name()='Identifier']/text()"
    )
    assert "default" in named
    assert "gray" not in named
    assert "the style 'gray' of closed is not listed: no colours" in caplog.text


def test_metrics(client):
    client.get("/wms?REQUEST=GetMap")
    client.get("/ogcapi/collections/closed/coverage")
    page = client.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert re.search(
        r'^datacube_requests_total\{service="wms",status="200"\} \d', page.text, re.MULTILINE
    )
    assert 'datacube_request_seconds_bucket{le="0.1",service="wms"}' in page.text
    for name in ("hits_total", "misses_total", "bytes"):
        assert re.search(rf"^datacube_chunk_cache_{name} \d", page.text, re.MULTILINE)
    assert re.search(r"^datacube_chunks_read_total [1-9]", page.text, re.MULTILINE)
    assert "datacube_cubes 1.0" in page.text


SMALL_MAP = (
    "/wms?REQUEST=GetMap&VERSION=1.3.0&LAYERS=closed&STYLES=&CRS=CRS:84&BBOX=0,0,9,9"
    "&FORMAT=image/png&WIDTH=256&HEIGHT=256&TIME=2020-01-02"
)


@pytest.mark.parametrize(
    ("path", "same"),
    [
        ("/wmts/1.0.0/closed/default/2020-01-01/WebMercatorQuad/1/0/0.png", True),
        ("/tiles/closed/default/WebMercatorQuad/1/0/0.png", True),
        (SMALL_MAP, True),
        (SMALL_MAP.replace("256", "768"), True),
        (SMALL_MAP.replace("256", "768").replace("png", "webp"), False),
        (SMALL_MAP.replace("256", "1025"), False),
        (SMALL_MAP.replace("2020-01-02", "2020-01-01/2020-01-02"), False),
        (f"{SMALL_MAP}&INTERPOLATION=bilinear", False),
    ],
)
def test_what_takes_a_moment_is_drawn_by_the_thread_that_took_the_request(
    app, client, monkeypatch, path, same
):
    threads = []

    def drawn(context, plan):
        threads.append(threading.get_ident())
        return draw_map(context, plan)

    monkeypatch.setattr("services.ows.maps.draw_map", drawn)
    assert app.context.catalog.cubes()  # else it has to look at the store first
    assert client.get(path).headers["content-type"] in {"image/png", "image/webp"}
    assert (threads == [threading.get_ident()]) == same


def test_two_applications_count_apart(client, store):
    client.get("/healthz")
    other = create_app(Config(), str(store))
    try:
        assert 'service="healthz"' not in Client(other).get("/metrics").text
    finally:
        other.close()


def test_access_line(client, caplog):
    with caplog.at_level(logging.INFO, logger="datacube.access"):
        answer = client.get("/wms?SERVICE=WMS&REQUEST=GetMap&LAYERS=closed&token=secret")
    line = json.loads(caplog.messages[-1])
    assert line["id"] == answer.headers["x-request-id"]
    assert (line["service"], line["operation"], line["name"]) == ("wms", "GetMap", "closed")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/wms", 200)
    assert line["bytes"] == len(answer.content)
    assert line["ms"] > 0
    assert "secret" not in caplog.messages[-1]


def test_unexpected_exception_is_logged_not_told(app, client, caplog, monkeypatch):
    def broken(_request):
        raise RuntimeError("the password is 1234")

    real = app._routes.find
    monkeypatch.setattr(
        app._routes, "find", lambda path: Route("wms", broken, failure=real(path).failure)
    )
    answer = client.get("/wms?REQUEST=GetMap")
    assert answer.status_code in {200, 500}
    assert b"1234" not in answer.content
    assert "ServiceException" in answer.text
    error_id = answer.headers["x-request-id"]
    assert error_id in answer.text
    record = next(one for one in caplog.records if error_id in one.getMessage() and one.exc_info)
    assert "1234" in str(record.exc_info[1])


@pytest.mark.parametrize(
    ("path", "media_type"),
    [("/wms", "text/xml"), ("/wcs", "application/xml")],
)
def test_body_that_is_too_large(client, path, media_type):
    answer = client.request("POST", path, content=b"x" * (2 << 20))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == media_type
    assert "the body is larger than 1,048,576 bytes" in answer.text


def test_stated_length_that_is_too_large_is_refused_before_it_comes(client):
    headers = {"Content-Length": "99999999999"}
    answer = client.request("POST", "/wcs", content=b"x", headers=headers)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("path", "status", "report"),
    [
        ("/wms", 200, "<ServiceException>"),
        ("/wmts", 400, 'exceptionCode="InvalidParameterValue"'),
        ("/wcs", 400, 'exceptionCode="InvalidParameterValue"'),
        ("/ogcapi/collections", 400, '"code": "InvalidParameterValue"'),
    ],
)
def test_too_many_parameters(client, path, status, report):
    answer = client.get(f"{path}?" + "&".join(f"a{number}=1" for number in range(600)))
    assert answer.status_code == status
    assert report in answer.text
    assert "the query has more than 500 parameters" in answer.text


def test_too_many_parameters_of_a_form(client):
    form = {f"a{number}": "1" for number in range(1100)}
    answer = client.request("POST", "/wcs", data=form)
    assert answer.status_code == 400
    assert "the form has more than 1000 parameters" in answer.text


def test_body_that_breaks_off_is_no_failure_of_the_server(app, caplog):
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/wcs", "query_string": b""}
    scope |= {"headers": [], "scheme": "http", "server": ("test", 80), "client": ("127.0.0.1", 1)}
    with caplog.at_level(logging.INFO, "datacube.access"):
        asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 400
    assert b"the body ends before it is whole" in sent[1]["body"]


def test_forwarded_headers_reach_the_documents(app):
    sent = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "maps.example",
        "X-Forwarded-Prefix": "/eo",
    }
    trusted = Client(app, "10.1.1.1")
    assert (
        "https://maps.example/eo/wms?"
        in trusted.get("/wms?REQUEST=GetCapabilities&SERVICE=WMS", headers=sent).text
    )
    assert (
        "https://maps.example/eo/ogcapi/collections"
        in trusted.get("/eo/ogcapi/", headers=sent).text
    )
    stranger = Client(app, "192.0.2.7").get("/wms?REQUEST=GetCapabilities", headers=sent)
    assert "maps.example" not in stranger.text


def test_configured_url_with_a_prefix(store):
    app = create_app(Config(ServerSettings(public_url="https://eo.example/data/")), str(store))
    try:
        client = Client(app)
        for path in ("/wms", "/data/wms"):
            answer = client.get(f"{path}?SERVICE=WMS&REQUEST=GetCapabilities")
            assert "https://eo.example/data/wms?" in answer.text
        assert client.get("/data/viewer").headers["location"] == "https://eo.example/data/viewer/"
        assert client.get("/data").status_code == 200
    finally:
        app.close()


def test_a_new_cube_is_served_within_five_seconds(tmp_path):
    make_cube(tmp_path, "first")
    app = create_app(Config(), str(tmp_path))
    try:
        client = Client(app)
        assert client.get("/ogcapi/collections/second").status_code == 404
        make_cube(tmp_path, "second")
        deadline = time.monotonic() + 5
        while client.get("/ogcapi/collections/second").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        for path in (
            "/wms?SERVICE=WMS&REQUEST=GetCapabilities",
            "/wmts/1.0.0/WMTSCapabilities.xml",
            "/wcs?SERVICE=WCS&REQUEST=GetCapabilities",
            "/ogcapi/collections",
            "/viewer/cubes.json",
            "/",
        ):
            assert "second" in client.get(path).text
    finally:
        app.close()


HOSTILE = st.text(st.characters(exclude_categories=()), max_size=30).map(
    lambda text: quote(text.encode("utf-8", "surrogatepass"))
) | st.sampled_from(["%", "%zz", "%00", "%ff%fe", "..%2f..", "1e999", "nan", "-1", "\\", "'\"<>"])
NAMES = st.sampled_from(
    [
        "SERVICE",
        "REQUEST",
        "VERSION",
        "LAYERS",
        "STYLES",
        "CRS",
        "BBOX",
        "WIDTH",
        "HEIGHT",
        "FORMAT",
        "TIME",
        "COVERAGEID",
        "SUBSET",
        "subset",
        "bbox",
        "datetime",
        "f",
        "scale-factor",
        "LAYER",
        "TileMatrixSet",
        "TileMatrix",
        "TileRow",
        "TileCol",
        "STYLE",
        "elevation",
        "properties",
        "I",
        "J",
        "QUERY_LAYERS",
        "INFO_FORMAT",
        "SCALESIZE",
        "RANGESUBSET",
    ]
)
VALUES = HOSTILE | st.sampled_from(
    [
        "WMS",
        "WMTS",
        "WCS",
        "GetMap",
        "GetTile",
        "GetCoverage",
        "GetFeatureInfo",
        "GetLegendGraphic",
        "DescribeCoverage",
        "closed",
        "closed.v",
        "1.3.0",
        "2.0.1",
        "1.0.0",
        "EPSG:4326",
        "CRS:84",
        "0,0,10,10",
        "256",
        "0",
        "image/png",
        "Lat(0:10)",
        "2020-01-01",
        "WebMercatorQuad",
        "application/json",
    ]
)
PATHS = st.sampled_from(
    [
        "/",
        "/wms",
        "/wmts",
        "/wcs",
        "/ogcapi/",
        "/ogcapi/collections/closed/coverage",
        "/viewer/cubes.json",
        "/ogcapi/collections/closed/map",
        "/wmts/1.0.0/closed/default/WebMercatorQuad/0/0/0.png",
        "/tiles/closed/default/WebMercatorQuad/0/0/0.png",
        "/tiles/closed/values/WebMercatorQuad/0/0/0.png",
        "/tiles/closed/default/WebMercatorQuad/tilejson.json",
    ]
) | st.lists(HOSTILE, max_size=4).map(lambda parts: "/" + "/".join(parts))


@settings(max_examples=150)
@given(PATHS, st.lists(st.tuples(NAMES | HOSTILE, VALUES), max_size=8))
def test_no_request_is_a_server_error(fuzzed, path, pairs):
    query = "&".join(f"{name}={value}" for name, value in pairs)
    answer = fuzzed.get(httpx.URL(f"http://test{path}?{query}"))
    assert answer.status_code < 500
    assert "failed unexpectedly" not in answer.text


@pytest.fixture(scope="module")
def fuzzed(app):
    return Client(app)


def test_while_it_stops_new_requests_are_refused(store):
    app = create_app(Config(), str(store))
    try:
        asyncio.run(app.drain(1.0))
        answer = Client(app).get("/healthz")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
    finally:
        app.close()


@pytest.mark.parametrize("cube", ["to", "en", "links", "type"])
def test_a_cube_may_be_called_as_a_language(tmp_path, cube):
    make_cube(tmp_path, cube)
    app = create_app(Config(), str(tmp_path))
    try:
        client = Client(app)
        assert client.get(f"/ogcapi/collections/{cube}").json()["id"] == cube
        for path in ("/ogcapi/?f=html", "/ogcapi/collections?f=html"):
            assert client.get(path).status_code == 200
        assert client.get(f"/ogcapi/collections/{cube}?f=html").status_code == 200
    finally:
        app.close()
