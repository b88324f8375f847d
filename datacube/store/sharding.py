"""Shards: objects that hold many chunks and an index of where each lies (``sharding_indexed``)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.store.buffers import Room, fresh
from datacube.store.codecs import (
    ArrayCodec,
    before_bytes,
    fill_scalar,
    parse_steps,
    restored,
    undone,
)
from datacube.store.compression import ByteCodec, byte_codec

MAX_DEPTH = 3
"""Shards within shards."""

MAX_CHUNKS = 1 << 22
"""Chunks in one shard: an index of 64 MB."""

GAP = 64 << 10
"""Bytes between two chunks of a shard that are rather read than left out."""

LONGEST_READ = 32 << 20
"""Reads are not joined beyond so many bytes."""

_ABSENT = np.iinfo(np.uint64).max

type Entries = NDArray[np.uint64]
type AnyCodec = ArrayCodec | ShardCodec


@dataclass(frozen=True, slots=True)
class ShardCodec:
    """How one shard becomes bytes and back.

    Parameters
    ----------
    chunk_shape : tuple of int
        Of the whole shard, in cells.
    inner : ArrayCodec or ShardCodec
        Of the chunks in it.
    index : ArrayCodec
        Of the table of offsets and lengths, uint64, (chunks along each dimension…, 2).
    index_at_end : bool
    steps, order
        What stands around the sharding; see :class:`~datacube.store.codecs.ArrayCodec`.
    """

    chunk_shape: tuple[int, ...]
    inner: AnyCodec
    index: ArrayCodec
    index_at_end: bool
    steps: tuple[ByteCodec, ...] = ()
    order: tuple[int, ...] = ()

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the values, as stored."""
        return self.inner.dtype

    @property
    def fill(self) -> np.generic:
        """The fill value."""
        return self.inner.fill

    @property
    def decoded_bytes(self) -> int:
        """Bytes of a decoded shard."""
        return prod(self.chunk_shape) * self.dtype.itemsize

    @property
    def longest(self) -> int:
        """More bytes than any shard needs."""
        return self.inner.longest * prod(self.counts) + self.index_bytes

    @property
    def splittable(self) -> bool:
        """Whether one chunk can be read alone."""
        return not self.steps and not self.order

    @property
    def counts(self) -> tuple[int, ...]:
        """Chunks of the shard along each dimension, as they lie."""
        return self.index.chunk_shape[:-1]

    @property
    def index_bytes(self) -> int:
        """Length of the index as stored."""
        return self.index.decoded_bytes + sum(step.grows for step in self.index.steps)

    def entries(self, data: bytes) -> Entries:
        """Offset and length of each chunk; uint64, (chunks, 2), all ones where there is none.

        Raises
        ------
        StorageError
            The bytes are no such index.
        """
        if len(data) != self.index_bytes:
            raise StorageError(f"the shard's index has {len(data)} bytes, not {self.index_bytes}")
        return self.index.decode(data).reshape(-1, 2)

    def decode(self, data: bytes, room: Room = fresh) -> NDArray[Any]:
        """A whole shard, read-only.

        Parameters
        ----------
        data, room
            As of :meth:`ArrayCodec.decode`.

        Raises
        ------
        StorageError
            The bytes are not those of such a shard.
        """
        data = undone(self.steps, data, self.longest)
        length = self.index_bytes
        entries = self.entries(data[-length:] if self.index_at_end else data[:length])
        lying = tuple(self.chunk_shape[one] for one in self.order) or self.chunk_shape
        values = room(self.decoded_bytes).view(self.dtype.newbyteorder("=")).reshape(lying)
        values.fill(self.fill)
        sides = self.inner.chunk_shape
        for place, (offset, size) in zip(np.ndindex(*self.counts), entries.tolist(), strict=True):
            if offset == _ABSENT:
                continue
            window = tuple(
                slice(at * side, at * side + side) for at, side in zip(place, sides, strict=True)
            )
            values[window] = self.inner.decode(checked(data[offset : offset + size], size))
        values = restored(values.reshape(-1), self.chunk_shape, self.order)
        values.flags.writeable = False
        return values

    def filled(self) -> NDArray[Any]:
        """A shard of nothing but the fill value, read-only; it takes no memory."""
        return np.broadcast_to(
            np.asarray(self.fill, self.dtype.newbyteorder("=")), self.chunk_shape
        )


@dataclass(frozen=True, slots=True)
class Span:
    """One read of a shard.

    Parameters
    ----------
    start, length : int, bytes
    members : tuple of (position, offset within the read, length)
    """

    start: int
    length: int
    members: tuple[tuple[int, int, int], ...]


def spans(entries: Entries, wanted: Iterable[int], longest: int, gap: int = GAP) -> Iterator[Span]:
    """Reads that give the wanted chunks of a shard, neighbours joined.

    Parameters
    ----------
    entries : uint64, (chunks, 2), offset and length
    wanted : positions in the index; those without a chunk are left out
    longest : int
        Length that no chunk exceeds.
    gap : int
        Bytes between neighbours that are read along.

    Raises
    ------
    StorageError
        The index says what cannot be.

    Examples
    --------
    >>> entries = np.array([[0, 10], [10, 5], [900, 10]], "uint64")
    >>> [(one.start, one.length, len(one.members)) for one in spans(entries, [0, 1, 2], 99, 100)]
    [(0, 15, 2), (900, 10, 1)]
    """
    found = sorted(
        (int(entries[at, 0]), int(entries[at, 1]), at) for at in wanted if entries[at, 0] != _ABSENT
    )
    members: list[tuple[int, int, int]] = []
    start = stop = 0
    for offset, size, position in found:
        if size > longest or offset > 1 << 60:
            raise StorageError(f"the shard's index names a chunk of {size} bytes at {offset}")
        joined = offset <= stop + gap and offset + size - start <= LONGEST_READ
        if members and not joined:
            yield Span(start, stop - start, tuple(members))
            members = []
        if not members:
            start = stop = offset
        members.append((position, offset - start, size))
        stop = max(stop, offset + size)
    if members:
        yield Span(start, stop - start, tuple(members))


def checked(data: bytes, size: int) -> bytes:
    """The bytes of a chunk.

    Raises
    ------
    StorageError
        There are fewer than the index says.
    """
    if len(data) != size:
        raise StorageError(f"the chunk has {len(data)} bytes where the index says {size}")
    return data


def parse_codecs(
    codecs: Sequence[Mapping[str, Any]],
    dtype: np.dtype[Any],
    chunk_shape: tuple[int, ...],
    fill: np.generic,
    depth: int = 0,
) -> AnyCodec:
    """The codec of Zarr v3 metadata, sharded or not.

    Raises
    ------
    StorageError
        A codec is not known, or a shard's shape or index is none.
    """
    first, order, rest = before_bytes(codecs, len(chunk_shape))
    if first["name"] != "sharding_indexed":
        stored, order, steps = parse_steps(codecs, dtype, len(chunk_shape))
        return ArrayCodec(stored, chunk_shape, fill, steps, order)
    if depth >= MAX_DEPTH:
        raise StorageError(f"shards within shards more than {MAX_DEPTH} deep")
    options = first["configuration"]
    lying = tuple(chunk_shape[one] for one in order) or chunk_shape
    sides = tuple(options["chunk_shape"])
    counts = _counts(lying, sides)
    inner = parse_codecs(options["codecs"], dtype, sides, fill, depth + 1)
    steps = tuple(
        byte_codec(one["name"], one.get("configuration") or {}, dtype.itemsize) for one in rest
    )
    location = options.get("index_location", "end")
    if location not in {"start", "end"}:
        raise StorageError(f"a shard's index at '{location}'; it is at start or end")
    index = _index(options["index_codecs"], counts)
    return ShardCodec(chunk_shape, inner, index, location == "end", steps, order)


def _counts(lying: tuple[int, ...], sides: tuple[Any, ...]) -> tuple[int, ...]:
    whole_numbers = all(type(side) is int and side > 0 for side in sides)
    counts: tuple[int, ...] = ()
    if whole_numbers and len(sides) == len(lying):
        parted = [divmod(whole, side) for whole, side in zip(lying, sides, strict=True)]
        counts = tuple(count for count, rest in parted if not rest)
    if len(counts) != len(lying) or prod(counts) > MAX_CHUNKS:
        raise StorageError(
            f"shards of {list(lying)} cells cannot be parted into chunks of {list(sides)}"
        )
    return counts


def _index(codecs: Sequence[Mapping[str, Any]], counts: tuple[int, ...]) -> ArrayCodec:
    shape = (*counts, 2)
    stored, order, steps = parse_steps(codecs, np.dtype(np.uint64), len(shape))
    if order or any(step.grows < 0 for step in steps):
        raise StorageError("the index of a shard is compressed; its length must be fixed")
    return ArrayCodec(stored, shape, fill_scalar(int(_ABSENT), np.dtype(np.uint64)), steps)
