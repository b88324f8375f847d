"""Quality masks of a recipe: cells that a quality field rejects become no data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from datacube.config.products import MaskSettings
from datacube.errors import SourceError
from datacube.ingest.packing import with_nil
from datacube.ingest.source import BandSource, Granule, SliceSource
from datacube.model.fields import Field, RangeType


def masked(masks: Sequence[MaskSettings], granules: Sequence[Granule]) -> tuple[Granule, ...]:
    """The granules with the masks' fields applied to all other fields.

    Raises
    ------
    SourceError
        A quality field is not there.
    """
    if not masks:
        return tuple(granules)
    absent = [
        one.field
        for one in masks
        if not any(one.field.lower() in g.description.range_type.by_name for g in granules)
    ]
    if absent:
        raise SourceError(f"the recipe's masks want the fields {', '.join(absent)}")
    return tuple(_masked(masks, granule) for granule in granules)


def _masked(masks: Sequence[MaskSettings], granule: Granule) -> Granule:
    own = granule.description.range_type
    mine = [one for one in masks if one.field.lower() in own.by_name]
    if not mine:
        return granule
    fields = RangeType(tuple(with_nil(field) for field in own.fields))
    slices = tuple(replace(one, bands=dict(_bands(mine, fields, one))) for one in granule.slices)
    return replace(
        granule, description=replace(granule.description, range_type=fields), slices=slices
    )


def _bands(
    masks: Sequence[MaskSettings], own: RangeType, one: SliceSource
) -> Iterator[tuple[str, BandSource]]:
    tests = tuple(
        (own.field(mask.field), one.bands[own.field(mask.field).name], mask) for mask in masks
    )
    quality = {field.name for field, _, _ in tests}
    for name, band in one.bands.items():
        yield name, band if name in quality else MaskedBand(band, own.field(name), tests)


@dataclass(frozen=True, eq=False)
class MaskedBand:
    """A band whose rejected cells are no data.

    Parameters
    ----------
    band : BandSource
    field : Field, of the band
    tests : tuple of (quality field, its band, mask), which must all keep a cell
    """

    band: BandSource
    field: Field
    tests: tuple[tuple[Field, BandSource, MaskSettings], ...]

    def read(
        self, index: tuple[int, ...], row0: int, row1: int, column0: int, column1: int
    ) -> NDArray[np.generic]:
        """Packed values of a window; see :class:`~datacube.ingest.source.BandSource`."""
        values = self.band.read(index, row0, row1, column0, column1).copy()
        for field, band, mask in self.tests:
            quality = band.read(index, row0, row1, column0, column1)
            nil = np.nan if self.field.nil is None else self.field.nil
            values[~kept(mask, field, quality)] = nil
        return values


def kept(mask: MaskSettings, field: Field, packed: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Which cells a mask keeps, by the packed values of its quality field.

    Examples
    --------
    >>> qa = Field("qa_value", "uint8", nil=255, scale=0.01)
    >>> kept(MaskSettings("qa_value", low=0.5), qa, np.array([49, 50, 100, 255], "u1")).tolist()
    [False, True, True, False]
    >>> bits = Field("BQA", "uint16")
    >>> kept(MaskSettings("BQA", bits=(4,)), bits, np.array([2720, 2800], "u2")).tolist()
    [True, False]
    """
    valid = field.valid(packed)
    if mask.bits:
        rejected = np.zeros(packed.shape, bool)
        for bit in mask.bits:
            rejected |= (packed.astype(np.int64) >> bit & 1).astype(bool)
        return valid & ~rejected
    if mask.values:
        return valid & np.isin(packed, mask.values)
    physical = field.decode(packed, valid)
    slack = abs(field.scale) * 1e-6 if field.packed else 0.0
    low = -np.inf if mask.low is None else mask.low - slack
    high = np.inf if mask.high is None else mask.high + slack
    return np.asarray(valid & (physical >= low) & (physical <= high))
