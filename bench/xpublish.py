"""xpublish-tiles, and xpublish-wms with xpublish-edr."""

from urllib.parse import quote, urlencode

from bench.asks import Ask, CutAsk, MapAsk, PointAsk
from bench.scale import Scale
from bench.servers import Server, bbox_text, bounds_text, level_of, time_of, uvicorn


def tiles(scale: Scale, absent: str) -> Server:
    def look(ask: MapAsk) -> dict[str, str]:
        time = time_of(ask.what, ask.step)[:-1]
        if ask.what == "sst":
            return {"style": "raster/viridis", "colorscalerange": "0,30", "time": time}
        return {"style": "raster/rgb", "colorscalerange": "0,3000", "time": time}

    def tile(ask: Ask) -> str:
        assert isinstance(ask, MapAsk)
        assert ask.tile is not None
        z, x, y = ask.tile
        cube, field = ("sst", "sst") if ask.what == "sst" else ("s2", "rgb")
        query = {"variables": field, "width": 256, "height": 256, "f": "image/png", **look(ask)}
        return f"/datasets/{cube}/tiles/WebMercatorQuad/{z}/{y}/{x}?{urlencode(query)}"

    def wms(ask: Ask) -> str:
        assert isinstance(ask, MapAsk)
        cube, field = ("sst", "sst") if ask.what == "sst" else ("s2", "rgb")
        found = look(ask)
        return f"/datasets/{cube}/wms?" + urlencode(
            {
                "service": "WMS",
                "version": "1.3.0",
                "request": "GetMap",
                "layers": field,
                "styles": found.pop("style"),
                "crs": ask.crs,
                "bbox": bbox_text(ask),
                "width": ask.width,
                "height": ask.height,
                "format": "image/png",
                **found,
            }
        )

    return Server(
        "xpublish-tiles",
        uvicorn(scale, "xpublish-tiles", "xpublish_app", "/datasets", {"BENCH_PLUGINS": "tiles"}),
        {"W1": (tile,), "W2": (tile,), "W3": (wms,), "W4": (wms,)},
        dict.fromkeys(("W5a", "W5b", "W6"), "serves pictures only")
        | dict.fromkeys(("W7", "W8"), "no reduction, no band maths"),
        absent,
    )


def wms(scale: Scale, absent: str) -> Server:
    def wms(ask: Ask) -> str:
        assert isinstance(ask, MapAsk)
        box = bbox_text(ask)
        return f"/datasets/sst{level_of(ask, scale)}/wms?" + urlencode(
            {
                "service": "WMS",
                "version": "1.3.0",
                "request": "GetMap",
                "layers": "sst",
                "styles": "raster/viridis",
                "crs": ask.crs,
                "bbox": box,
                "width": ask.width,
                "height": ask.height,
                "time": time_of("sst", ask.step),
                "colorscalerange": "0,30",
            }
        )

    def wms_xy(ask: Ask) -> str:
        """The same with x before y in EPSG:4326, which some versions want."""
        assert isinstance(ask, MapAsk)
        return wms(ask).replace(quote(bbox_text(ask), safe=""), quote(bounds_text(ask), safe=""))

    def cut(ask: Ask) -> str:
        assert isinstance(ask, CutAsk)
        cube, field, form = (
            ("ocean", "temperature", "nc") if ask.what == "ocean" else ("sst0", "sst", "geotiff")
        )
        query = {
            "bbox": bounds_text(ask),
            "parameter-name": field,
            "f": form,
            "datetime": time_of(ask.what, ask.step)[:-1],
        }
        return f"/datasets/{cube}/edr/cube?{urlencode(query)}"

    def point(ask: Ask) -> str:
        assert isinstance(ask, PointAsk)
        query = {"coords": f"POINT({ask.lon} {ask.lat})", "parameter-name": "sst", "f": "csv"}
        return f"/datasets/sst0/edr/position?{urlencode(query)}"

    return Server(
        "xpublish-wms/EDR",
        uvicorn(scale, "xpublish-wms", "xpublish_app", "/datasets", {"BENCH_PLUGINS": "wms"}),
        {"W1": (wms,), "W3": (wms, wms_xy), "W5a": (cut,), "W5b": (cut,), "W6": (point,)},
        dict.fromkeys(("W2", "W4"), "no composites of three bands")
        | dict.fromkeys(("W7", "W8"), "no reduction, no band maths"),
        absent,
    )
