"""Cells on their way into coarser levels: sums of those below, or one of them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Packed = NDArray[Any]
type State = Mean | Pick


@dataclass(frozen=True, eq=False)
class Mean:
    """Sums over the valid cells below.

    Parameters
    ----------
    total : int32, int64 or float64, (y, x), packed units
        Of level 0: the values themselves, 0 where they are not valid.
    count : uint8 or int32, (y, x), optional
        Valid cells of level 0 below each; None where all of them are.
    cells : int
        Cells of level 0 below each.
    """

    total: NDArray[Any]
    count: NDArray[Any] | None = None
    cells: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.total.shape[0], self.total.shape[1]

    def halved(self, odd: int) -> "Mean":
        """The same for cells twice as large."""
        del odd
        cells = 4 * self.cells
        count = self._counts() if any(side % 2 for side in self.shape) else self.count
        if count is not None:
            count = _sum_of_four(count, np.dtype(np.uint8 if cells < 256 else np.int32))
        return Mean(_sum_of_four(self.total, _wide(self.total.dtype, cells)), count, cells)

    def blank(self, shape: tuple[int, int], fill: float) -> "Mean":
        """Of other cells of this size, of which none is valid."""
        del fill
        kind = np.uint8 if self.cells < 256 else np.int32
        return Mean(np.zeros(shape, self.total.dtype), np.zeros(shape, kind), self.cells)

    def put(self, rows: int, columns: int, part: "Mean") -> None:
        """Paste a part, beginning at a cell; without counts of its own only one without them."""
        window = _window(rows, columns, part.shape)
        self.total[window] = part.total
        if self.count is not None:
            self.count[window] = part.cells if part.count is None else part.count

    def known(self) -> "Mean":
        """The same without counts where they say nothing."""
        if self.count is None or (self.count != self.cells).any():
            return self
        return replace(self, count=None)

    def _counts(self) -> NDArray[Any]:
        kind = np.uint8 if self.cells < 256 else np.int32
        return np.full(self.shape, self.cells, kind) if self.count is None else self.count


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

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.values.shape[0], self.values.shape[1]

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

    def blank(self, shape: tuple[int, int], fill: float) -> "Pick":
        """Of other cells of this size, of which none is valid."""
        values = np.full(shape, fill, self.values.dtype)
        return Pick(values, np.zeros(shape, bool), self.by_mode)

    def put(self, rows: int, columns: int, part: "Pick") -> None:
        """Paste a part, beginning at a cell."""
        window = _window(rows, columns, part.shape)
        self.values[window] = part.values
        self.valid[window] = part.valid

    def known(self) -> "Pick":
        """The same."""
        return self


def _window(row: int, column: int, shape: tuple[int, int]) -> tuple[slice, slice]:
    return slice(row, row + shape[0]), slice(column, column + shape[1])


def _wide(dtype: np.dtype[Any], cells: int) -> np.dtype[Any]:
    """A type in which the sum of so many values is exact, or as good as float64 can be."""
    if dtype.kind == "f" or (dtype.itemsize == 8 and cells == 4):
        return np.dtype(np.float64)
    small = dtype.itemsize <= 2 or (dtype == np.int32 and cells > 4)
    return np.dtype(np.int32 if small and cells <= 1 << 14 else np.int64)


def _even[T: np.generic](values: NDArray[T]) -> NDArray[T]:
    """Padded with zeros (no data) to an even number of rows and columns."""
    height, width = values.shape
    if not (height % 2 or width % 2):
        return values
    whole = np.zeros((height + height % 2, width + width % 2), values.dtype)
    whole[:height, :width] = values
    return whole


def _four[T: np.generic](values: NDArray[T]) -> tuple[NDArray[T], ...]:
    whole = _even(values)
    return whole[::2, ::2], whole[::2, 1::2], whole[1::2, ::2], whole[1::2, 1::2]


def _sum_of_four(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Rows first, since they lie side by side; fewer at the edge of odd sides."""
    height, width = values.shape
    rows = np.empty((-(-height // 2), width), dtype)
    np.add(values[: height - 1 : 2], values[1::2], dtype=dtype, out=rows[: height // 2])
    if height % 2:
        np.add(values[-1], 0, dtype=dtype, out=rows[-1])
    total = np.empty((len(rows), -(-width // 2)), dtype)
    np.add(rows[:, : width - 1 : 2], rows[:, 1::2], out=total[:, : width // 2])
    if width % 2:
        np.add(rows[:, -1], 0, out=total[:, -1])
    return total


def _commonest(values: NDArray[Any], valid: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Index along the first dimension (four cells) of the value that most valid cells have."""
    votes = np.zeros(values.shape, np.int8)
    for one in range(4):
        for other in range(4):
            votes[one] += valid[one] & valid[other] & (values[one] == values[other])
    return np.argmax(votes, axis=0)
