"""The peers that come from PyPI, and how each is asked for the same pictures and values."""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote, urlencode

import yaml

from bench import mapserver
from bench.asks import Ask, CutAsk, MapAsk, PointAsk
from bench.process import Service, start
from bench.scale import Scale
from bench.servers import BENCH, Server, bbox_text, level_of, python_of, time_of

PROCESSES = 2


def all_peers(scale: Scale, failures: Mapping[str, str]) -> list[Server]:
    """Every peer; one whose environment could not be made says so.

    Parameters
    ----------
    scale : Scale
    failures : environment -> why it could not be made
    """
    makers: dict[str, Callable[[Scale, str], Server]] = {
        "titiler": _titiler, "titiler-xarray": _titiler_xarray, "xpublish-tiles": _xpublish_tiles,
        "xpublish-wms": _xpublish_wms, "pygeoapi": _pygeoapi,
    }  # fmt: skip
    found = [mapserver.server(scale)]
    found += [make(scale, failures.get(name, "")) for name, make in makers.items()]
    found.insert(3, _rio_tiler(scale, failures.get("titiler-xarray", "")))
    return found


def _uvicorn(
    scale: Scale, environment: str, app: str, probe: str, extra: Mapping[str, str] | None = None
) -> Callable[[], Service]:
    def commands(port: int) -> Sequence[Sequence[str]]:
        return [[
            str(python_of(environment)), "-m", "uvicorn", f"{app}:app", "--port", str(port),
            "--workers", str(PROCESSES), "--log-level", "warning", "--no-access-log",
        ]]  # fmt: skip

    variables = {"BENCH_PEERS": str(scale.home / "peers"), **(extra or {})}
    log = scale.home / "logs" / f"{app}-{environment}.log"
    return lambda: start(commands, log, variables, BENCH / "apps", probe)


def _bounds(ask: MapAsk | CutAsk) -> str:
    return ",".join(f"{one:.9f}" for one in ask.box)


def _outer(ask: CutAsk) -> str:
    """Outer edges of the cells."""
    left, bottom, right, top = ask.box
    x, y = (right - left) / (ask.columns - 0.5) / 4, (top - bottom) / (ask.rows - 0.5) / 4
    return ",".join(f"{one:.9f}" for one in (left - x, bottom - y, right + x, top + y))


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
        assert isinstance(ask, MapAsk) and ask.tile is not None
        query = urlencode({"url": file(ask), **looks[ask.what]}, doseq=True)
        return "/tiles/WebMercatorQuad/{}/{}/{}.png?".format(*ask.tile) + f"tilesize=256&{query}"

    def part(ask: Ask) -> str:
        assert isinstance(ask, MapAsk)
        query = urlencode({
            "url": file(ask), "coord_crs": ask.crs, "dst_crs": ask.crs, **looks[ask.what],
        }, doseq=True)  # fmt: skip
        return f"/bbox/{_bounds(ask)}/{ask.width}x{ask.height}.png?{query}"

    def cut(ask: Ask) -> str:
        assert isinstance(ask, CutAsk)
        query = urlencode({"url": f"{peers}/sst/{ask.step:02d}.tif"})
        return f"/bbox/{_outer(ask)}/{ask.columns}x{ask.rows}.tif?{query}"

    def point(ask: Ask) -> str:
        assert isinstance(ask, PointAsk)
        return f"/point/{ask.lon},{ask.lat}?url={quote(f'{peers}/sst/days.vrt')}"

    return Server(
        "titiler (COG)",
        _uvicorn(scale, "titiler", "titiler_cog", "/docs"),
        {"W1": (tile,), "W2": (tile,), "W3": (part,), "W4": (part,), "W5b": (cut,),
         "W6": (point,), "W7": (part,), "W8": (tile,)},
        {"W5a": "writes no NetCDF"},
        absent,
    )  # fmt: skip


def _titiler_xarray(scale: Scale, absent: str) -> Server:
    peers = scale.home / "peers"
    looks = {
        "sst": {"rescale": "0,30", "colormap_name": "viridis"},
        "rgb": {"bidx": ["3", "2", "1"], "rescale": "0,3000"},
    }

    def source(ask: MapAsk) -> dict[str, str]:
        name = "sst" if ask.what == "sst" else "s2"
        return {
            "url": f"{peers}/{name}.zarr", "variable": name, "group": str(level_of(ask, scale)),
            "sel": f"time={time_of(ask.what, ask.step)[:10]}",
        }  # fmt: skip

    def tile(ask: Ask) -> str:
        assert isinstance(ask, MapAsk) and ask.tile is not None
        query = urlencode({**source(ask), **looks[ask.what]}, doseq=True)
        return "/tiles/WebMercatorQuad/{}/{}/{}.png?".format(*ask.tile) + f"tilesize=256&{query}"

    def part(ask: Ask) -> str:
        assert isinstance(ask, MapAsk)
        query = {**source(ask), "coord_crs": ask.crs, "dst_crs": ask.crs, **looks[ask.what]}
        return (f"/bbox/{_bounds(ask)}/{ask.width}x{ask.height}.png?"
                f"{urlencode(query, doseq=True)}")  # fmt: skip

    def cut(ask: Ask) -> str:
        assert isinstance(ask, CutAsk)
        query = urlencode({"url": f"{peers}/sst.zarr", "variable": "sst", "group": "0",
                           "sel": f"time={time_of('sst', ask.step)[:10]}"})  # fmt: skip
        return f"/bbox/{_outer(ask)}/{ask.columns}x{ask.rows}.tif?{query}"

    def point(ask: Ask) -> str:
        assert isinstance(ask, PointAsk)
        query = urlencode({"url": f"{peers}/sst.zarr", "variable": "sst", "group": "0"})
        return f"/point/{ask.lon},{ask.lat}?{query}"

    return Server(
        "titiler.xarray",
        _uvicorn(scale, "titiler-xarray", "titiler_zarr", "/docs"),
        {"W1": (tile,), "W2": (tile,), "W3": (part,), "W4": (part,), "W5b": (cut,),
         "W6": (point,)},
        {"W5a": "writes no NetCDF", "W7": "no expressions on Zarr", "W8": "no expressions on Zarr"},
        absent,
    )  # fmt: skip


def _rio_tiler(scale: Scale, absent: str) -> Server:
    def lead(ask: MapAsk) -> str:
        return f"{'sst' if ask.what == 'sst' else 's2'}/{level_of(ask, scale)}/{ask.step}"

    def tile(ask: Ask) -> str:
        assert isinstance(ask, MapAsk) and ask.tile is not None
        return f"/tile/{lead(ask)}/" + "/".join(map(str, ask.tile))

    def part(ask: Ask) -> str:
        assert isinstance(ask, MapAsk)
        query = {"box": _bounds(ask), "crs": ask.crs, "width": ask.width, "height": ask.height}
        return f"/part/{lead(ask)}?{urlencode(query)}"

    return Server(
        "rio-tiler (Zarr)",
        _uvicorn(scale, "titiler-xarray", "rio_tiler_zarr", "/docs"),
        {"W1": (tile,), "W2": (tile,), "W3": (part,), "W4": (part,)},
        dict.fromkeys(("W5a", "W5b", "W6", "W7", "W8"), "a library; asked for pictures only"),
        absent,
    )


def _xpublish_tiles(scale: Scale, absent: str) -> Server:
    def look(ask: MapAsk) -> dict[str, str]:
        time = time_of(ask.what, ask.step)[:-1]
        if ask.what == "sst":
            return {"style": "raster/viridis", "colorscalerange": "0,30", "time": time}
        return {"style": "raster/rgb", "colorscalerange": "0,3000", "time": time}

    def tile(ask: Ask) -> str:
        assert isinstance(ask, MapAsk) and ask.tile is not None
        z, x, y = ask.tile
        cube, field = ("sst", "sst") if ask.what == "sst" else ("s2", "rgb")
        query = {"variables": field, "width": 256, "height": 256, "f": "image/png", **look(ask)}
        return f"/datasets/{cube}/tiles/WebMercatorQuad/{z}/{y}/{x}?{urlencode(query)}"

    def wms(ask: Ask) -> str:
        assert isinstance(ask, MapAsk)
        cube, field = ("sst", "sst") if ask.what == "sst" else ("s2", "rgb")
        found = look(ask)
        return f"/datasets/{cube}/wms?" + urlencode({
            "service": "WMS", "version": "1.3.0", "request": "GetMap", "layers": field,
            "styles": found.pop("style"), "crs": ask.crs, "bbox": bbox_text(ask),
            "width": ask.width, "height": ask.height, "format": "image/png", **found,
        })  # fmt: skip

    return Server(
        "xpublish-tiles",
        _uvicorn(scale, "xpublish-tiles", "xpublish_app", "/datasets", {"BENCH_PLUGINS": "tiles"}),
        {"W1": (tile,), "W2": (tile,), "W3": (wms,), "W4": (wms,)},
        dict.fromkeys(("W5a", "W5b", "W6"), "serves pictures only")
        | dict.fromkeys(("W7", "W8"), "no reduction, no band maths"),
        absent,
    )


def _xpublish_wms(scale: Scale, absent: str) -> Server:
    def wms(ask: Ask) -> str:
        assert isinstance(ask, MapAsk)
        box = bbox_text(ask)
        return f"/datasets/sst{level_of(ask, scale)}/wms?" + urlencode({
            "service": "WMS", "version": "1.3.0", "request": "GetMap", "layers": "sst",
            "styles": "raster/viridis", "crs": ask.crs, "bbox": box, "width": ask.width,
            "height": ask.height, "time": time_of("sst", ask.step), "colorscalerange": "0,30",
        })  # fmt: skip

    def wms_xy(ask: Ask) -> str:
        """The same with x before y in EPSG:4326, which some versions want."""
        assert isinstance(ask, MapAsk)
        return wms(ask).replace(quote(bbox_text(ask), safe=""), quote(_bounds(ask), safe=""))

    def cut(ask: Ask) -> str:
        assert isinstance(ask, CutAsk)
        cube, field, form = (
            ("ocean", "temperature", "nc") if ask.what == "ocean" else ("sst0", "sst", "geotiff")
        )
        query = {"bbox": _bounds(ask), "parameter-name": field, "f": form,
                 "datetime": time_of(ask.what, ask.step)[:-1]}  # fmt: skip
        return f"/datasets/{cube}/edr/cube?{urlencode(query)}"

    def point(ask: Ask) -> str:
        assert isinstance(ask, PointAsk)
        query = {"coords": f"POINT({ask.lon} {ask.lat})", "parameter-name": "sst", "f": "csv"}
        return f"/datasets/sst0/edr/position?{urlencode(query)}"

    return Server(
        "xpublish-wms/EDR",
        _uvicorn(scale, "xpublish-wms", "xpublish_app", "/datasets", {"BENCH_PLUGINS": "wms"}),
        {"W1": (wms,), "W3": (wms, wms_xy), "W5a": (cut,), "W5b": (cut,), "W6": (point,)},
        dict.fromkeys(("W2", "W4"), "no composites of three bands")
        | dict.fromkeys(("W7", "W8"), "no reduction, no band maths"),
        absent,
    )


def _pygeoapi(scale: Scale, absent: str) -> Server:
    folder = scale.home / "pygeoapi"

    def begin() -> Service:
        folder.mkdir(parents=True, exist_ok=True)
        link = folder / "sst.zarr"  # it knows Zarr by the ending
        if not link.exists():
            link.symlink_to(scale.home / "peers" / "sst.zarr" / "0")
        settings, document = folder / "config.yml", folder / "openapi.yml"
        settings.write_text(yaml.safe_dump(_pygeoapi_config(scale)))
        variables = {"PYGEOAPI_CONFIG": str(settings), "PYGEOAPI_OPENAPI": str(document)}
        binary = python_of("pygeoapi").parent
        make = [str(binary / "pygeoapi"), "openapi", "generate", str(settings),
                "--output-file", str(document)]  # fmt: skip
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        done = subprocess.run(
            make, env={**clean, **variables}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"no OpenAPI document: {done.stderr.strip()[-200:]}")

        def commands(port: int) -> Sequence[Sequence[str]]:
            return [[
                str(binary / "gunicorn"), "-w", str(PROCESSES), "-b", f"127.0.0.1:{port}",
                "-k", "gthread", "--threads", "4", "--keep-alive", "60",
                "--log-level", "error", "pygeoapi.flask_app:APP",
            ]]  # fmt: skip

        return start(commands, scale.home / "logs" / "pygeoapi.log", variables, folder, "/")

    def ocean(ask: Ask) -> str:
        assert isinstance(ask, CutAsk)
        time = time_of("ocean", ask.step)[:-1]
        query = {"bbox": _bounds(ask), "f": "NetCDF",
                 "datetime": f"{time}/{time}"}  # fmt: skip
        return f"/collections/ocean/coverage?{urlencode(query)}"

    def cut(ask: Ask) -> str:
        assert isinstance(ask, CutAsk)
        query = {"bbox": _outer(ask), "f": "GTiff"}
        return f"/collections/sst_{ask.step:02d}/coverage?{urlencode(query)}"

    def point(ask: Ask) -> str:
        assert isinstance(ask, PointAsk)
        query = {"coords": f"POINT({ask.lon} {ask.lat})", "parameter-name": "sst", "f": "json"}
        return f"/collections/sst/position?{urlencode(query)}"

    return Server(
        "pygeoapi",
        begin,
        {"W5a": (ocean,), "W5b": (cut,), "W6": (point,)},
        dict.fromkeys(("W1", "W2", "W3", "W4"), "maps only through MapServer's WMS")
        | dict.fromkeys(("W7", "W8"), "no reduction, no band maths"),
        absent,
    )


def _pygeoapi_config(scale: Scale) -> dict[str, object]:
    peers = scale.home / "peers"

    def collection(*providers: dict[str, object]) -> dict[str, object]:
        extent = {"spatial": {"bbox": [-180, -90, 180, 90],
                              "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}}  # fmt: skip
        link = {"type": "text/html", "rel": "canonical", "href": "http://127.0.0.1/", "title": "b"}
        return {
            "type": "collection", "title": "bench", "description": "bench", "keywords": ["bench"],
            "links": [link], "extents": extent, "providers": list(providers),
        }  # fmt: skip

    def zarr(name: str, kind: str, provider: str) -> dict[str, object]:
        return {
            "type": kind, "name": provider, "data": str(scale.home / "pygeoapi" / f"{name}.zarr"),
            "x_field": "lon", "y_field": "lat", "time_field": "time",
            "format": {"name": "zarr", "mimetype": "application/zip"},
            "options": {"zarr": {"consolidated": False}},
        }  # fmt: skip

    rasters = {
        f"sst_{day:02d}": collection({
            "type": "coverage", "name": "rasterio", "data": f"{peers}/sst/{day:02d}.tif",
            "options": {"DATA_ENCODING": "COMPRESS"},
            "format": {"name": "GTiff", "mimetype": "application/image+tiff"},
        })
        for day in range(scale.sst[0])
    }  # fmt: skip
    person = {"name": "bench", "address": "", "url": "http://127.0.0.1/", "email": "a@example.org"}
    return {
        "server": {
            "bind": {"host": "127.0.0.1", "port": 5000}, "url": "http://127.0.0.1:5000",
            "mimetype": "application/json; charset=UTF-8", "encoding": "utf-8",
            "languages": ["en-US"], "limits": {"default_items": 10, "max_items": 100},
            "map": {"url": "https://example.org/{z}/{x}/{y}.png", "attribution": "none"},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {"title": "bench", "description": "bench", "keywords": ["bench"],
                               "keywords_type": "theme", "terms_of_service": "none",
                               "url": "http://127.0.0.1/"},
            "license": {"name": "none", "url": "http://127.0.0.1/"},
            "provider": {"name": "bench", "url": "http://127.0.0.1/"}, "contact": person,
        },
        "resources": {
            **rasters,
            "sst": collection(zarr("sst", "coverage", "xarray"), zarr("sst", "edr", "xarray-edr")),
            "ocean": collection({
                "type": "coverage", "name": "xarray", "data": f"{peers}/ocean.nc",
                "x_field": "lon", "y_field": "lat", "time_field": "time",
                "format": {"name": "NetCDF", "mimetype": "application/x-netcdf"},
            }),
        },
    }  # fmt: skip
