"""The chunks of one slice: encoded, written, counted, and halved into overviews while they are hot.

It may happen on many threads, and in several processes: what another one has done to a part of the
slice is taken in as a :class:`Piece`.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.model.coverage import CoverageDescription
from datacube.model.fields import Field
from datacube.store.coarse import Mean, State
from datacube.store.codecs import ArrayCodec, crc32c
from datacube.store.icechunk.session import Fork
from datacube.store.layout import ChunkGrid, chunk_grid, chunk_key
from datacube.store.measure import Seen, look
from datacube.store.overview import Pyramid, finish
from datacube.store.statistics import Collector, Counted, Summary
from datacube.store.tables import ChunkTable, flat_index, place_of

type Place = tuple[int, ...]
type Window = tuple[int, int, int, int]
"""First row, row after the last, first column, column after the last."""
type Levels = tuple[Mapping[str, Any], ...]
type Put = Callable[[str, bytes], None]

_AT_ONCE = 4 << 20
"""Bytes of a block that stays in the processor's caches."""


@dataclass(frozen=True, eq=False)
class Block:
    """Chunks of level 0 that are written at once.

    Parameters
    ----------
    row, column : int, of the first chunk
    values : stored dtype, (y, x), cut at the grid's edge
    reach : int
        The level of which it is one whole chunk.
    """

    row: int
    column: int
    values: NDArray[Any]
    reach: int


@dataclass(frozen=True, eq=False)
class Piece:
    """What was done to a part of a slice.

    Parameters
    ----------
    stored : (field, level, number of the chunk, bytes, CRC-32C)
        The chunks that were written.
    counted : field -> number of the chunk -> statistics of its cells
    left : (field, place along the further axes, level, (row, column), halved chunk)
        Of coarser chunks that lie only in part in this one.
    changes : Fork, optional
        What the repository of the cube must take in; None where the chunks are plain objects.
    """

    stored: tuple[tuple[str, int, int, int, int], ...]
    counted: Mapping[str, Mapping[int, Counted]]
    left: tuple[tuple[str, Place, int, tuple[int, int], State], ...]
    changes: Fork | None = None


@dataclass(frozen=True, eq=False)
class SlicePlace:
    """Where the chunks of a slice go, and how they lie; small enough to be sent about.

    Parameters
    ----------
    cube_id : str
    fields : field -> (Field, Zarr metadata for each level)
    axes : tuple of int
        Sizes of the further axes.
    grids : tuple of ChunkGrid, of the levels
    slot : int, optional
        Physical index along time; None in a cube without.
    layout : int
        Which key encoding the chunks get.
    fork : Fork, optional
        Of the repository's session, where the cube lies in one and another process writes.
    dry : bool
        The chunks are only encoded and measured.
    """

    cube_id: str
    fields: Mapping[str, tuple[Field, Levels]]
    axes: tuple[int, ...]
    grids: tuple[ChunkGrid, ...]
    slot: int | None
    layout: int = 0
    fork: Fork | None = None
    dry: bool = False

    @staticmethod
    def of(
        description: CoverageDescription, arrays: Mapping[str, Levels], slot: int, layout: int = 0
    ) -> "SlicePlace":
        """A slot of a cube."""
        timed = description.domain.time is not None
        axes = description.domain.axes[1:] if timed else description.domain.axes
        sides = next(iter(arrays.values()))[0]["chunk_grid"]["configuration"]["chunk_shape"][-2:]
        return SlicePlace(
            description.id,
            {name: (description.range_type.field(name), one) for name, one in arrays.items()},
            tuple(axis.size for axis in axes),
            tuple(chunk_grid(level, (sides[0], sides[1])) for level in description.levels),
            slot if timed else None,
            layout,
        )

    def only(self, name: str) -> "SlicePlace":
        """The same for one field."""
        return replace(self, fields={name: self.fields[name]})

    def counts(self, level: int) -> Place:
        """Chunks along each axis but time."""
        return (*self.axes, *self.grids[level].counts)

    def key(self, name: str, level: int, place: Place) -> str:
        """Key of a chunk by its place along the axes but time."""
        slot = () if self.slot is None else (self.slot,)
        return chunk_key(self.cube_id, level, name, (*slot, *place), self.layout)


class SliceChunks:
    """One slot of a cube.

    Parameters
    ----------
    put : function of key and bytes
        Writes an object.
    place : SlicePlace
    """

    def __init__(self, put: Put, place: SlicePlace) -> None:
        self._put = put
        self._place = place
        self._codecs = {
            name: tuple(ArrayCodec.parse(one) for one in levels)
            for name, (_, levels) in place.fields.items()
        }
        self._lock = threading.Lock()
        self._tables: dict[str, tuple[ChunkTable, ...]] = {}
        self._collectors: dict[str, Collector] = {}
        self._pyramids: dict[tuple[str, Place], Pyramid] = {}

    def blocks(self, row0: int, col0: int, values: NDArray[Any]) -> Iterator[Block]:
        """An aligned window of level 0 in blocks, as large as pays.

        Between fewer and longer steps threads are less in each other's way.
        """
        grid = self._place.grids[0]
        window = row0, row0 + values.shape[0], col0, col0 + values.shape[1]
        reach = self._reach(window, values.itemsize)
        tall, wide = grid.chunk_height << reach, grid.chunk_width << reach
        for row, column in product(range(row0, window[1], tall), range(col0, window[3], wide)):
            part = values[row - row0 : row - row0 + tall, column - col0 : column - col0 + wide]
            yield Block(row // grid.chunk_height, column // grid.chunk_width, part, reach)

    def write(self, field: Field, axes_index: Place, block: Block) -> None:
        """Write the chunks of a block, and every coarser one that it completes.

        Parameters
        ----------
        field : Field
        axes_index : tuple of int
            Index along each axis other than time.
        block : Block
        """
        pyramid = self._pyramid(field, axes_index)
        values, place = np.ascontiguousarray(block.values), (block.row, block.column)
        if values.dtype.kind == "f":  # the order of its cells changes their sum
            seen = self._store_counted(field, axes_index, place, values)
            half = pyramid.halved(values, seen)
        else:
            self._store_all(field, 0, axes_index, place, values)
            seen = look(field, values)
            half = pyramid.halved(values, seen)
            total = half.sum() if isinstance(half, Mean) else None
            self._count(field, axes_index, place, values, seen, total)
        if half is None:
            return
        for level in range(1, block.reach + 1):
            place = block.row >> level, block.column >> level
            self._store_all(field, level, axes_index, place, finish(field, half))
            if level + 1 == len(self._place.grids):
                return
            half = half.halved(1 - level % 2)
        for level, above, made in pyramid.take(block.reach, place, half):
            self._store(field, level, (*axes_index, *above), made)

    def rest(self) -> None:
        """Write the coarser chunks that lack some of level 0."""
        for field, axes_index, pyramid in self._every_pyramid():
            for level, place, values in pyramid.rest():
                self._store(field, level, (*axes_index, *place), values)

    def piece(self) -> Piece:
        """What has been done, for :meth:`take` of the whole slice's."""
        stored = [
            (name, level, int(flat), int(table.sizes[flat]), int(table.checksums[flat]))
            for name, tables in self._tables.items()
            for level, table in enumerate(tables)
            for flat in np.flatnonzero(table.sizes)
        ]
        left = [
            (field.name, axes_index, *one)
            for field, axes_index, pyramid in self._every_pyramid()
            for one in pyramid.left()
        ]
        counted = {name: one.parts for name, one in self._collectors.items()}
        return Piece(tuple(stored), counted, tuple(left))

    def take(self, piece: Piece) -> None:
        """Take in what was done elsewhere; coarser chunks that it completes are written."""
        for name, parts in piece.counted.items():
            self._prepare(self._place.fields[name][0])
            self._collectors[name].take(parts)
        for name, level, flat, size, checksum in piece.stored:
            table = self._tables[name][level]
            table.sizes[flat], table.checksums[flat] = size, checksum
        for name, axes_index, level, place, state in piece.left:
            field, _ = self._place.fields[name]
            pyramid = self._pyramid(field, axes_index)
            for above, where, values in pyramid.take(level, place, state):
                self._store(field, above, (*axes_index, *where), values)

    def keys(self, piece: Piece) -> list[str]:
        """Keys of the chunks that were written."""
        return [
            self._place.key(name, level, place_of(flat, self._place.counts(level)))
            for name, level, flat, _, _ in piece.stored
        ]

    def found(self) -> tuple[dict[str, tuple[ChunkTable, ...]], dict[str, Summary]]:
        """Tables of all fields that were written, and statistics of those with valid cells."""
        tables = {name: self._tables[name] for name in self._codecs if name in self._tables}
        summaries = {name: self._collectors[name].summary() for name in tables}
        return tables, {name: one for name, one in summaries.items() if one is not None}

    def _store(self, field: Field, level: int, place: Place, part: NDArray[Any]) -> None:
        """Encode and write one chunk, unless it is nothing but fill."""
        codec = self._codecs[field.name][level]
        grid = self._place.grids[level]
        flat = flat_index(place, self._place.counts(level))
        if _all_fill(part, codec.fill):
            return
        if part.shape != (grid.chunk_height, grid.chunk_width):
            part = _padded(part, (grid.chunk_height, grid.chunk_width), codec.fill)
        data = codec.encode(part)
        self._put(self._place.key(field.name, level, place), data)
        table = self._tables[field.name][level]
        table.sizes[flat], table.checksums[flat] = len(data), crc32c(data)

    def _store_all(
        self, field: Field, level: int, axes_index: Place, first: Place, values: NDArray[Any]
    ) -> None:
        """Encode and write chunks that lie together; the first is known by its row and column."""
        for row, column, part in self._chunks_of(level, values):
            self._store(field, level, (*axes_index, first[0] + row, first[1] + column), part)

    def _store_counted(
        self, field: Field, axes_index: Place, first: Place, values: NDArray[Any]
    ) -> Seen:
        """The same of level 0, counted chunk by chunk.

        Returns
        -------
        Seen
            Of a chunk; of one in which some cells do not count, if there is any.
        """
        found: Seen | None = None
        for row, column, part in self._chunks_of(0, values):
            lying, place = np.ascontiguousarray(part), (first[0] + row, first[1] + column)
            self._store(field, 0, (*axes_index, *place), lying)
            seen = look(field, lying)
            self._count(field, axes_index, place, lying, seen)
            found = seen if found is None or found.good is None else found
        assert found is not None  # noqa: S101  a block has chunks
        return found

    def _count(
        self,
        field: Field,
        axes_index: Place,
        first: Place,
        values: NDArray[Any],
        seen: Seen,
        total: float | None = None,
    ) -> None:
        """Count the cells of chunks of level 0 under the number of the first."""
        number = flat_index((*axes_index, *first), self._place.counts(0))
        rows, columns = self._place.grids[0].cells(first[0], first[1])
        collector = self._collectors[field.name]
        collector.add(number, rows.start, columns.start, values, seen, total)

    def _chunks_of(
        self, level: int, values: NDArray[Any]
    ) -> Iterator[tuple[int, int, NDArray[Any]]]:
        """Cells that begin with a chunk, chunk by chunk."""
        grid = self._place.grids[level]
        tall, wide = grid.chunk_height, grid.chunk_width
        for row, column in np.ndindex(-(-values.shape[0] // tall), -(-values.shape[1] // wide)):
            top, left = row * tall, column * wide
            yield row, column, values[top : top + tall, left : left + wide]

    def _reach(self, window: Window, itemsize: int) -> int:
        """The highest level of which whole chunks lie in a window, each small enough."""
        grids = self._place.grids
        (top, bottom, left, right), reach = window, 0
        tall, wide = grids[0].chunk_height, grids[0].chunk_width
        while reach + 1 < len(grids) and _even(grids[reach]):
            tall, wide = 2 * tall, 2 * wide
            size = min(tall, grids[0].height) * min(wide, grids[0].width) * itemsize
            aligned = not (top % tall or left % wide)
            aligned &= not bottom % tall or bottom == grids[0].height
            aligned &= not right % wide or right == grids[0].width
            if size > _AT_ONCE or not aligned:
                break
            reach += 1
        return reach

    def _prepare(self, field: Field) -> None:
        """Make the tables of a field that is written for the first time."""
        with self._lock:
            if field.name in self._tables:
                return
            counts = (prod(self._place.counts(level)) for level in range(len(self._place.grids)))
            height, width = self._place.grids[0].height, self._place.grids[0].width
            self._collectors[field.name] = Collector(field, (*self._place.axes, height, width))
            self._tables[field.name] = tuple(ChunkTable.empty(count) for count in counts)

    def _pyramid(self, field: Field, axes_index: Place) -> Pyramid:
        self._prepare(field)
        with self._lock:
            key = field.name, axes_index
            if key not in self._pyramids:
                self._pyramids[key] = Pyramid(field, self._place.grids)
            return self._pyramids[key]

    def _every_pyramid(self) -> Iterator[tuple[Field, Place, Pyramid]]:
        for (name, axes_index), pyramid in self._pyramids.items():
            yield self._place.fields[name][0], axes_index, pyramid


def _even(grid: ChunkGrid) -> bool:
    """Whether each chunk that has another one beside it has even sides."""
    tall, wide = grid.counts
    return not (tall > 1 and grid.chunk_height % 2) and not (wide > 1 and grid.chunk_width % 2)


def _padded(part: NDArray[Any], shape: tuple[int, int], fill: np.generic) -> NDArray[Any]:
    """A part at the beginning of a whole chunk; every cell is written once."""
    height, width = part.shape
    whole = np.empty(shape, part.dtype)
    whole[:height, :width] = part
    whole[:height, width:] = fill
    whole[height:] = fill
    return whole


def _all_fill(part: NDArray[Any], fill: np.generic) -> bool:
    first = part[0, 0]
    if np.isnan(fill):
        return bool(np.isnan(first) and np.isnan(part).all())
    return bool(first == fill and (part == fill).all())
