"""Tiles by path, and their TileJSON: from a request to an answer, errors included."""

from datacube.engine.context import Context
from datacube.errors import DatacubeError
from services.ows.kvp import Kvp
from services.ows.maps import answer_map
from services.ows.pictures import MAP_FORMATS
from services.ows.reports import problem_json
from services.ows.transport import Request, Response
from services.tiles.address import parse_path
from services.tiles.decode import decode_tile
from services.tiles.tilejson import answer_tilejson
from services.tiles.valued import answer_values


def handle(context: Context, request: Request, tail: str) -> Response:
    """Answer a request for a tile or for the TileJSON of a layer; errors are problem details.

    Parameters
    ----------
    tail : str
        Percent-decoded path below ``/tiles/``.
    """
    try:
        source, place = parse_path(tail)
        kvp = Kvp.of(request)
        if place is None:
            return answer_tilejson(context, request, source, kvp)
        asked = decode_tile(context, source, place, kvp)
        if place.media_type in MAP_FORMATS:
            return answer_map(context, request, asked.query, place.media_type, pinned=asked.pinned)
        return answer_values(context, request, asked, place.media_type, kvp)
    except DatacubeError as error:
        return problem_json(error)
