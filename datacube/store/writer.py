"""Writing one slice: chunk objects of every level, and the table of their checksums."""

import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial
from itertools import product
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.model.coverage import CoverageDescription
from datacube.model.fields import Field
from datacube.store.codecs import ArrayCodec, crc32c
from datacube.store.layout import chunk_grid, chunk_key
from datacube.store.objects import Claim, ObjectStore
from datacube.store.overview import Pyramid
from datacube.store.statistics import Collector
from datacube.store.tables import ChunkTable, SliceDocument

type Place = tuple[int, ...]


class Uploader:
    """Encodes and writes objects on a few threads, holding a bounded number of chunks.

    Parameters
    ----------
    store : ObjectStore
    dry : bool
        Encode and measure only.
    """

    def __init__(self, store: ObjectStore, *, dry: bool = False) -> None:
        self._store = store
        self._dry = dry
        workers = 2 if store.is_local else 12
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="write")
        self._room = threading.Semaphore(3 * workers)
        self._futures: list[Future[None]] = []
        self._lock = threading.Lock()
        self.written: list[str] = []
        self.bytes_written = 0

    def submit(self, work: Callable[[], None]) -> None:
        """Do some work on a thread; waits while too much is under way.

        Raises
        ------
        Exception
            What earlier work has raised.
        """
        self._room.acquire()
        future = self._pool.submit(work)
        future.add_done_callback(lambda _: self._room.release())
        self._futures.append(future)
        if len(self._futures) > 64:
            self._futures = [one for one in self._futures if not _succeeded(one)]

    def put(self, key: str, data: bytes) -> None:
        """Write an object and remember its key."""
        if self._dry:
            return
        with self._lock:
            self.written.append(key)
            self.bytes_written += len(data)
        self._store.put(key, data)

    def remove(self, keys: Collection[str]) -> None:
        """Delete some of what was written."""
        gone = frozenset(keys)
        with self._lock:
            self.written = [key for key in self.written if key not in gone]
        self._store.delete(keys)

    def discard(self, first: int) -> None:
        """Wait for all work and delete what was written from then on; never fails.

        Parameters
        ----------
        first : int
            Index into :attr:`written`.
        """
        futures, self._futures = self._futures, []
        wait(futures)
        with self._lock:
            keys, self.written[first:] = self.written[first:], []
        with suppress(StorageError):
            self._store.delete(keys)

    def drain(self) -> None:
        """Wait until everything is written.

        Raises
        ------
        Exception
            What some work has raised.
        """
        futures, self._futures = self._futures, []
        for future in futures:
            future.result()

    def close(self) -> None:
        """Stop the threads; work that has not begun is dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class SliceWriter:
    """One slice under way; nothing of it is visible before the transaction's commit.

    Parameters
    ----------
    uploader : Uploader
    description : CoverageDescription
    arrays : field -> Zarr metadata for each level
    slot : int
        Physical index along time.
    done : function of the finished slice's document
    claim : Claim, optional
        Renewed while the slice is written.
    layout : int
        Which key encoding the chunks get.
    """

    def __init__(
        self,
        uploader: Uploader,
        description: CoverageDescription,
        arrays: Mapping[str, tuple[Mapping[str, Any], ...]],
        slot: int,
        done: Callable[[SliceDocument], None],
        claim: Claim | None = None,
        *,
        layout: int = 0,
    ) -> None:
        self._uploader = uploader
        self._done = done
        self._description = description
        self._slot = slot
        self._layout = layout
        self._claim = claim
        self._timed = description.domain.time is not None
        axes = description.domain.axes[1:] if self._timed else description.domain.axes
        self._axes = tuple(axis.size for axis in axes)
        self._codecs = {
            name: tuple(ArrayCodec.parse(one) for one in levels) for name, levels in arrays.items()
        }
        sides = next(iter(self._codecs.values()))[0].chunk_shape[-2:]
        self._grids = tuple(chunk_grid(level, (sides[0], sides[1])) for level in description.levels)
        self._tables: dict[str, tuple[ChunkTable, ...]] = {}
        self._pyramids: dict[tuple[str, Place], Pyramid] = {}
        self._collectors: dict[str, Collector] = {}

    @property
    def chunk_shape(self) -> tuple[int, int]:
        """(height, width) of the chunks to which windows must be aligned."""
        grid = self._grids[0]
        return grid.chunk_height, grid.chunk_width

    def write(
        self, field: str, axes_index: Place, row0: int, col0: int, block: NDArray[Any]
    ) -> None:
        """Write a window of one field; each chunk once.

        Parameters
        ----------
        field : str
        axes_index : tuple of int
            Index along each axis other than time; empty where there is none.
        row0, col0 : int
            First row and column; multiples of the chunk's sides.
        block : stored dtype, (y, x)
            Its sides are multiples of the chunk's, or reach the grid's edge.

        Raises
        ------
        ValueError
            The block has another dtype, is not aligned, or leaves the grid.
        FieldNotFound
            There is no such field.
        """
        known = self._description.range_type.field(field)
        self._check(known, axes_index, row0, col0, block)
        grid = self._grids[0]
        height, width = grid.chunk_height, grid.chunk_width
        for row, column in product(
            range(row0 // height, -(-(row0 + block.shape[0]) // height)),
            range(col0 // width, -(-(col0 + block.shape[1]) // width)),
        ):
            rows, columns = grid.cells(row, column)
            part = block[
                rows.start - row0 : rows.stop - row0, columns.start - col0 : columns.stop - col0
            ]
            self._write_chunk(known, axes_index, row, column, part)

    def close(self) -> None:
        """Complete the slice: overviews too; what was not written is no data.

        Raises
        ------
        StorageError
            Something could not be written.
        """
        for (name, axes_index), pyramid in self._pyramids.items():
            field = self._description.range_type.field(name)
            for level, place, values in pyramid.rest():
                self._send(field, level, (*axes_index, *place), values)
        self._pyramids.clear()
        self._uploader.drain()
        ordered = {name: self._tables[name] for name in self._codecs if name in self._tables}
        found = {name: self._collectors[name].summary() for name in ordered}
        statistics = {name: one for name, one in found.items() if one is not None}
        self._done(SliceDocument(self._slot, ordered, statistics, self._layout))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()

    def _check(
        self, field: Field, axes_index: Place, row0: int, col0: int, block: NDArray[Any]
    ) -> None:
        if block.dtype != np.dtype(field.dtype):
            raise ValueError(f"field {field.name} is {field.dtype}, the block is {block.dtype}")
        inside = len(axes_index) == len(self._axes) and all(
            0 <= index < size for index, size in zip(axes_index, self._axes, strict=True)
        )
        if not inside:
            raise ValueError(f"index {axes_index} along further axes of sizes {self._axes}")
        grid = self._grids[0]
        if block.ndim != 2:
            raise ValueError(f"a block of shape {block.shape}; it must be (y, x)")
        for first, count, side, size in (
            (row0, block.shape[0], grid.chunk_height, grid.height),
            (col0, block.shape[1], grid.chunk_width, grid.width),
        ):
            end = first + count
            if first < 0 or first % side or end > size or (end % side and end != size):
                raise ValueError(f"cells {first}:{end} of {size} do not fit chunks of {side}")

    def _write_chunk(
        self, field: Field, axes_index: Place, row: int, column: int, part: NDArray[Any]
    ) -> None:
        if self._claim is not None:
            self._claim.renew()
        self._send(field, 0, (*axes_index, row, column), part)
        key = (field.name, axes_index)
        pyramid = self._pyramids.setdefault(key, Pyramid(field, self._grids))
        for level, place, values in pyramid.add(row, column, part):
            self._send(field, level, (*axes_index, *place), values)

    def _send(self, field: Field, level: int, place: Place, part: NDArray[Any]) -> None:
        """Encode and write one chunk on a thread; a chunk of nothing but fill is not written."""
        codec = self._codecs[field.name][level]
        grid = self._grids[level]
        whole = np.full((grid.chunk_height, grid.chunk_width), codec.fill, field.dtype)
        whole[: part.shape[0], : part.shape[1]] = part
        table = self._table(field.name)[level]
        flat = int(np.ravel_multi_index(place, (*self._axes, *grid.counts)))
        slot = (self._slot,) if self._timed else ()
        key = chunk_key(self._description.id, level, field.name, (*slot, *place), self._layout)
        count = None if level else partial(self._count, field, flat, place, part.shape)

        def work() -> None:
            if count is not None:
                count(whole)
            if _all_fill(whole, codec.fill):
                return
            data = codec.encode(whole)
            self._uploader.put(key, data)
            table.sizes[flat], table.checksums[flat] = len(data), crc32c(data)

        self._uploader.submit(work)

    def _count(
        self, field: Field, flat: int, place: Place, shape: tuple[int, ...], whole: NDArray[Any]
    ) -> None:
        """Take a chunk of level 0 into the slice's statistics."""
        rows, columns = self._grids[0].cells(place[-2], place[-1])
        part = whole[: shape[0], : shape[1]]
        self._collectors[field.name].add(flat, rows.start, columns.start, part)

    def _table(self, field: str) -> tuple[ChunkTable, ...]:
        if field not in self._tables:
            counts = (
                int(np.prod((*self._axes, *grid.counts), dtype=np.int64)) for grid in self._grids
            )
            self._tables[field] = tuple(ChunkTable.empty(count) for count in counts)
            grid = self._grids[0]
            self._collectors[field] = Collector(
                self._description.range_type.field(field), (*self._axes, grid.height, grid.width)
            )
        return self._tables[field]


def _all_fill(whole: NDArray[Any], fill: np.generic) -> bool:
    if np.isnan(fill):
        return bool(np.isnan(whole).all())
    return bool(whole.flat[0] == fill and (whole == fill).all())


def _succeeded(future: Future[None]) -> bool:
    if not future.done():
        return False
    future.result()
    return True
