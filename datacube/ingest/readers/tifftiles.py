"""Deflated tiles of GeoTIFF files, read where they lie and inflated outside of GDAL.

GDAL opens the file and says where its tiles are. It would inflate them one at a time and copy them
through its cache; here any number of threads read at once. What is stored otherwise stays with it.
"""

import os
import threading
import weakref
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.ingest.readers.inflate import inflated
from datacube.store.buffers import Buffers

_HELD = 32 << 20
_DIFFERENCES = {"1": False, "2": True}


@dataclass(frozen=True, eq=False)
class TiffTiles:
    """The tiles of one band.

    Parameters
    ----------
    descriptor : int, of the open file; closed with this object
    places : int64, (rows, columns, 2)
        First byte and number of bytes of each tile.
    shape : (height, width) of a tile
    dtype : numpy dtype
    differences : bool
        Whether each number is less by its left neighbour (TIFF predictor 2).
    kept, lock : of tiles that were read last
    buffers : Buffers
        Where windows lie.
    """

    descriptor: int
    places: NDArray[np.int64]
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    differences: bool
    kept: OrderedDict[tuple[int, int], NDArray[Any]] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    buffers: Buffers = field(default_factory=Buffers)

    def __post_init__(self) -> None:
        weakref.finalize(self, os.close, self.descriptor)

    def read(self, top: int, bottom: int, left: int, right: int) -> NDArray[Any]:
        """Values of a window.

        Raises
        ------
        ValueError
            A tile is damaged.
        """
        height, width = self.shape
        shape = bottom - top, right - left
        memory = self.buffers.room(shape[0] * shape[1] * self.dtype.itemsize)
        whole = memory.view(self.dtype).reshape(shape)
        for row, column in product(
            range(top // height, -(-bottom // height)), range(left // width, -(-right // width))
        ):
            first, start = row * height, column * width
            rows = slice(max(top - first, 0), min(bottom - first, height))
            columns = slice(max(left - start, 0), min(right - start, width))
            place = whole[
                first + rows.start - top : first + rows.stop - top,
                start + columns.start - left : start + columns.stop - left,
            ]
            if place.shape == self.shape:  # no other window needs it
                self._decode(self._stored(row, column), place)
            else:
                place[:] = self._tile(row, column)[rows, columns]
        return whole

    def _tile(self, row: int, column: int) -> NDArray[Any]:
        """A tile of which several windows have parts: those read last are kept."""
        with self.lock:
            if (row, column) in self.kept:
                self.kept.move_to_end((row, column))
                return self.kept[row, column]
        found = np.empty(self.shape, self.dtype)
        self._decode(self._stored(row, column), found)
        with self.lock:
            self.kept[row, column] = found
            while len(self.kept) > max(1, _HELD // found.nbytes):
                self.kept.popitem(last=False)
        return found

    def _decode(self, stored: NDArray[Any], into: NDArray[Any]) -> None:
        if self.differences:
            sums_along_rows(stored, into)
        else:
            into[:] = stored

    def _stored(self, row: int, column: int) -> NDArray[Any]:
        start, size = self.places[row, column].tolist()
        height, width = self.shape
        data = os.pread(self.descriptor, size, start)
        values = np.frombuffer(inflated(data, height * width * self.dtype.itemsize), self.dtype)
        return values.reshape(self.shape)


def sums_along_rows(steps: NDArray[Any], into: NDArray[Any]) -> None:
    """Sums of each number and all before it in its row, modulo the range of the type.

    One after the other each sum would wait for the one before it. So to all at once is added what
    stands one place before, then two, four, eight …: then each holds the whole row up to it.

    Examples
    --------
    >>> into = np.empty((1, 6), "uint8")
    >>> sums_along_rows(np.array([[250, 1, 1, 10, 0, 255]], "uint8"), into)
    >>> into.tolist()
    [[250, 251, 252, 6, 6, 5]]
    """
    sums = np.ascontiguousarray(steps)
    made, spare = np.empty_like(sums), np.empty_like(sums)
    reach = 1
    while reach < sums.shape[1]:
        line, onto = sums.reshape(-1), made.reshape(-1)  # one row runs on into the next …
        np.add(line[reach:], line[:-reach], out=onto[reach:])
        made[:, :reach] = sums[:, :reach]  # … which is put right
        sums, made, spare = made, spare, made
        reach *= 2
    into[:] = sums


def tiles_of(file: Any, band: int) -> TiffTiles | None:
    """The tiles of a band of an open raster file; None where they are stored in another way.

    Parameters
    ----------
    file : rasterio dataset
    band : int, from 1
    """
    how = file.tags(ns="IMAGE_STRUCTURE")
    shape = file.block_shapes[band - 1]
    dtype = np.dtype(file.dtypes[band - 1])
    known = (
        file.driver == "GTiff"
        and shape[1] != file.width  # strips are as wide as the image
        and how.get("COMPRESSION") == "DEFLATE"
        and how.get("INTERLEAVE", "BAND") == "BAND"
        and how.get("PREDICTOR", "1") in _DIFFERENCES
        and dtype.kind in "iuf"
        and "NBITS" not in file.tags(band, ns="IMAGE_STRUCTURE")
    )
    differences = known and _DIFFERENCES[how.get("PREDICTOR", "1")]
    if not known or (differences and dtype.kind == "f") or not os.path.isfile(file.name):  # noqa: PTH113
        return None
    places = _places(file, band, shape)
    if places is None:
        return None
    descriptor = os.open(file.name, os.O_RDONLY | os.O_CLOEXEC)
    if os.pread(descriptor, 2, 0) != b"II":
        os.close(descriptor)
        return None
    return TiffTiles(descriptor, places, shape, dtype.newbyteorder("<"), differences)


def _places(file: Any, band: int, shape: tuple[int, int]) -> NDArray[np.int64] | None:
    """Where the tiles lie; None where some are not there."""
    counts = -(-file.height // shape[0]), -(-file.width // shape[1])
    places = np.empty((*counts, 2), np.int64)
    for row, column in product(*map(range, counts)):
        for at, key in enumerate(("BLOCK_OFFSET", "BLOCK_SIZE")):
            found = file.get_tag_item(f"{key}_{column}_{row}", "TIFF", band)
            if not found:
                return None
            places[row, column, at] = int(found)
    return places
