"""Making a segment of the series copy: from many small times to few long chunks.

The values come from the map chunks of its times. It works through bands of chunk rows, as high
as fit into a fixed memory, and writes each band's rows of chunks as Zarr shards.
"""

import json
import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.model.fields import Field
from datacube.store.codecs import ArrayCodec, crc32c
from datacube.store.commit import Change, merge
from datacube.store.history import read_slice_document
from datacube.store.layout import (
    chunk_counts,
    chunk_key,
    fill_of,
    series_chunk_metadata,
    series_key,
    series_metadata,
)
from datacube.store.manifest import Version
from datacube.store.objects import ObjectStore
from datacube.store.reader import read_chunk
from datacube.store.records import SegmentRecord, SeriesRecord
from datacube.store.segments import Run, digest_of, due, missing
from datacube.store.slices import Slice
from datacube.store.slots import Slots
from datacube.store.tables import ChunkTable, SegmentDocument, SliceDocument, segment_key
from datacube.store.writer import Uploader

BAND_BYTES = 48 << 20
"""Values that are held at once."""

SHARD_CELLS = 512
"""About how many columns of cells one object covers."""

_ABSENT = (1 << 64) - 1
_log = logging.getLogger(__name__)

type Cells = tuple[slice, slice]


class UnreadableError(StorageError):
    """A committed map chunk cannot be read, so no segment can be made of it."""


def new_segments(
    store: ObjectStore, uploader: Uploader, slots: Slots, base: tuple[Version, str], change: Change
) -> tuple[SegmentRecord, ...]:
    """The segments of the series copy that a change completes.

    Parameters
    ----------
    store, uploader, slots
        Of the transaction.
    base : Version and its document's name
    change : Change
    """
    version, name = base
    after = merge(version, name, change)
    before = version.series
    if before is None or after.series is None:
        return ()
    if change.whole is not None:
        runs = missing(after.series, after.slices, tail=False)
    else:
        runs = due(before, after.series, change.ticks, after.slices)
    if runs:
        slots.hold_series()
    try:
        return make_segments(store, uploader, after, after.series, runs, slots.renew)
    except UnreadableError as error:
        _log.warning("no series copy of cube '%s': %s", version.template.id, error.message)
        return ()


def make_segments(
    store: ObjectStore,
    uploader: Uploader,
    version: Version,
    series: SeriesRecord,
    runs: Sequence[Run],
    alive: Callable[[], None],
) -> tuple[SegmentRecord, ...]:
    """Write segments; nothing of them is visible before a version lists them.

    Parameters
    ----------
    store : ObjectStore
    uploader : Uploader
    version : Version
        Whose slices are read; their chunks and documents are written already.
    series : SeriesRecord
    runs : sequence of (start, stop)
    alive : function
        Called now and then, to renew claims.

    Raises
    ------
    UnreadableError
        A map chunk cannot be read; what was written for the segments is deleted again.
    StorageError
        Something cannot be written.
    """
    before = len(uploader.written)
    try:
        return tuple(_Maker(store, uploader, version, series, run, alive).segment() for run in runs)
    except UnreadableError:
        uploader.discard(before)
        raise


@dataclass(frozen=True, eq=False)
class _Plan:
    """One field of a segment: codecs, chunk counts and the table under way."""

    field: Field
    document: SegmentDocument
    counts: tuple[int, ...]
    map_codec: ArrayCodec
    map_counts: tuple[int, ...]


class _Maker:
    def __init__(
        self,
        store: ObjectStore,
        uploader: Uploader,
        version: Version,
        series: SeriesRecord,
        run: Run,
        alive: Callable[[], None],
    ) -> None:
        self._store = store
        self._uploader = uploader
        self._version = version
        self._series = series
        self._slices: Sequence[Slice] = version.slices[slice(*run)]
        self._alive = alive
        self._cube_id = version.template.id
        self._documents: list[SliceDocument] = []
        self._id = f"{self._slices[0].slot:08d}-{uuid.uuid4().hex[:12]}"

    def segment(self) -> SegmentRecord:
        """Write every field of the segment."""
        self._documents = [self._read_document(one) for one in self._slices]
        documents = {field.name: self._field(field) for field in self._fields()}
        first, last = self._slices[0].ticks, self._slices[-1].ticks
        assert first is not None  # noqa: S101  only a cube with times has segments
        assert last is not None  # noqa: S101
        count = len(self._slices)
        return SegmentRecord(first, last, count, digest_of(self._slices), documents)

    def _fields(self) -> tuple[Field, ...]:
        return self._version.template.range_type.fields

    def _field(self, field: Field) -> str:
        """Write one field: shards, Zarr metadata, document; its document's name."""
        plan = self._plan(field)
        for axes_index in np.ndindex(*plan.counts[:-2]):
            for cells in self._bands(plan):
                self._band(plan, axes_index, cells)
        shape = self._version.template.domain.shape[1:]
        metadata = series_metadata(plan.document.array, plan.document.across, shape)
        axes = self._version.arrays[field.name][0]["dimension_names"]
        metadata |= {
            "dimension_names": axes,
            "attributes": {"first": self._slices[0].ticks, "last": self._slices[-1].ticks},
        }
        folder = f"{self._cube_id}/series"
        group = json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {}}).encode()
        # groups, so that listing the cube's folder meets nothing unknown
        self._store.put(f"{folder}/zarr.json", group)
        self._store.put(f"{folder}/{field.name}/zarr.json", group)
        array = json.dumps(metadata, indent=1).encode()
        self._uploader.put(f"{folder}/{field.name}/{self._id}/zarr.json", array)
        name, data = plan.document.dump()
        self._uploader.put(segment_key(self._cube_id, name), data)
        return name

    def _plan(self, field: Field) -> _Plan:
        metadata = self._version.arrays[field.name][0]
        codec = ArrayCodec.parse(metadata)
        sizes = self._version.template.domain.shape[1:]
        height, width = self._series.chunk
        counts = (*sizes[:-2], -(-sizes[-2] // height), -(-sizes[-1] // width))
        array = series_chunk_metadata(field, len(self._slices), len(sizes) - 2, (height, width))
        # an object spans whole map chunks where it can, and one row of it fits into a band
        side = codec.chunk_shape[-1] * max(1, SHARD_CELLS // codec.chunk_shape[-1])
        row_bytes = len(self._slices) * height * width * np.dtype(field.dtype).itemsize
        across = max(1, min(-(-side // width), BAND_BYTES // row_bytes, counts[-1]))
        table = ChunkTable.empty(int(np.prod(counts, dtype=np.int64)))
        document = SegmentDocument(self._id, field.name, array, across, table)
        return _Plan(field, document, counts, codec, chunk_counts(metadata, timed=True))

    def _bands(self, plan: _Plan) -> Iterator[Cells]:
        """The grid in parts: one object wide, as many chunk rows high as fit into memory."""
        grid_height, grid_width = self._version.template.domain.shape[-2:]
        height, width = self._series.chunk
        across = plan.document.across * width
        row_bytes = len(self._slices) * height * across * np.dtype(plan.field.dtype).itemsize
        high = height * max(1, min(BAND_BYTES // row_bytes, plan.counts[-2]))
        for column, row in product(range(0, grid_width, across), range(0, grid_height, high)):
            bottom, right = min(row + high, grid_height), min(column + across, grid_width)
            yield slice(row, bottom), slice(column, right)

    def _band(self, plan: _Plan, axes_index: tuple[int, ...], cells: Cells) -> None:
        self._alive()
        height, width = self._series.chunk
        rows, columns = cells
        chunk_rows = range(rows.start // height, -(-rows.stop // height))
        chunk_columns = range(columns.start // width, -(-columns.stop // width))
        shape = (len(self._slices), len(chunk_rows) * height, len(chunk_columns) * width)
        band = np.full(shape, fill_of(plan.field), plan.field.dtype)
        for step in range(len(self._slices)):
            self._uploader.submit(partial(self._paste, plan, axes_index, cells, step, band))
        self._uploader.drain()
        for number, row in enumerate(chunk_rows):
            part = band[:, number * height : (number + 1) * height]
            place = (*axes_index, row, chunk_columns[0])
            self._uploader.submit(partial(self._shard, plan, place, part))
        self._uploader.drain()

    def _paste(
        self, plan: _Plan, axes_index: tuple[int, ...], cells: Cells, step: int, band: NDArray[Any]
    ) -> None:
        """Put the values of one time into a band."""
        tables = self._documents[step].fields.get(plan.field.name)
        if tables is None:
            return
        rows, columns = cells
        height, width = plan.map_codec.chunk_shape[-2:]
        for row, column in product(
            range(rows.start // height, -(-rows.stop // height)),
            range(columns.start // width, -(-columns.stop // width)),
        ):
            place = (*axes_index, row, column)
            flat = int(np.ravel_multi_index(place, plan.map_counts))
            size, checksum = int(tables[0].sizes[flat]), int(tables[0].checksums[flat])
            if size == 0:
                continue
            values = self._read(plan, step, place, size, checksum)
            top, left = max(row * height, rows.start), max(column * width, columns.start)
            bottom = min((row + 1) * height, rows.stop)
            right = min((column + 1) * width, columns.stop)
            band[
                step,
                top - rows.start : bottom - rows.start,
                left - columns.start : right - columns.start,
            ] = values[
                top - row * height : bottom - row * height,
                left - column * width : right - column * width,
            ]

    def _read(
        self, plan: _Plan, step: int, place: tuple[int, ...], size: int, checksum: int
    ) -> NDArray[Any]:
        one = self._slices[step]
        key = chunk_key(self._cube_id, 0, plan.field.name, (one.slot, *place), one.layout)
        try:
            values = read_chunk(self._store, key, plan.map_codec, size, checksum)
        except StorageError as error:
            raise UnreadableError(error.message, subject=error.subject) from error
        return values.reshape(values.shape[-2:])

    def _read_document(self, one: Slice) -> SliceDocument:
        try:
            return read_slice_document(self._store, self._cube_id, one.name)
        except StorageError as error:
            raise UnreadableError(error.message, subject=error.subject) from error

    def _shard(self, plan: _Plan, place: tuple[int, ...], part: NDArray[Any]) -> None:
        """Encode and write the chunks of one row: a Zarr shard, its index at the end."""
        document, fill = plan.document, plan.document.codec.fill
        width = self._series.chunk[1]
        flat = int(np.ravel_multi_index(place, plan.counts))
        index = np.full((document.across, 2), _ABSENT, "<u8")
        pieces, offset = [], 0
        for number in range(part.shape[-1] // width):
            values = part[:, :, number * width : (number + 1) * width]
            if _only(values, fill):
                continue
            data = document.codec.encode(values.reshape(document.codec.chunk_shape))
            document.table.sizes[flat + number] = len(data)
            document.table.checksums[flat + number] = crc32c(data)
            index[number] = offset, len(data)
            pieces.append(data)
            offset += len(data)
        if not pieces:
            return
        listed = index.tobytes()
        shard = (*place[:-1], place[-1] // document.across)
        key = series_key(self._cube_id, document.field, document.id, shard)
        checksum = crc32c(listed).to_bytes(4, "little")
        self._uploader.put(key, b"".join([*pieces, listed, checksum]))


def _only(values: NDArray[Any], fill: np.generic) -> bool:
    """Whether there is nothing but fill."""
    if np.isnan(fill):
        return bool(np.isnan(values).all())
    return bool(values.flat[0] == fill and (values == fill).all())
