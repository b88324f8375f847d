"""Checking what a cube holds against what its manifest says."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import batched
from typing import override

import numpy as np

from datacube.errors import StorageError
from datacube.model.time import format_tick
from datacube.store.cube import CubeStore
from datacube.store.reader import chunk_damage
from datacube.store.tables import ChunkTable

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
        ISO 8601; empty in a cube without time.
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
    return found


def chunk_count(cube: CubeStore) -> tuple[int, int]:
    """Number of chunk objects of a version, and their bytes."""
    tables = list(_tables(cube))
    sizes = [int(table.sizes.sum(dtype=np.int64)) for table in tables]
    return sum(int(np.count_nonzero(table.sizes)) for table in tables), sum(sizes)


def _tables(cube: CubeStore) -> Iterator[ChunkTable]:
    for slot_index in range(len(cube.record.slices)):
        for tables in cube.slice_document(slot_index).fields.values():
            yield from tables


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


def _time(cube: CubeStore, slot_index: int) -> str:
    time = cube.description.domain.time
    return "" if time is None else format_tick(int(time.ticks[slot_index]), time.calendar)
