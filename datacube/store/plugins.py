"""Chunks whose codecs only zarr-python (or a plug-in of it) knows.

Each chunk is given to zarr-python as an array of its own in memory: slower, but right for
whatever is installed. Codecs of Zarr v2 are not looked up so: among them are some that run code.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.store.buffers import Room, fresh
from datacube.store.compression import ByteCodec

_SLACK = 1 << 16


@dataclass(frozen=True, slots=True)
class PluginCodec:
    """How chunks become arrays by way of zarr-python.

    Parameters
    ----------
    dtype : numpy dtype, native
    chunk_shape : tuple of int
    fill : scalar of dtype
    document : bytes
        Metadata of an array of one chunk.
    """

    dtype: np.dtype[Any]
    chunk_shape: tuple[int, ...]
    fill: np.generic
    document: bytes
    steps: tuple[ByteCodec, ...] = ()

    @staticmethod
    def make(
        metadata: Mapping[str, Any],
        dtype: np.dtype[Any],
        chunk_shape: tuple[int, ...],
        fill: np.generic,
    ) -> "PluginCodec":
        """The codec of a Zarr v3 array.

        Raises
        ------
        StorageError
            zarr-python does not know it either.
        """
        alone = {
            "zarr_format": 3,
            "node_type": "array",
            "shape": list(chunk_shape),
            "data_type": metadata["data_type"],
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunk_shape)}},
            "chunk_key_encoding": {"name": "v2", "configuration": {"separator": "."}},
            "fill_value": metadata["fill_value"],
            "codecs": metadata["codecs"],
        }
        codec = PluginCodec(dtype, chunk_shape, fill, json.dumps(alone).encode())
        codec._open({})
        return codec

    @property
    def longest(self) -> int:
        """More bytes than any chunk needs."""
        return 2 * prod(self.chunk_shape) * self.dtype.itemsize + _SLACK

    def decode(self, data: bytes, room: Room = fresh) -> NDArray[Any]:  # noqa: ARG002  its own
        """One whole chunk, read-only.

        Raises
        ------
        StorageError
            zarr-python cannot decode it.
        """
        key = ".".join("0" for _ in self.chunk_shape) or "0"
        array = self._open({key: data})
        try:
            values = np.asarray(array[...], self.dtype)
        except Exception as error:  # whatever a plug-in raises
            raise StorageError(f"the chunk cannot be decoded: {error}") from error
        values.flags.writeable = False
        return values

    def filled(self) -> NDArray[Any]:
        """A chunk of nothing but the fill value, read-only; it takes no memory."""
        return np.broadcast_to(np.asarray(self.fill, self.dtype), self.chunk_shape)

    def _open(self, chunks: Mapping[str, bytes]) -> Any:
        # imported where it is needed: it takes a third of a second
        import zarr  # noqa: PLC0415
        from zarr.buffer.cpu import Buffer  # noqa: PLC0415
        from zarr.storage import MemoryStore  # noqa: PLC0415

        objects = {"zarr.json": self.document, **chunks}
        try:
            store = MemoryStore({key: Buffer.from_bytes(data) for key, data in objects.items()})
            return zarr.open_array(store, mode="r")
        except Exception as error:  # whatever a plug-in raises
            text = " ".join(str(error).split())[:200]
            raise StorageError(f"its codecs are not known: {text}") from error
