"""Codecs that turn bytes into bytes, each decoded within a limit.

The names are those of Zarr v3, of zarr-python's ``numcodecs.…`` and of Zarr v2. What metadata says
is not trusted: a codec that could run code (pickle) or make objects is unknown here, and none
gives more bytes than a chunk can have.
"""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from struct import Struct
from typing import Any

import google_crc32c
import numcodecs
import numpy as np
from numcodecs import blosc, lz4
from numcodecs.zstd import compress as zstd_compress
from numcodecs.zstd import decompress as zstd_decompress
from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.store.bloscparts import Piece, decode_piece, head_of, piece_between
from datacube.store.buffers import Stored

type Configuration = Mapping[str, Any]

DECODING_ERRORS = (
    *(RuntimeError, ValueError, TypeError, OSError, EOFError, IndexError, ArithmeticError),
    *(zlib.error, lzma.LZMAError),
)
"""What codecs raise for bytes that are not theirs."""

_SHUFFLES: Mapping[object, int] = {
    "noshuffle": 0,
    "shuffle": 1,
    "bitshuffle": 2,
    0: 0,
    1: 1,
    2: 2,
    -1: 1,
}
_CHECKSUMS = ("crc32", "adler32", "fletcher32", "jenkins_lookup3")
_FILTERS = ("delta", "fixedscaleoffset", "quantize", "bitround", "astype", "packbits", "shuffle")
_LZMA_MEMORY = 128 << 20
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_BLOCK = 128 << 10
_BLOSC_HEADER = Struct("<4xI4xI")  # decoded and stored bytes


@dataclass(frozen=True, slots=True)
class ByteCodec:
    """One step between an array's bytes and those of the object.

    Parameters
    ----------
    encode : function of bytes
    decode : function of bytes and the largest length that may come out
    grows : int
        Bytes that encoding adds, for steps that only add; -1 where that depends on the bytes.
    fill : function of bytes and memory that they are decoded into, which they must fill exactly;
        None where only ``decode`` is known
    direct : function of an array, which encodes its memory without a copy of it; None where only
        ``encode`` is known
    parts : how some of the bytes are decoded without the others; None where they cannot
    """

    encode: Callable[[bytes], bytes]
    decode: Callable[[bytes, int], bytes]
    grows: int = -1
    fill: Callable[[Stored, NDArray[np.uint8]], None] | None = None
    direct: Callable[[NDArray[Any]], bytes] | None = None
    parts: "Parts | None" = None


@dataclass(frozen=True, slots=True)
class Parts:
    """How some of the bytes are decoded without the others.

    Parameters
    ----------
    head : encoded bytes -> their beginning, which says where the rest lies
    piece : head, the bytes that all decode to, and two places among them -> the piece that holds
        those from one to before the other; None where it takes all
    fill : a piece's encoded bytes behind its front, the memory of all bytes, and the piece
    """

    head: Callable[[Stored], bytes]
    piece: Callable[[Stored, int, int, int], Piece | None]
    fill: Callable[[Stored, NDArray[np.uint8], Piece], None]


def known_codecs() -> tuple[str, ...]:
    """Names of the codecs that can be read."""
    first = ("blosc", "zstd", "gzip", "crc32c", "zlib", "lz4", "bz2", "lzma")
    return (*first, *_CHECKSUMS, *_FILTERS)


def byte_codec(name: str, options: Configuration, itemsize: int) -> ByteCodec:
    """The codec of a name.

    Parameters
    ----------
    name : str
        As of Zarr v3 (``gzip``, ``numcodecs.bz2``) or v2 (``zlib``).
    options : its configuration
    itemsize : int
        Bytes of an element, for codecs that shuffle.

    Raises
    ------
    StorageError
        It is not known, or its configuration is none.
    """
    plain = name.removeprefix("numcodecs.")
    try:
        return _codec(plain, options, itemsize)
    except (KeyError, ValueError, TypeError) as error:
        raise StorageError(f"the configuration of the codec '{plain}' is none: {error}") from error


def _codec(name: str, options: Configuration, itemsize: int) -> ByteCodec:
    simple: Mapping[str, ByteCodec] = {
        "crc32c": ByteCodec(_append_checksum, _check_checksum, 4),
        "lz4": ByteCodec(lambda data: bytes(lz4.compress(data)), _lz4),
        "bz2": ByteCodec(bz2.compress, _bz2),
    }
    if name in simple:
        return simple[name]
    if name == "blosc":
        return _blosc(options, itemsize)
    if name == "lzma":
        return _lzma(options)
    if name in {"zstd", "gzip", "zlib"}:
        return _leveled(name, options)
    if name in _CHECKSUMS or name in _FILTERS:
        return _numcodecs(name, options, itemsize)
    raise StorageError(
        f"the codec '{name[:60]}' is not known; known are bytes, transpose, sharding_indexed, "
        + ", ".join(known_codecs())
    )


def _leveled(name: str, options: Configuration) -> ByteCodec:
    level = int(options.get("level", 3 if name == "zstd" else 5))
    if name == "zstd":
        checksum = bool(options.get("checksum", False))
        return ByteCodec(
            lambda data: bytes(zstd_compress(data, level, checksum)), _zstd, fill=_zstd_into
        )
    if name == "gzip":
        return ByteCodec(lambda data: gzip.compress(data, level, mtime=0), _gunzip)
    return ByteCodec(lambda data: zlib.compress(data, level), _inflate)


def crc32c(data: Stored) -> int:
    """CRC-32C (Castagnoli) of bytes.

    Examples
    --------
    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    return int(google_crc32c.value(data))


def _blosc(options: Configuration, itemsize: int) -> ByteCodec:
    name = str(options.get("cname", "lz4")).encode()
    level, shuffle = int(options.get("clevel", 5)), _SHUFFLES[options.get("shuffle", 1)]
    blocksize = int(options.get("blocksize", 0))
    typesize = int(options.get("typesize") or itemsize)

    def encode(data: bytes | NDArray[Any]) -> bytes:
        # blosc takes the size of an element from the buffer
        elements = np.frombuffer(data, f"V{typesize}")
        return bytes(blosc.compress(elements, name, level, shuffle, blocksize))

    return ByteCodec(encode, _unblosc, fill=_unblosc_into, direct=encode, parts=_BLOSC_PARTS)


def _unblosc(data: bytes, limit: int) -> bytes:
    _bound(_blosc_length(data), limit)
    return bytes(blosc.decompress(data))


def _unblosc_into(data: Stored, memory: NDArray[np.uint8]) -> None:
    _same_length(_blosc_length(data), memory)
    blosc.decompress(data, memory)


_BLOSC_PARTS = Parts(head_of, piece_between, decode_piece)


def _blosc_length(data: Stored) -> int:
    """Decoded bytes of a blosc frame, which is not cut short."""
    if len(data) < _BLOSC_HEADER.size:
        raise ValueError("blosc data is cut short")
    length, stored = _BLOSC_HEADER.unpack_from(data)
    if stored > len(data):
        raise ValueError("blosc data is cut short")
    return int(length)


def _zstd(data: Stored, limit: int) -> bytes:
    _bound(_zstd_length(data, limit), limit)
    return bytes(zstd_decompress(data))


def _zstd_into(data: Stored, memory: NDArray[np.uint8]) -> None:
    if _zstd_length(data, memory.size) == memory.size:
        zstd_decompress(data, memory)
        return
    found = _zstd(data, memory.size)  # its length is not said, or it has several frames
    _same_length(len(found), memory)
    memory[:] = np.frombuffer(found, np.uint8)


def _zstd_length(data: Stored, limit: int) -> int:
    """Bytes in a zstd frame (RFC 8878, section 3.1.1); at most, where it does not say."""
    if bytes(data[:4]) != _ZSTD_MAGIC or len(data) < 6:
        raise ValueError("no zstd data")
    descriptor = int(data[4])
    single = bool(descriptor & 0x20)
    at = 5 + (not single) + (0, 1, 2, 4)[descriptor & 3]
    width = (int(single), 2, 4, 8)[descriptor >> 6]
    if width:
        return int.from_bytes(data[at : at + width], "little") + (256 if width == 2 else 0)
    # compressed blocks are counted as full ones, so that small ones must not be refused
    most = _zstd_blocks(data, at)
    return limit + 1 if most > 4 * limit + (64 << 20) else 0


def _zstd_blocks(data: Stored, at: int) -> int:
    total, last = 0, False
    while not last and at + 3 <= len(data):
        header = int.from_bytes(data[at : at + 3], "little")
        last, kind, size = bool(header & 1), header >> 1 & 3, header >> 3
        total += _ZSTD_BLOCK if kind == 2 else size
        at += 3 + (1 if kind == 1 else size)
    return total


def _gunzip(data: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    while data:
        member = zlib.decompressobj(31)
        parts.append(member.decompress(data, limit + 1))
        _bound(sum(map(len, parts)), limit)
        if not member.eof:
            raise EOFError("gzip data is cut short")
        data = member.unused_data.lstrip(b"\0")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _inflate(data: bytes, limit: int) -> bytes:
    return _at_once(zlib.decompressobj(), data, limit)


def _bz2(data: bytes, limit: int) -> bytes:
    return _at_once(bz2.BZ2Decompressor(), data, limit)


def _lzma(options: Configuration) -> ByteCodec:
    container, filters = int(options.get("format", 1)), options.get("filters")
    check, preset = int(options.get("check", -1)), options.get("preset")
    if any(int(one.get("dict_size") or 0) > _LZMA_MEMORY for one in filters or ()):
        raise ValueError(f"a dictionary of more than {_LZMA_MEMORY} bytes")

    def encode(data: bytes) -> bytes:
        return lzma.compress(data, container, check, preset, filters)

    def decode(data: bytes, limit: int) -> bytes:
        raw = container == lzma.FORMAT_RAW
        return _at_once(
            lzma.LZMADecompressor(container, None, filters if raw else None), data, limit
        )

    return ByteCodec(encode, decode)


def _at_once(machine: Any, data: bytes, limit: int) -> bytes:
    found: bytes = machine.decompress(data, limit + 1)
    _bound(len(found), limit)
    if not machine.eof:
        raise EOFError("compressed data is cut short")
    return found


def _lz4(data: bytes, limit: int) -> bytes:
    _bound(int.from_bytes(data[:4], "little"), limit)
    return bytes(lz4.decompress(data))


def _bound(length: int, limit: int) -> None:
    if length > limit:
        raise ValueError(f"it holds {length} bytes or more, where {limit} are enough")


def _same_length(length: int, memory: NDArray[np.uint8]) -> None:
    if length != memory.size:
        raise ValueError(f"it holds {length} bytes, where {memory.size} are the chunk")


def _numcodecs(name: str, options: Configuration, itemsize: int) -> ByteCodec:
    """A filter or checksum of numcodecs; its element types must be plain numbers."""
    settings = {key: value for key, value in options.items() if key not in {"id", "name"}}
    for key, value in settings.items():
        if "dtype" in key or key == "astype":
            kind = np.dtype(value).kind
            if kind not in "biuf":
                raise ValueError(f"elements of type {value}")
    if name == "shuffle":
        settings.setdefault("elementsize", itemsize)
    codec = numcodecs.get_codec({"id": name, **settings})

    def encode(data: bytes) -> bytes:
        return _as_bytes(codec.encode(_elements(data, settings)))

    def decode(data: bytes, limit: int) -> bytes:
        found = _as_bytes(codec.decode(data))
        _bound(len(found), limit)
        return found

    return ByteCodec(encode, decode, 4 if name in _CHECKSUMS else -1)


def _elements(data: bytes, settings: Configuration) -> Any:
    said = settings.get("decode_dtype") or settings.get("dtype")
    return np.frombuffer(data, said) if said else data


def _as_bytes(found: Any) -> bytes:
    return np.ascontiguousarray(found).tobytes()


def _append_checksum(data: bytes) -> bytes:
    return data + crc32c(data).to_bytes(4, "little")


def _check_checksum(data: bytes, limit: int) -> bytes:
    del limit
    body, checksum = data[:-4], data[-4:]
    if crc32c(body) != int.from_bytes(checksum, "little"):
        raise ValueError("its checksum does not match")
    return body
