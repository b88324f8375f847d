"""A request's plan, told: which copy, level and chunks it reads, how many bytes, in which order.

The plans are those that the engine works by; nothing but the cubes' documents is read for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from datacube.engine.area import plan_area
from datacube.engine.context import Context
from datacube.engine.coverage import plan_coverage
from datacube.engine.coverage_plan import CoveragePlan
from datacube.engine.cube import Cube
from datacube.engine.elsewhere import OtherField, cells_elsewhere
from datacube.engine.line import plan_line
from datacube.engine.map import PlannedLayer, map_of, plan_map
from datacube.engine.places import find_places
from datacube.engine.resampled import Sampling, sampling
from datacube.engine.sample import cell_at
from datacube.engine.scattered import CellsPlan
from datacube.engine.tally import Tally, of_maps, of_reduction, of_series
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.model.query import AreaQuery, CoverageQuery, LineQuery, MapQuery, SampleQuery
from datacube.render.paint import margin_of
from datacube.render.style import interpolation_of
from datacube.slicing.cells import IndexMap, SeparableMap
from datacube.slicing.plan import plan_read
from datacube.slicing.window import window_of

type Place = tuple[int, ...]

MAP, SERIES = "map chunks", "series chunks"


@dataclass(frozen=True, slots=True)
class Explained:
    """The plan of one layer, or of a coverage.

    Parameters
    ----------
    name : str, layer or coverage
    snapshot : str
    copy : ``map chunks`` or ``series chunks``
    level : int, overview that is read; 0 is the cube itself
    levels : int, how many there are
    fields : tuple of str, the stored fields that are read
    steps : int, places of the other axes that may be looked at
    reads : Tally
    memory_bytes : int, the largest the values and one step's decoded chunks can get
    stages : tuple of str, in order
    """

    name: str
    snapshot: str
    copy: str
    level: int
    levels: int
    fields: tuple[str, ...]
    steps: int
    reads: Tally
    memory_bytes: int
    stages: tuple[str, ...]

    @property
    def text(self) -> str:
        """The plan in words.

        Examples
        --------
        >>> print(Explained("sst", "sst@2", MAP, 3, 5, ("sst",), 1, Tally(4, 900_000, 2**21, 4),
        ...     2_000_000, ("read", "paint")).text)
        sst (sst@2): map chunks, overview 3 of 5, field sst, 1 step
          4 chunks in 4 requests, 0.9 MB stored, at most 2.0 MB in memory
          read, paint
        """
        where = f"overview {self.level} of {self.levels}" if self.level else "full resolution"
        kind = "field" if len(self.fields) == 1 else "fields"
        return (
            f"{self.name} ({self.snapshot}): {self.copy}, {where}, {kind} "
            f"{', '.join(self.fields)}, {_counted(self.steps, 'step')}\n"
            f"  {_counted(self.reads.chunks, 'chunk')} in "
            f"{_counted(self.reads.requests, 'request')}, "
            f"{self.reads.stored / 1e6:.1f} MB stored, "
            f"at most {self.memory_bytes / 1e6:.1f} MB in memory\n"
            f"  {', '.join(self.stages)}"
        )


def explain_map(context: Context, query: MapQuery) -> tuple[Explained, ...]:
    """The plan of each layer of a map; raises as the map would, before anything is read."""
    plan = plan_map(context, query)
    return tuple(_layer(context, one, query.grid) for one in plan.layers)


def _layer(context: Context, one: PlannedLayer, grid: RectifiedGrid) -> Explained:
    cube, places = one.cube, one.places.candidates
    if one.reducer is None:
        places = places[: context.settings.limits.max_steps]
    fields = tuple(dict.fromkeys(field for wanted in one.wanted for field in wanted.needs))
    cells, level, how = _cells_of(context, one, grid)
    read = [_field(context, one, field, level, cells, places) for field in fields]
    target = grid if one.reducer is None and not how else None
    others = [other for wanted in one.wanted for other in wanted.others]
    read += [(_beside(context, other, (cube, level, cells), target), False) for other in others]
    reads = sum((tally for tally, _ in read), Tally())
    last = sum((of_maps(cube.store, field, level, cells, places[:1]) for field in fields), Tally())
    combining = "" if len(places) < 2 else "take the most recent valid value"
    stages = (
        f"plan ({_kind(cells)})",
        "read",
        "evaluate" if any(wanted.tree is not None for wanted in one.wanted) else "",
        combining if one.reducer is None else f"reduce by {one.reducer.name}",
        how and f"resample ({how})",
        "paint",
        "encode",
    )
    return Explained(
        one.layer.name,
        cube.snapshot,
        _copies(read),
        level,
        len(cube.description.levels),
        (*(field.name for field in fields), *(f"{one.cube.id}.{one.field.name}" for one in others)),
        len(places),
        reads,
        9 * max(prod(grid.shape), prod(cells.shape)) + last.decoded,
        tuple(filter(None, stages)),
    )


def _field(
    context: Context,
    one: PlannedLayer,
    field: Field,
    level: int,
    cells: IndexMap,
    places: Sequence[Place],
) -> tuple[Tally, bool]:
    if one.reducer is None or any(wanted.tree is not None for wanted in one.wanted):
        return of_maps(one.cube.store, field, level, cells, places), False
    return of_reduction(context, one.cube, field, level, cells, places, one.reducer)


def _beside(
    context: Context,
    other: OtherField,
    asked: tuple[Cube, int, IndexMap],
    target: RectifiedGrid | None,
) -> Tally:
    """What is read of a field of another cube."""
    level, cells = cells_elsewhere(context, asked, other.cube, target)
    return of_maps(other.cube.store, other.field, level.number, cells, other.places)


def _copies(read: Sequence[tuple[Tally, bool]]) -> str:
    return SERIES if any(series for _, series in read) else MAP


def _cells_of(
    context: Context, one: PlannedLayer, grid: RectifiedGrid
) -> tuple[IndexMap, int, str]:
    """The cells that a layer reads, their level, and how they become pixels."""
    margin = margin_of(one.style)
    level, cells = map_of(context, one.cube, grid)
    method = interpolation_of(one.style) if margin else one.request.interpolation
    if method == "nearest":
        return cells, level.number, ""
    wide = grid.window(-margin, -margin, grid.height + 2 * margin, grid.width + 2 * margin)
    how = sampling(one.cube, wide, method, level)
    return _looked_at(how, cells), level.number, method


def _looked_at(how: Sampling, cells: IndexMap) -> IndexMap:
    """The window of cells that a resampling reads; where there is none, what is outside."""
    source = how.level.grid
    window = window_of(how.found, source.shape, how.method, wraps=source.wraps)
    return cells if window is None else window.cells(source.width)


def explain_coverage(context: Context, query: CoverageQuery) -> Explained:
    """The plan of a coverage; raises as the coverage would, before anything is read."""
    cube = context.catalog.cube(query.coverage)
    plan = plan_coverage(context, query)
    cells = plan.around if plan.sampling is None else _looked_at(plan.sampling, plan.around)
    kind = _kind(cells) if cells is plan.cells or plan.sampling else "pixel by pixel, in bands"
    groups = [[index for one in pick.groups for index in one] for pick in plan.picks]
    read = [_source(context, cube, plan, some[0], cells, groups) for some in plan.alike]
    beside = (
        [] if plan.mask is None else [one for one in plan.mask.needs if one not in plan.sources]
    )
    places = list(product(*groups))
    read += [(of_maps(cube.store, one, plan.level, cells, places), False) for one in beside]
    reads = sum((tally for tally, _ in read), Tally())
    stages = (
        f"plan ({kind})",
        "read",
        "" if plan.mask is None else "mask",
        f"reduce by {', '.join(dict.fromkeys(one.name for one in plan.reducers))}"
        if plan.reducers
        else "",
        f"resample ({plan.method})" if plan.resampled else "",
        "" if plan.within is None else "clip",
        "encode",
    )
    steps = prod(map(len, groups))
    return Explained(
        cube.id,
        cube.snapshot,
        _copies(read),
        plan.level,
        len(cube.description.levels),
        tuple(dict.fromkeys(one.name for one in (*plan.sources, *beside))),
        steps,
        reads,
        2 * plan.nbytes + reads.decoded // max(steps, 1),
        tuple(filter(None, stages)),
    )


def _source(
    context: Context,
    cube: Cube,
    plan: CoveragePlan,
    number: int,
    cells: IndexMap,
    groups: list[list[int]],
) -> tuple[Tally, bool]:
    field, window = plan.sources[number], plan.series[number]
    copy = None if window is None else cube.store.series(field.name)
    if window is None or copy is None:
        places = list(product(*groups))
        if plan.reducer is None:
            return of_maps(cube.store, field, plan.level, cells, places), False
        return of_reduction(context, cube, field, plan.level, cells, places, plan.reducer)
    times = range(window.times.start, window.times.stop)
    wanted = plan_read(cells, (copy.chunk_shape[-2], copy.chunk_shape[-1])).chunks
    places = list(product(*groups[1:]))
    return of_series(cube.store, field, copy, times, places, wanted, cells), True


def explain_samples(context: Context, query: SampleQuery) -> tuple[Explained, ...]:
    """The plan of values at a pixel, layer by layer; steps are read until one holds a value."""
    found = []
    for request in query.layers:
        layer = context.catalog.layer(request.layer)
        cube, located = find_places(layer.cube, request)
        known = cube.description.range_type
        cells = cell_at(cube, query)
        places = located.candidates[: context.settings.limits.max_steps]
        fields = tuple(map(known.field, layer.fields))
        reads = sum((of_maps(cube.store, one, 0, cells, places) for one in fields), Tally())
        found.append(
            Explained(
                layer.name,
                cube.snapshot,
                MAP,
                0,
                len(cube.description.levels),
                tuple(one.name for one in fields),
                len(places),
                reads,
                reads.decoded // max(len(places), 1),
                (f"plan ({_kind(cells)})", "read", "decode", "encode"),
            )
        )
    return tuple(found)


def explain_line(context: Context, query: LineQuery) -> Explained:
    """The plan of values at places or along a line."""
    plan = plan_line(context, query)
    parts = [part for parts in plan.parts for part in parts]
    size = len(plan.where.x) * prod(axis.size for axis in plan.axes)
    return _cells(plan.cube, parts, size, ("find places", "read", "encode"))


def explain_area(context: Context, query: AreaQuery) -> Explained:
    """The plan of what the values within a region sum up to."""
    plan = plan_area(context, query)
    parts = [part for _, part in plan.reads()]
    stages = ("find cells inside", "read", f"reduce by {plan.reducer.name}", "encode")
    return _cells(plan.cube, parts, max((one.cells.rows.size for one in parts), default=0), stages)


def _cells(cube: Cube, parts: list[CellsPlan], size: int, stages: tuple[str, ...]) -> Explained:
    reads = sum((_part(cube, part) for part in parts), Tally())
    fields = tuple(dict.fromkeys(part.field for part in parts))
    steps = max((prod(len(pick.groups) for pick in part.picks) for part in parts), default=0)
    held = sum(np.dtype(one.dtype).itemsize + 1 for one in fields) * size
    return Explained(
        cube.id,
        cube.snapshot,
        SERIES if any(part.copy for part in parts) else MAP,
        0,
        len(cube.description.levels),
        tuple(one.name for one in fields),
        steps,
        reads,
        2 * held + reads.decoded // max(steps, 1),
        stages,
    )


def _part(cube: Cube, part: CellsPlan) -> Tally:
    groups = [[one.start for one in pick.groups] for pick in part.picks]
    if part.copy is None:
        return of_maps(cube.store, part.field, 0, part.cells, product(*groups))
    shape = part.copy.chunk_shape
    wanted = plan_read(part.cells, (shape[-2], shape[-1])).chunks
    times, places = range(groups[0][0], groups[0][-1] + 1), list(product(*groups[1:]))
    return of_series(cube.store, part.field, part.copy, times, places, wanted, part.cells)


def _kind(cells: IndexMap) -> str:
    return "pixels by rows and columns" if isinstance(cells, SeparableMap) else "pixel by pixel"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
