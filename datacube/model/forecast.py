"""Forecasts: values by run and lead time, and the valid times that both make.

The axes of a forecast are the start of the run (``reference_time``) and the time since then
(``step``). A valid time is their sum; where runs overlap several runs have it, and the newest of
them is the best.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from datacube.model.axis import Axis, IrregularAxis, RegularAxis, TickArray, TimeAxis
from datacube.model.calendar import MS_PER_DAY
from datacube.model.domain import DomainSet

type LeadAxis = RegularAxis | IrregularAxis

_NAMES = frozenset({"step", "lead", "lead_time", "leadtime", "forecast_period"})
_MILLISECONDS = {
    "ms": 1,
    "s": 1000,
    "second": 1000,
    "min": 60_000,
    "minute": 60_000,
    "h": 3_600_000,
    "hr": 3_600_000,
    "hour": 3_600_000,
    "d": MS_PER_DAY,
    "day": MS_PER_DAY,
}


@dataclass(frozen=True, eq=False)
class ForecastAxes:
    """The two axes of a forecast.

    Parameters
    ----------
    runs : TimeAxis, when the runs start
    leads : axis, time since then
    place : int, of leads among the axes
    unit : int, milliseconds in the unit of leads
    """

    runs: TimeAxis
    leads: LeadAxis
    place: int
    unit: int

    @classmethod
    def of(cls, domain: DomainSet) -> Self | None:
        """The axes of a domain that has a lead time beside its time, which comes first.

        Examples
        --------
        >>> from datacube.model.crs import CRS84
        >>> from datacube.model.grid import RectifiedGrid
        >>> grid = RectifiedGrid.from_centres(CRS84, 0, 1, 4, 0, 1, 3)
        >>> runs = TimeAxis("reference_time", np.arange(2) * 86_400_000)
        >>> axes = ForecastAxes.of(DomainSet(grid, (runs, RegularAxis("step", 0, 6, 5, "h"))))
        >>> axes.ticks.tolist()[-1]
        86400000
        >>> ForecastAxes.of(DomainSet(grid, (runs,))) is None
        True
        """
        runs = domain.axes[0] if domain.axes else None
        if not isinstance(runs, TimeAxis):
            return None
        for place, axis in enumerate(domain.axes):
            if isinstance(axis, RegularAxis | IrregularAxis) and (unit := lead_unit(axis)):
                return cls(runs, axis, place, unit)
        return None

    @property
    def ticks(self) -> TickArray:
        """Time since the start of the run; int64, (steps,), milliseconds."""
        return np.rint(self.leads.coordinates * self.unit).astype(np.int64)


@dataclass(frozen=True, eq=False)
class ValidTimes:
    """Valid times, each of one run and step.

    Parameters
    ----------
    axis : TimeAxis, the valid times
    runs : intp, (size,), index of the run of each
    steps : intp, (size,), index of the step of each
    """

    axis: TimeAxis
    runs: NDArray[np.intp]
    steps: NDArray[np.intp]

    @classmethod
    def best(cls, axes: ForecastAxes, held: NDArray[np.bool_]) -> Self:
        """Every valid time, of the newest run that holds it.

        Parameters
        ----------
        held : bool, (runs, steps)
            What there is; one row for the view of a run, one column for that of a lead time.

        Examples
        --------
        >>> runs = TimeAxis("reference_time", np.array([0, 6]) * 3_600_000)
        >>> axes = ForecastAxes(runs, RegularAxis("step", 0, 6, 3, "h"), 1, 3_600_000)
        >>> times = ValidTimes.best(axes, np.array([[True, True, True], [True, False, True]]))
        >>> (times.axis.ticks // 3_600_000).tolist()
        [0, 6, 12, 18]
        >>> times.runs.tolist(), times.steps.tolist()
        ([0, 1, 0, 1], [0, 0, 2, 2])
        """
        runs, steps = np.nonzero(held)
        ticks = axes.runs.ticks[runs] + axes.ticks[steps]
        order = np.lexsort((runs, ticks))
        ordered = ticks[order]
        newest = np.ones(len(order), bool)
        newest[:-1] = ordered[1:] != ordered[:-1]
        chosen = order[newest]
        axis = TimeAxis("time", ticks[chosen], axes.runs.calendar)
        return cls(axis, runs[chosen], steps[chosen])


def lead_unit(axis: Axis) -> int | None:
    """Milliseconds in the unit of an axis of lead times; None for any other axis.

    Examples
    --------
    >>> lead_unit(RegularAxis("step", 0, 6, 5, "hours")), lead_unit(RegularAxis("z", 0, 6, 5, "m"))
    (3600000, None)
    """
    if not isinstance(axis, RegularAxis | IrregularAxis):
        return None
    known = axis.name.lower() in _NAMES or axis.title.lower() in _NAMES
    return _MILLISECONDS.get(_unit(axis)) if known else None


def _unit(axis: LeadAxis) -> str:
    unit = axis.uom.strip().lower()
    return unit if unit in _MILLISECONDS else unit.removesuffix("s")
