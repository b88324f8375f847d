"""A map: the one function behind WMS GetMap, WMTS GetTile and OGC API maps and tiles."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

from datacube.engine.banding import bands_of, is_large, joined
from datacube.engine.context import Context
from datacube.engine.cube import Cube, Layer
from datacube.engine.drawing import drawn_style, wanted_of, with_range
from datacube.engine.elsewhere import Elsewhere, OtherField
from datacube.engine.limits import check_map, check_reduction, check_work
from datacube.engine.places import Places, find_places
from datacube.engine.reducers import reducer_of
from datacube.engine.resampled import find_resampled, sampling
from datacube.engine.scene import draw_scene
from datacube.engine.values import find_fields
from datacube.engine.wanted import Found, Wanted
from datacube.model.axis import TimeAxis, axis_value
from datacube.model.block import Image
from datacube.model.coverage import Level
from datacube.model.grid import RectifiedGrid
from datacube.model.query import LayerRequest, MapQuery
from datacube.model.restyle import Restyle
from datacube.render.composite import faded, flatten, over, picked
from datacube.render.paint import margin_of, paint
from datacube.render.style import Style
from datacube.slicing.cells import Distinct, IndexMap, SeparableMap
from datacube.slicing.level import best_level, map_on_best_level, map_on_level
from datacube.slicing.reduce import Reducer
from datacube.slicing.regions import cells_shown

_BRIEF = 512 * 512  # values at pixels, and cells of a chunk
_BRIEF_ALONE = 1 << 20  # the same of a field that is drawn as it is
_QUICKER = 8

type Target = RectifiedGrid | None


@dataclass(frozen=True, eq=False)
class MapResult:
    """A picture and what was used to draw it.

    Parameters
    ----------
    image : Image, of the query's grid
    notes : tuple of str, texts for Warning headers (``Nearest value used: time=… ISO8601``)
    """

    image: Image
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class PlannedLayer:
    """A layer of a map, before anything is read; of a forecast its cube is the view it shows."""

    request: LayerRequest
    layer: Layer
    cube: Cube
    style: Style
    places: Places
    drawn: Mapping[str, Wanted]
    reducer: Reducer | None = None

    @property
    def steps(self) -> int:
        """How many are computed; without an aggregate later ones only fill what is left open."""
        return len(self.places.candidates) if self.request.aggregate else 1

    @property
    def opacity(self) -> float:
        """Of the whole layer, in whatever style."""
        change = self.request.restyle
        return change.opacity if isinstance(change, Restyle) else 1.0

    @property
    def ranged(self) -> bool:
        """Whether the request itself states the range of the colours."""
        change = self.request.restyle
        return isinstance(change, Restyle) and change.low is not None

    @cached_property
    def times(self) -> tuple[str, ...]:
        """The time that it shows, or the first and the last one; empty without any."""
        places, axes = self.places.candidates, self.cube.description.domain.axes
        at = next((n for n, axis in enumerate(axes) if isinstance(axis, TimeAxis)), None)
        if at is None or not places:
            return ()
        ends = dict.fromkeys((places[-1][at], places[0][at]))
        return tuple(str(axis_value(axes[at], index)) for index in ends)

    @cached_property
    def wanted(self) -> Sequence[Wanted]:
        """What its style draws."""
        return tuple(self.drawn.values())

    @cached_property
    def moving(self) -> bool:
        """Whether newer data would change where it looks, in its own cube or another."""
        return self.places.moving or any(one.moving for one in self.others)

    @property
    def by_clock(self) -> bool:
        """Whether it shows the step of now, so that it changes without newer data."""
        return self.request.time is None and self.cube.settings.time.default == "now"

    @cached_property
    def others(self) -> Sequence[OtherField]:
        """The fields of other cubes that its expression reads."""
        return tuple(other for wanted in self.wanted for other in wanted.others)

    def is_all_of(self, token: str) -> bool:
        """Whether the state of its cube that a token names decides all of it."""
        return self.cube.token == token and not self.others

    @cached_property
    def computed(self) -> int:
        """How much is computed for a pixel: each field, and each operation at each step."""
        return sum(one.work * (1 if one.tree is None else self.steps) for one in self.wanted)

    @cached_property
    def effort(self) -> int:
        """How long a pixel of one step takes, in fields that are read; arithmetic is quicker."""
        return sum(one.reads + (one.work - one.reads) // _QUICKER for one in self.wanted)

    @property
    def reduced(self) -> int:
        """How many stored values are reduced for a pixel."""
        fields = sum(one.tree is None for one in self.wanted)
        return self.steps * fields if self.request.aggregate else 0

    @cached_property
    def brief(self) -> bool:
        """Whether a tile of it takes a moment."""
        store, places = self.cube.store, self.places.candidates
        return (
            len(places) <= 1
            and not (store.remote or self.others or margin_of(self.style))
            and self.request.interpolation == "nearest"
            and isinstance(self.cube.description.levels[0].grid, RectifiedGrid)
            and all(
                prod(store.chunk_shape(field.name, 0)) <= _BRIEF
                for one in self.wanted
                for field in one.needs
            )
        )

    @cached_property
    def state(self) -> str:
        """What decides its pixels beside the grid of the picture: nothing else in the store does.

        The cube, what it holds at each time that is looked at, and how that is drawn.
        """
        return "\n".join(self._states())

    def _states(self) -> Iterator[str]:
        cube, request = self.cube, self.request
        yield cube.fingerprint
        yield self.layer.style_print(self.style)
        yield f"{self.reducer} {request.expression} {request.interpolation}"
        yield f"{request.mask} {self.opacity}"
        timed = cube.store.timed
        for place in self.places.candidates:
            yield cube.store.state_of(place[0] if timed else 0)
            yield str(place[1:] if timed else place)
        yield from (one.state for one in self.others)


@dataclass(frozen=True, eq=False)
class MapPlan:
    """A map before anything is read: its layers with their styles and places, within the limits."""

    query: MapQuery
    layers: tuple[PlannedLayer, ...]

    @property
    def state(self) -> str:
        """Names the pixels: the same text, the same picture, whatever else the store holds."""
        query, grid = self.query, self.query.grid
        corner = grid.transform
        cells = (corner.c, grid.dx, corner.f, grid.dy, *grid.shape)
        frame = (grid.crs.key, cells, query.background, query.transparent)
        return "\n".join((str(frame), *(one.state for one in self.layers)))

    @property
    def notes(self) -> tuple[str, ...]:
        """Texts for Warning headers (``Nearest value used: time=… ISO8601``)."""
        return tuple(dict.fromkeys(note for one in self.layers for note in one.places.notes))

    @property
    def times(self) -> tuple[str, ...]:
        """Times that are shown, each once; of several steps of a layer the first and the last."""
        found: dict[str, None] = {}
        for one in self.layers:
            found |= dict.fromkeys(one.times)
        return tuple(found)

    @property
    def moving(self) -> bool:
        """Whether newer data would change the answer to the same request."""
        return any(one.moving for one in self.layers)

    @property
    def brief(self) -> bool:
        """Whether it is drawn in a moment: a tile, or one field on a screen, of few near chunks."""
        wanted = [wanted for one in self.layers for wanted in one.wanted]
        alone = len(wanted) == 1 and wanted[0].tree is None
        values = prod(self.query.grid.shape) * sum(one.effort for one in self.layers)
        most = _BRIEF_ALONE if alone else _BRIEF
        return values <= most and all(one.brief for one in self.layers)

    @property
    def moving_elsewhere(self) -> bool:
        """Whether newer data of a cube that only an expression names would change the answer."""
        return any(other.moving for one in self.layers for other in one.others)


def plan_map(context: Context, query: MapQuery) -> MapPlan:
    """Find what a map shows, and whether it may be drawn.

    Raises
    ------
    CoverageNotFound, StyleNotFound, AxisNotFound, InvalidTime, InvalidCrs
        The query names what is not there.
    RequestTooLarge
        The picture is larger than the limits allow.
    """
    if not query.layers:
        raise ValueError("a map needs at least one layer")
    check_map(context.settings.limits, query)
    planned = tuple(plan_layer(context, request) for request in query.layers)
    _check_cost(context, query.grid, planned)
    return MapPlan(query, planned)


def draw_map(context: Context, plan: MapPlan) -> Image:
    """Draw the layers of a plan, the first lowest; of the query's grid.

    Raises
    ------
    StorageError
        A chunk cannot be read.
    """
    grid = plan.query.grid
    if not is_large(grid):
        return _drawn(context, plan, grid, [None] * len(plan.layers))
    levels = [
        best_level(one.cube.description.levels, grid, one.cube.inverses) for one in plan.layers
    ]
    bands = bands_of(grid, max(margin_of(one.style) for one in plan.layers))
    return joined((_drawn(context, plan, band, levels) for band in bands), grid.height)


def _drawn(
    context: Context, plan: MapPlan, grid: RectifiedGrid, levels: Sequence[Level | None]
) -> Image:
    """A map, or a band of it with the levels that the whole map is drawn from."""
    canvas: Image | None = None
    for one, level in zip(plan.layers, levels, strict=True):
        image = draw_layer(context, one, grid, level)
        canvas = image if canvas is None else over(canvas, image)
    assert canvas is not None  # noqa: S101  plan_map has seen to it
    return flatten(canvas, plan.query.background, transparent=plan.query.transparent)


def render_map(context: Context, query: MapQuery) -> MapResult:
    """Plan a map and draw it; raises what either does."""
    plan = plan_map(context, query)
    return MapResult(draw_map(context, plan), plan.notes)


def _check_cost(context: Context, grid: RectifiedGrid, planned: Sequence[PlannedLayer]) -> None:
    """Refuse a map that takes too long; cells are reduced before they become pixels."""
    limits = context.settings.limits
    steps = max((one.steps for one in planned), default=1)
    check_work(limits, prod(grid.shape), sum(one.computed for one in planned), "WIDTH", steps)
    reducing = [one for one in planned if one.reduced]
    if reducing:
        cells = max(_cells_shown(context, one.cube, grid) for one in reducing)
        effort = max(one.reducer.effort for one in reducing if one.reducer is not None)
        each = sum(one.reduced for one in reducing)
        check_reduction(limits, cells, each, "WIDTH", steps, effort)


def plan_layer(context: Context, request: LayerRequest) -> PlannedLayer:
    """Find what a layer shows: its cube, its style and where it looks; raises as plan_map."""
    version = context.catalog.version
    found = context.understood.get(
        version,
        ("layer", request),
        lambda: _planned(context, request),
        lambda planned: 1 + len(planned.places.candidates) // 4,
    )
    return _planned(context, request) if found.by_clock else found


def _planned(context: Context, request: LayerRequest) -> PlannedLayer:
    layer = context.catalog.layer(request.layer)
    style = drawn_style(layer, request)
    cube, places = find_places(layer.cube, request)
    reducing = reducer_of(cube, request.aggregate, request.by) if request.aggregate else None
    elsewhere = Elsewhere(context.catalog, cube, request, places)
    drawn = wanted_of(style, cube.description, elsewhere, request.mask)
    return PlannedLayer(request, layer, cube, style, places, drawn, reducing)


def _cells_shown(context: Context, cube: Cube, grid: RectifiedGrid) -> int:
    """How many cells a map shows, at most."""
    if is_large(grid):
        return min(prod(grid.shape), prod(cube.description.domain.grid.shape))
    return cells_shown(map_of(context, cube, grid)[1])


def map_of(context: Context, cube: Cube, grid: RectifiedGrid) -> tuple[Level, IndexMap]:
    """The level of a cube that answers a grid, and its index map; remembered."""
    levels = cube.description.levels
    frame = grid.transform
    key = (cube.snapshot, grid.crs.key, frame.a, frame.c, frame.e, frame.f, grid.shape)
    return context.maps.get(key, lambda: map_on_best_level(levels, grid, cube.inverses))


def draw_layer(
    context: Context, planned: PlannedLayer, grid: RectifiedGrid, level: Level | None = None
) -> Image:
    """One layer on a grid, transparent where there is no data.

    Parameters
    ----------
    level : Level, optional; the one that is read, else the best for the grid
    """
    cube, style, places = planned.cube, planned.style, planned.places
    wanted, reduce = planned.drawn, planned.reducer
    if margin_of(style):
        chosen = level or best_level(cube.description.levels, grid, cube.inverses)
        scene = draw_scene(context, cube, style, wanted, grid, chosen, places, reduce)
        return faded(scene, planned.opacity)
    found, drawn = _values_drawn(context, planned, grid, level)
    if not planned.ranged:
        style = with_range(context, cube, style, wanted, places, reduce)
    image = paint(
        style,
        {name: one.field for name, one in found.items()},
        {name: one.data for name, one in found.items()},
        {name: one.valid for name, one in found.items()},
    )
    if drawn is not None:
        image = picked(image, drawn.rows, drawn.columns)
    return faded(image, planned.opacity)


def _values_drawn(
    context: Context, planned: PlannedLayer, grid: RectifiedGrid, level: Level | None
) -> tuple[Mapping[str, Found], Distinct | None]:
    """What is drawn: the values at the pixels, or where they show few cells those of each cell."""
    if planned.request.interpolation == "nearest" and not planned.others:
        chosen, cells = _cells_of(context, planned.cube, grid, level)
        if isinstance(cells, SeparableMap) and (few := cells.distinct) is not None:
            return _values_of(context, planned, chosen, few.cells, None), few
    return layer_values(context, planned, grid, level), None


def layer_values(
    context: Context, planned: PlannedLayer, grid: RectifiedGrid, level: Level | None = None
) -> Mapping[str, Found]:
    """What a layer draws at every pixel of a grid, by the names that its style has for it.

    Parameters
    ----------
    level : Level, optional; the one that is read, else the best for the grid
    """
    cube, request = planned.cube, planned.request
    if request.interpolation == "nearest":
        chosen, cells = _cells_of(context, cube, grid, level)
        return _values_of(context, planned, chosen, cells, grid)
    chosen = level or best_level(cube.description.levels, grid, cube.inverses)
    how = sampling(cube, grid, request.interpolation, chosen)
    return {
        name: find_resampled(context, cube, one, how, planned.places, planned.reducer)
        for name, one in planned.drawn.items()
    }


def _cells_of(
    context: Context, cube: Cube, grid: RectifiedGrid, level: Level | None
) -> tuple[Level, IndexMap]:
    if level is None:
        return map_of(context, cube, grid)
    return level, map_on_level(cube.description.levels, level, grid, cube.inverses)


def _values_of(
    context: Context, planned: PlannedLayer, level: Level, cells: IndexMap, target: Target
) -> Mapping[str, Found]:
    cube, places, reduce = planned.cube, planned.places, planned.reducer
    return find_fields(context, cube, planned.drawn, level.number, cells, places, reduce, target)
