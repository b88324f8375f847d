"""rio-tiler's XarrayReader on Zarr, datasets kept open: the library without a framework's cost."""

import os

import xarray
from fastapi import FastAPI
from fastapi.responses import Response
from rio_tiler.colormap import cmap
from rio_tiler.io.xarray import XarrayReader

app = FastAPI()
DATA = os.environ["BENCH_PEERS"]
SETS = {}


def _opened(what, level):
    if (what, level) not in SETS:
        data = xarray.open_zarr(
            f"{DATA}/{what}.zarr", group=str(level), chunks=None, decode_coords="all"
        )
        array = data[what]
        if "lon" in array.dims:
            array = array.rename(lon="x", lat="y").rio.write_crs("EPSG:4326")
        SETS[what, level] = array
    return SETS[what, level]


def _picture(image, what):
    if what == "sst":
        image.rescale(((0, 30),))
        return Response(
            image.render(img_format="PNG", colormap=cmap.get("viridis")), media_type="image/png"
        )
    image.rescale(((0, 3000),))
    return Response(image.render(img_format="PNG"), media_type="image/png")


def _array(what, level, step):
    array = _opened(what, level).isel(time=step)
    return array if what == "sst" else array.isel(band=[2, 1, 0])


@app.get("/tile/{what}/{level}/{step}/{z}/{x}/{y}")
def tile(what: str, level: int, step: int, z: int, x: int, y: int):
    with XarrayReader(_array(what, level, step)) as source:
        return _picture(source.tile(x, y, z, tilesize=256), what)


@app.get("/part/{what}/{level}/{step}")
def part(what: str, level: int, step: int, box: str, crs: str, width: int, height: int):
    bounds = tuple(map(float, box.split(",")))
    with XarrayReader(_array(what, level, step)) as source:
        image = source.part(bounds, dst_crs=crs, bounds_crs=crs, width=width, height=height)
        return _picture(image, what)
