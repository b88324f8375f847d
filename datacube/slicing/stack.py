"""The cells under many pixels, one layer for each place in the pixels' lists, made into values."""

from math import ceil
from typing import Literal, assert_never

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
AnyArray = NDArray[np.generic]
type AreaMethod = Literal["average", "mode", "min", "max", "med", "q1", "q3"]

_RANKS = {"q1": 0.25, "med": 0.5, "q3": 0.75}
_LAYERS = 256
_NETWORK = 64
_COMPARED = 24
_EQUAL = 1 - 1e-9


class Stack:
    """Cells, their weights and whether they count; the result does not depend on other pixels.

    Parameters
    ----------
    layers, pixels : int
    dtype : of the cells

    Examples
    --------
    >>> stack = Stack(3, 1, np.dtype(np.int16))
    >>> for value in (7, 2, 7):
    ...     stack.push(np.array([value], np.int16), np.ones(1), None)
    >>> [stack.result(method)[0].item() for method in ("average", "mode", "med", "q1")]
    [5.333333333333333, 7, 7, 2]
    """

    def __init__(self, layers: int, pixels: int, dtype: np.dtype[np.generic]) -> None:
        self._cells = np.empty((layers, pixels), dtype)
        self._weights = np.empty((layers, pixels))
        self._live = np.empty((layers, pixels), bool)
        self._filled = 0

    def push(self, cells: AnyArray, weights: FloatArray, valid: BoolArray | None) -> None:
        """The next cell of every pixel; one without weight or validity does not count."""
        place = self._filled
        self._cells[place] = cells
        np.greater(weights, 0, out=self._live[place])
        if valid is not None:
            self._live[place] &= valid
        self._weights[place] = weights
        self._filled += 1

    def result(self, method: AreaMethod) -> tuple[AnyArray, BoolArray]:
        """Value of each pixel, and whether any cell counted."""
        return self._value(method), self._live.any(0)

    def _value(self, method: AreaMethod) -> AnyArray:
        match method:
            case "average":
                return _average(self._cells, self._weights * self._live)
            case "min":
                return self._or(beyond(self._cells.dtype, above=True)).min(0)
            case "max":
                return self._or(beyond(self._cells.dtype, above=False)).max(0)
            case "mode":
                return _mode(self._cells, self._weights * self._live)
            case "med" | "q1" | "q3":
                cells = self._or(beyond(self._cells.dtype, above=True))
                return _ranked(_RANKS[method], cells, self._live.sum(0))
            case _:
                assert_never(method)

    def _or(self, other: AnyArray) -> AnyArray:
        return np.where(self._live, self._cells, other)


def beyond(dtype: np.dtype[np.generic], *, above: bool) -> AnyArray:
    """A value that no cell exceeds (above) or falls below."""
    if dtype == np.bool_:
        return np.array(above, dtype)
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)  # type: ignore[type-var]
        return np.array(limits.max if above else limits.min, dtype)
    return np.array(np.inf if above else -np.inf, dtype)


def _average(cells: AnyArray, weights: FloatArray) -> FloatArray:
    """Weighted mean of each column, added up in the order of the layers."""
    with np.errstate(invalid="ignore", divide="ignore"):
        if len(cells) > _LAYERS:
            shares = np.ascontiguousarray(weights.T)
            return np.asarray(np.multiply(shares, cells.T, order="C").sum(1) / shares.sum(1))
        total, weight = np.zeros(cells.shape[1]), np.zeros(cells.shape[1])
        for layer, share in zip(cells, weights, strict=True):
            total += np.multiply(share, layer)
            weight += share
        return total / weight


def _ranked(share: float, cells: AnyArray, count: NDArray[np.int_]) -> AnyArray:
    """The value at rank ceil(share n) of the lowest n = count cells; the cells are used up."""
    if len(cells) > _NETWORK:
        cells.sort(axis=0)
    else:
        _sort_layers(cells)
    ranks = np.array([max(ceil(share * n), 1) - 1 for n in range(len(cells) + 1)])
    return np.asarray(cells[ranks[count], np.arange(cells.shape[1])])


def _sort_layers(cells: AnyArray) -> None:
    """Batcher's odd-even merge sort of every column, a whole layer at a time."""
    size, spare = len(cells), np.empty_like(cells[:1])[0]
    width = 1
    while width < size:
        step = width
        while step:
            for low in range(step % width, size - step, 2 * step):
                for one in range(low, min(low + step, size - step)):
                    if one // (2 * width) == (one + step) // (2 * width):
                        np.minimum(cells[one], cells[one + step], out=spare)
                        np.maximum(cells[one], cells[one + step], out=cells[one + step])
                        cells[one] = spare
            step //= 2
        width *= 2


def _mode(cells: AnyArray, weights: FloatArray) -> AnyArray:
    """The value whose weight is largest; of equal ones that which gets there first."""
    reached = _compared(cells, weights) if len(cells) <= _COMPARED else _counted(cells, weights)
    best = (reached >= reached.max(0) * _EQUAL).argmax(0)
    return np.asarray(cells[best, np.arange(cells.shape[1])])


def _compared(cells: AnyArray, weights: FloatArray) -> FloatArray:
    """Weight of the cells up to each layer that equal the layer's."""
    reached = weights.copy()
    for layer in range(1, len(cells)):
        for earlier in range(layer):
            reached[layer] += np.where(cells[earlier] == cells[layer], weights[earlier], 0.0)
    return reached


def _counted(cells: AnyArray, weights: FloatArray) -> FloatArray:
    """The same by sorting, for many layers."""
    order = np.argsort(cells, axis=0, kind="stable")
    ordered, share = (np.take_along_axis(one, order, 0) for one in (cells, weights))
    running = np.cumsum(share, axis=0)
    fresh = np.ones(cells.shape, bool)
    fresh[1:] = ordered[1:] != ordered[:-1]
    before = np.maximum.accumulate(np.where(fresh, running - share, -1.0), axis=0)
    reached = np.zeros(cells.shape)
    np.put_along_axis(reached, order, running - before, 0)
    return reached
