from dataclasses import replace

import pytest

from datacube.config.settings import Config
from datacube.engine.context import open_context
from tests.protocol.wcs201.service import SETTINGS, Service, write_cubes


@pytest.fixture(scope="session")
def store_url(tmp_path_factory):
    url = str(tmp_path_factory.mktemp("wcs"))
    write_cubes(url)
    return url


@pytest.fixture(scope="session")
def service(store_url):
    return Service(open_context(store_url, Config(SETTINGS)))


@pytest.fixture(scope="session")
def strict_service(store_url):
    settings = replace(SETTINGS, wcs_time_encoding="strict")
    return Service(open_context(store_url, Config(settings)))
