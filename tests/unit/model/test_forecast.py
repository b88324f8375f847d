"""Valid times of runs and lead times, against a search through all of them."""

import numpy as np
import pytest

from datacube.model.axis import IndexAxis, IrregularAxis, RegularAxis, TimeAxis
from datacube.model.crs import CRS84
from datacube.model.domain import DomainSet
from datacube.model.forecast import ForecastAxes, ValidTimes
from datacube.model.grid import RectifiedGrid

HOUR = 3_600_000


def axes_of(runs, leads, unit=HOUR):
    axis = TimeAxis("reference_time", np.array(runs) * HOUR)
    return ForecastAxes(axis, IrregularAxis("step", np.array(leads, float), "h"), 1, unit)


def searched(runs, leads, held):
    """Valid time in hours -> the last run that holds it, and its step."""
    found = {}
    for r, run in enumerate(runs):
        for s, lead in enumerate(leads):
            if held[r][s]:
                found[run + lead] = (r, s)
    return dict(sorted(found.items()))


@pytest.mark.parametrize("seed", range(20))
def test_the_newest_run_that_holds_a_valid_time(seed):
    rng = np.random.default_rng(seed)
    runs = np.sort(rng.choice(100, rng.integers(1, 12), replace=False))
    leads = np.sort(rng.choice(60, rng.integers(1, 15), replace=False))
    held = rng.random((len(runs), len(leads))) < 0.7
    times = ValidTimes.best(axes_of(runs, leads), held)
    expected = searched(runs, leads, held)
    assert (times.axis.ticks // HOUR).tolist() == list(expected)
    assert list(zip(times.runs.tolist(), times.steps.tolist(), strict=True)) == [*expected.values()]


def test_nothing_held_has_no_valid_time():
    assert ValidTimes.best(axes_of([0], [0, 6]), np.zeros((1, 2), bool)).axis.size == 0


def test_falling_lead_times_and_the_calendar_of_the_runs():
    runs = TimeAxis("reference_time", np.array([0]), "360_day")
    axes = ForecastAxes(runs, RegularAxis("step", 12, -6, 3, "h"), 1, HOUR)
    times = ValidTimes.best(axes, np.ones((1, 3), bool))
    assert (times.axis.calendar, times.axis.size) == ("360_day", 3)
    assert times.steps.tolist() == [2, 1, 0]


@pytest.mark.parametrize(
    ("axis", "ms"),
    [
        (RegularAxis("step", 0, 6, 3, "hours"), 6 * HOUR),
        (RegularAxis("lead", 0, 1, 3, "days"), 24 * HOUR),
        (RegularAxis("fp", 0, 3600, 3, "s", "forecast_period"), HOUR),
        (IrregularAxis("step", np.array([0.0, 30.0, 60.0]), "minutes"), HOUR // 2),
    ],
)
def test_lead_times_by_name_and_unit(axis, ms):
    axes = ForecastAxes.of(domain(axis))
    assert (axes.leads.name, axes.ticks.tolist()[1]) == (axis.name, ms)


@pytest.mark.parametrize(
    "axis",
    [
        RegularAxis("step", 0, 1, 3, ""),
        RegularAxis("step", 0, 1, 3, "m"),
        RegularAxis("hour", 0, 1, 3, "h"),
        IndexAxis("step", 3),
    ],
)
def test_other_axes_make_no_forecast(axis):
    assert ForecastAxes.of(domain(axis)) is None


def domain(*axes):
    grid = RectifiedGrid.from_centres(CRS84, 0, 1, 4, 0, 1, 3)
    return DomainSet(grid, (TimeAxis("reference_time", np.arange(2) * HOUR), *axes))
