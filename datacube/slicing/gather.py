"""Chunk arrays -> one array of the target's shape."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from datacube.slicing.plan import Picker, ReadPlan, projections
from datacube.slicing.warp import PixelMap

type Chunks = Mapping[tuple[int, int], NDArray[np.generic]]
type FetchAll = Callable[[Iterable[tuple[int, int]]], Chunks]


def gather(plan: ReadPlan, chunks: Chunks, out: NDArray[np.generic]) -> None:
    """Fill ``out`` with the cell of each target pixel; pixels outside the grid stay as they are.

    Parameters
    ----------
    plan : ReadPlan
    chunks : (row, column) -> array of at least the part of a chunk that lies on the grid, (y, x)
    out : dtype of the chunks, (y, x) of the target

    Examples
    --------
    >>> from datacube.slicing.plan import plan_read
    >>> from datacube.slicing.warp import SeparableMap
    >>> plan = plan_read(SeparableMap(np.array([1, 2]), np.array([0, -1])), (2, 2))
    >>> out = np.zeros((2, 2), int)
    >>> gather(plan, {(0, 0): np.array([[1, 2], [3, 4]]), (1, 0): np.array([[5, 6]])}, out)
    >>> out.tolist()
    [[3, 0], [5, 0]]
    """
    if isinstance(plan.map, PixelMap):
        _gather_pixels(plan.map, plan.chunk_shape, chunks, out)
        return
    for one in projections(plan):
        part = _picked(_picked(chunks[one.chunk], one.rows.source, 0), one.columns.source, 1)
        out[one.rows.target, one.columns.target] = part


def _picked(values: NDArray[np.generic], places: Picker, axis: int) -> NDArray[np.generic]:
    """Places along an axis; ``take`` is three times as fast as an index array."""
    if isinstance(places, slice):
        return values[places] if axis == 0 else values[:, places]
    return values.take(places, axis=axis)


def _gather_pixels(
    cells: PixelMap, chunk_shape: tuple[int, int], chunks: Chunks, out: NDArray[np.generic]
) -> None:
    """Pick single pixels: from the only chunk directly, from several one after the other."""
    height, width = chunk_shape
    for (row, column), chunk in chunks.items():
        down, right = cells.rows - row * height, cells.columns - column * width
        here = (down >= 0) & (down < height) & (right >= 0) & (right < width) & (cells.rows >= 0)
        out[here] = chunk[down[here], right[here]]
