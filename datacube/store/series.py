"""Reading the series copy: chunks that are long in time and small in space.

The copy consists of segments. Each holds a run of consecutive times, is never changed, and is
listed in the version with exactly the times that it was made of; a time in no segment is read from
the map chunks. Chunks of one row lie side by side in an object that is a Zarr shard, so that
``CUBE/series/FIELD/SEGMENT`` is a plain Zarr array as well.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.store.cache import ChunkCache
from datacube.store.layout import series_key
from datacube.store.manifest import Version
from datacube.store.objects import ObjectStore
from datacube.store.reader import read_chunk
from datacube.store.records import SeriesRecord
from datacube.store.tables import SegmentDocument, flat_index, segment_key

type Place = tuple[int, ...]
"""(axes…, row, column) of a chunk."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Logical times that a segment holds.

    Parameters
    ----------
    start, stop : int
        Indexes along the time axis, stop excluded.
    document : str
        Name of the document that lists its chunks.
    """

    start: int
    stop: int
    document: str


def read_segment_document(store: ObjectStore, cube_id: str, name: str) -> SegmentDocument:
    """A segment's document.

    Raises
    ------
    StorageError
        It is missing or damaged.
    """
    data = store.get(segment_key(cube_id, name))
    if data is None:
        raise StorageError(f"cube '{cube_id}' lacks its segment document {name}", subject=cube_id)
    return SegmentDocument.load(data, name, cube_id)


class SeriesCopy:
    """The series copy of one field at one version; safe to share between threads.

    Parameters
    ----------
    store : ObjectStore
    cache : ChunkCache
    cube_id, field : str
    series : SeriesRecord
    segments : tuple of Segment
        In order of time.
    sizes : tuple of int
        (axes…, y, x) of the field.

    Examples
    --------
    >>> copy = SeriesCopy(
    ...     None, None, "sst", "v", SeriesRecord(256, (16, 16)),
    ...     (Segment(0, 256, "a"), Segment(256, 512, "b")), (2, 119, 271))
    >>> copy.chunk_shape, copy.chunk_counts
    ((256, 1, 16, 16), (2, 8, 17))
    >>> list(copy.parts(250, 530))
    [(0, 250, 256), (1, 256, 512), (None, 512, 530)]
    """

    def __init__(
        self,
        store: ObjectStore,
        cache: ChunkCache,
        cube_id: str,
        field: str,
        series: SeriesRecord,
        segments: tuple[Segment, ...],
        sizes: tuple[int, ...],
    ) -> None:
        self.field = field
        self.segments = segments
        height, width = series.chunk
        self.chunk_shape = (series.steps, *(1 for _ in sizes[:-2]), height, width)
        self.chunk_counts = (*sizes[:-2], -(-sizes[-2] // height), -(-sizes[-1] // width))
        self._store = store
        self._cache = cache
        self._cube_id = cube_id

    @property
    def times(self) -> int:
        """Times that segments hold together."""
        return sum(one.stop - one.start for one in self.segments)

    def parts(self, start: int, stop: int) -> Iterator[tuple[int | None, int, int]]:
        """Times from start to before stop, by where they are read.

        Yields
        ------
        segment, first, last
            Index of the segment, None for map chunks; logical indexes, last excluded.
        """
        at = start
        for number, one in enumerate(self.segments):
            if one.stop <= at or one.start >= stop:
                continue
            if at < one.start:
                yield None, at, one.start
            at = min(one.stop, stop)
            yield number, max(one.start, start), at
        if at < stop:
            yield None, at, stop

    def chunk_sizes(self, segment: int) -> NDArray[np.int64]:
        """Stored bytes of each chunk of a segment.

        Returns
        -------
        sizes : int64, (axes…, chunk rows, chunk columns); 0 where all is fill
        """
        sizes = self.document(segment).table.sizes
        return sizes.astype(np.int64).reshape(self.chunk_counts)

    def chunk(self, segment: int, place: Place) -> NDArray[Any]:
        """One decoded chunk.

        Parameters
        ----------
        segment : int
            Index into :attr:`segments`.
        place : (axes…, row, column)

        Returns
        -------
        values : stored dtype, (times of the segment, 1…, y, x), read-only
            Whole also at the grid's edge.

        Raises
        ------
        StorageError
            The chunk is missing, truncated or damaged; the message says which.
        """
        key = (self._key(segment), place)
        return self._cache.chunk(key, lambda: self._load(segment, place))

    def document(self, segment: int) -> SegmentDocument:
        """Lengths and checksums of a segment's chunks.

        Raises
        ------
        StorageError
            The document is missing or damaged.
        """
        name = self.segments[segment].document
        return self._cache.document(
            self._key(segment), lambda: read_segment_document(self._store, self._cube_id, name)
        )

    def _key(self, segment: int) -> str:
        return f"{self._store.url}|{self._cube_id}|series|{self.segments[segment].document}"

    def _load(self, segment: int, place: Place) -> NDArray[Any]:
        document = self.document(segment)
        sizes = document.table.sizes
        flat = flat_index(place, self.chunk_counts)
        size = int(sizes[flat])
        if size == 0:
            return document.codec.filled()
        along = place[-1] % document.across
        start = int(sizes[flat - along : flat].sum(dtype=np.int64))
        key = shard_key(self._cube_id, document, place)
        checksum = int(document.table.checksums[flat])
        try:
            values = read_chunk(
                self._store, key, document.codec, size, checksum, start, self._cache.room
            )
        except StorageError as error:
            where = "/".join(map(str, place))
            what = f"cube '{self._cube_id}', field '{self.field}', series chunk {where} of {key}"
            raise StorageError(f"{error.message} ({what})", subject=self._cube_id) from error
        self._cache.count_read(size)
        return values


def shard_key(cube_id: str, document: SegmentDocument, place: Place) -> str:
    """Key of the object that holds a chunk."""
    column = place[-1] // document.across
    return series_key(cube_id, document.field, document.id, (*place[:-1], column))


def series_copies(
    store: ObjectStore, cache: ChunkCache, version: Version
) -> Mapping[str, SeriesCopy]:
    """The series copy of each field that has one at a version."""
    if version.series is None:
        return {}
    indexes = {one.ticks: index for index, one in enumerate(version.slices)}
    found: dict[str, list[Segment]] = {}
    for record in version.series.segments:
        start, last = indexes.get(record.first), indexes.get(record.last)
        if start is None or last is None or last - start + 1 != record.count:
            continue  # not of these times: its chunks are not used
        for name, document in record.documents.items():
            found.setdefault(name, []).append(Segment(start, last + 1, document))
    cube_id, sizes = version.template.id, version.template.domain.shape[1:]
    return {
        name: SeriesCopy(store, cache, cube_id, name, version.series, tuple(segments), sizes)
        for name, segments in found.items()
    }
