"""Values at places or over a region, for each place of the axes that are left."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datacube.model.axis import Axis
from datacube.model.calendar import Calendar
from datacube.model.coverage import CoverageDescription
from datacube.model.crs import Crs
from datacube.model.fields import Field
from datacube.model.geometry import Region


@dataclass(frozen=True, eq=False)
class Places:
    """The places that values are of: the last dimension of the values.

    Parameters
    ----------
    x, y : float64, (places,), in crs
    crs : Crs
    ticks : int64, (places,), each place's own time, or None
    calendar : of the ticks
    heights : float64, (places,), each place's own, or None
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    crs: Crs
    ticks: NDArray[np.int64] | None = None
    calendar: Calendar = "standard"
    heights: NDArray[np.float64] | None = None

    @property
    def single(self) -> bool:
        """Whether it is one place, without a time or height of its own."""
        return len(self.x) == 1 and self.ticks is None and self.heights is None


@dataclass(frozen=True, eq=False)
class Sampled:
    """What a line or area query gives.

    Parameters
    ----------
    description : CoverageDescription of the cube
    axes : those that the values still have, in array order
    where : Places, or the Region that the values sum up
    fields : Field of each array
    data, valid : by field, (*axes,) and for places (*axes, places)
    notes : tuple of str
    """

    description: CoverageDescription
    axes: tuple[Axis, ...]
    where: Places | Region
    fields: tuple[Field, ...]
    data: Mapping[str, NDArray[np.generic]]
    valid: Mapping[str, NDArray[np.bool_]]
    notes: tuple[str, ...] = ()

    def physical(self, field: Field) -> NDArray[np.floating]:
        """Physical values of a field, NaN where not valid."""
        return field.decode(self.data[field.name], self.valid[field.name])
