"""Filling slices with the values of a granule: window by window, here or by the hands of others."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from math import lcm
from typing import Protocol

import numpy as np

from datacube.config.products import RecipeSettings
from datacube.ingest.places import JoinedBand
from datacube.ingest.report import BytesRead, Event
from datacube.ingest.source import (
    TOGETHER_BYTES,
    BandSource,
    Granule,
    ReadOptions,
    bands_together,
    is_parallel,
    tile_of,
)
from datacube.model.axis import TimeAxis
from datacube.store.heap import Thrift
from datacube.store.objects import ObjectStore
from datacube.store.slicechunks import Window
from datacube.store.writer import SliceWriter

WINDOW_BYTES = 32 * 2**20
"""About how many bytes of a field are held at once."""

_OPEN_SLICES = 4
_TURNS = 4


class Filling(Protocol):
    """A granule on its way into its cube."""

    def fill(self, writer: SliceWriter, position: int) -> None:
        """Begin to fill the slice at a position of the granule; it is closed when it is full."""

    def finish(self) -> None:
        """Return when every slice is full and closed."""


class Hands(Protocol):
    """Who reads and writes."""

    def filling(
        self, store: ObjectStore, granule: Granule, job: "Job"
    ) -> AbstractContextManager[Filling]:
        """Within the context slices are filled; at its end all of them are.

        Raises
        ------
        SourceError
            The source is damaged.
        StorageError
            The store, or who does the work, failed.
        """


@dataclass(frozen=True, eq=False)
class Job:
    """A source that goes in.

    Parameters
    ----------
    source : str
        As the user wrote it.
    options : ReadOptions
    recipe : RecipeSettings
    report : callable of Event
    hands : Hands
    """

    source: str
    options: ReadOptions
    recipe: RecipeSettings
    report: Callable[[Event], None]
    hands: Hands


class Local:
    """This process: the threads of the store's writer, and one that reads what only one may."""

    @contextmanager
    def filling(self, store: ObjectStore, granule: Granule, job: Job) -> Iterator[Filling]:
        """See :class:`Hands`."""
        del store
        filling = _Here(granule, job)
        yield filling
        filling.finish()


class _Here:
    def __init__(self, granule: Granule, job: Job) -> None:
        self._granule = granule
        self._job = job
        self._full: deque[SliceWriter] = deque()
        self._thrift = Thrift()

    def fill(self, writer: SliceWriter, position: int) -> None:
        """Read everything, or have it read; slices are closed while the next ones are read."""
        fields = self._granule.description.range_type
        for name, index, window in windows_of(self._granule, position, writer, bands):
            row0, row1, column0, column1 = window
            band = self._granule.slices[position].bands[name]
            if is_parallel(band):
                writer.fill(name, index, window, partial(band.read, index, *window))
            else:
                values = band.read(index, row0, row1, column0, column1)
                writer.write(name, index, row0, column0, values)
            size = (row1 - row0) * (column1 - column0) * np.dtype(fields.field(name).dtype).itemsize
            self._thrift.used(size)
            self._job.report(BytesRead(self._job.source, self._granule.cube_id, size))
        self._full.append(writer)
        while len(self._full) > _OPEN_SLICES:
            self._full.popleft().close()

    def finish(self) -> None:
        """See :class:`Filling`."""
        while self._full:
            self._full.popleft().close()


type Place = tuple[int, ...]
"""Along the further axes."""

type Sides = tuple[int, int]
"""Rows and columns of chunks."""

type Shape = Callable[[int, int, Sides], Sides]
"""Of windows: how many chunks may be held at once, how many lie beside each other, and the fewest
that hold whole tiles of the source."""


def windows_of(
    granule: Granule, position: int, writer: SliceWriter, shape: Shape
) -> Iterator[tuple[str, Place, Window]]:
    """Field, place along further axes and window of all that a slice of a granule holds.

    Parameters
    ----------
    granule : Granule
    position : int, of the slice
    writer : SliceWriter
    shape : Shape
        Of the windows: :func:`bands` or :func:`blocks`.
    """
    own = granule.slices[position].bands
    found = [_windows(granule, name, band, writer, shape) for name, band in own.items()]
    if not all(bands_together(band) > 1 for band in own.values()):
        for one in found:
            yield from one
        return
    each = [list(one) for one in found]  # so that what is unpacked for one band serves the others
    some = _at_once(granule, own, each[0][0][2])
    for first in range(0, max(map(len, each)), some):
        for listed in each:
            yield from listed[first : first + some]


def _windows(
    granule: Granule, name: str, band: BandSource, writer: SliceWriter, shape: Shape
) -> Iterator[tuple[str, Place, Window]]:
    """Those of one field."""
    height, width = granule.description.domain.grid.shape
    rows, columns = writer.chunk_shape
    itemsize = np.dtype(granule.description.range_type.field(name).dtype).itemsize
    together = bands_together(band)
    most = WINDOW_BYTES if together == 1 else min(WINDOW_BYTES, TOGETHER_BYTES // (2 * together))
    held = max(1, most // (rows * columns * itemsize))
    whole = _whole_tiles(tile_of(band) or (1, width), (rows, columns))
    tall, wide = shape(held, -(-width // columns), whole)
    for index in places(granule, band):
        for row in range(0, height, rows * tall):
            for column in range(0, width, columns * wide):
                bottom, right = row + rows * tall, column + columns * wide
                yield name, index, (row, min(bottom, height), column, min(right, width))


def _at_once(granule: Granule, own: Mapping[str, BandSource], window: Window) -> int:
    """How many windows of bands that lie together are read by turns: one for each thread."""
    row0, row1, column0, column1 = window
    fields = granule.description.range_type
    size = sum(np.dtype(fields.field(name).dtype).itemsize for name in own)
    size *= (row1 - row0) * (column1 - column0)
    if not all(map(is_parallel, own.values())):
        return 1
    return max(1, min(_TURNS, TOGETHER_BYTES // (2 * max(size, 1))))


def bands(held: int, across: int, whole: Sides) -> Sides:
    """Windows of whole tiles, or as long as the rows are where nothing smaller lies together.

    Small ones are still in the processor's cache when they are written. Where it can be they hold
    whole chunks of the first overview.

    Examples
    --------
    >>> bands(64, 22, (1, 1)), bands(64, 22, (4, 1)), bands(3, 22, (1, 1))
    ((2, 2), (4, 2), (1, 1))
    >>> bands(64, 22, (1, 22)), bands(10, 22, (1, 22))
    ((2, 22), (1, 10))
    """
    tall, wide = whole
    if wide < across and tall * wide <= held:
        even = tall + tall % 2, wide + wide % 2
        return even if even[0] * even[1] <= held else whole
    wide = min(across, held)
    tall = max(1, held // wide)
    return tall - (tall > 1 and tall % 2), wide


def blocks(held: int, across: int, whole: Sides) -> Sides:
    """Square windows of two, four, eight … chunks: they hold most of their overviews.

    Examples
    --------
    >>> blocks(64, 22, (1, 1)), blocks(63, 22, (1, 1)), blocks(3, 1, (1, 1))
    ((8, 8), (4, 4), (1, 1))
    """
    del across, whole
    side = 1 << (held.bit_length() - 1) // 2
    return side, side


def _whole_tiles(tile: tuple[int, int], chunk: tuple[int, int]) -> Sides:
    """The fewest chunks that hold whole tiles."""
    return lcm(tile[0], chunk[0]) // chunk[0], lcm(tile[1], chunk[1]) // chunk[1]


def places(granule: Granule, band: BandSource) -> Iterator[tuple[int, ...]]:
    """The places along further axes at which a band holds anything."""
    axes = granule.description.domain.axes
    for index in np.ndindex(*(axis.size for axis in axes if not isinstance(axis, TimeAxis))):
        if not isinstance(band, JoinedBand) or band.holds(index):
            yield index
