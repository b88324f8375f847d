"""The requests of docs/wms.md and docs/styling.md."""

import io
import re
from pathlib import Path

import pytest
from lxml import etree
from PIL import Image

from datacube.config.load import load_config
from services.app.asgi import create_app
from tests.asgi import Client
from tests.demo import ROOT, demo_store

DOCS = Path(__file__).parent.parent / "docs"
REQUESTS = [
    request
    for page in ("wms.md", "styling.md")
    for request in re.findall(r"^/\S+$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
]


@pytest.fixture(scope="module")
def client():
    return Client(create_app(load_config(ROOT / "config" / "server.yaml"), str(demo_store())))


@pytest.mark.slow
@pytest.mark.parametrize("request_", REQUESTS, ids=range(len(REQUESTS)))
def test_the_requests(client, request_):
    answer = client.get(request_)
    assert answer.status_code == 200, answer.text
    kind = answer.headers["content-type"].partition(";")[0]
    assert "se_xml" not in kind, answer.text
    if kind.endswith("xml"):
        assert "ServiceException" not in etree.fromstring(answer.content).tag, answer.text
    elif kind.startswith("image/"):
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert len(picture.convert("RGBA").getcolors(10_000_000)) > 2
    else:
        assert len(answer.content) > 20


def test_there_are_some():
    assert len(REQUESTS) > 20
