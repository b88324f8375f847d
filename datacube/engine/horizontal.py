"""Trims and slices of x and y -> the window of a grid, over any seam of longitudes."""

from collections.abc import Mapping

import numpy as np

from datacube.errors import InvalidCrs, InvalidSubset
from datacube.model.bbox import BoundingBox
from datacube.model.crs import Crs
from datacube.model.grid import RectifiedGrid
from datacube.model.query import Point, SelectionRule, Slice, Subset, Trim
from datacube.slicing.cells import SeparableMap
from datacube.slicing.select import CellRow, Span, select_cells, slice_cell


def select_grid(
    grid: RectifiedGrid, subsets: Mapping[str, Subset]
) -> tuple[RectifiedGrid, SeparableMap, tuple[str, ...]]:
    """The window that subsets of ``"x"`` and ``"y"`` take.

    Returns
    -------
    window : RectifiedGrid, cells of the grid; over a seam its x runs on monotonically
    cells : SeparableMap, cells of the window -> cells of the grid
    notes : what was clamped

    Raises
    ------
    InvalidSubset, SubsetOutOfDomain
    """
    subsets = _in_grid_crs(grid, subsets)
    x, y = axis_rows(grid)
    across = _select(x, subsets.get("x"))
    down = _select(y, subsets.get("y"))
    columns = np.arange(across.start, across.stop, dtype=np.intp)
    if grid.wraps:
        columns %= grid.width
    rows = np.arange(down.start, down.stop, dtype=np.intp)
    window = grid.window(down.start, across.start, down.size, across.size)
    notes = tuple(
        f"Subset clamped: {row.name} runs from {row.ends[0]:.10g} to {row.ends[1]:.10g}"
        for row, span in ((x, across), (y, down))
        if span.clamped
    )
    return window, SeparableMap(rows, columns), notes


def axis_rows(grid: RectifiedGrid) -> tuple[CellRow, CellRow]:
    """The grid's columns and rows, each as an axis seen alone."""
    x_label, y_label = grid.crs.labels
    turn = 360.0 if grid.crs.geographic else None
    return (
        CellRow(x_label, float(grid.transform.c), grid.dx, grid.width, grid.wraps, turn),
        CellRow(y_label, float(grid.transform.f), grid.dy, grid.height),
    )


def _select(row: CellRow, subset: Subset | None) -> Span:
    match subset:
        case None:
            return Span(0, row.size)
        case Slice(_, point):
            return slice_cell(row, number_on(row.name, point))
        case Trim(_, low, high, _, rule):
            return select_cells(
                row,
                None if low is None else number_on(row.name, low),
                None if high is None else number_on(row.name, high),
                rule,
            )


def number_on(name: str, point: Point) -> float:
    """A finite coordinate on an axis of that name.

    Raises
    ------
    InvalidSubset
        It is none.
    """
    try:
        value = float(point)  # type: ignore[arg-type]  # a time fails as any other text
    except (TypeError, ValueError):
        raise InvalidSubset(f"{name}: '{point}' is no number", subject=name) from None
    if not np.isfinite(value):
        raise InvalidSubset(f"{name}: '{point}' is not finite", subject=name)
    return value


def _in_grid_crs(grid: RectifiedGrid, subsets: Mapping[str, Subset]) -> Mapping[str, Subset]:
    """Subsets given in another CRS as the smallest trims of the grid's own that hold them."""
    foreign = {one.crs for one in subsets.values() if one.crs is not None}
    foreign = {crs for crs in foreign if not crs.same_plane(grid.crs)}
    if not foreign:
        return subsets
    if len(foreign) > 1 or any(one.crs not in foreign for one in subsets.values()):
        raise InvalidSubset("trims of x and y must be in the same CRS")
    (crs,) = foreign
    return _trims(grid, crs, subsets)


def _trims(grid: RectifiedGrid, crs: Crs, subsets: Mapping[str, Subset]) -> Mapping[str, Subset]:
    whole = grid.bbox.to_crs(crs)
    rows = axis_rows(RectifiedGrid.from_bbox(whole, 1, 1))
    ends = {"x": (whole.left, whole.right), "y": (whole.bottom, whole.top)}
    for row, axis in zip(rows, ("x", "y"), strict=True):
        match subsets.get(axis):
            case Trim(_, low, high):
                first, last = ends[axis]
                ends[axis] = (
                    first if low is None else number_on(row.name, low),
                    last if high is None else number_on(row.name, high),
                )
            case Slice(_, point):
                ends[axis] = (number_on(row.name, point),) * 2
            case None:
                pass
    (left, right), (bottom, top) = ends["x"], ends["y"]
    try:
        box = BoundingBox(left, bottom, right, top, crs).to_crs(grid.crs)
    except InvalidCrs:
        for row, axis in zip(rows, ("x", "y"), strict=True):
            select_cells(row, *ends[axis], "cells")  # refuses what lies beside the grid
        raise
    return {
        "x": Trim("x", box.left, box.right, rule=_rule(subsets.get("x"))),
        "y": Trim("y", box.bottom, box.top, rule=_rule(subsets.get("y"))),
    }


def _rule(subset: Subset | None) -> SelectionRule:
    return subset.rule if isinstance(subset, Trim) else "cells"
