"""Well-known tile matrix sets (OGC 17-083r4, annex D), and the one of a cube's own cells."""

from functools import lru_cache
from math import ceil, log2

from datacube.model.crs import Crs
from datacube.model.grid import Grid, RectifiedGrid
from datacube.model.tiling import TileMatrix, TileMatrixSet

SIDE = 256
LARGER = "x2"
"""Ends the name of a set whose tiles have twice as many pixels along each side."""

_REGISTER = "http://www.opengis.net/def/tilematrixset/OGC/1.0/"
_MERCATOR_EDGE = 20037508.342789244
_POLAR_EDGE = 16440759.350252
_POLE = 2_000_000.0


@lru_cache(maxsize=1)
def well_known_sets() -> tuple[TileMatrixSet, ...]:
    """The sets that every server offers, the most used first.

    Examples
    --------
    >>> [one.id for one in well_known_sets()][:3]
    ['WebMercatorQuad', 'WorldCRS84Quad', 'WGS1984Quad']
    """
    polar = _POLE - _POLAR_EDGE, _POLE + _POLAR_EDGE, 2 * _POLAR_EDGE
    web = web_mercator_quad()
    larger = web.finer(2)
    return (
        web,
        world_crs84_quad(),
        _quad("WGS1984Quad", "EPSG:4326 for the world", "EPSG:4326", (-180.0, 90.0, 180.0), 18, 2),
        TileMatrixSet(
            web.id + LARGER, f"{web.title}, tiles of 512 pixels", web.crs, larger.matrices
        ),
        _quad(
            "EuropeanETRS89_LAEAQuad",
            "Lambert azimuthal equal area for Europe",
            "EPSG:3035",
            (2_000_000.0, 5_500_000.0, 4_500_000.0),
            16,
        ),
        _quad("UPSArcticWGS84Quad", "Polar stereographic for the Arctic", "EPSG:5041", polar, 25),
        _quad(
            "UPSAntarcticWGS84Quad", "Polar stereographic for Antarctica", "EPSG:5042", polar, 25
        ),
    )


def web_mercator_quad(levels: int = 25) -> TileMatrixSet:
    """WebMercatorQuad, 256 pixels a tile, zoom 0 to 24."""
    corner = -_MERCATOR_EDGE, _MERCATOR_EDGE, 2 * _MERCATOR_EDGE
    title = "Google Maps compatible for the world"
    return _quad("WebMercatorQuad", title, "EPSG:3857", corner, levels)


def world_crs84_quad(levels: int = 18) -> TileMatrixSet:
    """WorldCRS84Quad, 256 pixels a tile, two tiles at zoom 0."""
    corner = -180.0, 90.0, 180.0
    return _quad("WorldCRS84Quad", "CRS84 for the world", "OGC:CRS84", corner, levels, 2)


def _quad(
    name: str,
    title: str,
    crs: str,
    corner: tuple[float, float, float],
    levels: int,
    columns: int = 1,
) -> TileMatrixSet:
    """A set whose tiles are halved from level to level.

    Parameters
    ----------
    corner : left, top, and the side of a tile of the first level
    columns : of the first level, which has one row
    """
    left, top, side = corner
    matrices = tuple(
        TileMatrix(str(z), side / SIDE / 2**z, left, top, SIDE, SIDE, columns * 2**z, 2**z)
        for z in range(levels)
    )
    return TileMatrixSet(name, title, Crs.parse(crs), matrices, _REGISTER + name)


@lru_cache(maxsize=256)
def native_set(name: str, title: str, grid: Grid) -> TileMatrixSet | None:
    """The set whose finest pixels are the cells of a grid; None where these have no equal size.

    Tiles begin at the grid's upper left corner and are doubled until one holds the whole grid, as
    a cube's overviews are. Of cells that are not square the shorter side is taken.

    Parameters
    ----------
    name, title : str
    grid : Grid

    Examples
    --------
    >>> from datacube.model.bbox import BoundingBox
    >>> utm = BoundingBox(600_000, 5_690_220, 609_780, 5_700_000, Crs.parse("EPSG:32632"))
    >>> found = native_set("s2__native", "S2", RectifiedGrid.from_bbox(utm, 978, 978))
    >>> [(one.id, one.cell_size, one.rows) for one in found.matrices]
    [('0', 40.0, 1), ('1', 20.0, 2), ('2', 10.0, 4)]
    """
    if not isinstance(grid, RectifiedGrid):
        return None
    cell, box = min(abs(grid.dx), abs(grid.dy)), grid.bbox
    across, down = (round(side / cell, 6) for side in (box.width, box.height))
    deepest = max(0, ceil(log2(max(across, down) / SIDE) - 1e-9))
    matrices = tuple(
        TileMatrix(
            str(deepest - level),
            cell * 2**level,
            box.left,
            box.top,
            SIDE,
            SIDE,
            max(1, ceil(across / 2**level / SIDE)),
            max(1, ceil(down / 2**level / SIDE)),
        )
        for level in range(deepest, -1, -1)
    )
    return TileMatrixSet(name, title, grid.crs, matrices)
