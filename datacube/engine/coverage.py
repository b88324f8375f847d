"""A part of a coverage: the one function behind WCS GetCoverage and OGC API Coverages."""

from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from datacube.config.settings import Limits
from datacube.engine.ahead import places_ahead
from datacube.engine.bandmap import BandMap
from datacube.engine.bands import row_bands
from datacube.engine.context import Context
from datacube.engine.coverage_plan import CoveragePlan, make_plan
from datacube.engine.cube import Cube
from datacube.engine.limits import check_coverage, check_reduction
from datacube.engine.picks import times_of
from datacube.engine.places import Places
from datacube.engine.read import Values, mask_of, plan_field, read_stored
from datacube.engine.resampled import resample_each
from datacube.engine.series import SeriesWindow, read_window, reduce_groups
from datacube.engine.values import find_each
from datacube.engine.wanted import wanted_field
from datacube.model.block import Block
from datacube.model.coverage import Coverage
from datacube.model.fields import Field
from datacube.model.query import CoverageQuery
from datacube.slicing.cells import IndexMap, ReadPlan, SeparableMap
from datacube.store.cube import CubeStore

type Target = tuple[int | slice, ...]
type BoolArray = NDArray[np.bool_]


def get_coverage(context: Context, query: CoverageQuery, streaming: Sequence[str] = ()) -> Coverage:
    """Read a part of a coverage: trims, slices, fields, scaling, aggregation over time.

    Sliced axes are gone in the answer, but for the horizontal ones, which keep one cell.

    Parameters
    ----------
    context : Context
    query : CoverageQuery
    streaming : media types for a refusal to name: those that need no memory for it all

    Raises
    ------
    CoverageNotFound, FieldNotFound, AxisNotFound, InvalidSubset, InvalidScaling, InvalidCrs
    InvalidParameter
        The query cannot be meant; the message says what would be valid.
    RequestTooLarge
        The values would be larger than the limit.
    StorageError
        A chunk cannot be read.
    """
    cube = context.catalog.cube(query.coverage)
    plan = make_plan(cube, query)
    check_coverage(context.settings.limits, plan.size(), streaming)
    check_aggregate(context.settings.limits, plan)
    blocks: dict[str, Block] = {}
    for numbers in plan.alike:
        for block in _read_blocks(context, cube, numbers, plan):
            blocks[block.field.name] = block
    return Coverage(plan.description, blocks, plan.notes)


def plan_coverage(context: Context, query: CoverageQuery) -> CoveragePlan:
    """Plan a coverage query without reading a chunk; raises as :func:`get_coverage`."""
    return make_plan(context.catalog.cube(query.coverage), query)


def coverage_state(context: Context, query: CoverageQuery) -> tuple[str, ...]:
    """Names the values of a coverage: what the cube is, and holds at each time that is read.

    A commit changes it for the coverages that read what it has written, and for no others.
    """
    cube = context.catalog.cube(query.coverage)
    plan = make_plan(cube, query)
    times = times_of(cube.description.domain, plan.picks) if cube.store.timed else range(1)
    return cube.words, plan.description.domain.mark, *map(cube.store.state_of, times)


def check_aggregate(limits: Limits, plan: CoveragePlan) -> None:
    """Refuse a coverage whose steps would take too long to make one.

    Raises
    ------
    RequestTooLarge
        The message says the number of cells, the limit and what would pass.
    """
    if plan.reducer is not None:
        steps = prod(sum(map(len, pick.groups)) for pick in plan.picks)
        cells = prod(plan.cells.shape)
        each = steps * len(plan.sources)
        effort = max(one.effort for one in plan.reducers)
        check_reduction(limits, cells, each, "subset", steps, effort)


def _read_blocks(
    context: Context, cube: Cube, numbers: Sequence[int], plan: CoveragePlan
) -> list[Block]:
    """All places of the fields of the answer that come of one stored field."""
    fields = [plan.description.range_type.fields[number] for number in numbers]
    sizes = tuple(len(pick.groups) for pick in plan.picks)
    shape = (*sizes, *plan.cells.shape)
    inside = None if plan.within is None else plan.within.inside(slice(0, shape[-2]))
    window = plan.series[numbers[0]]
    series = window is not None and isinstance(cube.store, CubeStore)
    if not (series or plan.computed):
        data, mask = _read_steps(context, cube, plan.sources[numbers[0]], plan, shape)
        return [_block(plan, fields[0], data, mask, inside)]
    into = [(np.empty(shape, one.dtype), np.empty(shape, bool)) for one in fields]
    if window is not None and isinstance(cube.store, CubeStore):
        _put(into, _series(cube.store, numbers, plan, window))
    else:
        _put(into, _found(context, cube, numbers, plan))
    return [
        _block(plan, one, data, valid, inside)
        for one, (data, valid) in zip(fields, into, strict=True)
    ]


def _block(
    plan: CoveragePlan,
    one: Field,
    data: NDArray[np.generic],
    mask: BoolArray | None,
    inside: BoolArray | None,
) -> Block:
    """A field of the answer; nothing is valid outside a region."""
    if inside is not None:
        mask = (one.valid(data) if mask is None else mask) & inside
    domain = plan.description.domain
    there = None if mask is None else mask.reshape(domain.shape)
    return Block(one, domain, data.reshape(domain.shape), there)


def _put(into: Sequence[Values], parts: Iterator[tuple[Target, Sequence[Values]]]) -> None:
    """Parts of all fields to where they belong."""
    for target, found in parts:
        for (data, valid), (values, good) in zip(into, found, strict=True):
            data[target], valid[target] = values, good


def _series(
    store: CubeStore, numbers: Sequence[int], plan: CoveragePlan, window: SeriesWindow
) -> Iterator[tuple[Target, Sequence[Values]]]:
    """Values of few cells at many times; time is the first axis of a cube that has a series."""
    source = plan.sources[numbers[0]]
    time, *others = plan.picks
    for target in product(*(range(len(pick.groups)) for pick in others)):
        place = tuple(pick.groups[at].start for pick, at in zip(others, target, strict=True))
        values = read_window(store, source, window, place)
        if not plan.reducers:
            yield (slice(None), *target), [values]
            continue
        begin = window.times.start
        ways = (
            reduce_groups(source, values, iter(time.groups), begin, plan.reducers[number])
            for number in numbers
        )
        for at, found in enumerate(zip(*ways, strict=True)):
            yield (at, *target), found


def _read_steps(
    context: Context, cube: Cube, source: Field, plan: CoveragePlan, shape: tuple[int, ...]
) -> tuple[NDArray[np.generic], BoolArray | None]:
    """Stored values, in parts of which the cells are found once for every place.

    Returns
    -------
    data : stored dtype, shape
    mask : bool, shape; None where the values say it
    """
    data = np.empty(shape, source.dtype)
    mask: BoolArray | None = None

    def read(some: ReadPlan, band: slice, at: tuple[tuple[int, ...], tuple[range, ...]]) -> None:
        target, groups = at
        place = tuple(group.start for group in groups)
        part = data[target][band]
        read_stored(context.pool, cube.store, source, plan.level, some, place, part)

    for band, cells in _parts(cube, plan):
        some = plan_field(cube.store, source, plan.level, cells)
        deque(places_ahead(context, cube.store, some, partial(read, some, band), _places(plan)), 0)
        if (inside := mask_of(source, cells)) is not None:
            mask = np.ones(shape, bool) if mask is None else mask
            mask[..., band, :] = inside
    return data, mask


def _parts(cube: Cube, plan: CoveragePlan) -> Iterator[tuple[slice, IndexMap]]:
    """Rows and their cells: all at once where rows and columns are picked apart."""
    if isinstance(plan.cells, SeparableMap):
        yield slice(0, plan.cells.shape[0]), plan.cells
        return
    for band in bands_of(cube, plan):
        yield band, plan.of_rows(band).around


def bands_of(cube: Cube, plan: CoveragePlan) -> tuple[slice, ...]:
    """The rows of an answer in parts that are cheap to read and small."""
    if isinstance(plan.cells, BandMap):
        return tuple(plan.cells.bands)
    shapes = [cube.store.chunk_shape(one.name, plan.level) for one in plan.sources]
    rows = max(shape[-2] for shape in shapes)
    return tuple(row_bands(plan.cells, rows, plan.cell_bytes))


def _found(
    context: Context, cube: Cube, numbers: Sequence[int], plan: CoveragePlan
) -> Iterator[tuple[Target, Sequence[Values]]]:
    """Values of each group of steps made one, of cells made pixels, or where a mask is true."""
    if not isinstance(plan.cells, BandMap) and plan.mask is None:
        for target, groups in _places(plan):
            yield target, find_group(context, cube, numbers, plan, groups)
        return
    for band in bands_of(cube, plan):
        some = plan.of_rows(band)
        for target, groups in _places(plan):
            yield (*target, band), find_group(context, cube, numbers, some, groups)


def find_group(
    context: Context,
    cube: Cube,
    numbers: Sequence[int],
    plan: CoveragePlan,
    groups: tuple[range, ...],
) -> Sequence[Values]:
    """Values of one group of steps made one, for all cells of a plan; each (y, x).

    Parameters
    ----------
    numbers : of fields of the answer that come of one stored field
    """
    wanted = wanted_field(plan.sources[numbers[0]], plan.mask)
    places = Places(tuple(product(*map(reversed, groups))))
    by = tuple(plan.reducers[number] for number in numbers) if plan.reducers else ()
    if plan.sampling is None:
        found = find_each(context, cube, wanted, plan.level, plan.around, places, by)
    else:
        found = resample_each(context, cube, wanted, plan.sampling, places, by)
    return [(one.data, one.valid) for one in found]


def _places(plan: CoveragePlan) -> Iterator[tuple[tuple[int, ...], tuple[range, ...]]]:
    sizes = (range(len(pick.groups)) for pick in plan.picks)
    for target in product(*sizes):
        yield target, tuple(pick.groups[at] for pick, at in zip(plan.picks, target, strict=True))
