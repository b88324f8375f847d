"""Long times of few cells: read from the series copy where that is cheaper than the map chunks."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from datacube.engine.read import Values
from datacube.model.fields import Field
from datacube.slicing.cells import IndexMap, SeparableMap
from datacube.slicing.reduce import Reducer
from datacube.store.cube import CubeStore
from datacube.store.source import CubeSource
from datacube.store.timeseries import read_series

type Place = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SeriesWindow:
    """Cells and times that are read from the series copy.

    Parameters
    ----------
    rows, columns : slice, cells of level 0
    times : slice, logical indexes
    nbytes : int, decoded size of the chunks that hold them, of one field at one other place
    chunks : int, number of those chunks
    """

    rows: slice
    columns: slice
    times: slice
    nbytes: int
    chunks: int


def series_window(
    cube: CubeSource, field: Field, level: int, cells: IndexMap, times: range
) -> SeriesWindow | None:
    """The window of the series copy, where it holds fewer bytes than the map chunks.

    Parameters
    ----------
    times : range of logical indexes without gaps
    """
    rows, columns = _runs(cells)
    if level or rows is None or columns is None or not isinstance(cube, CubeStore):
        return None
    copy = cube.series(field.name)
    if copy is None or not times:
        return None
    itemsize = np.dtype(field.dtype).itemsize
    map_shape = cube.chunk_shape(field.name, level)
    per_step = _touched(rows, map_shape[-2]) * _touched(columns, map_shape[-1])
    across = _touched(rows, copy.chunk_shape[-2]) * _touched(columns, copy.chunk_shape[-1])
    chunks = nbytes = 0
    for segment, first, last in copy.parts(times.start, times.stop):
        count = across if segment is not None else per_step * (last - first)
        shape = copy.chunk_shape if segment is not None else map_shape
        chunks += count
        nbytes += count * prod(shape) * itemsize
    if nbytes >= len(times) * per_step * prod(map_shape) * itemsize:
        return None
    return SeriesWindow(rows, columns, slice(times.start, times.stop), nbytes, chunks)


def read_window(
    cube: CubeStore, field: Field, window: SeriesWindow, place: Place
) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """Stored values and where they are data, both (time, y, x).

    Parameters
    ----------
    place : index along each axis other than time
    """
    values = read_series(cube, field.name, place, window.rows, window.columns, window.times)
    return values, field.valid(values)


def reduce_groups(
    field: Field, values: Values, groups: Iterator[range], begin: int, reducer: Reducer
) -> Iterator[Values]:
    """One result for each group of times.

    Parameters
    ----------
    values : stored values and valid, (time, y, x), from index ``begin`` on
    """
    data, valid = values
    for group in groups:
        part = slice(group.start - begin, group.stop - begin)
        steps, good = field.decode(data[part], valid[part]), valid[part]
        if reducer.order == "descending":
            steps, good = steps[::-1], good[::-1]
        accumulator = reducer.start(steps.shape[1:])
        accumulator.extend(steps, good)
        yield accumulator.result()


def _runs(cells: IndexMap) -> tuple[slice | None, slice | None]:
    """Rows and columns as slices, where they are inside and without gaps."""
    if not isinstance(cells, SeparableMap):
        return None, None
    return cells.down.span, cells.across.span


def _touched(places: slice, size: int) -> int:
    first, last = int(places.start) // size, (int(places.stop) - 1) // size
    return last - first + 1
