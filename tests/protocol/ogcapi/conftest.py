"""The OGC API over closed-form cubes, called in this process."""

import numpy as np
import pytest

from datacube.config.settings import Config, Contact, Limits, ServerSettings
from datacube.model.axis import IndexAxis, IrregularAxis
from datacube.model.fields import Field
from services.app.asgi import create_app
from tests.asgi import Client
from tests.cubes import make_cube

DAYS = ("2020-01-01", "2020-01-02", "2020-01-03")


@pytest.fixture(scope="session")
def ogcapi(tmp_path_factory):
    """A client of ``closed``, ``levels``, ``members``, ``plain`` and ``utm``."""
    store = tmp_path_factory.mktemp("ogcapi") / "store"
    make_cube(store, times=DAYS, title="Closed <form> & more", abstract="Made by hand")
    depth = IrregularAxis("depth", np.array([0.0, 10.0, 50.0]), "m", "depth")
    wind = (Field("u", "int16", uom="m s-1", nil=-1), Field("v", "int16", scale=0.5, offset=10.0))
    make_cube(
        store,
        "levels",
        times=DAYS,
        axes=(depth,),
        fields=wind,
        formula=lambda t, k, f, y, x: 1000 * t + 100 * k + 10 * f + y + 0 * x,
    )
    make_cube(store, "members", times=DAYS[:1], axes=(IndexAxis("run", 2, labels=("a1b", "e1")),))
    make_cube(store, "plain", times=None, crs="OGC:CRS84", width=36, height=18)
    box = (500_000, 5_000_000, 540_000, 5_030_000)
    make_cube(store, "utm", times=DAYS, crs="EPSG:32632", bbox=box, width=40, height=30)
    settings = ServerSettings(
        title="Test server",
        keywords=("cubes",),
        contact=Contact(organization="Somebody", email="a@example.org"),
        limits=Limits(max_coverage_bytes=4 << 20, max_width=2000, max_height=2000),
    )
    app = create_app(Config(settings), str(store))
    yield Client(app)
    app.close()
