"""Linear backscatter as decibels."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from datacube.ingest.source import BandSource, Granule
from datacube.model.fields import RangeType


def in_decibels(granule: Granule) -> Granule:
    """The granule with ten times the logarithm of its values, in dB; 0 and less is no data."""
    described = granule.description
    fields = tuple(replace(one, uom="dB") for one in described.range_type.fields)
    slices = tuple(
        replace(one, bands={name: DecibelBand(band) for name, band in one.bands.items()})
        for one in granule.slices
    )
    description = replace(described, range_type=RangeType(fields))
    return replace(granule, description=description, slices=slices)


@dataclass(frozen=True, slots=True)
class DecibelBand:
    """Ten times the logarithm of a band of floats."""

    band: BandSource

    def read(
        self, index: tuple[int, ...], row0: int, row1: int, column0: int, column1: int
    ) -> NDArray[np.generic]:
        """Values of a window; see :class:`~datacube.ingest.source.BandSource`."""
        values = self.band.read(index, row0, row1, column0, column1)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = 10 * np.log10(values.astype(np.float64))
        return np.where(np.isfinite(found), found, np.nan).astype(values.dtype)
