"""pygeoapi: coverages of COGs, Zarr and NetCDF, and EDR positions."""

import os
import subprocess
from collections.abc import Sequence
from urllib.parse import urlencode

import yaml

from bench.asks import Ask, CutAsk, PointAsk
from bench.process import Service, start
from bench.scale import Scale
from bench.servers import PROCESSES, Server, bounds_text, python_of, time_of


def server(scale: Scale, absent: str) -> Server:
    folder = scale.home / "pygeoapi"

    def begin() -> Service:
        folder.mkdir(parents=True, exist_ok=True)
        link = folder / "sst.zarr"  # it knows Zarr by the ending
        if not link.exists():
            link.symlink_to(scale.home / "peers" / "sst.zarr" / "0")
        settings, document = folder / "config.yml", folder / "openapi.yml"
        settings.write_text(yaml.safe_dump(_config(scale)))
        variables = {"PYGEOAPI_CONFIG": str(settings), "PYGEOAPI_OPENAPI": str(document)}
        binary = python_of("pygeoapi").parent
        make = [
            str(binary / "pygeoapi"),
            "openapi",
            "generate",
            str(settings),
            "--output-file",
            str(document),
        ]
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        done = subprocess.run(
            make, env={**clean, **variables}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"no OpenAPI document: {done.stderr.strip()[-200:]}")

        def commands(port: int) -> Sequence[Sequence[str]]:
            return [
                [
                    str(binary / "gunicorn"),
                    "-w",
                    str(PROCESSES),
                    "-b",
                    f"127.0.0.1:{port}",
                    "-k",
                    "gthread",
                    "--threads",
                    "1",
                    "--keep-alive",
                    "60",
                    "--log-level",
                    "error",
                    "pygeoapi.flask_app:APP",
                ]
            ]

        return start(commands, scale.home / "logs" / "pygeoapi.log", variables, folder, "/")

    def ocean(ask: Ask) -> str:
        assert isinstance(ask, CutAsk)
        time = time_of("ocean", ask.step)[:-1]
        query = {
            "bbox": bounds_text(ask),
            "properties": "temperature",
            "f": "NetCDF",
            "datetime": f"{time}/{time}",
        }
        return f"/collections/ocean/coverage?{urlencode(query)}"

    def cut(ask: Ask) -> str:
        assert isinstance(ask, CutAsk)
        query = {"bbox": bounds_text(ask), "f": "GTiff"}
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


def _config(scale: Scale) -> dict[str, object]:
    peers = scale.home / "peers"

    def collection(*providers: dict[str, object]) -> dict[str, object]:
        extent = {
            "spatial": {
                "bbox": [-180, -90, 180, 90],
                "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
            }
        }
        link = {"type": "text/html", "rel": "canonical", "href": "http://127.0.0.1/", "title": "b"}
        return {
            "type": "collection",
            "title": "bench",
            "description": "bench",
            "keywords": ["bench"],
            "links": [link],
            "extents": extent,
            "providers": list(providers),
        }

    def zarr(name: str, kind: str, provider: str) -> dict[str, object]:
        return {
            "type": kind,
            "name": provider,
            "data": str(scale.home / "pygeoapi" / f"{name}.zarr"),
            "x_field": "lon",
            "y_field": "lat",
            "time_field": "time",
            "format": {"name": "zarr", "mimetype": "application/zip"},
            "options": {"zarr": {"consolidated": False}},
        }

    rasters = {
        f"sst_{day:02d}": collection(
            {
                "type": "coverage",
                "name": "rasterio",
                "data": f"{peers}/sst/{day:02d}.tif",
                "options": {"DATA_ENCODING": "COMPRESS"},
                "format": {"name": "GTiff", "mimetype": "application/image+tiff"},
            }
        )
        for day in range(scale.sst[0])
    }
    person = {"name": "bench", "address": "", "url": "http://127.0.0.1/", "email": "a@example.org"}
    return {
        "server": {
            "bind": {"host": "127.0.0.1", "port": 5000},
            "url": "http://127.0.0.1:5000",
            "mimetype": "application/json; charset=UTF-8",
            "encoding": "utf-8",
            "languages": ["en-US"],
            "limits": {"default_items": 10, "max_items": 100},
            "map": {"url": "https://example.org/{z}/{x}/{y}.png", "attribution": "none"},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {
                "title": "bench",
                "description": "bench",
                "keywords": ["bench"],
                "keywords_type": "theme",
                "terms_of_service": "none",
                "url": "http://127.0.0.1/",
            },
            "license": {"name": "none", "url": "http://127.0.0.1/"},
            "provider": {"name": "bench", "url": "http://127.0.0.1/"},
            "contact": person,
        },
        "resources": {
            **rasters,
            "sst": collection(zarr("sst", "coverage", "xarray"), zarr("sst", "edr", "xarray-edr")),
            "ocean": collection(
                {
                    "type": "coverage",
                    "name": "xarray",
                    "data": f"{peers}/ocean.nc",
                    "x_field": "lon",
                    "y_field": "lat",
                    "time_field": "time",
                    "format": {"name": "NetCDF", "mimetype": "application/x-netcdf"},
                }
            ),
        },
    }
