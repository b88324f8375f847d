"""``datacube serve`` as an operator starts it, and how it is asked."""

import sys
from pathlib import Path
from urllib.parse import urlencode

from bench.asks import Ask, CutAsk, MapAsk, PointAsk
from bench.process import Service, start
from bench.scale import Scale
from bench.servers import PathOf, Server, bbox_text, time_of

NDVI = "(B08-B04)/(B08+B04)"


def server(scale: Scale) -> Server:
    """Our server with its defaults: a process for each core."""
    return Server(
        "ours",
        lambda: start_server(scale, scale.home / "store"),
        {
            "W1": (_tile("sst", "default"),),
            "W2": (_tile("s2", "true-color"),),
            "W3": (_map("sst", "default"),),
            "W4": (_map("s2", "true-color"),),
            "W5a": (_ocean,),
            "W5b": (_sst,),
            "W6": (_point("text/csv"), _point("application/prs.coverage+json")),
            "W7": (_mean(scale),),
            "W8": (_tile("s2", "ndvi"), _map("s2", "", EXPR=NDVI)),
        },
    )


def start_server(scale: Scale, store: Path) -> Service:
    """Run the command over a store until it answers."""

    def commands(port: int) -> list[list[str]]:
        serve = ["-m", "services", "serve", "--store", str(store), "--port", str(port)]
        return [[sys.executable, *serve]]

    return start(commands, scale.home / "logs" / "ours.log", {}, Path.cwd(), "/healthz")


def _tile(layer: str, style: str) -> PathOf:
    def path(ask: Ask) -> str:
        assert isinstance(ask, MapAsk)
        assert ask.tile is not None
        z, x, y = ask.tile
        time = time_of(ask.what, ask.step)
        return f"/wmts/1.0.0/{layer}/{style}/{time}/WebMercatorQuad/{z}/{y}/{x}.png"

    return path


def _map(layer: str, style: str, **more: str) -> PathOf:
    def path(ask: Ask) -> str:
        assert isinstance(ask, MapAsk)
        keys = {
            "SERVICE": "WMS",
            "VERSION": "1.3.0",
            "REQUEST": "GetMap",
            "LAYERS": layer,
            "STYLES": style,
            "CRS": ask.crs,
            "BBOX": bbox_text(ask),
            "WIDTH": ask.width,
            "HEIGHT": ask.height,
            "FORMAT": "image/png",
            "TRANSPARENT": "TRUE",
            "TIME": time_of(ask.what, ask.step),
        }
        return "/wms?" + urlencode({**keys, **more})

    return path


def _mean(scale: Scale) -> PathOf:
    days = f"{time_of('sst', 0)}/{time_of('sst', scale.sst[0] - 1)}"
    return _map("sst", "default", AGG="mean", TIME=days)


def _coverage(name: str, media_type: str, subsets: list[str], **more: str) -> str:
    pairs = [("SERVICE", "WCS"), ("VERSION", "2.0.1"), ("REQUEST", "GetCoverage")]
    pairs += [("COVERAGEID", name), ("FORMAT", media_type)]
    return "/wcs?" + urlencode([*pairs, *(("SUBSET", one) for one in subsets), *more.items()])


def _trims(ask: CutAsk) -> list[str]:
    left, bottom, right, top = ask.box
    time = time_of(ask.what, ask.step)
    return [f"Long({left},{right})", f"Lat({bottom},{top})", f'ansi("{time}")']


def _ocean(ask: Ask) -> str:
    assert isinstance(ask, CutAsk)
    return _coverage("ocean", "application/netcdf", _trims(ask), RANGESUBSET="temperature")


def _sst(ask: Ask) -> str:
    assert isinstance(ask, CutAsk)
    return _coverage("sst", "image/tiff", _trims(ask))


def _point(media_type: str) -> PathOf:
    def path(ask: Ask) -> str:
        assert isinstance(ask, PointAsk)
        return _coverage("sst", media_type, [f"Long({ask.lon})", f"Lat({ask.lat})"])

    return path
