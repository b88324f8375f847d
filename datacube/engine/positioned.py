"""Trims and slices of longitude and latitude on a grid whose cells have positions of their own.

A trim means the cells whose centres lie in the box; the answer is the smallest rectangle of rows
and columns that holds them. Both coordinates sliced mean the cell nearest to the point.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datacube.engine.horizontal import number_on
from datacube.errors import InvalidSubset, SubsetOutOfDomain
from datacube.model.bbox import BoundingBox
from datacube.model.crs import Crs, transform
from datacube.model.grid import ReferenceableGrid
from datacube.model.query import SelectionRule, Slice, Subset, Trim
from datacube.slicing.cells import SeparableMap
from datacube.slicing.curvilinear import Inverses

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

_SLACK = 1e-9  # degrees
_METRES = 1e-6


@dataclass(frozen=True, slots=True)
class PositionWindow:
    """What subsets take of a grid.

    Parameters
    ----------
    grid : ReferenceableGrid, of the rectangle of cells
    cells : SeparableMap, cells of the rectangle -> cells of the whole grid
    box : BoundingBox, what was asked for, cut to where there are cells
    count : int, number of cells that lie in the box
    notes : what was clamped
    """

    grid: ReferenceableGrid
    cells: SeparableMap
    box: BoundingBox
    count: int
    notes: tuple[str, ...] = ()


def select_positions(
    grid: ReferenceableGrid, subsets: Mapping[str, Subset], inverses: Inverses
) -> PositionWindow:
    """The rectangle of cells that subsets of ``"x"`` and ``"y"`` take.

    Raises
    ------
    InvalidSubset
        One coordinate is sliced and the other is not, the trims are in two CRS, or one is no
        number.
    SubsetOutOfDomain
        No cell lies there; the message gives the valid range.

    Examples
    --------
    >>> from datacube.model.crs import CRS84
    >>> lon, lat = np.meshgrid([170.0, 180.0, -170.0], [0.0, 10.0, 20.0])
    >>> grid = ReferenceableGrid(CRS84, lon, lat)
    >>> box = {"x": Trim("x", 175.0, -165.0), "y": Trim("y", 5.0, 30.0)}
    >>> found = select_positions(grid, box, Inverses())
    >>> found.cells.rows.tolist(), found.cells.columns.tolist(), found.count
    ([1, 2], [1, 2], 4)
    """
    if not subsets:
        rows, columns = (np.arange(size, dtype=np.intp) for size in grid.shape)
        count = int(np.count_nonzero(np.isfinite(grid.x)))
        return PositionWindow(grid, SeparableMap(rows, columns), grid.bbox, count)
    crs = _crs_of(grid, subsets)
    sliced = [one for one in subsets.values() if isinstance(one, Slice)]
    if sliced:
        return _at_point(grid, subsets, crs, inverses)
    inside = _inside(grid, subsets, crs)
    if not inside.any():
        middle = _box(grid, subsets, crs)
        x = np.array([(middle.left + middle.unwrapped().right) / 2])
        return _cell(grid, (x, np.array([(middle.bottom + middle.top) / 2])), middle, inverses)
    return _rectangle(grid, subsets, crs, inside)


def _crs_of(grid: ReferenceableGrid, subsets: Mapping[str, Subset]) -> Crs:
    """The CRS in which x and y are given."""
    given = {one.crs for one in subsets.values()}
    planes = {crs for crs in given if crs is not None and not crs.same_plane(grid.crs)}
    if not planes:
        return grid.crs
    if len(planes) > 1 or given != planes:
        raise InvalidSubset("trims of x and y must be in the same CRS")
    return planes.pop()


def _at_point(
    grid: ReferenceableGrid, subsets: Mapping[str, Subset], crs: Crs, inverses: Inverses
) -> PositionWindow:
    match subsets.get("x"), subsets.get("y"):
        case Slice(_, x), Slice(_, y):
            east, north = number_on(crs.labels[0], x), number_on(crs.labels[1], y)
            lon, lat = transform(np.array([east]), np.array([north]), crs, grid.crs)
        case _:
            raise InvalidSubset(
                "no row or column of a curvilinear grid has one longitude or one latitude; give "
                f"points of both {' and '.join(grid.crs.axis_labels)}, or trims"
            )
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        raise _outside(grid)
    x0, y0, half = float(lon[0]), float(lat[0]), inverses.of(grid).spacing / 2
    box = BoundingBox(x0 - half, y0 - half, x0 + half, y0 + half, grid.crs)
    return _cell(grid, (lon, lat), box, inverses)


def _cell(
    grid: ReferenceableGrid,
    at: tuple[FloatArray, FloatArray],
    box: BoundingBox,
    inverses: Inverses,
) -> PositionWindow:
    """The cell that is nearest to a place."""
    u, v = inverses.of(grid).locate(*transform(*at, box.crs, grid.crs), nearest=True)
    if not np.isfinite(u[0]):
        raise _outside(grid)
    row, column = (min(int(one[0]), size - 1) for one, size in ((v, grid.height), (u, grid.width)))
    cells = SeparableMap(np.array([row]), np.array([column]))
    return PositionWindow(grid.window(row, column, 1, 1), cells, box, 1)


def _inside(grid: ReferenceableGrid, subsets: Mapping[str, Subset], crs: Crs) -> BoolArray:
    """Which centres lie in the box; bool, (y, x)."""
    x, y = transform(grid.x, grid.y, grid.crs, crs)
    found = np.isfinite(x) & np.isfinite(y)
    turn = 360.0 if crs.geographic else None
    for name, label, values in zip(("x", "y"), crs.labels, (x, y), strict=True):
        match subsets.get(name):
            case Trim(_, low, high, _, rule):
                first, last = (
                    None if one is None else number_on(label, one) for one in (low, high)
                )
                found &= _between(values, first, last, turn if name == "x" else None)
                _check_strict(grid, name, (first, last), rule, crs)
            case _:
                pass
    return found


def _between(
    values: FloatArray, low: float | None, high: float | None, turn: float | None
) -> BoolArray:
    slack = _SLACK if turn is not None else _METRES
    if low is None or high is None:
        first = -np.inf if low is None else low
        last = np.inf if high is None else high
        return (values >= first - slack) & (values <= last + slack)
    if turn is None:
        if low > high:
            raise InvalidSubset(f"low {low:g} is above high {high:g}")
        return (values >= low - slack) & (values <= high + slack)
    width = high - low if low <= high else (high - low) % turn
    return (values - low + slack) % turn <= width + 2 * slack


def _check_strict(
    grid: ReferenceableGrid,
    name: str,
    ends: tuple[float | None, ...],
    rule: SelectionRule,
    crs: Crs,
) -> None:
    if rule != "strict-inside" or not crs.same_plane(grid.crs):
        return
    box = grid.bbox.unwrapped()
    first, last = (box.left, box.right) if name == "x" else (box.bottom, box.top)
    if any(one is not None and not first <= one <= last for one in ends):
        raise _outside(grid)


def _rectangle(
    grid: ReferenceableGrid, subsets: Mapping[str, Subset], crs: Crs, inside: BoolArray
) -> PositionWindow:
    wide = any(isinstance(one, Trim) and one.rule == "outside" for one in subsets.values())
    spans = []
    for axis, size in ((1, grid.height), (0, grid.width)):
        places = np.flatnonzero(inside.any(axis=axis))
        spans.append((max(int(places[0]) - wide, 0), min(int(places[-1]) + wide + 1, size)))
    (top, bottom), (left, right) = spans
    part = grid.window(top, left, bottom - top, right - left)
    cells = SeparableMap(np.arange(top, bottom), np.arange(left, right))
    box = _box(grid, subsets, crs)
    return PositionWindow(part, cells, box, int(np.count_nonzero(inside)))


def _box(grid: ReferenceableGrid, subsets: Mapping[str, Subset], crs: Crs) -> BoundingBox:
    """The box that trims ask for, open ends at the ends of the grid."""
    whole = grid.bbox.to_crs(crs)
    ends = {"x": (whole.left, whole.right), "y": (whole.bottom, whole.top)}
    for name, label in zip(("x", "y"), crs.labels, strict=True):
        match subsets.get(name):
            case Trim(_, low, high):
                first, last = ends[name]
                ends[name] = (
                    first if low is None else number_on(label, low),
                    last if high is None else number_on(label, high),
                )
            case _:
                pass
    bottom, top = (min(max(one, whole.bottom), whole.top) for one in ends["y"])
    return BoundingBox(ends["x"][0], bottom, ends["x"][1], top, crs)


def _outside(grid: ReferenceableGrid) -> SubsetOutOfDomain:
    box = grid.bbox
    labels = grid.crs.labels
    return SubsetOutOfDomain(
        f"no cell lies there; the cells are within {labels[0]} {box.left:g} to {box.right:g} and "
        f"{labels[1]} {box.bottom:g} to {box.top:g}",
        subject=labels[0],
    )
