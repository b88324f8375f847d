"""The capabilities document of WMTS 1.0.0 (07-057r7, 7.1)."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from datacube.engine.context import Context
from datacube.engine.cube import Cube, Layer
from datacube.errors import InvalidParameter
from datacube.model.axis import TimeAxis
from datacube.model.bbox import BoundingBox
from datacube.model.tiling import TileMatrix, TileMatrixSet
from datacube.render.style import Style
from services.ows.boxes import geographic_box, ordered_edges
from services.ows.dimensions import RUN, dimension_name, one_default, stated_default
from services.ows.extents import (
    axis_extent,
    axis_unit,
    plain_number,
    shown_place,
    tile_time,
    tile_times,
)
from services.ows.featureinfo import INFO_FORMATS
from services.ows.kvp import Kvp, comma_list
from services.ows.legends import Size, legend_url, listed_styles
from services.ows.pictures import MAP_FORMATS, PNG
from services.ows.sections import (
    Operation,
    operations_metadata,
    service_identification,
    service_provider,
)
from services.ows.tilesets import covered_box, sets_of, tile_limits
from services.ows.times import parse_times
from services.ows.transport import Request
from services.ows.urls import endpoint, kvp_prefix
from services.ows.xml import OWS11, XLINK, XSI, Element, Maker
from services.wmts.rest import CAPABILITIES, info_templates, tile_template

NAMESPACE = "http://www.opengis.net/wmts/1.0"
_OPERATIONS = ("GetCapabilities", "GetTile", "GetFeatureInfo")
SECTIONS = ("ServiceIdentification", "ServiceProvider", "OperationsMetadata", "Contents")
_SCHEMA = "http://schemas.opengis.net/wmts/1.0/wmtsGetCapabilities_response.xsd"
_PREFIXES = {None: NAMESPACE, "ows": OWS11, "xlink": XLINK, "xsi": XSI}
WMTS = Maker(NAMESPACE, _PREFIXES)
OWS = Maker(OWS11, _PREFIXES)


def capabilities_document(context: Context, request: Request, kvp: Kvp) -> Element:
    """Capabilities, whole or the sections asked for.

    Parameters
    ----------
    kvp : Kvp
        ``Sections``; ``cube`` names the cubes that alone are listed; ``time`` becomes the default
        of every time dimension, for clients that always ask for the default.

    Raises
    ------
    InvalidParameter
        A section that does not exist.
    InvalidTime
        ``time`` is no time.
    CoverageNotFound
        There is no such cube.
    """
    wanted = _sections(kvp)
    cubes = _cubes(context, kvp)
    pinned = kvp.optional("time", _time_text, "")
    makers: Mapping[str, Callable[[], Element]] = {
        "ServiceIdentification": lambda: service_identification(
            OWS11, context.settings, "OGC WMTS", ("1.0.0",)
        ),
        "ServiceProvider": lambda: service_provider(OWS11, context.settings, request.base_url),
        "OperationsMetadata": lambda: operations_metadata(OWS11, _operations(request)),
        "Contents": lambda: _contents(context, request, cubes, pinned),
    }
    return _root(
        context.catalog.sequence,
        *(make() for name, make in makers.items() if name in wanted),
        WMTS("ServiceMetadataURL", xlink_href=endpoint(request, f"/wmts/{CAPABILITIES}")),
    )


def unchanged(sequence: str) -> Element:
    """The document for a client that has it already: no section at all."""
    return _root(sequence)


def _root(sequence: str, *children: Element) -> Element:
    return WMTS(
        "Capabilities",
        *children,
        version="1.0.0",
        updateSequence=sequence,
        xsi_schemaLocation=f"{NAMESPACE} {_SCHEMA}",
    )


def _sections(kvp: Kvp) -> frozenset[str]:
    asked = kvp.optional("Sections", comma_list, ("All",))
    known = {name.lower(): name for name in (*SECTIONS, "Themes", "All")}
    for name in asked:
        if name.lower() not in known:
            raise InvalidParameter(
                f"there is no section '{name[:50]}'; sections are {', '.join(known.values())}",
                subject="Sections",
            )
    chosen = frozenset(known[name.lower()] for name in asked)
    return frozenset(SECTIONS) if "All" in chosen else chosen


def _time_text(text: str) -> str:
    parse_times(text)
    return text.strip()


def _operations(request: Request) -> tuple[Operation, ...]:
    """Addresses of the operations: a document asked for by KVP names those for KVP alone.

    Clients that take any address for one of KVP are thus not misled; RESTful ones read the
    templates of the layers, and the RESTful document names both.
    """
    kvp = kvp_prefix(request, "/wmts")
    if not request.path.endswith(CAPABILITIES):
        return tuple(Operation(name, {"KVP": kvp}) for name in _OPERATIONS)
    rest = endpoint(request, "/wmts/1.0.0/")
    document = endpoint(request, f"/wmts/{CAPABILITIES}")
    return tuple(
        Operation(
            name,
            {"KVP": kvp, "RESTful": document if name == "GetCapabilities" else rest},
            {"SOAP": endpoint(request, "/wmts")},
        )
        for name in _OPERATIONS
    )


def _cubes(context: Context, kvp: Kvp) -> tuple[Cube, ...]:
    named = kvp.optional("cube", comma_list, ())
    return tuple(map(context.catalog.cube, named)) if named else context.catalog.pictured()


def _contents(context: Context, request: Request, cubes: Sequence[Cube], pinned: str) -> Element:
    layers: list[Element] = []
    sets: dict[str, TileMatrixSet] = {}
    for cube in cubes:
        own = [one for one in sets_of(context, cube) if one.crs.has_code]
        sets |= {one.id: one for one in own}
        layers += [_layer(request, layer, pinned, own) for layer in cube.layers]
    return WMTS("Contents", *layers, *(_matrix_set(one) for one in sets.values()))


def _layer(request: Request, layer: Layer, pinned: str, sets: Sequence[TileMatrixSet]) -> Element:
    cube = layer.cube
    domain = cube.description.domain
    world = geographic_box(domain.bbox)
    return WMTS(
        "Layer",
        OWS("Title", _title(layer)),
        OWS("Abstract", cube.abstract) if cube.abstract else None,
        OWS(
            "WGS84BoundingBox",
            *_corners((world.left, world.bottom, world.right, world.top)),
        ),
        OWS("Identifier", layer.name),
        *_bounding_boxes(domain.bbox, sets),
        *(_style(request, layer, style, size) for style, size in listed_styles(layer)),
        *(WMTS("Format", media_type) for media_type in MAP_FORMATS),
        *(WMTS("InfoFormat", media_type) for media_type in INFO_FORMATS),
        *_dimensions(layer, pinned),
        *(_link(one, domain.bbox) for one in sets),
        *_resource_urls(request, layer),
    )


def _title(layer: Layer) -> str:
    """Title in a list without groups: a field's says which cube it is of."""
    cube = layer.cube
    return layer.title if layer.name == cube.id else f"{cube.title}: {layer.title}"


def _bounding_boxes(box: BoundingBox, sets: Sequence[TileMatrixSet]) -> Iterator[Element]:
    """Boxes in the CRSs of the sets, named exactly as their SupportedCRS."""
    placed = {one.crs.key: covered_box(one, box) for one in sets}
    for found in placed.values():
        if found is not None:
            yield OWS("BoundingBox", *_corners(ordered_edges(found)), crs=found.crs.urn)


def _corners(edges: tuple[float, float, float, float]) -> tuple[Element, Element]:
    texts = [plain_number(edge) for edge in edges]
    return OWS("LowerCorner", " ".join(texts[:2])), OWS("UpperCorner", " ".join(texts[2:]))


def _style(request: Request, layer: Layer, style: Style, size: Size) -> Element:
    width, height = size
    return WMTS(
        "Style",
        OWS("Title", style.title or style.name),
        OWS("Identifier", style.name),
        WMTS(
            "LegendURL",
            format=PNG,
            xlink_href=legend_url(request, layer.name, style.name, size),
            width=width,
            height=height,
        ),
        isDefault="true" if style is layer.styles[0] else None,
    )


def _dimensions(layer: Layer, pinned: str) -> Iterator[Element]:
    domain = layer.cube.description.domain
    for axis in domain.axes:
        name = dimension_name(axis, vertical=axis is domain.vertical)
        match axis:
            case TimeAxis():
                default = pinned or tile_time(axis, stated_default(layer.cube, axis))
                yield _dimension(name, "ISO8601", default, tile_times(axis), current=True)
            case _:
                default = shown_place(one_default(layer.cube, axis))
                yield _dimension(name, axis_unit(axis), default, axis_extent(axis))
    if layer.cube.view is not None:
        values = tile_times(layer.cube.view.axes.runs)
        yield _dimension(RUN, "ISO8601", "current", values, current=True)


def _dimension(
    name: str, unit: str, default: str, values: tuple[str, ...], *, current: bool = False
) -> Element:
    return WMTS(
        "Dimension",
        OWS("Identifier", name),
        OWS("UOM", unit) if unit else None,
        WMTS("Default", default),
        WMTS("Current", "true") if current else None,
        *(WMTS("Value", value) for value in values),
    )


def _link(matrix_set: TileMatrixSet, box: BoundingBox) -> Element:
    return WMTS(
        "TileMatrixSetLink",
        WMTS("TileMatrixSet", matrix_set.id),
        _limits(matrix_set, box),
    )


def _limits(matrix_set: TileMatrixSet, box: BoundingBox) -> Element | None:
    """Tiles of an area; nothing where it is that of the whole set."""
    limits = tile_limits(matrix_set, box)
    if not limits:
        return None
    return WMTS("TileMatrixSetLimits", *(_matrix_limits(*one) for one in limits.items()))


def _matrix_limits(matrix: str, limits: tuple[int, int, int, int]) -> Element:
    first_row, last_row, first_column, last_column = limits
    return WMTS(
        "TileMatrixLimits",
        WMTS("TileMatrix", matrix),
        WMTS("MinTileRow", first_row),
        WMTS("MaxTileRow", last_row),
        WMTS("MinTileCol", first_column),
        WMTS("MaxTileCol", last_column),
    )


def _resource_urls(request: Request, layer: Layer) -> Iterator[Element]:
    template = tile_template(request, layer, PNG)
    yield WMTS("ResourceURL", format=PNG, resourceType="tile", template=template)
    for media_type, info in info_templates(request, layer):
        yield WMTS("ResourceURL", format=media_type, resourceType="FeatureInfo", template=info)


def _matrix_set(one: TileMatrixSet) -> Element:
    """A set without its well-known scale set.

    That of the web map asks for a CRS spelling that clients do not know, and that of the globe
    begins a level higher in 07-057r7, annex E.3, than in the set that 17-083r4 names after it.
    """
    return WMTS(
        "TileMatrixSet",
        OWS("Title", one.title),
        OWS("Identifier", one.id),
        OWS("SupportedCRS", one.crs.urn),
        *(_matrix(one, matrix) for matrix in one.matrices),
    )


def _matrix(matrix_set: TileMatrixSet, matrix: TileMatrix) -> Element:
    corner = matrix_set.crs.ordered(matrix.left, matrix.top)
    return WMTS(
        "TileMatrix",
        OWS("Identifier", matrix.id),
        WMTS("ScaleDenominator", plain_number(matrix_set.scale_denominator(matrix))),
        WMTS("TopLeftCorner", " ".join(plain_number(value) for value in corner)),
        WMTS("TileWidth", matrix.tile_width),
        WMTS("TileHeight", matrix.tile_height),
        WMTS("MatrixWidth", matrix.columns),
        WMTS("MatrixHeight", matrix.rows),
    )
