"""The swap of the head: the one moment at which a change becomes visible.

A writer prepares everything under new names, then replaces the head if it is still the one it
has read. If another writer was faster, the change is put on top of the new state, unless both
have changed the same time.
"""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from datacube.errors import ConflictError, StorageError
from datacube.model.time import format_tick
from datacube.store.cube import read_head, read_version
from datacube.store.manifest import (
    Head,
    SegmentRecord,
    SeriesRecord,
    Slice,
    SourceRecord,
    Version,
    head_key,
)
from datacube.store.objects import ObjectStore
from datacube.store.plain import plain_version, write_plain
from datacube.store.segments import surviving
from datacube.store.statistics import Summary, merged, without

_ATTEMPTS = 200

type Summaries = Mapping[str, Summary]
type Statistics = Mapping[int | None, tuple[Summaries, Summaries]]
type Sources = Mapping[str, tuple[SourceRecord, tuple[int | None, ...]]]


@dataclass(frozen=True, slots=True)
class Change:
    """What a transaction has prepared.

    Parameters
    ----------
    slices : ticks -> Slice
    sources : source id -> (record, ticks)
    message : str
    statistics : ticks -> (of the slice before, of the new one), each field -> Summary
    segments : tuple of SegmentRecord
        New ones of the series copy.
    series : SeriesRecord, optional
        From now on the copy is kept so; segments of another length of it are dropped.
    """

    slices: Mapping[int | None, Slice]
    sources: Sources
    message: str
    statistics: Statistics = field(default_factory=dict)
    segments: tuple[SegmentRecord, ...] = ()
    series: SeriesRecord | None = None


def commit(store: ObjectStore, base: Version, base_name: str, change: Change) -> Version:
    """Make a change visible, durably, and bring the plain group up to date.

    Parameters
    ----------
    store : ObjectStore
    base, base_name : Version, str
        The state on which the change was prepared, and its document's name.
    change : Change

    Returns
    -------
    Version
        As committed.

    Raises
    ------
    ConflictError
        Another writer has meanwhile changed one of the same times.
    StorageError
        The storage failed; whether the change is visible is then for the head to say.
    """
    version = swap(store, base, base_name, change)
    update_plain(store, version)
    return version


def swap(store: ObjectStore, base: Version, base_name: str, change: Change) -> Version:
    """Replace the head by one that names the changed state."""
    cube_id = base.template.id
    current, current_name, made = base, base_name, ""
    for attempt in range(_ATTEMPTS):
        found = store.get_tagged(head_key(cube_id))
        if found is None:
            raise ConflictError(f"cube '{cube_id}' was deleted meanwhile", subject=cube_id)
        head = Head.load(found[0], cube_id)
        if head.manifest != current_name:
            current, current_name = read_version(store, cube_id, head.manifest), head.manifest
            if current_name == made:
                return current  # the storage had done it, and reported the repeat
            check_conflict(base, current, change)
        version = merge(current, current_name, change)
        made, data = version.dump()
        store.put(f"{cube_id}/{made}", data)
        store.sync([f"{cube_id}/{made}"])
        if store.put_if(head_key(cube_id), Head(version.number, made).dump(), found[1]):
            return version
        time.sleep(random.uniform(0, 0.002 * min(attempt + 1, 50)))  # noqa: S311  only to part writers
    raise StorageError(
        f"cube '{cube_id}' has too many writers: {_ATTEMPTS} commits were overtaken",
        subject=cube_id,
    )


def check_conflict(base: Version, current: Version, change: Change) -> None:
    """Refuse a change of a time that another writer has changed since base.

    Raises
    ------
    ConflictError
        With the times.
    """
    before = {one.ticks: one.name for one in base.slices}
    after = {one.ticks: one.name for one in current.slices}
    both = [ticks for ticks in change.slices if before.get(ticks) != after.get(ticks)]
    if not both:
        return
    axis = base.template.domain.time
    cube_id = base.template.id
    times = ", ".join(
        format_tick(ticks, axis.calendar) for ticks in both[:5] if ticks is not None and axis
    )
    raise ConflictError(
        f"another writer has meanwhile written {times or 'the values'} of cube '{cube_id}'; "
        "start again from its new state",
        subject=cube_id,
    )


def merge(current: Version, current_name: str, change: Change) -> Version:
    """The state after a change."""
    slices = {one.ticks: one for one in current.slices} | dict(change.slices)
    ordered = tuple(slices[ticks] for ticks in sorted(slices, key=lambda one: one or 0))
    used = [one.slot + 1 for one in change.slices.values()]
    series = series_base(current, change)
    if series is not None:
        series = replace(
            series, segments=surviving(series, change.segments, change.slices.keys(), ordered)
        )
    made = replace(
        current,
        number=current.number + 1,
        parent=current_name,
        committed=datetime.now(UTC).isoformat(timespec="milliseconds"),
        message=change.message,
        slices=ordered,
        sources={**current.sources, **change.sources},
        next_slot=max([current.next_slot, *used]),
        series=series,
        statistics=_statistics(current.statistics, change.statistics),
    )
    return replace(made, plain=len(ordered)) if made.in_order else made


def series_base(current: Version, change: Change) -> SeriesRecord | None:
    """How the series copy is kept after a change, with the segments from before it."""
    wanted, known = change.series, current.series
    if wanted is None or (known and (wanted.steps, wanted.chunk) == (known.steps, known.chunk)):
        return known
    return replace(wanted, segments=())


def _statistics(current: Summaries, change: Statistics) -> dict[str, Summary]:
    """The summaries over all slices, after the change; in order of time."""
    found: dict[str, Summary | None] = dict(current)
    for ticks in sorted(change, key=lambda one: one or 0):
        before, after = change[ticks]
        for name in (*before, *(name for name in after if name not in before)):
            left = without(found.get(name), before.get(name))
            found[name] = merged(left, after.get(name))
    return {name: one for name, one in found.items() if one is not None}


def update_plain(store: ObjectStore, version: Version) -> None:
    """Bring the plain group up to date, also if another writer does the same.

    Whoever writes last looks at the head once more, so that the newest state stays.
    """
    cube_id = version.template.id
    while True:
        if version.in_order:
            write_plain(store, version)
        head = read_head(store, cube_id)
        if head.version == version.number:
            return
        version = read_version(store, cube_id, head.manifest)


def repair_plain(store: ObjectStore, version: Version) -> None:
    """Finish what a writer that died after its commit has left undone."""
    shown = plain_version(store, version.template.id)
    if shown < 0 or (shown != version.number and version.in_order):
        write_plain(store, version, first=True)
