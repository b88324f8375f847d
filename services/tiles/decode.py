"""From an address and its parameters to what is drawn; the parameters are those of a map."""

from collections.abc import Iterable
from dataclasses import dataclass

from datacube.engine.context import Context
from datacube.engine.cube import Layer
from datacube.model.grid import RectifiedGrid
from datacube.model.query import LayerRequest, MapQuery
from datacube.model.tiling import TileMatrixSet
from services.ows.described import tile_requests
from services.ows.kvp import Kvp
from services.ows.pictures import MAP_FORMATS, opaque
from services.ows.tilesets import tile_matrix_set
from services.tiles.address import Place, Source

TWICE = 2


@dataclass(frozen=True, slots=True)
class TileRequest:
    """A tile: what to draw, and whether later time steps can change it."""

    query: MapQuery
    pinned: bool

    @property
    def grid(self) -> RectifiedGrid:
        """Its pixels."""
        return self.query.grid


def decode_tile(context: Context, source: Source, place: Place, kvp: Kvp) -> TileRequest:
    """Read a tile's address and parameters.

    Raises
    ------
    CoverageNotFound, StyleNotFound, TileMatrixSetNotFound, TileOutOfRange, InvalidParameter
    InvalidTime
    """
    layer, chosen = tiled_layer(context, source)
    if place.twice:
        chosen = chosen.finer(TWICE)
    grid = chosen.grid_of_tile(place.matrix, place.row, place.column)
    requests, pinned = asked_of(context, layer, source, kvp)
    media_type = place.media_type
    clear = media_type not in MAP_FORMATS or not opaque(media_type)
    return TileRequest(MapQuery(tuple(requests), grid, transparent=clear), pinned)


def tiled_layer(context: Context, source: Source) -> tuple[Layer, TileMatrixSet]:
    """The layer and the set that an address names."""
    layer = context.catalog.layer(source.layer)
    return layer, tile_matrix_set(context, layer.cube, source.matrix_set)


def asked_of(
    context: Context, layer: Layer, source: Source, kvp: Kvp
) -> tuple[Iterable[LayerRequest], bool]:
    """Requests for a layer, one for each time of a list, and whether they are firm."""
    style = "" if source.valued or source.style == "default" else source.style

    def find() -> tuple[tuple[LayerRequest, ...], bool]:
        return tile_requests(context, kvp.without("default"), layer, style)

    if "sld" in kvp:
        return find()  # a document at a URL may have changed
    key = ("xyz", source, kvp.beside(()))
    return context.understood.get(context.catalog.version, key, find, lambda found: len(found[0]))
