"""Windows of a raster file through GDAL, shared by the readers of images."""

import warnings
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from datacube.errors import SourceError
from datacube.ingest.packing import off_nil
from datacube.ingest.readers.kepttiles import KeptTiles
from datacube.ingest.readers.tifftiles import TiffTiles, tiles_of
from datacube.model.crs import Crs
from datacube.model.fields import Field, Number
from datacube.model.grid import RectifiedGrid


@dataclass(frozen=True, eq=False)
class RasterBand:
    """One band of an open raster file.

    Parameters
    ----------
    file : rasterio dataset
    band : int, from 1
    path : Path
    gone : number, optional
        No-data value that becomes NaN (float bands).
    factor : int
        Each cell is repeated this often in both directions (nearest neighbour, exact).
    kept : KeptTiles, optional
        Of the file, which its bands share.
    """

    file: Any
    band: int
    path: Path
    gone: Number | None = None
    factor: int = 1
    kept: KeptTiles | None = None

    @cached_property
    def tiles(self) -> TiffTiles | None:
        """The tiles, where they can be read past GDAL, which has one thread for a file."""
        return tiles_of(self.file, self.band, self.kept)

    @property
    def together(self) -> int:
        """See :func:`~datacube.ingest.source.bands_together`."""
        how = self.file.tags(ns="IMAGE_STRUCTURE").get("INTERLEAVE", "BAND")
        return int(self.file.count) if how == "PIXEL" else 1

    @property
    def parallel(self) -> bool:
        """See :func:`~datacube.ingest.source.is_parallel`."""
        return self.tiles is not None

    @property
    def tile(self) -> tuple[int, int] | None:
        """See :func:`~datacube.ingest.source.tile_of`."""
        if self.tiles is None:
            return None
        height, width = self.tiles.shape
        return height * self.factor, width * self.factor

    def read(
        self, index: tuple[int, ...], row0: int, row1: int, column0: int, column1: int
    ) -> NDArray[np.generic]:
        """Packed values of a window; see :class:`~datacube.ingest.source.BandSource`."""
        if index:
            raise ValueError(f"a raster band has no further axes, asked for {index}")
        factor = self.factor
        top, left = row0 // factor, column0 // factor
        bottom, right = -(-row1 // factor), -(-column1 // factor)
        values = self._window(top, bottom, left, right)
        if factor > 1:
            values = values.repeat(factor, axis=0).repeat(factor, axis=1)
            values = values[
                row0 - top * factor : row1 - top * factor,
                column0 - left * factor : column1 - left * factor,
            ]
        if self.gone is not None:
            values = np.where(values == self.gone, np.asarray(np.nan, values.dtype), values)
        return np.ascontiguousarray(values)

    def _window(self, top: int, bottom: int, left: int, right: int) -> NDArray[np.generic]:
        try:
            if self.tiles is not None:
                return self.tiles.read(top, bottom, left, right)
            found: NDArray[np.generic] = self.file.read(
                self.band, window=Window(left, top, right - left, bottom - top)
            )
        except (RasterioError, OSError, ValueError) as error:
            raise SourceError(
                f"{self.path.name} is damaged: rows {top} to {bottom} cannot be decoded",
                subject=str(self.path),
            ) from error
        return found


@dataclass(frozen=True, eq=False)
class MaskedImage:
    """A band whose file has a mask for it, apart from its values.

    Parameters
    ----------
    band : RasterBand
    field : Field, with a no-data value or of floats
    """

    band: RasterBand
    field: Field

    def read(
        self, index: tuple[int, ...], row0: int, row1: int, column0: int, column1: int
    ) -> NDArray[np.generic]:
        """Packed values of a window; none that the mask keeps becomes no data."""
        values = off_nil(self.band.read(index, row0, row1, column0, column1), self.field)
        window = Window(column0, row0, column1 - column0, row1 - row0)
        try:
            kept = self.band.file.read_masks(self.band.band, window=window)
        except (RasterioError, OSError, ValueError) as error:
            raise SourceError(
                f"the mask of {self.band.path.name} cannot be decoded", subject=str(self.band.path)
            ) from error
        nil = np.nan if self.field.nil is None else self.field.nil
        return np.where(kept, values, np.asarray(nil, values.dtype))


def has_mask(file: Any, band: int) -> bool:
    """Whether a band has a mask of its own or of the file; bands of opacity are fields."""
    flags = set(file.mask_flag_enums[band - 1])
    return not flags & {MaskFlags.all_valid, MaskFlags.alpha, MaskFlags.nodata}


_PLANE = 2  # axes
_TURNED = 1e-3  # of a cell, over the whole image

CACHE_BYTES = 128 << 20
"""Decoded blocks that GDAL may hold; its own default grows with the machine."""


def open_raster(path: Path | str, files: ExitStack, driver: str | None = None) -> Any:
    """Open a raster file for as long as the stack lives.

    Raises
    ------
    SourceError
        GDAL cannot open it.
    """
    chosen = {} if driver is None else {"driver": driver}
    files.enter_context(rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES))
    try:
        with warnings.catch_warnings():
            # a file without a transform is refused in words by grid_of_raster
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            return files.enter_context(rasterio.open(path, **chosen))
    except (RasterioError, OSError) as error:
        words = " ".join(str(error).split())
        raise SourceError(
            f"GDAL cannot open {Path(path).name}: {words}", subject=str(path)
        ) from error


def grid_of_raster(file: Any, path: Path, crs: Crs | None = None) -> RectifiedGrid:
    """Grid of an open raster file, from its header, in a given CRS where it names none.

    Raises
    ------
    SourceError
        It has ground control points, a rotation, or no CRS.
    """
    if file.gcps[0]:
        raise SourceError(
            "positions are given by ground control points; only regular grids can be read",
            subject=str(path),
        )
    if file.transform.is_identity:
        raise SourceError("the image has no position", subject=str(path))
    if file.crs is None and crs is None:
        raise SourceError(
            "the image has no CRS; a recipe can say it (crs: EPSG:32631)", subject=str(path)
        )
    own = file.transform
    if is_turned(file):
        raise SourceError("the image is rotated; only north-aligned grids can be read")
    known = crs if file.crs is None else plane_of(file.crs, path)
    assert known is not None  # noqa: S101  it is one of both
    straight = Affine(own.a, 0.0, own.c, 0.0, own.e, own.f)
    return RectifiedGrid(known, straight, file.width, file.height)


def plane_of(said: Any, path: Path) -> Crs:
    """The CRS of an image in its plane; its heights, where it names some, are no axis.

    Raises
    ------
    SourceError
        It has no place on the globe.
    """
    known = pyproj.CRS.from_wkt(said.to_wkt())
    if known.is_compound:
        known = known.sub_crs_list[0]
    if known.is_engineering or known.is_geocentric:
        raise SourceError(
            f"its CRS '{known.name}' is no map projection, nor longitude and latitude",
            subject=str(path),
        )
    flat = known if len(known.axis_info) == _PLANE else known.to_2d()
    return Crs.from_wkt(flat.to_wkt())


def is_turned(file: Any) -> bool:
    """Whether rows or columns of an image leave those of a grid by more than a rounding."""
    one = file.transform
    return bool(
        abs(one.b) * file.height > _TURNED * abs(one.a)
        or abs(one.d) * file.width > _TURNED * abs(one.e)
    )
