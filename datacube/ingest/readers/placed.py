"""Where an image lies: on a grid, turned against its CRS, or between ground control points.

Turned images and those with control points go to a map grid. Their positions become tie points on
rows and columns that reach from edge to edge: points that lie on rows and columns of the image are
joined by straight lines in their CRS, through any others goes the polynomial that GDAL fits.
"""

from collections.abc import Sequence
from math import floor, hypot, log10
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError
from rasterio.control import GroundControlPoint
from rasterio.errors import RasterioError
from rasterio.transform import GCPTransformer

from datacube.config.products import TargetSettings
from datacube.errors import SourceError
from datacube.ingest.geometry import TiePoints
from datacube.ingest.readers.raster import grid_of_raster, is_turned, plane_of
from datacube.ingest.regrid import map_grid, target_grid
from datacube.model.crs import Crs
from datacube.model.grid import RectifiedGrid, ReferenceableGrid

FloatArray = NDArray[np.float64]

_LINES = 65
_FEWEST = 3
_ALONG = 0.1


def placed(file: Any, path: Path, crs: Crs | None = None) -> tuple[RectifiedGrid, TiePoints | None]:
    """The grid of an open image, and where its pixels lie if they are not that grid's cells.

    Parameters
    ----------
    file : rasterio dataset
    path : Path
    crs : Crs, optional
        Of an image that names none.

    Raises
    ------
    SourceError
        Nothing says where it lies, or it takes a terrain model to know.
    """
    points, their = file.gcps
    if not file.transform.is_identity:
        if not is_turned(file):
            return grid_of_raster(file, path, crs), None
        own = _crs(file.crs, crs, path)
        found = _between(_corners(file), own, file)
    elif points:
        found = _between(points, _crs(their or file.crs, crs, path), file)
    elif file.rpcs is not None:
        raise SourceError(
            "its position is given by rational polynomials (RPC) alone, which take a model of the "
            "terrain; bring it to a map first (gdalwarp -rpc -to RPC_DEM=FILE)",
            subject=str(path),
        )
    else:
        return grid_of_raster(file, path, crs), None
    return _map(found), found


def _map(source: TiePoints) -> RectifiedGrid:
    """A map grid with cells of the pixels' size, where these lie along its axes or in a plane."""
    grid = source.points
    across, down = (
        [float(np.median(np.diff(one, axis=at) / steps)) for one in (grid.x, grid.y)]
        for at, steps in ((1, np.diff(source.columns)), (0, np.diff(source.rows)[:, None]))
    )
    if _leans(across, down) and grid.crs.geographic:
        return map_grid(source)
    if not _leans(across, down):
        sides = abs(across[0]), abs(down[1])
    elif not _leans(down, across):
        sides = abs(down[0]), abs(across[1])
    else:
        side = min(hypot(*across), hypot(*down))
        sides = side, side
    width, height = (round(one, 2 - floor(log10(one))) for one in sides)
    return target_grid(TargetSettings((width, height)), source)


def _leans(across: Sequence[float], down: Sequence[float]) -> bool:
    """Whether columns do not go along x or rows not along y."""
    return abs(across[1]) > _ALONG * abs(down[1]) or abs(down[0]) > _ALONG * abs(across[0])


def _crs(said: Any, given: Crs | None, path: Path) -> Crs:
    if said:
        return plane_of(said, path)
    if given is None:
        raise SourceError(
            "the image names no CRS for its position; a recipe can say it (crs: EPSG:32631)",
            subject=str(path),
        )
    return given


def _corners(file: Any) -> list[GroundControlPoint]:
    transform: Affine = file.transform
    places = [(row, column) for row in (0, file.height) for column in (0, file.width)]
    return [GroundControlPoint(row, column, *(transform @ (column, row))) for row, column in places]


def _between(points: Sequence[GroundControlPoint], crs: Crs, file: Any) -> TiePoints:
    """Tie points from edge to edge of an image, close enough to be joined in any way."""
    known = {(one.row, one.col): (one.x, one.y) for one in points}
    rows, columns = (np.array(sorted({place[at] for place in known})) for at in (0, 1))
    down, across = (
        np.unique(np.concatenate((lines, np.linspace(0, size, _LINES))))
        for lines, size in ((rows, file.height), (columns, file.width))
    )
    if min(len(rows), len(columns)) > 1 and len(known) == len(rows) * len(columns):
        x, y = (
            np.array([[known[row, column][at] for column in columns] for row in rows])
            for at in (0, 1)
        )
        if crs.geographic:
            x = np.unwrap(np.unwrap(x, axis=1, period=360), axis=0, period=360)
        x, y = (_joined(_joined(one, rows, down).T, columns, across).T for one in (x, y))
    else:
        x, y = _fitted(points, down, across)
    return TiePoints(ReferenceableGrid(crs, x, y), down, across, file.height, file.width)


def _joined(values: FloatArray, at: FloatArray, wanted: FloatArray) -> FloatArray:
    """Values along the first axis at other places, on straight lines that go on beyond the ends."""
    low = np.clip(np.searchsorted(at, wanted, side="right") - 1, 0, len(at) - 2)
    share = ((wanted - at[low]) / (at[low + 1] - at[low]))[:, None]
    return np.asarray(values[low] * (1 - share) + values[low + 1] * share)


def _fitted(
    points: Sequence[GroundControlPoint], rows: FloatArray, columns: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Positions by the polynomial that GDAL fits to scattered control points."""
    if len(points) < _FEWEST:
        raise SourceError(f"its {len(points)} ground control points are too few to place it")
    down, across = (one.ravel() for one in np.meshgrid(rows, columns, indexing="ij"))
    try:
        with GCPTransformer(list(points)) as fit:
            x, y = fit.xy(down, across, offset="ul")
    except (RasterioError, CPLE_BaseError, ValueError) as error:
        raise SourceError(
            f"its {len(points)} ground control points do not say where it lies: {error}"
        ) from error
    shape = len(rows), len(columns)
    return np.reshape(x, shape).astype(float), np.reshape(y, shape).astype(float)
