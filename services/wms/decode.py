"""From a request's parameters to queries; common to the versions.

GetMap (06-042, 7.3.2) and GetFeatureInfo (7.4.2), read in the order of the standard's tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

from datacube.engine.context import Context
from datacube.engine.cube import Layer
from datacube.errors import (
    CoverageNotFound,
    InvalidParameter,
    InvalidPixel,
    InvalidSubset,
    MissingParameter,
    RequestTooLarge,
)
from datacube.model.bbox import BoundingBox
from datacube.model.crs import Crs
from datacube.model.geometry import Path
from datacube.model.grid import RectifiedGrid
from datacube.model.query import MapQuery, SampleQuery
from datacube.render.sld import StyledLayer
from services.ows.described import redrawn, styled_layers
from services.ows.dimensions import layer_requests, remembered_requests
from services.ows.kvp import Kvp, boolean, comma_list, number, positive
from services.ows.restyling import PARAMETERS, style_list
from services.wms.formats import without_alpha, wms_format
from services.wms.version import Version

type Color = tuple[int, int, int]

WHITE: Color = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class MapRequest:
    """GetMap: what to draw and how to encode it.

    Parameters
    ----------
    query : MapQuery
    media_type : str, of :func:`services.wms.formats.wms_format`
    pinned : bool
        Whether every layer's time names a step exactly.
    """

    query: MapQuery
    media_type: str
    pinned: bool


@dataclass(frozen=True, slots=True)
class InfoRequest:
    """GetFeatureInfo: which values, and where the pixel lies on the map."""

    query: SampleQuery
    pinned: bool


def decode_map(context: Context, kvp: Kvp, version: Version) -> MapRequest:
    """Read GetMap.

    Raises
    ------
    MissingParameter, InvalidParameter, CoverageNotFound, StyleNotFound, InvalidCrs, InvalidFormat
    InvalidTime, RequestTooLarge
    """
    described = styled_layers(context.settings, kvp)
    layers = _layers(context, _names(kvp, described))
    styles = _styles(kvp, layers, needed=not described)
    grid = decode_grid(context, kvp, version)
    media_type = kvp.one("FORMAT", wms_format)
    if described:
        requests, pinned = layer_requests(kvp, layers, styles)
        requests = redrawn(requests, described)
    else:
        requests, pinned = remembered_requests(context, kvp, layers, styles)
    clear = transparent(kvp) and not without_alpha(media_type)
    return MapRequest(MapQuery(requests, grid, background(kvp), clear), media_type, pinned)


def decode_info(context: Context, kvp: Kvp, version: Version) -> InfoRequest:
    """Read GetFeatureInfo: the place is the centre of the pixel.

    Raises
    ------
    InvalidPixel
        The pixel is outside the map.
    """
    names = kvp.one("QUERY_LAYERS", comma_list)
    layers = _layers(context, names)
    drawn = kvp.optional("LAYERS", comma_list, names)
    for name in names:
        if name not in drawn:
            raise CoverageNotFound(
                f"the layer '{name}' of QUERY_LAYERS is not among LAYERS", subject=name
            )
    place = decode_pixel(context, kvp, version)
    ((x, y),) = place.vertices
    requests, pinned = layer_requests(kvp.but(*PARAMETERS), layers, repeat(""))
    return InfoRequest(SampleQuery(requests, x, y, place.crs), pinned)


def decode_pixel(context: Context, kvp: Kvp, version: Version) -> Path:
    """The place in the middle of a pixel of a map.

    Raises
    ------
    InvalidPixel
        The pixel is outside the map.
    """
    grid = decode_grid(context, kvp, version)
    column = _pixel(kvp, version.column, grid.width)
    row = _pixel(kvp, version.row, grid.height)
    return Path((grid.transform @ (column + 0.5, row + 0.5),), grid.crs)


def decode_grid(context: Context, kvp: Kvp, version: Version) -> RectifiedGrid:
    """The pixels of the map: CRS, BBOX, WIDTH, HEIGHT.

    Raises
    ------
    InvalidSubset
        BBOX has no area.
    RequestTooLarge
        The map is larger than advertised.
    """
    crs = kvp.one(version.crs, lambda text: Crs.parse(text, subject=version.crs))
    edges = kvp.one("BBOX", _four_numbers)
    width, height = kvp.one("WIDTH", positive), kvp.one("HEIGHT", positive)
    limits = context.settings.limits
    if width > limits.max_width or height > limits.max_height:
        raise RequestTooLarge(
            f"a map of {width} x {height} pixels is too large; at most {limits.max_width} x "
            f"{limits.max_height} are drawn",
            subject="WIDTH" if width > limits.max_width else "HEIGHT",
        )
    return RectifiedGrid.from_bbox(box_of(edges, crs, version), width, height)


def box_of(edges: tuple[float, float, float, float], crs: Crs, version: Version) -> BoundingBox:
    """BBOX in x, y order; the lower corner must lie below the upper one in both."""
    first_low, second_low, first_high, second_high = edges
    if not (first_low < first_high and second_low < second_high):
        raise InvalidSubset(
            f"the BBOX {','.join(f'{edge:g}' for edge in edges)} has no area: its first corner "
            "must be the lower one",
            subject="BBOX",
        )
    if version.authority_order and crs.northing_first:
        return BoundingBox(second_low, first_low, second_high, first_high, crs)
    return BoundingBox(first_low, second_low, first_high, second_high, crs)


def background(kvp: Kvp) -> Color:
    """BGCOLOR; white by default."""
    return kvp.optional("BGCOLOR", color, WHITE)


def transparent(kvp: Kvp) -> bool:
    """TRANSPARENT; FALSE by default."""
    return kvp.optional("TRANSPARENT", boolean, False)


def _layers(context: Context, names: tuple[str, ...]) -> tuple[Layer, ...]:
    limit = context.settings.limits.max_layers
    if len(names) > limit:
        raise RequestTooLarge(
            f"{len(names)} layers are asked for; at most {limit} are drawn", subject="LAYERS"
        )
    return tuple(context.catalog.layer(name) for name in names)


def _names(kvp: Kvp, described: Sequence[StyledLayer]) -> tuple[str, ...]:
    """LAYERS; without it those of the request's SLD."""
    if "layers" not in kvp and described:
        return tuple(one.name for one in described)
    return kvp.one("LAYERS", comma_list)


def _styles(kvp: Kvp, layers: tuple[Layer, ...], *, needed: bool) -> tuple[str, ...]:
    """One style for each layer; ``""`` is its default."""
    if needed and not kvp.given("STYLES"):
        raise MissingParameter(
            "the parameter STYLES is missing; leave it empty for the default styles",
            subject="STYLES",
        )
    names = kvp.optional("STYLES", style_list, ("",) * len(layers))
    if len(names) != len(layers):
        raise InvalidParameter(
            f"STYLES has {len(names)} entries for {len(layers)} layers; give one for each, "
            "or leave it empty",
            subject="STYLES",
        )
    return names


def _pixel(kvp: Kvp, names: tuple[str, ...], size: int) -> int:
    name = next((one for one in names if one in kvp), names[0])
    try:
        pixel = kvp.one(name, lambda text: int(number(text)))
    except InvalidParameter as error:
        raise InvalidPixel(error.message, subject=name) from error
    if not 0 <= pixel < size:
        raise InvalidPixel(f"{name}={pixel} is outside 0 to {size - 1} of the map", subject=name)
    return pixel


def _four_numbers(text: str) -> tuple[float, float, float, float]:
    edges = tuple(number(part) for part in text.split(","))
    if len(edges) != 4:
        raise ValueError("four numbers are needed, separated by commas")
    return edges


def color(text: str) -> Color:
    """``0xRRGGBB``, as of BGCOLOR."""
    digits = text.strip().lower().removeprefix("0x").removeprefix("#")
    if len(digits) != 6:
        raise ValueError("a colour is written 0xRRGGBB")
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue
