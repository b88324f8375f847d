"""Cloud-optimised GeoTIFF: tiles, compressed, and overviews of one value in two, four, eight.

Where every tile lies is known when the last one has been made, so a large one is made on disk.
"""

from collections.abc import Mapping

import rasterio.shutil
from rasterio.io import MemoryFile

from datacube.formats import geotiff
from datacube.formats.gdalcopy import copied
from datacube.formats.geotiff_tags import Layout, check, common_dtype, written
from datacube.formats.nodata import nil_for
from datacube.formats.pieces import Streamed
from datacube.model.coverage import Coverage, CoverageDescription
from datacube.model.stream import CoverageStream

_TILE, _SMALL = 512, 256


def encode(coverage: Coverage, options: Mapping[str, str]) -> bytes:
    """A COG with the tags of the plain GeoTIFF.

    Overviews take the nearest cell, so that classes and packed numbers stay what they are.

    Parameters
    ----------
    coverage : Coverage
        On a rectified grid; at most x and y have more than one cell.
    options : mapping
        ``compression`` is Deflate where it is not given; ``none`` leaves the values as they are.

    Raises
    ------
    InvalidFormat
        As of the plain GeoTIFF.
    """
    check(coverage.description)
    blocks = tuple(coverage.blocks.values())
    dtype = common_dtype([block.field.dtype for block in blocks])
    content = written(coverage, dtype, nil_for(blocks, dtype), Layout())
    wanted = _wanted(coverage.description, options)
    with MemoryFile(content) as memory, memory.open() as plain, MemoryFile() as made:
        rasterio.shutil.copy(plain, made.name, driver="COG", BIGTIFF="IF_SAFER", **wanted)
        return bytes(made.read())


def spool(coverage: CoverageStream, options: Mapping[str, str]) -> Streamed:
    """The same on disk while the coverage is read, of which nothing is held.

    Parameters
    ----------
    coverage, options : as of :func:`encode`

    Raises
    ------
    InvalidFormat
        As of the plain GeoTIFF.
    """
    plain = geotiff.stream(coverage, {})
    return copied(plain, "COG", _wanted(coverage.description, options))


def _wanted(description: CoverageDescription, options: Mapping[str, str]) -> dict[str, object]:
    """Creation options of GDAL."""
    named = Layout.of(options).compress.upper() or "DEFLATE"
    compress = "NONE" if options.get("compression") == "none" else named
    return {
        "COMPRESS": compress,
        "PREDICTOR": "NO" if compress in {"NONE", "PACKBITS"} else "YES",
        "BLOCKSIZE": _TILE if max(description.domain.grid.shape) > _SMALL else _SMALL,
        "OVERVIEW_RESAMPLING": "NEAREST",
    }
