"""Forecasts in NetCDF: the start of the run and the time since then as the two axes of a cube.

A file has both axes, or valid times and the run that they are of; either way the cube is that of
a GRIB forecast: ``reference_time``, and ``step`` in hours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from datacube.errors import SourceError
from datacube.ingest.source import BandSource, SliceSource
from datacube.model.axis import Axis, IrregularAxis, axis_values
from datacube.model.fields import Field
from datacube.model.forecast import lead_unit
from datacube.store.layout import fill_of

RUN = "reference_time"
"""How the time axis of a forecast cube is called."""

_MS_PER_HOUR = 3_600_000


@dataclass(frozen=True, eq=False)
class StepBand:
    """A field of one run, its steps first among the further axes.

    Parameters
    ----------
    steps : mapping of place along the step axis to BandSource
        A place without one is no data.
    field : Field
    """

    steps: Mapping[int, BandSource]
    field: Field

    def read(
        self, index: tuple[int, ...], row0: int, row1: int, column0: int, column1: int
    ) -> NDArray[np.generic]:
        """Packed values of a window; see :class:`~datacube.ingest.source.BandSource`."""
        band = self.steps.get(index[0])
        if band is None:
            return np.full((row1 - row0, column1 - column0), fill_of(self.field), self.field.dtype)
        return band.read(index[1:], row0, row1, column0, column1)


def step_axis(hours: NDArray[np.float64]) -> Axis:
    """The axis of lead times."""
    return IrregularAxis("step", hours, "h", "forecast_period")


def with_steps(axes: Sequence[Axis]) -> tuple[Axis, ...] | None:
    """Axes whose lead times are a ``step`` in hours; None where there is no lead time among them.

    Parameters
    ----------
    axes : sequence of Axis, all but time

    Examples
    --------
    >>> (axis,) = with_steps((IrregularAxis("lead", np.array([0.5, 1.0]), "days"),))
    >>> axis.name, axis.coordinates.tolist(), axis.uom
    ('step', [12.0, 24.0], 'h')
    """
    units = [lead_unit(axis) for axis in axes]
    place = next((number for number, unit in enumerate(units) if unit is not None), None)
    if place is None:
        return None
    hours = np.asarray(axis_values(axes[place]), np.float64) * (units[place] or 0) / _MS_PER_HOUR
    return (*axes[:place], step_axis(hours), *axes[place + 1 :])


def by_run(
    slices: Sequence[SliceSource], fields: Sequence[Field]
) -> tuple[tuple[SliceSource, ...], Axis]:
    """Slices of valid times as one slice for each run, and the axis of their steps.

    Parameters
    ----------
    slices : sequence of SliceSource
        Each with its time and that of its run.
    fields : sequence of Field

    Raises
    ------
    SourceError
        The run of a slice is not known, or has two fields for one time.

    Examples
    --------
    >>> day = 24 * 3_600_000
    >>> runs, axis = by_run([SliceSource(2 * day, {}, day), SliceSource(2 * day, {}, 0)], ())
    >>> [one.ticks // day for one in runs], axis.coordinates.tolist()
    ([0, 1], [24.0, 48.0])
    """
    placed: dict[int, dict[int, SliceSource]] = {}
    for one in slices:
        if one.ticks is None or one.reference_ticks is None:
            raise SourceError("it does not say its run (forecast_reference_time, --ref-time)")
        run = placed.setdefault(one.reference_ticks, {})
        if one.ticks in run:
            raise SourceError("the time axis repeats an instant of one run")
        run[one.ticks] = one
    leads = sorted({ticks - run for run, members in placed.items() for ticks in members})
    made = tuple(
        replace(
            next(iter(members.values())),
            ticks=run,
            bands={field.name: _band(members, run, leads, field) for field in fields},
        )
        for run, members in sorted(placed.items())
    )
    return made, step_axis(np.array(leads, np.float64) / _MS_PER_HOUR)


def _band(
    members: Mapping[int, SliceSource], run: int, leads: Sequence[int], field: Field
) -> StepBand:
    found = {
        place: members[run + lead].bands[field.name]
        for place, lead in enumerate(leads)
        if run + lead in members
    }
    return StepBand(found, field)
