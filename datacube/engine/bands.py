"""Bands of rows: what is read at a time, so that no more than some of them is in memory."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from datacube.slicing.cells import IndexMap, PixelMap, SeparableMap
from datacube.slicing.footprint import Footprint
from datacube.slicing.warp import PixelPositions, Positions, SeparablePositions

_JOINED = 4 << 20  # bytes of values up to which bands are joined
_MOST = 48 << 20  # bytes of values above which a row of chunks is cut


def row_bands(cells: IndexMap, chunk_rows: int, itemsize: int) -> Iterator[slice]:
    """Rows of an index map cut between rows of chunks.

    Thin bands are joined up to 4 MiB of values. One that has more than 48 MiB is cut although its
    chunks are then read more than once.

    Parameters
    ----------
    cells : IndexMap, target -> cells of a level
    chunk_rows : int, height of a chunk
    itemsize : int, bytes of a value

    Examples
    --------
    >>> cells = SeparableMap(np.arange(100, 400), np.arange(20_000))
    >>> [(band.start, band.stop) for band in row_bands(cells, 128, 2)]
    [(0, 28), (28, 156), (156, 284), (284, 300)]
    """
    height, width = cells.shape
    joined, most = (max(limit // (width * itemsize), 1) for limit in (_JOINED, _MOST))
    start = 0
    for low, high in pairwise(_edges(cells, chunk_rows, height)):
        if low > start and high - start > joined:
            yield slice(start, low)
            start = low
        while high - start > most:
            yield slice(start, start + most)
            start += most
    if start < height:
        yield slice(start, height)


def _edges(cells: IndexMap, chunk_rows: int, height: int) -> list[int]:
    """First rows of the target that begin in another row of chunks, and the end."""
    match cells:
        case SeparableMap(rows):
            starts = np.flatnonzero(np.diff(rows // chunk_rows)) + 1
            return [0, *starts.tolist(), height]
        case PixelMap():
            return [*range(0, height, chunk_rows), height]


def positions_of(found: Positions, rows: slice) -> Positions:
    """Some target rows of the positions of pixels."""
    extent = found.extent
    match found:
        case SeparablePositions(u, v):
            if extent is not None:
                extent = replace(extent, v_low=extent.v_low[rows], v_high=extent.v_high[rows])
            return SeparablePositions(u, v[rows], extent)
        case PixelPositions(u, v):
            if extent is not None:
                extent = Footprint(
                    extent.u_low[rows], extent.u_high[rows], extent.v_low[rows], extent.v_high[rows]
                )
            return PixelPositions(u[rows], v[rows], extent)
