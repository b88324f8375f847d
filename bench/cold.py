"""Answers of a process that has just begun to listen: a tile, and documents of many steps."""

from pathlib import Path
from time import perf_counter

import httpx
import numpy as np

from bench import cubes, ours
from bench.process import Service
from bench.scale import Scale
from bench.servers import time_of
from bench.singles import Single
from datacube.model.fields import Field
from datacube.store.index import list_cubes
from datacube.store.transaction import transaction
from datacube.store.url import open_store
from tests.cubes import repeat_slices

STEPS = 134_000
_CUBE = "irregular"
_MINUTE = 60_000


def measure(scale: Scale, times: int = 3) -> list[Single]:
    """Start servers, and ask each one thing.

    Parameters
    ----------
    times : int, how often
    """
    tile = f"/wmts/1.0.0/sst/default/{time_of('sst', 1)}/WebMercatorQuad/3/2/4.png"
    asked = [("the first tile of a cold process", scale.home / "store", tile, 0.3)]
    many = _irregular(scale.home / "irregular")
    for service in ("WMS", "WMTS", "WCS"):
        path = f"/{service.lower()}?SERVICE={service}&REQUEST=GetCapabilities"
        asked.append((f"{service} capabilities of {STEPS:,} irregular times", many, path, 0.2))
    return [_first(scale, *one, times) for one in asked]


def _first(scale: Scale, words: str, store: Path, path: str, most: float, times: int) -> Single:
    """One request to a fresh process, several times."""
    seconds, nbytes = [], 0
    for _ in range(times):
        service = ours.start_server(scale, store)
        try:
            spent, nbytes = _asked(service, path)
        finally:
            service.stop()
        seconds.append(spent)
    return Single(words, tuple(seconds), most, nbytes)


def _asked(service: Service, path: str) -> tuple[float, int]:
    with httpx.Client(base_url=f"http://127.0.0.1:{service.port}", timeout=60) as client:
        client.get("/healthz")
        began = perf_counter()
        answer = client.get(path).raise_for_status()
        return perf_counter() - began, len(answer.content)


def _irregular(home: Path) -> Path:
    """A store with one cube; its only slice stands at every time."""
    store = open_store(str(home))
    if _CUBE not in list_cubes(store):
        field = Field("v", "int16", "1", -32768, valid_range=(0.0, 1000.0))
        cubes.begin(store, cubes.describe(_CUBE, cubes.globe(512, 1024), (field,)), 1)
        values = np.add.outer(np.arange(512), np.arange(1024)) % 1000
        with transaction(store, _CUBE, "the only slice") as tx:
            tx.write_slice(cubes.FIRST, {"v": values.astype("int16")})
        gaps = np.random.default_rng(7).integers(1, 5000, STEPS)
        repeat_slices(store, _CUBE, (cubes.FIRST + np.cumsum(gaps) * _MINUTE).tolist())
    return home
