"""Which dimension of an array is what: x, y, time or a further axis, by CF and by names.

CF conventions 1.11, chapters 4 and 5.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from affine import Affine

from datacube.errors import SourceError
from datacube.model.crs import Crs
from datacube.store.cf import Role
from datacube.store.foreign_arrays import ArrayMeta
from datacube.store.foreign_grid import given_crs, given_transform, has_mapping
from datacube.store.foreign_scope import Scope, array_role, named_in

_HELPERS = ("coordinates", "ancillary_variables", "cell_measures", "grid_mapping", "bounds")


@dataclass(frozen=True, slots=True)
class Layout:
    """Roles of an array's dimensions.

    Parameters
    ----------
    x, y : str
    time : str
        Dimension of time, ``""`` without.
    instant : str
        Name of a scalar time instead, ``""`` without.
    axes : tuple of str
        Further dimensions in the array's order.
    mapping : str
        Name of the grid mapping.
    positions : (str, str), optional
        Names of the longitudes and latitudes of each cell, where x and y have no regular ones.
    """

    x: str
    y: str
    time: str
    instant: str
    axes: tuple[str, ...]
    mapping: str
    positions: tuple[str, str] | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for arrays of one cube."""
        place = self.x, self.y, self.mapping, self.positions
        return *place, self.time, self.instant, frozenset(self.axes)

    @property
    def logical(self) -> tuple[str, ...]:
        """Dimensions as a cube has them; ``""`` for an instant that no dimension has."""
        time = (self.time,) if self.time or self.instant else ()
        return (*time, *self.axes, self.y, self.x)


def candidates(scope: Scope) -> Iterator[ArrayMeta]:
    """Arrays that can be fields: numbers on a plane, and no helper of another one."""
    helpers: set[str] = set()
    for meta in scope.visible.values():
        for key in (*_HELPERS, "climatology"):
            helpers.update(named_in(meta.attributes, key))
    for name, meta in scope.own.items():
        plane = len(meta.dimensions) >= 2 and meta.numeric and name not in helpers
        if plane and array_role(meta) not in {"lon", "lat"} and "_bnds" not in name:
            yield meta


def layout_of(scope: Scope, meta: ArrayMeta) -> Layout:
    """The roles of an array's dimensions.

    Raises
    ------
    SourceError
        It lies on no grid that is known; the message says why.
    """
    if "" in meta.dimensions or len(set(meta.dimensions)) < len(meta.dimensions):
        raise SourceError("its dimensions have no names, or one of them twice")
    found, positions = _slots(scope, meta)
    time = found.get("time", "")
    if time and not _decodable(scope, time):
        time = ""
    others = [name for name in meta.dimensions if name not in {found["x"], found["y"], time}]
    axes = tuple(name for name in others if _kept(scope, meta, name))
    instant = "" if time else _instant(scope, meta)
    mapping = mapping_of(scope, meta)[0]
    return Layout(found["x"], found["y"], time, instant, axes, mapping, positions)


def _slots(scope: Scope, meta: ArrayMeta) -> tuple[dict[str, str], tuple[str, str] | None]:
    """The dimensions of x, y and time, and positions of each cell where they are needed."""
    roles = {dimension: scope.role(dimension) for dimension in meta.dimensions}
    found: dict[str, str] = {}
    for dimension, role in roles.items():
        slot = {"lon": "x", "lat": "y", "rlon": "x", "rlat": "y"}.get(role, role)
        if slot in {"x", "y", "time"}:
            found.setdefault(slot, dimension)
    runs = [dimension for dimension in meta.dimensions if _is_run(scope, dimension)]
    if runs:
        found.setdefault("time", runs[0])
    positions = scope.positions(meta)
    if {"x", "y"} <= found.keys() and _is_plane(scope, meta, set(roles.values()), positions):
        return found, None
    if positions is not None:
        found["y"], found["x"] = scope.visible[positions[0]].dimensions
        return found, positions
    rotated = ", ".join(name for name, role in roles.items() if role in {"rlon", "rlat"})
    if rotated:
        raise SourceError(f"a rotated-pole grid ({rotated}) that does not say where the pole lies")
    raise SourceError("no dimension is known to be longitude (or x) and latitude (or y)")


def _is_run(scope: Scope, dimension: str) -> bool:
    """Whether the starts of a forecast's runs lie along a dimension."""
    along = scope.along(dimension)
    if along is None or along.attributes.get("standard_name") != "forecast_reference_time":
        return False
    return _dated(along)


def _is_plane(
    scope: Scope, meta: ArrayMeta, roles: set[Role], positions: tuple[str, str] | None
) -> bool:
    """Whether x and y are degrees, or have a CRS to go with them where positions are better."""
    if roles & {"rlon", "rlat"}:
        return _has_crs(scope, meta)
    return positions is None or "lon" in roles or _has_crs(scope, meta)


def _has_crs(scope: Scope, meta: ArrayMeta) -> bool:
    name, mapping = mapping_of(scope, meta)
    return bool(name) or crs_sources(scope, meta, mapping)[0] is not None


def _decodable(scope: Scope, dimension: str) -> bool:
    meta = scope.along(dimension)
    return meta is not None and _dated(meta)


def _dated(meta: ArrayMeta) -> bool:
    return bool(meta.time_unit) or " since " in str(meta.attributes.get("units", ""))


def _kept(scope: Scope, meta: ArrayMeta, dimension: str) -> bool:
    """Whether a further dimension is an axis: longer than one, or vertical."""
    if meta.shape[meta.dimensions.index(dimension)] != 1:
        return True
    along = scope.along(dimension)
    return along is not None and array_role(along) == "vertical"


def _instant(scope: Scope, meta: ArrayMeta) -> str:
    """Name of a scalar time that the array has."""
    scalars = {
        name
        for name, one in scope.visible.items()
        if one.shape == () and array_role(one) == "time" and _dated(one)
    }
    named = [one for one in named_in(meta.attributes, "coordinates") if one in scalars]
    chosen = named or (sorted(scalars) if len(scalars) == 1 else [])
    return chosen[0] if chosen else ""


def mapping_of(scope: Scope, meta: ArrayMeta) -> tuple[str, Mapping[str, Any]]:
    """Name and attributes of an array's grid mapping, else of the group's only one."""
    said = str(meta.attributes.get("grid_mapping", "")).split(":")[0].split()
    names = [*said[:1], *named_in(meta.attributes, "coordinates")]
    for name in names:
        found = scope.visible.get(name)
        if found is not None and (name in said or has_mapping(found.attributes)):
            return name, found.attributes
    every = {
        name: one.attributes
        for name, one in scope.visible.items()
        if len(one.shape) < 2 and has_mapping(one.attributes)
    }
    return next(iter(every.items())) if len(every) == 1 else ("", {})


def crs_sources(
    scope: Scope, meta: ArrayMeta, mapping: Mapping[str, Any]
) -> tuple[Crs | None, Affine | None]:
    """CRS and transform that array, groups and grid mapping give outside CF."""
    sources: Sequence[Mapping[str, Any]] = (mapping, meta.attributes, *scope.attributes)
    return given_crs(sources[has_mapping(mapping) :]), given_transform(sources)
