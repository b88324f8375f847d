"""Sources that meet in one slice, put together by the rule of a recipe.

Granules of one datatake or solar day come one by one. Each is laid over (or under) what its slice
holds already, field by field: a cell takes the first valid value, the last, the smaller or the
larger one. With ``first`` and ``last`` the order of ingest decides where granules overlap, with
``min`` and ``max`` it does not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from datacube.config.products import MosaicRule, MosaicSettings
from datacube.ingest.source import BandSource, Granule, SliceSource
from datacube.ingest.stored import StoredBand
from datacube.model.axis import TimeAxis
from datacube.model.calendar import MS_PER_DAY
from datacube.model.crs import CRS84, transform
from datacube.model.domain import DomainSet
from datacube.model.fields import Field
from datacube.store.cube import CubeStore

_MS_PER_DEGREE = MS_PER_DAY / 360


def by_day(mosaic: MosaicSettings, granule: Granule) -> Granule:
    """The granule with one slice for each solar day at its place, which begins at midnight.

    Parameters
    ----------
    mosaic : MosaicSettings
        With ``by: time`` the granule is as it was.

    Notes
    -----
    Where all instants are midnights they are taken as dates without a time of day, and stay these.
    """
    time = granule.description.domain.time
    if mosaic.by == "time" or time is None:
        return granule
    dated = not (time.ticks % MS_PER_DAY).any()
    shift = 0 if dated else round(_longitude(granule) * _MS_PER_DEGREE)

    def day(one: SliceSource) -> int:
        return ((one.ticks or 0) + shift) // MS_PER_DAY * MS_PER_DAY

    slices = tuple(
        _together(granule, ticks, tuple(members), mosaic.rule)
        for ticks, members in groupby(granule.slices, key=day)
    )
    ticks = np.array([one.ticks for one in slices], np.int64)
    bounds = np.stack([ticks, ticks + MS_PER_DAY], axis=1)
    days = TimeAxis(time.name, ticks, time.calendar, bounds)
    domain = granule.description.domain
    axes = tuple(days if axis is time else axis for axis in domain.axes)
    description = replace(granule.description, domain=DomainSet(domain.grid, axes))
    return replace(granule, description=description, slices=slices)


def over_stored(granule: Granule, cube: CubeStore, rule: MosaicRule) -> Granule:
    """The granule laid over what its cube holds at the same instants."""
    time = cube.description.domain.time
    if time is None or cube.empty:
        return granule
    places = {int(tick): place for place, tick in enumerate(time.ticks)}
    slices = tuple(
        one
        if one.ticks not in places
        else replace(one, bands=_over(cube, places[one.ticks], one, rule))
        for one in granule.slices
    )
    return replace(granule, slices=slices, over=cube.version)


def _over(cube: CubeStore, place: int, one: SliceSource, rule: MosaicRule) -> dict[str, BandSource]:
    by_name = cube.description.range_type
    return {
        name: MosaicBand((StoredBand(cube, name, place), band), by_name.field(name), rule)
        for name, band in one.bands.items()
    }


def _together(
    granule: Granule, ticks: int, members: Sequence[SliceSource], rule: MosaicRule
) -> SliceSource:
    first = replace(members[0], ticks=ticks)
    if len(members) == 1:
        return first
    bands = {
        field.name: MosaicBand(tuple(one.bands[field.name] for one in members), field, rule)
        for field in granule.description.range_type.fields
    }
    return replace(first, bands=bands)


def _longitude(granule: Granule) -> float:
    """Longitude of the middle of the granule's grid."""
    grid = granule.description.domain.grid
    box = grid.bbox
    x, y = np.array([(box.left + box.right) / 2]), np.array([(box.bottom + box.top) / 2])
    lon, _ = transform(x, y, grid.crs, CRS84)
    return float((lon[0] + 180) % 360 - 180)


@dataclass(frozen=True, eq=False)
class MosaicBand:
    """Several bands of a field as one.

    Parameters
    ----------
    bands : tuple of BandSource, in the order in which they came
    field : Field
    rule : MosaicRule
    """

    bands: tuple[BandSource, ...]
    field: Field
    rule: MosaicRule

    def read(
        self, index: tuple[int, ...], row0: int, row1: int, column0: int, column1: int
    ) -> NDArray[np.generic]:
        """Packed values of a window; see :class:`~datacube.ingest.source.BandSource`."""
        window = row0, row1, column0, column1
        made = self.bands[0].read(index, *window)
        for band in self.bands[1:]:
            made = mosaicked(self.rule, self.field, made, band.read(index, *window))
        return made


def mosaicked(
    rule: MosaicRule, field: Field, before: NDArray[np.generic], after: NDArray[np.generic]
) -> NDArray[np.generic]:
    """Two layers of packed values as one.

    Examples
    --------
    >>> v = Field("v", "uint8", nil=0)
    >>> one, two = np.array([0, 5, 7], "u1"), np.array([3, 9, 0], "u1")
    >>> [mosaicked(rule, v, one, two).tolist() for rule in ("first", "last", "min", "max")]
    [[3, 5, 7], [3, 9, 7], [3, 5, 7], [3, 9, 7]]
    """
    there, new = field.valid(before), field.valid(after)
    take = new & (~there | _stands_above(rule, field, before, after))
    return np.where(take, after, before)


def _stands_above(
    rule: MosaicRule, field: Field, before: NDArray[Any], after: NDArray[Any]
) -> NDArray[np.bool_] | bool:
    """Where the later value is the one to keep, if both are valid."""
    match rule:
        case "first" | "last":
            return rule == "last"
        case "min" | "max":
            larger = (rule == "max") == (field.scale > 0)
            return np.asarray(after > before if larger else after < before)
        case _:
            assert_never(rule)
