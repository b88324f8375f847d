"""Tile matrix sets (OGC 17-083): from a tile's address to the grid of its pixels."""

from dataclasses import dataclass

from datacube.errors import TileMatrixSetNotFound, TileOutOfRange
from datacube.model.bbox import BoundingBox
from datacube.model.crs import Crs
from datacube.model.grid import RectifiedGrid

METRES_PER_DEGREE = 6378137.0 * 3.141592653589793 / 180.0
PIXEL_SIZE = 0.00028
_MERCATOR_EDGE = 20037508.342789244


@dataclass(frozen=True, slots=True)
class TileMatrix:
    """One zoom level.

    Parameters
    ----------
    id : str
    cell_size : float, in units of the set's CRS
    left, top : float, x and y of the upper left corner, in the set's CRS
    tile_width, tile_height : int, pixels
    columns, rows : int, number of tiles
    """

    id: str
    cell_size: float
    left: float
    top: float
    tile_width: int
    tile_height: int
    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class TileMatrixSet:
    """A named pyramid of tile matrices.

    Parameters
    ----------
    id, title : str
    crs : Crs
    matrices : tuple of TileMatrix, coarsest first
    uri : str, where the set is registered

    Examples
    --------
    >>> grid = web_mercator_quad().grid_of_tile("1", row=0, column=1)
    >>> grid.bbox.left, grid.width
    (0.0, 256)
    """

    id: str
    title: str
    crs: Crs
    matrices: tuple[TileMatrix, ...]
    uri: str = ""

    def matrix(self, name: str) -> TileMatrix:
        """The matrix of that identifier.

        Raises
        ------
        TileMatrixSetNotFound
            There is none.
        """
        for matrix in self.matrices:
            if matrix.id == name:
                return matrix
        raise TileMatrixSetNotFound(
            f"{self.id} has no tile matrix '{name}'; it has {self.matrices[0].id} to "
            f"{self.matrices[-1].id}",
            subject="TileMatrix",
        )

    def scale_denominator(self, matrix: TileMatrix) -> float:
        """Scale at 0.28 mm a pixel."""
        metres = METRES_PER_DEGREE if self.crs.geographic else 1.0
        return matrix.cell_size * metres / PIXEL_SIZE

    def grid_of_tile(self, name: str, row: int, column: int) -> RectifiedGrid:
        """Pixels of a tile.

        Raises
        ------
        TileMatrixSetNotFound
            No such matrix.
        TileOutOfRange
            Row or column outside the matrix.
        """
        matrix = self.matrix(name)
        for subject, value, count in (
            ("TileRow", row, matrix.rows),
            ("TileCol", column, matrix.columns),
        ):
            if not 0 <= value < count:
                raise TileOutOfRange(
                    f"{subject} {value} is outside 0 to {count - 1} of matrix {name}",
                    subject=subject,
                )
        width, height = (
            matrix.tile_width * matrix.cell_size,
            matrix.tile_height * matrix.cell_size,
        )
        left, top = matrix.left + column * width, matrix.top - row * height
        box = BoundingBox(left, top - height, left + width, top, self.crs)
        return RectifiedGrid.from_bbox(box, matrix.tile_width, matrix.tile_height)

    def limits(self, matrix: TileMatrix, box: BoundingBox) -> tuple[int, int, int, int]:
        """Tiles that a box in the set's CRS touches: first and last row, first and last column."""
        width, height = (
            matrix.tile_width * matrix.cell_size,
            matrix.tile_height * matrix.cell_size,
        )
        tiny = 1e-9

        def inside(value: float, count: int) -> int:
            return min(max(int(value // 1), 0), count - 1)

        return (
            inside((matrix.top - box.top) / height + tiny, matrix.rows),
            inside((matrix.top - box.bottom) / height - tiny, matrix.rows),
            inside((box.left - matrix.left) / width + tiny, matrix.columns),
            inside((box.right - matrix.left) / width - tiny, matrix.columns),
        )


def web_mercator_quad(levels: int = 25) -> TileMatrixSet:
    """WebMercatorQuad, 256 pixels a tile, zoom 0 to 24."""
    world = 2 * _MERCATOR_EDGE
    matrices = tuple(
        TileMatrix(
            str(z), world / 256 / 2**z, -_MERCATOR_EDGE, _MERCATOR_EDGE, 256, 256, 2**z, 2**z
        )
        for z in range(levels)
    )
    return TileMatrixSet(
        "WebMercatorQuad",
        "Google Maps compatible for the world",
        Crs.parse("EPSG:3857"),
        matrices,
        "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad",
    )


def world_crs84_quad(levels: int = 18) -> TileMatrixSet:
    """WorldCRS84Quad, 256 pixels a tile, two tiles at zoom 0."""
    matrices = tuple(
        TileMatrix(str(z), 180 / 256 / 2**z, -180.0, 90.0, 256, 256, 2 ** (z + 1), 2**z)
        for z in range(levels)
    )
    return TileMatrixSet(
        "WorldCRS84Quad",
        "CRS84 for the world",
        Crs.parse("OGC:CRS84"),
        matrices,
        "http://www.opengis.net/def/tilematrixset/OGC/1.0/WorldCRS84Quad",
    )
