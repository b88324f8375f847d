"""Resident memory of a real server with a cache of 64 MiB, while it draws the largest maps."""

from pathlib import Path

import pytest

from tests.memory.measure import BOUND, CACHE, measured
from tests.memory.worlds import scene_cube
from tests.servers import LiveServer, start_server

pytestmark = pytest.mark.slow

SIDE, PIXELS = 4608, 4096
CUBE = """
id: scene
styles:
  - {name: ramp, type: ramp, field: t, colormap: viridis, range: [-20, 20]}
  - name: rgb
    type: composite
    red: {field: t, range: [-20, 20]}
    green: {field: u, range: [-10, 10]}
    blue: {field: v, range: [-10, 10]}
  - name: relief
    type: hillshade
    field: t
    exaggeration: 10
    ramp: {colormap: viridis, range: [-20, 20]}
  - {name: lines, type: contours, field: u, interval: 5}
  - {name: arrows, type: arrows, u: u, v: v, ramp: {colormap: viridis, range: [0, 20]}}
"""
BOXES = {
    "EPSG:32632": (6e5, 5.3e6 - 10.0 * SIDE, 6e5 + 10.0 * SIDE, 5.3e6),
    "EPSG:3857": (1.151e6, 5.994e6, 1.218e6, 6.061e6),
}
MAPS = {
    "field": {"styles": "ramp"},
    "composite": {"styles": "rgb"},
    "expression": {"styles": "", "expr": "sqrt(u*u + v*v) / (abs(t) + 1)"},
    "median": {"styles": "ramp", "agg": "median", "time": "1970-01-01/1970-01-02"},
    "bilinear": {"styles": "rgb", "interpolation": "bilinear"},
    "average": {"styles": "ramp", "interpolation": "average"},
    "relief": {"styles": "relief"},
    "contours": {"styles": "lines"},
    "arrows": {"styles": "arrows"},
    "layers": {"layers": "scene,scene", "styles": "rgb,ramp"},
    "webp": {"styles": "ramp", "format": "image/webp"},
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("maps")
    scene_cube(folder / "store", "scene", SIDE)
    (folder / "server.yaml").write_text(f"limits: {{cache_bytes: {CACHE} MiB}}\n")
    (folder / "cubes").mkdir()
    (folder / "cubes" / "scene.yaml").write_text(CUBE)
    return folder


@pytest.fixture
def server(store: Path, tmp_path: Path):
    server = start_server(
        store / "store", tmp_path, "--config", str(store / "server.yaml"), "--workers", "1"
    )
    yield server
    server.stop()


@pytest.mark.parametrize(
    ("name", "crs"),
    [*((name, "EPSG:3857") for name in MAPS), ("field", "EPSG:32632"), ("composite", "EPSG:32632")],
)
def test_the_largest_map_of_any_kind_stays_within_the_bound(server: LiveServer, name, crs):
    parameters = {
        "service": "WMS", "version": "1.3.0", "request": "GetMap", "layers": "scene", "crs": crs,
        "bbox": ",".join(map(str, BOXES[crs])), "width": str(PIXELS), "height": str(PIXELS),
        "format": "image/png", "transparent": "TRUE",
    }  # fmt: skip
    found = measured(f"{server.url}/wms", server.process.pid, **parameters | MAPS[name])
    print(name, crs, found)  # noqa: T201  shown by pytest -rP
    assert found.status == 200
    assert found.headers["content-type"].startswith("image/")
    assert found.growth <= BOUND, str(found)
