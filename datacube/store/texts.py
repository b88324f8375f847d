"""Texts of any length in Zarr arrays (``vlen-utf8``): labels of axes."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.store.buffers import Room, fresh
from datacube.store.codecs import undone
from datacube.store.compression import ByteCodec

_LONGEST = 1 << 24


@dataclass(frozen=True, slots=True)
class TextCodec:
    """How chunks of texts become arrays.

    Parameters
    ----------
    chunk_shape : tuple of int
    steps : tuple of ByteCodec
        What follows the texts' bytes.
    """

    chunk_shape: tuple[int, ...]
    steps: tuple[ByteCodec, ...] = ()

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the array: objects."""
        return np.dtype(object)

    @property
    def longest(self) -> int:
        """More bytes than labels need."""
        return _LONGEST

    def decode(self, data: bytes, room: Room = fresh) -> NDArray[Any]:  # noqa: ARG002  no numbers
        """A chunk of texts: a count, then length and UTF-8 of each.

        Raises
        ------
        StorageError
            The bytes are no such texts.

        Examples
        --------
        >>> TextCodec((1,)).decode(bytes([1, 0, 0, 0, 2, 0, 0, 0]) + b"e1").tolist()
        ['e1']
        """
        data = undone(self.steps, data, _LONGEST)
        count, at = int.from_bytes(data[:4], "little"), 4
        if count != prod(self.chunk_shape):
            raise StorageError(f"a chunk of {count} texts instead of {prod(self.chunk_shape)}")
        texts = []
        for _ in range(count):
            length = int.from_bytes(data[at : at + 4], "little")
            at += 4 + length
            if at > len(data):
                raise StorageError("a chunk of texts is cut short")
            texts.append(data[at - length : at].decode("utf-8", "replace"))
        return np.array(texts, object).reshape(self.chunk_shape)

    def filled(self) -> NDArray[Any]:
        """Empty texts."""
        return np.broadcast_to(np.array("", object), self.chunk_shape)
