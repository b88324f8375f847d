"""The horizontal grid of a GRIB message, from the keys of its grid section.

WMO manual on codes, GRIB 2 templates 3.0, 3.1, 3.10, 3.20, 3.30 and 3.140 and their GRIB 1
counterparts. Longitudes and latitudes on a model's sphere are taken as EPSG:4326.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyproj

from datacube.errors import SourceError
from datacube.model.crs import Crs
from datacube.model.grid import Grid, RectifiedGrid, ReferenceableGrid
from datacube.model.regular import regular
from datacube.store.cfgrid import mesh

_ANGLE = 2e-3  # degrees: GRIB 1 rounds them to thousandths
_OTHERS = {
    "reduced_gg": "a reduced Gaussian grid, whose rows have unequal lengths",
    "reduced_rotated_gg": "a reduced Gaussian grid, whose rows have unequal lengths",
    "reduced_ll": "a reduced grid, whose rows have unequal lengths",
    "sh": "spherical harmonics, no grid of cells",
    "unstructured_grid": "an unstructured grid, whose positions are in another file",
    "healpix": "a HEALPix grid, no rows and columns",
}
_PROJECTED = (
    "lambert",
    "mercator",
    "polar_stereographic",
    "lambert_azimuthal_equal_area",
    "albers",
)


def grid_of_section(keys: Mapping[str, Any]) -> Grid:
    """Grid of a message.

    Raises
    ------
    SourceError
        Its grid type is not read; the message names it.

    Examples
    --------
    >>> keys = {"gridType": "regular_ll", "Ni": 4, "Nj": 3, "jScansPositively": 1}
    >>> keys |= {f"latitudeOf{one}GridPointInDegrees": at for one, at in
    ...     (("First", -10.0), ("Last", 10.0))}
    >>> keys |= {f"longitudeOf{one}GridPointInDegrees": at for one, at in
    ...     (("First", 350.0), ("Last", 20.0))}
    >>> grid_of_section(keys).bbox.edges
    (-15.0, -15.0, 25.0, 15.0)
    """
    kind = str(keys.get("gridType", "unknown"))
    if kind == "regular_ll":
        return _degrees(keys, Crs.parse("EPSG:4326"))
    if kind == "rotated_ll":
        return _degrees(keys, _rotated(keys))
    if kind == "regular_gg":
        return _gaussian(keys)
    if kind in _PROJECTED and keys.get("projTargetString"):
        return _projected(keys)
    said = _OTHERS.get(kind, "no grid that is read")
    raise SourceError(
        f"the grid type is {kind}, {said}; regular, regular Gaussian, rotated and projected grids "
        "can be read"
    )


def _degrees(keys: Mapping[str, Any], crs: Crs) -> RectifiedGrid:
    lines = []
    for name, (low, high), count in (
        ("longitudes", _longitudes(keys), int(keys["Ni"])),
        ("latitudes", _ends(keys, "latitude"), int(keys["Nj"])),
    ):
        # angles are whole numbers of 1/1000 (GRIB 1) or 1/1000000 degrees (GRIB 2)
        line = regular(np.linspace(low, high, count))
        if line is None:
            raise SourceError(f"the {name} of a grid of one cell do not say how large it is")
        lines.append((*line, count))
    return RectifiedGrid.from_centres(crs, *lines[0], *lines[1])


def _gaussian(keys: Mapping[str, Any]) -> ReferenceableGrid:
    """Cells on Gaussian latitudes: the roots of the Legendre polynomial of twice the number N."""
    first, last = _ends(keys, "latitude")
    roots = np.degrees(np.arcsin(np.polynomial.legendre.leggauss(2 * int(keys["N"]))[0]))
    low, high = min(first, last) - _ANGLE, max(first, last) + _ANGLE
    rows = roots[(roots >= low) & (roots <= high)]
    if len(rows) != int(keys["Nj"]):
        raise SourceError(f"{keys['Nj']} rows from {first} to {last} are not those of N{keys['N']}")
    west, east = _longitudes(keys)
    columns = np.linspace(west, east, int(keys["Ni"]))
    return mesh(columns, rows if last > first else rows[::-1], Crs.parse("EPSG:4326"))


def _ends(keys: Mapping[str, Any], axis: str) -> tuple[float, float]:
    first, last = (float(keys[f"{axis}Of{end}GridPointInDegrees"]) for end in ("First", "Last"))
    return first, last


def _longitudes(keys: Mapping[str, Any]) -> tuple[float, float]:
    """The westernmost and the easternmost column; at most 360."""
    west, east = _ends(keys, "longitude")
    if keys.get("iScansNegatively"):
        west, east = east, west
    while east <= west:
        east += 360.0
    return (west - 360.0, east - 360.0) if east > 360.0 else (west, east)


def _rotated(keys: Mapping[str, Any]) -> Crs:
    """CRS of a rotated grid: its north pole is opposite to the given south pole.

    The angle turns the grid itself, clockwise as seen from its southern to its northern pole, so
    that longitudes in it are less by as much.
    """
    mapping = {
        "grid_mapping_name": "rotated_latitude_longitude",
        "grid_north_pole_latitude": -float(keys["latitudeOfSouthernPoleInDegrees"]),
        "grid_north_pole_longitude": (
            (float(keys["longitudeOfSouthernPoleInDegrees"]) + 360) % 360 - 180
        ),
        "north_pole_grid_longitude": -float(keys.get("angleOfRotationInDegrees", 0.0)),
    }
    return Crs.from_wkt(pyproj.CRS.from_cf(mapping).to_wkt())


def _projected(keys: Mapping[str, Any]) -> RectifiedGrid:
    projection = pyproj.CRS.from_user_input(str(keys["projTargetString"]))
    dx, dy = (_length(keys, one) for one in "xy")
    x, y = pyproj.Proj(projection)(
        keys["longitudeOfFirstGridPointInDegrees"], keys["latitudeOfFirstGridPointInDegrees"]
    )
    columns, rows = int(keys.get("Ni", keys.get("Nx", 0))), int(keys.get("Nj", keys.get("Ny", 0)))
    if keys.get("iScansNegatively"):
        x -= (columns - 1) * dx
    up = dy if keys.get("jScansPositively") else -dy
    crs = Crs.from_wkt(projection.to_wkt())
    return RectifiedGrid.from_centres(crs, float(x), dx, columns, float(y), up, rows)


def _length(keys: Mapping[str, Any], axis: str) -> float:
    """Length of a cell in metres."""
    other = {"x": "DiInMetres", "y": "DjInMetres"}[axis]
    found = float(keys.get(f"D{axis}InMetres") or keys.get(other) or 0.0)
    if not found:
        raise SourceError(f"the grid section gives no length of a cell along {axis}")
    return found
