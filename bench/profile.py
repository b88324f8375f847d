"""``python -m bench.profile``: where the microseconds of a request go, stage by stage.

Every stage is a few functions of the server that are timed as they run, in whichever thread, by
the processor time of that thread; a stage's time is its own, without the stages that it calls.
What is left of a request's processor time is the way in and out: routing, headers, the event loop.
"""

import argparse
import asyncio
import os
import platform
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from statistics import median
from typing import Any

import numpy as np
from numcodecs import blosc

from bench import asks, cubes, ours
from bench.asks import Ask
from bench.scale import SCALES, Scale
from datacube.config.settings import Config
from datacube.engine import drawing, read, reduction
from datacube.engine import map as maps
from datacube.engine.memo import Memo
from datacube.render import composite, encode, paint
from datacube.slicing import gather, plan
from datacube.slicing.accumulators import Accumulator
from datacube.slicing.regions import Region
from datacube.store import cache, chunkrows, codecs, local, reader, sound
from datacube.store.heap import keep_freed
from services.app.asgi import Application, create_app
from services.app.known import KnownAnswers
from services.app.serve import ARENAS
from services.wms import decode as wms_decode
from services.wmts import decode as wmts_decode
from services.wmts import rest

TRIES = 25
_READS = ("get", "get_range", "borrow", "borrow_part")
REST = "routing, headers, answer"
STAGES: dict[str, tuple[tuple[Any, str], ...]] = {
    "decode the request": (
        (rest, "parameters"),
        (wmts_decode, "decode_tile"),
        (wmts_decode, "decode_path"),
        (wms_decode, "decode_map"),
    ),
    "plan": (
        (maps, "plan_map"),
        (maps, "map_of"),
        (read, "plan_field"),
        (plan, "plan_read"),
    ),
    "look up chunks": (
        (chunkrows.ChunkRows, "__call__"),
        (cache.ChunkCache, "chunk"),
        (cache.ChunkCache, "chunks"),
    ),
    "read": tuple((local.LocalObjects, name) for name in _READS),
    "check": ((reader, "chunk_damage"), (sound, "chunk_damage")),
    "decode the chunks": ((codecs.ArrayCodec, "decode"), (codecs.ArrayCodec, "decode_piece")),
    "gather": ((gather, "gather"), (read, "read_field"), (composite, "picked")),
    "reduce": (
        (reduction, "reduce_steps"),
        (Accumulator, "extend"),
        (Accumulator, "result"),
        (Region, "show"),
    ),
    "colour": ((paint, "paint"), (drawing, "with_range")),
    "encode": ((encode, "encode"),),
}


@dataclass
class Watch:
    """Processor time of stages, each without those it calls."""

    spent: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _local: threading.local = field(default_factory=threading.local)

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its time counted for a stage."""

        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            stack = self._local.__dict__.setdefault("stack", [])
            stack.append(0)
            started = time.thread_time_ns()
            try:
                return function(*args, **kwargs)
            finally:
                whole = time.thread_time_ns() - started
                inner = stack.pop()
                if stack:
                    stack[-1] += whole
                with self._lock:
                    self.spent[stage] += whole - inner

        return run


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Time the functions of every stage, wherever they have been imported to."""
    undo: list[tuple[Any, str, Any]] = []
    for stage, functions in STAGES.items():
        for owner, name in functions:
            function = getattr(owner, name)
            timed = watch.timed(stage, function)
            holders = [owner] if isinstance(owner, type) else list(sys.modules.values())
            for holder in holders:
                if getattr(holder, "__dict__", {}).get(name) is function:
                    undo.append((holder, name, function))
                    setattr(holder, name, timed)
    try:
        yield
    finally:
        for holder, name, function in undo:
            setattr(holder, name, function)


@dataclass(frozen=True)
class Case:
    """A kind of request.

    Parameters
    ----------
    words : str
    path : callable, question -> URL
    questions : list of Ask
    cold : bool, whether no chunk is read before
    """

    words: str
    path: Callable[[Ask], str]
    questions: list[Ask]
    cold: bool


def cases(scale: Scale, number: int) -> list[Case]:
    """A tile whose chunks are decoded or not, and a mean whose chunks are reduced or not."""
    tiles = [one for one in asks.sst_tiles(scale, 40 * number) if _zoom(one) == 5][:number]
    means = asks.mean_maps(scale, max(number // 4, 3))
    tile, mean = (ours.server(scale).paths[name][0] for name in ("W1", "W7"))
    days = scale.sst[0]
    return [
        Case("A cold tile: 256 x 256, chunks read from the page cache", tile, tiles, True),
        Case("A warm tile: 256 x 256, chunks decoded before", tile, tiles, False),
        Case(f"A mean of {days} days: 512 x 512, cold", mean, means, True),
        Case(f"A mean of {days} days: 512 x 512, its chunks reduced before", mean, means, False),
    ]


def _zoom(ask: Ask) -> int:
    return ask.tile[0] if isinstance(ask, asks.MapAsk) and ask.tile else -1


def profiled(
    app: Application, runner: asyncio.Runner, watch: Watch, case: Case
) -> dict[str, float]:
    """Microseconds of each stage: of the quickest of several tries, medians over the questions.

    The last are those of no stage.
    """
    found: dict[str, list[float]] = defaultdict(list)
    for ask in case.questions:
        url = case.path(ask)
        whole, spent = min(
            (_tried(app, runner, watch, url, cold=case.cold) for _ in range(TRIES)),
            key=lambda one: one[0],
        )
        for stage in STAGES:
            found[stage].append(spent.get(stage, 0) / 1000)
        found[REST].append((whole - sum(spent.values())) / 1000)
    return {stage: median(times) for stage, times in found.items()}


def _tried(
    app: Application, runner: asyncio.Runner, watch: Watch, url: str, *, cold: bool
) -> tuple[int, dict[str, int]]:
    """Nanoseconds of a request in all, and of its stages."""
    _forget(app, chunks=cold)
    if not cold:
        asked(app, runner, url)
        _forget(app, chunks=False)
    watch.spent = defaultdict(int)
    return asked(app, runner, url), dict(watch.spent)


def _forget(app: Application, *, chunks: bool) -> None:
    """Everything that was kept of earlier answers, and their chunks too."""
    context = app.context
    object.__setattr__(app, "_known", KnownAnswers())
    object.__setattr__(context, "bodies", Memo(1 << 26, len))
    object.__setattr__(context, "maps", Memo(1 << 10))
    if chunks:
        context.cache.clear()
        object.__setattr__(context, "reduced", Memo(1 << 10))


def asked(app: Application, runner: asyncio.Runner, url: str) -> int:
    """Processor nanoseconds of a request."""
    path, _, query = url.partition("?")
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "root_path": "", "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }  # fmt: skip
    seen: list[int] = []
    told = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if told.is_set():
            await asyncio.Event().wait()  # the client stays
        told.set()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            seen.append(message["status"])

    async def ask() -> int:
        started = time.process_time_ns()
        await app(scope, receive, send)
        return time.process_time_ns() - started

    spent = runner.run(ask())
    if seen != [200]:
        raise RuntimeError(f"{url}: status {seen}")
    return spent


def markdown(title: str, times: dict[str, float]) -> str:
    """A table of stages that took something."""
    whole = sum(times.values())
    lines = [f"### {title}", "", "| stage | µs | share |", "|---|---|---|"]
    lines += [
        f"| {stage} | {spent:,.0f} | {100 * spent / whole:.0f} % |"
        for stage, spent in times.items()
        if spent >= 0.5
    ]
    return "\n".join([*lines, f"| **all** | **{whole:,.0f}** | |", ""])


def _heading(scale: Scale, number: int) -> str:
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"`{' '.join(['python -m bench.profile', *sys.argv[1:]])}`: {scale.words}. "
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, numpy "
        f"{np.__version__}, load {load}; processor time of the quickest of {TRIES} tries, medians "
        f"over {number} questions.\n"
    )


def main() -> int:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(prog="bench.profile", description=__doc__)
    parser.add_argument("--scale", choices=SCALES, default="full")
    parser.add_argument("--count", type=int, default=12, help="questions of each kind")
    options = parser.parse_args()
    scale = SCALES[options.scale]
    cubes.make_all(scale)
    store_url = str(scale.home / "store")
    keep_freed(ARENAS)  # as `datacube serve` does
    blosc.use_threads = False
    app = create_app(Config(), store_url)
    print(_heading(scale, options.count))
    watch = Watch()
    with asyncio.Runner() as runner, watched(watch):
        for case in cases(scale, options.count):
            asked(app, runner, case.path(case.questions[0]))
            print(markdown(case.words, profiled(app, runner, watch, case)), flush=True)
    app.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
