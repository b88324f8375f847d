"""Series of a point and of a box as CSV, from the copy that is long in time."""

import csv
import io

import numpy as np
import pytest

from datacube.config.settings import Config
from datacube.engine.context import make_context
from datacube.model.fields import Field
from datacube.store.url import open_store
from tests.cubes import make_cube
from tests.protocol.wcs201.service import Service, body_of
from tests.stores import CountingStore

DAYS = tuple(np.arange("2020-01-01", "2020-05-01", dtype="datetime64[D]").astype(str).tolist())
SST = Field("sst", "int16", "K", nil=-1, scale=0.5, offset=250.0)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """121 days of which segments hold 112; value t + 10 * y + x, every ninth day none."""
    store = CountingStore(open_store(str(tmp_path_factory.mktemp("series"))))

    def formula(t, k, f, y, x):
        return np.full(np.broadcast(y, x).shape, -1) if t % 9 == 4 else t + 10 * y + x

    make_cube(
        store, "sst", times=DAYS, width=72, height=36, fields=(SST,), formula=formula, series=16
    )
    return store


@pytest.mark.parametrize(
    ("subsets", "rows", "columns"),
    [
        ("SUBSET=Lat(2.5)&SUBSET=Long(7.5)", [17], [37]),
        ("SUBSET=Lat(-5,5)&SUBSET=Long(0,15)", [17, 18], [36, 37, 38]),
    ],
)
def test_every_value_of_a_series(store, subsets, rows, columns):
    service = Service(make_context(store, Config()))
    service.get("CoverageId=sst&FORMAT=text/csv&SUBSET=Lat(80)&SUBSET=Long(7.5)")
    store.reset()
    response = service.get(f"CoverageId=sst&FORMAT=text/csv&{subsets}")
    body = body_of(response)
    header, *lines = csv.reader(io.StringIO(body.decode()))
    assert header == ["time", "Lat", "Long", "sst [K]"]
    wanted = [
        [f"{day}T00:00:00Z", 87.5 - 5 * y, -177.5 + 5 * x, None if t % 9 == 4 else t + 10 * y + x]
        for t, day in enumerate(DAYS)
        for y in rows
        for x in columns
    ]
    found = [
        [time, float(y), float(x), (float(value) - 250) * 2 if value else None]
        for time, y, x, value in lines
    ]
    assert found == wanted
    assert store.chunks_read < len(DAYS) / 4
