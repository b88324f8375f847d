"""A request's plan, told: which level and chunks it reads, how many bytes, in which order.

The plans are those that :func:`~datacube.engine.map.render_map` and
:func:`~datacube.engine.coverage.get_coverage` work by; nothing but the cubes' slice documents is
read for them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from datacube.engine.context import Context
from datacube.engine.coverage import plan_coverage
from datacube.engine.cube import Cube
from datacube.engine.drawing import drawn_style, wanted_of
from datacube.engine.limits import check_map
from datacube.engine.places import locate
from datacube.engine.read import plan_field
from datacube.model.fields import Field
from datacube.model.query import CoverageQuery, MapQuery
from datacube.slicing.cells import IndexMap, ReadPlan, SeparableMap
from datacube.slicing.level import map_on_best_level
from datacube.slicing.reduce import reducer

type Place = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """The plan of one layer, or of a coverage.

    Parameters
    ----------
    name : str, layer or coverage
    snapshot : str
    level : int, overview that is read; 0 is the cube itself
    levels : int, how many there are
    fields : tuple of str, the stored fields that are read
    steps : int, places of the other axes that may be looked at
    chunks : int, number of chunks over all fields and steps
    stored_bytes : int, their bytes in the store
    memory_bytes : int, the largest the values and one step's decoded chunks can get
    stages : tuple of str, in order
    """

    name: str
    snapshot: str
    level: int
    levels: int
    fields: tuple[str, ...]
    steps: int
    chunks: int
    stored_bytes: int
    memory_bytes: int
    stages: tuple[str, ...]

    @property
    def text(self) -> str:
        """The plan in words.

        Examples
        --------
        >>> print(Explained("sst", "sst@2", 3, 5, ("sst",), 1, 4, 900_000, 2_000_000,
        ...     ("read", "paint")).text)
        sst (sst@2): overview 3 of 5, field sst, 1 step
          4 chunks, 0.9 MB stored, at most 2.0 MB in memory
          read, paint
        """
        what = f"overview {self.level} of {self.levels}" if self.level else "full resolution"
        plural = "" if self.steps == 1 else "s"
        kind = "field" if len(self.fields) == 1 else "fields"
        return (
            f"{self.name} ({self.snapshot}): {what}, {kind} {', '.join(self.fields)}, "
            f"{self.steps} step{plural}\n"
            f"  {self.chunks} chunks, {self.stored_bytes / 1e6:.1f} MB stored, "
            f"at most {self.memory_bytes / 1e6:.1f} MB in memory\n"
            f"  {', '.join(self.stages)}"
        )


def explain_map(context: Context, query: MapQuery) -> tuple[Explained, ...]:
    """The plan of each layer of a map; raises as the map would, before anything is read."""
    check_map(context.settings.limits, query)
    explained = []
    for request in query.layers:
        layer = context.catalog.layer(request.layer)
        cube = layer.cube
        style = drawn_style(layer, request)
        wanted = tuple(wanted_of(style, cube.description).values())
        fields = tuple(dict.fromkeys(field for one in wanted for field in one.needs))
        level, cells = map_on_best_level(cube.description.levels, query.grid)
        places = locate(cube, request).candidates
        if not request.aggregate:
            places = places[: context.settings.limits.max_steps]
        stages = [
            "read",
            "evaluate" if any(one.tree is not None for one in wanted) else "",
            _combining(request.aggregate, len(places)),
            "paint",
        ]
        pixels = prod(query.grid.shape)
        explained.append(
            _explained(cube, layer.name, level.number, cells, fields, places, pixels, stages)
        )
    return tuple(explained)


def explain_coverage(context: Context, query: CoverageQuery) -> Explained:
    """The plan of a coverage; raises as the coverage would, before anything is read."""
    cube = context.catalog.cube(query.coverage)
    plan = plan_coverage(context, query)
    grids = np.meshgrid(*([i for one in pick.groups for i in one] for pick in plan.picks))
    places = list(zip(*(axis.ravel().tolist() for axis in grids), strict=True)) or [()]
    stages = ["read", "reduce" if plan.reducer is not None else "", "encode"]
    explained = _explained(
        cube, cube.id, plan.level, plan.cells, plan.sources, places, plan.nbytes, stages
    )
    if not any(plan.series):
        return explained
    decoded = max(window.nbytes for window in plan.series if window is not None)
    return replace(
        explained,
        chunks=plan.chunks,
        memory_bytes=plan.nbytes * 2 + decoded,
        stages=("plan (series copy)", *explained.stages[1:]),
    )


def _combining(aggregate: str, steps: int) -> str:
    if aggregate:
        return f"reduce by {reducer(aggregate).name}"
    return "take the most recent valid value" if steps > 1 else ""


def _explained(
    cube: Cube,
    name: str,
    level: int,
    cells: IndexMap,
    fields: tuple[Field, ...],
    places: Iterable[Place],
    value_bytes: int,
    stages: list[str],
) -> Explained:
    places = tuple(places)
    plans = {one.name: plan_field(cube.store, one, level, cells) for one in fields}
    stored = sum(
        _stored_bytes(cube, one, level, plans[one.name], place)
        for one in fields
        for place in places
    )
    decoded = sum(
        len(plans[one.name].chunks)
        * prod(cube.store.chunk_shape(one.name, level))
        * np.dtype(one.dtype).itemsize
        for one in fields
    )
    kind = "pixels by rows and columns" if isinstance(cells, SeparableMap) else "pixel by pixel"
    return Explained(
        name,
        cube.snapshot,
        level,
        len(cube.description.levels),
        tuple(one.name for one in fields),
        len(places),
        len(places) * sum(len(plan.chunks) for plan in plans.values()),
        stored,
        value_bytes * 9 + decoded,
        tuple(stage for stage in (f"plan ({kind})", *stages) if stage),
    )


def _stored_bytes(cube: Cube, field: Field, level: int, plan: ReadPlan, place: Place) -> int:
    store = cube.store
    lead = store.chunk_shape(field.name, level)[:-2]
    chunk = tuple(index // size for index, size in zip(place, lead, strict=True))
    time, others = (chunk[0], chunk[1:]) if store.timed else (0, chunk)
    sizes = store.chunk_sizes(field.name, level, time)[others]
    return int(sum(int(sizes[at]) for at in plan.chunks))
