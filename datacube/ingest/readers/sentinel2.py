"""Sentinel-2 L1C and L2A, SAFE, zip or bucket layout: a cube a tile, on its finest band's grid.

The grid is that of the JPEG 2000 headers, never the nominal 10, 20 and 60 m. Of a band that comes
in several resolutions the finest is taken; coarser bands are repeated by their exact integer
factor. Reflectance = number / quantification + offset / quantification, where the offset is
BOA_ADD_OFFSET or RADIO_ADD_OFFSET (processing baseline 04.00 and later).
"""

from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datacube.errors import SourceError
from datacube.ingest.readers.files import ProductFiles, product_files
from datacube.ingest.readers.images import factor_of
from datacube.ingest.readers.parts import Origin, Part, granules_of, opening
from datacube.ingest.readers.raster import RasterBand, grid_of_raster, open_raster
from datacube.ingest.readers.s2bucket import is_bucket_tile, read_tile
from datacube.ingest.readers.safe import BAND_IDS, Product, level_of, read_product
from datacube.ingest.source import Granule, ReadOptions, SliceSource, instant
from datacube.model.fields import Category, Field
from datacube.model.grid import RectifiedGrid

_TITLES = {
    "B01": "coastal aerosol",
    "B02": "blue",
    "B03": "green",
    "B04": "red",
    "B05": "red edge 1",
    "B06": "red edge 2",
    "B07": "red edge 3",
    "B08": "near infrared",
    "B8A": "narrow near infrared",
    "B09": "water vapour",
    "B10": "cirrus",
    "B11": "short-wave infrared 1",
    "B12": "short-wave infrared 2",
}
CLASSES = (
    Category(0, "no data", "#000000"),
    Category(1, "saturated or defective", "#ff0000"),
    Category(2, "dark area or topographic shadow", "#2f2f2f"),
    Category(3, "cloud shadow", "#643200"),
    Category(4, "vegetation", "#00a000"),
    Category(5, "not vegetated", "#ffe65a"),
    Category(6, "water", "#0000ff"),
    Category(7, "unclassified", "#808080"),
    Category(8, "cloud, medium probability", "#c0c0c0"),
    Category(9, "cloud, high probability", "#ffffff"),
    Category(10, "thin cirrus", "#64c8ff"),
    Category(11, "snow or ice", "#ff96ff"),
)
_ABSTRACTS = {
    "L1C": "Top-of-atmosphere reflectance.",
    "L2A": "Bottom-of-atmosphere reflectance and scene classification (SCL).",
}
_STANDARD_NAMES = {
    "L1C": "toa_bidirectional_reflectance",
    "L2A": "surface_bidirectional_reflectance",
}
_ORDER = (*BAND_IDS, "SCL")


@dataclass(frozen=True, slots=True)
class Sentinel2Reader:
    """Reader of Sentinel-2 products, by folder, zip archive or a metadata file in the folder."""

    name: str = "sentinel2"

    def sniff(self, path: Path) -> bool:
        """Whether the product holds MTD_MSIL2A.xml, MTD_MSIL1C.xml or tileInfo.json and images."""
        files = product_files(_folder(path))
        return files is not None and (level_of(files) is not None or is_bucket_tile(files))

    def open(self, path: Path, options: ReadOptions) -> AbstractContextManager[tuple[Granule, ...]]:
        """The product as one granule; see :class:`~datacube.ingest.source.SourceReader`."""

        def read(stack: ExitStack) -> tuple[Granule, ...]:
            files = ProductFiles(_folder(path))
            product = read_tile(files) if level_of(files) is None else read_product(files)
            return _granules(files, product, options, stack)

        return opening(path, read)


def _folder(path: Path) -> Path:
    inside = path.name in {"MTD_MSIL2A.xml", "MTD_MSIL1C.xml", "manifest.safe", "tileInfo.json"}
    return path.parent if inside else path


def _granules(
    files: ProductFiles, product: Product, options: ReadOptions, stack: ExitStack
) -> tuple[Granule, ...]:
    opened = _finest(files, product, stack)
    grid = min((one[1] for one in opened.values()), key=lambda one: abs(one.dx))
    fields, bands = [], {}
    for name in sorted(opened, key=_ORDER.index):
        file, own, path = opened[name]
        fields.append(_field(name, product, file))
        bands[name] = RasterBand(file, 1, path, factor=_factor(grid, own, path))
    given = instant(options, 1, "standard", files.path)
    one = SliceSource(product.sensing if given is None else given, bands)
    origin = Origin(
        files.path,
        product.name,
        title=f"Sentinel-2 {product.level}, tile {product.tile}",
        abstract=_ABSTRACTS[product.level],
        attribution="Contains modified Copernicus Sentinel data",
        licence="https://sentinels.copernicus.eu/documents/247904/690755/"
        "Sentinel_Data_Legal_Notice",
        processor=f"processing baseline {product.baseline}",
    )
    part = Part(grid, (), (one,), tuple(fields), "")
    return granules_of([part], origin, options, f"s2-{product.level.lower()}-{product.tile}")


def _finest(
    files: ProductFiles, product: Product, stack: ExitStack
) -> dict[str, tuple[Any, RectifiedGrid, Path]]:
    """The finest image of each band, opened: file, grid and path by band name."""
    absent = sorted(Path(name).name for _, name in product.images if not files.has(name))
    if absent:
        shown = ", ".join(absent[:3]) + (" …" if len(absent) > 3 else "")
        raise SourceError(
            f"{len(absent)} of {len(product.images)} images of the product are missing: {shown}"
        )
    found: dict[str, tuple[Any, RectifiedGrid, Path]] = {}
    for band, name in product.images:
        path = Path(name)
        file = open_raster(files.gdal(name), stack, "JP2OpenJPEG")
        grid = grid_of_raster(file, path)
        if band not in found or abs(grid.dx) < abs(found[band][1].dx):
            found[band] = (file, grid, path)
    return found


def _field(name: str, product: Product, file: Any) -> Field:
    dtype = np.dtype(file.dtypes[0]).name
    if name == "SCL":
        return Field(
            name,
            dtype,
            nil=0,
            title="scene classification",
            categories=CLASSES,
            overview="nearest",
        )
    wavelength = product.wavelengths.get(name)
    title = f"{name} {_TITLES[name]}" + ("" if wavelength is None else f", {wavelength:g} nm")
    return Field(
        name,
        dtype,
        uom="1",
        nil=product.nil,
        scale=1 / product.quantification,
        offset=product.offsets.get(name, 0.0) / product.quantification,
        title=title,
        standard_name=_STANDARD_NAMES[product.level],
    )


def _factor(grid: RectifiedGrid, own: RectifiedGrid, path: Path) -> int:
    """How many of the cube's cells one of the band's cells is, in both directions."""
    factor = factor_of(grid, own)
    if factor is None:
        raise SourceError(
            f"{path.name} does not lie on the finest band's grid: cells of {own.dx:g} beside "
            f"{grid.dx:g}, {own.width} x {own.height} beside {grid.width} x {grid.height}"
        )
    return factor
