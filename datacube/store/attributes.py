"""What a cube says to other programs: CF conventions and the Zarr conventions for geodata."""

from collections.abc import Mapping
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from datacube.model.axis import (
    Axis,
    IndexAxis,
    IrregularAxis,
    RegularAxis,
    TimeAxis,
    is_vertical,
    points_down,
)
from datacube.model.coverage import CoverageDescription, Level
from datacube.model.crs import Crs
from datacube.model.fields import Field
from datacube.model.grid import Grid, RectifiedGrid
from datacube.store.layout import fill_of, horizontal_names, level_path

type Attributes = dict[str, Any]

TIME_UNITS = "milliseconds since 1970-01-01 00:00:00"
_SCHEMAS = "https://raw.githubusercontent.com"
_CONVENTIONS = (
    (
        "multiscales",
        "d35379db-88df-4056-af3a-620245f8e347",
        "zarr-conventions/multiscales",
        "Multiscale layout of zarr datasets",
    ),
    (
        "proj:",
        "f17cb550-5864-4468-aeb7-f3180cfb622f",
        "zarr-experimental/geo-proj",
        "Coordinate reference system information for geospatial data",
    ),
    (
        "spatial:",
        "689b58e2-cf7b-45e0-9fff-9cfc0883d6b4",
        "zarr-conventions/spatial",
        "Spatial coordinate information",
    ),
)


def group_attributes(
    description: CoverageDescription, level: Level, extra: Mapping[str, Any]
) -> Attributes:
    """Attributes of a level's group; those of level 0 describe the overviews too."""
    x, y = horizontal_names(level.grid)
    attributes: Attributes = {"Conventions": "CF-1.11", "title": description.title}
    for name, text in (
        ("summary", description.abstract),
        ("attribution", description.attribution),
        ("license", description.licence),
    ):
        if text:
            attributes[name] = text
    first = 0 if level.number == 0 else 1
    attributes["zarr_conventions"] = [_convention(*one) for one in _CONVENTIONS[first:]]
    if level.number == 0:
        attributes["multiscales"] = {"layout": [_layout(one) for one in description.levels]}
    attributes |= _proj(level.grid.crs)
    attributes["spatial:dimensions"] = [y, x]
    attributes["spatial:bbox"] = [float(edge) for edge in level.grid.bbox.edges]
    attributes |= _spatial(level.grid)
    attributes["spatial:registration"] = "pixel"
    return attributes | dict(extra)


def field_attributes(field: Field, grid: Grid) -> Attributes:
    """CF attributes of a field's array."""
    rectified = isinstance(grid, RectifiedGrid)
    coordinates = "spatial_ref" if rectified else "lon lat spatial_ref"
    attributes: Attributes = {"grid_mapping": "spatial_ref", "coordinates": coordinates}
    if field.uom:
        attributes["units"] = field.uom
    if field.standard_name:
        attributes["standard_name"] = field.standard_name
    attributes["long_name"] = field.title or field.name
    if field.packed:
        attributes["scale_factor"] = float(field.scale)
        attributes["add_offset"] = float(field.offset)
    if field.nil is not None and np.dtype(field.dtype).kind != "f":
        attributes["_FillValue"] = int(fill_of(field))
    if field.categories:
        attributes["flag_values"] = [one.value for one in field.categories]
        attributes["flag_meanings"] = " ".join(_word(one.label) for one in field.categories)
        if any(one.color for one in field.categories):
            attributes["flag_colors"] = " ".join(one.color or "#000000" for one in field.categories)
    if rectified:
        attributes["_CRS"] = {"wkt": grid.crs.wkt}
    return attributes


def axis_coordinates(axis: Axis) -> tuple[NDArray[Any], Attributes]:
    """Values and CF attributes of the coordinate array of an axis."""
    match axis:
        case TimeAxis():
            time: Attributes = {"standard_name": "time", "axis": "T", "units": TIME_UNITS}
            return axis.ticks, {**time, "calendar": axis.calendar, "long_name": axis.title}
        case IndexAxis():
            attributes: Attributes = {"long_name": axis.title or axis.name}
            if axis.labels:
                attributes["flag_values"] = list(range(axis.size))
                attributes["flag_meanings"] = " ".join(_word(label) for label in axis.labels)
                attributes["labels"] = list(axis.labels)
            return np.arange(axis.size, dtype=np.int32), attributes
        case RegularAxis() | IrregularAxis():
            attributes = {"long_name": axis.title or axis.name}
            if axis.uom:
                attributes["units"] = axis.uom
            if is_vertical(axis):
                attributes["axis"] = "Z"
                attributes["positive"] = "down" if points_down(axis) else "up"
            return axis.coordinates, attributes
        case _:
            assert_never(axis)


def grid_coordinates(grid: RectifiedGrid) -> dict[str, tuple[NDArray[Any], Attributes]]:
    """Values and CF attributes of the coordinate arrays of x and y, by their names."""
    x, y = horizontal_names(grid)
    if grid.crs.geographic:
        texts = (("longitude", "degrees_east"), ("latitude", "degrees_north"))
    else:
        unit = {"deg": "degrees"}.get(grid.crs.uom, grid.crs.uom)
        kinds = ("projection_x_coordinate", "projection_y_coordinate")
        if grid.crs.labels == ("rlon", "rlat"):
            kinds = ("grid_longitude", "grid_latitude")
        texts = ((kinds[0], unit), (kinds[1], unit))
    values = (grid.x_centres(), grid.y_centres())
    return {
        name: (
            centres,
            {"standard_name": standard, "long_name": standard, "units": unit, "axis": letter},
        )
        for name, centres, (standard, unit), letter in zip((x, y), values, texts, "XY", strict=True)
    }


def grid_mapping(grid: Grid) -> Attributes:
    """CF grid mapping of the variable ``spatial_ref``, with what rioxarray and GDAL look for."""
    attributes: Attributes = dict(CRS.from_user_input(grid.crs.wkt).to_cf())
    attributes["crs_wkt"] = grid.crs.wkt
    attributes["spatial_ref"] = grid.crs.wkt
    if isinstance(grid, RectifiedGrid):
        numbers = grid.transform.to_gdal()
        attributes["GeoTransform"] = " ".join(repr(float(number)) for number in numbers)
    return attributes


def _proj(crs: Crs) -> Attributes:
    attributes: Attributes = {"proj:wkt2": crs.wkt}
    if crs.authority == "EPSG":
        attributes["proj:code"] = crs.key
    return attributes


def _spatial(grid: Grid) -> Attributes:
    shape: Attributes = {"spatial:shape": list(grid.shape)}
    if not isinstance(grid, RectifiedGrid):
        return shape
    return {**shape, "spatial:transform": [float(number) for number in tuple(grid.transform)[:6]]}


def _layout(level: Level) -> Attributes:
    entry: Attributes = {"asset": level_path(level.number).rstrip("/") or "."}
    if level.number:
        entry["derived_from"] = level_path(level.number - 1).rstrip("/") or "."
        entry["transform"] = {"scale": [2.0, 2.0], "translation": [0.0, 0.0]}
    return entry | _spatial(level.grid)


def _convention(name: str, uuid: str, repository: str, description: str) -> Attributes:
    return {
        "name": name,
        "uuid": uuid,
        "schema_url": f"{_SCHEMAS}/{repository}/refs/tags/v1/schema.json",
        "spec_url": f"https://github.com/{repository}/blob/v1/README.md",
        "description": description,
    }


def _word(label: str) -> str:
    return "_".join(label.split()) or "_"
