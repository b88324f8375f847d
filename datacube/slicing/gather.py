"""Chunk arrays -> one array of the target's shape."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from datacube.slicing.along import Picker
from datacube.slicing.cells import BlockProjection, ChunkProjection

type Chunks = Mapping[tuple[int, int], NDArray[np.generic]]


def gather(
    parts: Iterable[ChunkProjection | BlockProjection], chunks: Chunks, out: NDArray[np.generic]
) -> None:
    """Fill ``out`` with the cell of each target pixel; pixels outside the grid stay as they are.

    Parameters
    ----------
    parts : those of a ReadPlan, or some of them
    chunks : (row, column) -> array of at least the part of a chunk that lies on the grid, (y, x);
        the chunks that the parts need
    out : dtype of the chunks, (y, x) of the target

    Examples
    --------
    >>> from datacube.slicing.cells import SeparableMap
    >>> from datacube.slicing.plan import plan_read
    >>> plan = plan_read(SeparableMap(np.array([1, 2]), np.array([0, -1])), (2, 2))
    >>> out = np.zeros((2, 2), int)
    >>> gather(plan.parts, {(0, 0): np.array([[1, 2], [3, 4]]), (1, 0): np.array([[5, 6]])}, out)
    >>> out.tolist()
    [[3, 0], [5, 0]]
    """
    for part in parts:
        match part:
            case ChunkProjection(chunk, rows, columns):
                target = out[rows.target, columns.target]
                cross(chunks[chunk], rows.source, columns.source, target)
            case BlockProjection():
                _gather_block(part, chunks, out)


def cross(
    values: NDArray[np.generic], rows: Picker, columns: Picker, target: NDArray[np.generic]
) -> None:
    """Rows and columns; of rows that stand for several pixels each the columns are picked once.

    Whole rows are copied, but columns are picked cell by cell.

    Parameters
    ----------
    values : (y, x)
    rows, columns : Picker, places among the values
    target : of as many rows and columns; filled
    """
    if not isinstance(rows, slice) and abs(int(rows[-1]) - int(rows[0])) + 1 < len(rows):
        first, last = int(rows.min()), int(rows.max())
        if last - first + 1 < len(rows):
            _put(_picked(values[first : last + 1], columns, 1), rows - first, 0, target)
            return
    _put(_picked(values, rows, 0), columns, 1, target)


def _picked(values: NDArray[np.generic], places: Picker, axis: int) -> NDArray[np.generic]:
    """Places along an axis; ``take`` is three times as fast as an index array.

    The places are on the axis, so that none is moved: that mode only looks at them least.
    """
    if isinstance(places, slice):
        return values[places] if axis == 0 else values[:, places]
    return values.take(places, axis=axis, mode="wrap")


def _put(
    values: NDArray[np.generic], places: Picker, axis: int, target: NDArray[np.generic]
) -> None:
    """The same into a target, which takes them without a copy where it lies in one piece."""
    if isinstance(places, slice) or not target.flags.c_contiguous or target.dtype != values.dtype:
        target[...] = _picked(values, places, axis)
    else:
        values.take(places, axis=axis, out=target, mode="wrap")


def _gather_block(part: BlockProjection, chunks: Chunks, out: NDArray[np.generic]) -> None:
    """Pick the pixels of a block from its window."""
    block, cells = part.block, _window(part, chunks).reshape(-1)
    target = out[block.down, block.right]
    if block.inside is not None:
        np.copyto(target, cells.take(block.places, mode="wrap"), where=block.inside)
    elif target.flags.c_contiguous:
        cells.take(block.places, out=target, mode="wrap")
    else:
        target[...] = cells.take(block.places, mode="wrap")


def _window(part: BlockProjection, chunks: Chunks) -> NDArray[np.generic]:
    """The cells of a block's window; those of chunks that no pixel needs are anything."""
    first = chunks[part.pieces[0].chunk]
    shape = part.block.height, part.block.width
    if len(part.pieces) == 1:
        (piece,) = part.pieces
        cells = first[piece.source]
        if cells.shape == shape:
            return np.ascontiguousarray(cells)
    window = np.empty(shape, first.dtype)
    for piece in part.pieces:
        window[piece.window] = chunks[piece.chunk][piece.source]
    return window
