"""MapServer 8 on the COGs: its map file, and two FastCGI processes behind nginx."""

import sys
from pathlib import Path
from urllib.parse import urlencode

from matplotlib import colormaps
from matplotlib.colors import to_hex

from bench.asks import Ask, CutAsk, MapAsk, PointAsk
from bench.process import Service, start
from bench.scale import Scale
from bench.servers import BENCH, Server, bbox_text
from bench.venvs import MAPSERV, mapserver_lacks, nginx

_STEPS = 16


def server(scale: Scale) -> Server:
    """MapServer with its map file written."""
    return Server(
        "MapServer 8",
        lambda: _start(scale),
        dict.fromkeys(("W1", "W2", "W3", "W4", "W7", "W8"), (_map,))
        | {"W5a": (_cut,), "W5b": (_cut,), "W6": (_point,)},
        absent=mapserver_lacks(),
    )


def _layer_of(ask: MapAsk) -> str:
    return "sum" if ask.what == "mean" else f"{ask.what}_{ask.step:02d}"


def _map(ask: Ask) -> str:
    assert isinstance(ask, MapAsk)
    return "/?" + urlencode(
        {
            "SERVICE": "WMS",
            "VERSION": "1.3.0",
            "REQUEST": "GetMap",
            "LAYERS": _layer_of(ask),
            "STYLES": "",
            "CRS": ask.crs,
            "BBOX": bbox_text(ask),
            "WIDTH": ask.width,
            "HEIGHT": ask.height,
            "FORMAT": "image/png",
            "TRANSPARENT": "TRUE",
        }
    )


def _cut(ask: Ask) -> str:
    assert isinstance(ask, CutAsk)
    left, bottom, right, top = ask.box
    across, down = (right - left) / (ask.columns - 0.5) / 4, (top - bottom) / (ask.rows - 0.5) / 4
    box = (left - across, bottom - down, right + across, top + down)
    return "/?" + urlencode(
        {
            "SERVICE": "WCS",
            "VERSION": "1.0.0",
            "REQUEST": "GetCoverage",
            "COVERAGE": f"{ask.what}_{ask.step:02d}",
            "CRS": "EPSG:4326",
            "BBOX": ",".join(f"{one:.9f}" for one in box),
            "WIDTH": ask.columns,
            "HEIGHT": ask.rows,
            "FORMAT": "netcdf" if ask.what == "ocean" else "tiff16",
        }
    )


def _point(ask: Ask) -> str:
    assert isinstance(ask, PointAsk)
    box = (ask.lat - 0.003, ask.lon - 0.003, ask.lat + 0.003, ask.lon + 0.003)
    return "/?" + urlencode(
        {
            "SERVICE": "WMS",
            "VERSION": "1.3.0",
            "REQUEST": "GetFeatureInfo",
            "LAYERS": "days",
            "QUERY_LAYERS": "days",
            "STYLES": "",
            "CRS": "EPSG:4326",
            "WIDTH": 3,
            "HEIGHT": 3,
            "BBOX": ",".join(f"{one:.6f}" for one in box),
            "I": 1,
            "J": 1,
            "INFO_FORMAT": "text/plain",
            "FORMAT": "image/png",
        }
    )


def _start(scale: Scale) -> Service:
    folder = scale.home / "mapserver"
    folder.mkdir(parents=True, exist_ok=True)
    map_file = folder / "bench.map"
    map_file.write_text(_map_file(scale))
    settings = folder / "mapserver.conf"
    settings.write_text('CONFIG\n ENV\n  MS_MAP_PATTERN "."\n END\nEND\n')

    def commands(port: int) -> list[list[str]]:
        gate = folder / f"{port}.sock"
        front = folder / f"nginx-{port}.conf"
        front.write_text(_nginx(folder, port, gate, map_file))
        launcher = BENCH / "apps" / "fastcgi.py"
        return [
            [sys.executable, str(launcher), str(gate), "2", str(MAPSERV)],
            [str(nginx()), "-c", str(front), "-p", str(folder)],
        ]

    environment = {"MAPSERVER_CONFIG_FILE": str(settings)}
    probe = "/?SERVICE=WMS&REQUEST=GetCapabilities"
    return start(commands, scale.home / "logs" / "mapserver.log", environment, folder, probe)


def _map_file(scale: Scale) -> str:
    peers = scale.home / "peers"
    days = scale.sst[0]
    layers = [
        _ramp(f"sst_{day:02d}", peers / "sst" / f"{day:02d}.tif", 0, 3000, (-32768, 4326))
        for day in range(days)
    ]
    total = peers / "sst" / "sum.vrt"
    layers.append(_ramp("sum", total, 0, 3000 * days, (-32768 * days, 4326)))
    layers.append(_plain("days", peers / "sst" / "days.vrt", 4326, query=True))
    for step in range(scale.s2[0]):
        file = peers / "s2" / f"{step:02d}.tif"
        stretch = 'PROCESSING "BANDS=3,2,1" PROCESSING "SCALE=0,3000" OFFSITE 0 0 0'
        layers.append(_plain(f"rgb_{step:02d}", file, 32632, stretch))
        index = peers / "s2" / f"{step:02d}_ndvi.vrt"
        layers.append(_ramp(f"ndvi_{step:02d}", index, -1, 1, (-9999, 32632)))
    layers += [
        _plain(
            f"ocean_{step:02d}",
            peers / "ocean" / f"{step:02d}.tif",
            4326,
            f'METADATA "wcs_bandcount" "{scale.ocean[1]}" "wcs_rangeset_name" "bands" END',
        )
        for step in range(scale.ocean[0])
    ]
    return "\n".join([_HEAD, *layers, "END"])


_HEAD = """MAP
NAME bench
EXTENT -180 -90 180 90
SIZE 256 256
MAXSIZE 8192
PROJECTION "init=epsg:4326" END
WEB METADATA
 "ows_enable_request" "*" "ows_srs" "EPSG:4326 EPSG:3857 EPSG:32632"
 "ows_onlineresource" "http://127.0.0.1/" "ows_title" "bench" "wcs_label" "bench"
END END
OUTPUTFORMAT NAME png DRIVER AGG/PNG MIMETYPE "image/png" IMAGEMODE RGBA EXTENSION png
 FORMATOPTION "COMPRESSION=1" END
OUTPUTFORMAT NAME tiff16 DRIVER GDAL/GTiff MIMETYPE "image/tiff" IMAGEMODE INT16 EXTENSION tif
 FORMATOPTION "NULLVALUE=-32768" END
OUTPUTFORMAT NAME netcdf DRIVER GDAL/netCDF MIMETYPE "application/x-netcdf" IMAGEMODE FLOAT32
 EXTENSION nc FORMATOPTION "NULLVALUE=-9999" END"""


def _plain(name: str, file: Path, epsg: int, more: str = "", *, query: bool = False) -> str:
    template = 'TEMPLATE "unused"' if query else ""
    items = '"wms_include_items" "all"' if query else ""
    metadata = "" if "METADATA" in more else f'METADATA "wcs_rangeset_name" "band" {items} END'
    return (
        f'LAYER NAME {name} TYPE RASTER STATUS OFF DATA "{file}" {template} {metadata}\n'
        f' PROJECTION "init=epsg:{epsg}" END {more}\nEND'
    )


def _ramp(name: str, file: Path, low: float, high: float, source: tuple[float, int]) -> str:
    """Viridis by pieces; a table of 1000 buckets is what MapServer evaluates its classes on."""
    nodata, epsg = source
    table = colormaps["viridis"]
    lines = [f'PROCESSING "SCALE={low},{high}" PROCESSING "SCALE_BUCKETS=1000"']
    lines.append(f'PROCESSING "NODATA={nodata:g}"')
    for step in range(_STEPS):
        a, b = (low + (high - low) * place / _STEPS for place in (step, step + 1))
        first, last = to_hex(table(step / _STEPS)), to_hex(table((step + 1) / _STEPS))
        bounds = [] if step == 0 else [f"[pixel] >= {a:g}"]
        bounds += [] if step == _STEPS - 1 else [f"[pixel] < {b:g}"]
        lines.append(
            f'CLASS EXPRESSION ({" AND ".join(bounds)}) STYLE COLORRANGE "{first}" "{last}" '
            f"DATARANGE {a:g} {b:g} END END"
        )
    return _plain(name, file, epsg, "\n ".join(lines))


def _nginx(folder: Path, port: int, gate: Path, map_file: Path) -> str:
    return f"""daemon off; worker_processes 1; pid {folder}/nginx-{port}.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 64; }}
http {{
 access_log off; keepalive_requests 10000000; fastcgi_max_temp_file_size 0;
 fastcgi_buffers 64 64k; client_body_temp_path {folder}/body; fastcgi_temp_path {folder}/fastcgi;
 proxy_temp_path {folder}/proxy; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
 server {{ listen 127.0.0.1:{port}; location / {{
  fastcgi_pass unix:{gate}; fastcgi_read_timeout 30s;
  fastcgi_param REQUEST_METHOD $request_method;
  fastcgi_param QUERY_STRING "map={map_file}&$query_string";
  fastcgi_param SERVER_NAME 127.0.0.1; fastcgi_param SERVER_PORT {port};
  fastcgi_param SCRIPT_NAME /; fastcgi_param SERVER_PROTOCOL $server_protocol;
 }} }}
}}"""
