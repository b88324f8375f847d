"""Boxes in x, y order, with their CRS; across the antimeridian left is greater than right."""

from dataclasses import dataclass
from math import isfinite

from datacube.errors import InvalidSubset
from datacube.model.crs import CRS84, Crs, transform_bounds


@dataclass(frozen=True, slots=True)
class BoundingBox:
    """A box, x before y whatever the CRS says of axis order.

    Parameters
    ----------
    left, bottom, right, top : float
        Outer edges in units of crs. In a geographic CRS ``left > right`` means that the box
        crosses the antimeridian.
    crs : Crs

    Raises
    ------
    InvalidSubset
        An edge is not finite, bottom is above top, or left is right of right where x does not
        wrap.

    Examples
    --------
    >>> box = BoundingBox(170.0, -10.0, -170.0, 10.0, CRS84)
    >>> box.crosses_antimeridian, box.unwrapped().right, box.width
    (True, 190.0, 20.0)
    """

    left: float
    bottom: float
    right: float
    top: float
    crs: Crs

    def __post_init__(self) -> None:
        if not all(map(isfinite, self.edges)):
            raise InvalidSubset(f"the box {self.edges} has an edge that is not finite")
        if self.bottom > self.top:
            raise InvalidSubset(
                f"the box's lower y {self.bottom} is above its upper y {self.top}", subject="bbox"
            )
        if self.left > self.right and not self.crs.geographic:
            raise InvalidSubset(
                f"the box's lower x {self.left} is right of its upper x {self.right}",
                subject="bbox",
            )

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """(left, bottom, right, top)."""
        return self.left, self.bottom, self.right, self.top

    @property
    def crosses_antimeridian(self) -> bool:
        """Whether the box runs over ±180°."""
        return self.left > self.right

    @property
    def width(self) -> float:
        """Extent in x, in units of crs; never negative."""
        box = self.unwrapped()
        return box.right - box.left

    @property
    def height(self) -> float:
        """Extent in y, in units of crs."""
        return self.top - self.bottom

    def unwrapped(self) -> "BoundingBox":
        """The same box with right ≥ left (right may exceed 180)."""
        if not self.crosses_antimeridian:
            return self
        return BoundingBox(self.left, self.bottom, self.right + 360.0, self.top, self.crs)

    def split(self) -> tuple["BoundingBox", ...]:
        """One box, or the two sides of the antimeridian, within -180 … 180."""
        if not self.crosses_antimeridian:
            return (self,)
        return (
            BoundingBox(self.left, self.bottom, 180.0, self.top, self.crs),
            BoundingBox(-180.0, self.bottom, self.right, self.top, self.crs),
        )

    def to_crs(self, crs: Crs) -> "BoundingBox":
        """Smallest box in crs that holds this one (edges densified).

        Raises
        ------
        InvalidCrs
            The box has no image in crs.
        """
        if self.crs.same_plane(crs):
            return BoundingBox(*self.edges, crs)
        box = self.unwrapped()
        return BoundingBox(*transform_bounds(box.edges, self.crs, crs), crs)

    def geographic(self) -> "BoundingBox":
        """West, south, east, north in CRS84, longitudes within -180 … 180."""
        box = self.to_crs(CRS84)
        if box.width >= 360.0 - 1e-9:
            return BoundingBox(-180.0, max(box.bottom, -90.0), 180.0, min(box.top, 90.0), CRS84)
        west = _wrapped(box.left)
        east = west + box.width
        if east > 180.0 + 1e-9:
            east -= 360.0
        bottom, top = max(box.bottom, -90.0), min(box.top, 90.0)
        return BoundingBox(west, bottom, min(east, 180.0), top, CRS84)


def _wrapped(longitude: float) -> float:
    """Longitude within -180 … 180, exact where it already is."""
    if -180.0 <= longitude < 180.0:
        return longitude
    return (longitude + 180.0) % 360.0 - 180.0
