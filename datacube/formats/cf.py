"""CF attributes of axes, grids and fields, without a file: what NetCDF writes and tests read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from datacube.model.axis import (
    Axis,
    IndexAxis,
    IrregularAxis,
    RegularAxis,
    TimeAxis,
    is_vertical,
    points_down,
)
from datacube.model.calendar import MS_PER_DAY
from datacube.model.crs import Crs
from datacube.model.domain import DomainSet
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid, ReferenceableGrid
from datacube.model.time import TickArray, Timestamp

GRID_MAPPING = "spatial_ref"
type Value = str | int | float | NDArray[np.generic]
type Attributes = Mapping[str, Value]

_EPOCH = "1970-01-01 00:00:00"
_STANDARD_NAMES = frozenset(
    {
        "air_pressure",
        "altitude",
        "depth",
        "forecast_period",
        "height",
        "height_above_mean_sea_level",
        "model_level_number",
        "radiation_wavelength",
        "realization",
    }
)
_DEGREES = frozenset({"K", "kelvin", "degC", "Celsius", "degree_Celsius", "degrees_Celsius", "°C"})
_UNITS = ((MS_PER_DAY, "days"), (3_600_000, "hours"), (60_000, "minutes"), (1000, "seconds"))


@dataclass(frozen=True, eq=False)
class Variable:
    """A variable to be: name, dimensions, values and attributes.

    Parameters
    ----------
    name : str
    dims : tuple of str
    values : any dtype (object for texts), shape of dims
    attributes : mapping
    """

    name: str
    dims: tuple[str, ...]
    values: NDArray[np.generic]
    attributes: Attributes = field(default_factory=dict)


def dimension_names(domain: DomainSet) -> tuple[str, ...]:
    """Names of the dimensions in array order: the axes' own, then lat, lon or y, x."""
    return (*(axis.name for axis in domain.axes), *reversed(horizontal_names(domain)))


def horizontal_names(domain: DomainSet) -> tuple[str, str]:
    """Names of the horizontal coordinates, x first: lon, lat where they are that."""
    if isinstance(domain.grid, ReferenceableGrid):
        return "x", "y"
    crs = domain.grid.crs
    if crs.geographic:
        return "lon", "lat"
    return ("rlon", "rlat") if crs.labels == ("rlon", "rlat") else ("x", "y")


def coordinates(domain: DomainSet) -> tuple[Variable, ...]:
    """Coordinate variables with their bounds, and the grid mapping."""
    found = [one for axis in domain.axes for one in axis_variables(axis)]
    match domain.grid:
        case RectifiedGrid() as grid:
            found += _rectified(domain, grid)
        case ReferenceableGrid() as positions:
            found += _positions(positions)
        case _:
            assert_never(domain.grid)
    return (*found, grid_mapping(domain))


def axis_variables(axis: Axis) -> list[Variable]:
    """The coordinate variable of one further axis, and its bounds where they are known."""
    match axis:
        case TimeAxis():
            return _time(axis)
        case IndexAxis():
            title = {"long_name": axis.title or axis.name}
            if axis.labels:
                labels = np.array(axis.labels, dtype=object)
                return [Variable(axis.name, (axis.name,), labels, title)]
            return [Variable(axis.name, (axis.name,), np.arange(axis.size, dtype="int32"), title)]
        case RegularAxis():
            return _numeric(axis, axis.coordinates, None)
        case IrregularAxis():
            return _numeric(axis, axis.coordinates, axis.bounds)
        case _:
            assert_never(axis)


def time_units(ticks: TickArray) -> tuple[str, int]:
    """The largest CF unit in which all instants are whole, and its milliseconds.

    Examples
    --------
    >>> time_units(np.array([0, 6 * 3_600_000]))
    ('hours since 1970-01-01 00:00:00', 3600000)
    """
    for length, name in _UNITS:
        if not (ticks % length).any():
            return f"{name} since {_EPOCH}", length
    return f"milliseconds since {_EPOCH}", 1


def field_attributes(one: Field, *, positions: bool = False) -> dict[str, Value]:
    """CF attributes of a field, the fill value aside."""
    texts = {
        "long_name": one.title or one.name,
        "standard_name": one.standard_name,
        "units": one.uom,
        "grid_mapping": GRID_MAPPING,
        "coordinates": "lon lat" if positions else "",
    }
    attributes: dict[str, Value] = {name: text for name, text in texts.items() if text}
    if _is_temperature(one):
        attributes["units_metadata"] = "temperature: on_scale"
    if one.packed:
        attributes |= {"scale_factor": np.float64(one.scale), "add_offset": np.float64(one.offset)}
    if one.categories:
        values = np.array([category.value for category in one.categories])
        attributes["flag_values"] = values.astype(one.dtype)
        attributes["flag_meanings"] = " ".join(
            "_".join(category.label.split()) or str(category.value) for category in one.categories
        )
        colours = [category.color for category in one.categories]
        if all(colours):
            attributes["flag_colors"] = " ".join(colours)
    return attributes


def _is_temperature(one: Field) -> bool:
    """Whether values are temperatures, not differences of them (CF-1.11, 3.1.2)."""
    words = set(one.standard_name.split("_"))
    apart = {"anomaly", "difference", "tendency", "excess", "gradient", "derivative"}
    return "temperature" in words and one.uom in _DEGREES and not words & apart


def grid_mapping(domain: DomainSet) -> Variable:
    """The CRS as a CF grid mapping, with WKT, and the transform that GDAL reads."""
    attributes = dict(_crs_attributes(domain.grid.crs))
    if isinstance(domain.grid, RectifiedGrid):
        numbers = domain.grid.transform.to_gdal()
        attributes["GeoTransform"] = " ".join(repr(float(number)) for number in numbers)
    return Variable(GRID_MAPPING, (), np.array(0, "int32"), attributes)


@lru_cache(maxsize=64)
def _crs_attributes(crs: Crs) -> Attributes:
    """What says a CRS, wherever a grid lies in it."""
    attributes: dict[str, Value] = {
        name: np.asarray(value) if isinstance(value, list | tuple) else value
        for name, value in crs.pyproj().to_cf().items()
        if value != "unknown"
    }
    attributes["spatial_ref"] = crs.wkt
    return attributes


def _with_year_zero(axis: TimeAxis) -> TimeAxis:
    """The same dates in the proleptic Gregorian calendar where CF's standard one has no year 0."""
    if axis.calendar != "standard" or not axis.iso[0].startswith(("0000", "-")):
        return axis
    ticks = [Timestamp.parse(text).ticks("proleptic_gregorian") for text in axis.iso]
    return TimeAxis(axis.name, np.array(ticks), "proleptic_gregorian", title=axis.title)


def _time(axis: TimeAxis) -> list[Variable]:
    axis = _with_year_zero(axis)
    every = axis.ticks if axis.bounds is None else np.append(axis.ticks, axis.bounds)
    units, length = time_units(every)
    reference = "reference" in axis.name.lower()
    attributes: dict[str, Value] = {
        "standard_name": "forecast_reference_time" if reference else "time",
        "long_name": axis.title or "time",
        "units": units,
        "calendar": axis.calendar,
    }
    if axis.calendar == "standard":
        attributes["units_metadata"] = "leap_seconds: none"
    if not reference:
        attributes["axis"] = "T"
    bounds = None if axis.bounds is None else axis.bounds // length
    return _with_bounds(axis.name, axis.ticks // length, bounds, attributes)


def _numeric(
    axis: RegularAxis | IrregularAxis,
    values: NDArray[np.float64],
    bounds: NDArray[np.float64] | None,
) -> list[Variable]:
    attributes: dict[str, Value] = {"long_name": axis.title or axis.name}
    if axis.uom:
        attributes["units"] = axis.uom
    if axis.title in _STANDARD_NAMES or axis.name in _STANDARD_NAMES:
        attributes["standard_name"] = axis.title if axis.title in _STANDARD_NAMES else axis.name
    if is_vertical(axis):
        attributes |= {"axis": "Z", "positive": "down" if points_down(axis) else "up"}
    return _with_bounds(axis.name, values, bounds, attributes)


def _rectified(domain: DomainSet, grid: RectifiedGrid) -> list[Variable]:
    x, y = horizontal_names(domain)
    found = []
    for name, values, step, letter in (
        (y, grid.y_centres(), grid.dy, "Y"),
        (x, grid.x_centres(), grid.dx, "X"),
    ):
        bounds = np.stack([values - step / 2, values + step / 2], axis=-1)
        attributes = {**_horizontal(name, grid.crs), "axis": letter}
        found += _with_bounds(name, values, bounds, attributes)
    return found


def _positions(grid: ReferenceableGrid) -> list[Variable]:
    return [
        Variable("lat", ("y", "x"), grid.y, _horizontal("lat", grid.crs)),
        Variable("lon", ("y", "x"), grid.x, _horizontal("lon", grid.crs)),
    ]


def _horizontal(name: str, crs: Crs) -> dict[str, Value]:
    direction = {"lat": "north", "lon": "east"}.get(name)
    if direction:
        long = {"lat": "latitude", "lon": "longitude"}[name]
        return {"standard_name": long, "long_name": long, "units": f"degrees_{direction}"}
    if name in {"rlat", "rlon"}:
        long = {"rlat": "grid_latitude", "rlon": "grid_longitude"}[name]
        return {"standard_name": long, "long_name": long.replace("_", " "), "units": "degrees"}
    return {
        "standard_name": f"projection_{name}_coordinate",
        "long_name": f"{name} coordinate of projection",
        "units": crs.uom,
    }


def _with_bounds(
    name: str,
    values: NDArray[np.generic],
    bounds: NDArray[np.generic] | None,
    attributes: dict[str, Value],
) -> list[Variable]:
    if bounds is None:
        return [Variable(name, (name,), values, attributes)]
    edges = Variable(f"{name}_bnds", (name, "bnds"), bounds)
    return [Variable(name, (name,), values, attributes | {"bounds": f"{name}_bnds"}), edges]
