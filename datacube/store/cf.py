"""Coordinates by the CF conventions: what each variable is, and the values it stands for.

CF conventions 1.11, chapters 4 (coordinate types) and 5 (coordinate systems). Names are the last
resort, after standard_name, units, axis and positive.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from datacube.model.axis import Axis, IndexAxis, IrregularAxis, RegularAxis, is_vertical
from datacube.model.naming import identifier
from datacube.model.regular import regular

FloatArray = NDArray[np.float64]
type Role = Literal["lon", "lat", "x", "y", "rlon", "rlat", "time", "vertical", "other"]

_STANDARD: Mapping[str, Role] = {
    "longitude": "lon",
    "latitude": "lat",
    "projection_x_coordinate": "x",
    "projection_y_coordinate": "y",
    "projection_x_angular_coordinate": "x",
    "projection_y_angular_coordinate": "y",
    "grid_longitude": "rlon",
    "grid_latitude": "rlat",
    "time": "time",
    "forecast_reference_time": "other",
    "forecast_period": "other",
}
_NAMES: Mapping[str, Role] = {
    "lon": "lon",
    "long": "lon",
    "longitude": "lon",
    "lat": "lat",
    "latitude": "lat",
    "x": "x",
    "y": "y",
    "easting": "x",
    "northing": "y",
    "rlon": "rlon",
    "rlat": "rlat",
    "time": "time",
    "z": "vertical",
    "depth": "vertical",
    "height": "vertical",
    "altitude": "vertical",
    "level": "vertical",
    "lev": "vertical",
    "plev": "vertical",
    "pressure": "vertical",
}
_EAST = re.compile(r"^degrees?_?e(ast)?$", re.IGNORECASE)
_NORTH = re.compile(r"^degrees?_?n(orth)?$", re.IGNORECASE)
_PRESSURE = {"hpa", "pa", "mbar", "millibar", "millibars", "mb", "dbar", "decibar", "bar"}


@dataclass(frozen=True, eq=False)
class Coordinate:
    """A coordinate variable of at most one dimension, decoded.

    Parameters
    ----------
    name : str
    role : Role
    values : float64, (n,); a scalar has one
    raw : as stored, (n,), for times
    stored : dtype of the numbers as stored
    attributes : mapping
    """

    name: str
    role: Role
    values: FloatArray
    raw: NDArray[np.generic]
    stored: np.dtype[np.generic]
    attributes: Mapping[str, Any]

    @property
    def units(self) -> str:
        """The units attribute, empty where there is none."""
        return str(self.attributes.get("units", "")).strip()

    @property
    def title(self) -> str:
        """Standard name, long name or name."""
        return str(
            self.attributes.get("standard_name") or self.attributes.get("long_name") or self.name
        )


def role_of(name: str, attributes: Mapping[str, Any]) -> Role:
    """What a coordinate variable says of itself.

    Examples
    --------
    >>> role_of("XAX", {"units": "degrees_east"}), role_of("t", {"units": "days since 1950-1-1"})
    ('lon', 'time')
    >>> role_of("level", {"units": "millibars"}), role_of("ensemble", {})
    ('vertical', 'other')
    """
    standard = str(attributes.get("standard_name", ""))
    if standard in _STANDARD:
        return _STANDARD[standard]
    units = str(attributes.get("units", "")).strip()
    axis = str(attributes.get("axis", "")).upper()
    named = _NAMES.get(name.lower(), "other")
    by_units = _by_units(units)
    if by_units != "other":
        return by_units
    by_axis: Mapping[str, Role] = {"X": "x", "Y": "y", "T": "time", "Z": "vertical"}
    if axis in by_axis:
        return by_axis[axis] if named in {"other", by_axis[axis]} else named
    return "vertical" if str(attributes.get("positive", "")) else named


def _by_units(units: str) -> Role:
    if " since " in units:
        return "time"
    if _EAST.match(units):
        return "lon"
    if _NORTH.match(units):
        return "lat"
    return "vertical" if units.lower() in _PRESSURE else "other"


def axis_of(dimension: str, size: int, coordinate: Coordinate | None) -> Axis:
    """The further axis (not time, not horizontal) along a dimension.

    A coordinate with a unit, a standard name or a vertical meaning has a metric; other numbers
    are labels.

    Raises
    ------
    ValueError
        The coordinates are not strictly monotonic.
    """
    if coordinate is None:
        return IndexAxis(identifier(dimension, "_"), size)
    name = identifier(coordinate.name, "_")
    metric = coordinate.units or "standard_name" in coordinate.attributes
    if not metric and coordinate.role != "vertical":
        labels = number_labels(coordinate)
        return IndexAxis(name, size, title=coordinate.title, labels=labels)
    axis = _metric(name, coordinate, coordinate.title)
    if coordinate.role == "vertical" and not is_vertical(axis):
        said = str(coordinate.attributes.get("positive", "")).lower()
        kind = {"down": "depth", "up": "height"}.get(said, "vertical level")
        return _metric(name, coordinate, f"{coordinate.title} ({kind})")
    return axis


def _metric(name: str, coordinate: Coordinate, title: str) -> Axis:
    values = coordinate.values
    line = regular(values, coordinate.stored)
    if line is not None:
        axis = RegularAxis(name, line[0], line[1], len(values), coordinate.units, title)
        if (axis.coordinates == values).all():
            return axis
    return IrregularAxis(name, values, coordinate.units, title)


def number_labels(coordinate: Coordinate) -> tuple[str, ...]:
    """Numbers as text, with as many digits as tell them from all others of their type.

    Examples
    --------
    >>> number_labels(decoded("run", "other", np.int32([7, 2020010100]), {}))
    ('7', '2020010100')
    >>> number_labels(decoded("quantile", "other", np.float32([0.1, 16777215]), {}))
    ('0.1', '16777215')
    """
    one = coordinate
    same = np.array_equal(one.raw, one.values, equal_nan=True)
    stored: list[Any] = (one.raw if same else one.values).tolist()
    kind = (one.raw if same else one.values).dtype.type
    return tuple(str(value) if isinstance(value, int) else _short(value, kind) for value in stored)


def _short(value: float, kind: type[np.generic]) -> str:
    texts = (f"{value:.{digits}g}" for digits in range(6, 18))
    return next((text for text in texts if kind(text) == kind(value)), f"{value:g}")


def decoded(
    name: str, role: Role, stored: NDArray[np.generic], attributes: Mapping[str, Any]
) -> Coordinate:
    """A coordinate out of its numbers as stored; a packed one is unpacked, a time is not."""
    raw = np.atleast_1d(stored)
    raw = raw.astype(raw.dtype.newbyteorder("="))
    raw = raw.view(signedness(raw.dtype, attributes))
    values = (raw if role == "time" else unpacked(raw, attributes)).astype(np.float64)
    return Coordinate(name, role, values, raw, raw.dtype, attributes)


def unpacked(values: NDArray[np.generic], attributes: Mapping[str, Any]) -> NDArray[np.generic]:
    """Numbers by their scale and offset; as they are where there are none.

    Examples
    --------
    >>> unpacked(np.int16([1, 2]), {"scale_factor": 6.0}).tolist()
    [6.0, 12.0]
    """
    scale = float(attributes.get("scale_factor", 1.0))
    offset = float(attributes.get("add_offset", 0.0))
    if (scale, offset) == (1.0, 0.0):
        return values
    return np.asarray(values.astype(np.float64) * scale + offset)


def signedness(dtype: np.dtype[np.generic], attributes: Mapping[str, Any]) -> np.dtype[np.generic]:
    """The type as which whole numbers are meant, where ``_Unsigned`` says it."""
    said = str(attributes.get("_Unsigned", "")).lower()
    if said == "true" and dtype.kind == "i":
        return np.dtype(f"u{dtype.itemsize}")
    if said == "false" and dtype.kind == "u":
        return np.dtype(f"i{dtype.itemsize}")
    return dtype


def words(value: Any) -> tuple[str, ...]:
    """Names in an attribute such as ``coordinates`` or ``ancillary_variables``."""
    return tuple(value.split()) if isinstance(value, str) else ()


def numbers(value: Any) -> tuple[float | int, ...]:
    """Numbers of an attribute that may be one or several, or text by mistake."""
    items: Iterable[Any] = np.atleast_1d(np.asarray(value))
    return tuple(item.item() for item in items if np.asarray(item).dtype.kind in "iuf")
