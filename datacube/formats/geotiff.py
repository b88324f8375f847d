"""GeoTIFF of any size, written forward: one picture of packed numbers for each field, north up.

The tags come from a picture of one cell that GDAL writes; only what says how the values lie is
made here. The file is a BigTIFF where it would not fit 4 GiB. The same coverage always gives the
same bytes.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
from affine import Affine
from rasterio.io import MemoryFile

from datacube.formats.gdalcopy import copied
from datacube.formats.geotiff_tags import (
    Layout,
    check,
    common_dtype,
    describe,
    laid_out_profile,
    north_up,
    plain_profile,
    texts_of,
    wider_dtypes,
    written,
)
from datacube.formats.nodata import filled, nil_ahead, nil_for, nil_known
from datacube.formats.pieces import Piece, Streamed, gathered, together
from datacube.formats.tiff import Entry, Strips, file_head, read_entries, values_of
from datacube.model.coverage import Coverage, CoverageDescription
from datacube.model.crs import Crs
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.model.stream import CoverageStream, stream_of

_CELL_SIZE, _CORNER = 33550, 33922  # ModelPixelScale and ModelTiepoint of GeoTIFF


def encode(coverage: Coverage, options: Mapping[str, str]) -> bytes | Streamed:
    """A GeoTIFF, uncompressed unless that is asked for; a large one in pieces.

    Parameters
    ----------
    coverage : Coverage
        On a rectified grid; at most x and y have more than one cell.
    options : mapping
        ``compression`` (``deflate``, ``lzw``, ``packbits``, ``zstd``), ``predictor``,
        ``interleave`` and ``tile`` as of :class:`~datacube.formats.geotiff_tags.Layout`.

    Raises
    ------
    InvalidFormat
        A further axis has several cells, the grid is not rectified, or the fields have no common
        dtype that keeps every number.
    """
    check(coverage.description)
    blocks = tuple(coverage.blocks.values())
    dtype = common_dtype([block.field.dtype for block in blocks])
    nil = nil_for(blocks, dtype)
    layout = Layout.of(options)
    if layout != Layout():
        return written(coverage, dtype, nil, layout)
    return together(_forward(stream_of(coverage), dtype, nil))


def stream(coverage: CoverageStream, options: Mapping[str, str]) -> Streamed:  # noqa: ARG001
    """A GeoTIFF, uncompressed; its length is exact.

    A number that stands for no data must be known before the values are: where fields do not
    share one, the file may take a wider dtype than :func:`encode`.

    Parameters
    ----------
    coverage : CoverageStream
        On a rectified grid; at most x and y have more than one cell.
    options : unused

    Raises
    ------
    InvalidFormat
        As :func:`encode`.
    """
    check(coverage.description)
    return _forward(coverage, *_ahead(coverage))


def forward(coverage: CoverageStream, options: Mapping[str, str]) -> Streamed | None:
    """The file of :func:`encode` while the coverage is read; None where values decide what it is.

    Parameters
    ----------
    coverage, options : as of :func:`stream` and :func:`encode`

    Raises
    ------
    InvalidFormat
        As :func:`encode`.
    """
    check(coverage.description)
    fields = coverage.description.range_type.fields
    dtype = common_dtype([field.dtype for field in fields])
    alike = len({field.nil for field in fields}) == 1 or dtype.kind == "f"
    known = alike and nil_known(fields[0], dtype, gaps=coverage.gaps)
    if not known or Layout.of(options) != Layout():
        return None
    return _forward(coverage, *_ahead(coverage))


def spool(coverage: CoverageStream, options: Mapping[str, str]) -> Streamed:
    """A GeoTIFF that is compressed or lies otherwise, made on disk while the coverage is read.

    Parameters
    ----------
    coverage, options : as of :func:`stream` and :func:`encode`

    Raises
    ------
    InvalidFormat
        As :func:`encode`.
    """
    check(coverage.description)
    dtype, nil = _ahead(coverage)
    grid = coverage.description.domain.rectified
    laid_out = {"interleave": "band"} | laid_out_profile(grid, dtype, Layout.of(options))
    return copied(_forward(coverage, dtype, nil), "GTiff", laid_out)


def _ahead(coverage: CoverageStream) -> tuple[np.dtype[np.generic], float | None]:
    """A dtype that leaves a number for no data, and that number, before any value is known."""
    fields = coverage.description.range_type.fields
    preferred = common_dtype([field.dtype for field in fields])
    return nil_ahead(fields, wider_dtypes(preferred), gaps=coverage.gaps)


def _forward(coverage: CoverageStream, dtype: np.dtype[np.generic], nil: float | None) -> Streamed:
    description = coverage.description
    height, width = description.domain.grid.shape
    strips = Strips(width, height, len(description.range_type.fields), dtype.itemsize)
    head = file_head(_entries(description, dtype, nil), strips)
    return Streamed(gathered(head, _values(coverage, dtype, nil)), len(head) + strips.nbytes)


def _entries(
    description: CoverageDescription, dtype: np.dtype[np.generic], nil: float | None
) -> tuple[Entry, ...]:
    """What a file of this description says of its values."""
    grid, fields = description.domain.rectified, description.range_type.fields
    texts = tuple(texts_of(description).items())
    number = None if nil is None else repr(nil)  # one NaN is not another
    left, top = grid.bbox.left, grid.bbox.top
    placed = {
        _CELL_SIZE: struct.pack("<3d", abs(grid.dx), abs(grid.dy), 0.0),
        _CORNER: struct.pack("<6d", 0.0, 0.0, 0.0, left, top, 0.0),
    }
    return tuple(
        replace(entry, data=placed[entry.tag]) if entry.tag in placed else entry
        for entry in _elsewhere(grid.crs, fields, texts, dtype.name, number)
    )


@lru_cache(maxsize=64)
def _elsewhere(
    crs: Crs,
    fields: tuple[Field, ...],
    texts: tuple[tuple[str, str], ...],
    dtype: str,
    nil: str | None,
) -> tuple[Entry, ...]:
    """The same of a file of one cell at some place, as GDAL writes it."""
    one = RectifiedGrid(crs, Affine(2, 0, 10, 0, -2, 20), 1, 1)
    number = None if nil is None else float(nil) if np.dtype(dtype).kind == "f" else int(float(nil))
    profile = plain_profile(one, len(fields), np.dtype(dtype), number)
    with MemoryFile() as memory:
        with memory.open(**profile, ENDIANNESS="LITTLE", BIGTIFF="NO") as file:
            describe(file, dict(texts), fields)
        return read_entries(bytes(memory.read()))


def _values(
    coverage: CoverageStream, dtype: np.dtype[np.generic], nil: float | None
) -> Iterator[Piece]:
    """Values of every field from north to south."""
    upward = coverage.description.domain.rectified.dy > 0
    for block in coverage.by_field(upward=upward):
        yield from values_of(north_up(block.domain.rectified, filled(block, dtype, nil)))
