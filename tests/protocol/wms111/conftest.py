import pytest

from services.wms import service
from tests.protocol.pictures import Maps, open_cubes


@pytest.fixture(scope="session")
def context(tmp_path_factory):
    return open_cubes(tmp_path_factory.mktemp("wms"))


@pytest.fixture(scope="session")
def wms(context):
    return Maps(context, service, "/wms")
