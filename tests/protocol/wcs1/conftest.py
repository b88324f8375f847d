import pytest

from datacube.config.settings import Config
from datacube.engine.context import open_context
from tests.protocol.wcs1.service import Service
from tests.protocol.wcs201.service import SETTINGS, write_cubes


@pytest.fixture(scope="session")
def context(tmp_path_factory):
    url = str(tmp_path_factory.mktemp("wcs1"))
    write_cubes(url)
    return open_context(url, Config(SETTINGS))


@pytest.fixture(scope="session")
def wcs10(context):
    return Service(context, "1.0.0")


@pytest.fixture(scope="session")
def wcs11(context):
    return Service(context, "1.1.1")
