"""Zarr v3 pyramids for the peers: zstd, chunks of 512, CF and GeoZarr attributes."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import zarr
from numpy.typing import NDArray
from zarr.codecs import ZstdCodec

from bench import cubes, scenes
from datacube.model.grid import RectifiedGrid
from datacube.store.cube import CubeStore

LATITUDE = {"standard_name": "latitude", "units": "degrees_north", "axis": "Y"}
LONGITUDE = {"standard_name": "longitude", "units": "degrees_east", "axis": "X"}
_NORTHING = {"standard_name": "projection_y_coordinate", "units": "m", "axis": "Y"}
_EASTING = {"standard_name": "projection_x_coordinate", "units": "m", "axis": "X"}


def sst_zarr(cube: CubeStore, path: Path) -> None:
    """``k/sst`` (time, lat, lon) for each level k."""
    attributes = {
        "scale_factor": scenes.SST_SCALE,
        "add_offset": 0.0,
        "units": "degree_Celsius",
        "standard_name": "sea_surface_temperature",
        "valid_min": 0.0,
        "valid_max": 30.0,
    }
    root = zarr.open_group(path, mode="w", zarr_format=3)
    steps = list(cubes.steps_of(cube))
    for level in cube.description.levels:
        assert isinstance(level.grid, RectifiedGrid)
        group = _group(root, str(level.number), level.grid, len(steps), cubes.DAY)
        array = _array(
            group,
            "sst",
            "int16",
            (len(steps), *level.grid.shape),
            ("time", "lat", "lon"),
            scenes.SST_NIL,
            attributes,
        )
        for step in steps:
            array[step] = cubes.read_level(cube, "sst", step, level.number)
    zarr.consolidate_metadata(path)


def s2_zarr(cube: CubeStore, path: Path) -> None:
    """``k/s2`` (time, band, y, x) for each level k."""
    root = zarr.open_group(path, mode="w", zarr_format=3)
    steps, bands = list(cubes.steps_of(cube)), scenes.BANDS
    for level in cube.description.levels:
        assert isinstance(level.grid, RectifiedGrid)
        group = _group(root, str(level.number), level.grid, len(steps), 10 * cubes.DAY)
        _coordinate(group, "band", np.arange(1, len(bands) + 1), {})
        array = _array(
            group,
            "s2",
            "uint16",
            (len(steps), len(bands), *level.grid.shape),
            ("time", "band", "y", "x"),
            scenes.S2_NIL,
            {},
        )
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
    _coordinate(
        group,
        "depth",
        cubes.depths(levels),
        {"units": "m", "positive": "down", "axis": "Z", "standard_name": "depth"},
    )
    for name in scenes.OCEAN_FIELDS:
        array = _array(
            group,
            name,
            "float32",
            (len(steps), levels, *grid.shape),
            ("time", "depth", "lat", "lon"),
            float("nan"),
            {"units": "1"},
        )
        for step in steps:
            array[step] = cubes.read_level(cube, name, step, 0)
    zarr.consolidate_metadata(path)


def _group(root: zarr.Group, name: str, grid: RectifiedGrid, steps: int, pace: int) -> zarr.Group:
    """A group with time, horizontal coordinates and their CRS (CF and GeoZarr)."""
    transform = list(grid.transform)[:6]
    geographic = grid.crs.geographic
    code = "EPSG:4326" if geographic else grid.crs.key
    group = root.create_group(
        name,
        attributes={
            "Conventions": "CF-1.10",
            "proj:code": code,
            "spatial:transform": transform,
        },
    )
    seconds = (cubes.FIRST + pace * np.arange(steps)) // 1000
    _coordinate(
        group,
        "time",
        seconds,
        {
            "units": "seconds since 1970-01-01",
            "axis": "T",
            "calendar": "standard",
            "standard_name": "time",
        },
    )
    x, y = ("lon", "lat") if geographic else ("x", "y")
    _coordinate(group, x, grid.x_centres(), LONGITUDE if geographic else _EASTING)
    _coordinate(group, y, grid.y_centres(), LATITUDE if geographic else _NORTHING)
    wkt = rasterio.CRS.from_user_input(code).to_wkt()
    name = "latitude_longitude" if geographic else "transverse_mercator"
    group.create_array(
        "spatial_ref",
        shape=(),
        dtype="int64",
        attributes={
            "crs_wkt": wkt,
            "spatial_ref": wkt,
            "grid_mapping_name": name,
            "GeoTransform": " ".join(str(grid.transform.to_gdal()[k]) for k in range(6)),
        },
    )
    return group


def _coordinate(
    group: zarr.Group, name: str, values: NDArray[np.generic], attributes: Mapping[str, Any]
) -> None:
    array = group.create_array(
        name,
        shape=values.shape,
        chunks=values.shape,
        dtype=values.dtype,
        dimension_names=(name,),
        attributes=dict(attributes),
    )
    array[:] = values


def _array(
    group: zarr.Group,
    name: str,
    dtype: str,
    shape: tuple[int, ...],
    dims: tuple[str, ...],
    fill: float,
    attributes: Mapping[str, Any],
) -> zarr.Array[Any]:
    chunks = (*(1,) * (len(shape) - 2), min(512, shape[-2]), min(512, shape[-1]))
    return group.create_array(
        name,
        shape=shape,
        chunks=chunks,
        dtype=dtype,
        fill_value=fill,
        compressors=ZstdCodec(level=3),
        dimension_names=dims,
        attributes={
            **attributes,
            "grid_mapping": "spatial_ref",
            "_FillValue": _attribute(fill, dtype),
        },
    )


def _attribute(fill: float, dtype: str) -> Any:
    """``_FillValue`` as xarray writes it into Zarr attributes."""
    if np.dtype(dtype).kind != "f":
        return fill
    return base64.standard_b64encode(np.float64(fill).tobytes()).decode()
