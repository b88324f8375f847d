"""GetCoverage of what is too large to hold: the same file, its size beforehand, clear refusals."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rasterio.io import MemoryFile

from datacube.config.settings import Config, Limits, ServerSettings
from datacube.engine.context import make_context
from datacube.model.fields import Field
from datacube.store.layout import chunk_key
from datacube.store.url import open_store
from services.app.asgi import Application
from services.ows.transport import Request
from services.wcs.service import handle
from tests.asgi import Client
from tests.cubes import make_cube
from tests.protocol.wcs201.service import body_of, report
from tests.stores import CountingStore

FIELD = Field("v", "int16", nil=-1, scale=0.5)
SMALL = ServerSettings(limits=Limits(max_coverage_bytes=1_000_000, max_stream_bytes=20_000_000))


@pytest.fixture
def store(tmp_path):
    store = CountingStore(open_store(str(tmp_path)))
    options = {"width": 700, "height": 1400, "times": None, "fields": (FIELD,)}
    make_cube(store, "large", formula=_values, **options)
    make_cube(store, "small", times=None, fields=(FIELD,))
    store.reset()
    return store


@pytest.fixture
def context(store):
    return make_context(store, Config(SMALL))


def _values(t, k, f, y, x):
    del t, k, f
    return (3 * y + x) % 30_000


def ask(context, *, head=False, **parameters):
    pairs = {"SERVICE": "WCS", "VERSION": "2.0.1", "REQUEST": "GetCoverage"} | parameters
    return handle(context, Request("GET", "/wcs", tuple(pairs.items()), head=head))


def test_a_geotiff_comes_in_pieces_of_the_promised_length(context):
    response = ask(context, COVERAGEID="large", FORMAT="image/tiff")
    assert not isinstance(response.body, bytes)
    body = body_of(response)
    assert len(body) == int(response.header("Content-Length"))
    assert response.header("Content-Disposition") == 'attachment; filename="large.tif"'
    with MemoryFile(body) as memory, memory.open() as file:
        y, x = np.arange(1400)[:, None], np.arange(700)
        assert np.array_equal(file.read(1), (3 * y + x) % 30_000)
        assert (file.scales, file.nodata, file.crs.to_epsg()) == ((0.5,), -1, 4326)


def test_numpy_and_both_parts_of_a_message_too(context):
    response = ask(context, COVERAGEID="large", FORMAT="application/x-npy")
    assert np.load(io.BytesIO(body_of(response))).shape == (1400, 700)
    message = ask(context, COVERAGEID="large", FORMAT="image/tiff", MEDIATYPE="multipart/related")
    assert len(body_of(message)) == int(message.header("Content-Length"))


@pytest.mark.parametrize(
    ("coverage", "media_type", "multipart"),
    [
        ("large", "image/tiff", ""),
        ("large", "image/tiff", "multipart/related"),
        ("large", "application/x-npy", ""),
        ("small", "application/x-npy", ""),
    ],
)
def test_head_tells_the_size_without_reading(context, store, coverage, media_type, multipart):
    asked = {"COVERAGEID": coverage, "FORMAT": media_type}
    asked |= {"MEDIATYPE": multipart} if multipart else {}
    head = ask(context, head=True, **asked)
    assert store.chunks_read == 0
    whole = ask(context, **asked).body
    body = whole if isinstance(whole, bytes) else b"".join(whole)
    assert int(head.header("Content-Length")) == len(body)


def test_head_over_http(context, store):
    app = Application(context, store)
    query = "/wcs?service=WCS&version=2.0.1&request=GetCoverage&coverageId=large&format=image/tiff"
    head, whole = Client(app).request("HEAD", query), Client(app).get(query)
    assert head.status_code == 200
    assert head.content == b""
    assert int(head.headers["content-length"]) == len(whole.content) > 1400 * 700 * 2
    assert head.headers["etag"] == whole.headers["etag"]
    csv = Client(app).get(query.replace("image/tiff", "text/csv"))
    assert csv.headers["content-encoding"] == "gzip"
    assert "content-length" not in csv.headers
    assert csv.text.count("\r\n") == 1 + 1400 * 700
    app.close()


@pytest.mark.parametrize("media_type", ["application/netcdf", "image/vnd.cog"])
def test_what_is_made_on_disk_is_refused_where_it_would_not_fit_there(store, media_type):
    limits = replace(SMALL.limits, max_spool_bytes=1_000_000)
    context = make_context(store, Config(replace(SMALL, limits=limits)))
    status, code, _, text = report(ask(context, COVERAGEID="large", FORMAT=media_type))
    assert store.chunks_read == 0
    assert (status, code) == (413, "NoApplicableCode")
    assert "image/tiff or application/prs.coverage+json or text/csv or application/x-npy" in text
    assert "which are sent while they are read" in text
    assert "scaled to at most 500 x 1000 of its 700 x 1400 cells" in text


@pytest.mark.parametrize(
    ("media_type", "known"),
    [
        ("application/netcdf", True),
        ("image/vnd.cog", True),
        ("application/x-netcdf3", True),
        ("application/json", False),
        ("application/prs.coverage+json", False),
        ("application/vnd.zarr+zip", False),
    ],
)
def test_more_than_may_be_held_in_every_format(context, media_type, known):
    """The length is told where it is known before the last value is."""
    asked = {"COVERAGEID": "large", "FORMAT": media_type}
    response = ask(context, **asked)
    assert response.status == 200
    size = sum(map(len, response.body))
    assert size > 20_000
    assert response.header("Content-Length") == (str(size) if known else "")
    dry = json.loads(ask(context, **asked, DRYRUN="true").body)
    assert dry["length"] in {None, size}


def test_physical_values_are_reckoned_before_anything_is_read(store):
    """2 MB as they are stored, 8 bytes a value as they are asked for."""
    limits = Limits(max_coverage_bytes=1_000_000, max_stream_bytes=5_000_000)
    context = make_context(store, Config(replace(SMALL, limits=limits)))
    asked = {"COVERAGEID": "large", "FORMAT": "image/tiff"}
    _, _, _, text = report(ask(context, **asked, VALUES="physical"))
    assert "7.8 MB; the limit is 5.0 MB" in text
    assert store.chunks_read == 0
    context = make_context(store, Config(SMALL))
    stored, made = (
        json.loads(ask(context, **asked, VALUES=how, DRYRUN="true").body)
        for how in ("raw", "physical")
    )
    assert (stored["bytes"], made["bytes"]) == (1_960_000, 7_840_000)
    assert stored["length"] > stored["bytes"]


@pytest.mark.parametrize("media_type", ["image/tiff", "application/netcdf"])
def test_compression_is_made_where_it_is_asked_for(context, media_type):
    asked = {"COVERAGEID": "large", "FORMAT": media_type, "SUBSET": "Lat(0,40)"}
    plain, small = ask(context, **asked), ask(context, **asked, COMPRESSION="deflate")
    assert plain.header("ETag") != small.header("ETag")
    sizes = [len(body_of(one)) for one in (plain, small)]
    assert sizes[1] < sizes[0] / 2


def test_compression_that_is_none_is_refused(context):
    status, code, locator, text = report(ask(context, COVERAGEID="small", COMPRESSION="jpeg"))
    assert (status, code, locator) == (404, "CompressionNotSupported", "compression")
    assert "none, deflate" in text


def test_a_large_compressed_file_is_made_on_disk(context):
    asked = {"COVERAGEID": "large", "FORMAT": "image/tiff", "COMPRESSION": "deflate"}
    body = body_of(ask(context, **asked))
    with MemoryFile(body) as memory, memory.open() as file:
        assert file.compression.value == "DEFLATE"
        y, x = np.arange(1400)[:, None], np.arange(700)
        assert np.array_equal(file.read(1), (3 * y + x) % 30_000)


def test_a_large_compressed_file_is_refused_with_what_would_pass(store):
    asked = {"COVERAGEID": "large", "FORMAT": "image/tiff", "COMPRESSION": "deflate"}
    limits = replace(SMALL.limits, max_spool_bytes=1_000_000)
    context = make_context(store, Config(replace(SMALL, limits=limits)))
    status, _, _, text = report(ask(context, **asked))
    assert status == 413
    assert "application/x-npy" in text
    direct, _, job = text.partition("Or have it made as a job")
    assert "image/tiff" not in direct
    assert "format=image/tiff&compression=deflate" in job


def test_beyond_the_streams_limit_it_is_refused(context):
    asked = {"COVERAGEID": "large", "FORMAT": "image/tiff", "SCALEFACTOR": "4"}
    _, _, _, text = report(ask(context, **asked))
    assert "31.4 MB; the limit is 20.0 MB" in text


def test_what_is_damaged_at_the_start_is_reported(context, store):
    store.put(chunk_key("large", 0, "v", (0, 1)), b"damaged")
    response = ask(context, COVERAGEID="large", FORMAT="image/tiff")
    status, _, _, text = report(response)
    assert status >= 500
    assert "chunk 0/1" in text or "NoApplicableCode" in response.body.decode()
