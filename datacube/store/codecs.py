"""The codecs of Zarr v3 that are read and written directly, without zarr-python."""

import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import google_crc32c
import numpy as np
from numcodecs import blosc
from numcodecs.zstd import compress as zstd_compress
from numcodecs.zstd import decompress as zstd_decompress
from numpy.typing import NDArray

from datacube.errors import StorageError

type Step = tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]

_SHUFFLES = {"noshuffle": 0, "shuffle": 1, "bitshuffle": 2}


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli) of bytes.

    Examples
    --------
    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    return int(google_crc32c.value(data))


@dataclass(frozen=True, slots=True)
class ArrayCodec:
    """How chunks of one Zarr array become bytes and back.

    Parameters
    ----------
    dtype : numpy dtype
        As stored, with its byte order.
    chunk_shape : tuple of int
    fill : scalar of dtype
    encoders, decoders : functions of bytes
        In the order in which they are applied.

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
    encoders: tuple[Callable[[bytes], bytes], ...]
    decoders: tuple[Callable[[bytes], bytes], ...]

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
        first, *rest = metadata["codecs"]
        if first["name"] != "bytes":
            raise StorageError(f"the codec '{first['name']}' is not known as an array's first")
        order = ">" if first.get("configuration", {}).get("endian") == "big" else "<"
        dtype = np.dtype(metadata["data_type"]).newbyteorder(order)
        steps = [_step(codec, dtype.itemsize) for codec in rest]
        return ArrayCodec(
            dtype,
            tuple(grid["configuration"]["chunk_shape"]),
            fill_scalar(metadata["fill_value"], dtype),
            tuple(encode for encode, _ in steps),
            tuple(decode for _, decode in reversed(steps)),
        )

    def encode(self, values: NDArray[Any]) -> bytes:
        """Bytes of one whole chunk.

        Parameters
        ----------
        values : stored dtype, chunk_shape
        """
        data = np.ascontiguousarray(values, self.dtype).tobytes()
        for encode in self.encoders:
            data = encode(data)
        return data

    def decode(self, data: bytes) -> NDArray[Any]:
        """One whole chunk, read-only.

        Raises
        ------
        StorageError
            The bytes are not those of such a chunk.
        """
        try:
            for decode in self.decoders:
                data = decode(data)
        except (RuntimeError, ValueError, OSError, EOFError) as error:
            raise StorageError(f"the chunk cannot be decoded: {error}") from error
        if len(data) != prod(self.chunk_shape) * self.dtype.itemsize:
            raise StorageError(f"the chunk decodes to {len(data)} bytes")
        values = np.frombuffer(data, self.dtype).reshape(self.chunk_shape)
        if not self.dtype.isnative:
            values = values.astype(self.dtype.newbyteorder("="))
        values.flags.writeable = False
        return values

    def filled(self) -> NDArray[Any]:
        """A chunk of nothing but the fill value, read-only; it takes no memory."""
        return np.broadcast_to(
            np.asarray(self.fill, self.dtype.newbyteorder("=")), self.chunk_shape
        )


def fill_scalar(value: Any, dtype: np.dtype[Any]) -> np.generic:
    """The fill value that Zarr metadata writes as a number, a word or hexadecimal digits."""
    if isinstance(value, str) and value.startswith("0x"):
        bits = np.array([int(value, 16)], f"u{dtype.itemsize}")
        return bits.view(dtype.newbyteorder("="))[0]  # type: ignore[no-any-return]
    if isinstance(value, str):
        value = float(value.replace("Infinity", "inf"))
    return dtype.newbyteorder("=").type(value)  # type: ignore[no-any-return]


def known_codecs() -> Sequence[str]:
    """Names of the codecs that may follow ``bytes``."""
    return ("blosc", "zstd", "gzip", "crc32c")


def _step(codec: Mapping[str, Any], itemsize: int) -> Step:
    options = codec.get("configuration", {})
    match codec["name"]:
        case "blosc":
            return _blosc(options, itemsize)
        case "zstd":
            level = int(options.get("level", 3))
            checksum = bool(options.get("checksum", False))
            return lambda data: bytes(zstd_compress(data, level, checksum)), zstd_decompress
        case "gzip":
            level = int(options.get("level", 5))
            return lambda data: gzip.compress(data, level, mtime=0), gzip.decompress
        case "crc32c":
            return _append_checksum, _check_checksum
        case other:
            known = ", ".join(known_codecs())
            raise StorageError(f"the codec '{other}' is not known; known are bytes, {known}")


def _blosc(options: Mapping[str, Any], itemsize: int) -> Step:
    name = str(options["cname"]).encode()
    level, shuffle = int(options["clevel"]), _SHUFFLES[options["shuffle"]]
    blocksize, typesize = int(options.get("blocksize", 0)), int(options.get("typesize", itemsize))

    def encode(data: bytes) -> bytes:
        # blosc takes the size of an element from the buffer
        elements = np.frombuffer(data, f"V{typesize}")
        return bytes(blosc.compress(elements, name, level, shuffle, blocksize))

    return encode, blosc.decompress


def _append_checksum(data: bytes) -> bytes:
    return data + crc32c(data).to_bytes(4, "little")


def _check_checksum(data: bytes) -> bytes:
    body, checksum = data[:-4], data[-4:]
    if crc32c(body) != int.from_bytes(checksum, "little"):
        raise ValueError("its checksum does not match")
    return body
