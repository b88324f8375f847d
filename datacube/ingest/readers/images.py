"""Images of one product, a band each: those on one lattice become one part, others their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datacube.ingest.readers.marked import span_of
from datacube.ingest.readers.parts import Part
from datacube.ingest.readers.raster import RasterBand, as_masked, masks_of
from datacube.ingest.source import BandSource, SliceSource
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid

_ALIGNED = 1e-6  # of a cell


@dataclass(frozen=True, eq=False)
class BandImage:
    """An open image of one band.

    Parameters
    ----------
    field : Field
    file : rasterio dataset
    grid : RectifiedGrid
    path : Path, for messages
    nodata : number, optional
        Marks no data among floats.
    """

    field: Field
    file: Any
    grid: RectifiedGrid
    path: Path
    nodata: float | None = None


def parts_of(images: Sequence[BandImage], ticks: int | None) -> list[Part]:
    """Parts of a product's bands: each on the finest grid on whose lattice its cells are whole."""
    hosts: list[tuple[RectifiedGrid, list[tuple[BandImage, int]]]] = []
    for image in sorted(images, key=lambda one: abs(one.grid.dx)):
        for grid, members in hosts:
            if (factor := factor_of(grid, image.grid)) is not None:
                members.append((image, factor))
                break
        else:
            hosts.append((image.grid, [(image, 1)]))
    order = {id(one): place for place, one in enumerate(images)}
    return [_part(grid, members, order, ticks) for grid, members in hosts]


def _part(
    grid: RectifiedGrid,
    members: list[tuple[BandImage, int]],
    order: Mapping[int, int],
    ticks: int | None,
) -> Part:
    members.sort(key=lambda one: order[id(one[0])])
    found = [_banded(image, factor) for image, factor in members]
    bands = {field.name: band for field, band in found}
    fields = tuple(field for field, _ in found)
    hint = fields[0].name if len(fields) == 1 else f"{abs(grid.dx):g}"
    return Part(grid, (), (SliceSource(ticks, bands),), fields, hint)


def _banded(image: BandImage, factor: int) -> tuple[Field, BandSource]:
    gone = span_of(image.nodata, np.dtype(image.field.dtype))
    band = RasterBand(image.file, 1, image.path, gone, factor)
    return as_masked(band, image.field, masks_of(image.file)[0])


def factor_of(grid: RectifiedGrid, own: RectifiedGrid) -> int | None:
    """How many of a grid's cells one of another's is, in both directions; None if not whole."""
    factor = round(own.dx / grid.dx)
    fine, coarse = grid.transform, own.transform
    aligned = (
        abs(own.dx - factor * grid.dx) < _ALIGNED * abs(grid.dx)
        and abs(own.dy - factor * grid.dy) < _ALIGNED * abs(grid.dy)
        and abs(fine.c - coarse.c) < _ALIGNED * abs(grid.dx)
        and abs(fine.f - coarse.f) < _ALIGNED * abs(grid.dy)
        and (own.width * factor, own.height * factor) == (grid.width, grid.height)
        and own.crs.key == grid.crs.key
    )
    return factor if aligned else None
