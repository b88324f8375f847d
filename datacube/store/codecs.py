"""How the chunks of a Zarr array become bytes and back, without zarr-python."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.store.bloscparts import Piece
from datacube.store.buffers import Room, Stored, fresh
from datacube.store.compression import DECODING_ERRORS, ByteCodec, Parts, byte_codec, crc32c

__all__ = ["ArrayCodec", "crc32c", "fill_scalar", "parse_steps"]

MAX_STEPS = 16
"""Codecs in a row; more are no honest metadata."""

_SLACK = 1 << 16
_FILTERS = ("numcodecs.delta", "numcodecs.fixedscaleoffset", "numcodecs.quantize")
_ARRAY_FILTERS = (*_FILTERS, "numcodecs.bitround", "numcodecs.astype", "numcodecs.packbits")


@dataclass(frozen=True, slots=True)
class ArrayCodec:
    """How chunks of one Zarr array become bytes and back.

    Parameters
    ----------
    dtype : numpy dtype
        As stored, with its byte order.
    chunk_shape : tuple of int
    fill : scalar of dtype
    steps : tuple of ByteCodec
        In the order in which they encode.
    order : tuple of int
        The array's dimensions in the order in which they lie in the bytes; empty: as they are.

    Attributes
    ----------
    decoded_bytes : int
        Bytes of a decoded chunk.
    copies : bool
        Whether decoded values never lie in the memory of the bytes they come from.
    parts : Parts or None
        How rows are decoded without the others, where they can.

    Examples
    --------
    >>> codec = ArrayCodec.parse({
    ...     "data_type": "int16", "fill_value": -1,
    ...     "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2, 2]}},
    ...     "codecs": [{"name": "bytes", "configuration": {"endian": "little"}},
    ...                {"name": "zstd", "configuration": {"level": 1, "checksum": False}}]})
    >>> codec.decode(codec.encode(np.array([[1, 2], [3, 4]], "int16"))).tolist()
    [[1, 2], [3, 4]]
    """

    dtype: np.dtype[Any]
    chunk_shape: tuple[int, ...]
    fill: np.generic
    steps: tuple[ByteCodec, ...] = ()
    order: tuple[int, ...] = ()
    decoded_bytes: int = field(init=False)
    copies: bool = field(init=False)
    parts: Parts | None = field(init=False)

    @staticmethod
    def parse(metadata: Mapping[str, Any]) -> "ArrayCodec":
        """Read the metadata of a Zarr v3 array.

        Raises
        ------
        StorageError
            A codec, data type or chunk grid is not known here.
        """
        grid = metadata["chunk_grid"]
        if grid["name"] != "regular":
            raise StorageError(f"the chunk grid '{grid['name']}' is not known; known is: regular")
        dtype = np.dtype(metadata["data_type"])
        chunk_shape = tuple(grid["configuration"]["chunk_shape"])
        stored, order, steps = parse_steps(metadata["codecs"], dtype, len(chunk_shape))
        return ArrayCodec(
            stored, chunk_shape, fill_scalar(metadata["fill_value"], dtype), steps, order
        )

    def __post_init__(self) -> None:
        copies = len(self.steps) == 1 and self.steps[0].fill is not None
        parts = copies and not self.order and prod(self.chunk_shape[:-2]) == 1
        object.__setattr__(self, "decoded_bytes", prod(self.chunk_shape) * self.dtype.itemsize)
        object.__setattr__(self, "copies", copies)
        object.__setattr__(self, "parts", self.steps[0].parts if parts else None)

    @property
    def longest(self) -> int:
        """More bytes than any chunk needs, encoded or between two steps."""
        return 2 * self.decoded_bytes + _SLACK

    def encode(self, values: NDArray[Any]) -> bytes:
        """Bytes of one whole chunk.

        Parameters
        ----------
        values : stored dtype, chunk_shape
        """
        lying = np.transpose(values, self.order) if self.order else values
        together = np.ascontiguousarray(lying, self.dtype)
        direct = self.steps[0].direct if self.steps else None
        data = together.tobytes() if direct is None else direct(together)
        for step in self.steps[0 if direct is None else 1 :]:
            data = step.encode(data)
        return data

    def decode(self, data: Stored, room: Room = fresh) -> NDArray[Any]:
        """One whole chunk, read-only, in native byte order.

        Parameters
        ----------
        data : bytes; where the codec :attr:`copies` them also an array of them
        room : Room
            Where memory for the values comes from.

        Raises
        ------
        StorageError
            The bytes are not those of such a chunk.
        """
        return self._lying(self._numbers(data, room))

    def decode_piece(self, frame: Stored, piece: Piece) -> NDArray[Any]:
        """A chunk of which some rows are right; otherwise as :meth:`decode`.

        Parameters
        ----------
        frame : the piece's bytes behind its front
        piece : what :meth:`piece` gave
        """
        assert self.parts is not None  # noqa: S101  pieces come from them
        memory = fresh(self.decoded_bytes)
        try:
            self.parts.fill(frame, memory, piece)
        except DECODING_ERRORS as error:
            raise _undecodable(error) from error
        return self._lying(memory.view(self.dtype))

    def _lying(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values as they lie in the bytes -> a chunk."""
        if not self.dtype.isnative:
            swapped = values.byteswap(inplace=values.flags.writeable)
            values = swapped.view(self.dtype.newbyteorder("="))
        values = restored(values, self.chunk_shape, self.order)
        values.flags.writeable = False
        return values

    def _numbers(self, data: Stored, room: Room) -> NDArray[Any]:
        """The values as they lie."""
        size = self.decoded_bytes
        fill = self.steps[0].fill if self.steps else None
        if not self.copies:
            data = undone(self.steps[1 if fill else 0 :], bytes(data), 2 * size + _SLACK)
        if fill:
            memory = room(size)
            try:
                fill(data, memory)
            except DECODING_ERRORS as error:
                raise _undecodable(error) from error
            return memory.view(self.dtype)
        if len(data) != size:
            raise StorageError(f"the chunk decodes to {len(data)} bytes")
        return np.frombuffer(data, self.dtype)

    def head(self, data: Stored) -> bytes:
        """The beginning of a chunk's bytes, which says where its :attr:`parts` lie."""
        return b"" if self.parts is None else self.parts.head(data)

    def piece(self, head: Stored, rows: tuple[int, int]) -> Piece | None:
        """What some rows of a chunk come from; None where that is all of it.

        Parameters
        ----------
        head : what :meth:`head` gave, or more
        rows : (int, int), the first, and the one after the last
        """
        if self.parts is None:
            return None
        line = self.chunk_shape[-1] * self.dtype.itemsize
        return self.parts.piece(head, self.decoded_bytes, rows[0] * line, rows[1] * line)

    def filled(self) -> NDArray[Any]:
        """A chunk of nothing but the fill value, read-only; it takes no memory."""
        return np.broadcast_to(
            np.asarray(self.fill, self.dtype.newbyteorder("=")), self.chunk_shape
        )


def undone(steps: Sequence[ByteCodec], data: bytes, limit: int) -> bytes:
    """What stood before the steps were applied, at most ``limit`` bytes at any time.

    Raises
    ------
    StorageError
        The bytes do not come from these steps.
    """
    try:
        for step in reversed(steps):
            data = step.decode(data, limit)
    except DECODING_ERRORS as error:
        raise _undecodable(error) from error
    return data


def _undecodable(error: Exception) -> StorageError:
    return StorageError(f"the chunk cannot be decoded: {error}")


def restored(values: NDArray[Any], shape: tuple[int, ...], order: tuple[int, ...]) -> NDArray[Any]:
    """Numbers as they lie -> an array of the shape, a view.

    Examples
    --------
    >>> restored(np.arange(6), (2, 3), (1, 0)).tolist()
    [[0, 2, 4], [1, 3, 5]]
    """
    if not order:
        return values.reshape(shape)
    return values.reshape([shape[one] for one in order]).transpose(np.argsort(order))


def parse_steps(
    codecs: Sequence[Mapping[str, Any]], dtype: np.dtype[Any], dimensions: int
) -> tuple[np.dtype[Any], tuple[int, ...], tuple[ByteCodec, ...]]:
    """The codecs of Zarr v3 metadata around ``bytes``.

    Returns
    -------
    dtype : with the byte order in which it is stored
    order : as of :class:`ArrayCodec`
    steps : tuple of ByteCodec

    Raises
    ------
    StorageError
        A codec is not known, or not known at its place.
    """
    first, order, rest = before_bytes(codecs, dimensions)
    filters = [one for one in codecs if one["name"] in _ARRAY_FILTERS]
    if first["name"] != "bytes":
        raise StorageError(f"the codec '{first['name']}' is not known as an array's first")
    endian = (first.get("configuration") or {}).get("endian")
    stored = dtype.newbyteorder(">" if endian == "big" else "<")
    steps = [
        byte_codec(one["name"], one.get("configuration") or {}, dtype.itemsize)
        for one in (*filters, *rest)
    ]
    return stored, order, tuple(steps)


def before_bytes(
    codecs: Sequence[Mapping[str, Any]], dimensions: int
) -> tuple[Mapping[str, Any], tuple[int, ...], Sequence[Mapping[str, Any]]]:
    """The codec that makes bytes, the order of dimensions before it, and what follows it.

    Raises
    ------
    StorageError
        There is none, too many stand in a row, or a transposition is none.
    """
    if len(codecs) > MAX_STEPS:
        raise StorageError(f"{len(codecs)} codecs in a row; up to {MAX_STEPS} are read")
    order: tuple[int, ...] = ()
    for position, codec in enumerate(codecs):
        name = codec["name"]
        if name == "transpose":
            said = _order((codec.get("configuration") or {}).get("order"), dimensions)
            order = tuple(order[one] for one in said) if order else said
        elif name not in _ARRAY_FILTERS or order:
            return codec, order, codecs[position + 1 :]
    raise StorageError("no codec turns the array into bytes")


def _order(said: Any, dimensions: int) -> tuple[int, ...]:
    if said == "C":
        return tuple(range(dimensions))
    if said == "F":
        return tuple(reversed(range(dimensions)))
    if not isinstance(said, list) or sorted(said) != list(range(dimensions)):
        raise StorageError(f"the transposition {str(said)[:60]} is none of {dimensions} dimensions")
    return tuple(int(one) for one in said)


def fill_scalar(value: Any, dtype: np.dtype[Any]) -> np.generic:
    """The fill value that Zarr metadata writes as a number, a word or hexadecimal digits.

    Examples
    --------
    >>> fill_scalar("0x3f800000", np.dtype("float32")), fill_scalar("NaN", np.dtype("float64"))
    (np.float32(1.0), np.float64(nan))
    """
    if isinstance(value, str) and value.startswith("0x"):
        bits = np.array([int(value, 16)], f"u{dtype.itemsize}")
        return bits.view(dtype.newbyteorder("="))[0]  # type: ignore[no-any-return]
    if isinstance(value, str):
        value = float(value.replace("Infinity", "inf"))
    return dtype.newbyteorder("=").type(value)  # type: ignore[no-any-return]
