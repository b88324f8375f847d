"""Lengths and checksums of chunks, of each slice and each segment; named by their digest."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.store.codecs import ArrayCodec
from datacube.store.statistics import Summary

FORMAT = 2
"""Of every document of a cube; a program that knows less refuses to read."""

UintArray = NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class ChunkTable:
    """Length and checksum of each chunk of one field at one level of one slice.

    Parameters
    ----------
    sizes : uint32, (chunks,), bytes; 0 where the chunk is nothing but fill and not written
    checksums : uint32, (chunks,), CRC-32C
    """

    sizes: UintArray
    checksums: UintArray

    @staticmethod
    def empty(count: int) -> "ChunkTable":
        """A table of so many chunks that are not written."""
        return ChunkTable(np.zeros(count, np.uint32), np.zeros(count, np.uint32))


@dataclass(frozen=True, eq=False)
class SliceDocument:
    """Every chunk of one slot.

    Parameters
    ----------
    slot : int
    fields : field -> one table for each level
    statistics : field -> Summary
        Of level 0; absent where no cell is valid, or the slice was written without.
    layout : int
        Which key encoding the chunks have.
    revisions : field -> int
        Rank of what it was made of; 0 where absent.
    """

    slot: int
    fields: Mapping[str, tuple[ChunkTable, ...]]
    statistics: Mapping[str, Summary] = field(default_factory=dict)
    layout: int = 0
    revisions: Mapping[str, int] = field(default_factory=dict)

    @property
    def stored_bytes(self) -> int:
        """Of all of its chunks."""
        tables = [table for levels in self.fields.values() for table in levels]
        return sum(int(table.sizes.sum(dtype=np.int64)) for table in tables)

    @property
    def held_bytes(self) -> int:
        """About what it takes in memory."""
        tables = [table for levels in self.fields.values() for table in levels]
        return 500 + sum(200 + 2 * table.sizes.nbytes for table in tables)

    def same_chunks(self, other: "SliceDocument") -> bool:
        """Whether both hold the same values."""
        return self.fields.keys() == other.fields.keys() and all(
            np.array_equal(mine.sizes, its.sizes) and np.array_equal(mine.checksums, its.checksums)
            for name, tables in self.fields.items()
            for mine, its in zip(tables, other.fields[name], strict=True)
        )

    def dump(self) -> tuple[str, bytes]:
        """Name and bytes of the document."""
        fields = {
            name: [[_text(table.sizes), _text(table.checksums)] for table in tables]
            for name, tables in self.fields.items()
        }
        document: dict[str, Any] = {"format": FORMAT, "slot": self.slot, "fields": fields}
        if self.statistics:
            document["statistics"] = {name: one.dump() for name, one in self.statistics.items()}
        if self.layout:
            document["layout"] = self.layout
        if self.revisions:
            document["revisions"] = dict(self.revisions)
        return _named(slot_name(self.slot, self.layout), document)

    @staticmethod
    def load(data: bytes, name: str, cube_id: str) -> "SliceDocument":
        """Read a slice document and check it against the digest in its name.

        Raises
        ------
        StorageError
            It is damaged.
        """
        try:
            check_digest(data, name)
            document = json.loads(data)
            fields = {
                field_name: tuple(
                    ChunkTable(_numbers(sizes), _numbers(sums)) for sizes, sums in tables
                )
                for field_name, tables in document["fields"].items()
            }
            statistics = {
                field_name: Summary.load(entry)
                for field_name, entry in document.get("statistics", {}).items()
            }
            return SliceDocument(
                int(document["slot"]),
                fields,
                statistics,
                int(document.get("layout", 0)),
                document.get("revisions", {}),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise StorageError(
                f"the slice document {name} of cube '{cube_id}' is damaged: {error}",
                subject=cube_id,
            ) from error


@dataclass(frozen=True, eq=False)
class SegmentDocument:
    """Every chunk of one field in one segment of the series copy.

    Chunks of one row lie side by side in one object, in the order of their columns.

    Parameters
    ----------
    id : str
        Of the segment: its folder's name.
    field : str
    array : mapping
        Zarr metadata of a chunk: ``data_type``, ``chunk_grid``, ``fill_value``, ``codecs``.
    across : int
        Columns of chunks in one object.
    table : ChunkTable
        Chunks in the order (axes…, rows, columns).
    """

    id: str
    field: str
    array: Mapping[str, Any]
    across: int
    table: ChunkTable

    @cached_property
    def codec(self) -> ArrayCodec:
        """How a chunk becomes bytes and back."""
        return ArrayCodec.parse(self.array)

    @property
    def held_bytes(self) -> int:
        """About what it takes in memory."""
        return 2000 + 2 * self.table.sizes.nbytes

    def dump(self) -> tuple[str, bytes]:
        """Name and bytes of the document."""
        document = {
            "format": FORMAT,
            "id": self.id,
            "field": self.field,
            "array": dict(self.array),
            "across": self.across,
            "chunks": [_text(self.table.sizes), _text(self.table.checksums)],
        }
        return _named(self.id, document)

    @staticmethod
    def load(data: bytes, name: str, cube_id: str) -> "SegmentDocument":
        """Read a segment's document and check it against the digest in its name.

        Raises
        ------
        StorageError
            It is damaged.
        """
        try:
            check_digest(data, name)
            document = json.loads(data)
            sizes, checksums = document["chunks"]
            return SegmentDocument(
                str(document["id"]),
                str(document["field"]),
                document["array"],
                int(document["across"]),
                ChunkTable(_numbers(sizes), _numbers(checksums)),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise StorageError(
                f"the segment document {name} of cube '{cube_id}' is damaged: {error}",
                subject=cube_id,
            ) from error


def slot_name(slot: int, layout: int) -> str:
    """How slice documents and claims call a slot.

    Examples
    --------
    >>> slot_name(7, 0), slot_name(7, 2)
    ('00000007', '2-00000007')
    """
    return f"{layout}-{slot:08d}" if layout else f"{slot:08d}"


def flat_index(place: tuple[int, ...], counts: tuple[int, ...]) -> int:
    """Position of a chunk among all, in C order: ``ravel_multi_index``, faster.

    Raises
    ------
    IndexError
        There is no such chunk.

    Examples
    --------
    >>> flat_index((1, 2), (3, 4))
    6
    """
    flat = 0
    for at, count in zip(place, counts, strict=True):
        if not 0 <= at < count:
            raise IndexError(f"there is no chunk {place} among {counts}")
        flat = flat * count + at
    return flat


def place_of(flat: int, counts: tuple[int, ...]) -> tuple[int, ...]:
    """The chunk at a position among all: the reverse of :func:`flat_index`.

    Examples
    --------
    >>> place_of(6, (3, 4))
    (1, 2)
    """
    place: list[int] = []
    for count in reversed(counts):
        flat, at = divmod(flat, count)
        place.insert(0, at)
    return tuple(place)


def slot_of(name: str) -> tuple[int, int]:
    """Layout and slot of a slice document by its name.

    Examples
    --------
    >>> slot_of("00000007-0123456789ab.json"), slot_of("2-00000007-0123456789ab.json")
    ((0, 7), (2, 7))
    """
    first, _, rest = name.partition("-")
    return (0, int(first)) if len(first) > 1 else (int(first), int(rest.partition("-")[0]))


def slice_key(cube_id: str, name: str) -> str:
    """Key of a slice document."""
    return f"{cube_id}/manifest/slices/{name}.json"


def segment_key(cube_id: str, name: str) -> str:
    """Key of a segment's document."""
    return f"{cube_id}/manifest/segments/{name}.json"


def check_digest(data: bytes, name: str) -> None:
    """Compare bytes with the digest at the end of their name.

    Raises
    ------
    ValueError
        It is another.
    """
    if name.rpartition("-")[2] != sha256(data).hexdigest()[:12]:
        raise ValueError("its digest does not match")


def _named(start: str, document: Mapping[str, Any]) -> tuple[str, bytes]:
    data = json.dumps(document, separators=(",", ":")).encode()
    return f"{start}-{sha256(data).hexdigest()[:12]}", data


def _text(numbers: UintArray) -> str:
    return base64.b64encode(numbers.astype("<u4").tobytes()).decode()


def _numbers(text: str) -> UintArray:
    return np.frombuffer(base64.b64decode(text), "<u4").astype(np.uint32)
