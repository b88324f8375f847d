"""Units of work for other processes: one window of one field at one time -> its chunks.

A unit may be done twice, or by two at once: it writes the same bytes under the same names, and
nothing of it is visible before the commit of whoever has given it out.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from datacube.config.products import RecipeSettings
from datacube.errors import ConflictError, SourceError
from datacube.ingest.fetch import local
from datacube.ingest.opened import opened, readied
from datacube.ingest.readers import Readers, find_reader, unknown
from datacube.ingest.source import Granule, ReadOptions
from datacube.store.heap import Thrift
from datacube.store.icechunk.forked import ForkedObjects
from datacube.store.icechunk.session import Fork
from datacube.store.objects import ObjectStore
from datacube.store.slicechunks import Piece, Put, SliceChunks, SlicePlace, Window
from datacube.store.url import open_store

_OPEN = 2


@dataclass(frozen=True, eq=False)
class Order:
    """A granule whose values others read.

    Parameters
    ----------
    store, source : str
        URL or absolute path, the same for everybody.
    options : ReadOptions
    recipe : RecipeSettings
    granule : str
        Its id.
    cube : str
    over : int, optional
        Version of the cube over whose values it is laid.
    """

    store: str
    source: str
    options: ReadOptions
    recipe: RecipeSettings
    granule: str
    cube: str
    over: int | None

    @property
    def key(self) -> tuple[object, ...]:
        """The same for orders of the same values."""
        return self.store, self.source, self.granule, self.cube, self.over


@dataclass(frozen=True, slots=True)
class Unit:
    """A window of a slice.

    Parameters
    ----------
    position : int, of the slice in the granule
    field : str
    index : tuple of int, place along further axes
    window : first row, row after the last, first column, column after the last
    """

    position: int
    field: str
    index: tuple[int, ...]
    window: Window


class Workshop:
    """What a process that does units holds open: the sources of the last orders.

    Parameters
    ----------
    readers : mapping of name to SourceReader
    """

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._thrift = Thrift()
        self._lock = threading.Lock()  # the libraries behind the readers want one thread
        self._open: OrderedDict[tuple[object, ...], tuple[ExitStack, Granule]] = OrderedDict()

    def do(self, order: Order, place: SlicePlace, unit: Unit) -> Piece:
        """Read a window, and write its chunks and the overviews that lie in it, durably.

        Raises
        ------
        SourceError
            The source is another one here, or damaged.
        ConflictError
            Another writer has changed the cube.
        StorageError
            The store failed.
        """
        store = open_store(order.store)
        row0, row1, column0, column1 = unit.window
        with self._lock:
            band = self._granule(store, order).slices[unit.position].bands[unit.field]
            values = band.read(unit.index, row0, row1, column0, column1)
            self._thrift.used(values.nbytes)
        target = _target(store, place)
        chunks = SliceChunks(target.put, place)
        field, _ = place.fields[unit.field]
        with ThreadPoolExecutor(1 if store.is_local else 4) as threads:
            under_way = [
                threads.submit(chunks.write, field, unit.index, block)
                for block in chunks.blocks(row0, column0, values)
            ]
        for one in under_way:
            one.result()
        piece = chunks.piece()
        target.sync(chunks.keys(piece))
        return replace(piece, changes=target.changes)

    def close(self) -> None:
        """Close every source."""
        with self._lock:
            while self._open:
                self._open.popitem()[1][0].close()

    def _granule(self, store: ObjectStore, order: Order) -> Granule:
        if order.key in self._open:
            self._open.move_to_end(order.key)
            return self._open[order.key][1]
        while len(self._open) >= _OPEN:
            self._open.popitem(last=False)[1][0].close()
        with ExitStack() as stack:
            granule = stack.enter_context(self._found(store, order))
            self._open[order.key] = stack.pop_all(), granule
        return granule

    @contextmanager
    def _found(self, store: ObjectStore, order: Order) -> Iterator[Granule]:
        with local(order.source) as path:
            reader = find_reader(self._readers, path)
            if reader is None:
                raise unknown(path)
            with opened(reader, path, order.options, order.recipe) as granules:
                same = [
                    one for one in granules if (one.id, one.cube_id) == (order.granule, order.cube)
                ]
                if not same:
                    raise SourceError(
                        "a worker finds something else under this name", subject=order.source
                    )
                ready = readied(store, same[0], order.recipe)
                if ready is None or ready.over != order.over:
                    raise ConflictError(
                        f"another writer has meanwhile changed cube '{order.cube}'",
                        subject=order.cube,
                    )
                yield ready


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a unit's chunks go.

    Parameters
    ----------
    put : function of key and bytes
    sync : function of keys
    changes : Fork, optional
        What the cube's repository must take in.
    """

    put: Put
    sync: Callable[[Iterable[str]], None]
    changes: Fork | None = None


def _target(store: ObjectStore, place: SlicePlace) -> _Target:
    if place.dry:
        return _Target(_nothing, _nothing)
    if place.fork is None:
        return _Target(store.put, store.sync)
    forked = ForkedObjects(store, place.cube_id, place.fork, timed=place.slot is not None)
    return _Target(forked.put, forked.sync, forked.changes)


def _nothing(*_: object) -> None:
    """Write nothing."""
