"""Values as files that programs recolour and probe: NumPy, GeoTIFF, and PNG of 16 bits.

A pixel of the PNG holds the number ``256 * red + green``; its value is ``offset + scale * number``,
and it is transparent where there is no data. A browser decodes that as any picture, whereas it
would round one of 16 bits a channel. Stored integers of 16 bits or fewer keep every value.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datacube.engine.wanted import Found
from datacube.formats import geotiff
from datacube.formats.pieces import Streamed
from datacube.model.block import Block, RgbaImage
from datacube.model.coverage import Coverage, CoverageDescription
from datacube.model.domain import DomainSet
from datacube.model.fields import Field, RangeType
from datacube.model.grid import RectifiedGrid
from datacube.render.encode import encode
from services.ows.pictures import PNG
from services.tiles.address import NPY, PACKED, TIFF

LARGEST = 65_535


@dataclass(frozen=True, slots=True)
class Packing:
    """value = offset + scale * number, for numbers from 0 to 65535."""

    scale: float
    offset: float


def packing_of(field: Field, ends: tuple[float, float] | None) -> Packing | None:
    """How values of a field become numbers; None where nothing bounds them.

    Parameters
    ----------
    ends : smallest and largest physical value, where they are known
    """
    stored = np.dtype(field.dtype)
    if stored.kind in "iu" and stored.itemsize <= 2:
        return Packing(field.scale, field.offset + field.scale * int(np.iinfo(stored).min))
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
    if media_type == PACKED and packing is not None:
        return encode(packed(values, packing), PNG)
    return _WRITERS[media_type](values.astype(np.float32), found.field, grid)


def packed(values: NDArray[np.floating], packing: Packing) -> RgbaImage:
    """Numbers in red and green; beyond the ends they are the first or the last.

    Examples
    --------
    >>> packed(np.array([[1.0, 129.5, np.nan]]), Packing(0.5, 1.0)).pixels.tolist()
    [[[0, 0, 0, 255], [1, 1, 0, 255], [0, 0, 0, 0]]]
    """
    valid = np.isfinite(values)
    numbers = np.rint((np.where(valid, values, packing.offset) - packing.offset) / packing.scale)
    whole = np.clip(numbers, 0, LARGEST).astype(np.uint16)
    pixels = np.zeros((*values.shape, 4), np.uint8)
    pixels[..., 0], pixels[..., 1], pixels[..., 3] = whole >> 8, whole & 255, 255 * valid
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
    content = geotiff.encode(Coverage(description, {plain.name: block}), {"compression": "deflate"})
    return b"".join(content.pieces) if isinstance(content, Streamed) else content


_WRITERS: Mapping[str, Callable[[NDArray[np.float32], Field, RectifiedGrid], bytes]] = {
    NPY: _npy,
    TIFF: _tiff,
}
