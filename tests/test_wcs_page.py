"""The requests of docs/wcs.md."""

import json
import re
from pathlib import Path

import pytest
from lxml import etree
from rasterio.io import MemoryFile

from datacube.config.settings import Config
from services.app.asgi import create_app
from services.wcs.v201.formats import media_types
from tests.asgi import Client
from tests.demo import demo_store

PAGE = (Path(__file__).parent.parent / "docs/wcs.md").read_text(encoding="utf-8")
REQUESTS = re.findall(r"^/wcs\S+$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def client():
    return Client(create_app(Config(), str(demo_store())))


@pytest.mark.slow
@pytest.mark.parametrize("request_", REQUESTS)
def test_every_request(client, request_):
    answer = client.get(request_)
    media_type = answer.headers["content-type"]
    assert answer.status_code == 200, answer.text
    if "Describe" in request_:
        described = etree.tostring(etree.fromstring(answer.content))
        assert b"air-temperature" in described or b"s2-simulated__20240405T101021Z" in described
    elif media_type == "application/gml+xml":
        coverage = etree.fromstring(answer.content)
        assert len(coverage.findtext(".//{*}tupleList").split()) > 100
    elif "DRYRUN" in request_:
        assert json.loads(answer.content)["values"] == 240 * 2 * 49
    elif media_type in {"image/tiff", "image/vnd.cog"}:
        with MemoryFile(answer.content) as memory, memory.open() as file:
            assert file.read_masks(1).any()
    elif media_type == "image/png":
        assert answer.content.startswith(b"\x89PNG")
    else:
        assert media_type.startswith(("multipart/related", "application/netcdf"))
        assert len(answer.content) > 2000


def test_every_format_is_listed():
    listed = set(re.findall(r"`((?:image|application|text)/[^`]+)`", PAGE))
    assert set(media_types()) <= listed
