"""Pixels of a window whose blocks are all smooth and all lie on the cells: no second look at any.

Most windows of most maps are like that. Their positions are interpolated a row of blocks at a time,
so that what is worked on stays in the processor's own memory, and become cells by whole numbers.
"""

import numpy as np
from numpy.typing import NDArray

from datacube.slicing.cells import PixelBlock, block_of
from datacube.slicing.sheets import PLACES, ROUNDER, ROUNDER_BITS, quartic

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
    down, right = window
    shape = down.stop - down.start, right.stop - right.start
    rows, columns = np.empty(shape, np.intp), np.empty(shape, np.intp)
    shift = PLACES + factor.bit_length() - 1
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
        for layer, cells in ((0, columns), (1, rows)):
            some = cells[start : start + stop - first]
            np.right_shift(grains[layer, first:stop, right], shift, out=some)
    return block_of(rows, columns, corner, ROUNDER_BITS >> shift)
