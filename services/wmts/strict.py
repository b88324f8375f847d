"""What the standard asks of requests and a tile can do without: checked where ``wmts.strict``."""

from datacube.engine.cube import Layer
from datacube.errors import TileOutOfRange
from datacube.model.tiling import TileMatrixSet
from services.ows.tilesets import tile_limits


def check_limits(
    layer: Layer, matrix_set: TileMatrixSet, matrix: str, row: int, column: int
) -> None:
    """Refuse a tile outside of the limits that the capabilities list (07-057r7, table 21).

    Raises
    ------
    TileOutOfRange
    """
    box = layer.cube.description.domain.bbox
    found = tile_limits(matrix_set, box).get(matrix)
    if found is None:
        return
    for name, value, low, high in (("TileRow", row, *found[:2]), ("TileCol", column, *found[2:])):
        if not low <= value <= high:
            raise TileOutOfRange(
                f"{name}={value} is outside {low} to {high}, where {layer.name} lies", subject=name
            )
