"""An application over a small store, called in this process."""

from pathlib import Path

import pytest

from datacube.config.settings import Config, ServerSettings
from services.app.asgi import create_app
from tests.asgi import Client
from tests.cubes import make_cube


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("app") / "store"
    make_cube(
        folder,
        times=("2020-01-01", "2020-01-02"),
        title='<b>"Bold"</b> & brave',
        abstract="<script>alert(1)</script>",
        attribution="© <i>somebody</i>",
    )
    return folder


@pytest.fixture(scope="module")
def app(store):
    application = create_app(
        Config(ServerSettings(title="A & B <server>", trusted_proxies=("10.0.0.0/8",))), str(store)
    )
    yield application
    application.close()


@pytest.fixture
def client(app) -> Client:
    return Client(app)
