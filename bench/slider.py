"""The journey of a time slider: 48 days of the Mediterranean, played from its TileJSON.

A frame is the twelve tiles of a map of 1024 x 768 pixels, asked for over six connections as a
browser does; the next begins when all have come. Of the frames of a journey the slowest but two
counts (p95).
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import httpx
import numpy as np

from bench import ours
from bench.process import Service
from bench.scale import Scale
from bench.singles import ORDER, Single

FRAMES = 48
CONNECTIONS = 6
PACE = 0.2
"""Seconds between two frames."""
WARM = 0.15
"""Seconds that a frame may take that was shown before."""

_PLACES = tuple(f"5/{row}/{column}" for row in (11, 12) for column in range(14, 20))
_NEARER = tuple(f"6/{row}/{column}" for row in (23, 24, 25) for column in (30, 31, 32, 33))

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
        said = client.get(f"/tiles/{ORDER}/default/WebMercatorQuad/tilejson.json").json()
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
            ("of a fresh process", _PLACES, first, PACE),
            ("of another zoom", _NEARER, first, PACE),
            ("that was shown before", _PLACES, first, WARM),
            ("that the browser has (304)", _PLACES, again, WARM),
        )
        return [
            _played(words, frames(places), get, pool, most) for words, places, get, most in rows
        ]


def _played(
    words: str, frames: Sequence[Sequence[str]], get: Get, pool: ThreadPoolExecutor, most: float
) -> Single:
    """The frame of a journey that one in twenty exceeds."""
    nbytes, seconds = 0, []
    for urls in frames:
        began = perf_counter()
        nbytes += sum(len(answer.content) for answer in pool.map(get, urls))
        seconds.append(perf_counter() - began)
    slow = float(np.percentile(seconds, 95))
    words = f"p95 of {len(frames)} frames of a slider, each {words}"
    return Single(words, (slow,), most, nbytes // len(frames))
