"""Values of single cells over the other axes: from the copy that holds fewer bytes for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from datacube.engine.ahead import WAITING, places_ahead
from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.picks import Pick
from datacube.engine.read import Values, plan_field, read_field
from datacube.engine.waiting import check_wanted
from datacube.model.fields import Field
from datacube.slicing.cells import PixelMap
from datacube.slicing.plan import plan_read
from datacube.store.series import SeriesCopy

type Place = tuple[int, ...]

_BLOCK = 16 << 20  # bytes of values that are read before they are given out


@dataclass(frozen=True, slots=True)
class Cost:
    """What a read takes: chunks, and their bytes decoded."""

    chunks: int = 0
    nbytes: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.chunks + other.chunks, self.nbytes + other.nbytes)


@dataclass(frozen=True, eq=False)
class CellsPlan:
    """How one field is read at some cells, at every picked place of the other axes.

    Parameters
    ----------
    field : Field
    cells : PixelMap, (1, cells), of level 0
    picks : tuple of Pick, one for each axis other than x and y, none grouped
    copy : the series copy, None for map chunks
    cost : Cost
    at_once : int, how many times of the series copy are given out together
    """

    field: Field
    cells: PixelMap
    picks: tuple[Pick, ...]
    copy: SeriesCopy | None
    cost: Cost
    at_once: int


def plan_cells(cube: Cube, field: Field, cells: PixelMap, picks: tuple[Pick, ...]) -> CellsPlan:
    """The plan by the cheaper copy."""
    by_map, by_series = costs(cube, field, cells, picks)
    copy = cheaper(cube, field, by_map, by_series)
    cost = by_map if copy is None or by_series is None else by_series
    return CellsPlan(field, cells, picks, copy, cost, at_once(field, cells.rows.size, picks))


def cheaper(cube: Cube, field: Field, by_map: Cost, by_series: Cost | None) -> SeriesCopy | None:
    """The series copy where it takes fewer bytes, None for map chunks."""
    if by_series is None or by_series.nbytes >= by_map.nbytes:
        return None
    return cube.store.series(field.name)


def costs(
    cube: Cube, field: Field, cells: PixelMap, picks: tuple[Pick, ...]
) -> tuple[Cost, Cost | None]:
    """What cells cost by map chunks, and by the series copy where there is one."""
    store = cube.store
    shape = store.chunk_shape(field.name)
    itemsize = np.dtype(field.dtype).itemsize
    each = len(plan_field(store, field, 0, cells).chunks)
    lead = [
        {group.start // size for group in pick.groups}
        for pick, size in zip(picks, shape[:-2], strict=True)
    ]
    chunks = each * prod(map(len, lead))
    by_map = Cost(chunks, chunks * prod(shape) * itemsize)
    copy = store.series(field.name)
    if copy is None:
        return by_map, None
    times, elsewhere = _times(picks), prod(len(pick.groups) for pick in picks[1:])
    across = len(plan_read(cells, (copy.chunk_shape[-2], copy.chunk_shape[-1])).chunks)
    by_series = Cost()
    for segment, first, last in copy.parts(times.start, times.stop):
        count = elsewhere * (across if segment is not None else each * (last - first))
        one = copy.chunk_shape if segment is not None else shape
        by_series += Cost(count, count * prod(one) * itemsize)
    return by_map, by_series


def at_once(field: Field, cells: int, picks: tuple[Pick, ...]) -> int:
    """How many times of so many cells are held at a time."""
    places = prod(len(pick.groups) for pick in picks[1:])
    return max(_BLOCK // max(cells * places * np.dtype(field.dtype).itemsize, 1), 1)


def read_cells(context: Context, cube: Cube, plan: CellsPlan) -> Iterator[tuple[slice, Values]]:
    """Stored values in array order, some places of the other axes at a time.

    Yields
    ------
    places : slice, of the places of the other axes in array order, the last axis fastest
    values : data and valid, (places, cells)

    Raises
    ------
    StorageError
        A chunk cannot be read.
    """
    if plan.copy is None:
        return _from_maps(context, cube, plan)
    return _from_series(context, cube, plan, plan.copy)


def _from_maps(context: Context, cube: Cube, plan: CellsPlan) -> Iterator[tuple[slice, Values]]:
    """Place by place; behind a network several of them at the same time."""
    read = plan_field(cube.store, plan.field, 0, plan.cells)
    groups = product(*(pick.groups for pick in plan.picks))
    places = (tuple(one.start for one in group) for group in groups)

    def at(place: Place) -> Values:
        return read_field(context.pool, cube.store, plan.field, 0, read, place)

    count = min(at_once(plan.field, plan.cells.rows.size, ()), WAITING)
    found = places_ahead(context, cube.store, read, at, places, count)
    for number, values in enumerate(found):
        yield slice(number, number + 1), values


def _from_series(
    context: Context, cube: Cube, plan: CellsPlan, copy: SeriesCopy
) -> Iterator[tuple[slice, Values]]:
    """Time is the first axis of a cube that has a series: all places of a run of times."""
    times, others = _times(plan.picks), [pick.groups for pick in plan.picks[1:]]
    places = [tuple(one.start for one in group) for group in product(*others)]
    for segment, start, stop in copy.parts(times.start, times.stop):
        for first in range(start, stop, plan.at_once):
            last = min(first + plan.at_once, stop)
            shape = (last - first, len(places), plan.cells.rows.size)
            data = np.zeros(shape, plan.field.dtype)
            valid = np.zeros(shape, bool)
            for number, place in enumerate(places):
                if segment is None:
                    _few_maps(context, cube, plan, range(first, last), place, (data, valid), number)
                else:
                    begin = copy.segments[segment].start
                    chunk_times = slice(first - begin, last - begin)
                    _paste(plan, copy, segment, chunk_times, place, data[:, number])
                    valid[:, number] = plan.field.valid(data[:, number])
                    valid[:, number, plan.cells.rows[0] < 0] = False
            at = (first - times.start) * len(places)
            flat = (data.reshape(-1, shape[-1]), valid.reshape(-1, shape[-1]))
            yield slice(at, at + len(flat[0])), flat


def _few_maps(
    context: Context,
    cube: Cube,
    plan: CellsPlan,
    times: range,
    place: Place,
    out: Values,
    number: int,
) -> None:
    """Times that no segment holds yet."""
    read = plan_field(cube.store, plan.field, 0, plan.cells)
    for row, time in enumerate(times):
        values = read_field(context.pool, cube.store, plan.field, 0, read, (time, *place))
        out[0][row, number], out[1][row, number] = values[0][0], values[1][0]


def _paste(
    plan: CellsPlan,
    copy: SeriesCopy,
    segment: int,
    times: slice,
    place: Place,
    out: np.ndarray,
) -> None:
    """Fill (times, cells) from the chunks of a segment, each read once."""
    height, width = copy.chunk_shape[-2:]
    rows, columns = plan.cells.rows[0], plan.cells.columns[0]
    for row, column in plan_read(plan.cells, (height, width)).chunks:
        check_wanted()
        chunk = copy.chunk(segment, (*place, row, column))
        values = chunk.reshape(chunk.shape[0], *chunk.shape[-2:])[times]
        here = np.flatnonzero((rows // height == row) & (columns // width == column))
        out[:, here] = values[:, rows[here] % height, columns[here] % width]


def _times(picks: tuple[Pick, ...]) -> range:
    """Indexes along time, the first axis: without gaps, as a trim takes them."""
    return range(picks[0].groups[0].start, picks[0].groups[-1].stop)
