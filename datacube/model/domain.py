"""The domain set: where a coverage has values."""

from dataclasses import dataclass

from datacube.errors import AxisNotFound, InvalidSubset
from datacube.model.axis import Axis, TimeAxis, axis_mark, is_vertical
from datacube.model.bbox import BoundingBox
from datacube.model.grid import Grid, RectifiedGrid

_X_ALIASES = frozenset({"long", "lon", "longitude", "x", "e", "easting", "i"})
_Y_ALIASES = frozenset({"lat", "latitude", "y", "n", "northing", "j"})
_TIME_ALIASES = frozenset({"time", "t", "date", "datetime", "ansi", "unix", "phenomenontime"})
_VERTICAL_ALIASES = frozenset({"elevation", "z", "h"})


@dataclass(frozen=True, slots=True)
class DomainSet:
    """A horizontal grid and further axes; arrays over it have shape (*axes, y, x).

    Parameters
    ----------
    grid : RectifiedGrid or ReferenceableGrid
    axes : tuple of Axis
        In array order, slowest first; names are unique.
    """

    grid: Grid
    axes: tuple[Axis, ...] = ()

    def __post_init__(self) -> None:
        names = [axis.name for axis in self.axes]
        if len(set(names)) != len(names):
            raise ValueError(f"axes of the same name: {names}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes, then height and width."""
        return (*(axis.size for axis in self.axes), *self.grid.shape)

    @property
    def bbox(self) -> BoundingBox:
        """Outer edges of the grid in its own CRS."""
        return self.grid.bbox

    @property
    def time(self) -> TimeAxis | None:
        """The time axis, if there is one."""
        return next((axis for axis in self.axes if isinstance(axis, TimeAxis)), None)

    @property
    def vertical(self) -> Axis | None:
        """The vertical axis, if there is one."""
        return next((axis for axis in self.axes if is_vertical(axis)), None)

    @property
    def rectified(self) -> RectifiedGrid:
        """The grid, where it is a rectified one.

        Raises
        ------
        InvalidSubset
            The grid is referenceable.
        """
        if not isinstance(self.grid, RectifiedGrid):
            raise InvalidSubset(
                "the cells of this coverage have positions of their own, which this request cannot "
                "go with; trims, points, lines and maps can"
            )
        return self.grid

    @property
    def mark(self) -> str:
        """Names the domain with every place of its axes."""
        return " ".join((repr(self.grid), *map(axis_mark, self.axes)))

    def axis(self, name: str) -> Axis | str:
        """The axis that a client means: an :data:`Axis`, or ``"x"`` or ``"y"``.

        Names are compared without case; the aliases of the field are known (Lat, latitude, y;
        Long, lon, x; ansi, unix, time, t, phenomenonTime; elevation).

        Raises
        ------
        AxisNotFound
            The coverage has no such axis; the message lists those it has.
        """
        wanted = name.lower().rpartition("/")[2]
        own = {axis.name.lower(): axis for axis in self.axes}
        x_label, y_label = (label.lower() for label in self.grid.crs.labels)
        if wanted in own:
            return own[wanted]
        if wanted == x_label or (wanted in _X_ALIASES and wanted != y_label):
            return "x"
        if wanted == y_label or wanted in _Y_ALIASES:
            return "y"
        if wanted in _TIME_ALIASES and self.time is not None:
            return self.time
        if wanted in _VERTICAL_ALIASES and self.vertical is not None:
            return self.vertical
        names = [*self.grid.crs.axis_labels, *(axis.name for axis in self.axes)]
        raise AxisNotFound(f"no axis '{name}'; the axes are {', '.join(names)}", subject=name)
