"""Cells of longitude and latitude as places on the globe, where a pole is like any other place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Globe:
    """How cells count longitude and latitude.

    Parameters
    ----------
    turn : float, columns of 360 degrees
    poles : (float, float), rows of the latitudes +90 and -90 degrees

    Examples
    --------
    >>> globe = Globe(360.0, (0.0, 180.0))
    >>> vectors = globe.vectors(np.array([90.0]), np.array([90.0]))
    >>> [one.round(9).item() for one in vectors]
    [0.0, 1.0, 0.0]
    >>> [one.item() for one in globe.positions(*vectors)]
    [90.0, 90.0]
    """

    turn: float
    poles: tuple[float, float]

    def vectors(self, u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Unit vectors of positions, any shape."""
        north, south = self.poles
        lon = u * (2 * np.pi / self.turn)
        lat = np.pi / 2 - (v - north) * (np.pi / (south - north))
        out = np.cos(lat)
        return out * np.cos(lon), out * np.sin(lon), np.sin(lat)

    def positions(
        self, x: FloatArray, y: FloatArray, z: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Positions of vectors of any length; columns within half a turn of 0."""
        north, south = self.poles
        u = np.arctan2(y, x) * (self.turn / (2 * np.pi))
        from_north = np.pi / 2 - np.arctan2(z, np.hypot(x, y))
        return u, north + from_north * ((south - north) / np.pi)
