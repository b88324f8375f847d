"""The journey of a time slider: up to 48 frames of a map, played from its TileJSON.

A frame is the twelve tiles of a map of 1024 x 768 pixels, asked for over six connections as a
browser does; the next begins when all have come.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import httpx

from bench import ours
from bench.process import Service
from bench.scale import Scale
from bench.singles import Single

FRAMES = 48
CONNECTIONS = 6
PACE = 5
"""Frames a second."""

_PLACES = tuple(f"3/{row}/{column}" for row in (2, 3, 4) for column in (3, 4, 5, 6))
_NEARER = tuple(f"4/{row}/{column}" for row in (5, 6, 7) for column in (6, 7, 8, 9))

type Get = Callable[[str], httpx.Response]


def measure(scale: Scale) -> list[Single]:
    """Play frames of a fresh process, of another zoom, and the first ones again."""
    service = ours.start_server(scale, scale.home / "store")
    try:
        return _journey(service)
    finally:
        service.stop()


def _journey(service: Service) -> list[Single]:
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    base = f"http://127.0.0.1:{service.port}"
    with (
        httpx.Client(base_url=base, timeout=60, limits=limits) as client,
        ThreadPoolExecutor(CONNECTIONS) as pool,
    ):
        said = client.get("/tiles/sst/default/WebMercatorQuad/tilejson.json").json()
        times = said.get("times") or client.get(said["times_url"]).json()["times"]
        tags: dict[str, str] = {}

        def again(url: str) -> httpx.Response:
            return client.get(url, headers={"If-None-Match": tags[url]})

        def first(url: str) -> httpx.Response:
            answer = client.get(url).raise_for_status()
            tags[url] = answer.headers["etag"]
            return answer

        template = str(said["template"])

        def frames(places: Sequence[str]) -> Sequence[Sequence[str]]:
            return [
                [template.replace("{time}", time).replace("{z}/{y}/{x}", one) for one in places]
                for time in times[:FRAMES]
            ]

        rows = (
            ("of a fresh process", _PLACES, first),
            ("of another zoom", _NEARER, first),
            ("that were shown before", _PLACES, first),
            ("that the browser has (304)", _PLACES, again),
        )
        return [_played(words, frames(places), get, pool) for words, places, get in rows]


def _played(
    words: str, frames: Sequence[Sequence[str]], get: Get, pool: ThreadPoolExecutor
) -> Single:
    nbytes, began = 0, perf_counter()
    for urls in frames:
        nbytes += sum(len(answer.content) for answer in pool.map(get, urls))
    words = f"{len(frames)} frames of a slider {words}"
    return Single(words, (perf_counter() - began,), len(frames) / PACE, nbytes)
