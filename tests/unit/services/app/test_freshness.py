"""Answers that are kept: given at once while they are current, and never longer."""

import asyncio
import gzip
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import httpx
import numpy as np
import pytest

from datacube.config.load import load_config
from datacube.config.settings import Config, Limits, ServerSettings
from datacube.engine.catalog import REFRESH_SECONDS
from datacube.engine.context import make_context
from datacube.model.fields import Field
from datacube.store.cube import open_cube
from datacube.store.manifest import SourceRecord
from datacube.store.url import open_store
from services.app.asgi import Application, create_app
from tests.asgi import Client
from tests.cubes import add_slices, closed_form, make_cube, make_description, ticks_of
from tests.stores import CountingStore

FIELDS = [Field("v", "int32", valid_range=(0.0, 6000.0))]
TILE = "/wmts/1.0.0/closed/default/{time}/WebMercatorQuad/0/0/0.png"
MAP = (
    "/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&LAYERS=closed&STYLES=&CRS=CRS:84"
    "&BBOX=-180,-90,180,90&WIDTH=64&HEIGHT=32&FORMAT=image/png"
)
WRITER = """
import sys
from datacube.model.fields import Field
from datacube.store.url import open_store
from tests.cubes import add_slices, make_description
made = make_description(fields=[Field("v", "int32", valid_range=(0.0, 6000.0))])
add_slices(open_store(sys.argv[1]), made, sys.argv[3:], first=int(sys.argv[2]))
"""


def commit(folder, first, *times):
    """Write slices in another process."""
    root = Path(__file__).resolve().parents[4]
    command = [sys.executable, "-c", WRITER, str(folder), str(first), *times]
    subprocess.run(command, cwd=root, check=True)


@pytest.fixture
def folder(tmp_path):
    make_cube(tmp_path, times=("2020-01-01", "2020-01-02"), fields=FIELDS)
    return tmp_path


def served(folder, **limits):
    """An application, the counts of its store, and a client."""
    store = CountingStore(open_store(str(folder)))
    context = make_context(store, Config(ServerSettings(limits=Limits(**limits))))
    app = Application(context, store)
    return app, store, Client(app)


@pytest.fixture
def world(folder):
    app, store, client = served(folder)
    yield app, store, client
    app.close()


def if_changed(client, path, tag):
    return client.get(path, headers={"If-None-Match": tag})


def test_a_commit_elsewhere_changes_what_it_touches_and_nothing_else(folder, world):
    _, store, client = world
    old, moving = TILE.format(time="2020-01-01"), MAP
    pinned, newest = client.get(old), client.get(moving)
    commit(folder, 5, "2020-01-03")
    time.sleep(REFRESH_SECONDS)
    after = client.get(moving)
    assert after.headers["etag"] != newest.headers["etag"]
    assert after.content != newest.content
    assert "2020-01-03" in after.headers["warning"]
    assert if_changed(client, moving, newest.headers["etag"]).status_code == 200
    assert if_changed(client, old, pinned.headers["etag"]).status_code == 304
    store.reset()
    assert client.get(old).content == pinned.content
    assert store.chunks_read == 0


def test_a_slice_that_is_written_again_is_shown_anew(folder, world):
    _, _, client = world
    paths = [TILE.format(time=day) for day in ("2020-01-01", "2020-01-02")]
    kept, replaced = (client.get(path) for path in paths)
    commit(folder, 5, "2020-01-02")
    time.sleep(REFRESH_SECONDS)
    answers = [
        if_changed(client, path, one.headers["etag"])
        for path, one in zip(paths, (kept, replaced), strict=True)
    ]
    assert [one.status_code for one in answers] == [304, 200]
    assert answers[1].content != replaced.content


def test_no_answer_is_older_than_the_catalogue(folder, world):
    """Asked all the time, a new slice is seen after the refresh at the latest."""
    _, _, client = world
    before = client.get(MAP).headers["etag"]
    commit(folder, 5, "2020-01-03")
    committed = time.monotonic()
    while client.get(MAP).headers["etag"] == before:
        assert time.monotonic() < committed + REFRESH_SECONDS + 2.0


@pytest.mark.parametrize("path", [TILE.format(time="2020-01-01"), TILE.format(time=""), MAP])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_second_time_nothing_is_read_or_drawn(world, path, method):
    app, store, client = world
    path = path.replace("//", "/")
    first = client.get(path)
    drawn = app.context.bodies.misses
    store.reset()
    again = client.request(method, path)
    same = client.request(method, path, headers={"If-None-Match": first.headers["etag"]})
    assert (store.chunks_read, app.context.bodies.misses) == (0, drawn)
    assert again.content == (first.content if method == "GET" else b"")
    assert (same.status_code, same.content) == (304, b"")
    varying = {"x-request-id"}
    assert {k: v for k, v in again.headers.items() if k not in varying} == {
        k: v for k, v in first.headers.items() if k not in varying
    }
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    kept = {"etag", "cache-control", "warning", "access-control-allow-origin"}
    assert {k: same.headers.get(k) for k in kept} == {k: first.headers.get(k) for k in kept}
    assert "content-length" not in same.headers


def test_a_304_alone_makes_nothing_known_of_the_picture(folder):
    app, store, client = served(folder)
    other, _, friend = served(folder)
    try:
        tag = friend.get(MAP).headers["etag"]
        for _ in range(2):
            assert if_changed(client, MAP, tag).status_code == 304
        assert store.chunks_read == 0
        assert client.get(MAP).content == friend.get(MAP).content
    finally:
        app.close()
        other.close()


def test_many_who_want_the_same_picture_have_it_drawn_once(world):
    app, store, _ = world
    store.reset()

    async def crowd():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await asyncio.gather(*(client.get(MAP) for _ in range(20)))

    answers = asyncio.run(crowd())
    assert {one.status_code for one in answers} == {200}
    assert len({one.content for one in answers}) == 1
    assert app.context.bodies.misses == 1
    assert store.chunks_read == len(set(store.keys))


def test_what_is_kept_is_bounded(folder):
    app, _, client = served(folder, answer_cache_bytes=5000)
    try:
        for size in range(20, 60):
            answer = client.get(f"{MAP}&BGCOLOR=0x0000{size}")
            assert answer.status_code == 200
            assert app.context.bodies.weight <= 5000
    finally:
        app.close()


@pytest.mark.parametrize(
    ("path", "control"),
    [
        (TILE.format(time="2020-01-01"), "public, max-age=86400"),
        (TILE.format(time="latest"), "public, max-age=60"),
        (TILE.format(time="2020-01-01T06:00:00Z"), "public, max-age=60"),
        (f"{MAP}&TIME=2020-01-01/2020-01-02", "public, max-age=60"),
        (f"{MAP}&TIME=2019/2020-01-01", "public, max-age=86400"),
        (MAP, "public, max-age=60"),
        ("/wms?SERVICE=WMS&REQUEST=GetCapabilities", "public, max-age=30"),
        ("/wmts?SERVICE=WMTS&REQUEST=GetCapabilities", "public, max-age=30"),
        ("/wcs?SERVICE=WCS&REQUEST=GetCapabilities", "public, max-age=30"),
        (f"{MAP}&EXCEPTIONS=BLANK&TIME=nonsense", "no-store"),
        (f"{MAP}&EXCEPTIONS=INIMAGE&TIME=nonsense", "no-store"),
        (f"{MAP}&TIME=nonsense", "no-store"),
        (TILE.format(time="nonsense"), "no-store"),
    ],
)
def test_how_long_an_answer_may_be_kept(world, path, control):
    app, _, client = world
    first, again = client.get(path), client.get(path)
    assert first.headers["cache-control"] == again.headers["cache-control"] == control
    assert ("etag" in first.headers) == (control != "no-store")
    assert first.content == again.content
    if control == "no-store":
        assert app.context.bodies.weight == 0


@pytest.mark.parametrize("path", [TILE.format(time="2020-01-01"), MAP])
def test_a_url_with_the_token_of_its_state_never_changes(folder, world, path):
    _, _, client = world
    (cube,) = client.get("/viewer/cubes.json").json()["cubes"]
    url = f"{path}{'&' if '?' in path else '?'}v={cube['token']}"
    assert client.get(url).headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "immutable" not in client.get(f"{url}0").headers["cache-control"]
    commit(folder, 5, "2020-01-03")
    time.sleep(REFRESH_SECONDS)
    (after,) = client.get("/viewer/cubes.json").json()["cubes"]
    assert after["token"] != cube["token"]
    assert client.get(url).headers["cache-control"] == client.get(path).headers["cache-control"]


@pytest.mark.parametrize("service", ["WMS", "WMTS", "WCS"])
def test_documents_are_kept_for_each_host_and_packing(world, service):
    _, _, client = world
    path = f"/{service.lower()}?SERVICE={service}&REQUEST=GetCapabilities"
    plain, packed = {"Accept-Encoding": "identity"}, {"Accept-Encoding": "gzip"}
    for _ in range(2):
        found = client.get(path, headers=plain)
        assert b"http://test/" in found.content
        assert b"other.example" not in found.content
        there = client.get(path, headers={**plain, "Host": "other.example"})
        assert b"http://other.example/" in there.content
        assert b"http://test/" not in there.content
        small = client.get(path, headers=packed)
        assert small.headers["content-encoding"] == "gzip"
        assert small.content == found.content
        assert int(small.headers["content-length"]) < len(gzip.compress(found.content)) + 200
        assert "content-encoding" not in found.headers
        for one in (found, small):
            assert one.headers["vary"] == "Accept-Encoding"
        unchanged = if_changed(client, path, small.headers["etag"])
        assert unchanged.status_code == 304
        assert unchanged.headers["vary"] == "Accept-Encoding"


def test_what_another_cube_shows_in_an_expression_is_fresh(folder, world):
    """A value and a picture of two cubes change with the second one, whatever names the first."""
    _, _, client = world
    make_cube(folder, "other", fields=FIELDS)
    time.sleep(REFRESH_SECONDS)
    cubes = client.get("/viewer/cubes.json").json()["cubes"]
    token = next(one["token"] for one in cubes if one["id"] == "closed")
    drawn = f"{MAP}&TIME=2020-01-01&EXPR=v%2Bother.v"
    asked = drawn.replace("GetMap", "GetFeatureInfo") + (
        "&QUERY_LAYERS=closed&INFO_FORMAT=application/json&I=0&J=1"
    )
    picture, value = client.get(f"{drawn}&V={token}"), client.get(asked)
    (found,) = value.json()["features"]
    assert (found["properties"]["field"], found["properties"]["value"]) == ("expression", 0)
    assert "immutable" not in picture.headers["cache-control"]
    assert picture.headers["cache-control"] == "public, max-age=60"
    add_slices(
        open_store(str(folder)),
        make_description("other", fields=FIELDS),
        ("2020-01-01",),
        formula=lambda *at: closed_form(*at) + 7,
    )
    time.sleep(REFRESH_SECONDS)
    client.get("/healthz")
    after = if_changed(client, asked, value.headers["etag"])
    assert after.status_code == 200
    assert after.json()["features"][0]["properties"]["value"] == 7
    assert if_changed(client, f"{drawn}&V={token}", picture.headers["etag"]).status_code == 200


INFO = (
    "/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetFeatureInfo&LAYERS=closed&QUERY_LAYERS=closed"
    "&STYLES=&CRS=CRS:84&BBOX=-180,-90,180,90&WIDTH=64&HEIGHT=32&I=5&J=5"
    "&INFO_FORMAT=application/json&TIME={time}"
)
TILE_INFO = "/wmts/1.0.0/closed/default/{time}/WebMercatorQuad/0/0/0/99/99.json"
COVERAGE = (
    "/wcs?SERVICE=WCS&VERSION=2.0.1&REQUEST=GetCoverage&COVERAGEID=closed"
    '&SUBSET=ansi("{time}T00:00:00Z")&FORMAT=image/tiff'
)
API = '/ogcapi/collections/closed/coverage?f=json&subset=time("{time}T00:00:00Z")'
VALUES = "/tiles/closed/values/WebMercatorQuad/0/0/0.npy?time={time}"


@pytest.mark.parametrize("template", [INFO, TILE_INFO, COVERAGE, API, VALUES])
def test_values_are_compared_by_the_slices_that_they_are_of(folder, world, template):
    _, store, client = world
    paths = [template.format(time=day) for day in ("2020-01-01", "2020-01-02")]
    kept, replaced = (client.get(path) for path in paths)
    assert (kept.status_code, replaced.status_code) == (200, 200), kept.text
    commit(folder, 5, "2020-01-02", "2020-01-03")
    time.sleep(REFRESH_SECONDS)
    store.reset()
    assert if_changed(client, paths[0], kept.headers["etag"]).status_code == 304
    assert store.chunks_read == 0
    anew = if_changed(client, paths[1], replaced.headers["etag"])
    assert anew.status_code == 200
    assert anew.content != replaced.content


def test_the_next_request_after_a_commit_shows_it(folder, world):
    """A folder tells of commits: nobody waits for the next look."""
    _, _, client = world
    for first, day in enumerate(("2020-01-03", "2020-01-04", "2020-01-05"), start=5):
        before = client.get(MAP)
        add_slices(open_store(str(folder)), make_description(fields=FIELDS), [day], first=first)
        after = if_changed(client, MAP, before.headers["etag"])
        assert after.status_code == 200
        assert day in after.headers["warning"]


def write_anew(folder, day, when, value=7):
    """A slice in place of what was there, ingested at some time."""
    values = {"v": np.full((10, 20), value, np.int32)}
    with open_cube(open_store(str(folder)), "closed").transaction("again") as tx:
        tx.write_slice(ticks_of(day), values, SourceRecord(f"{day} {when}", ingested=when))


def test_last_modified_is_of_the_slices_that_are_shown(folder, world):
    _, _, client = world
    paths = [TILE.format(time=day) for day in ("2020-01-01", "2020-01-02")]
    write_anew(folder, "2020-01-01", "2020-03-01T10:00:00Z")
    write_anew(folder, "2020-01-02", "2020-03-02T10:00:00Z")
    found = [client.get(path).headers.get("last-modified") for path in paths]
    assert found == ["Sun, 01 Mar 2020 10:00:00 GMT", "Mon, 02 Mar 2020 10:00:00 GMT"]


def since(client, path, date, **headers):
    return client.get(path, headers={"If-Modified-Since": date, **headers})


@pytest.mark.parametrize("path", [TILE.format(time="2020-01-01"), VALUES.format(time="2020-01-01")])
def test_the_very_date_is_enough_where_no_tag_is_sent(folder, world, path):
    _, store, client = world
    for day in ("2020-01-01", "2020-01-02"):
        write_anew(folder, day, "2020-03-01T10:00:00Z")
    first = client.get(path)
    date = first.headers["last-modified"]
    store.reset()
    same = since(client, path, date)
    assert (same.status_code, same.content, store.chunks_read) == (304, b"", 0)
    assert same.headers["etag"] == first.headers["etag"]
    assert since(client, path, "Sun, 01 Mar 2020 09:00:00 GMT").status_code == 200
    assert since(client, path, "Sun, 01 Mar 2020 11:00:00 GMT").status_code == 200
    assert since(client, path, "yesterday").status_code == 200
    other_tag = {"If-None-Match": '"other"'}
    assert since(client, path, date, **other_tag).status_code == 200
    write_anew(folder, "2020-01-01", "2020-03-01T12:00:00Z", value=4000)
    assert since(client, path, date).content not in {b"", first.content}


def test_a_deletion_brings_back_nothing_that_a_date_calls_unchanged(folder, world):
    """Both days were ingested at once: without the newer one the default is the older."""
    _, _, client = world
    for value, day in enumerate(("2020-01-01", "2020-01-02"), start=7):
        write_anew(folder, day, "2020-03-01T10:00:00Z", value=1000 * value)
    first = client.get(MAP)
    with open_cube(open_store(str(folder)), "closed").transaction("retention") as tx:
        tx.delete(ticks_of("2020-01-02"), "old")
    after = since(client, MAP, first.headers["last-modified"])
    assert after.status_code == 200
    assert "2020-01-01" in after.headers["warning"]


def test_a_change_of_the_configuration_is_a_change(folder, tmp_path_factory):
    """It has only just been made: no date names what is drawn by it for a minute."""
    write_anew(folder, "2020-01-01", "2020-03-01T10:00:00Z")
    path = tmp_path_factory.mktemp("config") / "server.yaml"
    path.write_text("title: x\n")
    config = load_config(path)
    changed = datetime.fromisoformat(config.server.changed)
    assert abs(changed.timestamp() - path.stat().st_ctime) < 1
    later = Config(replace(config.server, changed="2020-04-01T10:00:00+00:00"))
    found = []
    for one in (config, later):
        app = create_app(one, str(folder))
        try:
            found.append(Client(app).get(TILE.format(time="2020-01-01")).headers)
        finally:
            app.close()
    assert "last-modified" not in found[0]
    assert found[1]["last-modified"] == "Wed, 01 Apr 2020 10:00:00 GMT"


@pytest.mark.parametrize("path", [TILE.format(time="2020-01-01"), MAP])
def test_the_server_itself_sends_no_age(world, path):
    """Every answer is compared with the store when it is given (RFC 9111, 5.1)."""
    _, _, client = world
    for _ in range(2):
        found = client.get(path)
        assert "age" not in found.headers
        assert "vary" not in found.headers  # a picture does not depend on the request's headers
