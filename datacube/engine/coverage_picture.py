"""A part of a coverage as a picture: its cells in the colours of a style, one pixel each."""

from itertools import product

from datacube.engine.context import Context
from datacube.engine.coverage import check_aggregate, plan_coverage
from datacube.engine.coverage_plan import CoveragePlan
from datacube.engine.cube import Cube, Layer
from datacube.engine.drawing import drawn_style, wanted_of
from datacube.engine.elsewhere import Elsewhere
from datacube.engine.limits import check_map
from datacube.engine.map import MapPlan, PlannedLayer, draw_map
from datacube.engine.places import Places
from datacube.errors import InvalidFormat
from datacube.formats.geotiff_tags import north_up
from datacube.model.block import Image, RgbaImage
from datacube.model.coverage import CoverageDescription
from datacube.model.grid import RectifiedGrid
from datacube.model.query import CoverageQuery, LayerRequest, MapQuery


def check_picture(description: CoverageDescription) -> None:
    """Refuse what is no plane of equal cells.

    Raises
    ------
    InvalidFormat
        A further axis has several cells, or each cell has a position of its own; the message names
        formats that hold it.
    """
    domain = description.domain
    long = [f"{axis.name} ({axis.size})" for axis in domain.axes if axis.size > 1]
    if long or not isinstance(domain.grid, RectifiedGrid):
        what = f"further axes: {', '.join(long)}" if long else "a position for each cell"
        raise InvalidFormat(
            f"a picture shows x and y at one place of all else, and the result has {what}; slice "
            "it, or ask for application/netcdf or application/prs.coverage+json",
            subject="format",
        )


def draw_coverage(context: Context, query: CoverageQuery, style: str = "") -> Image:
    """Draw a part of a coverage on exactly its cells, north up, transparent without data.

    Parameters
    ----------
    context : Context
    query : CoverageQuery
        Of no field for the picture of the whole coverage, else of one.
    style : str, empty for the default

    Raises
    ------
    InvalidFormat
        The part is no plane of equal cells, or has several fields or reducers.
    StyleNotFound
        There is none of that name.
    RequestTooLarge
        The picture is larger than the limits allow.
    StorageError
        A chunk cannot be read.
    """
    plan, limits = plan_coverage(context, query), context.settings.limits
    check_picture(plan.description)
    layer = _planned(context, plan, query, style)
    grid = plan.description.domain.rectified
    target = RectifiedGrid.from_bbox(grid.bbox.unwrapped(), grid.width, grid.height)
    drawn = MapPlan(MapQuery((layer.request,), target, transparent=True), (layer,))
    check_map(limits, drawn.query)
    check_aggregate(limits, plan)
    image = draw_map(context, drawn)
    if plan.within is None:
        return image
    pixels = image.rgba().pixels.copy()
    inside = north_up(grid, plan.within.inside(slice(0, grid.height)))
    pixels[inside == 0] = 0
    return RgbaImage(pixels)


def picture_state(context: Context, query: CoverageQuery, style: str = "") -> str:
    """Names what is drawn in each cell, and how; raises as :func:`draw_coverage` before it reads.

    Beside the values of the coverage that is the style, and the other cubes that it reads.
    """
    plan = plan_coverage(context, query)
    check_picture(plan.description)
    return _planned(context, plan, query, style).state


def _planned(
    context: Context, plan: CoveragePlan, query: CoverageQuery, style: str
) -> PlannedLayer:
    cube, reducer = context.catalog.cube(query.coverage), plan.reducer
    if len(set(plan.reducers)) > 1:
        raise InvalidFormat(
            f"a picture shows one AGG, and {len(set(plan.reducers))} are asked for; name one, or "
            "ask for image/tiff",
            subject="format",
        )
    layer = _layer(context, cube, query.fields)
    request = LayerRequest(
        layer.name,
        style,
        aggregate="" if reducer is None else reducer.name,
        interpolation=query.interpolation,
        mask=query.mask,
    )
    places = Places(tuple(product(*(reversed(pick.groups[0]) for pick in plan.picks))))
    found = drawn_style(layer, request)
    elsewhere = Elsewhere(context.catalog, cube, request, places)
    wanted = wanted_of(found, cube.description, elsewhere, query.mask)
    return PlannedLayer(request, layer, cube, found, places, wanted, reducer)


def _layer(context: Context, cube: Cube, fields: tuple[str, ...]) -> Layer:
    """The layer of a coverage or of one of its fields; of a best view those of its forecast."""
    if len(fields) > 1:
        raise InvalidFormat(
            f"a picture shows the style of the coverage, or of one field, and {len(fields)} are "
            "asked for; name one, or ask for image/tiff",
            subject="format",
        )
    owner = (
        cube if cube.layers else next(one for one in context.catalog.cubes() if one.best is cube)
    )
    names = {f"{owner.id}.{cube.description.range_type.field(name).name}" for name in fields}
    return next(one for one in owner.layers if one.name in (names or {owner.id}))
