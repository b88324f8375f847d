"""A map: the one function behind WMS GetMap, WMTS GetTile and OGC API maps and tiles."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.limits import check_map
from datacube.engine.places import Places, locate
from datacube.engine.read import Values, plan_field, read_field
from datacube.model.block import Image
from datacube.model.coverage import Level
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.model.query import MapQuery
from datacube.render.composite import flatten, over
from datacube.render.paint import paint
from datacube.render.style import Style, fields_of
from datacube.slicing.level import map_on_best_level
from datacube.slicing.warp import IndexMap


@dataclass(frozen=True, eq=False)
class MapResult:
    """A picture and what was used to draw it.

    Parameters
    ----------
    image : Image, of the query's grid
    notes : tuple of str, texts for Warning headers (``Nearest value used: time=… ISO8601``)
    snapshots : tuple of str, the versions of the cubes that were read
    moving : bool, whether newer data would change the answer to the same request
    """

    image: Image
    notes: tuple[str, ...]
    snapshots: tuple[str, ...]
    moving: bool


def render_map(context: Context, query: MapQuery) -> MapResult:
    """Draw the layers of a query, the first lowest.

    Raises
    ------
    CoverageNotFound, StyleNotFound, AxisNotFound, InvalidTime, InvalidCrs
        The query names what is not there.
    RequestTooLarge
        The picture is larger than the limits allow.
    StorageError
        A chunk cannot be read.
    """
    check_map(context.settings.limits, query)
    canvas: Image | None = None
    notes: dict[str, None] = {}
    snapshots: list[str] = []
    moving = False
    for request in query.layers:
        layer = context.catalog.layer(request.layer)
        style = layer.style(request.style)
        places = locate(layer.cube, request)
        image = draw_layer(context, layer.cube, style, query.grid, places)
        canvas = image if canvas is None else over(canvas, image)
        notes |= dict.fromkeys(places.notes)
        snapshots.append(layer.cube.snapshot)
        moving |= places.moving
    if canvas is None:
        raise ValueError("a map needs at least one layer")
    flat = flatten(canvas, query.background, transparent=query.transparent)
    return MapResult(flat, tuple(notes), tuple(snapshots), moving)


def draw_layer(
    context: Context, cube: Cube, style: Style, grid: RectifiedGrid, places: Places
) -> Image:
    """One layer in one style, transparent where there is no data."""
    level, cells = map_on_best_level(cube.description.levels, grid)
    fields = {name: cube.description.range_type.field(name) for name in fields_of(style)}
    values = {
        name: most_recent(_reads(context, cube, field, level, cells, places), field, grid)
        for name, field in fields.items()
    }
    data = {name: value[0] for name, value in values.items()}
    valid = {name: value[1] for name, value in values.items()}
    return paint(style, fields, data, valid)


def most_recent(reads: Iterator[Values], field: Field, grid: RectifiedGrid) -> Values:
    """The first valid value of each pixel along a sequence of reads; stops when none is missing.

    Returns
    -------
    data : stored dtype of field, (y, x) · valid : bool, (y, x)
    """
    data: NDArray[np.generic] | None = None
    valid = np.zeros(grid.shape, bool)
    for newer, good in reads:
        if data is None:
            data, valid = newer, good
        else:
            missing = good & ~valid
            data[missing] = newer[missing]
            valid |= missing
        if valid.all():
            break
    return (np.zeros(grid.shape, field.dtype) if data is None else data), valid


def _reads(
    context: Context, cube: Cube, field: Field, level: Level, cells: IndexMap, places: Places
) -> Iterator[Values]:
    plan = plan_field(cube.store, field, level.number, cells)
    if not plan.chunks:
        return
    for place in places.candidates[: context.settings.limits.max_steps]:
        yield read_field(context.pool, cube.store, field, level.number, plan, place)
