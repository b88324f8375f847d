"""Windows of a raster file through GDAL, shared by the readers of images."""

import warnings
from collections.abc import Callable, Sequence
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
from rasterio._err import CPLE_BaseError
from rasterio.enums import MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from datacube.errors import SourceError
from datacube.ingest.packing import off_nil, with_nil
from datacube.ingest.readers.kepttiles import KeptTiles
from datacube.ingest.readers.marked import Span
from datacube.ingest.readers.tifftiles import TiffTiles, tiles_of
from datacube.model.crs import Crs
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid

DAMAGES = RasterioError, CPLE_BaseError, OSError, ValueError
"""What is raised where a file is damaged."""


type ReadWindow = Callable[[int, int, int, int], NDArray[Any]]
"""Rows and columns of a file, half-open."""


@dataclass(frozen=True, eq=False)
class RasterBand:
    """One band of an open raster file.

    Parameters
    ----------
    file : rasterio dataset
    band : int, from 1
    path : Path
    gone : Span, optional
        Numbers that become NaN (float bands).
    factor : int
        Each cell is repeated this often in both directions (nearest neighbour, exact).
    kept : KeptTiles, optional
        Of the file, which its bands share.
    """

    file: Any
    band: int
    path: Path
    gone: Span | None = None
    factor: int = 1
    kept: KeptTiles | None = None

    @cached_property
    def tiles(self) -> TiffTiles | None:
        """The tiles, where they can be read past GDAL, which has one thread for a file."""
        return tiles_of(self.file, self.band, self.kept)

    @property
    def together(self) -> int:
        """See :func:`~datacube.ingest.source.bands_together`."""
        return int(self.file.count) if interleaved(self.file) else 1

    @property
    def parallel(self) -> bool:
        """See :func:`~datacube.ingest.source.is_parallel`."""
        return self.tiles is not None

    @property
    def tile(self) -> tuple[int, int] | None:
        """See :func:`~datacube.ingest.source.tile_of`."""
        if self.tiles is None or self.tiles.rows is not None:
            return None
        height, width = self.tiles.shape
        return height * self.factor, width * self.factor

    def read(
        self, index: tuple[int, ...], row0: int, row1: int, column0: int, column1: int
    ) -> NDArray[np.generic]:
        """Packed values of a window; see :class:`~datacube.ingest.source.BandSource`."""
        if index:
            raise ValueError(f"a raster band has no further axes, asked for {index}")
        values = self.finer(self._window, row0, row1, column0, column1)
        if self.gone is not None:
            low, high = self.gone
            gone = (values >= low) & (values <= high)
            values = np.where(gone, np.asarray(np.nan, values.dtype), values)
        return np.ascontiguousarray(values)

    def finer(
        self, read: ReadWindow, row0: int, row1: int, column0: int, column1: int
    ) -> NDArray[Any]:
        """A window of cells, from one of the file's pixels, each of which is repeated."""
        factor = self.factor
        top, left = row0 // factor, column0 // factor
        bottom, right = -(-row1 // factor), -(-column1 // factor)
        values = read(top, bottom, left, right)
        if factor == 1:
            return values
        values = values.repeat(factor, axis=0).repeat(factor, axis=1)
        return values[
            row0 - top * factor : row1 - top * factor,
            column0 - left * factor : column1 - left * factor,
        ]

    def _window(self, top: int, bottom: int, left: int, right: int) -> NDArray[np.generic]:
        try:
            if self.tiles is not None:
                return self.tiles.read(top, bottom, left, right)
            found: NDArray[np.generic] = self.file.read(
                self.band, window=Window(left, top, right - left, bottom - top)
            )
        except DAMAGES as error:
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
        kept = self.band.finer(self._window, row0, row1, column0, column1)
        nil = np.nan if self.field.nil is None else self.field.nil
        return np.where(kept, values, np.asarray(nil, values.dtype))

    def _window(self, top: int, bottom: int, left: int, right: int) -> NDArray[np.generic]:
        window = Window(left, top, right - left, bottom - top)
        try:
            found: NDArray[np.generic] = self.band.file.read_masks(self.band.band, window=window)
        except DAMAGES as error:
            raise SourceError(
                f"the mask of {self.band.path.name} cannot be decoded", subject=str(self.band.path)
            ) from error
        return found


def as_masked(
    band: RasterBand, field: Field, masked: bool
) -> tuple[Field, RasterBand | MaskedImage]:
    """A band and its field with what a mask leaves out as no data, where there is a mask."""
    if not masked:
        return field, band
    marked = with_nil(field)
    return marked, MaskedImage(band, marked)


def masks_of(file: Any) -> tuple[bool, ...]:
    """Whether a mask says what of each band is no data; bands of opacity are fields.

    It is one of the band or of the file, or GDAL makes it of a number that cannot be had exactly:
    whole ones beyond 2⁵³ come as floats or not at all.
    """
    every = zip(file.mask_flag_enums, file.nodatavals, file.dtypes, strict=True)
    return tuple(_has_mask(flags, nodata, dtype) for flags, nodata, dtype in every)


def _has_mask(flags: Sequence[MaskFlags], nodata: float | None, dtype: str) -> bool:
    if MaskFlags.nodata not in flags:
        return not {MaskFlags.all_valid, MaskFlags.alpha} & set(flags)
    whole = sample_type(dtype).kind != "f"
    return nodata is None or (whole and abs(nodata) > _EXACT)


_EXACT = 1 << 53
_DRIVERS = frozenset({"GTiff", "JP2OpenJPEG", "PNG", "JPEG"})
_PLANE = 2  # axes
_TURNED = 1e-3  # of a cell, over the whole image

_MOST_BANDS = 1 << 12
_MOST_ROWS = 1 << 24
_MOST_CELLS = 1 << 40
_MOST_BYTES = 1 << 30
_MUCH = 1 << 36
_PACKED = 100_000

CACHE_BYTES = 128 << 20
"""Decoded blocks that GDAL may hold; its own default grows with the machine."""


def open_raster(path: Path | str, files: ExitStack, driver: str | None = None) -> Any:
    """Open a raster file for as long as the stack lives.

    Of all that GDAL knows only formats that hold their values themselves: others (VRT) may name any
    file or address as the place of theirs, and whoever sends one would have those served.

    Raises
    ------
    SourceError
        GDAL cannot open it, or it is in another format.
    """
    files.enter_context(rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES))
    try:
        with warnings.catch_warnings():
            # a file without a transform is refused in words by grid_of_raster
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            file = files.enter_context(rasterio.open(path, driver=driver))
            _look_at_masks(file)
    except DAMAGES as error:
        words = " ".join(str(error).split())
        raise SourceError(
            f"GDAL cannot open {Path(path).name}: {words}", subject=str(path)
        ) from error
    if file.driver not in _DRIVERS:
        raise SourceError(
            f"{Path(path).name} is in the format {file.driver}; images in "
            f"{', '.join(sorted(_DRIVERS))} can be read",
            subject=str(path),
        )
    _check_sizes(file, path)
    return file


def _look_at_masks(file: Any) -> None:
    """Have GDAL read what lies beside the bands; a mask that it cannot read would be none.

    Raises
    ------
    CPLE_BaseError
        By the second call, of what went wrong in the first one.
    """
    _ = file.mask_flag_enums, file.colorinterp


def _check_sizes(file: Any, path: Path | str) -> None:
    """Refuse what a small damaged or malicious file may claim, and no memory or time is enough for.

    Raises
    ------
    SourceError
        It has too many cells, or too many that have to be unpacked together.
    """
    if file.count > _MOST_BANDS:
        raise SourceError(
            f"it says it has {file.count} bands; {_MOST_BANDS} are the most", subject=str(path)
        )
    if max(file.shape) > _MOST_ROWS or file.height * file.width > _MOST_CELLS:
        raise SourceError(
            f"it says it has {file.width} x {file.height} cells; {_MOST_ROWS} rows or columns and "
            f"{_MOST_CELLS} cells are the most",
            subject=str(path),
        )
    _check_bytes(file, path)
    together = file.count if interleaved(file) else 1
    for (rows, columns), dtype in zip(file.block_shapes, file.dtypes, strict=True):
        size = rows * columns * together * sample_type(dtype).itemsize
        if size > _MOST_BYTES:
            raise SourceError(
                f"its tiles or strips of {columns} x {rows} cells take {size >> 20} MB each; write "
                "it with smaller ones first (gdal_translate -co TILED=YES)",
                subject=str(path),
            )


def _check_bytes(file: Any, path: Path | str) -> None:
    """Refuse what no program packs so well: days would pass with nothing."""
    unpacked = file.height * file.width * sum(sample_type(one).itemsize for one in file.dtypes)
    if unpacked <= _MUCH or not Path(path).is_file():
        return
    stored = Path(path).stat().st_size
    if unpacked > _PACKED * stored:
        raise SourceError(
            f"it says it has {file.width} x {file.height} cells, and there are {stored} bytes",
            subject=str(path),
        )


def sample_type(name: str) -> np.dtype[Any]:
    """The type of a band by rasterio's name; complex whole numbers are none of numpy's.

    Examples
    --------
    >>> sample_type("int16"), sample_type("complex_int16")
    (dtype('int16'), dtype('complex64'))
    """
    return np.dtype("complex64" if name == "complex_int16" else name)


def interleaved(file: Any) -> bool:
    """Whether the bands of an open file lie together, pixel by pixel."""
    return bool(file.tags(ns="IMAGE_STRUCTURE").get("INTERLEAVE", "BAND") == "PIXEL")


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
    if not np.isfinite(own[:6]).all() or 0.0 in {own.a, own.e}:
        raise SourceError("its position is given by numbers that are none", subject=str(path))
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
