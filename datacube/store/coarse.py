"""Cells on their way into coarser levels: sums of those below, or one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Packed = NDArray[Any]
type State = Mean | Pick

_ANY = 1 << 64
"""More than any whole number that is stored."""


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
    ends : (int, int), optional
        Between which every valid cell of level 0 lies, where they are known to be whole.
    """

    total: NDArray[Any]
    count: NDArray[Any] | None = None
    cells: int = 1
    ends: tuple[int, int] | None = None

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
            count = _sum_of_four(count, _kind_of_count(cells), (0, 2 * self.cells))
        low, high = self.ends or (-_ANY, _ANY)
        ends = 2 * self.cells * min(low, 0), 2 * self.cells * max(high, 0)
        total = _sum_of_four(self.total, _wide(self.total.dtype, cells), ends)
        return Mean(total, count, cells, self.ends)

    def sum(self) -> float | None:
        """The sum of all valid cells of level 0, where it is exact."""
        if self.total.dtype.kind == "f":
            return None
        low, high = self.ends or (-_ANY, _ANY)
        short = self.total.size * self.cells * max(-low, high) < 1 << 31
        return float(self.total.sum(dtype=np.int32 if short else np.int64))

    @staticmethod
    def joined(shape: tuple[int, int], placed: Sequence[tuple[int, int, "Mean"]]) -> "Mean":
        """One state of several, each with its first row and column; no data between them."""
        parts = [part for *_, part in placed]
        first = parts[0]
        covered = sum(part.total.size for part in parts) == shape[0] * shape[1]
        room = np.empty if covered else np.zeros
        known = [part.ends for part in parts if part.ends is not None]
        ends = (min(low for low, _ in known), max(high for _, high in known)) if known else None
        whole = Mean(
            room(shape, first.total.dtype),
            None
            if covered and all(part.count is None for part in parts)
            else room(shape, _kind_of_count(first.cells)),
            first.cells,
            ends if len(known) == len(parts) else None,
        )
        for row, column, part in placed:
            window = _window(row, column, part.shape)
            whole.total[window] = part.total
            if whole.count is not None:
                whole.count[window] = part.cells if part.count is None else part.count
        return whole

    def _counts(self) -> NDArray[Any]:
        if self.count is not None:
            return self.count
        return np.full(self.shape, self.cells, _kind_of_count(self.cells))


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

    @staticmethod
    def joined(
        shape: tuple[int, int], placed: Sequence[tuple[int, int, "Pick"]], fill: float
    ) -> "Pick":
        """One state of several, each with its first row and column; no data between them."""
        first = placed[0][2]
        values = np.full(shape, fill, first.values.dtype)
        whole = Pick(values, np.zeros(shape, bool), first.by_mode)
        for row, column, part in placed:
            window = _window(row, column, part.shape)
            whole.values[window] = part.values
            whole.valid[window] = part.valid
        return whole


def _kind_of_count(cells: int) -> np.dtype[Any]:
    return np.dtype(np.uint8 if cells < 256 else np.int32)


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


def _sum_of_four(values: NDArray[Any], dtype: np.dtype[Any], ends: tuple[int, int]) -> NDArray[Any]:
    """Rows first, since they lie side by side; fewer at the edge of odd sides.

    Parameters
    ----------
    values : (y, x)
    dtype : numpy dtype, of the sums
    ends : (int, int)
        Between which the sum of any two lies.
    """
    height, width = values.shape
    if not (height % 2 or width % 2) and _narrow(values.dtype, ends):
        return _sum_of_pairs(np.add(values[::2], values[1::2], order="C")).astype(dtype, copy=False)
    rows = np.empty((-(-height // 2), width), dtype)
    np.add(values[: height - 1 : 2], values[1::2], dtype=dtype, out=rows[: height // 2])
    if height % 2:
        np.add(values[-1], 0, dtype=dtype, out=rows[-1])
    total = np.empty((len(rows), -(-width // 2)), dtype)
    np.add(rows[:, : width - 1 : 2], rows[:, 1::2], out=total[:, : width // 2])
    if width % 2:
        np.add(rows[:, -1], 0, out=total[:, -1])
    return total


def _narrow(dtype: np.dtype[Any], ends: tuple[int, int]) -> bool:
    """Whether numbers between two ends fit into a type of one or two bytes."""
    if dtype.kind not in "iu" or dtype.itemsize > 2:
        return False
    known = np.iinfo(dtype)
    return known.min <= ends[0] and ends[1] <= known.max


def _sum_of_pairs(values: NDArray[Any]) -> NDArray[Any]:
    """Sums of every two numbers of a row, in twice the bits; the numbers are lost.

    Two of them are one number of twice the bits, whichever comes first in it.

    Examples
    --------
    >>> _sum_of_pairs(np.array([[1, -3, 100, 100]], "int8")).tolist()
    [[-2, 200]]
    """
    bits = 8 * values.itemsize
    pairs = values.view(np.dtype(f"{values.dtype.kind}{2 * values.itemsize}"))
    if values.dtype.kind == "u":
        lower = pairs & pairs.dtype.type((1 << bits) - 1)
    else:
        lower = pairs << bits
        lower >>= bits
    pairs >>= bits
    pairs += lower
    return pairs


def _commonest(values: NDArray[Any], valid: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Index along the first dimension (four cells) of the value that most valid cells have."""
    votes = np.zeros(values.shape, np.int8)
    for one in range(4):
        for other in range(4):
            votes[one] += valid[one] & valid[other] & (values[one] == values[other])
    return np.argmax(votes, axis=0)
