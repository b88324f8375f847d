"""Descriptions of WCS 1.1 (07-067r5, 9.3): boxes, grid, times, and one field with its axes.

The spatial domain has four boxes: the cells counted from 1, the outer centres in the CRS of the
grid, longitudes and latitudes, and the outer edges. Clients take the size from one of them each.
"""

from collections.abc import Iterable, Iterator

from datacube.engine.cube import Cube
from datacube.model.axis import TimeAxis
from datacube.model.crs import Crs
from datacube.model.grid import RectifiedGrid
from services.ows.extents import axis_extent, described_times, plain_number
from services.ows.sections import keywords
from services.ows.xml import Element, serialise
from services.wcs.forms import form_types
from services.wcs.grids import plain_grid
from services.wcs.v110.capabilities import COMMON, titles, world_box
from services.wcs.v110.names import BANDS, FIELD, IMAGE_CRS, SIMPLE_GRID, SQUARE_CS, Names

INTERPOLATIONS = ("nearest", "linear", "cubic")


def coverage_descriptions(names: Names, cubes: Iterable[Cube], *, full: bool) -> bytes:
    """The answer of DescribeCoverage.

    Parameters
    ----------
    full : bool, whether every instant is listed, however many there are
    """
    return serialise(
        names.wcs(
            "CoverageDescriptions",
            *(_description(names, cube, full) for cube in cubes),
            xsi_schemaLocation=names.located,
        )
    )


def _description(names: Names, cube: Cube, full: bool) -> Element:
    description = cube.description
    grid = plain_grid(description.domain)
    time = description.domain.time
    return names.wcs(
        "CoverageDescription",
        *titles(names, description.title or description.id, description.abstract),
        keywords(names.ows.namespace, description.range_type.names),
        names.wcs("Identifier", description.id),
        names.wcs(
            "Domain",
            names.wcs("SpatialDomain", *_boxes(names, cube, grid), _grid_crs(names, grid)),
            None if time is None else names.wcs("TemporalDomain", *_times(names, time, full)),
        ),
        names.wcs("Range", _field(names, cube)),
        *(names.wcs("SupportedCRS", crs) for crs in dict.fromkeys((grid.crs.urn, *COMMON))),
        *(names.wcs("SupportedFormat", name) for name in form_types()),
    )


def _boxes(names: Names, cube: Cube, grid: RectifiedGrid) -> Iterator[Element]:
    x, y, crs, box = grid.x_centres(), grid.y_centres(), grid.crs, grid.bbox
    yield _box(names, IMAGE_CRS, "1 1", f"{grid.width} {grid.height}")
    lower, upper = _pair(crs, x[0], y[-1]), _pair(crs, x[-1], y[0])
    yield _box(names, crs.urn, lower, upper)
    yield world_box(names, cube)
    edges = _pair(crs, box.left, box.bottom), _pair(crs, box.right, box.top)
    yield _box(names, crs.key, *edges)


def _box(names: Names, crs: str, lower: str, upper: str) -> Element:
    corners = names.ows("LowerCorner", lower), names.ows("UpperCorner", upper)
    return names.ows("BoundingBox", *corners, crs=crs, dimensions="2")


def _grid_crs(names: Names, grid: RectifiedGrid) -> Element:
    x0, y0 = float(grid.x_centres()[0]), float(grid.y_centres()[0])
    return names.wcs(
        "GridCRS",
        names.wcs("GridBaseCRS", grid.crs.urn),
        names.wcs("GridType", SIMPLE_GRID),
        names.wcs("GridOrigin", _pair(grid.crs, x0, y0)),
        names.wcs("GridOffsets", _pair(grid.crs, grid.dx, grid.dy)),
        names.wcs("GridCS", SQUARE_CS),
    )


def _pair(crs: Crs, x: float, y: float) -> str:
    return " ".join(map(plain_number, crs.ordered(float(x), float(y))))


def _times(names: Names, axis: TimeAxis, full: bool) -> Iterator[Element]:
    """Instants where they are few or all are wanted, else intervals with a period."""
    for text in described_times(axis, full=full):
        if "/" not in text:
            yield names.gml("timePosition", text)
            continue
        begin, end, step = text.split("/")
        parts = (("BeginPosition", begin), ("EndPosition", end), ("TimeResolution", step))
        yield names.wcs("TimePeriod", *(names.wcs(name, value) for name, value in parts))


def _field(names: Names, cube: Cube) -> Element:
    """The values: bands by name, and the places of every further axis by value."""
    description = cube.description
    fields = description.range_type
    nil = fields.fields[0].nil
    axes = [axis for axis in description.domain.axes if not isinstance(axis, TimeAxis)]
    methods = (names.wcs("InterpolationMethod", name) for name in INTERPOLATIONS)
    return names.wcs(
        "Field",
        *titles(names, description.title or description.id, ""),
        names.wcs("Identifier", FIELD),
        names.wcs("Definition", names.ows("AnyValue")),
        None if nil is None else names.wcs("NullValue", plain_number(nil)),
        names.wcs("InterpolationMethods", *methods, names.wcs("Default", INTERPOLATIONS[0])),
        _axis(names, BANDS, fields.names),
        *(_axis(names, axis.name, axis_extent(axis)) for axis in axes),
    )


def _axis(names: Names, identifier: str, keys: tuple[str, ...]) -> Element:
    available = names.wcs("AvailableKeys", *(names.wcs("Key", key) for key in keys))
    return names.wcs("Axis", available, identifier=identifier)
