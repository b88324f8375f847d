"""Times that a cube had once: when and why they were deleted."""

from collections.abc import Iterator

import numpy as np

from datacube.engine.cube import Cube
from datacube.model.axis import TimeAxis
from datacube.model.time import Timestamp
from datacube.slicing.select_axis import times_named
from datacube.store.cube import CubeStore
from datacube.store.records import Deletion


def deletions(cube: Cube) -> Iterator[Deletion]:
    """The last deletion of each time that the cube does not have again, in order of time.

    Parameters
    ----------
    cube : Cube
        Of what others wrote nothing is known.
    """
    time = cube.description.domain.time
    if not isinstance(cube.store, CubeStore) or time is None:
        return
    last = {one.ticks: one for one in cube.store.record.deletions}
    if not last:
        return
    for ticks in sorted(last.keys() - set(time.ticks.tolist())):
        yield last[ticks]


def deleted(cube: Cube, axis: TimeAxis, when: Timestamp) -> str:
    """Which deletion an instant or a day names, in words; empty where there is none.

    Parameters
    ----------
    cube : Cube
    axis : TimeAxis
        Its time.
    when : Timestamp
    """
    found = list(deletions(cube))
    gone = TimeAxis(axis.name, np.array([one.ticks for one in found], np.int64), axis.calendar)
    named = times_named(gone, when)
    if not named:
        return ""
    one = found[named[-1]]
    return f"deleted {one.deleted[:10]}: {one.cause}"
