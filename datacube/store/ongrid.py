"""The part of a decoded chunk that lies on its grid: what is kept of one at the grid's edge."""

from typing import Any

from numpy.typing import NDArray

from datacube.store.buffers import Room, fresh

_WORTH = 8  # a copy without the rest pays where the rest is one part in so many


def on_grid(
    values: NDArray[Any], place: tuple[int, ...], sides: tuple[int, int], room: Room = fresh
) -> NDArray[Any]:
    """A chunk without the rows and columns beyond the grid, where these are not few.

    Parameters
    ----------
    values : any dtype, chunk_shape
    place : index of the chunk; row and column come last
    sides : (height, width) of the grid
    room : Room
        Where memory for a copy comes from.

    Returns
    -------
    values : the same, or a read-only copy of the part on the grid

    Examples
    --------
    >>> import numpy as np
    >>> on_grid(np.ones((1, 4, 4)), (0, 1, 0), (6, 8)).shape
    (1, 2, 4)
    """
    height, width = (
        min(size, total - at * size)
        for size, total, at in zip(values.shape[-2:], sides, place[-2:], strict=True)
    )
    part = values[..., :height, :width]
    if _WORTH * (values.size - part.size) < values.size:
        return values
    kept = room(part.nbytes).view(values.dtype).reshape(part.shape)
    kept[...] = part
    kept.flags.writeable = False
    return kept
