"""Values of a few cells at many times: from the series copy, the rest from map chunks."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.store.cube import CubeStore
from datacube.store.series import SeriesCopy
from datacube.store.together import asked_together

type Place = tuple[int, ...]

type _Piece = tuple[NDArray[Any], Callable[[], NDArray[Any]], tuple[slice, slice]]
"""Where a part of a chunk belongs, what reads the chunk, and the rows and columns of the part."""


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
    pieces: list[_Piece] = []
    for segment, first, last in parts:
        out = values[first - start : last - start]
        if copy is None or segment is None:
            sides = cube.chunk_shape(field)[-2:]
            for number, time in enumerate(range(first, last)):
                chunk = partial(_of_map, cube, field, time)
                one = out[number : number + 1]
                pieces += _pieces(one, sides, axes_index, rows, columns, chunk)
        else:
            chunk = partial(_of_segment, copy, segment, first - copy.segments[segment].start)
            pieces += _pieces(out, copy.chunk_shape[-2:], axes_index, rows, columns, chunk)
    asked_together(cube.store, _paste, pieces)
    return values


def _of_map(cube: CubeStore, field: str, time: int, place: Place) -> NDArray[Any]:
    """A map chunk; (1, y, x)."""
    values = cube.chunk(field, 0, (time, *place))
    return values.reshape(1, *values.shape[-2:])


def _of_segment(copy: SeriesCopy, segment: int, begin: int, place: Place) -> NDArray[Any]:
    """A chunk of the series copy from one of its times on; (time, y, x)."""
    values = copy.chunk(segment, place)
    return values.reshape(values.shape[0], *values.shape[-2:])[begin:]


def _pieces(
    out: NDArray[Any],
    sides: tuple[int, ...],
    axes_index: Place,
    rows: slice,
    columns: slice,
    chunk: Callable[[Place], NDArray[Any]],
) -> Iterator[_Piece]:
    """What fills a block (time, y, x) from the first times of chunks (time, y, x)."""
    height, width = sides
    for row, column in product(
        range(rows.start // height, -(-rows.stop // height)),
        range(columns.start // width, -(-columns.stop // width)),
    ):
        top, left = max(row * height, rows.start), max(column * width, columns.start)
        bottom = min((row + 1) * height, rows.stop)
        right = min((column + 1) * width, columns.stop)
        there = slice(top - rows.start, bottom - rows.start)
        part = slice(top - row * height, bottom - row * height)
        target = out[:, there, left - columns.start : right - columns.start]
        across = slice(left - column * width, right - column * width)
        yield target, partial(chunk, (*axes_index, row, column)), (part, across)


def _paste(piece: _Piece) -> None:
    """Fill a piece of a block from its chunk."""
    target, chunk, (rows, columns) = piece
    target[:] = chunk()[: len(target), rows, columns]
