"""Forecast cubes whose every value can be computed by hand: runs that overlap, steps that lack.

The value of run r at step s is ``1000 * r + 100 * s + 10 * y + x`` (and 10 000 for each place of a
further axis), with no data at the steps that a run does not hold.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from datacube.model.axis import Axis, IrregularAxis, TimeAxis
from datacube.model.domain import DomainSet
from datacube.model.fields import Field
from datacube.store.create import create_cube
from datacube.store.cube import CubeStore, open_cube
from datacube.store.manifest import SourceRecord
from datacube.store.transaction import transaction
from datacube.store.url import open_store
from tests.cubes import make_description, ticks_of

RUNS = ("2020-01-01", "2020-01-02", "2020-01-03")
STEPS = IrregularAxis("step", np.array([0.0, 12.0, 24.0, 36.0]), "h", "forecast_period")
HELD = {(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 3), (2, 0), (2, 2)}
"""(run, step) that there are: the second run lacks its third step, the last one two."""

BEST = {
    "2020-01-01T00:00:00Z": (0, 0),
    "2020-01-01T12:00:00Z": (0, 1),
    "2020-01-02T00:00:00Z": (1, 0),
    "2020-01-02T12:00:00Z": (1, 1),
    "2020-01-03T00:00:00Z": (2, 0),
    "2020-01-03T12:00:00Z": (1, 3),
    "2020-01-04T00:00:00Z": (2, 2),
}
"""Valid time -> the newest run that holds it, and the step."""


def make_forecast(
    url: str | Path,
    name: str = "model",
    *,
    before: Sequence[Axis] = (),
    after: Sequence[Axis] = (),
    runs: Sequence[str] = RUNS,
) -> CubeStore:
    """A forecast of 10 x 5 cells; ``before`` and ``after`` are the axes beside the step."""
    store = open_store(str(url))
    field = Field("v", "float32", uom="K", title="Value", standard_name="air_temperature")
    axes = (*before, STEPS, *after)
    made = make_description(name, width=10, height=5, fields=(field,), axes=axes, title="Model")
    run_axis = TimeAxis("reference_time", np.zeros(0, np.int64), title="forecast_reference_time")
    made = replace(made, domain=DomainSet(made.domain.grid, (run_axis, *axes)))
    create_cube(store, made)
    add_runs(url, name, runs, range(len(runs)), axes)
    return open_cube(store, name)


def add_runs(
    url: str | Path,
    name: str,
    runs: Sequence[str],
    numbers: Sequence[int],
    axes: Sequence[Axis] = (STEPS,),
) -> None:
    """Write runs; ``numbers`` are the r of their values, and beyond the last every step is held."""
    sizes = tuple(axis.size for axis in axes)
    along = list(axes).index(STEPS)
    y, x = np.arange(5)[:, None], np.arange(10)[None, :]
    with transaction(open_store(str(url)), name, "runs") as tx:
        for text, r in zip(runs, numbers, strict=True):
            whole = np.full((*sizes, 5, 10), np.nan, np.float32)
            for place in np.ndindex(*sizes):
                s = place[along]
                if r >= len(RUNS) or (r, s) in HELD:
                    others = sum(at for n, at in enumerate(place) if n != along)
                    whole[place] = 1000 * r + 100 * s + 10 * y + x + 10_000 * others
            tx.write_slice(ticks_of(text), {"v": whole}, SourceRecord(text))
