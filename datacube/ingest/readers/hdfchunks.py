"""Chunks of HDF5 variables, read where they lie and inflated outside of the HDF5 library.

The library inflates under a lock of the whole process, with zlib. Deflated chunks, shuffled or not,
are most of what NetCDF-4 holds; they are inflated here in half the time and beside other work.
Everything else stays with the library.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from datacube.ingest.readers.hdftree import check_tree
from datacube.ingest.readers.unpack import inflate
from datacube.store.buffers import Buffers, Stored

_DEFLATE, _SHUFFLE, _LZF = 1, 2, 32000
_HELD = 32 << 20

type Place = tuple[int, ...]


class HdfChunks:
    """The deflated variables of a file; to be closed.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OSError
        The file is no HDF5, or damaged.
    ValueError
        See :func:`~datacube.ingest.readers.hdftree.check_tree`.
    """

    def __init__(self, path: Path) -> None:
        self._file = h5py.File(path, "r")
        try:
            check_tree(self._file)
        except BaseException:
            self._file.close()
            raise
        self._descriptor = os.open(path, os.O_RDONLY)

    def variable(self, known: Any) -> Any:
        """What reads a variable of a netCDF4 dataset: its chunks, or the variable itself."""
        name = f"{known.group().path.rstrip('/')}/{known.name}"
        found = self._file.get(name)
        same = (
            isinstance(found, h5py.Dataset)
            and isinstance(known.datatype, np.dtype)
            and found.shape == known.shape
            and found.dtype.newbyteorder("=") == known.dtype.newbyteorder("=")
            and found.chunks is not None
        )
        codes = _codes(found) if same else ()
        if _LZF in codes:
            return LibraryVariable(found, known.dimensions)
        filters = _filters(found) if same else None
        if filters is None:
            return known
        return ChunkedVariable(found, self._descriptor, known.dimensions, filters)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, eq=False)
class LibraryVariable:
    """A variable with a filter that h5py has and the netCDF library has not; read by that library.

    Parameters
    ----------
    dataset : h5py.Dataset
    dimensions : tuple of str
    """

    dataset: Any
    dimensions: tuple[str, ...]

    def __getitem__(self, key: tuple[int | slice, ...]) -> NDArray[Any]:
        """Stored numbers of a window."""
        return np.asarray(self.dataset[key])


class ChunkedVariable:
    """A variable in deflated chunks; indexed by whole numbers and slices with both ends.

    The chunks that were inflated last are kept, up to some bytes, where windows have parts of them.
    Any number of threads may read.

    Parameters
    ----------
    dataset : h5py.Dataset
    descriptor : int
        Of the open file.
    dimensions : tuple of str
    filters : tuple of int
        Codes of the filters in the order in which they were applied.
    """

    def __init__(
        self, dataset: Any, descriptor: int, dimensions: tuple[str, ...], filters: tuple[int, ...]
    ) -> None:
        self._dataset = dataset
        self._descriptor = descriptor
        self._filters = filters
        self._sides: Place = dataset.chunks
        self._dtype: np.dtype[Any] = dataset.dtype
        self._bytes = int(np.prod(self._sides, dtype=np.int64)) * self._dtype.itemsize
        self._lock = threading.Lock()
        self._kept: OrderedDict[Place, NDArray[Any]] = OrderedDict()
        self._buffers = Buffers()
        self.dimensions = dimensions

    def __getitem__(self, key: tuple[int | slice, ...]) -> NDArray[Any]:
        """Stored numbers of a window.

        Raises
        ------
        ValueError
            A chunk is damaged.
        """
        ranges = [(one, one + 1) if isinstance(one, int) else (one.start, one.stop) for one in key]
        shape = [stop - start for start, stop in ranges]
        scalar = tuple(0 if isinstance(one, int) else slice(None) for one in key)
        chunks = [
            range(start // side, -(-stop // side))
            for (start, stop), side in zip(ranges, self._sides, strict=True)
        ]
        if self._is_chunk(ranges):  # no other window needs it
            return self._inflated(tuple(one.start for one in chunks))[scalar]
        whole = np.empty(shape, self._dtype)
        for place in product(*chunks):
            origin = [number * side for number, side in zip(place, self._sides, strict=True)]
            cuts = [
                (max(start, first), min(stop, first + side), first, start)
                for (start, stop), first, side in zip(ranges, origin, self._sides, strict=True)
            ]
            inside = tuple(slice(low - first, high - first) for low, high, first, _ in cuts)
            part = self._chunk(place)[inside]
            if part.shape == whole.shape:
                return part[scalar]
            whole[tuple(slice(low - start, high - start) for low, high, _, start in cuts)] = part
        return whole[scalar]

    def parallel(self, dimensions: Collection[str]) -> bool:
        """Whether windows at other places along these dimensions lie in other chunks.

        Such windows are best read by several threads at once.
        """
        sides = dict(zip(self.dimensions, self._sides, strict=True))
        return all(sides[name] == 1 for name in dimensions)

    def _is_chunk(self, ranges: Sequence[tuple[int, int]]) -> bool:
        return all(
            start % side == 0 and stop - start == side
            for (start, stop), side in zip(ranges, self._sides, strict=True)
        )

    def _chunk(self, place: Place) -> NDArray[Any]:
        with self._lock:
            if place in self._kept:
                self._kept.move_to_end(place)
                return self._kept[place]
        values = self._inflated(place)
        with self._lock:
            self._kept[place] = values
            while len(self._kept) > max(1, _HELD // self._bytes):
                self._kept.popitem(last=False)
        return values

    def _inflated(self, place: Place) -> NDArray[Any]:
        origin = tuple(number * side for number, side in zip(place, self._sides, strict=True))
        found = self._dataset.id.get_chunk_info_by_coord(origin)
        if found.byte_offset is None:  # never written
            return np.full(self._sides, self._dataset.fillvalue, self._dtype)
        data: Stored = os.pread(self._descriptor, found.size, found.byte_offset)
        for number, code in reversed(tuple(enumerate(self._filters))):
            if not found.filter_mask >> number & 1:
                memory = self._buffers.room(self._bytes)
                if code == _DEFLATE:
                    inflate(data, memory)
                else:
                    self._check(data)
                    _unshuffle(data, memory, self._dtype.itemsize)
                data = memory
        self._check(data)
        values: NDArray[Any] = np.frombuffer(data, self._dtype).reshape(self._sides)
        return values

    def _check(self, data: Stored) -> None:
        if len(data) != self._bytes:
            raise ValueError(f"a chunk of '{self._dataset.name}' has {len(data)} bytes")


def _filters(dataset: Any) -> tuple[int, ...] | None:
    """Codes of a variable's filters; None where there are others than those known here."""
    codes = _codes(dataset)
    return codes if codes in {(_DEFLATE,), (_SHUFFLE, _DEFLATE)} else None


def _codes(dataset: Any) -> tuple[int, ...]:
    properties = dataset.id.get_create_plist()
    return tuple(properties.get_filter(one)[0] for one in range(properties.get_nfilters()))


def _unshuffle(data: Stored, memory: NDArray[np.uint8], itemsize: int) -> None:
    """Bytes of the same rank lie together: put those of a number side by side."""
    parts = np.frombuffer(data, np.uint8).reshape(itemsize, -1)
    if itemsize == 2:
        pairs = memory.view("<u2")
        pairs[:] = parts[1]
        pairs <<= 8
        pairs |= parts[0]
        return
    for rank, part in enumerate(parts):
        memory[rank::itemsize] = part
