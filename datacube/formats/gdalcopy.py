"""A plain GeoTIFF written again by GDAL, tiled or compressed; both lie on disk, without a name."""

import rasterio.shutil

from datacube.formats.pieces import Streamed
from datacube.formats.spool import spool_folder, spooled


def copied(plain: Streamed, driver: str, options: dict[str, object]) -> Streamed:
    """The file that a driver of GDAL makes of a GeoTIFF; its length is exact.

    Parameters
    ----------
    plain : the GeoTIFF
    driver : str, ``COG`` or ``GTiff``
    options : creation options of the driver
    """
    with spool_folder() as folder:
        source, made = folder / "plain.tif", folder / "made.tif"
        with source.open("wb") as file:
            for piece in plain.pieces:
                file.write(piece)
        rasterio.shutil.copy(source, made, driver=driver, BIGTIFF="IF_SAFER", **options)
        return spooled(made)
