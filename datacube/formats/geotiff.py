"""GeoTIFF of any size, written forward: one picture of packed numbers for each field, north up.

The tags come from a picture of one cell that GDAL writes; only what says how the values lie is
made here. The file is a BigTIFF where it would not fit 4 GiB. The same coverage always gives the
same bytes.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from rasterio.io import MemoryFile

from datacube.formats.geotiff_tags import (
    check,
    common_dtype,
    deflated,
    describe,
    north_up,
    plain_profile,
    wider_dtypes,
)
from datacube.formats.nodata import filled, nil_ahead, nil_for
from datacube.formats.pieces import Streamed, gathered, together
from datacube.formats.tiff import Entry, Strips, file_head, read_entries, values_of
from datacube.model.coverage import Coverage, CoverageDescription
from datacube.model.stream import CoverageStream, stream_of


def encode(coverage: Coverage, options: Mapping[str, str]) -> bytes | Streamed:
    """A GeoTIFF, uncompressed unless that is asked for; a large one in pieces.

    Parameters
    ----------
    coverage : Coverage
        On a rectified grid; at most x and y have more than one cell.
    options : mapping
        ``compression=deflate`` makes tiles that are compressed.

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
    if options.get("compression") == "deflate":
        return deflated(coverage, dtype, nil)
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
    description = coverage.description
    check(description)
    fields = description.range_type.fields
    preferred = common_dtype([field.dtype for field in fields])
    return _forward(coverage, *nil_ahead(fields, wider_dtypes(preferred), gaps=coverage.gaps))


def _forward(coverage: CoverageStream, dtype: np.dtype[np.generic], nil: float | None) -> Streamed:
    description = coverage.description
    height, width = description.domain.grid.shape
    strips = Strips(width, height, len(description.range_type.fields), dtype.itemsize)
    head = file_head(_entries(description, dtype, nil), strips)
    return Streamed(gathered(head, _values(coverage, dtype, nil)), len(head) + strips.nbytes)


def _entries(
    description: CoverageDescription, dtype: np.dtype[np.generic], nil: float | None
) -> tuple[Entry, ...]:
    """What a file of this description says of its values, read back from one of one cell."""
    count = len(description.range_type.fields)
    profile = plain_profile(description.domain.rectified, count, dtype, nil)
    profile |= {"width": 1, "height": 1, "ENDIANNESS": "LITTLE", "BIGTIFF": "NO"}
    with MemoryFile() as memory:
        with memory.open(**profile) as file:
            describe(file, description)
        return read_entries(bytes(memory.read()))


def _values(
    coverage: CoverageStream, dtype: np.dtype[np.generic], nil: float | None
) -> Iterator[bytes]:
    """Values of every field from north to south."""
    upward = coverage.description.domain.rectified.dy > 0
    for block in coverage.by_field(upward=upward):
        yield from values_of(north_up(block.domain.rectified, filled(block, dtype, nil)))
