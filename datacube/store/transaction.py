"""The only way to write: cubes are made, and changed in transactions that commit as a whole."""

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from datacube.errors import ConflictError, StorageError
from datacube.model.coverage import CoverageDescription
from datacube.store.commit import Change, Summaries, commit, merge, repair_plain
from datacube.store.create import note_in_index
from datacube.store.cube import (
    read_head,
    read_slice_document,
    read_version,
)
from datacube.store.layout import (
    chunk_counts,
    chunk_key,
)
from datacube.store.manifest import (
    Bounds,
    SegmentRecord,
    Slice,
    SourceRecord,
    Version,
)
from datacube.store.objects import Claim, ObjectStore
from datacube.store.reader import chunk_damage
from datacube.store.segments import due
from datacube.store.tables import ChunkTable, SliceDocument, slice_key
from datacube.store.transpose import UnreadableError, make_segments
from datacube.store.writer import SliceWriter, Uploader

_log = logging.getLogger(__name__)

type Values = Mapping[str, NDArray[Any]]


def transaction(store: ObjectStore, cube_id: str, message: str) -> "Transaction":
    """A transaction on a cube: ``with transaction(store, "sst", "day 7") as tx: …``.

    Parameters
    ----------
    store : ObjectStore
    cube_id : str
    message : str
        For people who read the cube's history.
    """
    return Transaction(store, cube_id, message)


class Transaction:
    """A change of a cube; committed when its block ends, undone when it raises.

    Times that are written in ascending order after all others keep the plain Zarr group
    complete; any order is right for :func:`~datacube.store.cube.open_cube`.

    Parameters
    ----------
    store : ObjectStore
    cube_id : str
    message : str

    Raises
    ------
    ConflictError
        At the end, where another writer has meanwhile changed one of the same times.
    """

    def __init__(self, store: ObjectStore, cube_id: str, message: str) -> None:
        self._store = store
        self._message = message
        self._head = read_head(store, cube_id)
        self._base = read_version(store, cube_id, self._head.manifest)
        self._uploader = Uploader(store)
        self._claims: list[Claim] = []
        self._next_slot = 0
        self._known = {one.ticks: one for one in self._base.slices}
        self._statistics: dict[int | None, tuple[Summaries, Summaries]] = {}
        self._slices: dict[int | None, Slice] = {}
        self._sources: dict[str, tuple[SourceRecord, tuple[int | None, ...]]] = {}
        self._committing = False
        self.id = cube_id
        self.committed: Version | None = None

    @property
    def description(self) -> CoverageDescription:
        """What the cube is at the state on which this transaction stands."""
        return self._base.description()

    @property
    def bytes_written(self) -> int:
        """Bytes of the objects written so far."""
        return self._uploader.bytes_written

    def has_source(self, source_id: str) -> bool:
        """Whether a granule is in the cube, or in this transaction, already."""
        return source_id in self._base.sources or source_id in self._sources

    def write_slice(
        self,
        ticks: int | None,
        values: Values,
        source: SourceRecord | None = None,
        *,
        bounds: Bounds = None,
    ) -> None:
        """Write one time, overviews included; it replaces that time where the cube has it.

        Fields that are not given keep what that time had.

        Parameters
        ----------
        ticks : int or None
            Milliseconds since 1970-01-01 of the cube's calendar; None in a cube without time.
        values : field -> stored dtype, (axes…, y, x)
        source : SourceRecord, optional
        bounds : (first, last) ticks, optional

        Raises
        ------
        ValueError
            Shape or dtype are not the cube's.
        ConflictError
            The cube has no time and already holds other values.
        """
        shape = self._base.template.domain.shape[1 if self._base.timed else 0 :]
        with self.open_slice(ticks, source, bounds=bounds) as writer:
            for name, array in values.items():
                packed = np.asarray(array)
                if packed.shape != shape:
                    raise ValueError(f"field {name} has shape {packed.shape} instead of {shape}")
                for axes_index in np.ndindex(*shape[:-2]):
                    writer.write(name, axes_index, 0, 0, packed[axes_index])

    def open_slice(
        self, ticks: int | None, source: SourceRecord | None = None, *, bounds: Bounds = None
    ) -> SliceWriter:
        """A slice to be written window by window: ``with tx.open_slice(t) as writer: …``.

        Parameters
        ----------
        ticks, source, bounds
            As of :meth:`write_slice`.
        """
        if (ticks is None) == self._base.timed:
            has = "has times" if self._base.timed else "has no time"
            raise ValueError(f"cube '{self.id}' {has}; ticks are {ticks}")
        template, arrays = self._base.template, self._base.arrays
        if ticks is None and self._base.slices:
            # a cube without time is written once; what comes later is only compared
            compare = partial(self._compare, source)
            dry = Uploader(self._store, dry=True)
            return SliceWriter(dry, template, arrays, 0, compare)
        slot, claim = self._take_slot()
        if ticks is None and slot:
            claim.release()
            raise ConflictError(f"another writer writes cube '{self.id}'", subject=self.id)
        keep = partial(self._keep, ticks, source, bounds)
        return SliceWriter(self._uploader, template, arrays, slot, keep, claim)

    def add_source(self, source: SourceRecord, ticks: tuple[int | None, ...] = ()) -> None:
        """Note that a granule is in the cube."""
        _, before = self._sources.get(source.id) or self._base.sources.get(source.id) or (None, ())
        self._sources[source.id] = (source, tuple(dict.fromkeys((*before, *ticks))))

    def __enter__(self) -> Self:
        repair_plain(self._store, self._base)
        note_in_index(self._store, self.id)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._commit()
        finally:
            self._uploader.close()
            if self.committed is None and not self._committing:
                with contextlib.suppress(StorageError):
                    self._store.delete(self._uploader.written)
            for claim in self._claims:
                claim.release()

    def _keep(
        self,
        ticks: int | None,
        source: SourceRecord | None,
        bounds: Bounds,
        document: SliceDocument,
    ) -> None:
        """Take a finished slice into the change."""
        before = self._slices.get(ticks) or self._committed_slice(ticks)
        if before is not None:
            old = self._document(before)
            document = self._carried_over(old, document)
            self._statistics.setdefault(ticks, (old.statistics, {}))
        name, data = document.dump()
        self._uploader.put(slice_key(self.id, name), data)
        taken, _ = self._statistics.get(ticks, ({}, {}))
        self._statistics[ticks] = (taken, document.statistics)
        self._slices[ticks] = Slice(ticks, document.slot, name, bounds)
        if source is not None:
            self.add_source(source, (ticks,))

    def _compare(self, source: SourceRecord | None, document: SliceDocument) -> None:
        """Refuse other values for a cube that has one slice only."""
        old = self._document(self._base.slices[0])
        if not self._carried_over(old, document, copy=False).same_chunks(old):
            raise ConflictError(
                f"cube '{self.id}' has no time and already holds other values; "
                "write these into another cube",
                subject=self.id,
            )
        if source is not None:
            self.add_source(source, (None,))

    def _committed_slice(self, ticks: int | None) -> Slice | None:
        return self._known.get(ticks)

    def _document(self, before: Slice) -> SliceDocument:
        return read_slice_document(self._store, self.id, before.name)

    def _carried_over(
        self, old: SliceDocument, document: SliceDocument, *, copy: bool = True
    ) -> SliceDocument:
        """The document with the fields that only the slice before has, their chunks copied."""
        lacking = {
            name: tables for name, tables in old.fields.items() if name not in document.fields
        }
        for name, tables in lacking.items() if copy else ():
            for level, table in enumerate(tables):
                self._copy_chunks(name, level, table, old.slot, document.slot)
        fields = {**document.fields, **lacking}
        ordered = {name: fields[name] for name in self._base.arrays if name in fields}
        statistics = {**old.statistics, **document.statistics}
        for name in document.fields.keys() - document.statistics.keys():
            statistics.pop(name, None)
        return SliceDocument(document.slot, ordered, statistics)

    def _copy_chunks(
        self, field: str, level: int, table: ChunkTable, old_slot: int, slot: int
    ) -> None:
        counts = chunk_counts(self._base.arrays[field][level], timed=self._base.timed)
        for flat in np.flatnonzero(table.sizes):
            place = tuple(int(one) for one in np.unravel_index(flat, counts))
            data = self._store.get(chunk_key(self.id, level, field, (old_slot, *place)))
            damage = chunk_damage(data, int(table.sizes[flat]), int(table.checksums[flat]))
            if data is None or damage is not None:
                raise StorageError(
                    f"{damage} (field '{field}' of cube '{self.id}')", subject=self.id
                )
            self._uploader.put(chunk_key(self.id, level, field, (slot, *place)), data)

    def _commit(self) -> None:
        self._uploader.drain()
        if not (self._slices or self._sources):
            return
        self._renew()
        change = Change(self._slices, self._sources, self._message, self._statistics)
        change = replace(change, segments=self._segments(change))
        self._store.sync(self._uploader.written)
        self._committing = True
        try:
            self.committed = commit(self._store, self._base, self._head.manifest, change)
        except ConflictError:
            self._committing = False
            raise

    def _segments(self, change: Change) -> tuple[SegmentRecord, ...]:
        """The segments of the series copy that this change completes."""
        before = self._base.series
        after = merge(self._base, self._head.manifest, change)
        if before is None or after.series is None:
            return ()
        runs = due(before, after.series, change.slices.keys(), after.slices)
        try:
            return make_segments(
                self._store, self._uploader, after, after.series, runs, self._renew
            )
        except UnreadableError as error:
            _log.warning("no series copy of cube '%s': %s", self.id, error.message)
            return ()

    def _renew(self) -> None:
        for claim in self._claims:
            claim.renew()

    def _take_slot(self) -> tuple[int, Claim]:
        """A physical slot that no version uses and no other writer has."""
        slot = max(self._base.next_slot, self._next_slot)
        while True:
            claim = self._store.claim(f"{self.id}/manifest/claims/{slot:08d}")
            if claim is not None:
                self._claims.append(claim)
                used = self._newest().next_slot
                if slot >= used:
                    self._next_slot = slot + 1
                    return slot, claim
                slot = used  # committed since this transaction began
            else:
                slot += 1

    def _newest(self) -> Version:
        head = read_head(self._store, self.id)
        if head == self._head:
            return self._base
        return read_version(self._store, self.id, head.manifest)
