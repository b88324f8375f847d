"""Coarser levels, made chunk by chunk while the finest is written.

A cell of level k covers 2^k by 2^k cells of level 0 (fewer at the right and lower edge). Its value
is, by the field: the **mean** of those that are valid (summed through all levels, in whole numbers
for integers and in float64 for others, rounded once); the **mode** (of the four cells below, the
first in reading order on a tie); or the **nearest** (of the four below, in turn the last and the
first, which stays near the centre).
"""

import threading
from collections.abc import Iterator
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from datacube.model.fields import Field
from datacube.store.coarse import Mean, Packed, Pick, State
from datacube.store.layout import ChunkGrid, fill_of
from datacube.store.measure import Seen, look

type Place = tuple[int, int]
"""(row, column) of a chunk."""

_EIGHT = 8  # bytes


def start(field: Field, packed: Packed, seen: Seen) -> State:
    """The state of cells of level 0.

    Parameters
    ----------
    field : Field
    packed : stored dtype, (y, x)
    seen : Seen
        What :func:`~datacube.store.measure.look` has shown of them.
    """
    if field.overview != "mean":
        return Pick(packed, field.valid(packed), field.overview == "mode")
    if packed.dtype.kind != "f":
        if seen.good is None:
            return Mean(packed, ends=seen.whole)
        return Mean(packed * seen.good, seen.good.view(np.uint8), ends=seen.whole)
    nil = field.nil is not None and not np.isnan(field.nil)
    valid = field.valid(packed) if nil or seen.good is not None else None
    if valid is None or valid.all():
        return Mean(packed)
    return Mean(np.where(valid, packed, packed.dtype.type(0)), valid.view(np.uint8))


def finish(field: Field, state: State) -> Packed:
    """Packed values of a state; the fill value where nothing is valid.

    Examples
    --------
    >>> field = Field("v", "int16", nil=-1)
    >>> values = np.array([[1, 2, -1], [4, 4, -1]], "int16")
    >>> state = start(field, values, look(field, values))
    >>> finish(field, state.halved(1)).tolist()
    [[3, -1]]
    """
    dtype, fill = np.dtype(field.dtype), fill_of(field)
    match state:
        case Pick():
            known = state.valid if field.nil is not None or dtype.kind == "f" else None
            return (
                state.values if known is None else np.where(known, state.values, fill).astype(dtype)
            )
        case Mean():
            return _mean(state, dtype, fill, nil=field.nil is not None)
        case _:
            assert_never(state)


def _mean(state: Mean, dtype: np.dtype[Any], fill: float, *, nil: bool) -> Packed:
    if dtype.kind == "f":
        if state.count is None:
            return (state.total * (1 / state.cells)).astype(dtype)  # a power of four: exact
        known = state.count > 0
        mean = state.total / np.maximum(state.count, 1)
        return (mean if known.all() else np.where(known, mean, np.nan)).astype(dtype)
    divided = _divided(state, dtype)
    packed = _whole(np.rint(divided, out=divided), dtype)
    whole = dtype.type(fill)
    low, high = state.ends or (whole, whole)
    # the sums of eight bytes are rounded, so that a mean may lie beyond the ends
    reached = nil and (low <= whole <= high or dtype.itemsize == 8)
    if reached:
        # a mean of valid cells that happens to be the nil value moves by one step
        hit = packed == whole
        if state.count is not None:
            hit &= state.count > 0
        if hit.any():
            packed[hit] = int(fill) - 1 if fill == np.iinfo(dtype).max else int(fill) + 1
    if state.count is not None and whole:  # without a jump for each cell; the sum of nothing is 0
        gaps = (state.count == 0).astype(dtype)
        gaps *= whole
        packed ^= gaps
    return packed


def _whole(means: NDArray[np.floating], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Rounded means in a type; of eight bytes the largest number is rounded beyond it."""
    last = int(np.iinfo(dtype).max)
    beyond = means >= last if dtype.itemsize == _EIGHT else None
    if beyond is None or not beyond.any():
        return means.astype(dtype)
    packed = np.where(beyond, 0, means).astype(dtype)
    packed[beyond] = last
    return packed


def _divided(state: Mean, dtype: np.dtype[Any]) -> NDArray[np.floating]:
    """Means of whole numbers, near enough to be rounded right.

    The sum of up to 64 numbers of 16 bits is exact in float32, and its quotient is off by less
    than 1/256, where no quotient lies nearer to a half than 1/128 without being one.
    """
    small = dtype.itemsize <= 2 and state.cells <= 64
    mean: NDArray[np.floating] = state.total.astype(np.float32 if small else np.float64)
    if state.count is None:
        mean *= mean.dtype.type(1 / state.cells)  # a power of four: exact
    else:
        mean /= np.maximum(state.count, 1).astype(mean.dtype)
    return mean


class Pyramid:
    """The overviews of one horizontal plane of a field, from level 0's chunks in any order.

    Parameters
    ----------
    field : Field
    grids : tuple of ChunkGrid
        Of every level, level 0 first.

    Examples
    --------
    >>> grids = (ChunkGrid(2, 4, 2, 2), ChunkGrid(1, 2, 1, 2))
    >>> pyramid = Pyramid(Field("v", "int16"), grids)
    >>> list(pyramid.add(0, 0, np.array([[1, 1], [3, 3]], "int16")))
    []
    >>> [(level, place, made.tolist())
    ...  for level, place, made in pyramid.add(0, 1, np.array([[5, 5], [7, 7]], "int16"))]
    [(1, (0, 0), [[2, 6]])]
    """

    def __init__(self, field: Field, grids: tuple[ChunkGrid, ...]) -> None:
        self._field = field
        self._grids = grids
        self._lock = threading.Lock()
        self._pending: dict[tuple[int, Place], dict[Place, State]] = {}

    def add(self, row: int, column: int, packed: Packed) -> Iterator[tuple[int, Place, Packed]]:
        """Take one chunk of level 0 (cut at the grid's edge); safe on many threads.

        Yields
        ------
        level, (row, column), values
            Each chunk of a coarser level that this completes, cut at the level's edge.
        """
        half = self.halved(packed, look(self._field, packed))
        if half is not None:
            yield from self.take(0, (row, column), half)

    def halved(self, packed: Packed, seen: Seen) -> State | None:
        """A chunk of level 0 on its way up, for :meth:`take`; None where no level is above it."""
        if len(self._grids) == 1:
            return None
        return start(self._field, packed, seen).halved(1)

    def take(self, level: int, place: Place, part: State) -> Iterator[tuple[int, Place, Packed]]:
        """Take a chunk of a level, halved: here, or by another pyramid that had it left.

        Yields
        ------
        level, (row, column), values
            As :meth:`add`.
        """
        below, above = self._grids[level], self._grids[level + 1]
        target = (
            _target(place[0], below.chunk_height, above.chunk_height)[0],
            _target(place[1], below.chunk_width, above.chunk_width)[0],
        )
        key = (level + 1, target)
        with self._lock:
            parts = self._pending.setdefault(key, {})
            parts[place] = part
            if len(parts) < _children(target, below, above):
                return
            del self._pending[key]
        yield from self._made(level + 1, target, parts)

    def left(self) -> list[tuple[int, Place, State]]:
        """What is held of chunks that lack some of level 0, for :meth:`take`."""
        return [
            (level - 1, place, part)
            for (level, _), parts in self._pending.items()
            for place, part in parts.items()
        ]

    def rest(self) -> Iterator[tuple[int, Place, Packed]]:
        """The chunks that lack some of level 0: what is missing is no data."""
        while self._pending:
            level, place = min(self._pending)
            yield from self._made(level, place, self._pending.pop((level, place)))

    def _made(
        self, level: int, place: Place, parts: dict[Place, State]
    ) -> Iterator[tuple[int, Place, Packed]]:
        """A chunk of a coarser level, of the halves of those below it."""
        below, above = self._grids[level - 1], self._grids[level]
        rows, columns = above.cells(*place)
        shape = rows.stop - rows.start, columns.stop - columns.start
        placed = [
            (
                _target(row, below.chunk_height, above.chunk_height)[1],
                _target(column, below.chunk_width, above.chunk_width)[1],
                part,
            )
            for (row, column), part in parts.items()
        ]
        state = _joined(shape, placed, fill_of(self._field))
        yield level, place, finish(self._field, state)
        if level + 1 < len(self._grids):
            yield from self.take(level, place, state.halved(1 - level % 2))


def _target(index: int, below: int, above: int) -> tuple[int, int]:
    """Chunk of the coarser level, and first cell in it, where a chunk's half begins."""
    return divmod(index * below // 2, above)


def _children(target: Place, below: ChunkGrid, above: ChunkGrid) -> int:
    row, column = target
    rows = sum(
        _target(index, below.chunk_height, above.chunk_height)[0] == row
        for index in range(2 * row, min(2 * row + 2, below.counts[0]))
    )
    columns = sum(
        _target(index, below.chunk_width, above.chunk_width)[0] == column
        for index in range(2 * column, min(2 * column + 2, below.counts[1]))
    )
    return rows * columns


def _joined(shape: tuple[int, int], parts: list[tuple[int, int, State]], fill: float) -> State:
    """One state of parts, each with its first row and column; no data between them."""
    if parts[0][2].shape == shape:
        return parts[0][2]
    sums = [(row, column, part) for row, column, part in parts if isinstance(part, Mean)]
    if sums:
        return Mean.joined(shape, sums)
    picks = [(row, column, part) for row, column, part in parts if isinstance(part, Pick)]
    return Pick.joined(shape, picks, fill)
