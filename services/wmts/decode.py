"""From parameters to queries: GetTile (07-057r7, 7.2) and GetFeatureInfo (7.3).

A RESTful path becomes the same parameters first (:mod:`services.wmts.rest`).
"""

from dataclasses import dataclass

from datacube.engine.context import Context
from datacube.engine.cube import Layer
from datacube.errors import InvalidParameter, InvalidPixel, MissingParameter
from datacube.model.grid import RectifiedGrid
from datacube.model.query import LayerRequest, MapQuery, SampleQuery
from datacube.model.tiling import TileMatrixSet
from services.ows.described import tile_requests
from services.ows.dimensions import layer_requests
from services.ows.featureinfo import info_format
from services.ows.kvp import Kvp, integer
from services.ows.pictures import map_format, opaque
from services.ows.tilesets import tile_matrix_set
from services.ows.transport import Request
from services.wmts.rest import TILE_ENDINGS, parameters
from services.wmts.strict import check_limits

_DIGITS = 9
_PLACE = frozenset({"tilerow", "tilecol"})


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


@dataclass(frozen=True, slots=True)
class _Kind:
    """All of a tile but its row and column."""

    requests: tuple[LayerRequest, ...]
    pinned: bool
    media_type: str
    matrix_set: TileMatrixSet
    matrix: str


def decode_tile(context: Context, kvp: Kvp) -> TileRequest:
    """Read GetTile.

    Raises
    ------
    MissingParameter, InvalidParameter, CoverageNotFound, StyleNotFound, TileMatrixSetNotFound
    TileOutOfRange, InvalidFormat, InvalidTime
    """
    kind = _kind(context, kvp) if "sld" in kvp else _remembered(context, kvp)
    row, column = kvp.one("TileRow", integer), kvp.one("TileCol", integer)
    grid = kind.matrix_set.grid_of_tile(kind.matrix, row, column)
    if context.settings.wmts_strict:
        check_limits(_layer(context, kvp), kind.matrix_set, kind.matrix, row, column)
    return _on(grid, kind)


def decode_path(context: Context, request: Request, tail: str) -> TileRequest | None:
    """Read the path of a tile; what stands before the row is worked out once for all its tiles.

    Parameters
    ----------
    tail : str
        Percent-decoded path below ``/wmts/``.

    Returns
    -------
    TileRequest, or None of what is no tile, is written in no usual way or has to be looked at anew

    Raises
    ------
    What :func:`decode_tile` and :func:`~services.wmts.rest.parameters` raise.
    """
    above, _, name = tail.rpartition("/")
    above, _, row = above.rpartition("/")
    column, _, ending = name.rpartition(".")
    usual = ending in TILE_ENDINGS and "&" not in tail and _is_count(row) and _is_count(column)
    if not usual or context.settings.wmts_strict or "sld" in Kvp(request.query):
        return None

    def find() -> _Kind:
        kvp = parameters(context, request, tail)
        check_version(kvp)
        return _kind(context, kvp)

    key = ("tiles", above, ending, request.query)
    kind = context.understood.get(context.catalog.version, key, find, _weight)
    return _on(kind.matrix_set.grid_of_tile(kind.matrix, int(row), int(column)), kind)


def check_version(kvp: Kvp) -> None:
    """Refuse another version than the one there is.

    Raises
    ------
    InvalidParameter
    """
    version = kvp.optional("version", str.strip, "1.0.0")
    if version != "1.0.0":
        raise InvalidParameter(
            f"version={version[:20]} is not offered; offered: 1.0.0", subject="version"
        )


def _is_count(text: str) -> bool:
    return text.isdecimal() and len(text) <= _DIGITS


def _on(grid: RectifiedGrid, kind: _Kind) -> TileRequest:
    query = MapQuery(kind.requests, grid, transparent=not opaque(kind.media_type))
    return TileRequest(query, kind.media_type, kind.pinned)


def _remembered(context: Context, kvp: Kvp) -> _Kind:
    """Of what the parameters alone say, without a document from elsewhere."""
    return context.understood.get(
        context.catalog.version, ("tile", kvp.beside(_PLACE)), lambda: _kind(context, kvp), _weight
    )


def _kind(context: Context, kvp: Kvp) -> _Kind:
    layer = _layer(context, kvp)
    requests, pinned = tile_requests(context, kvp.without("default"), layer, _style(kvp))
    media_type = kvp.one("format", map_format)
    return _Kind(requests, pinned, media_type, *_matrix(context, layer, kvp))


def _weight(kind: _Kind) -> int:
    return len(kind.requests)


def decode_info(context: Context, kvp: Kvp) -> InfoRequest:
    """Read GetFeatureInfo; ``format`` is optional here.

    Raises
    ------
    InvalidPixel
        I or J is outside the tile.
    """
    layer = _layer(context, kvp)
    requests, pinned = layer_requests(kvp.without("default"), [layer], [_style(kvp)])
    grid = _grid(context, layer, kvp)
    column, row = _pixel(kvp, "I", grid.width), _pixel(kvp, "J", grid.height)
    media_type = kvp.one("InfoFormat", info_format)
    x, y = grid.transform @ (column + 0.5, row + 0.5)
    return InfoRequest(SampleQuery(requests, x, y, grid.crs), media_type, pinned)


def _layer(context: Context, kvp: Kvp) -> Layer:
    return context.catalog.layer(kvp.one("layer"))


def _style(kvp: Kvp) -> str:
    if not kvp.given("style"):
        raise MissingParameter("the parameter style is missing", subject="style")
    return kvp.optional("style", str.strip, "")


def _matrix(context: Context, layer: Layer, kvp: Kvp) -> tuple[TileMatrixSet, str]:
    name = kvp.one("TileMatrixSet")
    return tile_matrix_set(context, layer.cube, name), kvp.one("TileMatrix")


def _grid(context: Context, layer: Layer, kvp: Kvp) -> RectifiedGrid:
    matrix_set, matrix = _matrix(context, layer, kvp)
    row, column = kvp.one("TileRow", integer), kvp.one("TileCol", integer)
    if context.settings.wmts_strict:
        check_limits(layer, matrix_set, matrix, row, column)
    return matrix_set.grid_of_tile(matrix, row, column)


def _pixel(kvp: Kvp, name: str, size: int) -> int:
    pixel = kvp.one(name, integer)
    if not 0 <= pixel < size:
        raise InvalidPixel(f"{name}={pixel} is outside 0 to {size - 1} of the tile", subject=name)
    return pixel
