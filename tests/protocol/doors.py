"""How each door is asked for the value of a cell, or for its colour."""

import json
from dataclasses import dataclass
from io import BytesIO
from math import floor, log2
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import xarray as xr
from morecantile import tms
from PIL import Image
from rasterio.io import MemoryFile

from tests.asgi import Client
from tests.protocol.worlds import SIDE, UTM, Cell


@dataclass(frozen=True)
class Doors:
    """The application, and how each of its doors is asked for a cell."""

    client: Client
    store: Path

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.asked(path, tuple(query.items()))

    def asked(self, path: str, query: tuple[tuple[str, Any], ...]) -> httpx.Response:
        response = self.client.get(path, params=query)
        assert response.status_code == 200, response.text
        return response

    # WCS 2.0.1

    def wcs(self, cell: Cell, media_type: str, *subsets: str) -> bytes:
        levels = (f"{name}({value})" for name, value in cell.level.items())
        every = (*subsets, f'ansi("{cell.time}")', *levels)
        head = {"SERVICE": "WCS", "VERSION": "2.0.1", "REQUEST": "GetCoverage"}
        head |= {"COVERAGEID": cell.world.id, "FORMAT": media_type}
        query = (*head.items(), *(("SUBSET", subset) for subset in every))
        return self.asked("/wcs", query).content

    def wcs_geotiff(self, cell: Cell) -> float:
        """The file of the one cell, trimmed by named axes; it says where it lies."""
        (x, y), part_x, part_y = cell.world.labels, cell.world.dx / 10, cell.world.dy / 10
        left, right = sorted((cell.x - part_x, cell.x + part_x))
        low, high = sorted((cell.y - part_y, cell.y + part_y))
        content = self.wcs(cell, "image/tiff", f"{y}({low},{high})", f"{x}({left},{right})")
        with MemoryFile(content) as memory, memory.open() as file:
            assert file.shape == (1, 1)
            assert file.xy(0, 0) == pytest.approx((cell.x, cell.y))
            return float(file.read(1)[0, 0] * file.scales[0] + file.offsets[0])

    def wcs_whole_geotiff(self, cell: Cell) -> float:
        """The cell found by its place in the file of all cells."""
        with MemoryFile(self.wcs(cell, "image/tiff")) as memory, memory.open() as file:
            row, column = file.index(cell.x, cell.y)
            return float(file.read(1)[row, column] * file.scales[0] + file.offsets[0])

    def wcs_netcdf(self, cell: Cell) -> float:
        content = BytesIO(self.wcs(cell, "application/netcdf"))
        with xr.open_dataset(content, engine="h5netcdf") as dataset:
            return _at(dataset["v"], cell)

    # WMS 1.3.0

    def wms(self, request: str, cell: Cell, crs: str, box: tuple[float, ...], **more: Any) -> Any:
        query: dict[str, Any] = {
            "SERVICE": "WMS",
            "VERSION": "1.3.0",
            "REQUEST": request,
            "CRS": crs,
        }
        query |= {"BBOX": ",".join(map(repr, box)), "LAYERS": f"{cell.world.id}.v"}
        query |= {"STYLES": cell.style, "FORMAT": "image/png", "TIME": cell.time}
        return self.get("/wms", **(query | cell.elevation | more))

    def wms_latlon(self, request: str, cell: Cell, **more: Any) -> Any:
        """EPSG:4326: latitude first."""
        (lon, lat), d = cell.lonlat, cell.degrees
        box = (lat - d, lon - d, lat + d, lon + d)
        return self.wms(request, cell, "EPSG:4326", box, **more)

    def wms_lonlat(self, request: str, cell: Cell, **more: Any) -> Any:
        """CRS:84: longitude first."""
        (lon, lat), d = cell.lonlat, cell.degrees
        return self.wms(request, cell, "CRS:84", (lon - d, lat - d, lon + d, lat + d), **more)

    def wms_native(self, request: str, cell: Cell, **more: Any) -> Any:
        """The whole cube in its own CRS, x before y, a pixel a cell."""
        world, size = cell.world, SIDE - 0.5
        left, right = sorted((world.x0 - world.dx / 2, world.x0 + size * world.dx))
        low, high = sorted((world.y0 - world.dy / 2, world.y0 + size * world.dy))
        crs = world.crs if world.crs == UTM["crs"] else "CRS:84"
        box, pixels = (left, low, right, high), {"WIDTH": SIDE, "HEIGHT": SIDE}
        return self.wms(request, cell, crs, box, **pixels, **more)

    def wms_info_latlon(self, cell: Cell) -> float:
        return value_of(self.wms_latlon("GetFeatureInfo", cell, **middle(cell)))

    def wms_info_lonlat(self, cell: Cell) -> float:
        return value_of(self.wms_lonlat("GetFeatureInfo", cell, **middle(cell)))

    def wms_info_native(self, cell: Cell) -> float:
        i, j = _pixel_of(cell)
        query: dict[str, Any] = {
            "QUERY_LAYERS": f"{cell.world.id}.v",
            "INFO_FORMAT": "application/json",
        }
        return value_of(self.wms_native("GetFeatureInfo", cell, I=i, J=j, **query))

    def wms_map_latlon(self, cell: Cell) -> tuple[int, ...]:
        return _pixel(self.wms_latlon("GetMap", cell, WIDTH=3, HEIGHT=3), 1, 1)

    def wms_map_lonlat(self, cell: Cell) -> tuple[int, ...]:
        return _pixel(self.wms_lonlat("GetMap", cell, WIDTH=3, HEIGHT=3), 1, 1)

    def wms_map_native(self, cell: Cell) -> tuple[int, ...]:
        return _pixel(self.wms_native("GetMap", cell), *_pixel_of(cell))

    # WMTS 1.0.0

    def tile_of(self, cell: Cell, name: str) -> tuple[str, int, int, int, int]:
        """(TileMatrix, TileRow, TileCol, I, J) by morecantile, a pixel a small part of the cell."""
        quad, (lon, lat) = tms.get(name), cell.lonlat
        zoom = max(0, floor(log2(360 / 256 / cell.degrees)) + 1)
        matrix = quad.matrix(zoom)
        x, y = quad.xy(lon, lat)
        left, top = quad._matrix_origin(matrix)
        i, j = int((x - left) / matrix.cellSize), int((top - y) / matrix.cellSize)
        return matrix.id, j // 256, i // 256, i % 256, j % 256

    def wmts(self, request: str, cell: Cell, name: str, **more: Any) -> tuple[Any, int, int]:
        matrix, row, column, i, j = self.tile_of(cell, name)
        query: dict[str, Any] = {
            "SERVICE": "WMTS",
            "VERSION": "1.0.0",
            "REQUEST": request,
            "STYLE": cell.style,
        }
        query |= {"LAYER": f"{cell.world.id}.v", "TILEMATRIXSET": name, "TILEMATRIX": matrix}
        query |= {"TILEROW": row, "TILECOL": column, "FORMAT": "image/png", "TIME": cell.time}
        query |= cell.elevation
        if request == "GetFeatureInfo":
            more |= {"I": i, "J": j, "INFOFORMAT": "application/json"}
        return self.get("/wmts", **(query | more)), i, j

    def wmts_info_degrees(self, cell: Cell) -> float:
        return value_of(self.wmts("GetFeatureInfo", cell, "WorldCRS84Quad")[0])

    def wmts_info_mercator(self, cell: Cell) -> float:
        return value_of(self.wmts("GetFeatureInfo", cell, "WebMercatorQuad")[0])

    def wmts_tile_degrees(self, cell: Cell) -> tuple[int, ...]:
        return _pixel(*self.wmts("GetTile", cell, "WorldCRS84Quad"))

    def wmts_tile_mercator(self, cell: Cell) -> tuple[int, ...]:
        return _pixel(*self.wmts("GetTile", cell, "WebMercatorQuad"))

    def wmts_tile_rest(self, cell: Cell) -> tuple[int, ...]:
        matrix, row, column, i, j = self.tile_of(cell, "WebMercatorQuad")
        parts = [f"{cell.world.id}.v", cell.style, cell.time, *map(str, cell.level.values())]
        path = "/".join([*parts, "WebMercatorQuad", matrix, str(row), f"{column}.png"])
        return _pixel(self.get(f"/wmts/1.0.0/{path}"), i, j)

    # OGC API

    def coverage(self, cell: Cell, **query: Any) -> float:
        """The only value of the answer."""
        subset = query.pop("subset", ())
        subset = (*subset, *(f"{name}({value})" for name, value in cell.level.items()))
        query |= {"datetime": cell.time, "f": "json"} | (
            {"subset": ",".join(subset)} if subset else {}
        )
        document = self.get(f"/ogcapi/collections/{cell.world.id}/coverage", **query).json()
        axes = document["domain"]["axes"]
        places = [axes[name].get("start", axes[name].get("values", [None])[0]) for name in "xy"]
        assert places == pytest.approx([cell.x, cell.y])
        (value,) = document["ranges"]["v"]["values"]
        return float(value)

    def coveragejson_subset(self, cell: Cell) -> float:
        x, y = cell.world.labels
        return self.coverage(cell, subset=(f"{y}({cell.y})", f"{x}({cell.x})"))

    def coveragejson_bbox(self, cell: Cell) -> float:
        (lon, lat), d = cell.lonlat, cell.degrees
        return self.coverage(cell, bbox=f"{lon - d!r},{lat - d!r},{lon + d!r},{lat + d!r}")

    def ogcapi_map(self, cell: Cell) -> tuple[int, ...]:
        (lon, lat), d = cell.lonlat, cell.degrees
        query: dict[str, Any] = {
            "bbox": f"{lon - d!r},{lat - d!r},{lon + d!r},{lat + d!r}",
            "f": "png",
        }
        query |= {"width": 3, "height": 3, "datetime": cell.time, "style": cell.style}
        query |= cell.elevation
        return _pixel(self.get(f"/ogcapi/collections/{cell.world.id}/map", **query), 1, 1)

    # the Zarr itself

    def zarr(self, cell: Cell) -> float:
        with xr.open_zarr(self.store / cell.world.id, chunks=None) as dataset:
            return _at(dataset["v"], cell)


def middle(cell: Cell) -> dict[str, Any]:
    """Parameters of GetFeatureInfo at the middle of three by three pixels."""
    asked = {"QUERY_LAYERS": f"{cell.world.id}.v", "INFO_FORMAT": "application/json"}
    return asked | {"WIDTH": 3, "HEIGHT": 3, "I": 1, "J": 1}


def _pixel_of(cell: Cell) -> tuple[int, int]:
    """The cell's pixel in a picture of the whole grid: west and north first."""
    i = cell.column if cell.world.dx > 0 else SIDE - 1 - cell.column
    j = cell.row if cell.world.dy < 0 else SIDE - 1 - cell.row
    return i, j


def value_of(response: httpx.Response) -> float:
    (feature,) = json.loads(response.content)["features"]
    return float(feature["properties"]["value"])


def _pixel(response: httpx.Response, i: int, j: int) -> tuple[int, ...]:
    with Image.open(BytesIO(response.content)) as image:
        return tuple(np.asarray(image.convert("RGBA"))[j, i].tolist())


def _at(array: xr.DataArray, cell: Cell) -> float:
    """The value by coordinates, with xarray."""
    x, y = next(names for names in (("lon", "lat"), ("x", "y")) if names[0] in array.coords)
    near = array.sel({x: cell.x, y: cell.y}, method="nearest", tolerance=1e-6)
    if "time" in array.dims:
        near = near.sel(time=cell.time.removesuffix("Z"))
    if cell.world.vertical in array.dims:
        near = near.sel(cell.level)
    return float(near.item())
