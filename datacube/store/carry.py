"""What of a slice stays when some of its fields are written again."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from datacube.errors import InvalidTime, StorageError
from datacube.model.time import format_tick
from datacube.store.history import read_slice_document
from datacube.store.layout import chunk_counts, chunk_key
from datacube.store.manifest import Version, now
from datacube.store.objects import ObjectStore
from datacube.store.reader import chunk_damage
from datacube.store.records import Deletion
from datacube.store.slices import Slice
from datacube.store.statistics import Summary
from datacube.store.tables import ChunkTable, SliceDocument
from datacube.store.together import asked_together
from datacube.store.writer import Uploader

_log = logging.getLogger(__name__)


def outranked(old: SliceDocument, new: SliceDocument) -> frozenset[str]:
    """Fields of a new slice that lose against the one before: it has a higher revision of them.

    Examples
    --------
    >>> old = SliceDocument(0, {"a": (), "b": ()}, revisions={"a": 2})
    >>> sorted(outranked(old, SliceDocument(1, {"a": (), "b": (), "c": ()}, revisions={"a": 1})))
    ['a']
    """
    return frozenset(
        name
        for name in new.fields
        if name in old.fields and new.revisions.get(name, 0) < old.revisions.get(name, 0)
    )


def without_fields(document: SliceDocument, names: frozenset[str]) -> SliceDocument:
    """A slice without some of its fields."""
    return replace(
        document,
        fields={name: one for name, one in document.fields.items() if name not in names},
        statistics={name: one for name, one in document.statistics.items() if name not in names},
        revisions={name: one for name, one in document.revisions.items() if name not in names},
    )


def joined(old: SliceDocument, new: SliceDocument, order: tuple[str, ...]) -> SliceDocument:
    """A new slice, with the fields that only the one before has.

    Parameters
    ----------
    old, new : SliceDocument
    order : tuple of str
        Fields of the cube.
    """
    fields = {**old.fields, **new.fields}
    statistics = {**old.statistics, **new.statistics}
    for name in new.fields.keys() - new.statistics.keys():
        statistics.pop(name, None)
    revisions = {name: one for name, one in old.revisions.items() if name not in new.fields}
    return replace(
        new,
        fields={name: fields[name] for name in order if name in fields},
        statistics=statistics,
        revisions={**revisions, **new.revisions},
    )


def no_time(version: Version, ticks: int) -> InvalidTime:
    """What is said where a cube does not have a time."""
    time = version.template.domain.time
    when = format_tick(ticks, time.calendar) if time else str(ticks)
    return InvalidTime(f"cube '{version.template.id}' has no time {when}", subject=when)


def deletions(
    store: ObjectStore, version: Version, going: Mapping[int, Slice], causes: Mapping[int, str]
) -> Mapping[int, tuple[Deletion, Mapping[str, Summary]]]:
    """What is kept of slices that are deleted: their records, and the statistics that they had.

    Parameters
    ----------
    store : ObjectStore
    version : Version
        Of the sources.
    going : ticks -> Slice
    causes : ticks -> why it goes
    """

    def ask(one: Slice) -> tuple[Deletion, Mapping[str, Summary]]:
        return _deletion(store, version, one, causes[one.ticks or 0])

    return dict(zip(going, asked_together(store, ask, list(going.values())), strict=True))


def _deletion(
    store: ObjectStore, version: Version, one: Slice, cause: str
) -> tuple[Deletion, Mapping[str, Summary]]:
    try:
        document = read_slice_document(store, version.template.id, one.name)
    except StorageError as error:  # it is damaged, all the more it may go
        _log.warning("%s", error.message)
        document = SliceDocument(one.slot, {}, {}, one.layout)
    names = tuple(record.id for record in version.granules.get(one.ticks, ()))
    place = document.stored_bytes, one.layout, one.slot
    return Deletion(one.ticks or 0, now(), cause, names, *place), document.statistics


class SliceCopier:
    """Copies chunks of a committed slice to another slot.

    Parameters
    ----------
    store : ObjectStore
    uploader : Uploader
        Writes the copies.
    version : Version
        Of the slices.
    """

    def __init__(self, store: ObjectStore, uploader: Uploader, version: Version) -> None:
        self._store = store
        self._uploader = uploader
        self._version = version

    def settled(self, old: SliceDocument, new: SliceDocument) -> SliceDocument | None:
        """A new slice as it is filed: with what stays of the one before.

        Fields that lose against it, and their chunks, are dropped; fields that only it has are
        copied. None where every field loses.
        """
        losing = outranked(old, new)
        self.discard(new, losing)
        if losing and losing == new.fields.keys():
            return None
        new = without_fields(new, losing)
        kept = tuple(name for name in old.fields if name not in new.fields)
        self.copy(old, kept, new.slot, new.layout)
        self._uploader.drain()
        return joined(old, new, tuple(self._version.arrays))

    def unless_same(self, old: SliceDocument, new: SliceDocument) -> SliceDocument:
        """The new slice; where its values are those of the old one, that with the new revisions.

        The chunks of a new slice that is not needed are dropped.
        """
        if not new.same_chunks(old):
            return new
        self.discard(new, new.fields.keys())
        same = {
            name: new.revisions.get(name, 0) == old.revisions.get(name, 0) for name in new.fields
        }
        return old if all(same.values()) else replace(old, revisions=new.revisions)

    def copy(self, old: SliceDocument, names: tuple[str, ...], slot: int, layout: int) -> None:
        """Copy some fields, all levels; each chunk is checked.

        Raises
        ------
        StorageError
            A chunk is missing or damaged.
        """
        for name in names:
            for level, table in enumerate(old.fields[name]):
                for flat in np.flatnonzero(table.sizes).tolist():
                    work = partial(self._chunk, old, name, level, table, flat, (slot, layout))
                    self._uploader.submit(work)

    def discard(self, document: SliceDocument, names: Collection[str]) -> None:
        """Delete the chunks of fields that are not kept."""
        self._uploader.remove(
            [
                self._key(name, level, flat, document.slot, document.layout)
                for name in names
                for level, table in enumerate(document.fields[name])
                for flat in np.flatnonzero(table.sizes).tolist()
            ]
        )

    def _chunk(
        self,
        old: SliceDocument,
        name: str,
        level: int,
        table: ChunkTable,
        flat: int,
        target: tuple[int, int],
    ) -> None:
        data = self._store.get(self._key(name, level, flat, old.slot, old.layout))
        damage = chunk_damage(data, int(table.sizes[flat]), int(table.checksums[flat]))
        if data is None or damage is not None:
            cube_id = self._version.template.id
            raise StorageError(f"{damage} (field '{name}' of cube '{cube_id}')", subject=cube_id)
        self._uploader.put(self._key(name, level, flat, *target), data)

    def _key(self, name: str, level: int, flat: int, slot: int, layout: int) -> str:
        timed = self._version.timed
        counts = chunk_counts(self._version.arrays[name][level], timed=timed)
        place = tuple(int(one) for one in np.unravel_index(flat, counts))
        index = (slot, *place) if timed else place
        return chunk_key(self._version.template.id, level, name, index, layout)
