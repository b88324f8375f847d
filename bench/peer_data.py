"""The same values for the peers: Zarr v3 pyramids (zstd, 512 chunks), COGs, VRTs, NetCDF."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import rasterio
import zarr
from netCDF4 import Dataset
from numpy.typing import NDArray
from rasterio.io import MemoryFile
from rasterio.shutil import copy as raster_copy
from rasterio.transform import Affine
from zarr.codecs import ZstdCodec

from bench import cubes, scenes
from bench.scale import Scale
from datacube.model.grid import RectifiedGrid
from datacube.store.cube import CubeStore, open_cube
from datacube.store.url import open_store

_LATITUDE = {"standard_name": "latitude", "units": "degrees_north", "axis": "Y"}
_LONGITUDE = {"standard_name": "longitude", "units": "degrees_east", "axis": "X"}
_NORTHING = {"standard_name": "projection_y_coordinate", "units": "m", "axis": "Y"}
_EASTING = {"standard_name": "projection_x_coordinate", "units": "m", "axis": "X"}


def make_all(scale: Scale) -> None:
    """Whatever is not there yet; a stamp beside each says that it is complete."""
    store = open_store(str(scale.home / "store"))
    peers = scale.home / "peers"
    peers.mkdir(parents=True, exist_ok=True)
    sst, s2, ocean = (open_cube(store, name) for name in ("sst", "s2", "ocean"))
    for name, make in {
        "sst.zarr": lambda path: sst_zarr(sst, path),
        "s2.zarr": lambda path: s2_zarr(s2, path),
        "ocean.zarr": lambda path: ocean_zarr(ocean, path),
        "sst": lambda path: sst_cogs(sst, path),
        "s2": lambda path: s2_cogs(s2, path),
        "ocean": lambda path: ocean_rasters(ocean, path),
        "ocean.nc": lambda path: ocean_netcdf(ocean, path),
    }.items():
        stamp = peers / f"{name}.made"
        if not stamp.exists():
            print(f"  peers/{name}", flush=True)
            make(peers / name)
            stamp.touch()


def sst_zarr(cube: CubeStore, path: Path) -> None:
    """``k/sst`` (time, lat, lon) for each level k."""
    attributes = {"scale_factor": scenes.SST_SCALE, "add_offset": 0.0, "units": "degree_Celsius",
                  "standard_name": "sea_surface_temperature", "valid_min": 0.0, "valid_max": 30.0}  # fmt: skip
    root = zarr.open_group(path, mode="w", zarr_format=3)
    steps = list(cubes.steps_of(cube))
    for level in cube.description.levels:
        group = _group(root, str(level.number), level.grid, len(steps), cubes.DAY)
        array = _array(
            group, "sst", "int16", (len(steps), *level.grid.shape), ("time", "lat", "lon"),
            scenes.SST_NIL, attributes,
        )  # fmt: skip
        for step in steps:
            array[step] = cubes.read_level(cube, "sst", step, level.number)
    zarr.consolidate_metadata(path)


def s2_zarr(cube: CubeStore, path: Path) -> None:
    """``k/s2`` (time, band, y, x) for each level k."""
    root = zarr.open_group(path, mode="w", zarr_format=3)
    steps, bands = list(cubes.steps_of(cube)), scenes.BANDS
    for level in cube.description.levels:
        group = _group(root, str(level.number), level.grid, len(steps), 10 * cubes.DAY)
        _coordinate(group, "band", np.arange(1, len(bands) + 1), {})
        array = _array(
            group, "s2", "uint16", (len(steps), len(bands), *level.grid.shape),
            ("time", "band", "y", "x"), scenes.S2_NIL, {},
        )  # fmt: skip
        for step in steps:
            for place, band in enumerate(bands):
                array[step, place] = cubes.read_level(cube, band, step, level.number)
    zarr.consolidate_metadata(path)


def ocean_zarr(cube: CubeStore, path: Path) -> None:
    """(time, depth, lat, lon), one level."""
    root = zarr.open_group(path, mode="w", zarr_format=3)
    steps, grid = list(cubes.steps_of(cube)), cube.description.domain.rectified
    levels = cube.description.domain.shape[1]
    group = _group(root, "0", grid, len(steps), cubes.DAY // 4)
    _coordinate(group, "depth", cubes.depths(levels), {"units": "m", "positive": "down",
                "axis": "Z", "standard_name": "depth"})  # fmt: skip
    for name in scenes.OCEAN_FIELDS:
        array = _array(
            group, name, "float32", (len(steps), levels, *grid.shape),
            ("time", "depth", "lat", "lon"), float("nan"), {"units": "1"},
        )  # fmt: skip
        for step in steps:
            array[step] = cubes.read_level(cube, name, step, 0)
    zarr.consolidate_metadata(path)


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
    """``00.tif`` … for each date, of four bands, and ``00_ndvi.vrt`` of functions old GDALs know."""
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
            ("lat", grid.y_centres(), _LATITUDE),
            ("lon", grid.x_centres(), _LONGITUDE),
        ):
            file.createDimension(name, len(values))
            variable = file.createVariable(name, "f8", (name,))
            variable.setncatts(attributes)
            variable[:] = values
        dims = ("time", "depth", "lat", "lon")
        variable = file.createVariable(
            "temperature", "f4", dims, chunksizes=(1, 1, *grid.shape), fill_value=np.nan
        )
        for step in steps:
            variable[step] = cubes.read_level(cube, "temperature", step, 0)


def _group(root: zarr.Group, name: str, grid: RectifiedGrid, steps: int, pace: int) -> zarr.Group:
    """A group with time, horizontal coordinates and their CRS (CF and GeoZarr)."""
    transform = list(grid.transform)[:6]
    geographic = grid.crs.geographic
    code = "EPSG:4326" if geographic else grid.crs.key
    group = root.create_group(name, attributes={
        "Conventions": "CF-1.10", "proj:code": code, "spatial:transform": transform,
    })  # fmt: skip
    seconds = (cubes.FIRST + pace * np.arange(steps)) // 1000
    _coordinate(group, "time", seconds, {"units": "seconds since 1970-01-01", "axis": "T",
                "calendar": "standard", "standard_name": "time"})  # fmt: skip
    x, y = ("lon", "lat") if geographic else ("x", "y")
    _coordinate(group, x, grid.x_centres(), _LONGITUDE if geographic else _EASTING)
    _coordinate(group, y, grid.y_centres(), _LATITUDE if geographic else _NORTHING)
    wkt = rasterio.CRS.from_user_input(code).to_wkt()
    name = "latitude_longitude" if geographic else "transverse_mercator"
    group.create_array("spatial_ref", shape=(), dtype="int64", attributes={
        "crs_wkt": wkt, "spatial_ref": wkt, "grid_mapping_name": name,
        "GeoTransform": " ".join(str(grid.transform.to_gdal()[k]) for k in range(6)),
    })  # fmt: skip
    return group


def _coordinate(
    group: zarr.Group, name: str, values: NDArray[np.generic], attributes: Mapping[str, object]
) -> None:
    array = group.create_array(
        name, shape=values.shape, chunks=values.shape, dtype=values.dtype,
        dimension_names=(name,), attributes=dict(attributes),
    )  # fmt: skip
    array[:] = values


def _array(
    group: zarr.Group, name: str, dtype: str, shape: tuple[int, ...], dims: tuple[str, ...],
    fill: float, attributes: Mapping[str, object],
) -> zarr.Array:  # fmt: skip
    chunks = (*(1,) * (len(shape) - 2), min(512, shape[-2]), min(512, shape[-1]))
    coded = json.loads(json.dumps(fill)) if fill == fill else np.nan
    return group.create_array(
        name, shape=shape, chunks=chunks, dtype=dtype, fill_value=coded,
        compressors=ZstdCodec(level=3), dimension_names=dims,
        attributes={**attributes, "grid_mapping": "spatial_ref", "_FillValue": _attribute(fill, dtype)},
    )  # fmt: skip


def _attribute(fill: float, dtype: str) -> object:
    """``_FillValue`` as xarray writes it into Zarr attributes."""
    if np.dtype(dtype).kind != "f":
        return fill
    import base64  # noqa: PLC0415

    return base64.standard_b64encode(np.float64(fill).tobytes()).decode()


def _cog(path: Path, data: NDArray[np.generic], grid: RectifiedGrid, nodata: float) -> None:
    """A cloud-optimised GeoTIFF: zstd, 512 blocks, averaged overviews."""
    profile = {
        "driver": "GTiff", "count": len(data), "height": grid.height, "width": grid.width,
        "dtype": data.dtype.name, "nodata": nodata, "transform": Affine(*list(grid.transform)[:6]),
        "crs": "EPSG:4326" if grid.crs.geographic else grid.crs.key,
    }  # fmt: skip
    with MemoryFile() as memory:
        with memory.open(**profile) as file:
            file.write(data)
        with memory.open() as file, rasterio.Env(GDAL_NUM_THREADS="2"):
            raster_copy(
                file, path, driver="COG", COMPRESS="ZSTD", LEVEL=3, BLOCKSIZE=512,
                OVERVIEW_RESAMPLING="AVERAGE", OVERVIEW_COMPRESS="ZSTD", BIGTIFF="IF_SAFER",
            )  # fmt: skip


def _vrt(
    grid: RectifiedGrid, dtype: str, bands: list[list[tuple[str, int]]], nodata: float,
    function: str = "",
) -> str:  # fmt: skip
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
            lines.append(f"<SimpleSource>{inside}<SourceBand>{band}</SourceBand>{rect}</SimpleSource>")
        lines.append("</VRTRasterBand>")
    return "\n".join([*lines, "</VRTDataset>"])
