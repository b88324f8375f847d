"""Making the series copy of a cube anew where it lacks something, or for the first time."""

from dataclasses import replace

from datacube.errors import ConflictError
from datacube.store.commit import Change, commit, merge
from datacube.store.create import new_series
from datacube.store.cube import CubeStore, open_cube
from datacube.store.history import read_version
from datacube.store.home import changeable, locate
from datacube.store.layout import SERIES_STEPS
from datacube.store.objects import ObjectStore
from datacube.store.records import SeriesRecord
from datacube.store.segments import missing
from datacube.store.slots import Slots
from datacube.store.transpose import UnreadableError, make_segments
from datacube.store.writer import Uploader


def rebuild_series(
    store: ObjectStore, cube_id: str, *, steps: int | None = None, tail: bool = False
) -> CubeStore:
    """Make every segment that the series copy of a cube lacks, in one commit.

    A cube that keeps no series copy keeps one from then on.

    Parameters
    ----------
    store : ObjectStore
    cube_id : str
    steps : int, optional
        Times in a segment; default what the cube has, else
        :data:`~datacube.store.layout.SERIES_STEPS`. Another number makes the whole copy anew.
    tail : bool
        Hold the last times too although they are less than a full segment: for a cube that is
        complete. Where it still grows, the short segment is made anew at the next time.

    Returns
    -------
    CubeStore
        At the version that has them.

    Raises
    ------
    ValueError
        The cube has no time, or a field or axis of it is called ``series``.
    StorageError
        A map chunk is damaged, or the storage failed.
    """
    home, head = locate(store, cube_id)
    base = read_version(home, cube_id, head.manifest)
    names = {*base.arrays, *(axis.name for axis in base.template.domain.axes)}
    if not base.timed or "series" in names:
        raise ValueError(f"cube '{cube_id}' has no time, or something in it is called 'series'")
    if steps is not None and steps < 2:
        raise ValueError(f"segments of {steps} times: the series copy needs 2 at least")
    wanted = steps or (base.series.steps if base.series else SERIES_STEPS)
    change = Change({}, {}, "rebuild the series copy", series=new_series(base.template, wanted))
    planned = merge(base, head.manifest, change).series
    assert planned is not None  # noqa: S101  the change wants one
    runs = missing(_without_short_end(planned), base.slices, tail=tail)
    if not runs and planned == base.series:
        return open_cube(store, cube_id)
    objects = changeable(home, head, base)
    uploader = Uploader(objects)
    slots = Slots(objects, head, base)
    try:
        slots.hold_series()
        segments = make_segments(objects, uploader, base, planned, runs, slots.renew)
        uploader.drain()
        objects.sync(uploader.written)
        commit(objects, base, head.manifest, replace(change, segments=segments))
    except (ConflictError, UnreadableError):
        uploader.discard(0)
        raise
    finally:
        uploader.close()
        slots.release()
    return open_cube(store, cube_id)


def _without_short_end(series: SeriesRecord) -> SeriesRecord:
    """The copy without a last segment that is not full."""
    if series.segments and series.segments[-1].count < series.steps:
        return replace(series, segments=series.segments[:-1])
    return series
