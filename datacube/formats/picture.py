"""A map as GeoTIFF: its colours, and where it lies."""

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.io import MemoryFile
from rasterio.transform import Affine

from datacube.model.block import Image, IndexedImage, RgbaImage, RgbImage
from datacube.model.grid import RectifiedGrid

_COLOURS = (ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha)


def geotiff_of(image: Image, grid: RectifiedGrid) -> bytes:
    """The picture as GeoTIFF, deflated: with a palette where that is opaque, else RGB or RGBA.

    Parameters
    ----------
    image : Image
    grid : RectifiedGrid, its pixels
    """
    match image:
        case IndexedImage(index=index, palette=palette) if bool((palette[:, 3] == 255).all()):
            return _written(index[np.newaxis], grid, palette)
        case IndexedImage():
            return _written(np.moveaxis(image.rgba().pixels, -1, 0), grid)
        case RgbImage(pixels=pixels) | RgbaImage(pixels=pixels):
            return _written(np.moveaxis(pixels, -1, 0), grid)


def _written(
    bands: NDArray[np.uint8], grid: RectifiedGrid, palette: NDArray[np.uint8] | None = None
) -> bytes:
    """Bands (uint8, (band, y, x)) with what they are."""
    frame = grid.transform
    profile = {
        "driver": "GTiff",
        "dtype": "uint8",
        "count": len(bands),
        "height": grid.height,
        "width": grid.width,
        "crs": CRS.from_wkt(grid.crs.wkt),
        "transform": Affine(frame.a, frame.b, frame.c, frame.d, frame.e, frame.f),
        "compress": "deflate",
    }
    if palette is None:
        profile["photometric"] = "RGB"
    with MemoryFile() as memory:
        with memory.open(**profile) as file:
            file.write(bands)
            if palette is None:
                file.colorinterp = _COLOURS[: len(bands)]
            else:
                entries = {place: tuple(one) for place, one in enumerate(palette.tolist())}
                file.write_colormap(1, entries)
        return bytes(memory.read())
