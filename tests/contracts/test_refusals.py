"""A request that costs too much is refused before a chunk is read, with one that would pass.

Every piece of advice in a refusal is followed, at every door.
"""

import re
from collections.abc import Callable

import httpx
import numpy as np
import pytest

from datacube.config.settings import Config, Limits, ServerSettings
from datacube.engine.context import make_context
from datacube.store.url import open_store
from services.app.asgi import Application
from tests.asgi import Client
from tests.cubes import make_cube
from tests.stores import CountingStore

DAYS = tuple(np.arange("2020-01-01", "2020-01-21", dtype="datetime64[D]").astype(str).tolist())
LIMITS = Limits(
    max_width=512,
    max_height=300,
    max_layers=2,
    max_cells=200_000,
    max_reduced_cells=180_000,
    max_coverage_bytes=100_000,
    max_stream_bytes=1_000_000,
    max_spool_bytes=100_000,
)
MAP = (
    "/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&STYLES=&CRS=CRS:84&BBOX=-180,-90,180,90"
    "&FORMAT=image/png"
)
TILE = "/wmts/1.0.0/days/default/WorldCRS84Quad/0/0/0.png?AGG=mean&TIME={}/{}"
WCS = "/wcs?SERVICE=WCS&VERSION=2.0.1&REQUEST=GetCoverage&COVERAGEID=days"
AVERAGE = f"{WCS}&FORMAT=application/netcdf&SUBSET=ansi({DAYS[1]})&INTERPOLATION=average"
OGC = "/ogcapi/collections/days"

type Follow = Callable[[re.Match[str]], str]


def until(count: str) -> str:
    """The last of so many days."""
    return DAYS[int(count.replace(",", "")) - 1]


def area(method: str, south: float, rest: str = "") -> str:
    ring = f"-180 {south},180 {south},180 90,-180 90,-180 {south}"
    return f"{OGC}/area?method={method}&coords=POLYGON(({ring})){rest}"


STEPS = r"at most (\d+) of the 20 steps"
SCALED = r"scaled to at most (\d+) x (\d+) of its 200 x 100 cells"
CASES: tuple[tuple[str, str, str, Follow], ...] = (
    (
        "the width of a map",
        f"{MAP}&LAYERS=days&WIDTH=600&HEIGHT=300",
        r"at most (\d+) x (\d+)",
        lambda found: f"{MAP}&LAYERS=days&WIDTH={found[1]}&HEIGHT={found[2]}",
    ),
    (
        "the layers of a map",
        f"{MAP}&LAYERS=days,days,days&WIDTH=20&HEIGHT=10",
        r"at most (\d+) are drawn",
        lambda found: f"{MAP}&LAYERS={','.join(['days'] * int(found[1]))}&WIDTH=20&HEIGHT=10",
    ),
    (
        "the steps of a map",
        f"{MAP}&LAYERS=days&WIDTH=200&HEIGHT=100&AGG=mean&TIME={DAYS[0]}/{DAYS[-1]}",
        STEPS,
        lambda found: (
            f"{MAP}&LAYERS=days&WIDTH=200&HEIGHT=100&AGG=mean&TIME={DAYS[0]}/{until(found[1])}"
        ),
    ),
    (
        "the steps of a tile",
        TILE.format(DAYS[0], DAYS[-1]),
        STEPS,
        lambda found: TILE.format(DAYS[0], until(found[1])),
    ),
    (
        "the steps of a coverage",
        f"{WCS}&FORMAT=application/netcdf",
        STEPS,
        lambda found: f"{WCS}&FORMAT=application/netcdf&SUBSET=ansi({DAYS[0]},{until(found[1])})",
    ),
    (
        "the cells of a coverage",
        f"{WCS}&FORMAT=application/netcdf&SUBSET=ansi({DAYS[0]},{DAYS[1]})",
        SCALED,
        lambda found: (
            f"{WCS}&FORMAT=application/netcdf&SUBSET=ansi({DAYS[0]},{DAYS[1]})"
            f"&SCALESIZE=Long({found[1]}),Lat({found[2]})"
        ),
    ),
    (
        "the cells of a coverage between cells",
        f"{AVERAGE}&SCALEFACTOR=1.2",
        r"scaled to at most (\d+) x (\d+) of its 240 x 120 cells",
        lambda found: f"{AVERAGE}&SCALESIZE=Long({found[1]}),Lat({found[2]})",
    ),
    (
        "the format of a coverage",
        f"{WCS}&FORMAT=application/netcdf&SUBSET=ansi({DAYS[0]},{DAYS[4]})",
        r"or (text/csv) or",
        lambda found: f"{WCS}&FORMAT={found[1]}&SUBSET=ansi({DAYS[0]},{DAYS[4]})",
    ),
    (
        "the steps of a stream",
        f"{WCS}&FORMAT=text/csv",
        STEPS,
        lambda found: f"{WCS}&FORMAT=text/csv&SUBSET=ansi({DAYS[0]},{until(found[1])})",
    ),
    (
        "the steps of an aggregate",
        f"{WCS}&FORMAT=application/netcdf&SUBSET=Lat(0,90)&AGG=mean",
        STEPS,
        lambda found: (
            f"{WCS}&FORMAT=application/netcdf&SUBSET=Lat(0,90)&AGG=mean&SUBSET=ansi({DAYS[0]},{until(found[1])})"
        ),
    ),
    (
        "the size of an OGC API map",
        f"{OGC}/map?width=600&height=300",
        r"limit of (\d+) x (\d+)",
        lambda found: f"{OGC}/map?width={found[1]}&height=90",
    ),
    (
        "the steps of an OGC API coverage",
        f"{OGC}/coverage?f=netcdf",
        STEPS,
        lambda found: f"{OGC}/coverage?f=netcdf&datetime={DAYS[0]}/{until(found[1])}",
    ),
    (
        "the cells of an OGC API coverage",
        f"{OGC}/coverage?f=netcdf&datetime={DAYS[0]}/{DAYS[1]}",
        SCALED,
        lambda found: (
            f"{OGC}/coverage?f=netcdf&datetime={DAYS[0]}/{DAYS[1]}"
            f"&scale-size=Lon({found[1]}),Lat({found[2]})"
        ),
    ),
    (
        "the places of a line",
        f"{OGC}/trajectory?coords=LINESTRING(-179 0,179 0{',-179 0,179 0' * 4})",
        r"at most ([\d,]+) places",
        lambda found: (
            f"{OGC}/trajectory?coords=LINESTRING(-179 0,179 0)"
            if int(found[1].replace(",", "")) == 200
            else "/"
        ),
    ),
    (
        "the steps of a line",
        f"{OGC}/trajectory?coords=LINESTRING(-180 0,180 0)",
        r"at most (\d+) steps",
        lambda found: (
            f"{OGC}/trajectory?coords=LINESTRING(-180 0,180 0)&datetime={DAYS[0]}/{until(found[1])}"
        ),
    ),
    (
        "the steps of a region",
        area("mean", -90),
        STEPS,
        lambda found: area("mean", -90, f"&datetime={DAYS[0]}/{until(found[1])}"),
    ),
    (
        "the cells of a region",
        area("mean", -90),
        r"at most ([\d,]+) cells",
        lambda found: area("mean", 90 - int(found[1].replace(",", "")) // 200 * 1.8),
    ),
    (
        "the cells of a quantile",
        area("median", 81),
        r"at most ([\d,]+) cells",
        lambda found: area("median", 90 - int(found[1].replace(",", "")) // 200 * 1.8),
    ),
    (
        "another method than a quantile",
        area("median", 81),
        r"or (mean), min or max",
        lambda found: area(found[1], 81),
    ),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> CountingStore:
    url = tmp_path_factory.mktemp("refusals")
    make_cube(url, "days", width=200, height=100, times=DAYS)
    return CountingStore(open_store(str(url)))


@pytest.fixture
def client(store: CountingStore) -> Client:
    settings = ServerSettings(limits=LIMITS)
    return Client(Application(make_context(store, Config(settings)), store))


def refused(response: httpx.Response) -> bool:
    return response.status_code >= 400 or "Exception" in response.text[:400]


@pytest.mark.parametrize(
    ("url", "advice", "follow"), [row[1:] for row in CASES], ids=[r[0] for r in CASES]
)
def test_advice_is_given_before_a_read_and_can_be_followed(client, store, url, advice, follow):
    client.get("/healthz")
    store.reset()
    answer = client.get(url)
    assert refused(answer), answer.text[:200]
    assert store.chunks_read == store.bytes_read == 0
    found = re.search(advice, answer.text)
    assert found is not None, answer.text
    better = client.get(follow(found))
    assert not refused(better), f"{follow(found)}\n{better.text[:600]}"
    assert better.status_code == 200
    assert store.chunks_read > 0
