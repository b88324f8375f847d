"""Sentinel-2 L2A SAFE folders: one cube for a tile, on the grid of its finest band.

The grid is that of the JPEG 2000 headers, never the nominal 10, 20 and 60 m. Of a band that comes
in several resolutions the finest is taken; coarser bands are repeated by their exact integer
factor. Reflectance = number / quantification + offset / quantification, where the offset is
BOA_ADD_OFFSET (processing baseline 04.00 and later).
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datacube.errors import SourceError
from datacube.ingest.readers.parts import Origin, Part, granules_of, reading
from datacube.ingest.readers.raster import RasterBand, grid_of_raster, open_raster
from datacube.ingest.readers.safe import BAND_IDS, Product, read_product
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
_CLASSES = (
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
_ORDER = (*BAND_IDS, "SCL")
_ALIGNED = 1e-6  # of a cell


@dataclass(frozen=True, slots=True)
class Sentinel2Reader:
    """Reader of Sentinel-2 L2A SAFE folders, by the folder or a metadata file in it."""

    name: str = "sentinel2"

    def sniff(self, path: Path) -> bool:
        """Whether the folder holds MTD_MSIL2A.xml, or the path is that file or the manifest."""
        return (_folder(path) / "MTD_MSIL2A.xml").is_file()

    @contextmanager
    def open(self, path: Path, options: ReadOptions) -> Iterator[tuple[Granule, ...]]:
        """The product as one granule; see :class:`~datacube.ingest.source.SourceReader`."""
        folder = _folder(path)
        with ExitStack() as files:
            with reading(path):
                granules = _granules(folder, read_product(folder), options, files)
            yield granules


def _folder(path: Path) -> Path:
    inside = path.name in {"MTD_MSIL2A.xml", "manifest.safe"}
    return path.parent if inside else path


def _granules(
    folder: Path, product: Product, options: ReadOptions, files: ExitStack
) -> tuple[Granule, ...]:
    opened = _finest(product, files)
    grid = min((one[1] for one in opened.values()), key=lambda one: abs(one.dx))
    fields, bands = [], {}
    for name in sorted(opened, key=_ORDER.index):
        file, own, path = opened[name]
        fields.append(_field(name, product, file))
        bands[name] = RasterBand(file, 1, path, factor=_factor(grid, own, path))
    given = instant(options, 1, "standard", folder)
    one = SliceSource(product.sensing if given is None else given, bands)
    origin = Origin(
        folder,
        product.name,
        title=f"Sentinel-2 L2A, tile {product.tile}",
        abstract="Bottom-of-atmosphere reflectance and scene classification (SCL).",
        attribution="Contains modified Copernicus Sentinel data",
        licence="https://sentinels.copernicus.eu/documents/247904/690755/"
        "Sentinel_Data_Legal_Notice",
    )
    part = Part(grid, (), (one,), tuple(fields), "")
    return granules_of([part], origin, options, f"s2-l2a-{product.tile}")


def _finest(product: Product, files: ExitStack) -> dict[str, tuple[Any, RectifiedGrid, Path]]:
    """The finest image of each band, opened: file, grid and path by band name."""
    absent = sorted(path.name for _, path in product.images if not path.is_file())
    if absent:
        shown = ", ".join(absent[:3]) + (" …" if len(absent) > 3 else "")
        raise SourceError(
            f"{len(absent)} of {len(product.images)} images of the product are missing: {shown}"
        )
    found: dict[str, tuple[Any, RectifiedGrid, Path]] = {}
    for band, path in product.images:
        file = open_raster(path, files, "JP2OpenJPEG")
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
            categories=_CLASSES,
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
        standard_name="surface_bidirectional_reflectance",
        valid_range=(0.0, 1.0),
    )


def _factor(grid: RectifiedGrid, own: RectifiedGrid, path: Path) -> int:
    """How many of the cube's cells one of the band's cells is, in both directions."""
    factor = round(own.dx / grid.dx)
    fine = grid.transform
    coarse = own.transform
    aligned = (
        abs(own.dx - factor * grid.dx) < _ALIGNED * abs(grid.dx)
        and abs(own.dy - factor * grid.dy) < _ALIGNED * abs(grid.dy)
        and abs(fine.c - coarse.c) < _ALIGNED * abs(grid.dx)
        and abs(fine.f - coarse.f) < _ALIGNED * abs(grid.dy)
        and (own.width * factor, own.height * factor) == (grid.width, grid.height)
        and own.crs.key == grid.crs.key
    )
    if not aligned:
        raise SourceError(
            f"{path.name} does not lie on the finest band's grid: cells of {own.dx:g} beside "
            f"{grid.dx:g}, {own.width} x {own.height} beside {grid.width} x {grid.height}"
        )
    return factor
