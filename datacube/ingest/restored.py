"""Fields stored otherwise than in their source: unpacked, packed, or with fewer bits.

Files of one product may each have a packing of their own, and floats hold more digits than were
measured. A recipe says how a field is stored: values are unpacked before anything is reckoned with
them and packed, or rounded to some bits (Klöwer et al. 2021, doi:10.1038/s43588-021-00156-2), at
the end.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numcodecs import BitRound
from numpy.typing import NDArray

from datacube.config.products import RecipeSettings, StoredAs
from datacube.errors import SourceError
from datacube.ingest.packing import with_nil
from datacube.ingest.source import BandSource, Granule, bands_together, is_parallel, tile_of
from datacube.model.fields import Field, RangeType

_STRIP = 1 << 20  # cells that are worked on at once
_BITS = {2: 10, 4: 23, 8: 52}  # of the mantissa of floats


def unpacked(recipe: RecipeSettings, granule: Granule) -> Granule:
    """The granule with physical floats of the fields that are packed anew.

    Raises
    ------
    SourceError
        Classes would be packed.
    """
    changes = {}
    for field, wanted in _wanted(recipe, granule):
        target = _target(field, wanted)
        if wanted.dtype is None or _alike(field, target):
            continue
        if field.categories and (target.packed or np.dtype(target.dtype).kind == "f"):
            raise SourceError(f"{field.name} holds classes, which cannot be packed")
        dtype = "float32" if target.dtype == "float32" else "float64"
        between = replace(field, dtype=dtype, nil=None, scale=1.0, offset=0.0)
        changes[field.name] = between, _unpacking(field, dtype)
    return _changed(granule, changes)


def packed(recipe: RecipeSettings, granule: Granule) -> Granule:
    """The granule with its fields as they are to be stored.

    Raises
    ------
    SourceError
        Bits of whole numbers would be rounded.
    """
    changes = {}
    for field, wanted in _wanted(recipe, granule):
        target = _target(field, wanted)
        if np.dtype(target.dtype).kind == "f":
            if wanted.keep_bits is not None:
                rounding = _rounding(target, wanted.keep_bits)
                changes[field.name] = target, rounding
        elif wanted.keep_bits is not None:
            raise SourceError(f"{field.name} is {target.dtype}; keep_bits is of floats")
        elif np.dtype(field.dtype).kind == "f":
            changes[field.name] = target, _packing(target)
    return _changed(granule, changes)


type _Change = Callable[[NDArray[Any], NDArray[Any]], None]
"""From the values of a strip to those that go in their place."""


@dataclass(frozen=True, eq=False)
class ChangedBand:
    """A band of which every value becomes another one.

    Parameters
    ----------
    band : BandSource
    dtype : str, of the values that it gives
    change : function of values and of the memory for what they become
    """

    band: BandSource
    dtype: str
    change: _Change

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
        """Values of a window; see :class:`~datacube.ingest.source.BandSource`."""
        values = self.band.read(index, row0, row1, column0, column1)
        made = np.empty(values.shape, self.dtype)
        rows = max(1, _STRIP // max(values.shape[1], 1))
        for first in range(0, len(values), rows):
            self.change(values[first : first + rows], made[first : first + rows])
        return made


def _wanted(recipe: RecipeSettings, granule: Granule) -> Iterator[tuple[Field, StoredAs]]:
    """The fields of a granule for which the recipe says how they are stored."""
    own = granule.description.range_type.by_name
    for one in recipe.fields:
        field = own.get((one.name or one.source).lower())
        if field is not None and one.stored is not None:
            yield field, one.stored


def _target(field: Field, wanted: StoredAs) -> Field:
    """The field as it is stored."""
    if wanted.dtype is None:
        return field
    if np.dtype(wanted.dtype).kind == "f":
        return replace(field, dtype=wanted.dtype, nil=None, scale=1.0, offset=0.0)
    return with_nil(
        replace(
            field,
            dtype=wanted.dtype,
            nil=wanted.nil,
            scale=wanted.scale,
            offset=wanted.offset,
        )
    )


def _alike(field: Field, target: Field) -> bool:
    """Whether a field's numbers are those that are wanted."""
    same = (field.dtype, field.scale, field.offset) == (target.dtype, target.scale, target.offset)
    return same and (np.dtype(field.dtype).kind == "f" or field.nil == target.nil)


def _changed(granule: Granule, changes: Mapping[str, tuple[Field, _Change]]) -> Granule:
    if not changes:
        return granule
    described = granule.description
    fields = tuple(changes.get(one.name, (one,))[0] for one in described.range_type.fields)
    slices = tuple(
        replace(
            one,
            bands={
                name: ChangedBand(band, changes[name][0].dtype, changes[name][1])
                if name in changes
                else band
                for name, band in one.bands.items()
            },
        )
        for one in granule.slices
    )
    return replace(
        granule, description=replace(described, range_type=RangeType(fields)), slices=slices
    )


def _unpacking(field: Field, dtype: str) -> _Change:
    def change(values: NDArray[Any], made: NDArray[Any]) -> None:
        physical = values.astype(np.float64)
        physical *= field.scale
        physical += field.offset
        made[...] = physical.astype(dtype)
        made[~field.valid(values)] = np.nan

    return change


def _packing(target: Field) -> _Change:
    """Whole steps, rounded half to even; what no step stands for is refused."""
    dtype, nil = np.dtype(target.dtype), target.nil
    assert nil is not None  # noqa: S101  with_nil
    ends = np.iinfo(dtype)
    low, high = ends.min + (nil == ends.min), ends.max - (nil == ends.max)

    def change(values: NDArray[Any], made: NDArray[Any]) -> None:
        known = np.isfinite(values)
        steps = np.where(known, values, target.offset).astype(np.float64)
        steps -= target.offset
        steps /= target.scale
        np.rint(steps, out=steps)
        steps[~known] = low
        if steps.size and not (low <= steps.min() and steps.max() <= high):
            reach = sorted(one * target.scale + target.offset for one in (low, high))
            worst = values[known & ((steps < low) | (steps > high))].flat[0]
            raise SourceError(
                f"{target.name} has the value {worst:g}; {target.dtype} with scale "
                f"{target.scale:g} and offset {target.offset:g} holds {reach[0]:g} to {reach[1]:g}"
            )
        made[...] = steps.astype(dtype)
        if low < nil < high:
            made[made == nil] += 1  # a value stays one
        made[~known] = nil

    return change


def _rounding(target: Field, bits: int) -> _Change:
    dtype = np.dtype(target.dtype)
    codec = BitRound(min(bits, _BITS[dtype.itemsize]))

    def change(values: NDArray[Any], made: NDArray[Any]) -> None:
        made[...] = values
        known = np.isfinite(made)
        rounded = codec.encode(made).view(dtype).reshape(made.shape)
        np.copyto(made, rounded, where=known)

    return change
