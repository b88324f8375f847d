"""Index maps: which cell of a source grid each target pixel takes, and how that is read.

A map is *separable* where rows depend on y alone and columns on x alone: two short arrays.
Otherwise each pixel has a row and a column of its own; such a map is cut into blocks, whose cells
lie in a small window each.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

IndexArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]
type Place = tuple[int, int]
type Picker = slice | IndexArray

_SIDE = 256
_ROOM = 1 << 20


@dataclass(frozen=True, eq=False)
class SeparableMap:
    """Rows by target row, columns by target column.

    Parameters
    ----------
    rows : intp, (y,), source row of each target row, -1 outside
    columns : intp, (x,), source column of each target column, -1 outside
    cuts : what :func:`~datacube.slicing.plan.plan_read` has found, by shape of the chunks
    """

    rows: IndexArray
    columns: IndexArray
    cuts: "dict[tuple[int, int], Cut]" = field(default_factory=dict, init=False, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the target."""
        return len(self.rows), len(self.columns)

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return self.rows.nbytes + self.columns.nbytes

    @cached_property
    def gaps(self) -> bool:
        """Whether some pixels lie outside."""
        return bool(self.rows.min(initial=0) < 0 or self.columns.min(initial=0) < 0)


@dataclass(frozen=True, eq=False)
class PixelMap:
    """A row and a column for every target pixel.

    Parameters
    ----------
    rows, columns : intp, (y, x), source row and column, both -1 outside
    cuts : what :func:`~datacube.slicing.plan.plan_read` has found, by shape of the chunks

    Examples
    --------
    >>> cells = PixelMap(np.array([[4, 5], [4, -1]]), np.array([[7, 7], [8, -1]]))
    >>> cells.shape, cells.gaps, cells.blocks[0].places.tolist()
    ((2, 2), True, [[0, 2], [1, 0]])
    """

    rows: IndexArray
    columns: IndexArray
    cuts: "dict[tuple[int, int], Cut]" = field(default_factory=dict, init=False, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the target."""
        height, width = self.rows.shape
        return height, width

    @property
    def nbytes(self) -> int:
        """Memory that it takes, its blocks reckoned in."""
        return 3 * self.rows.nbytes

    @cached_property
    def gaps(self) -> bool:
        """Whether some pixels lie outside."""
        return bool(self.rows.min(initial=0) < 0)

    @cached_property
    def blocks(self) -> "tuple[PixelBlock, ...]":
        """The map in blocks; those wholly outside are left out."""
        height, width = self.shape
        return tuple(
            block
            for top in range(0, height, _SIDE)
            for left in range(0, width, _SIDE)
            for block in _blocks(
                self,
                slice(top, min(top + _SIDE, height)),
                slice(left, min(left + _SIDE, width)),
            )
        )


type IndexMap = SeparableMap | PixelMap


@dataclass(frozen=True, slots=True)
class Run:
    """Target places start … stop - 1 along one axis that lie in one chunk.

    Parameters
    ----------
    chunk : int, index of the chunk along the axis
    target : slice of the target axis
    source : slice or intp array, places within the chunk; a slice where they are contiguous
    """

    chunk: int
    target: slice
    source: Picker


@dataclass(frozen=True, slots=True)
class ChunkProjection:
    """What one chunk gives to the target.

    Parameters
    ----------
    chunk : (row, column) of the chunk in the chunk grid
    rows, columns : Run
    """

    chunk: Place
    rows: Run
    columns: Run

    @property
    def chunks(self) -> tuple[Place, ...]:
        """That chunk alone."""
        return (self.chunk,)


@dataclass(frozen=True, eq=False, slots=True)
class PixelBlock:
    """Pixels of a block of the target, and the window of cells that holds theirs.

    Parameters
    ----------
    down, right : slices of the target
    top, left, height, width : int, the window, in cells
    places : intp, (y, x) of the block, cell of each pixel in the flattened window, 0 outside
    inside : bool, same shape, or None where no pixel lies outside
    """

    down: slice
    right: slice
    top: int
    left: int
    height: int
    width: int
    places: IndexArray
    inside: BoolArray | None


@dataclass(frozen=True, slots=True)
class Piece:
    """What one chunk gives to a block's window.

    Parameters
    ----------
    chunk : (row, column) of the chunk in the chunk grid
    window : (rows, columns) of the window
    source : (rows, columns) of the chunk
    """

    chunk: Place
    window: tuple[slice, slice]
    source: tuple[slice, slice]


@dataclass(frozen=True, eq=False, slots=True)
class BlockProjection:
    """What chunks give to a block.

    Parameters
    ----------
    block : PixelBlock
    pieces : tuple of Piece, one for each chunk that its pixels lie in
    """

    block: PixelBlock
    pieces: tuple[Piece, ...]

    @property
    def chunks(self) -> tuple[Place, ...]:
        """The pieces' chunks."""
        return tuple(piece.chunk for piece in self.pieces)


@dataclass(frozen=True, eq=False, slots=True)
class Cut:
    """An index map cut by chunks of one shape: the chunks, each once, and how they fall on it."""

    chunks: tuple[Place, ...]
    parts: tuple[ChunkProjection | BlockProjection, ...]


@dataclass(frozen=True, eq=False, slots=True)
class ReadPlan:
    """Chunks to read for one field at one place of the other axes.

    Parameters
    ----------
    map : IndexMap, target pixels -> cells of the level
    chunk_shape : (height, width) of a chunk
    chunks : chunk rows and columns that are needed, each once
    parts : how the chunks fall on the target

    Examples
    --------
    >>> from datacube.slicing.plan import plan_read
    >>> cells = SeparableMap(np.array([510, 511, 512]), np.array([0, 1, -1]))
    >>> plan_read(cells, (512, 512)).chunks
    ((0, 0), (1, 0))
    """

    map: IndexMap
    chunk_shape: tuple[int, int]
    chunks: tuple[Place, ...]
    parts: tuple[ChunkProjection | BlockProjection, ...]


def _blocks(cells: PixelMap, down: slice, right: slice) -> Iterator[PixelBlock]:
    """A block as a block, or in four where its window would be large."""
    rows, columns = cells.rows[down, right], cells.columns[down, right]
    inside = None
    top, left = int(rows.min()), int(columns.min())
    if top < 0:
        inside = rows >= 0
        if not inside.any():
            return
        far = np.iinfo(np.intp).max
        top, left = (int(one.min(where=inside, initial=far)) for one in (rows, columns))
    height, width = int(rows.max()) + 1 - top, int(columns.max()) + 1 - left
    if height * width > _ROOM and rows.size > 1:
        for upper in _halves(down):
            for first in _halves(right):
                yield from _blocks(cells, upper, first)
        return
    places = rows * width
    places += columns
    places -= top * width + left
    if inside is not None:
        places[~inside] = 0
    yield PixelBlock(down, right, top, left, height, width, places, inside)


def _halves(part: slice) -> tuple[slice, ...]:
    middle = (part.start + part.stop + 1) // 2
    both = slice(part.start, middle), slice(middle, part.stop)
    return tuple(one for one in both if one.start < one.stop)
