"""A server under test: how it is started and how it is asked; ours, the prototype, the constant."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import cos, floor, log2, radians
from pathlib import Path

from bench import cubes
from bench.asks import Ask, CutAsk, MapAsk, PointAsk, R
from bench.process import Service, start
from bench.scale import HOME, Scale

BENCH = Path(__file__).resolve().parent
REPOSITORY = BENCH.parent
PROCESSES = 2  # of each peer
KEPT_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "MALLOC_TOP_PAD_": str(1 << 26),
}
"""glibc keeps freed memory, which the kernel would have to clear anew page by page."""

type PathOf = Callable[[Ask], str]


@dataclass(frozen=True)
class Server:
    """A server under test.

    Parameters
    ----------
    name : str
    start : () -> Service
    paths : workload -> ways to ask it, the first that answers rightly is taken
    cannot : workload -> why it cannot be asked
    absent : str, why it cannot even be started; empty where it can
    """

    name: str
    start: Callable[[], Service]
    paths: Mapping[str, tuple[PathOf, ...]]
    cannot: Mapping[str, str] = field(default_factory=dict)
    absent: str = ""


def time_of(what: str, step: int) -> str:
    """ISO 8601 time of a step."""
    pace = {"rgb": 240, "ndvi": 240, "ocean": 6}.get(what, 24)
    moment = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=pace * step)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def bbox_text(ask: MapAsk) -> str:
    """BBOX of WMS 1.3.0: latitude first in EPSG:4326."""
    left, bottom, right, top = ask.box
    ends = (bottom, left, top, right) if ask.crs == "EPSG:4326" else ask.box
    return ",".join(map(str, ends))


def bounds_text(ask: MapAsk | CutAsk) -> str:
    """Left, bottom, right, top."""
    return ",".join(f"{one:.9f}" for one in ask.box)


def outer_text(ask: CutAsk) -> str:
    """Outer edges of the cells."""
    left, bottom, right, top = ask.box
    x, y = (right - left) / (ask.columns - 0.5) / 4, (top - bottom) / (ask.rows - 0.5) / 4
    return ",".join(f"{one:.9f}" for one in (left - x, bottom - y, right + x, top + y))


def level_of(ask: MapAsk, scale: Scale) -> int:
    """The coarsest overview whose cells are not larger than the pixels."""
    pixel = (ask.box[2] - ask.box[0]) / ask.width
    if ask.what in {"sst", "mean"}:
        side, cell = scale.sst[2], 360 / scale.sst[2]
        degrees = pixel if ask.crs == "EPSG:4326" else pixel * 180 / R
        ratio = degrees / cell
    else:
        side, ratio = scale.s2[1], pixel * cos(radians(51.2)) / cubes.S2_CELL
    most = 0
    while -(-side // 2**most) > 512:
        most += 1
    return min(max(floor(log2(ratio) + 1e-6), 0), most)


def prototype(scale: Scale) -> Server:
    """The bare numpy pipeline, two processes: the upper bound."""
    shapes = {"sst": scale.sst, "s2": scale.s2, "ocean": scale.ocean}
    environment = {
        **KEPT_MEMORY,
        "OPENBLAS_NUM_THREADS": "1",  # the processes are the threads
        "BENCH_STORE": str(scale.home / "store"),
        "BENCH_SHAPES": ";".join(f"{k}={','.join(map(str, v))}" for k, v in shapes.items()),
    }

    def boxed(ask: Ask) -> str:
        assert isinstance(ask, MapAsk)
        return "l={}&b={}&r={}&t={}".format(*ask.box) + f"&d={ask.step}"

    def tile(ask: Ask) -> str:
        assert isinstance(ask, MapAsk)
        assert ask.tile is not None
        return "/W1?z={}&x={}&y={}".format(*ask.tile) + f"&d={ask.step}"

    def cut(ask: Ask) -> str:
        assert isinstance(ask, CutAsk)
        return f"?i={ask.row}&j={ask.column}&m={ask.rows}&n={ask.columns}&d={ask.step}"

    def point(ask: Ask) -> str:
        assert isinstance(ask, PointAsk)
        return f"/W6?i={ask.row}&j={ask.column}"

    maps = {
        name: (lambda ask, name=name: f"/{name}?{boxed(ask)}",)
        for name in ("W2", "W3", "W4", "W7", "W8")
    }
    return Server(
        "prototype",
        lambda: start(
            lambda port: [granian(port, "prototype:app", 2)],
            scale.home / "logs" / "prototype.log",
            environment,
            BENCH / "apps",
            "/",
        ),
        {
            **maps,
            "W1": (tile,),
            "W6": (point,),
            "W5a": (lambda ask: f"/W5a{cut(ask)}",),
            "W5b": (lambda ask: f"/W5b{cut(ask)}",),
        },
    )


def constant(scale: Scale) -> Server:
    """The HTTP server of ours with nothing behind it, in as many processes."""
    return Server(
        "constant 20 kB",
        lambda: start(
            lambda port: [granian(port, "constant:app", PROCESSES)],
            scale.home / "logs" / "constant.log",
            {},
            BENCH / "apps",
            "/",
        ),
        {},
    )


def uvicorn(
    scale: Scale, environment: str, app: str, probe: str, extra: Mapping[str, str] | None = None
) -> Callable[[], Service]:
    """Start of an application in a peer's environment under uvicorn."""

    def commands(port: int) -> Sequence[Sequence[str]]:
        return [
            [
                str(python_of(environment)),
                "-m",
                "uvicorn",
                f"{app}:app",
                "--port",
                str(port),
                "--workers",
                str(PROCESSES),
                "--log-level",
                "warning",
                "--no-access-log",
            ]
        ]

    variables = {"BENCH_PEERS": str(scale.home / "peers"), **(extra or {})}
    log = scale.home / "logs" / f"{app}-{environment}.log"
    return lambda: start(commands, log, variables, BENCH / "apps", probe)


def granian(port: int, app: str, workers: int) -> list[str]:
    """Command line of granian."""
    return [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "asgi",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        str(workers),
        "--log-level",
        "error",
        app,
    ]


def python_of(environment: str) -> Path:
    """Interpreter of a peer's environment."""
    return HOME / "venvs" / environment / "bin" / "python"
