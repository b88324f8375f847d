"""Values as files that programs recolour and probe: NumPy, GeoTIFF, and PNG of 16 bits.

A PNG holds numbers; the value of one is ``offset + scale * number``, and one number stands for no
data. It is grey of 16 bits, or for browsers, which round that to 8 bits, of the colours
``number = 256 * red + green``. Stored integers of 16 bits or fewer keep every value.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datacube.engine.wanted import Found
from datacube.formats import cog
from datacube.model.block import Block, RgbaImage
from datacube.model.coverage import Coverage, CoverageDescription
from datacube.model.domain import DomainSet
from datacube.model.fields import Field, RangeType
from datacube.model.grid import RectifiedGrid
from datacube.render.encode import encode
from datacube.render.png import grey_png
from services.ows.pictures import PNG
from services.tiles.address import GREY, NPY, TIFF

LARGEST = 65_534
"""The last number of a range; the one above it stands for no data."""
_NONE = LARGEST + 1


@dataclass(frozen=True, slots=True)
class Packing:
    """value = offset + scale * number, for numbers from 0 to 65535 but that for no data."""

    scale: float
    offset: float
    nodata: int = _NONE


def packing_of(field: Field, ends: tuple[float, float] | None) -> Packing | None:
    """How values of a field become numbers; None where nothing bounds them.

    Parameters
    ----------
    ends : smallest and largest physical value, where they are known

    Examples
    --------
    >>> packing_of(Field("t", "int16", nil=-32768, scale=0.5), None)
    Packing(scale=0.5, offset=-16384.0, nodata=0)
    """
    stored = np.dtype(field.dtype)
    if stored.kind in "iu" and stored.itemsize <= 2:
        first = int(np.iinfo(stored).min)
        stated = _NONE if field.nil is None else int(field.nil) - first
        nodata = stated if 0 <= stated <= _NONE else _NONE
        return Packing(field.scale, field.offset + field.scale * first, nodata)
    if stored.kind == "b":
        return Packing(field.scale, field.offset)
    low, high = ends or field.valid_range or (0.0, 0.0)
    return Packing((high - low) / LARGEST, low) if low < high else None


def encode_values(
    found: Found, grid: RectifiedGrid, media_type: str, packing: Packing | None
) -> bytes:
    """A tile of values.

    Parameters
    ----------
    packing : of PNG
    """
    values = found.field.decode(found.data, found.valid)
    if packing is None:
        return _WRITERS[media_type](values.astype(np.float32), found.field, grid)
    numbers = packed(values, packing)
    if media_type == GREY:
        return grey_png(numbers, packing.nodata)
    return encode(in_colors(numbers, packing.nodata), PNG)


def packed(values: NDArray[np.floating], packing: Packing) -> NDArray[np.uint16]:
    """Numbers of values: beyond the ends the first or the last, and never by chance no data.

    Examples
    --------
    >>> packed(np.array([1.0, 129.5, np.nan, 1e9]), Packing(0.5, 1.0)).tolist()
    [0, 257, 65535, 65534]
    """
    valid = np.isfinite(values)
    numbers = np.rint((np.where(valid, values, packing.offset) - packing.offset) / packing.scale)
    whole = np.clip(numbers, 0, _NONE).astype(np.uint16)
    nodata = np.uint16(packing.nodata)
    whole[whole == nodata] = nodata - 1 if nodata else 1
    whole[~valid] = nodata
    return whole


def in_colors(numbers: NDArray[np.uint16], nodata: int) -> RgbaImage:
    """Numbers in red and green, clear where there is no data.

    Examples
    --------
    >>> in_colors(np.array([[0, 257, 65535]], "uint16"), 65535).pixels.tolist()
    [[[0, 0, 0, 255], [1, 1, 0, 255], [0, 0, 0, 0]]]
    """
    valid = numbers != nodata
    shown = np.where(valid, numbers, 0)
    pixels = np.zeros((*numbers.shape, 4), np.uint8)
    pixels[..., 0], pixels[..., 1], pixels[..., 3] = shown >> 8, shown & 255, 255 * valid
    return RgbaImage(pixels)


def _npy(values: NDArray[np.float32], _field: Field, _grid: RectifiedGrid) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def _tiff(values: NDArray[np.float32], field: Field, grid: RectifiedGrid) -> bytes:
    plain = Field(field.name, "float32", field.uom, np.nan, title=field.title)
    domain = DomainSet(grid)
    block = Block(plain, domain, values, np.isfinite(values))
    description = CoverageDescription(field.name, field.title, "", domain, RangeType((plain,)))
    return cog.encode(Coverage(description, {plain.name: block}), {})


_WRITERS: Mapping[str, Callable[[NDArray[np.float32], Field, RectifiedGrid], bytes]] = {
    NPY: _npy,
    TIFF: _tiff,
}
