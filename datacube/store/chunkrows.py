"""Chunks of a field of which some rows are wanted: what they have in common is looked up once."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.store.cache import ChunkCache
from datacube.store.codecs import ArrayCodec
from datacube.store.layout import chunk_key
from datacube.store.local import LocalObjects
from datacube.store.objects import ObjectStore
from datacube.store.reader import read_chunk
from datacube.store.source import ChunkIndex, Rows
from datacube.store.tables import ChunkTable, flat_index


@dataclass(eq=False, slots=True)  # not frozen: one is made for each field of a tile
class ChunkRows:
    """Reads rows of the chunks that one slice of a cube has at one level of a field.

    Of a chunk that is not in the cache and was hardly asked for in a while, no more is decoded than
    the rows take, and nothing is kept.

    Parameters
    ----------
    cache : ChunkCache
    store : ObjectStore, on this machine
    codec : ArrayCodec that has parts
    table : ChunkTable
        Lengths and checksums of the slice's chunks.
    counts : tuple of int, number of chunks along each dimension but time
    fill : what a chunk is of which nothing is stored
    kept : key of a chunk in the cache, without its place
    lead : place of the chunks along the axes between time and the grid
    folder : key of their objects up to row and column
    separator : between row and column
    whole : row and column -> the chunk, held by the cache
    """

    cache: ChunkCache
    store: ObjectStore
    codec: ArrayCodec
    table: ChunkTable
    counts: tuple[int, ...]
    fill: NDArray[Any]
    kept: tuple[Hashable, ...]
    lead: ChunkIndex
    folder: str
    separator: str
    whole: Callable[[ChunkIndex], NDArray[Any]]

    def __call__(self, at: ChunkIndex, rows: Rows) -> NDArray[Any]:
        """One decoded chunk, read-only, of which the rows from … to before … are right.

        Parameters
        ----------
        at : (row, column)
        rows : (int, int)

        Raises
        ------
        StorageError
            The chunk is missing, truncated or damaged; the message says which.
        """
        place = (*self.lead, *at)
        flat = flat_index(place, self.counts)
        size = int(self.table.sizes[flat])
        if not size:
            return self.fill
        found, rare = self.cache.sought((*self.kept, place), self.codec.decoded_bytes)
        if found is not None:
            return found
        if not rare:
            return self.whole(at)
        try:
            return self._read(at, rows, size, int(self.table.checksums[flat]))
        except StorageError:
            return self.whole(at)  # says what is wrong where

    def _read(self, at: ChunkIndex, rows: Rows, size: int, checksum: int) -> NDArray[Any]:
        cache, store = self.cache, self.store
        key = f"{self.folder}{at[0]}{self.separator}{at[1]}"
        if isinstance(store, LocalObjects):
            values, size = cache.sound.read_rows(store, key, self.codec, size, checksum, rows)
        else:
            values = read_chunk(store, key, self.codec, size, checksum, room=cache.room)
        cache.count_read(size)
        return values


def object_folder(
    cube_id: str, level: int, field: str, lead: ChunkIndex, layout: int
) -> tuple[str, str]:
    """What the keys of a field's chunks begin with, and what stands between row and column.

    Parameters
    ----------
    lead : the physical place on all dimensions but the last two

    Examples
    --------
    >>> object_folder("sst", 1, "analysed", (7,), 0), object_folder("sst", 0, "analysed", (), 3)
    (('sst/overviews/1/analysed/c/7/', '/'), ('sst/analysed/', '.'))
    """
    first = chunk_key(cube_id, level, field, (*lead, 0, 0), layout)
    return first[:-3], first[-2]
