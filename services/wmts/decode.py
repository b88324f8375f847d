"""From parameters to queries: GetTile (07-057r7, 7.2) and GetFeatureInfo (7.3).

A RESTful path becomes the same parameters first (:mod:`services.wmts.rest`).
"""

from dataclasses import dataclass

from datacube.engine.context import Context
from datacube.engine.cube import Layer
from datacube.errors import InvalidPixel, MissingParameter
from datacube.model.grid import RectifiedGrid
from datacube.model.query import LayerRequest, MapQuery, SampleQuery
from services.ows.dimensions import remembered_requests
from services.ows.featureinfo import info_format
from services.ows.kvp import Kvp, integer
from services.ows.pictures import map_format, opaque
from services.ows.tilesets import tile_matrix_set


@dataclass(frozen=True, slots=True)
class TileRequest:
    """GetTile: what to draw, how to encode it, and whether later time steps can change it."""

    query: MapQuery
    media_type: str
    pinned: bool


@dataclass(frozen=True, slots=True)
class InfoRequest:
    """GetFeatureInfo: where, in which format."""

    query: SampleQuery
    media_type: str
    pinned: bool


def decode_tile(context: Context, kvp: Kvp) -> TileRequest:
    """Read GetTile.

    Raises
    ------
    MissingParameter, InvalidParameter, CoverageNotFound, StyleNotFound, TileMatrixSetNotFound
    TileOutOfRange, InvalidFormat, InvalidTime
    """
    layer = _layer(context, kvp)
    requests, pinned = _requests(context, layer, kvp)
    media_type = kvp.one("format", map_format)
    grid = _grid(context, layer, kvp)
    query = MapQuery(requests, grid, transparent=not opaque(media_type))
    return TileRequest(query, media_type, pinned)


def decode_info(context: Context, kvp: Kvp) -> InfoRequest:
    """Read GetFeatureInfo; ``format`` is optional here.

    Raises
    ------
    InvalidPixel
        I or J is outside the tile.
    """
    layer = _layer(context, kvp)
    requests, pinned = _requests(context, layer, kvp)
    grid = _grid(context, layer, kvp)
    column, row = _pixel(kvp, "I", grid.width), _pixel(kvp, "J", grid.height)
    media_type = kvp.one("InfoFormat", info_format)
    x, y = grid.transform @ (column + 0.5, row + 0.5)
    return InfoRequest(SampleQuery(requests, x, y, grid.crs), media_type, pinned)


def _layer(context: Context, kvp: Kvp) -> Layer:
    return context.catalog.layer(kvp.one("layer"))


def _requests(context: Context, layer: Layer, kvp: Kvp) -> tuple[tuple[LayerRequest, ...], bool]:
    if not kvp.given("style"):
        raise MissingParameter("the parameter style is missing", subject="style")
    style = kvp.optional("style", str.strip, "")
    return remembered_requests(context, kvp.without("default"), (layer,), (style,))


def _grid(context: Context, layer: Layer, kvp: Kvp) -> RectifiedGrid:
    name = kvp.one("TileMatrixSet")
    matrix_set = tile_matrix_set(context, layer.cube, name)
    matrix = kvp.one("TileMatrix")
    row, column = kvp.one("TileRow", integer), kvp.one("TileCol", integer)
    return matrix_set.grid_of_tile(matrix, row, column)


def _pixel(kvp: Kvp, name: str, size: int) -> int:
    pixel = kvp.one(name, integer)
    if not 0 <= pixel < size:
        raise InvalidPixel(f"{name}={pixel} is outside 0 to {size - 1} of the tile", subject=name)
    return pixel
