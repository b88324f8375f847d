"""Cloud-optimised GeoTIFF: tiles, compressed, and overviews of one value in two, four, eight."""

from collections.abc import Mapping

import rasterio.shutil
from rasterio.io import MemoryFile

from datacube.formats.geotiff_tags import Layout, check, common_dtype, written
from datacube.formats.nodata import nil_for
from datacube.model.coverage import Coverage

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
    layout = Layout.of(options)
    compress = (
        "NONE" if options.get("compression") == "none" else layout.compress.upper() or "DEFLATE"
    )
    content = written(coverage, dtype, nil_for(blocks, dtype), Layout())
    with MemoryFile(content) as memory, memory.open() as plain, MemoryFile() as made:
        rasterio.shutil.copy(
            plain,
            made.name,
            driver="COG",
            COMPRESS=compress,
            PREDICTOR="NO" if compress in {"NONE", "PACKBITS"} else "YES",
            BLOCKSIZE=str(_TILE if max(plain.shape) > _SMALL else _SMALL),
            OVERVIEW_RESAMPLING="NEAREST",
            BIGTIFF="IF_SAFER",
        )
        return bytes(made.read())
