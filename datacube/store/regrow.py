"""Every slice of a cube written anew: on a larger grid, or into another layout."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.errors import InvalidSubset
from datacube.model.bbox import BoundingBox
from datacube.model.domain import DomainSet
from datacube.model.fields import Field
from datacube.model.grid import Grid, RectifiedGrid
from datacube.store.carry import SliceCopier
from datacube.store.codecs import ArrayCodec
from datacube.store.commit import Summaries, merged_statistics
from datacube.store.history import read_slice_document
from datacube.store.layout import (
    CHUNK,
    SERIES_SIDE,
    chunk_counts,
    chunk_key,
    chunk_sides,
    field_metadata,
    fill_of,
    make_levels,
)
from datacube.store.manifest import Version
from datacube.store.objects import ObjectStore
from datacube.store.reader import read_chunk
from datacube.store.segments import digest_of, run_of
from datacube.store.slices import Slice
from datacube.store.tables import SliceDocument, slice_key
from datacube.store.writer import SliceWriter, Uploader

_EXACT = 1e-6
_PART = 1e-6  # of a cell, that a box may reach beyond it
_FAR = 1e9  # cells


def relaid(
    store: ObjectStore,
    uploader: Uploader,
    base: Version,
    layout: int,
    alive: Callable[[], None],
) -> Version:
    """The same values, slices in the order of time in the slots of an empty layout.

    Parameters
    ----------
    store : ObjectStore
    uploader : Uploader
    base : Version
    layout : int
    alive : function
        Called now and then, to renew claims.

    Raises
    ------
    StorageError
        A chunk is damaged, or the storage failed.
    """
    cube_id = base.template.id
    copier = SliceCopier(store, uploader, base)
    slices = []
    for slot, one in enumerate(base.slices):
        alive()
        old = read_slice_document(store, cube_id, one.name)
        copier.copy(old, tuple(old.fields), slot, layout)
        uploader.drain()
        slices.append(_filed(uploader, one, replace(old, slot=slot, layout=layout), cube_id))
    made = _moved(base, layout, slices)
    if base.series is None:
        return made
    segments = tuple(
        replace(segment, made_of=digest_of(made.slices[slice(*run_of(segment, made.slices))]))
        for segment in base.series.segments
    )
    return replace(made, series=replace(base.series, segments=segments))


def grown(
    store: ObjectStore,
    uploader: Uploader,
    base: Version,
    grid: RectifiedGrid,
    layout: int,
    alive: Callable[[], None],
    done: Callable[[], None] | None = None,
) -> Version:
    """The same values on a grid that holds the cube's; no data around them.

    Overviews and statistics are those of a cube that had this grid from its beginning.

    Parameters
    ----------
    store, uploader, base, layout, alive
        As of :func:`relaid`.
    grid : RectifiedGrid
    done : function, optional; called after each slice

    Raises
    ------
    InvalidSubset
        The grid does not hold the cube's, cell on cell.
    StorageError
        A chunk is damaged, or the storage failed.
    """
    own = base.template.domain.grid
    if not isinstance(own, RectifiedGrid):
        raise InvalidSubset("a grid whose cells have positions cannot grow", subject="grid")
    offsets = cell_offsets(own, grid)
    empty = _on_grid(base, grid)
    slices: list[Slice] = []
    statistics: dict[int | None, tuple[Summaries, Summaries]] = {}
    for slot, one in enumerate(base.slices):
        old = read_slice_document(store, base.template.id, one.name)
        kept: list[SliceDocument] = []
        writer = SliceWriter(
            uploader, empty.template, empty.arrays, slot, kept.append, layout=layout
        )
        with writer:
            for field in base.template.range_type.fields:
                if field.name in old.fields:
                    _copy_field(writer, _OldField(store, base, old, field), grid, offsets, alive)
        document = replace(kept[0], revisions=old.revisions)
        statistics[one.ticks] = ({}, document.statistics)
        slices.append(_filed(uploader, one, document, base.template.id))
        if done is not None:
            done()
    made = _moved(empty, layout, slices)
    return replace(made, statistics=merged_statistics({}, statistics))


def holding(grid: Grid, box: BoundingBox) -> RectifiedGrid:
    """The smallest grid of the same cells that holds a grid and a box.

    Parameters
    ----------
    box : in the grid's CRS

    Raises
    ------
    InvalidSubset
        There is none: the cells have positions of their own, or it would lie beyond the globe.

    Examples
    --------
    >>> from datacube.model.crs import CRS84
    >>> small = RectifiedGrid.from_bbox(BoundingBox(0, 0, 2, 2, CRS84), 4, 4)
    >>> large = holding(small, BoundingBox(-0.7, 1, 1, 3, CRS84))
    >>> large.bbox.edges, large.shape
    ((-1.0, 0.0, 2.0, 3.0), (6, 6))
    """
    if not isinstance(grid, RectifiedGrid):
        raise InvalidSubset("a grid whose cells have positions cannot grow", subject="grid")
    corner, box = grid.transform, box.unwrapped()
    x = sorted(((box.left - corner.c) / grid.dx, (box.right - corner.c) / grid.dx))
    y = sorted(((box.bottom - corner.f) / grid.dy, (box.top - corner.f) / grid.dy))
    if max(map(abs, (*x, *y))) > _FAR:
        raise InvalidSubset(f"the box {box.edges} is too large", subject="bbox")
    left, top = (min(floor(low + _PART), 0) for low, _ in (x, y))
    right = max(ceil(x[1] - _PART), grid.width)
    bottom = max(ceil(y[1] - _PART), grid.height)
    made = grid.window(top, left, bottom - top, right - left)
    edges = made.bbox
    beyond = edges.width > 360 + _PART or max(abs(edges.bottom), abs(edges.top)) > 90 + _PART
    if grid.crs.geographic and beyond:
        raise InvalidSubset(
            f"a grid over {edges.edges} would reach beyond the globe: latitudes end at -90 and "
            "90, longitudes after 360 degrees",
            subject="bbox",
        )
    return made


def cell_offsets(old: RectifiedGrid, new: RectifiedGrid) -> tuple[int, int]:
    """(rows, columns) before the first cell of a grid in another that holds it.

    Raises
    ------
    InvalidSubset
        It does not hold it, cell on cell.

    Examples
    --------
    >>> from datacube.model.bbox import BoundingBox
    >>> from datacube.model.crs import CRS84
    >>> small = RectifiedGrid.from_bbox(BoundingBox(0, 0, 2, 2, CRS84), 2, 2)
    >>> cell_offsets(small, RectifiedGrid.from_bbox(BoundingBox(-3, 0, 2, 4, CRS84), 5, 4))
    (2, 3)
    """
    a, b = old.transform, new.transform
    steps = (old.dx, new.dx), (old.dy, new.dy)
    sizes = (old.width, new.width), (old.height, new.height)
    starts = (a.c - b.c) / new.dx, (a.f - b.f) / new.dy
    same = old.crs == new.crs and all(
        abs(first - second) * size <= _EXACT * abs(second)
        for (first, second), (size, _) in zip(steps, sizes, strict=True)
    )
    whole = all(
        abs(start - round(start)) <= _EXACT * max(1, size) and 0 <= round(start) <= more - size
        for start, (size, more) in zip(starts, sizes, strict=True)
    )
    if not same or not whole:
        raise InvalidSubset(
            f"a grid of {new.width} x {new.height} cells in {new.crs.key} over {new.bbox.edges} "
            f"does not hold the cube's, cell on cell: {old.width} x {old.height} in "
            f"{old.crs.key} over {old.bbox.edges}",
            subject="grid",
        )
    return round(starts[1]), round(starts[0])


def _on_grid(base: Version, grid: RectifiedGrid) -> Version:
    """The cube on another grid, still without slices."""
    known = base.template
    sides = ArrayCodec.parse(next(iter(base.arrays.values()))[0]).chunk_shape[-2:]
    # a side that was as long as the grid was cut to it
    asked = {
        name: CHUNK if side == size else side
        for name, side, size in zip("yx", sides, known.domain.grid.shape, strict=True)
    }
    made = replace(
        known,
        domain=DomainSet(grid, known.domain.axes),
        levels=make_levels(grid, chunk_sides(grid, asked)),
    )
    arrays = {
        field.name: tuple(
            field_metadata(made, field, level, chunk_sides(grid, asked)) for level in made.levels
        )
        for field in made.range_type.fields
    }
    series = base.series
    if series is not None:
        height, width = grid.shape
        chunk = min(SERIES_SIDE, height), min(SERIES_SIDE, width)
        series = replace(series, segments=(), chunk=chunk)
    return replace(base, template=made, arrays=arrays, slices=(), series=series)


def _moved(version: Version, layout: int, slices: Sequence[Slice]) -> Version:
    count = len(slices)
    return replace(
        version,
        layout=layout,
        slices=tuple(slices),
        next_slot=count,
        plain=count,
        # where they lay is no place of this layout
        deletions=tuple(replace(one, layout=-1) for one in version.deletions),
    )


def _filed(uploader: Uploader, one: Slice, document: SliceDocument, cube_id: str) -> Slice:
    name, data = document.dump()
    uploader.put(slice_key(cube_id, name), data)
    return one._replace(slot=document.slot, name=name, layout=document.layout)


@dataclass(frozen=True, eq=False)
class _OldField:
    """One field of a committed slice, to be read by windows."""

    store: ObjectStore
    version: Version
    document: SliceDocument
    field: Field

    def window(self, index: tuple[int, ...], rows: slice, columns: slice) -> NDArray[Any]:
        """Cells of the slice's own grid; rows and columns may reach beyond it."""
        shape = rows.stop - rows.start, columns.stop - columns.start
        whole = np.full(shape, fill_of(self.field), self.field.dtype)
        metadata = self.version.arrays[self.field.name][0]
        codec = ArrayCodec.parse(metadata)
        counts = chunk_counts(metadata, timed=self.version.timed)
        height, width = codec.chunk_shape[-2:]
        for row, column in product(
            _chunks(rows, height, counts[-2]), _chunks(columns, width, counts[-1])
        ):
            values = self._chunk(codec, counts, (*index, row, column))
            if values is None:
                continue
            down, across = (
                _overlap(rows, row * height, height),
                _overlap(columns, column * width, width),
            )
            whole[down[0], across[0]] = values[down[1], across[1]]
        return whole

    def _chunk(
        self, codec: ArrayCodec, counts: tuple[int, ...], place: tuple[int, ...]
    ) -> NDArray[Any] | None:
        table = self.document.fields[self.field.name][0]
        flat = int(np.ravel_multi_index(place, counts))
        size = int(table.sizes[flat])
        if size == 0:
            return None
        index = (self.document.slot, *place) if self.version.timed else place
        cube_id, layout = self.version.template.id, self.document.layout
        key = chunk_key(cube_id, 0, self.field.name, index, layout)
        values = read_chunk(self.store, key, codec, size, int(table.checksums[flat]))
        return values.reshape(values.shape[-2:])


def _chunks(cells: slice, side: int, count: int) -> range:
    return range(max(cells.start // side, 0), min(-(-cells.stop // side), count))


def _overlap(cells: slice, first: int, side: int) -> tuple[slice, slice]:
    """Where a chunk and a window overlap: in the window, in the chunk."""
    start, stop = max(cells.start, first), min(cells.stop, first + side)
    return (
        slice(start - cells.start, stop - cells.start),
        slice(start - first, stop - first),
    )


def _copy_field(
    writer: SliceWriter,
    old: _OldField,
    grid: RectifiedGrid,
    offsets: tuple[int, int],
    alive: Callable[[], None],
) -> None:
    """Every plane of a field, in bands of one row of chunks."""
    sizes = old.version.template.domain.shape[1 if old.version.timed else 0 : -2]
    for index, band in product(np.ndindex(*sizes), _bands(grid, writer.chunk_shape[0])):
        alive()
        rows = slice(band.start - offsets[0], band.stop - offsets[0])
        columns = slice(-offsets[1], grid.width - offsets[1])
        writer.write(old.field.name, index, band.start, 0, old.window(index, rows, columns))


def _bands(grid: RectifiedGrid, side: int) -> Iterator[slice]:
    for first in range(0, grid.height, side):
        yield slice(first, min(first + side, grid.height))
