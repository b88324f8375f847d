"""Tile matrix sets (OGC 17-083): from a tile's address to the grid of its pixels."""

from dataclasses import dataclass, replace

from datacube.errors import TileMatrixSetNotFound, TileOutOfRange
from datacube.model.bbox import BoundingBox
from datacube.model.crs import Crs
from datacube.model.grid import RectifiedGrid

METRES_PER_DEGREE = 6378137.0 * 3.141592653589793 / 180.0
PIXEL_SIZE = 0.00028
_TINY = 1e-9


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

    @property
    def span(self) -> tuple[float, float]:
        """Width and height of a tile in units of the CRS."""
        return self.tile_width * self.cell_size, self.tile_height * self.cell_size


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
    >>> one = TileMatrix("0", 0.5, -180.0, 90.0, 360, 360, 2, 1)
    >>> globe = TileMatrixSet("globe", "", Crs.parse("OGC:CRS84"), (one,))
    >>> grid = globe.grid_of_tile("0", row=0, column=1)
    >>> grid.bbox.left, grid.width, globe.finer(2).grid_of_tile("0", 0, 1).width
    (0.0, 360, 720)
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
            f"{self.id} has no tile matrix '{name[:50]}'; it has {self.matrices[0].id} to "
            f"{self.matrices[-1].id}",
            subject="TileMatrix",
        )

    def finer(self, factor: int) -> "TileMatrixSet":
        """The same tiles with that many times as many pixels along each side."""
        return replace(
            self,
            matrices=tuple(
                replace(
                    one,
                    cell_size=one.cell_size / factor,
                    tile_width=one.tile_width * factor,
                    tile_height=one.tile_height * factor,
                )
                for one in self.matrices
            ),
        )

    def scale_denominator(self, matrix: TileMatrix) -> float:
        """Scale at 0.28 mm a pixel."""
        return matrix.cell_size * metres_per_unit(self.crs) / PIXEL_SIZE

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
        width, height = matrix.span
        left, top = matrix.left + column * width, matrix.top - row * height
        box = BoundingBox(left, top - height, left + width, top, self.crs)
        return RectifiedGrid.from_bbox(box, matrix.tile_width, matrix.tile_height)

    def limits(self, matrix: TileMatrix, box: BoundingBox) -> tuple[int, int, int, int] | None:
        """Tiles that a box in the set's CRS touches; None where it lies beside all of them.

        Returns
        -------
        first row, last row, first column, last column
        """
        width, height = matrix.span
        rows = _touched(
            (matrix.top - box.top) / height, (matrix.top - box.bottom) / height, matrix.rows
        )
        columns = _touched(
            (box.left - matrix.left) / width, (box.right - matrix.left) / width, matrix.columns
        )
        return None if rows is None or columns is None else (*rows, *columns)

    @property
    def bbox(self) -> BoundingBox:
        """What the coarsest matrix covers."""
        first = self.matrices[0]
        width, height = first.span
        return BoundingBox(
            first.left,
            first.top - first.rows * height,
            first.left + first.columns * width,
            first.top,
            self.crs,
        )


def metres_per_unit(crs: Crs) -> float:
    """Metres that a unit of the CRS stands for in scales; of a degree those at the equator."""
    if crs.uom == "deg":
        return METRES_PER_DEGREE
    return float(crs.pyproj().axis_info[0].unit_conversion_factor)


def _touched(low: float, high: float, count: int) -> tuple[int, int] | None:
    """First and last tile of an interval in tiles."""
    first, last = int((low + _TINY) // 1), int((high - _TINY) // 1)
    if last < 0 or first >= count:
        return None
    return max(first, 0), min(max(last, first), count - 1)
