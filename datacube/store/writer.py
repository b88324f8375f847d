"""Writing one slice: chunk objects of every level, and the table of their checksums."""

import os
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.model.coverage import CoverageDescription
from datacube.model.fields import Field
from datacube.store.home import fork_of, take_in
from datacube.store.icechunk.session import Fork
from datacube.store.objects import Claim, ObjectStore
from datacube.store.slicechunks import Piece, Place, SliceChunks, SlicePlace, Window
from datacube.store.tables import SliceDocument

_WAITING, _HELD = 24, 36
"""Threads that wait for a network, and chunks that are on their way or wait for one of them."""


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
        workers = max(2, min(8, os.cpu_count() or 1)) if store.is_local else _WAITING
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="write")
        self._room = threading.Semaphore(3 * workers if store.is_local else _HELD)
        self._futures: list[Future[None]] = []
        self._lock = threading.Lock()
        self.written: list[str] = []
        self.bytes_written = 0

    def submit(self, work: Callable[[], None]) -> Future[None]:
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
        return future

    def put(self, key: str, data: bytes) -> None:
        """Write an object and remember its key."""
        if self._dry:
            return
        with self._lock:
            self.written.append(key)
            self.bytes_written += len(data)
        self._store.put(key, data)

    def put_soon(self, key: str, data: bytes) -> None:
        """The same on a thread where it takes a while; :meth:`drain` waits for it."""
        if self._store.is_local:
            self.put(key, data)
        else:
            self.submit(partial(self.put, key, data))

    def elsewhere(self, place: SlicePlace) -> SlicePlace:
        """A place with all that another process needs to write there for this one."""
        slot = place.slot or 0
        fork = None if self._dry else fork_of(self._store, place.layout, slot)
        return replace(place, fork=fork, dry=self._dry)

    def note(self, keys: Sequence[str], size: int, changes: Fork | None) -> None:
        """Remember objects of so many bytes that another process has written for this one."""
        if self._dry:
            return
        take_in(self._store, keys, changes)
        with self._lock:
            self.written += keys
            self.bytes_written += size

    def put_new(self, key: str, data: bytes) -> None:
        """Write an object whose name says its content; where it is there it is not ours to undo."""
        if self._dry or self._store.get(key) is None:
            self.put(key, data)

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

    def undone(self) -> bool:
        """Delete everything that was written; whether all of it is gone."""
        try:
            self._store.delete(self.written)
        except StorageError:
            return False
        return True

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
        self._claim = claim
        self._slot = slot
        self.place = SlicePlace.of(description, arrays, slot, layout)
        self._chunks = SliceChunks(uploader.put, self.place)
        self._under_way: list[Future[None]] = []

    @property
    def chunk_shape(self) -> tuple[int, int]:
        """(height, width) of the chunks to which windows must be aligned."""
        grid = self.place.grids[0]
        return grid.chunk_height, grid.chunk_width

    def write(
        self, field: str, axes_index: Place, row0: int, col0: int, block: NDArray[Any]
    ) -> None:
        """Write a window of one field; each chunk once.

        The block is read on other threads until the slice is closed, and must stay as it is.

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
        self.renew()
        for part in self._chunks.blocks(row0, col0, block):
            self._submit(partial(self._chunks.write, known, axes_index, part))

    def fill(
        self, field: str, axes_index: Place, window: Window, read: Callable[[], NDArray[Any]]
    ) -> None:
        """Write a window as :meth:`write` does, of values that the thread which writes it reads.

        Parameters
        ----------
        field : str
        axes_index : tuple of int
        window : first row, row after the last, first column, column after the last
        read : function that gives the block
        """
        known = self._description.range_type.field(field)
        row0, _, col0, _ = window
        self.renew()

        def work() -> None:
            block = read()
            self._check(known, axes_index, row0, col0, block)
            for part in self._chunks.blocks(row0, col0, block):
                self._chunks.write(known, axes_index, part)

        self._submit(work)

    def elsewhere(self, field: str) -> SlicePlace:
        """Where another process is to write chunks of a field, for :meth:`take`."""
        return self._uploader.elsewhere(self.place.only(field))

    def take(self, piece: Piece) -> None:
        """Take in what another process has written of this slice at :meth:`elsewhere`."""
        self.renew()
        keys = self._chunks.keys(piece)
        self._uploader.note(keys, sum(size for *_, size, _ in piece.stored), piece.changes)
        self._submit(partial(self._chunks.take, piece))

    def renew(self) -> None:
        """Make sure that the slice's slot is still ours.

        Raises
        ------
        ConflictError
            The claim ran out and another writer has it.
        """
        if self._claim is not None:
            self._claim.renew()

    def strand(self) -> None:
        """Never give the slot back: somebody out of reach may still be writing there."""
        if self._claim is not None:
            self._claim.strand()

    def close(self) -> None:
        """Complete the slice: overviews too; what was not written is no data.

        Raises
        ------
        StorageError
            Something could not be written.
        """
        self._wait()
        self._chunks.rest()
        tables, statistics = self._chunks.found()
        self._done(SliceDocument(self._slot, tables, statistics, self.place.layout))

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
        axes = self.place.axes
        inside = len(axes_index) == len(axes) and all(
            0 <= index < size for index, size in zip(axes_index, axes, strict=True)
        )
        if not inside:
            raise ValueError(f"index {axes_index} along further axes of sizes {axes}")
        grid = self.place.grids[0]
        if block.ndim != 2:
            raise ValueError(f"a block of shape {block.shape}; it must be (y, x)")
        for first, count, side, size in (
            (row0, block.shape[0], grid.chunk_height, grid.height),
            (col0, block.shape[1], grid.chunk_width, grid.width),
        ):
            end = first + count
            if first < 0 or first % side or end > size or (end % side and end != size):
                raise ValueError(f"cells {first}:{end} of {size} do not fit chunks of {side}")

    def _submit(self, work: Callable[[], None]) -> None:
        self._under_way = [one for one in self._under_way if not _succeeded(one)]
        self._under_way.append(self._uploader.submit(work))

    def _wait(self) -> None:
        under_way, self._under_way = self._under_way, []
        for one in under_way:
            one.result()


def _succeeded(future: Future[None]) -> bool:
    if not future.done():
        return False
    future.result()
    return True
