"""Axes beside time that grow: places by label, and sources that hold some of a cube's places.

A recipe gives a source its place along an axis (scenario, ensemble member). A source may hold other
places than its cube: new labels are added at the end, and so are numbers that go on in the axis'
direction. At its instants the other places keep what they have.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from datacube.config.products import AxisSettings
from datacube.errors import SourceError
from datacube.ingest.part import fields_of
from datacube.ingest.revision import revision_of
from datacube.ingest.source import BandSource, Granule, SliceSource
from datacube.ingest.stored import StoredBand
from datacube.model.axis import Axis, IndexAxis, IrregularAxis, TimeAxis, axis_values
from datacube.model.domain import DomainSet
from datacube.model.fields import Field
from datacube.store.cube import CubeStore
from datacube.store.layout import fill_of

type Places = tuple[int, ...]
"""For each place of a source along an axis, that of the cube."""


def labelled(axes: Sequence[AxisSettings], granule: Granule) -> Granule:
    """The granule with the axes of a recipe, of one place each, before its own.

    Raises
    ------
    SourceError
        The source does not say its place, or has such an axis itself.
    """
    if not axes:
        return granule
    domain = granule.description.domain
    taken = [one.name for one in axes if one.name in {axis.name for axis in domain.axes}]
    if taken:
        raise SourceError(f"the source has an axis '{taken[0]}' itself; leave it out of the recipe")
    new = tuple(
        IndexAxis(one.name, 1, title=one.title or one.name, labels=(_label(one, granule),))
        for one in axes
    )
    own = _further(domain.axes)
    times = tuple(axis for axis in domain.axes if isinstance(axis, TimeAxis))
    slices = tuple(
        replace(one, bands={name: InnerBand(band, len(new)) for name, band in one.bands.items()})
        for one in granule.slices
    )
    made = replace(granule.description, domain=DomainSet(domain.grid, (*times, *new, *own)))
    return replace(granule, description=made, slices=slices)


def _label(axis: AxisSettings, granule: Granule) -> str:
    """The place of a source along an axis."""
    if axis.label is not None:
        return axis.label
    if axis.attribute is not None:
        said = granule.attributes.get(axis.attribute, "").strip()
        if not said:
            raise SourceError(
                f"it has no attribute '{axis.attribute}', by which the recipe finds its place "
                f"along '{axis.name}'"
            )
        return said
    found = re.search(axis.file or "", granule.product)
    if found is None:
        raise SourceError(
            f"its name does not fit '{axis.file}', by which the recipe finds its place along "
            f"'{axis.name}'"
        )
    return found[1] if found.re.groups else found[0]


@dataclass(frozen=True, slots=True)
class InnerBand:
    """A band below axes of one place.

    Parameters
    ----------
    band : BandSource
    outer : int, number of those axes
    """

    band: BandSource
    outer: int

    def read(
        self, index: tuple[int, ...], row0: int, row1: int, column0: int, column1: int
    ) -> NDArray[np.generic]:
        """Packed values of a window; see :class:`~datacube.ingest.source.BandSource`."""
        return self.band.read(index[self.outer :], row0, row1, column0, column1)


def joint(own: Axis, cube: Axis) -> tuple[Axis, Places] | None:
    """An axis with the places of both, the cube's first, and where the source's are on it.

    None where they cannot be one axis.

    Examples
    --------
    >>> a1b, e1 = (IndexAxis("scenario", 1, labels=(name,)) for name in ("A1B", "E1"))
    >>> axis, places = joint(e1, a1b)
    >>> axis_values(axis), places
    (('A1B', 'E1'), (1,))
    """
    if (own.name, _uom(own)) != (cube.name, _uom(cube)):
        return None
    match own, cube:
        case IndexAxis(), IndexAxis() if own.labels and cube.labels:
            labels = (*cube.labels, *(one for one in own.labels if one not in cube.labels))
            axis = replace(cube, size=len(labels), labels=labels)
            return axis, tuple(labels.index(one) for one in own.labels)
        case IndexAxis(), IndexAxis() if own.size == cube.size and own.labels == cube.labels:
            return cube, tuple(range(cube.size))
        case (IndexAxis(), _) | (_, IndexAxis()):
            return None
        case _:
            return _joint_numbers(own, cube)


def _joint_numbers(own: Axis, cube: Axis) -> tuple[Axis, Places] | None:
    mine, its = (np.asarray(axis_values(one), np.float64) for one in (own, cube))
    near = np.isclose(mine[:, None], its, rtol=1e-6, atol=1e-9)
    further = mine[~near.any(axis=1)]
    every = np.concatenate((its, further))
    steps = np.diff(every)
    if not ((steps > 0).all() or (steps < 0).all()):
        return None
    places = np.where(near.any(axis=1), near.argmax(axis=1), 0)
    places[~near.any(axis=1)] = len(its) + np.arange(len(further))
    axis = cube if not len(further) else IrregularAxis(cube.name, every, _uom(cube), cube.title)
    return axis, tuple(places.tolist())


def _uom(axis: Axis) -> str:
    return "" if isinstance(axis, TimeAxis) else axis.uom


def completed(granule: Granule, cube: CubeStore) -> Granule:
    """The granule with every place of its cube and its own; elsewhere it is as the cube is.

    An instant at which the cube has the granule's place in a later stage is left out.

    Raises
    ------
    SourceError
        The cube has no time, and the source other places.
    """
    before = _further(cube.description.domain.axes)
    both = [
        joint(*pair) for pair in zip(_further(granule.description.domain.axes), before, strict=True)
    ]
    found = [one for one in both if one is not None]
    if all(places == tuple(range(axis.size)) for axis, places in found):
        return granule
    time = cube.description.domain.time
    if time is None:
        raise SourceError(f"it has other places than the cube '{cube.id}', which has no time")
    stored = {int(tick): place for place, tick in enumerate(time.ticks)}
    where = tuple(places for _, places in found)
    kept = [n for n, one in enumerate(granule.slices) if not _outranked(granule, one, cube)]
    left = with_slices(granule, kept)
    slices = tuple(_over(cube, one, stored.get(one.ticks or 0), where) for one in left.slices)
    domain = left.description.domain
    times = tuple(axis for axis in domain.axes if isinstance(axis, TimeAxis))
    axes = (*times, *(axis for axis, _ in found))
    made = replace(left.description, domain=DomainSet(domain.grid, axes))
    return replace(
        left,
        description=made,
        slices=slices,
        over=cube.version,
        joined=True,
        places=places_of(granule),
    )


def with_slices(granule: Granule, kept: Sequence[int]) -> Granule:
    """A granule of some of the slices of another one."""
    domain = granule.description.domain
    axes = tuple(_chosen(one, kept) if isinstance(one, TimeAxis) else one for one in domain.axes)
    made = replace(granule.description, domain=DomainSet(domain.grid, axes))
    return replace(granule, description=made, slices=tuple(granule.slices[n] for n in kept))


def _chosen(time: TimeAxis, kept: Sequence[int]) -> TimeAxis:
    bounds = None if time.bounds is None else time.bounds[list(kept)]
    return replace(time, ticks=time.ticks[list(kept)], bounds=bounds)


def places_of(granule: Granule) -> Mapping[str, str]:
    """Where a granule lies on the axes along which it has one place, for the record."""
    axes = _further(granule.description.domain.axes)
    return granule.places or {one.name: str(axis_values(one)[0]) for one in axes if one.size == 1}


def _over(
    cube: CubeStore, one: SliceSource, place: int | None, places: tuple[Places, ...]
) -> SliceSource:
    fields = cube.description.range_type
    where = tuple({there: here for here, there in enumerate(axis)} for axis in places)
    return replace(
        one,
        bands={
            name: JoinedBand(
                band,
                where,
                None if place is None else StoredBand(cube, name, place),
                fields.field(name),
            )
            for name, band in one.bands.items()
        },
    )


def _outranked(granule: Granule, one: SliceSource, cube: CubeStore) -> bool:
    """Whether a later stage of the same place has come already."""
    mine, rank = places_of(granule), revision_of(granule.product)
    fields = one.bands.keys()
    return bool(mine) and any(
        one.ticks in ticks
        and revision_of(record.product) > rank
        and fields <= (fields_of(record) or fields)
        and all(record.attributes.get(name) == place for name, place in mine.items())
        for record, ticks in cube.record.sources.values()
    )


@dataclass(frozen=True, eq=False)
class JoinedBand:
    """A band at some places of a cube; at the others what is stored.

    Parameters
    ----------
    band : BandSource
    where : for each axis, the source's place by that of the cube
    stored : StoredBand, optional
        None where the cube does not have the instant yet.
    field : Field
    """

    band: BandSource
    where: tuple[dict[int, int], ...]
    stored: StoredBand | None
    field: Field

    def holds(self, index: tuple[int, ...]) -> bool:
        """Whether there is anything at a place."""
        return self.stored is not None or self._own(index) is not None

    def read(
        self, index: tuple[int, ...], row0: int, row1: int, column0: int, column1: int
    ) -> NDArray[np.generic]:
        """Packed values of a window; see :class:`~datacube.ingest.source.BandSource`."""
        own = self._own(index)
        if own is not None:
            return self.band.read(own, row0, row1, column0, column1)
        if self.stored is not None:
            return self.stored.read(index, row0, row1, column0, column1)
        return np.full((row1 - row0, column1 - column0), fill_of(self.field), self.field.dtype)

    def _own(self, index: tuple[int, ...]) -> tuple[int, ...] | None:
        places = [axis.get(at) for axis, at in zip(self.where, index, strict=True)]
        found = tuple(one for one in places if one is not None)
        return found if len(found) == len(places) else None


def _further(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    return tuple(axis for axis in axes if not isinstance(axis, TimeAxis))
