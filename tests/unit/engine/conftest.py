"""A cube whose pixels can be read back from a picture: multiples of 4 in shades of gray.

A palette of a picture may be one shade off, so that values four apart are told apart.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datacube.config.settings import Config, CubeSettings, TimePolicy
from datacube.engine.context import Context, make_context
from datacube.model.fields import Field
from datacube.render.style import ColorRamp
from datacube.store.url import open_store
from tests.cubes import make_cube
from tests.stores import CountingStore

GRAY = ColorRamp("gray-values", "", "", "gray", 0.0, 255.0)


def shade(t: int, k: int, f: int, y: Any, x: Any) -> Any:
    """Value of a cell: 4 * ((7 * t + 15 * k + 10 * y + x) modulo 63); never the nil value 255."""
    return np.asarray(4 * ((7 * t + 15 * k + 10 * y + x) % 63))


@pytest.fixture
def gray_context(tmp_path: Path) -> Callable[..., tuple[Context, CountingStore]]:
    """``gray_context(**options)`` makes cube ``gray`` and a context with a counting store."""

    def make(time: TimePolicy | None = None, **options: Any) -> tuple[Context, CountingStore]:
        store = CountingStore(open_store(str(tmp_path / "store")))
        fields = (Field("v", "uint8", nil=255),)
        make_cube(store, "gray", **({"fields": fields, "formula": shade} | options))
        config = Config(cubes={"gray": CubeSettings(styles=(GRAY,), time=time or TimePolicy())})
        return make_context(store, config), store

    return make


@pytest.fixture(scope="module")
def large_context(tmp_path_factory: pytest.TempPathFactory) -> tuple[Context, CountingStore]:
    """A cube of 3600 x 7200 cells in the default layout."""
    store = CountingStore(open_store(str(tmp_path_factory.mktemp("large"))))
    fields = (Field("v", "uint8", nil=255),)
    make_cube(store, "gray", formula=shade, width=7200, height=3600, fields=fields)
    return make_context(store, Config()), store
