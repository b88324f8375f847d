"""The tile matrix sets that are offered."""

from functools import lru_cache

from datacube.errors import TileMatrixSetNotFound
from datacube.model.tiling import TileMatrixSet, web_mercator_quad, world_crs84_quad


@lru_cache(maxsize=1)
def tile_matrix_sets() -> tuple[TileMatrixSet, ...]:
    """All of them, the most used first."""
    return (web_mercator_quad(), world_crs84_quad())


def tile_matrix_set(name: str) -> TileMatrixSet:
    """The set of that identifier.

    Raises
    ------
    TileMatrixSetNotFound
        There is none; the message lists those there are.

    Examples
    --------
    >>> tile_matrix_set("WebMercatorQuad").crs.key
    'EPSG:3857'
    """
    for one in tile_matrix_sets():
        if one.id == name:
            return one
    offered = ", ".join(one.id for one in tile_matrix_sets())
    raise TileMatrixSetNotFound(
        f"no tile matrix set '{name[:100]}'; offered: {offered}", subject="TileMatrixSet"
    )
