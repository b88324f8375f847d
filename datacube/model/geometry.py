"""Geometries that queries ask along and within: paths and regions."""

from dataclasses import dataclass

from datacube.model.crs import Crs

type Position = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Path:
    """Places one after the other: a line's vertices, or places that nothing joins.

    Parameters
    ----------
    vertices : (x, y) of each, in crs
    crs : Crs
    joined : bool
        Whether the values between the vertices are wanted too.
    times : one for each vertex, in milliseconds since 1970, or none
    heights : one for each vertex, in the unit of the vertical axis, or none

    Examples
    --------
    >>> from datacube.model.crs import CRS84
    >>> len(Path(((0.0, 50.0), (10.0, 52.0)), CRS84, joined=True).vertices)
    2
    """

    vertices: tuple[Position, ...]
    crs: Crs
    joined: bool = False
    times: tuple[float, ...] = ()
    heights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name, values in (("times", self.times), ("heights", self.heights)):
            if values and len(values) != len(self.vertices):
                raise ValueError(f"{len(values)} {name} for {len(self.vertices)} vertices")


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the plane: what an odd number of rings holds.

    Parameters
    ----------
    rings : outer and inner ones of one or more polygons, each of (x, y) in crs; closed or not
    crs : Crs

    Examples
    --------
    >>> from datacube.model.crs import CRS84
    >>> Region((((0.0, 0.0), (4.0, 0.0), (0.0, 3.0)),), CRS84).bounds
    (0.0, 0.0, 4.0, 3.0)
    """

    rings: tuple[tuple[Position, ...], ...]
    crs: Crs

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Smallest x and y, largest x and y."""
        xs = [x for ring in self.rings for x, _ in ring]
        ys = [y for ring in self.rings for _, y in ring]
        return min(xs), min(ys), max(xs), max(ys)
