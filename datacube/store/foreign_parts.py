"""From the arrays of a Zarr group to cubes: which share grid and axes.

What cannot be served is left out, with the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.errors import InvalidTime, SourceError
from datacube.model.axis import Axis, IndexAxis, TimeAxis, is_vertical
from datacube.model.crs import Crs
from datacube.model.grid import Grid
from datacube.store.cf import Coordinate
from datacube.store.cfgrid import crs_of, positions_grid
from datacube.store.foreign_arrays import ArrayMeta
from datacube.store.foreign_fields import MALFORMED, PartField, fields_of, words_of
from datacube.store.foreign_grid import given_crs, grid_by, has_mapping
from datacube.store.foreign_layout import Layout, candidates, crs_sources, layout_of, mapping_of
from datacube.store.foreign_scope import Scope, axis_along, plain_attributes, time_axis


@dataclass(frozen=True, eq=False)
class Part:
    """Fields of a group that share grid and axes.

    Parameters
    ----------
    group : str, path of their group
    grid : Grid
    axes : tuple of Axis, time first
    order : int64, (times,), place in the arrays of each instant; None as they lie
    fields : tuple of PartField
    hint : str, names of the horizontal dimensions
    """

    group: str
    grid: Grid
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
    for meta in candidates(scope):
        try:
            layout = layout_of(scope, meta)
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
    fields = tuple(fields_of(members, layout, sizes, reasons))
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


def _grid(scope: Scope, meta: ArrayMeta, layout: Layout) -> Grid:
    if layout.positions is not None:
        return positions_grid(*(scope.coordinate(scope.visible[one]) for one in layout.positions))
    mapping = plain_attributes(mapping_of(scope, meta)[1])
    given, transform = crs_sources(scope, meta, mapping)
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
