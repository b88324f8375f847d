"""Boxes, versions, tags, URLs and pictures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datacube.errors import InvalidFormat, VersionNotSupported
from datacube.model.bbox import BoundingBox
from datacube.model.crs import Crs
from services.ows import caching
from services.ows.boxes import geographic_box, ordered_edges, published_boxes
from services.ows.kvp import Kvp
from services.ows.negotiate import ows_version, wms_version
from services.ows.pictures import MAP_FORMATS, extension_of, map_format, opaque, text_picture
from services.ows.transport import Request, Response
from services.ows.urls import endpoint, kvp_prefix, segment, with_query


def box(left, bottom, right, top, crs="OGC:CRS84"):
    return BoundingBox(left, bottom, right, top, Crs.parse(crs))


def test_geographic_boxes():
    assert geographic_box(box(170, -10, -170, 10)).edges == (-180, -10, 180, 10)
    assert geographic_box(box(0, -90, 360, 90)).edges == (-180, -90, 180, 90)
    assert geographic_box(box(-10, 40, 20, 60)).edges == (-10, 40, 20, 60)


@given(st.floats(-180, 178), st.floats(-89, 88), st.floats(0.01, 1), st.floats(0.01, 1))
def test_boxes_in_degrees_are_the_same_numbers(west, south, width, height):
    own = box(west, south, west + width, south + height)
    world = geographic_box(own)
    placed = {one.crs.key: one for one in published_boxes(own)}
    assert placed["EPSG:4326"].edges == placed["OGC:CRS84"].edges == world.edges
    assert ordered_edges(placed["EPSG:4326"])[:2] == (world.bottom, world.left)


def test_published_crs():
    def keys(one):
        return [placed.crs.key for placed in published_boxes(one)]

    assert keys(box(-180, -90, 180, 90)) == ["OGC:CRS84", "EPSG:4326", "EPSG:3857"]
    utm = box(500_000, 5_000_000, 600_000, 5_100_000, crs="EPSG:32632")
    assert keys(utm) == ["EPSG:32632", "OGC:CRS84", "EPSG:4326", "EPSG:3857"]
    assert keys(box(8, 45, 9, 46, crs="EPSG:4326")) == [
        "EPSG:4326",
        "OGC:CRS84",
        "EPSG:3857",
        "EPSG:32632",
    ]
    assert keys(box(8, -46, 9, -45))[-1] == "EPSG:32732"
    assert keys(box(-10, 86, 10, 90)) == ["OGC:CRS84", "EPSG:4326"]


def test_versions():
    assert wms_version("1.2", ("1.1.1", "1.3.0")) == "1.1.1"
    assert wms_version("", ("1.1.1", "1.3.0")) == "1.1.1"
    offered = ("1.0.0", "2.0.1")
    assert ows_version(Kvp([]), offered) == "2.0.1"
    assert ows_version(Kvp([("VERSION", "1.0.0")]), offered) == "1.0.0"
    assert ows_version(Kvp([("VERSION", "3.0")]), offered, "2.0.1") == "2.0.1"
    both = Kvp([("acceptversions", "1.0.0,2.0.1"), ("version", "2.0.1")])
    assert ows_version(both, offered) == "1.0.0"
    with pytest.raises(VersionNotSupported):
        ows_version(Kvp([("ACCEPTVERSIONS", "9")]), offered)


def asks(value):
    return Request("GET", "/", headers={"if-none-match": value})


def test_conditional_answers():
    tag = caching.etag(["a@1"], "query")
    full = Response(200, "text/plain", b"x", (caching.DOCUMENT,))
    assert caching.conditional(asks(""), full, tag).header("ETag") == tag
    for value in (tag, f"W/{tag}", f'"no", {tag}', "*"):
        found = caching.conditional(asks(value), full, tag)
        assert (found.status, found.body, found.header("etag")) == (304, b"", tag)
    assert caching.conditional(asks('"no"'), full, tag).status == 200
    refusal = Response(400, "text/plain", b"x")
    assert caching.conditional(asks("*"), refusal, tag).status == 400


def test_warnings_cannot_split_a_header():
    (found,) = caching.warnings(["Nearest\r\nSet-Cookie: é"])
    assert found == ("Warning", "99 Nearest Set-Cookie: ?")


def test_urls():
    request = Request("GET", "/wms", base_url="https://h/p/")
    assert endpoint(request, "/wms") == "https://h/p/wms"
    assert kvp_prefix(request, "wms") == "https://h/p/wms?"
    assert with_query("http://h/a", [("x", "1 &"), ("y", 2)]) == "http://h/a?x=1+%26&y=2"
    assert with_query("http://h/a?z=1", [("x", "é")]) == "http://h/a?z=1&x=%C3%A9"
    assert with_query("http://h/a", []) == "http://h/a"
    assert segment("a/b c") == "a%2Fb%20c"


def test_map_formats():
    assert [extension_of(one) for one in MAP_FORMATS] == ["png", "jpg", "webp"]
    assert opaque("image/jpeg")
    assert not opaque("image/png")
    for text in ("image/gif", "text/plain", "", "image/tiff"):
        with pytest.raises(InvalidFormat, match="image/png"):
            map_format(text)


def test_words_in_a_picture():
    image = text_picture(
        "no such layer \N{GREEK SMALL LETTER PI}", 200, 30, (0, 0, 0), transparent=True
    )
    assert image.pixels.shape == (30, 200, 4)
    assert (image.pixels[0, 0] == [0, 0, 0, 0]).all()
    assert (image.pixels[..., :3] == 255).all(axis=-1).sum() > 100
    tiny = text_picture("too long for this", 1, 1, (255, 255, 255), transparent=False)
    assert tiny.pixels.shape == (1, 1, 4)
    assert np.asarray(tiny.pixels).dtype == np.uint8
