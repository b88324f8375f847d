"""What a group of somebody else's Zarr holds: arrays by name, and the coordinates they have.

Coordinates are sought in the group itself and then in those above it, as data trees do.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.errors import InvalidTime, SourceError
from datacube.model.axis import Axis, IndexAxis, TimeAxis
from datacube.model.calendar import calendar_named
from datacube.model.cfunits import decode_cf, within_reach
from datacube.model.naming import identifier
from datacube.store.cf import (
    Coordinate,
    Role,
    axis_of,
    decoded,
    number_labels,
    numbers,
    role_of,
    unpacked,
    words,
)
from datacube.store.foreign_arrays import ArrayMeta, decoded_texts

type Attributes = Mapping[str, Any]

MAX_PLACES = 1 << 20
"""Longest axis other than x, y and time."""

_FARTHEST = 400_000 * 366 * 86_400_000
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_HORIZONTAL = ("lon", "lat", "x", "y")
_LONG_TEXTS = ("crs_wkt", "spatial_ref", "proj4text", "_CRS", "proj:wkt2", "proj:projjson")


@dataclass(frozen=True, eq=False)
class Scope:
    """Arrays that a group's variables can refer to.

    Parameters
    ----------
    path : str
        Of the group.
    own : mapping of name to ArrayMeta
    visible : mapping of name to ArrayMeta
        Its own and, where a name is not its own, those of the groups above.
    attributes : tuple of mapping
        Of the group, then of those above.
    read : function
        All values of an array.
    """

    path: str
    own: Mapping[str, ArrayMeta]
    visible: Mapping[str, ArrayMeta]
    attributes: tuple[Attributes, ...]
    read: Callable[[ArrayMeta], NDArray[Any]]
    made: dict[str, Coordinate] = field(default_factory=dict)

    def along(self, dimension: str) -> ArrayMeta | None:
        """The coordinate array of a dimension: that of its name, or the only telling one."""
        own = self.visible.get(dimension)
        if own is not None and own.dimensions == (dimension,):
            return own
        telling = [
            one
            for one in self.visible.values()
            if dimension and one.dimensions == (dimension,) and array_role(one) != "other"
        ]
        times = [one for one in telling if array_role(one) == "time"]
        return next(iter(times or telling), None)

    def degrees_along(self, dimension: str) -> ArrayMeta | None:
        """A longitude or latitude along a dimension."""
        found = (one for one in self.visible.values() if one.dimensions == (dimension,))
        return next((one for one in found if array_role(one) in {"lon", "lat"}), None)

    def role(self, dimension: str) -> Role:
        """What lies along a dimension; names count for x and y alone where nothing else tells."""
        coordinate = self.along(dimension)
        if coordinate is not None:
            return array_role(coordinate)
        named = role_of(dimension, {})
        return named if named in _HORIZONTAL else "other"

    def coordinate(self, meta: ArrayMeta, role: Role | None = None) -> Coordinate:
        """The values of a numeric coordinate array of at most one dimension.

        Raises
        ------
        StorageError
            They are too many or cannot be read.
        """
        key = f"{meta.path} {role}"
        if key not in self.made:
            values = self.read(meta)
            attributes = plain_attributes(meta.attributes)
            name = role or array_role(meta)
            self.made[key] = decoded(meta.name, name, values, attributes)
        return self.made[key]

    def positions(self, meta: ArrayMeta) -> tuple[str, str] | None:
        """Longitudes and latitudes of the cells of an array, by name; None where it has none.

        Those that the array names itself stand before others over the same dimensions.
        """
        named = [one for one in named_in(meta.attributes, "coordinates") if one in self.visible]
        found: dict[Role, ArrayMeta] = {}
        for name in (*named, *sorted(self.visible)):
            one = self.visible[name]
            over = len(one.dimensions) == 2 and set(one.dimensions) <= set(meta.dimensions)
            if over and one.path != meta.path:
                found.setdefault(array_role(one), one)
        lon, lat = found.get("lon"), found.get("lat")
        if lon is None or lat is None or lon.dimensions != lat.dimensions:
            return None
        return lon.name, lat.name


def array_role(meta: ArrayMeta) -> Role:
    """What an array says of itself."""
    if meta.time_unit:
        return "time"
    if not meta.numeric or meta.dtype.kind not in "iuf":
        return "other"
    return role_of(meta.name, plain_attributes(meta.attributes))


def plain_attributes(attributes: Attributes) -> dict[str, Any]:
    """Attributes without what would break a document: control characters, endless texts.

    Examples
    --------
    >>> plain_attributes({"long_name": "sea" + chr(0) + "ice", "units": 1})
    {'long_name': 'sea ice', 'units': 1}
    """
    return {
        key: value if key in _LONG_TEXTS or not isinstance(value, str) else clean(value)
        for key, value in attributes.items()
    }


def clean(text: str, most: int = 2000) -> str:
    """Text that can stand in XML and JSON."""
    return _UNWANTED.sub(" ", text)[:most]


def packing(attributes: Attributes) -> dict[str, Any]:
    """The attributes with scale and offset as single finite numbers.

    Raises
    ------
    SourceError
        They are none.
    """
    found = dict(attributes)
    for key in ("scale_factor", "add_offset"):
        if key not in found:
            continue
        said = found[key]
        values = [float(said)] if isinstance(said, str) else [*map(float, numbers(said))]
        usable = len(values) == 1 and np.isfinite(values[0]) and abs(values[0]) < 1e300
        if not usable or (key == "scale_factor" and values[0] == 0):
            raise SourceError(f"its {key} {str(said)[:40]} is no number to pack with")
        found[key] = values[0]
    return found


def axis_along(scope: Scope, dimension: str, size: int) -> Axis:
    """The axis along a dimension that is neither horizontal nor time.

    Raises
    ------
    SourceError
        It is longer than can be listed.
    """
    if size > MAX_PLACES:
        raise SourceError(f"{size} places along '{dimension[:60]}'; up to {MAX_PLACES} are served")
    meta = scope.along(dimension)
    name = identifier(clean(dimension, 60), "_")
    if meta is None or meta.time_unit or meta.shape != (size,):
        return IndexAxis(name, size)
    title = clean(str(meta.attributes.get("long_name") or dimension), 200)
    if not meta.numeric or meta.dtype.kind not in "iuf":
        values = scope.read(meta)
        texts = decoded_texts(values) if values.dtype.kind in "OUS" else map(str, values.tolist())
        return IndexAxis(name, size, title=title, labels=_labels(texts))
    coordinate = scope.coordinate(meta)
    if np.isfinite(coordinate.values).all():
        try:
            return axis_of(dimension, size, coordinate)
        except ValueError:
            pass  # not monotonic: numbered places with labels
    labels = _labels(number_labels(coordinate))
    return IndexAxis(name, size, title=title, labels=labels)


def _labels(texts: Any) -> tuple[str, ...]:
    """Labels, each once."""
    found: dict[str, None] = {}
    for text in texts:
        label, number = clean(text, 200).strip() or "-", 2
        wanted = label
        while label in found:
            label, number = f"{wanted} ({number})", number + 1
        found[label] = None
    return tuple(found)


def time_axis(scope: Scope, meta: ArrayMeta) -> tuple[TimeAxis, NDArray[np.int64]]:
    """The time axis of a coordinate array, ascending.

    Returns
    -------
    axis : TimeAxis
    order : int64, (n,), place in the array of each instant; of an instant that the array
        repeats the last one counts, and missing instants are left out

    Raises
    ------
    InvalidTime
        Its units or its calendar are none.
    """
    raw = np.atleast_1d(scope.read(meta))
    attributes = plain_attributes(meta.attributes)
    calendar = calendar_named(str(attributes.get("calendar", "")))
    good = np.isfinite(raw.astype(np.float64))
    for key in ("_FillValue", "missing_value"):
        for value in numbers(attributes.get(key, [])):
            good &= raw != value
    if meta.time_unit:
        good &= raw != np.iinfo(np.int64).min
        instants = raw.view(f"M8[{meta.time_unit}]").astype("M8[ms]")
        ticks = instants.astype(np.int64)
    else:
        units = str(attributes.get("units", ""))
        values = unpacked(raw, packing(attributes))
        good &= within_reach(values, units)
        ticks = decode_cf(np.where(good, values, values.dtype.type(0)), units, calendar)
    good &= np.abs(ticks) < _FARTHEST
    if not good.all() and not good.any() and len(raw):
        raise InvalidTime(f"the times '{meta.name}' are none")
    places = np.flatnonzero(good)[::-1]
    instants_kept, last = np.unique(ticks[places], return_index=True)
    name = identifier(clean(meta.name, 60), "_")
    return TimeAxis(name, instants_kept, calendar), places[last].astype(np.int64)


def named_in(attributes: Attributes, key: str) -> tuple[str, ...]:
    """Names of other arrays in an attribute."""
    return words(attributes.get(key))
