"""Whether a grid mapping agrees with the longitudes and latitudes that the file gives as well."""

from typing import Any

import netCDF4
import numpy as np

from datacube.errors import SourceError
from datacube.ingest.readers.cf import mapping_of
from datacube.model.crs import CRS84, transform
from datacube.store.cf import Coordinate, words
from datacube.store.cfgrid import crs_of

_FAR = 0.1  # degrees; positions on another ellipsoid are less than that away


def mapping_agrees(variable: Any, file: netCDF4.Dataset, x: Coordinate, y: Coordinate) -> bool:
    """Whether the grid mapping puts the corners where the file's own positions are.

    True where the file gives no positions; False where it gives no usable grid mapping.

    Parameters
    ----------
    variable : netCDF4.Variable, on the grid
    x, y : coordinates in the plane of the grid mapping, degrees or metres
    """
    try:
        crs = crs_of(mapping_of(variable, file), geographic=False, given=None)
    except SourceError:
        return False
    lon, lat = (_positions(variable, file, name) for name in ("longitude", "latitude"))
    if lon is None or lat is None or lon.shape != (len(y.values), len(x.values)):
        return True
    rows, columns = (np.array([0, 0, -1, -1]), np.array([0, -1, 0, -1]))
    found = transform(x.values[columns], y.values[rows], crs, CRS84)
    east = np.abs((found[0] - lon[rows, columns] + 180) % 360 - 180)
    north = np.abs(found[1] - lat[rows, columns])
    return bool((north < _FAR).all() and (east * np.cos(np.radians(found[1])) < _FAR).all())


def _positions(variable: Any, file: netCDF4.Dataset, standard_name: str) -> Any:
    for name in words(getattr(variable, "coordinates", "")):
        one = file.variables.get(name)
        if one is not None and one.ndim == 2 and getattr(one, "standard_name", "") == standard_name:
            return np.asarray(one[...], np.float64)
    return None
