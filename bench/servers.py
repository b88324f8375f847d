"""A server under test: how it is started and how it is asked; ours, the prototype, the constant."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import cos, floor, log2, radians
from pathlib import Path
from urllib.parse import urlencode

from bench import cubes
from bench.asks import Ask, CutAsk, MapAsk, PointAsk, R
from bench.process import Service, start
from bench.scale import HOME, Scale

BENCH = Path(__file__).resolve().parent
REPOSITORY = BENCH.parent
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


def ours(scale: Scale) -> Server:
    """``datacube serve`` as an operator starts it, on the default port's neighbour."""
    store = scale.home / "store"
    last = scale.sst[0] - 1

    def command(port: int) -> list[list[str]]:
        serve = ["-m", "services", "serve", "--store", str(store), "--port", str(port)]
        return [[sys.executable, *serve]]

    def tile(ask: Ask, **more: str) -> str:
        assert isinstance(ask, MapAsk) and ask.tile is not None
        z, x, y = ask.tile
        layer, style = ("sst", "default") if ask.what == "sst" else ("s2", "true-color")
        time = time_of(ask.what, ask.step)
        query = f"?{urlencode(more)}" if more else ""
        return f"/wmts/1.0.0/{layer}/{style}/{time}/WebMercatorQuad/{z}/{y}/{x}.png{query}"

    def wms(ask: Ask, **more: str) -> str:
        assert isinstance(ask, MapAsk)
        layer, style = ("sst", "default") if ask.what in {"sst", "mean"} else ("s2", "true-color")
        return "/wms?" + urlencode({
            "SERVICE": "WMS", "VERSION": "1.3.0", "REQUEST": "GetMap", "LAYERS": layer,
            "STYLES": style, "CRS": ask.crs, "BBOX": bbox_text(ask), "WIDTH": ask.width,
            "HEIGHT": ask.height, "FORMAT": "image/png", "TRANSPARENT": "TRUE",
            "TIME": time_of(ask.what, ask.step), **more,
        })  # fmt: skip

    def wcs(ask: Ask, coverage: str, media_type: str, subsets: list[str], **more: str) -> str:
        pairs = [
            ("SERVICE", "WCS"), ("VERSION", "2.0.1"), ("REQUEST", "GetCoverage"),
            ("COVERAGEID", coverage), *(("SUBSET", one) for one in subsets),
            ("FORMAT", media_type), *more.items(),
        ]  # fmt: skip
        return "/wcs?" + urlencode(pairs)

    def cut(ask: Ask) -> str:
        assert isinstance(ask, CutAsk)
        left, bottom, right, top = ask.box
        subsets = [f"Long({left},{right})", f"Lat({bottom},{top})",
                   f'ansi("{time_of(ask.what, ask.step)}")']  # fmt: skip
        if ask.what == "ocean":
            return wcs(ask, "ocean", "application/netcdf", subsets, RANGESUBSET="temperature")
        return wcs(ask, "sst", "image/tiff", subsets)

    def point(media_type: str) -> PathOf:
        def path(ask: Ask) -> str:
            assert isinstance(ask, PointAsk)
            subsets = [f"Long({ask.lon})", f"Lat({ask.lat})"]
            return wcs(ask, "sst", media_type, subsets)

        return path

    def mean(ask: Ask) -> str:
        return wms(ask, AGG="mean", TIME=f"{time_of('sst', 0)}/{time_of('sst', last)}")

    expression = "(B08-B04)/(B08+B04)"

    def ndvi(ask: Ask) -> str:
        return tile(ask, EXPR=expression)

    def ndvi_map(ask: Ask) -> str:
        return wms(ask, EXPR=expression, STYLES="", COLORSCALERANGE="-1,1")

    return Server(
        "ours",
        lambda: start(
            command, scale.home / "logs" / "ours.log", {}, Path.cwd(), "/healthz"
        ),
        {
            "W1": (tile,), "W2": (tile,), "W3": (wms,), "W4": (wms,), "W5a": (cut,), "W5b": (cut,),
            "W6": (point("text/csv"), point("application/prs.coverage+json")),
            "W7": (mean,), "W8": (ndvi, ndvi_map),
        },
    )  # fmt: skip


def prototype(scale: Scale) -> Server:
    """The bare numpy pipeline, two processes: the upper bound."""
    shapes = {"sst": scale.sst, "s2": scale.s2, "ocean": scale.ocean}
    environment = {
        "BENCH_STORE": str(scale.home / "store"),
        "BENCH_SHAPES": ";".join(f"{k}={','.join(map(str, v))}" for k, v in shapes.items()),
    }

    def boxed(ask: Ask) -> str:
        assert isinstance(ask, MapAsk)
        return "l={}&b={}&r={}&t={}".format(*ask.box) + f"&d={ask.step}"

    def tile(ask: Ask) -> str:
        assert isinstance(ask, MapAsk) and ask.tile is not None
        return "/W1?z={}&x={}&y={}".format(*ask.tile) + f"&d={ask.step}"

    def cut(ask: Ask) -> str:
        assert isinstance(ask, CutAsk)
        return f"?i={ask.row}&j={ask.column}&m={ask.rows}&n={ask.columns}&d={ask.step}"

    def point(ask: Ask) -> str:
        assert isinstance(ask, PointAsk)
        return f"/W6?i={ask.row}&j={ask.column}"

    maps = {name: (lambda ask, name=name: f"/{name}?{boxed(ask)}",)
            for name in ("W2", "W3", "W4", "W7", "W8")}  # fmt: skip
    return Server(
        "prototype",
        lambda: start(
            lambda port: [granian(port, "prototype:app", 2)],
            scale.home / "logs" / "prototype.log", environment, BENCH / "apps", "/",
        ),
        {
            **maps, "W1": (tile,), "W6": (point,),
            "W5a": (lambda ask: f"/W5a{cut(ask)}",), "W5b": (lambda ask: f"/W5b{cut(ask)}",),
        },
    )  # fmt: skip


def constant(scale: Scale) -> Server:
    """The HTTP server of ours with nothing behind it."""
    return Server(
        "constant 20 kB",
        lambda: start(
            lambda port: [granian(port, "constant:app", 1)],
            scale.home / "logs" / "constant.log", {}, BENCH / "apps", "/",
        ),
        {},
    )  # fmt: skip


def granian(port: int, app: str, workers: int) -> list[str]:
    """Command line of granian."""
    return [
        sys.executable, "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1",
        "--port", str(port), "--workers", str(workers), "--log-level", "error", app,
    ]  # fmt: skip


def python_of(environment: str) -> Path:
    """Interpreter of a peer's environment."""
    return HOME / "venvs" / environment / "bin" / "python"


