"""Overviews in somebody else's Zarr: the multiscales convention, ndpyramid, OME-like groups.

Levels are used as far as they halve the finest grid again and again from the same corner, with
the same fields; what comes after, or fits otherwise, is not.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from datacube.model.coverage import Level
from datacube.model.grid import Grid, RectifiedGrid
from datacube.store.foreign_fields import PartField
from datacube.store.foreign_nodes import Node
from datacube.store.foreign_parts import Part

_OFF = 0.05  # of a cell


@dataclass(frozen=True, slots=True)
class Pyramid:
    """Groups of one content, the finest first.

    Parameters
    ----------
    paths : tuple of str
    """

    paths: tuple[str, ...]


def pyramids(nodes: Mapping[str, Node]) -> dict[str, Pyramid]:
    """Pyramids by the path of the group that says so, or whose children are numbered."""
    found = {}
    for path, node in nodes.items():
        if node.is_array:
            continue
        named = [one for one in _named(node) if one in nodes and not nodes[one].is_array]
        paths = named or _numbered(path, nodes)
        if len(paths) > 1:
            finest = sorted(paths, key=lambda one: -_cells(one, nodes))
            found[path] = Pyramid(tuple(finest))
    return found


def _named(node: Node) -> Iterator[str]:
    """Paths of the groups that a multiscales attribute lists."""
    said = node.attributes.get("multiscales")
    for one in said if isinstance(said, list) else [said]:
        if not isinstance(one, dict):
            continue
        for entries, key in ((one.get("layout"), "asset"), (one.get("datasets"), "path")):
            for entry in entries if isinstance(entries, list) else ():
                if isinstance(entry, dict) and isinstance(entry.get(key), str):
                    yield _below(node.path, entry[key])


def _below(path: str, name: str) -> str:
    name = "" if name in {".", ""} else name.removeprefix("./").strip("/")
    return "/".join(one for one in (path, name) if one)


def _numbered(path: str, nodes: Mapping[str, Node]) -> list[str]:
    """Children called 0, 1, 2 … of a group without arrays on a plane."""
    children = [one for one in nodes.values() if one.path and one.parent == path]
    if any(one.is_array and len(_shape(one)) > 1 for one in children):
        return []
    numbered = [one.path for one in children if one.name.isdecimal() and not one.is_array]
    names = sorted(int(one.rpartition("/")[2]) for one in numbered)
    return numbered if names == list(range(len(names))) else []


def _cells(path: str, nodes: Mapping[str, Node]) -> int:
    """Size of a group's largest array."""
    sizes = [
        math.prod(_shape(one)) for one in nodes.values() if one.is_array and one.parent == path
    ]
    return max(sizes, default=0)


def _shape(node: Node) -> list[int]:
    said = node.document.get("shape")
    return [side for side in said if isinstance(side, int)] if isinstance(said, list) else []


def levels_of(
    part: Part, coarser: Sequence[Sequence[Part]]
) -> tuple[tuple[Level, ...], tuple[tuple[PartField, ...], ...]]:
    """Levels of a part and its fields on each, the finest first.

    Parameters
    ----------
    part : Part, of the finest group
    coarser : the parts of each coarser group, in order
    """
    levels = [Level(0, 1, part.grid)]
    fields = [part.fields]
    for candidates in coarser:
        factor = 2 ** len(levels)
        wanted = part.grid.coarsened(factor)
        found = next((one for one in candidates if _fits(one, part, wanted)), None)
        if found is None:
            break
        by_name = {one.field.name: one for one in found.fields}
        levels.append(Level(len(levels), factor, wanted))
        fields.append(tuple(by_name[one.field.name] for one in part.fields))
    return tuple(levels), tuple(fields)


def _fits(coarse: Part, part: Part, wanted: Grid) -> bool:
    return (
        coarse.grid.shape == wanted.shape
        and _same_corner(coarse.grid, wanted)
        and [axis.size for axis in coarse.axes] == [axis.size for axis in part.axes]
        and _same_fields(coarse, part)
        and _same_order(coarse, part)
    )


def _same_corner(grid: Grid, wanted: Grid) -> bool:
    """Whether two regular grids lie on one another; overviews with own positions are not used."""
    if not (isinstance(grid, RectifiedGrid) and isinstance(wanted, RectifiedGrid)):
        return False
    pairs: tuple[tuple[Any, Any, float], ...] = (
        (grid.transform.c, wanted.transform.c, wanted.dx),
        (grid.transform.f, wanted.transform.f, wanted.dy),
        (grid.dx * grid.width, wanted.dx * wanted.width, wanted.dx),
        (grid.dy * grid.height, wanted.dy * wanted.height, wanted.dy),
    )
    return all(abs(one - other) <= _OFF * abs(cell) for one, other, cell in pairs)


def _same_fields(coarse: Part, part: Part) -> bool:
    own = {one.field.name: one.field for one in coarse.fields}
    return all(
        (found := own.get(one.field.name)) is not None
        and (found.dtype, found.nil, found.scale, found.offset)
        == (one.field.dtype, one.field.nil, one.field.scale, one.field.offset)
        for one in part.fields
    )


def _same_order(coarse: Part, part: Part) -> bool:
    if coarse.order is None or part.order is None:
        return coarse.order is part.order
    return np.array_equal(coarse.order, part.order)
