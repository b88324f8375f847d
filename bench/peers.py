"""The peers that come from PyPI, and how each is asked for the same pictures and values."""

from collections.abc import Callable, Mapping
from urllib.parse import quote, urlencode

from bench import mapserver, pygeoapi, xpublish
from bench.asks import Ask, CutAsk, MapAsk, PointAsk
from bench.scale import Scale
from bench.servers import (
    Server,
    bounds_text,
    level_of,
    outer_text,
    time_of,
    uvicorn,
)


def all_peers(scale: Scale, failures: Mapping[str, str]) -> list[Server]:
    """Every peer; one whose environment could not be made says so.

    Parameters
    ----------
    scale : Scale
    failures : environment -> why it could not be made
    """
    makers: dict[str, Callable[[Scale, str], Server]] = {
        "titiler": _titiler,
        "titiler-xarray": _titiler_xarray,
        "xpublish-tiles": xpublish.tiles,
        "xpublish-wms": xpublish.wms,
        "pygeoapi": pygeoapi.server,
    }
    found = [mapserver.server(scale)]
    found += [make(scale, failures.get(name, "")) for name, make in makers.items()]
    found.insert(3, _rio_tiler(scale, failures.get("titiler-xarray", "")))
    return found


def _titiler(scale: Scale, absent: str) -> Server:
    peers = scale.home / "peers"
    days = scale.sst[0]
    looks = {
        "sst": {"rescale": "0,3000", "colormap_name": "viridis"},
        "mean": {"rescale": f"0,{3000 * days}", "colormap_name": "viridis"},
        "rgb": {"bidx": ["3", "2", "1"], "rescale": "0,3000"},
        "ndvi": {"expression": "(b4-b3)/(b4+b3)", "rescale": "-1,1", "colormap_name": "viridis"},
    }

    def file(ask: MapAsk) -> str:
        match ask.what:
            case "mean":
                return f"{peers}/sst/sum.vrt"
            case "sst":
                return f"{peers}/sst/{ask.step:02d}.tif"
            case _:
                return f"{peers}/s2/{ask.step:02d}.tif"

    def tile(ask: Ask) -> str:
        assert isinstance(ask, MapAsk)
        assert ask.tile is not None
        query = urlencode({"url": file(ask), **looks[ask.what]}, doseq=True)
        return "/tiles/WebMercatorQuad/{}/{}/{}.png?".format(*ask.tile) + f"tilesize=256&{query}"

    def part(ask: Ask) -> str:
        assert isinstance(ask, MapAsk)
        query = urlencode(
            {
                "url": file(ask),
                "coord_crs": ask.crs,
                "dst_crs": ask.crs,
                **looks[ask.what],
            },
            doseq=True,
        )
        return f"/bbox/{bounds_text(ask)}/{ask.width}x{ask.height}.png?{query}"

    def cut(ask: Ask) -> str:
        assert isinstance(ask, CutAsk)
        query = urlencode({"url": f"{peers}/sst/{ask.step:02d}.tif"})
        return f"/bbox/{outer_text(ask)}/{ask.columns}x{ask.rows}.tif?{query}"

    def point(ask: Ask) -> str:
        assert isinstance(ask, PointAsk)
        return f"/point/{ask.lon},{ask.lat}?url={quote(f'{peers}/sst/days.vrt')}"

    return Server(
        "titiler (COG)",
        uvicorn(scale, "titiler", "titiler_cog", "/docs"),
        {
            "W1": (tile,),
            "W2": (tile,),
            "W3": (part,),
            "W4": (part,),
            "W5b": (cut,),
            "W6": (point,),
            "W7": (part,),
            "W8": (tile,),
        },
        {"W5a": "writes no NetCDF"},
        absent,
    )


def _titiler_xarray(scale: Scale, absent: str) -> Server:
    peers = scale.home / "peers"
    looks = {
        "sst": {"rescale": "0,30", "colormap_name": "viridis"},
        "rgb": {"bidx": ["3", "2", "1"], "rescale": "0,3000"},
    }

    def source(ask: MapAsk) -> dict[str, str]:
        name = "sst" if ask.what == "sst" else "s2"
        return {
            "url": f"{peers}/{name}.zarr",
            "variable": name,
            "group": str(level_of(ask, scale)),
            "sel": f"time={time_of(ask.what, ask.step)[:10]}",
        }

    def tile(ask: Ask) -> str:
        assert isinstance(ask, MapAsk)
        assert ask.tile is not None
        query = urlencode({**source(ask), **looks[ask.what]}, doseq=True)
        return "/tiles/WebMercatorQuad/{}/{}/{}.png?".format(*ask.tile) + f"tilesize=256&{query}"

    def part(ask: Ask) -> str:
        assert isinstance(ask, MapAsk)
        query = {**source(ask), "coord_crs": ask.crs, "dst_crs": ask.crs, **looks[ask.what]}
        return (
            f"/bbox/{bounds_text(ask)}/{ask.width}x{ask.height}.png?{urlencode(query, doseq=True)}"
        )

    def cut(ask: Ask) -> str:
        assert isinstance(ask, CutAsk)
        query = urlencode(
            {
                "url": f"{peers}/sst.zarr",
                "variable": "sst",
                "group": "0",
                "sel": f"time={time_of('sst', ask.step)[:10]}",
            }
        )
        return f"/bbox/{outer_text(ask)}/{ask.columns}x{ask.rows}.tif?{query}"

    def point(ask: Ask) -> str:
        assert isinstance(ask, PointAsk)
        query = urlencode({"url": f"{peers}/sst.zarr", "variable": "sst", "group": "0"})
        return f"/point/{ask.lon},{ask.lat}?{query}"

    return Server(
        "titiler.xarray",
        uvicorn(scale, "titiler-xarray", "titiler_zarr", "/docs"),
        {"W1": (tile,), "W2": (tile,), "W3": (part,), "W4": (part,), "W5b": (cut,), "W6": (point,)},
        {"W5a": "writes no NetCDF", "W7": "no expressions on Zarr", "W8": "no expressions on Zarr"},
        absent,
    )


def _rio_tiler(scale: Scale, absent: str) -> Server:
    def lead(ask: MapAsk) -> str:
        return f"{'sst' if ask.what == 'sst' else 's2'}/{level_of(ask, scale)}/{ask.step}"

    def tile(ask: Ask) -> str:
        assert isinstance(ask, MapAsk)
        assert ask.tile is not None
        return f"/tile/{lead(ask)}/" + "/".join(map(str, ask.tile))

    def part(ask: Ask) -> str:
        assert isinstance(ask, MapAsk)
        query = {"box": bounds_text(ask), "crs": ask.crs, "width": ask.width, "height": ask.height}
        return f"/part/{lead(ask)}?{urlencode(query)}"

    return Server(
        "rio-tiler (Zarr)",
        uvicorn(scale, "titiler-xarray", "rio_tiler_zarr", "/docs"),
        {"W1": (tile,), "W2": (tile,), "W3": (part,), "W4": (part,)},
        dict.fromkeys(("W5a", "W5b", "W6", "W7", "W8"), "a library; asked for pictures only"),
        absent,
    )
