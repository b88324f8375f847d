"""The same values for the peers: Zarr pyramids, COGs, VRTs, NetCDF."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import rasterio
from netCDF4 import Dataset
from numpy.typing import NDArray
from rasterio.io import MemoryFile
from rasterio.shutil import copy as raster_copy
from rasterio.transform import Affine

from bench import cubes, scenes
from bench.peer_zarr import LATITUDE, LONGITUDE, ocean_zarr, s2_zarr, sst_zarr
from bench.scale import Scale
from datacube.model.grid import RectifiedGrid
from datacube.store.cube import CubeStore, open_cube
from datacube.store.url import open_store


def make_all(scale: Scale) -> None:
    """Whatever is not there yet; a stamp beside each says that it is complete."""
    store = open_store(str(scale.home / "store"))
    peers = scale.home / "peers"
    peers.mkdir(parents=True, exist_ok=True)
    sst, s2, ocean = (open_cube(store, name) for name in ("sst", "s2", "ocean"))
    makers: dict[str, Callable[[Path], None]] = {
        "sst.zarr": lambda path: sst_zarr(sst, path),
        "s2.zarr": lambda path: s2_zarr(s2, path),
        "ocean.zarr": lambda path: ocean_zarr(ocean, path),
        "sst": lambda path: sst_cogs(sst, path),
        "s2": lambda path: s2_cogs(s2, path),
        "ocean": lambda path: ocean_rasters(ocean, path),
        "ocean.nc": lambda path: ocean_netcdf(ocean, path),
    }
    for name, make in makers.items():
        stamp = peers / f"{name}.made"
        if not stamp.exists():
            print(f"  peers/{name}", flush=True)
            make(peers / name)
            stamp.touch()


def sst_cogs(cube: CubeStore, folder: Path) -> None:
    """``00.tif`` … for each day, and ``days.vrt`` with the days as bands."""
    folder.mkdir(exist_ok=True)
    grid = cube.description.domain.rectified
    names = []
    for step in cubes.steps_of(cube):
        data = cubes.read_level(cube, "sst", step, 0)[np.newaxis]
        names.append(f"{step:02d}.tif")
        _cog(folder / names[-1], data, grid, scenes.SST_NIL)
    bands = [[(name, 1)] for name in names]
    (folder / "days.vrt").write_text(_vrt(grid, "Int16", bands, scenes.SST_NIL))
    every = [[(name, 1) for name in names]]
    nil = scenes.SST_NIL * len(names)
    (folder / "sum.vrt").write_text(_vrt(grid, "Float32", every, nil, "sum"))


def s2_cogs(cube: CubeStore, folder: Path) -> None:
    """``00.tif`` … for each date, of four bands, and ``00_ndvi.vrt``; old GDALs know div."""
    folder.mkdir(exist_ok=True)
    grid = cube.description.domain.rectified
    for step in cubes.steps_of(cube):
        data = np.stack([cubes.read_level(cube, band, step, 0) for band in scenes.BANDS])
        _cog(folder / f"{step:02d}.tif", data, grid, scenes.S2_NIL)
        pair = [[(f"{step:02d}.tif", 4), (f"{step:02d}.tif", 3)]]
        for function in ("diff", "sum"):
            text = _vrt(grid, "Float32", pair, -9999, function)
            (folder / f"{step:02d}_{function}.vrt").write_text(text)
        halves = [[(f"{step:02d}_diff.vrt", 1), (f"{step:02d}_sum.vrt", 1)]]
        text = _vrt(grid, "Float32", halves, -9999, "div")
        (folder / f"{step:02d}_ndvi.vrt").write_text(text)


def ocean_rasters(cube: CubeStore, folder: Path) -> None:
    """``00.tif`` … temperature of each step with its depths as bands."""
    folder.mkdir(exist_ok=True)
    for step in cubes.steps_of(cube):
        data = cubes.read_level(cube, "temperature", step, 0)
        _cog(folder / f"{step:02d}.tif", data, cube.description.domain.rectified, float("nan"))


def ocean_netcdf(cube: CubeStore, path: Path) -> None:
    """Temperature as (time, depth, lat, lon), chunks of one level, not compressed."""
    grid, levels = cube.description.domain.rectified, cube.description.domain.shape[1]
    steps = list(cubes.steps_of(cube))
    with Dataset(path, "w") as file:
        for name, values, attributes in (
            ("time", 6.0 * np.arange(len(steps)), {"units": "hours since 2024-01-01", "axis": "T"}),
            ("depth", cubes.depths(levels), {"units": "m", "axis": "Z", "positive": "down"}),
            ("lat", grid.y_centres(), LATITUDE),
            ("lon", grid.x_centres(), LONGITUDE),
        ):
            file.createDimension(name, len(values))
            variable = file.createVariable(name, "f8", (name,))
            variable.setncatts(attributes)
            variable[:] = values
        dims = ("time", "depth", "lat", "lon")
        variable = file.createVariable(
            "temperature", "f4", dims, chunksizes=(1, 1, *grid.shape), fill_value=np.nan
        )
        variable.setncatts({"units": "degree_Celsius", "long_name": "temperature"})
        for step in steps:
            variable[step] = cubes.read_level(cube, "temperature", step, 0)


def _cog(path: Path, data: NDArray[np.generic], grid: RectifiedGrid, nodata: float) -> None:
    """A cloud-optimised GeoTIFF: zstd, 512 blocks, averaged overviews."""
    profile = {
        "driver": "GTiff",
        "count": len(data),
        "height": grid.height,
        "width": grid.width,
        "dtype": data.dtype.name,
        "nodata": nodata,
        "transform": Affine(*list(grid.transform)[:6]),
        "crs": "EPSG:4326" if grid.crs.geographic else grid.crs.key,
    }
    with MemoryFile() as memory:
        with memory.open(**profile) as file:
            file.write(data)
        with memory.open() as file, rasterio.Env(GDAL_NUM_THREADS="2"):
            raster_copy(
                file,
                path,
                driver="COG",
                COMPRESS="ZSTD",
                LEVEL=3,
                BLOCKSIZE=512,
                OVERVIEW_RESAMPLING="AVERAGE",
                OVERVIEW_COMPRESS="ZSTD",
                BIGTIFF="IF_SAFER",
            )


def _vrt(
    grid: RectifiedGrid,
    dtype: str,
    bands: list[list[tuple[str, int]]],
    nodata: float,
    function: str = "",
) -> str:
    """Bands of other files, or functions of them, as one file."""
    crs = "EPSG:4326" if grid.crs.geographic else grid.crs.key
    size = f'xSize="{grid.width}" ySize="{grid.height}"'
    rect = f'<SrcRect xOff="0" yOff="0" {size}/><DstRect xOff="0" yOff="0" {size}/>'
    derived = ' subClass="VRTDerivedRasterBand"' if function else ""
    lines = [
        f'<VRTDataset rasterXSize="{grid.width}" rasterYSize="{grid.height}"><SRS>{crs}</SRS>',
        f"<GeoTransform>{', '.join(map(str, grid.transform.to_gdal()))}</GeoTransform>",
    ]
    for number, sources in enumerate(bands, 1):
        lines.append(f'<VRTRasterBand dataType="{dtype}" band="{number}"{derived}>')
        lines.append(f"<NoDataValue>{nodata}</NoDataValue>")
        if function:
            lines.append(f"<PixelFunctionType>{function}</PixelFunctionType>")
            lines.append(f"<SourceTransferType>{dtype}</SourceTransferType>")
        for name, band in sources:
            inside = f'<SourceFilename relativeToVRT="1">{name}</SourceFilename>'
            lines.append(
                f"<SimpleSource>{inside}<SourceBand>{band}</SourceBand>{rect}</SimpleSource>"
            )
        lines.append("</VRTRasterBand>")
    return "\n".join([*lines, "</VRTDataset>"])
