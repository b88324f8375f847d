"""Values of a few cells at many times: from the series copy, the rest from map chunks."""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.store.cube import CubeStore
from datacube.store.series import SeriesCopy

type Place = tuple[int, ...]


def read_series(
    cube: CubeStore,
    field: str,
    axes_index: Place,
    rows: slice,
    columns: slice,
    times: slice = slice(None),
) -> NDArray[Any]:
    """A window of a field along time.

    Parameters
    ----------
    cube : CubeStore
        With time.
    field : str
    axes_index : tuple of int
        Index along each axis other than time; empty where there is none.
    rows, columns : slice
        Cells of level 0, with start and stop.
    times : slice
        Logical indexes along time, without a step.

    Returns
    -------
    values : stored dtype, (time, y, x)

    Raises
    ------
    StorageError
        A chunk cannot be read.
    """
    start, stop, _ = times.indices(cube.description.domain.shape[0])
    dtype = cube.description.range_type.field(field).dtype
    shape = (max(stop - start, 0), rows.stop - rows.start, columns.stop - columns.start)
    values = np.empty(shape, dtype)
    copy = cube.series(field)
    parts = [(None, start, stop)] if copy is None else copy.parts(start, stop)
    for segment, first, last in parts:
        out = values[first - start : last - start]
        if copy is None or segment is None:
            sides = cube.chunk_shape(field)[-2:]
            for number, time in enumerate(range(first, last)):
                chunk = partial(_of_map, cube, field, time)
                _paste(out[number : number + 1], sides, axes_index, rows, columns, chunk)
        else:
            chunk = partial(_of_segment, copy, segment, first - copy.segments[segment].start)
            _paste(out, copy.chunk_shape[-2:], axes_index, rows, columns, chunk)
    return values


def _of_map(cube: CubeStore, field: str, time: int, place: Place) -> NDArray[Any]:
    """A map chunk; (1, y, x)."""
    values = cube.chunk(field, 0, (time, *place))
    return values.reshape(1, *values.shape[-2:])


def _of_segment(copy: SeriesCopy, segment: int, begin: int, place: Place) -> NDArray[Any]:
    """A chunk of the series copy from one of its times on; (time, y, x)."""
    values = copy.chunk(segment, place)
    return values.reshape(values.shape[0], *values.shape[-2:])[begin:]


def _paste(
    out: NDArray[Any],
    sides: tuple[int, ...],
    axes_index: Place,
    rows: slice,
    columns: slice,
    chunk: Callable[[Place], NDArray[Any]],
) -> None:
    """Fill a block (time, y, x) from chunks (time, y, x) of which it takes the first times."""
    height, width = sides
    for row, column in product(
        range(rows.start // height, -(-rows.stop // height)),
        range(columns.start // width, -(-columns.stop // width)),
    ):
        top, left = max(row * height, rows.start), max(column * width, columns.start)
        bottom = min((row + 1) * height, rows.stop)
        right = min((column + 1) * width, columns.stop)
        part = chunk((*axes_index, row, column))[
            : len(out),
            top - row * height : bottom - row * height,
            left - column * width : right - column * width,
        ]
        out[
            :, top - rows.start : bottom - rows.start, left - columns.start : right - columns.start
        ] = part
