"""Real products: the probe values of facts.json come back through every door and from the Zarr."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from pyproj import Transformer
from rasterio.io import MemoryFile

from datacube.config.settings import Config
from datacube.ingest.pipeline import ingest
from services.app.asgi import create_app
from tests.asgi import Client
from tests.data.test_ingest_products import NAMED, SCENE, probes

pytestmark = pytest.mark.data

DEGREES = {"lat": "Lat", "latitude": "Lat", "lon": "Long", "longitude": "Long"}
CELL = {"ostia": 0.25, "era5": 0.25, "currents": 0.08333, "gdps": 0.15, "s2-l2a-29RKH": 100.0}


@dataclass(frozen=True)
class Probe:
    """One value of a product: where it is, and what it must be."""

    cube: str
    field: str
    x: float
    y: float
    time: str | None
    depth: float | None
    value: float

    @property
    def labels(self) -> tuple[str, str]:
        return ("E", "N") if self.cube.startswith("s2") else ("Long", "Lat")

    @property
    def lonlat(self) -> tuple[float, float]:
        if self.cube.startswith("s2"):
            to_degrees = Transformer.from_crs("EPSG:32629", "OGC:CRS84", always_xy=True)
            lon, lat = to_degrees.transform(self.x, self.y)
            return float(lon), float(lat)
        return (self.x + 180) % 360 - 180, self.y


@pytest.fixture(scope="module")
def store(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    for cube_id, path in NAMED.items():
        assert ingest([str(test_data / path)], store=str(folder), cube=cube_id).exit_code == 0
    assert ingest([str(test_data / SCENE)], store=str(folder)).exit_code == 0
    return folder


@pytest.fixture(scope="module")
def client(store: Path) -> Iterator[Client]:
    app = create_app(Config(), str(store))
    yield Client(app)
    app.close()


@pytest.fixture(scope="module")
def known(test_data: Path) -> list[Probe]:
    facts = json.loads((test_data / "facts.json").read_text())
    found = [
        _probe(cube_id, field, one)
        for cube_id, path in NAMED.items()
        for field, _, one in probes(facts[path])
    ]
    for path, fact in facts.items():
        if path.startswith(SCENE) and path.endswith("m.jp2"):
            step = 109_800 / fact["height"]
            middle = fact["height"] // 2 * step + 50  # in the first cell of 100 m of that pixel
            place = (199_980 + middle, 2_800_020 - middle)
            band = path.split("_")[-2]
            if fact["centre_value"]:  # 0 is no data
                found.append(Probe("s2-l2a-29RKH", band, *place, None, None, fact["centre_value"]))
    return found


def _probe(cube_id: str, field: str, one: dict[str, Any]) -> Probe:
    coords = one["coords"]
    place = {DEGREES[name]: value for name, value in coords.items() if name in DEGREES}
    time = f"{coords['time'].removesuffix('.000')}Z" if "time" in coords else None
    return Probe(
        cube_id, field, place["Long"], place["Lat"], time, coords.get("depth"), one["value"]
    )


def wcs(client: Client, probe: Probe, media_type: str) -> bytes:
    part = CELL[probe.cube] / 10
    query = [("SERVICE", "WCS"), ("VERSION", "2.0.1"), ("REQUEST", "GetCoverage")]
    query += [("COVERAGEID", probe.cube), ("FORMAT", media_type), ("RANGESUBSET", probe.field)]
    for label, at in zip(probe.labels, (probe.x, probe.y), strict=True):
        query.append(("SUBSET", f"{label}({at - part!r},{at + part!r})"))
    if probe.time is not None:
        query.append(("SUBSET", f'ansi("{probe.time}")'))
    if probe.depth is not None:
        query.append(("SUBSET", f"depth({probe.depth!r})"))
    answer = client.get("/wcs", params=query)
    assert answer.status_code == 200, answer.text
    return answer.content


def by_geotiff(client: Client, _store: Path, probe: Probe) -> float:
    content = wcs(client, probe, "image/tiff")
    with MemoryFile(content) as memory, memory.open() as file:
        assert file.shape == (1, 1)
        return float(file.read(1)[0, 0] * file.scales[0] + file.offsets[0])


def by_netcdf(client: Client, _store: Path, probe: Probe) -> float:
    content = BytesIO(wcs(client, probe, "application/netcdf"))
    with xr.open_dataset(content, engine="h5netcdf") as data:
        return float(data[probe.field].values.item())


def by_feature_info(client: Client, _store: Path, probe: Probe) -> float:
    (lon, lat), half = probe.lonlat, 1e-4
    query = {"SERVICE": "WMS", "VERSION": "1.3.0", "REQUEST": "GetFeatureInfo", "CRS": "EPSG:4326"}
    query |= {"BBOX": ",".join(map(repr, (lat - half, lon - half, lat + half, lon + half)))}
    query |= {"LAYERS": f"{probe.cube}.{probe.field}", "STYLES": "", "WIDTH": "3", "HEIGHT": "3"}
    query |= {"QUERY_LAYERS": f"{probe.cube}.{probe.field}", "FORMAT": "image/png"}
    query |= {"I": "1", "J": "1", "INFO_FORMAT": "application/json"}
    query |= {} if probe.time is None else {"TIME": probe.time}
    query |= {} if probe.depth is None else {"ELEVATION": repr(probe.depth)}
    answer = client.get("/wms", params=query)
    (feature,) = answer.json()["features"]
    return float(feature["properties"]["value"])


def by_coveragejson(client: Client, _store: Path, probe: Probe) -> float:
    x, y = probe.labels
    subset = [f"{x}({probe.x!r})", f"{y}({probe.y!r})"]
    subset += [] if probe.depth is None else [f"depth({probe.depth!r})"]
    query = {"f": "json", "properties": probe.field, "subset": ",".join(subset)}
    query |= {} if probe.time is None else {"datetime": probe.time}
    answer = client.get(f"/ogcapi/collections/{probe.cube}/coverage", params=query)
    assert answer.status_code == 200, answer.text
    (value,) = answer.json()["ranges"][probe.field]["values"]
    return float(value)


def by_zarr(_client: Client, store: Path, probe: Probe) -> float:
    with xr.open_zarr(store / probe.cube) as data:
        values = data[probe.field]
        x, y = values.dims[-1], values.dims[-2]
        place: dict[Any, Any] = {x: probe.x, y: probe.y}
        if probe.time is not None:
            place["time"] = np.datetime64(probe.time.removesuffix("Z"))
        if probe.depth is not None:
            place["depth"] = probe.depth
        return float(values.sel(place, method="nearest").values.item())


type Door = Callable[[Client, Path, Probe], float]
DOORS: tuple[Door, ...] = (by_geotiff, by_netcdf, by_feature_info, by_coveragejson, by_zarr)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_every_probe_comes_back_exactly(client, store, known, door):
    assert {probe.cube for probe in known} == set(CELL)
    for probe in known:
        value = door(client, store, probe)
        assert np.float32(value) == np.float32(_physical(probe)), probe


def _physical(probe: Probe) -> float:
    """Numbers of the scene's files are reflectances of 1/10000; of its classes, themselves."""
    packed = probe.cube.startswith("s2") and probe.field != "SCL"
    return probe.value * 0.0001 if packed else probe.value
