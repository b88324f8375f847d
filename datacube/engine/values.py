"""One number for each pixel: a field as it is stored, or band maths, over one step or many.

The order of the stages: at every step the fields are read and the expression is evaluated; then
the steps are made one, by the most recent valid value or by a reducer; what came of the cells is
resampled last, where it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.places import Places
from datacube.engine.read import fetch_together, plan_field
from datacube.engine.reduction import reduce_steps
from datacube.engine.steps import StepReader
from datacube.engine.wanted import Found, Wanted
from datacube.model.grid import RectifiedGrid
from datacube.slicing.cells import IndexMap
from datacube.slicing.reduce import Reducer


def find_values(
    context: Context,
    cube: Cube,
    wanted: Wanted,
    level: int,
    cells: IndexMap,
    places: Places,
    reducer: Reducer | None = None,
    target: RectifiedGrid | None = None,
) -> Found:
    """Values at every pixel, the steps made one.

    Parameters
    ----------
    level : int, the level that cells is on
    cells : IndexMap
    places : Places, the most recent first
    reducer : Reducer, optional; the most recent valid value where None
    target : RectifiedGrid, optional; the pixels that the cells are for, one each

    Raises
    ------
    StorageError
        A chunk cannot be read.
    """
    reducers = () if reducer is None else (reducer,)
    return find_each(context, cube, wanted, level, cells, places, reducers, target)[0]


def find_fields(
    context: Context,
    cube: Cube,
    drawn: Mapping[str, Wanted],
    level: int,
    cells: IndexMap,
    places: Places,
    reducer: Reducer | None = None,
    target: RectifiedGrid | None = None,
) -> Mapping[str, Found]:
    """The same of several, by name; what the most recent step needs of all is read together."""
    if cube.store.remote and len(drawn) > 1 and reducer is None and places.candidates:
        needs = {one.name: one for wanted in drawn.values() for one in wanted.needs}
        plans = {name: plan_field(cube.store, one, level, cells) for name, one in needs.items()}
        fetch_together(context.pool, cube.store, level, plans, places.candidates[0])
    return {
        name: find_values(context, cube, one, level, cells, places, reducer, target)
        for name, one in drawn.items()
    }


def find_each(
    context: Context,
    cube: Cube,
    wanted: Wanted,
    level: int,
    cells: IndexMap,
    places: Places,
    reducers: Sequence[Reducer],
    target: RectifiedGrid | None = None,
) -> tuple[Found, ...]:
    """The same by each of some reducers, which read once; by the most recent value without any."""
    reader = StepReader(context, cube, wanted, level, cells, target)
    if not reducers:
        return (_most_recent(reader, places.candidates[: context.settings.limits.max_steps]),)
    return reduce_steps(reader, places.candidates, reducers)


def _most_recent(reader: StepReader, places: tuple[tuple[int, ...], ...]) -> Found:
    """The first valid value of each pixel; stops when none is missing."""
    what, shape = reader.wanted.field, reader.cells.shape
    plans = [*reader.plans.values(), *(plan for _, plan in reader.beside.values())]
    if not (places and any(plan.chunks for plan in plans)):
        return Found(what, np.zeros(shape, what.dtype), np.zeros(shape, bool))
    data, valid = reader.read(places[0])
    for place in places[1:]:
        if valid.all():
            break
        older, known = reader.read(place)
        missing = known & ~valid
        data[missing] = older[missing]
        valid |= missing
    if data.dtype != what.dtype:
        what = replace(what, dtype=data.dtype.name)
    return Found(what, data, valid)
