"""A cube that lies in somebody else's Zarr, read as one of ours is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, override

import numpy as np
from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.model.coverage import CoverageDescription
from datacube.store.cache import ChunkCache
from datacube.store.foreign_fields import PartField, served_dtype
from datacube.store.foreign_objects import ForeignObjects
from datacube.store.foreign_reader import ArrayReader, Chunk
from datacube.store.series import SeriesCopy
from datacube.store.source import ChunkIndex, CubeSource, RowReader, whole_chunks
from datacube.store.statistics import FieldStatistics


@dataclass(frozen=True, eq=False)
class Lying:
    """One field on one level: how a cube's chunks lie in its array.

    Parameters
    ----------
    part : PartField
    reader : ArrayReader
    order : int64, (times,), place of each instant in the array; None as they lie
    """

    part: PartField
    reader: ArrayReader
    order: NDArray[np.int64] | None

    @property
    def chunk_shape(self) -> tuple[int, ...]:
        """(time, axes…, y, x); one instant where the array has them in another order."""
        own = self.part.meta.chunk_shape
        sides = tuple(own[place] if place >= 0 else 1 for place in self.part.places)
        return sides if self.order is None else (1, *sides[1:])

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of chunks along (time, axes…, y, x)."""
        own = self.reader.counts
        counts = tuple(own[place] if place >= 0 else 1 for place in self.part.places)
        return counts if self.order is None else (len(self.order), *counts[1:])

    def physical(self, index: ChunkIndex) -> tuple[ChunkIndex, int]:
        """Index of the array's chunk, and which of its instants is meant (-1: all)."""
        instant = -1
        if self.order is not None:
            place = int(self.order[index[0]])
            time = self.part.places[0]
            side = self.part.meta.chunk_shape[time] if time >= 0 else 1
            index = (place // side, *index[1:])
            instant = place % side
        found = [0] * len(self.part.meta.shape)
        for place, at in zip(self.part.places, index, strict=True):
            if place >= 0:
                found[place] = at
        return tuple(found), instant

    def served(self, raw: NDArray[Any]) -> NDArray[Any]:
        """A decoded chunk as the cube has it: dimensions in order, one value for no data."""
        dtype = served_dtype(raw.dtype)
        values = raw.view(np.uint8) if raw.dtype.kind == "b" else raw.astype(dtype, copy=False)
        values = self.part.missing.cleaned(values)
        kept = [place for place in self.part.places if place >= 0]
        dropped = tuple(place for place in range(values.ndim) if place not in kept)
        first = [0 if place in dropped else slice(None) for place in range(values.ndim)]
        # the places that are left, counted without those that are dropped
        left = sorted(kept)
        values = values[tuple(first)].transpose([left.index(place) for place in kept])
        for position, place in enumerate(self.part.places):
            if place < 0:
                values = np.expand_dims(values, position)
        values.flags.writeable = False
        return values

    def blank(self) -> NDArray[Any]:
        """What was never written; it takes no memory."""
        field, meta = self.part.field, self.part.meta
        if meta.defined:
            return self.served(meta.codec.filled()[(slice(0, 1),) * len(meta.shape)])
        nothing: float = 0 if field.nil is None else field.nil
        if np.dtype(field.dtype).kind == "f":
            nothing = np.nan
        return np.full((1,) * len(self.part.places), nothing, field.dtype)


class ForeignCube:
    """A cube at the state in which its Zarr was found; safe to share between threads.

    Parameters
    ----------
    description : CoverageDescription
        With its snapshot.
    fields : for each level, the fields as they lie
    objects : ForeignObjects
        Of the group that it lies in.
    cache : ChunkCache
    home : str
        Of cache keys.
    remote : bool
    newest : function
        The newest state of this cube.
    """

    def __init__(
        self,
        description: CoverageDescription,
        fields: Sequence[Sequence[Lying]],
        objects: ForeignObjects,
        cache: ChunkCache,
        home: str,
        *,
        remote: bool,
        newest: Callable[["ForeignCube"], CubeSource],
    ) -> None:
        self.id = description.id
        self.description = description
        self.snapshot = description.snapshot
        self.timed = description.domain.time is not None
        self.objects = objects
        self.remote = remote
        self.empty = 0 in description.domain.shape
        self._cache = cache
        self._home = home
        self._newest = newest
        self._fields = tuple({one.part.field.name: one for one in level} for level in fields)
        self._blanks = tuple(
            {name: np.broadcast_to(one.blank(), one.chunk_shape) for name, one in level.items()}
            for level in self._fields
        )

    @override
    def __repr__(self) -> str:
        """The snapshot."""
        return f"<ForeignCube {self.snapshot}>"

    def state_of(self, slot_index: int) -> str:
        """The state of the whole and the place in it: others say nothing of one time."""
        return f"{self.snapshot}/{slot_index}"

    def chunk_shape(self, field: str, level: int = 0) -> tuple[int, ...]:
        """Shape of a chunk in cells: (time, axes…, y, x)."""
        return self._fields[level][field].chunk_shape

    def chunk_counts(self, field: str, level: int = 0) -> tuple[int, ...]:
        """Number of chunks along each dimension: (time, axes…, y, x)."""
        return self._fields[level][field].counts

    def chunk_sizes(self, field: str, level: int, slot_index: int = 0) -> NDArray[np.int64]:
        """Decoded bytes of each chunk, since those stored are known to nobody.

        Returns
        -------
        sizes : int64, (axes…, chunk rows, chunk columns)
        """
        del slot_index
        one = self._fields[level][field]
        counts = one.counts[1:] if self.timed else one.counts
        size = int(np.prod(one.chunk_shape)) * np.dtype(one.part.field.dtype).itemsize
        return np.broadcast_to(np.int64(size), counts)

    def chunk(self, field: str, level: int, index: ChunkIndex) -> NDArray[Any]:
        """One decoded chunk, read-only, chunk_shape; no data where nothing was written.

        Raises
        ------
        StorageError
            The chunk is damaged or the storage failed.
        """
        return self.chunks(field, level, (index,))[0]

    def groups(
        self, field: str, level: int, indexes: Sequence[ChunkIndex]
    ) -> Sequence[Sequence[ChunkIndex]]:
        """The chunks parted by the object (the shard) that holds them."""
        one = self._fields[level][field]
        found: dict[ChunkIndex, list[ChunkIndex]] = {}
        for index in indexes:
            found.setdefault(one.reader.object_of(one.physical(index)[0]), []).append(index)
        return list(found.values())

    def chunks(
        self, field: str, level: int, indexes: Sequence[ChunkIndex]
    ) -> Sequence[NDArray[Any]]:
        """Several chunks, in order, with joined reads; see :meth:`chunk`."""
        one = self._fields[level][field]
        places = [one.physical(index) for index in indexes]
        wanted = list(dict.fromkeys(place for place, _ in places))
        path = one.part.meta.path
        keys = [(self._home, path, place) for place in wanted]

        def load(positions: Sequence[int]) -> list[Chunk]:
            raw = one.reader.load([wanted[position] for position in positions])
            return [None if chunk is None else one.served(chunk) for chunk in raw]

        try:
            found = dict(zip(wanted, self._cache.chunks(keys, load), strict=True))
        except StorageError as error:
            raise StorageError(f"{error.message} of cube '{self.id}'", subject=self.id) from error
        blank = self._blanks[level][field]
        chosen: list[NDArray[Any]] = []
        for place, instant in places:
            values = found[place]
            if values is None:
                chosen.append(blank)
            else:
                chosen.append(values if instant < 0 else values[instant : instant + 1])
        return chosen

    def row_reader(self, field: str, level: int, lead: ChunkIndex) -> RowReader:
        """What reads chunks, all rows of them; see :meth:`chunk`."""
        return whole_chunks(self, field, level, lead)

    def statistics(self, field: str) -> FieldStatistics | None:
        """Nothing: nobody has counted."""
        del field
        return None

    def series(self, field: str) -> SeriesCopy | None:
        """Nothing: there is no second copy."""
        del field
        return None

    def refreshed(self) -> CubeSource:
        """Itself while its metadata has not changed, else the newest.

        Raises
        ------
        CoverageNotFound
            The cube is gone.
        """
        return self._newest(self)
