"""The swap of the head: the one moment at which a change becomes visible.

A writer prepares everything under new names, then replaces the head if it is still the one it
has read. If another writer was faster, the change is put on top of the new state, unless both
have changed the same time.
"""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from datacube.errors import ConflictError, StorageError
from datacube.model.fields import Field, RangeType
from datacube.model.time import format_tick
from datacube.store.history import read_head, read_version
from datacube.store.home import keeps_order
from datacube.store.layout import field_levels
from datacube.store.manifest import Head, SourceRecord, Version, head_key, now
from datacube.store.objects import ObjectStore
from datacube.store.plain import plain_version, write_plain
from datacube.store.records import Deletion, SegmentRecord, SeriesRecord
from datacube.store.segments import surviving
from datacube.store.slices import Slice
from datacube.store.statistics import Summary, merged, without

_ATTEMPTS = 200

type Summaries = Mapping[str, Summary]
type Statistics = Mapping[int | None, tuple[Summaries, Summaries]]
type Levels = tuple[Mapping[str, Any], ...]
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
    deletions : ticks -> Deletion
    fields : tuple of (field, Zarr metadata for each level)
        New ones.
    whole : Version, optional
        The rest of the change stands on this state instead of the newest one. Such a change is
        committed only where nobody else has committed since.
    """

    slices: Mapping[int | None, Slice]
    sources: Sources
    message: str
    statistics: Statistics = field(default_factory=dict)
    segments: tuple[SegmentRecord, ...] = ()
    series: SeriesRecord | None = None
    deletions: Mapping[int | None, Deletion] = field(default_factory=dict)
    fields: tuple[tuple[Field, Levels], ...] = ()
    whole: Version | None = None

    @property
    def ticks(self) -> tuple[int | None, ...]:
        """Times that are written or deleted."""
        return (*self.slices, *self.deletions)


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
    if not keeps_order(store):
        update_plain(store, version, first=_reshaped(base, version))
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
    """Refuse a change of what another writer has changed since base.

    Raises
    ------
    ConflictError
        With the times or fields.
    """
    cube_id = base.template.id
    if change.whole is not None or not _still_fits(base, current):
        _overtaken("its grid, fields or layout" if change.whole is None else "it", cube_id)
    known = {one.name: one for one in current.template.range_type.fields}
    both = [new.name for new, _ in change.fields if repr(known.get(new.name, new)) != repr(new)]
    if both:
        _overtaken(f"field '{both[0]}'", cube_id)
    before = {one.ticks: one.name for one in base.slices}
    after = {one.ticks: one.name for one in current.slices}
    taken = [ticks for ticks in change.ticks if before.get(ticks) != after.get(ticks)]
    if taken:
        axis = base.template.domain.time
        some = [format_tick(one, axis.calendar) for one in taken[:5] if one is not None and axis]
        _overtaken(", ".join(some) or "the values", cube_id)


def _overtaken(what: str, cube_id: str) -> NoReturn:
    raise ConflictError(
        f"another writer has meanwhile written {what} of cube '{cube_id}'; "
        "start again from its new state",
        subject=cube_id,
    )


def _still_fits(base: Version, current: Version) -> bool:
    """Whether what was written for one state can be part of the other."""
    return base.template.levels == current.template.levels and all(
        current.arrays.get(name) == levels for name, levels in base.arrays.items()
    )


def _reshaped(base: Version, version: Version) -> bool:
    """Whether the plain group differs in more than its times."""
    same = base.layout == version.layout and base.arrays.keys() == version.arrays.keys()
    return not (same and _still_fits(base, version))


def merge(current: Version, current_name: str, change: Change) -> Version:
    """The state after a change."""
    start = change.whole or with_fields(current, change.fields)
    slices = {one.ticks: one for one in start.slices} | dict(change.slices)
    ordered = tuple(
        slices[ticks]
        for ticks in sorted(slices, key=lambda one: one or 0)
        if ticks not in change.deletions
    )
    used = [one.slot + 1 for one in change.slices.values() if one.layout == start.layout]
    series = series_base(start, change)
    if series is not None:
        series = replace(series, segments=surviving(series, change.segments, change.ticks, ordered))
    made = replace(
        start,
        number=current.number + 1,
        parent=current_name,
        committed=now(),
        message=change.message,
        slices=ordered,
        sources=_sources(start.sources, change),
        next_slot=max([start.next_slot, *used]),
        series=series,
        statistics=merged_statistics(start.statistics, change.statistics),
        deletions=(*start.deletions, *change.deletions.values()),
    )
    return replace(made, plain=len(ordered)) if made.in_order else made


def with_fields(version: Version, fields: Sequence[tuple[Field, Levels]]) -> Version:
    """A version with further fields; those that it has already are left out."""
    new = [(one, levels) for one, levels in fields if one.name not in version.arrays]
    if not new:
        return version
    range_type = RangeType((*version.template.range_type.fields, *(one for one, _ in new)))
    return replace(
        version,
        template=replace(version.template, range_type=range_type),
        arrays={**version.arrays, **{one.name: levels for one, levels in new}},
    )


def with_field(change: Change, stand: Version, field: Field) -> Change:
    """The change with a further field; the same where the cube has exactly that field.

    Raises
    ------
    ValueError
        The name is reserved, or the values cannot be stored.
    ConflictError
        The cube has another field of that name.
    """
    known = {one.name: one for one in stand.template.range_type.fields}
    if field.name not in known:
        new = field, field_levels(stand.template, field, stand.arrays)
        return replace(change, fields=(*change.fields, new))
    if repr(known[field.name]) != repr(field):
        cube_id = stand.template.id
        raise ConflictError(
            f"cube '{cube_id}' has another field '{field.name}'", subject=field.name
        )
    return change


def _sources(before: Sources, change: Change) -> Sources:
    """The granules after a change; one whose times are all deleted is forgotten."""
    if not change.deletions:
        return {**before, **change.sources}
    kept = {}
    for name, (record, ticks) in before.items():
        left = tuple(one for one in ticks if one not in change.deletions)
        if left or not ticks:
            kept[name] = record, left
    return {**kept, **change.sources}


def series_base(current: Version, change: Change) -> SeriesRecord | None:
    """How the series copy is kept after a change, with the segments from before it."""
    wanted, known = change.series, current.series
    if wanted is None or (known and (wanted.steps, wanted.chunk) == (known.steps, known.chunk)):
        return known
    return replace(wanted, segments=())


def merged_statistics(current: Summaries, change: Statistics) -> dict[str, Summary]:
    """The summaries over all slices, after the change; in order of time."""
    found: dict[str, Summary | None] = dict(current)
    for ticks in sorted(change, key=lambda one: one or 0):
        before, after = change[ticks]
        for name in (*before, *(name for name in after if name not in before)):
            left = without(found.get(name), before.get(name))
            found[name] = merged(left, after.get(name))
    return {name: one for name, one in found.items() if one is not None}


def update_plain(store: ObjectStore, version: Version, *, first: bool) -> None:
    """Bring the plain group up to date, also if another writer does the same.

    Whoever writes last looks at the head once more, so that the newest state stays.

    Parameters
    ----------
    store : ObjectStore
    version : Version
    first : bool
        Write also what mostly stays: coordinates and the metadata of every array.
    """
    cube_id = version.template.id
    while True:
        if version.in_order:
            write_plain(store, version, first=first)
        head = read_head(store, cube_id)
        if head.version == version.number:
            return
        newer = read_version(store, cube_id, head.manifest)
        first = first or _reshaped(version, newer)
        version = newer


def repair_plain(store: ObjectStore, version: Version) -> None:
    """Finish what a writer that died after its commit has left undone."""
    if keeps_order(store):
        return
    shown = plain_version(store, version.template.id)
    if shown < 0 or (shown != version.number and version.in_order):
        write_plain(store, version, first=True)
