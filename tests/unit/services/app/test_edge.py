import gzip

import pytest

from datacube.errors import InvalidParameter
from services.app.edge import (
    PublicUrl,
    below,
    clean,
    compressed,
    header_lines,
    preflight,
    query_pairs,
    takes_gzip,
)
from services.ows.transport import Response

FORWARDED = {
    "x-forwarded-proto": "https",
    "x-forwarded-host": "maps.example, inner",
    "x-forwarded-prefix": "/cubes/",
}


def test_forwarded_headers_of_a_trusted_proxy():
    url = PublicUrl("", ["10.0.0.0/8"])
    assert url.of("http", "inner:8000", "10.1.2.3", FORWARDED) == (
        "https://maps.example/cubes",
        "/cubes",
    )


@pytest.mark.parametrize("peer", ["192.0.2.1", "", "not an address"])
def test_forwarded_headers_of_anybody_else_do_not_count(peer):
    url = PublicUrl("", ["10.0.0.0/8"])
    assert url.of("http", "inner:8000", peer, FORWARDED) == ("http://inner:8000", "")


def test_everyone_may_be_trusted():
    assert PublicUrl("", ["*"]).of("http", "h", "", FORWARDED)[0] == "https://maps.example/cubes"


def test_a_configured_url_wins():
    url = PublicUrl("https://eo.example/data/", ["*"])
    assert url.of("http", "h", "10.0.0.1", FORWARDED) == ("https://eo.example/data", "/data")


@pytest.mark.parametrize(
    "headers",
    [
        {"x-forwarded-host": 'evil"><script>'},
        {"x-forwarded-host": "a b"},
        {"x-forwarded-proto": "javascript"},
        {"x-forwarded-prefix": "//evil.example"},
        {"x-forwarded-prefix": "/<b>"},
        {"x-forwarded-prefix": "no-slash"},
    ],
)
def test_forwarded_nonsense_is_not_believed(headers):
    assert PublicUrl("", ["*"]).of("http", "h:1", "10.0.0.1", headers) == ("http://h:1", "")


@pytest.mark.parametrize("host", ["", 'x"><b>', "a b", "a/b", "h:999999"])
def test_a_host_that_is_none_is_not_repeated(host):
    assert PublicUrl("", []).of("http", host, "127.0.0.1", {})[0] == "http://localhost"


def test_ipv6_host():
    assert PublicUrl("", []).of("http", "[::1]:8000", "::1", {})[0] == "http://[::1]:8000"


@pytest.mark.parametrize(
    ("path", "prefix", "expected"),
    [
        ("/maps/wms", "/maps", "/wms"),
        ("/wms", "/maps", "/wms"),
        ("/mapsx/wms", "/maps", "/mapsx/wms"),
        ("/maps", "/maps", "/"),
        ("", "", "/"),
    ],
)
def test_prefix(path, prefix, expected):
    assert below(path, prefix) == expected


def test_query_is_cleaned():
    pairs = query_pairs("A=%00&B=%ED%A0%80&C=a%2Bb+c&D&E=%zz&%=1")
    assert pairs[0] == ("A", "\ufffd")
    assert "\ud800" not in pairs[1][1]
    assert pairs[2:] == (("C", "a+b c"), ("D", ""), ("E", "%zz"), ("%", "1"))


def test_too_many_parameters():
    with pytest.raises(InvalidParameter, match="more than 500"):
        query_pairs("&".join(f"a{number}=1" for number in range(600)))


def test_clean_keeps_every_script():
    assert clean("Grönland 氷 🧊\n") == "Grönland 氷 🧊\n"


def test_text_is_packed_and_its_tag_weak():
    body = b"<a/>" * 1000
    response = compressed(Response(200, "text/xml", body, (("ETag", '"x"'),)), "br, gzip")
    assert isinstance(response.body, bytes)
    assert gzip.decompress(response.body) == body
    assert response.header("content-encoding") == "gzip"
    assert response.header("etag") == 'W/"x"'
    assert response.header("vary") == "Accept-Encoding"


def test_pieces_are_packed_as_they_come():
    response = compressed(
        Response(200, "application/prs.coverage+json", iter([b"a" * 5000, b"b"])), "gzip"
    )
    assert not isinstance(response.body, bytes)
    assert gzip.decompress(b"".join(response.body)) == b"a" * 5000 + b"b"


@pytest.mark.parametrize(
    ("media_type", "accept", "size"),
    [("image/png", "gzip", 5000), ("text/xml", "", 5000), ("text/xml", "gzip", 100)],
)
def test_what_is_not_packed(media_type, accept, size):
    response = compressed(Response(200, media_type, b"a" * size), accept)
    assert response.body == b"a" * size
    assert not response.header("content-encoding")


def test_vary_is_joined():
    response = Response(200, "text/html; charset=utf-8", b"a" * 5000, (("Vary", "Accept"),))
    assert compressed(response, "").header("vary") == "Accept, Accept-Encoding"


@pytest.mark.parametrize("text", ["gzip", "x-gzip", "*", "br;q=1, gzip;q=0.5"])
def test_gzip_taken(text):
    assert takes_gzip(text)


@pytest.mark.parametrize("text", ["", "br", "gzip;q=0", "gzip; q=0.000", "identity"])
def test_gzip_not_taken(text):
    assert not takes_gzip(text)


def test_headers_stay_on_one_line():
    lines = header_lines(Response(200, "text/plain", b"", (("Warning", "a\r\nSet-Cookie: b"),)))
    assert lines == [("Content-Type", "text/plain"), ("Warning", "a  Set-Cookie: b")]


def test_preflight_repeats_the_asked_headers():
    response = preflight({"access-control-request-headers": "authorization, x-mine"})
    assert response.status == 204
    assert response.header("access-control-allow-headers") == "authorization, x-mine"


def test_preflight_repeats_no_nonsense():
    response = preflight({"access-control-request-headers": "<script>"})
    assert "script" not in response.header("access-control-allow-headers")
