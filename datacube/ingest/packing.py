"""Packed values of a source brought to the packing of a cube.

A cube keeps the packing of its first granule. Later granules may carry another offset (Sentinel-2
subtracts 1000 since baseline 04.00): their numbers are shifted by a whole number of steps, so that
the physical values stay exactly the same. No data stays no data; a value that leaves the dtype or
meets the no-data value saturates at the nearest valid number.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from datacube.ingest.source import BandSource, bands_together, is_parallel, tile_of
from datacube.model.fields import Field

_EXACT = 1e-6  # of a step


@dataclass(frozen=True, slots=True)
class Repacked:
    """A band whose packed values are shifted to another offset.

    Parameters
    ----------
    band : BandSource
    field : Field
        The field as the cube stores it.
    shift : int
        Steps of the packing that are added.
    """

    band: BandSource
    field: Field
    shift: int

    @property
    def parallel(self) -> bool:
        """See :func:`~datacube.ingest.source.is_parallel`."""
        return is_parallel(self.band)

    @property
    def together(self) -> int:
        """See :func:`~datacube.ingest.source.bands_together`."""
        return bands_together(self.band)

    @property
    def tile(self) -> tuple[int, int] | None:
        """See :func:`~datacube.ingest.source.tile_of`."""
        return tile_of(self.band)

    def read(
        self, index: tuple[int, ...], row0: int, row1: int, column0: int, column1: int
    ) -> NDArray[np.generic]:
        """Values in the cube's packing; see :class:`~datacube.ingest.source.BandSource`."""
        return shifted(self.band.read(index, row0, row1, column0, column1), self.field, self.shift)


def shifted(packed: NDArray[np.generic], field: Field, shift: int) -> NDArray[np.generic]:
    """Packed integers plus a shift, saturating; nil stays nil and nothing else becomes nil.

    Examples
    --------
    >>> b04 = Field("B04", "uint16", nil=0, scale=0.0001)
    >>> shifted(np.array([0, 500, 1000, 4000], "uint16"), b04, -1000).tolist()
    [0, 1, 1, 3000]
    """
    info = np.iinfo(np.dtype(field.dtype))
    low, high = int(info.min), int(info.max)
    if field.nil == low:
        low += 1
    elif field.nil == high:
        high -= 1
    first, last = max(int(info.min), low - shift), min(int(info.max), high - shift)
    if first > last:
        moved = np.full(packed.shape, high if shift > 0 else low, packed.dtype)
    else:  # sums of unsigned numbers go round, so that those of any type come out right
        unsigned = np.dtype(f"u{packed.itemsize}")
        step = np.asarray(shift % (1 << 8 * packed.itemsize), unsigned)
        kept = np.clip(packed, first, last).view(unsigned)
        moved = np.add(kept, step).view(packed.dtype)
    if field.nil is None:
        return moved
    moved[moved == field.nil] += 1
    moved[packed == field.nil] = field.nil
    return moved


def off_nil(packed: NDArray[np.generic], field: Field) -> NDArray[np.generic]:
    """Packed values that are all valid: none is no data, the nearest number stands for it.

    Examples
    --------
    >>> off_nil(np.array([0, 254, 255], "uint8"), Field("red", "uint8", nil=255)).tolist()
    [0, 254, 254]
    """
    if field.nil is None or packed.dtype.kind == "f":
        return packed
    low = field.nil == np.iinfo(np.dtype(field.dtype)).min
    other = np.asarray(int(field.nil) + (1 if low else -1), packed.dtype)
    return np.where(packed == field.nil, other, packed)


def shift_between(source: Field, cube: Field) -> int | None:
    """Whole steps from the source's packing to the cube's; None where there is no such number.

    Examples
    --------
    >>> old, new = (Field("B04", "uint16", nil=0, scale=1e-4, offset=o) for o in (0.0, -0.1))
    >>> shift_between(new, old), shift_between(old, new)
    (-1000, 1000)
    """
    if source.scale != cube.scale or np.dtype(source.dtype).kind not in "iu":
        return 0 if (source.scale, source.offset) == (cube.scale, cube.offset) else None
    steps = (source.offset - cube.offset) / cube.scale
    whole = round(steps)
    return whole if abs(steps - whole) <= _EXACT else None


def with_nil(field: Field) -> Field:
    """The field with a number for no data: its own, else the largest (unsigned) or smallest.

    Examples
    --------
    >>> with_nil(Field("flags", "uint8")).nil, with_nil(Field("v", "int16", nil=-1)).nil
    (255, -1)
    """
    dtype = np.dtype(field.dtype)
    if dtype.kind == "f" or field.nil is not None:
        return field
    info = np.iinfo(dtype)
    return replace(field, nil=int(info.max if dtype.kind == "u" else info.min))
