"""The only way to write: a cube is changed in transactions that commit as a whole."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from datacube.errors import ConflictError
from datacube.model.axis import Axis
from datacube.model.coverage import CoverageDescription
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.store.carry import SliceCopier, deletions, joined, no_time
from datacube.store.commit import Change, Summaries, commit, repair_plain, with_field, with_fields
from datacube.store.history import read_slice_document, read_version
from datacube.store.home import changeable, locate, outside
from datacube.store.index import note_in_index
from datacube.store.manifest import SourceRecord, Version
from datacube.store.objects import ObjectStore
from datacube.store.records import Deletion
from datacube.store.regrow import grown
from datacube.store.slices import Bounds, Slice
from datacube.store.slots import Slot, Slots, take_layout
from datacube.store.tables import SliceDocument, slice_key
from datacube.store.transpose import new_segments
from datacube.store.widen import widened
from datacube.store.writer import SliceWriter, Uploader

type Values = Mapping[str, NDArray[Any]]
type Noted = SourceRecord | Callable[[], SourceRecord] | None


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

    Times may be appended, inserted, replaced and deleted, fields added, the grid made larger, axes
    longer. Times that are written in ascending order after all others keep the plain Zarr group
    complete; any order is right for :func:`~datacube.store.cube.open_cube`. A time that is written
    with the values that it has stays as it is, and its granule is not noted.

    Parameters
    ----------
    store : ObjectStore
    cube_id : str
    message : str

    Attributes
    ----------
    base : int
        Number of the version on which it stands.

    Raises
    ------
    ConflictError
        At the end, where another writer has meanwhile changed one of the same times, or the
        cube's grid or fields.
    """

    def __init__(self, store: ObjectStore, cube_id: str, message: str) -> None:
        self._message = message
        home, self._head = locate(store, cube_id)
        self._base = read_version(home, cube_id, self._head.manifest)
        self._store = changeable(home, self._head, self._base)
        self._uploader = Uploader(self._store)
        self._slots = Slots(self._store, self._head, self._base)
        self._known = {one.ticks: one for one in self._base.slices}
        self._change = Change({}, {}, message)
        self._statistics: dict[int | None, tuple[Summaries, Summaries]] = {}
        self._slices: dict[int | None, Slice] = {}
        self._sources: dict[str, tuple[SourceRecord, tuple[int | None, ...]]] = {}
        self._noted: list[tuple[Noted, int | None]] = []
        self._deletions: dict[int | None, Deletion] = {}
        self._committing = False
        self.id = cube_id
        self.base = self._head.version
        self.committed: Version | None = None

    @property
    def description(self) -> CoverageDescription:
        """What the cube is at the state on which this transaction stands, new fields included."""
        return self._stand.description()

    @property
    def bytes_written(self) -> int:
        """Bytes of the objects written so far."""
        return self._uploader.bytes_written

    @property
    def sources(self) -> Collection[str]:
        """Names of the granules that are in the cube on which this transaction stands."""
        return self._base.sources.keys()

    @property
    def slices_written(self) -> int:
        """Times that are new or have other values so far."""
        return len(self._slices)

    def expect(self, count: int) -> None:
        """Say that so many slices are to come, so that their slots need not be had one by one."""
        self._slots.coming = count

    def revisions(self, ticks: int | None) -> Mapping[str, int]:
        """The revision of each field at a time; empty where the cube does not have that time."""
        one = self._slice_at(ticks)
        if one is None:
            return {}
        document = self._document(one)
        return {name: document.revisions.get(name, 0) for name in document.fields}

    def write_slice(
        self,
        ticks: int | None,
        values: Values,
        source: SourceRecord | None = None,
        *,
        bounds: Bounds = None,
        revision: int = 0,
    ) -> None:
        """Write one time, overviews included; it replaces that time where the cube has it.

        Fields that are not given keep what that time had, and so do those of which it has a
        higher revision. So products of several revisions (near real time, final) give the same
        cube in whatever order they come.

        Parameters
        ----------
        ticks : int or None
            Milliseconds since 1970-01-01 of the cube's calendar; None in a cube without time.
        values : field -> stored dtype, (axes…, y, x)
        source : SourceRecord, optional
        bounds : (first, last) ticks, optional
        revision : int, rank of these values

        Raises
        ------
        ValueError
            Shape or dtype are not the cube's.
        ConflictError
            The cube has no time and already holds other values.
        """
        shape = self._stand.template.domain.shape[1 if self._base.timed else 0 :]
        with self.open_slice(ticks, source, bounds=bounds, revision=revision) as writer:
            for name, array in values.items():
                packed = np.asarray(array)
                if packed.shape != shape:
                    raise ValueError(f"field {name} has shape {packed.shape} instead of {shape}")
                for axes_index in np.ndindex(*shape[:-2]):
                    writer.write(name, axes_index, 0, 0, packed[axes_index])

    def open_slice(
        self,
        ticks: int | None,
        source: Noted = None,
        *,
        bounds: Bounds = None,
        revision: int = 0,
    ) -> SliceWriter:
        """A slice to be written window by window; its source may be made at the end."""
        if (ticks is None) == self._base.timed:
            has = "has times" if self._base.timed else "has no time"
            raise ValueError(f"cube '{self.id}' {has}; ticks are {ticks}")
        template, arrays = self._stand.template, self._stand.arrays
        if ticks is None and self._base.slices:
            # a cube without time is written once; what comes later is only compared
            return SliceWriter(Uploader(self._store, dry=True), template, arrays, 0, self._compare)
        slot = self._slots.take()
        if ticks is None and slot.number:
            slot.claim.release()
            raise ConflictError(f"another writer writes cube '{self.id}'", subject=self.id)
        keep = partial(self._keep, Slice(ticks, 0, "", bounds), source, revision, slot)
        return SliceWriter(
            self._uploader, template, arrays, slot.number, keep, slot.claim, layout=slot.layout
        )

    def delete(self, ticks: int, cause: str = "deleted") -> None:
        """Delete one time; the cube remembers when and why.

        Its granules are forgotten, unless they are in other times too: they may come again.

        Parameters
        ----------
        ticks : int
        cause : str

        Raises
        ------
        InvalidTime
            The cube does not have that time.
        """
        self.delete_all({ticks: cause})

    def delete_all(self, causes: Mapping[int, str]) -> None:
        """Delete several times, each for its own cause; see :meth:`delete`."""
        lacking = [ticks for ticks in causes if self._slice_at(ticks) is None]
        if lacking:
            raise no_time(self._base, lacking[0])
        known = {ticks: self._known[ticks] for ticks in causes if ticks in self._known}
        gone = deletions(self._store, self._base, known, causes)
        for ticks in causes:
            self._slices.pop(ticks, None)
            self._statistics.pop(ticks, None)
            if ticks in gone:
                self._deletions[ticks], values = gone[ticks]
                self._statistics[ticks] = values, {}

    def add_field(self, field: Field) -> None:
        """Add a field; it is no data at every time that the cube has.

        Parameters
        ----------
        field : Field
            Where the cube has it already, exactly so, nothing happens.

        Raises
        ------
        ValueError
            The name is reserved, or the values cannot be stored.
        ConflictError
            The cube has another field of that name.
        """
        self._change = with_field(self._change, self._stand, field)

    def grow(self, grid: RectifiedGrid, done: Callable[[], None] | None = None) -> None:
        """Make the grid larger, to any side; what is around the old one is no data.

        Every slice is written anew, so it takes as long as a copy of the cube; it comes first in
        a transaction, and of it and another writer's change only the first to commit goes in.

        Parameters
        ----------
        grid : RectifiedGrid
            It holds the cube's, cell on cell.
        done : callable, optional; called after each slice

        Raises
        ------
        InvalidSubset
            It does not.
        ConflictError
            No layout is free.
        ValueError
            Something has been written in this transaction already.
        """
        self._check_beginning()
        if grid == self._base.template.domain.grid:
            return
        layout, claim = take_layout(self._store, self._stand)
        self._slots.own(layout, len(self._base.slices), claim)
        calls = self._slots.renew, done
        self._stand_on(grown(self._store, self._uploader, self._stand, grid, layout, *calls))

    def widen(self, axes: Sequence[Axis]) -> None:
        """Add places at the end of axes: a scenario, an ensemble member; no data at them yet.

        Only the tables of the slices are written anew. It comes first in a transaction, and of it
        and another writer's change only the first to commit goes in.

        Parameters
        ----------
        axes : sequence of Axis
            All but time; each begins with the places that the cube has.

        Raises
        ------
        InvalidSubset
            An axis does not, or the cube has no time.
        ValueError
            Something has been written in this transaction already.
        """
        self._check_beginning()
        self._stand_on(widened(self._store, self._uploader, self._stand, axes))

    def add_source(self, source: SourceRecord, ticks: tuple[int | None, ...] = ()) -> None:
        """Note that a granule is in the cube."""
        _, before = self._sources.get(source.id) or self._base.sources.get(source.id) or (None, ())
        self._sources[source.id] = (source, tuple(dict.fromkeys((*before, *ticks))))

    def __enter__(self) -> Self:
        repair_plain(self._store, self._base)
        note_in_index(outside(self._store), self.id)
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if kind is None:
                self._commit()
        finally:
            self._uploader.close()
            undone = not self._committing and self._uploader.undone()  # else the head may name it
            self._slots.release(clean=self.committed is not None or undone)

    def _check_beginning(self) -> None:
        if self._slices or self._deletions or self._change.whole:
            raise ValueError("a cube grows at the beginning of a transaction")

    def _stand_on(self, whole: Version) -> None:
        self._known = {one.ticks: one for one in whole.slices}
        self._change = replace(self._change, whole=whole, fields=())

    @property
    def _stand(self) -> Version:
        """The state on which the slices of this transaction are written."""
        return self._change.whole or with_fields(self._base, self._change.fields)

    def _slice_at(self, ticks: int | None) -> Slice | None:
        """The slice at a time as of now, this transaction included."""
        if ticks in self._slices:
            return self._slices[ticks]
        return None if ticks in self._deletions else self._known.get(ticks)

    def _keep(
        self, known: Slice, source: Noted, revision: int, slot: Slot, document: SliceDocument
    ) -> None:
        """Take a finished slice into the change, or what of it is new and not outranked."""
        ticks = known.ticks
        if revision:
            document = replace(document, revisions=dict.fromkeys(document.fields, revision))
        before, taken = self._slice_at(ticks), self._taken(ticks)
        put = self._uploader.put_soon
        if before is not None:
            copier = SliceCopier(self._store, self._uploader, self._stand)
            old = self._document(before)
            settled = copier.settled(old, document)
            known = known._replace(bounds=known.bounds or before.bounds)
            document = old if settled is None else copier.unless_same(old, settled)
            if document is not settled:
                self._slots.give_back(slot)
                put = self._uploader.put_new
            if settled is None:  # outranked: it has come nevertheless, unlike the same again
                self._noted.append((source, ticks))
            if settled is None or (document is old and known.bounds == before.bounds):
                return
        self._noted.append((source, ticks))
        name, data = document.dump()
        put(slice_key(self.id, name), data)
        self._statistics[ticks] = (taken, document.statistics)
        self._slices[ticks] = known._replace(slot=document.slot, name=name, layout=document.layout)
        self._deletions.pop(ticks, None)

    def _taken(self, ticks: int | None) -> Summaries:
        """Statistics of the slice that the cube has at a time."""
        if ticks in self._statistics:
            return self._statistics[ticks][0]
        one = self._known.get(ticks)
        return {} if one is None else self._document(one).statistics

    def _compare(self, document: SliceDocument) -> None:
        """Refuse other values for a cube that has one slice only."""
        old = self._document(self._base.slices[0])
        if not joined(old, document, tuple(self._base.arrays)).same_chunks(old):
            holds = f"cube '{self.id}' has no time and already holds other values"
            raise ConflictError(f"{holds}; write these into another cube", subject=self.id)

    def _document(self, one: Slice) -> SliceDocument:
        if self._slices.get(one.ticks) == one:
            self._uploader.drain()  # it may be on its way
        return read_slice_document(self._store, self.id, one.name)

    def _commit(self) -> None:
        self._uploader.drain()
        for source, ticks in self._noted:
            if source is not None:
                self.add_source(source() if callable(source) else source, (ticks,))
        change = replace(
            self._change,
            slices=self._slices,
            sources=self._sources,
            statistics=self._statistics,
            deletions=self._deletions,
        )
        if not (change.ticks or change.sources or change.fields or change.whole):
            return
        self._slots.renew()
        made = new_segments(
            self._store, self._uploader, self._slots, (self._base, self._head.manifest), change
        )
        change = replace(change, segments=made)
        self._store.sync(self._uploader.written)
        self._committing = True
        try:
            self.committed = commit(self._store, self._base, self._head.manifest, change)
        except ConflictError:
            self._committing = False
            raise
