"""Checking what a cube holds against what its manifest says."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import batched, product
from typing import override

import numpy as np

from datacube.errors import StorageError
from datacube.model.time import format_tick
from datacube.store.cube import CubeStore
from datacube.store.reader import chunk_damage
from datacube.store.series import read_segment_document, shard_key
from datacube.store.source import CubeSource
from datacube.store.tables import ChunkTable, SegmentDocument, UintArray

_THREADS = 8


@dataclass(frozen=True, slots=True)
class Damage:
    """A chunk that is not what was committed.

    Parameters
    ----------
    field : str
        Empty where a whole slice's table is lost.
    level : int
    time : str
        ISO 8601; first/last for the series copy; empty in a cube without time.
    chunk : str
        Key of the object.
    what : str
    """

    field: str
    level: int
    time: str
    chunk: str
    what: str

    @override
    def __str__(self) -> str:
        """One line."""
        when = f" at {self.time}" if self.time else ""
        return f"{self.field or 'slice'}{when}, level {self.level}, {self.chunk}: {self.what}"


def verify(cube: CubeStore) -> list[Damage]:
    """Read every chunk of a version, past the cache, and compare it with its checksum.

    Parameters
    ----------
    cube : CubeStore

    Returns
    -------
    list of Damage
        Empty where all is well.
    """
    found: list[Damage] = []
    with ThreadPoolExecutor(_THREADS) as pool:
        for slot_index in range(len(cube.record.slices)):
            try:
                document = cube.read_slice_document(slot_index)
            except StorageError as error:
                name = cube.record.slices[slot_index].name
                found.append(Damage("", 0, _time(cube, slot_index), name, error.message))
                continue
            work = (
                (cube, field, level, slot_index, table, flat)
                for field, tables in document.fields.items()
                for level, table in enumerate(tables)
                for flat in np.flatnonzero(table.sizes).tolist()
            )
            for batch in batched(work, 64 * _THREADS):
                found += [damage for damage in pool.map(_check, batch) if damage is not None]
        for shards in batched(_shards(cube, found), 8 * _THREADS):
            for damages in pool.map(_check_shard, shards):
                found += damages
    return found


def verify_foreign(cube: CubeSource) -> list[Damage]:
    """Decode every chunk of a cube that others wrote: there is nothing else to check it by.

    Parameters
    ----------
    cube : CubeSource

    Returns
    -------
    list of Damage
        Empty where all is well; a chunk that is missing is none.
    """
    found = []
    time = cube.description.domain.time
    for field, level in product(cube.description.range_type.names, cube.description.levels):
        for index in np.ndindex(*cube.chunk_counts(field, level.number)):
            try:
                cube.chunk(field, level.number, index)
            except StorageError as error:
                first = index[0] * cube.chunk_shape(field, level.number)[0]
                when = "" if time is None else format_tick(int(time.ticks[first]), time.calendar)
                place = "/".join(map(str, index))
                found.append(Damage(field, level.number, when, place, error.message))
    return found


def _check(work: tuple[CubeStore, str, int, int, ChunkTable, int]) -> Damage | None:
    cube, field, level, slot_index, table, flat = work
    counts = cube.chunk_counts(field, level)[1 if cube.timed else 0 :]
    place = tuple(int(one) for one in np.unravel_index(flat, counts))
    key = cube.chunk_object(field, level, slot_index, place)
    try:
        what = chunk_damage(cube.store.get(key), int(table.sizes[flat]), int(table.checksums[flat]))
    except StorageError as error:
        what = error.message
    return None if what is None else Damage(field, level, _time(cube, slot_index), key, what)


@dataclass(frozen=True, eq=False)
class _Shard:
    """An object of the series copy and the chunks in it."""

    cube: CubeStore
    document: SegmentDocument
    time: str
    key: str
    sizes: UintArray
    checksums: UintArray


def _shards(cube: CubeStore, found: list[Damage]) -> Iterator[_Shard]:
    """Every object of the series copy; documents that are lost are noted."""
    for field in cube.description.range_type.names:
        copy = cube.series(field)
        for segment in copy.segments if copy else ():
            time = f"{_time(cube, segment.start)}/{_time(cube, segment.stop - 1)}"
            try:
                document = read_segment_document(cube.store, cube.id, segment.document)
            except StorageError as error:
                found.append(Damage(field, 0, time, segment.document, error.message))
                continue
            assert copy is not None  # noqa: S101  it has segments
            counts = copy.chunk_counts
            sizes = document.table.sizes.reshape(counts)
            checksums = document.table.checksums.reshape(counts)
            for place in np.ndindex(*counts[:-1]):
                for first in range(0, counts[-1], document.across):
                    columns = slice(first, first + document.across)
                    if sizes[place][columns].any():
                        key = shard_key(cube.id, document, (*place, first))
                        chunks = sizes[place][columns], checksums[place][columns]
                        yield _Shard(cube, document, time, key, *chunks)


def _check_shard(shard: _Shard) -> list[Damage]:
    try:
        data = shard.cube.store.get(shard.key)
    except StorageError as error:
        return [Damage(shard.document.field, 0, shard.time, shard.key, error.message)]
    found, start = [], 0
    for number, (size, checksum) in enumerate(zip(shard.sizes, shard.checksums, strict=True)):
        if size == 0:
            continue
        part = None if data is None else data[start : start + int(size)]
        what = chunk_damage(part, int(size), int(checksum))
        start += int(size)
        if what is not None:
            what = f"{what} (number {number} of the object)"
            found.append(Damage(shard.document.field, 0, shard.time, shard.key, what))
    return found


def _time(cube: CubeStore, slot_index: int) -> str:
    time = cube.description.domain.time
    return "" if time is None else format_tick(int(time.ticks[slot_index]), time.calendar)
