from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from services.ows.transport import Request
from services.tiles import service
from services.wms import service as wms_service
from services.wmts import service as wmts_service
from tests.protocol.pictures import BASE, Maps, open_cubes


class Tiles:
    """Asks for tiles by path or by a whole address."""

    def __init__(self, context):
        self.context = context

    def get(self, url, **headers):
        parts = urlsplit(url.removeprefix(BASE))
        path = parts.path if parts.path.startswith("/") else f"/tiles/{parts.path}"
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        request = Request("GET", path, query, names, b"", BASE)
        return service.handle(self.context, request, unquote(path.removeprefix("/tiles/")))


@pytest.fixture(scope="session")
def context(tmp_path_factory):
    return open_cubes(tmp_path_factory.mktemp("tiles"))


@pytest.fixture(scope="session")
def tiles(context):
    return Tiles(context)


@pytest.fixture(scope="session")
def wms(context):
    return Maps(context, wms_service, "/wms")


@pytest.fixture(scope="session")
def wmts(context):
    return Maps(context, wmts_service, "/wmts")
