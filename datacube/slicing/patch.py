"""Pixels of a window whose blocks are all smooth: no second look at any.

Most windows of most maps are like that, and most lie on the cells with all their pixels. Their
positions are interpolated a row of blocks at a time, so that what is worked on stays in the
processor's own memory, and become cells by whole numbers.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from datacube.slicing.cells import PixelBlock, block_of, pixel_blocks
from datacube.slicing.sheets import PLACES, ROUNDER, ROUNDER_BITS, Room, quartic

_SIZE = 64


def patch(
    nodes: NDArray[np.float64], window: tuple[slice, slice], factor: int, corner: tuple[int, int]
) -> PixelBlock:
    """The cells of a window's pixels.

    Parameters
    ----------
    nodes : float64, (rows, columns, 2, 5, 5), those of blocks of 64 x 64 pixels; u, then v
    window : rows and columns of the blocks' pixels
    factor : int, a power of 2: how many cells make one that is counted, along rows and columns
    corner : (row, column) of the window's first pixel in the target

    Examples
    --------
    >>> u, v = np.meshgrid(np.arange(5) * 16 + 100.5, np.arange(5) * 16 + 7.5)
    >>> block = patch(np.stack([u, v])[None, None], (slice(3, 5), slice(0, 4)), 1, (0, 0))
    >>> block.top, block.left, block.places.tolist()
    (10, 100, [[0, 1, 2, 3], [4, 5, 6, 7]])
    """
    cells = _empty(window)
    shift = PLACES + factor.bit_length() - 1
    for lines, grains in _strips(nodes, window):
        np.right_shift(grains, shift, out=cells[:, lines])
    columns, rows = cells
    return block_of(rows, columns, corner, ROUNDER_BITS >> shift)


def patch_at_edge(
    nodes: NDArray[np.float64],
    window: tuple[slice, slice],
    factor: int,
    corner: tuple[int, int],
    room: Room,
) -> Iterator[PixelBlock]:
    """The same of a window that lies on the cells in part; a hair beyond the edge is on them.

    Examples
    --------
    >>> u, v = np.meshgrid(np.arange(5) * 16 + 100.5, np.arange(5) * 16 + 7.5)
    >>> window = slice(3, 5), slice(0, 4)
    >>> (block,) = patch_at_edge(np.stack([u, v])[None, None], window, 1, (0, 0), Room(11, 200))
    >>> block.top, block.left, block.inside.tolist()
    (10, 100, [[True, True, True, True], [False, False, False, False]])
    """
    cells = _empty(window)
    shift = factor.bit_length() - 1
    ends = np.array([room.width, room.height])[:, None, None] << PLACES
    for lines, strip in _strips(nodes, window):
        grains = strip - (ROUNDER_BITS - 1)  # the hair before the first cell is at 0
        off = grains.view(np.uint64) > (ends + 2).view(np.uint64)  # and what is before it, far away
        outside = off[0] | off[1]
        grains -= 1
        np.clip(grains, 0, ends - 1, out=grains)
        grains >>= PLACES + shift
        np.copyto(grains, -1, where=outside)
        cells[:, lines] = grains
    columns, rows = cells
    return pixel_blocks(rows, columns, corner)


def _empty(window: tuple[slice, slice]) -> NDArray[np.intp]:
    """Columns and rows of a window's pixels, still to be found."""
    down, right = window
    return np.empty((2, down.stop - down.start, right.stop - right.start), np.intp)


def _strips(
    nodes: NDArray[np.float64], window: tuple[slice, slice]
) -> Iterator[tuple[slice, NDArray[np.intp]]]:
    """A row of blocks after the other: which lines of the window, and their positions' bits.

    The bits are good until the next are asked for: 2^-20 of a cell, ``ROUNDER_BITS`` added.
    """
    down, right = window
    weights, across = quartic(_SIZE)
    tall = weights @ nodes
    strip = np.empty((2, _SIZE, nodes.shape[1], _SIZE))
    blocks, grains = strip.transpose(2, 0, 1, 3), strip.reshape(2, _SIZE, -1).view(np.intp)
    for number, row in enumerate(tall):
        first, stop = (min(max(end - number * _SIZE, 0), _SIZE) for end in (down.start, down.stop))
        if first == stop:
            continue
        np.matmul(row, across, out=blocks)
        strip += ROUNDER
        start = number * _SIZE + first - down.start
        yield slice(start, start + stop - first), grains[:, first:stop, right]
