"""Compressed tiles and strips of GeoTIFF files, read where they lie and unpacked outside of GDAL.

GDAL opens the file and says where its tiles are. A strip is a tile as wide as the image, of which
the last has only the rows that there are. It would unpack them one at a time and copy them
through its cache; here any number of threads read at once. What is stored otherwise stays with it.
"""

import os
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.ingest.readers.kepttiles import KeptTiles
from datacube.ingest.readers.tiffheader import header_at
from datacube.ingest.readers.unpack import (
    Unpack,
    expand,
    gather_floats,
    inflate_beginning,
    restore,
    sum_along_rows,
)
from datacube.store.buffers import Buffers

_UNPACK = {"DEFLATE": inflate_beginning, "LZW": expand, "ZSTD": restore}

_LARGEST = 128 << 20  # bytes of a tile
_LONGEST = 10  # times as many bytes as there are unpacked
_SPARE = 4096
"""A damaged file may name any number of bytes for a tile; GDAL has the same bound."""

type Undo = Callable[[NDArray[Any], NDArray[Any]], None]
"""The numbers of a tile from what a predictor has made of them."""


def _copy(found: NDArray[Any], into: NDArray[Any]) -> None:
    into[:] = found


_UNDO: dict[tuple[str, str], Undo] = {
    ("1", "i"): _copy,
    ("1", "u"): _copy,
    ("1", "f"): _copy,
    ("2", "i"): sum_along_rows,
    ("2", "u"): sum_along_rows,
    ("3", "f"): gather_floats,
}
"""By the predictor and the kind of the type."""


@dataclass(frozen=True, eq=False)
class TiffTiles:
    """The tiles or strips of one band.

    Parameters
    ----------
    descriptor : int, of the open file; closed with this object
    places : int64, (rows, columns, 2)
        First byte and number of bytes of each tile.
    shape : (height, width) of a tile
    dtype : numpy dtype
    unpack : Unpack
    undo : Undo
    kept : KeptTiles
        Of the file, where its bands lie together in its tiles.
    sample : int, optional
        Number of the band in a tile that holds all of them, pixel by pixel.
    samples : int, how many bands a tile holds
    rows : int, optional
        Of the image, where it lies in strips.
    buffers : Buffers
        Where windows lie.
    """

    descriptor: int
    places: NDArray[np.int64]
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    unpack: Unpack
    undo: Undo
    kept: KeptTiles
    sample: int | None = None
    samples: int = 1
    rows: int | None = None
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
            if self.sample is not None:
                place[:] = self._tile(row, column)[rows, columns, self.sample]
            elif place.shape == self._shape(row):  # no other window needs it
                self._decode(row, column, place)
            else:
                place[:] = self._tile(row, column)[rows, columns]
        return whole

    def _tile(self, row: int, column: int) -> NDArray[Any]:
        """A tile of which several windows have parts, or which holds several bands."""

        def made() -> NDArray[Any]:
            shape = self._shape(row)
            memory = self.buffers.room(prod(shape) * self.dtype.itemsize)
            found = memory.view(self.dtype).reshape(shape)
            self._decode(row, column, found)
            return found

        return self.kept.get((row, column), made)

    def _shape(self, row: int) -> tuple[int, ...]:
        """Of a tile as it is stored."""
        height, width = self.shape
        if self.rows is not None:
            height = min(height, self.rows - row * height)
        return (height, width) if self.sample is None else (height, width, self.samples)

    def _decode(self, row: int, column: int, into: NDArray[Any]) -> None:
        start, size = self.places[row, column].tolist()
        length = into.size * self.dtype.itemsize
        data = os.pread(self.descriptor, min(size, _LONGEST * length + _SPARE), start)
        if self.undo is _copy and into.flags.c_contiguous:
            self.unpack(data, into.reshape(-1).view(np.uint8))
            return
        memory = self.buffers.room(length)
        self.unpack(data, memory)
        self.undo(memory.view(self.dtype).reshape(into.shape), into)


def tiles_of(file: Any, band: int, kept: KeptTiles | None = None) -> TiffTiles | None:
    """The tiles or strips of a band of an open raster file; None where it is stored otherwise.

    Parameters
    ----------
    file : rasterio dataset
    band : int, from 1
    kept : KeptTiles, optional
        Of the file; without it bands that lie together are unpacked for each of them.
    """
    how = file.tags(ns="IMAGE_STRUCTURE")
    shape = file.block_shapes[band - 1]
    dtype = np.dtype(file.dtypes[band - 1])
    unpack = _UNPACK.get(how.get("COMPRESSION", ""))
    undo = _UNDO.get((how.get("PREDICTOR", "1"), dtype.kind))
    interleave = how.get("INTERLEAVE", "BAND")
    plain = (
        file.driver == "GTiff"
        and interleave in {"BAND", "PIXEL"}
        and shape[0] * shape[1] * dtype.itemsize * file.count <= _LARGEST
        and "NBITS" not in file.tags(band, ns="IMAGE_STRUCTURE")
        and os.path.isfile(file.name)  # noqa: PTH113
    )
    if not plain or unpack is None or undo is None:
        return None
    places = _places(file, band, shape)
    if places is None:
        return None
    together = interleave == "PIXEL"
    descriptor = os.open(file.name, os.O_RDONLY | os.O_CLOEXEC)
    header = header_at(descriptor, int(file.get_tag_item("IFD_OFFSET", "TIFF", band) or 0))
    if header is None or not header.plain:
        os.close(descriptor)
        return None
    return TiffTiles(
        descriptor,
        places,
        shape,
        dtype.newbyteorder("<"),
        unpack,
        undo,
        kept if kept is not None and together else KeptTiles(),
        band - 1 if together else None,
        file.count,
        None if header.tiled else file.height,
    )


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
