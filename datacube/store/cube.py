"""A cube to read: an immutable handle at one committed version."""

import json
from collections.abc import Hashable, Sequence
from functools import cached_property
from hashlib import sha256
from math import prod
from typing import Any, cast, override

import numpy as np
from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.model.coverage import CoverageDescription
from datacube.model.time import format_tick
from datacube.store.cache import ChunkCache
from datacube.store.chunkrows import ChunkRows, object_folder
from datacube.store.codecs import ArrayCodec
from datacube.store.document import dump_description
from datacube.store.history import find_version, read_head, read_slice_document, read_version
from datacube.store.home import at_version, locate
from datacube.store.layout import chunk_counts, chunk_key
from datacube.store.manifest import Head, SourceRecord
from datacube.store.objects import ObjectStore
from datacube.store.ongrid import on_grid
from datacube.store.reader import read_chunk
from datacube.store.series import SeriesCopy, series_copies
from datacube.store.slots import check_unwritten
from datacube.store.source import ChunkIndex, RowReader, whole_chunks
from datacube.store.statistics import FieldStatistics
from datacube.store.tables import ChunkTable, SliceDocument, flat_index
from datacube.store.transaction import Transaction


def open_cube(
    store: ObjectStore,
    cube_id: str,
    cache: ChunkCache | None = None,
    *,
    version: int | None = None,
    raise_if_updating: bool = False,
) -> "CubeStore":
    """A cube at its newest version (two small reads), or at an earlier one.

    Parameters
    ----------
    store : ObjectStore
    cube_id : str
    cache : ChunkCache, optional
        Shared by all cubes of a process; else the cube gets its own.
    version : int, optional
        Number of the version.
    raise_if_updating : bool
        Refuse a cube while slices of it are being written; costs a listing.

    Raises
    ------
    CoverageNotFound
        There is no such cube.
    ConflictError, SnapshotNotFound
        It is being written; it does not have that version (any more).
    StorageError
        Its manifest is damaged or newer than this program.
    """
    if raise_if_updating:
        check_unwritten(store, cube_id)
    store, head = locate(store, cube_id)
    if version is not None:
        head = find_version(store, cube_id, version)
    return CubeStore(store, cube_id, head, cache or ChunkCache())


class CubeStore:
    """A cube folder at one version; cheap to hold and safe to share between threads.

    Parameters
    ----------
    store : ObjectStore
    cube_id : str
    head : Head
    cache : ChunkCache

    Attributes
    ----------
    id : str
    snapshot : str
        ``id@version-digest``: names exactly these values for ever.
    description : CoverageDescription
    record : Version
        The committed document: message, time of commit, sources, slots.
    """

    def __init__(self, store: ObjectStore, cube_id: str, head: Head, cache: ChunkCache) -> None:
        self.id = cube_id
        self.cache = cache
        self.head = head
        self.record = read_version(store, cube_id, head.manifest, cache)
        self.store = at_version(store, head, self.record)
        digest = head.manifest.rpartition("-")[2][:8]
        self.snapshot = f"{cube_id}@{head.version}-{digest}"
        self.description: CoverageDescription = self.record.description(self.snapshot)
        self._codecs = {
            name: tuple(ArrayCodec.parse(metadata) for metadata in levels)
            for name, levels in self.record.arrays.items()
        }
        self._fills = {
            name: tuple(codec.filled() for codec in codecs) for name, codecs in self._codecs.items()
        }
        self._counts = {
            name: tuple(chunk_counts(metadata, timed=self.record.timed) for metadata in levels)
            for name, levels in self.record.arrays.items()
        }
        self._sides = {
            name: tuple((one["shape"][-2], one["shape"][-1]) for one in levels)
            for name, levels in self.record.arrays.items()
        }
        self._series = series_copies(self.store, cache, self.record)
        self._home = f"{store.url}|{cube_id}"

    @override
    def __repr__(self) -> str:
        """The snapshot."""
        return f"<CubeStore {self.snapshot}>"

    @cached_property
    def _kind(self) -> str:
        """Digest of what all times of the cube have in common."""
        common = {"is": dump_description(self.record.template), "as": self.record.arrays}
        return sha256(json.dumps(common, sort_keys=True, default=list).encode()).hexdigest()[:16]

    def state_of(self, slot_index: int) -> str:
        """Names what a logical time holds: its slice document, which has the checksums of all."""
        slices = self.record.slices
        return f"{self._kind}/{slices[slot_index].name if slices else ''}"

    @property
    def version(self) -> int:
        """Number of the version."""
        return self.head.version

    @property
    def committed(self) -> str:
        """ISO 8601 time of the commit."""
        return self.record.committed

    @cached_property
    def timed(self) -> bool:
        """Whether the arrays' first dimension is time."""
        return self.record.timed

    @property
    def remote(self) -> bool:
        """Whether its store lies behind a network."""
        return not self.store.is_local

    @property
    def empty(self) -> bool:
        """Whether no slice has been committed yet."""
        return not self.record.slices

    @property
    def sources(self) -> tuple[str, ...]:
        """Ids of the granules in this version."""
        return tuple(self.record.sources)

    def granules(self, slot_index: int) -> tuple[SourceRecord, ...]:
        """What a logical time was made of, in the order in which it came; empty if not known."""
        slices = self.record.slices
        return self.record.granules.get(slices[slot_index].ticks, ()) if slices else ()

    def ingested(self, slot_index: int) -> str:
        """ISO 8601 time of the newest source of a logical time; empty where none says it."""
        return max((one.ingested for one in self.granules(slot_index)), default="")

    @cached_property
    def last_deletion(self) -> str:
        """ISO 8601 time of the latest deletion of a time; empty where there was none."""
        return max((one.deleted for one in self.record.deletions), default="")

    def transaction(self, message: str) -> Transaction:
        """A change of the cube: ``with cube.transaction("day 7") as tx: …``.

        This handle stays at its version; :meth:`refreshed` gives the new one.

        Parameters
        ----------
        message : str
            For people who read the cube's history.
        """
        return Transaction(self.store, self.id, message)

    def statistics(self, field: str) -> FieldStatistics | None:
        """Values that occur in a field, over all times; None where nothing is known.

        It takes no read. Slices that were written before statistics were kept are not in it.
        """
        known = self.description.range_type.field(field)
        summary = self.record.statistics.get(known.name)
        return None if summary is None else FieldStatistics.of(known, summary)

    def series(self, field: str) -> SeriesCopy | None:
        """The copy of a field whose chunks are long in time; None where there is none yet."""
        return self._series.get(field)

    def chunk_shape(self, field: str, level: int = 0) -> tuple[int, ...]:
        """Shape of a chunk in cells: (time, axes…, y, x), time only if the cube has it."""
        return self._codecs[field][level].chunk_shape

    def chunk_counts(self, field: str, level: int = 0) -> tuple[int, ...]:
        """Number of chunks along each dimension: (time, axes…, y, x), time only if there is."""
        counts = self._counts[field][level]
        return (len(self.record.slices), *counts) if self.timed else counts

    def chunk_sizes(self, field: str, level: int, slot_index: int = 0) -> NDArray[np.integer[Any]]:
        """Stored bytes of each chunk of a logical time.

        Parameters
        ----------
        field : str
        level : int
        slot_index : int
            Logical index along time; 0 in a cube without time.

        Returns
        -------
        sizes : integers, (axes…, chunk rows, chunk columns), not to be changed; 0 where absent
        """
        counts = self._counts[field][level]
        if not self.record.slices:
            return np.zeros(counts, np.int64)
        return self._table(field, level, slot_index).sizes.reshape(counts)

    def chunk(self, field: str, level: int, index: tuple[int, ...]) -> NDArray[Any]:
        """One decoded chunk.

        Parameters
        ----------
        field : str
        level : int
        index : tuple of int
            Logical chunk index (time, axes…, row, column), time only if the cube has it.

        Returns
        -------
        values : stored dtype, chunk_shape or the part of it on the grid, read-only

        Raises
        ------
        StorageError
            The chunk is missing, truncated or damaged; the message says which.
        """
        if not self.record.slices:
            return self._fills[field][level]
        slot_index, place = (index[0], index[1:]) if self.timed else (0, index)
        key = self._key(slot_index, field, level, place)

        def load() -> NDArray[Any]:
            table = self._table(field, level, slot_index)
            return self._load(field, level, slot_index, place, table)

        return self.cache.chunk(key, load, near=not self.remote)

    def _key(self, slot: int, *of_chunk: Hashable) -> tuple[Hashable, ...]:
        return self._home, self.record.slices[slot].name, *of_chunk

    def groups(
        self, field: str, level: int, indexes: Sequence[ChunkIndex]
    ) -> Sequence[Sequence[ChunkIndex]]:
        """Every chunk alone: each is an object of its own."""
        del field, level
        return [(index,) for index in indexes]

    def chunks(
        self, field: str, level: int, indexes: Sequence[ChunkIndex]
    ) -> Sequence[NDArray[Any]]:
        """Several decoded chunks, in order, the absent ones read together; see :meth:`chunk`."""
        if not self.record.slices or len(indexes) == 1:
            return [self.chunk(field, level, index) for index in indexes]
        if self.timed:
            places = [(index[0], index[1:]) for index in indexes]
        else:
            places = [(0, index) for index in indexes]
        keys = [self._key(slot, field, level, place) for slot, place in places]

        def load(positions: Sequence[int]) -> list[NDArray[Any] | None]:
            wanted = [places[position] for position in positions]
            tables = {slot: self._table(field, level, slot) for slot, _ in wanted}
            return [self._load(field, level, slot, place, tables[slot]) for slot, place in wanted]

        found = self.cache.chunks(keys, load, near=not self.remote)
        return cast("list[NDArray[Any]]", found)

    def row_reader(self, field: str, level: int, lead: ChunkIndex) -> RowReader:
        """What reads some rows of decoded chunks; see :meth:`chunk`.

        Parameters
        ----------
        lead : (time, axes…) of the chunks, time only if the cube has it
        """
        codec = self._codecs[field][level]
        if self.remote or not self.record.slices or not codec.parts:
            return whole_chunks(self, field, level, lead)
        slot_index, axes = (lead[0], lead[1:]) if self.timed else (0, lead)
        one = self.record.slices[slot_index]
        slot = (one.slot,) if self.timed else ()
        return ChunkRows(
            self.cache,
            self.store,
            codec,
            self._table(field, level, slot_index),
            self._counts[field][level],
            self._fills[field][level],
            self._key(slot_index, field, level),
            axes,
            *object_folder(self.id, level, field, (*slot, *axes), one.layout),
            lambda at: self.chunk(field, level, (*lead, *at)),
        )

    def refreshed(self) -> "CubeStore":
        """Itself while the head has not moved (one small read), else the newest.

        Raises
        ------
        CoverageNotFound
            The cube is gone.
        """
        head = read_head(self.store, self.id)
        return self if head == self.head else CubeStore(self.store, self.id, head, self.cache)

    def slice_document(self, slot_index: int) -> SliceDocument:
        """Lengths and checksums of a logical time's chunks.

        Raises
        ------
        StorageError
            The document is missing or damaged.
        """
        key = self._key(slot_index)
        return self.cache.document(key, lambda: self.read_slice_document(slot_index))

    def read_slice_document(self, slot_index: int) -> SliceDocument:
        """The same, read from the store whatever the cache holds."""
        return read_slice_document(self.store, self.id, self.record.slices[slot_index].name)

    def chunk_object(self, field: str, level: int, slot_index: int, place: tuple[int, ...]) -> str:
        """Key of the object that holds a chunk."""
        one = self.record.slices[slot_index]
        slot = (one.slot,) if self.timed else ()
        return chunk_key(self.id, level, field, (*slot, *place), one.layout)

    def describe_chunk(
        self, field: str, level: int, slot_index: int, place: tuple[int, ...]
    ) -> str:
        """A chunk in words: cube, field, level, time, chunk."""
        time = self.description.domain.time
        when = (
            ""
            if time is None
            else f", time {format_tick(int(time.ticks[slot_index]), time.calendar)}"
        )
        where = "/".join(map(str, place))
        return f"cube '{self.id}', field '{field}', level {level}{when}, chunk {where}"

    def _load(
        self,
        field: str,
        level: int,
        slot_index: int,
        place: tuple[int, ...],
        table: ChunkTable,
    ) -> NDArray[Any]:
        counts = self._counts[field][level]
        flat = flat_index(place, counts)
        size = int(table.sizes[flat])
        if size == 0:
            return self._fills[field][level]
        key = self.chunk_object(field, level, slot_index, place)
        codec, room = self._codecs[field][level], self.cache.room
        try:
            values = read_chunk(self.store, key, codec, size, int(table.checksums[flat]), room=room)
        except StorageError as error:
            what = self.describe_chunk(field, level, slot_index, place)
            raise StorageError(f"{error.message} ({what})", subject=self.id) from error
        self.cache.count_read(size)
        return on_grid(values, place, self._sides[field][level], room)

    def _table(self, field: str, level: int, slot_index: int) -> ChunkTable:
        tables = self.slice_document(slot_index).fields.get(field)
        if tables is None:
            return ChunkTable.empty(prod(self._counts[field][level]))
        return tables[level]
