"""The request that names the size: three years of a daily sea surface temperature, by each rule.

A grid of 1/24 degree with its first centre at 18.125 W, 30.25 N; the box is 1.25 E to 12.5 E and
40.6 N to 45.53 N, 1096 days. By nearest centres it is 271 x 119 cells a day: 67.42 MiB of int16.
"""

from io import BytesIO

import httpx
import numpy as np
import pytest
import xarray as xr

from datacube.model.fields import Field
from datacube.store.create import create_cube
from datacube.store.transaction import transaction
from datacube.store.url import open_store
from tests.cubes import make_description, repeat_slices
from tests.servers import start_server

pytestmark = pytest.mark.slow

DAY = 86_400_000
FIRST, LAST = (int(np.datetime64(day).astype(int)) for day in ("2015-12-20", "2019-01-10"))
BOX = {
    "Long": (1.2499305555556701, 12.499305555555678),
    "Lat": (40.6044770164445, 45.53118226545946),
}


def value(t, y, x):
    """Stored value of a cell; t counts days from the first."""
    return ((7 * y + 3 * x) % 30_011 + t % 61).astype("int16")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    store = open_store(str(folder / "store"))
    field = Field("analysed_sst", "int16", "K", -32768, 0.01, 273.15, "Sea surface temperature")
    made = make_description(
        "sst", width=1306, height=379, transform=(-18.125, 1 / 24, 30.25, 1 / 24), fields=(field,)
    )
    create_cube(store, made, levels=1)
    y, x = np.arange(379)[:, np.newaxis], np.arange(1024)  # the chunks that are asked for
    with transaction(store, "sst", "made") as tx:
        for day in range(61):
            with tx.open_slice(day * DAY) as out:
                out.write("analysed_sst", (), 0, 0, value(np.int64(day), y, x))
    repeat_slices(store, "sst", [day * DAY for day in range(FIRST, LAST + 1)])
    server = start_server(folder / "store", folder)
    yield server
    server.stop()


def dataset(server, rule):
    subsets = [f"{axis}({low},{high})" for axis, (low, high) in BOX.items()]
    query = [("SERVICE", "WCS"), ("VERSION", "2.0.1"), ("REQUEST", "GetCoverage")]
    query += [("COVERAGEID", "sst"), ("FORMAT", "application/netcdf"), ("SELECTION", rule)]
    query += [("SUBSET", one) for one in (*subsets, "ansi(2016-01-01,2018-12-31)")]
    answer = httpx.get(f"{server.url}/wcs", params=query, timeout=120)
    assert answer.status_code == 200, answer.text
    with xr.open_dataset(BytesIO(answer.content), engine="h5netcdf", mask_and_scale=False) as file:
        return file.load()


@pytest.mark.parametrize(
    ("rule", "columns", "rows", "nbytes"),
    [
        ("nearest", 271, 119, 70_689_808),
        ("inside", 270, 118, 69_837_120),
        ("outside", 272, 120, 71_546_880),
    ],
)
def test_the_size_and_every_value(server, rule, columns, rows, nbytes):
    found = dataset(server, rule)["analysed_sst"]
    assert found.sizes == {"time": 1096, "lat": rows, "lon": columns}
    assert found.dtype == "int16"
    assert found.values.nbytes == nbytes
    x = np.round((found["lon"].values + 18.125) * 24).astype(int)
    y = np.round((found["lat"].values - 30.25) * 24).astype(int)
    t = found["time"].values.astype("datetime64[D]").astype(int) - FIRST
    np.testing.assert_array_equal(
        found.values, value(t[:, np.newaxis, np.newaxis], y[:, np.newaxis], x)
    )
    for name, (low, high) in zip(("lon", "lat"), BOX.values(), strict=True):
        ends = found[name].values[[0, -1]]
        assert (np.abs(ends - (low, high)) <= (1 / 48 if rule == "nearest" else 1 / 24)).all()
