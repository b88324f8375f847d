"""Coordinate variables of a NetCDF file."""

import re
from collections.abc import Mapping
from typing import Any

import netCDF4
import numpy as np

from datacube.errors import SourceError
from datacube.store.cf import Coordinate, decoded, role_of, words

_FROM = re.compile(r"\btime from (\d{4})-?(\d\d)-?(\d\d)\b")
_PLANE = 2  # dimensions
_UNITS_OF_TIME = ("seconds", "minutes", "hours", "days")


def attributes_of(variable: Any) -> dict[str, Any]:
    """Attributes of a netCDF variable or file, as they are."""
    return {name: variable.getncattr(name) for name in variable.ncattrs()}


def scalars_of(file: netCDF4.Dataset) -> dict[str, str]:
    """Attributes of the file and values of its scalar variables, by name."""
    found = {name: str(value) for name, value in attributes_of(file).items()}
    for name, variable in file.variables.items():
        text = variable.dtype is not str and variable.dtype.kind == "S" and variable.ndim == 1
        if text:
            found[name] = b"".join(variable[...]).decode("utf-8", "replace").strip("\0 ")
        elif variable.ndim == 0:
            found[name] = str(np.asarray(variable[...])[()]).strip()
    return found


def coordinates_of(file: netCDF4.Dataset) -> dict[str, Coordinate]:
    """Every numeric variable of at most one dimension that can be a coordinate, by name."""
    found = {}
    for name, variable in file.variables.items():
        if variable.ndim > 1 or not is_numeric(variable):
            continue
        attributes = attributes_of(variable)
        role = role_of(name, attributes)
        own = variable.dimensions == (name,)
        if own or role != "other":
            found[name] = decoded(name, role, np.asarray(variable[...]), attributes)
    return found


def for_dimension(
    dimension: str, coordinates: Mapping[str, Coordinate], file: netCDF4.Dataset
) -> Coordinate | None:
    """The coordinate along a dimension: the variable of its name, or the only telling one.

    A time that can be decoded stands above one that cannot (NEMO's ``time_counter``).
    """
    along = [
        one for one in coordinates.values() if file.variables[one.name].dimensions == (dimension,)
    ]
    times = [one for one in along if one.role == "time" and " since " in one.units]
    own = coordinates.get(dimension)
    if own is not None and own in along:
        undecodable = own.role == "time" and " since " not in own.units
        return times[0] if undecodable and times else own
    return next(iter(times or along), None)


def is_numeric(variable: Any) -> bool:
    """Whether each of its values is one number."""
    if isinstance(variable.datatype, netCDF4.VLType):
        return False
    return isinstance(variable.dtype, np.dtype) and variable.dtype.kind in "iuf"


def labels_of(dimension: str, file: netCDF4.Dataset) -> tuple[str, ...]:
    """Names along a dimension, of a text variable that has only that dimension.

    CF conventions 1.11, section 6.1: strings, or characters with a dimension for their length. The
    variable of the dimension's own name stands above others.
    """
    named = sorted(file.variables.values(), key=lambda one: one.name != dimension)
    for one in named:
        if one.dimensions[:1] != (dimension,):
            continue
        if one.dtype is str and one.ndim == 1:
            return tuple(str(text).strip() for text in one[...])
        if one.dtype is not str and one.dtype.kind == "S" and one.ndim == 2:
            return tuple(
                b"".join(row).decode("utf-8", "replace").strip("\0 ")
                for row in np.asarray(one[...])
            )
    return ()


def mapping_of(variable: Any, file: netCDF4.Dataset) -> dict[str, Any]:
    """Attributes of a field's grid mapping, else of the file's only one; empty without one."""
    named = str(getattr(variable, "grid_mapping", "")).split(":")[0].split()
    if named and named[0] in file.variables:
        return attributes_of(file.variables[named[0]])
    every = [one for one in file.variables.values() if "grid_mapping_name" in one.ncattrs()]
    return attributes_of(every[0]) if len(every) == 1 else {}


def reference_units(coordinate: Coordinate) -> str:
    """Units of a time axis; where they name no reference, it may stand in the long name.

    Examples
    --------
    >>> said = {"units": "hours", "long_name": "FORECAST time from 20200101"}
    >>> reference_units(decoded("time", "time", np.float32([12]), said))
    'hours since 2020-01-01'
    """
    named = _FROM.search(str(coordinate.attributes.get("long_name", "")))
    if " since " in coordinate.units or named is None or coordinate.units not in _UNITS_OF_TIME:
        return coordinate.units
    return f"{coordinate.units} since {named[1]}-{named[2]}-{named[3]}"


def is_run(coordinate: Coordinate | None) -> bool:
    """Whether it says when model runs start."""
    if coordinate is None or " since " not in coordinate.units:
        return False
    return coordinate.attributes.get("standard_name") == "forecast_reference_time"


def reference_of(variable: Any, time: str | None, file: netCDF4.Dataset) -> Coordinate | None:
    """When the run of a variable started: a scalar, or one for each of its times."""
    named = words(getattr(variable, "coordinates", ""))
    ordered = sorted(file.variables.values(), key=lambda one: one.name not in named)
    for one in ordered:
        if not is_numeric(one) or one.dimensions not in {(), (time,)}:
            continue
        attributes = attributes_of(one)
        # the role of a time, whatever it is called, so that its numbers stay as they are
        found = decoded(one.name, "time", np.asarray(one[...]), attributes)
        if is_run(found):
            return found
    return None


def position_names(file: netCDF4.Dataset) -> set[str]:
    """Names of the longitudes and latitudes of each cell: variables of two dimensions.

    Model output may repeat them for each of its times, in a third dimension before these.
    """
    return {
        name
        for name, variable in file.variables.items()
        if variable.ndim in {_PLANE, _PLANE + 1}
        and is_numeric(variable)
        and (variable.ndim == _PLANE or _time_units(variable.dimensions[0], file))
        and role_of(name, attributes_of(variable)) in {"lon", "lat"}
    }


def positions_over(variable: Any, file: netCDF4.Dataset) -> tuple[str, str] | None:
    """Longitude and latitude of each cell of a variable, by name; None where it has none.

    Those that the variable names itself stand before others over the same dimensions.
    """
    known = sorted(position_names(file))
    named = [name for name in words(getattr(variable, "coordinates", "")) if name in known]
    found: dict[str, str] = {}
    for name in (*named, *known):
        one = file.variables[name]
        if set(one.dimensions[-_PLANE:]) <= set(variable.dimensions):
            found.setdefault(role_of(name, attributes_of(one)), name)
    if not {"lon", "lat"} <= found.keys():
        return None
    lon, lat = found["lon"], found["lat"]
    return (lon, lat) if file[lon].dimensions == file[lat].dimensions else None


def plane_coordinate(name: str, file: netCDF4.Dataset) -> Coordinate:
    """A longitude or latitude of each cell, decoded, (y, x).

    Raises
    ------
    SourceError
        It is another one at another time.
    """
    variable = file.variables[name]
    attributes = attributes_of(variable)
    values = np.asarray(variable[...])
    if values.ndim > _PLANE:
        if not np.array_equal(values, np.broadcast_to(values[:1], values.shape), equal_nan=True):
            raise SourceError(f"its cells move: '{name}' is another one at each time")
        values = values[0]
    return decoded(name, role_of(name, attributes), values, attributes)


def _time_units(dimension: str, file: netCDF4.Dataset) -> str:
    """Units of a time along a dimension; empty where there is none."""
    along = (one for one in file.variables.values() if one.dimensions == (dimension,))
    said = (str(getattr(one, "units", "")) for one in along)
    return next((one for one in said if " since " in one), "")
