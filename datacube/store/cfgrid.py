"""The horizontal grid of CF coordinates, and the reason where there is none to use.

CF conventions 1.11, section 5.6 and appendix F (grid mappings).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyproj
from numpy.typing import NDArray
from pyproj.exceptions import CRSError

from datacube.errors import InvalidCrs, SourceError
from datacube.model.crs import CRS84, Crs, transform
from datacube.model.grid import RectifiedGrid, ReferenceableGrid
from datacube.model.regular import regular, unwrapped
from datacube.store.cf import Coordinate, numbers

FloatArray = NDArray[np.float64]

_METRES = {"km": 1000.0, "kilometer": 1000.0, "kilometers": 1000.0, "kilometre": 1000.0}
_FARTHEST = 720.0  # degrees of longitude
_POSITIONS = 1 << 24  # cells
_ROUNDED = 1e-4  # degrees that a latitude may be beyond the pole


def equidistant(x: Coordinate, y: Coordinate, crs: Crs) -> bool:
    """Whether two coordinates make equal cells."""
    places = unwrapped(x.values) if crs.geographic else x.values
    return all(
        len(values) == 1 or regular(values, one.stored) is not None
        for one, values in ((x, places), (y, y.values))
    )


def grid_of(x: Coordinate, y: Coordinate, crs: Crs, mapping: Mapping[str, Any]) -> RectifiedGrid:
    """Grid of two coordinate variables.

    Raises
    ------
    SourceError
        The coordinates are not equidistant.
    """
    factor_x, factor_y = (_factor(one, mapping) for one in (x, y))
    places = unwrapped(x.values) if crs.geographic else x.values
    along_x = _regular(x, places * factor_x)
    along_y = _regular(y, y.values * factor_y)
    return RectifiedGrid.from_centres(crs, *along_x, len(x.values), *along_y, len(y.values))


def lines_grid(x: Coordinate, y: Coordinate, crs: Crs) -> ReferenceableGrid:
    """Grid of two coordinates that are not equidistant (Gaussian latitudes), cell by cell.

    Raises
    ------
    SourceError
        They are not strictly monotonic, or the grid is too large for positions.
    """
    lines = []
    for one, values in ((x, unwrapped(x.values) if crs.geographic else x.values), (y, y.values)):
        steps = np.diff(values)
        if len(values) < 2 or not ((steps > 0).all() or (steps < 0).all()):
            raise SourceError(
                f"the horizontal axis '{one.name}' is not strictly ascending or descending"
            )
        lines.append(values)
    if len(lines[0]) * len(lines[1]) > _POSITIONS:
        raise SourceError(
            f"the horizontal axes '{x.name}' and '{y.name}' are not equidistant, and "
            f"{len(lines[0])} x {len(lines[1])} cells are too many to keep a position for each; "
            "bring it to equal cells first (gdalwarp, cdo remapbil)"
        )
    return mesh(lines[0], lines[1], crs)


def mesh(x: FloatArray, y: FloatArray, crs: Crs) -> ReferenceableGrid:
    """Grid of the places along two axes, as longitudes and latitudes of each cell.

    Examples
    --------
    >>> from datacube.model.crs import CRS84
    >>> mesh(np.array([0.0, 10.0]), np.array([80.0, 70.0, 65.0]), CRS84).y.tolist()
    [[80.0, 80.0], [70.0, 70.0], [65.0, 65.0]]
    """
    east, north = np.meshgrid(np.asarray(x, np.float64), np.asarray(y, np.float64))
    if not crs.geographic:
        east, north = transform(east, north, crs, CRS84)
    return ReferenceableGrid(Crs.parse("EPSG:4326"), east, np.clip(north, -90.0, 90.0))


def positions_grid(lon: Coordinate, lat: Coordinate) -> ReferenceableGrid:
    """Grid of longitudes and latitudes of each cell.

    Positions that are no numbers, fill values, off the globe, or the same point (0, 0) again and
    again (as models write for what they leave out) are none.

    Raises
    ------
    SourceError
        Fewer than 2 x 2 cells, or none has a position.
    """
    x, y = np.asarray(lon.values, np.float64).copy(), np.asarray(lat.values, np.float64).copy()
    if x.ndim != 2 or x.shape != y.shape or min(x.shape) < 2:
        raise SourceError(
            f"positions '{lon.name}' and '{lat.name}' of {x.shape} and {y.shape} cells; at least "
            "2 x 2 of each are needed"
        )
    lost = ~(np.abs(x) <= _FARTHEST) | ~(np.abs(y) <= 90.0 + _ROUNDED)
    for one in (lon, lat):
        for key in ("_FillValue", "missing_value"):
            for value in numbers(one.attributes.get(key, [])):
                # a fill value of 0, as Zarr has it by default, is a good position
                lost |= (one.raw == value) & (abs(value) > 90)
    nowhere = (x == 0) & (y == 0)
    if np.count_nonzero(nowhere) > 1:
        lost |= nowhere
    x[lost] = y[lost] = np.nan
    if np.count_nonzero(~lost) < 2:
        raise SourceError(f"no cell has a position in '{lon.name}' and '{lat.name}'")
    return ReferenceableGrid(Crs.parse("EPSG:4326"), x, np.clip(y, -90.0, 90.0))


def crs_of(mapping: Mapping[str, Any], *, geographic: bool, given: Crs | None) -> Crs:
    """CRS of a grid mapping.

    A plain latitude-longitude grid without an authority's code (a model's sphere) is taken as
    EPSG:4326, as every tool of the field does.

    Raises
    ------
    SourceError
        Projected coordinates without a CRS, or a grid mapping that PROJ cannot read.
    """
    if geographic and given is None:
        found = _crs(mapping, strict=False)
        return found if found is not None and _plain(found) else Crs.parse("EPSG:4326")
    if given is not None:
        return given
    found = _crs(mapping, strict=True)
    if found is None:
        raise SourceError(
            "the projected coordinates name no CRS (no grid_mapping); a recipe can give one"
        )
    if found.geographic:
        raise SourceError("the grid mapping is geographic but the coordinates are projected")
    return found


def _plain(crs: Crs) -> bool:
    return crs.geographic and crs.has_code


def _crs(mapping: Mapping[str, Any], *, strict: bool) -> Crs | None:
    if not mapping.keys() & {"grid_mapping_name", "crs_wkt", "spatial_ref", "proj4text"}:
        return None
    for key in ("crs_wkt", "spatial_ref", "proj4text"):
        if text := str(mapping.get(key, "")).strip():
            try:
                return Crs.from_wkt(text)
            except InvalidCrs:
                continue
    try:
        # netCDF gives numpy numbers, PROJ wants Python's
        plain = {name: np.asarray(value).tolist() for name, value in mapping.items()}
        return Crs.from_wkt(pyproj.CRS.from_cf(plain).to_wkt())
    except (CRSError, KeyError, ValueError, TypeError, InvalidCrs) as error:
        if strict:
            kind = mapping.get("grid_mapping_name", "unnamed")
            raise SourceError(f"PROJ cannot read the grid mapping '{kind}': {error}") from error
        return None


def _factor(coordinate: Coordinate, mapping: Mapping[str, Any]) -> float:
    """What turns stored coordinates into the unit of the CRS (metre, degree).

    Geostationary scan angles in radians become metres by the satellite's height (PROJ geos).
    """
    units = coordinate.units.lower()
    height = mapping.get("perspective_point_height")
    angles = units in {"rad", "radian", "radians"} or not (
        units or np.abs(coordinate.values).max() > 1
    )
    if angles and height is not None:
        return float(height)
    return _METRES.get(units, 1.0)


def _regular(
    coordinate: Coordinate, values: np.ndarray[Any, np.dtype[np.float64]]
) -> tuple[float, float]:
    if len(values) == 1:
        raise SourceError(
            f"the axis '{coordinate.name}' has one cell, so that its size is not known"
        )
    line = regular(values, coordinate.stored)
    if line is None:
        raise SourceError(
            f"the horizontal axis '{coordinate.name}' is not equidistant; regular grids only"
        )
    return line
