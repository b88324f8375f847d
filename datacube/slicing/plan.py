"""The plan of a read: which chunks of one level answer an index map. Pure: no I/O.

A separable map is cut into runs of rows and columns that lie in one chunk; each pair of runs is
one :class:`ChunkProjection`. Of a pixel map each block lists the chunks that its pixels fall into.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise, product
from typing import assert_never

import numpy as np

from datacube.slicing.along import Along, IndexArray, Picker, Run, unbroken
from datacube.slicing.cells import (
    BlockProjection,
    ChunkProjection,
    Cut,
    IndexMap,
    Part,
    Piece,
    PixelBlock,
    PixelMap,
    Place,
    ReadPlan,
    SeparableMap,
    Turn,
)

type Parts = tuple[Part, ...]

_FEW = 8  # of so many pixels in a row or column one stands for the others


def plan_read(cells: IndexMap, chunk_shape: tuple[int, int]) -> ReadPlan:
    """The chunks that an index map needs; found once for a map and a shape of chunks.

    Parameters
    ----------
    cells : IndexMap on the level that is read
    chunk_shape : (height, width) of the level's chunks along y and x
    """
    cut = cells.cuts.get(chunk_shape)
    if cut is None:
        parts = _parts(cells, chunk_shape)
        rows = _rows(parts)
        cut = cells.cuts[chunk_shape] = Cut(tuple(rows), parts, rows)
    return ReadPlan(cells, chunk_shape, cut)


def _rows(parts: Parts) -> dict[Place, tuple[int, int]]:
    """Which rows are needed of each chunk: the first, and the one after the last."""
    found: dict[Place, tuple[int, int]] = {}
    spans: dict[int, tuple[int, int]] = {}  # by the rows' own places: many parts share them
    for part in parts:
        match part:
            case ChunkProjection(chunk, rows):
                span = spans.get(id(rows))
                if span is None:
                    span = spans[id(rows)] = _span(rows.source)
                found[chunk] = _wider(found.get(chunk), span)
            case BlockProjection(_, pieces):
                for piece in pieces:
                    found[piece.chunk] = _wider(found.get(piece.chunk), _span(piece.source[0]))
            case _:
                assert_never(part)
    return found


def _span(places: Picker) -> tuple[int, int]:
    if isinstance(places, slice):
        return places.start, places.stop
    return int(places.min()), int(places.max()) + 1


def _wider(known: tuple[int, int] | None, span: tuple[int, int]) -> tuple[int, int]:
    return span if known is None else (min(known[0], span[0]), max(known[1], span[1]))


def _parts(cells: IndexMap, chunk_shape: tuple[int, int]) -> Parts:
    match cells:
        case SeparableMap():
            across = runs_along(cells.across, chunk_shape[1])
            return tuple(
                ChunkProjection((down.chunk, right.chunk), down, right)
                for down in runs_along(cells.down, chunk_shape[0])
                for right in across
            )
        case PixelMap():
            return tuple(
                BlockProjection(
                    block,
                    tuple(
                        _piece(block, chunk, chunk_shape) for chunk in _touched(block, chunk_shape)
                    ),
                )
                for block in cells.blocks
            )
        case _:
            assert_never(cells)


def stages(plan: ReadPlan, most: int) -> Iterator[tuple[Parts, tuple[Place, ...]]]:
    """Parts of a plan that are read together, so that few chunks are in memory at a time.

    Parameters
    ----------
    most : int
        How many chunks may be held; a part that needs more is read alone.

    Yields
    ------
    parts, chunks : parts of the plan, in order, and the chunks that they need

    Examples
    --------
    >>> plan = plan_read(SeparableMap(np.arange(4), np.arange(4)), (2, 2))
    >>> [chunks for _, chunks in stages(plan, 3)]
    [((0, 0), (0, 1), (1, 0)), ((1, 1),)]
    """
    if len(plan.chunks) <= most:
        if plan.parts:
            yield plan.parts, plan.chunks
        return
    parts: list[Part] = []
    needed: dict[Place, None] = {}
    for part in plan.parts:
        wider = needed | dict.fromkeys(part.chunks)
        if parts and len(wider) > most:
            yield tuple(parts), tuple(needed)
            parts, wider = [], dict.fromkeys(part.chunks)
        parts.append(part)
        needed = wider
    yield tuple(parts), tuple(needed)


def turns(plan: ReadPlan, parts: Parts) -> Iterable[Turn]:
    """Parts of a plan one after the other; of all of them found once for all fields."""
    cut = plan.cut
    if parts is not cut.parts:
        return in_turn(parts)
    if cut.turns is None:
        cut.turns = tuple(in_turn(parts))
    return cut.turns


def in_turn(parts: Parts) -> Iterator[Turn]:
    """Parts one after the other, each with the chunks that it is the first and the last to need.

    Examples
    --------
    >>> plan = plan_read(SeparableMap(np.arange(4), np.array([0, 2, 0])), (4, 2))
    >>> [(new, done) for _, new, done in in_turn(plan.parts)]
    [(((0, 0),), ()), (((0, 1),), ((0, 1),)), ((), ((0, 0),))]
    """
    last = {chunk: number for number, part in enumerate(parts) for chunk in part.chunks}
    met: set[Place] = set()
    for number, part in enumerate(parts):
        new = tuple(chunk for chunk in part.chunks if chunk not in met)
        met.update(new)
        yield part, new, tuple(chunk for chunk in part.chunks if last[chunk] == number)


def runs_along(along: Along, size: int) -> tuple[Run, ...]:
    """The runs of an axis in chunks of a size, found once."""
    found = along.runs.get(size)
    if found is None:
        span = along.span
        made = runs(along.cells, size) if span is None else _runs_of(span, size)
        found = along.runs[size] = tuple(made)
    return found


def _runs_of(span: slice, size: int) -> Iterator[Run]:
    """The runs of all cells between two."""
    for chunk in range(span.start // size, (span.stop - 1) // size + 1):
        begin = chunk * size
        low, high = max(span.start, begin), min(span.stop, begin + size)
        yield Run(
            chunk, slice(low - span.start, high - span.start), slice(low - begin, high - begin)
        )


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
    edges = [0, *(np.flatnonzero(chunk[1:] != chunk[:-1]) + 1).tolist(), len(cells)]
    for start, stop in pairwise(edges):
        if (number := int(chunk[start])) >= 0:
            yield Run(number, slice(start, stop), _picker(cells[start:stop] - number * size))


def _picker(places: IndexArray) -> Picker:
    span = unbroken(places)
    return places if span is None else span


def _touched(block: PixelBlock, chunk_shape: tuple[int, int]) -> Iterator[Place]:
    """The chunks that pixels of a block fall into, in order."""
    spanned = [
        range(first // size, (first + count - 1) // size + 1)
        for first, count, size in zip(
            (block.top, block.left), (block.height, block.width), chunk_shape, strict=True
        )
    ]
    count = len(spanned[0]) * len(spanned[1])
    if count == 1 or _met_by_some(block, chunk_shape) == count:
        yield from product(*spanned)
        return
    used = np.zeros(block.height * block.width, bool)
    used[block.places if block.inside is None else block.places[block.inside]] = True
    touched = used.reshape(block.height, block.width)
    for axis, first in enumerate((block.top, block.left)):
        begins = [max(chunk * chunk_shape[axis] - first, 0) for chunk in spanned[axis]]
        touched = np.logical_or.reduceat(touched, begins, axis)
    for row, column in np.argwhere(touched).tolist():
        yield spanned[0][row], spanned[1][column]


def _met_by_some(block: PixelBlock, chunk_shape: tuple[int, int]) -> int:
    """How many chunks a few of a block's pixels fall into."""
    places = block.places[::_FEW, ::_FEW]
    if block.inside is not None:
        places = places[block.inside[::_FEW, ::_FEW]]
    height, width = chunk_shape
    upper, first = block.top % height, block.left % width
    rows = places // block.width
    columns = places - rows * block.width
    rows += upper
    columns += first
    rows //= height
    columns //= width
    rows *= (first + block.width - 1) // width + 1
    rows += columns
    return int(np.count_nonzero(np.bincount(rows.reshape(-1))))


def _piece(block: PixelBlock, chunk: Place, chunk_shape: tuple[int, int]) -> Piece:
    """Where a chunk and a block's window overlap."""
    (upper, rows), (first, columns) = (
        _overlap(start, count, number * size, size)
        for start, count, number, size in zip(
            (block.top, block.left), (block.height, block.width), chunk, chunk_shape, strict=True
        )
    )
    return Piece(chunk, (upper, first), (rows, columns))


def _overlap(start: int, count: int, begin: int, size: int) -> tuple[slice, slice]:
    """The places that two intervals share, counted from the first and from the second."""
    low, high = max(start, begin), min(start + count, begin + size)
    return slice(low - start, high - start), slice(low - begin, high - begin)
