"""Chunks of an array that somebody else wrote: read, joined where they share a shard, decoded."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.store.cache import ChunkCache
from datacube.store.foreign_arrays import ArrayMeta
from datacube.store.objects import ObjectStore
from datacube.store.sharding import Entries, ShardCodec, checked, spans

type Index = tuple[int, ...]
type Chunk = NDArray[Any] | None

MAX_WHOLE = 1 << 24
"""Cells of a coordinate array; longer ones are not read."""

_THREADS = 16


class ArrayReader:
    """Reads chunks; holds nothing but, in the cache, the indexes of shards.

    Parameters
    ----------
    store : ObjectStore
    root : str
        Of the group's keys: empty or ending in a slash.
    meta : ArrayMeta
    home : str
        Of cache keys: store, group and state.
    cache : ChunkCache
    """

    def __init__(
        self, store: ObjectStore, root: str, meta: ArrayMeta, home: str, cache: ChunkCache
    ) -> None:
        self.meta = meta
        self._store = store
        self._root = root
        self._home = home
        self._cache = cache
        codec = meta.codec
        self._sharded = codec if isinstance(codec, ShardCodec) and codec.splittable else None
        self.counts = tuple(
            -(-size // side) for size, side in zip(meta.shape, meta.chunk_shape, strict=True)
        )

    def object_of(self, index: Index) -> Index:
        """Index of the object that holds a chunk."""
        if self._sharded is None:
            return index
        return tuple(at // count for at, count in zip(index, self._sharded.counts, strict=True))

    def load(self, indexes: Sequence[Index]) -> list[Chunk]:
        """Decoded chunks as they lie, None where nothing was written; an object is read once.

        Raises
        ------
        StorageError
            A chunk is damaged or the storage failed; the message names the chunk.
        """
        groups: dict[Index, list[Index]] = {}
        for index in indexes:
            groups.setdefault(self.object_of(index), []).append(index)
        found: dict[Index, Chunk] = {}
        for group in groups.values():
            found.update(zip(group, self._of_object(group), strict=True))
        return [found[index] for index in indexes]

    def _of_object(self, indexes: Sequence[Index]) -> list[Chunk]:
        """Chunks of one object."""
        try:
            if self._sharded is not None:
                return self._from_shard(self._sharded, indexes)
            return [self._one(index) for index in indexes]
        except StorageError as error:
            where = "/".join(map(str, indexes[0]))
            raise StorageError(
                f"{error.message} (array '{self.meta.path}', chunk {where})",
                subject=self.meta.path,
            ) from error

    def whole(self) -> NDArray[Any]:
        """Every value of a small array.

        Raises
        ------
        StorageError
            It has too many cells, or a chunk cannot be read.
        """
        shape = self.meta.shape
        if prod(shape) > MAX_WHOLE or prod(self.counts) > MAX_WHOLE:
            raise StorageError(
                f"the coordinates '{self.meta.path}' have {prod(shape)} values; up to {MAX_WHOLE} "
                "are read"
            )
        values = np.empty(shape, self.meta.dtype)
        for index, chunk in self._all():
            window = tuple(
                slice(at * side, min(at * side + side, size))
                for at, side, size in zip(index, self.meta.chunk_shape, shape, strict=True)
            )
            filled = self.meta.codec.filled() if chunk is None else chunk
            values[window] = filled[tuple(slice(one.stop - one.start) for one in window)]
        return values

    def _all(self) -> Iterator[tuple[Index, Chunk]]:
        groups: dict[Index, list[Index]] = {}
        for index in product(*(range(count) for count in self.counts)):
            groups.setdefault(self.object_of(index), []).append(index)
        if self._store.is_local or len(groups) < 2:
            for group in groups.values():
                yield from zip(group, self.load(group), strict=True)
            return
        with ThreadPoolExecutor(_THREADS) as pool:
            for group, chunks in zip(
                groups.values(), pool.map(self.load, groups.values()), strict=True
            ):
                yield from zip(group, chunks, strict=True)

    def _key(self, index: Index) -> str:
        return self._root + self.meta.key(index)

    def _one(self, index: Index) -> Chunk:
        data = self._store.get(self._key(index))
        if data is None:
            return None
        self._cache.count_read(len(data))
        return self.meta.codec.decode(data, self._cache.room)

    def _from_shard(self, codec: ShardCodec, indexes: Sequence[Index]) -> list[Chunk]:
        home = self.object_of(indexes[0])
        found: list[Chunk] = [None] * len(indexes)
        entries = self._entries(codec, home)
        if entries is None:
            return found
        places = {
            int(np.ravel_multi_index(self._within(codec, index), codec.counts)): position
            for position, index in enumerate(indexes)
        }
        for span in spans(entries, places, codec.inner.longest):
            data = self._store.get_range(self._key(home), span.start, span.length)
            if data is None:
                raise StorageError("the shard is gone")
            self._cache.count_read(len(data))
            for place, offset, size in span.members:
                part = checked(data[offset : offset + size], size)
                found[places[place]] = codec.inner.decode(part, self._cache.room)
        return found

    def _within(self, codec: ShardCodec, index: Index) -> Index:
        return tuple(at % count for at, count in zip(index, codec.counts, strict=True))

    def _entries(self, codec: ShardCodec, home: Index) -> Entries | None:
        """The index of a shard, held in the cache; None where there is no such shard."""

        def read(_: Sequence[int]) -> list[Chunk]:
            key, length = self._key(home), codec.index_bytes
            at_end = codec.index_at_end
            data = (
                self._store.get_tail(key, length)
                if at_end
                else self._store.get_range(key, 0, length)
            )
            return [None if data is None else codec.entries(data)]

        return self._cache.chunks([(self._home, self.meta.path, "index", home)], read)[0]
