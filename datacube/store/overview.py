"""Coarser levels, made chunk by chunk while the finest is written.

A cell of level k covers 2^k by 2^k cells of level 0 (fewer at the right and lower edge). Its value
is, by the field: the **mean** of those that are valid (summed in float64 through all levels,
rounded once); the **mode** (of the four cells below, the first in reading order on a tie); or the
**nearest** (of the four below, in turn the last and the first, which stays near the centre).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from datacube.model.fields import Field
from datacube.store.layout import ChunkGrid, fill_of

type Packed = NDArray[Any]
type State = Mean | Pick


@dataclass(frozen=True, eq=False)
class Mean:
    """Sums over the valid cells below.

    Parameters
    ----------
    total : float64, (y, x), packed units
    count : float64, (y, x)
    """

    total: NDArray[np.float64]
    count: NDArray[np.float64]

    def halved(self, odd: int) -> "Mean":
        """The same for cells twice as large."""
        del odd
        return Mean(_sum_of_four(self.total), _sum_of_four(self.count))

    def put(self, rows: slice, columns: slice, part: "Mean") -> None:
        """Paste a part."""
        self.total[rows, columns] = part.total
        self.count[rows, columns] = part.count


@dataclass(frozen=True, eq=False)
class Pick:
    """One cell chosen from those below.

    Parameters
    ----------
    values : packed, (y, x)
    valid : bool, (y, x)
    by_mode : bool
        Whether the commonest is chosen, else the nearest.
    """

    values: Packed
    valid: NDArray[np.bool_]
    by_mode: bool

    def halved(self, odd: int) -> "Pick":
        """The same for cells twice as large; odd: which row and column the nearest has."""
        values = np.stack(_four(self.values))
        valid = np.stack(_four(self.valid))
        if self.by_mode:
            best = _commonest(values, valid)
        else:
            best = np.full(values.shape[1:], 3 * odd)
            height, width = self.values.shape
            if odd and height % 2:
                best[-1, :] -= 2
            if odd and width % 2:
                best[:, -1] -= 1
        choice = best[np.newaxis]
        return Pick(
            np.take_along_axis(values, choice, 0)[0],
            np.take_along_axis(valid, choice, 0)[0],
            self.by_mode,
        )

    def put(self, rows: slice, columns: slice, part: "Pick") -> None:
        """Paste a part."""
        self.values[rows, columns] = part.values
        self.valid[rows, columns] = part.valid


def start(field: Field, packed: Packed) -> State:
    """The state of cells of level 0."""
    valid = field.valid(packed)
    match field.overview:
        case "mean":
            total = np.where(valid, packed, 0).astype(np.float64)
            return Mean(total, valid.astype(np.float64))
        case "mode" | "nearest":
            return Pick(packed, valid, field.overview == "mode")
        case _:
            assert_never(field.overview)


def blank(field: Field, shape: tuple[int, int]) -> State:
    """The state of cells of which nothing is known yet."""
    if field.overview == "mean":
        return Mean(np.zeros(shape), np.zeros(shape))
    return Pick(
        np.full(shape, fill_of(field), field.dtype), np.zeros(shape, bool), field.overview == "mode"
    )


def finish(field: Field, state: State) -> Packed:
    """Packed values of a state; the fill value where nothing is valid.

    Examples
    --------
    >>> field = Field("v", "int16", nil=-1)
    >>> state = start(field, np.array([[1, 2, -1], [4, 4, -1]], "int16"))
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
            known = state.count > 0
            mean = np.divide(state.total, state.count, out=np.zeros_like(state.total), where=known)
            if dtype.kind == "f":
                return np.where(known, mean, np.nan).astype(dtype)
            packed = np.rint(mean).astype(dtype)
            if field.nil is not None:
                # a mean of valid cells that happens to be the nil value moves by one step
                beside = int(fill) - 1 if fill == np.iinfo(dtype).max else int(fill) + 1
                packed[known & (packed == fill)] = beside
            packed[~known] = fill
            return packed
        case _:
            assert_never(state)


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
        self._pending: dict[tuple[int, int, int], tuple[State, set[tuple[int, int]]]] = {}

    def add(
        self, row: int, column: int, packed: Packed
    ) -> Iterator[tuple[int, tuple[int, int], Packed]]:
        """Take one chunk of level 0 (cut at the grid's edge).

        Yields
        ------
        level, (row, column), values
            Each chunk of a coarser level that this completes, cut at the level's edge.
        """
        if len(self._grids) > 1:
            yield from self._raise(0, (row, column), start(self._field, packed))

    def rest(self) -> Iterator[tuple[int, tuple[int, int], Packed]]:
        """The chunks that lack some of level 0: what is missing is no data."""
        while self._pending:
            level, row, column = min(self._pending)
            state, _ = self._pending.pop((level, row, column))
            yield level, (row, column), finish(self._field, state)
            if level + 1 < len(self._grids):
                yield from self._raise(level, (row, column), state)

    def _raise(
        self, level: int, place: tuple[int, int], state: State
    ) -> Iterator[tuple[int, tuple[int, int], Packed]]:
        part = state.halved(1 - level % 2)
        below, above = self._grids[level], self._grids[level + 1]
        row, rows = _target(place[0], below.chunk_height, above.chunk_height)
        column, columns = _target(place[1], below.chunk_width, above.chunk_width)
        key = (level + 1, row, column)
        cells = above.cells(row, column)
        whole, got = self._pending.get(key) or (blank(self._field, _shape(cells)), set())
        height, width = _size(part)
        cut = slice(rows, rows + height), slice(columns, columns + width)
        _paste(whole, cut, part)
        got.add(place)
        self._pending[key] = whole, got
        if len(got) == _children(key, below, above):
            del self._pending[key]
            yield level + 1, (row, column), finish(self._field, whole)
            if level + 2 < len(self._grids):
                yield from self._raise(level + 1, (row, column), whole)


def _target(index: int, below: int, above: int) -> tuple[int, int]:
    """Chunk of the coarser level, and first cell in it, where a chunk's half begins."""
    return divmod(index * below // 2, above)


def _children(key: tuple[int, int, int], below: ChunkGrid, above: ChunkGrid) -> int:
    _, row, column = key
    rows = sum(
        _target(index, below.chunk_height, above.chunk_height)[0] == row
        for index in range(2 * row, min(2 * row + 2, below.counts[0]))
    )
    columns = sum(
        _target(index, below.chunk_width, above.chunk_width)[0] == column
        for index in range(2 * column, min(2 * column + 2, below.counts[1]))
    )
    return rows * columns


def _paste(whole: State, cut: tuple[slice, slice], part: State) -> None:
    match whole, part:
        case Mean(), Mean():
            whole.put(*cut, part)
        case Pick(), Pick():
            whole.put(*cut, part)


def _size(state: State) -> tuple[int, int]:
    values = state.total if isinstance(state, Mean) else state.values
    return values.shape[0], values.shape[1]


def _shape(cells: tuple[slice, slice]) -> tuple[int, int]:
    rows, columns = cells
    return rows.stop - rows.start, columns.stop - columns.start


def _even[T: np.generic](values: NDArray[T]) -> NDArray[T]:
    """Padded with zeros (no data) to an even number of rows and columns."""
    height, width = values.shape
    if not (height % 2 or width % 2):
        return values
    return np.pad(values, ((0, height % 2), (0, width % 2)))


def _four[T: np.generic](values: NDArray[T]) -> tuple[NDArray[T], ...]:
    whole = _even(values)
    return whole[::2, ::2], whole[::2, 1::2], whole[1::2, ::2], whole[1::2, 1::2]


def _sum_of_four(values: NDArray[np.float64]) -> NDArray[np.float64]:
    first, second, third, fourth = _four(values)
    total: NDArray[np.float64] = first + second
    total += third
    total += fourth
    return total


def _commonest(values: NDArray[Any], valid: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Index along the first dimension (four cells) of the value that most valid cells have."""
    votes = np.zeros(values.shape, np.int8)
    for one in range(4):
        for other in range(4):
            votes[one] += valid[one] & valid[other] & (values[one] == values[other])
    return np.argmax(votes, axis=0)
