"""From the arrays of a Zarr group to cubes: which share grid and axes, and how each lies on them.

CF conventions 1.11, chapters 2 to 5. What cannot be served is left out, with the reason.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from datacube.errors import DatacubeError, InvalidTime, SourceError
from datacube.model.axis import Axis, IndexAxis, TimeAxis, is_vertical
from datacube.model.crs import Crs
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.model.naming import identifier
from datacube.store.cf import Coordinate
from datacube.store.cffield import Missing, field_of, missing_of
from datacube.store.cfgrid import crs_of
from datacube.store.foreign_arrays import ArrayMeta
from datacube.store.foreign_grid import given_crs, given_transform, grid_by, has_mapping
from datacube.store.foreign_scope import (
    Scope,
    array_role,
    axis_along,
    named_in,
    packing,
    plain_attributes,
    time_axis,
)

MALFORMED = (
    *(DatacubeError, ValueError, TypeError, KeyError, AttributeError, IndexError),
    *(ArithmeticError, RecursionError),
)
"""What odd metadata makes of code that expects honest one."""

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
    """

    x: str
    y: str
    time: str
    instant: str
    axes: tuple[str, ...]
    mapping: str

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for arrays of one cube."""
        return self.x, self.y, self.time, self.instant, frozenset(self.axes), self.mapping

    @property
    def logical(self) -> tuple[str, ...]:
        """Dimensions as a cube has them; ``""`` for an instant that no dimension has."""
        time = (self.time,) if self.time or self.instant else ()
        return (*time, *self.axes, self.y, self.x)


@dataclass(frozen=True, slots=True)
class PartField:
    """A field and how its array lies.

    Parameters
    ----------
    field : Field
    meta : ArrayMeta
    missing : Missing
    places : tuple of int
        The array's dimension of each of the cube's, -1 where it has none.
    """

    field: Field
    meta: ArrayMeta
    missing: Missing
    places: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Part:
    """Fields of a group that share grid and axes.

    Parameters
    ----------
    group : str, path of their group
    grid : RectifiedGrid
    axes : tuple of Axis, time first
    order : int64, (times,), place in the arrays of each instant; None as they lie
    fields : tuple of PartField
    hint : str, names of the horizontal dimensions
    """

    group: str
    grid: RectifiedGrid
    axes: tuple[Axis, ...]
    order: NDArray[np.int64] | None
    fields: tuple[PartField, ...]
    hint: str

    @property
    def timed(self) -> bool:
        """Whether it has a time axis."""
        return any(isinstance(axis, TimeAxis) for axis in self.axes)

    @property
    def vertical(self) -> bool:
        """Whether it has a vertical axis."""
        return any(is_vertical(axis) for axis in self.axes)

    @property
    def rank(self) -> tuple[bool, int, int, int]:
        """The main part of a source has the lowest."""
        labelled = sum(isinstance(axis, IndexAxis) for axis in self.axes)
        cells = self.grid.width * self.grid.height
        return not self.vertical, labelled, -len(self.fields), -cells

    def suffix(self, main: "Part") -> str:
        """What is added to the id of the source's main part."""
        if self.group != main.group:
            return self.group.replace("/", "-") or self.hint
        if main.timed and not self.timed:
            return "static"
        further = [axis.name for axis in self.axes if not isinstance(axis, TimeAxis)]
        if not further and main.vertical:
            return "2d"
        return "-".join(further) or self.hint


def parts_of(scope: Scope) -> tuple[list[Part], list[str]]:
    """The parts of a group and why its other arrays are in none.

    Returns
    -------
    parts : list of Part
    reasons : list of str, ``name: reason``
    """
    groups: dict[tuple[object, ...], list[tuple[ArrayMeta, Layout]]] = {}
    reasons: list[str] = []
    for meta in _candidates(scope):
        try:
            layout = _layout(scope, meta)
            groups.setdefault(layout.key, []).append((meta, layout))
        except MALFORMED as error:
            reasons.append(f"{meta.path}: {words_of(error)}")
    parts = []
    for members in groups.values():
        try:
            parts.append(_part(scope, members, reasons))
        except MALFORMED as error:
            names = ", ".join(meta.path for meta, _ in members[:5])
            reasons.append(f"{names}: {words_of(error)}")
    return parts, reasons


def words_of(error: BaseException) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())[:300]
    return text if isinstance(error, DatacubeError) else f"odd metadata ({text})"


def _candidates(scope: Scope) -> Iterator[ArrayMeta]:
    """Arrays that can be fields: numbers on a plane, and no helper of another one."""
    helpers: set[str] = set()
    for meta in scope.visible.values():
        for key in (*_HELPERS, "climatology"):
            helpers.update(named_in(meta.attributes, key))
    for name, meta in scope.own.items():
        plane = len(meta.dimensions) >= 2 and meta.numeric and name not in helpers
        if plane and array_role(meta) not in {"lon", "lat"} and "_bnds" not in name:
            yield meta


def _layout(scope: Scope, meta: ArrayMeta) -> Layout:
    if "" in meta.dimensions or len(set(meta.dimensions)) < len(meta.dimensions):
        raise SourceError("its dimensions have no names, or one of them twice")
    found = _slots(scope, meta)
    time = found.get("time", "")
    if time and not _decodable(scope, time):
        time = ""
    others = [name for name in meta.dimensions if name not in {found["x"], found["y"], time}]
    axes = tuple(name for name in others if _kept(scope, meta, name))
    instant = "" if time else _instant(scope, meta)
    return Layout(found["x"], found["y"], time, instant, axes, _mapping(scope, meta)[0])


def _slots(scope: Scope, meta: ArrayMeta) -> dict[str, str]:
    """The dimensions of x, y and time; those of x and y are there."""
    roles = {dimension: scope.role(dimension) for dimension in meta.dimensions}
    found: dict[str, str] = {}
    for dimension, role in roles.items():
        slot = {"lon": "x", "lat": "y"}.get(role, role)
        if slot in {"x", "y", "time"}:
            found.setdefault(slot, dimension)
    plane = {"x", "y"} <= found.keys()
    positions = scope.curvilinear(meta)
    if positions and "lon" not in roles.values() and not (plane and _has_crs(scope, meta)):
        raise SourceError(f"a curvilinear grid ({positions}); only regular grids are served")
    if "rotated" in roles.values():
        names = ", ".join(name for name, role in roles.items() if role == "rotated")
        raise SourceError(f"a rotated-pole grid ({names}); only regular grids are served")
    if not plane:
        raise SourceError("no dimension is known to be longitude (or x) and latitude (or y)")
    return found


def _has_crs(scope: Scope, meta: ArrayMeta) -> bool:
    name, mapping = _mapping(scope, meta)
    return bool(name) or _crs_sources(scope, meta, mapping)[0] is not None


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


def _mapping(scope: Scope, meta: ArrayMeta) -> tuple[str, Mapping[str, Any]]:
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


def _crs_sources(
    scope: Scope, meta: ArrayMeta, mapping: Mapping[str, Any]
) -> tuple[Crs | None, Affine | None]:
    sources: Sequence[Mapping[str, Any]] = (mapping, meta.attributes, *scope.attributes)
    return given_crs(sources[has_mapping(mapping) :]), given_transform(sources)


def _part(scope: Scope, members: list[tuple[ArrayMeta, Layout]], reasons: list[str]) -> Part:
    first, layout = members[0]
    grid = _grid(scope, first, layout)
    sizes = dict(zip(first.dimensions, first.shape, strict=True))
    axes: list[Axis] = []
    order: NDArray[np.int64] | None = None
    if name := layout.time or layout.instant:
        axis, order = _time(scope, name, sizes.get(layout.time, 1), dimension=bool(layout.time))
        axes.append(axis)
    axes += [axis_along(scope, one, sizes[one]) for one in layout.axes]
    axes = [replace(axis, name=name) for axis, name in zip(axes, _unique(axes), strict=True)]
    fields = tuple(_fields(members, layout, sizes, reasons))
    if not fields:
        raise SourceError("none of them can be decoded")
    return Part(scope.path, grid, tuple(axes), order, fields, f"{layout.y}-{layout.x}")


def _unique(axes: Sequence[Axis]) -> list[str]:
    taken: list[str] = []
    for axis in axes:
        name = axis.name
        while name.lower() in {one.lower() for one in (*taken, "x", "y", "lon", "lat", "long")}:
            name += "_"
        taken.append(name)
    return taken


def _time(
    scope: Scope, name: str, size: int, *, dimension: bool
) -> tuple[TimeAxis, NDArray[np.int64] | None]:
    meta = scope.along(name) if dimension else scope.visible[name]
    if meta is None or (dimension and meta.shape != (size,)):
        raise InvalidTime(f"the time '{name}' has not {size} places")
    axis, order = time_axis(scope, meta)
    plain = len(order) == size and (order == np.arange(size)).all()
    return axis, None if plain else order


def _grid(scope: Scope, meta: ArrayMeta, layout: Layout) -> RectifiedGrid:
    mapping = plain_attributes(_mapping(scope, meta)[1])
    given, transform = _crs_sources(scope, meta, mapping)
    x, y = _coordinate(scope, layout.x), _coordinate(scope, layout.y)
    roles = {scope.role(layout.x), scope.role(layout.y)}
    geographic = roles == {"lon", "lat"}
    if not geographic:
        degrees = scope.degrees_along(layout.x), scope.degrees_along(layout.y)
        nameless = not has_mapping(mapping) and given is None
        if nameless and degrees[0] is not None and degrees[1] is not None:
            x, y = scope.coordinate(degrees[0]), scope.coordinate(degrees[1])
            geographic = True
    crs = _crs(mapping, given, geographic=geographic)
    sizes = dict(zip(meta.dimensions, meta.shape, strict=True))
    return grid_by(x, y, (sizes[layout.x], sizes[layout.y]), crs, mapping, transform)


def _crs(mapping: Mapping[str, Any], given: Crs | None, *, geographic: bool) -> Crs:
    """CRS of a grid; plain x and y are degrees where their CRS is geographic."""
    if geographic:
        usable = given is not None and given.geographic and not has_mapping(mapping)
        return crs_of(mapping, geographic=True, given=given if usable else None)
    if not has_mapping(mapping):
        if given is None:
            raise SourceError("the coordinates x and y name no CRS")
        return given
    try:
        return crs_of(mapping, geographic=False, given=None)
    except SourceError:
        found = given_crs([mapping])
        if found is not None or given is not None:
            return found or given  # type: ignore[return-value]  # one of them is there
        raise


def _coordinate(scope: Scope, dimension: str) -> Coordinate | None:
    meta = scope.along(dimension)
    if meta is None or not meta.numeric:
        return None
    return scope.coordinate(meta)


def _fields(
    members: list[tuple[ArrayMeta, Layout]],
    layout: Layout,
    sizes: Mapping[str, int],
    reasons: list[str],
) -> Iterator[PartField]:
    taken: set[str] = set()
    for meta, own in members:
        own_sizes = dict(zip(meta.dimensions, meta.shape, strict=True))
        if any(
            own_sizes[name] != sizes[name] for name in (*own.axes, own.time, own.x, own.y) if name
        ):
            reasons.append(
                f"{meta.path}: its shape {list(meta.shape)} is not that of its neighbours"
            )
            continue
        try:
            field, missing = _field(meta)
        except MALFORMED as error:
            reasons.append(f"{meta.path}: {words_of(error)}")
            continue
        name = field.name
        while name.lower() in taken:
            name += "_"
        taken.add(name.lower())
        places = tuple(
            meta.dimensions.index(one) if one in meta.dimensions else -1 for one in layout.logical
        )
        yield PartField(replace(field, name=name), meta, missing, places)


def _field(meta: ArrayMeta) -> tuple[Field, Missing]:
    """The field of an array, in the dtype that is served: bool as uint8, float16 as float32."""
    attributes = packing(plain_attributes(meta.attributes))
    dtype = served_dtype(meta.dtype)
    if meta.dtype.kind == "b":
        attributes.pop("_FillValue", None)
    missing = missing_of(dtype, attributes)
    field = field_of(ncname(meta.name), missing, attributes)
    if meta.dtype.kind == "b":
        field = replace(field, overview="mode", valid_range=(0.0, 1.0))
    return replace(field, title=field.title[:200]), missing


def served_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type in which values are served.

    Examples
    --------
    >>> served_dtype(np.dtype("bool")).name, served_dtype(np.dtype("float16")).name
    ('uint8', 'float32')
    """
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    return np.dtype(np.float32) if dtype == np.float16 else dtype.newbyteorder("=")


def ncname(text: str) -> str:
    """A foreign name as an id: ``:``, ``/`` and ``.`` become ``__``.

    Examples
    --------
    >>> ncname("t2m.mean"), ncname("era5:daily"), ncname("2 m")
    ('t2m__mean', 'era5__daily', '_2_m')
    """
    for sign in ":/.":
        text = text.replace(sign, "__")
    return identifier(text, "_")
