"""Index maps: which cell of a source grid each target pixel takes, and how that is read.

A map is *separable* where rows depend on y alone and columns on x alone: two short arrays.
Otherwise each pixel has a row and a column of its own; such a map is cut into blocks, whose cells
lie in a small window each.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from datacube.slicing.along import Along, IndexArray, Run

BoolArray = NDArray[np.bool_]
type Place = tuple[int, int]

_SIDE = 256
_MUCH = 2
ROOM = 1 << 20
"""Cells of the largest window."""


class SeparableMap:
    """Rows by target row, columns by target column.

    Parameters
    ----------
    rows : intp, (y,), source row of each target row, -1 outside
    columns : intp, (x,), source column of each target column, -1 outside

    Attributes
    ----------
    down, across : Along, the rows and the columns
    cuts : what :func:`~datacube.slicing.plan.plan_read` has found, by shape of the chunks
    """

    __match_args__ = ("rows", "columns")

    def __init__(self, rows: IndexArray, columns: IndexArray) -> None:
        self.down, self.across = Along(rows), Along(columns)
        self.cuts: dict[tuple[int, int], Cut] = {}

    @staticmethod
    def of(down: Along, across: Along) -> "SeparableMap":
        """A map of rows and columns that other maps have too."""
        made = SeparableMap(down.cells, across.cells)
        made.down, made.across = down, across
        return made

    @property
    def rows(self) -> IndexArray:
        """Source rows."""
        return self.down.cells

    @property
    def columns(self) -> IndexArray:
        """Source columns."""
        return self.across.cells

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the target."""
        return len(self.rows), len(self.columns)

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return self.rows.nbytes + self.columns.nbytes

    @property
    def gaps(self) -> bool:
        """Whether some pixels lie outside."""
        return self.down.gaps or self.across.gaps

    @cached_property
    def distinct(self) -> "Distinct | None":
        """Its cells, each once, where they are much fewer than the pixels; else None."""
        (down, rows), (across, columns) = self.down.distinct, self.across.distinct
        if len(down.cells) * len(across.cells) * _MUCH > len(rows) * len(columns):
            return None
        return Distinct(SeparableMap.of(down, across), rows, columns)


@dataclass(frozen=True, eq=False, slots=True)
class Distinct:
    """The cells of a map, each once, and which of them each pixel takes.

    Parameters
    ----------
    cells : SeparableMap, smaller than the target
    rows, columns : intp, (y,) and (x,), places in it
    """

    cells: SeparableMap
    rows: IndexArray
    columns: IndexArray


class PixelMap:
    """A row and a column for every target pixel.

    Parameters
    ----------
    rows, columns : intp, (y, x), source row and column, both -1 outside

    Attributes
    ----------
    shape : (height, width) of the target
    cuts : what :func:`~datacube.slicing.plan.plan_read` has found, by shape of the chunks

    Examples
    --------
    >>> cells = PixelMap(np.array([[4, 5], [4, -1]]), np.array([[7, 7], [8, -1]]))
    >>> cells.shape, cells.gaps, cells.blocks[0].places.tolist()
    ((2, 2), True, [[0, 2], [1, 0]])
    >>> PixelMap.of_blocks((2, 2), cells.blocks).rows.tolist()
    [[4, 5], [4, -1]]
    """

    __match_args__ = ("rows", "columns")

    def __init__(self, rows: IndexArray, columns: IndexArray) -> None:
        height, width = rows.shape
        self.shape: tuple[int, int] = (height, width)
        self.cuts: dict[tuple[int, int], Cut] = {}
        self._cells: tuple[IndexArray, IndexArray] | None = rows, columns
        self._blocks: tuple[PixelBlock, ...] | None = None

    @staticmethod
    def of_blocks(shape: tuple[int, int], blocks: Iterable["PixelBlock"]) -> "PixelMap":
        """A map that is given in blocks; pixels in none are outside. It takes half the memory."""
        nowhere = np.broadcast_to(np.intp(-1), shape)
        made = PixelMap(nowhere, nowhere)
        made._cells, made._blocks = None, tuple(blocks)
        return made

    @property
    def rows(self) -> IndexArray:
        """Source rows."""
        return self._layers[0]

    @property
    def columns(self) -> IndexArray:
        """Source columns."""
        return self._layers[1]

    @property
    def _layers(self) -> tuple[IndexArray, IndexArray]:
        if self._cells is not None:
            return self._cells
        rows, columns = (np.full(self.shape, -1, np.intp) for _ in range(2))
        for block in self.blocks:
            down, right = np.divmod(block.places, block.width)
            where = True if block.inside is None else block.inside
            np.copyto(rows[block.down, block.right], down + block.top, where=where)
            np.copyto(columns[block.down, block.right], right + block.left, where=where)
        return rows, columns

    @property
    def nbytes(self) -> int:
        """Memory that it takes, its blocks reckoned in."""
        arrays = 1 if self._cells is None else 3
        return self.shape[0] * self.shape[1] * arrays * np.dtype(np.intp).itemsize

    @cached_property
    def gaps(self) -> bool:
        """Whether some pixels lie outside."""
        covered = (block.places.size for block in self.blocks if block.inside is None)
        return sum(covered) < self.shape[0] * self.shape[1]

    @property
    def outside(self) -> BoolArray:
        """Which pixels lie outside; bool, (y, x)."""
        found = np.ones(self.shape, bool)
        for block in self.blocks:
            found[block.down, block.right] = False if block.inside is None else ~block.inside
        return found

    @property
    def blocks(self) -> "tuple[PixelBlock, ...]":
        """The map in blocks; those wholly outside are left out."""
        if self._blocks is None:
            height, width = self.shape
            self._blocks = tuple(
                block
                for top in range(0, height, _SIDE)
                for left in range(0, width, _SIDE)
                for block in pixel_blocks(
                    self.rows[top : top + _SIDE, left : left + _SIDE],
                    self.columns[top : top + _SIDE, left : left + _SIDE],
                    (top, left),
                )
            )
        return self._blocks


type IndexMap = SeparableMap | PixelMap


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


type Part = ChunkProjection | BlockProjection

type Turn = tuple[Part, tuple[Place, ...], tuple[Place, ...]]
"""A part of a plan, and the chunks that it is the first and the last to need."""


@dataclass(eq=False, slots=True)
class Cut:
    """An index map cut by chunks of one shape: the chunks, each once, and how they fall on it.

    Parameters
    ----------
    chunks : rows and columns, each once
    parts : how the chunks fall on the target
    rows : chunk -> (first, stop), the rows of it that are needed

    Attributes
    ----------
    turns : the parts in turn, once somebody has asked
    """

    chunks: tuple[Place, ...]
    parts: tuple[Part, ...]
    rows: dict[Place, tuple[int, int]]
    turns: tuple[Turn, ...] | None = field(default=None, init=False)


@dataclass(frozen=True, eq=False, slots=True)
class ReadPlan:
    """Chunks to read for one field at one place of the other axes.

    Parameters
    ----------
    map : IndexMap, target pixels -> cells of the level
    chunk_shape : (height, width) of a chunk
    cut : Cut, of the map by such chunks

    Examples
    --------
    >>> from datacube.slicing.plan import plan_read
    >>> cells = SeparableMap(np.array([510, 511, 512]), np.array([0, 1, -1]))
    >>> plan_read(cells, (512, 512)).chunks
    ((0, 0), (1, 0))
    """

    map: IndexMap
    chunk_shape: tuple[int, int]
    cut: Cut

    @property
    def chunks(self) -> tuple[Place, ...]:
        """Chunk rows and columns that are needed, each once."""
        return self.cut.chunks

    @property
    def parts(self) -> tuple[Part, ...]:
        """How the chunks fall on the target."""
        return self.cut.parts

    @property
    def rows(self) -> dict[Place, tuple[int, int]]:
        """Of each chunk the first row that is needed, and the one after the last."""
        return self.cut.rows


def pixel_blocks(
    rows: IndexArray, columns: IndexArray, corner: tuple[int, int] = (0, 0)
) -> Iterator[PixelBlock]:
    """Pixels as a block, or in four where its window would be large; none wholly outside.

    Parameters
    ----------
    rows, columns : intp, (y, x), cells of some pixels of a target, both -1 outside
    corner : (row, column) of the first of them in the target
    """
    inside = None
    top, left = int(rows.min()), int(columns.min())
    if top < 0:
        inside = rows >= 0
        if not inside.any():
            return
        top, left = (int(one.view(np.uintp).min()) for one in (rows, columns))  # -1 is the largest
    height, width = int(rows.max()) + 1 - top, int(columns.max()) + 1 - left
    if height * width > ROOM and rows.size > 1:
        for down in halves(slice(0, rows.shape[0])):
            for right in halves(slice(0, rows.shape[1])):
                first = corner[0] + down.start, corner[1] + right.start
                yield from pixel_blocks(rows[down, right], columns[down, right], first)
        return
    places = rows * width
    places += columns
    places -= top * width + left
    if inside is not None:
        places[~inside] = 0
    down, right = _target(corner, places)
    yield PixelBlock(down, right, top, left, height, width, places, inside)


def _target(corner: tuple[int, int], pixels: IndexArray) -> tuple[slice, slice]:
    """Rows and columns of the target that some pixels lie on."""
    (top, left), (height, width) = corner, pixels.shape
    return slice(top, top + height), slice(left, left + width)


def halves(part: slice) -> tuple[slice, ...]:
    """A range of pixels in two, or in one where it has one pixel."""
    middle = (part.start + part.stop + 1) // 2
    two = slice(part.start, middle), slice(middle, part.stop)
    return tuple(one for one in two if one.start < one.stop)
