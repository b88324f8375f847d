"""The documents of a cube as Zarr arrays of texts of any length."""

import json
import struct
from typing import Any

VERSION = "manifest/version"
"""The array that holds a version's document."""

SLICES = "manifest/slices"
"""The array of the slice documents, one for each row."""

BOUNDLESS = 1 << 22
"""Rows of an array while it is written; its true shape is written last."""

_HEADER = struct.Struct("<II")


def closed(document: bytes) -> bytes:
    """A document as a chunk of one element of variable length (Zarr's ``vlen-bytes``)."""
    return _HEADER.pack(1, len(document)) + document


def opened(chunk: bytes | None) -> bytes | None:
    """The document in such a chunk.

    Examples
    --------
    >>> opened(closed(b"{}"))
    b'{}'
    """
    return None if chunk is None else chunk[_HEADER.size :]


def documents_array(count: int) -> bytes:
    """Metadata of an array of so many documents."""
    return _array([count], [1], "variable_length_bytes", "", "vlen-bytes")


def boundless_array(dimensions: int) -> bytes:
    """Metadata of an array that takes any chunk, until its true ones are written."""
    return _array([BOUNDLESS] * dimensions, [1] * dimensions, "uint8", 0, "bytes")


def group() -> bytes:
    """Metadata of a group without attributes."""
    return json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {}}).encode()


def _array(shape: list[int], chunk: list[int], dtype: str, fill: Any, codec: str) -> bytes:
    document = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": shape,
        "data_type": dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunk}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": fill,
        "codecs": [{"name": codec}],
        "attributes": {},
    }
    return json.dumps(document).encode()
