"""The plan of a read: which chunks of one level answer an index map. Pure: no I/O.

A separable map is cut into runs of rows and columns that lie in one chunk; each pair of runs is
one :class:`ChunkProjection`. A pixel map lists the chunks that some pixel falls into.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from datacube.slicing.warp import IndexMap, PixelMap, SeparableMap

IndexArray = NDArray[np.intp]
type Picker = slice | IndexArray


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

    chunk: tuple[int, int]
    rows: Run
    columns: Run


@dataclass(frozen=True, eq=False)
class ReadPlan:
    """Chunks to read for one field at one place of the other axes.

    Parameters
    ----------
    map : IndexMap, target pixels -> cells of the level
    chunk_shape : (height, width) of a chunk
    chunks : chunk rows and columns that are needed, each once

    Examples
    --------
    >>> cells = SeparableMap(np.array([510, 511, 512]), np.array([0, 1, -1]))
    >>> plan_read(cells, (512, 512)).chunks
    ((0, 0), (1, 0))
    """

    map: IndexMap
    chunk_shape: tuple[int, int]
    chunks: tuple[tuple[int, int], ...]


def plan_read(cells: IndexMap, chunk_shape: tuple[int, int]) -> ReadPlan:
    """The chunks that an index map needs.

    Parameters
    ----------
    cells : IndexMap on the level that is read
    chunk_shape : (height, width) of the level's chunks along y and x
    """
    height, width = chunk_shape
    match cells:
        case SeparableMap(rows, columns):
            down = dict.fromkeys(run.chunk for run in runs(rows, height))
            across = dict.fromkeys(run.chunk for run in runs(columns, width))
            chunks = tuple((row, column) for row in down for column in across)
        case PixelMap(rows, columns):
            chunks = _touched(rows, columns, chunk_shape)
        case _:
            assert_never(cells)
    return ReadPlan(cells, chunk_shape, chunks)


def projections(plan: ReadPlan) -> Iterator[ChunkProjection]:
    """How the chunks of a separable plan fall on the target; empty for a pixel map."""
    if isinstance(plan.map, SeparableMap):
        across = tuple(runs(plan.map.columns, plan.chunk_shape[1]))
        for down in runs(plan.map.rows, plan.chunk_shape[0]):
            for right in across:
                yield ChunkProjection((down.chunk, right.chunk), down, right)


def runs(cells: IndexArray, size: int) -> Iterator[Run]:
    """Maximal runs of target places within one chunk; places outside (-1) are left out.

    Examples
    --------
    >>> [(run.chunk, run.target) for run in runs(np.array([-1, 3, 4, 5]), 4)]
    [(0, slice(1, 2, None)), (1, slice(2, 4, None))]
    """
    if not len(cells):
        return
    chunk = cells // size
    edges = [0, *(np.flatnonzero(np.diff(chunk)) + 1).tolist(), len(cells)]
    for start, stop in pairwise(edges):
        if chunk[start] >= 0:
            yield Run(int(chunk[start]), slice(start, stop), _picker(cells[start:stop] % size))


def _picker(places: IndexArray) -> Picker:
    first, last = int(places[0]), int(places[-1])
    if last - first == len(places) - 1 and (len(places) < 2 or (np.diff(places) == 1).all()):
        return slice(first, last + 1)
    return places


def _touched(
    rows: IndexArray, columns: IndexArray, chunk_shape: tuple[int, int]
) -> tuple[tuple[int, int], ...]:
    inside = rows >= 0
    if not inside.any():
        return ()
    chunk_rows, chunk_columns = rows // chunk_shape[0], columns // chunk_shape[1]
    across = int(chunk_columns.max()) + 1
    counted = np.bincount((chunk_rows * across + chunk_columns)[inside])
    return tuple(divmod(int(one), across) for one in np.flatnonzero(counted))
