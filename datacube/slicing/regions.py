"""Regions: the cells of a chunk that a map needs, reduced before they become pixels.

Where many steps become one, each cell is worked on once however many pixels show it, and pixels
are picked once from what came of it. Nearest gives the same either way.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from datacube.slicing.along import IndexArray, Picker
from datacube.slicing.cells import IndexMap, PixelMap, ReadPlan, SeparableMap
from datacube.slicing.gather import cross
from datacube.slicing.plan import runs_along

type Values = NDArray[Any]

_DENSE = 1.5  # cells of a span for each one that is needed, up to which the span is taken


@dataclass(frozen=True, eq=False)
class Rectangle:
    """A rectangle of pixels, each row and column of one row and column of cells.

    Parameters
    ----------
    rows, columns : slice of the target
    down, across : Picker, rows and columns of the region that they show
    """

    rows: slice
    columns: slice
    down: Picker
    across: Picker


@dataclass(frozen=True, eq=False)
class Scatter:
    """Single pixels, each of one cell.

    Parameters
    ----------
    pixels : intp, (n,), places in the flat target
    cells : intp, (n,), places in the flat region
    """

    pixels: IndexArray
    cells: IndexArray


@dataclass(frozen=True, eq=False)
class Region:
    """Cells of one chunk, and the pixels that show them.

    Parameters
    ----------
    chunk : (row, column) of the chunk in the chunk grid
    rows, columns : Picker, cells within the chunk, ascending
    shape : (height, width) of the region
    shown : Rectangle or Scatter

    Examples
    --------
    >>> from datacube.slicing.plan import plan_read
    >>> plan = plan_read(SeparableMap(np.array([1, 1, 2]), np.array([0, 3, -1])), (4, 2))
    >>> for region in regions_of(plan):
    ...     print(region.chunk, region.rows, region.shape)
    (0, 0) slice(1, 3, None) (2, 1)
    (0, 1) slice(1, 3, None) (2, 1)
    """

    chunk: tuple[int, int]
    rows: Picker
    columns: Picker
    shape: tuple[int, int]
    shown: Rectangle | Scatter

    @staticmethod
    def whole(
        chunk: tuple[int, int], chunk_shape: tuple[int, int], grid_shape: tuple[int, int]
    ) -> "Region":
        """All cells of a chunk that are on the grid; it shows itself.

        Examples
        --------
        >>> Region.whole((1, 0), (512, 512), (800, 400)).shape
        (288, 400)
        """
        height, width = (
            min(size, total - at * size)
            for at, size, total in zip(chunk, chunk_shape, grid_shape, strict=True)
        )
        rows, columns = slice(0, height), slice(0, width)
        shown = Rectangle(rows, columns, slice(None), slice(None))
        return Region(chunk, rows, columns, (height, width), shown)

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.shape[0] * self.shape[1]

    @property
    def span(self) -> tuple[int, int]:
        """The first row of the chunk that it has cells of, and the one after the last."""
        if isinstance(self.rows, slice):
            return self.rows.start, self.rows.stop
        return int(self.rows[0]), int(self.rows[-1]) + 1

    def cut(self, chunk: Values) -> Values:
        """The region of a chunk's values, (…, y, x); a view where it can be one."""
        return _across(_down(chunk, self.rows), self.columns)

    def band(self, rows: slice) -> "Region":
        """Some rows of the region; what it shows is that of the whole region still."""
        height = len(range(*rows.indices(self.shape[0])))
        some: Picker
        if isinstance(self.rows, slice):
            start = int(self.rows.start)
            some = slice(start + rows.start, start + rows.start + height)
        else:
            some = self.rows[rows]
        return replace(self, rows=some, shape=(height, self.shape[1]))

    def index_map(self, chunk_shape: tuple[int, int]) -> SeparableMap:
        """The region's cells on the grid."""
        row, column = self.chunk
        height, width = chunk_shape
        return SeparableMap(
            row * height + _places(self.rows, height), column * width + _places(self.columns, width)
        )

    def show(self, values: Values, out: Values) -> None:
        """Fill pixels of the target with what came of the cells.

        Parameters
        ----------
        values : shape of the whole region
        out : (y, x) of the target, contiguous
        """
        match self.shown:
            case Rectangle(rows, columns, down, across):
                cross(values, down, across, out[rows, columns])
            case Scatter(pixels, cells):
                out.reshape(-1)[pixels] = values.reshape(-1).take(cells)
            case _:
                assert_never(self.shown)


def regions_of(plan: ReadPlan) -> Iterator[Region]:
    """The regions of a plan; pixels outside the grid are in none."""
    match plan.map:
        case SeparableMap():
            yield from _rectangles(plan.map, plan.chunk_shape)
        case PixelMap():
            yield from _scattered(plan.map, plan)
        case _:
            assert_never(plan.map)


def cells_shown(cells: IndexMap) -> int:
    """How many cells of the grid a map shows at most.

    Examples
    --------
    >>> cells_shown(SeparableMap(np.array([5, 5, 6, 7]), np.array([-1, 2, 2])))
    3
    """
    spans = []
    for places in (cells.rows, cells.columns):
        inside = places[places >= 0]
        spans.append(int(np.ptp(inside)) + 1 if inside.size else 0)
    height, width = cells.shape
    return min(height * width, spans[0] * spans[1])


def _rectangles(cells: SeparableMap, chunk_shape: tuple[int, int]) -> Iterator[Region]:
    across_all = [(run, *_needed(run.source)) for run in runs_along(cells.across, chunk_shape[1])]
    for row in runs_along(cells.down, chunk_shape[0]):
        rows, down, height = _needed(row.source)
        for column, columns, across, width in across_all:
            shown = Rectangle(row.target, column.target, down, across)
            yield Region((row.chunk, column.chunk), rows, columns, (height, width), shown)


def _needed(places: Picker) -> tuple[Picker, Picker, int]:
    """Cells to take, where each pixel's is among them, and how many they are."""
    if isinstance(places, slice):
        return places, slice(None), places.stop - places.start
    wanted, inverse = np.unique(places, return_inverse=True)
    first, span = int(wanted[0]), int(wanted[-1] - wanted[0]) + 1
    if span <= _DENSE * len(wanted):
        return slice(first, first + span), places - first, span
    return wanted, inverse, len(wanted)


def _scattered(cells: PixelMap, plan: ReadPlan) -> Iterator[Region]:
    """The rectangle of a chunk that holds the cells of some pixels."""
    height, width = plan.chunk_shape
    rows, columns = cells.rows.reshape(-1), cells.columns.reshape(-1)
    across = int(columns.max(initial=0)) // width + 1
    chunks = np.where(rows >= 0, rows // height * across + columns // width, -1)
    for row, column in plan.chunks:
        pixels = np.flatnonzero(chunks == row * across + column)
        down, right = rows[pixels] - row * height, columns[pixels] - column * width
        top, left = int(down.min()), int(right.min())
        shape = int(down.max()) - top + 1, int(right.max()) - left + 1
        places = (down - top) * shape[1] + (right - left)
        box = slice(top, top + shape[0]), slice(left, left + shape[1])
        yield Region((row, column), *box, shape, Scatter(pixels, places))


def _places(picker: Picker, size: int) -> IndexArray:
    return np.arange(size)[picker] if isinstance(picker, slice) else picker


def _down(values: Values, places: Picker) -> Values:
    if isinstance(places, slice):
        return values[..., places, :]
    return values.take(places, axis=-2)


def _across(values: Values, places: Picker) -> Values:
    return values[..., places] if isinstance(places, slice) else values.take(places, axis=-1)
