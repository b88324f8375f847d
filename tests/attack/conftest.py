"""A whole application over closed-form cubes, asked in this process."""

from collections.abc import Iterator
from typing import Any

import pytest

from services.app.asgi import create_app
from tests.protocol.pictures import settings, write_cubes


@pytest.fixture(scope="package")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    store = tmp_path_factory.mktemp("attacked")
    write_cubes(str(store))
    application = create_app(settings(), str(store))
    yield application
    application.close()
