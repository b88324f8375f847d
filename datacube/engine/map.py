"""A map: the one function behind WMS GetMap, WMTS GetTile and OGC API maps and tiles."""

from dataclasses import dataclass
from math import prod

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.engine.drawing import drawn_style, wanted_of, with_range
from datacube.engine.limits import check_map, check_work
from datacube.engine.places import Places, locate
from datacube.engine.resampled import find_resampled, sampling
from datacube.engine.scene import draw_scene
from datacube.engine.values import find_values
from datacube.model.block import Image
from datacube.model.coverage import Level
from datacube.model.grid import RectifiedGrid
from datacube.model.query import LayerRequest, MapQuery
from datacube.render.composite import flatten, over
from datacube.render.paint import margin_of, paint
from datacube.render.style import Style
from datacube.slicing.cells import IndexMap
from datacube.slicing.level import map_on_best_level
from datacube.slicing.reduce import reducer


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


@dataclass(frozen=True, eq=False)
class _Planned:
    """A layer of a map, before anything is read."""

    request: LayerRequest
    cube: Cube
    style: Style
    places: Places

    @property
    def steps(self) -> int:
        """How many are computed; without an aggregate later ones only fill what is left open."""
        return len(self.places.candidates) if self.request.aggregate else 1

    @property
    def work(self) -> int:
        """How much is computed for a pixel: each field and operation at each step."""
        wanted = wanted_of(self.style, self.cube.description).values()
        return self.steps * sum(one.work for one in wanted)


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
    planned = tuple(_planned(context, request) for request in query.layers)
    check_work(
        context.settings.limits,
        prod(query.grid.shape),
        sum(one.work for one in planned),
        "WIDTH",
        max((one.steps for one in planned), default=1),
    )
    canvas: Image | None = None
    for one in planned:
        image = draw_layer(context, one.cube, one.style, query.grid, one.places, one.request)
        canvas = image if canvas is None else over(canvas, image)
    if canvas is None:
        raise ValueError("a map needs at least one layer")
    flat = flatten(canvas, query.background, transparent=query.transparent)
    return MapResult(
        flat,
        tuple(dict.fromkeys(note for one in planned for note in one.places.notes)),
        tuple(one.cube.snapshot for one in planned),
        any(one.places.moving for one in planned),
    )


def _planned(context: Context, request: LayerRequest) -> _Planned:
    layer = context.catalog.layer(request.layer)
    style = drawn_style(layer, request)
    return _Planned(request, layer.cube, style, locate(layer.cube, request))


def map_of(context: Context, cube: Cube, grid: RectifiedGrid) -> tuple[Level, IndexMap]:
    """The level of a cube that answers a grid, and its index map; remembered."""
    levels = cube.description.levels
    key = (levels[0].grid, len(levels), grid)
    return context.maps.get(key, lambda: map_on_best_level(levels, grid))


def draw_layer(
    context: Context,
    cube: Cube,
    style: Style,
    grid: RectifiedGrid,
    places: Places,
    request: LayerRequest,
) -> Image:
    """One layer in one style, transparent where there is no data.

    Parameters
    ----------
    style : Style, the one that the request means
    places : Places, where the request looks
    request : LayerRequest; its aggregate and interpolation count here
    """
    reduce = reducer(request.aggregate, subject="AGG") if request.aggregate else None
    if margin_of(style):
        return draw_scene(context, cube, style, grid, places, reduce)
    level, cells = map_of(context, cube, grid)
    wanted = wanted_of(style, cube.description)
    if request.interpolation == "nearest":
        found = {
            name: find_values(context, cube, one, level.number, cells, places, reduce)
            for name, one in wanted.items()
        }
    else:
        how = sampling(cube, grid, request.interpolation, level)
        found = {
            name: find_resampled(context, cube, one, how, places, reduce)
            for name, one in wanted.items()
        }
    style = with_range(context, cube, style, wanted, places, reduce)
    return paint(
        style,
        {name: one.field for name, one in found.items()},
        {name: one.data for name, one in found.items()},
        {name: one.valid for name, one in found.items()},
    )
