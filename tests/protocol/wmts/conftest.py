import pytest

from services.wms import service as wms_service
from services.wmts import service
from tests.protocol.pictures import Maps, open_cubes


@pytest.fixture(scope="session")
def context(tmp_path_factory):
    return open_cubes(tmp_path_factory.mktemp("wmts"))


@pytest.fixture(scope="session")
def wmts(context):
    return Maps(context, service, "/wmts")


@pytest.fixture(scope="session")
def wms(context):
    return Maps(context, wms_service, "/wms")
